#include "store/scope.h"

#include "base/buf.h"
#include "store/db.h"

/* The views of views.sql that are limited to the scope. */
static const char *const scoped_views[] = {
    "exchange_facts", "session_history", "login_facts",
    "login_order",    "logout_facts",    "response_facts",
};

#define DUE_FOR_RULE                                                                               \
    "SELECT id FROM main.sites WHERE is_rule_due OR id NOT IN "                                    \
    "(SELECT site_id FROM main.rule_runs WHERE rule = ?1)"

/** Runs one statement without rows, ?1 and ?2 bound to the texts. */
static int run(struct store *s, const char *sql, const char *first, const char *second)
{
    sqlite3_stmt *q = NULL;
    const int code = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);
    if (code != SQLITE_OK) {
        return store_fail(s, code);
    }
    if (first != NULL) {
        bind_text(q, 1, first);
    }
    if (second != NULL) {
        bind_text(q, 2, second);
    }
    const int r = store_run(s, q);
    sqlite3_finalize(q);
    return r;
}

int scope_open(struct store *s, bool whole)
{
    struct hr_buf sql;
    hr_buf_init(&sql, SIZE_MAX);
    hr_buf_append_str(&sql, "CREATE TEMP TABLE rule_scope (site_id INTEGER PRIMARY KEY);");
    for (size_t i = 0; i < sizeof(scoped_views) / sizeof(scoped_views[0]); i++) {
        hr_buf_appendf(&sql,
                       "CREATE TEMP VIEW %s AS SELECT * FROM main.%s "
                       "WHERE site_id IN (SELECT site_id FROM temp.rule_scope);",
                       scoped_views[i], scoped_views[i]);
    }
    if (whole) {
        hr_buf_append_str(&sql, "UPDATE main.sites SET is_rule_due = 1;");
    }
    const int r = store_exec(s, hr_buf_str(&sql));
    hr_buf_finish(&sql);
    return r;
}

int scope_set_rule(struct store *s, const char *rule)
{
    const int r = store_exec(s, "DELETE FROM temp.rule_scope");
    return r < 0 ? r : run(s, "INSERT INTO temp.rule_scope " DUE_FOR_RULE, rule, NULL);
}

int scope_set_all(struct store *s)
{
    return store_exec(s, "INSERT OR IGNORE INTO temp.rule_scope SELECT id FROM main.sites");
}

int scope_put_run(struct store *s, const char *rule, int64_t exercised)
{
    sqlite3_stmt *q = NULL;
    /* A row of 0 for each site says that the rule ran over it; the count is that of site 0. */
    const int r = run(s,
                      "INSERT OR IGNORE INTO main.rule_runs (rule, site_id, exercised) "
                      "SELECT ?1, id, 0 FROM main.sites",
                      rule, NULL);
    if (r < 0) {
        return r;
    }
    const int code = sqlite3_prepare_v2(s->db,
                                        "INSERT OR REPLACE INTO main.rule_runs "
                                        "(rule, site_id, exercised) VALUES (?1, 0, ?2)",
                                        -1, &q, NULL);
    if (code != SQLITE_OK) {
        return store_fail(s, code);
    }
    bind_text(q, 1, rule);
    sqlite3_bind_int64(q, 2, exercised);
    const int stored = store_run(s, q);
    sqlite3_finalize(q);
    return stored;
}

int scope_put_missed(struct store *s, const char *rule)
{
    return run(s,
               "DELETE FROM main.rule_runs WHERE rule = ?1 AND site_id IN "
               "(SELECT id FROM main.sites WHERE is_rule_due)",
               rule, NULL);
}

int scope_close(struct store *s, bool done)
{
    struct hr_buf sql;
    hr_buf_init(&sql, SIZE_MAX);
    for (size_t i = 0; i < sizeof(scoped_views) / sizeof(scoped_views[0]); i++) {
        hr_buf_appendf(&sql, "DROP VIEW IF EXISTS temp.%s;", scoped_views[i]);
    }
    hr_buf_append_str(&sql, "DROP TABLE IF EXISTS temp.rule_scope;");
    if (done) {
        hr_buf_append_str(&sql, "UPDATE main.sites SET is_rule_due = 0 WHERE is_rule_due;");
    }
    const int r = store_exec(s, hr_buf_str(&sql));
    hr_buf_finish(&sql);
    return r;
}

int scope_clear_parameters(struct store *s, const char *rule)
{
    return run(s,
               "DELETE FROM main.meta WHERE name >= 'parameter:' || ?1 || '.' "
               "AND name < 'parameter:' || ?1 || '/'",
               rule, NULL);
}

int scope_put_parameter(struct store *s, const char *rule, const char *name, const char *value)
{
    struct hr_buf key;
    hr_buf_init(&key, SIZE_MAX);
    hr_buf_appendf(&key, "parameter:%s.%s", rule, name);
    const int r = run(s, "INSERT OR REPLACE INTO main.meta (name, value) VALUES (?1, ?2)",
                      hr_buf_str(&key), value);
    hr_buf_finish(&key);
    return r;
}
