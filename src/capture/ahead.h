/*
 * capture/ahead.h - inside of capture/: the frame that comes CAPTURE_AHEAD_FRAMES behind the one at
 * hand, as long as the buffer reaches that far. The place of the last one found is kept, so each
 * record is measured once.
 */
#ifndef HR_CAPTURE_AHEAD_H
#define HR_CAPTURE_AHEAD_H

#include "base/span.h"

struct ahead {
    uint64_t offset; /* of a record in the file */
    uint64_t frames; /* from the first one of the file to that record */
};

/**
 * Measures the record that bytes begin with.
 * @param ret_frame  ptr NULL: the record is no frame
 * @return its bytes; 0: it is not all there
 */
typedef size_t (*ahead_measure_fn)(const void *reader, struct hr_span bytes, struct hr_span *ret_frame);

/**
 * @param hand   the record at hand, a frame, and its number
 * @param bytes  of the file, from that record on
 * @return ptr NULL: it is not at hand
 */
struct hr_span ahead_find(struct ahead *a, struct ahead hand, struct hr_span bytes,
                          ahead_measure_fn measure, const void *reader);

#endif
