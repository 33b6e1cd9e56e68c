#include "store/ids.h"

#include <stdlib.h>
#include <string.h>

void id_cache_init(struct id_cache *c, size_t limit, bool is_whole)
{
    *c = (struct id_cache){.limit = limit, .is_whole = is_whole};
}

void id_cache_finish(struct id_cache *c)
{
    struct id_entry *e = c->entries;
    HASH_CLEAR(hh, c->entries); /* the table; the entries stay linked */
    while (e != NULL) {
        struct id_entry *next = e->hh.next;
        free(e);
        e = next;
    }
}

int64_t id_cache_find(struct id_cache *c, const void *key, size_t len)
{
    struct id_entry *e;
    HASH_FIND(hh, c->entries, key, len, e);
    if (e == NULL) {
        return 0;
    }
    e->is_used = true;
    return e->id;
}

static void drop_one(struct id_cache *c)
{
    while (c->entries->is_used && c->entries->hh.next != NULL) {
        struct id_entry *e = c->entries;
        HASH_DEL(c->entries, e);
        e->is_used = false;
        HASH_ADD_KEYPTR(hh, c->entries, e->key, e->hh.keylen, e);
    }
    struct id_entry *e = c->entries;
    HASH_DEL(c->entries, e);
    free(e);
    c->is_whole = false;
}

void id_cache_add(struct id_cache *c, const void *key, size_t len, int64_t id)
{
    if (HASH_COUNT(c->entries) >= c->limit) {
        drop_one(c);
    }
    struct id_entry *e = hr_xcalloc(1, sizeof(*e) + len);
    e->id = id;
    memcpy(e->key, key, len);
    HASH_ADD_KEYPTR(hh, c->entries, e->key, len, e);
}
