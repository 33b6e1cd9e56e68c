/*
 * tcp/index.h - inside of tcp/: from a 4-tuple to what is kept of its connection. Every segment
 * asks, and with many connections each step of the answer is a miss of the cache: so the slots
 * hold the hash, and only the entry that is wanted is touched.
 */
#ifndef HR_TCP_INDEX_H
#define HR_TCP_INDEX_H

#include "tcp/number.h"

struct tcp_entry;

struct tcp_index_slot {
    struct tcp_entry *entry; /* NULL: free */
    uint32_t hash;
};

/* Linear probing, at most half full. */
struct tcp_index {
    struct tcp_index_slot *slots;
    size_t mask; /* number of slots - 1 */
    size_t count;
    size_t alias_count;
};

void tcp_index_init(struct tcp_index *x);
void tcp_index_finish(struct tcp_index *x);
/** @return NULL where there is none */
struct tcp_entry *tcp_index_find(const struct tcp_index *x, const struct tcp_key *key);
/** Its key must not be in the index. */
void tcp_index_add(struct tcp_index *x, struct tcp_entry *e);
/** One more key of an entry, which has it among its aliases. */
void tcp_index_add_alias(struct tcp_index *x, struct tcp_entry *e, uint32_t network);
/** Must be in the index. */
void tcp_index_remove(struct tcp_index *x, const struct tcp_entry *e);

#endif
