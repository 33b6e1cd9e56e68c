#include "base/alloc.h"
#include "base/buf.h"
#include "http/field.h"
#include "http/message.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct http_head_shape shape_of(const char *text)
{
    bool fold = strstr(text, "\n ") != NULL || strstr(text, "\n\t") != NULL;
    return (struct http_head_shape){.has_fold = fold};
}

static void append_head(struct hr_buf *out, const struct http_head *h)
{
    hr_buf_appendf(out, "%d%d%d%d%d %llu:", h->facts.has_length, h->facts.transfer_coded,
                   h->facts.chunked, h->facts.connection_upgrade, h->facts.has_upgrade,
                   (unsigned long long)h->facts.length);
    for (size_t i = 0; i < h->field_count; i++) {
        hr_buf_append(out, h->fields[i].name);
        hr_buf_append_char(out, '=');
        hr_buf_append(out, h->fields[i].value);
        hr_buf_append_char(out, '|');
    }
}

static const char *const sections[] = {
    "",
    "Host: h\r\n",
    "Host:h\r\nX:\r\nY:   \r\nZ: a b\t c  \r\n",
    "A: 1\nB: 2\r\nC: 3\n",
    "Folded: a\r\n  b\r\n\tc\r\nNext: d\r\n",
    "Content-Length: 5\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n",
    "content-length: 12\r\nCONTENT-LENGTH: 12\r\n",
    "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n",
    "Transfer-Encoding: chunked, identity\r\n",
    "Connection: keep-alive\r\nCookie: a=b; c=\"d\xff\x80\"\r\n",
    "Content-Length : 7\r\n",
    "Bad Name: x\r\nGood: y\r\n",
    "no colon\r\nGood: y\r\n",
    ": nameless\r\nGood: y\r\n",
    "Content-Length: -5\r\nContent-Length: x\r\nGood: y\r\n",
    "Ctl: a\x01z\r\nGood: y\r\n",
    "Expect: 100-continue\r\nTE: trailers\r\nProxy-Connection: close\r\n",
};

/* Where llhttp takes a field section, the forgiving reader reads the same. */
static void both_readers_agree(void **state)
{
    (void)state;
    struct http_parser *p = http_parser_create(64);
    size_t strict_count = 0;
    for (size_t i = 0; i < HR_ARRAY_LEN(sections); i++) {
        for (int side = 0; side < 2; side++) {
            struct hr_buf text;
            struct hr_buf strict;
            struct hr_buf lenient;
            struct http_start_line line;
            struct http_head head;
            hr_buf_init(&text, SIZE_MAX);
            hr_buf_init(&strict, SIZE_MAX);
            hr_buf_init(&lenient, SIZE_MAX);
            hr_buf_append_str(&text, side == 0 ? "GET /a HTTP/1.1\r\n" : "HTTP/1.1 200 OK\r\n");
            hr_buf_append_str(&text, sections[i]);
            hr_buf_append_str(&text, "\r\n");
            struct hr_span rest = hr_buf_span(&text);
            struct hr_span first;
            assert_true(http_line_next(&rest, &first));
            assert_true(side == 0 ? http_request_line_parse(first, &line)
                                  : http_status_line_parse(first, &line));
            http_parser_read(p, hr_buf_span(&text), &line, shape_of(sections[i]), &head);
            append_head(&strict, &head);
            bool was_strict = http_parser_was_strict(p);
            strict_count += was_strict;
            http_parser_read_lenient(p, hr_buf_span(&text), &line, shape_of(sections[i]), &head);
            append_head(&lenient, &head);
            if (strcmp(hr_buf_str(&strict), hr_buf_str(&lenient)) != 0) {
                fail_msg("%s: '%s' and '%s'", sections[i], hr_buf_str(&strict),
                         hr_buf_str(&lenient));
            }
            hr_buf_finish(&text);
            hr_buf_finish(&strict);
            hr_buf_finish(&lenient);
        }
    }
    assert_true(strict_count >= (size_t)2 * 9); /* else llhttp was hardly asked */
    http_parser_destroy(p);
}

static void start_lines_are_told_from_others(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        char kind; /* 'Q' request, 'S' status, '-' neither */
        const char *target;
        unsigned value; /* version or status */
    } cases[] = {
        {"GET / HTTP/1.1",                                'Q', "/",                        11 },
        {"GET / HTTP/1.0",                                'Q', "/",                        10 },
        {"get / HTTP/1.1",                                'Q', "/",                        11 },
        {"M-SEARCH * HTTP/1.1",                           'Q', "*",                        11 },
        {"RPC_IN_DATA /rpc/rpcproxy.dll?x:6001 HTTP/1.1", 'Q', "/rpc/rpcproxy.dll?x:6001", 11 },
        {"GET /a  b HTTP/1.1 \t",                         'Q', "/a  b",                    11 },
        {"GET\t/a\tHTTP/1.1",                             'Q', "/a",                       11 },
        {"GET /a",                                        'Q', "/a",                       9  },
        {"GET /a b",                                      '-', NULL,                       0  },
        {"FOO /a",                                        '-', NULL,                       0  },
        {"GET HTTP/1.1",                                  '-', NULL,                       0  },
        {"GET  HTTP/1.1",                                 '-', NULL,                       0  },
        {"GET / HTTP/2.0",                                '-', NULL,                       0  },
        {"GET / http/1.1",                                '-', NULL,                       0  },
        {"GET / RTSP/1.0",                                '-', NULL,                       0  },
        {"4GET / HTTP/1.1",                               '-', NULL,                       0  },
        {"G@T / HTTP/1.1",                                '-', NULL,                       0  },
        {"GET /\x01 HTTP/1.1",                            '-', NULL,                       0  },
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1",  '-', NULL,                       0  },
        {"",                                              '-', NULL,                       0  },
        {"HTTP/1.1 200 OK",                               'S', NULL,                       200},
        {"HTTP/1.1 200",                                  'S', NULL,                       200},
        {"HTTP/1.0\t404 x",                               'S', NULL,                       404},
        {"HTTP/1.1  999  ",                               'S', NULL,                       999},
        {"HTTP/1 200 OK",                                 'S', NULL,                       200},
        {"HTTP/2.0 200 OK",                               'S', NULL,                       200},
        {"HTTP/1.1 20 OK",                                '-', NULL,                       0  },
        {"HTTP/1.1 2000 OK",                              '-', NULL,                       0  },
        {"HTTP/1.1 099 OK",                               '-', NULL,                       0  },
        {"HTTP/1.1200 OK",                                '-', NULL,                       0  },
        {"http/1.1 200 OK",                               '-', NULL,                       0  },
        {"ICY 200 OK",                                    '-', NULL,                       0  },
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct http_start_line l;
        struct hr_span line = hr_span_str(cases[i].line);
        char kind = http_request_line_parse(line, &l)  ? 'Q'
                    : http_status_line_parse(line, &l) ? 'S'
                                                       : '-';
        if (kind != cases[i].kind) {
            fail_msg("%s: %c", cases[i].line, kind);
        }
        if (kind == 'Q') {
            assert_true(hr_span_equal(l.target, hr_span_str(cases[i].target)));
            assert_int_equal(l.version, cases[i].value);
        } else if (kind == 'S') {
            assert_int_equal(l.status, cases[i].value);
        }
        for (size_t n = 0; kind != '-' && n <= line.len; n++) { /* no prefix is given up early */
            int side = kind == 'Q' ? HTTP_REQUEST : HTTP_RESPONSE;
            assert_true(http_start_is_possible(side, hr_span_slice(line, 0, n)));
            assert_true(http_start_is_possible(-1, hr_span_slice(line, 0, n)));
        }
    }
}

static void searches_find_the_next_start(void **state)
{
    (void)state;
    static const struct {
        int side;
        bool anywhere;
        const char *text;
        char want;
        size_t at;
    } cases[] = {
        {HTTP_RESPONSE, true,  "junk HTTP/1.1 200 OK\r\nA: b\r\n",                    'F', 5},
        {HTTP_RESPONSE, false, "junk HTTP/1.1 200 OK\r\nA: b\r\n",                    'N', 0},
        {HTTP_RESPONSE, false, "junk\r\nHTTP/1.1 200 OK\r\nA: b\r\n",                 'F', 6},
        {HTTP_RESPONSE, true,  "HTTP/1.1 200 OK\r\nno field",                         'N', 0},
        {HTTP_RESPONSE, true,  "HTTP/1.1 204 x\r\n\r\n",                              'F', 0},
        {HTTP_RESPONSE, true,  "x HTTP/1.1 2",                                        'P', 2},
        {HTTP_RESPONSE, true,  "x HTTP/1.1 200 a",                                    'P', 2},
        {HTTP_RESPONSE, true,  "x HTTP/1.1 200 OK\r\nCont",                           'P', 2},
        {HTTP_RESPONSE, true,  "<b>HTTP/1.1 404 x</b>\r\nA: b\r\n",                   'N', 0},
        {HTTP_RESPONSE, true,  "HTTP/1.1 200 HTTP/1.1 200 OK\r\nA: b\r\n",            'F', 0},
        {HTTP_REQUEST,  true,  "a=bPOST /x HTTP/1.1\r\nA: b\r\n",                     'F', 3},
        {HTTP_REQUEST,  false, "a=bPOST /x HTTP/1.1\r\nA: b\r\n",                     'N', 0},
        {HTTP_REQUEST,  true,  "...\nBREW /x HTTP/1.1\r\nA: b\r\n",                   'F', 4},
        {HTTP_REQUEST,  true,  "...BREW /x HTTP/1.1\r\nA: b\r\n",                     'N', 0},
        {HTTP_REQUEST,  true,  "see GET /x in HTTP/1.1\r\n",                          'N', 0},
        {HTTP_REQUEST,  true,  "...GE",                                               'P', 3},
        {HTTP_REQUEST,  true,  "...GET /x HTT",                                       'P', 3},
        {HTTP_REQUEST,  true,  "GET /x HTTP/1.1\n\n",                                 'F', 0},
        {-1,            true,  "..HTTP/1.1 200 OK\r\nA: b\r\nGET / HTTP/1.1\r\n\r\n", 'F', 2},
        {-1,            true,  "GET / HTTP/1.1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",       'F', 0},
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        size_t at = 0;
        struct http_searched in = {.bytes = hr_span_str(cases[i].text),
                                   .starts_line = true,
                                   .anywhere = cases[i].anywhere};
        enum http_find f = http_start_find(cases[i].side, &in, &at);
        char got = f == HTTP_FIND_FOUND ? 'F' : f == HTTP_FIND_PARTIAL ? 'P' : 'N';
        bool tail = got == 'P' && cases[i].want == 'N'; /* letters at the end may begin a method */
        if ((got != cases[i].want && !tail) || (got != 'N' && !tail && at != cases[i].at)) {
            fail_msg("%s: %c at %zu", cases[i].text, got, at);
        }
    }
}

static void more_fields_than_kept_still_frame_the_content(void **state)
{
    (void)state;
    struct http_parser *p = http_parser_create(2);
    struct http_start_line line;
    struct http_head head;
    struct hr_span text =
        HR_SPAN("GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\nContent-Length: 4\r\n\r\n");
    assert_true(http_request_line_parse(HR_SPAN("GET / HTTP/1.1"), &line));
    http_parser_read(p, text, &line, (struct http_head_shape){false, false}, &head);
    assert_int_equal(head.field_count, 2);
    assert_true(head.anomalies & HTTP_ANOMALY_FIELDS_CUT);
    assert_true(head.facts.has_length);
    assert_int_equal(head.facts.length, 4);
    http_parser_destroy(p);
}

/* What is odd about a head, and how its content is framed all the same. */
static void odd_heads_are_marked_and_framed(void **state)
{
    (void)state;
    enum {
        TWO = HTTP_ANOMALY_TWO_LENGTHS,
        DIFFER = HTTP_ANOMALY_TWO_LENGTHS | HTTP_ANOMALY_LENGTHS_DIFFER,
        BOTH = HTTP_ANOMALY_LENGTH_AND_CODING,
        BAD = HTTP_ANOMALY_BAD_LENGTH,
        ODD = HTTP_ANOMALY_ODD_CODING,
        FIELD = HTTP_ANOMALY_BAD_FIELD,
    };
    static const struct {
        const char *section;
        unsigned request;
        unsigned response;
        const char
            *framing; /* of the request and the response: - none, length, chunked, until close */
    } cases[] = {
        {"Content-Length: 3\r\n",                                     0,           0,           "ll"},
        {"Content-Length: 3\r\nContent-Length: 3\r\n",                TWO,         TWO,         "ll"},
        {"Content-Length: 3, 3\r\n",                                  TWO,         TWO,         "ll"},
        {"Content-Length: 3\r\nContent-Length: 4\r\n",                DIFFER,      DIFFER,      "ll"},
        {"Content-Length: +3\r\n",                                    BAD,         BAD,         "-u"},
        {"Content-Length:\r\n",                                       BAD,         BAD,         "-u"},
        {"Content-Length: 0x3\r\nContent-Length: 3\r\n",              BAD,         BAD,         "ll"},
        {"Content-Length : 3\r\n",                                    BAD | FIELD, BAD | FIELD, "ll"},
        {"Transfer-Encoding: chunked\r\n",                            0,           0,           "cc"},
        {"Transfer-Encoding: gzip, Chunked\r\n",                      0,           0,           "cc"},
        {"Transfer-Encoding: gzip\r\n",                               ODD,         0,           "uu"},
        {"Transfer-Encoding: identity\r\n",                           ODD,         0,           "-u"},
        {"Transfer-Encoding: xchunked\r\n",                           ODD,         ODD,         "uu"},
        {"Transfer-Encoding: \"chunked\"\r\n",                        ODD,         ODD,         "uu"},
        {"Transfer-Encoding: \x0b"
         "chunked\r\n",                                      ODD,         ODD,         "uu"},
        {"Transfer-Encoding: chunked;q=1\r\n",                        ODD,         ODD,         "cc"},
        {"Transfer-Encoding: chunked, gzip\r\n",                      ODD,         ODD,         "uu"},
        {"Transfer-Encoding: chunked, chunked\r\n",                   ODD,         ODD,         "cc"},
        {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", ODD,         ODD,         "cc"},
        {"Transfer-Encoding : chunked\r\n",                           ODD | FIELD, ODD | FIELD, "cc"},
        {"Transfer_Encoding: chunked\r\n",                            0,           0,           "-u"},
        {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",       BOTH,        BOTH,        "cc"},
        {"Transfer-Encoding: x\r\nContent-Length: 3\r\n",             BOTH | ODD,  BOTH | ODD,  "uu"},
        {"Content-Length: 3\r\nTransfer-Encoding: identity\r\n",      BOTH | ODD,  BOTH,        "ll"},
        {"no field\r\n",                                              FIELD,       FIELD,       "-u"},
    };
    static const char framing_letters[] = {
        [HTTP_FRAMING_NONE] = '-',
        [HTTP_FRAMING_LENGTH] = 'l',
        [HTTP_FRAMING_CHUNKED] = 'c',
        [HTTP_FRAMING_CLOSE] = 'u',
    };
    struct http_parser *p = http_parser_create(64);
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        for (int side = 0; side < 2; side++) {
            char text[256];
            struct http_head h;
            struct http_start_line line;
            snprintf(text, sizeof(text), "%s\r\n%s\r\n",
                     side == 0 ? "POST /a HTTP/1.1" : "HTTP/1.1 200 OK", cases[i].section);
            struct hr_span rest = hr_span_str(text);
            struct hr_span first;
            assert_true(http_line_next(&rest, &first));
            assert_true(side == 0 ? http_request_line_parse(first, &line)
                                  : http_status_line_parse(first, &line));
            http_parser_read(p, hr_span_str(text), &line, shape_of(cases[i].section), &h);
            unsigned want = side == 0 ? cases[i].request : cases[i].response;
            char got = framing_letters[http_message_framing(&h, (struct hr_span){NULL, 0})];
            if (h.anomalies != want || got != cases[i].framing[side]) {
                fail_msg("%s%s: anomalies %x, framing %c", side == 0 ? "request " : "response ",
                         cases[i].section, h.anomalies, got);
            }
        }
    }
    http_parser_destroy(p);
}

static void lists_have_members(void **state)
{
    (void)state;
    assert_true(http_list_has(HR_SPAN("keep-alive, Upgrade"), HR_SPAN("upgrade")));
    assert_true(http_list_has(HR_SPAN(" ,, chunked;q=1 ,"), HR_SPAN("chunked")));
    assert_false(http_list_has(HR_SPAN("upgrades"), HR_SPAN("upgrade")));
    assert_false(http_list_has(HR_SPAN(""), HR_SPAN("upgrade")));
    assert_true(http_is_token(HR_SPAN("!#$%&'*+-.^_`|~09azAZ")));
    assert_false(http_is_token(HR_SPAN("a b")));
    assert_false(http_is_token(HR_SPAN("a:")));
    assert_false(http_is_token(HR_SPAN("\xe4")));
    assert_false(http_is_token(HR_SPAN("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_readers_agree),
        cmocka_unit_test(start_lines_are_told_from_others),
        cmocka_unit_test(searches_find_the_next_start),
        cmocka_unit_test(more_fields_than_kept_still_frame_the_content),
        cmocka_unit_test(odd_heads_are_marked_and_framed),
        cmocka_unit_test(lists_have_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
