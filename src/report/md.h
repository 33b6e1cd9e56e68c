/*
 * report/md.h - the report as Markdown (GitHub's kind) for a ticket or a code host.
 */
#ifndef HR_REPORT_MD_H
#define HR_REPORT_MD_H

#include "report/overview.h"

/** @param trend  the last days; NULL: none are told. @param all  fold and cut nothing */
void report_md_render(const struct report *r, const struct overview *trend, bool all,
                      struct hr_buf *out);

/**
 * Text from anywhere, as text: nothing in it becomes markup, a link, a mention or an issue's number.
 * NULL is nothing.
 */
void md_text(struct hr_buf *out, const char *text);
/** The same in a fixed-width font; also within a table. */
void md_code(struct hr_buf *out, const char *text);

#endif
