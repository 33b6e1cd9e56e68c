/*
 * report/paint.h - text for a terminal: colours where wanted, lines broken at its width, signs
 * beyond ASCII only where they can be shown.
 */
#ifndef HR_REPORT_PAINT_H
#define HR_REPORT_PAINT_H

#include "base/buf.h"

struct report_paint {
    bool has_color;
    bool has_unicode;
    size_t width; /* columns */
};

enum report_color {
    COLOR_NONE,
    COLOR_BOLD,
    COLOR_DIM,
    COLOR_RED,
    COLOR_YELLOW,
    COLOR_GREEN,
    COLOR_CYAN,
};

void paint_begin(const struct report_paint *p, struct hr_buf *out, enum report_color color);
void paint_end(const struct report_paint *p, struct hr_buf *out, enum report_color color);
/** Text of this program or of a rule, in a colour. */
void paint_text(const struct report_paint *p, struct hr_buf *out, enum report_color color,
                const char *text);
/** Text from the wire or a file name: made safe for a terminal. NULL is nothing. */
void paint_foreign(struct hr_buf *out, const char *text);
/**
 * Breaks text (made safe first) at spaces. The first line continues one that has `column` columns
 * already; the others are indented. Ends with a line feed.
 */
void paint_wrapped(const struct report_paint *p, struct hr_buf *out, const char *text,
                   size_t column, size_t indent);
enum report_color paint_severity_color(const char *severity);

#endif
