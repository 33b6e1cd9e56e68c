/*
 * daemon/clock.h - the machine's clocks. Verdicts never come from them; frames of interfaces bear
 * the times of clock_wall().
 */
#ifndef HR_DAEMON_CLOCK_H
#define HR_DAEMON_CLOCK_H

#include "base/time.h"

/** UTC; steps when somebody sets it. */
hr_nsec clock_wall(void);
/** Since some moment; never steps. */
hr_nsec clock_steady(void);

#endif
