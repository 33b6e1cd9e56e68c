/*
 * One connection: what a segment says about both directions. Its SEQ and payload belong to the
 * sender's half, its ACK to the other one. Where a half's beginning was not seen, the first number
 * heard of it is offset 0: the SEQ of its own first segment or an ACK of the other side.
 */
#include "tcp/conn_table.h"

#include <string.h>

/* A first ACK of an unconfirmed beginning is believed against it where the two are farther apart.
 */
#define BASE_DOUBT_BYTES (UINT64_C(1) << 20)
/* A RST may stand this far ahead of what was seen: a window without scaling, some times over. */
#define RST_AHEAD_BYTES (UINT64_C(1) << 20)
/* A closed connection's late segments lie nearer to its end than that. */
#define LATE_BYTES (UINT64_C(1) << 20)

static enum tcp_direction other(enum tcp_direction d)
{
    return d == TCP_ORIG ? TCP_RESP : TCP_ORIG;
}

static void emit_chunk(struct tcp_chunk *chunk, void *user)
{
    const struct tcp_route *r = user;
    struct tcp_conn *c = &r->entry->conn;
    chunk->direction = r->direction;
    if (chunk->kind == TCP_CHUNK_DATA) {
        c->bytes[r->direction] += chunk->len;
    } else if (chunk->kind == TCP_CHUNK_GAP) {
        c->gaps[r->direction]++;
        c->gap_bytes[r->direction] += chunk->len;
        r->table->counters.gaps++;
        r->table->counters.gap_bytes += chunk->len;
    }
    r->table->callbacks.chunk(c, chunk, r->table->user);
}

void tcp_route_init(struct tcp_route *r, struct tcp_table *t, struct tcp_entry *e,
                    enum tcp_direction direction)
{
    *r = (struct tcp_route){
        .table = t,
        .entry = e,
        .direction = direction,
        .out = {.emit = emit_chunk, .user = r, .total = &t->held},
    };
}

/* Tells the end of one direction: its own FIN or RST if there was one, else what ended the
 * connection. */
static void end_half(struct tcp_table *t, struct tcp_entry *e, enum tcp_direction d,
                     enum tcp_end end)
{
    struct tcp_route r;
    const struct tcp_conn *c = &e->conn;
    struct tcp_mark mark = end == TCP_END_RST ? e->reset : e->last;
    if (c->rst_at[d] != HR_NSEC_INFINITE) {
        end = TCP_END_RST;
        mark.at = c->rst_at[d];
        mark.frame = c->rst_frame[d];
    }
    mark.acked = TCP_ACK_UNKNOWN;
    tcp_route_init(&r, t, e, d);
    tcp_half_end(&e->half[d], end, &mark, &r.out);
}

void tcp_entry_close(struct tcp_table *t, struct tcp_entry *e, enum tcp_end end)
{
    if (e->state == TCP_STATE_CLOSED) {
        return;
    }
    bool whole = e->half[0].ended && e->half[1].ended;
    end_half(t, e, TCP_ORIG, end);
    end_half(t, e, TCP_RESP, end);
    tcp_holes_forget(t, e);
    for (unsigned d = 0; d < 2; d++) {
        e->conn.has_numbers[d] = e->half[d].has_base;
        e->conn.first_seq[d] = (tcp_seq)e->half[d].base;
        e->conn.next_seq[d] = (tcp_seq)e->half[d].next;
    }
    e->state = tcp_state_step(e->state, whole ? TCP_EVENT_END_BOTH : TCP_EVENT_GIVE_UP);
    if (e->ack_seen && (e->conn.one_sided[0] || e->conn.one_sided[1])) {
        t->counters.connections_one_sided++;
    }
    if (!e->conn.syn_seen) {
        t->counters.connections_midstream++;
    }
    t->callbacks.close(&e->conn, end, t->user);
}

void tcp_entry_settle(struct tcp_table *t, struct tcp_entry *e)
{
    int ended = e->half[0].ended + e->half[1].ended;
    if (ended > 0 && e->state != TCP_STATE_CLOSED) {
        e->state = tcp_state_step(e->state, TCP_EVENT_END_ONE);
    }
    if (ended == 2) {
        tcp_entry_close(t, e, TCP_END_FIN);
        tcp_entry_touch(t, e);
    }
}

/* The SYN gives its half an exact beginning. @return false: the segment is none of this connection
 */
static bool feed_syn(struct tcp_table *t, struct tcp_entry *e, enum tcp_direction d,
                     const struct tcp_segment *s)
{
    struct tcp_half *own = &e->half[d];
    const struct tcp_half *peer = &e->half[other(d)];
    bool ack = s->flags & TCP_ACK;
    tcp_pos pos;
    bool ours = true;
    bool moves = !own->has_base;
    if (ack && peer->exact) {
        ours = tcp_half_locate(peer, s->ack, &pos) && pos >= peer->base &&
               pos <= tcp_half_frontier(peer) + 1;
    }
    if (ours && own->has_base && (tcp_seq)own->base != s->seq + 1) {
        ours = !own->exact && tcp_half_is_untouched(own);
        moves = ours;
    }
    if (!ours) {
        t->counters.out_of_window++;
        return false;
    }
    if (moves) {
        tcp_half_set_base(own, s->seq + 1, true, s->at);
    }
    own->exact = true;
    e->conn.syn_seen = true;
    e->state = tcp_state_step(e->state, ack ? TCP_EVENT_SYN_ACK : TCP_EVENT_SYN);
    return true;
}

/* Whether an ACK shows that a beginning nobody has confirmed yet was not the right one. */
static bool ack_contradicts_base(const struct tcp_half *h, const struct tcp_segment *s)
{
    tcp_pos pos;
    if (h->acked != TCP_POS_NONE || (s->flags & TCP_SYN) || !tcp_half_is_untouched(h)) {
        return false;
    }
    if (!tcp_half_locate(h, s->ack, &pos)) {
        return true;
    }
    /* Joined midway at a keep-alive: its SEQ is one below what comes next. */
    bool probe = !h->exact && pos == h->base + 1;
    return probe || pos < h->base || pos > h->base + BASE_DOUBT_BYTES;
}

/* @return what s acknowledges of the other half: an offset if tell is set (which then stays what it
 * is) */
static uint64_t feed_ack(struct tcp_table *t, struct tcp_entry *e, enum tcp_direction d,
                         const struct tcp_segment *s)
{
    struct tcp_half *peer = &e->half[other(d)];
    tcp_pos pos;
    if (!(s->flags & TCP_ACK)) {
        return TCP_ACK_UNKNOWN;
    }
    e->ack_seen = true;
    if (!peer->has_base || ack_contradicts_base(peer, s)) {
        tcp_half_set_base(peer, s->ack, false, s->at);
    }
    if (!tcp_half_locate(peer, s->ack, &pos) || pos < peer->base) {
        return TCP_ACK_UNKNOWN;
    }
    pos = pos > peer->fin ? peer->fin : pos; /* a FIN takes a number, too */
    if (peer->acked == TCP_POS_NONE || pos > peer->acked) {
        peer->acked = pos;
        peer->acked_at = t->now;
    }
    return pos - peer->base;
}

static void count_fed(struct tcp_counters *k, unsigned fed)
{
    k->retransmissions += (fed & (TCP_FED_OLD | TCP_FED_COPY)) == TCP_FED_OLD;
    k->copies += (fed & TCP_FED_COPY) != 0;
    k->copies_shared += (fed & TCP_FED_SHARED) != 0;
    k->out_of_order += (fed & TCP_FED_EARLY) != 0;
    k->overlaps_differing += (fed & TCP_FED_DIFFERS) != 0;
    k->out_of_window += (fed & TCP_FED_OUTSIDE) != 0;
}

static uint64_t wire_bytes_of(const struct tcp_segment *s)
{
    return s->wire_payload_bytes > s->payload.len ? s->wire_payload_bytes : s->payload.len;
}

/* A byte or none just before what comes next; whatever it holds, it is no data (RFC 9293 3.8.4). */
static bool is_keep_alive(const struct tcp_half *h, const struct tcp_segment *s, tcp_pos pos)
{
    return wire_bytes_of(s) <= 1 && !(s->flags & (TCP_SYN | TCP_FIN)) && pos + 1 == h->next;
}

static void doubt(struct tcp_table *t, size_t capture, hr_nsec by)
{
    if (by > t->doubts[capture]) {
        t->doubts[capture] = by;
    }
}

/* An ACK before its bytes, but not long before: the capture put them in the wrong order. */
static void doubt_order(struct tcp_table *t, const struct tcp_half *h, const struct tcp_piece *p)
{
    if (h->acked == TCP_POS_NONE || p->pos < h->next || p->pos >= h->acked) {
        return;
    }
    hr_nsec late = hr_nsec_sub(p->mark.at, h->acked_at);
    if (late < TCP_REORDER_GRACE) {
        doubt(t, p->mark.capture, late);
    }
}

/* Two captures have the packet: as far as two clocks differ, neither time is sure. */
static void doubt_skew(struct tcp_table *t, const struct tcp_half *h, const struct tcp_piece *p)
{
    hr_nsec skew;
    size_t capture;
    if (!t->config.captures_share_clock && tcp_half_copy_skew(h, p, &skew, &capture)) {
        doubt(t, capture, skew);
        doubt(t, p->mark.capture, skew);
    }
}

static void feed_bytes(struct tcp_table *t, struct tcp_entry *e, enum tcp_direction d,
                       const struct tcp_piece *p)
{
    struct tcp_half *h = &e->half[d];
    struct tcp_route r;
    tcp_route_init(&r, t, e, d);
    t->counters.cut_bytes += p->wire_bytes - p->bytes.len;
    if (h->ended) {
        bool is_old = p->pos + p->wire_bytes <= h->next;
        unsigned copy = tcp_half_has_copy(h, p) ? TCP_FED_COPY : 0;
        count_fed(&t->counters, is_old ? TCP_FED_OLD | copy : TCP_FED_OUTSIDE);
        return;
    }
    if (tcp_hole_is_certain(t, h, p->pos)) {
        tcp_half_skip_to(h, p->pos, &p->mark, &r.out);
    }
    doubt_order(t, h, p);
    unsigned fed = tcp_half_feed(h, p, &r.out);
    if (fed & TCP_FED_SHARED) {
        doubt_skew(t, h, p);
    }
    count_fed(&t->counters, fed);
}

static void feed_fin(struct tcp_table *t, struct tcp_entry *e, enum tcp_direction d,
                     const struct tcp_piece *p)
{
    struct tcp_half *h = &e->half[d];
    struct tcp_conn *c = &e->conn;
    struct tcp_route r;
    bool first = c->fin_at[d] == HR_NSEC_INFINITE;
    if (first) {
        c->fin_at[d] = p->mark.at;
        c->fin_frame[d] = p->mark.frame;
    }
    tcp_route_init(&r, t, e, d);
    if (!tcp_half_fin(h, p->pos + p->wire_bytes, &p->mark, &r.out)) {
        t->counters.out_of_window++;
        if (first) {
            c->fin_at[d] = HR_NSEC_INFINITE;
            c->fin_frame[d] = 0;
        }
    }
}

/* SEQ, payload and FIN. */
static void feed_sequence(struct tcp_table *t, struct tcp_entry *e, enum tcp_direction d,
                          const struct tcp_segment *s, const struct tcp_mark *mark)
{
    struct tcp_half *h = &e->half[d];
    tcp_seq seq = s->seq + ((s->flags & TCP_SYN) ? 1 : 0);
    struct tcp_piece p = {.bytes = s->payload, .wire_bytes = wire_bytes_of(s), .mark = *mark};
    bool fin = (s->flags & (TCP_FIN | TCP_SYN)) == TCP_FIN; /* with a SYN nobody honours it */
    if (!h->has_base) {
        tcp_half_set_base(h, seq, false, s->at);
    }
    if (!tcp_half_locate(h, seq, &p.pos)) {
        if (!tcp_half_is_untouched(h)) {
            t->counters.out_of_window++;
            return;
        }
        tcp_half_set_base(h, seq, false, s->at);
        p.pos = h->next;
    }
    if (is_keep_alive(h, s, p.pos) && !tcp_half_has_copy(h, &p)) {
        t->counters.keep_alives++;
        return;
    }
    if (p.wire_bytes > 0) {
        feed_bytes(t, e, d, &p);
    }
    if (fin) {
        feed_fin(t, e, d, &p);
    }
}

/* Only a RST that its receiver would have believed counts; others are mistakes or attempts. */
static bool reset_counts(const struct tcp_entry *e, enum tcp_direction d,
                         const struct tcp_segment *s)
{
    const struct tcp_half *own = &e->half[d];
    const struct tcp_half *peer = &e->half[other(d)];
    tcp_pos pos;
    if (own->has_base) {
        tcp_pos from = own->acked != TCP_POS_NONE ? own->acked : own->base;
        return tcp_half_locate(own, s->seq, &pos) && pos >= from &&
               pos <= tcp_half_frontier(own) + RST_AHEAD_BYTES;
    }
    if (!peer->has_base) {
        return e->state == TCP_STATE_NEW;
    }
    /* The answer to a SYN has no number of its own: its ACK must fit (RFC 9293 3.10.7.3). */
    return (s->flags & TCP_ACK) && tcp_half_locate(peer, s->ack, &pos) && pos >= peer->base &&
           pos <= tcp_half_frontier(peer) + RST_AHEAD_BYTES;
}

/* Who sends a RST sends nothing more: bytes of that side behind it show that another one did. */
static bool belies_reset(const struct tcp_entry *e, enum tcp_direction d,
                         const struct tcp_segment *s)
{
    const struct tcp_half *h = &e->half[d];
    tcp_pos pos;
    return e->reset_pos[d] != TCP_POS_NONE && !(s->flags & (TCP_SYN | TCP_RST)) &&
           tcp_half_locate(h, s->seq, &pos) && pos + wire_bytes_of(s) > e->reset_pos[d] &&
           pos + wire_bytes_of(s) > h->next + 1;
}

static void take_reset_back(struct tcp_table *t, struct tcp_entry *e, enum tcp_direction d)
{
    struct tcp_conn *c = &e->conn;
    t->counters.resets_ignored++;
    e->reset_pos[d] = TCP_POS_NONE;
    c->rst_at[d] = HR_NSEC_INFINITE;
    c->rst_frame[d] = 0;
    if (c->rst_at[other(d)] == HR_NSEC_INFINITE) {
        e->state = tcp_state_step(e->state, TCP_EVENT_GOES_ON);
    }
}

static void feed_reset(struct tcp_table *t, struct tcp_entry *e, enum tcp_direction d,
                       const struct tcp_segment *s, const struct tcp_mark *mark)
{
    struct tcp_conn *c = &e->conn;
    if (!reset_counts(e, d, s)) {
        t->counters.resets_ignored++;
        return;
    }
    if (c->rst_at[d] == HR_NSEC_INFINITE) {
        const struct tcp_half *h = &e->half[d];
        c->rst_at[d] = s->at;
        c->rst_frame[d] = s->frame;
        e->reset_pos[d] = h->has_base ? tcp_pos_near(h->next, s->seq) : TCP_POS_NONE;
    }
    if (e->state == TCP_STATE_RESET) {
        return;
    }
    e->reset = *mark;
    bool refused = e->state == TCP_STATE_OPENING && d == TCP_RESP && !e->half[d].exact;
    e->state = tcp_state_step(e->state, TCP_EVENT_RST);
    if (refused) {
        c->syn_refused = true;
        tcp_entry_close(t, e, TCP_END_RST);
    }
}

/* After the close nothing changes any more; only what comes is counted. */
static void absorb(struct tcp_table *t, const struct tcp_entry *e, enum tcp_direction d,
                   const struct tcp_segment *s)
{
    const struct tcp_half *h = &e->half[d];
    tcp_pos pos;
    if (s->flags & TCP_RST) {
        return;
    }
    if (h->has_base && tcp_half_locate(h, s->seq, &pos) && is_keep_alive(h, s, pos)) {
        t->counters.keep_alives++;
    } else if (wire_bytes_of(s) > 0) {
        bool old =
            h->has_base && tcp_half_locate(h, s->seq, &pos) && pos + wire_bytes_of(s) <= h->next;
        count_fed(&t->counters, old ? TCP_FED_OLD : TCP_FED_OUTSIDE);
    }
}

bool tcp_entry_is_over(const struct tcp_entry *e, unsigned side, const struct tcp_segment *s)
{
    const struct tcp_conn *c = &e->conn;
    const struct tcp_half *h = &e->half[side == e->orig_side ? TCP_ORIG : TCP_RESP];
    bool reset = c->rst_at[0] != HR_NSEC_INFINITE || c->rst_at[1] != HR_NSEC_INFINITE;
    tcp_pos pos;
    if ((s->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
        /* Refused and tried again with the same number. */
        return reset && c->bytes[0] + c->bytes[1] == 0 &&
               (e->state == TCP_STATE_CLOSED || e->state == TCP_STATE_RESET);
    }
    if (e->state != TCP_STATE_CLOSED || (s->flags & TCP_RST)) {
        return false;
    }
    if (c->syn_refused && (s->flags & TCP_SYN)) {
        /* The answer to the SYN after all: the refusal was forged. */
        const struct tcp_half *orig = &e->half[TCP_ORIG];
        return orig->exact && s->ack == (tcp_seq)orig->base && side != e->orig_side;
    }
    if (wire_bytes_of(s) <= 1) {
        return false;
    }
    if (belies_reset(e, side == e->orig_side ? TCP_ORIG : TCP_RESP, s)) {
        return true;
    }
    if (!h->has_base || !tcp_half_locate(h, s->seq, &pos)) {
        return true;
    }
    return (h->fin != TCP_POS_NONE && pos >= h->fin) || pos > h->next + LATE_BYTES ||
           pos + LATE_BYTES < h->next;
}

void tcp_entry_feed(struct tcp_table *t, struct tcp_entry *e, unsigned side,
                    const struct tcp_segment *s)
{
    enum tcp_direction d = side == e->orig_side ? TCP_ORIG : TCP_RESP;
    struct tcp_mark mark = {
        .at = s->at,
        .frame = s->frame,
        .acked = TCP_ACK_UNKNOWN,
        .capture = (uint32_t)s->capture,
        .identity = s->identity,
    };
    if (e->state == TCP_STATE_CLOSED) {
        absorb(t, e, d, s);
        return;
    }
    struct tcp_conn *c = &e->conn;
    __builtin_prefetch(c->user, 1); /* the callbacks will want it */
    c->last_at = s->at > c->last_at ? s->at : c->last_at;
    c->frames[d]++;
    c->one_sided[d] = false;
    e->last = mark;
    if (belies_reset(e, d, s)) {
        take_reset_back(t, e, d);
    }
    if (s->flags & TCP_RST) {
        feed_reset(t, e, d, s, &mark);
    } else if (!(s->flags & TCP_SYN) || feed_syn(t, e, d, s)) {
        if (!(s->flags & TCP_SYN) && e->state < TCP_STATE_ESTABLISHED) {
            e->state = tcp_state_step(e->state, TCP_EVENT_SEGMENT);
        }
        mark.acked = feed_ack(t, e, d, s);
        feed_sequence(t, e, d, s, &mark);
        tcp_entry_settle(t, e);
    }
    tcp_holes_update(t, e);
    tcp_entry_touch(t, e);
}
