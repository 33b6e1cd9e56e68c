/*
 * base/buf.h - owned growable bytes with a hard limit. What would pass the limit is cut, and the
 * buffer remembers that it was. Always NUL-terminated behind len once anything was appended.
 */
#ifndef HR_BASE_BUF_H
#define HR_BASE_BUF_H

#include "base/span.h"

struct hr_buf {
    char *ptr;
    size_t len;
    size_t capacity;
    size_t limit; /* most bytes kept; SIZE_MAX: no limit */
    bool cut;     /* something was dropped at the limit */
};

void hr_buf_init(struct hr_buf *b, size_t limit_bytes);
void hr_buf_finish(struct hr_buf *b);
/** Keeps the memory, forgets the content and the cut mark. */
void hr_buf_clear(struct hr_buf *b);
void hr_buf_append(struct hr_buf *b, struct hr_span bytes);
void hr_buf_append_str(struct hr_buf *b, const char *text);
void hr_buf_append_char(struct hr_buf *b, char c);
void hr_buf_appendf(struct hr_buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct hr_span hr_buf_span(const struct hr_buf *b);
/** @return NUL-terminated text, "" where nothing was appended; valid until the next change */
const char *hr_buf_str(const struct hr_buf *b);

#endif
