#include "base/alloc.h"
#include "http/exchange.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pieces that make every state of the readers reachable, in any order. */
static const char *const pieces[] = {
    "GET /a HTTP/1.1\r\n",
    "POST /b HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
    "HEAD /c HTTP/1.0\r\n\r\n",
    "CONNECT h:1 HTTP/1.1\r\n\r\n",
    "GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
    "GET /old\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 101 Switching\r\n\r\n",
    "HTTP/1.1 204 None\r\n\r\n",
    "HTTP/1.0 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "Host: h\r\n",
    "Content-Length: 7\r\n",
    "Transfer-Encoding: chunked\r\n",
    " folded\r\n",
    "no field\r\n",
    "\r\n",
    "\n",
    "5\r\nabcde\r\n",
    "0\r\n\r\n",
    "ffffffffffffffff\r\n",
    "1;x=y\r\nz\r\n",
    "abc",
    "HTT",
    "GE",
    "\x16\x03\x01",
    "\x00\xff",
    "PRI * HTTP/2.0\r\n\r\n",
};

static uint64_t current_seed; /* told by law() when one is broken */

static void law(bool holds, const char *what)
{
    if (!holds) {
        fail_msg("HEADRACE_SEED=%llu: not so: %s", (unsigned long long)current_seed, what);
    }
}

#define LAW(condition) law((condition), #condition)

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

struct laws {
    bool in_order;     /* no bound is reached: exchanges come in the order of their requests */
    uint64_t last_end; /* of the last request */
};

static void on_exchange(const struct http_exchange *x, void *user)
{
    struct laws *laws = user;
    LAW(x->has_request || x->has_response);
    const struct http_message *both[] = {&x->request, &x->response};
    const bool has[] = {x->has_request, x->has_response};
    for (size_t i = 0; i < 2; i++) {
        if (!has[i]) {
            continue;
        }
        LAW(both[i]->end_offset >= both[i]->offset);
        LAW(both[i]->content.len <=
            (i == 0 ? 16u : 16u * HTTP_PAGE_SHARE)); /* answers may be kept further */
        LAW(both[i]->field_count <= 4);
        LAW(both[i]->first.frame > 0);
        if (i == 0) {
            LAW(!laws->in_order || laws->last_end <= both[i]->offset);
            laws->last_end = both[i]->end_offset;
        }
    }
    LAW(x->state != HTTP_COMPLETE || !x->has_request || x->request.complete);
    LAW(x->state != HTTP_COMPLETE || (x->has_response && x->response.complete));
    if (x->has_request && x->has_response && x->response.acked != UINT64_MAX) {
        LAW(x->response.acked > x->request.offset); /* never before it was seen */
    }
}

static void on_loss(const struct http_loss *loss, void *user)
{
    (void)user;
    LAW(loss->to_at >= loss->from_at || loss->to_at == HR_NSEC_INFINITE);
}

static void play_noise(struct http_context *h, uint64_t seed, bool in_order)
{
    struct laws laws = {.in_order = in_order};
    uint64_t offset[2] = {0, 0};
    uint64_t random = seed;
    struct http_conn *c = http_conn_create(h, next_random(&random) % 4 == 0, &laws);
    bool ended[2] = {false, false};
    for (uint64_t i = 0; i < 40; i++) {
        struct http_input in = {.side = next_random(&random) % 2};
        uint64_t what = next_random(&random) % 40;
        in.offset = offset[in.side];
        in.place = (struct http_place){.at = (hr_nsec)i, .frame = i + 1};
        in.before_at = (hr_nsec)i;
        in.acked = next_random(&random) % 8 == 0 ? UINT64_MAX : offset[1 - in.side];
        char bytes[512];
        size_t len = 0;
        if (ended[in.side]) {
            continue;
        }
        if (what == 0) {
            in.end = true;
            in.end_is_close = next_random(&random) % 2 == 0;
            in.end_is_reset = next_random(&random) % 4 == 0;
            ended[in.side] = true;
        } else if (what < 4) {
            in.gap_bytes = next_random(&random) % 12 + 1;
        } else {
            for (uint64_t n = next_random(&random) % 5 + 1; n > 0; n--) {
                const char *piece = pieces[next_random(&random) % HR_ARRAY_LEN(pieces)];
                memcpy(bytes + len, piece, strlen(piece));
                len += strlen(piece);
            }
        }
        char *exact = hr_xmalloc(len > 0 ? len : 1); /* so that a read beyond is seen */
        memcpy(exact, bytes, len);
        in.bytes = hr_span_of(len > 0 ? exact : NULL, len);
        http_conn_feed(c, &in);
        offset[in.side] += len + in.gap_bytes;
        free(exact);
    }
    http_conn_finish(c);
    http_conn_destroy(c);
}

/* Whatever comes: no crash, and what is said holds together. HEADRACE_SEED chooses other noise. */
static void noise_breaks_nothing(void **state)
{
    (void)state;
    static const struct http_callbacks callbacks = {on_exchange, on_loss};
    static const size_t limits[] = {3, 1000};
    const char *given = getenv("HEADRACE_SEED");
    const char *rounds = getenv("HEADRACE_ROUNDS");
    uint64_t first = given != NULL ? strtoull(given, NULL, 10) : 1;
    uint64_t count = rounds != NULL ? strtoull(rounds, NULL, 10) : 5000;
    for (size_t i = 0; i < HR_ARRAY_LEN(limits); i++) {
        const struct http_config config = {.header_bytes = 64,
                                           .field_limit = 4,
                                           .content_bytes = 16 * HTTP_PAGE_SHARE,
                                           .waiting_limit = limits[i]};
        struct http_context *h = http_context_create(&config, &callbacks);
        for (current_seed = first; current_seed < first + count; current_seed++) {
            play_noise(h, current_seed, limits[i] == 1000);
        }
        http_context_destroy(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_breaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
