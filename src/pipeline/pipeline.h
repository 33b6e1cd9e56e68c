/*
 * pipeline/pipeline.h - the whole program: captures in, findings in the store.
 */
#ifndef HR_PIPELINE_PIPELINE_H
#define HR_PIPELINE_PIPELINE_H

#include "pipeline/config.h"
#include "rule/rule.h"
#include "session/profile.h"
#include "store/store.h"

/* What a run is doing, for a progress line. */
struct pipeline_progress {
    const char *stage; /* "reading", "analysing", "running rules" */
    uint64_t read_bytes;
    uint64_t total_bytes; /* 0 unknown */
    uint64_t frames;
    uint64_t exchanges;
};

struct pipeline_run {
    const struct pipeline_config *config;
    const char *const *captures; /* expanded: files and "-" */
    size_t capture_count;
    const char *filter; /* BPF or NULL */
    const struct profile_set *profiles;
    struct rule_set *rules; /* NULL: no rules are run (list) */
    const volatile int *stop;     /* becomes non-zero: end early, keep what is whole; may be NULL */
    void (*progress)(const struct pipeline_progress *p, void *user); /* may be NULL */
    void *user;
};

struct pipeline_counter {
    const char *stage;
    struct hr_counter_info info;
    uint64_t value;
};

struct pipeline_result {
    bool stopped;       /* by *stop */
    int capture_status; /* 0, or 3: at least one capture missing, not a capture, cut, corrupt */
    size_t capture_count;
    struct capture_info *captures; /* with their errors; owned */
    uint64_t exchanges;            /* stored by this run */
    struct rule_run_result rules;
    struct pipeline_counter *counters; /* of all stages; owned */
    size_t counter_count;
};

/**
 * Reads every capture, stores, analyses and runs the rules, in one transaction.
 * @param ret_error  one line for people where the result is negative
 * @return 0; -EINVAL: the filter does not compile; else a negative errno of the store
 */
int pipeline_run(struct store *s, const struct pipeline_run *run,
                 struct pipeline_result *ret_result, struct hr_buf *ret_error);
/**
 * The same without a trace: look() reads what would be stored. For many small captures one after the other,
 * each judged alone; what was compiled for the first one serves them all.
 * @param look  @return 0 or a negative errno of the store
 */
int pipeline_try(struct store *s, const struct pipeline_run *run,
                 int (*look)(struct store *s, void *user), void *user,
                 struct pipeline_result *ret_result, struct hr_buf *ret_error);
/** Before the first pipeline_try() of an empty store: makes what every one of them needs. */
int pipeline_prepare_trials(struct store *s, const struct pipeline_run *run,
                            struct hr_buf *ret_error);
void pipeline_result_finish(struct pipeline_result *r);
void pipeline_keep_counter(struct pipeline_result *r, const char *stage,
                           const struct hr_counter_info *info, uint64_t value);

struct classifier;
struct judge_counters;
struct glance;
/**
 * Learns, classifies and checks every site that changed (pipeline/analyse.c).
 * @param classifier  what is known of sites; stays useful for the next time
 * @param counters  added to
 */
int pipeline_analyse(struct store *s, const struct profile_set *profiles, hr_nsec clock_error,
                     struct classifier *classifier, struct judge_counters *counters);
/**
 * Instead of it, where that takes long: classifies what came in by what is known, and checks the sessions
 * that it touches. The sites stay changed, and some of them are not looked at at all.
 * @param ret_glance  for the rules; release sites and sessions with free(). @return as above
 */
int pipeline_glance(struct store *s, const struct glance *g, hr_nsec clock_error,
                    struct classifier *classifier, struct rule_glance *ret_glance);
/** The model of one site, as the stored exchanges and the profile give it; for `profile suggest`.
 */
struct site_model;
int pipeline_learn_site(struct store *s, int64_t site_id, const struct profile_set *profiles,
                        struct site_model **ret_model);

#endif
