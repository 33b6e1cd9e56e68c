/*
 * capture/stamps.h - how far the times of an interface's frames stand behind those before them: that
 * is how far they are in doubt. A jump back because the clock was set is none: only the span of time
 * that it went back over is in doubt, which is told elsewhere. Pure.
 */
#ifndef HR_CAPTURE_STAMPS_H
#define HR_CAPTURE_STAMPS_H

#include "base/time.h"

/* Further back may be because the clock was set. */
#define STAMPS_JUMP (100 * HR_NSEC_PER_MSEC)

struct stamps {
    hr_nsec latest;       /* that the next frame is compared with */
    hr_nsec doubt;        /* the largest step back */
    hr_nsec jump_from_at; /* from then ... */
    hr_nsec jump_to_at;   /* ... back to then; the same where there was no jump since stamps_settle() */
    hr_nsec set_from_at;  /* what the clock went over when it was set last */
    hr_nsec set_to_at;
};

void stamps_init(struct stamps *s);
void stamps_note(struct stamps *s, hr_nsec at);
/** The clock was set: it went over these times. Before stamps_settle(). */
void stamps_set(struct stamps *s, hr_nsec from_at, hr_nsec to_at);
/** All that is known of the clock was told: what it does not explain is a doubt. */
void stamps_settle(struct stamps *s);

#endif
