/*
 * report/model.h - what a report says, independent of its format: findings grouped, the quality of
 * what was seen, and which rules had something to judge.
 */
#ifndef HR_REPORT_MODEL_H
#define HR_REPORT_MODEL_H

#include "base/arena.h"
#include "pipeline/pipeline.h"
#include "report/baseline.h"
#include "store/read.h"

/* Findings of one rule, site and session. */
struct report_group {
    const char *rule;
    const char *title;
    const char *severity;
    const char *verdict; /* the surest in it */
    const char *site;    /* NULL: none */
    const char *session; /* NULL: none */
    const char *user;    /* NULL: not known */
    bool suppressed;     /* all of it, or nothing */
    size_t first;        /* in report.findings */
    size_t count;
};

struct report_rule {
    const char *id;
    const char *title;
    int64_t exercised; /* how often its situation occurred in what the report is about; -1: not known */
    int64_t findings;
    const char *failure; /* why it did not run; NULL: it ran */
    const struct rule *rule; /* borrowed from the rule set */
};

/* What was lost of one kind. */
struct report_loss {
    const char *kind;
    int64_t count;
    int64_t bytes;
    int64_t all_sites;   /* of the count, where the report is of one site: known of no server */
    int64_t beyond_span; /* of the count, where the report is of a span: of a time that goes beyond it */
    bool hides_exchanges;
};

/* What a report is to be about. Texts and pointers are borrowed and outlive the report. */
struct report_job {
    const struct rule_set *rules;      /* those of this run; their titles and which are enabled */
    const struct pipeline_result *run; /* NULL: from the store alone */
    struct read_filter filter;         /* of the findings, and of what is counted beside them */
    const char *day;                   /* "2026-01-31"; NULL: not one day */
    const char *zone;                  /* name of the zone of local times; NULL: none is told */
    const char *db_path;               /* for hints at further commands; NULL: a temporary database */
    const struct report_baseline *baseline; /* what to compare with; NULL: nothing */
    const char *version;               /* of this program */
    hr_nsec made_at;
};

struct report_known { /* a problem */
    const char *group;
    hr_nsec first_at; /* of all its findings that the store had */
};

struct report_whole;

struct report {
    struct hr_arena arena;
    struct finding_view
        *findings; /* suppressed ones last; grouped, worst first; within a group surest first, then
                      by time. Without evidence: report_whole() has it */
    size_t finding_count;
    size_t suppressed_count; /* of them */
    struct report_group *groups;
    size_t group_count;
    struct report_rule *rules; /* those that ran */
    size_t rule_count;
    size_t failed_rules;
    struct capture_view *captures;
    size_t capture_count;
    struct report_loss *losses; /* summed up by kind */
    size_t loss_count;
    uint64_t exchanges;
    uint64_t sites;
    uint64_t sessions;
    uint64_t captured_bytes; /* of all capture files; 0: not known */
    uint64_t blind_bytes;    /* encrypted and HTTP/2 */
    uint64_t blind_connections;
    uint64_t blind_beyond; /* of them: in a time that goes beyond the report's */
    hr_nsec first_at; /* of the packets; infinite: nothing */
    hr_nsec last_at;
    size_t new_count; /* findings of problems that the baseline does not have; suppressed ones apart */
    struct report_known *known; /* by group */
    size_t known_count;
    const struct baseline_entry **gone; /* problems of the baseline that are no more; worst first */
    size_t gone_count;
    bool is_partial;                   /* ended early */
    bool is_behind;                    /* something of it was not judged as a whole yet */
    const struct pipeline_result *run; /* counters of this run; NULL: from the store alone */
    struct report_job job;
    struct report_whole *whole; /* what reads evidence; NULL: findings hold theirs */
    /* Writes what was rendered and clears it, so that a long report does not pile up; NULL: it does */
    void (*spill)(struct hr_buf *out, void *user);
    void *spill_user;
};

/**
 * Reads what the report needs.
 * @param s  to outlive the report: evidence is read when it is wanted
 * @return 0 or a negative errno of the store; release with report_finish() in every case
 */
int report_load(struct report *r, struct store *s, const struct report_job *job);
void report_finish(struct report *r);

/** @return the finding with its evidence, from the store; valid until the next call */
const struct finding_view *report_whole(const struct report *r, const struct finding_view *f);
/** @return 0 or the store's error in some report_whole() since the report was loaded */
int report_error(const struct report *r);
/** To be called between findings while rendering: lets go of what was rendered where it is much. */
void report_spill(const struct report *r, struct hr_buf *out);

/** Whether it looked for problems of that rule: it is switched on, and did not fail. */
bool report_ran_rule(const struct report *r, const char *rule);
/** Whether it is about a part of the store: a span of time, a site, some severities. */
bool report_is_part(const struct report *r);
/** Whether most of what was captured cannot be read: the first thing to say then. */
bool report_is_mostly_blind(const struct report *r);

/** Copies a finding with all it points to. */
void report_copy_finding(struct hr_arena *a, const struct finding_view *from,
                         struct finding_view *ret_copy);

#endif
