/*
 * pipeline/twins.h - one token at several sites: a cookie of a common parent domain, or a server under
 * several names and ports. A login at one of them explains what is granted at another.
 */
#ifndef HR_PIPELINE_TWINS_H
#define HR_PIPELINE_TWINS_H

#include "store/read.h"

struct twins;

/* Use: prepare once, when the sites and carriers are stored; then create, note, resolve, give. */
/** Sites are kindred that are equal but for the port, or in one domain: the last two labels of their
 *  names are equal. @return 0 or -errno */
int twins_prepare(struct store *s);
/** Of a site; cheap where no kindred site has a carrier of the same name. @return 0 or -errno */
int twins_create(struct store *s, int64_t site_id, struct twins **ret_twins);
void twins_destroy(struct twins *t);
/** A session of which it matters what other sites did to its token. */
void twins_note(struct twins *t, int64_t session_id);
/** Looks the noted ones up. @param ret_any  was any found, or was there none to be noted any more? */
int twins_resolve(struct twins *t, bool *ret_any);
/** Whether there are kindred sites with such a carrier. */
bool twins_has_kin(const struct twins *t);
/** Whether more kindred sites have such a carrier than are looked at. */
bool twins_is_cut(const struct twins *t);
/** Of a session that twins_note() was called for: there was no room to note it. */
bool twins_is_dropped(const struct twins *t, int64_t session_id);
/** After twins_resolve(): what may have made that token live at kindred sites, as operations of the
 * session. */
void twins_give_logins(const struct twins *t, int64_t session_id,
                       int (*row)(const struct operation_row *o, void *user), void *user);
/** Adds to the sites those that have a token of one of them: what changed there concerns them. */
int twins_spread(struct store *s, int64_t **sites, size_t *count);

#endif
