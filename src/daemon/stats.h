/*
 * daemon/stats.h - how a watch goes, for whoever looks on: the screen, the metrics, SIGUSR1. The
 * reading thread tells; any thread reads a copy.
 */
#ifndef HR_DAEMON_STATS_H
#define HR_DAEMON_STATS_H

#include "base/buf.h"
#include "base/time.h"
#include "daemon/keeper.h"
#include "pipeline/ingest.h"

#define STATS_LATENCY_BUCKETS 8
#define STATS_RULES 4096
#define STATS_RULE_BYTES 256 /* its name is a file's */

/* What the store holds, as the writing thread counts it now and then. */
struct watch_totals {
    uint64_t sessions;
    struct watch_rule_total {
        char *rule;
        uint64_t findings; /* that stand */
    } *rules;
    size_t rule_count;
    uint64_t rules_left_out; /* past the bound, or of no rule's name */
};

/** Adds a rule, as far as there is room. @param rule  as the database has it, which can hold anything */
void watch_totals_add(struct watch_totals *t, const char *rule, uint64_t findings);
void watch_totals_finish(struct watch_totals *t);

struct watch_stats {
    uint64_t frames;
    uint64_t bytes; /* captured */
    uint64_t drops; /* by the kernel or the interface */
    uint64_t cut_frames;
    uint64_t shed_connections; /* left out for want of time */
    uint64_t shed_frames;      /* of them */
    unsigned shed_share;       /* of new ones, in sixteenths */
    uint64_t gaps;        /* holes in connections */
    uint64_t connections; /* open */
    uint64_t exchanges;   /* since the start */
    uint64_t rounds;
    uint64_t findings;     /* told anew since the start, updates included */
    double queue_fill;     /* of the way to the store: 0 empty, 1 full */
    hr_nsec round_time;    /* how long the last one took */
    hr_nsec at;            /* steady: when this was told */
    hr_nsec packet_at;     /* of the last frame; INT64_MIN: none came */
    uint64_t alerts_sent;
    uint64_t alerts_failed;
    uint64_t evidence_written; /* files */
    uint64_t evidence_failed;
    /* How many alerts were said within stats_latency_bounds[i] of the frame that completed them. */
    uint64_t latency[STATS_LATENCY_BUCKETS];
    hr_nsec latency_sum;
    uint64_t resident_bytes;
    hr_nsec round_began; /* steady; 0: none is under way */
    bool store_failed;   /* nothing is stored any more */
    struct ingest_use uses[INGEST_USES];
    struct ingest_cut cuts[INGEST_CUTS]; /* names NULL: not told yet */
    bool keeps_packets;
    struct keeper_state ring;
    uint64_t sessions; /* of stats_put_totals() */
};
/* Upper bounds; the last bucket has none. */
extern const hr_nsec stats_latency_bounds[STATS_LATENCY_BUCKETS - 1];

struct stats;

struct stats *stats_create(void);
void stats_destroy(struct stats *s);
/** Copies all but the totals. */
void stats_put(struct stats *s, const struct watch_stats *now);
void stats_put_totals(struct stats *s, struct watch_totals *take_totals);
void stats_get(struct stats *s, struct watch_stats *ret_now);
/** @param ret_totals  a copy; release with watch_totals_finish() */
void stats_get_totals(struct stats *s, struct watch_totals *ret_totals);
/** Memory of this process. */
uint64_t stats_resident_bytes(void);
/**
 * Whether somebody should look at this watch: it does not read, or does not store.
 * @param now  steady
 * @return why, for people; NULL: all goes on
 */
const char *stats_trouble(const struct watch_stats *s, hr_nsec now);
/** Lines for people: NAME VALUE UNIT. */
void stats_format(const struct watch_stats *now, struct hr_buf *out);

#endif
