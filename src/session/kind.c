/*
 * Which exchanges are classified alike. The key holds every fact that learning or classification
 * looks at, but for times and for which tokens they are; property tests compare both ways.
 */
#include "session/site_model.h"

#include <string.h>

static uint64_t text_hash(struct hr_span text)
{
    return text.ptr == NULL ? 1 : hr_hash_table(text.ptr, text.len);
}

/* The values in a redirect's query differ from time to time, and only a profile looks at them; the
 * names are part of the view's answer. */
static struct hr_span path_of(struct hr_span location)
{
    return location.ptr == NULL ? location : hr_span_cut(&location, '?');
}

/* Only failures and answers to logins are compared by their shape, and a page is a login only with
 * one of these. */
static bool shape_matters(const struct site_model *m, const struct view *v)
{
    return m->profile != NULL || !view_is_get(v) || learn_is_told_failure(v) ||
           (v->flags & (FACT_PASSWORD | FACT_LOGIN_PATH | FACT_AUTH_CALLBACK));
}

uint64_t site_model_kind(const struct site_model *m, const struct exchange_facts *f)
{
    uint64_t parts[11 + 3 * FACTS_TOKEN_LIMIT];
    size_t count = 0;
    struct view v;
    learn_view_of_facts(f, &v);
    parts[count++] = text_hash(f->method);
    parts[count++] = text_hash(f->path_template);
    parts[count++] = f->status;
    parts[count++] = f->flags;
    parts[count++] = shape_matters(m, &v) ? f->shape : 0;
    parts[count++] = text_hash(m->profile != NULL ? f->location : path_of(f->location));
    parts[count++] = f->location.ptr != NULL ? v.answer : 0;
    parts[count++] = text_hash(f->location_path);
    parts[count++] = f->user.ptr != NULL;
    parts[count++] = f->token_count;
    for (size_t i = 0; i < f->token_count; i++) {
        parts[count++] = v.uses[i].carrier;
        parts[count++] = v.uses[i].bits;
        parts[count++] = f->tokens[i].flags;
    }
    return hr_hash_table(parts, count * sizeof(parts[0]));
}

/* A session by where it stands in the exchange. */
static uint64_t place_of(const struct exchange_facts *f, int64_t session_id)
{
    for (size_t i = 0; session_id != 0 && i < f->token_count; i++) {
        if (f->tokens[i].sent_id == session_id) {
            return 2 * i + 1;
        }
        if (f->tokens[i].set_id == session_id) {
            return 2 * i + 2;
        }
    }
    return 0;
}

uint64_t classified_meaning(const struct exchange_facts *f, const struct classified *c)
{
    uint64_t parts[8 + 4 * SESSION_OPERATION_LIMIT];
    size_t count = 0;
    parts[count++] = c->role;
    parts[count++] = c->outcome;
    parts[count++] = place_of(f, c->session_id);
    parts[count++] = c->user.ptr != NULL;
    parts[count++] = c->had_token;
    parts[count++] = c->may_be_denial;
    parts[count++] = c->missing_token;
    parts[count++] = c->operation_count;
    for (size_t i = 0; i < c->operation_count; i++) {
        parts[count++] = c->operations[i].kind;
        parts[count++] = place_of(f, c->operations[i].session_id);
        parts[count++] = c->operations[i].issues;
        parts[count++] = c->operations[i].understood;
    }
    return hr_hash_table(parts, count * sizeof(parts[0]));
}
