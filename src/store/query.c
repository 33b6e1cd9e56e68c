#include "store/query.h"

#include "base/alloc.h"
#include "store/db.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    VALUE_LIMIT_BYTES = 16 * 1024 * 1024,
};

struct deadline {
    const struct store *store;
    struct timespec at;
    uint64_t steps_left;
    bool in_row; /* what its reader writes is not interrupted: all would be rolled back */
    bool passed;
};

/* What SQLite asks before it compiles a statement. Views are read through; the key is in meta. */
static int authorize(void *user, int action, const char *first, const char *second,
                     const char *database, const char *inside)
{
    const struct store *s = user;
    if (!s->is_guarded) {
        return SQLITE_OK;
    }
    switch (action) {
    case SQLITE_INSERT: /* draft_add() or scope_add_mark() meanwhile; a query that is no SELECT is
                           refused anyway */
        return first != NULL &&
                       (strcmp(first, "rule_drafts") == 0 || strcmp(first, "rule_marks") == 0) &&
                       database != NULL && strcmp(database, "temp") == 0
                   ? SQLITE_OK
                   : SQLITE_DENY;
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_READ:
        return first != NULL && strcmp(first, "meta") == 0 &&
                       (inside == NULL || strcmp(inside, "rule_parameters") != 0)
                   ? SQLITE_DENY
                   : SQLITE_OK;
    case SQLITE_FUNCTION:
        return second != NULL && (strcmp(second, "load_extension") == 0 ||
                                  strcmp(second, "fts3_tokenizer") == 0)
                   ? SQLITE_DENY
                   : SQLITE_OK;
    default:
        return SQLITE_DENY;
    }
}

static int look_at_clock(void *user)
{
    struct deadline *d = user;
    if (d->in_row) {
        return store_is_stopped(d->store);
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    d->passed = d->steps_left < STEPS_BETWEEN_LOOKS || now.tv_sec > d->at.tv_sec ||
                (now.tv_sec == d->at.tv_sec && now.tv_nsec >= d->at.tv_nsec);
    d->steps_left -= d->passed ? 0 : STEPS_BETWEEN_LOOKS;
    return d->passed || store_is_stopped(d->store);
}

static struct deadline deadline_of(const struct store *s, const struct query *q)
{
    struct deadline d = {.store = s, .steps_left = q->step_limit > 0 ? q->step_limit : UINT64_MAX};
    const unsigned ms = q->time_limit_ms;
    clock_gettime(CLOCK_MONOTONIC, &d.at);
    d.at.tv_sec += ms / 1000;
    d.at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (d.at.tv_nsec >= 1000000000) {
        d.at.tv_sec++;
        d.at.tv_nsec -= 1000000000;
    }
    return d;
}

static unsigned line_of(struct hr_span sql, int offset)
{
    unsigned line = 1;
    for (size_t i = 0; i < sql.len && i < (size_t)offset; i++) {
        line += sql.ptr[i] == '\n';
    }
    return line;
}

static int fail(struct query_error *e, unsigned line, const char *text)
{
    e->line = line;
    snprintf(e->text, sizeof(e->text), "%s", text);
    return -EINVAL;
}

/* SQLite tells no place of a table that is not there, but its name. @return an offset, or -1 */
static int offset_of_name(struct hr_span sql, const char *message)
{
    static const char no_table[] = "no such table: ";
    if (strncmp(message, no_table, sizeof(no_table) - 1) != 0) {
        return -1;
    }
    const struct hr_span name = hr_span_str(message + sizeof(no_table) - 1);
    const size_t at = hr_span_find_nocase(sql, name);
    return at == SIZE_MAX || at > INT_MAX ? -1 : (int)at;
}

/** What SQLite said, as a result of this interface. */
static int fail_sqlite(struct store *s, int code, struct hr_span sql, const struct deadline *d,
                       struct query_error *e)
{
    const char *message = sqlite3_errmsg(s->db);
    int offset = sqlite3_error_offset(s->db);
    offset = offset < 0 ? offset_of_name(sql, message) : offset;
    switch (code & 0xff) {
    case SQLITE_ERROR:
    case SQLITE_AUTH:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_TOOBIG:
        return fail(e, offset < 0 ? 0 : line_of(sql, offset), message);
    case SQLITE_INTERRUPT:
        if (d->passed) {
            fail(e, 0, "took longer than allowed");
            return -ETIMEDOUT;
        }
        break;
    default:
        break;
    }
    const int r = store_fail(s, code);
    fail(e, 0, store_error(s));
    return r;
}

/** Nothing but space, comments and semicolons? */
static bool is_blank(const char *sql)
{
    for (;;) {
        while (*sql == ';' || isspace((unsigned char)*sql)) {
            sql++;
        }
        if (sql[0] == '-' && sql[1] == '-') {
            sql += strcspn(sql, "\n");
        } else if (sql[0] == '/' && sql[1] == '*') {
            const char *end = strstr(sql + 2, "*/");
            sql = end == NULL ? "" : end + 2;
        } else {
            return *sql == '\0';
        }
    }
}

static void bind(sqlite3_stmt *stmt, const struct query *q)
{
    for (size_t i = 0; i < q->bind_count; i++) {
        const struct query_value *v = &q->binds[i];
        const int column = (int)i + 1;
        switch (v->type) {
        case QUERY_NULL:
            sqlite3_bind_null(stmt, column);
            break;
        case QUERY_INTEGER:
            sqlite3_bind_int64(stmt, column, v->integer);
            break;
        case QUERY_REAL:
            sqlite3_bind_double(stmt, column, v->real);
            break;
        case QUERY_TEXT:
            sqlite3_bind_text64(stmt, column, v->text.ptr != NULL ? v->text.ptr : "", v->text.len,
                                SQLITE_STATIC, SQLITE_UTF8);
            break;
        }
    }
}

static struct query_value value_of(sqlite3_stmt *stmt, int column)
{
    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_INTEGER:
        return query_integer(sqlite3_column_int64(stmt, column));
    case SQLITE_FLOAT:
        return (struct query_value){.type = QUERY_REAL,
                                    .real = sqlite3_column_double(stmt, column)};
    case SQLITE_NULL:
        return (struct query_value){.type = QUERY_NULL};
    default: {
        const void *bytes = sqlite3_column_blob(stmt, column);
        return query_text(hr_span_of(bytes, (size_t)sqlite3_column_bytes(stmt, column)));
    }
    }
}

static int prepare(struct store *s, const struct query *q, sqlite3_stmt **ret_stmt,
                   const struct deadline *d, struct query_error *e)
{
    const char *tail = NULL;
    const int code = store_keep_stmt(s, q->sql, ret_stmt, &tail);
    int r = 0;
    if (code != SQLITE_OK) {
        r = fail_sqlite(s, code, q->sql, d, e);
    } else if (*ret_stmt == NULL) {
        r = fail(e, 0, "no statement here");
    } else if (!is_blank(tail)) {
        r = fail(e, line_of(q->sql, (int)(q->sql.len - strlen(tail))), "more than one statement");
    } else if (!sqlite3_stmt_readonly(*ret_stmt) || sqlite3_column_count(*ret_stmt) == 0) {
        r = fail(e, 1, "not a SELECT");
    }
    return r;
}

static void read_names(sqlite3_stmt *stmt, size_t count, const char **names)
{
    for (size_t i = 0; i < count; i++) {
        names[i] = sqlite3_column_name(stmt, (int)i);
    }
}

/* The names are those of the first row: the step to it may compile the statement anew. */
static int step_rows(struct store *s, const struct query *q, sqlite3_stmt *stmt, query_row_fn row,
                     void *user, struct deadline *d, struct query_error *e)
{
    const size_t count = (size_t)sqlite3_column_count(stmt);
    const char **names = hr_xcalloc(count, sizeof(*names));
    struct query_value *values = hr_xcalloc(count, sizeof(*values));
    int code;
    int r = 0;
    while (r == 0 && (code = sqlite3_step(stmt)) != SQLITE_DONE) {
        if (code != SQLITE_ROW) {
            r = fail_sqlite(s, code, q->sql, d, e);
            break;
        }
        if (names[0] == NULL) {
            read_names(stmt, count, names);
        }
        for (size_t i = 0; i < count; i++) {
            values[i] = value_of(stmt, (int)i);
        }
        d->in_row = true;
        r = row(&(struct query_row){count, names, values}, user);
        d->in_row = false;
    }
    free(names);
    free(values);
    return r;
}

static int describe(sqlite3_stmt *stmt, query_row_fn row, void *user)
{
    const size_t count = (size_t)sqlite3_column_count(stmt);
    const char **names = hr_xcalloc(count, sizeof(*names));
    struct query_value *values = hr_xcalloc(count, sizeof(*values));
    read_names(stmt, count, names);
    const int r = row(&(struct query_row){count, names, values}, user);
    free(names);
    free(values);
    return r;
}

static int run(struct store *s, const struct query *q, bool only_describe, query_row_fn row,
               void *user, struct query_error *e)
{
    sqlite3_stmt *stmt = NULL;
    struct deadline d = deadline_of(s, q);
    int r = s->has_waiting ? batches_put_in(s) : 0;
    const int old_limit =
        sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, q->guarded ? VALUE_LIMIT_BYTES : -1);
    if (q->guarded && !s->has_authorizer) { /* for good: each time it would compile all anew */
        sqlite3_set_authorizer(s->db, authorize, s);
        s->has_authorizer = true;
    }
    s->is_guarded = q->guarded;
    if (q->time_limit_ms > 0) {
        sqlite3_progress_handler(s->db, STEPS_BETWEEN_LOOKS, look_at_clock, &d);
    }
    r = r == 0 ? prepare(s, q, &stmt, &d, e) : r;
    if (r == 0 && only_describe) {
        r = describe(stmt, row, user);
    } else if (r == 0) {
        bind(stmt, q);
        r = step_rows(s, q, stmt, row, user, &d, e);
    }
    store_release_stmt(s, stmt);
    store_heed_stop(s);
    s->is_guarded = false;
    sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, old_limit);
    return r;
}

int query_run(struct store *s, const struct query *q, query_row_fn row, void *user,
              struct query_error *ret_error)
{
    return run(s, q, false, row, user, ret_error);
}

int query_describe(struct store *s, const struct query *q, query_row_fn row, void *user,
                   struct query_error *ret_error)
{
    return run(s, q, true, row, user, ret_error);
}

struct query_value query_text(struct hr_span text)
{
    return (struct query_value){.type = QUERY_TEXT, .text = text};
}

struct query_value query_integer(int64_t integer)
{
    return (struct query_value){.type = QUERY_INTEGER, .integer = integer};
}

const struct query_value *query_find(const struct query_row *row, const char *name)
{
    for (size_t i = 0; i < row->count; i++) {
        if (strcmp(row->names[i], name) == 0) {
            return &row->values[i];
        }
    }
    return NULL;
}
