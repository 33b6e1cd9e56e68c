/* Standard output and files: a line for each alert, appended. */
#include "base/alloc.h"
#include "daemon/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file_state {
    const char *path; /* NULL: standard output */
    int fd;
};

static int open_path(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
}

static int open_stdout(void **ret_state, const char *rest, struct runner *runner,
                       struct hr_buf *error)
{
    struct file_state *f = hr_xcalloc(1, sizeof(*f));
    (void)rest;
    (void)runner;
    (void)error;
    f->fd = STDOUT_FILENO;
    *ret_state = f;
    return 0;
}

static int open_file(void **ret_state, const char *rest, struct runner *runner,
                     struct hr_buf *error)
{
    int fd = open_path(rest);
    (void)runner;
    if (fd < 0) {
        int r = -errno;
        hr_buf_appendf(error, "alerts cannot be written to %s: %s", rest, strerror(errno));
        return r;
    }
    struct file_state *f = hr_xcalloc(1, sizeof(*f));
    *f = (struct file_state){.path = rest, .fd = fd};
    *ret_state = f;
    return 0;
}

static void reopen(void *state)
{
    struct file_state *f = state;
    if (f->fd >= 0) {
        close(f->fd);
    }
    f->fd = open_path(f->path);
}

/* What nobody can find any more is no place for an alert, and what could not be opened may be there
 * by now. */
static int ensure_file(struct file_state *f)
{
    struct stat st;
    if (f->path != NULL && (f->fd < 0 || (fstat(f->fd, &st) == 0 && st.st_nlink == 0))) {
        reopen(f);
    }
    return f->fd < 0 ? -errno : 0;
}

/* A line is written whole: the file may be read while it grows. */
static int send_line(void *state, struct hr_span body, struct hr_buf *reason)
{
    struct file_state *f = state;
    struct hr_buf line;
    int r = ensure_file(f);
    (void)reason;
    hr_buf_init(&line, SIZE_MAX);
    hr_buf_append(&line, body);
    hr_buf_append_char(&line, '\n');
    for (size_t done = 0; r == 0 && done < line.len;) {
        ssize_t n = write(f->fd, hr_buf_str(&line) + done, line.len - done);
        done += n > 0 ? (size_t)n : 0;
        r = n < 0 && errno != EINTR ? -errno : 0;
    }
    hr_buf_finish(&line);
    bool may_help = f->path != NULL || r == -ENOSPC;
    return r < 0 && may_help ? -r : r;
}

static void close_file(void *state)
{
    struct file_state *f = state;
    if (f->path != NULL && f->fd >= 0) {
        close(f->fd);
    }
    free(f);
}

const struct sink_kind sink_kind_stdout = {
    .prefix = "stdout",
    .what = "alerts",
    .open = open_stdout,
    .send = send_line,
    .close = close_file,
};
const struct sink_kind sink_kind_file = {
    .prefix = "file:",
    .what = "alerts",
    .open = open_file,
    .send = send_line,
    .reopen = reopen,
    .close = close_file,
};
