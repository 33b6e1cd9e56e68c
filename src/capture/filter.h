/*
 * capture/filter.h - a BPF expression, compiled once for each link type that is met.
 */
#ifndef HR_CAPTURE_FILTER_H
#define HR_CAPTURE_FILTER_H

#include "capture/source.h"

struct capture_filter;

/**
 * @param expression  copied
 * @return 0, or -EINVAL with a text where it compiles for no link type that can be decoded
 */
int capture_filter_create(const char *expression, struct capture_filter **ret_filter,
                          struct hr_buf *ret_error);
void capture_filter_destroy(struct capture_filter *f);
/** @return 1 passed, 0 not, -EINVAL where it means nothing on this frame's link type */
int capture_filter_match(struct capture_filter *f, const struct packet *p);
/** @return why it means nothing on that link type; borrowed */
const char *capture_filter_error(const struct capture_filter *f, uint32_t link_type);

#endif
