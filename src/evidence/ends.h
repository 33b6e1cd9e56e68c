/*
 * evidence/ends.h - finds connections by their two ends and a time, however many there are and however
 * often their ports were used again.
 */
#ifndef HR_EVIDENCE_ENDS_H
#define HR_EVIDENCE_ENDS_H

#include "base/time.h"
#include "decode/segment.h"

#include <stddef.h>

struct ends_entry;

/* All zero is an empty one. */
struct ends_index {
    struct ends_entry *entries;
    size_t count;
    bool is_sorted;
};

/** @param what  given back by ends_index_find(); borrowed */
void ends_index_add(struct ends_index *index, const struct net_endpoint ends[2], hr_nsec first_at,
                    hr_nsec last_at, void *what);
/** @return of those between a and b, either way round, that were there at that time the last to begin; or NULL */
void *ends_index_find(struct ends_index *index, const struct net_endpoint *a,
                      const struct net_endpoint *b, hr_nsec at);
void ends_index_finish(struct ends_index *index);

#endif
