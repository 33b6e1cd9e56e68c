/* What stays of a message is its form: S3cr3t and its like are gone, names and numbers of the
 * protocol are not. */
#include "base/alloc.h"
#include "base/buf.h"
#include "evidence/message.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct hr_key key = {{7}};

/* In every text "S3cr3t", "Alice" and 10.1.2.3 are private; `kept` must stand in what comes out. */
static const struct {
    const char *name;
    bool is_response;
    const char *text;
    const char *kept;
} cases[] = {
    {"query",          false, "GET /a/b?user=Alice&token=S3cr3t&x HTTP/1.1\r\nHost: www.example\r\n\r\n",
     "GET /a/b?user="                                                                                                                                    },
    {"flag alone",     false, "GET /a?S3cr3t HTTP/1.1\r\n\r\n",                                           "GET /a?"                                      },
    {"percent",        false, "GET /a?token=%533cr3t HTTP/1.1\r\n\r\n",                                   "GET /a?token=%"                               },
    {"path",           false, "GET /users/12345/S3cr3tS3cr3tS3cr3t HTTP/1.1\r\n\r\n",                     "GET /users/"                                  },
    {"path parameter", false, "GET /app;jsessionid=S3cr3t HTTP/1.1\r\n\r\n",
     "GET /app;jsessionid="                                                                                                                              },
    {"userinfo",       false, "GET http://Alice:S3cr3t@10.1.2.3:80/x HTTP/1.1\r\nHost: 10.1.2.3\r\n\r\n",
     ":80/x HTTP/1.1\r\nHost: "                                                                                                                          },
    {"cookies",        false, "GET / HTTP/1.1\r\nCookie: a=S3cr3t; b=\"Alice\"\r\n\r\n",                  "Cookie: a="                                   },
    {"bearer",         false, "GET / HTTP/1.1\r\nAuthorization: Bearer S3cr3t\r\n\r\n",
     "Authorization: Bearer "                                                                                                                            },
    {"basic",          false, "GET / HTTP/1.1\r\nAuthorization: Basic QWxpY2U6UzNjcjN0\r\n\r\n",
     "Authorization: Basic "                                                                                                                             },
    {"unknown field",  false, "GET / HTTP/1.1\r\nX-Thing: S3cr3t 10.1.2.3\r\n\r\n",                       "X-Thing: "                                    },
    {"folded",         false, "GET / HTTP/1.1\r\nX-A: b\r\n S3cr3t\r\n\r\n",                              "X-A: "                                        },
    {"no colon",       false, "GET / HTTP/1.1\r\nS3cr3t\r\n\r\n",                                         "GET / HTTP/1.1\r\n"                           },
    {"no start line",  false, "S3cr3t Alice\r\n\r\n",                                                     ""                                             },
    {"cut head",       false, "GET / HTTP/1.1\r\nCookie: a=S3cr",                                         "Cookie: a="                                   },
    {"form",           false,
     "POST /login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
     "Content-Length: 33\r\n\r\nusername=Alice&password=S3cr3t%21",                                       "username="                                    },
    {"json",           false,
     "POST /login HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"
     "{\"user\": \"Al\\u0069ce\", \"password\":\"S3cr3t\\n\", \"ok\":true, \"ip\":\"10.1.2.3\"}",         "\"ok\":true"                                  },
    {"multipart",      false,
     "POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n"
     "--b\r\nContent-Disposition: form-data; name=\"p\"\r\n\r\nS3cr3t\r\n--b--\r\n",                      "Content-Type: multipart/form-data; boundary=b"},
    {"set-cookie",     true,
     "HTTP/1.1 200 OK\r\nSet-Cookie: sid=S3cr3t; Path=/; HttpOnly; Max-Age=60\r\n\r\n",                   "; Path=/; HttpOnly; Max-Age=60"               },
    {"redirect",       true,  "HTTP/1.1 302 Found\r\nLocation: /home?token=S3cr3t\r\n\r\n",
     "Location: /home?token="                                                                                                                            },
    {"reason",         true,  "HTTP/1.1 302 Moved S3cr3tS3cr3tS3cr3t\r\n\r\n",                            "HTTP/1.1 302 Moved "                          },
    {"html",           true,
     "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p class='Alice'>S3cr3t 10.1.2.3</p>"
     "<input type=hidden name=csrf value=\"S3cr3t\"><script>var t='S3cr3t<b';</script>",                  "<input type=hidden name=csrf value=\""        },
    {"chunked",        true,
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"
     "8\r\n{\"t\":\"S3\r\n6;x=S3cr3t\r\ncr3t\"}\r\n0\r\nX-Trailer: S3cr3t\r\n\r\n",                       "\r\n0\r\nX-Trailer: "                         },
    {"broken chunks",  true,
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nS3cr3t\r\n",                        "\r\n2\r\n"                                    },
    {"gzip",           true,  "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nS3cr3t",                  "xxxxxx"                                       },
    {"picture",        true,  "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\nS3cr3t",                 "xxxxxx"                                       },
    {"no type",        true,  "HTTP/1.1 200 OK\r\n\r\nS3cr3t Alice 10.1.2.3",                             "HTTP/1.1 200 OK"                              },
    {"binary",         true,  "HTTP/1.1 200 OK\r\n\r\n\001S3cr3t",                                        "xxxxxxx"                                      },
    {"interim",        true,
     "HTTP/1.1 103 Early\r\nLink: S3cr3t\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nS3cr3t",      "\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6" },
    {"upgraded",       true,  "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nS3cr3t",                       "xxxxxx"                                       },
    {"not http",       true,  "S3cr3t Alice",                                                             ""                                             },
};

static void private_is_gone_and_form_stays(void **state)
{
    (void)state;
    static const char *const secrets[] = {"S3cr3t", "s3cr3t",  "Alice", "10.1.2.3", "UzNjcjN0",
                                          "3cr3t",  "\\u0069", "533cr", "S3cr"};
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct addresses *a = addresses_create(&key);
        struct disguise *d = disguise_create(&key, a);
        size_t len = strlen(cases[i].text);
        char *bytes = hr_xstrdup(cases[i].text);
        message_replace(d, bytes, len, cases[i].is_response);
        for (size_t k = 0; k < HR_ARRAY_LEN(secrets); k++) {
            if (strstr(bytes, secrets[k]) != NULL) {
                fail_msg("%s: %s stands in\n%s", cases[i].name, secrets[k], bytes);
            }
        }
        if (strstr(bytes, cases[i].kept) == NULL) {
            fail_msg("%s: not in\n%s", cases[i].name, bytes);
        }
        assert_int_equal(strlen(bytes), len);
        free(bytes);
        disguise_destroy(d);
        addresses_destroy(a);
    }
}

/* Wherever it stands, in whatever case and coding. */
static void same_value_same_replacement(void **state)
{
    (void)state;
    struct addresses *a = addresses_create(&key);
    struct disguise *d = disguise_create(&key, a);
    char plain[] = "Ab12-cD34";
    char url[] = "%41b12-cD34";
    char other[] = "ab12-cd35";
    char upper[] = "AB12-CD34";
    char kept[] = "/x/ab12/y";
    disguise_text(d, plain, strlen(plain), WORD_PLAIN, WORD_SECRET);
    disguise_text(d, url, strlen(url), WORD_URL, WORD_SECRET);
    disguise_text(d, other, strlen(other), WORD_PLAIN, WORD_SECRET);
    disguise_text(d, upper, strlen(upper), WORD_PLAIN, WORD_VALUE);
    disguise_text(d, kept, strlen(kept), WORD_PLAIN, WORD_KEEP);
    assert_string_equal(url + 3, plain + 1);
    assert_memory_not_equal(other + 5, plain + 5, 4);
    for (size_t i = 0; plain[i] != '\0'; i++) {
        assert_int_equal(hr_ascii_lower(plain[i]), hr_ascii_lower(upper[i]));
    }
    assert_memory_equal(kept + 3, other, 4); /* known to be secret by now */
    assert_memory_equal(kept, "/x/", 3);
    disguise_destroy(d);
    addresses_destroy(a);
}

static void two_values_stay_two(void **state)
{
    (void)state;
    struct addresses *a = addresses_create(&key);
    struct disguise *d = disguise_create(&key, a);
    bool seen[1000] = {false};
    for (unsigned i = 100; i < 1000; i++) {
        char text[8];
        snprintf(text, sizeof(text), "%u", i);
        disguise_text(d, text, 3, WORD_PLAIN, WORD_VALUE);
        unsigned n = (unsigned)atoi(text);
        assert_false(seen[n]);
        seen[n] = true;
    }
    disguise_destroy(d);
    addresses_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(private_is_gone_and_form_stays),
        cmocka_unit_test(same_value_same_replacement),
        cmocka_unit_test(two_values_stay_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
