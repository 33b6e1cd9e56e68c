/*
 * report/html_emit.h - HTML and SVG that cannot be broken out of: every text goes through here and is
 * escaped; control characters and what reorders text become \xNN. Only literals of the program are
 * written as they are.
 */
#ifndef HR_REPORT_HTML_EMIT_H
#define HR_REPORT_HTML_EMIT_H

#include "base/buf.h"

/** Markup of this program; never anything that was read. */
#define html_raw(out, literal) hr_buf_append_str((out), "" literal)

/** Text content or part of a quoted attribute; NULL is nothing. */
void html_text(struct hr_buf *out, const char *text);
void html_textf(struct hr_buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** <tag class="class">; class NULL: none */
void html_begin(struct hr_buf *out, const char *tag, const char *class);
void html_end(struct hr_buf *out, const char *tag);
/** <tag class="class">text</tag> */
void html_element(struct hr_buf *out, const char *tag, const char *class, const char *text);
void html_elementf(struct hr_buf *out, const char *tag, const char *class, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/** name="value" within a tag, with a space in front */
void html_attribute(struct hr_buf *out, const char *name, const char *value);

#endif
