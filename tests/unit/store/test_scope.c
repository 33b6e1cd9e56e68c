/*
 * What a run of the rules looks at: the views of the scope, and counts that add up over runs.
 */
#include "store/db.h"
#include "store/query.h"
#include "store/scope.h"
#include "support/test.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const struct world_exchange day[] = {
    {1, 0,  5,  "/login",   NULL,    "tok-a", "alice", 20, HTTP_COMPLETE, NULL         },
    {1, 10, 12, "/account", "tok-a", NULL,    NULL,    50, HTTP_COMPLETE, NULL         },
    {2, 20, 24, "/login",   NULL,    "tok-b", "bob",   20, HTTP_COMPLETE, "img.example"},
    {3, 30, 34, "/login",   NULL,    "tok-c", "carol", 20, HTTP_COMPLETE, "img.example"},
};

static int number(const struct query_row *row, void *user)
{
    *(int64_t *)user = row->values[0].integer;
    return 0;
}

static int64_t ask(struct store *s, const char *sql)
{
    struct query_error e = {0};
    const struct query q = {.sql = hr_span_str(sql), .guarded = true};
    int64_t n = -1;
    if (query_run(s, &q, number, &n, &e) != 0) {
        fail_msg("%s", e.text);
    }
    return n;
}

static struct store *open_day(void)
{
    const struct world_capture capture = {
        .path = "day.pcap", .exchanges = day, .count = HR_ARRAY_LEN(day)};
    struct store *s = world_open(NULL);
    assert_int_equal(world_import(s, &capture, 1), 0);
    assert_int_equal(world_analyse(s), 0);
    return s;
}

static const char *const counts[] = {
    "SELECT count(*) FROM exchange_facts",     "SELECT count(*) FROM session_history",
    "SELECT count(*) FROM session_steps",      "SELECT count(*) FROM endpoint_facts",
    "SELECT count(*) FROM login_facts",        "SELECT count(*) FROM login_order",
    "SELECT sum(grants) FROM login_facts",     "SELECT count(*) FROM response_facts",
    "SELECT sum(exchanges) FROM status_facts", "SELECT count(*) FROM asked_sessions",
    "SELECT count(*) FROM asked_logins",
};

static void due(struct store *s, const char *site)
{
    char sql[128];
    snprintf(sql, sizeof(sql), "UPDATE sites SET is_rule_due = name = '%s'", site);
    assert_int_equal(store_exec(s, sql), 0);
}

/* Over every site the views show what those of the database show, over one site its part. */
static void the_views_of_the_scope_are_parts_of_the_whole(void **state)
{
    (void)state;
    struct store *s = open_day();
    int64_t all[HR_ARRAY_LEN(counts)];
    int64_t sum[HR_ARRAY_LEN(counts)] = {0};
    for (size_t i = 0; i < HR_ARRAY_LEN(counts); i++) {
        all[i] = ask(s, counts[i]);
        assert_true(all[i] > 0);
    }
    assert_int_equal(scope_open(s, true), 0);
    assert_int_equal(scope_set_rule(s, "r", true), 0);
    for (size_t i = 0; i < HR_ARRAY_LEN(counts); i++) {
        assert_int_equal(ask(s, counts[i]), all[i]);
    }
    assert_int_equal(scope_begin_counts(s, "r", true), 0);
    static const char *const sites[] = {"shop.example", "img.example"};
    for (size_t k = 0; k < 4; k++) {
        due(s, sites[k / 2]);
        assert_int_equal(
            k % 2 == 0 ? scope_set_rule(s, "r", true) : scope_set_counting(s, "r", true), 0);
        for (size_t i = 0; i < HR_ARRAY_LEN(counts); i++) {
            const int64_t part = ask(s, counts[i]);
            assert_true(part < all[i] || all[i] == 1);
            sum[i] += part;
        }
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(counts); i++) {
        assert_int_equal(sum[i], 2 * all[i]);
    }
    assert_int_equal(scope_close(s, true), 0);
    store_close(s);
}

static int64_t exercised(struct store *s)
{
    return ask(s, "SELECT sum(exercised) FROM rule_runs");
}

/* One run of a rule that counts logins. */
static void count_logins(struct store *s, bool by_site)
{
    const int64_t shop = ask(s, "SELECT id FROM sites WHERE name = 'shop.example'");
    const int64_t images = ask(s, "SELECT id FROM sites WHERE name = 'img.example'");
    char sql[128];
    assert_int_equal(scope_open(s, false), 0);
    assert_int_equal(scope_set_counting(s, "r", by_site), 0);
    int64_t n[3];
    n[0] = ask(s, "SELECT count(*) FROM login_facts");
    for (size_t k = 1; k < 3; k++) {
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM login_facts WHERE site_id = %d",
                 (int)(k == 1 ? shop : images));
        n[k] = ask(s, sql);
    }
    assert_int_equal(scope_set_rule(s, "r", true), 0);
    assert_int_equal(scope_begin_counts(s, "r", by_site), 0);
    if (!by_site) {
        assert_int_equal(rule_run_put(s, "r", 0, n[0]), 0);
    }
    for (size_t k = 1; by_site && k < 3; k++) {
        if (n[k] > 0) {
            assert_int_equal(rule_run_put(s, "r", k == 1 ? shop : images, n[k]), 0);
        }
    }
    assert_int_equal(scope_close(s, true), 0);
}

/* A rule that was left out, or was not there, looks at what changed meanwhile when it is back. */
static void what_a_rule_missed_stays_due_for_it(void **state)
{
    (void)state;
    struct store *s = open_day();
    count_logins(s, true);
    due(s, "shop.example");
    assert_int_equal(scope_open(s, false), 0);
    assert_int_equal(scope_set_rule(s, "another", true), 0);
    assert_int_equal(scope_begin_counts(s, "another", true), 0);
    assert_int_equal(scope_close(s, true), 0);
    assert_int_equal(scope_open(s, false), 0);
    assert_int_equal(scope_set_rule(s, "another", true), 0);
    assert_int_equal(ask(s, "SELECT count(*) FROM temp.rule_scope"), 0);
    assert_int_equal(scope_set_rule(s, "r", true), 0);
    assert_int_equal(ask(s, "SELECT count(*) FROM temp.rule_scope"), 1);
    assert_int_equal(ask(s, "SELECT count(*) FROM temp.rule_scope JOIN sites ON id = site_id "
                            "WHERE name = 'shop.example'"),
                     1);
    assert_int_equal(scope_close(s, true), 0);
    store_close(s);
}

/* What is counted anew replaces what was counted of it; the rest stays, however a rule counts. */
static void counts_of_changed_sites_add_up(void **state)
{
    (void)state;
    struct store *s = open_day();
    count_logins(s, true);
    assert_int_equal(exercised(s), 3);
    due(s, "img.example");
    count_logins(s, true);
    assert_int_equal(exercised(s), 3);
    count_logins(s, true); /* nothing is due */
    assert_int_equal(exercised(s), 3);
    due(s, "shop.example");
    count_logins(s, false);
    assert_int_equal(exercised(s), 3);
    due(s, "shop.example");
    count_logins(s, true); /* it did not count by site before: all are counted anew */
    assert_int_equal(exercised(s), 3);
    due(s, "shop.example");
    count_logins(s, true);
    assert_int_equal(exercised(s), 3);
    store_close(s);
}

static int write_much(const struct query_row *row, void *user)
{
    (void)row;
    return store_exec(user, "INSERT INTO temp.much WITH n (i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                            "FROM n WHERE i < 20000) SELECT i FROM n");
}

/* What a row makes its reader write goes on to its end: SQLite would roll back all that is open. */
static void a_limit_of_steps_ends_the_reading_alone(void **state)
{
    (void)state;
    struct store *s = open_day();
    const struct query q = {
        .sql = HR_SPAN("WITH n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) "
                       "SELECT i FROM n WHERE i % 100000 = 1"),
        .time_limit_ms = 600000,
        .step_limit = 100000,
    };
    struct query_error e;
    assert_int_equal(store_begin(s), 0);
    assert_int_equal(store_exec(s, "CREATE TEMP TABLE much (i INTEGER)"), 0);
    assert_int_equal(query_run(s, &q, write_much, s, &e), -ETIMEDOUT);
    assert_int_equal(ask(s, "SELECT count(*) FROM temp.much"), 20000);
    assert_int_equal(store_commit(s), 0);
    store_close(s);
}

/* In a glance the marked operations are those of the sessions it names; in a run all of them. */
static void a_glance_shows_marks_of_its_sessions(void **state)
{
    (void)state;
    static const char late[] = "SELECT count(*) FROM late_grants";
    static const char flapped[] = "SELECT count(*) FROM flapped_denials";
    struct store *s = open_day();
    assert_int_equal(store_exec(s, "UPDATE operations SET kind = 5, ended_by_id = 8 "
                                   "WHERE session_id IN (1, 2);"
                                   "UPDATE operations SET kind = 6, granted_before_id = 8 "
                                   "WHERE session_id = 3;"),
                     0);
    const int64_t all = ask(s, late);
    const int64_t second = ask(s, "SELECT count(*) FROM late_grants WHERE session_id = 2");
    static const int64_t touched[] = {2, 77};
    struct scope_shared shared;
    struct scope_glance glance = {
        .since = 1, .sessions = touched, .session_count = 2, .steps = UINT64_MAX};
    assert_true(second > 0 && all > second);
    assert_int_equal(scope_open_glance(s, &glance, &shared), 0);
    assert_int_equal(ask(s, late), second);
    assert_int_equal(ask(s, flapped), 0);
    glance.session_count = 0;
    assert_int_equal(scope_open_glance(s, &glance, &shared), 0);
    assert_int_equal(ask(s, late), 0);
    assert_int_equal(scope_open(s, true), 0);
    assert_int_equal(scope_set_rule(s, "r", true), 0);
    assert_int_equal(ask(s, late), all);
    assert_int_equal(ask(s, flapped), 1);
    assert_int_equal(scope_begin_counts(s, "r", true), 0);
    due(s, "img.example");
    assert_int_equal(scope_set_rule(s, "r", true), 0);
    assert_true(ask(s, late) < all);
    assert_int_equal(scope_close(s, true), 0);
    store_close(s);
}

/* In a glance only what came in and the sessions it names are asked about. */
static void a_glance_asks_of_what_it_touches(void **state)
{
    (void)state;
    static const char sessions[] = "SELECT count(*) FROM asked_sessions";
    static const char logins[] = "SELECT count(*) FROM asked_logins";
    static const int64_t touched[] = {1};
    struct store *s = open_day();
    struct scope_shared shared;
    struct scope_glance glance = {
        .since = 1000, .sessions = touched, .session_count = 1, .steps = UINT64_MAX};
    assert_int_equal(ask(s, "SELECT count(*) FROM glance_facts"), 0);
    assert_int_equal(scope_open_glance(s, &glance, &shared), 0);
    assert_int_equal(ask(s, sessions), 1);
    assert_int_equal(ask(s, logins), 1);
    assert_int_equal(ask(s, "SELECT since_id FROM glance_facts"), 1000);
    glance.since = ask(s, "SELECT max(exchange_id) FROM exchange_facts");
    assert_int_equal(scope_open_glance(s, &glance, &shared), 0);
    assert_int_equal(ask(s, sessions), 2);
    assert_int_equal(ask(s, logins), 2);
    assert_int_equal(scope_set_since(s, 1), 0);
    assert_int_equal(ask(s, "SELECT since_id FROM glance_facts"), 1);
    assert_int_equal(ask(s, "SELECT count(*) FROM new_logins"), 3);
    assert_int_equal(ask(s, logins), 3);
    assert_int_equal(scope_asks_session(s, 1), 1);
    assert_int_equal(scope_asks_session(s, 1000000), 0);
    store_close(s);
}

/* Also where no rule was run at the glance that brought it. */
static void a_glance_knows_the_first_access_of_every_login(void **state)
{
    (void)state;
    static const char used[] = "SELECT count(*) FROM login_facts WHERE first_access_id IS NOT NULL";
    struct store *s = open_day();
    struct scope_shared shared;
    due(s, "img.example");
    count_logins(s, true);
    const int64_t last = ask(s, "SELECT max(exchange_id) FROM exchange_facts");
    const struct scope_glance glance = {.since = last + 3, .steps = UINT64_MAX};
    assert_int_equal(scope_open_glance(s, &glance, &shared), 0);
    assert_int_equal(ask(s, used), 1);
    assert_int_equal(
        store_exec(s, "INSERT INTO operations (id, role, session_id, kind, start_at, end_at) "
                      "SELECT (max(id) / 8 + 1) * 8, 3, (SELECT session_id FROM login_core "
                      "WHERE first_access_id IS NULL LIMIT 1), 6, max(end_at) + 1, max(end_at) + 2 "
                      "FROM operations"),
        0);
    assert_int_equal(scope_open_glance(s, &glance, &shared), 0);
    assert_int_equal(ask(s, used), 2);
    store_close(s);
}

/* For a rule that says what to compare, and for that one only. */
static void marks_to_compare_stand_for_all(void **state)
{
    (void)state;
    static const char marks[] = "SELECT count(*) FROM asked_marks";
    static const char one[] = "SELECT count(*) FROM asked_marks "
                              "WHERE exchange_id = 7 AND kind = 24 AND value = 5";
    struct store *s = open_day();
    struct scope_shared shared;
    const struct scope_glance glance = {.since = 1, .steps = UINT64_MAX};
    const int64_t all = ask(s, "SELECT count(*) FROM mark_facts");
    assert_true(all > 0);
    assert_int_equal(ask(s, marks), all);
    assert_int_equal(scope_open_glance(s, &glance, &shared), 0);
    assert_int_equal(ask(s, marks), all);
    assert_int_equal(scope_narrow_marks(s, true), 0);
    assert_int_equal(ask(s, marks), 0);
    assert_int_equal(scope_add_mark(s, 7, 24, 5), 0);
    assert_int_equal(ask(s, marks), 1);
    assert_int_equal(ask(s, one), 1);
    assert_int_equal(scope_narrow_marks(s, true), 0);
    assert_int_equal(ask(s, marks), 0);
    assert_int_equal(scope_narrow_marks(s, false), 0);
    assert_int_equal(ask(s, marks), all);
    store_close(s);
}

/* Also after runs that looked at some sites only, the first of all included. */
static void a_glance_shows_the_logins_of_every_site(void **state)
{
    (void)state;
    static const char logins[] = "SELECT count(*) FROM login_facts";
    struct store *s = open_day();
    struct scope_shared shared;
    const struct scope_glance glance = {.since = 1000, .steps = 0};
    for (size_t i = 0; i < 3; i++) {
        due(s, i == 1 ? "shop.example" : "img.example");
        count_logins(s, true);
        assert_int_equal(scope_open_glance(s, &glance, &shared), 0);
        assert_int_equal(ask(s, logins), 3);
    }
    assert_int_equal(store_exec(s, "UPDATE operations SET outcome = 2 WHERE role = 1"), 0);
    due(s, "shop.example");
    count_logins(s, true);
    assert_int_equal(scope_open_glance(s, &glance, &shared), 0);
    assert_int_equal(ask(s, "SELECT count(*) FROM login_facts WHERE outcome = 'failure'"), 1);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_views_of_the_scope_are_parts_of_the_whole),
        cmocka_unit_test(what_a_rule_missed_stays_due_for_it),
        cmocka_unit_test(counts_of_changed_sites_add_up),
        cmocka_unit_test(a_limit_of_steps_ends_the_reading_alone),
        cmocka_unit_test(a_glance_shows_marks_of_its_sessions),
        cmocka_unit_test(a_glance_asks_of_what_it_touches),
        cmocka_unit_test(a_glance_shows_the_logins_of_every_site),
        cmocka_unit_test(a_glance_knows_the_first_access_of_every_login),
        cmocka_unit_test(marks_to_compare_stand_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
