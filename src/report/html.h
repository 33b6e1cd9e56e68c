/*
 * report/html.h - the report as one page: no network, no script needed, for screens of any size, print and
 * screen readers.
 */
#ifndef HR_REPORT_HTML_H
#define HR_REPORT_HTML_H

#include "report/model.h"

/** @param all  every finding in full. @return 0 or a negative errno of the store */
int report_html_render(const struct report *r, struct store *s, bool all, struct hr_buf *out);

#endif
