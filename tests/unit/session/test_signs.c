/*
 * A sign is found wherever it stands in a text of whatever length, and a text without it has none.
 */
#include "base/alloc.h"
#include "session/signs.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    enum signs_text kind;
    enum sign sign;
    const char *text;
} cases[] = {
    {SIGNS_OF_JSON,  SIGN_NAME,       "ame"    },
    {SIGNS_OF_JSON,  SIGN_ID,         "id\""   },
    {SIGNS_OF_JSON,  SIGN_ERROR,      "\"er"   },
    {SIGNS_OF_JSON,  SIGN_SEAM,       "}{"     },
    {SIGNS_OF_JSON,  SIGN_SEAM,       "]\r\n {"},
    {SIGNS_OF_HTML,  SIGN_NAME,       "Hi "    },
    {SIGNS_OF_HTML,  SIGN_PASSWORD,   "SSW"    },
    {SIGNS_OF_HTML,  SIGN_END_TAG,    "</HTmL" },
    {SIGNS_OF_HTML,  SIGN_END_TAG,    "</html" },
    {SIGNS_OF_PLAIN, SIGN_IDENTIFIER, "1b2"    },
    {SIGNS_OF_JSON,  SIGN_IDENTIFIER, "202611" },
    {SIGNS_OF_HTML,  SIGN_IDENTIFIER, "@"      },
};

#define LONGEST 40

static void a_sign_is_found_wherever_it_stands(void **state)
{
    (void)state;
    struct signs *s = signs_create();
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        const size_t len = strlen(cases[i].text);
        for (size_t total = len; total <= LONGEST; total++) {
            for (size_t at = 0; at + len <= total; at++) {
                char *text = malloc(total); /* exact, so that a read behind it is noticed */
                assert_non_null(text);
                memset(text, '~', total);
                memcpy(text + at, cases[i].text, len);
                uint32_t found = signs_find(s, cases[i].kind, hr_span_of(text, total));
                free(text);
                if (found != SIGN_BIT(cases[i].sign)) {
                    fail_msg("\"%s\" at %zu of %zu bytes: 0x%x", cases[i].text, at, total, found);
                }
            }
        }
    }
    signs_destroy(s);
}

static void what_only_resembles_is_no_sign(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",      "am",  "}    {", "} x{",  "{}",    "</htm>l",
        "<html", "Ame", "12 34",  "12345", "a1 b2", "1-b-2",
    };
    struct signs *s = signs_create();
    for (size_t i = 0; i < HR_ARRAY_LEN(texts); i++) {
        for (enum signs_text kind = SIGNS_OF_JSON; kind <= SIGNS_OF_PLAIN; kind++) {
            if (signs_find(s, kind, hr_span_str(texts[i])) != 0) {
                fail_msg("kind %d: \"%s\"", (int)kind, texts[i]);
            }
        }
    }
    signs_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sign_is_found_wherever_it_stands),
        cmocka_unit_test(what_only_resembles_is_no_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
