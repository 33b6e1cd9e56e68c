#include "daemon/stats.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const hr_nsec stats_latency_bounds[STATS_LATENCY_BUCKETS - 1] = {
    100 * HR_NSEC_PER_MSEC, 250 * HR_NSEC_PER_MSEC, 500 * HR_NSEC_PER_MSEC, HR_NSEC_PER_SEC,
    2 * HR_NSEC_PER_SEC,    5 * HR_NSEC_PER_SEC,    30 * HR_NSEC_PER_SEC,
};

/* The loop tells how it goes each second. */
#define STALE (10 * HR_NSEC_PER_SEC)
#define LONG_ROUND (60 * HR_NSEC_PER_SEC)

struct stats {
    pthread_mutex_t lock;
    struct watch_stats now;
    struct watch_totals totals;
};

void watch_totals_add(struct watch_totals *t, const char *rule, uint64_t findings)
{
    size_t len = strspn(rule, "abcdefghijklmnopqrstuvwxyz0123456789-");
    bool is_name = len > 0 && len < STATS_RULE_BYTES && rule[len] == '\0';
    if (!is_name || t->rule_count == STATS_RULES) {
        t->rules_left_out++;
        return;
    }
    t->rules = hr_xgrow(t->rules, t->rule_count, sizeof(*t->rules));
    t->rules[t->rule_count++] =
        (struct watch_rule_total){.rule = hr_xstrdup(rule), .findings = findings};
}

void watch_totals_finish(struct watch_totals *t)
{
    for (size_t i = 0; i < t->rule_count; i++) {
        free(t->rules[i].rule);
    }
    free(t->rules);
    *t = (struct watch_totals){0};
}

struct stats *stats_create(void)
{
    struct stats *s = hr_xcalloc(1, sizeof(*s));
    pthread_mutex_init(&s->lock, NULL);
    s->now.packet_at = INT64_MIN;
    return s;
}

void stats_destroy(struct stats *s)
{
    if (s != NULL) {
        pthread_mutex_destroy(&s->lock);
        watch_totals_finish(&s->totals);
        free(s);
    }
}

void stats_put(struct stats *s, const struct watch_stats *now)
{
    pthread_mutex_lock(&s->lock);
    s->now = *now;
    s->now.sessions = s->totals.sessions;
    pthread_mutex_unlock(&s->lock);
}

void stats_put_totals(struct stats *s, struct watch_totals *take_totals)
{
    pthread_mutex_lock(&s->lock);
    struct watch_totals before = s->totals;
    s->totals = *take_totals;
    s->now.sessions = s->totals.sessions;
    pthread_mutex_unlock(&s->lock);
    watch_totals_finish(&before);
    *take_totals = (struct watch_totals){0};
}

void stats_get(struct stats *s, struct watch_stats *ret_now)
{
    pthread_mutex_lock(&s->lock);
    *ret_now = s->now;
    pthread_mutex_unlock(&s->lock);
}

void stats_get_totals(struct stats *s, struct watch_totals *ret_totals)
{
    *ret_totals = (struct watch_totals){0};
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->totals.rule_count; i++) {
        watch_totals_add(ret_totals, s->totals.rules[i].rule, s->totals.rules[i].findings);
    }
    ret_totals->sessions = s->totals.sessions;
    ret_totals->rules_left_out = s->totals.rules_left_out;
    pthread_mutex_unlock(&s->lock);
}

uint64_t stats_resident_bytes(void)
{
    unsigned long size = 0;
    unsigned long resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f != NULL) {
        if (fscanf(f, "%lu %lu", &size, &resident) != 2) {
            resident = 0;
        }
        fclose(f);
    }
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

const char *stats_trouble(const struct watch_stats *s, hr_nsec now)
{
    if (s->store_failed) {
        return "the database failed: nothing is stored any more";
    }
    if (s->at != 0 && now - s->at > STALE) {
        return "the loop does not go on";
    }
    if (s->round_began != 0 && now - s->round_began > LONG_ROUND) {
        return "a round of storing and judging does not end";
    }
    return NULL;
}

/* The bound below which that share of the alerts came; HR_NSEC_INFINITE: none. 0: there was none.
 */
static hr_nsec latency_below(const struct watch_stats *now, double share)
{
    uint64_t all = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < STATS_LATENCY_BUCKETS; i++) {
        all += now->latency[i];
    }
    for (size_t i = 0; i < STATS_LATENCY_BUCKETS - 1; i++) {
        sum += now->latency[i];
        if ((double)sum >= share * (double)all) {
            return all > 0 ? stats_latency_bounds[i] : 0;
        }
    }
    return HR_NSEC_INFINITE;
}

static void put_latency(const struct watch_stats *now, struct hr_buf *out)
{
    static const struct {
        double share;
        const char *name;
    } shares[] = {
        {0.5,  "half"},
        {0.99, "99 %"}
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(shares); i++) {
        hr_nsec below = latency_below(now, shares[i].share);
        if (below == HR_NSEC_INFINITE) {
            hr_buf_appendf(out, ", %s of the alerts later than %.0f s", shares[i].name,
                           (double)stats_latency_bounds[STATS_LATENCY_BUCKETS - 2] / 1e9);
        } else if (below > 0) {
            hr_buf_appendf(out, ", %s of the alerts within %.3g s", shares[i].name,
                           (double)below / 1e9);
        }
    }
}

/* Which bounds were reached, and how much was cut off at each. */
static void put_cuts(const struct watch_stats *now, struct hr_buf *out)
{
    for (size_t i = 0; i < INGEST_CUTS; i++) {
        if (now->cuts[i].count > 0) {
            hr_buf_appendf(out, ", %s %" PRIu64, now->cuts[i].name, now->cuts[i].count);
        }
    }
}

static void put_ring(const struct watch_stats *now, struct hr_buf *out)
{
    if (now->keeps_packets) {
        hr_buf_appendf(out, ", ring %" PRIu64 " B, left out of it %" PRIu64 " frames%s",
                       now->ring.bytes, now->ring.missed,
                       now->ring.is_stopped ? ", it cannot be written now" : "");
    }
}

void stats_format(const struct watch_stats *now, struct hr_buf *out)
{
    const struct {
        const char *name;
        uint64_t value;
        const char *unit;
    } lines[] = {
        {"frames",            now->frames,                                    ""   },
        {"captured",          now->bytes,                                     " B" },
        {"dropped",           now->drops,                                     ""   },
        {"cut",               now->cut_frames,                                ""   },
        {"connections shed",  now->shed_connections,                          ""   },
        {"frames shed",       now->shed_frames,                               ""   },
        {"gaps",              now->gaps,                                      ""   },
        {"connections",       now->connections,                               ""   },
        {"sessions",          now->sessions,                                  ""   },
        {"exchanges",         now->exchanges,                                 ""   },
        {"rounds",            now->rounds,                                    ""   },
        {"findings told",     now->findings,                                  ""   },
        {"alerts sent",       now->alerts_sent,                               ""   },
        {"alerts given up",   now->alerts_failed,                             ""   },
        {"evidence written",  now->evidence_written,                          ""   },
        {"evidence given up", now->evidence_failed,                           ""   },
        {"queue",             (uint64_t)(now->queue_fill * 100),              " %" },
        {"last round",        (uint64_t)(now->round_time / HR_NSEC_PER_MSEC), " ms"},
        {"resident",          now->resident_bytes,                            " B" },
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(lines); i++) {
        hr_buf_appendf(out, "%s%s %" PRIu64 "%s", i > 0 ? ", " : "", lines[i].name, lines[i].value,
                       lines[i].unit);
    }
    put_cuts(now, out);
    put_latency(now, out);
    put_ring(now, out);
}
