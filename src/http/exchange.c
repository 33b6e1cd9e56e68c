/*
 * A connection: two readers (message.h), one per transport side, the pairs they make (pairing.h),
 * and what waits. An input waits where the other side lags behind in the capture: a segment that
 * acknowledges bytes not delivered yet may begin the answer to a request that is still to come. And
 * what follows a CONNECT or an upgrade waits until the answer says what it is.
 */
#include "http/exchange.h"

#include "base/alloc.h"
#include "http/conn.h"
#include "http/start_line.h"

#include <stddef.h>
#include <stdlib.h>

enum {
    HELD_CONN_BYTES = 64 * 1024,
    HELD_TOTAL_BYTES = 64 * 1024 * 1024,
    LINE_BYTES = 64, /* of memory */
};

bool http_exchange_is_ambiguous(const struct http_exchange *x)
{
    /* A response with both is read alike by everybody: the coding counts (RFC 9112 6.3). */
    const unsigned either =
        HTTP_ANOMALY_LENGTHS_DIFFER | HTTP_ANOMALY_BAD_LENGTH | HTTP_ANOMALY_ODD_CODING;
    return (x->has_request &&
            (x->request.anomalies & (either | HTTP_ANOMALY_LENGTH_AND_CODING)) != 0) ||
           (x->has_response && (x->response.anomalies & either) != 0);
}

/* --- context ---------------------------------------------------------------------------------- */

struct http_context *http_context_create(const struct http_config *config,
                                         const struct http_callbacks *callbacks)
{
    struct http_context *h = hr_xcalloc(1, sizeof(*h));
    h->config = *config;
    h->callbacks = *callbacks;
    h->readers = (struct http_reader_shared){
        .ops = &http_conn_ops,
        .parser = http_parser_create(config->field_limit),
        .header_bytes = config->header_bytes,
        .content_bytes = config->content_bytes,
    };
    hr_buf_init(&h->readers.scratch_content, SIZE_MAX);
    h->pairing = (struct http_pairing_shared){.callbacks = &h->callbacks,
                                              .counters = &h->counters,
                                              .waiting_limit = config->waiting_limit};
    return h;
}

void http_context_destroy(struct http_context *h)
{
    if (h == NULL) {
        return;
    }
    http_parser_destroy(h->readers.parser);
    hr_buf_finish(&h->readers.scratch_content);
    free(h);
}

void http_context_counters(const struct http_context *h, hr_counter_fn emit, void *user)
{
    static const struct hr_counter_info info[] = {HTTP_COUNTERS(HR_COUNTER_INFO)};
    struct http_counters n = h->counters;
    n.parse_errors = h->readers.errors;
    n.fields_cut = h->readers.fields_cut;
    n.odd_heads = h->readers.odd_heads;
    hr_counters_emit(info, HR_ARRAY_LEN(info), &n, emit, user);
}

size_t http_context_kept_bytes(const struct http_context *h)
{
    return h->kept_bytes;
}

/* --- connection ------------------------------------------------------------------------------- */

static void count_kept(struct http_conn *c, size_t bytes)
{
    struct http_context *h = c->context;
    h->kept_bytes = h->kept_bytes - c->counted_bytes + bytes;
    c->counted_bytes = bytes;
    if (h->kept_bytes > h->counters.kept_bytes_peak) {
        h->counters.kept_bytes_peak = h->kept_bytes;
    }
}

/* A message that is being read counts with its content; a request stands in the queue as well. What
 * reads them counts too: of many connections that wait for the next request it is most. */
static size_t kept_bytes(const struct http_conn *c)
{
    size_t bytes = sizeof(*c) + c->pairs.kept_bytes + c->held.bytes;
    for (unsigned i = 0; i < 2; i++) {
        const struct http_reader *r = &c->readers[i];
        bytes += r->held.capacity + (r->kept != NULL ? r->kept->content.capacity : 0);
    }
    return bytes;
}

struct http_conn *http_conn_create(struct http_context *h, bool midstream, void *user)
{
    struct http_conn *c = hr_xcalloc(1, sizeof(*c));
    c->context = h;
    c->client = -1;
    c->rest_kind = HTTP_CONN_OTHER;
    c->answer_acked = HTTP_ACK_UNKNOWN;
    c->held.total_bytes = &h->held_bytes;
    for (unsigned i = 0; i < 2; i++) {
        http_reader_init(&c->readers[i], &h->readers, midstream);
        c->readers[i].owner = c;
        c->closes[i].place.at = HR_NSEC_INFINITE;
    }
    http_pairs_init(&c->pairs, &h->pairing, user);
    count_kept(c, kept_bytes(c));
    return c;
}

void http_conn_destroy(struct http_conn *c)
{
    if (c == NULL) {
        return;
    }
    count_kept(c, 0);
    for (unsigned i = 0; i < 2; i++) {
        bool in_queue = (int)i == c->client; /* its message is in the queue */
        if (c->readers[i].m != NULL && !in_queue) {
            http_kept_destroy(c->readers[i].kept);
        }
        http_reader_finish(&c->readers[i]);
    }
    http_held_finish(&c->held);
    http_pairs_finish(&c->pairs);
    free(c);
}

int http_conn_client_side(const struct http_conn *c)
{
    return c->client;
}

hr_nsec http_conn_pending_since(const struct http_conn *c)
{
    const struct http_reader *r = c->client >= 0 ? &c->readers[c->client] : &c->readers[0];
    if (c->pairs.first != NULL) {
        return c->pairs.first->m.first.at;
    }
    bool is_undecided = c->kind == HTTP_CONN_UNDECIDED && c->fed[0] + c->fed[1] > 0;
    bool in_head = c->kind == HTTP_CONN_HTTP && r->state == HTTP_READ_HEAD;
    return in_head || is_undecided ? r->start_place.at : HR_NSEC_INFINITE;
}

enum http_conn_kind http_conn_kind(const struct http_conn *c)
{
    return c->kind;
}

uint64_t http_conn_rest(const struct http_conn *c, enum http_conn_kind *ret_kind)
{
    *ret_kind = c->rest_kind;
    return c->rest_bytes[0] + c->rest_bytes[1];
}

static bool has_both_ends(const struct http_conn *c)
{
    return c->ended[0] && c->ended[1];
}

static void note_end(struct http_conn *c, const struct http_input *in)
{
    c->ended[in->side] = true;
    c->closes[in->side] = (struct http_close){.is_close = in->end_is_close, .place = in->place};
}

static void flush(struct http_conn *c)
{
    if (c->client < 0) {
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        enum http_side side = (int)i == c->client ? HTTP_REQUEST : HTTP_RESPONSE;
        c->pairs.closes[side] = &c->closes[i];
    }
    http_pairs_flush(&c->pairs);
}

/* Whether in has to wait for the other side. */
static bool must_wait(const struct http_conn *c, const struct http_input *in)
{
    unsigned other = 1 - in->side;
    const struct http_reader *r = &c->readers[in->side];
    if (c->force || c->kind > HTTP_CONN_HTTP || c->upgraded) {
        return false;
    }
    if (r->paused) {
        return !c->ended[other] || c->held.first[other] != NULL;
    }
    return in->bytes.len > 0 && (int)in->side != c->client && in->acked != HTTP_ACK_UNKNOWN &&
           in->acked > c->fed[other] && !c->ended[other] &&
           http_reader_is_at_boundary(r, in->bytes.len);
}

/*
 * Where in these bytes a message begins, as the other side tells: the server sends its answer when
 * it has acknowledged all of the request, and the client its next request when it has acknowledged
 * all of the answer. @return SIZE_MAX where nothing is told
 */
static size_t find_anchor(const struct http_conn *c, const struct http_input *in)
{
    bool is_request = (int)in->side == c->client;
    uint64_t anchor = is_request ? (c->pairs.pipelines_surely ? UINT64_MAX : c->answer_acked)
                                 : http_pairs_next_answer(&c->pairs, in->offset);
    if (anchor < in->offset || anchor - in->offset >= in->bytes.len) {
        return SIZE_MAX;
    }
    size_t at = (size_t)(anchor - in->offset);
    return http_start_begins(c->readers[in->side].side, hr_span_slice(in->bytes, at, in->bytes.len))
               ? at
               : SIZE_MAX;
}

static void process_bytes(struct http_conn *c, const struct http_input *in)
{
    struct http_reader *r = &c->readers[in->side];
    struct http_input part = *in;
    size_t n = 0;
    r->paused = r->paused && !c->force;
    if (r->unsure && c->kind == HTTP_CONN_HTTP && r->state != HTTP_READ_IGNORE) {
        size_t anchor = find_anchor(c, in);
        if (anchor != SIZE_MAX) {
            part.bytes = hr_span_slice(in->bytes, 0, anchor);
            n = anchor > 0 ? http_reader_feed(r, &part) : 0;
        }
        if (anchor != SIZE_MAX && n == anchor) {
            bool was_wrong = http_reader_anchor(r, in->place.at);
            if (was_wrong && (int)in->side == c->client) {
                http_pairs_unlearn(&c->pairs);
            }
            part.offset += n;
            part.bytes = hr_span_slice(in->bytes, n, in->bytes.len);
        }
    }
    n += http_reader_feed(r, &part);
    if (n < in->bytes.len) {
        http_held_push_back(&c->held, in, n);
    }
}

static void process(struct http_conn *c, const struct http_input *in)
{
    struct http_reader *r = &c->readers[in->side];
    if (in->gap_bytes > 0) {
        http_reader_gap(r, in);
    } else if (in->end) {
        http_reader_end(r, in);
    } else {
        if (c->client == 1 - (int)in->side && in->acked != HTTP_ACK_UNKNOWN) {
            c->answer_acked = in->acked;
        }
        process_bytes(c, in);
    }
}

/* Works off what waits and need not any more. */
static void pump(struct http_conn *c)
{
    bool progress = true;
    while (progress) {
        progress = false;
        for (unsigned side = 0; side < 2; side++) {
            while (c->held.first[side] != NULL && !must_wait(c, &c->held.first[side]->in)) {
                struct http_held_input *h = http_held_take(&c->held, side);
                c->readers[side].paused = false;
                process(c, &h->in);
                free(h);
                progress = true;
            }
        }
    }
}

static void force_pump(struct http_conn *c)
{
    c->force = true;
    pump(c);
    c->force = false;
}

static void count_foreign(struct http_conn *c, const struct http_input *in)
{
    struct http_counters *n = &c->context->counters;
    uint64_t *bytes = c->kind == HTTP_CONN_TLS     ? &n->bytes_tls
                      : c->kind == HTTP_CONN_HTTP2 ? &n->bytes_http2
                                                   : &n->bytes_not_http;
    *bytes += in->bytes.len;
}

void http_conn_fetch(const struct http_conn *c)
{
    const char *bytes = (const char *)c;
    for (size_t i = 0; i < offsetof(struct http_conn, closes); i += LINE_BYTES) {
        __builtin_prefetch(bytes + i, 1);
    }
}

void http_conn_feed(struct http_conn *c, const struct http_input *in)
{
    if (c->kind > HTTP_CONN_HTTP) {
        count_foreign(c, in);
        return;
    }
    c->fed[in->side] = in->offset + in->bytes.len + in->gap_bytes;
    if (in->end) {
        note_end(c, in);
    }
    if (c->held.first[in->side] != NULL || must_wait(c, in)) {
        http_held_push(&c->held, in, 0);
    } else {
        process(c, in);
    }
    if (c->held.first[0] != NULL || c->held.first[1] != NULL) {
        pump(c);
    }
    if (c->held.bytes > HELD_CONN_BYTES || c->context->held_bytes > HELD_TOTAL_BYTES ||
        (has_both_ends(c) && c->held.bytes > 0)) {
        force_pump(c);
    }
    if (has_both_ends(c)) {
        flush(c);
    }
    count_kept(c, kept_bytes(c));
}

void http_conn_finish(struct http_conn *c)
{
    force_pump(c);
    for (unsigned side = 0; side < 2; side++) {
        if (c->kind <= HTTP_CONN_HTTP && !c->ended[side]) {
            struct http_input end = {.side = side,
                                     .offset = c->fed[side],
                                     .end = true,
                                     .place = c->readers[side].last_place,
                                     .acked = HTTP_ACK_UNKNOWN};
            note_end(c, &end);
            http_reader_end(&c->readers[side], &end);
        }
    }
    if (c->kind == HTTP_CONN_UNDECIDED && http_conn_bytes(c) > 0) {
        http_conn_become(c, HTTP_CONN_OTHER);
    }
    flush(c);
}
