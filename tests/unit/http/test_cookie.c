#include "base/alloc.h"
#include "base/buf.h"
#include "http/cookie.h"
#include "support/test.h"

#include <string.h>

static void cookies_are_read_as_servers_read_them(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a=1; b=2",                "a=1|b=2|"      },
        {" a = 1 ;b=\"x y\" ;; c=", "a=1|b=x y|c=|" },
        {"sid=abc=def==",           "sid=abc=def==|"},
        {"lonely",                  "=lonely|"      },
        {"=v",                      "=v|"           },
        {"a=\"",                    "a=\"|"         },
        {"a=1,b=2",                 "a=1,b=2|"      },
        {"",                        ""              },
        {";;; ;",                   ""              },
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct hr_span rest = hr_span_str(cases[i][0]);
        struct http_cookie c;
        struct hr_buf out;
        hr_buf_init(&out, SIZE_MAX);
        while (http_cookie_next(&rest, &c)) {
            hr_buf_append(&out, c.name);
            hr_buf_append_char(&out, '=');
            hr_buf_append(&out, c.value);
            hr_buf_append_char(&out, '|');
        }
        assert_string_equal(hr_buf_str(&out), cases[i][1]);
        hr_buf_finish(&out);
    }
}

static struct http_set_cookie parsed(const char *text)
{
    struct http_set_cookie c;
    assert_true(http_set_cookie_parse(hr_span_str(text), &c));
    return c;
}

static void assert_span(struct hr_span got, const char *want)
{
    if (!hr_span_equal(got, hr_span_str(want))) {
        fail_msg("'%.*s' instead of '%s'", (int)got.len, got.ptr, want);
    }
}

static void attributes_are_read_leniently_the_last_counts(void **state)
{
    (void)state;
    struct http_set_cookie c =
        parsed("sid=\"abc\"; Path=/a; path=x; DOMAIN=.Example.org; Max-Age=60;"
               " HttpOnly; Secure=1; SameSite=lax; Partitioned");
    assert_span(c.name, "sid");
    assert_span(c.value, "abc");
    assert_false(c.has_path); /* the last Path does not begin with a slash */
    assert_span(c.domain, "Example.org");
    assert_true(c.has_max_age);
    assert_int_equal(c.max_age_seconds, 60);
    assert_true(c.http_only);
    assert_true(c.secure);
    assert_int_equal(c.same_site, HTTP_SAME_SITE_LAX);
    assert_false(c.has_expires);
    struct http_set_cookie bare = parsed("n=");
    assert_span(bare.value, "");
    assert_int_equal(bare.same_site, HTTP_SAME_SITE_ABSENT);
    assert_int_equal(parsed("n=v;SameSite=odd").same_site, HTTP_SAME_SITE_OTHER);
    assert_false(parsed("n=v; Max-Age=soon").has_max_age);
    assert_int_equal(parsed("n=v; Max-Age=99999999999999999999").max_age_seconds, INT64_MAX);
    struct http_set_cookie none;
    assert_false(http_set_cookie_parse(HR_SPAN("no pair"), &none));
    assert_false(http_set_cookie_parse(HR_SPAN("=v"), &none));
    assert_false(http_set_cookie_parse(HR_SPAN(""), &none));
}

/* 2024-05-01T00:00:00Z */
#define NOW (INT64_C(1714521600) * HR_NSEC_PER_SEC)

static void deletions_are_told_from_settings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool deletes;
    } cases[] = {
        {"s=x",                                                         false},
        {"s=",                                                          true },
        {"s=x; Max-Age=0",                                              true },
        {"s=x; Max-Age=-1",                                             true },
        {"s=x; Max-Age=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",       false},
        {"s=x; Max-Age=0; Expires=Wed, 01 Jan 2099 00:00:00 GMT",       true },
        {"s=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT",                  true },
        {"s=x; Expires=Tue, 30 Apr 2024 23:59:59 GMT",                  true },
        {"s=x; Expires=Wed, 01 May 2024 00:00:01 GMT",                  false},
        {"s=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0", true },
        {"s=x; Expires=never",                                          false},
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct http_set_cookie c = parsed(cases[i].text);
        if (http_set_cookie_is_deletion(&c, NOW) != cases[i].deletes) {
            fail_msg("%s", cases[i].text);
        }
    }
}

static void dates_are_read_in_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds; /* -1: no date */
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT",  784111777   },
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777   },
        {"Sun Nov  6 08:49:37 1994",       784111777   },
        {"Thu, 01 Jan 1970 00:00:00 GMT",  0           },
        {"Tue, 29 Feb 2000 12:00:00 GMT",  951825600   },
        {"Wed, 01-May-2024 00:00:00 UTC",  1714521600  },
        {"01 jan 69 0:0:0",                3124224000  },
        {"Fri, 31 Dec 9999 23:59:59 GMT",  253402300799},
        {"06 Nov 1994",                    -1          },
        {"08:49:37 06 Xyz 1994",           -1          },
        {"08:49:37 06 Nov 1500",           -1          },
        {"25:00:00 06 Nov 1994",           -1          },
        {"08:60:00 06 Nov 1994",           -1          },
        {"08:49:37 32 Nov 1994",           -1          },
        {"08:49:37 31 Nov 1994",           -1          },
        {"08:49:37 00 Nov 1994",           -1          },
        {"08:49:37 29 Feb 1900",           -1          },
        {"08:49:37 30 Feb 2000",           -1          },
        {"Sun, 31 Dec 1995 00:00:00 GMT",  820368000   },
        {"",                               -1          },
        {"99999999999999999999:9:9 1 1 1", -1          },
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        hr_nsec at = -1;
        bool ok = http_date_parse(hr_span_str(cases[i].text), &at);
        if (ok != (cases[i].seconds >= 0) || (ok && at != hr_nsec_from(cases[i].seconds, 0))) {
            fail_msg("%s: %lld", cases[i].text, (long long)at);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookies_are_read_as_servers_read_them),
        cmocka_unit_test(attributes_are_read_leniently_the_last_counts),
        cmocka_unit_test(deletions_are_told_from_settings),
        cmocka_unit_test(dates_are_read_in_every_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
