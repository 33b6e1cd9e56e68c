/*
 * report/lanes.h - what happened in order, drawn as lanes: one for each connection, with a bar for each
 * exchange from its first byte to its last, and one that tells when the session could have been live.
 */
#ifndef HR_REPORT_LANES_H
#define HR_REPORT_LANES_H

#include "base/arena.h"
#include "report/paint.h"
#include "store/read.h"

struct lane_item;

enum lanes_session { LANES_ENDED, LANES_MAYBE, LANES_LIVE };

struct lanes_turn {
    hr_nsec at;
    enum lanes_session state; /* from then on */
};

struct lanes {
    struct hr_arena arena;
    struct lanes_turn *turns; /* of the session */
    size_t turn_count;
    struct lane_item *items;
    size_t count;
};

void lanes_init(struct lanes *l);
void lanes_finish(struct lanes *l);
/** Copies what it keeps; an exchange given before is added to, not doubled. @param note NULL or
 * what it is in the story */
void lanes_add(struct lanes *l, const struct exchange_view *x, const char *note);
/** From then on the session is so; it is ended at first. INFINITE: that never came. */
void lanes_session(struct lanes *l, hr_nsec at, enum lanes_session state);
/** Draws that exchange in the colour of what is wrong. */
void lanes_mark(struct lanes *l, int64_t exchange_id);
/** The drawing, as wide as the paint says (60 columns at least), then a display filter for each capture. @param with_file name captures */
void lanes_render(const struct lanes *l, const struct report_paint *paint, bool with_file,
                  struct hr_buf *out);

#endif
