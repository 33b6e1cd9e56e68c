/*
 * A connection's part hangs on tcp_conn.user; its row in the store is made with its first exchange
 * or loss, so connections that are not HTTP leave none; one on which nobody said anything leaves
 * one where its server closed it. Refused ones are only counted, by server and time.
 */
#include "pipeline/lane.h"

#include "base/alloc.h"
#include "pipeline/records.h"

#include <stdlib.h>

static size_t take_number(struct ingest *g)
{
    if (g->free_count > 0) {
        return g->free_numbers[--g->free_count];
    }
    g->free_numbers = hr_xgrow(g->free_numbers, g->number_count, sizeof(*g->free_numbers));
    return ++g->number_count;
}

static void give_number(struct ingest *g, size_t number)
{
    g->free_numbers[g->free_count++] = number;
}

static bool orig_is_client(const struct lane *l)
{
    return l->http == NULL || http_conn_client_side(l->http) != 1;
}

const struct net_endpoint *lane_server(const struct lane *l)
{
    return orig_is_client(l) ? &l->conn->resp : &l->conn->orig;
}

static const struct net_endpoint *client_of(const struct lane *l)
{
    return orig_is_client(l) ? &l->conn->orig : &l->conn->resp;
}

static void tell_conn(struct lane *l)
{
    if (l->number == 0) {
        l->number = take_number(l->ingest);
        records_put_conn(l->ingest->out, l->number, l->conn, orig_is_client(l));
    }
}

static void add_blindness(struct ingest *g, size_t capture, enum blindness_kind kind,
                          const struct blindness *more)
{
    struct blindness *b = &g->blindness[capture][kind];
    b->from_at = b->count == 0 || more->from_at < b->from_at ? more->from_at : b->from_at;
    b->to_at = b->count == 0 || more->to_at > b->to_at ? more->to_at : b->to_at;
    b->count += more->count;
    b->bytes += more->bytes;
}

/* A connection that is no HTTP/1, or not to its end. */
static void note_other(struct ingest *g, const struct lane *l)
{
    static const enum blindness_kind kinds[] = {
        [HTTP_CONN_UNDECIDED] = BLIND_KINDS, [HTTP_CONN_HTTP] = BLIND_KINDS,
        [HTTP_CONN_OTHER] = BLIND_NOT_HTTP,  [HTTP_CONN_TLS] = BLIND_TLS,
        [HTTP_CONN_HTTP2] = BLIND_HTTP2,
    };
    const struct tcp_conn *c = l->conn;
    if (l->http == NULL) {
        return;
    }
    enum http_conn_kind rest;
    uint64_t bytes = http_conn_rest(l->http, &rest);
    enum blindness_kind kind = kinds[bytes > 0 ? rest : http_conn_kind(l->http)];
    if (kind != BLIND_KINDS) {
        add_blindness(g, c->capture, kind,
                      &(struct blindness){.count = 1,
                                          .bytes = bytes > 0 ? bytes : c->bytes[0] + c->bytes[1],
                                          .from_at = c->first_at,
                                          .to_at = c->last_at});
    }
}

static void add_loss(struct lane *l, struct loss_row row)
{
    tell_conn(l);
    row.capture_id = (int64_t)l->conn->capture;
    row.server = *lane_server(l);
    records_put_loss(l->ingest->out, l->number, &row);
}

/* Servers may have seen other messages there than were read here. */
static void add_ambiguity(struct lane *l, const struct http_exchange *x)
{
    const struct http_message *first = x->has_request ? &x->request : &x->response;
    const struct http_message *last = x->has_response ? &x->response : &x->request;
    hr_nsec to_at = last->last.at > first->last.at ? last->last.at : first->last.at;
    add_loss(l, (struct loss_row){.kind = LOSS_AMBIGUOUS,
                                  .from_at = first->first.at,
                                  .to_at = to_at,
                                  .count = 1,
                                  .hides_exchanges = true});
}

void lane_exchange(const struct http_exchange *x, void *user)
{
    struct lane *l = user;
    struct ingest *g = l->ingest;
    tell_conn(l);
    if (http_exchange_is_ambiguous(x)) {
        add_ambiguity(l, x);
    }
    records_put_messages(g->out,
                         &(struct messages_record){.conn_number = l->number,
                                                   .capture = l->conn->capture,
                                                   .client = *client_of(l),
                                                   .server = *lane_server(l)},
                         x);
    g->exchanges++;
}

void lane_loss(const struct http_loss *loss, void *user)
{
    add_loss(user, (struct loss_row){
                       .kind = LOSS_GAP,
                       .from_at = loss->from_at,
                       .to_at = loss->to_at,
                       .bytes = loss->bytes,
                       .count = 1,
                       .hides_exchanges = loss->hides_messages,
                   });
}

void lane_open(struct tcp_conn *c, void *user)
{
    struct ingest *g = user;
    struct lane *l = hr_xcalloc(1, sizeof(*l));
    *l = (struct lane){.ingest = g, .conn = c};
    c->user = l;
    LIST_INSERT_HEAD(&g->lanes, l, link);
    g->lane_count++;
}

void lane_chunk(struct tcp_conn *c, const struct tcp_chunk *chunk, void *user)
{
    struct lane *l = c->user;
    struct http_input in = {
        .side = chunk->direction == TCP_ORIG ? 0 : 1,
        .offset = chunk->offset,
        .bytes = chunk->bytes,
        .gap_bytes = chunk->kind == TCP_CHUNK_GAP ? chunk->len : 0,
        .end = chunk->kind == TCP_CHUNK_END,
        .end_is_close = c->fin_at[chunk->direction] != HR_NSEC_INFINITE ||
                        c->rst_at[chunk->direction] != HR_NSEC_INFINITE,
        .end_is_reset = chunk->end == TCP_END_RST,
        .place = {.at = chunk->at, .frame = chunk->frame, .capture = chunk->capture},
        .before_at = chunk->before_at,
        .acked = chunk->acked,
    };
    struct ingest *g = user;
    if (l->http == NULL && chunk->kind != TCP_CHUNK_END) {
        l->http = http_conn_create(g->http, !c->syn_seen, l); /* known by now */
    }
    if (l->http != NULL) {
        http_conn_feed(l->http, &in);
    }
}

/* What a connection as a whole could not show. */
static void add_conn_losses(struct lane *l)
{
    const struct tcp_conn *c = l->conn;
    if (!c->syn_seen) {
        add_loss(l, (struct loss_row){.kind = LOSS_MIDSTREAM,
                                      .from_at = c->first_at,
                                      .to_at = c->first_at,
                                      .count = 1,
                                      .hides_exchanges = true});
    }
    if (c->one_sided[0] || c->one_sided[1]) {
        add_loss(l, (struct loss_row){.kind = LOSS_ONE_SIDED,
                                      .from_at = c->first_at,
                                      .to_at = c->last_at,
                                      .count = 1,
                                      .hides_exchanges = true});
    }
}

static hr_nsec closed_at(const struct tcp_conn *c, enum tcp_direction d)
{
    return c->fin_at[d] < c->rst_at[d] ? c->fin_at[d] : c->rst_at[d];
}

/* Nobody said anything, and the server closed it: many of these at one time are a mark. A RST alone
 * may be the answer to a SYN that the capture lacks. */
static bool is_silent_cut(const struct tcp_conn *c)
{
    return !c->syn_refused && c->bytes[0] == 0 && c->bytes[1] == 0 && c->gap_bytes[0] == 0 &&
           c->gap_bytes[1] == 0 && closed_at(c, TCP_RESP) != HR_NSEC_INFINITE &&
           closed_at(c, TCP_RESP) < closed_at(c, TCP_ORIG) &&
           (c->frames[TCP_ORIG] > 0 || c->fin_at[TCP_RESP] != HR_NSEC_INFINITE);
}

void lane_close(struct tcp_conn *c, enum tcp_end end, void *user)
{
    struct ingest *g = user;
    struct lane *l = c->user;
    if (c->syn_refused) {
        refusals_add(g->refusals, &c->resp, c->rst_at[TCP_RESP]);
    }
    if (l->http != NULL) {
        http_conn_finish(l->http);
    }
    note_other(g, l);
    bool may_go_on = end == TCP_END_NONE && c->has_numbers[0] && c->has_numbers[1];
    if (l->number == 0 && (may_go_on || is_silent_cut(c))) {
        tell_conn(l); /* said nothing yet: another capture may go on with it */
        records_put_conn_end(g->out, l->number, c, end);
        give_number(g, l->number);
    } else if (l->number != 0) {
        add_conn_losses(l);
        if (end == TCP_END_EVICTED) {
            add_loss(l, (struct loss_row){.kind = LOSS_BOUND,
                                          .from_at = c->last_at,
                                          .to_at = c->last_at,
                                          .count = 1,
                                          .hides_exchanges = true});
        }
        records_put_conn_end(g->out, l->number, c, end);
        give_number(g, l->number);
    }
    http_conn_destroy(l->http);
    LIST_REMOVE(l, link);
    g->lane_count--;
    free(l);
    c->user = NULL;
}

void lane_fetch(const struct tcp_conn *c, unsigned step)
{
    const struct lane *l = c->user;
    if (step == 0) {
        __builtin_prefetch(l);
    } else if (l->http != NULL) {
        http_conn_fetch(l->http);
    }
}
