/*
 * pipeline/classify.h - what a site's exchanges mean: learning, then role, outcome and operations
 * of each, into the store. Two ways with one result: while the exchanges are stored, and from what
 * is stored.
 *
 * The first way: each exchange is fed to its site's learner and classified at once, by a model that
 * is decided anew at growing distances. At the end the last model is compared with those before it,
 * kind of exchange by kind; what it sees differently is classified anew. Nothing of this depends on
 * chance: in the end every exchange is classified as the last model says.
 */
#ifndef HR_PIPELINE_CLASSIFY_H
#define HR_PIPELINE_CLASSIFY_H

#include "session/model.h"
#include "store/write.h"

struct classifier;

/** For an import into an empty database. @param profiles  borrowed, may be NULL */
struct classifier *classifier_create(struct store *s, const struct profile_set *profiles);
void classifier_destroy(struct classifier *c);
/** @param f  as it was stored, with all ids. @return 0 or the store's negative errno */
int classifier_feed(struct classifier *c, const struct exchange_facts *f);

/** Learns and classifies one site. @param c  NULL: from what is stored */
int classify_site(struct store *s, int64_t site_id, const struct profile_set *profiles,
                  struct classifier *c);

#endif
