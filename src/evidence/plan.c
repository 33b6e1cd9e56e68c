#include "evidence/plan.h"

#include "base/map.h"
#include "evidence/bounds.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* What has a number was seen, and where it is. */
struct place {
    int64_t id;
    size_t at;
    UT_hash_handle hh;
};

/* While findings are read, one after the other. */
struct reading {
    struct plan *plan;
    struct place *exchanges; /* in the plan */
    struct place *findings;
    struct bounds_cache bounds;
    int64_t finding;
    const char *rule;
    bool found;
};

/* @return whether that number is new; *ret_at: its place, `at` then */
static bool take_place(struct place **places, int64_t id, size_t at, size_t *ret_at)
{
    struct place *p;
    HASH_FIND(hh, *places, &id, sizeof(id), p);
    const bool is_new = p == NULL;
    if (is_new) {
        p = hr_xcalloc(1, sizeof(*p));
        p->id = id;
        p->at = at;
        HASH_ADD(hh, *places, id, sizeof(p->id), p);
    }
    *ret_at = p->at;
    return is_new;
}

static void free_places(struct place *places)
{
    struct place *p;
    struct place *next;
    HASH_ITER(hh, places, p, next)
    {
        HASH_DEL(places, p);
        free(p);
    }
}

static struct plan_exchange *find_exchange(struct reading *r, int64_t id)
{
    struct plan *p = r->plan;
    size_t at;
    if (take_place(&r->exchanges, id, p->exchange_count, &at)) {
        p->exchanges = hr_xgrow(p->exchanges, p->exchange_count, sizeof(*p->exchanges));
        p->exchanges[p->exchange_count++] = (struct plan_exchange){.x.id = id};
    }
    return &p->exchanges[at];
}

/* The first note that one finding gives an exchange stays; each finding is read once, and whole. */
static void add_note(struct reading *r, int64_t exchange_id, const char *role, const char *text,
                     bool is_subject)
{
    if (exchange_id == 0) {
        return;
    }
    struct plan_exchange *x = find_exchange(r, exchange_id);
    if (x->last_note != NULL && x->last_note->finding == r->finding) {
        return;
    }
    struct plan_note *note = hr_arena_alloc(&r->plan->arena, sizeof(*note));
    *note = (struct plan_note){
        .finding = r->finding,
        .rule = r->rule,
        .role = hr_arena_text(&r->plan->arena, role),
        .text = hr_arena_text(&r->plan->arena, text),
        .is_subject = is_subject,
    };
    if (x->last_note != NULL) {
        x->last_note->next = note;
    } else {
        x->notes = note;
    }
    x->last_note = note;
}

static int take_finding(const struct finding_view *f, void *user)
{
    struct reading *r = user;
    r->found = true;
    r->rule = hr_arena_text(&r->plan->arena, f->rule);
    for (size_t i = 0; i < f->evidence_count; i++) {
        const struct evidence_view *e = &f->evidence[i];
        add_note(r, e->exchange_id, e->role, e->text, e->exchange_id == f->exchange);
    }
    add_note(r, f->exchange, "access", NULL, true);
    return 0;
}

static void take_bound(int64_t exchange_id, bool is_login, void *user)
{
    add_note(user, exchange_id, is_login ? "login" : "logout", NULL, false);
}

static int read_one(struct reading *reading, struct store *s, int64_t id, struct hr_buf *ret_error)
{
    size_t unused;
    if (!take_place(&reading->findings, id, 0, &unused)) {
        return 0;
    }
    reading->finding = id;
    reading->found = false;
    int r = read_finding(s, id, take_finding, reading);
    if (r == -ENOENT || (r == 0 && !reading->found)) {
        hr_buf_appendf(ret_error,
                       "there is no finding %" PRId64 " in %s; headrace list findings tells", id,
                       store_path(s));
        return -ENOENT;
    }
    return r == 0 ? bounds_read(&reading->bounds, s, id, take_bound, reading) : r;
}

static int read_all(struct plan *p, struct store *s, const int64_t *findings, size_t finding_count,
                    struct hr_buf *ret_error)
{
    struct reading reading = {.plan = p};
    int r = 0;
    for (size_t i = 0; r == 0 && i < finding_count; i++) {
        r = read_one(&reading, s, findings[i], ret_error);
    }
    free_places(reading.exchanges);
    free_places(reading.findings);
    bounds_cache_finish(&reading.bounds);
    return r;
}

struct exchange_reading {
    struct plan *plan;
    struct plan_exchange *to;
};

static struct cut_exchange copy_of(struct plan *p, const struct cut_exchange *x)
{
    struct cut_exchange copy = *x;
    copy.method = hr_arena_text(&p->arena, x->method);
    copy.target = hr_arena_text(&p->arena, x->target);
    copy.client = hr_arena_text(&p->arena, x->client);
    copy.server = hr_arena_text(&p->arena, x->server);
    return copy;
}

static int take_exchange(const struct cut_exchange *x, void *user)
{
    struct exchange_reading *r = user;
    r->to->x = copy_of(r->plan, x);
    return 0;
}

static int take_opening(const struct cut_exchange *x, void *user)
{
    struct plan *p = user;
    p->openings = hr_xgrow(p->openings, p->opening_count, sizeof(*p->openings));
    p->openings[p->opening_count++] = copy_of(p, x);
    return 0;
}

static int compare_exchanges(const void *a, const void *b)
{
    const struct plan_exchange *x = a;
    const struct plan_exchange *y = b;
    return (x->x.id > y->x.id) - (x->x.id < y->x.id);
}

static int compare_imports(const void *a, const void *b)
{
    const struct plan_import *x = a;
    const struct plan_import *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static void add_import(struct plan *p, int64_t number, hr_nsec from)
{
    for (size_t i = 0; i < p->import_count; i++) {
        if (p->imports[i].number == number) {
            p->imports[i].from = from < p->imports[i].from ? from : p->imports[i].from;
            return;
        }
    }
    p->imports = hr_xrealloc(p->imports, (p->import_count + 1) * sizeof(*p->imports));
    p->imports[p->import_count++] = (struct plan_import){.number = number, .from = from};
}

struct source_reading {
    struct plan *plan;
    struct plan_import *import;
};

/* Frames of a connection may lie in every capture that was read with it and that its time is in. */
static bool is_needed(const struct plan *p, int64_t import, const struct cut_capture *c)
{
    for (size_t i = 0; i < p->exchange_count; i++) {
        const struct cut_exchange *x = &p->exchanges[i].x;
        bool is_own = c->id == x->capture_id || c->id == x->request_capture_id ||
                      c->id == x->response_capture_id;
        bool is_then = x->import == import && c->has_head && c->first_at <= x->stream_last_at &&
                       c->last_at >= x->stream_first_at;
        if (is_own || is_then) {
            return true;
        }
    }
    return false;
}

/* The handshake is where the connection begins. */
static bool is_opening(const struct plan *p, int64_t import, const struct cut_capture *c)
{
    bool is_there = false;
    for (size_t i = 0; i < p->opening_count && !is_there; i++) {
        const struct cut_exchange *x = &p->openings[i];
        bool is_then = x->import == import && c->has_head && c->first_at <= x->stream_first_at &&
                       c->last_at >= x->stream_first_at;
        is_there = c->id == x->capture_id || is_then;
    }
    return is_there;
}

static int take_source(const struct cut_capture *c, void *user)
{
    struct source_reading *r = user;
    struct plan_import *i = r->import;
    i->sources = hr_xrealloc(i->sources, (i->source_count + 1) * sizeof(*i->sources));
    struct plan_source *source = &i->sources[i->source_count++];
    *source = (struct plan_source){.capture = *c, .is_needed = is_needed(r->plan, i->number, c)};
    source->is_optional = !source->is_needed && is_opening(r->plan, i->number, c);
    source->is_needed = source->is_needed || source->is_optional;
    source->capture.path = hr_arena_text(&r->plan->arena, c->path);
    return 0;
}

/* Connections that go on from a capture of another import. */
static int read_openings(struct plan *p, struct store *s)
{
    int64_t *ids = hr_xcalloc(p->exchange_count + 1, sizeof(*ids));
    for (size_t i = 0; i < p->exchange_count; i++) {
        ids[i] = p->exchanges[i].x.stream_id;
    }
    int r = read_cut_openings(s, ids, p->exchange_count, take_opening, p);
    for (size_t i = 0; r == 0 && i < p->opening_count; i++) {
        add_import(p, p->openings[i].import, p->openings[i].stream_first_at);
    }
    free(ids);
    return r;
}

int plan_make(struct plan *p, struct store *s, const int64_t *findings, size_t finding_count,
              struct hr_buf *ret_error)
{
    *p = (struct plan){0};
    hr_arena_init(&p->arena);
    int r = read_all(p, s, findings, finding_count, ret_error);
    if (p->exchange_count > 0) {
        qsort(p->exchanges, p->exchange_count, sizeof(*p->exchanges), compare_exchanges);
    }
    for (size_t i = 0; r == 0 && i < p->exchange_count; i++) {
        struct exchange_reading reading = {p, &p->exchanges[i]};
        r = read_cut_exchange(s, p->exchanges[i].x.id, take_exchange, &reading);
        if (r == 0) {
            add_import(p, p->exchanges[i].x.import, p->exchanges[i].x.stream_first_at);
        }
    }
    r = r == 0 ? read_openings(p, s) : r;
    if (p->import_count > 0) {
        qsort(p->imports, p->import_count, sizeof(*p->imports), compare_imports);
    }
    for (size_t i = 0; r == 0 && i < p->import_count; i++) {
        struct source_reading reading = {p, &p->imports[i]};
        r = read_cut_captures(s, p->imports[i].number, take_source, &reading);
    }
    if (r < 0 && ret_error->len == 0) {
        hr_buf_append_str(ret_error, store_error(s));
    }
    return r;
}

void plan_finish(struct plan *p)
{
    for (size_t i = 0; i < p->import_count; i++) {
        for (size_t k = 0; k < p->imports[i].source_count; k++) {
            free(p->imports[i].sources[k].path);
        }
        free(p->imports[i].sources);
        if (p->imports[i].ring != NULL) {
            ring_list_finish(&p->imports[i].ring->list);
            free(p->imports[i].ring);
        }
    }
    free(p->imports);
    free(p->exchanges);
    free(p->openings);
    hr_arena_finish(&p->arena);
    *p = (struct plan){0};
}
