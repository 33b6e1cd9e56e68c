/*
 * report/model.h - what a report says, independent of its format: findings grouped, the quality of
 * what was seen, and which rules had something to judge.
 */
#ifndef HR_REPORT_MODEL_H
#define HR_REPORT_MODEL_H

#include "base/arena.h"
#include "pipeline/pipeline.h"
#include "store/read.h"

struct report_group { /* one rule, site and session */
    const char *rule;
    const char *title;
    const char *severity;
    const char *verdict;    /* the surest in it */
    const char *site;
    const char *session;
    const char *user;
    size_t first;           /* in report.findings */
    size_t count;
};

struct report_rule {
    const char *id;
    const char *title;
    int64_t exercised;
    int64_t findings;
};

struct report {
    struct hr_arena arena;
    struct finding_view *findings; /* grouped, worst first */
    size_t finding_count;
    struct report_group *groups;
    size_t group_count;
    struct report_rule *rules;
    size_t rule_count;
    struct capture_view *captures;
    size_t capture_count;
    struct loss_view *losses;      /* summed up by kind */
    size_t loss_count;
    uint64_t exchanges;
    uint64_t sites;
    uint64_t sessions;
    bool partial;                  /* ended early */
    const struct pipeline_result *run; /* counters of this run; NULL: from the store alone */
};

/** Reads what the report needs. @param run may be NULL. @return 0 or a negative errno of the store */
int report_load(struct report *r, struct store *s, const struct rule_set *rules,
                const struct read_filter *filter, const struct pipeline_result *run);
void report_finish(struct report *r);

#endif
