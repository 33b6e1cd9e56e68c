#include "base/alloc.h"
#include "rule/suppress.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HASH "0123456789abcdef0123456789ABCDEF"
#define WHO "    reason: R\n    owner: O\n"
#define ITEM(text) "suppressions:\n  - " text "\n" WHO

/* What is wrong with a file is said with its line and with what was expected. */
static const struct {
    const char *name;
    const char *text;
    const char *error; /* begins with ":LINE: " or, without a line, with ": " */
} broken[] = {
    {"an empty file",                  "",                                                            ": an empty file; expected suppressions: and a list, which may be []"},
    {"a remark alone",                 "# nothing\n",                                                 ": an empty file; "                                                  },
    {"a list alone",                   "- rule: x\n",                                                 ":1: "                                                               },
    {"no list",                        "suppressions:\n  rule: x\n",                                  ":1: 'suppressions': expected a list"                                },
    {"an unknown key of the file",     "supressions: []\n",                                           ":1: "                                                               },
    {"an unknown key",                 ITEM("rule: x\n    until: 2026-01-01"),                        ":3: "                                                               },
    {"neither fingerprint nor rule",   ITEM("site: x"),
     ":2: it names no finding; expected fingerprint"                                                                                                                       },
    {"nothing but reason and owner",   "suppressions:\n  - reason: R\n    owner: O\n",
     ":2: it names no finding"                                                                                                                                             },
    {"two ways",                       ITEM("rule: x\n    group: " HASH),                             ":2: it names findings in two ways"                                  },
    {"a site without a rule",          ITEM("group: " HASH "\n    site: x"),
     ":3: site and endpoint go with rule"                                                                                                                                  },
    {"no reason",                      "suppressions:\n  - rule: x\n    owner: O\n",                  ":2: reason is missing"                                              },
    {"no owner",                       "suppressions:\n  - rule: x\n    reason: R\n",                 ":2: owner is missing"                                               },
    {"an empty reason",                "suppressions:\n  - rule: x\n    reason: ' '\n    owner: O\n",
     ":3: reason is empty"                                                                                                                                                 },
    {"a short fingerprint",            ITEM("fingerprint: 12ab"),
     ":2: \"12ab\" is no fingerprint; expected the 32"                                                                                                                     },
    {"a fingerprint of other letters", ITEM("fingerprint: xyz3456789abcdef0123456789abcdef"),
     ":2: "                                                                                                                                                                },
    {"a bad date",                     ITEM("rule: x\n    expires: soon"),
     ":3: \"soon\" is no date; expected one as 2026-12-31"                                                                                                                 },
    {"a day that is none",             ITEM("rule: x\n    expires: 2026-02-31"),                      ":3: "                                                               },
    {"another order of a date",        ITEM("rule: x\n    expires: 31.12.2026"),                      ":3: "                                                               },
    {"a method in small letters",      ITEM("rule: x\n    endpoint: get /x"),
     ":3: \"get /x\" is no endpoint"                                                                                                                                       },
    {"an endpoint without a slash",    ITEM("rule: x\n    endpoint: home"),                           ":3: "                                                               },
    {"a method alone",                 ITEM("rule: x\n    endpoint: 'GET '"),                         ":3: "                                                               },
    {"a rule that is a list",          ITEM("rule: [x]"),                                             ":2: "                                                               },
    {"no YAML",                        "suppressions:\n\t- x\n",                                      ":2: "                                                               },
};

static char *write_file(const char *text)
{
    char name[] = "/tmp/suppress-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return hr_xstrdup(name);
}

static void errors_name_the_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(broken); i++) {
        char *path = write_file(broken[i].text);
        struct suppression_set *set = NULL;
        struct hr_buf error;
        hr_buf_init(&error, SIZE_MAX);
        int r = suppression_set_load(path, &set, &error);
        const char *said = hr_buf_str(&error);
        if (r != -EINVAL || set != NULL || strncmp(said, path, strlen(path)) != 0 ||
            strncmp(said + strlen(path), broken[i].error, strlen(broken[i].error)) != 0) {
            fail_msg("%s: %d, %s", broken[i].name, r, said);
        }
        hr_buf_finish(&error);
        unlink(path);
        free(path);
    }
}

static void a_file_that_is_not_there(void **state)
{
    (void)state;
    struct suppression_set *set = NULL;
    struct hr_buf error;
    hr_buf_init(&error, SIZE_MAX);
    assert_int_equal(suppression_set_load("/nowhere/x.yaml", &set, &error), -ENOENT);
    assert_non_null(strstr(hr_buf_str(&error), "/nowhere/x.yaml"));
    hr_buf_finish(&error);
}

static struct suppression_set *load(const char *text)
{
    char *path = write_file(text);
    struct suppression_set *set = NULL;
    struct hr_buf error;
    hr_buf_init(&error, SIZE_MAX);
    if (suppression_set_load(path, &set, &error) < 0) {
        fail_msg("%s", hr_buf_str(&error));
    }
    hr_buf_finish(&error);
    unlink(path);
    free(path);
    return set;
}

static void items_are_read(void **state)
{
    (void)state;
    struct suppression_set *set = load(
        "suppressions:\n"
        "  - fingerprint: " HASH "\n" WHO "  - {group: " HASH
        ", reason: R, owner: O, expires: 1970-01-02}\n"
        "  - {rule: x, reason: R, owner: O, expires: '1970-01-01T00:00:05Z'}\n"
        "  - {rule: 'a[b]*?', site: '*.Example', endpoint: 'GET /u/{id}', reason: R, owner: O}\n");
    assert_int_equal(suppression_set_count(set), 4);
    const struct suppression_row *row = suppression_set_get(set, 0);
    assert_string_equal(row->fingerprint, "0123456789abcdef0123456789abcdef");
    assert_null(row->group);
    assert_null(row->rule);
    assert_true(row->expires_at == HR_NSEC_INFINITE);
    assert_non_null(strstr(row->place, ":2"));
    row = suppression_set_get(set, 1);
    assert_non_null(row->group);
    assert_true(row->expires_at == 2 * 24 * 3600 * HR_NSEC_PER_SEC); /* that day is still in it */
    row = suppression_set_get(set, 2);
    assert_string_equal(row->site, "*");
    assert_string_equal(row->method, "*");
    assert_string_equal(row->path, "*");
    assert_true(row->expires_at == 5 * HR_NSEC_PER_SEC);
    row = suppression_set_get(set, 3);
    assert_string_equal(row->rule, "a[[]b]*[?]");
    assert_string_equal(row->site, "*.example");
    assert_string_equal(row->method, "GET");
    assert_string_equal(row->path, "/u/{id}");
    suppression_set_destroy(set);
}

static void rules_are_known_by_pattern(void **state)
{
    (void)state;
    struct rule rules[] = {{.id = "mass-reset"}, {.id = "status-flap"}};
    const struct rule_set known = {.rules = rules, .count = 2};
    static const struct {
        const char *rule;
        bool is_known;
    } cases[] = {
        {NULL,          true },
        {"status-flap", true },
        {"mass*",       true },
        {"*-*ap",       true },
        {"*",           true },
        {"mass",        false},
        {"flap*",       false},
        {"",            false},
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        const struct suppression_row row = {.rule = cases[i].rule};
        assert_int_equal(suppression_knows_rule(&row, &known), cases[i].is_known);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_name_the_line),
        cmocka_unit_test(a_file_that_is_not_there),
        cmocka_unit_test(items_are_read),
        cmocka_unit_test(rules_are_known_by_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
