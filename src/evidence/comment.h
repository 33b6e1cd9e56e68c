/*
 * evidence/comment.h - what is said of a frame that matters, and of the file as a whole.
 */
#ifndef HR_EVIDENCE_COMMENT_H
#define HR_EVIDENCE_COMMENT_H

#include "evidence/frames.h"
#include "evidence/plan.h"

/**
 * Of the frame in which an exchange's request begins; a line for each finding. UTF-8, safe to show.
 * @param is_private  names no paths, targets and texts of evidence
 */
const char *comment_request(struct hr_arena *a, const struct plan_exchange *x, bool is_private);
/** Of the frame in which its answer begins. */
const char *comment_response(struct hr_arena *a, const struct plan_exchange *x, bool is_private);
/** Of the file: of which findings, which frames of which captures. picks are settled. */
const char *comment_section(struct hr_arena *a, const struct plan *p, const struct evidence *e,
                            const struct frame_picks *picks, bool is_private);
/** How a source is called: its path, or "capture 3". */
void comment_append_source(struct hr_buf *out, const struct evidence *e, size_t source,
                           bool is_private);

#endif
