/*
 * daemon/watch.h - the loop of a watch: frames in, rounds of findings out, signals, until it is told
 * to end or nothing can come any more.
 *
 * Threads: this one reads, decodes and parses; one stores and judges (pipeline/writer.h); one for each
 * place that alerts go to (sink.h). They share a bounded queue each, and nothing else.
 */
#ifndef HR_DAEMON_WATCH_H
#define HR_DAEMON_WATCH_H

#include "daemon/alerts.h"
#include "daemon/feed.h"
#include "daemon/keeper.h"
#include "daemon/notify.h"
#include "daemon/screen.h"
#include "daemon/stats.h"
#include "pipeline/pipeline.h"

/* What SIGHUP reads anew. */
struct watch_rules {
    const struct profile_set *profiles;
    struct rule_set *rules;
};

struct watch_config {
    const struct pipeline_config *pipeline;
    struct store *store;
    struct feed *feed;
    struct sink **sinks;
    size_t sink_count;
    const char *const *captures; /* names of what the feed reads */
    struct watch_rules rules;
    const char *min_severity;
    const char *evidence_folder; /* evidence, one of the sinks, writes there; NULL: none does */
    struct sink *evidence;
    hr_nsec repeat;
    int64_t alert_on_loss_ppm; /* of all frames of a minute; -1: never */
    hr_nsec retain;
    struct notify *notify; /* may be NULL */
    struct stats *stats;
    struct screen *screen; /* may be NULL */
    struct keeper *keeper; /* may be NULL */
    /**
     * SIGHUP: reads rules, profiles and suppressions anew, while the old ones are in use. Not before the
     * last ones have been taken up.
     * @return false: something is broken, was told of, and all stays as it was
     */
    bool (*load)(struct watch_rules *ret_rules, void *user);
    /**
     * The writing thread takes up what was loaded: nobody uses the old ones any more.
     * @return 0 or a negative errno of the store
     */
    int (*take_up)(void *user);
    void *user;
};

/** Blocks the signals that it waits for; before any thread is made. @return a descriptor or -errno */
int watch_block_signals(void);
/**
 * Until SIGINT or SIGTERM, or until nothing comes any more.
 * @param signals  of watch_block_signals()
 * @return 0, or a negative errno of the store
 */
int watch_run(const struct watch_config *config, int signals);

#endif
