/*
 * Invariant: every byte before `next` was given out as DATA or GAP; held segments are disjoint,
 * begin behind `next` (a hole stands before the first), and end at or before the FIN.
 * Each held segment costs its bytes and its bookkeeping, so tiny segments cannot outgrow a budget.
 */
#include "tcp/reassembly.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct tcp_held {
    RB_ENTRY(tcp_held) link;
    tcp_pos pos;
    uint64_t wire_bytes;
    size_t len;
    struct tcp_mark mark;
    char bytes[];
};

static int compare_held(const struct tcp_held *a, const struct tcp_held *b)
{
    return a->pos < b->pos ? -1 : a->pos > b->pos;
}

/* not RB_GENERATE_STATIC: its attribute has no definition here, and some functions stay unused */
#define TREE_FUNCTION __attribute__((unused)) static
RB_PROTOTYPE_INTERNAL(tcp_held_tree, tcp_held, link, compare_held, TREE_FUNCTION)
RB_GENERATE_INTERNAL(tcp_held_tree, tcp_held, link, compare_held, TREE_FUNCTION)

void tcp_half_init(struct tcp_half *h)
{
    memset(h, 0, sizeof(*h));
    RB_INIT(&h->held);
    h->acked = TCP_POS_NONE;
    h->fin = TCP_POS_NONE;
    h->next = h->base = TCP_POS_ORIGIN;
}

static size_t cost_of(const struct tcp_held *s)
{
    return sizeof(*s) + s->len;
}

static void release(struct tcp_half *h, struct tcp_held *take_s, struct tcp_held_total *total)
{
    RB_REMOVE(tcp_held_tree, &h->held, take_s);
    h->held_bytes -= cost_of(take_s);
    total->bytes -= cost_of(take_s);
    free(take_s);
}

void tcp_half_finish(struct tcp_half *h, struct tcp_held_total *total)
{
    struct tcp_held *s;
    while ((s = RB_MIN(tcp_held_tree, &h->held))) {
        release(h, s, total);
    }
}

void tcp_half_set_base(struct tcp_half *h, tcp_seq seq, bool exact, hr_nsec at)
{
    tcp_pos base = TCP_POS_ORIGIN + seq;
    /* An ACK that was believed stays true where the beginning only moves a little. */
    if (!h->has_base || !tcp_half_locate(h, seq, &base) || h->acked < base) {
        h->acked = TCP_POS_NONE;
    }
    h->next = h->base = base;
    h->has_base = true;
    h->exact = exact;
    h->tail_at = at;
}

bool tcp_half_is_untouched(const struct tcp_half *h)
{
    return !h->given && h->next == h->base && RB_EMPTY(&h->held) && h->fin == TCP_POS_NONE;
}

bool tcp_half_locate(const struct tcp_half *h, tcp_seq seq, tcp_pos *ret_pos)
{
    int32_t ahead = tcp_seq_diff(seq, (tcp_seq)h->next);
    if (ahead > TCP_WINDOW_MAX || ahead < -TCP_WINDOW_MAX) {
        return false;
    }
    *ret_pos = tcp_pos_near(h->next, seq);
    return true;
}

static tcp_pos end_of(const struct tcp_held *s)
{
    return s->pos + s->wire_bytes;
}

/* Behind the last byte that was seen. */
static tcp_pos seen_end(const struct tcp_half *h)
{
    struct tcp_held_tree held = h->held; /* RB_MAX wants a head that it could change */
    const struct tcp_held *last = RB_MAX(tcp_held_tree, &held);
    return last ? end_of(last) : h->next;
}

tcp_pos tcp_half_frontier(const struct tcp_half *h)
{
    tcp_pos end = seen_end(h);
    return h->acked != TCP_POS_NONE && h->acked > end ? h->acked : end;
}

/* Words of 8 bytes looked at; a payload of up to that many is looked at whole. */
#define PRINT_WORDS 8

/*
 * Only tells a copy that differs; who wants to hide one can. Long payloads are sampled evenly from
 * the first byte to the last: to read every byte would cost more than all the rest of reassembly.
 */
static uint32_t hash_payload(struct hr_span s)
{
    const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t lane[2] = {s.len, k};
    uint64_t w = 0;
    if (s.len < 8) {
        memcpy(&w, s.ptr, s.len);
        return (uint32_t)(((w ^ s.len) * k) >> 32);
    }
    size_t words = s.len / 8 < PRINT_WORDS ? s.len / 8 : PRINT_WORDS;
    size_t step = words < PRINT_WORDS ? 8 : (s.len - 8) / (PRINT_WORDS - 1);
    for (size_t i = 0; i < words; i++) {
        memcpy(&w, s.ptr + i * step, 8);
        lane[i % 2] = (lane[i % 2] ^ w) * k;
        lane[i % 2] ^= lane[i % 2] >> 29;
    }
    memcpy(&w, s.ptr + s.len - 8, 8);
    return (uint32_t)(((lane[0] ^ w) * k + lane[1] * 3) >> 32);
}

static struct tcp_print print_of(const struct tcp_piece *p)
{
    return (struct tcp_print){
        .seq = (tcp_seq)p->pos,
        .len = (uint32_t)p->bytes.len,
        .hash = hash_payload(p->bytes),
        .identity = p->mark.identity,
        .usec = (uint32_t)(p->mark.at / HR_NSEC_PER_USEC),
        .capture = p->mark.capture,
    };
}

static void remember(struct tcp_half *h, const struct tcp_piece *p)
{
    h->prints[h->print_at] = print_of(p);
    h->print_at = (uint8_t)((h->print_at + 1) % TCP_PRINTS);
}

/*
 * The same bytes in the same packet, or sent again? A sender numbers its IP packets, so equal
 * numbers are one packet, unless they have come round. Equal time stamps of TCP are one tick of its
 * clock; with neither, only what comes sooner than any sender could know of a loss is a copy.
 * Clocks of two captures may differ.
 */
#define COPY_USEC_NUMBERED 2000000u
#define COPY_USEC_STAMPED 10000u
#define COPY_USEC_BARE 1000u

static uint32_t usec_between(const struct tcp_print *a, const struct tcp_print *b)
{
    uint32_t age = b->usec - a->usec;
    return age > UINT32_MAX / 2 ? 0 - age : age;
}

static bool is_copy(const struct tcp_print *a, const struct tcp_print *b)
{
    uint32_t age = usec_between(a, b);
    bool is_numbered = (a->identity & TCP_IDENTITY_IP) != 0 || a->capture != b->capture;
    uint32_t most = a->identity == 0 ? COPY_USEC_BARE
                    : is_numbered    ? COPY_USEC_NUMBERED
                                     : COPY_USEC_STAMPED;
    return a->identity == b->identity && age < most;
}

/* @return what is remembered of the delivery of these bytes, or NULL */
static const struct tcp_print *find_print(const struct tcp_half *h, const struct tcp_piece *p)
{
    for (size_t i = 0; p->bytes.len > 0 && i < TCP_PRINTS; i++) {
        if (h->prints[i].seq == (tcp_seq)p->pos && h->prints[i].len == p->bytes.len) {
            return &h->prints[i];
        }
    }
    return NULL;
}

/* What bytes that came again are, by what is remembered of those that were delivered. */
static unsigned compare_with_delivered(const struct tcp_half *h, const struct tcp_piece *p)
{
    const struct tcp_print *known = find_print(h, p);
    if (!known) {
        return 0;
    }
    const struct tcp_print print = print_of(p);
    if (known->hash != print.hash) {
        return TCP_FED_DIFFERS;
    }
    bool is_shared = known->capture != print.capture;
    return !is_copy(known, &print) ? 0 : TCP_FED_COPY | (is_shared ? TCP_FED_SHARED : 0u);
}

bool tcp_half_copy_skew(const struct tcp_half *h, const struct tcp_piece *p, hr_nsec *ret_skew,
                        size_t *ret_capture)
{
    const struct tcp_print *known = find_print(h, p);
    if (!known || known->capture == p->mark.capture) {
        return false;
    }
    const struct tcp_print print = print_of(p);
    *ret_skew = usec_between(known, &print) * HR_NSEC_PER_USEC;
    *ret_capture = known->capture;
    return true;
}

bool tcp_half_has_copy(const struct tcp_half *h, const struct tcp_piece *p)
{
    return (compare_with_delivered(h, p) & TCP_FED_COPY) != 0;
}

static void emit_gap(struct tcp_half *h, tcp_pos to, const struct tcp_mark *mark,
                     const struct tcp_outlet *out)
{
    struct tcp_chunk c = {
        .kind = TCP_CHUNK_GAP,
        .offset = h->next - h->base,
        .len = to - h->next,
        .at = mark->at,
        .before_at = h->tail_at < mark->at ? h->tail_at : mark->at,
        .frame = mark->frame,
        .capture = mark->capture,
        .acked = mark->acked,
    };
    h->next = to;
    h->given = true;
    out->emit(&c, out->user);
}

static void emit_end(struct tcp_half *h, enum tcp_end end, const struct tcp_mark *mark,
                     const struct tcp_outlet *out)
{
    struct tcp_chunk c = {
        .kind = TCP_CHUNK_END,
        .offset = h->next - h->base,
        .at = mark->at,
        .before_at = mark->at,
        .frame = mark->frame,
        .capture = mark->capture,
        .acked = mark->acked,
        .end = end,
    };
    h->given = true;
    h->ended = true;
    out->emit(&c, out->user);
}

/* p stands at next. */
static void deliver(struct tcp_half *h, const struct tcp_piece *p, const struct tcp_outlet *out)
{
    tcp_pos end = p->pos + p->wire_bytes;
    if (p->bytes.len > 0) {
        struct tcp_chunk c = {
            .kind = TCP_CHUNK_DATA,
            .offset = h->next - h->base,
            .len = p->bytes.len,
            .bytes = p->bytes,
            .at = p->mark.at,
            .before_at = p->mark.at,
            .frame = p->mark.frame,
            .capture = p->mark.capture,
            .acked = p->mark.acked,
        };
        remember(h, p);
        h->next += p->bytes.len;
        h->given = true;
        h->tail_at = p->mark.at;
        out->emit(&c, out->user);
    }
    if (h->next < end) {
        h->tail_at = p->mark.at;
        emit_gap(h, end, &p->mark, out); /* cut by the snap length */
    }
}

/* Delivers what is held from next on, and the END where the FIN is reached. */
static void drain(struct tcp_half *h, const struct tcp_outlet *out)
{
    struct tcp_held *s;
    while ((s = RB_MIN(tcp_held_tree, &h->held)) && s->pos == h->next) {
        struct tcp_piece p = {.pos = s->pos,
                              .bytes = hr_span_of(s->bytes, s->len),
                              .wire_bytes = s->wire_bytes,
                              .mark = s->mark};
        deliver(h, &p, out);
        release(h, s, out->total);
    }
    if (h->next == h->fin && !h->ended) {
        emit_end(h, TCP_END_FIN, &h->fin_mark, out);
    }
}

static struct tcp_piece sub_piece(const struct tcp_piece *p, tcp_pos from, tcp_pos to)
{
    struct tcp_piece part = *p;
    part.pos = from;
    part.wire_bytes = to - from;
    part.bytes = hr_span_slice(p->bytes, (size_t)(from - p->pos), (size_t)(to - p->pos));
    return part;
}

static void hold(struct tcp_half *h, const struct tcp_piece *p, const struct tcp_outlet *out)
{
    struct tcp_held *s = hr_xmalloc(sizeof(*s) + p->bytes.len);
    s->pos = p->pos;
    s->wire_bytes = p->wire_bytes;
    s->len = p->bytes.len;
    s->mark = p->mark;
    if (s->len > 0) {
        memcpy(s->bytes, p->bytes.ptr, s->len);
    }
    RB_INSERT(tcp_held_tree, &h->held, s);
    h->held_bytes += cost_of(s);
    out->total->bytes += cost_of(s);
    if (out->total->bytes > out->total->peak_bytes) {
        out->total->peak_bytes = out->total->bytes;
    }
}

/* The first held segment that ends behind pos, or NULL. */
static struct tcp_held *find_held(struct tcp_half *h, tcp_pos pos)
{
    struct tcp_held *s = RB_ROOT(&h->held);
    struct tcp_held *best = NULL;
    while (s) {
        if (end_of(s) > pos) {
            best = s;
            s = RB_LEFT(s, link);
        } else {
            s = RB_RIGHT(s, link);
        }
    }
    return best;
}

static unsigned compare_with_held(const struct tcp_piece *p, const struct tcp_held *s)
{
    tcp_pos from = p->pos > s->pos ? p->pos : s->pos;
    tcp_pos p_end = p->pos + p->bytes.len;
    tcp_pos s_end = s->pos + s->len;
    tcp_pos to = p_end < s_end ? p_end : s_end;
    if (from >= to) {
        return 0;
    }
    if (memcmp(p->bytes.ptr + (from - p->pos), s->bytes + (from - s->pos), to - from) != 0) {
        return TCP_FED_DIFFERS;
    }
    struct tcp_piece held = {.pos = s->pos, .bytes = hr_span_of(s->bytes, s->len), .mark = s->mark};
    struct tcp_print a = print_of(&held);
    struct tcp_print b = print_of(p);
    if (a.seq != b.seq || a.len != b.len || !is_copy(&a, &b)) {
        return 0;
    }
    return TCP_FED_COPY | (a.capture != b.capture ? TCP_FED_SHARED : 0u);
}

/* p begins at next or behind it, and others are held: what is new of it goes between them. */
static unsigned feed_between(struct tcp_half *h, const struct tcp_piece *p,
                             const struct tcp_outlet *out)
{
    const tcp_pos end = p->pos + p->wire_bytes;
    unsigned fed = TCP_FED_OLD;
    bool delivered = false;
    tcp_pos at = p->pos;
    struct tcp_held *s = find_held(h, at);
    while (at < end) {
        if (s && s->pos <= at) {
            fed |= compare_with_held(p, s);
            at = end_of(s);
            s = RB_NEXT(tcp_held_tree, &h->held, s);
            continue;
        }
        tcp_pos to = s && s->pos < end ? s->pos : end;
        struct tcp_piece part = sub_piece(p, at, to);
        fed &= ~(unsigned)TCP_FED_OLD;
        if (at == h->next) {
            deliver(h, &part, out);
            delivered = true;
        } else {
            hold(h, &part, out);
            fed |= delivered ? 0 : TCP_FED_EARLY;
        }
        at = to;
    }
    return fed;
}

unsigned tcp_half_feed(struct tcp_half *h, const struct tcp_piece *p, const struct tcp_outlet *out)
{
    unsigned fed = 0;
    struct tcp_piece part = *p;
    tcp_pos end = p->pos + p->wire_bytes;
    if (p->pos < h->base && !h->exact && tcp_half_is_untouched(h)) {
        h->next = h->base = p->pos; /* joined midway, and an earlier byte turned up in time */
    }
    if (p->pos < h->base || end > h->fin) {
        fed |= TCP_FED_OUTSIDE;
        tcp_pos from = p->pos < h->base ? h->base : p->pos;
        end = end > h->fin ? h->fin : end;
        if (from >= end) {
            return fed;
        }
        part = sub_piece(p, from, end);
    }
    if (end <= h->next) {
        return fed | TCP_FED_OLD | compare_with_delivered(h, &part);
    }
    if (part.pos < h->next) {
        part = sub_piece(&part, h->next, end);
    }
    if (!RB_EMPTY(&h->held)) {
        fed |= feed_between(h, &part, out);
        drain(h, out);
    } else if (part.pos == h->next) {
        deliver(h, &part, out);
        drain(h, out);
    } else {
        hold(h, &part, out);
        fed |= TCP_FED_EARLY;
    }
    return fed;
}

bool tcp_half_fin(struct tcp_half *h, tcp_pos pos, const struct tcp_mark *mark,
                  const struct tcp_outlet *out)
{
    if (h->fin != TCP_POS_NONE) {
        return h->fin == pos;
    }
    if (pos < seen_end(h)) {
        return false;
    }
    h->fin = pos;
    h->fin_mark = *mark;
    drain(h, out);
    return true;
}

static struct tcp_held *first_held(const struct tcp_half *h)
{
    struct tcp_held_tree held = h->held;
    return RB_MIN(tcp_held_tree, &held);
}

tcp_pos tcp_half_hole_end(const struct tcp_half *h)
{
    const struct tcp_held *s = first_held(h);
    return s ? s->pos : h->fin;
}

hr_nsec tcp_half_hole_at(const struct tcp_half *h)
{
    const struct tcp_held *s = first_held(h);
    return s ? s->mark.at : h->fin_mark.at;
}

void tcp_half_skip_hole(struct tcp_half *h, const struct tcp_outlet *out)
{
    const struct tcp_held *s = first_held(h);
    struct tcp_mark mark = s ? s->mark : h->fin_mark;
    emit_gap(h, tcp_half_hole_end(h), &mark, out);
    drain(h, out);
}

void tcp_half_skip_to(struct tcp_half *h, tcp_pos pos, const struct tcp_mark *mark,
                      const struct tcp_outlet *out)
{
    if (pos > h->next) {
        emit_gap(h, pos, mark, out);
    }
}

void tcp_half_end(struct tcp_half *h, enum tcp_end end, const struct tcp_mark *mark,
                  const struct tcp_outlet *out)
{
    while (tcp_half_has_hole(h)) {
        tcp_half_skip_hole(h, out);
    }
    if (h->ended) {
        return;
    }
    /* One byte more than was seen is a FIN that was lost rather than a byte. */
    if (h->acked != TCP_POS_NONE && h->acked > h->next + 1) {
        emit_gap(h, h->acked, mark, out);
    }
    emit_end(h, end, mark, out);
}
