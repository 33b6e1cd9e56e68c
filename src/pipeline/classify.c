/*
 * Memory is bounded: a few sites are known at a time, of the others those that were asked for last;
 * the kinds of a site are kept up to a limit, beyond which the exchanges of that model are read
 * again.
 */
#include "pipeline/classify.h"

#include "base/map.h"
#include "pipeline/kinds.h"
#include "store/read.h"

#include <stdlib.h>

enum {
    SITES_AT_ONCE = 8,
    KINDS_OF_SITE = 32768,
    FIRST_DECISION = 4, /* exchanges; then at every fourfold number */
};

/* The exchanges that one model classified. */
struct stretch {
    int64_t first;
    int64_t last;
    bool is_classified; /* false: before the first model */
};

struct site_stream {
    int64_t site_id;
    struct site_learner *learner;
    struct site_model *model; /* the latest; NULL before the first */
    struct kinds *kinds;
    struct stretch stretches[KINDS_MODELS]; /* the latest one is that of model */
    unsigned stretch_count;
    uint64_t exchanges;
    uint64_t next_decision;
    bool is_settled; /* all that was stored at its last decision was classified as it says */
    bool is_ahead;   /* more was fed since */
    UT_hash_handle hh;
};

struct classifier {
    struct store *store;
    const struct profile_set *profiles;
    struct site_stream *sites; /* in the order in which they were asked for */
    uint64_t epoch;            /* of the store, that they belong to */
    int64_t repeats_to; /* exchanges up to here may have operations that nobody knows of: another
                           run ended early, or what was known of the site had to go */
};

struct classifier *classifier_create(struct store *s, const struct profile_set *profiles)
{
    struct classifier *c = hr_xcalloc(1, sizeof(*c));
    c->store = s;
    c->profiles = profiles;
    c->epoch = UINT64_MAX;
    return c;
}

static int64_t last_known(const struct site_stream *t)
{
    int64_t last = 0;
    for (unsigned i = 0; i < t->stretch_count; i++) {
        last = t->stretches[i].last > last ? t->stretches[i].last : last;
    }
    return last;
}

static void site_destroy(struct classifier *c, struct site_stream *t)
{
    const int64_t last = last_known(t);
    c->repeats_to = last > c->repeats_to ? last : c->repeats_to;
    HASH_DEL(c->sites, t);
    site_learner_destroy(t->learner);
    site_model_destroy(t->model);
    kinds_destroy(t->kinds);
    free(t);
}

static void forget_sites(struct classifier *c)
{
    while (c->sites != NULL) {
        site_destroy(c, c->sites);
    }
}

void classifier_destroy(struct classifier *c)
{
    if (c != NULL) {
        forget_sites(c);
        free(c);
    }
}

void classifier_use(struct classifier *c, const struct profile_set *profiles)
{
    forget_sites(c);
    c->profiles = profiles;
}

static struct site_stream *find_site(struct classifier *c, int64_t site_id)
{
    struct site_stream *t = NULL;
    HASH_FIND(hh, c->sites, &site_id, sizeof(site_id), t);
    return t;
}

static struct site_learner *create_learner(const struct classifier *c, struct hr_span site)
{
    return site_learner_create(site, profile_set_find(c->profiles, site));
}

/* @param learner  becomes its own */
static struct site_stream *add_site(struct classifier *c, int64_t site_id,
                                    struct site_learner *learner)
{
    struct site_stream *t = hr_xcalloc(1, sizeof(*t));
    t->site_id = site_id;
    t->learner = learner;
    t->kinds = kinds_create(KINDS_OF_SITE);
    t->next_decision = FIRST_DECISION;
    t->stretches[t->stretch_count++] = (struct stretch){0};
    HASH_ADD(hh, c->sites, site_id, sizeof(t->site_id), t);
    return t;
}

static void plan_decision(struct site_stream *t)
{
    while (t->next_decision <= t->exchanges && t->next_decision < UINT64_MAX / 4) {
        t->next_decision *= 4;
    }
}

static void decide_anew(struct site_stream *t, int64_t next_exchange)
{
    plan_decision(t);
    if (t->stretch_count == KINDS_MODELS) {
        return; /* after 4 * 4^15 exchanges */
    }
    site_model_destroy(t->model);
    t->model = site_learner_decide(t->learner);
    t->stretches[t->stretch_count++] =
        (struct stretch){.first = next_exchange, .is_classified = true};
}

static void learn(struct site_stream *t, const struct exchange_facts *f)
{
    struct stretch *at = &t->stretches[t->stretch_count - 1];
    site_learner_feed(t->learner, f);
    at->first = at->first == 0 ? f->id : at->first;
    at->last = f->id;
    t->exchanges++;
}

static int feed(struct classifier *c, struct site_stream *t, const struct exchange_facts *f)
{
    struct classified classified;
    if (t->exchanges >= t->next_decision) {
        decide_anew(t, f->id);
    }
    learn(t, f);
    if (t->model == NULL) {
        return 0;
    }
    site_model_classify(t->model, f, &classified);
    kinds_add(t->kinds, site_model_kind(t->model, f), t->stretch_count - 1, f, &classified);
    const int r = f->id <= c->repeats_to ? analysis_remove_classified(c->store, f) : 0;
    return r == 0 ? analysis_add_classified(c->store, f, &classified) : r;
}

int classifier_feed(struct classifier *c, const struct exchange_facts *f)
{
    struct site_stream *t = find_site(c, f->site_id);
    if (t == NULL && HASH_COUNT(c->sites) >= SITES_AT_ONCE) {
        return 0;
    }
    return feed(c, t != NULL ? t : add_site(c, f->site_id, create_learner(c, f->site)), f);
}

/* --- what was learned, in the store ----------------------------------------------------------- */

#define ID_BYTES 8

static int save_site(struct store *s, struct site_stream *t)
{
    struct hr_buf learned;
    struct hr_buf examples;
    size_t count = 0;
    if (!t->is_settled || t->is_ahead || !kinds_is_whole(t->kinds) ||
        site_learner_has_profile(t->learner)) {
        return 0;
    }
    hr_buf_init(&learned, SIZE_MAX);
    hr_buf_init(&examples, SIZE_MAX);
    site_learner_save(t->learner, &learned);
    int64_t *ids = kinds_examples(t->kinds, &count);
    for (size_t i = 0; i < count * ID_BYTES; i++) {
        hr_buf_append_char(&examples, (char)(ids[i / ID_BYTES] >> 8 * (i % ID_BYTES)));
    }
    const struct site_learning l = {
        .learned_by = site_learned_by,
        .last_exchange = t->stretches[0].last,
        .exchanges = t->exchanges,
        .learned = hr_buf_span(&learned),
        .examples = hr_buf_span(&examples),
    };
    const int r = learning_put(s, t->site_id, &l);
    free(ids);
    hr_buf_finish(&learned);
    hr_buf_finish(&examples);
    return r;
}

struct loading {
    struct classifier *classifier;
    int64_t site_id;
    struct hr_span name;
    struct site_stream *site; /* NULL: none was there, or none that can be used */
    size_t loaded;            /* examples that were there */
};

static int example_row(const struct exchange_facts *f, void *user)
{
    struct loading *l = user;
    struct site_stream *t = l->site;
    struct classified classified;
    site_model_classify(t->model, f, &classified);
    l->loaded += kinds_add(t->kinds, site_model_kind(t->model, f), 0, f, &classified);
    return 0;
}

/* The last exchange is read, too: what came in since is what stands behind it.
 * @return 1, 0 where one is not there, or a negative errno */
static int load_kinds(struct loading *l, const struct site_learning *saved)
{
    const struct hr_span examples = saved->examples;
    const size_t count = examples.len / ID_BYTES + 1;
    if (examples.len % ID_BYTES != 0 || count > KINDS_OF_SITE + 1) {
        return 0;
    }
    int64_t *ids = hr_xcalloc(count, sizeof(*ids));
    ids[0] = saved->last_exchange;
    for (size_t i = 0; i < examples.len; i++) {
        const uint64_t byte = (unsigned char)examples.ptr[i];
        ids[1 + i / ID_BYTES] |= (int64_t)(byte << 8 * (i % ID_BYTES));
    }
    const int r = read_site_examples(l->classifier->store, l->site_id, ids, count, example_row, l);
    free(ids);
    return r < 0 ? r : l->loaded == count;
}

static int load_row(const struct site_learning *saved, void *user)
{
    struct loading *l = user;
    struct site_learner *learner = site_learner_load(l->name, saved->learned);
    if (learner == NULL) {
        return 0;
    }
    struct site_stream *t = add_site(l->classifier, l->site_id, learner);
    l->site = t;
    t->model = site_learner_decide(learner);
    t->exchanges = saved->exchanges;
    plan_decision(t);
    t->stretches[0] = (struct stretch){1, saved->last_exchange, true};
    t->is_settled = true;
    const int r = load_kinds(l, saved);
    if (r <= 0) {
        site_destroy(l->classifier, t);
        l->site = NULL;
    }
    return r < 0 ? r : 0;
}

static bool has_profile(const struct classifier *c, struct hr_span site)
{
    return profile_set_find(c->profiles, site) != NULL;
}

/* @param ret_site  NULL where nothing usable is stored */
static int load_site(struct classifier *c, int64_t site_id, struct hr_span name,
                     struct site_stream **ret_site)
{
    struct loading l = {.classifier = c, .site_id = site_id, .name = name};
    int r = 0;
    if (!has_profile(c, name)) {
        r = read_learning(c->store, site_id, site_learned_by, load_row, &l);
    }
    *ret_site = l.site;
    return r;
}

/* --- what is known before the last model ------------------------------------------------------ */

static int learn_row(const struct exchange_facts *f, void *user)
{
    learn(user, f);
    return 0;
}

struct feeding {
    struct classifier *classifier;
    struct site_stream *site;
};

static int feed_row(const struct exchange_facts *f, void *user)
{
    struct feeding *g = user;
    return feed(g->classifier, g->site, f);
}

/* What is fed during this import must stay until it is classified: with such alone there is one
 * more. */
static int make_room(struct classifier *c)
{
    struct site_stream *t = c->sites;
    int r = 0;
    while (t != NULL && !t->is_settled) {
        t = t->hh.next;
    }
    if (t != NULL && HASH_COUNT(c->sites) >= SITES_AT_ONCE) {
        r = save_site(c->store, t);
        site_destroy(c, t);
    }
    return r;
}

/* A site that is not in memory. */
static int learn_site(struct classifier *c, int64_t site_id, struct site_stream **ret_site)
{
    struct hr_buf name;
    hr_buf_init(&name, SIZE_MAX);
    int r = read_site(c->store, site_id, &name);
    const struct hr_span site = hr_buf_span(&name);
    r = r == 0 ? make_room(c) : r;
    r = r == 0 ? load_site(c, site_id, site, ret_site) : r;
    if (r == 0 && *ret_site == NULL) {
        *ret_site = add_site(c, site_id, create_learner(c, site));
        r = read_site_exchanges(c->store, site_id, learn_row, *ret_site);
    }
    hr_buf_finish(&name);
    return r;
}

/* What came in since; its ids are above those that were there. */
static int feed_new(struct classifier *c, struct site_stream *t)
{
    struct feeding g = {c, t};
    const int64_t known = last_known(t);
    HASH_DEL(c->sites, t); /* to the end: it was asked for last */
    HASH_ADD(hh, c->sites, site_id, sizeof(t->site_id), t);
    t->is_ahead = true;
    return read_site_exchanges_between(c->store, t->site_id, known + 1, INT64_MAX, feed_row, &g);
}

/* --- the last model --------------------------------------------------------------------------- */

struct last_look {
    struct store *store;
    const struct site_model *model;
    struct kinds *kinds;
    const struct stretch *stretch;
    unsigned number; /* of the stretch */
};

static int classify_row(const struct exchange_facts *f, void *user)
{
    struct last_look *l = user;
    struct classified classified;
    const uint64_t kind = site_model_kind(l->model, f);
    int r = 0;
    if (l->stretch->is_classified) {
        if (!kinds_differs(l->kinds, kind, l->number)) {
            return 0;
        }
        r = analysis_remove_classified(l->store, f);
    }
    site_model_classify(l->model, f, &classified);
    kinds_add(l->kinds, kind, KINDS_LAST, f, &classified);
    return r == 0 ? analysis_add_classified(l->store, f, &classified) : r;
}

static int classify_again(struct store *s, struct site_stream *t, const struct site_model *model)
{
    int r = 0;
    kinds_compare(t->kinds, model);
    for (unsigned i = 0; r == 0 && i < t->stretch_count; i++) {
        const struct stretch *at = &t->stretches[i];
        struct last_look l = {
            .store = s, .model = model, .kinds = t->kinds, .stretch = at, .number = i};
        if (!at->is_classified || kinds_model_differs(t->kinds, i)) {
            r = read_site_exchanges_between(s, t->site_id, at->first, at->last, classify_row, &l);
        }
    }
    return r;
}

static int set_carrier(int64_t carrier_id, void *user)
{
    struct last_look *l = user;
    return analysis_set_carrier(l->store, carrier_id,
                                site_model_is_session_carrier(l->model, carrier_id),
                                site_model_opens_sessions(l->model, carrier_id));
}

/* What the model is, besides what it says of exchanges; the rules' views tell by it which tokens
 * are sessions. */
static int store_model(struct store *s, int64_t site_id, const struct site_model *model)
{
    struct last_look l = {.store = s, .model = model};
    int r = 0;
    for (size_t i = 0; r == 0 && i < site_model_decision_count(model); i++) {
        struct model_decision d = site_model_decision(model, i);
        r = analysis_add_decision(s, site_id, &d);
    }
    return r == 0 ? read_site_carriers(s, site_id, set_carrier, &l) : r;
}

/* From here on there is one model, and one stretch. */
static void settle(struct site_stream *t, struct site_model *last)
{
    site_model_destroy(t->model);
    t->model = last;
    kinds_settle(t->kinds);
    t->stretches[0].last = t->stretches[t->stretch_count - 1].last;
    t->stretches[0].is_classified = true;
    t->stretch_count = 1;
    t->is_settled = true;
    t->is_ahead = false;
    plan_decision(t);
}

/* What was kept of sites is of no use where exchanges that it knows went or changed; what was fed
 * during this import is whole. */
static int check_epoch(struct classifier *c)
{
    uint64_t epoch = 0;
    struct site_stream *t;
    struct site_stream *next;
    int r = store_epoch(c->store, &epoch);
    if (r < 0 || epoch == c->epoch) {
        return r;
    }
    c->epoch = epoch;
    r = read_last_classified(c->store, &c->repeats_to);
    HASH_ITER(hh, c->sites, t, next)
    {
        if (t->is_settled) {
            site_destroy(c, t);
        }
    }
    return r;
}

/* What is known of it before the last model; what is stored of that holds no longer. */
static int know_site(struct classifier *c, int64_t site_id, struct site_stream **ret_site)
{
    struct site_stream *t = find_site(c, site_id);
    int r = t == NULL ? learn_site(c, site_id, &t) : 0;
    r = r == 0 ? learning_forget(c->store, site_id) : r;
    r = r == 0 ? analysis_begin_site(c->store, site_id, !t->stretches[0].is_classified) : r;
    *ret_site = t;
    return r == 0 && t->is_settled ? feed_new(c, t) : r;
}

int classify_site(struct classifier *c, int64_t site_id)
{
    struct store *s = c->store;
    struct site_stream *t = NULL;
    int r = check_epoch(c);
    r = r == 0 ? know_site(c, site_id, &t) : r;
    struct site_model *last = r == 0 ? site_learner_decide(t->learner) : NULL;
    r = r == 0 ? classify_again(s, t, last) : r;
    r = r == 0 ? store_model(s, site_id, last) : r;
    if (r == 0) {
        settle(t, last);
        return 0;
    }
    site_model_destroy(last);
    if (t != NULL) {
        site_destroy(c, t); /* it is known in part */
    }
    return r;
}

/* What a run before this one learned, where there is room: what came in since is fed as new. */
static int recall_site(struct classifier *c, int64_t site_id, struct site_stream **ret_site)
{
    struct hr_buf name;
    if (HASH_COUNT(c->sites) >= SITES_AT_ONCE) {
        return 0;
    }
    hr_buf_init(&name, SIZE_MAX);
    int r = read_site(c->store, site_id, &name);
    r = r == 0 ? load_site(c, site_id, hr_buf_span(&name), ret_site) : r;
    hr_buf_finish(&name);
    return r;
}

int classify_new(struct classifier *c, int64_t site_id, bool *ret_known)
{
    int r = check_epoch(c);
    struct site_stream *t = r == 0 ? find_site(c, site_id) : NULL;
    r = r == 0 && t == NULL ? recall_site(c, site_id, &t) : r;
    *ret_known = t != NULL && t->is_settled;
    return r == 0 && *ret_known ? feed_new(c, t) : r;
}

int classifier_save(struct classifier *c)
{
    int r = check_epoch(c);
    for (struct site_stream *t = c->sites; r == 0 && t != NULL; t = t->hh.next) {
        r = save_site(c->store, t);
    }
    return r;
}
