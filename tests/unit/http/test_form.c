#include "base/alloc.h"
#include "base/buf.h"
#include "http/form.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#define URLENCODED "application/x-www-form-urlencoded; charset=utf-8"
#define MULTIPART "multipart/form-data; boundary=\"xx\""

/* Content type, content, whether it is cut; the members: name=value, <file>, ~ where cut. */
static const struct {
    const char *type, *content;
    bool cut;
    const char *want;
} cases[] = {
    {URLENCODED,                          "user=al%69ce&pass=a+b%2B&empty=&flag",                                  false,
     "user=alice|pass=a b+|empty=|flag=|"                                                                                                                         },
    {URLENCODED,                          "user=alice&pass=sec",                                                   true,  "user=alice|pass=sec~|"                 },
    {URLENCODED,                          "user=alice\r\n",                                                        false, "user=alice|"                           },
    {URLENCODED,                          "",                                                                      false, ""                                      },
    {"APPLICATION/X-WWW-FORM-URLENCODED", "a=b",                                                                   false, "a=b|"                                  },
    {"application/json",                  "{\"a\": 1}",                                                            false, ""                                      },
    {"",                                  "a=b",                                                                   false, ""                                      },
    {MULTIPART,
     "--xx\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nalice\r\n"
     "--xx\r\ncontent-disposition: form-data; name=f; filename=\"x;y.txt\"\r\n"
     "Content-Type: text/plain\r\n\r\nl1\r\n--x\r\nl2\r\n--xx--\r\n",                                              false, "user=alice|f=l1\r\n--x\r\nl2<x;y.txt>|"},
    {MULTIPART,                           "preamble\r\n--xx\nContent-Disposition: form-data; name=a\n\nb\n--xx--", false,
     "a=b|"                                                                                                                                                       },
    {MULTIPART,                           "--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nbcd",         true,  "a=bcd~|"                               },
    {MULTIPART,                           "--xx\r\nContent-Disposition: form-data; na",                            true,  ""                                      },
    {MULTIPART,
     "--xx\r\n\r\nno name\r\n--xx\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--xx--",                    false, "a=|"                                   },
    {MULTIPART,                           "no delimiter",                                                          false, ""                                      },
    {"multipart/form-data",               "--xx\r\n",                                                              false, ""                                      },
};

static void members_of_forms_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct hr_arena arena;
        struct hr_buf out;
        struct http_form f;
        struct http_form_member m;
        char *exact = hr_xstrndup(cases[i].content, strlen(cases[i].content));
        hr_arena_init(&arena);
        hr_buf_init(&out, SIZE_MAX);
        http_form_init(&f, hr_span_str(cases[i].type), hr_span_str(exact), cases[i].cut, &arena);
        while (http_form_next(&f, &m)) {
            hr_buf_append(&out, m.name);
            hr_buf_append_char(&out, '=');
            hr_buf_append(&out, m.value);
            if (m.file_name.ptr != NULL) {
                hr_buf_append_char(&out, '<');
                hr_buf_append(&out, m.file_name);
                hr_buf_append_char(&out, '>');
            }
            hr_buf_append_str(&out, m.cut ? "~|" : "|");
        }
        if (strcmp(hr_buf_str(&out), cases[i].want) != 0) {
            fail_msg("%s: '%s' instead of '%s'", cases[i].content, hr_buf_str(&out), cases[i].want);
        }
        hr_buf_finish(&out);
        hr_arena_finish(&arena);
        free(exact);
    }
}

/* Whatever is cut off a form, the members before it stay, and nothing is read beyond. */
static void every_cut_is_survived(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        for (size_t len = 0; len <= strlen(cases[i].content); len++) {
            struct hr_arena arena;
            struct http_form f;
            struct http_form_member m;
            char *exact = hr_xmalloc(len > 0 ? len : 1);
            memcpy(exact, cases[i].content, len);
            hr_arena_init(&arena);
            http_form_init(&f, hr_span_str(cases[i].type), hr_span_of(exact, len), true, &arena);
            size_t count = 0;
            while (http_form_next(&f, &m)) {
                count++;
            }
            assert_true(count <= 5);
            hr_arena_finish(&arena);
            free(exact);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_of_forms_are_found),
        cmocka_unit_test(every_cut_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
