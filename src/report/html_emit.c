#include "report/html_emit.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void html_text(struct hr_buf *out, const char *text)
{
    struct hr_buf safe;
    if (text == NULL || text[0] == '\0') {
        return;
    }
    hr_buf_init(&safe, SIZE_MAX);
    hr_text_append_terminal(&safe, hr_span_str(text));
    for (const char *c = hr_buf_str(&safe); *c != '\0'; c++) {
        switch (*c) {
        case '&':
            hr_buf_append_str(out, "&amp;");
            break;
        case '<':
            hr_buf_append_str(out, "&lt;");
            break;
        case '>':
            hr_buf_append_str(out, "&gt;");
            break;
        case '"':
            hr_buf_append_str(out, "&quot;");
            break;
        case '\'':
            hr_buf_append_str(out, "&#39;");
            break;
        default:
            hr_buf_append_char(out, *c);
        }
    }
    hr_buf_finish(&safe);
}

static void append_args(struct hr_buf *out, const char *format, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0) {
        abort(); /* memory is gone */
    }
    html_text(out, text);
    free(text);
}

void html_textf(struct hr_buf *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    append_args(out, format, args);
    va_end(args);
}

void html_attribute(struct hr_buf *out, const char *name, const char *value)
{
    hr_buf_appendf(out, " %s=\"", name);
    html_text(out, value);
    hr_buf_append_char(out, '"');
}

void html_begin(struct hr_buf *out, const char *tag, const char *class)
{
    hr_buf_appendf(out, "<%s", tag);
    if (class != NULL) {
        html_attribute(out, "class", class);
    }
    hr_buf_append_char(out, '>');
}

void html_end(struct hr_buf *out, const char *tag)
{
    hr_buf_appendf(out, "</%s>", tag);
}

void html_element(struct hr_buf *out, const char *tag, const char *class, const char *text)
{
    html_begin(out, tag, class);
    html_text(out, text);
    html_end(out, tag);
}

void html_elementf(struct hr_buf *out, const char *tag, const char *class, const char *format, ...)
{
    va_list args;
    html_begin(out, tag, class);
    va_start(args, format);
    append_args(out, format, args);
    va_end(args);
    html_end(out, tag);
}
