/* The system's log: a warning for each alert. */
#include "base/alloc.h"
#include "daemon/sink.h"

#include <stdlib.h>
#include <syslog.h>

static int open_syslog(void **ret_state, const char *rest, struct runner *runner,
                       struct hr_buf *error)
{
    (void)rest;
    (void)runner;
    (void)error;
    openlog("headrace", LOG_PID | LOG_NDELAY, LOG_DAEMON);
    *ret_state = hr_xcalloc(1, 1);
    return 0;
}

static int send_syslog(void *state, struct hr_span body)
{
    (void)state;
    syslog(LOG_WARNING, "%.*s", (int)body.len, body.ptr);
    return 0;
}

static void close_syslog(void *state)
{
    closelog();
    free(state);
}

const struct sink_kind sink_kind_syslog = {"syslog",    "alerts", open_syslog,
                                           send_syslog, NULL,     close_syslog};
