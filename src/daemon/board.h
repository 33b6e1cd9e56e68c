/*
 * daemon/board.h - what a screen says, as lines of text: no terminal is needed to look at it.
 */
#ifndef HR_DAEMON_BOARD_H
#define HR_DAEMON_BOARD_H

#include "daemon/look.h"
#include "daemon/stats.h"
#include "report/paint.h"

enum { BOARD_ROWS_MIN = 10, BOARD_COLUMNS_MIN = 60 };
#define BOARD_NO_ROW SIZE_MAX

struct board {
    const char *source; /* what is watched: "eth0, eth1" */
    struct watch_stats now;
    double frame_rate; /* a second */
    double byte_rate;
    double exchange_rate;
    hr_nsec up; /* how long it runs */
    const struct look_view *look;
    size_t selected;     /* of look's findings */
    const char *message; /* the last one; "": none */
    bool asks;           /* whether the watch is to end */
    bool is_ending;
};

/* A text that is longer than the screen. */
struct board_page {
    const char *title;
    struct hr_span lines; /* safe for a terminal; may hold the colours of report/paint.h */
    size_t first;         /* the topmost line that is shown; brought into range */
};

/**
 * That many lines, none wider than the paint says.
 * @return the row of the selected finding; BOARD_NO_ROW: there is none
 */
size_t board_render(const struct board *b, const struct report_paint *paint, size_t rows,
                    struct hr_buf *out);
void board_render_page(struct board_page *p, const struct report_paint *paint, size_t rows,
                       struct hr_buf *out);
/** Rows of a page's text on a screen of that many. */
size_t board_page_rows(size_t rows);
/** The help, in plain text. */
const char *board_help(void);

#endif
