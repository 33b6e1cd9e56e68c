/*
 * Every site that changed: what its exchanges mean, then what its sessions say. Everything is a
 * function of the stored facts: the order of imports does not matter.
 */
#include "base/alloc.h"
#include "base/order.h"
#include "pipeline/classify.h"
#include "pipeline/judge.h"
#include "pipeline/pipeline.h"
#include "pipeline/twins.h"
#include "store/read.h"

#include <stdlib.h>

static int learn_row(const struct exchange_facts *f, void *user)
{
    site_learner_feed(user, f);
    return 0;
}

int pipeline_learn_site(struct store *s, int64_t site_id, const struct profile_set *profiles,
                        struct site_model **ret_model)
{
    struct site_learner *learner = NULL;
    struct hr_buf name;
    hr_buf_init(&name, 4096);
    int r = read_site(s, site_id, &name);
    if (r == 0) {
        struct hr_span site = hr_buf_span(&name);
        learner = site_learner_create(site, profile_set_find(profiles, site));
        r = read_site_exchanges(s, site_id, learn_row, learner);
        if (r == 0) {
            *ret_model = site_learner_decide(learner);
        }
        site_learner_destroy(learner);
    }
    hr_buf_finish(&name);
    return r;
}

static int judge_by_profile(struct store *s, int64_t site_id, const struct profile_set *profiles,
                            hr_nsec clock_error, struct judge_counters *counters)
{
    struct hr_buf name;
    hr_buf_init(&name, 4096);
    int r = read_site(s, site_id, &name);
    if (r == 0) {
        r = judge_site(s, site_id, profile_set_find(profiles, hr_buf_span(&name)), clock_error,
                       counters);
    }
    hr_buf_finish(&name);
    return r == 0 ? analysis_end_site(s, site_id) : r;
}

int pipeline_analyse(struct store *s, const struct profile_set *profiles, hr_nsec clock_error,
                     struct classifier *classifier, struct judge_counters *counters)
{
    int64_t *sites = NULL;
    size_t count = 0;
    int r = analysis_changed_sites(s, &sites, &count);
    r = r == 0 ? twins_prepare(s) : r;
    r = r == 0 ? twins_spread(s, &sites, &count) : r;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = classify_site(classifier, sites[i]);
    }
    /* All rows are in: the index that the sessions are read by is made once. */
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = judge_by_profile(s, sites[i], profiles, clock_error, counters);
    }
    free(sites);
    return r;
}

static int glance_site(struct store *s, int64_t site_id, const struct glance *g,
                       hr_nsec clock_error, struct classifier *classifier, struct rule_glance *to)
{
    bool is_known = false;
    int r = classify_new(classifier, site_id, &is_known);
    if (r < 0 || !is_known) {
        to->is_partial = true;
        return r;
    }
    r = judge_glance(s, site_id, g, clock_error, to);
    return r == 0 ? analysis_leave_site(s) : r;
}

int pipeline_glance(struct store *s, const struct glance *g, hr_nsec clock_error,
                    struct classifier *classifier, struct rule_glance *ret_glance)
{
    int64_t *sites = NULL;
    size_t count = 0;
    struct rule_glance to = {.since = g->since};
    int r = analysis_changed_sites(s, &sites, &count);
    r = r == 0 ? twins_prepare(s) : r;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = glance_site(s, sites[i], g, clock_error, classifier, &to);
    }
    if (to.session_count > 0) {
        qsort(to.sessions, to.session_count, sizeof(*to.sessions), hr_compare_int64);
    }
    free(sites);
    *ret_glance = to;
    return r;
}
