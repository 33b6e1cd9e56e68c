#include "daemon/clock.h"

#include <time.h>

/* So close must the clocks be read; where the process is stopped between, again. */
#define CLOSE_ENOUGH HR_NSEC_PER_MSEC
#define TRIES 16

static hr_nsec read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return hr_nsec_from(t.tv_sec, t.tv_nsec);
}

hr_nsec clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

hr_nsec clock_steady(void)
{
    return read_clock(CLOCK_MONOTONIC);
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
