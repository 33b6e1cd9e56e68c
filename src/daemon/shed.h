/*
 * daemon/shed.h - which share of new connections a watch leaves out while it cannot keep pace: one
 * sixteenth more as long as it is overloaded, one less after it was calm for a while. What lies
 * between keeps the share, so that it does not swing. Pure: no clock of its own.
 */
#ifndef HR_DAEMON_SHED_H
#define HR_DAEMON_SHED_H

#include "base/time.h"

/* Of the connections, at most SHED_SHARE_LIMIT of SHED_SHARES. */
#define SHED_SHARES 16u
#define SHED_SHARE_LIMIT 15u
/* The share grows after so long a time of overload, and again after as long. */
#define SHED_GROW_AFTER (2 * HR_NSEC_PER_SEC)
/* And shrinks after so long a time of calm. */
#define SHED_SHRINK_AFTER (10 * HR_NSEC_PER_SEC)

/* How it went since the step before. */
struct shed_load {
    uint64_t drops;   /* frames that the kernel dropped */
    double fill;      /* of the way to the store: 0 empty, 1 full */
    bool was_waiting; /* the reading loop had nothing to do at some time */
};

struct shed_policy {
    unsigned share; /* of SHED_SHARES */
    hr_nsec hard_since; /* HR_NSEC_INFINITE: it is not overloaded */
    hr_nsec calm_since; /* HR_NSEC_INFINITE: it is not calm */
};

void shed_policy_init(struct shed_policy *p);
/** @param now  by a clock that never steps. @return the share from now on */
unsigned shed_policy_step(struct shed_policy *p, hr_nsec now, const struct shed_load *load);

#endif
