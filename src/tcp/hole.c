/*
 * A hole waits for its bytes: a retransmission or a segment that the capture put late may bring
 * them. It is given up when it waited long enough, when its receiver has acknowledged bytes that
 * were never seen (then no retransmission will come), or when a budget is reached.
 * Each list is in order of `since`; a hole that moves on goes to the tail.
 */
#include "base/alloc.h"
#include "tcp/conn_table.h"

#include <stdlib.h>

hr_nsec tcp_watch_timeout(const struct tcp_table *t, enum tcp_watch_list list)
{
    return list == TCP_WATCH_ACKED ? TCP_REORDER_GRACE : t->config.hole_timeout;
}

static void leave(struct tcp_table *t, struct tcp_entry *e, enum tcp_direction direction)
{
    struct tcp_watch *w = e->watch[direction];
    if (w != NULL) {
        TAILQ_REMOVE(&t->watches[w->list], w, link);
        free(w);
        e->watch[direction] = NULL;
    }
}

/* Brings the watch into line with the direction's first hole. */
static void follow(struct tcp_table *t, struct tcp_entry *e, enum tcp_direction direction)
{
    struct tcp_watch *w = e->watch[direction];
    const struct tcp_half *h = &e->half[direction];
    if (e->state == TCP_STATE_CLOSED || !tcp_half_has_hole(h)) {
        leave(t, e, direction);
        return;
    }
    bool acked = h->acked != TCP_POS_NONE && h->acked >= tcp_half_hole_end(h);
    enum tcp_watch_list list = acked ? TCP_WATCH_ACKED : TCP_WATCH_HOLE;
    if (w != NULL && w->list == list && w->hole == h->next) {
        w->segments++;
        return;
    }
    leave(t, e, direction);
    w = hr_xcalloc(1, sizeof(*w));
    *w = (struct tcp_watch){.entry = e,
                            .direction = direction,
                            .list = list,
                            .hole = h->next,
                            .acked = h->acked,
                            .since = t->now};
    e->watch[direction] = w;
    TAILQ_INSERT_TAIL(&t->watches[list], w, link);
    tcp_table_expect(t, tcp_watch_timeout(t, list));
}

/* Gives up the holes that were acknowledged when the watch began; at least the first. */
static void give_up_acked(struct tcp_table *t, struct tcp_entry *e, enum tcp_direction direction)
{
    struct tcp_half *h = &e->half[direction];
    const tcp_pos acked = e->watch[direction]->acked;
    struct tcp_route r;
    tcp_route_init(&r, t, e, direction);
    do {
        tcp_half_skip_hole(h, &r.out);
    } while (tcp_half_has_hole(h) && tcp_half_hole_end(h) <= acked);
    tcp_entry_settle(t, e);
    follow(t, e, direction);
}

/* The same for those whose bytes behind them have waited for the time-out. */
static void give_up_old(struct tcp_table *t, struct tcp_entry *e, enum tcp_direction direction)
{
    struct tcp_half *h = &e->half[direction];
    struct tcp_route r;
    tcp_route_init(&r, t, e, direction);
    do {
        tcp_half_skip_hole(h, &r.out);
    } while (tcp_half_has_hole(h) &&
             hr_nsec_sub(t->clock, tcp_half_hole_at(h)) >= t->config.hole_timeout);
    tcp_entry_settle(t, e);
    follow(t, e, direction);
}

static void give_up_one(struct tcp_table *t, struct tcp_entry *e, enum tcp_direction direction)
{
    struct tcp_route r;
    tcp_route_init(&r, t, e, direction);
    t->counters.budget_gaps++;
    tcp_half_skip_hole(&e->half[direction], &r.out);
    tcp_entry_settle(t, e);
    follow(t, e, direction);
}

void tcp_holes_update(struct tcp_table *t, struct tcp_entry *e)
{
    for (int i = 0; i < 2; i++) {
        enum tcp_direction direction = i ? TCP_RESP : TCP_ORIG;
        if (e->watch[i] == NULL && !tcp_half_has_hole(&e->half[i])) {
            continue;
        }
        follow(t, e, direction);
        while (e->half[i].held_bytes > t->config.held_conn_bytes) {
            give_up_one(t, e, direction);
        }
        if (e->watch[i] != NULL && e->watch[i]->list == TCP_WATCH_ACKED &&
            e->watch[i]->segments >= TCP_REORDER_SEGMENTS) {
            give_up_acked(t, e, direction);
        }
    }
}

bool tcp_hole_is_certain(const struct tcp_table *t, const struct tcp_half *h, tcp_pos pos)
{
    return pos > h->next && !tcp_half_has_hole(h) && h->acked != TCP_POS_NONE && h->acked >= pos &&
           hr_nsec_sub(t->now, h->acked_at) >= TCP_REORDER_GRACE;
}

static struct tcp_watch *find_due(struct tcp_table *t, enum tcp_watch_list list)
{
    struct tcp_watch *w;
    while ((w = TAILQ_FIRST(&t->watches[list])) && w->since > t->clock) {
        TAILQ_REMOVE(&t->watches[list], w, link);
        w->since = t->clock;
        TAILQ_INSERT_TAIL(&t->watches[list], w, link);
    }
    return w && hr_nsec_sub(t->clock, w->since) >= tcp_watch_timeout(t, list) ? w : NULL;
}

void tcp_holes_expire(struct tcp_table *t)
{
    struct tcp_watch *w;
    while ((w = find_due(t, TCP_WATCH_ACKED))) {
        give_up_acked(t, w->entry, w->direction);
    }
    while ((w = find_due(t, TCP_WATCH_HOLE))) {
        give_up_old(t, w->entry, w->direction);
    }
}

void tcp_holes_enforce(struct tcp_table *t)
{
    while (t->held.bytes > t->config.held_total_bytes) {
        struct tcp_watch *w = TAILQ_FIRST(&t->watches[TCP_WATCH_ACKED]);
        w = w ? w : TAILQ_FIRST(&t->watches[TCP_WATCH_HOLE]);
        if (!w) {
            return; /* held bytes always have a hole before them */
        }
        give_up_one(t, w->entry, w->direction);
    }
}

void tcp_holes_shift(struct tcp_table *t, hr_nsec by)
{
    struct tcp_watch *w;
    for (int i = 0; i < TCP_WATCH_COUNT; i++) {
        TAILQ_FOREACH(w, &t->watches[i], link)
        {
            w->since = hr_nsec_add(w->since, by);
        }
    }
}

void tcp_holes_forget(struct tcp_table *t, struct tcp_entry *e)
{
    leave(t, e, TCP_ORIG);
    leave(t, e, TCP_RESP);
}
