#include "daemon/clock.h"

#include <time.h>

/* So close must the clocks be read; where the process is stopped between, again. */
#define CLOSE_ENOUGH HR_NSEC_PER_MSEC
#define TRIES 16

hr_nsec clock_wall(void)
{
    return hr_clock_read(CLOCK_REALTIME);
}

hr_nsec clock_steady(void)
{
    return hr_clock_read(CLOCK_MONOTONIC);
}

struct clock_pair clock_both(void)
{
    struct clock_pair p;
    int tries = 0;
    do {
        p.steady = clock_steady();
        p.wall = clock_wall();
        tries++;
    } while (clock_steady() - p.steady > CLOSE_ENOUGH && tries < TRIES);
    return p;
}
