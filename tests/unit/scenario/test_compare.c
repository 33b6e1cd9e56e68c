#include "base/alloc.h"
#include "scenario/frame.h"
#include "scenario/ruletest.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCENARIO                                                                                   \
    "    scenario:\n"                                                                              \
    "      exchanges:\n"                                                                           \
    "        - {label: one, at: 0ms, request: GET /, response: 200}\n"                             \
    "        - {label: two, at: 9ms, request: GET /, response: 200}\n"

/* A test passes if and only if the findings of its rules are exactly the expected ones. */
static const struct {
    const char *name;
    const char *expect;
    struct {
        const char *rule, *verdict, *label;
    } found[3];
    int64_t exercised;
    const char *why; /* part of the explanation; NULL: passes */
} cases[] = {
    {"nothing, as expected",          "expect: []",                           {{0}},                                                    0, NULL                                   },
    {"one at its place",              "expect: [{verdict: proven, at: one}]", {{"r", "proven", "one"}},                                 1, NULL                                   },
    {"one too many",
     "expect: [{verdict: proven, at: one}]",                                  {{"r", "proven", "one"}, {"r", "proven", "two"}},
     1,                                                                                                                                    "not expected: proven r at 'two'"      },
    {"none",
     "expect: [{verdict: proven, at: one}]",                                  {{0}},
     1,                                                                                                                                    "expected 1 proven r at 'one', found 0"},
    {"another place",
     "expect: [{verdict: proven, at: one}]",                                  {{"r", "proven", "two"}},
     1,                                                                                                                                    "expected 1 proven r at 'one', found 0"},
    {"another verdict",
     "expect: [{verdict: suspect, at: one}]",                                 {{"r", "proven", "one"}},
     1,                                                                                                                                    "not expected: proven r at 'one'"      },
    {"any verdict, any place",
     "expect: [{count: 2}]",                                                  {{"r", "proven", "one"}, {"r", "suspect", "two"}},
     1,                                                                                                                                    NULL                                   },
    {"other rules do not matter",     "expect: []",                           {{"other", "proven", "one"}},                             1, NULL                                   },
    {"other rules that are named do",
     "expect: [{rule: other, at: two}]",                                      {{"other", "proven", "one"}, {"other", "proven", "two"}},
     1,                                                                                                                                    "not expected: proven other at 'one'"  },
    {"the exact one chooses first",
     "expect: [{count: 1}, {at: one}]",                                       {{"r", "proven", "one"}, {"r", "proven", "two"}},
     1,                                                                                                                                    NULL                                   },
    {"not exercised",                 "expect: []\n    exercised: true",      {{0}},                                                    0, "r was not exercised"                  },
    {"exercised otherwise",
     "expect: []\n    exercised: 2",                                          {{0}},
     1,                                                                                                                                    "to be exercised 2 times, it was 1"    },
};

static void load(const char *expect, struct rule_test_file *f)
{
    char folder[] = "/tmp/headrace-test-XXXXXX";
    char path[64];
    struct hr_buf error;
    FILE *out;
    hr_buf_init(&error, SIZE_MAX);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/r.yaml", folder);
    out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out, "tests:\n  - name: test\n%s    %s\n", SCENARIO, expect);
    fclose(out);
    if (rule_test_file_load(path, f, &error) < 0) {
        fail_msg("%s", hr_buf_str(&error));
    }
    remove(path);
    remove(folder);
    hr_buf_finish(&error);
}

static void findings_are_exactly_the_expected_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct rule_test_file f;
        struct rule_test_found found[3] = {{0}};
        char client[NET_ADDRESS_TEXT_SIZE];
        size_t count = 0;
        struct hr_buf why;
        bool passed;
        hr_buf_init(&why, SIZE_MAX);
        load(cases[i].expect, &f);
        for (; count < 3 && cases[i].found[count].rule != NULL; count++) {
            struct scenario_place p;
            assert_true(scenario_find(f.tests[0].scenario, cases[i].found[count].label, &p));
            found[count] = (struct rule_test_found){
                .rule = cases[i].found[count].rule,
                .verdict = cases[i].found[count].verdict,
                .client = frame_address_format(&p.client.address, client),
                .client_port = p.client.port,
                .at = p.request_at,
            };
        }
        passed = rule_test_compare(&f, &f.tests[0], found, count, cases[i].exercised, &why);
        if (passed != (cases[i].why == NULL) ||
            (cases[i].why != NULL && strstr(hr_buf_str(&why), cases[i].why) == NULL)) {
            fail_msg("%s: %s, \"%s\"", cases[i].name, passed ? "passed" : "failed",
                     hr_buf_str(&why));
        }
        hr_buf_finish(&why);
        rule_test_file_finish(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_are_exactly_the_expected_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
