/*
 * cmd/cmd.h - the table of subcommands that main.c dispatches on, and what they share.
 */
#ifndef HR_CMD_CMD_H
#define HR_CMD_CMD_H

#include <stddef.h>

/* Exit statuses, DESIGN: the highest wins. */
enum {
    CMD_OK = 0,
    CMD_FINDINGS = 1,
    CMD_USAGE = 2,
    CMD_CAPTURE = 3,
    CMD_DATABASE = 4,
    CMD_INTERRUPTED = 130,
};

struct cmd {
    const char *name;
    const char *summary; /* one line of `headrace --help` */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

extern const struct cmd cmd_table[];
extern const size_t cmd_count;

int cmd_audit(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_rules(int argc, char **argv);
int cmd_profile(int argc, char **argv);
int cmd_db(int argc, char **argv);

#endif
