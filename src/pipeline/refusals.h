/*
 * pipeline/refusals.h - refused connections of a run, added up by server and tenth of a second
 * before they are stored: a server that is down may refuse thousands of attempts a second.
 */
#ifndef HR_PIPELINE_REFUSALS_H
#define HR_PIPELINE_REFUSALS_H

#include "store/write.h"

#define REFUSAL_SLOT (HR_NSEC_PER_SEC / 10)

struct refusals;

/** @param emit  gets each sum; one server and slot may come several times: they add up */
struct refusals *refusals_create(void (*emit)(const struct refusal_row *row, void *user),
                                 void *user);
void refusals_add(struct refusals *r, const struct net_endpoint *server, hr_nsec at);
/** Emits what is held of slots that ended before that. */
void refusals_flush(struct refusals *r, hr_nsec before);
/** Emits what is held. */
void refusals_finish(struct refusals *r);
/** @return attempts that were not told of: past a bound on sums, which only a scan reaches */
uint64_t refusals_dropped(const struct refusals *r);
void refusals_destroy(struct refusals *r);

#endif
