/* The system's log: where nobody takes an alert, that is known, and it is not lost. */
#include "base/alloc.h"
#include "base/buf.h"
#include "daemon/sink.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/headrace-log-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/log", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static int listen_as(int type)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    unlink(path);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_true(type != SOCK_STREAM || listen(fd, 1) == 0);
    return fd;
}

static int tell(void *state, const char *text)
{
    struct hr_buf reason;
    hr_buf_init(&reason, 512);
    int r = sink_kind_syslog.send(state, hr_span_str(text), &reason);
    hr_buf_finish(&reason);
    return r;
}

static void assert_got(int fd, const char *text)
{
    char got[256];
    char end[96];
    ssize_t n = recv(fd, got, sizeof(got) - 1, 0);
    assert_true(n > 0);
    got[n] = '\0';
    snprintf(end, sizeof(end), " headrace[%d]: %s", (int)getpid(), text);
    assert_int_equal(strncmp(got, "<28>", 4), 0); /* a warning of the facility daemon */
    assert_true(strlen(got) > strlen(end));
    assert_string_equal(got + strlen(got) - strlen(end), end);
}

static void the_log_takes_it_or_it_waits(void **state)
{
    (void)state;
    void *log = NULL;
    assert_int_equal(sink_syslog_create(path, &log), -ENOENT);
    assert_int_equal(tell(log, "too early"), ENOENT);
    int fd = listen_as(SOCK_DGRAM);
    assert_int_equal(tell(log, "{\"a\":1}"), 0);
    assert_got(fd, "{\"a\":1}");
    close(fd);
    assert_int_equal(tell(log, "lost?"), ECONNREFUSED);
    unlink(path);
    assert_int_equal(tell(log, "lost?"), ENOENT);
    fd = listen_as(SOCK_DGRAM); /* started anew */
    assert_int_equal(tell(log, "no"), 0);
    assert_got(fd, "no");
    close(fd);
    fd = listen_as(SOCK_DGRAM); /* between two alerts */
    assert_int_equal(tell(log, "once more"), 0);
    assert_got(fd, "once more");
    close(fd);
    sink_kind_syslog.close(log);
}

static void streams_are_taken_too(void **state)
{
    (void)state;
    void *log = NULL;
    int fd = listen_as(SOCK_STREAM);
    assert_int_equal(sink_syslog_create(path, &log), 0);
    int peer = accept(fd, NULL, NULL);
    assert_true(peer >= 0);
    assert_int_equal(tell(log, "of a stream"), 0);
    assert_got(peer, "of a stream");
    close(peer);
    close(fd);
    sink_kind_syslog.close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_log_takes_it_or_it_waits),
        cmocka_unit_test(streams_are_taken_too),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
