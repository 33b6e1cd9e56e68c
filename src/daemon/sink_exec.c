/*
 * A program for each alert, with the JSON on its standard input; never through a shell. At most so
 * many in a row, then one a second: an alert storm must not become a storm of processes.
 */
#include "base/alloc.h"
#include "daemon/runner.h"
#include "daemon/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BURST 10

struct exec_state {
    const char *program;
    struct runner *runner;
    int tokens;
    time_t filled_at; /* monotonic */
};

static time_t now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static int open_exec(void **ret_state, const char *rest, struct runner *runner,
                     struct hr_buf *error)
{
    if (rest[0] != '/' || access(rest, X_OK) < 0) {
        int r = rest[0] != '/' ? -EINVAL : -errno;
        hr_buf_appendf(error, "--alert exec:%s: %s", rest,
                       rest[0] != '/' ? "give the program with its whole path" : strerror(-r));
        return r;
    }
    struct exec_state *e = hr_xcalloc(1, sizeof(*e));
    *e = (struct exec_state){
        .program = rest, .runner = runner, .tokens = BURST, .filled_at = now_s()};
    *ret_state = e;
    return 0;
}

static int send_exec(void *state, struct hr_span body)
{
    struct exec_state *e = state;
    time_t now = now_s();
    e->tokens =
        e->tokens + (now - e->filled_at) < BURST ? e->tokens + (int)(now - e->filled_at) : BURST;
    e->filled_at = now;
    if (e->tokens == 0) {
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL); /* that second's token is this one */
        e->filled_at = now_s();
    } else {
        e->tokens--;
    }
    return runner_run(e->runner, e->program, body);
}

static void close_exec(void *state)
{
    free(state);
}

const struct sink_kind sink_kind_exec = {"exec:", "alerts", open_exec, send_exec, NULL, close_exec};
