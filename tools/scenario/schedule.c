/*
 * Exchanges are taken in the order of their requests. Bytes of one direction never overlap: a
 * request or response that would begin before its predecessor on the connection has ended waits for
 * it.
 */
#include "scenario/model.h"

#include <stdlib.h>

#define SPACING (5 * HR_NSEC_PER_USEC)

static bool is_split(const struct message *m, size_t mss)
{
    return m->takes > 0 && m->bytes.len <= mss && m->bytes.len > 1;
}

size_t message_piece_count(const struct message *m, size_t mss)
{
    return is_split(m, mss) ? 2 : (m->bytes.len + mss - 1) / mss;
}

struct piece message_piece(const struct message *m, size_t mss, size_t index)
{
    const size_t count = message_piece_count(m, mss);
    struct piece p = {.offset = index * mss};
    if (is_split(m, mss)) { /* head and body, or two halves of the head */
        const size_t cut = m->head_bytes < m->bytes.len ? m->head_bytes : m->bytes.len / 2;
        p.offset = index == 0 ? 0 : cut;
        p.len = index == 0 ? cut : m->bytes.len - cut;
    } else {
        p.len = m->bytes.len - p.offset < mss ? m->bytes.len - p.offset : mss;
    }
    if (count > 1) {
        p.delay = m->takes > 0 ? m->takes / (hr_nsec)(count - 1) * (hr_nsec)index
                               : SPACING * (hr_nsec)index;
        p.delay = index == count - 1 && m->takes > 0 ? m->takes : p.delay;
    }
    return p;
}

hr_nsec message_duration(const struct message *m, size_t mss)
{
    const size_t count = message_piece_count(m, mss);
    return count == 0 ? 0 : message_piece(m, mss, count - 1).delay;
}

static int by_request(const void *a, const void *b)
{
    const struct exchange *x = *(struct exchange *const *)a;
    const struct exchange *y = *(struct exchange *const *)b;
    if (x->request_at != y->request_at) {
        return x->request_at < y->request_at ? -1 : 1;
    }
    return x < y ? -1 : x > y;
}

static size_t idle_connection(const struct scenario *s, const struct exchange *x)
{
    for (size_t i = 0; i < s->connection_count; i++) {
        const struct connection *c = &s->connections[i];
        if (c->name == NULL && c->client == x->client && c->site == x->site &&
            c->busy_until < x->request_at) {
            return i;
        }
    }
    return SCENARIO_NONE;
}

/* The same name after a close is another TCP connection. */
static size_t named_connection(struct scenario *s, const struct exchange *x)
{
    size_t i = x->connection;
    while (s->connections[i].successor != SCENARIO_NONE) {
        i = s->connections[i].successor;
    }
    if (s->connections[i].closed_at < x->request_at) {
        struct connection *next = scenario_add_connection(s, x->client, x->site);
        next->name = s->connections[i].name;
        next->mss = s->connections[i].mss;
        s->connections[i].successor = s->connection_count - 1;
        i = s->connection_count - 1;
    }
    return i;
}

static hr_nsec later(hr_nsec a, hr_nsec b)
{
    return a > b ? a : b;
}

static void schedule_request(const struct scenario *s, const struct connection *c,
                             struct exchange *x)
{
    x->request_at = later(x->request_at, c->request_free);
    x->request_end_at = hr_nsec_add(x->request_at, message_duration(&x->request, c->mss));
    if (x->expects_continue) {
        struct message body = x->request;
        body.bytes = hr_span_slice(body.bytes, body.head_bytes, body.bytes.len);
        body.takes = 0;
        x->body_at = x->request_at + x->think / 2 + 2 * s->delay;
        x->request_end_at =
            hr_nsec_add(later(x->body_at, x->request_end_at), message_duration(&body, c->mss));
    }
}

static void schedule_response(const struct connection *c, struct exchange *x)
{
    x->end_at = x->request_end_at;
    if (!x->has_response) {
        return;
    }
    if (x->response_at == HR_NSEC_INFINITE) {
        x->response_at = hr_nsec_add(x->request_end_at, x->think);
    }
    x->response_at = later(later(x->response_at, c->response_free), x->request_at + 1);
    x->response_end_at = hr_nsec_add(x->response_at, message_duration(&x->response, c->mss));
    x->end_at = later(x->request_end_at, x->response_end_at);
}

static void schedule_close(struct connection *c, struct exchange *x)
{
    if (x->close == CLOSE_DEFAULT) {
        return;
    }
    if (x->close_at == HR_NSEC_INFINITE) {
        x->close_at = hr_nsec_add(x->end_at, x->close_delimited ? SPACING : HR_NSEC_PER_MSEC);
    }
    c->end = x->close;
    c->end_at = x->close_at;
    c->closed_at = later(x->close_at, x->end_at);
    c->busy_until = HR_NSEC_INFINITE;
}

static void schedule_one(struct scenario *s, struct exchange *x)
{
    struct connection *c;
    if (x->connection != SCENARIO_NONE) {
        x->connection = named_connection(s, x);
    } else {
        x->connection = idle_connection(s, x);
        if (x->connection == SCENARIO_NONE) {
            scenario_add_connection(s, x->client, x->site);
            x->connection = s->connection_count - 1;
        }
    }
    c = &s->connections[x->connection];
    schedule_request(s, c, x);
    schedule_response(c, x);
    c->first_at = c->used ? c->first_at : x->request_at;
    c->last_at = later(c->last_at, x->end_at);
    c->used = true;
    c->request_free = x->request_end_at + SPACING;
    c->response_free = x->has_response ? x->response_end_at + SPACING : c->response_free;
    c->busy_until = x->has_response ? later(c->busy_until, x->end_at) : HR_NSEC_INFINITE;
    schedule_close(c, x);
    x->recorded_at = x->request_at;
}

void scenario_schedule(struct scenario *s)
{
    struct exchange **order = hr_xcalloc(s->exchange_count + 1, sizeof(order[0]));
    for (size_t i = 0; i < s->exchange_count; i++) {
        order[i] = &s->exchanges[i];
    }
    qsort(order, s->exchange_count, sizeof(order[0]), by_request);
    for (size_t i = 0; i < s->exchange_count; i++) {
        schedule_one(s, order[i]);
    }
    for (size_t i = 0; i < s->connection_count; i++) {
        struct connection *c = &s->connections[i];
        c->port = c->port != 0 ? c->port : (uint16_t)(40001 + (s->seed * 977 + i) % 20000);
    }
    free(order);
}
