/*
 * What the readers of a connection report: whether it is HTTP at all, heads, ends, losses; pairs
 * come of it.
 */
#include "http/conn.h"
#include "http/start_line.h"

static unsigned side_index(const struct http_reader *r)
{
    const struct http_conn *c = r->owner;
    return r == &c->readers[0] ? 0 : 1;
}

uint64_t http_conn_bytes(const struct http_conn *c)
{
    return c->fed[0] + c->fed[1];
}

void http_conn_become(struct http_conn *c, enum http_conn_kind kind)
{
    struct http_counters *n = &c->context->counters;
    uint64_t bytes = http_conn_bytes(c);
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
        http_conn_become(c, HTTP_CONN_TLS);
    } else if (hr_span_has_prefix(bytes, HR_SPAN("PRI * HTTP/2.0"))) {
        http_conn_become(c, HTTP_CONN_HTTP2);
    } else if (!r->late) {
        c->refused[index] = true;
        if (c->refused[1 - index]) {
            http_conn_become(c, HTTP_CONN_OTHER);
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

const struct http_reader_ops http_conn_ops = {
    .decide = on_decide,
    .refuse = on_refuse,
    .head = on_head,
    .done = on_done,
    .lost = on_lost,
    .found = on_found,
    .skipped = on_skipped,
    .ignored = on_ignored,
};
