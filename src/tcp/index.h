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
uint32_t tcp_index_hash(const struct tcp_key *key);
/** @param hash  of the key. @return NULL where there is none */
struct tcp_entry *tcp_index_find(const struct tcp_index *x, const struct tcp_key *key, uint32_t hash);
/** @return an entry with a key of that hash, which most probably is the one that is looked for, or NULL */
struct tcp_entry *tcp_index_guess(const struct tcp_index *x, uint32_t hash);
/** Asks memory for what tcp_index_find() and tcp_index_guess() look at. */
void tcp_index_fetch_slot(const struct tcp_index *x, uint32_t hash);
/** All of what a segment touches is asked for at once, not one line after the other. */
void tcp_index_fetch(const struct tcp_entry *e);
/** Its key must not be in the index. */
void tcp_index_add(struct tcp_index *x, struct tcp_entry *e);
/** One more key of an entry, which has it among its aliases. */
void tcp_index_add_alias(struct tcp_index *x, struct tcp_entry *e, uint32_t network);
/** Must be in the index. */
void tcp_index_remove(struct tcp_index *x, const struct tcp_entry *e);

#endif
