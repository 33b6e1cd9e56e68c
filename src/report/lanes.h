/*
 * report/lanes.h - what happened in order, drawn as lanes: an exchange opens a lane with its
 * request and closes it with its answer, so what overlapped stands side by side.
 */
#ifndef HR_REPORT_LANES_H
#define HR_REPORT_LANES_H

#include "base/arena.h"
#include "report/paint.h"
#include "store/read.h"

struct lane_item;

struct lanes {
    struct hr_arena arena;
    struct lane_item *items;
    size_t count;
};

void lanes_init(struct lanes *l);
void lanes_finish(struct lanes *l);
/** Copies what it keeps; an exchange given before is added to, not doubled. @param note NULL or
 * what it is in the story */
void lanes_add(struct lanes *l, const struct exchange_view *x, const char *note);
/** Draws that exchange in the colour of what is wrong. */
void lanes_mark(struct lanes *l, int64_t exchange_id);
/** The drawing, as wide as the paint says (60 columns at least), then a display filter for each capture. @param with_file name captures */
void lanes_render(const struct lanes *l, const struct report_paint *paint, bool with_file,
                  struct hr_buf *out);

#endif
