/*
 * cmd/scope.h - which part of the database a report is about, and what it is compared with.
 */
#ifndef HR_CMD_SCOPE_H
#define HR_CMD_SCOPE_H

#include "cmd/run.h"

struct cmd_scope {
    char day[HR_TIME_TEXT_SIZE];
    char zone[HR_TIME_TEXT_SIZE];
    struct report_baseline baseline;
    bool has_baseline;
};

/**
 * Completes the job of cmd_run_job() by what --day, --since, --until, --site and --min-severity say.
 * @param scope  what the job then points to; cmd_scope_finish() in every case
 * @return -1: go on; else the exit status, after a line on stderr
 */
int cmd_scope_select(struct cmd_run *run, struct cmd_scope *scope, struct report_job *job);
/** Whether what --baseline names is there, before the work begins. */
int cmd_scope_check_baseline(const struct cmd_run *run);
/** The same as cmd_scope_select() for --baseline alone. */
int cmd_scope_compare(struct cmd_run *run, struct cmd_scope *scope, struct report_job *job);
void cmd_scope_finish(struct cmd_scope *scope);

#endif
