#include "base/alloc.h"
#include "report/caveats.h"
#include "support/test.h"

/* A rule's JSON comes out as its strings; what is broken ends the list and is never shown. */
static const struct {
    const char *json;
    const char *want; /* each string in <> */
} cases[] = {
    {NULL,                                 ""                                      },
    {"",                                   ""                                      },
    {"[]",                                 ""                                      },
    {"[\"one\"]",                          "<one>"                                 },
    {"[\"one\", \"two\"]",                 "<one><two>"                            },
    {"[\"a \\\"b\\\" \\\\ \\n\\t\"]",      "<a \"b\" \\ \n\t>"                     },
    {"[\"\\u00e9\\u20ac\\ud83d\\ude00\"]", "<\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80>"},
    {"[\"\\ud83d\"]",                      "<\xef\xbf\xbd>"                        },
    {"[\"open",                            ""                                      },
    {"[\"one\", \"open",                   "<one>"                                 },
    {"[\"bad \\x\"]",                      ""                                      },
    {"[\"bad \\u12\"]",                    ""                                      },
    {"[\"end \\",                          ""                                      },
    {"[1, \"two\"]",                       ""                                      },
    {"{\"a\": 1}",                         ""                                      },
};

static void strings_come_out(void **state)
{
    struct hr_buf text;
    struct hr_buf got;
    (void)state;
    hr_buf_init(&text, SIZE_MAX);
    hr_buf_init(&got, SIZE_MAX);
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        const char *rest = cases[i].json;
        hr_buf_clear(&got);
        while (caveats_next(&rest, &text)) {
            hr_buf_appendf(&got, "<%s>", hr_buf_str(&text));
        }
        assert_string_equal(hr_buf_str(&got), cases[i].want);
    }
    hr_buf_finish(&text);
    hr_buf_finish(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(strings_come_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
