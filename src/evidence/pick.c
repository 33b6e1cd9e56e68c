#include "evidence/pick.h"

#include "base/alloc.h"

#include <stdlib.h>

/* Bytes of both directions that one exchange takes; from == to: none. */
struct span {
    uint64_t from[2];
    uint64_t to[2];
};

struct picking {
    const struct scan_conn *conn;
    struct pick_sink *sink;
    size_t number; /* of the connection in the evidence */
    struct span *spans;
    size_t span_count;
    uint64_t acked[2]; /* by that direction, so far */
    uint64_t fin[2];   /* where a picked FIN stands; UINT64_MAX: none */
    bool opened;       /* the ACK that ends the handshake was seen */
};

static unsigned client_of(const struct scan_conn *c)
{
    return c->client == 1 ? 1 : 0;
}

/* Interim responses stand before the final one, behind the answer before. */
static uint64_t response_from(const struct scan_conn *c, const struct scan_exchange *x)
{
    uint64_t from = 0;
    if (x->interim_count == 0) {
        return x->response.from;
    }
    for (size_t i = 0; i < c->exchange_count; i++) {
        const struct scan_message *m = &c->exchanges[i].response;
        if (m->first.frame != 0 && m->to <= x->response.from && m->to > from) {
            from = m->to;
        }
    }
    return from;
}

/* What was not captured stands where the other side had come to by then. */
static struct span span_of(const struct scan_conn *c, const struct scan_exchange *x)
{
    unsigned client = client_of(c);
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
        s.from[1 - client] = response_from(c, x);
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
    if (p->fin[o] != UINT64_MAX && ack == p->fin[o] + 1) {
        return true;
    }
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

static bool is_wanted(struct picking *p, const struct scan_segment *t)
{
    const struct scan_conn *c = p->conn;
    uint64_t at = offset_of(c, t->direction, t->pos);
    uint64_t ack = (t->flags & TCP_ACK) != 0 ? offset_of(c, 1 - t->direction, t->ack) : UINT64_MAX;
    bool wanted = false;
    for (size_t i = 0; i < p->span_count && !wanted && at != UINT64_MAX; i++) {
        const struct span *s = &p->spans[i];
        if (t->len > 0) {
            wanted = carries(s, t->direction, at, t->len);
        } else if ((t->flags & (TCP_FIN | TCP_RST)) != 0) {
            wanted = ends(s, t, at, ack);
        } else {
            wanted = ack != UINT64_MAX && acknowledges(p, s, t, at, ack);
        }
    }
    if (wanted && (t->flags & TCP_FIN) != 0) {
        p->fin[t->direction] = at + t->len;
    }
    if (ack != UINT64_MAX && ack > p->acked[t->direction]) {
        p->acked[t->direction] = ack;
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

static size_t add_conn(struct evidence *e, const struct scan_conn *c)
{
    struct evidence_conn conn = {.messages =
                                     hr_xcalloc(2 * c->exchange_count + 1, sizeof(*conn.messages))};
    unsigned client = client_of(c);
    for (size_t i = 0; i < c->exchange_count; i++) {
        const struct scan_exchange *x = &c->exchanges[i];
        add_message(&conn, &x->request, false, client, x->request.from);
        add_message(&conn, &x->response, true, 1 - client, response_from(c, x));
    }
    if (conn.message_count > 0) {
        qsort(conn.messages, conn.message_count, sizeof(*conn.messages), compare_messages);
    }
    e->conns = hr_xrealloc(e->conns, (e->conn_count + 1) * sizeof(*e->conns));
    e->conns[e->conn_count] = conn;
    return e->conn_count++;
}

void conn_pick(const struct scan_conn *c, const struct scan_exchange *const *wanted, size_t count,
               struct pick_sink *sink)
{
    struct picking p = {
        .conn = c,
        .sink = sink,
        .number = add_conn(sink->evidence, c),
        .spans = hr_xcalloc(count + 1, sizeof(*p.spans)),
        .span_count = count,
        .fin = {UINT64_MAX, UINT64_MAX},
    };
    for (size_t i = 0; i < count; i++) {
        p.spans[i] = span_of(c, wanted[i]);
    }
    for (size_t i = 0; i < c->segment_count; i++) {
        bool is_opening = is_handshake(&p, &c->segments[i]);
        if (is_wanted(&p, &c->segments[i]) || is_opening) {
            take(&p, &c->segments[i]);
        }
    }
    free(p.spans);
}
