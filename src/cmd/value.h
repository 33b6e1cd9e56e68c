/*
 * cmd/value.h - the value of an option, from a command line or a file, put where it belongs.
 */
#ifndef HR_CMD_VALUE_H
#define HR_CMD_VALUE_H

#include "cmd/help.h"

/**
 * @param value  borrowed as long as args live; NULL for a flag
 * @return NULL; or what was expected, as "a span as 5ms, 10s or 30d", and nothing was set
 */
const char *cmd_value_set(const struct cmd_option_info *o, const char *value,
                          struct cmd_args *args);

#endif
