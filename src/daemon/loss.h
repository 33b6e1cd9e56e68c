/*
 * daemon/loss.h - what share of its frames a watch lost in the last minute, and when that is news.
 * Pure: no clock of its own, nothing is sent.
 */
#ifndef HR_DAEMON_LOSS_H
#define HR_DAEMON_LOSS_H

#include "base/time.h"

#define LOSS_MINUTE_SECONDS 60

/* Frames, since the start or within some time. */
struct loss_counts {
    uint64_t captured;
    uint64_t dropped; /* by kernel or interface; not among those captured */
    uint64_t shed;    /* of those captured: left out */
};

enum loss_news {
    LOSS_NO_NEWS,
    LOSS_EXCEEDED,  /* more than the limit; said again where it stays so for long */
    LOSS_RECOVERED, /* no longer */
};

struct loss_meter {
    int64_t limit_ppm; /* of all frames; -1: nothing is ever news */
    hr_nsec repeat;
    struct loss_counts seconds[LOSS_MINUTE_SECONDS]; /* a ring: what each of them added */
    struct loss_counts total;                        /* when it was fed last */
    int64_t second;                                  /* when that was */
    bool is_exceeded;                                /* as was said last */
    bool has_said;
    hr_nsec said_at;
};

void loss_meter_init(struct loss_meter *m, int64_t limit_ppm, hr_nsec repeat);
/**
 * At most once a minute there is news.
 * @param now    by a clock that never steps
 * @param total  since the start
 */
enum loss_news loss_meter_feed(struct loss_meter *m, hr_nsec now, const struct loss_counts *total);
/** Of the last minute. */
struct loss_counts loss_meter_minute(const struct loss_meter *m);
/** @return parts per million of all frames; 0 where there are none */
int64_t loss_share_ppm(const struct loss_counts *c);

#endif
