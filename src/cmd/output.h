/*
 * cmd/output.h - where a command's result goes: standard output, or a file that appears under its
 * name only when it is whole.
 */
#ifndef HR_CMD_OUTPUT_H
#define HR_CMD_OUTPUT_H

#include "base/buf.h"
#include "cmd/options.h"

#include <stdio.h>

struct cmd_output {
    FILE *file;
    const char *path; /* of -o; NULL: standard output */
    char *temporary;  /* beside path; owned */
    bool is_private;  /* the file can be read by its owner alone */
    bool is_terminal;
    bool has_color;
    bool has_unicode; /* what reads it can show more than ASCII */
    size_t width;     /* columns; of a terminal its own, else 100 */
    bool is_broken;   /* the reader went away, or writing failed: nothing more is written */
    int error;        /* negative errno of a failed write; a reader that went away is none */
};

/** @return -1: go on; else the exit status, after a line on stderr */
int cmd_output_open(struct cmd_output *o, const struct cmd_args *args);
/** The same, there instead of where -o says. @param path  NULL or "-": standard output; outlives o */
int cmd_output_open_path(struct cmd_output *o, const struct cmd_args *args, const char *path);
void cmd_output_write(struct cmd_output *o, struct hr_span bytes);
/** Writes and clears. */
void cmd_output_flush(struct cmd_output *o, struct hr_buf *b);
/** Closes; a file gets its name. @return CMD_OK or, after a line on stderr, CMD_DATABASE */
int cmd_output_close(struct cmd_output *o);
/** Closes and removes what was written to a file. */
void cmd_output_abandon(struct cmd_output *o);

/** Lets a reader that goes away end the writing quietly. Once, before any output. */
void cmd_ignore_sigpipe(void);
/** SIGINT and SIGTERM then set the flag and end standard input; a second one ends the process.
 * @return the flag */
const volatile int *cmd_catch_interrupt(void);

#endif
