/*
 * The same traffic stored twice: a capture imported again, or two captures that overlap in time. An
 * exchange is known by its connection's addresses and ports and the time of its first byte; equal
 * ones are told apart by their order. A response that stands alone in one capture is the same as
 * the response of a whole exchange in another. Of two the more complete one stays, else the older.
 */
#include "base/alloc.h"
#include "store/import.h"

#include <stdlib.h>
#include <string.h>

struct candidate {
    int64_t id;
    bool is_new;
    bool is_alone; /* a response without a request */
    bool is_complete;
    bool has_response;
    int64_t bytes;
};

/* Rows of one natural key. */
struct group {
    struct candidate *rows;
    size_t count;
    size_t capacity;
    struct hr_buf key;
    bool by_response; /* the key is the time of a response, not of a request */
};

struct doubles {
    struct import *import;
    struct group group;
    bool dropped_new;
    bool dropped_old;
};

/** @return whether a tells more than b */
static bool is_better(const struct candidate *a, const struct candidate *b)
{
    if (a->is_alone != b->is_alone) {
        return b->is_alone;
    }
    if (a->is_complete != b->is_complete) {
        return a->is_complete;
    }
    if (a->has_response != b->has_response) {
        return a->has_response;
    }
    return a->bytes > b->bytes;
}

static int drop(struct doubles *d, const struct candidate *c)
{
    d->dropped_new = d->dropped_new || c->is_new;
    d->dropped_old = d->dropped_old || !c->is_new;
    return forget_add(d->import->s, c->id);
}

/* Two whole exchanges are judged by the time of their requests, not by that of their responses. */
static int judge_pair(struct doubles *d, const struct candidate *old, const struct candidate *new)
{
    if (d->group.by_response && !old->is_alone && !new->is_alone) {
        return 0;
    }
    return drop(d, is_better(new, old) ? old : new);
}

/* The n-th new row is the same as the n-th old one. */
static int judge_group(struct doubles *d)
{
    struct group *g = &d->group;
    size_t old = 0;
    int r = 0;
    for (size_t k = 0; r == 0 && k < g->count; k++) {
        if (!g->rows[k].is_new) {
            continue;
        }
        while (old < g->count && g->rows[old].is_new) {
            old++;
        }
        if (old == g->count) {
            break;
        }
        r = judge_pair(d, &g->rows[old++], &g->rows[k]);
    }
    g->count = 0;
    return r;
}

static void read_key(sqlite3_stmt *q, struct hr_buf *ret_key)
{
    hr_buf_clear(ret_key);
    for (int k = 0; k < 6; k++) {
        hr_buf_append(ret_key, column_span(q, k));
        hr_buf_append_char(ret_key, '\0');
    }
}

static void add_candidate(struct group *g, sqlite3_stmt *q)
{
    if (g->count == g->capacity) {
        g->capacity = g->capacity > 0 ? 2 * g->capacity : 16;
        g->rows = hr_xrealloc(g->rows, g->capacity * sizeof(*g->rows));
    }
    g->by_response = sqlite3_column_int(q, 5) != 0;
    g->rows[g->count++] = (struct candidate){
        .is_new = sqlite3_column_int(q, 6) != 0,
        .id = sqlite3_column_int64(q, 7),
        .is_alone = sqlite3_column_int(q, 8) != 0,
        .is_complete = sqlite3_column_int(q, 9) == HTTP_COMPLETE,
        .has_response = sqlite3_column_int(q, 10) != 0,
        .bytes = sqlite3_column_int64(q, 11),
    };
}

static int find_doubles(struct doubles *d)
{
    struct import *i = d->import;
    struct hr_buf key;
    sqlite3_stmt *q = store_stmt(i->s, STMT_DOUBLE_CANDIDATES);
    hr_buf_init(&key, SIZE_MAX);
    hr_buf_init(&d->group.key, SIZE_MAX);
    bind_number(q, 1, i->base.exchange);
    bind_number(q, 2, i->first_at);
    bind_number(q, 3, i->last_at);
    int r;
    while ((r = store_step(i->s, q)) > 0) {
        read_key(q, &key);
        if (!hr_span_equal(hr_buf_span(&key), hr_buf_span(&d->group.key))) {
            int e = judge_group(d);
            if (e < 0) {
                r = store_end_rows(q, e);
                break;
            }
            hr_buf_clear(&d->group.key);
            hr_buf_append(&d->group.key, hr_buf_span(&key));
        }
        add_candidate(&d->group, q);
    }
    r = r == 0 ? judge_group(d) : r;
    free(d->group.rows);
    hr_buf_finish(&d->group.key);
    hr_buf_finish(&key);
    return r;
}

/* What one capture lost the other may have whole: then the loss stays on record but hides nothing.
 */
static int drop_double_losses(struct import *i)
{
    sqlite3_stmt *q = store_stmt(i->s, STMT_LOSS_EXPLAIN);
    int r = store_run(i->s, q);
    i->has_fewer_losses = i->has_fewer_losses || sqlite3_changes64(i->s->db) > 0;
    q = store_stmt(i->s, STMT_LOSS_DROP_DOUBLES);
    bind_number(q, 1, i->base.loss);
    return r == 0 ? store_run(i->s, q) : r;
}

int import_drop_doubles(struct import *i)
{
    struct doubles d = {.import = i};
    int64_t overlaps = 0;
    if (i->first_at == HR_NSEC_INFINITE) {
        return 0;
    }
    sqlite3_stmt *q = store_stmt(i->s, STMT_CAPTURE_OVERLAPS);
    bind_number(q, 1, i->number);
    bind_number(q, 2, i->first_at);
    bind_number(q, 3, i->last_at);
    int r = store_number(i->s, q, 0, &overlaps);
    if (r < 0 || overlaps == 0) {
        return r;
    }
    r = forget_begin(i->s);
    r = r == 0 ? find_doubles(&d) : r;
    r = r == 0 ? drop_double_losses(i) : r;
    if (r == 0 && (d.dropped_new || d.dropped_old)) {
        r = forget_exchanges(i->s, i->base.exchange);
    }
    return r == 0 ? forget_orphans(i->s, INT64_MIN) : r;
}

/* A connection is cut between two captures: the later part begins with the very next byte of both
 * sides. So nothing hides before it, and its first answer needed no guess. */
int import_join_streams(struct import *i)
{
    static const enum stmt_id steps[] = {
        STMT_JOIN_MARK_SITES,
        STMT_JOIN_EXCHANGES,
        STMT_JOIN_LOSS,
        STMT_JOIN_STREAMS,
    };
    int64_t joins = 0;
    int r = store_exec(i->s, "CREATE TEMP TABLE IF NOT EXISTS joined (id INTEGER PRIMARY KEY)");
    r = r == 0 ? store_exec(i->s, "DELETE FROM temp.joined") : r;
    sqlite3_stmt *q = store_stmt(i->s, STMT_JOIN_FIND);
    bind_number(q, 1, i->base.stream);
    r = r == 0 ? store_run(i->s, q) : r;
    if (r == 0) {
        joins = sqlite3_changes64(i->s->db);
    }
    for (size_t k = 0; r == 0 && joins > 0 && k < HR_ARRAY_LEN(steps); k++) {
        r = store_run(i->s, store_stmt(i->s, steps[k]));
    }
    i->has_fewer_losses = i->has_fewer_losses || joins > 0;
    return r == 0 && joins > 0 ? store_change_epoch(i->s) : r;
}
