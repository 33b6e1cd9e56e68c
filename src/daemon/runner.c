#include "daemon/runner.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "daemon/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The maker may be taken over by what it reads: it asks for a program by its number, and gets those
 * that it named at the beginning. */
struct runner {
    int fd;
    pid_t pid;
    struct runner_config config;
    pthread_mutex_t lock; /* one request at a time */
};

#define RUNNER_FD 3
/* Between two looks at whether it is to stop. */
#define LOOK_MS 50

struct request {
    uint32_t program;
    uint32_t input_len;
};

extern char **environ;

static bool move(int fd, void *bytes, size_t len, bool is_write)
{
    size_t done = 0;
    while (done < len) {
        char *at = (char *)bytes + done;
        ssize_t n = is_write ? send(fd, at, len - done, MSG_NOSIGNAL) : read(fd, at, len - done);
        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* --- the process that starts programs --------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Whether our maker has stopped us, or is gone. */
static bool is_stopped(void)
{
    struct pollfd p = {.fd = RUNNER_FD, .events = POLLRDHUP};
    return poll(&p, 1, 0) > 0;
}

/* A program need not read what it is given. */
static void feed(int fd, const char *input, size_t len, int64_t until)
{
    size_t done = 0;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (done < len && now_ms() < until && !is_stopped()) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        if (poll(&p, 1, LOOK_MS) <= 0) {
            continue;
        }
        ssize_t n = write(fd, input + done, len - done);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            break;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    close(fd);
}

/* @return as runner_run() */
static int wait_for(pid_t pid, int64_t until)
{
    int status = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (now_ms() >= until || is_stopped()) {
            kill(-pid, SIGKILL);
            waitpid(pid, &status, 0);
            return -ETIMEDOUT;
        }
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return status;
}

static int start(const char *program, const char *input, size_t len)
{
    int ends[2];
    pid_t pid = 0;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t usual;
    char *argv[] = {(char *)program, NULL};
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return -errno;
    }
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    int r = -posix_spawn(&pid, program, &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    if (r < 0) {
        close(ends[1]);
        return r;
    }
    int64_t until = now_ms() + RUNNER_PATIENCE_S * 1000;
    feed(ends[1], input, len, until);
    return wait_for(pid, until);
}

static void serve(int fd, const struct runner_config *config)
{
    struct request q;
    while (move(fd, &q, sizeof(q), false) && q.program < config->program_count &&
           q.input_len <= RUNNER_INPUT_LIMIT) {
        char *input = hr_xcalloc(1, (size_t)q.input_len + 1);
        bool is_good = move(fd, input, q.input_len, false);
        int answer = is_good ? start(config->programs[q.program], input, q.input_len) : 0;
        free(input);
        if (!is_good || !move(fd, &answer, sizeof(answer), true)) {
            return;
        }
    }
}

/* What is our maker's alone: systemd must not be told by a program. */
static void clean_environment(void)
{
    static const char *const names[] = {"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"};
    for (size_t i = 0; i < HR_ARRAY_LEN(names); i++) {
        unsetenv(names[i]);
    }
}

static _Noreturn void be_runner(int fd, const struct runner_config *config)
{
    sigset_t all;
    struct hr_buf error;
    hr_buf_init(&error, SIZE_MAX);
    sigfillset(&all); /* its maker's signals: it ends when its socket does */
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGPIPE, SIG_IGN);
    setsid(); /* away from the terminal, into which a program could type */
    clean_environment();
    dup2(fd, RUNNER_FD);
    close_range(RUNNER_FD + 1, ~0u, 0); /* also what our maker's maker left open */
    fcntl(RUNNER_FD, F_SETFD, FD_CLOEXEC);
    if (trust_drop(config->uid, config->gid, &error) == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of user would undo it */
        serve(RUNNER_FD, config);
    }
    hr_buf_finish(&error);
    _exit(0);
}

/* --- its maker -------------------------------------------------------------------------------- */

int runner_create(const struct runner_config *config, struct runner **ret_runner)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        return -errno;
    }
    pid_t pid = fork();
    if (pid < 0) {
        int r = -errno;
        close(ends[0]);
        close(ends[1]);
        return r;
    }
    if (pid == 0) {
        close(ends[0]);
        be_runner(ends[1], config);
    }
    close(ends[1]);
    struct runner *r = hr_xcalloc(1, sizeof(*r));
    r->fd = ends[0];
    r->pid = pid;
    r->config = *config;
    pthread_mutex_init(&r->lock, NULL);
    *ret_runner = r;
    return 0;
}

void runner_destroy(struct runner *r)
{
    if (r != NULL) {
        close(r->fd);
        waitpid(r->pid, NULL, 0);
        pthread_mutex_destroy(&r->lock);
        free(r);
    }
}

void runner_stop(struct runner *r)
{
    shutdown(r->fd, SHUT_RDWR);
}

static size_t find_program(const struct runner *r, const char *program)
{
    size_t i = 0;
    while (i < r->config.program_count && strcmp(r->config.programs[i], program) != 0) {
        i++;
    }
    return i;
}

int runner_run(struct runner *r, const char *program, struct hr_span input)
{
    struct request q = {.program = (uint32_t)find_program(r, program),
                        .input_len = (uint32_t)input.len};
    int answer = 0;
    if (input.len > RUNNER_INPUT_LIMIT || q.program == r->config.program_count) {
        return q.program == r->config.program_count ? -ENOENT : -EMSGSIZE;
    }
    pthread_mutex_lock(&r->lock);
    bool is_good = move(r->fd, &q, sizeof(q), true) &&
                   move(r->fd, (void *)input.ptr, q.input_len, true) &&
                   move(r->fd, &answer, sizeof(answer), false);
    pthread_mutex_unlock(&r->lock);
    return is_good ? answer : -EPIPE;
}
