/*
 * cmd/run.h - what audit, list and profile suggest share: rules and profiles as the options say,
 * the database opened, captures read into it, and every complaint told in one line.
 *
 * Functions that can end a command return -1 to go on, else the exit status, after saying why.
 */
#ifndef HR_CMD_RUN_H
#define HR_CMD_RUN_H

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "pipeline/pipeline.h"
#include "report/model.h"
#include "rule/suppress.h"
#include "store/read.h"

struct cmd_run {
    const char *command;
    const struct cmd_args *args;
    struct rule_set rules;
    bool has_broken_rules;
    struct profile_set *profiles;
    struct suppression_set *suppressions; /* NULL: no file given */
    struct store *store;
    char **captures; /* expanded */
    size_t capture_count;
    struct pipeline_result result;
    bool has_result;
};

/** Everything is released by cmd_run_finish(), in any state. */
void cmd_run_init(struct cmd_run *run, const char *command, const struct cmd_args *args);
void cmd_run_finish(struct cmd_run *run);

/** Built-in and given folders, then --rule, --no-rule (where select is true), --set. */
int cmd_run_load_rules(struct cmd_run *run, bool select);
int cmd_run_load_profiles(struct cmd_run *run);
int cmd_run_load_suppressions(struct cmd_run *run);
/** Those loaded replace those of the database; without a file these stay. */
int cmd_run_store_suppressions(struct cmd_run *run);
/** Whether -o names a file that is read. @param kind  what that is, for people */
int cmd_run_check_output(const struct cmd_run *run, const char *input, const char *kind);
/** A folder given means the captures in it; nothing at all is an error. */
int cmd_run_expand_captures(struct cmd_run *run, char **paths, size_t count);
/** @param path NULL: a temporary database, and a line that says so */
int cmd_run_open_new(struct cmd_run *run, const char *path);
/** --db, else $HEADRACE_DB, else ./headrace.db, which must exist. */
int cmd_run_open_existing(struct cmd_run *run, enum store_mode mode);
/** Reads the captures. A capture in error is told and kept in result.capture_status. */
int cmd_run_captures(struct cmd_run *run, bool with_rules);
/** @return the highest status that the run so far calls for: OK, USAGE, CAPTURE, INTERRUPTED */
int cmd_run_status(const struct cmd_run *run);

/** What a report of this run is about: everything. The zone is left to the caller. */
struct report_job cmd_run_job(const struct cmd_run *run);
/** Says what the store says. @return CMD_DATABASE */
int cmd_store_failed(const struct store *s);
/** The filters of list as the store wants them. */
int cmd_run_filter(struct cmd_run *run, struct read_filter *ret_filter);

#endif
