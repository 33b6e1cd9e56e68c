#include "store/ids.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64

struct id_entry {
    struct id_entry *newer;
    uint64_t hash;
    int64_t id;
    uint32_t len;
    bool is_used;
    char key[];
};

void id_cache_init(struct id_cache *c, size_t limit, bool is_whole)
{
    *c = (struct id_cache){.limit = limit, .is_whole = is_whole, .slot_count = FIRST_SLOTS};
    c->slots = hr_xcalloc(c->slot_count, sizeof(*c->slots));
}

void id_cache_finish(struct id_cache *c)
{
    struct id_entry *e = c->oldest;
    while (e != NULL) {
        struct id_entry *next = e->newer;
        free(e);
        e = next;
    }
    free(c->slots);
    *c = (struct id_cache){0};
}

/* @return the slot that holds the key, or the empty one where it belongs */
static size_t slot_of(const struct id_cache *c, const struct id_key *key)
{
    size_t at = key->hash & (c->slot_count - 1);
    while (c->slots[at].entry != NULL) {
        const struct id_entry *e = c->slots[at].entry;
        if (c->slots[at].hash == key->hash && e->len == key->len &&
            memcmp(e->key, key->bytes, key->len) == 0) {
            break;
        }
        at = (at + 1) & (c->slot_count - 1);
    }
    return at;
}

void id_cache_fetch_slot(const struct id_cache *c, uint64_t hash)
{
    __builtin_prefetch(&c->slots[hash & (c->slot_count - 1)]);
}

void id_cache_fetch(const struct id_cache *c, uint64_t hash)
{
    size_t at = hash & (c->slot_count - 1);
    while (c->slots[at].entry != NULL && c->slots[at].hash != hash) {
        at = (at + 1) & (c->slot_count - 1);
    }
    __builtin_prefetch(c->slots[at].entry, 1);
}

int64_t id_cache_find(struct id_cache *c, const struct id_key *key)
{
    struct id_entry *e = c->slots[slot_of(c, key)].entry;
    if (e == NULL) {
        return 0;
    }
    e->is_used = true;
    return e->id;
}

static void grow(struct id_cache *c)
{
    size_t slot_count = 2 * c->slot_count;
    struct id_slot *slots = hr_xcalloc(slot_count, sizeof(*slots));
    for (size_t i = 0; i < c->slot_count; i++) {
        size_t at = c->slots[i].hash & (slot_count - 1);
        while (c->slots[i].entry != NULL && slots[at].entry != NULL) {
            at = (at + 1) & (slot_count - 1);
        }
        if (c->slots[i].entry != NULL) {
            slots[at] = c->slots[i];
        }
    }
    free(c->slots);
    c->slots = slots;
    c->slot_count = slot_count;
}

/* Empties a slot and moves up those behind it that it kept from their place. */
static void empty_slot(struct id_cache *c, size_t hole)
{
    size_t mask = c->slot_count - 1;
    for (size_t at = (hole + 1) & mask; c->slots[at].entry != NULL; at = (at + 1) & mask) {
        size_t home = c->slots[at].hash & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            c->slots[hole] = c->slots[at];
            hole = at;
        }
    }
    c->slots[hole] = (struct id_slot){0};
}

static void append(struct id_cache *c, struct id_entry *e)
{
    e->newer = NULL;
    if (c->newest != NULL) {
        c->newest->newer = e;
    } else {
        c->oldest = e;
    }
    c->newest = e;
}

static struct id_entry *take_oldest(struct id_cache *c)
{
    struct id_entry *e = c->oldest;
    c->oldest = e->newer;
    c->newest = c->oldest == NULL ? NULL : c->newest;
    return e;
}

static void drop_one(struct id_cache *c)
{
    struct id_entry *e = take_oldest(c);
    while (e->is_used && c->oldest != NULL) {
        e->is_used = false;
        append(c, e);
        e = take_oldest(c);
    }
    empty_slot(c, slot_of(c, &(struct id_key){e->key, e->len, e->hash}));
    free(e);
    c->count--;
    c->is_whole = false;
}

void id_cache_add(struct id_cache *c, const struct id_key *key, int64_t id)
{
    if (c->count >= c->limit) {
        drop_one(c);
    }
    if (2 * (c->count + 1) > c->slot_count) {
        grow(c);
    }
    struct id_entry *e = hr_xcalloc(1, offsetof(struct id_entry, key) + key->len);
    e->id = id;
    e->len = (uint32_t)key->len;
    e->hash = key->hash;
    memcpy(e->key, key->bytes, key->len);
    append(c, e);
    c->slots[slot_of(c, key)] = (struct id_slot){.hash = e->hash, .entry = e};
    c->count++;
}
