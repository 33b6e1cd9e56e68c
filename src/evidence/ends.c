/*
 * Sorted by ends, then by beginning. What lies before a place and is over before some time is
 * passed at once, for each entry knows when the last of its kind up to itself ended.
 */
#include "evidence/ends.h"

#include "base/alloc.h"

#include <stdlib.h>

struct ends_entry {
    struct net_endpoint low;
    struct net_endpoint high;
    hr_nsec first_at;
    hr_nsec last_at;
    hr_nsec reach; /* the latest last_at between the same ends, up to here */
    void *what;
};

static struct ends_entry entry_of(const struct net_endpoint *a, const struct net_endpoint *b,
                                  hr_nsec at)
{
    bool is_turned = net_endpoint_compare(a, b) > 0;
    return (struct ends_entry){
        .low = is_turned ? *b : *a, .high = is_turned ? *a : *b, .first_at = at};
}

static int compare_ends(const struct ends_entry *a, const struct ends_entry *b)
{
    int r = net_endpoint_compare(&a->low, &b->low);
    return r != 0 ? r : net_endpoint_compare(&a->high, &b->high);
}

static int compare(const void *a, const void *b)
{
    const struct ends_entry *x = a;
    const struct ends_entry *y = b;
    int r = compare_ends(x, y);
    return r != 0 ? r : (x->first_at > y->first_at) - (x->first_at < y->first_at);
}

static void sort(struct ends_index *index)
{
    if (index->is_sorted || index->count == 0) {
        return;
    }
    qsort(index->entries, index->count, sizeof(*index->entries), compare);
    for (size_t i = 0; i < index->count; i++) {
        struct ends_entry *e = &index->entries[i];
        bool has_before = i > 0 && compare_ends(e - 1, e) == 0;
        e->reach = has_before && e[-1].reach > e->last_at ? e[-1].reach : e->last_at;
    }
    index->is_sorted = true;
}

void ends_index_add(struct ends_index *index, const struct net_endpoint ends[2], hr_nsec first_at,
                    hr_nsec last_at, void *what)
{
    index->entries = hr_xgrow(index->entries, index->count, sizeof(*index->entries));
    struct ends_entry *e = &index->entries[index->count++];
    *e = entry_of(&ends[0], &ends[1], first_at);
    e->last_at = last_at;
    e->what = what;
    index->is_sorted = false;
}

void *ends_index_find(struct ends_index *index, const struct net_endpoint *a,
                      const struct net_endpoint *b, hr_nsec at)
{
    const struct ends_entry key = entry_of(a, b, at);
    size_t low = 0;
    size_t high = index->count;
    sort(index);
    while (low < high) { /* the first that begins later */
        size_t middle = low + (high - low) / 2;
        if (compare(&index->entries[middle], &key) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (size_t i = low; i > 0; i--) {
        const struct ends_entry *e = &index->entries[i - 1];
        if (compare_ends(e, &key) != 0 || e->reach < at) {
            return NULL;
        }
        if (e->last_at >= at) {
            return e->what;
        }
    }
    return NULL;
}

void ends_index_finish(struct ends_index *index)
{
    free(index->entries);
    *index = (struct ends_index){0};
}
