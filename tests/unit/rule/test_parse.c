#include "base/alloc.h"
#include "rule/parse.h"
#include "support/test.h"

#include <errno.h>
#include <string.h>

#define HEAD "/*\nid: a-rule\ntitle: T\nseverity: high\nmeaning: M\n"
#define SQL "*/\nSELECT 1;\nSELECT 2;\n"

/* What is wrong with a rule is said with its file and line. */
static const struct {
    const char *name, *text, *error;
} broken[] = {
    {"empty",                       "",                                                            "a-rule.sql:1: expected a comment /* ... */ with the rule's description"},
    {"no front matter",             "SELECT 1; SELECT 2;",
     "a-rule.sql:1: expected a comment /* ... */ with the rule's description"                                                                                              },
    {"a comment without end",       "/*\nid: a-rule\n",
     "a-rule.sql:1: the comment at the beginning does not end"                                                                                                             },
    {"a slash alone ends none",     "/*/ SELECT 1",
     "a-rule.sql:1: the comment at the beginning does not end"                                                                                                             },
    {"no YAML",                     "/*\nid: a-rule\n\ttitle: T\n*/",                              "a-rule.sql:3: "                                                        },
    {"an empty comment",            "/**/ SELECT 1; SELECT 2;",
     "a-rule.sql: the comment at the beginning is empty"                                                                                                                   },
    {"an unknown key",              HEAD "sevrity: low\n" SQL,                                     "a-rule.sql:6: "                                                        },
    {"no title",                    "/*\nid: a-rule\nseverity: high\nmeaning: M\n" SQL,
     "a-rule.sql:2: expected the key \"title\""                                                                                                                            },
    {"an empty title",              "/*\nid: a-rule\ntitle: ''\nseverity: high\nmeaning: M\n" SQL,
     "a-rule.sql:3: \"title\" is empty"                                                                                                                                    },
    {"an unknown severity",         "/*\nid: a-rule\ntitle: T\nseverity: bad\nmeaning: M\n" SQL,
     "a-rule.sql:4: "                                                                                                                                                      },
    {"another id than the file's",  "/*\nid: b-rule\ntitle: T\nseverity: high\nmeaning: M\n" SQL,
     "a-rule.sql:2: the id is \"b-rule\", so the file must be b-rule.sql"                                                                                                  },
    {"an id that is no slug",       "/*\nid: A rule\ntitle: T\nseverity: high\nmeaning: M\n" SQL,
     "a-rule.sql:2: an id has a-z, 0-9 and - only"                                                                                                                         },
    {"a parameter without default", HEAD "parameters:\n  limit:\n    help: H\n" SQL,
     "a-rule.sql:7: expected a \"default\""                                                                                                                                },
    {"no SELECT",                   HEAD "*/\n",                                                   "a-rule.sql:7: expected two SELECTs"                                    },
    {"one SELECT",                  HEAD "*/\nSELECT 1;\n",                                        "a-rule.sql:8: expected two SELECTs"                                    },
    {"four SELECTs",                HEAD "*/\nSELECT 1;\nSELECT 2;\nSELECT 3;\nSELECT 4;\n",
     "a-rule.sql:10: expected two SELECTs"                                                                                                                                 },
    {"no SELECT but a DELETE",      HEAD "*/\nSELECT 1;\nDELETE FROM sites;\n",
     "a-rule.sql:8: expected a SELECT"                                                                                                                                     },
};

static void what_is_wrong_is_said_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(broken); i++) {
        struct rule rule;
        struct hr_buf error;
        hr_buf_init(&error, SIZE_MAX);
        print_message("  %s\n", broken[i].name);
        assert_int_equal(rule_parse("a-rule.sql", hr_span_str(broken[i].text), &rule, &error),
                         -EINVAL);
        const struct hr_span want = hr_span_str(broken[i].error);
        if (!hr_span_has_prefix(hr_buf_span(&error), want)) {
            assert_string_equal(hr_buf_str(&error), broken[i].error);
        }
        hr_buf_finish(&error);
    }
}

/* Statements end at semicolons that stand in nothing else. */
static const struct {
    const char *name, *text, *want;
} cuts[] = {
    {"two",                        "SELECT 1; SELECT 2;",                      "1:SELECT 1|1:SELECT 2|"              },
    {"without the last semicolon", "SELECT 1;\n\nSELECT 2\n",                  "1:SELECT 1|3:SELECT 2|"              },
    {"in a string",                "SELECT ';'; SELECT 'it''s; ';",            "1:SELECT ';'|1:SELECT 'it''s; '|"    },
    {"in a name",                  "SELECT \"a;b\", [c;d], `e;f`;",            "1:SELECT \"a;b\", [c;d], `e;f`|"     },
    {"in comments",                "SELECT 1 -- one; two\n, 2 /* ; */;",       "1:SELECT 1 -- one; two\n, 2 /* ; */|"},
    {"a quote in a comment",       "SELECT 1 -- it's\n; SELECT 2",             "1:SELECT 1 -- it's|2:SELECT 2|"      },
    {"comments before",            "-- one\n/* two; */ ;\n SELECT 1;-- end\n", "3:SELECT 1|"                         },
    {"a string without end",       "SELECT 'a; SELECT 2;",                     "1:SELECT 'a; SELECT 2;|"             },
    {"a comment without end",      "SELECT 1 /* ; SELECT 2;",                  "1:SELECT 1 /* ; SELECT 2;|"          },
    {"nothing",                    " \n;; -- nothing\n",                       ""                                    },
    {"minus and slash",            "SELECT 1 - 2 / 3;",                        "1:SELECT 1 - 2 / 3|"                 },
};

static void statements_end_where_they_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cuts); i++) {
        struct hr_span rest = hr_span_str(cuts[i].text);
        struct rule_statement found;
        struct hr_buf got;
        unsigned line = 1;
        hr_buf_init(&got, SIZE_MAX);
        while (rule_next_statement(&rest, &line, &found)) {
            hr_buf_appendf(&got, "%u:", found.line);
            hr_buf_append(&got, found.text);
            hr_buf_append_char(&got, '|');
        }
        print_message("  %s\n", cuts[i].name);
        assert_string_equal(hr_buf_str(&got), cuts[i].want);
        hr_buf_finish(&got);
    }
}

static void a_whole_rule_is_read(void **state)
{
    (void)state;
    struct rule r;
    struct hr_buf error;
    hr_buf_init(&error, SIZE_MAX);
    const char *text =
        "/*\nid: a-rule\ntitle: T\nseverity: low\nmeaning: >\n  It is\n  folded.\n"
        "parameters:\n  least:\n    default: 3\n    help: How many.\n*/\n"
        "-- what it yields\nWITH a AS (SELECT 1)\nSELECT * FROM a;\n-- how often\nSELECT 2;\n"
        "SELECT 3;\n";
    assert_int_equal(rule_parse("some/a-rule.sql", hr_span_str(text), &r, &error), 0);
    assert_string_equal(r.id, "a-rule");
    assert_string_equal(r.meaning, "It is folded.");
    assert_string_equal(r.cause, "");
    assert_true(r.enabled);
    assert_int_equal(r.parameter_count, 1);
    assert_string_equal(r.parameters[0].name, "least");
    assert_string_equal(r.parameters[0].value, "3");
    assert_string_equal(r.findings_sql, "WITH a AS (SELECT 1)\nSELECT * FROM a");
    assert_int_equal(r.findings_line, 14);
    assert_string_equal(r.exercised_sql, "SELECT 2");
    assert_int_equal(r.exercised_line, 17);
    assert_string_equal(r.glance_sql, "SELECT 3");
    assert_int_equal(r.glance_line, 18);
    rule_finish(&r);
    hr_buf_finish(&error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_said_with_its_line),
        cmocka_unit_test(statements_end_where_they_end),
        cmocka_unit_test(a_whole_rule_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
