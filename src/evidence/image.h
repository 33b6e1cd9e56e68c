/*
 * evidence/image.h - the bytes of connections as far as the evidence has them, and the same bytes
 * rewritten. Bytes that are part of no message are blanked.
 */
#ifndef HR_EVIDENCE_IMAGE_H
#define HR_EVIDENCE_IMAGE_H

#include "evidence/frames.h"
#include "evidence/disguise.h"

struct images;

struct images *images_create(const struct evidence *e);
void images_destroy(struct images *m);
/** Adds a segment's payload, in order of time: of two copies the first counts. */
void images_add(struct images *m, const struct evidence_segment *s, struct hr_span payload);
/** After all are in. @return how many contents were blanked */
size_t images_rewrite(struct images *m, struct disguise *w);
/** Writes what stands for the payload. @param out  payload.len bytes */
void images_get(const struct images *m, const struct evidence_segment *s, struct hr_span payload,
                uint8_t *out);

#endif
