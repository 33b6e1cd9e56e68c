/*
 * report/svg_chart.h - small static charts: stacked columns over time, and a strip of marks. What they
 * show also stands in a table beside them.
 */
#ifndef HR_REPORT_SVG_CHART_H
#define HR_REPORT_SVG_CHART_H

#include "base/buf.h"
#include "report/overview.h"

struct svg_columns {
    const char *id;    /* unique on the page */
    const char *title; /* for those who cannot see it */
    const char *const *classes; /* of the series, from the bottom up */
    size_t series_count;
    size_t column_count;
    int64_t (*value)(const void *data, size_t column, size_t series);
    /** What stands under a column; may be cut out where there are many. */
    void (*label)(const void *data, size_t column, struct hr_buf *out);
    bool is_last_labelled; /* where not all can be: the last one has a label rather than the first */
    /** 0 to 1, below 0: none; drawn as a line. NULL: no line. */
    double (*rate)(const void *data, size_t column);
    /** Whether an empty column is one of which something is known: marked then. NULL: none is. */
    bool (*is_known)(const void *data, size_t column);
    const void *data;
};

void svg_columns(struct hr_buf *out, const struct svg_columns *c);
/** Each window a mark: when, and how far apart its answers are (logarithmic). */
void svg_strip(struct hr_buf *out, const struct overview *o, hr_nsec from, hr_nsec to);

#endif
