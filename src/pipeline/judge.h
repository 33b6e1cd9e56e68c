/*
 * pipeline/judge.h - what the operations of a site's sessions say: which contradict each other,
 * which endpoints are protected, and whether each session can be explained by some order.
 */
#ifndef HR_PIPELINE_JUDGE_H
#define HR_PIPELINE_JUDGE_H

#include "base/counter.h"
#include "rule/rule.h"
#include "session/profile.h"
#include "store/write.h"

#define JUDGE_COUNTERS(X)                                                                          \
    X(orders_unknown, "sessions",                                                                  \
      "Sessions with too many logins at one time to tell an order: nothing is claimed of that")     \
    X(sessions_unjudged, "sessions",                                                               \
      "Sessions past the bounds, or with too many operations: nothing is claimed of them")          \
    X(contradictions_dropped, "operations", "Operations that contradict others, past the bound")    \
    X(endpoints_dropped, "endpoints",                                                              \
      "Endpoints past the bound: whether they need a session is not known")                        \
    X(values_unchained, "values",                                                                  \
      "Values of rolling tokens past the bound: judged as if they stood alone")                    \
    X(twins_cut, "sites", "Sites of which not all kindred sites were looked at for a login")

struct judge_counters {
    JUDGE_COUNTERS(HR_COUNTER_FIELD)
};

/**
 * Of a site whose exchanges are classified.
 * @param profile  the site's, or NULL
 * @param clock_error  -1: what the captures show
 * @param counters  added to
 */
int judge_site(struct store *s, int64_t site_id, const struct profile *profile,
               hr_nsec clock_error, struct judge_counters *counters);
/* What came in since the site was judged as a whole, seen with the eyes of then. */
struct glance {
    int64_t since;          /* the first exchange of it */
    int64_t endpoint_limit; /* endpoints with higher ids are new */
};
/**
 * Only the sessions that have operations of these exchanges, and nothing else of the site. Left as
 * they are: sessions with requests to endpoints that are new, and very long ones.
 * @param to  gets the site and these sessions; not where what came in changes more than them (a rolling
 *            token, kindred sites, an endpoint that turns out to be public): then nothing was judged
 */
int judge_glance(struct store *s, int64_t site_id, const struct glance *g, hr_nsec clock_error,
                 struct rule_glance *to);
void judge_emit_counters(const struct judge_counters *counters, hr_counter_fn emit, void *user);

#endif
