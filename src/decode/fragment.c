/*
 * A datagram under way is a buffer and a bitmap with a bit for each 8 bytes, the unit in which
 * fragments count (RFC 791 3.2). A bit that is set never gets new bytes: the first copy counts.
 */
#include "decode/fragment.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#define DATAGRAM_LIMIT 65535u
#define UNIT 8u
#define UNITS ((DATAGRAM_LIMIT + UNIT) / UNIT)

struct key {
    struct net_address source;
    struct net_address destination;
    uint32_t id;
    uint32_t network;
    uint32_t protocol; /* 0x100 for IPv6 */
};

struct pending {
    struct key key;
    hr_nsec first_at;
    uint8_t *data;
    uint32_t capacity;
    uint32_t end;   /* highest byte that is held, plus 1 */
    uint32_t total; /* 0 until the last fragment was seen */
    uint32_t units_held;
    uint32_t fragments;
    uint8_t protocol;
    bool selected;
    uint64_t held[(UNITS + 63) / 64];
    UT_hash_handle hh;
};

struct fragment_table {
    struct decode_config config;
    struct decode_counters *counters;
    struct pending *pending; /* the longest waiting first */
    size_t count;
    size_t bytes;
    struct { /* the datagram given out last */
        struct key key;
        uint8_t *data;
        uint32_t bytes;
        hr_nsec at;
    } whole;
    hr_nsec previous_at;
};

struct fragment_table *fragment_table_create(const struct decode_config *config,
                                             struct decode_counters *counters)
{
    struct fragment_table *t = hr_xcalloc(1, sizeof(*t));
    t->config = *config;
    t->counters = counters;
    t->previous_at = INT64_MIN;
    return t;
}

static void remove_pending(struct fragment_table *t, struct pending *p)
{
    HASH_DEL(t->pending, p);
    t->count--;
    t->bytes -= sizeof(*p) + p->capacity;
    free(p->data);
    free(p);
}

static void give_up(struct fragment_table *t, struct pending *p)
{
    t->counters->fragments_dropped += p->fragments;
    remove_pending(t, p);
}

size_t fragment_table_count(const struct fragment_table *t)
{
    return t->count;
}

size_t fragment_table_bytes(const struct fragment_table *t)
{
    return t->bytes;
}

void fragment_table_destroy(struct fragment_table *t)
{
    if (t == NULL) {
        return;
    }
    struct pending *p;
    struct pending *next;
    HASH_ITER(hh, t->pending, p, next)
    {
        remove_pending(t, p);
    }
    free(t->whole.data);
    free(t);
}

/* Where two frames agree that the first one waits since a time that is still to come, the clock was
 * set back. */
static struct pending *first_pending(struct fragment_table *t, hr_nsec latest)
{
    struct pending *p;
    while ((p = t->pending) != NULL &&
           hr_nsec_sub(p->first_at, latest) > t->config.fragment_timeout) {
        HASH_DEL(t->pending, p);
        p->first_at = latest;
        HASH_ADD(hh, t->pending, key, sizeof(p->key), p);
    }
    return p;
}

static void give_up_overdue(struct fragment_table *t, hr_nsec now)
{
    /* Two frames must agree that time has passed: one may be wrong. */
    hr_nsec sure = now < t->previous_at ? now : t->previous_at;
    hr_nsec latest = now > t->previous_at ? now : t->previous_at;
    t->previous_at = now;
    struct pending *p;
    while ((p = first_pending(t, latest)) != NULL &&
           hr_nsec_sub(sure, p->first_at) > t->config.fragment_timeout) {
        give_up(t, p);
    }
}

/* @return whether the bounds are kept; the one to keep is never the one that goes */
static bool make_room(struct fragment_table *t, size_t bytes, const struct pending *keep)
{
    while (t->bytes + bytes > t->config.fragment_budget_bytes ||
           (keep == NULL && t->count + 1 > t->config.fragment_limit)) {
        struct pending *oldest = t->pending;
        if (oldest != NULL && oldest == keep) {
            oldest = oldest->hh.next;
        }
        if (oldest == NULL) {
            return false;
        }
        give_up(t, oldest);
    }
    return true;
}

static struct key key_of(const struct fragment *f)
{
    struct key key;
    memset(&key, 0, sizeof(key)); /* padding is hashed as well */
    key.source = f->source;
    key.destination = f->destination;
    key.id = f->id;
    key.network = f->network;
    key.protocol = f->is_ip6 ? 0x100 : f->protocol;
    return key;
}

/* A fragment of the datagram given out last, byte for byte: it would wait for others in vain. */
static bool is_of_last_whole(const struct fragment_table *t, const struct key *key,
                             const struct fragment *f)
{
    return t->whole.data != NULL && memcmp(&t->whole.key, key, sizeof(*key)) == 0 &&
           f->offset + f->data.len <= t->whole.bytes &&
           memcmp(t->whole.data + f->offset, f->data.ptr, f->data.len) == 0 &&
           hr_nsec_sub(f->at, t->whole.at) <= t->config.fragment_timeout;
}

static struct pending *find_or_add(struct fragment_table *t, const struct key *key,
                                   const struct fragment *f)
{
    struct pending *p;
    HASH_FIND(hh, t->pending, key, sizeof(*key), p);
    if (p != NULL || !make_room(t, sizeof(*p), NULL)) {
        return p;
    }
    p = hr_xcalloc(1, sizeof(*p));
    p->key = *key;
    p->first_at = f->at;
    p->protocol = f->protocol;
    HASH_ADD(hh, t->pending, key, sizeof(p->key), p);
    t->count++;
    t->bytes += sizeof(*p);
    return p;
}

static bool reserve(struct fragment_table *t, struct pending *p, uint32_t end)
{
    uint32_t capacity = p->capacity == 0 ? 2048 : p->capacity;
    while (capacity < end) {
        capacity *= 2;
    }
    if (capacity == p->capacity) {
        return true;
    }
    if (!make_room(t, capacity - p->capacity, p)) {
        return false;
    }
    p->data = hr_xrealloc(p->data, capacity);
    t->bytes += capacity - p->capacity;
    p->capacity = capacity;
    return true;
}

/* Where a fragment and what is known of its datagram cannot both be true, what was first is true.
 */
static bool contradicts(const struct pending *p, const struct fragment *f)
{
    uint32_t end = f->offset + (uint32_t)f->data.len;
    if (p->total != 0 && (end > p->total || (!f->more && end != p->total))) {
        return true;
    }
    return !f->more && end < p->end;
}

static void copy_new_units(struct fragment_table *t, struct pending *p, const struct fragment *f)
{
    bool overlaps = false;
    bool differs = false;
    bool is_new = false;
    for (uint32_t done = 0; done < f->data.len; done += UNIT) {
        uint32_t unit = (f->offset + done) / UNIT;
        uint64_t bit = UINT64_C(1) << (unit % 64);
        uint32_t left = (uint32_t)f->data.len - done;
        uint32_t bytes = left < UNIT ? left : UNIT;
        uint8_t *to = p->data + f->offset + done;
        if ((p->held[unit / 64] & bit) != 0) {
            differs |= memcmp(to, f->data.ptr + done, bytes) != 0;
            overlaps = true;
            continue;
        }
        is_new = true;
        memcpy(to, f->data.ptr + done, bytes);
        p->held[unit / 64] |= bit;
        p->units_held++;
    }
    bool is_repeated = overlaps && !is_new && !differs;
    t->counters->fragments_repeated += is_repeated;
    t->counters->fragments_overlapping += overlaps && !is_repeated;
}

static bool take(struct fragment_table *t, struct pending *p, const struct fragment *f)
{
    uint32_t end = f->offset + (uint32_t)f->data.len;
    if (contradicts(p, f)) {
        t->counters->malformed++;
        t->counters->fragments_dropped++;
        return false;
    }
    p->fragments++;
    if (!reserve(t, p, end)) {
        give_up(t, p);
        return false;
    }
    copy_new_units(t, p, f);
    p->end = end > p->end ? end : p->end;
    p->total = f->more ? p->total : end;
    p->selected |= f->selected;
    if (f->offset == 0) {
        p->protocol = f->protocol;
    }
    return p->total != 0 && p->units_held == (p->total + UNIT - 1) / UNIT;
}

bool fragment_table_feed(struct fragment_table *t, const struct fragment *f,
                         struct datagram *ret_datagram)
{
    give_up_overdue(t, f->at);
    bool is_odd = f->data.len == 0 || (f->more && f->data.len % UNIT != 0);
    if (is_odd || f->offset + f->data.len > DATAGRAM_LIMIT) {
        t->counters->malformed++;
        t->counters->fragments_dropped++;
        return false;
    }
    const struct key key = key_of(f);
    if (is_of_last_whole(t, &key, f)) {
        t->counters->fragments_repeated++;
        return false;
    }
    struct pending *p = find_or_add(t, &key, f);
    if (p == NULL) {
        t->counters->fragments_dropped++;
        return false;
    }
    if (!take(t, p, f)) {
        return false;
    }
    t->counters->fragments_joined++;
    free(t->whole.data);
    t->whole.key = key;
    t->whole.data = p->data;
    t->whole.bytes = p->total;
    t->whole.at = f->at;
    *ret_datagram = (struct datagram){
        .data = hr_span_of(p->data, p->total),
        .protocol = p->protocol,
        .selected = p->selected,
    };
    p->data = NULL;
    remove_pending(t, p);
    return true;
}
