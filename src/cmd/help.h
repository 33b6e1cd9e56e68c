/*
 * cmd/help.h - what an option is, and the help text made from that.
 */
#ifndef HR_CMD_HELP_H
#define HR_CMD_HELP_H

#include "cmd/cmd.h"
#include "cmd/options.h"

enum cmd_option_kind {
    SET_NOTHING,
    SET_FLAG,  /* bool */
    SET_TEXT,  /* const char * */
    SET_LIST,  /* struct cmd_words */
    SET_COUNT, /* int64_t, 0 or more */
    SET_SIZE,  /* size_t, above 0 */
    SET_SPAN,  /* hr_nsec */
    SET_PERCENT, /* int64_t, parts per million */
};

struct cmd_option_info {
    enum cmd_option id;
    char letter; /* 0 none */
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *help;
    enum cmd_option_kind kind;
    size_t offset; /* in struct cmd_args */
};

/** The options that a command takes, in order of help. @return how many */
size_t cmd_option_list(const struct cmd_usage *usage, const struct cmd_option_info **ret_infos,
                       size_t limit);
/** Prints to stdout. @return CMD_OK, or CMD_DATABASE where that fails */
int cmd_help_print(const struct cmd_usage *usage);
int cmd_version_print(void);

#endif
