#include "folder.h"
#include "rule/rule.h"
#include "store/read_report.h"
#include "support/test.h"

#include <errno.h>

/* A rule that yields findings 1 .. the value of its parameter, of no exchange. */
#define COLUMNS                                                                                    \
    "NULL AS exchange_id, NULL AS session_id, NULL AS site_id, value AS at, 'suspect' AS "         \
    "verdict, "                                                                                    \
    "printf('number %d', value) AS summary, '[\"a doubt\"]' AS caveats, "                          \
    "'[{\"role\": \"login\", \"exchange_id\": null, \"text\": \"t\"}]' AS evidence "
#define NUMBERS                                                                                    \
    "WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < "       \
    "(SELECT value + 0 FROM rule_parameters WHERE rule = 'a-rule' AND name = 'yields'))\n"         \
    "SELECT " COLUMNS "FROM n"
#define ONE "SELECT " COLUMNS "FROM (SELECT 7 AS value)"

struct scene {
    struct folder folder;
    struct hr_buf errors;
    struct rule_set set;
    struct store *store;
};

static int set_up(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));
    const struct store_config config = {.mode = STORE_WRITE};
    folder_make(&s->folder);
    hr_buf_init(&s->errors, SIZE_MAX);
    setenv("HEADRACE_RULES", s->folder.path, 1);
    assert_int_equal(hr_digest_setup(), 0);
    assert_int_equal(store_open(&config, &s->store), 0);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    store_close(s->store);
    rule_set_finish(&s->set);
    hr_buf_finish(&s->errors);
    folder_remove(&s->folder);
    free(s);
    return 0;
}

static void load(struct scene *s)
{
    assert_int_equal(rule_set_load(NULL, 0, keep_line, &s->errors, &s->set), 0);
}

static struct rule_run_result run(struct scene *s)
{
    struct rule_run_result result = {0};
    assert_int_equal(store_begin(s->store), 0);
    assert_int_equal(rule_set_run(&s->set, s->store, true, keep_line, &s->errors, &result), 0);
    assert_int_equal(store_commit(s->store), 0);
    struct rule_run_result numbers = result;
    for (size_t i = 0; i < result.broken; i++) {
        assert_non_null(strstr(result.failures[i].message, result.failures[i].rule));
        assert_non_null(strstr(hr_buf_str(&s->errors), result.failures[i].message));
    }
    rule_run_result_finish(&result);
    numbers.failures = NULL;
    return numbers;
}

static int count_finding(const struct finding_view *f, void *user)
{
    size_t *count = user;
    assert_string_equal(f->verdict, "suspect");
    assert_int_equal(f->evidence_count, 1);
    assert_string_equal(f->evidence[0].role, "login");
    assert_string_equal(f->caveats, "[\"a doubt\"]");
    (*count)++;
    return 0;
}

static size_t stored(struct scene *s)
{
    const struct read_filter all = READ_FILTER_ALL;
    size_t count = 0;
    assert_int_equal(read_findings(s->store, &all, count_finding, &count), 0);
    return count;
}

/* What a rule no longer yields is withdrawn, what it yields again is back, and nothing is doubled.
 */
static void findings_follow_the_facts(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *yields;
        size_t findings, fresh, withdrawn;
    } steps[] = {
        {"3", 3, 3, 0},
        {"3", 3, 0, 0},
        {"1", 1, 0, 2},
        {"2", 2, 0, 0},
        {"4", 4, 1, 0}
    };
    folder_write_rule(&s->folder, "a-rule", "A", NUMBERS, "SELECT 5");
    load(s);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        char assignment[64];
        snprintf(assignment, sizeof(assignment), "a-rule.yields=%s", steps[i].yields);
        assert_int_equal(rule_set_assign(&s->set, assignment, &s->errors), 0);
        const struct rule_run_result r = run(s);
        assert_int_equal(r.findings, steps[i].findings);
        assert_int_equal(r.new_findings, steps[i].fresh);
        assert_int_equal(r.withdrawn, steps[i].withdrawn);
        assert_int_equal(r.broken, 0);
        assert_int_equal(stored(s), steps[i].findings);
    }
    assert_string_equal(hr_buf_str(&s->errors), "");
}

static int exercised_of(const struct rule_run_view *v, void *user)
{
    int64_t *sum = user;
    if (strcmp(v->rule, "a-rule") == 0) {
        *sum += v->exercised;
    }
    return 0;
}

static void the_situation_is_counted(void **state)
{
    struct scene *s = *state;
    int64_t exercised = 0;
    folder_write_rule(&s->folder, "a-rule", "A", NUMBERS, "SELECT 5");
    load(s);
    run(s);
    assert_int_equal(read_rule_runs(s->store, exercised_of, &exercised), 0);
    assert_int_equal(exercised, 5);
    rule_set_finish(&s->set);
    folder_write_rule(&s->folder, "a-rule", "A", NUMBERS,
                      "SELECT 1 AS site_id, 3 AS exercised UNION ALL SELECT 2, 4");
    load(s);
    exercised = 0;
    run(s);
    assert_int_equal(read_rule_runs(s->store, exercised_of, &exercised), 0);
    assert_int_equal(exercised, 7);
}

/* What comes with the program counts right, and is not compiled in vain; of another rule a mistake
 * is to be told. */
static void nothing_is_looked_for_where_it_cannot_be(void **state)
{
    static const char broken[] = "SELECT " COLUMNS "FROM (SELECT 7 AS value) WHERE no_function()";
    struct scene *s = *state;
    struct folder other;
    folder_make(&other);
    folder_write_rule(&other, "a-rule", "A", NUMBERS, "SELECT 0");
    folder_write_rule(&other, "b-rule", "B", broken, "SELECT 0");
    const char *const folders[] = {other.path};
    assert_int_equal(rule_set_load(folders, 1, keep_line, &s->errors, &s->set), 0);
    struct rule_run_result r = run(s);
    assert_int_equal(r.findings, 1);
    assert_int_equal(r.broken, 1);
    rule_set_finish(&s->set);
    setenv("HEADRACE_RULES", other.path, 1);
    hr_buf_clear(&s->errors);
    load(s);
    r = run(s);
    assert_int_equal(r.findings, 0);
    assert_int_equal(r.withdrawn, 1);
    assert_int_equal(r.broken, 0);
    assert_string_equal(hr_buf_str(&s->errors), "");
    folder_remove(&other);
}

static int append_exercised(const struct rule_run_view *v, void *user)
{
    hr_buf_appendf(user, "%lld ", (long long)v->exercised);
    return 0;
}

/* Each run replaces what it counts of a site, by quarter hours too; a part is made of those it
 * touches. */
static void the_situation_is_counted_by_time(void **state)
{
    static const struct {
        const char *counts, *told;
    } steps[] = {
        {"VALUES (1, 0, 3), (1, 1, 4), (2, 1, 5), (1, 1, 1)", "13 10 10 "},
        {"VALUES (1, 1, 2), (2, 2, 6)",                       "8 2 8 "   },
        {"SELECT 1, 0, 0 WHERE 0",                            "8 2 8 "   }, /* of no site that is in the scope */
    };
    struct scene *s = *state;
    struct read_filter whole = READ_FILTER_ALL;
    struct read_filter from = READ_FILTER_ALL;
    struct read_filter quarter = READ_FILTER_ALL;
    from.since = HR_NSEC_PER_QUARTER + 5;
    quarter.since = HR_NSEC_PER_QUARTER;
    quarter.until = 2 * HR_NSEC_PER_QUARTER;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct hr_buf told;
        char second[256];
        hr_buf_init(&told, SIZE_MAX);
        snprintf(second, sizeof(second),
                 "WITH c (site_id, quarter, exercised) AS (%s) SELECT site_id, quarter, exercised "
                 "FROM c",
                 steps[i].counts);
        folder_write_rule(&s->folder, "a-rule", "A", NUMBERS, second);
        load(s);
        run(s);
        assert_int_equal(read_scope_rule_runs(s->store, &whole, append_exercised, &told), 0);
        assert_int_equal(read_scope_rule_runs(s->store, &quarter, append_exercised, &told), 0);
        assert_int_equal(read_scope_rule_runs(s->store, &from, append_exercised, &told), 0);
        assert_string_equal(hr_buf_str(&told), steps[i].told);
        hr_buf_finish(&told);
        rule_set_finish(&s->set);
    }
}

/* A rule may read the views and nothing else; one that fails is named, and the others run. */
static const struct {
    const char *name, *findings, *exercised, *error;
} broken[] = {
  /* clang-format off */
    {"a syntax error on its second line", "SELECT 1,\nFROM", "SELECT 1", "b-rule.sql:12: "},
    {"an unknown column", "SELECT exchange_id,\n  nowhere\nFROM exchange_facts", "SELECT 1",
     "b-rule.sql:12: no such column: nowhere"},
    {"too few columns", "SELECT 1 AS at", "SELECT 1", "b-rule.sql:11: \"verdict\" must be"},
    {"no time", "SELECT 'suspect' AS verdict, NULL AS at", "SELECT 1", "b-rule.sql:11: \"at\" must be"},
    {"evidence that is no JSON", "SELECT 1 AS at, 'suspect' AS verdict, '{' AS evidence",
     "SELECT 1", "b-rule.sql:11: malformed JSON"},
    {"evidence without a role", "SELECT 1 AS at, 'suspect' AS verdict, '[{}]' AS evidence",
     "SELECT 1", "b-rule.sql:11: each item"},
    {"caveats that are no texts", "SELECT 1 AS at, 'suspect' AS verdict, '[1]' AS caveats",
     "SELECT 1", "b-rule.sql:11: \"caveats\" must be"},
    {"no count", ONE, "SELECT 1 WHERE 0", "b-rule.sql:12: the second SELECT yielded no row"},
    {"two counts", ONE, "SELECT 1 UNION ALL SELECT 2",
     "b-rule.sql:12: the second SELECT must yield one row"},
    {"a count of no site", ONE, "SELECT NULL AS site_id, 2 AS exercised",
     "b-rule.sql:12: the second SELECT must yield a site and a count"},
    {"a count of no time", ONE, "SELECT 1 AS site_id, NULL AS quarter, 2 AS exercised",
     "b-rule.sql:12: the second SELECT must yield a site, a quarter hour and a count"},
    {"three columns of counts", ONE, "SELECT 1, 2, 3",
     "b-rule.sql:12: the second SELECT must have the column exercised"},
    {"the key", "SELECT * FROM meta", "SELECT 1", "b-rule.sql:11: access to meta."},
    {"an extension", "SELECT load_extension('x')", "SELECT 1", "b-rule.sql:11: not authorized"},
    {"a pragma as a table", "SELECT * FROM pragma_database_list", "SELECT 1", "b-rule.sql:11: "},
    {"a value of a gigabyte", "SELECT 1 AS at, hex(zeroblob(1000000000)) AS verdict", "SELECT 1",
     "b-rule.sql:11: string or blob too big"},
  /* clang-format on */
};

static void a_broken_rule_is_named_and_the_others_run(void **state)
{
    struct scene *s = *state;
    folder_write_rule(&s->folder, "a-rule", "A", NUMBERS, "SELECT 5");
    folder_write_rule(&s->folder, "c-rule", "C", ONE, "SELECT 5");
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        print_message("  %s\n", broken[i].name);
        folder_write_rule(&s->folder, "b-rule", "B", broken[i].findings, broken[i].exercised);
        hr_buf_clear(&s->errors);
        rule_set_finish(&s->set);
        load(s);
        const struct rule_run_result r = run(s);
        assert_int_equal(r.broken, 1);
        assert_int_equal(r.findings, 2);
        assert_int_equal(stored(s), 2);
        if (strstr(hr_buf_str(&s->errors), broken[i].error) == NULL) {
            assert_string_equal(hr_buf_str(&s->errors), broken[i].error);
        }
    }
}

/* A rule that breaks later keeps what it found; one that is left out too. */
static void findings_stay_while_a_rule_does_not_run(void **state)
{
    struct scene *s = *state;
    folder_write_rule(&s->folder, "a-rule", "A", NUMBERS, "SELECT 5");
    load(s);
    run(s);
    assert_int_equal(rule_set_enable(&s->set, "a-rule", false), 0);
    assert_int_equal(run(s).withdrawn, 0);
    assert_int_equal(stored(s), 1);
    rule_set_finish(&s->set);
    folder_write_rule(&s->folder, "a-rule", "A", "SELECT wrong", "SELECT 5");
    load(s);
    assert_int_equal(run(s).broken, 1);
    assert_int_equal(stored(s), 1);
}

static void checking_needs_no_facts(void **state)
{
    struct scene *s = *state;
    folder_write_rule(&s->folder, "a-rule", "A", NUMBERS, "SELECT 5");
    load(s);
    assert_int_equal(rule_set_check(&s->set, keep_line, &s->errors), 0);
    assert_string_equal(hr_buf_str(&s->errors), "");
    rule_set_finish(&s->set);
    folder_write_rule(&s->folder, "b-rule", "B", "SELECT 1 AS at, 2 AS summary", "SELECT 1, 2");
    load(s);
    assert_int_equal(rule_set_check(&s->set, keep_line, &s->errors), 1);
    assert_non_null(strstr(hr_buf_str(&s->errors),
                           "b-rule.sql:11: the first SELECT lacks the column \"exchange_id\", "));
    assert_non_null(strstr(hr_buf_str(&s->errors),
                           "b-rule.sql:12: the second SELECT must have the column exercised, or "
                           "site_id and exercised"));
    rule_set_finish(&s->set);
    folder_write_rule(&s->folder, "b-rule", "B", ONE, "SELECT 5;\nSELECT 1, 2, 3");
    load(s);
    assert_int_equal(rule_set_check(&s->set, keep_line, &s->errors), 1);
    assert_non_null(strstr(hr_buf_str(&s->errors),
                           "b-rule.sql:13: the third SELECT must have the columns exchange_id, "));
}

/* Where a glance has nothing to compare, the first SELECT is not run: here it fails. */
static void a_glance_compares_what_the_third_select_yields(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *third, *error;
    } cases[] = {
        {"SELECT 1 AS exchange_id, 24 AS kind, 9 AS value WHERE 0", ""                                                     },
        {"SELECT 1 AS exchange_id, 24 AS kind, 9 AS value",         "b-rule.sql:11: integer overflow"                      },
        {"SELECT 1 AS exchange_id, 25 AS kind, 9 AS value",         ""                                                     },
        {"SELECT 1, 24, 9",                                         "b-rule.sql:13: the third SELECT must have the columns"},
        {"SELECT 1 FROM nowhere",                                   "b-rule.sql:13: no such table: nowhere"                },
    };
    const struct rule_glance glance = {.since = 1};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rule_run_result r = {0};
        char more[256];
        snprintf(more, sizeof(more), "SELECT 5;\n%s", cases[i].third);
        folder_write_rule(&s->folder, "b-rule", "B",
                          "SELECT " COLUMNS "FROM (SELECT abs(-9223372036854775807 - value) AS "
                          "value FROM (SELECT 1 AS value FROM asked_marks WHERE kind = 24))",
                          more);
        hr_buf_clear(&s->errors);
        rule_set_finish(&s->set);
        load(s);
        assert_int_equal(store_begin(s->store), 0);
        assert_int_equal(rule_set_glance(&s->set, s->store, &glance, keep_line, &s->errors, &r), 0);
        assert_int_equal(store_commit(s->store), 0);
        assert_int_equal(r.broken, cases[i].error[0] != '\0');
        assert_non_null(strstr(hr_buf_str(&s->errors), cases[i].error));
        rule_run_result_finish(&r);
    }
}

/* The rules that come with the program, in the folder that meson names. */
static void the_own_rules_are_well_formed(void **state)
{
    struct scene *s = *state;
    setenv("HEADRACE_RULES", getenv("HEADRACE_OWN_RULES"), 1);
    load(s);
    assert_true(s->set.count >= 4);
    assert_int_equal(rule_set_check(&s->set, keep_line, &s->errors), 0);
    for (size_t i = 0; i < s->set.count; i++) {
        const struct rule *r = &s->set.rules[i];
        const char *const texts[] = {r->meaning,    r->cause,   r->confirm,   r->repair,
                                     r->lookalikes, r->silence, r->references};
        for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
            assert_string_not_equal(texts[k], "");
        }
    }
    assert_string_equal(hr_buf_str(&s->errors), "");
    assert_int_equal(run(s).broken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(findings_follow_the_facts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_situation_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_looked_for_where_it_cannot_be, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_situation_is_counted_by_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_rule_is_named_and_the_others_run, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(findings_stay_while_a_rule_does_not_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(checking_needs_no_facts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_glance_compares_what_the_third_select_yields, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_own_rules_are_well_formed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
