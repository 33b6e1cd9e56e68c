#include "daemon/messages.h"

#include "base/alloc.h"
#include "base/local.h"
#include "daemon/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAID_AGAIN 20
#define LINE_BYTES 4096

void messages_init(struct messages *m)
{
    *m = (struct messages){.count = 0};
    hr_buf_init(&m->part, LINE_BYTES);
}

static void add(struct messages *m, struct hr_span line)
{
    size_t i = m->count++ % MESSAGES_MAX;
    struct hr_span prefix = HR_SPAN("headrace: ");
    if (hr_span_has_prefix(line, prefix)) {
        line = hr_span_slice(line, prefix.len, line.len);
    }
    free(m->texts[i]);
    m->texts[i] = hr_xstrndup(line.ptr, line.len);
    m->at[i] = clock_wall();
}

bool messages_read(struct messages *m, int fd)
{
    char bytes[4096];
    ssize_t n;
    bool is_new = false;
    while (fd >= 0 && (n = read(fd, bytes, sizeof(bytes))) > 0) {
        struct hr_span rest = hr_span_of(bytes, (size_t)n);
        while (rest.len > 0) {
            bool is_whole = hr_span_find(rest, '\n') != SIZE_MAX;
            hr_buf_append(&m->part, hr_span_cut(&rest, '\n'));
            if (is_whole) {
                add(m, hr_buf_span(&m->part));
                hr_buf_clear(&m->part);
                is_new = true;
            }
        }
    }
    return is_new;
}

const char *messages_last(const struct messages *m)
{
    return m->count > 0 ? m->texts[(m->count - 1) % MESSAGES_MAX] : "";
}

void messages_append(const struct messages *m, const struct report_paint *paint, struct hr_buf *out)
{
    size_t kept = m->count < MESSAGES_MAX ? m->count : MESSAGES_MAX;
    for (size_t i = 0; i < kept; i++) { /* the newest first */
        size_t k = (m->count - 1 - i) % MESSAGES_MAX;
        char when[HR_TIME_TEXT_SIZE];
        hr_buf_appendf(out, " %s  ", hr_local_format(m->at[k], HR_LOCAL_SECOND, when));
        paint_wrapped(paint, out, m->texts[k], strlen(when) + 3, strlen(when) + 3);
    }
    if (kept == 0) {
        hr_buf_append_str(out, " none so far\n");
    }
}

void messages_say_again(const struct messages *m)
{
    size_t kept = m->count < SAID_AGAIN ? m->count : SAID_AGAIN;
    for (size_t i = m->count - kept; i < m->count; i++) {
        fprintf(stderr, "headrace: %s\n", m->texts[i % MESSAGES_MAX]);
    }
    if (m->part.len > 0) {
        fprintf(stderr, "%s\n", hr_buf_str(&m->part));
    }
}

void messages_finish(struct messages *m)
{
    for (size_t i = 0; i < MESSAGES_MAX; i++) {
        free(m->texts[i]);
    }
    hr_buf_finish(&m->part);
}
