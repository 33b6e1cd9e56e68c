/*
 * The uses of tokens of one exchange: found or added by carrier and name, at most
 * FACTS_TOKEN_LIMIT.
 */
#include "session/work.h"

#define TOKEN_NAME_BYTES ((size_t)128)
#define JOINED_BYTES 4096
#define ALSO_SET_LIMIT 4

/* As facts hold it: a name is the same only as it is shown. */
static struct hr_span shown_name(struct work *w, struct hr_span name)
{
    return work_escape(w, name, 4 * TOKEN_NAME_BYTES);
}

struct token_use *work_token(struct work *w, enum token_carrier carrier, struct hr_span name,
                             unsigned weight)
{
    struct exchange_facts *f = w->f;
    size_t at = 0;
    if (name.len > TOKEN_NAME_BYTES) {
        work_count_dropped_token(w);
        return NULL;
    }
    name = shown_name(w, name);
    for (; at < f->token_count; at++) {
        if (f->tokens[at].carrier == carrier && hr_span_equal(f->tokens[at].name, name)) {
            return &f->tokens[at];
        }
    }
    if (at == FACTS_TOKEN_LIMIT) {
        at = 0;
        for (size_t i = 1; i < FACTS_TOKEN_LIMIT; i++) {
            at = w->weight[i] < w->weight[at] ? i : at;
        }
        work_count_dropped_token(w);
        if (w->weight[at] >= weight) {
            return NULL;
        }
    } else {
        f->token_count++;
    }
    w->weight[at] = (uint8_t)weight;
    f->tokens[at] = (struct token_use){.carrier = carrier, .name = name, .lifetime_s = -1};
    return &f->tokens[at];
}

static unsigned value_flags(const struct value *value)
{
    return (value->is_random ? TOKEN_RANDOM_LOOKING : 0u) | (value->is_jwt ? TOKEN_JWT : 0u);
}

void work_token_sent(struct work *w, enum token_carrier carrier, struct hr_span name,
                     struct hr_span value)
{
    struct token_use *t = work_token(w, carrier, name, 4);
    if (t == NULL || (t->flags & TOKEN_SENT) || value.len == 0) {
        return;
    }
    const struct value *known = work_value(w, value);
    t->flags |= TOKEN_SENT | value_flags(known);
    t->sent = known->digest;
    if (carrier != TOKEN_USER_QUERY) {
        work_remember_token(w, known);
    }
}

void work_token_forget(struct work *w, enum token_carrier carrier, struct hr_span name)
{
    name = shown_name(w, name);
    for (size_t i = 0; i < w->f->token_count; i++) {
        struct token_use *t = &w->f->tokens[i];
        if (t->carrier == carrier && hr_span_equal(t->name, name)) {
            t->flags &= ~(unsigned)TOKEN_SENT;
        }
    }
}

/* Of two values only the last is the cookie's; whose the other is, is worth knowing. */
static void note_also_set(struct work *w, const struct token_use *t)
{
    char text[HR_DIGEST_TEXT_SIZE];
    if (t->carrier == TOKEN_COOKIE && w->also_set_count < ALSO_SET_LIMIT) {
        w->also_set_count++;
        work_mark(w, MARK_ALSO_SET, 0,
                  hr_arena_copy(w->arena, hr_span_str(hr_digest_format(&t->set, text))));
    }
}

void work_token_set(struct work *w, enum token_carrier carrier, struct hr_span name,
                    struct hr_span value, int64_t lifetime_s)
{
    struct token_use *t = value.len == 0 ? NULL : work_token(w, carrier, name, 4);
    if (t == NULL) {
        return;
    }
    const struct value *known = work_value(w, value);
    if ((t->flags & TOKEN_SET) && !hr_digest_equal(&known->digest, &t->set)) {
        t->flags |= TOKEN_SET_TWICE;
        note_also_set(w, t);
    }
    t->flags &= ~(unsigned)TOKEN_DELETED;
    t->flags |= TOKEN_SET | value_flags(known);
    t->set = known->digest;
    t->lifetime_s = lifetime_s;
    work_remember_token(w, known);
}

/* A set of cookies that counts as one: its value is all of theirs. Where the answer sets only some,
 * the others stay as the request had them. */
void work_token_join(struct work *w, const char *names)
{
    struct token_use joined = {
        .carrier = TOKEN_COOKIE, .name = hr_span_str(names), .lifetime_s = -1};
    struct hr_buf sent;
    struct hr_buf set;
    bool all_sent = true;
    bool all_set = true;
    bool any_set = false;
    hr_buf_init(&sent, JOINED_BYTES);
    hr_buf_init(&set, JOINED_BYTES);
    struct hr_span rest = hr_span_str(names);
    while (rest.ptr != NULL) {
        struct hr_span name = hr_span_cut(&rest, '+');
        struct token_use *t = NULL;
        for (size_t i = 0; i < w->f->token_count; i++) {
            if (w->f->tokens[i].carrier == TOKEN_COOKIE &&
                hr_span_equal(w->f->tokens[i].name, name)) {
                t = &w->f->tokens[i];
            }
        }
        unsigned flags = t == NULL ? 0 : t->flags;
        all_sent = all_sent && (flags & TOKEN_SENT);
        all_set = all_set && (flags & (TOKEN_SET | TOKEN_SENT));
        any_set = any_set || (flags & TOKEN_SET);
        unsigned scope = joined.flags & TOKEN_SCOPE_MASK;
        joined.flags |= flags & ~(TOKEN_SENT | TOKEN_SET | TOKEN_SCOPE_MASK);
        joined.flags |= scope == 0 ? flags & TOKEN_SCOPE_MASK : 0u;
        if (flags & TOKEN_SENT) {
            hr_buf_append(&sent, hr_span_of(t->sent.bytes, HR_DIGEST_BYTES));
        }
        if (flags & (TOKEN_SET | TOKEN_SENT)) {
            hr_buf_append(&set, hr_span_of((flags & TOKEN_SET) ? t->set.bytes : t->sent.bytes,
                                           HR_DIGEST_BYTES));
        }
        if ((flags & TOKEN_SET) && t->lifetime_s >= 0 &&
            (joined.lifetime_s < 0 || t->lifetime_s < joined.lifetime_s)) {
            joined.lifetime_s = t->lifetime_s;
        }
    }
    if (all_sent) {
        joined.flags |= TOKEN_SENT;
        joined.sent = work_digest(w, hr_buf_span(&sent));
    }
    if (all_set && any_set && !(joined.flags & TOKEN_DELETED)) {
        joined.flags |= TOKEN_SET;
        joined.set = work_digest(w, hr_buf_span(&set));
    }
    hr_buf_finish(&sent);
    hr_buf_finish(&set);
    struct token_use *t = work_token(w, TOKEN_COOKIE, joined.name, 8);
    if (t != NULL && joined.flags != 0) {
        *t = joined;
    }
}
