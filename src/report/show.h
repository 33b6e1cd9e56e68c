/*
 * report/show.h - one finding in full: what it says, and its exchanges drawn as lanes.
 */
#ifndef HR_REPORT_SHOW_H
#define HR_REPORT_SHOW_H

#include "report/paint.h"
#include "store/store.h"

/** @return 0; -ENOENT: there is no finding of that number; else the store's negative errno */
int report_show_finding(struct store *s, int64_t id, const struct report_paint *paint,
                        struct hr_buf *out);
/** Then a frame's number alone does not say where it is. */
bool report_has_several_captures(struct store *s);

#endif
