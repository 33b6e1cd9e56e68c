#include "base/alloc.h"
#include "cmd/suggest.h"
#include "support/test.h"

static const char *const known[] = {"audit", "list", "show", "rules", "profile", "db"};

/* What is a slip of the fingers away is meant; what is another word is not. */
static const struct {
    const char *word;
    const char *want;
} cases[] = {
    {"audti",                                                   "audit"  },
    {"adit",                                                    "audit"  },
    {"AUDIT",                                                   "audit"  },
    {"lits",                                                    "list"   },
    {"profil",                                                  "profile"},
    {"pro",                                                     "profile"},
    {"rule",                                                    "rules"  },
    {"x",                                                       NULL     },
    {"",                                                        NULL     },
    {"somethingelse",                                           NULL     },
    {"audit-everything-that-there-is-in-this-very-long-folder", NULL     },
};

static void near_words_are_meant(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        const char *got = cmd_suggest(cases[i].word, known, HR_ARRAY_LEN(known));
        if (cases[i].want == NULL) {
            assert_null(got);
        } else {
            assert_non_null(got);
            assert_string_equal(got, cases[i].want);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(near_words_are_meant)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
