#include "play.h"

/* Request N asks for /N, response N says N: a pair that does not agree is a false one. */

enum { EXCHANGES = 5 };

static char request_text[EXCHANGES][128];
static char response_text[EXCHANGES][256];

static void write_texts(bool chunked, bool with_content)
{
    for (int i = 0; i < EXCHANGES; i++) {
        snprintf(request_text[i], sizeof(request_text[i]),
                 with_content && i % 2 == 1
                     ? "C:POST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nuser=abc"
                     : "C:GET /%d HTTP/1.1\r\nHost: h\r\nCookie: s=1\r\n\r\n",
                 i);
        snprintf(response_text[i], sizeof(response_text[i]),
                 chunked && i % 2 == 0
                     ? "S:HTTP/1.1 200 OK\r\nX-N: %d\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "9\r\n{\"id\": %d}\r\n3\r\nxyz\r\n0\r\n\r\n"
                     : "S:HTTP/1.1 200 OK\r\nX-N: %d\r\nContent-Length: 9\r\n\r\n{\"id\": %d}",
                 i, i);
    }
}

struct seen {
    struct played played; /* first: shared callbacks write there */
    bool paired[EXCHANGES];
    unsigned pairs;
};

static void on_exchange(const struct http_exchange *x, void *user)
{
    struct seen *s = user;
    play_on_exchange(x, &s->played);
    if (!x->has_request || !x->has_response) {
        return;
    }
    const struct http_field *n = http_field_find(&x->response, "x-n");
    s->pairs++;
    int request = x->request.target.ptr[1] - '0';
    if (n != NULL && n->value.len == 1) {
        if (n->value.ptr[0] - '0' != request) {
            fail_msg("false pair:\n%s", hr_buf_str(&s->played.text));
        }
        s->paired[request] = true;
    }
}

static struct seen play_seen(const struct play *p, const struct play_options *o)
{
    static const struct http_callbacks callbacks = {on_exchange, play_on_loss};
    const struct http_config config = {.header_bytes = 1024,
                                       .field_limit = 16,
                                       .content_bytes = 32 * HTTP_PAGE_SHARE,
                                       .waiting_limit = 100};
    struct seen s = {.pairs = 0};
    played_init(&s.played);
    struct http_context *h = http_context_create(&config, &callbacks);
    play_with(h, p, o, &s.played);
    http_context_destroy(h);
    return s;
}

static bool overlaps(const struct turn *t, const struct play_options *o)
{
    return t->side == o->hole_side && t->offset < o->hole_to &&
           o->hole_from < t->offset + t->bytes.len;
}

/* In turn: each request after the answer before it. */
static struct play in_turn(void)
{
    struct play p = {.count = 0};
    for (int i = 0; i < EXCHANGES; i++) {
        play_add(&p, request_text[i]);
        play_add(&p, response_text[i]);
    }
    return p;
}

/* The requests of a burst acknowledge the same bytes. */
static struct play in_bursts(size_t size)
{
    struct play p = {.count = 0};
    for (size_t i = 0; i < EXCHANGES; i += size) {
        for (size_t k = i; k < i + size && k < EXCHANGES; k++) {
            play_add(&p, request_text[k]);
        }
        for (size_t k = i; k < i + size && k < EXCHANGES; k++) {
            play_add(&p, response_text[k]);
        }
    }
    return p;
}

/* Always two requests under way: the next is sent when the answer to the one before last came. */
static struct play windowed(void)
{
    struct play p = {.count = 0};
    play_add(&p, request_text[0]);
    for (int i = 0; i < EXCHANGES; i++) {
        if (i + 1 < EXCHANGES) {
            play_add(&p, request_text[i + 1]);
        }
        play_add(&p, response_text[i]);
    }
    return p;
}

static void every_hole(const struct play *p, const uint64_t first[2], bool whole_ones_must_pair)
{
    for (unsigned side = 0; side < 2; side++) {
        for (uint64_t from = first[side]; from < p->sent[side]; from += 3) {
            for (uint64_t len = 1; from + len <= p->sent[side]; len += 1 + len / 3) {
                struct play_options o = {
                    .hole_side = side, .hole_from = from, .hole_to = from + len};
                struct seen s = play_seen(p, &o);
                for (size_t i = 0; whole_ones_must_pair && i + 1 < p->count; i += 2) {
                    bool whole = !overlaps(&p->turns[i], &o) && !overlaps(&p->turns[i + 1], &o);
                    if (whole && !s.paired[i / 2]) {
                        fail_msg("side %u, hole %u+%u: exchange %zu is missing:\n%s", side,
                                 (unsigned)from, (unsigned)len, i / 2, hr_buf_str(&s.played.text));
                    }
                }
                played_finish(&s.played);
            }
        }
    }
}

static void holes_in_a_conversation_in_turn_lose_only_what_they_touch(void **state)
{
    (void)state;
    for (int form = 0; form < 4; form++) {
        write_texts(form & 1, form & 2);
        struct play p = in_turn();
        every_hole(&p, (uint64_t[2]){0, 0}, true);
    }
}

static void holes_in_bursts_make_no_false_pair(void **state)
{
    (void)state;
    for (size_t size = 2; size <= EXCHANGES; size++) {
        write_texts(size % 2, true);
        struct play p = in_bursts(size);
        every_hole(&p, (uint64_t[2]){0, 0}, false);
    }
}

/* Requests that overlap show it, unless just those that show it are lost: not the first two here.
 */
static void holes_in_overlapping_exchanges_make_no_false_pair(void **state)
{
    (void)state;
    write_texts(false, false);
    struct play p = windowed();
    every_hole(&p, (uint64_t[2]){p.turns[1].offset + p.turns[1].bytes.len, 0}, false);
}

/* Without a hole every way of sending gives all pairs, whatever the segments. */
static void nothing_lost_all_paired(void **state)
{
    (void)state;
    for (size_t form = 0; form < EXCHANGES + 2; form++) {
        write_texts(form % 2, form % 3);
        struct play p = form == 0 ? in_turn() : form <= EXCHANGES ? in_bursts(form) : windowed();
        for (size_t split = 0; split < 30; split++) {
            struct seen s = play_seen(&p, &(struct play_options){.split = split, .ends = 'S'});
            assert_int_equal(s.pairs, EXCHANGES);
            assert_null(strstr(hr_buf_str(&s.played.text), "resync"));
            assert_int_equal(s.played.losses.len, 0);
            played_finish(&s.played);
        }
    }
}

/* A client that waited for all answers of a burst once is trusted to do so again. */
static void a_lost_burst_does_not_hide_the_next(void **state)
{
    (void)state;
    write_texts(false, false);
    struct play p = in_bursts(2);
    const struct turn *third = &p.turns[6]; /* response 2, behind requests 2 and 3 */
    struct play_options o = {.hole_side = 1,
                             .hole_from = third->offset + 3,
                             .hole_to = third->offset + third->bytes.len + 5};
    struct seen s = play_seen(&p, &o);
    assert_string_equal(hr_buf_str(&s.played.text), "GET /0 -> 200 \"{\"id\": 0}\"\n"
                                                    "GET /1 -> 200 \"{\"id\": 1}\"\n"
                                                    "GET /2 -> - gap loss-s\n"
                                                    "GET /3 -> - gap loss-s\n"
                                                    "GET /4 -> 200 \"{\"id\": 4}\" resync\n");
    played_finish(&s.played);
}

/* What looks like a message in a content whose head is lost hides nothing: the other side tells
 * where the next one begins. */
static void what_looks_like_a_message_hides_no_other(void **state)
{
    (void)state;
#define BAIT(line) line "\r\nContent-Length: 99999\r\n\r\n"
    static const char *const turns[] = {
        "C:POST /0 HTTP/1.1\r\nContent-Length: 53\r\n\r\n..." BAIT("POST /bait HTTP/1.1") "....",
        "S:HTTP/1.1 200 OK\r\nContent-Length: 46\r\n\r\n..." BAIT("HTTP/1.1 404 No") ".",
        "C:GET /1 HTTP/1.1\r\n\r\n",
        "S:HTTP/1.1 200 OK\r\nX-N: 1\r\nContent-Length: 1\r\n\r\nx",
        NULL,
    };
#undef BAIT
    struct play p = play_of(turns);
    for (unsigned side = 0; side < 2; side++) {
        for (size_t split = 0; split < 8; split++) {
            struct play_options o = {.hole_side = side, .hole_to = 10, .split = split};
            struct seen s = play_seen(&p, &o);
            if (!s.paired[1]) {
                fail_msg("side %u, split %zu:\n%s", side, split, hr_buf_str(&s.played.text));
            }
            played_finish(&s.played);
        }
    }
}

/* A hole wholly inside a content of known length costs no message. */
static void contents_are_skipped_over(void **state)
{
    (void)state;
    static const char *const turns[] = {
        "C:POST /0 HTTP/1.1\r\nContent-Length: 20\r\n\r\n01234567890123456789",
        "S:HTTP/1.1 200 OK\r\nX-N: 0\r\nContent-Length: 20\r\n\r\n01234567890123456789",
        "C:GET /1 HTTP/1.1\r\n\r\n",
        "S:HTTP/1.1 200 OK\r\nX-N: 1\r\nTransfer-Encoding: "
        "chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n",
        "C:GET /2 HTTP/1.1\r\n\r\n",
        "S:HTTP/1.1 200 OK\r\nX-N: 2\r\n\r\n0123456789",
        NULL,
    };
    static const struct {
        size_t turn, before_end, len;
        const char *loss;
    } holes[] = {
        {0, 19, 10, "C 10\n"},
        {0, 20, 20, "C 20\n"},
        {0, 3,  3,  "C 3\n" },
        {1, 19, 10, "S 10\n"},
        {1, 20, 20, "S 20\n"},
        {3, 16, 5,  "S 5\n" },
        {3, 17, 10, "S 10\n"},
        {5, 9,  4,  "S 4\n" },
    };
    struct play p = play_of(turns);
    for (size_t i = 0; i < HR_ARRAY_LEN(holes); i++) {
        const struct turn *t = &p.turns[holes[i].turn];
        uint64_t from = t->offset + t->bytes.len - holes[i].before_end;
        struct play_options o = {
            .hole_side = t->side, .hole_from = from, .hole_to = from + holes[i].len, .ends = 'S'};
        struct seen s = play_seen(&p, &o);
        assert_int_equal(s.pairs, 3);
        assert_null(strstr(hr_buf_str(&s.played.text), "resync"));
        assert_string_equal(hr_buf_str(&s.played.losses), holes[i].loss);
        played_finish(&s.played);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_lost_all_paired),
        cmocka_unit_test(holes_in_a_conversation_in_turn_lose_only_what_they_touch),
        cmocka_unit_test(holes_in_bursts_make_no_false_pair),
        cmocka_unit_test(holes_in_overlapping_exchanges_make_no_false_pair),
        cmocka_unit_test(a_lost_burst_does_not_hide_the_next),
        cmocka_unit_test(what_looks_like_a_message_hides_no_other),
        cmocka_unit_test(contents_are_skipped_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
