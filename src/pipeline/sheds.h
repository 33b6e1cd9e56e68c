/*
 * pipeline/sheds.h - frames of connections that were left out for want of time, added up by server:
 * what they hid may explain what others show, so they are losses.
 */
#ifndef HR_PIPELINE_SHEDS_H
#define HR_PIPELINE_SHEDS_H

#include "decode/segment.h"
#include "store/write.h"

struct sheds;

/** @param emit  gets a loss, when its place is needed or with sheds_flush(); row is borrowed */
struct sheds *sheds_create(void (*emit)(const struct loss_row *row, void *user), void *user);
/** @param server  NULL: it is not known which side that is, so all may be concerned */
void sheds_add(struct sheds *s, size_t capture, const struct net_endpoint *server, hr_nsec at);
void sheds_flush(struct sheds *s);
/** Frames since the start. */
uint64_t sheds_frames(const struct sheds *s);
void sheds_destroy(struct sheds *s);

#endif
