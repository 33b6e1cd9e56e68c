#include "daemon/clock.h"

#include <time.h>

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
