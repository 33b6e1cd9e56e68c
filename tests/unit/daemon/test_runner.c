/*
 * Programs that alerts start: those that were named and no others, and nothing comes along with
 * them.
 */
#include "base/alloc.h"
#include "daemon/runner.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Writes down what it is given: descriptors, signals, session, environment, input. Its shell blocks
 * signals itself while it starts a program. */
static const char script[] = "#!/bin/sh\n"
                             "exec >%s/got\n"
                             "echo fds $(ls -l /proc/$$/fd | grep -c %s/leak)\n"
                             "grep -E '^(SigBlk|NoNewPrivs|CapBnd|CapEff):' /proc/self/status\n"
                             "sh -c 'kill -PIPE $$; echo SIGPIPE is ignored'\n"
                             "(: </dev/tty) 2>/dev/null && echo a terminal\n"
                             "env | grep -E '^(NOTIFY_SOCKET|WATCHDOG)'\n"
                             "echo umask $(umask)\n"
                             "cat\n";

static char folder[] = "/tmp/headrace-runner-XXXXXX";
static char program[64];
static char got[64];

static int make_program(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(program, sizeof(program), "%s/program", folder);
    snprintf(got, sizeof(got), "%s/got", folder);
    FILE *f = fopen(program, "we");
    assert_non_null(f);
    fprintf(f, script, folder, folder);
    fclose(f);
    return chmod(program, 0700);
}

static int remove_program(void **state)
{
    (void)state;
    unlink(program);
    unlink(got);
    return rmdir(folder);
}

static struct runner *create(void)
{
    static const char *programs[2];
    struct runner *r = NULL;
    programs[0] = "/bin/false";
    programs[1] = program;
    struct runner_config config = {
        .programs = programs, .program_count = 2, .uid = geteuid(), .gid = getegid()};
    assert_int_equal(runner_create(&config, &r), 0);
    return r;
}

static bool got_line(const char *line)
{
    char text[4096] = "\n";
    FILE *f = fopen(got, "re");
    assert_non_null(f);
    size_t n = fread(text + 1, 1, sizeof(text) - 2, f);
    fclose(f);
    text[n + 1] = '\0';
    return strstr(text, line) != NULL;
}

static void only_what_was_named_is_started(void **state)
{
    (void)state;
    struct runner *r = create();
    assert_int_equal(runner_run(r, "/bin/true", HR_SPAN("x")), -ENOENT);
    int status = runner_run(r, "/bin/false", HR_SPAN("x"));
    assert_true(status > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_int_equal(runner_run(r, program, HR_SPAN("the input")), 0);
    assert_true(got_line("\nthe input"));
    runner_destroy(r);
}

static void nothing_comes_along(void **state)
{
    (void)state;
    char leak[64];
    setenv("NOTIFY_SOCKET", "/run/x", 1);
    setenv("WATCHDOG_USEC", "1000", 1);
    snprintf(leak, sizeof(leak), "%s/leak", folder);
    int fd = open(leak, O_RDWR | O_CREAT, 0600); /* will be inherited */
    struct runner *r = create();
    close(fd);
    unlink(leak);
    assert_int_equal(runner_run(r, program, HR_SPAN("x")), 0);
    runner_destroy(r);
    assert_true(got_line("\nfds 0\n"));
    assert_true(got_line("\nNoNewPrivs:\t1\n"));
    assert_true(got_line("\nCapEff:\t0000000000000000\n"));
    assert_true(got_line("\nSigBlk:\t0000000000000000\n"));
    assert_false(got_line("SIGPIPE is ignored")); /* it tells a pipeline of its end */
    assert_true(got_line("\numask 0077\n"));
    assert_false(got_line("NOTIFY_SOCKET"));
    assert_false(got_line("WATCHDOG"));
    assert_false(got_line("a terminal"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_named_is_started),
        cmocka_unit_test(nothing_comes_along),
    };
    return cmocka_run_group_tests(tests, make_program, remove_program);
}
