/*
 * session/profile.h - what a person says about sites (YAML, --profile): it overrides what learning
 * would assume, item by item. Format and every key: src/cmd/headrace-profile.5, rules/profiles/.
 */
#ifndef HR_SESSION_PROFILE_H
#define HR_SESSION_PROFILE_H

#include "base/buf.h"
#include "session/facts.h"

struct profile;      /* of one site or of a host pattern */
struct profile_set;  /* all that were loaded; the first that matches a site wins */

/**
 * @param ret_error  "file:line: what is wrong; what was expected" where the result is negative
 * @return 0, -errno where a file cannot be read, -EINVAL where it is wrong
 */
int profile_set_load(const char *const *paths, size_t path_count, struct profile_set **ret_set,
                     struct hr_buf *ret_error);
void profile_set_destroy(struct profile_set *set);
/** @return the profile for that site, or NULL; set may be NULL */
const struct profile *profile_set_find(const struct profile_set *set, struct hr_span site);

#endif
