/*
 * evidence/pieces.h - which frames a datagram came in that was put together from fragments.
 */
#ifndef HR_EVIDENCE_PIECES_H
#define HR_EVIDENCE_PIECES_H

#include "decode/fragment.h"

/* One fragment, where it stood. */
struct piece {
    size_t capture;
    uint64_t frame;
    uint32_t offset;     /* in its datagram */
    struct hr_span data; /* borrowed from who fed it; may be empty */
};

struct piece_table;

/** @param timeout  as of the decoder: older pieces belong to nothing any more */
struct piece_table *piece_table_create(hr_nsec timeout);
void piece_table_destroy(struct piece_table *t);
void piece_table_add(struct piece_table *t, const struct fragment *f, const struct piece *piece);
/** What was added for its datagram since the last time. @return how many; borrowed until the next
 *  call */
size_t piece_table_take(struct piece_table *t, const struct fragment *f,
                        const struct piece **ret_pieces);

#endif
