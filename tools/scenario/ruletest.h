/*
 * scenario/ruletest.h - rule tests: small scenarios with the findings that must and must not come.
 * Every test goes through real frames and the whole pipeline. Format: headrace-scenario(5).
 */
#ifndef HR_SCENARIO_RULETEST_H
#define HR_SCENARIO_RULETEST_H

#include "scenario/scenario.h"

struct rule_set;
struct hr_arena;

struct rule_expectation {
    const char *rule;
    const char *verdict; /* NULL: any */
    const char *label;   /* NULL: anywhere */
    int64_t count;
    unsigned line;
};

struct rule_test {
    const char *name;
    unsigned line;
    struct scenario *scenario;
    struct rule_expectation *expectations;
    size_t expectation_count;
    int64_t exercised;   /* -1: not asked; the rule's count must be this */
    bool exercised_some; /* at least once */
    const char *profile; /* text of a profile, or NULL */
};

struct rule_test_file {
    const char *path;
    const char *rule; /* the file's name without .yaml; "sites": all rules are judged */
    struct rule_test *tests;
    size_t count;
    struct hr_arena *memory;
};

/** @param ret_error  "file:line: text" where the result is negative; the file is then empty */
int rule_test_file_load(const char *path, struct rule_test_file *ret_file,
                        struct hr_buf *ret_error);
void rule_test_file_finish(struct rule_test_file *f);

/* What a run found; strings borrowed. */
struct rule_test_found {
    const char *rule;
    const char *verdict;
    const char *summary;
    const char *client;
    int client_port;
    hr_nsec at;
    bool matched; /* by rule_test_compare() */
};
/**
 * Every finding of the file's rule and of the rules that the test names must be expected, and every
 * expectation met. Call after scenario_write(), which decides the times.
 * @param exercised  of the file's rule; -1 where the rule was not run
 * @param ret_why    one line for each expectation that failed
 * @return true where none did
 */
bool rule_test_compare(const struct rule_test_file *file, const struct rule_test *test,
                       struct rule_test_found *found, size_t found_count, int64_t exercised,
                       struct hr_buf *ret_why);

/* The judged rules of a test in numbers. */
struct rule_test_score {
    int64_t expected; /* findings that must come */
    int64_t found;    /* of these */
    int64_t extra;    /* findings that must not come */
    int64_t other;    /* proven or contradiction findings of rules that the test does not judge */
};
/** Call after rule_test_compare(). */
struct rule_test_score rule_test_score(const struct rule_test_file *file,
                                       const struct rule_test *test,
                                       const struct rule_test_found *found, size_t found_count);

struct rule_test_result {
    const char *path;
    unsigned line; /* of the test in its file */
    const char *rule;
    const char *name; /* NULL: the file itself could not be read */
    bool passed;
    struct rule_test_score score;
    const char *why; /* lines, each with its end; "" where it passed */
};
typedef void (*rule_test_fn)(const struct rule_test_result *r, void *user);

/**
 * Runs every *.yaml of the folder in order of names, each test on an empty temporary store with all
 * enabled rules of the set.
 * @return the number of tests and files that failed, or -errno where the folder cannot be read
 */
int rule_tests_run(const char *folder, struct rule_set *rules, rule_test_fn report,
                   void *user);

#endif
