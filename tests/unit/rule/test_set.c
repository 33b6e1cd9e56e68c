#include "folder.h"
#include "rule/rule.h"
#include "support/test.h"

#include <errno.h>

struct scene {
    struct folder builtin, own;
    struct hr_buf errors;
    struct rule_set set;
};

static int set_up(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));
    folder_make(&s->builtin);
    folder_make(&s->own);
    hr_buf_init(&s->errors, SIZE_MAX);
    setenv("HEADRACE_RULES", s->builtin.path, 1);
    folder_write_rule(&s->builtin, "b-rule", "B", "SELECT 1", "SELECT 0");
    folder_write_rule(&s->builtin, "a-rule", "A", "SELECT 1", "SELECT 0");
    folder_write(&s->builtin, "README", "no rule");
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    rule_set_finish(&s->set);
    hr_buf_finish(&s->errors);
    folder_remove(&s->builtin);
    folder_remove(&s->own);
    free(s);
    return 0;
}

static int load(struct scene *s)
{
    const char *const folders[] = {s->own.path};
    return rule_set_load(folders, 1, keep_line, &s->errors, &s->set);
}

/* Rules are sorted by id, whatever folder they come from; a later folder replaces. */
static void a_later_folder_replaces(void **state)
{
    struct scene *s = *state;
    folder_write_rule(&s->own, "b-rule", "mine", "SELECT 1", "SELECT 0");
    folder_write_rule(&s->own, "c-rule", "C", "SELECT 1", "SELECT 0");
    assert_int_equal(load(s), 0);
    assert_int_equal(s->set.count, 3);
    assert_string_equal(s->set.rules[0].id, "a-rule");
    assert_string_equal(s->set.rules[1].title, "mine");
    assert_string_equal(s->set.rules[2].id, "c-rule");
    assert_string_equal(hr_buf_str(&s->errors), "");
}

/* A broken rule is named, and the others are there; its namesake of an earlier folder stays. */
static void a_broken_rule_is_left_out(void **state)
{
    struct scene *s = *state;
    folder_write(&s->own, "a-rule.sql", "/*\nid: a-rule\n*/\n");
    assert_int_equal(load(s), 1);
    assert_int_equal(s->set.count, 2);
    assert_string_equal(s->set.rules[0].title, "A");
    assert_non_null(strstr(hr_buf_str(&s->errors), "a-rule.sql:2: expected the key \"title\""));
}

static void a_missing_folder_is_an_error(void **state)
{
    struct scene *s = *state;
    const char *const folders[] = {"/nonexistent/rules"};
    assert_int_equal(rule_set_load(folders, 1, keep_line, &s->errors, &s->set), -ENOENT);
    assert_non_null(
        strstr(hr_buf_str(&s->errors), "/nonexistent/rules: the folder of rules cannot be read"));
}

static void parameters_are_assigned_by_name(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *assignment, *error;
    } wrong[] = {
        {"yields",          "expected SLUG.PARAMETER=VALUE"                           },
        {"a-rule=3",        "expected SLUG.PARAMETER=VALUE"                           },
        {"yields=a.b",      "expected SLUG.PARAMETER=VALUE"                           },
        {"z-rule.yields=3", "there is no rule \"z-rule\""                             },
        {"a-rule.most=3",   "the rule a-rule has no parameter \"most\"; it has yields"},
    };
    assert_int_equal(load(s), 0);
    assert_int_equal(rule_set_assign(&s->set, "a-rule.yields=a=b", &s->errors), 0);
    assert_string_equal(rule_set_find(&s->set, "a-rule")->parameters[0].value, "a=b");
    assert_string_equal(rule_set_find(&s->set, "b-rule")->parameters[0].value, "1");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        hr_buf_clear(&s->errors);
        assert_int_equal(rule_set_assign(&s->set, wrong[i].assignment, &s->errors), -EINVAL);
        assert_non_null(strstr(hr_buf_str(&s->errors), wrong[i].error));
    }
}

static void rules_are_switched_by_name(void **state)
{
    struct scene *s = *state;
    assert_int_equal(load(s), 0);
    assert_int_equal(rule_set_enable(&s->set, "a-rule", false), 0);
    assert_false(rule_set_find(&s->set, "a-rule")->enabled);
    assert_true(rule_set_find(&s->set, "b-rule")->enabled);
    assert_int_equal(rule_set_enable(&s->set, "z-rule", false), -ENOENT);
    assert_null(rule_set_find(&s->set, "z-rule"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_later_folder_replaces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_rule_is_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_folder_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parameters_are_assigned_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rules_are_switched_by_name, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
