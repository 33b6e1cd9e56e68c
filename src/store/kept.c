/*
 * Statements of rules, and of what runs around them, kept from run to run: compiling them takes
 * longer than running them over a quiet round. SQLite compiles one anew where the schema changed.
 */
#include "base/alloc.h"
#include "base/map.h"
#include "store/db.h"

#include <stdlib.h>

enum { KEPT = 256 };

struct kept_stmt {
    char *sql;
    sqlite3_stmt *stmt;
    const char *tail; /* in sql */
    bool is_guarded;  /* the authorizer looked at it */
    UT_hash_handle hh;
};

static void drop(struct store *s, struct kept_stmt *k)
{
    HASH_DEL(s->kept_stmts, k);
    sqlite3_finalize(k->stmt);
    free(k->sql);
    free(k);
}

int store_keep_stmt(struct store *s, struct hr_span sql, sqlite3_stmt **ret_stmt,
                    const char **ret_tail)
{
    struct kept_stmt *k = NULL;
    sql = sql.ptr != NULL ? sql : HR_SPAN("");
    HASH_FIND(hh, s->kept_stmts, sql.ptr, sql.len, k);
    if (k != NULL && k->is_guarded != s->is_guarded) {
        drop(s, k);
        k = NULL;
    }
    if (k == NULL) {
        k = hr_xcalloc(1, sizeof(*k));
        k->is_guarded = s->is_guarded;
        k->sql = hr_xstrndup(sql.ptr, sql.len);
        const int code =
            sqlite3_prepare_v3(s->db, k->sql, -1, SQLITE_PREPARE_PERSISTENT, &k->stmt, &k->tail);
        if (code != SQLITE_OK) {
            free(k->sql);
            free(k);
            return code;
        }
    } else {
        HASH_DEL(s->kept_stmts, k); /* to the end: it was used last */
    }
    HASH_ADD_KEYPTR(hh, s->kept_stmts, k->sql, sql.len, k);
    *ret_stmt = k->stmt;
    *ret_tail = k->tail;
    return SQLITE_OK;
}

void store_release_stmt(struct store *s, sqlite3_stmt *stmt)
{
    if (stmt != NULL) {
        sqlite3_reset(stmt);
        sqlite3_clear_bindings(stmt);
    }
    if (HASH_COUNT(s->kept_stmts) > KEPT &&
        !sqlite3_stmt_busy(
            s->kept_stmts->stmt)) { /* not used for long: rules come and go with SIGHUP */
        drop(s, s->kept_stmts);
    }
}

void store_drop_kept(struct store *s)
{
    while (s->kept_stmts != NULL) {
        drop(s, s->kept_stmts);
    }
}
