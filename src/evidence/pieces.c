#include "evidence/pieces.h"

#include "base/map.h"

#include <stdlib.h>

/* Datagrams under way at most; the longest untouched one goes. */
#define DATAGRAM_LIMIT 4096u

struct key {
    struct net_address source;
    struct net_address destination;
    uint32_t id;
    uint32_t network;
    uint32_t protocol; /* 0x100 for IPv6, as in decode/fragment.c */
};

struct pieces {
    struct key key;
    hr_nsec first_at;
    struct piece *items;
    size_t count;
    UT_hash_handle hh;
};

struct piece_table {
    hr_nsec timeout;
    struct pieces *all;
    struct piece *taken;
};

struct piece_table *piece_table_create(hr_nsec timeout)
{
    struct piece_table *t = hr_xcalloc(1, sizeof(*t));
    t->timeout = timeout;
    return t;
}

static void drop(struct piece_table *t, struct pieces *p)
{
    HASH_DEL(t->all, p);
    free(p->items);
    free(p);
}

void piece_table_destroy(struct piece_table *t)
{
    if (t == NULL) {
        return;
    }
    while (t->all != NULL) {
        drop(t, t->all);
    }
    free(t->taken);
    free(t);
}

static struct key key_of(const struct fragment *f)
{
    struct key key;
    memset(&key, 0, sizeof(key)); /* hashed as bytes */
    key.source = f->source;
    key.destination = f->destination;
    key.id = f->id;
    key.network = f->network;
    key.protocol = f->is_ip6 ? 0x100 : f->protocol;
    return key;
}

static struct pieces *find(struct piece_table *t, const struct fragment *f)
{
    struct key key = key_of(f);
    struct pieces *p;
    HASH_FIND(hh, t->all, &key, sizeof(key), p);
    if (p != NULL && hr_nsec_sub(f->at, p->first_at) > t->timeout) {
        drop(t, p);
        p = NULL;
    }
    return p;
}

void piece_table_add(struct piece_table *t, const struct fragment *f, const struct piece *piece)
{
    struct pieces *p = find(t, f);
    if (p == NULL) {
        if (HASH_COUNT(t->all) >= DATAGRAM_LIMIT) {
            drop(t, t->all);
        }
        p = hr_xcalloc(1, sizeof(*p));
        p->key = key_of(f);
        p->first_at = f->at;
        HASH_ADD(hh, t->all, key, sizeof(p->key), p);
    }
    p->items = hr_xrealloc(p->items, (p->count + 1) * sizeof(*p->items));
    p->items[p->count++] = *piece;
}

size_t piece_table_take(struct piece_table *t, const struct fragment *f,
                        const struct piece **ret_pieces)
{
    struct pieces *p = find(t, f);
    size_t count = 0;
    free(t->taken);
    t->taken = NULL;
    if (p != NULL) {
        t->taken = p->items;
        count = p->count;
        p->items = NULL;
        drop(t, p);
    }
    *ret_pieces = t->taken;
    return count;
}
