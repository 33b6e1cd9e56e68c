/*
 * daemon/runner.h - a process that starts programs for another one, which may no longer do so
 * itself. It is made before privileges are dropped and before any thread is made, drops them too,
 * and ends with its maker.
 */
#ifndef HR_DAEMON_RUNNER_H
#define HR_DAEMON_RUNNER_H

#include "base/span.h"

#include <stddef.h>
#include <sys/types.h>

struct runner;

struct runner_config {
    const char *const *programs; /* the only ones that it starts; borrowed, outlive the runner */
    size_t program_count;
    uid_t uid; /* whom it becomes */
    gid_t gid;
};

/** @return 0 or a negative errno */
int runner_create(const struct runner_config *config, struct runner **ret_runner);
void runner_destroy(struct runner *r);
/**
 * Starts that program, without arguments and without a shell, and writes the bytes to its standard
 * input. Waits for its end, at most RUNNER_PATIENCE_S; then it is killed. From several threads.
 * @return 0; a positive status of waitpid(): how else it ended; -ETIMEDOUT; -EMSGSIZE; else a negative errno: it
 *         could not be started, or is none of those named
 */
int runner_run(struct runner *r, const char *program, struct hr_span input);
/** No program is started any more, and the one under way is killed. From any thread. */
void runner_stop(struct runner *r);

#define RUNNER_PATIENCE_S 10
#define RUNNER_INPUT_LIMIT ((size_t)4 * 1024 * 1024)

#endif
