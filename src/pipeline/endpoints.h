/*
 * pipeline/endpoints.h - what the sessions of a site say of its endpoints, while they are judged.
 */
#ifndef HR_PIPELINE_ENDPOINTS_H
#define HR_PIPELINE_ENDPOINTS_H

#include "base/time.h"
#include "session/endpoint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct endpoints;

/** @param limit  endpoints kept; of more nothing is known */
struct endpoints *endpoints_create(size_t limit);
void endpoints_destroy(struct endpoints *e);
/** Forgets all of them. */
void endpoints_clear(struct endpoints *e);
/** @return what is gathered of it, to add to; past the limit something that nobody reads */
struct endpoint_evidence *endpoints_get(struct endpoints *e, int64_t endpoint_id);
/** An access of a session; the sessions come one after the other. @return as endpoints_get() */
struct endpoint_evidence *endpoints_access(struct endpoints *e, int64_t endpoint_id,
                                           int64_t session_id, hr_nsec at);
/** Judges each. @param judged  for each one kept; what it returns other than 0 ends it. @return that */
int endpoints_judge(struct endpoints *e,
                    int (*judged)(int64_t endpoint_id, const struct endpoint_evidence *evidence,
                                  enum endpoint_protection protection, void *user),
                    void *user);
/** When sessions came to be such that accessed it often. What times find no room goes to the last one
 * of the endpoint that did. @param often  as judged */
int endpoints_emit_often(const struct endpoints *e,
                         int (*often)(int64_t endpoint_id, int64_t quarter, uint64_t sessions, void *user),
                         void *user);
/** Instead of what endpoints_judge() says; also from within it. Of one that is kept. */
void endpoints_set_protection(struct endpoints *e, int64_t endpoint_id,
                              enum endpoint_protection protection);
/** After endpoints_judge(). */
bool endpoints_is_protected(const struct endpoints *e, int64_t endpoint_id);
/** @return whether that one found no room */
bool endpoints_is_dropped(const struct endpoints *e, int64_t endpoint_id);

#endif
