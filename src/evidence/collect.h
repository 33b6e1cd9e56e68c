/*
 * evidence/collect.h - reads the frames that were picked.
 */
#ifndef HR_EVIDENCE_COLLECT_H
#define HR_EVIDENCE_COLLECT_H

#include "evidence/frames.h"

/**
 * Fills the frames of the evidence, in order of time.
 * @param picks  settled
 * @return 0; -EFBIG beyond bytes_limit; -ESTALE with a text where a capture has changed meanwhile;
 *         -EINTR
 */
int collect_frames(struct evidence *e, const struct frame_picks *picks, size_t bytes_limit,
                   const volatile int *stop, struct hr_buf *ret_error);

#endif
