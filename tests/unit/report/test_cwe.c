#include "base/alloc.h"
#include "base/buf.h"
#include "report/cwe.h"
#include "support/test.h"

/* What the references of a rule name, as "number name;". */
static const struct {
    const char *references, *want;
} cases[] = {
    {NULL,                                                              ""             },
    {"",                                                                ""             },
    {"CWE-613 Insufficient Session Expiration, CWE-362 Race Condition",
     "613 Insufficient Session Expiration;362 Race Condition;"                         },
    {"CWE-362, CWE-613",                                                "362 ;613 ;"   },
    {"RFC 9110, CWE-0, CWE-, CWE-20",                                   "20 ;"         },
    {"CWE-99999999999",                                                 "999999 99999;"},
};

static void references_name_entries(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        const char *rest = cases[i].references;
        unsigned number;
        struct hr_span name;
        struct hr_buf got;
        hr_buf_init(&got, SIZE_MAX);
        while (cwe_next(&rest, &number, &name)) {
            hr_buf_appendf(&got, "%u %.*s;", number, (int)name.len, name.ptr);
        }
        assert_string_equal(hr_buf_str(&got), cases[i].want);
        hr_buf_finish(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(references_name_entries)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
