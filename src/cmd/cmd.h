/*
 * cmd/cmd.h - the table of subcommands that main.c dispatches on, and their exit statuses.
 */
#ifndef HR_CMD_CMD_H
#define HR_CMD_CMD_H

#include <stddef.h>

/* Exit statuses; the highest wins, as far as they are about the input. */
enum {
    CMD_OK = 0,
    CMD_FINDINGS = 1,
    CMD_USAGE = 2,
    CMD_CAPTURE = 3,
    CMD_DATABASE = 4, /* also: the output could not be written */
    CMD_INTERRUPTED = 130,
};

struct cmd {
    const char *name;
    const char *summary;               /* one line of `headrace --help` */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

/** Finds the command, or answers --help and --version. @return the exit status */
int cmd_main(const struct cmd *table, size_t count, int argc, char **argv);

int cmd_audit(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_evidence(int argc, char **argv);
int cmd_rules(int argc, char **argv);
int cmd_profile(int argc, char **argv);
int cmd_db(int argc, char **argv);

#endif
