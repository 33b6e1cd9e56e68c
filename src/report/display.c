#include "report/display.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_streams(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x;
    int64_t b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

void display_append_filter(struct hr_buf *out, int64_t *streams, size_t count)
{
    size_t unique = 0;
    if (count == 0) {
        return;
    }
    qsort(streams, count, sizeof(*streams), compare_streams);
    for (size_t i = 0; i < count; i++) {
        if (unique == 0 || streams[i] != streams[unique - 1]) {
            streams[unique++] = streams[i];
        }
    }
    if (unique == 1) {
        hr_buf_appendf(out, "tcp.stream eq %" PRId64, streams[0]);
        return;
    }
    for (size_t i = 0; i < unique; i++) {
        hr_buf_appendf(out, "%s%" PRId64, i == 0 ? "tcp.stream in {" : ", ", streams[i]);
    }
    hr_buf_append_char(out, '}');
}

const char *display_offset(hr_nsec since, char text[DISPLAY_OFFSET_SIZE])
{
    if (since < 10 * HR_NSEC_PER_SEC) {
        snprintf(text, DISPLAY_OFFSET_SIZE, "+%.3f ms", (double)since / 1e6);
    } else {
        snprintf(text, DISPLAY_OFFSET_SIZE, "+%.6f s", (double)since / 1e9);
    }
    return text;
}

const char *display_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}
