/*
 * report/svg_timeline.h - the picture of one finding: a lane for each connection, a bar for each
 * exchange from its first to its last byte, the span in which the session could have been live.
 */
#ifndef HR_REPORT_SVG_TIMELINE_H
#define HR_REPORT_SVG_TIMELINE_H

#include "base/buf.h"
#include "report/story.h"

/** @param finding  its number: makes ids unique on the page. @param zero  what offsets count from */
void svg_timeline(struct hr_buf *out, const struct report_story *st, int64_t finding, hr_nsec zero);

#endif
