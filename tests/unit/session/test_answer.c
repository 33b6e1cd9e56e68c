/*
 * What an answer's bytes tell of how it was made, as marks: "4:19 Go's net/http" is mark 4 with the
 * value 19 and that text. Innocent bytes give "".
 */
#include "base/alloc.h"
#include "session/extract.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_LIMIT 40

struct answer {
    const char *name;
    const char *method; /* NULL: GET */
    unsigned status;
    const char *fields; /* "Name: value" a line */
    const char *content;
    const char *want;
};

static struct extractor *extractor(void)
{
    static struct hr_key key;
    memset(key.bytes, 7, sizeof(key.bytes));
    assert_true(hr_digest_setup() >= 0);
    struct extract_config config = {
        .key = &key, .known_token_limit = 100, .content_bytes = 65536, .expansion_limit = 100};
    return extractor_create(&config);
}

static size_t read_fields(const char *lines, struct http_field *fields)
{
    struct hr_span rest = hr_span_str(lines);
    size_t n = 0;
    while (rest.len > 0 && n < FIELD_LIMIT) {
        struct hr_span value = hr_span_cut(&rest, '\n');
        struct hr_span name = hr_span_cut(&value, ':');
        fields[n++] = (struct http_field){name, hr_span_trim(value)};
    }
    return n;
}

static void write_marks(const struct exchange_facts *f, struct hr_buf *out)
{
    hr_buf_clear(out);
    for (size_t i = 0; i < f->mark_count; i++) {
        const struct fact_mark *m = &f->marks[i];
        if (m->kind >= MARK_REQUEST_ID_SENT) {
            continue;
        }
        hr_buf_appendf(out, "%s%d:%lld", out->len > 0 ? ", " : "", (int)m->kind,
                       (long long)m->value);
        if (m->text.len > 0) {
            hr_buf_append_char(out, ' ');
            hr_buf_append(out, m->text);
        }
    }
}

/* @param complete  nothing of the content is missing */
static void marks_of(const struct answer *a, struct hr_span content, bool complete,
                     struct hr_buf *out)
{
    struct extractor *e = extractor();
    struct http_field host = {HR_SPAN("Host"), HR_SPAN("shop.example")};
    struct http_field fields[FIELD_LIMIT];
    static struct exchange_facts facts;
    struct http_exchange x = {
        .has_request = true,
        .has_response = true,
        .request = {.method = hr_span_str(a->method != NULL ? a->method : "GET"),
                    .target = HR_SPAN("/shop/page"),
                    .version = 11,
                    .fields = &host,
                    .field_count = 1,
                    .head_complete = true,
                    .complete = true,
                    .first = {1000, 1, 0},
                    .last = {1000, 1, 0}},
        .response = { .status = a->status,
                    .version = 11,
                    .fields = fields,
                    .field_count = read_fields(a->fields, fields),
                    .content = content,
                    .content_bytes = content.len,
                    .head_complete = true,
                    .complete = complete,
                    .content_cut = !complete,
                    .first = {2000, 2, 0},
                    .last = {3000, 2, 0}},
    };
    struct net_endpoint server = {.port = 80};
    extractor_feed(e, &x, &server, &server, &facts);
    write_marks(&facts, out);
    extractor_destroy(e);
}

static void check(const struct answer *cases, size_t count)
{
    struct hr_buf got;
    int bad = 0;
    hr_buf_init(&got, 4096);
    for (size_t i = 0; i < count; i++) {
        marks_of(&cases[i], hr_span_str(cases[i].content), true, &got);
        if (strcmp(hr_buf_str(&got), cases[i].want) != 0) {
            fprintf(stderr, "%s: '%s', not '%s'\n", cases[i].name, hr_buf_str(&got), cases[i].want);
            bad++;
        }
    }
    hr_buf_finish(&got);
    assert_int_equal(bad, 0);
}

#define HTML "Content-Type: text/html; charset=utf-8\n"
#define TO_LOGIN HTML "Location: /login?a=1&b=2"
#define GO_TEXT "<a href=\"/login?a=1&amp;b=2\">Found</a>.\n\n"
#define PAGE "<!DOCTYPE html>\n<html><body><h1>Statement</h1></body></html>\n"

static void redirects(void **state)
{
    (void)state;
    static const struct answer cases[] = {
        {"Go's text alone",                     NULL,   302, TO_LOGIN,                                    GO_TEXT,                                ""                                },
        {"and a page",                          NULL,   302, TO_LOGIN,                                    GO_TEXT PAGE,                           "4:19 Go's net/http"              },
        {"and JSON",                            NULL,   302, TO_LOGIN,                                    GO_TEXT "{\"balance\":1}",              "4:18 Go's net/http"              },
        {"and a text",                          NULL,   302, TO_LOGIN,                                    GO_TEXT "booked\n",                     "4:17 Go's net/http"              },
        {"and a script",                        NULL,   302, TO_LOGIN,                                    GO_TEXT "<!-- x --><script>1</script>",
         "4:20 Go's net/http"                                                                                                                                                       },
        {"another status",                      NULL,   303, TO_LOGIN,
         "<a href=\"/login?a=1&amp;b=2\">See Other</a>.\n\nmore",                                                                                 "4:17 Go's net/http"              },
        {"a page that begins nearly so",        NULL,   302, TO_LOGIN,
         "<a href=\"/login?a=1&amp;b=2\">Found</a>. Trouble?",                                                                                    ""                                },
        {"one target, percent-encoded and not", NULL,   302, HTML "Location: /caf%C3%A9?x=%2f#top",
         "<a href=\"/caf\xc3\xa9?x=/\">Found</a>.\n\n",                                                                                           ""                                },
        {"resolved by a proxy",                 NULL,   302, HTML "Location: https://shop.example/login",
         "<a href=\"/login\">Found</a>.\n\n",                                                                                                     ""                                },
        {"the origin of a proxy",               NULL,   302, HTML "Location: https://www.example/login",
         "<a href=\"http://127.0.0.1:8080/login\">Found</a>.\n\n",                                                                                ""                                },
        {"relative to the page",                NULL,   302, HTML "Location: /shop/login",
         "<a href=\"login\">Found</a>.\n\n",                                                                                                      ""                                },
        {"another link",                        NULL,   302, HTML "Location: /login",
         "<a href=\"/login?next=/home\">Found</a>.\n\n",                                                                                          "2:1 /login and /login?next=/home"},
        {"paths that a proxy maps",             NULL,   302, HTML "Location: /app/login",
         "<a href=\"/login\">Found</a>.\n\n",                                                                                                     "2:2 /app/login and /login"       },
        {"two texts that differ",               NULL,   302, HTML "Location: /a",
         "<a href=\"/a\">Found</a>.\n\n<a href=\"/b\">Found</a>.\n\n",                                                                            "3:0 /a and /b"                   },
        {"two texts that are equal",            NULL,   302, HTML "Location: /a",
         "<a href=\"/a\">Found</a>.\n\n<a href=\"/a\">Found</a>.\n\n",                                                                            ""                                },
        {"Express",                             NULL,   302, HTML "Location: /a",
         "<p>Found. Redirecting to <a href=\"/a\">/a</a></p>",                                                                                    ""                                },
        {"Express, text",                       "POST", 302, "Content-Type: text/plain\nLocation: /a",
         "Found. Redirecting to /a",                                                                                                              ""                                },
        {"Express and a page",                  NULL,   302, HTML "Location: /a",
         "<p>Found. Redirecting to /a</p>" PAGE,                                                                                                  "4:3 Express"                     },
        {"Werkzeug",                            "POST", 302, HTML "Location: /a",
         "<!doctype html>\n<html "
         "lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n<p>You should be "
         "redirected automatically to the target URL: <a href=\"/a\">/a</a>. If not, click the "
         "link.\n",                                                                                                                               ""                                },
        {"Rails, another link",                 NULL,   302, HTML "Location: /a",
         "<html><body>You are being <a href=\"/b\">redirected</a>.</body></html>",                                                                "2:1 /a and /b"                   },
        {"ASP.NET goes on",                     NULL,   302, HTML "Location: /a",
         "<html><head><title>Object moved</title></head><body>\r\n<h2>Object moved to <a "
         "href=\"/a\">here</a>.</h2>\r\n</body></html>\r\n" PAGE,
         "4:3 ASP.NET"                                                                                                                                                              },
        {"Koa, escaped, and a page",            NULL,   302, HTML "Location: /a?b=1&c=2&lt;",
         "Redirecting to /a?b=1&amp;c=2&amp;lt;." PAGE,                                                                                           "4:3 Koa"                         },
        {"Koa's text of another place",         NULL,   302, HTML "Location: /a?b=1&c=2",
         "Redirecting to /a?b=1&amp;c=3." PAGE,                                                                                                   ""                                },
        {"marks of byte order to a POST",       "POST", 302, "Location: /a",                              "\xef\xbb\xbf\xef\xbb\xbf\n",
         ""                                                                                                                                                                         },
        {"nothing to a POST",                   "POST", 302, "Location: /a",                              "",                                     ""                                },
        {"a text to a POST",                    "POST", 302, "Location: /home",                           "transfer of 5 EUR done\n",             "5:1"                             },
        {"a page of the site's own",            "POST", 302, HTML "Location: /home?x=1&y=2",
         "<p>Go <a href=\"/home?x=1&amp;y=2\">on</a>",                                                                                            ""                                },
        {"a notice",                            "POST", 303, HTML "Location: /",                          "<h1>Please wait</h1>",                 ""                                },
        {"a page of nginx",                     "POST", 302, HTML "Location: /x",
         "<html>\r\n<head><title>302 Found</title></head>\r\n<body>\r\n<center><h1>302 "
         "Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",                                                           ""                                },
        {"a page to a GET",                     NULL,   302, HTML "Location: /login",                     PAGE,                                   "5:3"                             },
        {"no redirect",                         NULL,   201, HTML "Location: /a",                         "<a href=\"/b\">Found</a>.\n\n",        ""                                },
        {"a secret in both",                    NULL,   302, HTML "Location: /a?token=geheim1",
         "<a href=\"/b?token=geheim1\">Found</a>.\n\n",                                                                                           "2:1 /a?token=~c5a0 and /b"       },
    };
    check(cases, HR_ARRAY_LEN(cases) - 1);
    struct hr_buf got; /* the last: whatever the hash, not the value */
    hr_buf_init(&got, 4096);
    const struct answer *last = &cases[HR_ARRAY_LEN(cases) - 1];
    marks_of(last, hr_span_str(last->content), true, &got);
    assert_true(got.len > 0);
    assert_null(strstr(hr_buf_str(&got), "geheim"));
    hr_buf_finish(&got);
}

/* The texts that frameworks write for their redirects to /a?b="1": alone, and with a page behind.
 */
static const struct {
    const char *name;
    unsigned status;
    const char *text;
} own_texts[] = {
    {"Go's net/http", 301, "<a href=\"/a?b=&#34;1&#34;\">Moved Permanently</a>.\n\n"              },
    {"Go's net/http", 303, "<a href=\"/a?b=&#34;1&#34;\">See Other</a>.\n\n"                      },
    {"Go's net/http", 307, "<a href=\"/a?b=&#34;1&#34;\">Temporary Redirect</a>.\n\n"             },
    {"Go's net/http", 308, "<a href=\"/a?b=&#34;1&#34;\">Permanent Redirect</a>.\n\n"             },
    {"Express",       302,
     "<p>Found. Redirecting to <a href=\"/a?b=&quot;1&quot;\">/a?b=&quot;1&quot;</a></p>"         },
    {"Express",       302, "<p>Found. Redirecting to /a?b=&quot;1&quot;</p>"                      },
    {"Express",       302, "Found. Redirecting to /a?b=\"1\""                                     },
    {"Express",       302,
     "<!DOCTYPE html><head><title>Found</title></head><body><p>Found. Redirecting to "
     "/a?b=&quot;1&quot;</p></body>"                                                              },
    {"Express",       301,
     "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta "
     "charset=\"utf-8\">\n<title>Redirecting</title>\n</head>\n<body>\n<pre>Redirecting to <a "
     "href=\"/a?b=&quot;1&quot;\">/a?b=&quot;1&quot;</a></pre>\n</body>\n</html>\n"               },
    {"Express",       301,
     "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta "
     "charset=\"utf-8\">\n<title>Redirecting</title>\n</head>\n<body>\n<pre>Redirecting to "
     "/a?b=&quot;1&quot;</pre>\n</body>\n</html>\n"                                               },
    {"Koa",           302, "Redirecting to <a href=\"/a?b=&quot;1&quot;\">/a?b=&quot;1&quot;</a>."},
    {"Koa",           302, "Redirecting to /a?b=&quot;1&quot;."                                   },
    {"Koa",           302, "Redirecting to /a?b=\"1\"."                                           },
    {"Werkzeug",      302,
     "<!doctype html>\n<html "
     "lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n<p>You should be "
     "redirected automatically to the target URL: <a "
     "href=\"/a?b=&#34;1&#34;\">/a?b=&#34;1&#34;</a>. If not, click the link.\n"                  },
    {"Werkzeug",      302,
     "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 "
     "Final//EN\">\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n<p>You should be "
     "redirected automatically to target URL: <a href=\"/a?b=&#34;1&#34;\">/a?b=&#34;1&#34;</a>.  "
     "If not click the link."                                                                     },
    {"Werkzeug",      302,
     "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 "
     "Final//EN\">\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n<p>You should be "
     "redirected automatically to target URL: <a href=\"/a?b=&#34;1&#34;\">/a?b=&#34;1&#34;</a>. "
     "If not click the link."                                                                     },
    {"Rails",         302,
     "<html><body>You are being <a href=\"/a?b=&quot;1&quot;\">redirected</a>.</body></html>"     },
    {"Symfony",       302,
     "<!DOCTYPE html>\n<html>\n    <head>\n        <meta charset=\"UTF-8\" />\n        <meta "
     "http-equiv=\"refresh\" content=\"0;url='/a?b=&quot;1&quot;'\" />\n\n        "
     "<title>Redirecting to /a?b=&quot;1&quot;</title>\n    </head>\n    <body>\n        "
     "Redirecting to <a href=\"/a?b=&quot;1&quot;\">/a?b=&quot;1&quot;</a>.\n    </body>\n</html>"},
    {"ASP.NET",       302,
     "<html><head><title>Object moved</title></head><body>\r\n<h2>Object moved to <a "
     "href=\"/a?b=&quot;1&quot;\">here</a>.</h2>\r\n</body></html>\r\n"                           },
    {"Apache",        302,
     "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>302 "
     "Found</title>\n</head><body>\n<h1>Found</h1>\n<p>The document has moved <a "
     "href=\"/a?b=&quot;1&quot;\">here</a>.</p>\n</body></html>\n"                                },
};

static void texts_of_frameworks(void **state)
{
    (void)state;
    struct hr_buf text;
    struct hr_buf got;
    char want[64];
    hr_buf_init(&text, 4096);
    hr_buf_init(&got, 4096);
    for (size_t i = 0; i < HR_ARRAY_LEN(own_texts); i++) {
        const struct answer a = {"", NULL, own_texts[i].status, HTML "Location: /a?b=\"1\"",
                                 "", ""};
        const bool is_exact = strncmp(own_texts[i].name, "Go", 2) == 0;
        hr_buf_clear(&text);
        hr_buf_append_str(&text, own_texts[i].text);
        marks_of(&a, hr_buf_span(&text), true, &got);
        assert_string_equal(hr_buf_str(&got), "");
        hr_buf_append_str(&text, PAGE);
        marks_of(&a, hr_buf_span(&text), true, &got);
        snprintf(want, sizeof(want), "4:%d %s", is_exact ? 19 : 3, own_texts[i].name);
        assert_string_equal(hr_buf_str(&got), want);
    }
    hr_buf_finish(&text);
    hr_buf_finish(&got);
}

#define TIMEOUT "<html><head><title>Timeout</title></head><body><h1>Timeout</h1></body></html>"
#define GO_ERROR "Content-Type: text/plain; charset=utf-8\nX-Content-Type-Options: nosniff"
#define JSON "Content-Type: application/json"

static void errors(void **state)
{
    (void)state;
    static const struct answer cases[] = {
        {"http.Error alone",           NULL, 401, GO_ERROR,                   "unauthorized\n",                  ""      },
        {"and JSON",                   NULL, 401, GO_ERROR,                   "unauthorized\n{\"balance\":1}\n", "6:3346"},
        {"and a page",                 NULL, 403, GO_ERROR,                   "no\n" PAGE,                       "6:787" },
        {"and text",                   NULL, 401, GO_ERROR,                   "unauthorized\nbooked\n",          "6:3345"},
        {"JSON as its line",           NULL, 401, GO_ERROR,                   "{\"error\":\"no\"}\n",            ""      },
        {"JSON of several lines",      NULL, 401, GO_ERROR,                   "{\n \"error\": \"no\"\n}\n",      ""      },
        {"JSON as its line, and JSON", NULL, 401, GO_ERROR,                   "{\"error\":\"no\"}\n{\"a\":1}\n",
         "6:3858"                                                                                                        },
        {"another status",             NULL, 500, GO_ERROR,                   "conflict\n{\"ok\":true}\n",       "7:10"  },
        {"another status, lines",      NULL, 500, GO_ERROR,                   "one\ntwo\n",                      ""      },
        {"another framework",          NULL, 403, "Content-Type: text/plain", "Forbidden{\"data\":[1]}",
         "6:2"                                                                                                           },
        {"a page of several lines",    NULL, 401, HTML,                       "Unauthorized <b>you</b>",         ""      },
        {"words and brackets",         NULL, 403, "Content-Type: text/plain", "Forbidden [rule 17]",             ""      },
        {"a line that leads on",       NULL, 403, "Content-Type: text/plain", "Forbidden: {\"data\":[1]}",
         ""                                                                                                              },
        {"http.Error's line leads on", NULL, 500, GO_ERROR,                   "wrong fields:\n{\"a\":[1]}\n",    ""      },
        {"JSON alone",                 NULL, 401, JSON,                       "{\"error\":\"unauthorized\"}\n",  ""      },
    };
    check(cases, HR_ARRAY_LEN(cases));
}

static void documents(void **state)
{
    (void)state;
    static const struct answer cases[] = {
        {"one value",                         NULL, 200, JSON,                                          "{\"a\":[{\"b\":\"}{\"},\n{\"c\":1}]}\n",            ""    },
        {"two values",                        NULL, 200, JSON,                                          "{\"user\":\"bob\"}\n{\"code\":1}\n",                "7:1" },
        {"two values that touch",             NULL, 200, JSON,                                          "{\"user\":\"bob\"}{\"code\":1}",                    "7:1" },
        {"far apart",                         NULL, 200, JSON,                                          "{\"user\":\"bob\"}\r\n\r\n{\"code\":1}",            ""    },
        {"a success and an error",            NULL, 200, JSON,
         "{\"ok\":true}\n{\"ok\":false,\"error\":\"x\"}\n",                                                                                                  "7:1" },
        {"behind a byte order mark, as HTML", NULL, 200, HTML,
         "\xef\xbb\xbf{\"user\":\"bob\"}\n{\"code\":1}\n",                                                                                                   "7:65"},
        {"of one make",                       NULL, 200, JSON,                                          "{\"id\":1}\n{\"id\":2}\n",                          "7:2" },
        {"the same twice",                    NULL, 200, JSON,                                          "{\"id\":1}{\"id\":1}",                              "7:3" },
        {"a stream",                          NULL, 200, JSON,                                          "{\"id\":1}\n{\"id\":2}\n{\"id\":3,\"end\":true}\n", "7:4" },
        {"null and an error",                 NULL, 200, JSON,                                          "null\n{\"error\":\"x\"}\n",                         "7:1" },
        {"text behind",                       NULL, 200, JSON,                                          "{\"ok\":true}\nsession save failed\n",              "7:5" },
        {"a page behind",                     NULL, 200, JSON,                                          "{\"ok\":true}" PAGE,                                "7:6" },
        {"a comment behind",                  NULL, 200, JSON,                                          "{\"ok\":true}\n<!-- cached -->",                    ""    },
        {"a bracket too many",                NULL, 200, JSON,                                          "{\"ok\":true}}\n",                                  ""    },
        {"broken by a template",              NULL, 200, JSON,                                          "{\"ok\":true,,}{}\n",                               ""    },
        {"NUL behind",                        NULL, 200, JSON,                                          "{\"ok\":true} \n",                                  ""    },
        {"a prefix against inclusion",        NULL, 200, JSON,                                          ")]}',\n{\"a\":1}",                                  ""    },
        {"JSONP",                             NULL, 200, JSON,                                          "cb({\"a\":1}) + {}",                                ""    },
        {"NDJSON",                            NULL, 200, "Content-Type: application/x-ndjson",          "{\"a\":1}\n{\"b\":1}\n",                            ""    },
        {"a stream's type",                   NULL, 200, "Content-Type: application/stream+json",
         "{\"a\":1}\n{\"b\":1}\n",                                                                                                                           ""    },
        {"a watch",                           NULL, 200, "Content-Type: application/json;stream=watch",
         "{\"a\":1}\n{\"a\":2}\n",                                                                                                                           "7:2" },
        {"problem details",                   NULL, 500, "Content-Type: application/problem+json",
         "{\"title\":1}{\"x\":1}",                                                                                                                           "7:1" },
        {"not declared",                      NULL, 200, "Content-Type: text/plain; charset=utf-8",
         "{\"a\":1}\n{\"error\":1}",                                                                                                                         "7:65"},
        {"not declared, two lines of a log",  NULL, 200, "Content-Type: text/plain",
         "{\"a\":1}\n{\"a\":2,\"b\":1}",                                                                                                                     ""    },
        {"pieces with their lengths",         NULL, 200, JSON,                                          "9\n[[1,[\"a\"]]]\n4\n[[]]",                         ""    },
        {"not declared, three",               NULL, 200, "Content-Type: text/plain",
         "{\"a\":1}\n{\"b\":1}\n{\"c\":1}",                                                                                                                  ""    },
        {"event stream",                      NULL, 200, "Content-Type: text/event-stream",             "data: {}\n\ndata: {}\n\n",
         ""                                                                                                                                                        },
        {"multipart",                         NULL, 200, "Content-Type: multipart/mixed; boundary=x",
         "--x\n\n{}\n--x\n\n{}{}",                                                                                                                           ""    },
        {"a part of a range",                 NULL, 206, JSON,                                          "{\"a\":1}{\"b\":1}",                                ""    },
        {"one page",                          NULL, 200, HTML,                                          PAGE,                                                ""    },
        {"two pages",                         NULL, 200, HTML,                                          PAGE PAGE,                                           "7:7" },
        {"upper case",                        NULL, 200, HTML,                                          "<HTML><BODY></BODY></HTML><HTML>",                  "7:7" },
        {"JSON behind a page",                NULL, 200, HTML,                                          PAGE "{\"error\":\"x\"}",                            "7:8" },
        {"an error behind a page",            NULL, 200, HTML,                                          PAGE "internal server error\n",                      "7:9" },
        {"a counter behind a page",           NULL, 200, HTML,                                          PAGE "0.013 s",                                      ""    },
        {"comments and scripts behind",       NULL, 200, HTML,
         PAGE "<!-- <html> --><script>'<html>'</script>",                                                                                                    ""    },
        {"a pixel behind",                    NULL, 200, HTML,                                          PAGE "<img src=x>",                                  ""    },
        {"a page in a script",                NULL, 200, HTML,
         "<html><script>w('<html></html>');w('<html></html>')</script></html>",                                                                              ""    },
        {"mails in a page",                   NULL, 200, HTML,
         "<html><div><html></html></div><div><html></html></div></html>",                                                                                    ""    },
        {"old browsers",                      NULL, 200, HTML,
         "<!--[if IE]><html class=ie><![endif]--><!--[if !IE]><!--><html><!--<![endif]--></html>",                                                           ""    },
        {"TimeoutHandler",                    NULL, 503, HTML,                                          TIMEOUT,                                             ""    },
        {"and what the handler wrote late",   NULL, 503, HTML,                                          TIMEOUT "<h1>Hello bob</h1>",                        "7:7" },
        {"a line",                            NULL, 503, HTML,                                          TIMEOUT "hello bob\n",                               "7:9" },
        {"JSON",                              NULL, 503, HTML,                                          TIMEOUT "{\"user\":\"bob\"}",                        "7:8" },
        {"a page of that name",               NULL, 200, HTML,                                          TIMEOUT "hello bob\n",                               ""    },
        {"TimeoutHandler and a page",         NULL, 503, HTML,
         "<html><head><title>Timeout</title></head><body><h1>Timeout</h1></body></html>" PAGE,
         "7:7"                                                                                                                                                     },
    };
    check(cases, HR_ARRAY_LEN(cases));
}

static void fields_twice(void **state)
{
    (void)state;
    static const struct answer cases[] = {
        {"once each",                     NULL, 200,
         JSON "\nContent-Length: 0\nVary: a\nVary: b\nSet-Cookie: a=1\nSet-Cookie: b=2",                                "",      ""             },
        {"repeats",                       NULL, 200, JSON "\nContent-Type: Application/JSON\nETag: \"1\"\nETag: \"1\"",
         "",                                                                                                                     ""             },
        {"two types",                     NULL, 200, JSON "\nContent-Type: text/plain",                                 "",
         "8:0 Content-Type (application/json and text/plain)"                                                                                   },
        {"three types",                   NULL, 200, JSON "\nContent-Type: text/plain\nContent-Type: text/css",         "",
         "8:0 Content-Type (application/json and text/plain)"                                                                                   },
        {"one charset",                   NULL, 200,
         "Content-Type: text/html;charset=UTF-8\nContent-Type: text/html; charset=\"utf-8\"",                           "",
         ""                                                                                                                                     },
        {"two lengths",                   NULL, 200, "Content-Length: 5\nContent-Length: 6",                            "hello",
         "8:0 Content-Length (5 and 6)"                                                                                                         },
        {"one length as a list",          NULL, 200, "Content-Length: 5, 5\nContent-Length: 05",                        "hello",
         ""                                                                                                                                     },
        {"two lengths in one line",       NULL, 200, "Content-Length: 5, 6",                                            "hello",
         "8:0 Content-Length (5, 6 and 5, 6)"                                                                                                   },
        {"two places",                    NULL, 302, "Location: /a\nLocation: /b",                                      "",      "1:0 /a and /b"},
        {"one place",                     NULL, 302, "Location: /a\nLocation: http://shop.example/a#x",                 "",      ""             },
        {"two places of what was made",   NULL, 201, "Location: /a\nLocation: /b",                                      "",
         "8:0 Location (/a and /b)"                                                                                                             },
        {"two values",                    NULL, 200, "Set-Cookie: a=1; Path=/\nSet-Cookie: a=2; Path=/",                "",      "9:1 a"        },
        {"the same value",                NULL, 200, "Set-Cookie: a=1; Path=/\nSet-Cookie: a=1; Path=/; HttpOnly",
         "",                                                                                                                     ""             },
        {"two paths",                     NULL, 200, "Set-Cookie: a=1; Path=/\nSet-Cookie: a=2; Path=/x",               "",      ""             },
        {"the path by default",           NULL, 200, "Set-Cookie: a=1\nSet-Cookie: a=2; Path=/shop",                    "",
         "9:1 a"                                                                                                                                },
        {"two domains",                   NULL, 200,
         "Set-Cookie: a=1; Path=/\nSet-Cookie: a=2; Path=/; Domain=example",                                            "",      ""             },
        {"the host's own domain",         NULL, 200,
         "Set-Cookie: a=1; Path=/\nSet-Cookie: a=2; Path=/; Domain=.Shop.example",                                      "",      "9:1 a"        },
        {"partitioned",                   NULL, 200, "Set-Cookie: a=1; Path=/\nSet-Cookie: a=2; Path=/; Partitioned",
         "",                                                                                                                     ""             },
        {"deleted and set anew",          NULL, 200,
         "Set-Cookie: a=; Path=/; Max-Age=0\nSet-Cookie: a=2; Path=/",                                                  "",      ""             },
        {"set and deleted",               NULL, 200, "Set-Cookie: a=1; Path=/\nSet-Cookie: a=; Path=/; Max-Age=0",
         "",                                                                                                                     "9:2 a"        },
        {"two names that differ by case", NULL, 200, "Set-Cookie: a=1\nSet-Cookie: A=2",                                "",      ""             },
    };
    check(cases, HR_ARRAY_LEN(cases));
}

/* Cut content never shows a second document that the whole does not: what is there is a beginning.
 */
static void cut_contents_show_nothing_new(void **state)
{
    (void)state;
    static const struct answer cases[] = {
        {"JSON",       NULL, 200, JSON,     "{\"a\":[{\"b\":\"}{\"},\n{\"c\":1}],\"d\":\"</html>\"}\n",  ""},
        {"a list",     NULL, 200, JSON,     "[1, {\"x\": []}, \"a\"]",                                   ""},
        {"HTML",       NULL, 200, HTML,     "<html><script>'</html>'</script><p></html><!-- <html> -->", ""},
        {"a redirect", NULL, 302, TO_LOGIN, GO_TEXT,                                                     ""},
        {"an error",   NULL, 401, GO_ERROR, "{\"error\":\"no\",\n\"a\":[1]}\n",                          ""},
    };
    struct hr_buf got;
    hr_buf_init(&got, 4096);
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        for (size_t len = 0; len <= strlen(cases[i].content); len++) {
            marks_of(&cases[i], hr_span_of(cases[i].content, len), false, &got);
            if (got.len > 0 && cases[i].status != 302 && cases[i].status != 401) {
                fail_msg("%s cut to %zu: %s", cases[i].name, len, hr_buf_str(&got));
            }
        }
    }
    static const struct answer second = {"", NULL, 200, JSON, "{\"user\":\"bob\"}\n{\"code\":", ""};
    marks_of(&second, hr_span_str(second.content), false, &got);
    assert_string_equal(hr_buf_str(&got), "7:2");
    hr_buf_finish(&got);
}

/* Nothing but that it ends, whatever the bytes, and soon. */
static void hostile_bytes_are_harmless(void **state)
{
    (void)state;
    static const char *const pieces[] = {"{",   "}",     "[",       "]{",      "\"",  "\\",
                                         "<",   "<html", "</html>", "<!--",    "-->", "<script",
                                         "&#x", "\n",    ">",       "</script"};
    static const struct answer kinds[] = {
        {"", NULL,   200, JSON,     "", ""},
        {"", NULL,   200, HTML,     "", ""},
        {"", "POST", 302, TO_LOGIN, "", ""},
        {"", NULL,   401, GO_ERROR, "", ""},
    };
    struct hr_buf text;
    struct hr_buf got;
    uint32_t seed = 1;
    hr_buf_init(&text, 65536);
    hr_buf_init(&got, 4096);
    for (size_t round = 0; round < 400; round++) {
        hr_buf_clear(&text);
        for (size_t n = 0; n < (round % 4 == 0 ? 20000 : 40); n++) {
            seed = seed * 1664525u + 1013904223u;
            hr_buf_append_str(&text, pieces[(seed >> 16) % (round % 3 == 0 ? 2 : 16)]);
        }
        char *exact = hr_xmalloc(text.len);
        memcpy(exact, text.ptr, text.len);
        marks_of(&kinds[round % 4], hr_span_of(exact, text.len), round % 2 == 0, &got);
        free(exact);
    }
    hr_buf_finish(&text);
    hr_buf_finish(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redirects),
        cmocka_unit_test(texts_of_frameworks),
        cmocka_unit_test(errors),
        cmocka_unit_test(documents),
        cmocka_unit_test(fields_twice),
        cmocka_unit_test(cut_contents_show_nothing_new),
        cmocka_unit_test(hostile_bytes_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
