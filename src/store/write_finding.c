/*
 * Findings, found again by their fingerprints. A run puts what its rule yields and then withdraws
 * what it no longer yields, within the sites that are due.
 */
#include "base/alloc.h"
#include "store/db.h"
#include "store/write.h"

#include <string.h>

static int put_evidence(struct store *s, int64_t finding_id, const struct finding_row *f)
{
    sqlite3_stmt *q = store_stmt(s, STMT_EVIDENCE_DELETE);
    bind_number(q, 1, finding_id);
    int r = store_run(s, q);
    for (size_t i = 0; r == 0 && i < f->evidence_count; i++) {
        q = store_stmt(s, STMT_EVIDENCE_ADD);
        bind_number(q, 1, finding_id);
        bind_number(q, 2, (int64_t)i);
        bind_text(q, 3, f->evidence[i].role != NULL ? f->evidence[i].role : "");
        bind_id(q, 4, f->evidence[i].exchange_id);
        bind_text(q, 5, f->evidence[i].text);
        r = store_run(s, q);
    }
    return r;
}

int finding_put(struct store *s, const struct finding_row *f, bool *ret_is_new)
{
    int64_t before = 0;
    int64_t id = 0;
    sqlite3_stmt *q = store_stmt(s, STMT_FINDING_FIND);
    bind_text(q, 1, f->fingerprint);
    int r = store_number(s, q, 0, &before);
    if (r < 0) {
        return r;
    }
    q = store_stmt(s, STMT_FINDING_PUT);
    bind_text(q, 1, f->rule);
    bind_text(q, 2, f->severity);
    bind_text(q, 3, f->verdict);
    bind_number(q, 4, f->at);
    bind_id(q, 5, f->site_id);
    bind_id(q, 6, f->session_id);
    bind_id(q, 7, f->exchange_id);
    bind_text(q, 8, f->summary != NULL ? f->summary : "");
    bind_text(q, 9, f->explanation != NULL ? f->explanation : "");
    bind_text(q, 10, f->caveats != NULL ? f->caveats : "[]");
    bind_text(q, 11, f->fingerprint);
    bind_text(q, 12, f->group);
    r = store_number(s, q, 0, &id);
    r = r == 0 ? put_evidence(s, id, f) : r;
    if (r == 0) {
        *ret_is_new = before == 0;
    }
    return r;
}

int drafts_begin(struct store *s)
{
    return store_exec(s, "CREATE TEMP TABLE IF NOT EXISTS rule_drafts (id INTEGER PRIMARY KEY, "
                         "verdict TEXT NOT NULL, at INTEGER NOT NULL, site_id INTEGER, "
                         "session_id INTEGER, exchange_id INTEGER, summary TEXT, caveats TEXT, "
                         "evidence TEXT);"
                         "DELETE FROM temp.rule_drafts;");
}

int draft_add(struct store *s, const struct finding_row *f, const char *evidence)
{
    sqlite3_stmt *q = store_stmt(s, STMT_DRAFT_ADD);
    bind_text(q, 1, f->verdict);
    bind_number(q, 2, f->at);
    bind_id(q, 3, f->site_id);
    bind_id(q, 4, f->session_id);
    bind_id(q, 5, f->exchange_id);
    bind_text(q, 6, f->summary);
    bind_text(q, 7, f->caveats);
    bind_text(q, 8, evidence);
    return store_run(s, q);
}

int drafts_read(struct store *s,
                int (*row)(const struct finding_row *f, const char *evidence, void *user),
                void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_DRAFTS);
    int r;
    while ((r = store_step(s, q)) > 0) {
        const struct finding_row f = {
            .verdict = column_text(q, 0),
            .at = sqlite3_column_int64(q, 1),
            .site_id = sqlite3_column_int64(q, 2),
            .session_id = sqlite3_column_int64(q, 3),
            .exchange_id = sqlite3_column_int64(q, 4),
            .summary = column_text(q, 5),
            .caveats = column_text(q, 6),
        };
        r = row(&f, column_text(q, 7), user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int findings_try(struct store *s)
{
    return store_exec(s, "SAVEPOINT findings");
}

int findings_settle(struct store *s, bool keep)
{
    return store_exec(s, keep ? "RELEASE findings" : "ROLLBACK TO findings; RELEASE findings");
}

static int replace_suppressions(struct store *s, const struct suppression_row *rows, size_t count)
{
    int r = store_run(s, store_stmt(s, STMT_SUPPRESSIONS_DELETE));
    for (size_t i = 0; r == 0 && i < count; i++) {
        const struct suppression_row *x = &rows[i];
        sqlite3_stmt *q = store_stmt(s, STMT_SUPPRESSION_ADD);
        bind_number(q, 1, (int64_t)i + 1);
        bind_text(q, 2, x->place);
        bind_text(q, 3, x->fingerprint);
        bind_text(q, 4, x->group);
        bind_text(q, 5, x->rule);
        bind_text(q, 6, x->site);
        bind_text(q, 7, x->method);
        bind_text(q, 8, x->path);
        bind_text(q, 9, x->reason);
        bind_text(q, 10, x->owner);
        bind_time(q, 11, x->expires_at);
        r = store_run(s, q);
    }
    return r;
}

int suppressions_replace(struct store *s, const struct suppression_row *rows, size_t count)
{
    bool own = sqlite3_get_autocommit(s->db) != 0;
    int r = own ? store_begin(s) : 0;
    r = r == 0 ? replace_suppressions(s, rows, count) : r;
    r = r == 0 && own ? store_commit(s) : r;
    if (r < 0 && own) {
        store_rollback(s);
    }
    return r;
}

int findings_begin(struct store *s, const char *rule)
{
    sqlite3_stmt *q = store_stmt(s, STMT_FINDINGS_BEGIN);
    bind_text(q, 1, rule);
    return store_run(s, q);
}

int findings_withdraw_rest(struct store *s, const char *rule, hr_nsec now_at, size_t *ret_count)
{
    sqlite3_stmt *q = store_stmt(s, STMT_FINDINGS_WITHDRAW);
    bind_text(q, 1, rule);
    bind_number(q, 2, now_at);
    int r = store_run(s, q);
    if (r == 0) {
        *ret_count = (size_t)sqlite3_changes(s->db);
    }
    return r == 0 ? findings_begin(s, rule) : r;
}

int rule_quarters_begin(struct store *s)
{
    return store_exec(s, "DELETE FROM temp.rule_counted");
}

int rule_quarters_put(struct store *s, int64_t site_id, int64_t quarter, int64_t exercised)
{
    sqlite3_stmt *q = store_stmt(s, STMT_RULE_QUARTER_PUT);
    bind_number(q, 1, site_id);
    bind_number(q, 2, quarter);
    bind_number(q, 3, exercised);
    return store_run(s, q);
}

int rule_quarters_end(struct store *s, const char *rule)
{
    static const enum stmt_id steps[] = {STMT_RULE_QUARTERS_DROP, STMT_RULE_QUARTERS_KEEP,
                                         STMT_RULE_QUARTERS_SUM};
    int r = 0;
    for (size_t i = 0; r == 0 && i < HR_ARRAY_LEN(steps); i++) {
        sqlite3_stmt *q = store_stmt(s, steps[i]);
        bind_text(q, 1, rule);
        r = store_run(s, q);
    }
    return r;
}

int rule_run_put(struct store *s, const char *rule, int64_t site_id, int64_t exercised)
{
    sqlite3_stmt *q = store_stmt(s, STMT_RULE_RUN_PUT);
    bind_text(q, 1, rule);
    bind_number(q, 2, site_id);
    bind_number(q, 3, exercised);
    return store_run(s, q);
}
