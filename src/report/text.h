/*
 * report/text.h - the report as it is read on a terminal: the answer first, the worst first, what
 * shows it, and how far the capture can be trusted.
 */
#ifndef HR_REPORT_TEXT_H
#define HR_REPORT_TEXT_H

#include "report/overview.h"
#include "report/paint.h"

struct report_text_options {
    struct report_paint paint;
    bool all;            /* fold nothing */
    const struct overview *trend; /* the last days; NULL: none are told */
};

void report_text_render(const struct report *r, const struct report_text_options *options,
                        struct hr_buf *out);
/**
 * One finding in full; also for `show finding`.
 * @param known      since when its problem is known, in words; "": nothing is said
 * @param with_file  name captures in each line
 */
void report_text_finding(const struct finding_view *f, const char *known,
                         const struct report_paint *paint, bool with_file, struct hr_buf *out);

/** "suppressed by OWNER until DATE: REASON", from that column on. */
void report_text_suppression(const struct finding_view *f, const struct report_paint *paint,
                             size_t column, struct hr_buf *out);

#endif
