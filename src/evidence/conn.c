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
    c->exchanges = hr_xgrow(c->exchanges, c->exchange_count, sizeof(*c->exchanges));
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

/* What a message is known by: where it begins. Frame 0: it was not captured. */
static int compare_begins(const struct scan_message *a, const struct scan_message *b)
{
    int r = (a->first.frame > b->first.frame) - (a->first.frame < b->first.frame);
    return r != 0 || a->first.frame == 0 ? r : (a->source > b->source) - (a->source < b->source);
}

static int compare_exchanges(const struct scan_exchange *a, const struct scan_exchange *b)
{
    int r = compare_begins(&a->request, &b->request);
    return r != 0 ? r : compare_begins(&a->response, &b->response);
}

static int compare_places(const void *a, const void *b)
{
    const struct scan_exchange *x = *(const struct scan_exchange *const *)a;
    const struct scan_exchange *y = *(const struct scan_exchange *const *)b;
    int r = compare_exchanges(x, y);
    return r != 0 ? r : (x > y) - (x < y); /* as they lie in the connection */
}

const struct scan_exchange **scan_conn_sort(const struct scan_conn *c)
{
    const struct scan_exchange **sorted =
        hr_xcalloc(c->exchange_count + 1, sizeof(const struct scan_exchange *));
    for (size_t i = 0; i < c->exchange_count; i++) {
        sorted[i] = &c->exchanges[i];
    }
    if (c->exchange_count > 0) {
        qsort(sorted, c->exchange_count, sizeof(const struct scan_exchange *), compare_places);
    }
    return sorted;
}

const struct scan_exchange *scan_conn_find(const struct scan_exchange *const *sorted, size_t count,
                                           const struct scan_exchange *key)
{
    const struct scan_exchange *found = NULL;
    size_t from = 0;
    for (size_t to = count; from < to;) {
        const size_t middle = from + (to - from) / 2;
        if (compare_exchanges(sorted[middle], key) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    for (; from < count && compare_exchanges(sorted[from], key) == 0; from++) {
        if (found == NULL || sorted[from]->ordinal == key->ordinal) {
            found = sorted[from];
        }
    }
    return found;
}
