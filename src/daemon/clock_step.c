#include "daemon/clock_step.h"

bool clock_step_find(struct clock_pair *last, struct clock_pair now, struct clock_step *ret_step)
{
    const struct clock_pair before = *last;
    hr_nsec passed = now.steady - before.steady;
    hr_nsec by = now.wall - before.wall - passed;
    *last = now;
    if (by < CLOCK_STEP_LEAST && by > -CLOCK_STEP_LEAST) {
        return false;
    }
    /* It may have been set right after the last look, or right before this one. */
    hr_nsec earliest_after = now.wall - passed;
    hr_nsec latest_before = before.wall + passed;
    *ret_step = (struct clock_step){
        .by = by,
        .from_at = earliest_after < before.wall ? earliest_after : before.wall,
        .to_at = latest_before > now.wall ? latest_before : now.wall,
    };
    return true;
}
