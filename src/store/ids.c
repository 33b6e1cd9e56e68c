#include "store/ids.h"

#include "base/alloc.h"
#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64

struct id_entry {
    struct id_entry *newer;
    uint64_t hash;
    int64_t id;
    bool is_used;
    size_t len;
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
static size_t slot_of(const struct id_cache *c, uint64_t hash, const void *key, size_t len)
{
    size_t at = hash & (c->slot_count - 1);
    while (c->slots[at].entry != NULL) {
        const struct id_entry *e = c->slots[at].entry;
        if (c->slots[at].hash == hash && e->len == len && memcmp(e->key, key, len) == 0) {
            break;
        }
        at = (at + 1) & (c->slot_count - 1);
    }
    return at;
}

int64_t id_cache_find(struct id_cache *c, const void *key, size_t len)
{
    struct id_entry *e = c->slots[slot_of(c, hr_hash_table(key, len), key, len)].entry;
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
    empty_slot(c, slot_of(c, e->hash, e->key, e->len));
    free(e);
    c->count--;
    c->is_whole = false;
}

void id_cache_add(struct id_cache *c, const void *key, size_t len, int64_t id)
{
    if (c->count >= c->limit) {
        drop_one(c);
    }
    if (2 * (c->count + 1) > c->slot_count) {
        grow(c);
    }
    struct id_entry *e = hr_xcalloc(1, sizeof(*e) + len);
    e->id = id;
    e->len = len;
    e->hash = hr_hash_table(key, len);
    memcpy(e->key, key, len);
    append(c, e);
    c->slots[slot_of(c, e->hash, key, len)] = (struct id_slot){.hash = e->hash, .entry = e};
    c->count++;
}
