#include "store/alert.h"
#include "store/db.h"

int alert_candidates(struct store *s, int64_t number,
                     int (*row)(const struct alert_candidate *c, void *user), void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_ALERT_CANDIDATES);
    int r;
    bind_number(q, 1, number);
    while ((r = store_step(s, q)) > 0) {
        const struct alert_candidate c = {
            .finding_id = sqlite3_column_int64(q, 0),
            .verdict = column_text(q, 1),
            .said = column_text(q, 2),
            .is_held = sqlite3_column_int(q, 3) != 0,
            .count = sqlite3_column_int64(q, 4),
            .said_at = column_time(q, 5),
            .server = column_text(q, 6),
            .server_port = sqlite3_column_int(q, 7),
            .end_at = column_time(q, 8),
            .is_changed = sqlite3_column_int(q, 9) != 0,
        };
        r = row(&c, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int alert_put(struct store *s, const struct alert_state *a)
{
    sqlite3_stmt *q = store_stmt(s, STMT_ALERT_PUT);
    bind_number(q, 1, a->finding_id);
    bind_text(q, 2, a->verdict);
    bind_number(q, 3, a->is_held);
    bind_number(q, 4, a->count);
    bind_time(q, 5, a->said_at);
    return store_run(s, q);
}

int alert_queue_last(struct store *s, int64_t *ret_id)
{
    return store_number(s, store_stmt(s, STMT_ALERT_QUEUE_LAST), 0, ret_id);
}

int alert_queue_add(struct store *s, int64_t id, const char *sink, struct hr_span body, hr_nsec now)
{
    sqlite3_stmt *q = store_stmt(s, STMT_ALERT_QUEUE_ADD);
    bind_number(q, 1, id);
    bind_text(q, 2, sink);
    bind_span(q, 3, body);
    bind_time(q, 4, now);
    return store_run(s, q);
}

int alert_queue_read(struct store *s, const char *sink, int64_t after_id, int limit,
                     int (*row)(int64_t id, struct hr_span body, void *user), void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_ALERT_QUEUE_READ);
    int r;
    bind_number(q, 1, after_id);
    bind_text(q, 2, sink);
    bind_number(q, 3, limit);
    while ((r = store_step(s, q)) > 0) {
        r = row(sqlite3_column_int64(q, 0), column_span(q, 1), user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int alert_queue_count(struct store *s, int64_t *ret_count)
{
    return store_number(s, store_stmt(s, STMT_ALERT_QUEUE_COUNT), 0, ret_count);
}

int alert_queue_done(struct store *s, int64_t id)
{
    sqlite3_stmt *q = store_stmt(s, STMT_ALERT_QUEUE_DONE);
    bind_number(q, 1, id);
    return store_run(s, q);
}

int alert_queue_bound(struct store *s, const char *sink, int64_t limit, int64_t *ret_dropped)
{
    sqlite3_stmt *q = store_stmt(s, STMT_ALERT_QUEUE_BOUND);
    bind_text(q, 1, sink);
    bind_number(q, 2, limit);
    int r = store_run(s, q);
    *ret_dropped = r == 0 ? sqlite3_changes64(s->db) : 0;
    return r;
}
