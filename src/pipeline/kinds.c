/*
 * Open addressing by the kind, which is a keyed hash already. Most kinds occur under few models, so
 * there is room for the meanings under those alone.
 */
#include "pipeline/kinds.h"

#include "base/alloc.h"
#include "base/order.h"
#include "pipeline/flat.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct kind {
    uint64_t kind;
    void *example;       /* flat facts; NULL: the slot is empty */
    unsigned models;     /* under which it occurred: bit of each */
    unsigned differs;    /* bit of each model */
    uint64_t meanings[]; /* under them, in their order */
};

struct kinds {
    struct kind **slots;
    size_t slot_count; /* a power of two */
    size_t count;
    size_t limit;
    unsigned overflowed; /* models under which a kind was not kept */
    unsigned differs;    /* of any kind */
};

struct kinds *kinds_create(size_t limit)
{
    struct kinds *k = hr_xcalloc(1, sizeof(*k));
    k->limit = limit;
    k->slot_count = 256;
    k->slots = hr_xcalloc(k->slot_count, sizeof(struct kind *));
    return k;
}

void kinds_destroy(struct kinds *k)
{
    if (k == NULL) {
        return;
    }
    for (size_t i = 0; i < k->slot_count; i++) {
        if (k->slots[i] != NULL) {
            free(k->slots[i]->example);
            free(k->slots[i]);
        }
    }
    free(k->slots);
    free(k);
}

static size_t slot_of(const struct kinds *k, uint64_t kind)
{
    size_t at = kind & (k->slot_count - 1);
    while (k->slots[at] != NULL && k->slots[at]->kind != kind) {
        at = (at + 1) & (k->slot_count - 1);
    }
    return at;
}

static void grow(struct kinds *k)
{
    struct kind **old = k->slots;
    size_t old_count = k->slot_count;
    k->slot_count *= 2;
    k->slots = hr_xcalloc(k->slot_count, sizeof(struct kind *));
    for (size_t i = 0; i < old_count; i++) {
        if (old[i] != NULL) {
            k->slots[slot_of(k, old[i]->kind)] = old[i];
        }
    }
    free(old);
}

static size_t place_of(const struct kind *e, unsigned model)
{
    return (size_t)__builtin_popcount(e->models & ((1u << model) - 1));
}

/** @return 0: it did not occur under that model */
static uint64_t meaning_of(const struct kind *e, unsigned model)
{
    return (e->models >> model & 1) != 0 ? e->meanings[place_of(e, model)] : 0;
}

/** @return the kind, which may have moved */
static struct kind *put_meaning(struct kind *e, unsigned model, uint64_t meaning)
{
    const size_t at = place_of(e, model);
    if ((e->models >> model & 1) == 0) {
        const size_t count = (size_t)__builtin_popcount(e->models);
        e = hr_xrealloc(e, sizeof(*e) + (count + 1) * sizeof(e->meanings[0]));
        memmove(&e->meanings[at + 1], &e->meanings[at], (count - at) * sizeof(e->meanings[0]));
        e->models |= 1u << model;
    }
    e->meanings[at] = meaning;
    return e;
}

static struct kind *add_kind(struct kinds *k, uint64_t kind, const struct exchange_facts *f)
{
    if (k->count == k->limit) {
        return NULL;
    }
    if (2 * (k->count + 1) > k->slot_count) {
        grow(k);
    }
    struct kind *e = hr_xcalloc(1, sizeof(*e));
    e->kind = kind;
    e->example = hr_xcalloc(1, facts_flat_size(f));
    facts_flatten(f, e->example);
    k->slots[slot_of(k, kind)] = e;
    k->count++;
    return e;
}

bool kinds_add(struct kinds *k, uint64_t kind, unsigned model, const struct exchange_facts *f,
               const struct classified *c)
{
    assert(model <= KINDS_LAST);
    struct kind *e = k->slots[slot_of(k, kind)];
    if (e == NULL) {
        e = add_kind(k, kind, f);
        if (e != NULL && model == KINDS_LAST) {
            e->differs = ~0u; /* nobody knows what the earlier ones said of it */
        }
    }
    if (e == NULL) {
        k->overflowed |= 1u << model;
        return false;
    }
    if (meaning_of(e, model) == 0) {
        const size_t at = slot_of(k, kind);
        k->slots[at] = put_meaning(e, model, classified_meaning(f, c) | 1);
    }
    return true;
}

void kinds_compare(struct kinds *k, const struct site_model *last)
{
    struct exchange_facts facts;
    struct classified c;
    for (size_t i = 0; i < k->slot_count; i++) {
        struct kind *e = k->slots[i];
        if (e == NULL) {
            continue;
        }
        facts_unflatten(e->example, &facts);
        site_model_classify(last, &facts, &c);
        uint64_t meaning = classified_meaning(&facts, &c) | 1;
        for (unsigned m = 0; m < KINDS_MODELS; m++) {
            const uint64_t said = meaning_of(e, m);
            e->differs |= said != 0 && said != meaning ? 1u << m : 0;
        }
        k->differs |= e->differs;
        k->slots[i] = put_meaning(e, KINDS_LAST, meaning);
    }
}

bool kinds_model_differs(const struct kinds *k, unsigned model)
{
    return ((k->differs | k->overflowed) >> model & 1) != 0;
}

bool kinds_differs(const struct kinds *k, uint64_t kind, unsigned model)
{
    const struct kind *e = k->slots[slot_of(k, kind)];
    return e == NULL || (e->differs >> model & 1) != 0;
}

void kinds_settle(struct kinds *k)
{
    for (size_t i = 0; i < k->slot_count; i++) {
        struct kind *e = k->slots[i];
        if (e != NULL) {
            const uint64_t meaning = meaning_of(e, KINDS_LAST);
            e->models = 0;
            e->differs = 0;
            k->slots[i] = put_meaning(e, 0, meaning);
        }
    }
    k->overflowed = k->overflowed != 0;
    k->differs = 0;
}

bool kinds_is_whole(const struct kinds *k)
{
    return k->overflowed == 0;
}

int64_t *kinds_examples(const struct kinds *k, size_t *ret_count)
{
    int64_t *ids = hr_xcalloc(k->count + 1, sizeof(*ids));
    struct exchange_facts facts;
    size_t count = 0;
    for (size_t i = 0; i < k->slot_count; i++) {
        if (k->slots[i] != NULL) {
            facts_unflatten(k->slots[i]->example, &facts);
            ids[count++] = facts.id;
        }
    }
    qsort(ids, count, sizeof(*ids), hr_compare_int64);
    *ret_count = count;
    return ids;
}
