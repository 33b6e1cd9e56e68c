#include "base/alloc.h"
#include "base/buf.h"
#include "http/target.h"
#include "support/test.h"

#include <string.h>

static void append(struct hr_buf *out, const char *name, struct hr_span s)
{
    if (s.ptr != NULL) {
        hr_buf_appendf(out, " %s=", name);
        hr_buf_append(out, s);
    }
}

static void targets_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        bool is_connect;
        const char *want; /* form, then the parts that are there */
    } cases[] = {
        {"/a/b?x=1&y#z",        false, "0 path=/a/b query=x=1&y fragment=z"                       },
        {"/",                   false, "0 path=/"                                                 },
        {"//evil/a",            false, "0 path=//evil/a"                                          },
        {"/a??b",               false, "0 path=/a query=?b"                                       },
        {"http://u:p@h:81/a?q", false, "1 scheme=http userinfo=u:p host=h port=81 path=/a query=q"},
        {"http://h",            false, "1 scheme=http host=h path="                               },
        {"http://h?q",          false, "1 scheme=http host=h path= query=q"                       },
        {"http://[::1]:8080/x", false, "1 scheme=http host=::1 port=8080 path=/x"                 },
        {"h:443",               true,  "2 host=h port=443 path="                                  },
        {"[2001:db8::1]:443",   true,  "2 host=2001:db8::1 port=443 path="                        },
        {"*",                   false, "3 path=*"                                                 },
        {"a/b?c",               false, "4 path=a/b query=c"                                       },
        {"",                    false, "4 path="                                                  },
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct http_target t;
        struct hr_buf out;
        hr_buf_init(&out, SIZE_MAX);
        http_target_parse(hr_span_str(cases[i].target), cases[i].is_connect, &t);
        hr_buf_appendf(&out, "%d", (int)t.form);
        append(&out, "scheme", t.scheme);
        append(&out, "userinfo", t.parts.userinfo);
        append(&out, "host", t.parts.host);
        append(&out, "port", t.parts.port);
        append(&out, "path", t.path);
        append(&out, "query", t.query);
        append(&out, "fragment", t.fragment);
        if (strcmp(hr_buf_str(&out), cases[i].want) != 0) {
            fail_msg("%s: '%s'", cases[i].target, hr_buf_str(&out));
        }
        hr_buf_finish(&out);
    }
}

static void parameters_are_found_and_decoded(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
  /* query, path, parameters */
        {"a=1&b=%41+c&&d&=e&f=%zz", NULL,                           "a=1|b=A c|d|=e|f=%zz|"},
        {"",                        NULL,                           ""                     },
        {NULL,                      "/a;x=1/b;jsessionid=Q%20;y/c", "x=1|jsessionid=Q |y|" },
        {NULL,                      "/a;/b;;z=1",                   "z=1|"                 },
        {NULL,                      "/plain",                       ""                     },
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        bool is_query = cases[i][0] != NULL;
        struct hr_span rest = hr_span_str(cases[i][is_query ? 0 : 1]);
        struct http_param p;
        struct hr_buf out;
        struct hr_arena arena;
        hr_buf_init(&out, SIZE_MAX);
        hr_arena_init(&arena);
        while (is_query ? http_query_next(&rest, &p) : http_path_param_next(&rest, &p)) {
            hr_buf_append(&out, http_decode(&arena, p.name, true));
            if (p.value.ptr != NULL) {
                hr_buf_append_char(&out, '=');
                hr_buf_append(&out, http_decode(&arena, p.value, true));
            }
            hr_buf_append_char(&out, '|');
        }
        assert_string_equal(hr_buf_str(&out), cases[i][2]);
        hr_arena_finish(&arena);
        hr_buf_finish(&out);
    }
}

/* RFC 3986 5.4, and what redirects look like. */
static void references_are_resolved(void **state)
{
    (void)state;
    static const char *const cases[][4] = {
  /* target, Host, reference, result */
        {"/b/c/d;p?q",              "a",               "g",                        "//a/b/c/g"               },
        {"/b/c/d;p?q",              "a",               "./g",                      "//a/b/c/g"               },
        {"/b/c/d;p?q",              "a",               "g/",                       "//a/b/c/g/"              },
        {"/b/c/d;p?q",              "a",               "/g",                       "//a/g"                   },
        {"/b/c/d;p?q",              "a",               "//g",                      "//g/"                    },
        {"/b/c/d;p?q",              "a",               "?y",                       "//a/b/c/d;p?y"           },
        {"/b/c/d;p?q",              "a",               "g?y#s",                    "//a/b/c/g?y"             },
        {"/b/c/d;p?q",              "a",               "",                         "//a/b/c/d;p?q"           },
        {"/b/c/d;p?q",              "a",               ".",                        "//a/b/c/"                },
        {"/b/c/d;p?q",              "a",               "..",                       "//a/b/"                  },
        {"/b/c/d;p?q",              "a",               "../..",                    "//a/"                    },
        {"/b/c/d;p?q",              "a",               "../../../g",               "//a/g"                   },
        {"/b/c/d;p?q",              "a",               "/./g/../h",                "//a/h"                   },
        {"/b/c/d;p?q",              "a",               "g..",                      "//a/b/c/g.."             },
        {"/login",                  "Shop.Example:80", "http://SHOP.example/home", "http://shop.example/home"},
        {"/login",                  "h:8080",          "https://u@h:443/x",        "https://h/x"             },
        {"http://P.example:81/a/b", "other",           "c",                        "http://p.example:81/a/c" },
        {"/login",                  "",                "/home",                    "/home"                   },
        {"/login",                  "h",               "mailto:x@y",               NULL                      },
        {"/login",                  "h",               "javascript:void(0)",       NULL                      },
        {"/login",                  "h",               " /home ",                  "//h/home"                },
 /* RFC 3986 5.2.2 as user agents read it: the base's own scheme says nothing */
        {"http://a:81/b/c",         "",                "http:g",                   "http://a:81/b/g"         },
        {"http://a:81/b/c?q",       "",                "HTTP:",                    "http://a:81/b/c?q"       },
        {"https://a/b/c",           "",                "https:/g",                 "https://a/g"             },
        {"/b/c",                    "a",               "http:/g",                  "http://a/g"              },
        {"/b/c",                    "a:443",           "https:g",                  "https://a/b/g"           },
 /* another one without an authority is no URL (RFC 9110 4.2.1) */
        {"https://a:80/b/c",        "",                "http:/80/",                NULL                      },
        {"http://a:443/b/c",        "",                "https:g",                  NULL                      },
        {"https://a:80/b/c",        "",                "http://a:80/g",            "http://a/g"              },
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct hr_arena arena;
        struct http_url base;
        struct http_url u;
        struct hr_buf out;
        hr_arena_init(&arena);
        hr_buf_init(&out, SIZE_MAX);
        http_url_of_request(&arena, hr_span_str(cases[i][0]), hr_span_str(cases[i][1]), &base);
        bool ok = http_url_resolve(&arena, &base, hr_span_str(cases[i][2]), &u);
        assert_int_equal(ok, cases[i][3] != NULL);
        if (ok) {
            hr_buf_append(&out, u.scheme);
            hr_buf_append_str(&out, u.scheme.ptr != NULL ? ":" : "");
            hr_buf_append_str(&out, u.authority.ptr != NULL ? "//" : "");
            hr_buf_append(&out, u.authority);
            hr_buf_append(&out, u.path);
            hr_buf_append_str(&out, u.query.ptr != NULL ? "?" : "");
            hr_buf_append(&out, u.query);
            if (strcmp(hr_buf_str(&out), cases[i][3]) != 0) {
                fail_msg("%s: '%s' instead of '%s'", cases[i][2], hr_buf_str(&out), cases[i][3]);
            }
        }
        hr_buf_finish(&out);
        hr_arena_finish(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_taken_apart),
        cmocka_unit_test(parameters_are_found_and_decoded),
        cmocka_unit_test(references_are_resolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
