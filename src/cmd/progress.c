#include "cmd/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Four times a second is enough to read. */
#define INTERVAL_NS (INT64_C(250) * 1000 * 1000)

/* How long this process takes is no time of a packet: the machine's clock. */
static int64_t machine_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void cmd_progress_init(struct cmd_progress *p, bool is_quiet)
{
    *p = (struct cmd_progress){
        .is_shown = !is_quiet && isatty(STDERR_FILENO) == 1,
        .started_ns = machine_ns(),
    };
    p->last_ns = p->started_ns;
}

static void append_reading(struct hr_buf *line, const struct pipeline_progress *now, double seconds)
{
    double rate = seconds > 0 ? (double)now->read_bytes / seconds : 0;
    hr_buf_appendf(line, "%.1f MB", (double)now->read_bytes / 1e6);
    if (now->total_bytes > 0) {
        hr_buf_appendf(line, " of %.1f MB", (double)now->total_bytes / 1e6);
    }
    hr_buf_appendf(line, ", %.1f MB/s, %" PRIu64 " exchanges", rate / 1e6, now->exchanges);
    if (now->total_bytes > now->read_bytes && rate > 0) {
        double left = (double)(now->total_bytes - now->read_bytes) / rate;
        hr_buf_appendf(line, ", %.0f s left", left < 1 ? 1 : left);
    }
}

void cmd_progress_show(const struct pipeline_progress *now, void *user)
{
    struct cmd_progress *p = user;
    bool is_reading = strcmp(now->stage, "reading") == 0;
    int64_t at = machine_ns();
    /* A stage that follows may take long without another call: its line is shown at once. */
    if (!p->is_shown || (at - p->last_ns < INTERVAL_NS && (is_reading || !p->has_line))) {
        return;
    }
    struct hr_buf line;
    hr_buf_init(&line, SIZE_MAX);
    hr_buf_appendf(&line, "\r\033[K%s: ", now->stage);
    if (is_reading) {
        append_reading(&line, now, (double)(at - p->started_ns) / 1e9);
    } else {
        hr_buf_appendf(&line, "%" PRIu64 " exchanges", now->exchanges);
    }
    fwrite(hr_buf_str(&line), 1, line.len, stderr);
    fflush(stderr);
    hr_buf_finish(&line);
    p->has_line = true;
    p->last_ns = at;
}

void cmd_progress_finish(struct cmd_progress *p)
{
    if (p->has_line) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        p->has_line = false;
    }
}
