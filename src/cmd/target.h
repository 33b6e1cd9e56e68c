/*
 * cmd/target.h - where a report goes and in which formats: --format and -o, each perhaps given several
 * times. All files are opened before the work begins, so that a wrong path is told at once.
 */
#ifndef HR_CMD_TARGET_H
#define HR_CMD_TARGET_H

#include "cmd/output.h"
#include "cmd/run.h"
#include "report/model.h"

struct cmd_format;

struct cmd_target {
    const struct cmd_format *format;
    char *path; /* NULL: standard output; owned */
    struct cmd_output output;
    bool is_open;
};

enum { CMD_TARGETS_MAX = 16 };

struct cmd_targets {
    struct cmd_target items[CMD_TARGETS_MAX];
    size_t count;
};

/** For --help; the default first. NULL-terminated. */
extern const char *const cmd_report_formats[];

/** @return -1: go on; else the exit status, after a line on stderr. Finish in both cases. */
int cmd_targets_open(struct cmd_targets *t, const char *command, const struct cmd_args *args);
/**
 * Loads and writes the report.
 * @param ret_report  loaded; release with report_finish() whatever is returned
 * @return CMD_OK, or what failed, after a line on stderr
 */
int cmd_targets_write(struct cmd_targets *t, struct store *s, const struct cmd_args *args,
                      const struct report_job *job, struct report *ret_report);
/** What was not written is removed. */
void cmd_targets_finish(struct cmd_targets *t);

#endif
