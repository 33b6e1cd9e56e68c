/*
 * The handle's own helpers: errors, statements, binding.
 */
#include "store/db.h"

#include "base/alloc.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int store_fail_text(struct store *s, int error, const char *format, ...)
{
    va_list args;
    int used = snprintf(s->error, sizeof(s->error),
                        "%s: ", s->path != NULL ? s->path : "temporary database");
    if (used < 0 || (size_t)used >= sizeof(s->error)) {
        used = 0; /* a path that long says less than the reason */
    }
    va_start(args, format);
    vsnprintf(s->error + used, sizeof(s->error) - (size_t)used, format, args);
    va_end(args);
    return error;
}

/* SQLite calls it an I/O error where it is the index of the WAL that has no room, or a quota. */
static bool is_full(int sqlite_code, int system)
{
    return (sqlite_code & 0xff) == SQLITE_FULL ||
           ((sqlite_code & 0xff) == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT));
}

int store_fail(struct store *s, int sqlite_code)
{
    const char *text = s->db != NULL ? sqlite3_errmsg(s->db) : sqlite3_errstr(sqlite_code);
    int system = s->db != NULL ? sqlite3_system_errno(s->db) : 0;
    if (is_full(sqlite_code, system)) {
        return store_fail_text(s, -ENOSPC, "no space left for the database; make room on the disk");
    }
    switch (sqlite_code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return store_fail_text(s, -EBUSY,
                               "locked by another process; try again when that has ended");
    case SQLITE_NOTADB:
        return store_fail_text(s, -EMEDIUMTYPE,
                               "not a Headrace database; name another file with --db");
    case SQLITE_CORRUPT:
        return store_fail_text(s, -EUCLEAN, "the database is damaged (%s); see `headrace db check`",
                               text);
    case SQLITE_READONLY:
        return store_fail_text(s, -EROFS,
                               "cannot be written (%s); check the permissions of the "
                               "file and its folder",
                               text);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return store_fail_text(s, system > 0 ? -system : -EACCES,
                               "cannot be opened (%s); check the path and its permissions",
                               system > 0 ? strerror(system) : text);
    case SQLITE_INTERRUPT:
        return store_fail_text(s, -ECANCELED, "was told to end");
    case SQLITE_NOMEM:
        hr_out_of_memory();
    default:
        return store_fail_text(s, -EIO, "the database failed: %s", text);
    }
}

int store_exec(struct store *s, const char *sql)
{
    int r = s->has_waiting ? batches_put_in(s) : 0;
    if (r < 0) {
        return r;
    }
    int code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : store_fail(s, code);
}

/* The memory of a sort is that of the cache. What is more is sorted in parts, by threads of their
 * own while more is read; a part that is never full is sorted by nobody else. */
#define PRAGMA_SORT "PRAGMA threads = 2;"
#define PRAGMA_SORTED "PRAGMA threads = 0;"

bool store_is_stopped(const struct store *s)
{
    return s->stop != NULL && atomic_load(s->stop);
}

static int look_at_stop(void *user)
{
    return store_is_stopped(user);
}

void store_heed_stop(struct store *s)
{
    sqlite3_progress_handler(s->db, STEPS_BETWEEN_LOOKS, s->stop != NULL ? look_at_stop : NULL, s);
}

void store_set_stop(struct store *s, const atomic_bool *stop)
{
    s->stop = stop;
    store_heed_stop(s);
}

int store_index_operations(struct store *s)
{
    const bool sorts = s->lacks_index;
    s->lacks_index = false;
    int r = sorts ? store_exec(s, PRAGMA_SORT) : 0;
    r = r == 0 ? store_run(s, store_stmt(s, STMT_OPERATION_INDEX_MAKE)) : r;
    return r == 0 && sorts ? store_exec(s, PRAGMA_SORTED) : r;
}

/* What runs between one exchange of an import and the next, and touches none of their rows. */
static bool is_apart(enum stmt_id id)
{
    static const bool apart[STMT_COUNT] = {
        [STMT_CAPTURE_ADD] = true,   [STMT_STREAM_ADD] = true,
        [STMT_SITE_FIND] = true,     [STMT_SITE_ADD] = true,
        [STMT_ENDPOINT_FIND] = true, [STMT_ENDPOINT_ADD] = true,
        [STMT_USER_FIND] = true,     [STMT_USER_ADD] = true,
        [STMT_CARRIER_FIND] = true,  [STMT_CARRIER_ADD] = true,
        [STMT_SESSION_FIND] = true,  [STMT_SESSION_ADD] = true,
        [STMT_LOSS_ADD] = true,      [STMT_MARK_ADD] = true,
        [STMT_STATUS_ADD] = true,    [STMT_LOGIN_COUNT_ADD] = true,
        [STMT_EXCHANGE_ADD] = true,  [STMT_TOKEN_ADD] = true,
        [STMT_OPERATION_ADD] = true, [STMT_SESSION_BIND_USER] = true,
        [STMT_SESSION_HASH] = true,  [STMT_SESSION_INDEX_MAKE] = true,
        [STMT_USER_NAME] = true,     [STMT_REFUSAL_ADD] = true,
    };
    return apart[id];
}

sqlite3_stmt *store_stmt(struct store *s, enum stmt_id id)
{
    if (s->has_waiting && !is_apart(id) && batches_put_in(s) < 0) {
        return NULL;
    }
    if (s->stmts[id] == NULL) {
        const char *sql = stmt_sql(id);
        assert(sql != NULL);
        int code =
            sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->stmts[id], NULL);
        if (code != SQLITE_OK) {
            store_fail(s, code);
            return NULL;
        }
    }
    assert(!sqlite3_stmt_busy(s->stmts[id])); /* a statement is not used inside its own reading */
    return s->stmts[id];
}

/* A failed statement must not leave its error to the next reset, nor its bindings to the next use.
 */
int store_end_rows(sqlite3_stmt *q, int r)
{
    sqlite3_reset(q);
    return r;
}

static int error_of(const struct store *s)
{
    switch (sqlite3_errcode(s->db) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    default:
        return -EIO;
    }
}

int store_run_for(struct store *s, enum stmt_id id, int64_t number)
{
    sqlite3_stmt *q = store_stmt(s, id);
    bind_number(q, 1, number);
    return store_run(s, q);
}

int store_step(struct store *s, sqlite3_stmt *q)
{
    if (q == NULL) {
        return error_of(s);
    }
    int code = sqlite3_step(q);
    if (code == SQLITE_ROW) {
        return 1;
    }
    if (code == SQLITE_DONE) {
        return store_end_rows(q, 0);
    }
    int r = store_fail(s, code);
    return store_end_rows(q, r);
}

int store_run(struct store *s, sqlite3_stmt *q)
{
    int r = store_step(s, q);
    return r > 0 ? store_end_rows(q, 0) : r;
}

int store_number(struct store *s, sqlite3_stmt *q, int64_t none, int64_t *ret_value)
{
    int r = store_step(s, q);
    if (r < 0) {
        return r;
    }
    bool has = r > 0 && sqlite3_column_type(q, 0) != SQLITE_NULL;
    *ret_value = has ? sqlite3_column_int64(q, 0) : none;
    return r > 0 ? store_end_rows(q, 0) : 0;
}

void bind_span(sqlite3_stmt *q, int column, struct hr_span text)
{
    if (text.ptr == NULL) {
        sqlite3_bind_null(q, column);
    } else {
        sqlite3_bind_text(q, column, text.ptr, (int)text.len, SQLITE_STATIC);
    }
}

void bind_text(sqlite3_stmt *q, int column, const char *text)
{
    if (text == NULL) {
        sqlite3_bind_null(q, column);
    } else {
        sqlite3_bind_text(q, column, text, -1, SQLITE_STATIC);
    }
}

void bind_id(sqlite3_stmt *q, int column, int64_t id)
{
    if (id == 0) {
        sqlite3_bind_null(q, column);
    } else {
        sqlite3_bind_int64(q, column, id);
    }
}

void bind_time(sqlite3_stmt *q, int column, hr_nsec at)
{
    if (at == HR_NSEC_INFINITE) {
        sqlite3_bind_null(q, column);
    } else {
        sqlite3_bind_int64(q, column, at);
    }
}

void bind_number(sqlite3_stmt *q, int column, int64_t number)
{
    sqlite3_bind_int64(q, column, number);
}

void bind_count(sqlite3_stmt *q, int column, uint64_t count)
{
    sqlite3_bind_int64(q, column, count > INT64_MAX ? INT64_MAX : (int64_t)count);
}

struct hr_span column_span(sqlite3_stmt *q, int column)
{
    const unsigned char *text = sqlite3_column_text(q, column);
    return hr_span_of(text, text == NULL ? 0 : (size_t)sqlite3_column_bytes(q, column));
}

const char *column_text(sqlite3_stmt *q, int column)
{
    return (const char *)sqlite3_column_text(q, column);
}

hr_nsec column_time(sqlite3_stmt *q, int column)
{
    return sqlite3_column_type(q, column) == SQLITE_NULL ? HR_NSEC_INFINITE
                                                         : sqlite3_column_int64(q, column);
}

int64_t column_count(sqlite3_stmt *q, int column)
{
    return sqlite3_column_type(q, column) == SQLITE_NULL ? -1 : sqlite3_column_int64(q, column);
}
