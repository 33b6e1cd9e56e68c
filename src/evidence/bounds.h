/*
 * evidence/bounds.h - what a finding's session began and ended with, as near to the finding as
 * there is. The logins and logouts of a session are read once, however many findings it has.
 */
#ifndef HR_EVIDENCE_BOUNDS_H
#define HR_EVIDENCE_BOUNDS_H

#include "store/read_cut.h"

struct session_bounds;

/* By session; NULL: none was read. */
struct bounds_cache {
    struct session_bounds *sessions;
};

/**
 * Calls row for the login before the finding, the logout before it and the one after, in order of
 * exchanges.
 * @return 0 or the store's error
 */
int bounds_read(struct bounds_cache *c, struct store *s, int64_t finding_id,
                void (*row)(int64_t exchange_id, bool is_login, void *user), void *user);
void bounds_cache_finish(struct bounds_cache *c);

#endif
