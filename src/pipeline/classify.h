/*
 * pipeline/classify.h - what a site's exchanges mean: learning, then role, outcome and operations
 * of each, into the store.
 *
 * An exchange that comes in is fed to its site's learner and classified at once, by a model that is
 * decided anew at growing distances. At the end of an import the last model is compared with those
 * before it, kind of exchange by kind; what it sees differently is classified anew. So the next
 * import costs what it brings, not what is stored: what was learned is stored, too. A site of which
 * nothing is known is read as a whole. In the end every exchange is classified as a model says that
 * learned from all.
 */
#ifndef HR_PIPELINE_CLASSIFY_H
#define HR_PIPELINE_CLASSIFY_H

#include "session/model.h"
#include "store/write.h"

struct classifier;

/** Both borrowed; profiles may be NULL. */
struct classifier *classifier_create(struct store *s, const struct profile_set *profiles);
void classifier_destroy(struct classifier *c);
/** Other profiles from now on: what was learned by the ones before is forgotten. */
void classifier_use(struct classifier *c, const struct profile_set *profiles);
/**
 * For an import into an empty database, while it is stored.
 * @param f  as it was stored, with all ids. @return 0 or the store's negative errno
 */
int classifier_feed(struct classifier *c, const struct exchange_facts *f);
/** Learns and classifies what changed at one site. Within a transaction. @return as above */
int classify_site(struct classifier *c, int64_t site_id);
/**
 * Classifies what came in since, as the last model of the site says, also one that another run stored;
 * that model stays to be decided anew by classify_site(). Within a transaction.
 * @param ret_known  false: nothing of that site is known yet, and nothing was done. @return as above
 */
int classify_new(struct classifier *c, int64_t site_id, bool *ret_known);
/** Stores what is known, for the next one. Within the same transaction, or one that adds nothing. */
int classifier_save(struct classifier *c);

#endif
