/*
 * daemon/clock_step.h - whether the wall clock was set. Times of frames before and after a step back
 * lie in each other's midst; after a step ahead, and where the machine slept, there is a hole. Pure.
 */
#ifndef HR_DAEMON_CLOCK_STEP_H
#define HR_DAEMON_CLOCK_STEP_H

#include "base/time.h"

/* Less is what frames out of order tell themselves. */
#define CLOCK_STEP_LEAST (100 * HR_NSEC_PER_MSEC)

/* Both clocks, read at one moment. */
struct clock_pair {
    hr_nsec wall;
    hr_nsec steady;
};

struct clock_step {
    hr_nsec by;      /* below 0: back */
    hr_nsec from_at; /* times from then ... */
    hr_nsec to_at;   /* ... to then may be of before or of after the step */
};

/** @param last  the pair before, replaced by now. @return whether the wall clock was set between them */
bool clock_step_find(struct clock_pair *last, struct clock_pair now, struct clock_step *ret_step);

#endif
