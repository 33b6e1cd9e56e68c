/*
 * store/db.h - the inside of the store, for its own files only: the handle, its statements, and the
 * helpers that bind and read. Every function returns 0 or a negative errno as store.h says.
 */
#ifndef HR_STORE_DB_H
#define HR_STORE_DB_H

#include "base/arena.h"
#include "store/batch.h"
#include "store/stmt.h"
#include "store/store.h"

#include <sqlite3.h>

struct kept_stmt; /* kept.c */
struct analysis; /* write_analysis.c: what is counted of the site that is being analysed */

/* Pages in memory: what makes bulk imports fast, and the most that a connection takes. SQLite makes a
 * number of pages of it by the size that they have at that moment: only when that is known. */
#define STORE_PRAGMA_CACHE "SELECT 1 FROM sqlite_schema; PRAGMA cache_size = -8192;"

struct store {
    sqlite3 *db;
    sqlite3_stmt *stmts[STMT_COUNT]; /* prepared when first used */
    char *path;                      /* as given; NULL: temporary */
    enum store_mode mode;
    bool is_ready;  /* schema and key were checked */
    bool lacks_index; /* operations_by_session is to be made of all rows at once */
    bool is_trial;  /* the transaction is one of store_begin_trial() */
    bool is_direct; /* the transaction goes into the file itself, see store_begin_import() */
    struct hr_key key;
    struct analysis *analysis;
    struct batches *batches;
    struct kept_stmt *kept_stmts;
    bool is_guarded;     /* query.c: what is compiled is another's */
    bool has_authorizer; /* ... which asks for it */
    bool shows_all; /* the temporary views of rules show every site: scope.c */
    bool showed_all; /* ... and did so when the transaction began */
    uint64_t cut_steps; /* of SQLite, to find the cuts: the last time */
    bool has_logins; /* temp.rule_logins holds the logins of its sites: scope.c */
    uint64_t logins_epoch;
    int64_t logins_to; /* exchange: up to it */
    const atomic_bool *stop; /* see store_set_stop() */
    uint64_t epoch; /* see store_epoch() */
    int64_t data_version;
    int64_t servers_known_to; /* exchange; temp.site_servers has those up to it: write_import.c */
    bool has_waiting; /* rows of exchanges, token_uses or operations are not in yet */
    struct hr_arena kept; /* texts that outlive their statement: read_session_story() */
    char error[1024];
};

/* At a clock or at s->stop: instructions of SQLite's machine, far below a millisecond. */
#define STEPS_BETWEEN_LOOKS 20000

#define OPERATION_PLACES 8 /* of an exchange, by operations.id */

#define STORE_APPLICATION_ID 0x48524143 /* "HRAC" */
#define STORE_SCHEMA_VERSION 1

/** Remembers what SQLite says about the last failure, as a line for people. @return its errno */
int store_fail(struct store *s, int sqlite_code);
/** As store_fail(), with a text of our own behind the database's name. @return error */
int store_fail_text(struct store *s, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool store_is_stopped(const struct store *s);
/** SQLite looks from time to time whether it is. */
void store_heed_stop(struct store *s);
/** Runs statements without rows. Rows that wait (store/batch.h) go in first. */
int store_exec(struct store *s, const char *sql);
/** What was stored before changed other than by adding to it: nothing learned of it holds. */
int store_change_epoch(struct store *s);
/** Makes the index of operations by session where it is missing. */
int store_index_operations(struct store *s);
/**
 * A statement of the table, reset, nothing bound; NULL after store_fail() where SQLite refuses it.
 * Rows that wait (store/batch.h) go in first, unless it has nothing to do with them.
 */
sqlite3_stmt *store_stmt(struct store *s, enum stmt_id id);
/**
 * A statement that is not of the table, by its text: compiled once, reset, nothing bound; not used
 * inside its own reading. NULL where there is none in the text.
 * @param ret_tail  what stands behind it. @return SQLite's code
 */
int store_keep_stmt(struct store *s, struct hr_span sql, sqlite3_stmt **ret_stmt,
                    const char **ret_tail);
/** Resets it. stmt may be NULL. */
void store_release_stmt(struct store *s, sqlite3_stmt *stmt);
void store_drop_kept(struct store *s);
/** Steps a statement that gives no rows, and resets it. q NULL: the failure is known already. */
int store_run(struct store *s, sqlite3_stmt *q);
/** Runs a statement of the table that has one number and gives no rows. */
int store_run_for(struct store *s, enum stmt_id id, int64_t number);
/** Steps. @return 1 a row, 0 no more (and reset), negative: failed (and reset) */
int store_step(struct store *s, sqlite3_stmt *q);
/** First column of the first row, or `none` where there is no row or NULL in it. */
int store_number(struct store *s, sqlite3_stmt *q, int64_t none, int64_t *ret_value);
/** Ends a reading early. @return r */
int store_end_rows(sqlite3_stmt *q, int r);

/* Binding: what means "absent" in C is NULL in the database. Texts must outlive the step. */
void bind_span(sqlite3_stmt *q, int column, struct hr_span text); /* ptr NULL */
void bind_text(sqlite3_stmt *q, int column, const char *text);    /* NULL */
void bind_id(sqlite3_stmt *q, int column, int64_t id);            /* 0 */
void bind_time(sqlite3_stmt *q, int column, hr_nsec at);          /* HR_NSEC_INFINITE */
void bind_number(sqlite3_stmt *q, int column, int64_t number);
void bind_count(sqlite3_stmt *q, int column, uint64_t count); /* above INT64_MAX: that */

/* Reading back: the other way round. */
struct hr_span column_span(sqlite3_stmt *q, int column);
const char *column_text(sqlite3_stmt *q, int column); /* NULL where NULL */
hr_nsec column_time(sqlite3_stmt *q, int column);     /* NULL: HR_NSEC_INFINITE */
int64_t column_count(sqlite3_stmt *q, int column);    /* NULL: -1 */

/** The file is written through a WAL from now on, unless somebody else uses it just now. */
void store_use_wal(struct store *s);

/* migrate.c */
struct store_migration {
    int from; /* user_version it starts from; it leads to from + 1 */
    const char *sql;
};
/**
 * Brings the database from its user_version up to `to` by the given steps, each in one transaction
 * with all others, after a copy FILE.bak-vN. Versions without a step are -EPROTONOSUPPORT.
 */
int store_migrate(struct store *s, const struct store_migration *steps, size_t step_count, int to);
/** Makes or checks tables, views and key. */
int store_prepare(struct store *s, const struct hr_key *key);

/* write_names.c */
/** What stands for a user's name that never got in: borrowed, from buffer or name. */
struct hr_span store_hidden_user(const struct store *s, struct hr_span name,
                                 char buffer[HR_DIGEST_TEXT_SIZE]);

/* write_analysis.c */
void analysis_destroy(struct analysis *a);

#endif
