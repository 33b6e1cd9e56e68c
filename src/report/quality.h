/*
 * report/quality.h - how far a capture can be trusted: what was lost, what could not be read.
 */
#ifndef HR_REPORT_QUALITY_H
#define HR_REPORT_QUALITY_H

#include "report/model.h"
#include "report/paint.h"

/** Most of the traffic cannot be read: says so, and where to capture instead. */
void quality_append_blind(const struct report *r, const struct report_paint *paint,
                          struct hr_buf *out);
/** The section of the report: each capture, the ledger of losses, bounds that were reached. */
void quality_append(const struct report *r, const struct report_paint *paint, struct hr_buf *out);

#endif
