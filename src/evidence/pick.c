#include "evidence/pick.h"

#include "base/alloc.h"

#include <stdlib.h>

/* Bytes of both directions that one exchange takes; from == to: none. */
struct span {
    uint64_t from[2];
    uint64_t to[2];
};

/* Spans by where they begin in one direction. `most` is the largest end so far. */
struct sorted_span {
    const struct span *span;
    uint64_t from;
    uint64_t most;
};

struct picking {
    const struct scan_conn *conn;
    struct pick_sink *sink;
    size_t number;  /* of the connection in the evidence */
    uint64_t *ends; /* of responses, ascending */
    size_t end_count;
    struct span *spans;
    size_t span_count;
    struct sorted_span *sorted[2]; /* by direction */
    uint64_t acked[2];             /* by that direction, so far */
    uint64_t fin[2];               /* where a picked FIN stands; UINT64_MAX: none */
    bool opened;                   /* the ACK that ends the handshake was seen */
};

static unsigned client_of(const struct scan_conn *c)
{
    return c->client == 1 ? 1 : 0;
}

static int compare_offsets(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

/* @return where the responses of c end, ascending, *ret_count of them; the caller frees it */
static uint64_t *list_ends(const struct scan_conn *c, size_t *ret_count)
{
    uint64_t *ends = hr_xcalloc(c->exchange_count + 1, sizeof(*ends));
    size_t count = 0;
    for (size_t i = 0; i < c->exchange_count; i++) {
        const struct scan_message *m = &c->exchanges[i].response;
        if (m->first.frame != 0) {
            ends[count++] = m->to;
        }
    }
    if (count > 0) {
        qsort(ends, count, sizeof(*ends), compare_offsets);
    }
    *ret_count = count;
    return ends;
}

/* Interim responses stand before the final one, behind the answer before. */
static uint64_t response_from(const struct picking *p, const struct scan_exchange *x)
{
    size_t from = 0;
    if (x->interim_count == 0) {
        return x->response.from;
    }
    for (size_t to = p->end_count; from < to;) {
        const size_t middle = from + (to - from) / 2;
        if (p->ends[middle] <= x->response.from) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from > 0 ? p->ends[from - 1] : 0;
}

/* What was not captured stands where the other side had come to by then. */
static struct span span_of(const struct picking *p, const struct scan_exchange *x)
{
    unsigned client = client_of(p->conn);
    struct span s = {{0}, {0}};
    const struct scan_message *request = &x->request;
    const struct scan_message *response = &x->response;
    if (request->first.frame != 0) {
        s.from[client] = request->from;
        s.to[client] = request->to;
    } else {
        s.from[client] = s.to[client] = response->acked;
    }
    if (response->first.frame != 0) {
        s.from[1 - client] = response_from(p, x);
        s.to[1 - client] = response->to;
    } else {
        s.from[1 - client] = s.to[1 - client] = request->acked;
    }
    return s;
}

static uint64_t offset_of(const struct scan_conn *c, unsigned direction, tcp_pos pos)
{
    return c->has_base[direction] && pos >= c->base[direction] ? pos - c->base[direction]
                                                               : UINT64_MAX;
}

static bool carries(const struct span *s, unsigned d, uint64_t at, uint64_t len)
{
    return at < s->to[d] && at + len > s->from[d];
}

static bool acknowledges(const struct picking *p, const struct span *s,
                         const struct scan_segment *t, uint64_t at, uint64_t ack)
{
    unsigned d = t->direction;
    unsigned o = 1 - d;
    bool is_news = ack > p->acked[d] || ack < s->to[o];
    return is_news && at >= s->from[d] && at <= s->to[d] && ack > s->from[o] && ack <= s->to[o];
}

static bool ends(const struct span *s, const struct scan_segment *t, uint64_t at, uint64_t ack)
{
    unsigned d = t->direction;
    unsigned o = 1 - d;
    bool is_there = at >= s->from[d] && at <= s->to[d];
    bool knows = (t->flags & TCP_ACK) == 0 || (ack >= s->from[o] && ack <= s->to[o] + 1);
    return is_there && knows;
}

static int compare_spans(const void *a, const void *b)
{
    const struct sorted_span *x = a;
    const struct sorted_span *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

static void sort_spans(struct picking *p, unsigned direction)
{
    struct sorted_span *sorted = hr_xcalloc(p->span_count + 1, sizeof(*sorted));
    for (size_t i = 0; i < p->span_count; i++) {
        sorted[i] = (struct sorted_span){.span = &p->spans[i], .from = p->spans[i].from[direction]};
    }
    if (p->span_count > 0) {
        qsort(sorted, p->span_count, sizeof(*sorted), compare_spans);
    }
    uint64_t most = 0;
    for (size_t i = 0; i < p->span_count; i++) {
        const uint64_t to = sorted[i].span->to[direction];
        most = to > most ? to : most;
        sorted[i].most = most;
    }
    p->sorted[direction] = sorted;
}

/* @return how many spans begin before that offset */
static size_t count_before(const struct picking *p, unsigned direction, uint64_t offset)
{
    size_t from = 0;
    for (size_t to = p->span_count; from < to;) {
        const size_t middle = from + (to - from) / 2;
        if (p->sorted[direction][middle].from < offset) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

/* Spans of one direction hardly overlap: of those that begin before `before` and end at `end` or
 * later there are few. A bare ACK is looked for among what it acknowledges. */
static bool is_of_span(const struct picking *p, const struct scan_segment *t, uint64_t at,
                       uint64_t ack)
{
    const bool is_ending = (t->flags & (TCP_FIN | TCP_RST)) != 0;
    const bool is_ack = t->len == 0 && !is_ending;
    const unsigned d = is_ack ? 1 - t->direction : t->direction;
    const uint64_t end = is_ack ? ack : at + (t->len > 0);
    const uint64_t before = is_ack ? ack : at + (t->len > 0 ? t->len : 1);
    const struct sorted_span *sorted = p->sorted[d];
    bool is_there = false;
    for (size_t i = count_before(p, d, before); i > 0 && sorted[i - 1].most >= end && !is_there;
         i--) {
        const struct span *s = sorted[i - 1].span;
        if (t->len > 0) {
            is_there = carries(s, t->direction, at, t->len);
        } else {
            is_there = is_ending ? ends(s, t, at, ack) : acknowledges(p, s, t, at, ack);
        }
    }
    return is_there;
}

static bool is_wanted(struct picking *p, const struct scan_segment *t)
{
    const struct scan_conn *c = p->conn;
    const unsigned d = t->direction;
    uint64_t at = offset_of(c, d, t->pos);
    uint64_t ack = (t->flags & TCP_ACK) != 0 ? offset_of(c, 1 - d, t->ack) : UINT64_MAX;
    bool is_ack = t->len == 0 && (t->flags & (TCP_FIN | TCP_RST)) == 0;
    bool wanted = false;
    if (p->span_count > 0 && at != UINT64_MAX && !(is_ack && ack == UINT64_MAX)) {
        bool is_of_fin = is_ack && p->fin[1 - d] != UINT64_MAX && ack == p->fin[1 - d] + 1;
        wanted = is_of_fin || is_of_span(p, t, at, ack);
    }
    if (wanted && (t->flags & TCP_FIN) != 0) {
        p->fin[d] = at + t->len;
    }
    if (ack != UINT64_MAX && ack > p->acked[d]) {
        p->acked[d] = ack;
    }
    return wanted;
}

static bool is_handshake(struct picking *p, const struct scan_segment *t)
{
    const struct scan_conn *c = p->conn;
    if ((t->flags & TCP_SYN) != 0) {
        return true;
    }
    bool ends_it = !p->opened && t->direction == 0 && (t->flags & (TCP_ACK | TCP_RST)) == TCP_ACK &&
                   t->len == 0 && c->has_base[1] && t->ack == c->base[1] && c->has_base[0] &&
                   t->pos == c->base[0];
    p->opened = p->opened || ends_it;
    return ends_it;
}

static void take(struct picking *p, const struct scan_segment *t)
{
    struct evidence *e = p->sink->evidence;
    const struct scan_conn *c = p->conn;
    frame_picks_add(p->sink->picks, t->frame.source, t->frame.frame, NULL);
    for (size_t i = 0; i < t->piece_count; i++) {
        const struct scan_frame *piece = &c->pieces[t->piece_from + i];
        frame_picks_add(p->sink->picks, piece->source, piece->frame, NULL);
    }
    e->segments = hr_xgrow(e->segments, e->segment_count, sizeof(*e->segments));
    e->segments[e->segment_count++] = (struct evidence_segment){
        .source = t->frame.source,
        .frame = t->frame.frame,
        .nth = t->nth,
        .conn = p->number,
        .direction = t->direction,
        .offset = offset_of(c, t->direction, t->pos),
    };
}

static int compare_messages(const void *a, const void *b)
{
    const struct evidence_message *x = a;
    const struct evidence_message *y = b;
    int r = (x->direction > y->direction) - (x->direction < y->direction);
    return r != 0 ? r : (x->from > y->from) - (x->from < y->from);
}

static void add_message(struct evidence_conn *to, const struct scan_message *m, bool is_response,
                        unsigned direction, uint64_t from)
{
    if (m->first.frame != 0) {
        to->messages[to->message_count++] = (struct evidence_message){
            .direction = direction,
            .is_response = is_response,
            .has_head = m->head_complete,
            .from = from,
            .to = m->to,
        };
    }
}

static size_t add_conn(const struct picking *p)
{
    struct evidence *e = p->sink->evidence;
    const struct scan_conn *c = p->conn;
    struct evidence_conn conn = {.messages =
                                     hr_xcalloc(2 * c->exchange_count + 1, sizeof(*conn.messages))};
    unsigned client = client_of(c);
    for (size_t i = 0; i < c->exchange_count; i++) {
        const struct scan_exchange *x = &c->exchanges[i];
        add_message(&conn, &x->request, false, client, x->request.from);
        add_message(&conn, &x->response, true, 1 - client, response_from(p, x));
    }
    if (conn.message_count > 0) {
        qsort(conn.messages, conn.message_count, sizeof(*conn.messages), compare_messages);
    }
    e->conns = hr_xgrow(e->conns, e->conn_count, sizeof(*e->conns));
    e->conns[e->conn_count] = conn;
    return e->conn_count++;
}

void conn_pick(const struct scan_conn *c, const struct scan_exchange *const *wanted, size_t count,
               struct pick_sink *sink)
{
    struct picking p = {
        .conn = c,
        .sink = sink,
        .spans = hr_xcalloc(count + 1, sizeof(*p.spans)),
        .span_count = count,
        .fin = {UINT64_MAX, UINT64_MAX},
    };
    p.ends = list_ends(c, &p.end_count);
    p.number = add_conn(&p);
    for (size_t i = 0; i < count; i++) {
        p.spans[i] = span_of(&p, wanted[i]);
    }
    sort_spans(&p, 0);
    sort_spans(&p, 1);
    for (size_t i = 0; i < c->segment_count; i++) {
        bool is_opening = is_handshake(&p, &c->segments[i]);
        if (is_wanted(&p, &c->segments[i]) || is_opening) {
            take(&p, &c->segments[i]);
        }
    }
    free(p.sorted[0]);
    free(p.sorted[1]);
    free(p.spans);
    free(p.ends);
}
