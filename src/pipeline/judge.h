/*
 * pipeline/judge.h - what the operations of a site's sessions say: which contradict each other,
 * which endpoints are protected, and whether each session can be explained by some order.
 */
#ifndef HR_PIPELINE_JUDGE_H
#define HR_PIPELINE_JUDGE_H

#include "session/profile.h"
#include "store/write.h"

/**
 * Of a site whose exchanges are classified.
 * @param profile  the site's, or NULL
 * @param clock_error  -1: what the captures show
 */
int judge_site(struct store *s, int64_t site_id, const struct profile *profile,
               hr_nsec clock_error);

#endif
