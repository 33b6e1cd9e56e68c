#include "daemon/watch.h"

#include "base/alloc.h"
#include "base/log.h"
#include "daemon/clock.h"
#include "daemon/losses.h"
#include "store/read.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Between two rounds: of each alert's delay. Long rounds leave others a quarter of their time. */
#define ROUND_INTERVAL (100 * HR_NSEC_PER_MSEC)
#define ROUND_SHARE 4
/* Whole looks at what is known of a site take a tenth of the time at most; glances lie between. */
#define GLANCE_SHARE 9
/* A site is known too little for glances where one in so many exchanges came in since the last
 * look. */
#define GLANCE_GROWTH 8
/* A rule that finds much takes a sixth of the time at most. */
#define GLANCE_REST 5
/* Who told it to end does not wait for longer looks: the next watch or audit judges what is left.
 */
#define LOOK_PATIENCE HR_NSEC_PER_SEC
/* Packets are that much later on the disk. */
#define KEEP_INTERVAL (50 * HR_NSEC_PER_MSEC)
#define TICK_INTERVAL HR_NSEC_PER_SEC
#define WAIT_MS LIVE_GATHER_MS
/* At the end, for each place that alerts go to. */
#define PATIENCE_MS 500
#define TOTALS_INTERVAL (10 * HR_NSEC_PER_SEC)
#define REST_PATIENCE (2 * HR_NSEC_PER_SEC)
#define REST_PAUSE_US 5000
/* The way to the store: what comes in while a round is judged. */
#define QUEUE_BYTES ((size_t)64 * 1024 * 1024)
/* Frames come in while others are read: so much later than the clock is now they may be. */
#define CLOCK_LEAD HR_NSEC_PER_SEC
/* No frame came for so long: time-outs run all the same. */
#define SILENCE (2 * HR_NSEC_PER_SEC)

struct watch {
    const struct watch_config *config;
    struct ingest *ingest;
    struct rounds *rounds;
    struct alerts *alerts;
    /* Of the reading thread. */
    bool is_ending;
    bool is_told_to_end; /* by a signal, or at the screen */
    bool has_frames;     /* since the last round began */
    uint64_t rounds_begun;
    hr_nsec round_began; /* steady; 0: none is under way */
    hr_nsec round_time;  /* of the last one */
    hr_nsec round_due;   /* steady */
    hr_nsec tick_due;
    hr_nsec keep_due;
    bool wants_reload;        /* by a signal */
    bool is_reloading;        /* what was loaded is on its way to the writing thread */
    struct clock_pair clocks; /* as they were looked at last */
    hr_nsec arrived_at;       /* wall: when the last frame came here */
    struct losses losses;
    struct watch_stats stats;
    /* Of the writing thread. */
    hr_nsec totals_due; /* steady */
    atomic_uint_fast64_t rounds_done;
    atomic_bool is_taken_up; /* what was loaded */
    atomic_bool is_behind;   /* a round is due, though nothing comes in */
};

int watch_block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* --- rounds ----------------------------------------------------------------------------------- */

static int on_found(const struct round *r, void *user)
{
    struct watch *w = user;
    return alerts_found(w->alerts, r);
}

static int on_idle(const struct round *r, void *user)
{
    struct watch *w = user;
    return alerts_look_again(w->alerts, r);
}

static int add_rule(const struct rule_run_view *x, void *user)
{
    watch_totals_add(user, x->rule, (uint64_t)x->findings);
    return 0;
}

/* Counting goes through all of them: not with every round. */
static void count_totals(struct watch *w)
{
    hr_nsec now = clock_steady();
    struct watch_totals t = {0};
    int64_t sessions = 0;
    if (now < w->totals_due) {
        return;
    }
    if (read_session_count(w->config->store, &sessions) == 0 &&
        read_rule_runs(w->config->store, add_rule, &t) == 0) {
        t.sessions = (uint64_t)sessions;
        stats_put_totals(w->config->stats, &t);
    }
    watch_totals_finish(&t);
    w->totals_due = clock_steady() + TOTALS_INTERVAL;
}

static void on_round_stored(void *user)
{
    struct watch *w = user;
    alerts_send(w->alerts);
}

static void on_round_end(void *user)
{
    struct watch *w = user;
    count_totals(w);
    atomic_store(&w->is_behind, rounds_is_behind(w->rounds));
    atomic_fetch_add(&w->rounds_done, 1);
}

static bool is_idle(struct watch *w)
{
    return atomic_load(&w->rounds_done) == w->rounds_begun;
}

static void begin_round(struct watch *w, bool is_last)
{
    if (feed_is_live(w->config->feed)) {
        losses_ask(&w->losses, clock_wall());
    }
    w->has_frames = false;
    w->rounds_begun++;
    w->round_began = clock_steady();
    ingest_end_round(w->ingest, feed_infos(w->config->feed), is_last, is_last && w->is_told_to_end);
}

/* --- ticks ------------------------------------------------------------------------------------ */

/* Time-outs go by the times of frames, as far as this clock stamps them. */
static bool clock_stamps_all(const struct watch *w)
{
    const struct capture_info *infos = feed_infos(w->config->feed);
    bool does = true;
    for (size_t i = 0; i < feed_count(w->config->feed); i++) {
        does = does && infos[i].time_source == TIME_SOURCE_HOST;
    }
    return does;
}

/* Before frames are read, and once more before they are judged: what lies in times that the clock
 * went over is in doubt, for it may have happened in another order. */
static void note_clock(struct watch *w)
{
    struct clock_step step;
    bool is_step = clock_step_find(&w->clocks, clock_both(), &step);
    bool is_shared = clock_stamps_all(w);
    if (is_shared) {
        ingest_limit_clock(w->ingest, hr_nsec_add(w->clocks.wall, CLOCK_LEAD));
    }
    if (is_shared && is_step) {
        ingest_shift_clock(w->ingest, step.by);
    }
    if (!is_step) {
        feed_settle_clock(w->config->feed, NULL);
        return;
    }
    hr_warning("the clock was set by %.3f s, or the machine slept; nothing is proven across that",
               (double)step.by / 1e9);
    feed_settle_clock(w->config->feed, &(struct live_clock_step){step.from_at, step.to_at});
    for (size_t i = 0; i < feed_count(w->config->feed); i++) {
        ingest_add_clock_step(w->ingest, i, step.from_at, step.to_at);
    }
    w->has_frames = true;
    w->arrived_at = w->clocks.wall;
}

static void publish(struct watch *w)
{
    struct watch_stats *s = &w->stats;
    const struct capture_info *infos = feed_infos(w->config->feed);
    s->frames = s->bytes = s->drops = s->cut_frames = s->alerts_sent = s->alerts_failed = 0;
    s->evidence_written = s->evidence_failed = 0;
    for (size_t i = 0; i < feed_count(w->config->feed); i++) {
        s->frames += infos[i].frames;
        s->bytes += infos[i].frame_bytes;
        s->drops += infos[i].dropped_frames;
        s->cut_frames += infos[i].cut_frames;
    }
    for (size_t i = 0; i < w->config->sink_count; i++) {
        struct sink *sink = w->config->sinks[i];
        bool is_evidence = sink == w->config->evidence;
        *(is_evidence ? &s->evidence_written : &s->alerts_sent) += sink_sent(sink);
        *(is_evidence ? &s->evidence_failed : &s->alerts_failed) += sink_failed(sink);
    }
    s->shed_connections = ingest_shed_count(w->ingest, &s->shed_frames);
    s->shed_share = w->losses.shed.share;
    s->gaps = ingest_gap_count(w->ingest);
    s->connections = ingest_connection_count(w->ingest);
    s->exchanges = ingest_exchange_count(w->ingest);
    s->queue_fill = ingest_fill(w->ingest);
    s->rounds = atomic_load(&w->rounds_done);
    s->round_time = w->round_time;
    s->findings = alerts_told(w->alerts);
    for (size_t i = 0; i < STATS_LATENCY_BUCKETS; i++) {
        /* What is read from a file happened long ago. */
        s->latency[i] = feed_is_live(w->config->feed) ? alerts_latency(w->alerts, i) : 0;
    }
    s->latency_sum = feed_is_live(w->config->feed) ? alerts_latency_sum(w->alerts) : 0;
    s->resident_bytes = stats_resident_bytes();
    s->round_began = w->round_began;
    s->store_failed = ingest_has_failed(w->ingest);
    ingest_uses(w->ingest, s->uses);
    ingest_cuts(w->ingest, s->cuts);
    s->keeps_packets = w->config->keeper != NULL;
    if (s->keeps_packets) {
        keeper_get_state(w->config->keeper, &s->ring);
    }
    s->at = clock_steady();
    stats_put(w->config->stats, s);
}

static void tick(struct watch *w, hr_nsec steady)
{
    hr_nsec wall = clock_wall();
    bool is_live = feed_is_live(w->config->feed);
    if (is_live) {
        bool is_lossy = losses_ask(&w->losses, wall);
        bool is_told = losses_tick(&w->losses, wall, steady);
        w->has_frames = w->has_frames || is_lossy || is_told;
        if (wall - w->arrived_at > SILENCE) {
            ingest_advance(w->ingest, wall - SILENCE);
        }
    }
    publish(w);
}

/* --- signals ---------------------------------------------------------------------------------- */

static void begin_reload(struct watch *w)
{
    struct watch_rules rules;
    w->wants_reload = false;
    notify_send(w->config->notify, "RELOADING=1");
    w->is_reloading = w->config->load(&rules, w->config->user);
    if (w->is_reloading) {
        ingest_change(w->ingest, rules.profiles, rules.rules);
    } else {
        notify_send(w->config->notify, "READY=1");
    }
}

/* Frames are read meanwhile: what was loaded counts from the round on that is under way, or waits
 * for its end. */
static void reload(struct watch *w)
{
    if (w->is_reloading && atomic_exchange(&w->is_taken_up, false)) {
        w->is_reloading = false;
        hr_info("rules, profiles and suppressions were read anew");
        notify_send(w->config->notify, "READY=1");
    }
    if (w->wants_reload && !w->is_reloading) {
        begin_reload(w);
    }
}

static int on_changed(void *user)
{
    struct watch *w = user;
    int r = w->config->take_up(w->config->user);
    atomic_store(&w->is_taken_up, r == 0);
    return r;
}

static void reopen_sinks(struct watch *w)
{
    for (size_t i = 0; i < w->config->sink_count; i++) {
        sink_reopen(w->config->sinks[i]);
    }
}

static void tell_stats(struct watch *w)
{
    struct hr_buf text;
    struct watch_stats now;
    hr_buf_init(&text, SIZE_MAX);
    publish(w);
    stats_get(w->config->stats, &now);
    stats_format(&now, &text);
    hr_info("%s", hr_buf_str(&text));
    hr_buf_finish(&text);
}

static void end_soon(struct watch *w)
{
    w->is_ending = w->is_told_to_end = true;
    rounds_hurry(w->rounds);
}

static void take_signals(struct watch *w, int signals)
{
    struct signalfd_siginfo s;
    while (read(signals, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
        switch (s.ssi_signo) {
        case SIGHUP:
            w->wants_reload = true;
            reopen_sinks(w);
            break;
        case SIGUSR1:
            tell_stats(w);
            break;
        default:
            end_soon(w);
        }
    }
}

/* --- the loop --------------------------------------------------------------------------------- */

static void on_frame(const struct packet *p, void *user)
{
    struct watch *w = user;
    w->has_frames = true;
    w->stats.packet_at = p->at;
    if (w->config->keeper != NULL) {
        keeper_add(w->config->keeper, p);
    }
    ingest_feed(w->ingest, p);
}

static void keep(struct watch *w, hr_nsec now)
{
    if (w->config->keeper != NULL && now >= w->keep_due) {
        keeper_flush(w->config->keeper);
        w->keep_due = now + KEEP_INTERVAL;
    }
}

static void pace_rounds(struct watch *w, hr_nsec now)
{
    if (w->round_began != 0 && is_idle(w)) {
        w->round_time = now - w->round_began;
        w->round_began = 0;
        hr_nsec share = w->round_time / ROUND_SHARE;
        w->round_due = now + (share > ROUND_INTERVAL ? share : ROUND_INTERVAL);
    }
    const bool is_due = w->has_frames || atomic_load(&w->is_behind);
    if (w->round_began == 0 && is_due && now >= w->round_due) {
        begin_round(w, false);
    }
}

static void loop(struct watch *w, int signals)
{
    struct feed *feed = w->config->feed;
    while (!w->is_ending && !ingest_has_failed(w->ingest)) {
        if (feed_is_live(feed)) {
            note_clock(w);
        }
        int frames = feed_read(feed, on_frame, w);
        hr_nsec now = clock_steady();
        w->arrived_at = frames > 0 ? clock_wall() : w->arrived_at;
        w->is_ending = frames < 0;
        if (feed_is_live(feed)) {
            note_clock(w);
        }
        if (now >= w->tick_due) {
            tick(w, now);
            w->tick_due = now + TICK_INTERVAL;
        }
        keep(w, now);
        pace_rounds(w, now);
        notify_watchdog(w->config->notify, now);
        take_signals(w, signals);
        reload(w);
        if (screen_wants_end(w->config->screen)) {
            end_soon(w);
        }
        if (frames <= 0 && !w->is_ending) {
            feed_wait(feed, signals, WAIT_MS);
            w->losses.was_waiting = true;
        }
    }
}

static int start(struct watch *w)
{
    const struct watch_config *c = w->config;
    struct alerts_config alerts = {
        .store = c->store,
        .sinks = c->sinks,
        .sink_count = c->sink_count,
        .evidence = c->evidence,
        .min_severity = c->min_severity,
        .evidence_folder = c->evidence_folder,
        .repeat = c->repeat,
    };
    struct rounds_config rounds = {
        .store = c->store,
        .profiles = c->rules.profiles,
        .rules = c->rules.rules,
        .clock_error = c->pipeline->clock_error,
        .captures = c->captures,
        .capture_count = feed_count(c->feed),
        .retain = c->retain,
        .glance_share = GLANCE_SHARE,
        .glance_growth = GLANCE_GROWTH,
        .glance_rest = GLANCE_REST,
        .patience = LOOK_PATIENCE,
        .found = on_found,
        .idle = on_idle,
        .stored = on_round_stored,
        .changed = on_changed,
        .ended = on_round_end,
        .user = w,
    };
    int r = alerts_create(&alerts, &w->alerts);
    if (r < 0) {
        return r;
    }
    count_totals(w); /* while nobody else uses the store */
    w->rounds = rounds_create(&rounds);
    struct writer_target target = {.rounds = w->rounds, .queue_bytes = QUEUE_BYTES};
    r = ingest_create(c->pipeline, store_key(c->store), c->rules.profiles, &target,
                      feed_count(c->feed), &w->ingest);
    w->losses.feed = c->feed;
    w->losses.ingest = w->ingest;
    w->losses.alerts = w->alerts;
    return r;
}

static uint64_t count_settled(const struct watch *w)
{
    uint64_t count = 0;
    for (size_t i = 0; i < w->config->sink_count; i++) {
        count += sink_sent(w->config->sinks[i]) + sink_failed(w->config->sinks[i]);
    }
    return count;
}

/* Who told it to end does not wait; at the end of captures alerts go out as long as any gets
 * through. */
static int send_rest(struct watch *w)
{
    uint64_t settled = count_settled(w);
    hr_nsec until = hr_nsec_add(clock_steady(), REST_PATIENCE);
    bool waits = true;
    int r = 0;
    while (r == 0 && waits && clock_steady() < until) {
        uint64_t now_settled = count_settled(w);
        r = alerts_forget_sent(w->alerts);
        r = r == 0 ? alerts_wait(w->alerts, &waits) : r;
        if (now_settled != settled) {
            settled = now_settled;
            until = hr_nsec_add(clock_steady(), REST_PATIENCE);
        }
        if (r == 0 && waits) {
            alerts_send(w->alerts);
            usleep(REST_PAUSE_US);
        }
    }
    return r;
}

/* What the sinks could not send in time stays in the store for the next watch. */
static int end_alerts(struct watch *w, int r)
{
    r = r == 0 && !w->is_told_to_end ? send_rest(w) : r;
    for (size_t i = 0; i < w->config->sink_count; i++) {
        sink_tell_end(w->config->sinks[i], PATIENCE_MS);
    }
    for (size_t i = 0; i < w->config->sink_count; i++) {
        sink_end(w->config->sinks[i]);
    }
    return r == 0 ? alerts_forget_sent(w->alerts) : r;
}

int watch_run(const struct watch_config *config, int signals)
{
    struct watch w = {.config = config, .stats.packet_at = INT64_MIN, .is_behind = true};
    hr_nsec now = clock_steady();
    w.arrived_at = clock_wall();
    w.clocks = clock_both();
    w.tick_due = now + TICK_INTERVAL;
    losses_init(&w.losses, w.arrived_at, config->alert_on_loss_ppm, config->repeat);
    int r = start(&w);
    if (r == 0) {
        notify_send(config->notify, "READY=1");
        loop(&w, signals);
        notify_send(config->notify, "STOPPING=1");
        screen_tell_end(config->screen);
        feed_flush(config->feed, on_frame, &w);
        keep(&w, HR_NSEC_INFINITE);
        tick(&w, clock_steady());
        begin_round(&w, true);
        r = ingest_finish(w.ingest);
        r = end_alerts(&w, r);
        if (r == 0 && atomic_load(&w.is_behind)) {
            hr_warning(
                "not all that came in is judged: the next watch or audit of this database goes on");
        }
        publish(&w);
    }
    ingest_destroy(w.ingest);
    rounds_destroy(w.rounds);
    alerts_destroy(w.alerts);
    return r;
}
