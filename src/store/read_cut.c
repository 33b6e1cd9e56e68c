#include "store/read_cut.h"

#include "store/read_list.h"

#include <errno.h>

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
