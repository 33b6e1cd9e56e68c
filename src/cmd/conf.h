/*
 * cmd/conf.h - options from a YAML file: names as on the command line, which wins over the file.
 */
#ifndef HR_CMD_CONF_H
#define HR_CMD_CONF_H

#include "cmd/help.h"

/**
 * Reads the file that args name. What it gives lives as long as args.
 * @param infos  what the command takes
 * @param given  by infos: it stood on the command line
 * @return -1; or CMD_USAGE, after saying what is wrong with which line
 */
int cmd_conf_load(const struct cmd_usage *usage, const struct cmd_option_info *const *infos,
                  const bool *given, size_t count, struct cmd_args *args);

#endif
