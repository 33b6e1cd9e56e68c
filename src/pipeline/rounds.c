#include "pipeline/rounds.h"

#include "base/alloc.h"
#include "base/log.h"
#include "pipeline/capture_end.h"
#include "pipeline/classify.h"
#include "pipeline/judge.h"
#include "pipeline/pipeline.h"
#include "store/read.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* Deleting old days goes through all there is, and so does learning after it: not each round, and
 * no more often than that within the span that is kept. */
#define PRUNE_EVERY (600 * HR_NSEC_PER_SEC)
#define PRUNES_OF_SPAN 64
/* A look of that CPU time has a transaction of its own, and what was learned is stored with it: the
 * run may end with a glance. */
#define LONG_LOOK (100 * HR_NSEC_PER_MSEC)
/* Alerts wait for the end of a look: where that is so long, it comes that much rarer. */
#define VERY_LONG_LOOK (500 * HR_NSEC_PER_MSEC)
#define RARER 11
/* Of a look, until its time is known: CPU time for each exchange that is stored. The first one
 * tells nothing, for it compiles the rules. */
#define TIME_OF_EXCHANGE (4 * HR_NSEC_PER_USEC)

struct rounds {
    struct rounds_config config;
    struct classifier *classifier;
    struct import *import; /* NULL: no round is open */
    int64_t *captures;     /* their rows; 0: none yet */
    hr_nsec pruned_at;     /* packet time; INT64_MIN: never */
    hr_nsec look_time;     /* CPU time of the last whole look, or a guess before the second */
    bool has_looked;
    bool is_put_off;        /* the first one was */
    hr_nsec looked_at;      /* steady time of its end; INT64_MIN: one is due */
    int64_t exchange_limit; /* the highest id of an exchange then */
    int64_t endpoint_limit; /* the highest id of an endpoint then */
    bool is_behind;         /* something was not looked at, but for a glance */
    bool is_blind;          /* of some sites glances see nothing before the next look */
    bool is_begun;          /* a round was ended */
    atomic_bool is_hurried; /* set by any thread */
};

struct rounds *rounds_create(const struct rounds_config *config)
{
    struct rounds *r = hr_xcalloc(1, sizeof(*r));
    r->config = *config;
    r->classifier = classifier_create(config->store, config->profiles);
    r->captures = hr_xcalloc(config->capture_count, sizeof(*r->captures));
    r->pruned_at = INT64_MIN;
    r->looked_at = INT64_MIN;
    return r;
}

void rounds_destroy(struct rounds *r)
{
    if (r != NULL) {
        import_destroy(r->import);
        classifier_destroy(r->classifier);
        free(r->captures);
        free(r);
    }
}

int rounds_change(struct rounds *r, const struct profile_set *profiles, struct rule_set *rules)
{
    classifier_use(r->classifier, profiles);
    r->config.profiles = profiles;
    r->config.rules = rules;
    return r->config.changed(r->config.user);
}

/* A capture of which nothing was new may be gone from the store. */
static int add_captures(struct rounds *r)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < r->config.capture_count; i++) {
        code = r->captures[i] != 0 ? import_resume_capture(r->import, i, r->captures[i]) : -ENOENT;
        code = code == -ENOENT ? import_add_capture(r->import, i, r->config.captures[i]) : code;
    }
    return code;
}

int rounds_open(struct rounds *r, struct import **ret_import)
{
    int code = 0;
    if (r->import == NULL) {
        code = store_begin(r->config.store);
        code = code == 0 ? import_begin(r->config.store, &r->import) : code;
        code = code == 0 ? add_captures(r) : code;
    }
    *ret_import = r->import;
    return code;
}

static int finish_import(struct rounds *r, const struct round_end *e)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < e->capture_count; i++) {
        code = e->is_last ? capture_end_losses(r->import, i, &e->infos[i]) : 0;
        code =
            code == 0 ? import_end_capture(r->import, i, &e->infos[i], e->clock_doubts[i]) : code;
    }
    return code == 0 ? import_finish(r->import) : code;
}

static void log_rule_error(const char *line, void *user)
{
    (void)user;
    hr_error("%s; this rule is switched off", line);
}

static void switch_off_broken(struct rounds *r, const struct rule_run_result *result)
{
    for (size_t i = 0; i < result->broken; i++) {
        rule_set_enable(r->config.rules, result->failures[i].rule, false);
    }
}

/* All that changed, with all that is known. */
static int look(struct rounds *r, bool is_last, struct rule_run_result *ret_result)
{
    struct store *s = r->config.store;
    struct judge_counters counters = {0};
    const bool is_first = !r->has_looked;
    const hr_nsec begin = hr_clock_read(CLOCK_THREAD_CPUTIME_ID);
    int code =
        pipeline_analyse(s, r->config.profiles, r->config.clock_error, r->classifier, &counters);
    code =
        code == 0 && (is_last || r->look_time > LONG_LOOK) ? classifier_save(r->classifier) : code;
    /* Where some sites are not due the rules' views are others, and compiling takes longer than
     * looking. */
    code = code == 0 ? rule_set_run(r->config.rules, s, r->look_time <= LONG_LOOK, log_rule_error,
                                    NULL, ret_result)
                     : code;
    code = code == 0 ? read_last_endpoint(s, &r->endpoint_limit) : code;
    code = code == 0 ? read_last_exchange(s, &r->exchange_limit) : code;
    r->look_time = is_first ? r->look_time : hr_clock_read(CLOCK_THREAD_CPUTIME_ID) - begin;
    r->looked_at = hr_clock_read(CLOCK_MONOTONIC);
    r->is_blind = false;
    r->has_looked = true;
    return code;
}

static int glance(struct rounds *r, const struct import *import, struct rule_run_result *ret_result)
{
    struct store *s = r->config.store;
    const struct glance g = {.since = import_first_exchange(import),
                             .endpoint_limit = r->endpoint_limit};
    struct rule_glance to = {0};
    int code = pipeline_glance(s, &g, r->config.clock_error, r->classifier, &to);
    to.rest = r->config.glance_rest;
    code = code == 0 && to.site_count > 0
               ? rule_set_glance(r->config.rules, s, &to, log_rule_error, NULL, ret_result)
               : code;
    r->is_blind = r->is_blind || to.is_partial;
    free(to.sites);
    free(to.sessions);
    return code;
}

static bool has_grown(const struct rounds *r)
{
    const unsigned growth = r->config.glance_growth;
    int64_t last = 0;
    return growth > 0 && r->look_time <= VERY_LONG_LOOK &&
           read_last_exchange(r->config.store, &last) == 0 &&
           last - r->exchange_limit > r->exchange_limit / growth;
}

static bool is_glance_enough(const struct rounds *r, const struct round_end *e)
{
    const hr_nsec since = hr_nsec_sub(hr_clock_read(CLOCK_MONOTONIC), r->looked_at);
    const bool is_rarer = r->look_time > VERY_LONG_LOOK && !r->is_blind;
    const unsigned share = r->config.glance_share * (is_rarer ? RARER : 1);
    if (share == 0) {
        return false;
    }
    return e->is_last ? e->is_hurried && r->look_time > r->config.patience
                      : since / share < r->look_time && !has_grown(r);
}

static bool is_prune_due(const struct rounds *r, hr_nsec now)
{
    const hr_nsec share = r->config.retain / PRUNES_OF_SPAN;
    const hr_nsec every = share > PRUNE_EVERY ? share : PRUNE_EVERY;
    return r->pruned_at > now || hr_nsec_sub(now, r->pruned_at) >= every;
}

/* By the day of the packets, in a transaction of its own. */
static int prune(struct rounds *r, const struct round_end *e)
{
    hr_nsec now = e->last_at;
    int64_t count = 0;
    if (r->config.retain == 0 || now == INT64_MIN || !is_prune_due(r, now)) {
        return 0;
    }
    r->pruned_at = now;
    const int code = store_prune(r->config.store, hr_nsec_sub(now, r->config.retain), &count);
    if (count > 0) { /* what was learned is forgotten with it: glances would see nothing */
        r->looked_at = INT64_MIN;
    }
    return code;
}

/* With a look that is given up all is lost that its transaction holds besides. */
static int look_or_stop(struct rounds *r, const struct round_end *e, bool is_apart,
                        struct rule_run_result *ret_result)
{
    store_set_stop(r->config.store, e->is_last || !is_apart ? NULL : &r->is_hurried);
    const int code = look(r, e->is_last, ret_result);
    store_set_stop(r->config.store, NULL);
    return code;
}

/* One transaction. */
static int store_round(struct rounds *r, const struct round_end *e, bool is_glance, bool is_apart)
{
    struct store *s = r->config.store;
    struct import *import = NULL;
    struct rule_run_result rules = {0};
    struct round round = {.end = e, .is_glance = is_glance};
    int code = rounds_open(r, &import);
    code = code == 0 ? finish_import(r, e) : code;
    if (code == 0) {
        code = is_glance ? glance(r, import, &rules) : look_or_stop(r, e, is_apart, &rules);
    }
    if (code == 0) {
        switch_off_broken(r, &rules);
        r->is_behind = is_glance;
        round.number = import_number(import);
        code = r->config.found(&round, r->config.user);
    }
    for (size_t i = 0; code == 0 && i < r->config.capture_count; i++) {
        r->captures[i] = import_capture(import, i);
    }
    import_destroy(r->import);
    r->import = NULL;
    code = code == 0 ? store_commit(s) : code;
    if (code < 0) {
        store_rollback(s);
    }
    rule_run_result_finish(&rules);
    return code;
}

static void tell_stored(struct rounds *r)
{
    if (r->config.stored != NULL) {
        r->config.stored(r->config.user);
    }
}

static int store_glance(struct rounds *r, const struct round_end *e)
{
    struct round_end part = *e;
    part.is_last = false; /* what ends the captures comes with the look */
    const int code = r->import != NULL ? store_round(r, &part, true, false) : 0;
    if (code == 0) {
        tell_stored(r);
    }
    return code;
}

/* Alerts need not wait for the first look of a run where what the run before it learned is enough
 * for glances: it comes when the next one would have. */
static bool put_off(struct rounds *r, const struct round_end *e)
{
    const bool may = !r->has_looked && !r->is_put_off && !e->is_last && !r->is_blind &&
                     r->config.glance_share > 0;
    if (may) {
        r->is_put_off = true;
        r->looked_at = hr_clock_read(CLOCK_MONOTONIC);
    }
    return may;
}

/* A long look follows what came in. Given up, it is made up for by the next run. */
static int store_and_judge(struct rounds *r, const struct round_end *e)
{
    const bool is_glance = is_glance_enough(r, e);
    const bool is_apart = !is_glance && r->look_time > LONG_LOOK;
    const bool is_glanced = is_apart && r->import != NULL;
    int code = is_apart ? store_glance(r, e) : 0;
    if (code == 0 && !(is_glanced && put_off(r, e))) {
        code = store_round(r, e, is_glance, is_apart);
    }
    if (code == -ECANCELED && is_apart) {
        r->is_behind = true;
        code = 0;
    }
    return code;
}

bool rounds_is_behind(const struct rounds *r)
{
    return r->is_behind;
}

void rounds_hurry(struct rounds *r)
{
    atomic_store(&r->is_hurried, true);
}

/* A run before this one may have ended with a glance. */
static int begin(struct rounds *r)
{
    int64_t exchanges = 0;
    int code = read_last_exchange(r->config.store, &exchanges);
    r->is_begun = true;
    r->look_time = exchanges * TIME_OF_EXCHANGE;
    r->exchange_limit = exchanges;
    code = code == 0 ? read_last_endpoint(r->config.store, &r->endpoint_limit) : code;
    return code == 0 ? read_is_behind(r->config.store, &r->is_behind) : code;
}

int rounds_end(struct rounds *r, const struct round_end *e)
{
    int code = r->is_begun ? 0 : begin(r);
    if (code == 0 &&
        (r->import != NULL || e->is_last || (r->is_behind && !is_glance_enough(r, e)))) {
        code = store_and_judge(r, e);
    } else if (code == 0) {
        code = r->config.idle(&(struct round){.end = e}, r->config.user);
    }
    if (code == 0) {
        tell_stored(r);
    }
    code = code == 0 ? prune(r, e) : code;
    r->config.ended(r->config.user);
    return code;
}
