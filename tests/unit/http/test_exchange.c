#include "play.h"

#define GET(path) "C:GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK(text, length) "S:HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n" text

/* clang-format off */
/* What the two sides say, and the exchanges that it makes. */
#define TENS "0123456789"

static const struct {
    const char *name;
    const char *turns[8];
    const char *want;
    struct play_options options;
} cases[] = {
    {"one exchange", {GET("/a"), OK("abc", "3")}, "GET /a -> 200 \"abc\"\n"},
    {"keep-alive",
     {GET("/a"), OK("abc", "3"), GET("/b"), OK("", "0")},
     "GET /a -> 200 \"abc\"\nGET /b -> 200\n"},
    {"pipelined",
     {GET("/a") "GET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n",
      OK("1", "1") "HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\n2",
      "S:HTTP/1.1 204 No Content\r\n\r\n"},
     "GET /a -> 200 \"1\"\nGET /b -> 404 \"2\"\nGET /c -> 204\n"},
    {"bare LF, no reason, lower-case names",
     {"C:GET /a HTTP/1.1\nhost: h\n\n", "S:HTTP/1.1 200\ncontent-length: 2\n\nok"},
     "GET /a -> 200 \"ok\"\n"},
    {"odd spaces",
     {"C:GET   /a   HTTP/1.1  \r\nHost : h\r\n\r\n",
      "S:HTTP/1.1  200  OK\r\nContent-Length : 2 \r\n\r\nok"},
     "GET /a -> 200 \"ok\"\n"},
    {"spaces in the target", {"C:GET /a b c HTTP/1.1\r\n\r\n", OK("x", "1")}, "GET /a b c -> 200 \"x\"\n"},
    {"unknown and lower-case methods",
     {"C:FROBNICATE /a HTTP/1.1\r\n\r\n", OK("x", "1"), "C:get /b HTTP/1.1\r\n\r\n", OK("y", "1")},
     "FROBNICATE /a -> 200 \"x\"\nget /b -> 200 \"y\"\n"},
    {"absolute form", {"C:GET http://h/a HTTP/1.1\r\n\r\n", OK("x", "1")}, "GET http://h/a -> 200 \"x\"\n"},
    {"folded field",
     {"C:GET /a HTTP/1.1\r\nX: a\r\n  b\r\nHost: h\r\n\r\n",
      "S:HTTP/1.1 200 OK\r\nContent-Length:\r\n 2\r\n\r\nok"},
     "GET /a -> 200 \"ok\"\n"},
    {"lines that are no fields",
     {"C:GET /a HTTP/1.1\r\nnonsense\r\nHost: h\r\n\r\n",
      "S:HTTP/1.1 200 OK\r\n<>\r\nContent-Length: 2\r\n\r\nok"},
     "GET /a -> 200 \"ok\"\n"},
    {"two lengths: the first",
     {"C:POST /a HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab", OK("x", "1")},
     "POST /a \"ab\" -> 200 \"x\"\n"},
    {"chunked beats length",
     {GET("/a"), "S:HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "3\r\nabc\r\n0\r\n\r\n"},
     "GET /a -> 200 \"abc\"\n"},
    {"chunks with extensions, spaces, trailers",
     {GET("/a"),
      "S:HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n"
      "3;x=\"y\"\r\nabc\r\n2 \r\nde\r\n1\nf\n0\r\nT: 1\r\n\r\n",
      GET("/b"), OK("x", "1")},
     "GET /a -> 200 \"abcdef\"\nGET /b -> 200 \"x\"\n"},
    {"line ends between messages",
     {"C:POST /a HTTP/1.1\r\nContent-Length: 1\r\n\r\nx\r\n", OK("x", "1"), GET("/b"), OK("y", "1")},
     "POST /a \"x\" -> 200 \"x\"\nGET /b -> 200 \"y\"\n"},
    {"HEAD, 204, 304 have no content",
     {"C:HEAD /a HTTP/1.1\r\n\r\n", "S:HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", GET("/b"),
      "S:HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", GET("/c"),
      "S:HTTP/1.1 204 No Content\r\n\r\n"},
     "HEAD /a -> 200\nGET /b -> 304\nGET /c -> 204\n"},
    {"interim responses complete nothing",
     {"C:POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
      "S:HTTP/1.1 100 Continue\r\n\r\n", "C:ab",
      "S:HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"},
     "POST /a \"ab\" -> 200 \"x\"\n"},
    {"early response",
     {"C:POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nab",
      "S:HTTP/1.1 413 Too Large\r\nContent-Length: 1\r\n\r\nx", "C:cd", GET("/b"), OK("y", "1")},
     "POST /a \"abcd\" -> 413 \"x\" early\nGET /b -> 200 \"y\"\n"},
    {"a response before the head is whole",
     {"C:GET /a HTTP/1.1\r\nX: ", "S:HTTP/1.1 431 Too Large\r\nContent-Length: 1\r\n\r\nx", "C:y\r\n\r\n"},
     "GET /a -> 431 \"x\" early\n"},
    {"until the connection closes",
     {GET("/a"), "S:HTTP/1.0 200 OK\r\n\r\nabc", "S:def"},
     "GET /a -> 200 \"abcdef\"\n",
     {.ends = 'S'}},
    {"until a reset is truncated",
     {GET("/a"), "S:HTTP/1.0 200 OK\r\n\r\nabc"},
     "GET /a -> 200 \"abc\" by-server\n",
     {.ends = 'R'}},
    {"until the capture ends is truncated",
     {GET("/a"), "S:HTTP/1.0 200 OK\r\n\r\nabc"},
     "GET /a -> 200 \"abc\" response-truncated\n"},
    {"no answer: nobody closed", {GET("/a")}, "GET /a -> - no-response\n"},
    {"no answer: the server closed", {GET("/a")}, "GET /a -> - by-server\n", {.ends = 'S'}},
    {"no answer: the client closed", {GET("/a")}, "GET /a -> - by-client\n", {.ends = 'C'}},
    {"too short, then the server's FIN",
     {GET("/a"), OK("ab", "5")},
     "GET /a -> 200 \"ab\" by-server\n",
     {.ends = 'S'}},
    {"too short, and the client closed first",
     {GET("/a"), OK("ab", "5")},
     "GET /a -> 200 \"ab\" by-client\n",
     {.ends = 'C'}},
    {"a request cut by the end of the capture",
     {"C:POST /a HTTP/1.1\r\nContent-Length: 9\r\n\r\nab"},
     "POST /a \"ab\" -> - request-truncated\n"},
    {"a head cut in a field line", {"C:GET /a HTTP/1.1\r\nHost: h\r\nX-"}, "GET /a -> - request-truncated\n"},
    {"a start line cut is no message", {"C:GET /a HTT"}, ""},
    {"CONNECT: the rest is not HTTP",
     {"C:CONNECT h:443 HTTP/1.1\r\n\r\n", "S:HTTP/1.1 200 Established\r\n\r\n", "C:GET / HTTP/1.1\r\n\r\n",
      OK("x", "1")},
     "CONNECT h:443 -> 200\n"},
    {"CONNECT refused: HTTP goes on",
     {"C:CONNECT h:443 HTTP/1.1\r\n\r\n", "S:HTTP/1.1 407 No\r\nContent-Length: 1\r\n\r\nx", GET("/a"),
      OK("y", "1")},
     "CONNECT h:443 -> 407 \"x\"\nGET /a -> 200 \"y\"\n"},
    {"CONNECT: bytes that come before the answer wait",
     {"C:CONNECT h:443 HTTP/1.1\r\n\r\n", "C:\x16\x03\x01", "S:HTTP/1.1 200 Ok\r\n\r\n", "S:\x16\x03"},
     "CONNECT h:443 -> 200\n"},
    {"upgrade",
     {"C:GET /ws HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n",
      "S:HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x05HTTP/1.1 200 OK\r\n",
      "C:\x81\x85GET / HTTP/1.1\r\n\r\n"},
     "GET /ws -> 101\n"},
    {"upgrade not taken up",
     {"C:GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", OK("x", "1"), GET("/b"),
      OK("y", "1")},
     "GET /ws -> 200 \"x\"\nGET /b -> 200 \"y\"\n"},
    {"a response that nobody asked for stands alone",
     {GET("/a"), OK("x", "1"), "S:HTTP/1.1 408 Time-out\r\nContent-Length: 0\r\n\r\n"},
     "GET /a -> 200 \"x\"\n? -> 408\n"},
    {"a response that crossed the request answers nothing",
     {GET("/a"), OK("x", "1"), GET("/b")},
     "GET /a -> 200 \"x\"\nGET /b -> - by-server\n",
     {.ends = 'S'}},
    {"bytes behind a message are passed over",
     {GET("/a"), "S:HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxyz\r\n", GET("/b"), OK("y", "1")},
     "GET /a -> 200 \"x\"\nGET /b -> 200 \"y\" resync\n"},
    {"a HEAD's content that should not be is passed over",
     {"C:HEAD /a HTTP/1.1\r\n\r\n", "S:HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", GET("/b"),
      OK("y", "1")},
     "HEAD /a -> 200\nGET /b -> 200 \"y\" resync\n"},
    {"content beyond what is kept",
     {GET("/a"), OK("0123456789012345678901234567890123456789", "40")},
     "GET /a -> 200 \"01234567890123456789012345678901...\"\n"},
    {"a page, of which more is kept",
     {GET("/a"), "S:HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=utf-8\r\nContent-Length: 130\r\n\r\n"
                 TENS TENS TENS TENS TENS TENS TENS TENS TENS TENS TENS TENS TENS},
     "GET /a -> 200 \"" TENS TENS TENS TENS TENS TENS TENS TENS TENS TENS TENS TENS "01234567...\"\n"},
    {"the answer to what was posted, of which more is kept",
     {"C:POST /a HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", OK(TENS TENS TENS TENS TENS, "50"), GET("/b"),
      OK(TENS TENS TENS TENS TENS, "50")},
     "POST /a \"x\" -> 200 \"" TENS TENS TENS TENS TENS "\"\nGET /b -> 200 \"" TENS TENS TENS "01...\"\n"},
    {"joined midway, in a content",
     {"S:of something else", GET("/a"), OK("x", "1")},
     "GET /a -> 200 \"x\" resync\n",
     {.midstream = true}},
    {"joined midway, with a response",
     {OK("x", "1"), GET("/a"), OK("y", "1")},
     "? -> 200 \"x\"\nGET /a -> 200 \"y\" resync\n",
     {.midstream = true}},
    {"joined midway, acknowledgements unknown",
     {GET("/a"), OK("x", "1"), GET("/b"), OK("y", "1")},
     "GET /a -> 200 \"x\" resync\nGET /b -> 200 \"y\"\n",
     {.midstream = true, .no_acks = true}},
    {"HTTP/0.9", {"C:GET /a\r\n", "S:<html>"}, "GET /a -> - by-server loss-s\n", {.ends = 'S'}},
    {"the capture has the answer before the request",
     {GET("/a"), OK("x", "1"), GET("/b"), OK("y", "1")},
     "GET /a -> 200 \"x\"\nGET /b -> 200 \"y\"\n",
     {.late_first_request = true}},
    {"an empty trailer section with a CR too many",
     {"C:POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\r\n", OK("y", "1")},
     "POST /a \"x\" -> 200 \"y\"\n",
     {0}},
    {"the last chunk twice",
     {GET("/a"), "S:HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n0\r\n\r\n",
      GET("/b"), OK("y", "1")},
     "GET /a -> 200 \"x\"\nGET /b -> 200 \"y\"\n",
     {0}},
    {"the answer to a HEAD before the HEAD",
     {"C:HEAD /a HTTP/1.1\r\n\r\n", "S:HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", GET("/b"), OK("y", "1")},
     "HEAD /a -> 200\nGET /b -> 200 \"y\"\n",
     {.late_first_request = true}},
};

/* clang-format on */

static void conversations_give_their_exchanges(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct play p = play_of(cases[i].turns);
        struct played got = play(&p, &cases[i].options);
        assert_played(&got, cases[i].want, cases[i].name);
        played_finish(&got);
    }
}

/* However bytes are cut into segments, and whichever side opened: the exchanges stay the same. */
static void exchanges_are_independent_of_segmentation(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        for (size_t split = 1; split < 80; split += split < 4 ? 1 : 7) {
            struct play p = play_of(cases[i].turns);
            struct play_options o = cases[i].options;
            o.split = split;
            o.responder_asks = split % 2 == 0;
            struct played got = play(&p, &o);
            assert_played(&got, cases[i].want, cases[i].name);
            played_finish(&got);
        }
    }
}

/* Bytes passed over are told all, whether a search held them back or not. */
static void losses_are_independent_of_segmentation(void **state)
{
    (void)state;
#define LAST_CHUNK "S:HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    static const struct {
        const char *turns[3];
        const char *want;
        struct play_options options;
    } lossy[] = {
        {{GET("/a"), LAST_CHUNK "0\r\n\r\n", NULL},    "",            {.ends = 'S'}                                                },
        {{GET("/a"), LAST_CHUNK "0\r\n\r\nodd", NULL}, "S 3 hides\n", {.ends = 'S'}                                                },
        {{GET("/a"), "S:no answer", NULL},             "S 9 hides\n", {.ends = 'S'}                                                },
        {{GET("/a"), "S:no answer, and a hole", NULL},
         "S 21 hides\n",                                              {.ends = 'S', .hole_side = 1, .hole_from = 10, .hole_to = 15}},
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(lossy); i++) {
        for (size_t split = 0; split < 12; split++) {
            struct play p = play_of(lossy[i].turns);
            struct play_options o = lossy[i].options;
            o.split = split;
            struct played got = play(&p, &o);
            assert_string_equal(hr_buf_str(&got.losses), lossy[i].want);
            played_finish(&got);
        }
    }
}

static void keep_first_frame(const struct http_exchange *x, void *user)
{
    uint64_t *frame = user;
    *frame = x->response.first.frame;
}

static void pass_loss(const struct http_loss *loss, void *user)
{
    (void)loss;
    (void)user;
}

/* What a search held back is of other frames than the message that it finds behind it. */
static void a_message_begins_in_its_own_frame(void **state)
{
    (void)state;
    static const struct http_callbacks callbacks = {keep_first_frame, pass_loss};
    const struct http_config config = {.header_bytes = 1024,
                                       .field_limit = 16,
                                       .content_bytes = 32 * HTTP_PAGE_SHARE,
                                       .waiting_limit = 8};
    const char *const pieces[] = {"9", "H", "T", "TP/1.0 500 No\r\n\r\n"};
    uint64_t frame = 0;
    struct http_context *h = http_context_create(&config, &callbacks);
    struct http_conn *c = http_conn_create(h, true, &frame);
    struct http_input in = {.side = 1, .acked = UINT64_MAX};
    for (size_t i = 0; i < HR_ARRAY_LEN(pieces); i++) {
        in.place.frame = i == 0 ? 1 : 2;
        in.bytes = hr_span_str(pieces[i]);
        http_conn_feed(c, &in);
        in.offset += in.bytes.len;
    }
    http_conn_finish(c);
    assert_int_equal(frame, 2);
    http_conn_destroy(c);
    http_context_destroy(h);
}

/* What is not HTTP gives no exchange. */
static void other_protocols_give_nothing(void **state)
{
    (void)state;
    static const char *const others[][4] = {
        {"C:\x16\x03\x01\x02\x01",                          "S:\x16\x03\x03"                                     },
        {"C:PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",              "S:\x01\x02\x03\x04\x05"                             },
        {"S:220 mail ESMTP\r\n",                            "C:EHLO x\r\n",                                        "S:250 ok\r\n",
         "C:GET / HTTP/1.1\r\nHost: h\r\n\r\n"},
        {"S:220 FTP\r\n",             "C:USER x\r\n",                                                                  "S:331 ok\r\n"},
        {"C:INVITE sip:a@b SIP/2.0\r\nVia: x\r\n\r\n",                       "S:SIP/2.0 200 OK\r\nVia: x\r\n\r\n"},
        {"C:OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\n\r\n",      "S:RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"},
        {"C:*1\r\n$4\r\nPING\r\n", "S:+PONG\r\n"          },
        {"C:NICK x\r\nUSER x\r\n",                          "S::irc 001 x\r\n"                                                                 },
        {"C:<?xml version='1.0'?><stream:stream>",                          "S:<?xml version='1.0'?>"                                   },
        {"C:0032git-upload-pack /a\n",          "S:00d0 HEAD\n"            },
        {"C:\x10\x0c\0\x04MQTT",                      "S:\x20\x02"                                                  },
        {"C:SSH-2.0-x\r\n",                            "S:SSH-2.0-y\r\n"                                               },
        {"C:OPTIONS icap://h/x ICAP/1.0\r\n\r\n",                                 "S:ICAP/1.0 200 OK\r\n\r\n"                                         },
        {"S:ICY 200 OK\r\n\r\n",           "C:SOURCE /x ICE/1.0\r\n\r\n"    },
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(others); i++) {
        struct play p = {.count = 0};
        for (size_t k = 0; k < 4 && others[i][k] != NULL; k++) {
            play_add(&p, others[i][k]);
        }
        for (size_t split = 0; split < 5; split++) {
            struct played got = play(&p, &(struct play_options){.split = split, .ends = 'C'});
            assert_played(&got, "", others[i][0]);
            assert_int_equal(got.losses.len, 0);
            played_finish(&got);
        }
    }
}

static void more_waiting_requests_than_allowed_are_given_up(void **state)
{
    (void)state;
    const char *turns[] = {GET("/a"), GET("/b"), GET("/c"), GET("/d"), OK("x", "1"), NULL};
    struct play p = play_of(turns);
    struct played got = play(&p, &(struct play_options){.waiting_limit = 2});
    assert_non_null(strstr(hr_buf_str(&got.text), "GET /a -> -"));
    assert_non_null(strstr(hr_buf_str(&got.text), "? -> 200"));
    assert_int_equal(got.no_responses, 4);
    played_finish(&got);
}

/* One byte is not enough to tell TLS; answered in HTTP, bytes that began like it were none. */
static void tls_is_told_by_three_bytes(void **state)
{
    (void)state;
    const char *turns[] = {"C:\x16\x03\x2e\x02 x\r\n", OK("x", "1"), NULL};
    struct play p = play_of(turns);
    for (size_t split = 0; split < 5; split++) {
        struct played got = play(&p, &(struct play_options){.split = split});
        assert_non_null(strstr(hr_buf_str(&got.text), "? -> 200"));
        played_finish(&got);
    }
}

static void keep_value(const struct hr_counter_info *info, uint64_t value, void *user)
{
    struct http_counters *n = user;
    if (strcmp(info->name, "connections_tls") == 0) {
        n->connections_tls = value;
    } else if (strcmp(info->name, "bytes_tls") == 0) {
        n->bytes_tls = value;
    } else if (strcmp(info->name, "upgraded") == 0) {
        n->upgraded = value;
    } else if (strcmp(info->name, "bytes_not_http") == 0) {
        n->bytes_not_http = value;
    } else if (strcmp(info->name, "connections_not_http") == 0) {
        n->connections_not_http = value;
    } else if (strcmp(info->name, "connections_http2") == 0) {
        n->connections_http2 = value;
    } else if (strcmp(info->name, "interim_responses") == 0) {
        n->interim_responses = value;
    }
}

static void what_was_not_read_is_counted(void **state)
{
    (void)state;
    const char *const conversations[][4] = {
        {"C:\x16\x03\x01\x02\x01", "S:\x16\x03\x03", "C:abc"},
        {"C:PRI * HTTP/2.0\r\n\r\n",                        "S:12345"              },
        {"C:CONNECT h:1 HTTP/1.1\r\n\r\n",                        "S:HTTP/1.1 200 Ok\r\n\r\n","C:12345", "S:123"},
        {"C:EHLO\r\n",               "S:250\r\n"                             },
    };
    struct http_context *h = play_context(0);
    for (size_t i = 0; i < HR_ARRAY_LEN(conversations); i++) {
        struct play p = {.count = 0};
        struct played out;
        played_init(&out);
        for (size_t k = 0; k < 4 && conversations[i][k] != NULL; k++) {
            play_add(&p, conversations[i][k]);
        }
        play_with(h, &p, &(struct play_options){.split = 0}, &out);
        played_finish(&out);
    }
    struct http_counters n = {0};
    http_context_counters(h, keep_value, &n);
    assert_int_equal(n.connections_tls, 1);
    assert_int_equal(n.bytes_tls, 5 + 3 + 3);
    assert_int_equal(n.connections_http2, 1);
    assert_int_equal(n.connections_not_http, 1);
    assert_int_equal(n.upgraded, 1);
    assert_int_equal(n.bytes_not_http, 5 + 3 + 6 + 5);
    http_context_destroy(h);
}

/* Hostile input takes linear time and bounded memory; this test would run for minutes otherwise. */
static void hostile_input_is_followed_or_dropped(void **state)
{
    (void)state;
    static const struct {
        const char *begin, *repeat;
        unsigned side;
    } floods[] = {
        {"GET / HTTP/1.1\r\n",                                         "A: b\r\n",                      0},
        {"GET / HTTP/1.1\r\nA: ",                                      "x",                             0},
        {"GET /",                                                      "x",                             0},
        {"GET / HTTP/1.1\r\n\r\n",                                     "GET /",                         0},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",    "x",                             1},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",      "1\r\nx\r\n",                    1},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "T: x\r\n",                      1},
        {"HTTP/1.1 100 Continue\r\n\r\n",                              "HTTP/1.1 100 Continue\r\n\r\n", 1},
        {"HTTP/1.1 204 x\r\n\r\n",                                     "HTTP/1.1 20",                   1},
        {"HTTP/1.1 204 x\r\n\r\n???\r\n",                              "HTTP/1.1 200 ",                 1},
        {"GET / HTTP/1.1\r\n\r\n",                                     "GET / HTTP/1.1\r\n\r\n",        0},
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(floods); i++) {
        for (size_t step = 1; step < 2000; step = step * 40 + 1) {
            struct played out;
            played_init(&out);
            struct http_context *h = play_context(8);
            struct http_conn *c = http_conn_create(h, false, &out);
            size_t n = strlen(floods[i].repeat);
            char block[4096];
            struct http_input in = {.side = floods[i].side, .acked = UINT64_MAX};
            in.bytes = hr_span_str(floods[i].begin);
            http_conn_feed(c, &in);
            in.offset = in.bytes.len;
            for (size_t k = 0; k < 100000; k += step) {
                size_t len = step < sizeof(block) ? step : sizeof(block);
                for (size_t b = 0; b < len; b++) {
                    block[b] = floods[i].repeat[(k + b) % n];
                }
                in.bytes = hr_span_of(block, len);
                http_conn_feed(c, &in);
                in.offset += len;
            }
            http_conn_finish(c);
            http_conn_destroy(c);
            http_context_destroy(h);
            played_finish(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversations_give_their_exchanges),
        cmocka_unit_test(exchanges_are_independent_of_segmentation),
        cmocka_unit_test(losses_are_independent_of_segmentation),
        cmocka_unit_test(a_message_begins_in_its_own_frame),
        cmocka_unit_test(other_protocols_give_nothing),
        cmocka_unit_test(more_waiting_requests_than_allowed_are_given_up),
        cmocka_unit_test(tls_is_told_by_three_bytes),
        cmocka_unit_test(what_was_not_read_is_counted),
        cmocka_unit_test(hostile_input_is_followed_or_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
