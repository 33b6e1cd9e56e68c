/*
 * A program for each alert, with the JSON on its standard input; never through a shell. At most so
 * many in a row, then one a second: an alert storm must not become a storm of processes.
 */
#include "base/alloc.h"
#include "daemon/runner.h"
#include "daemon/sink.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define BURST 10
#define NAP_MS 50

struct exec_state {
    const char *program;
    struct runner *runner;
    int tokens;
    time_t filled_at; /* monotonic */
    atomic_bool is_hurried;
};

static time_t now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static const char *why_not(const char *program)
{
    struct stat st;
    if (program[0] != '/') {
        return "give the program with its whole path";
    }
    if (stat(program, &st) < 0 || (S_ISREG(st.st_mode) && access(program, X_OK) < 0)) {
        return strerror(errno);
    }
    return S_ISREG(st.st_mode) ? NULL : "that is no program";
}

static int open_exec(void **ret_state, const char *rest, struct runner *runner,
                     struct hr_buf *error)
{
    const char *why = why_not(rest);
    if (why != NULL) {
        hr_buf_appendf(error, "--alert exec:%s: %s", rest, why);
        return -EINVAL;
    }
    struct exec_state *e = hr_xcalloc(1, sizeof(*e));
    e->program = rest;
    e->runner = runner;
    e->tokens = BURST;
    e->filled_at = now_s();
    *ret_state = e;
    return 0;
}

/* Until it is this one's turn. */
static void take_turn(struct exec_state *e)
{
    time_t now = now_s();
    e->tokens =
        e->tokens + (now - e->filled_at) < BURST ? e->tokens + (int)(now - e->filled_at) : BURST;
    e->filled_at = now;
    if (e->tokens > 0) {
        e->tokens--;
        return;
    }
    for (int ms = 0; ms < 1000 && !atomic_load(&e->is_hurried); ms += NAP_MS) {
        nanosleep(&(struct timespec){.tv_nsec = NAP_MS * 1000000}, NULL);
    }
    e->filled_at = now_s(); /* that second's token is this one */
}

/* @param status  of waitpid(), not 0 */
static int judge_end(int status, struct hr_buf *reason)
{
    if (WIFSIGNALED(status)) {
        hr_buf_appendf(reason, "the program was ended by signal %d", WTERMSIG(status));
        return -EPROTO;
    }
    hr_buf_appendf(reason, "the program ended with status %d", WEXITSTATUS(status));
    return WEXITSTATUS(status) == EX_TEMPFAIL ? EAGAIN : -EPROTO;
}

static int send_exec(void *state, struct hr_span body, struct hr_buf *reason)
{
    struct exec_state *e = state;
    take_turn(e);
    int r = atomic_load(&e->is_hurried) ? -ECANCELED : runner_run(e->runner, e->program, body);
    switch (r) {
    case 0:
    case -EMSGSIZE:
        return r;
    case -ETIMEDOUT:
        hr_buf_appendf(reason, "the program took longer than %d s, and was killed",
                       RUNNER_PATIENCE_S);
        return r;
    default:
        break;
    }
    if (r > 0) {
        return judge_end(r, reason);
    }
    hr_buf_appendf(reason, "the program cannot be started: %s", strerror(-r));
    return -r; /* it may be about to be replaced */
}

static void hurry_exec(void *state)
{
    struct exec_state *e = state;
    atomic_store(&e->is_hurried, true);
    runner_stop(e->runner);
}

static void close_exec(void *state)
{
    free(state);
}

const struct sink_kind sink_kind_exec = {
    .prefix = "exec:",
    .what = "alerts",
    .open = open_exec,
    .send = send_exec,
    .hurry = hurry_exec,
    .close = close_exec,
};
