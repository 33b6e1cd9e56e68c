/*
 * rule/rule.h - a rule is a file SLUG.sql: a front-matter comment, then two SELECTs over the
 * store's views. The first yields findings, the second how often the rule's situation occurred. A third
 * one may tell what to compare at a glance.
 * Format: src/cmd/headrace-rules.7.
 */
#ifndef HR_RULE_RULE_H
#define HR_RULE_RULE_H

#include "base/buf.h"
#include "store/store.h"

struct rule_parameter {
    char *name;
    char *value; /* default, or what --set gave */
    char *help;
};

struct rule {
    char *id; /* slug; equals the file's name */
    char *path;
    char *title;
    char *severity;   /* low, medium, high, critical */
    char *meaning;    /* what it means for users */
    char *cause;      /* what typically causes it */
    char *confirm;    /* how to confirm it in the server */
    char *repair;     /* how it is usually repaired */
    char *lookalikes; /* what is innocent and looks like it */
    char *silence;    /* what keeps it silent, or lowers its verdict */
    char *references;
    struct rule_parameter *parameters;
    size_t parameter_count;
    char *findings_sql;
    char *exercised_sql;
    char *glance_sql; /* the marks to compare at a glance; NULL: none is left out */
    unsigned findings_line; /* in the file, where that text begins; for messages */
    unsigned exercised_line;
    unsigned glance_line;
    bool enabled;
    bool is_builtin; /* of the folder that comes with the program */
    /* Of glances since the last run. */
    bool takes_long;     /* its findings could not be read at one */
    hr_nsec rests_until; /* steady */
    int64_t waits_from;  /* the first exchange that it was not asked about for that; 0: none */
};

struct rule_set {
    struct rule *rules; /* sorted by id; one of a later folder replaces one of the same id */
    size_t count;
};

/**
 * Loads the built-in folder and then those given. A broken rule is left out, its error emitted, and
 * the result is 1; the others are there. A folder that cannot be read is -errno.
 * @param emit_error  gets "file:line: text"
 */
int rule_set_load(const char *const *folders, size_t folder_count,
                  void (*emit_error)(const char *line, void *user), void *user,
                  struct rule_set *ret_set);
void rule_set_finish(struct rule_set *set);
const struct rule *rule_set_find(const struct rule_set *set, const char *id);
/** @return 0, or -ENOENT: no such rule */
int rule_set_enable(struct rule_set *set, const char *id, bool enabled);
/** "SLUG.PARAMETER=VALUE". @return 0, or -EINVAL with the text for people */
int rule_set_assign(struct rule_set *set, const char *assignment, struct hr_buf *ret_error);
/** Where the built-in rules lie: $HEADRACE_RULES, else beside the program's source or installation.
 */
const char *rule_builtin_folder(void);

/** Prepares both SELECTs of every rule against an empty database of the current schema and checks
 * their columns. A broken one is disabled. @return as rule_set_load() */
int rule_set_check(struct rule_set *set, void (*emit_error)(const char *line, void *user),
                   void *user);

struct rule_failure {
    char *rule;    /* its id */
    char *message; /* "file:line: text" */
};

struct rule_run_result {
    size_t findings; /* put */
    size_t new_findings;
    size_t withdrawn;
    size_t broken;                 /* rules that failed while running */
    struct rule_failure *failures; /* one each */
};
void rule_run_result_finish(struct rule_run_result *r);

/**
 * Runs every enabled rule over what changed since the last run (whole: over everything), inside a
 * transaction; replaces their findings there; stores exercise counts.
 * @param ret_result  release with rule_run_result_finish(); untouched where this fails
 */
int rule_set_run(struct rule_set *set, struct store *s, bool whole,
                 void (*emit_error)(const char *line, void *user), void *user,
                 struct rule_run_result *ret_result);
/* What came in since a run, as far as it is judged. */
struct rule_glance {
    int64_t since;      /* the first exchange of it */
    int64_t *sites;     /* ids */
    size_t site_count;
    int64_t *sessions;  /* ids, ascending: what came in touches these */
    size_t session_count;
    bool is_partial;    /* there are sites besides of which nothing is known yet */
    unsigned rest;      /* a rule that takes longer rests so many times as long; 0: none does */
};
/**
 * In its place, where that takes long: the rules whose findings are read quickly, and of their
 * findings those of these exchanges and sessions. One that takes longer rests before it is asked again,
 * then also about what came in meanwhile. None is withdrawn, nothing is counted, and what is due stays
 * so.
 */
int rule_set_glance(struct rule_set *set, struct store *s, const struct rule_glance *glance,
                    void (*emit_error)(const char *line, void *user), void *user,
                    struct rule_run_result *ret_result);

#endif
