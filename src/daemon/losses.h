/*
 * daemon/losses.h - what a watch of interfaces does about frames that it loses: asks the kernel,
 * hands on to the store what was dropped and when, leaves out connections where it cannot keep pace,
 * and tells people. Of the reading thread.
 */
#ifndef HR_DAEMON_LOSSES_H
#define HR_DAEMON_LOSSES_H

#include "daemon/alerts.h"
#include "daemon/feed.h"
#include "daemon/loss.h"
#include "daemon/shed.h"
#include "pipeline/ingest.h"

struct losses {
    struct feed *feed;
    struct ingest *ingest;
    struct alerts *alerts;
    struct loss_meter meter;
    struct shed_policy shed;
    hr_nsec asked_at; /* wall: when the kernel was asked */
    uint64_t drops;   /* since the last tick */
    bool was_waiting; /* the same */
};

/** @param now  by the clock that stamps the frames; the rest of it is set by the caller */
void losses_init(struct losses *l, hr_nsec now, int64_t alert_ppm, hr_nsec repeat);
/** Before anything is judged. @return whether frames were dropped since the last call */
bool losses_ask(struct losses *l, hr_nsec now);
/** Every second. @param steady  by a clock that never steps. @return whether an alert waits for a round */
bool losses_tick(struct losses *l, hr_nsec now, hr_nsec steady);

#endif
