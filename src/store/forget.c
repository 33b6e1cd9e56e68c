/*
 * Taking exchanges out again, with everything that refers to them. Their ids are collected in
 * temp.forgotten first, so each table is gone through once.
 */
#include "store/import.h"

int forget_begin(struct store *s)
{
    int r = store_exec(s, "CREATE TEMP TABLE IF NOT EXISTS forgotten (id INTEGER PRIMARY KEY)");
    return r == 0 ? store_exec(s, "DELETE FROM temp.forgotten") : r;
}

int forget_add(struct store *s, int64_t exchange_id)
{
    sqlite3_stmt *q = store_stmt(s, STMT_FORGET_ADD);
    bind_number(q, 1, exchange_id);
    return store_run(s, q);
}

/* Ids of what is gone are given again: whoever keeps them in memory must hear of it. */
static int run_all(struct store *s, const enum stmt_id *ids, size_t count)
{
    int r = 0;
    for (size_t k = 0; r == 0 && k < count; k++) {
        r = store_run(s, store_stmt(s, ids[k]));
        const bool gives_ids = ids[k] == STMT_ORPHAN_CARRIERS || ids[k] == STMT_ORPHAN_SITES;
        if (r == 0 && gives_ids && sqlite3_changes64(s->db) > 0) {
            r = store_change_epoch(s);
        }
    }
    return r;
}

int forget_exchanges(struct store *s, int64_t known)
{
    static const enum stmt_id steps[] = {
        STMT_FORGET_TOKENS,   STMT_FORGET_MARKS,     STMT_FORGET_OPERATIONS, STMT_FORGET_ENDED_BY,
        STMT_FORGET_FLAPPED,  STMT_FORGET_WITNESSES, STMT_FORGET_EXAMPLES,   STMT_FORGET_EVIDENCE,
        STMT_FORGET_FINDINGS, STMT_FORGET_COUNTS,    STMT_FORGET_EXCHANGES,
    };
    sqlite3_stmt *q = store_stmt(s, STMT_FORGET_MARK_SITES);
    bind_number(q, 1, known);
    int r = store_run(s, q);
    r = r == 0 && sqlite3_changes64(s->db) > 0 ? store_change_epoch(s) : r;
    return r == 0 ? run_all(s, steps, sizeof(steps) / sizeof(steps[0])) : r;
}

/* Each table after those that refer to it. */
int forget_orphans(struct store *s, hr_nsec open_before)
{
    static const enum stmt_id steps[] = {
        STMT_ORPHAN_SESSIONS,      STMT_ORPHAN_SESSION_REFS, STMT_ORPHAN_USERS,
        STMT_ORPHAN_STATUS,        STMT_ORPHAN_OFTEN,        STMT_ORPHAN_ENDPOINTS,
        STMT_ORPHAN_CARRIERS,      STMT_ORPHAN_DECISIONS,    STMT_ORPHAN_LOGIN_COUNTS,
        STMT_ORPHAN_SITE_FINDINGS, STMT_ORPHAN_RULE_RUNS,    STMT_ORPHAN_RULE_QUARTERS,
        STMT_ORPHAN_LEARNING,      STMT_ORPHAN_SITES,
    };
    sqlite3_stmt *q = store_stmt(s, STMT_ORPHAN_STREAMS);
    bind_number(q, 1, open_before);
    int r = store_run(s, q);
    return r == 0 ? run_all(s, steps, sizeof(steps) / sizeof(steps[0])) : r;
}
