/*
 * base/text.h - bytes from the wire made safe to show. They are hostile: they may hold terminal
 * control sequences, broken UTF-8, or formulas that a spreadsheet would run.
 */
#ifndef HR_BASE_TEXT_H
#define HR_BASE_TEXT_H

#include "base/buf.h"

/** @return length of the valid UTF-8 sequence at the beginning of s (RFC 3629), 0 where there is none */
size_t hr_utf8_length(struct hr_span s);
/** Printable ASCII stays, a backslash is doubled, every other byte becomes \xNN. */
void hr_text_append_escaped(struct hr_buf *out, struct hr_span bytes);
/**
 * For a terminal: printable text of any language stays; control characters (C0, DEL, C1), format
 * characters that reorder text and broken UTF-8 become \xNN.
 */
void hr_text_append_terminal(struct hr_buf *out, struct hr_span bytes);
/** One CSV cell (RFC 4180), quoted where needed; a leading = + - @ TAB CR gets a ' in front. */
void hr_text_append_csv(struct hr_buf *out, struct hr_span cell);
/** Columns that the text takes on a terminal, East Asian wide characters counted twice. */
size_t hr_text_columns(struct hr_span text);
/** @return bytes of the text, whole characters, that take at most that many columns */
size_t hr_text_fitting(struct hr_span text, size_t columns);
/** Percent-decodes (and + to SP where plus_is_space); broken escapes stay as they are. */
void hr_text_append_decoded(struct hr_buf *out, struct hr_span text, bool plus_is_space);

#endif
