#include "daemon/loss.h"

#define MINUTE (LOSS_MINUTE_SECONDS * HR_NSEC_PER_SEC)
#define MILLION 1000000

void loss_meter_init(struct loss_meter *m, int64_t limit_ppm, hr_nsec repeat)
{
    *m = (struct loss_meter){.limit_ppm = limit_ppm, .repeat = repeat};
}

static double lost(const struct loss_counts *c)
{
    return (double)c->dropped + (double)c->shed;
}

int64_t loss_share_ppm(const struct loss_counts *c)
{
    double all = (double)c->captured + (double)c->dropped;
    return all > 0 ? (int64_t)(lost(c) * MILLION / all) : 0;
}

struct loss_counts loss_meter_minute(const struct loss_meter *m)
{
    struct loss_counts sum = {0};
    for (size_t i = 0; i < LOSS_MINUTE_SECONDS; i++) {
        sum.captured += m->seconds[i].captured;
        sum.dropped += m->seconds[i].dropped;
        sum.shed += m->seconds[i].shed;
    }
    return sum;
}

/* Empties what has passed since it was fed last. */
static struct loss_counts *second_of(struct loss_meter *m, hr_nsec now)
{
    int64_t second = now / HR_NSEC_PER_SEC;
    int64_t passed = second - m->second;
    for (int64_t i = 0; i < passed && i < LOSS_MINUTE_SECONDS; i++) {
        m->seconds[(second - i) % LOSS_MINUTE_SECONDS] = (struct loss_counts){0};
    }
    m->second = second;
    return &m->seconds[second % LOSS_MINUTE_SECONDS];
}

/* Compared without rounding: a share just above the limit is above it. */
static bool is_above(const struct loss_counts *c, int64_t limit_ppm)
{
    double all = (double)c->captured + (double)c->dropped;
    return lost(c) * MILLION > (double)limit_ppm * all;
}

enum loss_news loss_meter_feed(struct loss_meter *m, hr_nsec now, const struct loss_counts *total)
{
    struct loss_counts *second = second_of(m, now);
    second->captured += total->captured - m->total.captured;
    second->dropped += total->dropped - m->total.dropped;
    second->shed += total->shed - m->total.shed;
    m->total = *total;
    struct loss_counts minute = loss_meter_minute(m);
    hr_nsec silent = m->has_said ? now - m->said_at : HR_NSEC_INFINITE;
    bool is_exceeded = m->limit_ppm >= 0 && is_above(&minute, m->limit_ppm);
    bool is_change = is_exceeded != m->is_exceeded;
    if (silent < MINUTE || !(is_change || (is_exceeded && silent >= m->repeat))) {
        return LOSS_NO_NEWS;
    }
    m->is_exceeded = is_exceeded;
    m->has_said = true;
    m->said_at = now;
    return is_exceeded ? LOSS_EXCEEDED : LOSS_RECOVERED;
}
