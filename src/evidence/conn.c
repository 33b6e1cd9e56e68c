#include "evidence/conn.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct scan_conn *scan_conn_create(const struct tcp_conn *c)
{
    struct scan_conn *s = hr_xcalloc(1, sizeof(*s));
    s->orig = c->orig;
    s->client = -1;
    return s;
}

void scan_conn_destroy(struct scan_conn *c)
{
    if (c != NULL) {
        free(c->segments);
        free(c->pieces);
        free(c->exchanges);
        free(c);
    }
}

/* The position of a number, near to what is known of that direction. */
static tcp_pos locate(struct scan_conn *c, unsigned direction, tcp_seq seq)
{
    if (!c->has_known[direction]) {
        c->has_known[direction] = true;
        c->first[direction] = c->known[direction] = TCP_POS_ORIGIN + seq;
    }
    return tcp_pos_near(c->known[direction], seq);
}

void scan_conn_add_segment(struct scan_conn *c, const struct tcp_segment *s,
                           const struct scan_frame *at, unsigned nth,
                           const struct scan_frame *pieces, size_t piece_count)
{
    unsigned direction = net_endpoint_compare(&s->source, &c->orig) == 0 ? 0 : 1;
    c->segments = hr_xgrow(c->segments, c->segment_count, sizeof(*c->segments));
    struct scan_segment *t = &c->segments[c->segment_count++];
    *t = (struct scan_segment){
        .frame = *at,
        .nth = nth,
        .flags = s->flags,
        .direction = (uint8_t)direction,
        .len = (uint32_t)s->payload.len,
        .pos = locate(c, direction, s->seq),
        .piece_from = c->piece_count,
        .piece_count = piece_count,
    };
    if ((s->flags & TCP_ACK) != 0) {
        t->ack = locate(c, 1 - direction, s->ack);
        c->known[1 - direction] = t->ack;
    }
    if ((s->flags & TCP_RST) == 0) {
        c->known[direction] = t->pos + t->len;
    }
    if (piece_count > 0) {
        c->pieces = hr_xrealloc(c->pieces, (c->piece_count + piece_count) * sizeof(*c->pieces));
        memcpy(c->pieces + c->piece_count, pieces, piece_count * sizeof(*pieces));
        c->piece_count += piece_count;
    }
}

static struct scan_message message_of(bool has, const struct http_message *m)
{
    if (!has) {
        return (struct scan_message){.first.at = HR_NSEC_INFINITE, .acked = TCP_ACK_UNKNOWN};
    }
    return (struct scan_message){
        .first = m->first,
        .from = m->offset,
        .to = m->end_offset,
        .acked = m->acked,
        .head_complete = m->head_complete,
    };
}

struct scan_exchange *scan_conn_add_exchange(struct scan_conn *c, const struct http_exchange *x)
{
    c->exchanges = hr_xrealloc(c->exchanges, (c->exchange_count + 1) * sizeof(*c->exchanges));
    struct scan_exchange *e = &c->exchanges[c->exchange_count++];
    *e = (struct scan_exchange){
        .request = message_of(x->has_request, &x->request),
        .response = message_of(x->has_response, &x->response),
        .ordinal = x->ordinal,
        .interim_count = x->has_response ? x->response.interim_count : 0,
    };
    return e;
}

void scan_conn_close(struct scan_conn *c, const struct tcp_conn *tcp)
{
    for (unsigned d = 0; d < 2; d++) {
        c->has_base[d] = tcp->has_numbers[d] && c->has_known[d];
        if (c->has_base[d]) {
            c->base[d] = tcp_pos_near(c->first[d], tcp->first_seq[d]);
        }
    }
}

bool scan_message_begins(const struct scan_message *m, size_t source, uint64_t frame)
{
    return frame == 0 ? m->first.frame == 0 : m->first.frame == frame && m->source == source;
}
