#include "base/alloc.h"
#include "session/lists.h"
#include "support/test.h"

#include <string.h>

/* A phrase counts wherever it stands and however it is written, but only whole. */
static const struct {
    const char *name;
    const char *text;
    bool want;
} phrases[] = {
    {"alone",                 "login failed",                               true },
    {"inside a page",         "<p class=e>Sorry: Login Failed!</p>",        true },
    {"in capitals",           "LOGIN FAILED",                               true },
    {"at the end",            "<b>no such user",                            true },
    {"its last letter lacks", "<b>login faile",                             false},
    {"cut by a tag",          "login <b>failed</b>",                        false},
    {"behind a false start",  "lologlogin failed",                          true },
    {"one letter",            "l",                                          false},
    {"nothing",               "",                                           false},
    {"other words",           "welcome back, your orders are on their way", false},
};

static void finds_phrases(void **state)
{
    (void)state;
    struct lists *l = lists_create();
    for (size_t i = 0; i < HR_ARRAY_LEN(phrases); i++) {
        struct hr_span text = hr_span_str(phrases[i].text);
        if (lists_find_phrase(l, LIST_failure_phrases, text) != phrases[i].want) {
            fail_msg("%s", phrases[i].name);
        }
    }
    lists_destroy(l);
}

/* Every entry of the list is found, in either case. */
static void finds_each_phrase(void **state)
{
    (void)state;
    struct lists *l = lists_create();
    for (const char *const *word = session_list_failure_phrases; *word != NULL; word++) {
        char text[256] = "<p>";
        size_t len = strlen(*word);
        assert_true(len + 8 < sizeof(text));
        for (size_t i = 0; i < len; i++) {
            char c = (*word)[i];
            text[3 + i] = (char)(i % 2 == 0 && c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
        }
        if (!lists_find_phrase(l, LIST_failure_phrases, hr_span_of(text, 3 + len))) {
            fail_msg("%s", *word);
        }
    }
    lists_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_phrases),
        cmocka_unit_test(finds_each_phrase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
