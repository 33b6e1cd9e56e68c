#include "base/buf.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hr_buf_init(struct hr_buf *b, size_t limit_bytes)
{
    *b = (struct hr_buf){.limit = limit_bytes};
}

void hr_buf_finish(struct hr_buf *b)
{
    if (b != NULL) {
        free(b->ptr);
        *b = (struct hr_buf){.limit = b->limit};
    }
}

void hr_buf_clear(struct hr_buf *b)
{
    b->len = 0;
    b->cut = false;
    if (b->ptr != NULL) {
        b->ptr[0] = '\0';
    }
}

static void reserve(struct hr_buf *b, size_t want)
{
    if (want + 1 <= b->capacity) {
        return;
    }
    size_t capacity = b->capacity > 0 ? b->capacity : 64;
    while (capacity < want + 1) {
        capacity *= 2;
    }
    b->ptr = hr_xrealloc(b->ptr, capacity);
    b->capacity = capacity;
}

void hr_buf_append(struct hr_buf *b, struct hr_span bytes)
{
    if (bytes.len > b->limit - b->len) {
        bytes.len = b->limit - b->len;
        b->cut = true;
    }
    if (bytes.len == 0) {
        return;
    }
    reserve(b, b->len + bytes.len);
    memcpy(b->ptr + b->len, bytes.ptr, bytes.len);
    b->len += bytes.len;
    b->ptr[b->len] = '\0';
}

void hr_buf_append_str(struct hr_buf *b, const char *text)
{
    hr_buf_append(b, hr_span_str(text));
}

void hr_buf_append_char(struct hr_buf *b, char c)
{
    hr_buf_append(b, hr_span_of(&c, 1));
}

void hr_buf_appendf(struct hr_buf *b, const char *format, ...)
{
    char small[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    assert(n >= 0);
    if ((size_t)n < sizeof(small)) {
        hr_buf_append(b, hr_span_of(small, (size_t)n));
        return;
    }
    char *big = hr_xmalloc((size_t)n + 1);
    va_start(args, format);
    vsnprintf(big, (size_t)n + 1, format, args);
    va_end(args);
    hr_buf_append(b, hr_span_of(big, (size_t)n));
    free(big);
}

struct hr_span hr_buf_span(const struct hr_buf *b)
{
    return hr_span_of(b->ptr, b->len);
}

const char *hr_buf_str(const struct hr_buf *b)
{
    return b->len > 0 ? b->ptr : "";
}
