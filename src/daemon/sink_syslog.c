/*
 * The system's log: a warning for each alert, in the words of RFC 3164, which every log on Linux
 * takes. syslog(3) would not tell where nobody takes it.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/clock.h"
#include "daemon/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 2

struct syslog_state {
    char *path;
    int fd; /* -1: not connected */
    bool is_stream;
};

static int connect_as(struct syslog_state *s, int type)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    snprintf(to.sun_path, sizeof(to.sun_path), "%s", s->path);
    s->fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (s->fd < 0) {
        return -errno;
    }
    setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(s->fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        int r = -errno;
        close(s->fd);
        s->fd = -1;
        return r;
    }
    s->is_stream = type == SOCK_STREAM;
    return 0;
}

static int connect_log(struct syslog_state *s)
{
    int r = connect_as(s, SOCK_DGRAM);
    return r == -EPROTOTYPE ? connect_as(s, SOCK_STREAM) : r;
}

static void close_syslog(void *state)
{
    struct syslog_state *s = state;
    if (s->fd >= 0) {
        close(s->fd);
    }
    free(s->path);
    free(s);
}

int sink_syslog_create(const char *path, void **ret_state)
{
    struct syslog_state *s = hr_xcalloc(1, sizeof(*s));
    s->path = hr_xstrdup(path);
    s->fd = -1;
    *ret_state = s;
    return connect_log(s);
}

static int open_syslog(void **ret_state, const char *rest, struct runner *runner,
                       struct hr_buf *error)
{
    int r = sink_syslog_create(_PATH_LOG, ret_state);
    (void)rest;
    (void)runner;
    (void)error;
    if (r < 0) { /* it may come */
        hr_warning("alerts to syslog: %s: %s; what waits is kept and sent later", _PATH_LOG,
                   strerror(-r));
    }
    return 0;
}

static void append_time(struct hr_buf *out)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = (time_t)(clock_wall() / HR_NSEC_PER_SEC);
    struct tm t;
    if (localtime_r(&now, &t) != NULL) {
        hr_buf_appendf(out, "%s %2d %02d:%02d:%02d ", months[t.tm_mon], t.tm_mday, t.tm_hour,
                       t.tm_min, t.tm_sec);
    }
}

static int send_all(const struct syslog_state *s, struct hr_span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(s->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        n = n > 0 ? n : 0;
        bytes = hr_span_of(bytes.ptr + n, bytes.len - (size_t)n);
    }
    return 0;
}

static void format_message(struct hr_span body, struct hr_buf *out)
{
    hr_buf_appendf(out, "<%d>", LOG_DAEMON | LOG_WARNING);
    append_time(out);
    hr_buf_appendf(out, "headrace[%d]: ", (int)getpid());
    hr_buf_append(out, body);
}

/* A stream's messages end with a zero byte. */
static int try_send(struct syslog_state *s, const struct hr_buf *message)
{
    int r = s->fd < 0 ? connect_log(s) : 0;
    r = r == 0 ? send_all(s, hr_span_of(hr_buf_str(message), message->len + s->is_stream)) : r;
    if (r < 0 && s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
    return r;
}

static int send_syslog(void *state, struct hr_span body, struct hr_buf *reason)
{
    struct syslog_state *s = state;
    struct hr_buf message;
    bool was_connected = s->fd >= 0;
    (void)reason;
    hr_buf_init(&message, SIZE_MAX);
    format_message(body, &message);
    int r = try_send(s, &message);
    if (r < 0 && r != -EMSGSIZE && was_connected) { /* the log may have been started anew */
        r = try_send(s, &message);
    }
    hr_buf_finish(&message);
    return r == -EMSGSIZE ? r : -r;
}

const struct sink_kind sink_kind_syslog = {
    .prefix = "syslog",
    .what = "alerts",
    .open = open_syslog,
    .send = send_syslog,
    .close = close_syslog,
};
