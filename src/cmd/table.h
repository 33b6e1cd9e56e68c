/*
 * cmd/table.h - rows for people: columns as wide as the first rows need, cut at a terminal's width.
 */
#ifndef HR_CMD_TABLE_H
#define HR_CMD_TABLE_H

#include "cmd/output.h"
#include "report/record.h"

struct cmd_table;

struct cmd_table *cmd_table_create(const struct record_type *type, struct cmd_output *output);
void cmd_table_add(struct cmd_table *t, const void *row);
/** Writes what is left; an empty table is a line that says so. */
void cmd_table_finish(struct cmd_table *t);

#endif
