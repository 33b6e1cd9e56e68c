#include "daemon/losses.h"

#include "base/alloc.h"
#include "base/log.h"
#include "report/record.h"

void losses_init(struct losses *l, hr_nsec now, int64_t alert_ppm, hr_nsec repeat)
{
    *l = (struct losses){.asked_at = now};
    loss_meter_init(&l->meter, alert_ppm, repeat);
    shed_policy_init(&l->shed);
}

bool losses_ask(struct losses *l, hr_nsec now)
{
    bool is_back = now < l->asked_at; /* the clock was set */
    hr_nsec from = is_back ? now : l->asked_at;
    hr_nsec to = is_back ? l->asked_at : now;
    bool is_any = false;
    for (size_t i = 0; i < feed_count(l->feed); i++) {
        uint64_t drops = feed_drops(l->feed, i);
        if (drops > 0) {
            ingest_add_drops(l->ingest, i, from, to, drops);
            l->drops += drops;
            is_any = true;
        }
    }
    l->asked_at = now;
    return is_any;
}

static void pace(struct losses *l, hr_nsec steady)
{
    const struct shed_load load = {
        .drops = l->drops, .fill = ingest_fill(l->ingest), .was_waiting = l->was_waiting};
    unsigned before = l->shed.share;
    unsigned share = shed_policy_step(&l->shed, steady, &load);
    l->drops = 0;
    l->was_waiting = false;
    ingest_shed(l->ingest, share);
    if (share > before) {
        hr_warning("this machine does not keep pace: of new connections, %u of %u are left out",
                   share, SHED_SHARES);
    } else if (share == 0 && before > 0) {
        hr_warning("no more connections are left out");
    }
}

static void tell(struct losses *l, const struct loss_alert_view *v)
{
    struct hr_buf body;
    hr_buf_init(&body, SIZE_MAX);
    record_append_json(&body, &record_loss_alert, v);
    alerts_say(l->alerts, hr_span_trim(hr_buf_span(&body)));
    hr_buf_finish(&body);
    hr_warning("%.4g %% of the last minute's frames were lost: the limit of --alert-on-loss is %s",
               (double)v->lost_ppm / 1e4, v->state);
}

static struct loss_counts count(struct losses *l)
{
    const struct capture_info *infos = feed_infos(l->feed);
    struct loss_counts total = {0};
    for (size_t i = 0; i < feed_count(l->feed); i++) {
        total.captured += infos[i].frames;
        total.dropped += infos[i].dropped_frames;
    }
    ingest_shed_count(l->ingest, &total.shed);
    return total;
}

bool losses_tick(struct losses *l, hr_nsec now, hr_nsec steady)
{
    pace(l, steady);
    struct loss_counts total = count(l);
    enum loss_news news = loss_meter_feed(&l->meter, steady, &total);
    struct loss_counts minute = loss_meter_minute(&l->meter);
    if (news == LOSS_NO_NEWS) {
        return false;
    }
    tell(l, &(struct loss_alert_view){
                .at = now,
                .state = news == LOSS_EXCEEDED ? "exceeded" : "recovered",
                .from_at = hr_nsec_sub(now, LOSS_MINUTE_SECONDS * HR_NSEC_PER_SEC),
                .frames = (int64_t)(minute.captured + minute.dropped),
                .dropped_frames = (int64_t)minute.dropped,
                .shed_frames = (int64_t)minute.shed,
                .lost_ppm = loss_share_ppm(&minute),
                .limit_ppm = l->meter.limit_ppm,
            });
    return true;
}
