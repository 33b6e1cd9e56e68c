/*
 * pipeline/capture_end.h - what is entered of a capture when it has been read.
 */
#ifndef HR_PIPELINE_CAPTURE_END_H
#define HR_PIPELINE_CAPTURE_END_H

#include "store/write.h"

/** What a file says of its own losses, and that it was cut off. @return 0 or a negative errno */
int capture_end_losses(struct import *import, size_t index, const struct capture_info *info);

#endif
