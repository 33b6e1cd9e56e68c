#include "report/story.h"

#include "base/alloc.h"

#include <string.h>

struct adding {
    struct report_story *story;
    const char *role;
    bool is_finding;
};

hr_nsec story_begin_of(const struct exchange_view *x)
{
    return x->request_at != HR_NSEC_INFINITE ? x->request_at : x->response_at;
}

hr_nsec story_end_of(const struct exchange_view *x)
{
    const hr_nsec times[] = {x->response_end_at, x->response_at, x->request_end_at, x->request_at};
    for (size_t i = 0; i < HR_ARRAY_LEN(times); i++) {
        if (times[i] != HR_NSEC_INFINITE) {
            return times[i];
        }
    }
    return HR_NSEC_INFINITE;
}

static void copy_texts(struct hr_arena *a, struct exchange_view *x)
{
    const char **texts[] = {
        &x->capture, &x->client,  &x->server,   &x->site,    &x->host,
        &x->method,  &x->target,  &x->endpoint, &x->version, &x->response_capture,
        &x->role,    &x->outcome, &x->session,  &x->user,    &x->state,
        &x->pairing};
    for (size_t i = 0; i < HR_ARRAY_LEN(texts); i++) {
        *texts[i] = hr_arena_text(a, *texts[i]);
    }
}

static int add_exchange(const struct exchange_view *x, void *user)
{
    const struct adding *a = user;
    struct report_story *st = a->story;
    size_t k = st->count;
    if (st->count == STORY_ITEMS_MAX) {
        st->left_out++;
        return 0;
    }
    for (; k > 0 && story_begin_of(&st->items[k - 1].x) > story_begin_of(x); k--) {
        st->items[k] = st->items[k - 1];
    }
    st->items[k] = (struct story_item){.x = *x, .is_finding = a->is_finding};
    copy_texts(&st->arena, &st->items[k].x);
    st->items[k].role = hr_arena_text(&st->arena, a->role);
    st->count++;
    return 0;
}

/* An exchange may stand in the evidence more than once: its first role counts. */
static int add(struct report_story *st, struct store *s, int64_t id, const char *role,
               bool is_finding)
{
    struct adding a = {st, role, is_finding};
    if (id == 0) {
        return 0;
    }
    for (size_t i = 0; i < st->count; i++) {
        if (st->items[i].x.id == id) {
            st->items[i].is_finding = st->items[i].is_finding || is_finding;
            return 0;
        }
    }
    return read_exchange(s, id, add_exchange, &a);
}

int story_load(struct report_story *st, struct store *s, const struct finding_view *f)
{
    *st = (struct report_story){.count = 0};
    hr_arena_init(&st->arena);
    int r = read_finding_span(s, f->id, &st->span);
    /* What the finding is about comes first: a limit must not cut it. */
    const char *own_role = NULL;
    for (size_t i = 0; i < f->evidence_count && own_role == NULL; i++) {
        own_role = f->evidence[i].exchange_id == f->exchange ? f->evidence[i].role : NULL;
    }
    r = r == 0 ? add(st, s, f->exchange, own_role, true) : r;
    r = r == 0 ? add(st, s, st->span.login_exchange, "login", false) : r;
    r = r == 0 ? add(st, s, st->span.logout_exchange, "logout", false) : r;
    for (size_t i = 0; i < f->evidence_count && r == 0; i++) {
        const struct evidence_view *e = &f->evidence[i];
        r = add(st, s, e->exchange_id, e->role, e->exchange_id == f->exchange);
    }
    return r;
}

void story_finish(struct report_story *st)
{
    hr_arena_finish(&st->arena);
}
