/*
 * base/worker.h - a thread beside the one that was there before.
 */
#ifndef HR_BASE_WORKER_H
#define HR_BASE_WORKER_H

#include <pthread.h>
#include <stdbool.h>

struct worker {
    pthread_t thread;
    bool is_running;
};

/**
 * Signals are left to the thread that was there before.
 * @param name  for top and perf; at most 15 characters
 * @return 0 or a negative errno
 */
int worker_start(struct worker *w, const char *name, void *(*work)(void *user), void *user);
/** Waits for its end; does nothing where it does not run. */
void worker_join(struct worker *w);

#endif
