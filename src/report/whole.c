#include "report/whole.h"

#include "base/map.h"
#include "report/model.h"

#include <stdlib.h>
#include <string.h>

#define SPILL_BYTES ((size_t)256 * 1024)

struct report_whole {
    struct store *store;
    struct hr_arena arena; /* of the finding below */
    struct finding_view finding;
    int error;
};

struct report_text {
    const char *text;
    UT_hash_handle hh;
};

struct report_whole *report_whole_create(struct store *s)
{
    struct report_whole *w = hr_xcalloc(1, sizeof(*w));
    w->store = s;
    hr_arena_init(&w->arena);
    return w;
}

void report_whole_destroy(struct report_whole *w)
{
    if (w != NULL) {
        hr_arena_finish(&w->arena);
        free(w);
    }
}

const struct finding_view *report_whole(const struct report *r, const struct finding_view *f)
{
    struct report_whole *w = r->whole;
    if (w == NULL) {
        return f;
    }
    hr_arena_reset(&w->arena);
    w->finding = *f;
    int err = read_finding_evidence(w->store, &w->arena, &w->finding);
    w->error = w->error == 0 ? err : w->error;
    return &w->finding;
}

int report_error(const struct report *r)
{
    return r->whole != NULL ? r->whole->error : 0;
}

void report_spill(const struct report *r, struct hr_buf *out)
{
    if (r->spill != NULL && out->len >= SPILL_BYTES) {
        r->spill(out, r->spill_user);
    }
}

static const char *keep_once(struct report_texts *t, const char *text)
{
    struct report_text *kept;
    if (text == NULL) {
        return NULL;
    }
    const size_t len = strlen(text);
    HASH_FIND(hh, t->all, text, len, kept);
    if (kept == NULL) {
        kept = hr_arena_alloc(t->arena, sizeof(*kept));
        kept->text = hr_arena_text(t->arena, text);
        HASH_ADD_KEYPTR(hh, t->all, kept->text, len, kept);
    }
    return kept->text;
}

void report_texts_copy(struct report_texts *t, const struct finding_view *from,
                       struct finding_view *ret_copy)
{
    struct finding_view f = *from;
    const char **shared[] = {&f.rule,
                             &f.severity,
                             &f.verdict,
                             &f.site,
                             &f.user,
                             &f.client,
                             &f.method,
                             &f.capture,
                             &f.caveats,
                             &f.explanation,
                             &f.group,
                             &f.baseline,
                             &f.suppression_reason,
                             &f.suppression_owner,
                             &f.endpoint};
    const char **own[] = {&f.session, &f.target, &f.summary, &f.fingerprint};
    for (size_t i = 0; i < HR_ARRAY_LEN(shared); i++) {
        *shared[i] = keep_once(t, *shared[i]);
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(own); i++) {
        *own[i] = hr_arena_text(t->arena, *own[i]);
    }
    f.evidence = NULL;
    f.evidence_count = 0;
    *ret_copy = f;
}

void report_texts_finish(struct report_texts *t)
{
    HASH_CLEAR(hh, t->all);
}
