#include "pipeline/endpoints.h"

#include "base/map.h"

#include <stdlib.h>

enum {
    OFTEN = 3, /* accesses of one session that show whether an endpoint keeps its answer */
    TIMES = 1 << 17,
};

/* Sessions that accessed an endpoint often, by when. */
struct often {
    struct often_key {
        int64_t endpoint_id;
        int64_t quarter;
    } key;
    uint64_t sessions;
    UT_hash_handle hh;
};

struct entry {
    int64_t endpoint_id;
    struct endpoint_evidence evidence;
    enum endpoint_protection protection;
    int64_t session_id;  /* that accessed it last ... */
    unsigned accesses;   /* ... so often */
    struct often *often; /* counted last; NULL: none */
    UT_hash_handle hh;
};

struct endpoints {
    struct entry *entries;
    struct often *often;
    size_t limit;
    struct entry outside; /* of all that found no room together: never read */
};

struct endpoints *endpoints_create(size_t limit)
{
    struct endpoints *e = hr_xcalloc(1, sizeof(*e));
    e->limit = limit;
    return e;
}

void endpoints_clear(struct endpoints *e)
{
    struct entry *entry;
    struct entry *next;
    HASH_ITER(hh, e->entries, entry, next)
    {
        HASH_DEL(e->entries, entry);
        free(entry);
    }
    struct often *often;
    struct often *next_often;
    HASH_ITER(hh, e->often, often, next_often)
    {
        HASH_DEL(e->often, often);
        free(often);
    }
}

void endpoints_destroy(struct endpoints *e)
{
    if (e != NULL) {
        endpoints_clear(e);
        free(e);
    }
}

static struct entry *find(const struct endpoints *e, int64_t endpoint_id)
{
    struct entry *entry = NULL;
    HASH_FIND(hh, e->entries, &endpoint_id, sizeof(endpoint_id), entry);
    return entry;
}

static struct entry *get(struct endpoints *e, int64_t endpoint_id)
{
    struct entry *entry = find(e, endpoint_id);
    if (entry != NULL) {
        return entry;
    }
    if (HASH_COUNT(e->entries) == e->limit) {
        return &e->outside;
    }
    entry = hr_xcalloc(1, sizeof(*entry));
    entry->endpoint_id = endpoint_id;
    HASH_ADD(hh, e->entries, endpoint_id, sizeof(entry->endpoint_id), entry);
    return entry;
}

struct endpoint_evidence *endpoints_get(struct endpoints *e, int64_t endpoint_id)
{
    return &get(e, endpoint_id)->evidence;
}

static void count_often(struct endpoints *e, struct entry *entry, hr_nsec at)
{
    const struct often_key key = {entry->endpoint_id, hr_quarter(at)};
    struct often *often = NULL;
    HASH_FIND(hh, e->often, &key, sizeof(key), often);
    if (often == NULL && entry->often != NULL && HASH_COUNT(e->often) >= TIMES) {
        often = entry->often;
    }
    if (often == NULL) {
        often = hr_xcalloc(1, sizeof(*often));
        often->key = key;
        HASH_ADD(hh, e->often, key, sizeof(often->key), often);
    }
    often->sessions++;
    entry->often = often;
}

struct endpoint_evidence *endpoints_access(struct endpoints *e, int64_t endpoint_id,
                                           int64_t session_id, hr_nsec at)
{
    struct entry *entry = get(e, endpoint_id);
    entry->accesses = entry->session_id == session_id ? entry->accesses + 1 : 1;
    entry->session_id = session_id;
    if (entry->accesses == OFTEN && entry != &e->outside) {
        entry->evidence.sessions_often++;
        count_often(e, entry, at);
    }
    return &entry->evidence;
}

int endpoints_emit_often(const struct endpoints *e,
                         int (*often)(int64_t endpoint_id, int64_t quarter, uint64_t sessions,
                                      void *user),
                         void *user)
{
    int r = 0;
    for (const struct often *o = e->often; r == 0 && o != NULL; o = o->hh.next) {
        r = often(o->key.endpoint_id, o->key.quarter, o->sessions, user);
    }
    return r;
}

int endpoints_judge(struct endpoints *e,
                    int (*judged)(int64_t endpoint_id, const struct endpoint_evidence *evidence,
                                  enum endpoint_protection protection, void *user),
                    void *user)
{
    int r = 0;
    for (struct entry *entry = e->entries; r == 0 && entry != NULL; entry = entry->hh.next) {
        entry->protection = endpoint_judge(&entry->evidence);
        r = judged(entry->endpoint_id, &entry->evidence, entry->protection, user);
    }
    return r;
}

void endpoints_set_protection(struct endpoints *e, int64_t endpoint_id,
                              enum endpoint_protection protection)
{
    struct entry *entry = find(e, endpoint_id);
    if (entry != NULL) {
        entry->protection = protection;
    }
}

bool endpoints_is_protected(const struct endpoints *e, int64_t endpoint_id)
{
    const struct entry *entry = find(e, endpoint_id);
    return entry != NULL && entry->protection == PROTECTION_PROTECTED;
}

bool endpoints_is_dropped(const struct endpoints *e, int64_t endpoint_id)
{
    return HASH_COUNT(e->entries) == e->limit && find(e, endpoint_id) == NULL;
}
