/*
 * store/db.h - the inside of the store, for its own files only: the handle, its statements, and the
 * helpers that bind and read. Every function returns 0 or a negative errno as store.h says.
 */
#ifndef HR_STORE_DB_H
#define HR_STORE_DB_H

#include "store/stmt.h"
#include "store/store.h"

#include <sqlite3.h>

struct analysis; /* write_analysis.c: counts of the site that is being analysed */

struct store {
    sqlite3 *db;
    sqlite3_stmt *stmts[STMT_COUNT]; /* prepared when first used */
    char *path;                      /* as given; NULL: temporary */
    bool is_temporary;
    bool is_fresh;                   /* made by this process: nothing was stored before */
    bool is_open;                    /* schema and key were checked */
    enum store_mode mode;
    struct hr_key key;
    struct analysis *analysis;
    char error[1024];
};

/** Remembers what SQLite says about the last failure, as a line for people. @return its errno */
int store_fail(struct store *s, int sqlite_code);
/** As store_fail(), with a text of our own. @return error */
int store_fail_text(struct store *s, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Runs statements without rows. */
int store_exec(struct store *s, const char *sql);
/** A statement of the table, reset and ready to bind; NULL after store_fail() where SQLite refuses it. */
sqlite3_stmt *store_stmt(struct store *s, enum stmt_id id);
/** Steps a statement that gives no rows, and resets it. */
int store_run(struct store *s, sqlite3_stmt *q);
/** Steps. @return 1 a row, 0 no more (and reset), negative: failed (and reset) */
int store_step(struct store *s, sqlite3_stmt *q);
/** First column of the first row, or none where there is no row. */
int store_number(struct store *s, sqlite3_stmt *q, int64_t none, int64_t *ret_value);

/* Binding: what means "absent" in C is NULL in the database. Texts must outlive the step. */
void bind_span(sqlite3_stmt *q, int column, struct hr_span text); /* ptr NULL */
void bind_text(sqlite3_stmt *q, int column, const char *text);    /* NULL */
void bind_id(sqlite3_stmt *q, int column, int64_t id);            /* 0 */
void bind_time(sqlite3_stmt *q, int column, hr_nsec at);          /* HR_NSEC_INFINITE */
void bind_count(sqlite3_stmt *q, int column, uint64_t count);     /* above INT64_MAX: that */

/* Reading back: the other way round. */
struct hr_span column_span(sqlite3_stmt *q, int column);
const char *column_text(sqlite3_stmt *q, int column); /* NULL where NULL */
hr_nsec column_time(sqlite3_stmt *q, int column);     /* NULL: HR_NSEC_INFINITE */
int64_t column_count(sqlite3_stmt *q, int column);    /* NULL: -1 */

#endif
