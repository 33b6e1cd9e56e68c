#include "tcp/index.h"

#include "base/alloc.h"
#include "tcp/conn_table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 1024u
#define LINE_BYTES 64

uint32_t tcp_index_hash(const struct tcp_key *key)
{
    return (uint32_t)hr_hash_table(key, sizeof(*key));
}

static bool has_key(const struct tcp_entry *e, const struct tcp_key *key)
{
    if (memcmp(&e->key, key, sizeof(*key)) == 0) {
        return true;
    }
    bool is_alias = false;
    for (unsigned i = 0; i < e->alias_count; i++) {
        is_alias |= e->alias[i] == key->network;
    }
    return is_alias && memcmp(e->key.side, key->side, sizeof(key->side)) == 0;
}

void tcp_index_init(struct tcp_index *x)
{
    *x = (struct tcp_index){.slots = hr_xcalloc(FIRST_SLOTS, sizeof(*x->slots)),
                            .mask = FIRST_SLOTS - 1};
}

void tcp_index_finish(struct tcp_index *x)
{
    free(x->slots);
    *x = (struct tcp_index){.slots = NULL};
}

void tcp_index_fetch_slot(const struct tcp_index *x, uint32_t hash)
{
    __builtin_prefetch(&x->slots[hash & x->mask]);
}

void tcp_index_fetch(const struct tcp_entry *e)
{
    const char *bytes = (const char *)e;
    for (size_t i = 0; i < offsetof(struct tcp_entry, link); i += LINE_BYTES) {
        __builtin_prefetch(bytes + i, 1);
    }
}

struct tcp_entry *tcp_index_guess(const struct tcp_index *x, uint32_t hash)
{
    size_t at = hash & x->mask;
    while (x->slots[at].entry != NULL && x->slots[at].hash != hash) {
        at = (at + 1) & x->mask;
    }
    return x->slots[at].entry;
}

struct tcp_entry *tcp_index_find(const struct tcp_index *x, const struct tcp_key *key,
                                 uint32_t hash)
{
    for (size_t at = hash & x->mask; x->slots[at].entry != NULL; at = (at + 1) & x->mask) {
        struct tcp_entry *e = x->slots[at].entry;
        if (x->slots[at].hash == hash) {
            tcp_index_fetch(e);
            if (has_key(e, key)) {
                return e;
            }
        }
    }
    return NULL;
}

static void put(struct tcp_index *x, struct tcp_index_slot slot)
{
    size_t at = slot.hash & x->mask;
    while (x->slots[at].entry != NULL) {
        at = (at + 1) & x->mask;
    }
    x->slots[at] = slot;
}

static void grow(struct tcp_index *x)
{
    struct tcp_index old = *x;
    x->mask = old.mask * 2 + 1;
    x->slots = hr_xcalloc(x->mask + 1, sizeof(*x->slots));
    for (size_t i = 0; i <= old.mask; i++) {
        if (old.slots[i].entry != NULL) {
            put(x, old.slots[i]);
        }
    }
    free(old.slots);
}

static void add(struct tcp_index *x, struct tcp_entry *e, const struct tcp_key *key)
{
    if (2 * (x->count + x->alias_count) > x->mask) {
        grow(x);
    }
    put(x, (struct tcp_index_slot){e, tcp_index_hash(key)});
}

void tcp_index_add(struct tcp_index *x, struct tcp_entry *e)
{
    add(x, e, &e->key);
    x->count++;
}

void tcp_index_add_alias(struct tcp_index *x, struct tcp_entry *e, uint32_t network)
{
    struct tcp_key key = e->key;
    key.network = network;
    add(x, e, &key);
    x->alias_count++;
}

static void remove_slot(struct tcp_index *x, const struct tcp_entry *e, const struct tcp_key *key)
{
    const uint32_t hash = tcp_index_hash(key);
    size_t hole = hash & x->mask;
    while (x->slots[hole].entry != e || x->slots[hole].hash != hash) {
        hole = (hole + 1) & x->mask;
    }
    /* What stands behind moves up, but for what would then stand before its place. */
    for (size_t at = (hole + 1) & x->mask; x->slots[at].entry != NULL; at = (at + 1) & x->mask) {
        size_t home = x->slots[at].hash & x->mask;
        if (((at - home) & x->mask) >= ((at - hole) & x->mask)) {
            x->slots[hole] = x->slots[at];
            hole = at;
        }
    }
    x->slots[hole].entry = NULL;
}

void tcp_index_remove(struct tcp_index *x, const struct tcp_entry *e)
{
    struct tcp_key key = e->key;
    remove_slot(x, e, &key);
    x->count--;
    for (unsigned i = 0; i < e->alias_count; i++) {
        key.network = e->alias[i];
        remove_slot(x, e, &key);
        x->alias_count--;
    }
}
