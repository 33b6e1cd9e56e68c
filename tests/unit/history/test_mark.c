#include "base/alloc.h"
#include "history/check.h"
#include "literal.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

/* A mark names a contradiction that holds by itself; "grant<logout" and "grant<denial<grant", by
 * position in the history. */
static const struct {
    const char *name, *history, *want;
    hr_nsec epsilon;
} cases[] = {
    {"every grant after the logout",           "L[0,1] G[2,3] O[4,5] G[6,7] G[8,9]",      "3<2 4<2", 0},
    {"a grant that overlaps the logout",       "L[0,1] O[4,6] G[5,7] G[6,7] G[7,8]",      "4<1",     0},
    {"within the clock's doubt",               "L[0,0] O[4,6] G[7,8] G[10,11]",           "3<1",     3},
    {"a login between",                        "L[0,1] O[4,5] L[6,7] G[8,9]",             "",        0},
    {"a possible login between",               "L[0,1] O[4,5] M[6 G[8,9]",                "",        0},
    {"a possible login long before",           "M[0 O[4,5] G[8,9]",                       "",        0},
    {"a login that ends in the logout",        "L[0,4] O[4,5] G[8,9]",                    "",        0},
    {"a login after the grant",                "L[0,1] O[4,5] G[6,7] L[8,9] G[10,11]",    "2<1",     0},
    {"a login that the grant overlaps",        "L[0,1] O[4,5] G[6,8] L[8,9]",             "",        0},
    {"the logout that ended last",             "L[0,1] O[2,3] O[4,5] O[3,9] G[6,7]",      "4<2",     0},
    {"a login behind the one that ended last", "O[0,9] L[1,2] O[4,5] G[12,13]",           "3<2",     0},
    {"a logout without an answer",             "L[0,1] O[4 G[6,7]",                       "",        0},
    {"an access without an answer",            "L[0,1] O[4,5] G[6",                       "",        0},
    {"a flap on one endpoint",                 "G[0,1]a D[2,3]a G[4,5]a",                 "0<1<2",   0},
    {"on two endpoints",                       "G[0,1]a D[2,3]b G[4,5]a",                 "",        0},
    {"the nearest ones",                       "G[0,1]a G[1,2]a D[3,4]a G[5,6]a G[7,8]a", "1<2<3",   0},
    {"grants that overlap the denial",         "G[0,3]a D[3,4]a G[4,6]a",                 "",        0},
    {"expiry",                                 "G[0,1]a D[2,3]a D[4,5]a",                 "",        0},
    {"a login before the second grant",        "G[0,1]a D[2,3]a L[3,5] G[4,6]a",          "",        0},
    {"a login before the denial",              "L[0,1] G[2,3]a D[4,5]a G[6,7]a",          "1<2<3",   0},
    {"a logout before the denial",             "G[0,1]a O[2,3] D[4,5]a G[6,7]a",          "3<1",     0},
    {"a logout that overlaps the first grant", "G[0,2]a O[2,3] D[4,5]a G[6,7]a",          "3<1",     0},
    {"a logout behind the denial",             "G[0,1]a D[2,3]a O[4,5] G[6,7]a",          "3<2",     0},
    {"a logout that overlaps the last grant",  "G[0,1]a D[2,3]a G[4,6]a O[5,7]",          "0<1<2",   0},
    {"a logout over denial and grant",         "G[0,1]a O[2,9] D[4,5]a G[6,7]a",          "0<2<3",   0},
    {"a logout at the end",                    "G[0,1]a D[2,3]a G[4,5]a O[6,7]",          "0<1<2",   0},
    {"a flap within the clock's doubt",        "G[0,1]a D[3,4]a G[8,9]a",                 "",        3},
};

static void marks_name_each_contradiction(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        const struct literal l = literal_parse(cases[i].history);
        struct history_mark marks[LITERAL_LIMIT];
        history_mark(l.ops, l.count, cases[i].epsilon, marks);
        char got[256] = "";
        for (size_t k = 0; k < l.count; k++) {
            const size_t len = strlen(got);
            const char *space = len ? " " : "";
            if (marks[k].ended_by != HISTORY_NONE) {
                snprintf(got + len, sizeof(got) - len, "%s%zu<%zu", space, k, marks[k].ended_by);
            } else if (marks[k].granted_before != HISTORY_NONE) {
                snprintf(got + len, sizeof(got) - len, "%s%zu<%zu<%zu", space,
                         marks[k].granted_before, k, marks[k].granted_after);
            }
        }
        print_message("  %s: %s\n", cases[i].name, cases[i].history);
        assert_string_equal(got, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_name_each_contradiction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
