/*
 * store/ids.h - a bounded map from natural keys to row ids: the memory over the tables of sites,
 * endpoints, carriers, sessions and users during an import. A full map drops what was not asked for
 * lately (second chance in order of insertion).
 */
#ifndef HR_STORE_IDS_H
#define HR_STORE_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_entry;

struct id_slot {
    uint64_t hash;          /* of the entry: most others are told apart without touching them */
    struct id_entry *entry; /* NULL: empty */
};

struct id_cache {
    struct id_slot *slots; /* open addressing */
    size_t slot_count;     /* a power of two */
    size_t count;
    struct id_entry *oldest; /* a list in order of insertion */
    struct id_entry *newest;
    size_t limit;
    bool is_whole; /* every row of the table is in here: a miss means that there is none */
};

void id_cache_init(struct id_cache *c, size_t limit, bool is_whole);
void id_cache_finish(struct id_cache *c);
/* Bytes, and a hash of them that nobody outside can foresee. */
struct id_key {
    const void *bytes;
    size_t len;
    uint64_t hash;
};

/** @return 0 where it is not known */
int64_t id_cache_find(struct id_cache *c, const struct id_key *key);
/** The key must not be in it. */
void id_cache_add(struct id_cache *c, const struct id_key *key, int64_t id);
/** Asks memory for what a key of that hash will be looked for in: first for the slot, then, with the slot
 * there, for what it points to. */
void id_cache_fetch_slot(const struct id_cache *c, uint64_t hash);
void id_cache_fetch(const struct id_cache *c, uint64_t hash);

#endif
