/*
 * daemon/clock.h - the machine's clocks. Verdicts never come from them; frames of interfaces bear
 * the times of clock_wall().
 */
#ifndef HR_DAEMON_CLOCK_H
#define HR_DAEMON_CLOCK_H

#include "daemon/clock_step.h"

/** UTC; steps when somebody sets it. */
hr_nsec clock_wall(void);
/** Since some moment; never steps. */
hr_nsec clock_steady(void);
/** Both, as of one moment. */
struct clock_pair clock_both(void);

#endif
