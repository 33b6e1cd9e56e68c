/*
 * report/quality.h - how far a capture can be trusted: what was lost, what could not be read.
 */
#ifndef HR_REPORT_QUALITY_H
#define HR_REPORT_QUALITY_H

#include "report/model.h"
#include "report/paint.h"

/** "4.5 MB" */
void quality_describe_bytes(struct hr_buf *out, uint64_t bytes);
/** "pcapng, EN10MB" */
void quality_describe_format(const struct capture_view *c, struct hr_buf *out);
/** What lessens it: cut frames, doubtful times, how it ended early; nothing where it is whole. */
void quality_describe_capture(const struct capture_view *c, struct hr_buf *out);
/** A kind of loss in words: "2 holes in the byte streams, 1448 bytes; may hide exchanges". */
void quality_describe_loss(const struct report_loss *l, struct hr_buf *out);
/** What most of the traffic is that cannot be read, as one sentence. */
void quality_describe_blind(const struct report *r, struct hr_buf *out);
/** Where to capture instead. */
const char *quality_blind_advice(void);
/** What a report says of traffic that was not judged as a whole yet; NULL where all was. */
const char *quality_behind_note(const struct report *r);
/** The next counter that a reader should know of, from *position on. @return false at the end */
bool quality_next_counter(const struct report *r, size_t *position, struct hr_buf *ret_line);
/** Whether nothing was lost or unreadable, as far as is known. */
bool quality_is_whole(const struct report *r);

/** Most of the traffic cannot be read: says so, and where to capture instead. */
void quality_append_blind(const struct report *r, const struct report_paint *paint,
                          struct hr_buf *out);
/** The section of the report: each capture, the ledger of losses, bounds that were reached. */
void quality_append(const struct report *r, const struct report_paint *paint, struct hr_buf *out);

/** What of the captures' numbers is not of the report's site and time alone; NULL: nothing. */
const char *quality_part_note(const struct report *r);
/** Whether a capture of the report goes beyond its span of time. */
bool quality_goes_beyond(const struct report *r);

#endif
