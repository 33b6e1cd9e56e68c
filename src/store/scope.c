#include "store/scope.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "store/db.h"
#include "store/scope_parts.h"
#include "store/write.h"

#include <errno.h>
#include <string.h>

/* The views of views.sql that are limited to the scope. */
static const char *const scoped_views[] = {
    "exchange_facts", "denial_facts", "session_history", "session_steps",
    "endpoint_facts", "often_facts",  "login_order",     "logout_facts",
    "response_facts", "status_facts", "program_facts",
};

/* Those that are made of login_core ... */
static const char *const login_views[] = {"login_facts", "overlapping_logins"};

/* ... and those that hold only the sessions of rule_touched, where there are any. */
static const char *const touched_views[] = {"late_grants", "flapped_denials"};

/* Of site_id: nothing; what a join may start from; what only leaves rows out. Findings start from
 * the few operations that carry a mark, wherever they are; counts from the sites. */
static const char every_row[] = "";
static const char from_sites[] = "WHERE site_id IN (SELECT site_id FROM temp.rule_scope)";
static const char of_sites[] = "WHERE +site_id IN (SELECT site_id FROM temp.rule_scope)";

/* Exchanges: quick to go through, and enough to know the habits of a site. */
#define RECENT "4000"

/* Whether a view shows everything is seen once, not with each row. */
#define WHERE_NONE(table)                                                                          \
    "FROM (SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM temp." table ")) CROSS JOIN "
#define IN_A_LOOK WHERE_NONE("rule_since")

#define DUE_FOR_RULE                                                                               \
    "SELECT id FROM main.sites WHERE is_rule_due OR id NOT IN "                                    \
    "(SELECT site_id FROM main.rule_runs WHERE rule = ?1)"

/* The count of all sites together is that of site 0. */
#define WAS_COUNTED_AT_ONCE "EXISTS (SELECT 1 FROM main.rule_runs WHERE rule = ?1 AND site_id = 0)"

int scope_run(struct store *s, const char *sql, const char *first, const char *second)
{
    sqlite3_stmt *q = NULL;
    const char *tail;
    const int code = store_keep_stmt(s, hr_span_str(sql), &q, &tail);
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
    store_release_stmt(s, q);
    return r;
}

int scope_put_id(struct store *s, const char *sql, int64_t id)
{
    sqlite3_stmt *q = NULL;
    const char *tail;
    const int code = store_keep_stmt(s, hr_span_str(sql), &q, &tail);
    if (code != SQLITE_OK) {
        return store_fail(s, code);
    }
    bind_number(q, 1, id);
    const int r = store_run(s, q);
    store_release_stmt(s, q);
    return r;
}

int scope_ask(struct store *s, const char *sql, int64_t id)
{
    sqlite3_stmt *q = NULL;
    const char *tail;
    int code = store_keep_stmt(s, hr_span_str(sql), &q, &tail);
    int r = 0;
    if (code == SQLITE_OK) {
        if (sqlite3_bind_parameter_count(q) > 0) {
            bind_number(q, 1, id);
        }
        code = sqlite3_step(q);
        r = code == SQLITE_ROW && sqlite3_column_int(q, 0) != 0;
    }
    r = code == SQLITE_ROW ? r : store_fail(s, code);
    store_release_stmt(s, q);
    return r;
}

/* They stay: with a new one every statement would have to be compiled anew. A run empties them;
 * only the logins are kept for glances. */
static const char *const tables[] = {
    "rule_scope (site_id INTEGER PRIMARY KEY)",
    "rule_touched (session_id INTEGER PRIMARY KEY)",
    "rule_since (exchange_id INTEGER PRIMARY KEY)",
    "rule_asked (session_id INTEGER PRIMARY KEY)",
    "rule_renewed (exchange_id INTEGER PRIMARY KEY)",
    "rule_narrowed (has_marks INTEGER PRIMARY KEY)", /* a row: asked_marks shows rule_marks alone */
    "rule_marks (exchange_id INTEGER, kind INTEGER, value INTEGER)",
    /* What login_core shows, found once for all rules. */
    "rule_logins AS SELECT * FROM main.login_core LIMIT 0",
    "rule_logins_of (site_id INTEGER PRIMARY KEY)",
    "rule_last_site (site_id INTEGER PRIMARY KEY)",
    "rule_counted (site_id INTEGER, quarter INTEGER, exercised INTEGER, "
    "PRIMARY KEY (site_id, quarter)) WITHOUT ROWID",
    "rule_done (rule TEXT PRIMARY KEY) WITHOUT ROWID",
    /* What cut_facts shows: of many steps, and dear to prepare wherever it is named. */
    "rule_cuts (exchange_id, site_id, stream_id, request_at, had_begun, closed_at, server, "
    "server_port, cut_at, cut_end_at, connections, refused_at, refusals, accepted_at, "
    "clock_doubt, gap_doubt)",
};

static int empty_tables(struct store *s)
{
    static const char *const emptied[] = {
        "DELETE FROM temp.rule_scope", "DELETE FROM temp.rule_counted",
        "DELETE FROM temp.rule_done",  "DELETE FROM temp.rule_cuts",
        "DELETE FROM temp.rule_since", "DELETE FROM temp.rule_touched",
        "DELETE FROM temp.rule_asked", "DELETE FROM temp.rule_narrowed",
        "DELETE FROM temp.rule_marks",
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < HR_ARRAY_LEN(emptied); i++) {
        r = scope_run(s, emptied[i], NULL, NULL);
    }
    return r;
}

static int make_tables(struct store *s)
{
    struct hr_buf sql;
    hr_buf_init(&sql, SIZE_MAX);
    for (size_t i = 0; i < HR_ARRAY_LEN(tables); i++) {
        hr_buf_appendf(&sql, "CREATE TEMP TABLE IF NOT EXISTS %s;", tables[i]);
    }
    hr_buf_append_str(&sql, "CREATE INDEX IF NOT EXISTS temp.rule_logins_by_exchange "
                            "ON rule_logins (exchange_id);"
                            "CREATE INDEX IF NOT EXISTS temp.rule_logins_by_user "
                            "ON rule_logins (user_id);"
                            "CREATE INDEX IF NOT EXISTS temp.rule_logins_by_site "
                            "ON rule_logins (site_id);");
    const int r = store_exec(s, hr_buf_str(&sql));
    hr_buf_finish(&sql);
    return r == 0 ? empty_tables(s) : r;
}

/** Runs what finds something once for all rules. @param steps  of SQLite, added to */
static int share(struct store *s, const char *sql, uint64_t *steps)
{
    sqlite3_stmt *q = NULL;
    const char *tail;
    const int code = store_keep_stmt(s, hr_span_str(sql), &q, &tail);
    if (code != SQLITE_OK) {
        return store_fail(s, code);
    }
    const int r = store_run(s, q);
    *steps += (uint64_t)sqlite3_stmt_status(q, SQLITE_STMTSTATUS_VM_STEP, 1);
    store_release_stmt(s, q);
    return r;
}

static int find_cuts(struct store *s)
{
    s->cut_steps = 0;
    const int r = scope_ask(s, "SELECT EXISTS (SELECT 1 FROM main.refusals)", 0);
    if (r <= 0) { /* no server refused anything: without looking, for that is dear to compile */
        return r;
    }
    return share(s, "INSERT INTO temp.rule_cuts SELECT * FROM main.cut_facts", &s->cut_steps);
}

int scope_open(struct store *s, bool whole)
{
    int r = make_tables(s);
    r = r == 0 ? scope_forget_due_logins(s, whole) : r;
    r = r == 0 ? find_cuts(s) : r;
    if (r == 0 && whole) {
        r = store_exec(s, "UPDATE main.sites SET is_rule_due = 1;");
    }
    return r;
}

static int drop_views(struct store *s)
{
    struct hr_buf sql;
    hr_buf_init(&sql, SIZE_MAX);
    for (size_t i = 0; i < HR_ARRAY_LEN(scoped_views); i++) {
        hr_buf_appendf(&sql, "DROP VIEW IF EXISTS temp.%s;", scoped_views[i]);
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(touched_views); i++) {
        hr_buf_appendf(&sql, "DROP VIEW IF EXISTS temp.%s;", touched_views[i]);
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(login_views); i++) {
        hr_buf_appendf(&sql, "DROP VIEW IF EXISTS temp.%s;", login_views[i]);
    }
    hr_buf_append_str(&sql, "DROP VIEW IF EXISTS temp.glance_facts;"
                            "DROP VIEW IF EXISTS temp.asked_sessions;"
                            "DROP VIEW IF EXISTS temp.asked_logins;"
                            "DROP VIEW IF EXISTS temp.asked_marks;"
                            "DROP VIEW IF EXISTS temp.new_logins;"
                            "DROP VIEW IF EXISTS temp.login_core;"
                            "DROP VIEW IF EXISTS temp.cut_facts;");
    const int r = store_exec(s, hr_buf_str(&sql));
    hr_buf_finish(&sql);
    s->shows_all = false;
    return r;
}

/** The same text as in views.sql, over the login_core of this scope. */
static int copy_view(struct store *s, const char *name)
{
    static const char begin[] = "CREATE VIEW ";
    sqlite3_stmt *q = NULL;
    struct hr_buf sql;
    const int code = sqlite3_prepare_v2(
        s->db, "SELECT sql FROM main.sqlite_master WHERE type = 'view' AND name = ?1", -1, &q,
        NULL);
    if (code != SQLITE_OK) {
        return store_fail(s, code);
    }
    int r = -EIO;
    hr_buf_init(&sql, SIZE_MAX);
    bind_text(q, 1, name);
    if (sqlite3_step(q) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(q, 0);
        if (text != NULL && strncmp(text, begin, sizeof(begin) - 1) == 0) {
            hr_buf_appendf(&sql, "CREATE TEMP VIEW %s", text + sizeof(begin) - 1);
            r = store_exec(s, hr_buf_str(&sql));
        }
    }
    sqlite3_finalize(q);
    hr_buf_finish(&sql);
    return r;
}

static int put_views(struct store *s, const char *limit)
{
    struct hr_buf sql;
    hr_buf_init(&sql, SIZE_MAX);
    for (size_t i = 0; limit != every_row && i < HR_ARRAY_LEN(scoped_views); i++) {
        hr_buf_appendf(&sql, "CREATE TEMP VIEW %s AS SELECT * FROM main.%s %s;", scoped_views[i],
                       scoped_views[i], limit);
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(touched_views); i++) {
        hr_buf_appendf(&sql,
                       "CREATE TEMP VIEW %s AS SELECT * FROM (SELECT * FROM main.%s %s) "
                       "WHERE NOT EXISTS (SELECT 1 FROM temp.rule_touched) "
                       "OR +session_id IN (SELECT session_id FROM temp.rule_touched);",
                       touched_views[i], touched_views[i],
                       limit == every_row ? every_row : of_sites);
    }
    hr_buf_appendf(
        &sql,
        "CREATE TEMP VIEW cut_facts AS SELECT * FROM temp.rule_cuts;"
        "CREATE TEMP VIEW login_core AS SELECT * FROM temp.rule_logins %s;"
        "CREATE TEMP VIEW new_logins AS SELECT * FROM temp.login_core WHERE exchange_id "
        ">= (SELECT coalesce(max(exchange_id), 0) FROM temp.rule_since);"
        "CREATE TEMP VIEW glance_facts AS SELECT exchange_id AS since_id, "
        "min(exchange_id, (SELECT max(id) FROM main.exchanges) - " RECENT ") "
        "AS recent_id FROM temp.rule_since;"
        "CREATE TEMP VIEW asked_logins AS SELECT l.* " IN_A_LOOK "temp.login_core l "
        "UNION ALL SELECT l.* FROM temp.rule_since CROSS JOIN temp.rule_renewed n "
        "CROSS JOIN temp.login_core l ON l.exchange_id = n.exchange_id;"
        "CREATE TEMP VIEW asked_marks AS SELECT m.exchange_id, m.kind, m.value " WHERE_NONE(
            "rule_narrowed") "main.mark_facts m "
                             "UNION ALL SELECT exchange_id, kind, value FROM temp.rule_marks;"
                             "CREATE TEMP VIEW asked_sessions AS SELECT t.* " IN_A_LOOK
                             "(SELECT * FROM main.asked_sessions %s) t "
                             "UNION ALL SELECT t.* FROM temp.rule_asked a "
                             "CROSS JOIN main.asked_sessions t ON t.session_id = a.session_id;",
        limit == every_row ? every_row : from_sites, limit);
    int r = store_exec(s, hr_buf_str(&sql));
    hr_buf_finish(&sql);
    for (size_t i = 0; r == 0 && i < HR_ARRAY_LEN(login_views); i++) {
        r = copy_view(s, login_views[i]);
    }
    return r;
}

/** The views for what is in rule_scope. @param limit  unless that is every site */
static int open_scope(struct store *s, const char *limit)
{
    const int whole = scope_ask(s,
                                "SELECT NOT EXISTS (SELECT 1 FROM main.sites WHERE id NOT IN "
                                "(SELECT site_id FROM temp.rule_scope))",
                                0);
    if (whole > 0 && s->shows_all) { /* as after a first import: the views stay what they are */
        return scope_add_logins(s);
    }
    int r = whole < 0 ? whole : drop_views(s);
    r = r == 0 ? scope_add_logins(s) : r;
    r = r == 0 ? put_views(s, whole > 0 ? every_row : limit) : r;
    s->shows_all = r == 0 && whole > 0;
    return r;
}

static int show_all(struct store *s)
{
    int r = s->shows_all ? 0 : drop_views(s);
    r = r == 0 && !s->shows_all ? put_views(s, every_row) : r;
    s->shows_all = r == 0;
    return r;
}

/* Where no session is touched, 0 is: the id of none. Asked about are also those that came in and
 * were not judged, at this glance or, where its rules were not run, at one before: some of what
 * they show needs no judging. */
static int put_touched(struct store *s, const struct scope_glance *g)
{
    static const char sql[] = "INSERT OR IGNORE INTO temp.rule_touched VALUES (?1)";
    const bool is_behind = s->has_logins && s->logins_to + 1 < g->since;
    int r = g->session_count == 0 ? scope_put_id(s, sql, 0) : 0;
    for (size_t i = 0; r == 0 && i < g->session_count; i++) {
        r = scope_put_id(s, sql, g->sessions[i]);
    }
    r = r == 0 ? scope_put_id(s, "INSERT INTO temp.rule_since VALUES (?1)", g->since) : r;
    r = r == 0
            ? scope_run(s, "INSERT INTO temp.rule_asked SELECT session_id FROM temp.rule_touched",
                        NULL, NULL)
            : r;
    return r == 0
               ? scope_put_id(s,
                              "INSERT OR IGNORE INTO temp.rule_asked SELECT session_id "
                              "FROM main.operations WHERE id >= ?1 * 8 AND session_id IS NOT NULL",
                              is_behind ? s->logins_to + 1 : g->since)
               : r;
}

int scope_open_glance(struct store *s, const struct scope_glance *g,
                      struct scope_shared *ret_shared)
{
    int r = make_tables(s);
    r = r == 0 ? put_touched(s, g) : r;
    ret_shared->has_cuts = s->cut_steps <= g->steps;
    if (r == 0 && ret_shared->has_cuts) {
        r = find_cuts(s);
    }
    r = r == 0 ? scope_keep_logins(s, g->since) : r;
    return r == 0 ? show_all(s) : r;
}

/* What came in at glances before is asked about as well. */
int scope_set_since(struct store *s, int64_t since)
{
    static const char *const more[] = {
        "INSERT INTO temp.rule_since VALUES (?1)",
        "INSERT OR IGNORE INTO temp.rule_renewed SELECT id >> 3 FROM main.operations "
        "WHERE role = 1 AND id >= ?1 * 8",
        "INSERT OR IGNORE INTO temp.rule_asked SELECT session_id FROM main.operations "
        "WHERE id >= ?1 * 8 AND session_id IS NOT NULL",
        "INSERT OR IGNORE INTO temp.rule_touched SELECT session_id FROM main.operations "
        "WHERE id >= ?1 * 8 AND session_id IS NOT NULL",
    };
    int r = scope_run(s, "DELETE FROM temp.rule_since", NULL, NULL);
    for (size_t i = 0; r == 0 && i < HR_ARRAY_LEN(more); i++) {
        r = scope_put_id(s, more[i], since);
    }
    return r;
}

int scope_asks_session(struct store *s, int64_t session_id)
{
    return scope_ask(s, "SELECT EXISTS (SELECT 1 FROM temp.rule_asked WHERE session_id = ?1)",
                     session_id);
}

int scope_narrow_marks(struct store *s, bool narrow)
{
    int r = scope_run(s, "DELETE FROM temp.rule_marks", NULL, NULL);
    r = r == 0 ? scope_run(s, "DELETE FROM temp.rule_narrowed", NULL, NULL) : r;
    return r == 0 && narrow ? scope_run(s, "INSERT INTO temp.rule_narrowed VALUES (1)", NULL, NULL)
                            : r;
}

int scope_add_mark(struct store *s, int64_t exchange_id, int64_t kind, int64_t value)
{
    sqlite3_stmt *q = NULL;
    const char *tail;
    const int code =
        store_keep_stmt(s, HR_SPAN("INSERT INTO temp.rule_marks VALUES (?1, ?2, ?3)"), &q, &tail);
    if (code != SQLITE_OK) {
        return store_fail(s, code);
    }
    bind_number(q, 1, exchange_id);
    bind_number(q, 2, kind);
    bind_number(q, 3, value);
    const int r = store_run(s, q);
    store_release_stmt(s, q);
    return r;
}

int scope_set_rule(struct store *s, const char *rule, bool with_views)
{
    int r = scope_run(s, "DELETE FROM temp.rule_scope", NULL, NULL);
    r = r == 0 ? scope_run(s, "INSERT INTO temp.rule_scope " DUE_FOR_RULE, rule, NULL) : r;
    return r == 0 && with_views ? open_scope(s, of_sites) : r;
}

int scope_set_counting(struct store *s, const char *rule, bool by_site)
{
    int r = scope_run(s, "DELETE FROM temp.rule_scope", NULL, NULL);
    if (r == 0 && by_site) {
        r = scope_run(s, "INSERT INTO temp.rule_scope " DUE_FOR_RULE, rule, NULL);
        r = r == 0 ? scope_run(s,
                               "INSERT OR IGNORE INTO temp.rule_scope SELECT id FROM main.sites "
                               "WHERE " WAS_COUNTED_AT_ONCE,
                               rule, NULL)
                   : r;
    } else if (r == 0) {
        r = scope_run(s, "INSERT INTO temp.rule_scope SELECT id FROM main.sites", NULL, NULL);
    }
    return r == 0 ? open_scope(s, from_sites) : r;
}

int scope_begin_counts(struct store *s, const char *rule, bool by_site)
{
    int r = scope_run(s,
                      by_site ? "DELETE FROM main.rule_runs WHERE rule = ?1 AND (site_id IN "
                                "(SELECT site_id FROM temp.rule_scope) OR " WAS_COUNTED_AT_ONCE ")"
                              : "DELETE FROM main.rule_runs WHERE rule = ?1",
                      rule, NULL);
    /* A row of 0 for each site says that the rule ran over it. */
    r = r == 0 ? scope_run(s,
                           "INSERT OR IGNORE INTO main.rule_runs (rule, site_id, exercised) "
                           "SELECT ?1, id, 0 FROM main.sites",
                           rule, NULL)
               : r;
    r = r == 0 ? scope_run(s, "INSERT OR IGNORE INTO temp.rule_done VALUES (?1)", rule, NULL) : r;
    r = r == 0 && !by_site
            ? scope_run(s, "DELETE FROM main.rule_quarters WHERE rule = ?1", rule, NULL)
            : r;
    return r == 0 && !by_site ? rule_run_put(s, rule, 0, 0) : r;
}

int scope_close(struct store *s, bool done)
{
    int r = 0;
    if (done) {
        r = store_exec(s, "DELETE FROM main.rule_runs WHERE rule NOT IN (SELECT rule FROM "
                          "temp.rule_done) AND site_id IN (SELECT id FROM main.sites WHERE "
                          "is_rule_due);"
                          "DELETE FROM main.rule_quarters WHERE rule NOT IN (SELECT rule FROM "
                          "temp.rule_done) AND site_id IN (SELECT id FROM main.sites WHERE "
                          "is_rule_due);"
                          "UPDATE main.sites SET is_rule_due = 0 WHERE is_rule_due;");
    }
    r = r == 0 && !s->shows_all ? drop_views(s) : r;
    r = r == 0 && done ? scope_remember_logins(s) : r;
    return r == 0 ? empty_tables(s) : r;
}

int scope_clear_parameters(struct store *s, const char *rule)
{
    return scope_run(s,
                     "DELETE FROM main.meta WHERE name >= 'parameter:' || ?1 || '.' "
                     "AND name < 'parameter:' || ?1 || '/'",
                     rule, NULL);
}

int scope_put_parameter(struct store *s, const char *rule, const char *name, const char *value)
{
    struct hr_buf key;
    hr_buf_init(&key, SIZE_MAX);
    hr_buf_appendf(&key, "parameter:%s.%s", rule, name);
    const int r = scope_run(s, "INSERT OR REPLACE INTO main.meta (name, value) VALUES (?1, ?2)",
                            hr_buf_str(&key), value);
    hr_buf_finish(&key);
    return r;
}
