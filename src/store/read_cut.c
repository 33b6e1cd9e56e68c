#include "store/read_cut.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/order.h"
#include "store/read_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int read_cut_exchange(struct store *s, int64_t exchange_id,
                      int (*row)(const struct cut_exchange *x, void *user), void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_CUT_EXCHANGE);
    bind_number(q, 1, exchange_id);
    int r = store_step(s, q);
    if (r <= 0) {
        return r < 0 ? r : -ENOENT;
    }
    const struct cut_exchange x = {
        .id = exchange_id,
        .ordinal = (unsigned)sqlite3_column_int64(q, 0),
        .import = sqlite3_column_int64(q, 1),
        .stream_id = sqlite3_column_int64(q, 2),
        .capture_id = sqlite3_column_int64(q, 3),
        .stream = sqlite3_column_int64(q, 4),
        .stream_first_at = column_time(q, 5),
        .stream_last_at = column_time(q, 6),
        .request_capture_id = sqlite3_column_int64(q, 7),
        .request_frame = sqlite3_column_int64(q, 8),
        .response_capture_id = sqlite3_column_int64(q, 9),
        .response_frame = sqlite3_column_int64(q, 10),
        .method = column_text(q, 11),
        .target = column_text(q, 12),
        .status = sqlite3_column_int(q, 13),
        .client = column_text(q, 14),
        .client_port = sqlite3_column_int(q, 15),
        .server = column_text(q, 16),
        .server_port = sqlite3_column_int(q, 17),
    };
    return store_end_rows(q, row(&x, user));
}

enum { OPENING_ROUNDS = 64 }; /* captures that one connection goes through */

/* Streams that others go on with, round by round. */
struct befores {
    int64_t *ids;    /* of those before */
    int64_t *afters; /* of those behind, at the same places */
    size_t count;
    size_t round_from; /* the first of the last round */
};

static void append_ids(struct hr_buf *json, const int64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hr_buf_appendf(json, "%c%lld", i == 0 ? '[' : ',', (long long)ids[i]);
    }
    hr_buf_append_str(json, count > 0 ? "]" : "[]");
}

/* No index leads to the streams: one look through all of them for each round. */
static int look_before(struct store *s, const int64_t *ids, size_t count, struct befores *b)
{
    struct hr_buf json;
    hr_buf_init(&json, SIZE_MAX);
    append_ids(&json, ids, count);
    sqlite3_stmt *q = store_stmt(s, STMT_CUT_BEFORE);
    bind_span(q, 1, hr_buf_span(&json));
    b->round_from = b->count;
    int r;
    while ((r = store_step(s, q)) > 0) {
        b->ids = hr_xgrow(b->ids, b->count, sizeof(*b->ids));
        b->afters = hr_xgrow(b->afters, b->count, sizeof(*b->afters));
        b->ids[b->count] = sqlite3_column_int64(q, 0);
        b->afters[b->count++] = sqlite3_column_int64(q, 1);
    }
    hr_buf_finish(&json);
    return r;
}

static int emit_opening(struct store *s, int64_t stream_id,
                        int (*row)(const struct cut_exchange *x, void *user), void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_CUT_OPENING);
    bind_number(q, 1, stream_id);
    int r = store_step(s, q);
    if (r <= 0) {
        return r;
    }
    const struct cut_exchange x = {
        .import = sqlite3_column_int64(q, 0),
        .stream_id = stream_id,
        .capture_id = sqlite3_column_int64(q, 1),
        .stream = sqlite3_column_int64(q, 2),
        .stream_first_at = column_time(q, 3),
        .stream_last_at = column_time(q, 4),
        .client = column_text(q, 5),
        .client_port = sqlite3_column_int(q, 6),
        .server = column_text(q, 7),
        .server_port = sqlite3_column_int(q, 8),
    };
    return store_end_rows(q, row(&x, user));
}

/* Those before which there is none. */
static int emit_first(struct store *s, struct befores *b,
                      int (*row)(const struct cut_exchange *x, void *user), void *user)
{
    int r = 0;
    if (b->count > 0) {
        qsort(b->ids, b->count, sizeof(*b->ids), hr_compare_int64);
        qsort(b->afters, b->count, sizeof(*b->afters), hr_compare_int64);
    }
    for (size_t i = 0; r == 0 && i < b->count; i++) {
        const bool is_new = i == 0 || b->ids[i] != b->ids[i - 1];
        if (is_new && bsearch(&b->ids[i], b->afters, b->count, sizeof(*b->afters),
                              hr_compare_int64) == NULL) {
            r = emit_opening(s, b->ids[i], row, user);
        }
    }
    return r;
}

int read_cut_openings(struct store *s, const int64_t *stream_ids, size_t count,
                      int (*row)(const struct cut_exchange *x, void *user), void *user)
{
    struct befores b = {.count = 0};
    int r = count > 0 ? look_before(s, stream_ids, count, &b) : 0;
    for (int round = 1; r == 0 && b.count > b.round_from && round < OPENING_ROUNDS; round++) {
        const size_t found = b.count - b.round_from;
        int64_t *ids = hr_xcalloc(found, sizeof(*ids));
        memcpy(ids, b.ids + b.round_from, found * sizeof(*ids));
        r = look_before(s, ids, found, &b);
        free(ids);
    }
    r = r == 0 ? emit_first(s, &b, row, user) : r;
    free(b.ids);
    free(b.afters);
    return r;
}

int read_cut_session(struct store *s, int64_t finding_id, int64_t *ret_session, hr_nsec *ret_at)
{
    sqlite3_stmt *q = store_stmt(s, STMT_CUT_SESSION);
    bind_number(q, 1, finding_id);
    int r = store_step(s, q);
    *ret_session = r > 0 ? sqlite3_column_int64(q, 0) : 0;
    *ret_at = r > 0 ? sqlite3_column_int64(q, 1) : 0;
    return r > 0 ? store_end_rows(q, 0) : r;
}

int read_cut_bounds(struct store *s, int64_t session_id,
                    int (*row)(int64_t exchange_id, bool is_login, hr_nsec at, void *user),
                    void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_CUT_BOUNDS);
    bind_number(q, 1, session_id);
    bind_number(q, 2, OPERATION_LOGIN);
    bind_number(q, 3, OPERATION_LOGOUT);
    int r;
    while ((r = store_step(s, q)) > 0) {
        r = row(sqlite3_column_int64(q, 0), sqlite3_column_int(q, 1) == OPERATION_LOGIN,
                sqlite3_column_int64(q, 2), user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_cut_captures(struct store *s, int64_t import,
                      int (*row)(const struct cut_capture *c, void *user), void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_CUT_CAPTURES);
    bind_number(q, 1, import);
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct cut_capture c = {
            .id = sqlite3_column_int64(q, 0),
            .path = column_text(q, 1),
            .frames = (uint64_t)sqlite3_column_int64(q, 2),
            .first_at = column_time(q, 3),
            .last_at = column_time(q, 4),
            .clock_doubt = sqlite3_column_int64(q, 5),
            .has_head = sqlite3_column_bytes(q, 6) == HR_DIGEST_BYTES,
        };
        if (c.has_head) {
            memcpy(c.head.bytes, sqlite3_column_blob(q, 6), HR_DIGEST_BYTES);
        }
        r = row(&c, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}
