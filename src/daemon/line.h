/*
 * daemon/line.h - a line of a screen as it grows, never wider than the screen.
 */
#ifndef HR_DAEMON_LINE_H
#define HR_DAEMON_LINE_H

#include "report/paint.h"

struct line {
    const struct report_paint *paint; /* its width is the screen's */
    struct hr_buf *out;
    size_t column; /* so many it has */
};

/** Cuts at the width. @param text  safe for a terminal already */
void line_put(struct line *l, enum report_color color, struct hr_span text);
void line_put_str(struct line *l, enum report_color color, const char *text);
/** Text from the wire, made safe, and ASCII where the terminal shows no more; at most so many columns. */
void line_put_foreign(struct line *l, enum report_color color, const char *text, size_t columns);
/** Spaces up to that column. */
void line_fill(struct line *l, size_t column);
void line_end(struct line *l);
/** "812", "12.3k", "4.5M": at most five columns. @return text */
const char *line_format_count(double n, char text[16]);

#endif
