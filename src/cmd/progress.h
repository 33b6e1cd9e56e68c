/*
 * cmd/progress.h - one line on a terminal's stderr while a run goes on; nothing elsewhere.
 */
#ifndef HR_CMD_PROGRESS_H
#define HR_CMD_PROGRESS_H

#include "pipeline/pipeline.h"

struct cmd_progress {
    bool is_shown;
    bool has_line;      /* something stands on the line now */
    int64_t started_ns; /* of the machine's own clock */
    int64_t last_ns;
};

void cmd_progress_init(struct cmd_progress *p, bool is_quiet);
/** pipeline_run's progress callback. @param user struct cmd_progress */
void cmd_progress_show(const struct pipeline_progress *now, void *user);
/** Wipes the line. */
void cmd_progress_finish(struct cmd_progress *p);

#endif
