#include "tcp/kin.h"

#include "tcp/conn_table.h"

#include <stdlib.h>
#include <string.h>

/* Members of a family that a segment is compared with; more is no network but an attack. */
#define KIN_LOOK_LIMIT 16
/* Numbers on both sides that lie nearer to what was seen than that are no chance. */
#define KIN_NEAR_BYTES (UINT64_C(1) << 20)

void tcp_kin_finish(struct tcp_kin *k)
{
    struct tcp_family *f;
    struct tcp_family *after;
    HASH_ITER(hh, k->families, f, after)
    {
        HASH_DELETE(hh, k->families, f);
        free(f);
    }
}

static struct tcp_family *find_family(const struct tcp_kin *k, const struct tcp_key *key)
{
    struct tcp_family *f = NULL;
    HASH_FIND(hh, k->families, key->side, sizeof(key->side), f);
    return f;
}

void tcp_kin_add(struct tcp_table *t, struct tcp_entry *e)
{
    struct tcp_kin *k = &t->kin;
    if (!k->is_used) {
        return;
    }
    struct tcp_family *f = find_family(k, &e->key);
    if (!f) {
        f = hr_xcalloc(1, sizeof(*f));
        memcpy(f->side, e->key.side, sizeof(f->side));
        TAILQ_INIT(&f->members);
        HASH_ADD(hh, k->families, side, sizeof(f->side), f);
    }
    e->family = f;
    TAILQ_INSERT_HEAD(&f->members, e, kin);
}

void tcp_kin_remove(struct tcp_table *t, struct tcp_entry *e)
{
    struct tcp_family *f = e->family;
    if (!f) {
        return;
    }
    TAILQ_REMOVE(&f->members, e, kin);
    if (TAILQ_EMPTY(&f->members)) {
        HASH_DELETE(hh, t->kin.families, f);
        free(f);
    }
}

void tcp_kin_note(struct tcp_table *t, uint32_t network)
{
    struct tcp_kin *k = &t->kin;
    if (!k->has_first) {
        k->has_first = true;
        k->first_network = network;
    }
    if (k->is_used || network == k->first_network) {
        return;
    }
    struct tcp_entry *e;
    k->is_used = true;
    TAILQ_FOREACH(e, &t->entries, order)
    {
        tcp_kin_add(t, e);
    }
}

static enum tcp_direction direction_of(const struct tcp_entry *e, unsigned side)
{
    return side == e->orig_side ? TCP_ORIG : TCP_RESP;
}

static bool is_near(const struct tcp_half *h, tcp_seq seq)
{
    tcp_pos pos;
    return tcp_half_locate(h, seq, &pos) && pos + KIN_NEAR_BYTES > h->next &&
           pos < h->next + KIN_NEAR_BYTES;
}

/* Whether SEQ and ACK could be those of a further segment of that connection. */
static bool fits(const struct tcp_entry *e, unsigned side, const struct tcp_segment *s)
{
    enum tcp_direction d = direction_of(e, side);
    const struct tcp_half *own = &e->half[d];
    const struct tcp_half *peer = &e->half[d == TCP_ORIG ? TCP_RESP : TCP_ORIG];
    tcp_pos pos;
    if (!(s->flags & TCP_ACK)) { /* a SYN whose answer was seen before it */
        return (s->flags & TCP_SYN) && own->has_base && (tcp_seq)own->base == s->seq + 1;
    }
    if (own->has_base && !is_near(own, s->seq)) {
        return false;
    }
    if (!peer->has_base || !tcp_half_locate(peer, s->ack, &pos)) {
        return false;
    }
    if (own->has_base) {
        return is_near(peer, s->ack);
    }
    return pos >= peer->base && pos <= tcp_half_frontier(peer) + 1;
}

static bool has_network(const struct tcp_entry *e, uint32_t network)
{
    bool found = e->key.network == network;
    for (unsigned i = 0; i < e->alias_count; i++) {
        found |= e->alias[i] == network;
    }
    return found;
}

/* From now on segments of that network are the entry's. */
static void join(struct tcp_table *t, struct tcp_entry *e, uint32_t network)
{
    if (has_network(e, network) || e->alias_count == TCP_ALIAS_LIMIT) {
        return;
    }
    t->counters.connections_joined += e->alias_count == 0;
    e->alias[e->alias_count++] = network;
    tcp_index_add_alias(&t->index, e, network);
}

/* Nothing was told of it yet: it may still be made part of another one. */
static bool is_blank(const struct tcp_entry *e)
{
    return e->state != TCP_STATE_CLOSED && tcp_half_is_untouched(&e->half[0]) &&
           tcp_half_is_untouched(&e->half[1]);
}

static void dissolve(struct tcp_table *t, struct tcp_entry *take_e, struct tcp_entry *into)
{
    uint32_t networks[TCP_ALIAS_LIMIT + 1] = {take_e->key.network};
    const unsigned count = take_e->alias_count + 1u;
    memcpy(networks + 1, take_e->alias, sizeof(take_e->alias));
    tcp_table_take_back(t, take_e);
    for (unsigned i = 0; i < count; i++) {
        join(t, into, networks[i]);
    }
}

/* Whether s is a copy of what c had from the same side. */
static bool is_copy_of(const struct tcp_entry *c, unsigned side, const struct tcp_segment *s)
{
    const struct tcp_half *h = &c->half[direction_of(c, side)];
    struct tcp_piece p = {
        .bytes = s->payload, .mark = {.at = s->at, .identity = s->identity, .capture = (uint32_t)s->capture}
    };
    return s->payload.len > 0 && h->has_base && fits(c, side, s) &&
           tcp_half_locate(h, s->seq + ((s->flags & TCP_SYN) ? 1 : 0), &p.pos) &&
           tcp_half_has_copy(h, &p);
}

/* Whether that direction of c comes through this network as far as is known. */
static bool lacks(const struct tcp_entry *c, unsigned side, uint32_t network)
{
    return c->conn.one_sided[direction_of(c, side)] || has_network(c, network);
}

struct tcp_entry *tcp_kin_choose(struct tcp_table *t, struct tcp_entry *e,
                                 const struct tcp_key *key, unsigned side,
                                 const struct tcp_segment *s)
{
    const bool is_joined = e && e->alias_count > 0;
    if (is_joined ? fits(e, side, s)
                  : e && (s->payload.len == 0 || e->half[direction_of(e, side)].given)) {
        return e;
    }
    const struct tcp_family *f = find_family(&t->kin, key);
    struct tcp_entry *c = f ? TAILQ_FIRST(&f->members) : NULL;
    for (int i = 0; c && i < KIN_LOOK_LIMIT; i++, c = TAILQ_NEXT(c, kin)) {
        if (c == e || c->state == TCP_STATE_CLOSED) {
            continue;
        }
        if ((!e || is_joined) && lacks(c, side, key->network) && fits(c, side, s)) {
            join(t, c, key->network);
            return c;
        }
        if ((!e || is_blank(e)) && is_copy_of(c, side, s)) {
            if (e) {
                dissolve(t, e, c);
            }
            join(t, c, key->network);
            return c;
        }
    }
    return e;
}
