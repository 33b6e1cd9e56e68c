#include "evidence/image.h"

#include "base/alloc.h"
#include "evidence/message.h"

#include <stdlib.h>

/* One segment's payload in a direction. */
struct part {
    uint64_t at;
    size_t len;
    size_t order;
    const char *bytes; /* borrowed until it is laid out */
};

/* Bytes without a hole. */
struct run {
    uint64_t at;
    size_t len;
    char *old;
    char *new;
};

struct image {
    struct part *parts;
    size_t part_count;
    struct run *runs; /* in order */
    size_t run_count;
};

struct images {
    const struct evidence *evidence;
    struct hr_arena arena;
    struct image *all; /* two for each connection, by direction */
};

struct images *images_create(const struct evidence *e)
{
    struct images *m = hr_xcalloc(1, sizeof(*m));
    m->evidence = e;
    hr_arena_init(&m->arena);
    m->all = hr_xcalloc(2 * e->conn_count + 1, sizeof(*m->all));
    return m;
}

void images_destroy(struct images *m)
{
    if (m == NULL) {
        return;
    }
    for (size_t i = 0; i < 2 * m->evidence->conn_count; i++) {
        struct image *x = &m->all[i];
        for (size_t k = 0; k < x->run_count; k++) {
            hr_wipe(x->runs[k].old, x->runs[k].len);
        }
        free(x->parts);
        free(x->runs);
    }
    hr_arena_finish(&m->arena);
    free(m->all);
    free(m);
}

void images_add(struct images *m, const struct evidence_segment *s, struct hr_span payload)
{
    struct image *x = &m->all[2 * s->conn + s->direction];
    if (payload.len == 0 || s->offset == UINT64_MAX) {
        return;
    }
    x->parts = hr_xrealloc(x->parts, (x->part_count + 1) * sizeof(*x->parts));
    struct hr_span copy = hr_arena_copy(&m->arena, payload);
    x->parts[x->part_count] = (struct part){s->offset, payload.len, x->part_count, copy.ptr};
    x->part_count++;
}

static int compare_parts(const void *a, const void *b)
{
    const struct part *x = a;
    const struct part *y = b;
    int r = (x->at > y->at) - (x->at < y->at);
    return r != 0 ? r : (x->order > y->order) - (x->order < y->order);
}

static int compare_order(const void *a, const void *b)
{
    const struct part *x = a;
    const struct part *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

static void add_run(struct images *m, struct image *x, uint64_t from, uint64_t to)
{
    x->runs = hr_xrealloc(x->runs, (x->run_count + 1) * sizeof(*x->runs));
    size_t len = (size_t)(to - from);
    x->runs[x->run_count++] = (struct run){
        .at = from,
        .len = len,
        .old = hr_arena_alloc(&m->arena, len),
        .new = hr_arena_alloc(&m->arena, len),
    };
}

static struct run *find_run(const struct image *x, uint64_t at)
{
    size_t low = 0;
    size_t high = x->run_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (x->runs[middle].at + x->runs[middle].len <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < x->run_count && x->runs[low].at <= at ? &x->runs[low] : NULL;
}

/* The first copy is laid last. */
static void lay_out(struct images *m, struct image *x)
{
    uint64_t from = 0;
    uint64_t to = 0;
    qsort(x->parts, x->part_count, sizeof(*x->parts), compare_parts);
    for (size_t i = 0; i < x->part_count; i++) {
        const struct part *p = &x->parts[i];
        if (i > 0 && p->at > to) {
            add_run(m, x, from, to);
        }
        from = i == 0 || p->at > to ? p->at : from;
        to = i == 0 || p->at + p->len > to ? p->at + p->len : to;
    }
    add_run(m, x, from, to);
    qsort(x->parts, x->part_count, sizeof(*x->parts), compare_order);
    for (size_t i = x->part_count; i-- > 0;) {
        struct run *r = find_run(x, x->parts[i].at);
        memcpy(r->old + (x->parts[i].at - r->at), x->parts[i].bytes, x->parts[i].len);
    }
}

static size_t rewrite_one(const struct images *m, size_t number, struct disguise *w)
{
    struct image *x = &m->all[number];
    const struct evidence_conn *c = &m->evidence->conns[number / 2];
    size_t blanked = 0;
    for (size_t i = 0; i < x->run_count; i++) {
        memset(x->runs[i].new, MESSAGE_BLANK, x->runs[i].len);
    }
    for (size_t i = 0; i < c->message_count; i++) {
        const struct evidence_message *e = &c->messages[i];
        struct run *r = e->direction == number % 2 ? find_run(x, e->from) : NULL;
        if (r == NULL || e->to <= e->from) {
            continue; /* nothing of it is here, or not its beginning */
        }
        size_t at = (size_t)(e->from - r->at);
        size_t len = r->at + r->len < e->to ? r->len - at : (size_t)(e->to - e->from);
        memcpy(r->new + at, r->old + at, len);
        blanked += message_replace(w, r->new + at, len, e->is_response);
    }
    return blanked;
}

size_t images_rewrite(struct images *m, struct disguise *w)
{
    size_t count = 2 * m->evidence->conn_count;
    size_t blanked = 0;
    for (size_t i = 0; i < count; i++) {
        if (m->all[i].part_count > 0) {
            lay_out(m, &m->all[i]);
        }
    }
    /* The first time to learn which words are secret: they may stand before the place that says so.
     */
    for (unsigned turn = 0; turn < 2; turn++) {
        blanked = 0;
        for (size_t i = 0; i < count; i++) {
            blanked += rewrite_one(m, i, w);
        }
    }
    return blanked;
}

void images_get(const struct images *m, const struct evidence_segment *s, struct hr_span payload,
                uint8_t *out)
{
    const struct image *x = &m->all[2 * s->conn + s->direction];
    const struct run *r = s->offset != UINT64_MAX ? find_run(x, s->offset) : NULL;
    for (size_t i = 0; i < payload.len; i++) {
        size_t at = r != NULL ? (size_t)(s->offset - r->at) + i : 0;
        bool is_same = r != NULL && r->old[at] == payload.ptr[i];
        out[i] =
            is_same ? (uint8_t)r->new[at] : MESSAGE_BLANK; /* a copy that differs is nobody's */
    }
}
