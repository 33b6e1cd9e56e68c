#include "tcp/conn_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of 4-tuples that are remembered without an open connection; about 10 MB when full. */
#define GHOST_LIMIT 65536
/* Closed connections that absorb late segments; the longest closed one of more becomes such a
 * number before its time. */
#define CLOSED_LIMIT 16384
/* An entry is moved within its list when that fraction of the time-out passed since it last was. */
#define TOUCH_FRACTION 64

struct tcp_table *tcp_table_create(const struct tcp_config *config,
                                   const struct tcp_callbacks *callbacks, void *user,
                                   size_t capture_count)
{
    struct tcp_table *t = hr_xcalloc(1, sizeof(*t));
    t->config = *config;
    t->callbacks = *callbacks;
    t->user = user;
    tcp_index_init(&t->index);
    TAILQ_INIT(&t->entries);
    for (int i = 0; i < TCP_LIST_COUNT; i++) {
        TAILQ_INIT(&t->idle[i]);
    }
    for (int i = 0; i < TCP_WATCH_COUNT; i++) {
        TAILQ_INIT(&t->watches[i]);
    }
    t->clock = t->now = t->previous_at = INT64_MIN;
    t->deadline = t->latest = HR_NSEC_INFINITE;
    tcp_numbers_init(&t->numbers, capture_count, GHOST_LIMIT);
    t->doubts = hr_xcalloc(capture_count == 0 ? 1 : capture_count, sizeof(*t->doubts));
    return t;
}

static hr_nsec timeout_of(const struct tcp_table *t, enum tcp_idle_list list)
{
    switch (list) {
    case TCP_LIST_OPENING:
        return t->config.opening_timeout;
    case TCP_LIST_OPEN:
        return t->config.idle_timeout;
    case TCP_LIST_RESET:
        return TCP_REORDER_GRACE;
    case TCP_LIST_CLOSED:
    case TCP_LIST_COUNT:
        break;
    }
    return t->config.closed_linger;
}

static enum tcp_idle_list list_for(enum tcp_state state)
{
    switch (state) {
    case TCP_STATE_NEW:
    case TCP_STATE_OPENING:
        return TCP_LIST_OPENING;
    case TCP_STATE_ESTABLISHED:
    case TCP_STATE_HALF_CLOSED:
        return TCP_LIST_OPEN;
    case TCP_STATE_RESET:
        return TCP_LIST_RESET;
    case TCP_STATE_CLOSED:
        break;
    }
    return TCP_LIST_CLOSED;
}

static void enlist(struct tcp_table *t, struct tcp_entry *e, enum tcp_idle_list list)
{
    e->list = list;
    e->stamp = t->now;
    t->idle_count[list]++;
    TAILQ_INSERT_TAIL(&t->idle[list], e, link);
    tcp_table_expect(t, timeout_of(t, list));
}

static void delist(struct tcp_table *t, struct tcp_entry *e)
{
    t->idle_count[e->list]--;
    TAILQ_REMOVE(&t->idle[e->list], e, link);
}

void tcp_entry_touch(struct tcp_table *t, struct tcp_entry *e)
{
    enum tcp_idle_list list = list_for(e->state);
    if (list == e->list) {
        /* Late segments of what is over do not keep it. */
        bool lasts = list == TCP_LIST_OPENING || list == TCP_LIST_OPEN;
        if (!lasts || (e->stamp <= t->now &&
                       hr_nsec_sub(t->now, e->stamp) < timeout_of(t, list) / TOUCH_FRACTION)) {
            return;
        }
    }
    delist(t, e);
    enlist(t, e, list);
}

/* Forgets the connection, and gives its number to the caller. */
static struct tcp_number drop(struct tcp_table *t, struct tcp_entry *take_e)
{
    struct tcp_number number = take_e->number;
    assert(take_e->state == TCP_STATE_CLOSED);
    tcp_half_finish(&take_e->half[0], &t->held);
    tcp_half_finish(&take_e->half[1], &t->held);
    delist(t, take_e);
    tcp_kin_remove(t, take_e);
    tcp_index_remove(&t->index, take_e);
    TAILQ_REMOVE(&t->entries, take_e, order);
    free(take_e);
    return number;
}

static void drop_to_ghost(struct tcp_table *t, struct tcp_entry *take_e, bool ended)
{
    struct tcp_key key = take_e->key;
    struct tcp_number number = drop(t, take_e);
    tcp_ghost_add(&t->numbers, &key, &number, ended);
}

static void close_entry(struct tcp_table *t, struct tcp_entry *e, enum tcp_end end)
{
    tcp_entry_close(t, e, e->state == TCP_STATE_RESET ? TCP_END_RST : end);
}

static struct tcp_entry *find_due(struct tcp_table *t, enum tcp_idle_list list)
{
    struct tcp_entry *e;
    while ((e = TAILQ_FIRST(&t->idle[list])) && e->stamp > t->clock) {
        TAILQ_REMOVE(&t->idle[list], e, link);
        e->stamp = t->clock;
        TAILQ_INSERT_TAIL(&t->idle[list], e, link);
    }
    return e && hr_nsec_sub(t->clock, e->stamp) >= timeout_of(t, list) ? e : NULL;
}

/* Every head has been looked at, so none lies ahead of the clock. */
static void set_deadline(struct tcp_table *t)
{
    t->deadline = HR_NSEC_INFINITE;
    for (int i = 0; i < TCP_LIST_COUNT; i++) {
        const struct tcp_entry *e = TAILQ_FIRST(&t->idle[i]);
        hr_nsec due = e ? hr_nsec_add(e->stamp, timeout_of(t, e->list)) : HR_NSEC_INFINITE;
        t->deadline = due < t->deadline ? due : t->deadline;
    }
    for (int i = 0; i < TCP_WATCH_COUNT; i++) {
        const struct tcp_watch *w = TAILQ_FIRST(&t->watches[i]);
        hr_nsec due = w ? hr_nsec_add(w->since, tcp_watch_timeout(t, w->list)) : HR_NSEC_INFINITE;
        t->deadline = due < t->deadline ? due : t->deadline;
    }
}

static void expire(struct tcp_table *t)
{
    while (t->idle_count[TCP_LIST_CLOSED] > CLOSED_LIMIT) {
        drop_to_ghost(t, TAILQ_FIRST(&t->idle[TCP_LIST_CLOSED]), true);
    }
    if (t->clock < t->deadline) {
        return;
    }
    struct tcp_entry *e;
    tcp_holes_expire(t);
    while ((e = find_due(t, TCP_LIST_RESET))) {
        close_entry(t, e, TCP_END_RST);
        tcp_entry_touch(t, e);
    }
    while ((e = find_due(t, TCP_LIST_CLOSED))) {
        drop_to_ghost(t, e, true);
    }
    static const enum tcp_idle_list silent[] = {TCP_LIST_OPENING, TCP_LIST_OPEN};
    for (size_t i = 0; i < HR_ARRAY_LEN(silent); i++) {
        while ((e = find_due(t, silent[i]))) {
            t->counters.connections_timed_out++;
            close_entry(t, e, TCP_END_TIMEOUT);
            drop_to_ghost(t, e, false);
        }
    }
    set_deadline(t);
}

/* Closed ones cost nothing to lose; a flood of half-open ones must not push out what is alive. */
static struct tcp_entry *find_victim(const struct tcp_table *t)
{
    if (!TAILQ_EMPTY(&t->idle[TCP_LIST_CLOSED])) {
        return TAILQ_FIRST(&t->idle[TCP_LIST_CLOSED]);
    }
    if (t->idle_count[TCP_LIST_OPENING] > t->config.connection_limit / 4) {
        return TAILQ_FIRST(&t->idle[TCP_LIST_OPENING]);
    }
    struct tcp_entry *oldest = NULL;
    for (int i = 0; i < TCP_LIST_COUNT; i++) {
        struct tcp_entry *e = TAILQ_FIRST(&t->idle[i]);
        if (e && (!oldest || e->stamp < oldest->stamp)) {
            oldest = e;
        }
    }
    return oldest;
}

bool tcp_table_evict(struct tcp_table *t)
{
    struct tcp_entry *e = find_victim(t);
    if (e == NULL) {
        return false;
    }
    bool closed = e->state == TCP_STATE_CLOSED;
    t->counters.connections_evicted += !closed;
    close_entry(t, e, TCP_END_EVICTED);
    drop_to_ghost(t, e, closed);
    return true;
}

static void make_room(struct tcp_table *t)
{
    while (t->index.count >= t->config.connection_limit && tcp_table_evict(t)) {
    }
}

/* Where no SYN tells, the higher port is a guess at the originator. */
static bool sender_is_originator(const struct tcp_segment *s)
{
    if (s->flags & TCP_SYN) {
        return !(s->flags & TCP_ACK);
    }
    return s->source.port >= s->destination.port;
}

static struct tcp_entry *add_entry(struct tcp_table *t, const struct tcp_key *key, unsigned side,
                                   const struct tcp_segment *s,
                                   const struct tcp_number *take_number)
{
    struct tcp_entry *e = hr_xcalloc(1, sizeof(*e));
    e->key = *key;
    e->number = *take_number;
    e->orig_side = (uint8_t)(sender_is_originator(s) ? side : !side);
    e->conn = (struct tcp_conn){
        .orig = key->side[e->orig_side],
        .resp = key->side[!e->orig_side],
        .capture = e->number.capture,
        .stream = e->number.stream,
        .first_frame = s->frame,
        .first_at = s->at,
        .last_at = s->at,
        .one_sided = {true,             true            },
        .fin_at = {HR_NSEC_INFINITE, HR_NSEC_INFINITE},
        .rst_at = {HR_NSEC_INFINITE, HR_NSEC_INFINITE},
    };
    for (int i = 0; i < 2; i++) {
        tcp_half_init(&e->half[i]);
        e->reset_pos[i] = TCP_POS_NONE;
    }
    tcp_index_add(&t->index, e);
    TAILQ_INSERT_TAIL(&t->entries, e, order);
    tcp_kin_add(t, e);
    enlist(t, e, TCP_LIST_OPENING);
    t->counters.connections++;
    t->callbacks.open(&e->conn, t->user);
    return e;
}

static void advance_clock(struct tcp_table *t, hr_nsec at)
{
    at = at < t->latest ? at : t->latest;
    if (t->clock == INT64_MIN) {
        t->clock = t->now = t->previous_at = at;
        return;
    }
    /* Two frames must agree that time has passed: one may be wrong. */
    hr_nsec sure = at < t->previous_at ? at : t->previous_at;
    t->clock = sure > t->clock ? sure : t->clock;
    t->now = at > t->clock ? at : t->clock;
    t->previous_at = at;
}

void tcp_table_shed(struct tcp_table *t, unsigned sixteenths)
{
    t->shed_sixteenths = sixteenths;
}

/* Both directions and copies in other networks alike. */
static bool is_to_be_shed(const struct tcp_table *t, const struct tcp_key *key)
{
    return t->shed_sixteenths > 0 &&
           hr_hash_table(key->side, sizeof(key->side)) % 16 < t->shed_sixteenths;
}

static void shed_segment(struct tcp_table *t, const struct tcp_ghost *g,
                         const struct tcp_segment *s)
{
    bool is_known = g->server_side != TCP_SIDE_UNKNOWN;
    t->counters.segments_shed++;
    t->callbacks.shed(s, is_known ? &g->key.side[g->server_side] : NULL, t->user);
}

/* It becomes a mere number, under which it is known again. */
static void shed_new(struct tcp_table *t, const struct tcp_key *key, unsigned side,
                     const struct tcp_segment *s, const struct tcp_number *take_number)
{
    struct tcp_ghost *g = tcp_ghost_add(&t->numbers, key, take_number, false);
    bool is_answer = s->flags & TCP_ACK;
    g->is_shed = true;
    g->server_side =
        s->flags & TCP_SYN ? (uint8_t)(is_answer ? side : !side) : (uint8_t)TCP_SIDE_UNKNOWN;
    t->counters.connections_shed++;
    shed_segment(t, g, s);
}

/* The 4-tuple has no entry: a new number, or the one it had. */
static void feed_unknown(struct tcp_table *t, const struct tcp_key *key, unsigned side,
                         const struct tcp_segment *s)
{
    struct tcp_ghost *g = tcp_ghost_find(&t->numbers, key);
    bool syn = s->flags & TCP_SYN;
    bool ended = false;
    struct tcp_number number;
    if (g && !tcp_number_is_other(&g->number, side, s)) {
        tcp_number_note(&t->numbers, &g->number, side, s);
        if (g->is_shed && s->selected) {
            shed_segment(t, g, s);
            return;
        }
        if (!s->selected || (g->ended && !syn && s->wire_payload_bytes == 0)) {
            return;
        }
        number = tcp_ghost_take(&t->numbers, g);
    } else {
        if (g) {
            struct tcp_number old = tcp_ghost_take(&t->numbers, g);
            tcp_number_finish(&old);
        }
        number = tcp_number_new(&t->numbers, s);
        tcp_number_note(&t->numbers, &number, side, s);
        if (s->selected && is_to_be_shed(t, key)) {
            shed_new(t, key, side, s, &number);
            return;
        }
    }
    if (!s->selected) {
        tcp_ghost_add(&t->numbers, key, &number, ended);
        return;
    }
    make_room(t);
    tcp_entry_feed(t, add_entry(t, key, side, s, &number), side, s);
}

void tcp_table_feed(struct tcp_table *t, const struct tcp_segment *s)
{
    struct tcp_key key;
    advance_clock(t, s->at);
    expire(t);
    unsigned side = tcp_key_of(s, &key);
    struct tcp_entry *e = tcp_index_find(&t->index, &key, tcp_ahead_hash(t, &key));
    tcp_kin_note(t, s->network);
    if (t->kin.is_used && s->selected) {
        e = tcp_kin_choose(t, e, &key, side, s);
    }
    if (e && tcp_number_is_other(&e->number, side, s)) {
        close_entry(t, e, TCP_END_REUSED);
        struct tcp_number old = drop(t, e);
        tcp_number_finish(&old);
        e = NULL;
    }
    if (!e) {
        feed_unknown(t, &key, side, s);
    } else if (!s->selected) {
        tcp_number_note(&t->numbers, &e->number, side, s);
    } else {
        tcp_number_note(&t->numbers, &e->number, side, s);
        if (tcp_entry_is_over(e, side, s)) {
            close_entry(t, e, TCP_END_REUSED);
            struct tcp_number number = drop(t, e);
            e = add_entry(t, &key, side, s, &number);
        }
        tcp_entry_feed(t, e, side, s);
    }
    tcp_holes_enforce(t);
}

void tcp_table_take_back(struct tcp_table *t, struct tcp_entry *take_e)
{
    struct tcp_counters before = t->counters;
    for (int i = 0; i < 2; i++) {
        take_e->half[i].acked = TCP_POS_NONE; /* what is missing here is no loss */
    }
    tcp_entry_close(t, take_e, TCP_END_REUSED);
    struct tcp_number number = drop(t, take_e);
    tcp_number_return(&t->numbers, &number);
    t->counters = before;
    t->counters.connections--;
}

void tcp_table_finish(struct tcp_table *t)
{
    struct tcp_entry *e;
    while ((e = TAILQ_FIRST(&t->entries))) {
        close_entry(t, e, TCP_END_NONE);
        struct tcp_number number = drop(t, e);
        tcp_number_finish(&number);
    }
}

void tcp_table_destroy(struct tcp_table *t)
{
    if (!t) {
        return;
    }
    struct tcp_entry *e;
    while ((e = TAILQ_FIRST(&t->entries))) {
        TAILQ_REMOVE(&t->entries, e, order);
        tcp_half_finish(&e->half[0], &t->held);
        tcp_half_finish(&e->half[1], &t->held);
        tcp_holes_forget(t, e);
        tcp_number_finish(&e->number);
        free(e);
    }
    tcp_index_finish(&t->index);
    tcp_kin_finish(&t->kin);
    tcp_numbers_finish(&t->numbers);
    free(t->doubts);
    free(t);
}

void tcp_table_advance(struct tcp_table *t, hr_nsec at)
{
    if (t->clock != INT64_MIN && at > t->clock) {
        t->clock = at;
        t->now = at > t->now ? at : t->now;
        t->previous_at = at > t->previous_at ? at : t->previous_at;
        expire(t);
    }
}

void tcp_table_shift_clock(struct tcp_table *t, hr_nsec by)
{
    struct tcp_entry *e;
    if (t->clock == INT64_MIN) {
        return;
    }
    TAILQ_FOREACH(e, &t->entries, order)
    {
        e->stamp = hr_nsec_add(e->stamp, by);
        for (int i = 0; i < 2; i++) {
            e->half[i].acked_at = hr_nsec_add(e->half[i].acked_at, by);
        }
    }
    tcp_holes_shift(t, by);
    t->clock = hr_nsec_add(t->clock, by);
    t->now = hr_nsec_add(t->now, by);
    t->previous_at = hr_nsec_add(t->previous_at, by);
    t->deadline = hr_nsec_add(t->deadline, by);
}

void tcp_table_limit_clock(struct tcp_table *t, hr_nsec latest)
{
    t->latest = latest;
}

hr_nsec tcp_table_waits_since(const struct tcp_table *t)
{
    hr_nsec since = HR_NSEC_INFINITE;
    for (int i = 0; i < TCP_WATCH_COUNT; i++) {
        const struct tcp_watch *w = TAILQ_FIRST(&t->watches[i]);
        since = w != NULL && w->since < since ? w->since : since;
    }
    return since;
}

size_t tcp_table_count(const struct tcp_table *t)
{
    return t->index.count;
}

size_t tcp_table_held_bytes(const struct tcp_table *t)
{
    return t->held.bytes;
}

hr_nsec tcp_table_clock_doubt(const struct tcp_table *t, size_t capture)
{
    return t->doubts[capture];
}

void tcp_table_counters(const struct tcp_table *t, hr_counter_fn emit, void *user)
{
    static const struct hr_counter_info info[] = {TCP_COUNTERS(HR_COUNTER_INFO)};
    struct tcp_counters k = t->counters;
    k.held_bytes_peak = t->held.peak_bytes;
    hr_counters_emit(info, HR_ARRAY_LEN(info), &k, emit, user);
}
