/*
 * Who an answer says it is for, and what in it may be one user's alone: as marks, without a secret.
 */
#include "base/alloc.h"
#include "lab.h"
#include "session/walk.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *line;
    const char *want; /* kind:text of each mark, kinds without a text alone */
} answers[] = {
  /* JSON: at the top, in objects about the user, surest first; never in lists. */
    {"GET /api/me cookie:sid=$a => 200 json:{\"username\":\"alice\",\"n\":1}",                  "24:alice"},
    {"GET /api/items cookie:sid=$a => 200 json:{\"user\":\"alice\"}",                           "25:alice"},
    {"GET /me cookie:sid=$a => 200 json:{\"data\":{\"user\":{\"id\":17,\"email\":\"a@b.c\"}}}",
     "24:a@b.c 26 24"                                                                                     },
    {"GET /api/items cookie:sid=$a => 200 json:{\"items\":[{\"user\":\"bob\"}]}",               ""        },
    {"GET /api/items cookie:sid=$a => 200 json:{\"order\":{\"user\":\"bob\"}}",                 ""        },
    {"GET /api/items cookie:sid=$a => 200 json:{\"name\":\"bob\"}",                             ""        },
    {"GET /me => 200 json:{\"username\":\"alice\"}",                                            ""        },
    {"POST /graphql cookie:sid=$a json:{\"q\":1} => 200 json:{\"user\":\"bob\"}",               ""        },
 /* What the request names is what was asked for. */
    {"GET /users/bob cookie:sid=$a => 200 json:{\"username\":\"Bob\"}",                         ""        },
    {"GET /profile?id=17 cookie:sid=$a => 200 json:{\"username\":\"bob\",\"id\":17}",           "25:bob"  },
    {"GET /v15/me cookie:sid=$a => 200 json:{\"name\":\"bob\",\"id\":15}",                      "24 24"   },
 /* An id may be a session's: no text. */
    {"GET /session cookie:sid=$a => 200 json:{\"login\":\"$b\"}",                               "24 28"   },
 /* HTML */
    {"GET /home cookie:sid=$a => 200 html:<p>Welcome,_alice!</p>",                              "25:alice"},
    {"GET /home cookie:sid=$a => 200 html:<p>You_are_logged_in_as_<b>alice</b>.</p>",           "25:alice"},
    {"GET /home cookie:sid=$a => 200 html:<!--_Hello_bob_--><script>'Hello_bob'</script>",      ""        },
    {"GET /home cookie:sid=$a => 200 html:<p>Othello_bob</p>",                                  ""        },
    {"GET /home cookie:sid=$a => 200 html:<p>Welcome_to_our_shop_for_all_of_you</p>",           ""        },
 /* Values */
    {"GET /x cookie:sid=$a => 200 html:<p>acct-b2f2775b9c_2026-11-22_1795377891</p>",           "28"      },
    {"GET /x cookie:sid=$a => 200 html:<p>a</p></html>acct-b2f2775b9c",                         "29"      },
    {"GET /x cookie:sid=$a => 200 html:<a_href=\"/app.3f9c2d1b77aa.js\">x</a>",                 ""        },
    {"GET /x cookie:sid=$a => 200 json:{\"a\":\"x\",acct-b2f2775b9c_\"b\":1}",                  "29"      },
    {"GET /x cookie:sid=$a => 200 text:seen_by_acct-b2f2775b9c.",                               "28"      },
    {"GET /x cookie:sid=$a => 200 "
     "json:[\"a1b2c3d41\",\"a1b2c3d42\",\"a1b2c3d43\",\"a1b2c3d44\",\"a1b2c3d45\"]",                                                                                          "28 28 28 28 31"                    },
    {"GET /x => 200 html:<p>acct-b2f2775b9c</p>",                                                                                         ""                                 },
 /* What the request holds is no surprise, however it is written there. */
    {"GET /orders/ord-77120934 cookie:sid=$a => 200 json:{\"id\":\"ORD-77120934\"}",            "30"      },
    {"GET /x?to=%2Forders%2Ford-77120934 cookie:sid=$a => 200 text:/orders/ord-77120934",       "30"      },
    {"POST /login form:username=al&password=x&next=%2Flogin%3Fto%3Dbob%2540b.example"
     " => 303 location:/ text:Found._bob@b.example",                                            "22 30"   },
    {"POST /pay cookie:sid=$a form:to=bob%40b.example => 303 location:/",                       "32"      },
    {"POST /pay cookie:sid=$a json:{\"to\":\"acct-b2f2775b9c\"} => 200 json:{\"ok\":true}",     "32"      },
 /* Requests */
    {"POST /login form:username=alice@b.c&password=x => 303 location:/",                                                                                         "22 23"},
    {"POST /admin/impersonate/7 cookie:sid=$a form:x=y => 303 location:/",                                                                                         "27"                               },
    {"GET /x?_switch_user=bob cookie:sid=$a => 302 location:/",                                                                                         "27"           },
    {"GET /account cookie:sid=$a => 200 html:<p>x</p>",                                                                                         ""                                       },
};

static void marks_text(const struct exchange_facts *f, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < f->mark_count && len < size; i++) {
        const struct fact_mark *m = &f->marks[i];
        len += (size_t)snprintf(out + len, size - len, "%s%d%s%.*s", len > 0 ? " " : "",
                                (int)m->kind, m->text.ptr != NULL ? ":" : "", (int)m->text.len,
                                m->text.ptr != NULL ? m->text.ptr : "");
    }
}

static void answers_are_marked(void **state)
{
    (void)state;
    int bad = 0;
    for (size_t i = 0; i < HR_ARRAY_LEN(answers); i++) {
        struct lab *lab = lab_create(NULL);
        const char *const lines[] = {answers[i].line, NULL};
        char got[256];
        lab_add(lab, lines);
        marks_text(lab_facts(lab, 0), got, sizeof(got));
        if (strcmp(got, answers[i].want) != 0) {
            printf("%s\n  want %s\n  got  %s\n", answers[i].line, answers[i].want, got);
            bad++;
        }
        lab_destroy(lab);
    }
    assert_int_equal(bad, 0);
}

/* The same name in another case, and the same value elsewhere, have the same mark. */
static void values_of_marks_are_comparable(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "POST /login form:username=Alice&password=x => 303 location:/",
        "GET /me cookie:sid=$a => 200 json:{\"username\":\"aLICE\"}",
        "GET /x cookie:sid=$a => 200 html:<p>acct-b2f2775b9c</p>",
        "GET /y cookie:sid=$a => 200 json:{\"n\":\"acct-b2f2775b9c\"}",
        NULL,
    };
    struct lab *lab = lab_create(NULL);
    lab_add(lab, lines);
    assert_int_equal(lab_facts(lab, 0)->marks[0].value, lab_facts(lab, 1)->marks[0].value);
    assert_int_equal(lab_facts(lab, 2)->marks[0].value, lab_facts(lab, 3)->marks[0].value);
    lab_destroy(lab);
}

/* Nobody can say what an answer lacks of which the end was not read. */
static void ends_that_were_not_read_are_marked(void **state)
{
    (void)state;
    static const struct {
        const char *piece;
        size_t count;
        const char *want;
    } pages[] = {
        {"<p>x</p>", 1900, "28"   },
        {"<p>x</p>", 2100, "28 31"}, /* too many pieces */
        {"lorem_",   5000, "28"   },
        {"lorem_",   6000, "28 31"}, /* too long */
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(pages); i++) {
        struct lab *lab = lab_create(NULL);
        struct hr_buf line;
        char got[256];
        hr_buf_init(&line, SIZE_MAX);
        hr_buf_append_str(&line, "GET /x cookie:sid=$a => 200 html:<p>acct-b2f2775b9c</p>");
        for (size_t k = 0; k < pages[i].count; k++) {
            hr_buf_append_str(&line, pages[i].piece);
        }
        const char *const lines[] = {hr_buf_str(&line), NULL};
        lab_add(lab, lines);
        marks_text(lab_facts(lab, 0), got, sizeof(got));
        assert_string_equal(got, pages[i].want);
        assert_true(lab_facts(lab, 0)->mark_count == 1 || lab_facts(lab, 0)->marks[1].value == -1);
        hr_buf_finish(&line);
        lab_destroy(lab);
    }
}

/* Whatever the bytes, the walks end and stay inside them: run under the sanitizers. */
static void walks_are_bounded(void **state)
{
    (void)state;
    static const char alphabet[] = "{}[]\":,\\<>/!-a1 .@script";
    uint32_t seed = 7;
    for (size_t round = 0; round < 3000; round++) {
        size_t len = round % 97;
        char *bytes = hr_xmalloc(len + 1);
        for (size_t i = 0; i < len; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
        }
        struct json_walk json = {.text = hr_span_of(bytes, len)};
        struct html_walk html = {.rest = hr_span_of(bytes, len)};
        struct json_item item;
        struct hr_span text;
        size_t steps = 0;
        while (json_walk_next(&json, &item)) {
            json_walk_in_array(&json);
            assert_true(item.value.len <= len && ++steps <= len);
        }
        while (html_walk_next(&html, &text)) {
            assert_true(text.len <= len && ++steps <= 2 * len);
        }
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_marked),
        cmocka_unit_test(values_of_marks_are_comparable),
        cmocka_unit_test(ends_that_were_not_read_are_marked),
        cmocka_unit_test(walks_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
