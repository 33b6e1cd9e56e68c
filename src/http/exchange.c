/*
 * A connection: two readers (message.h), one per transport side, the pairs they make (pairing.h),
 * and what waits. An input waits where the other side lags behind in the capture: a segment that
 * acknowledges bytes not delivered yet may begin the answer to a request that is still to come. And
 * what follows a CONNECT or an upgrade waits until the answer says what it is.
 */
#include "http/exchange.h"

#include "base/alloc.h"
#include "http/held.h"
#include "http/pairing.h"
#include "http/start_line.h"

#include <stdlib.h>
#include <string.h>

enum {
    HELD_CONN_BYTES = 64 * 1024,
    HELD_TOTAL_BYTES = 64 * 1024 * 1024,
    LINE_BYTES = 64, /* of memory */
};

/* What every input touches stands together in front. */
struct http_conn {
    struct http_context *context;
    enum http_conn_kind kind;
    int client; /* transport side that sends requests; -1 not known */
    bool force; /* nothing waits any more */
    bool upgraded;
    bool refused[2]; /* the first bytes of that side are no message */
    bool ended[2];
    uint64_t fed[2];      /* end of what was given */
    size_t counted_bytes; /* of what it keeps, in the context's sum */
    /* behind CONNECT, an upgrade, HTTP/0.9 */
    enum http_conn_kind rest_kind;
    uint64_t rest_bytes[2];
    struct http_held held;
    struct http_reader readers[2];
    struct http_pairs pairs;
    struct http_close closes[2];
    uint64_t answer_acked; /* of requests, by the latest bytes of the server; UINT64_MAX: unknown */
    /* where the first interim response of the current answer stands */
    bool has_interim;
    unsigned interim_count;
    struct http_position interim;
};

struct http_context {
    struct http_config config;
    struct http_callbacks callbacks;
    struct http_counters counters;
    struct http_reader_shared readers;
    struct http_pairing_shared pairing;
    size_t held_bytes;
    size_t kept_bytes;
};

/* --- what the readers report ------------------------------------------------------------------ */

static unsigned side_index(const struct http_reader *r)
{
    const struct http_conn *c = r->owner;
    return r == &c->readers[0] ? 0 : 1;
}

static uint64_t bytes_so_far(const struct http_conn *c)
{
    return c->fed[0] + c->fed[1];
}

static void become_other(struct http_conn *c, enum http_conn_kind kind)
{
    struct http_counters *n = &c->context->counters;
    uint64_t bytes = bytes_so_far(c);
    c->kind = kind;
    if (kind == HTTP_CONN_TLS) {
        n->connections_tls++;
        n->bytes_tls += bytes;
    } else if (kind == HTTP_CONN_HTTP2) {
        n->connections_http2++;
        n->bytes_http2 += bytes;
    } else {
        n->connections_not_http++;
        n->bytes_not_http += bytes;
    }
    http_reader_ignore(&c->readers[0]);
    http_reader_ignore(&c->readers[1]);
}

static void on_decide(struct http_reader *r, enum http_side side)
{
    struct http_conn *c = r->owner;
    unsigned index = side_index(r);
    struct http_reader *other = &c->readers[1 - index];
    c->kind = HTTP_CONN_HTTP;
    c->client = (int)(side == HTTP_REQUEST ? index : 1 - index);
    http_reader_set_side(other, side == HTTP_REQUEST ? HTTP_RESPONSE : HTTP_REQUEST);
    if (c->readers[1 - c->client].state == HTTP_READ_SEARCH || c->readers[1 - c->client].late) {
        http_pairs_drift(&c->pairs, false);
        c->pairs.doubt = false; /* nothing was asked yet */
        c->pairs.joined = true;
    }
    if (c->readers[c->client].loss_open) {
        c->pairs.request_hole = true;
    }
}

static void on_refuse(struct http_reader *r, struct hr_span bytes)
{
    struct http_conn *c = r->owner;
    unsigned index = side_index(r);
    if (http_tls_is_possible(bytes, r->late)) {
        become_other(c, HTTP_CONN_TLS);
    } else if (hr_span_has_prefix(bytes, HR_SPAN("PRI * HTTP/2.0"))) {
        become_other(c, HTTP_CONN_HTTP2);
    } else if (!r->late) {
        c->refused[index] = true;
        if (c->refused[1 - index]) {
            become_other(c, HTTP_CONN_OTHER);
        }
    }
}

static void on_request_head(struct http_reader *r, const struct http_head *head)
{
    struct http_conn *c = r->owner;
    r->m->framing = http_message_framing(head, (struct hr_span){NULL, 0});
    struct http_kept *k = http_kept_create(r->m, r->shared->content_bytes);
    k->unsure = r->unsure;
    k->wants_upgrade = hr_span_equal(k->m.method, HR_SPAN("CONNECT")) ||
                       (head->facts.connection_upgrade && head->facts.has_upgrade);
    r->kept = k;
    r->m = &k->m;
    http_pairs_add(&c->pairs, k);
}

static void on_response_head(struct http_reader *r, const struct http_head *head)
{
    struct http_conn *c = r->owner;
    struct http_message *m = r->m;
    struct http_position at = {
        .offset = r->boundary != UINT64_MAX ? r->boundary : m->offset,
        .acked = m->acked,
        .before = r->start_before,
    };
    if (m->status / 100 == 1 && m->status != 101) {
        m->framing = HTTP_FRAMING_NONE;
        if (!c->has_interim) {
            c->has_interim = true;
            c->interim = at;
        }
        return;
    }
    if (c->has_interim) { /* the answer as a whole begins there; what it acknowledged grew since */
        at.offset = c->interim.offset;
        at.before = c->interim.before;
    }
    if (at.acked != HTTP_ACK_UNKNOWN && at.acked > c->fed[c->client] && !c->ended[c->client]) {
        http_pairs_drift(&c->pairs, false); /* waited in vain for a request that may still come */
    }
    m->interim_count = c->interim_count;
    c->has_interim = false;
    c->interim_count = 0;
    const struct http_kept *request = http_pairs_match(&c->pairs, &at);
    m->framing =
        http_message_framing(head, request != NULL ? request->m.method : (struct hr_span){NULL, 0});
    r->keeps_more = request != NULL && request->m.framing != HTTP_FRAMING_NONE;
    r->check_empty = request == NULL && m->framing == HTTP_FRAMING_LENGTH;
    c->context->counters.responses++;
}

static void on_head(struct http_reader *r, const struct http_head *head)
{
    if (r->side == HTTP_REQUEST) {
        on_request_head(r, head);
    } else {
        on_response_head(r, head);
    }
}

static void on_request_done(struct http_reader *r, enum http_cut cut)
{
    struct http_conn *c = r->owner;
    struct http_kept *k = r->kept;
    k->lost = cut == HTTP_CUT_GAP;
    r->paused = cut == HTTP_CUT_NONE && k->wants_upgrade && !k->answered && !c->force;
    http_pairs_request_done(&c->pairs, k);
}

static void upgrade(struct http_conn *c)
{
    c->upgraded = true;
    c->context->counters.upgraded++;
    for (unsigned i = 0; i < 2; i++) {
        http_reader_ignore(&c->readers[i]);
        c->readers[i].paused = false;
    }
}

static void on_response_done(struct http_reader *r, enum http_cut cut)
{
    struct http_conn *c = r->owner;
    const struct http_message *m = r->m;
    if (m->status / 100 == 1 && m->status != 101) {
        c->interim_count++;
        c->context->counters.interim_responses++;
        http_kept_destroy(r->kept);
        return;
    }
    const struct http_reader *requests = &c->readers[c->client];
    bool is_upgrade = m->framing == HTTP_FRAMING_UPGRADE && m->head_complete;
    bool may_be_early = requests->state == HTTP_READ_HEAD &&
                        (m->acked == HTTP_ACK_UNKNOWN || m->acked > requests->start_offset);
    c->readers[c->client].paused = false;
    http_pairs_response_done(&c->pairs, m, r->kept, cut, may_be_early);
    if (is_upgrade) {
        upgrade(c);
    }
}

static void on_done(struct http_reader *r, enum http_cut cut)
{
    if (r->side == HTTP_REQUEST) {
        on_request_done(r, cut);
    } else {
        on_response_done(r, cut);
    }
}

static void on_lost(struct http_reader *r, enum http_cut why)
{
    struct http_conn *c = r->owner;
    c->context->counters.resynchronised++;
    if (r->side == HTTP_RESPONSE) {
        c->has_interim = false;
        c->interim_count = 0;
        http_pairs_drift(&c->pairs, why == HTTP_CUT_GAP);
    } else if (r->side == HTTP_REQUEST) {
        c->pairs.request_hole = true;
    }
}

static void emit_loss(struct http_reader *r, const struct http_loss *loss)
{
    struct http_conn *c = r->owner;
    c->context->callbacks.loss(loss, c->pairs.user);
}

static void on_found(struct http_reader *r, hr_nsec at)
{
    emit_loss(r, &(struct http_loss){.side = (enum http_side)r->side,
                                     .bytes = r->loss_bytes,
                                     .from_at = r->loss_from_at,
                                     .to_at = at > r->loss_from_at ? at : r->loss_from_at,
                                     .hides_messages = true});
}

static void on_skipped(struct http_reader *r, uint64_t bytes, hr_nsec from_at, hr_nsec to_at)
{
    emit_loss(r, &(struct http_loss){.side = (enum http_side)r->side,
                                     .bytes = bytes,
                                     .from_at = from_at,
                                     .to_at = to_at});
}

static void on_ignored(struct http_reader *r, struct hr_span bytes)
{
    struct http_conn *c = r->owner;
    uint64_t *seen = &c->rest_bytes[side_index(r)];
    if (c->kind != HTTP_CONN_HTTP) {
        return;
    }
    if (*seen == 0 && http_tls_is_possible(bytes, false)) {
        c->rest_kind = HTTP_CONN_TLS;
    } else if (*seen == 0 && hr_span_has_prefix(bytes, HR_SPAN("PRI * HTTP/2.0"))) {
        c->rest_kind = HTTP_CONN_HTTP2;
    }
    *seen += bytes.len;
    c->context->counters.bytes_not_http += bytes.len;
}

static const struct http_reader_ops reader_ops = {
    .decide = on_decide,
    .refuse = on_refuse,
    .head = on_head,
    .done = on_done,
    .lost = on_lost,
    .found = on_found,
    .skipped = on_skipped,
    .ignored = on_ignored,
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
        .ops = &reader_ops,
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
    if (c->kind == HTTP_CONN_UNDECIDED && bytes_so_far(c) > 0) {
        become_other(c, HTTP_CONN_OTHER);
    }
    flush(c);
}
