/*
 * Memory is bounded: a few sites are learned while they are stored, the others from the store; the
 * kinds of a site are kept up to a limit, beyond which the exchanges of that model are read again.
 */
#include "pipeline/classify.h"

#include "base/map.h"
#include "pipeline/kinds.h"
#include "pipeline/pipeline.h"
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
    UT_hash_handle hh;
};

struct classifier {
    struct store *store;
    const struct profile_set *profiles;
    struct site_stream *sites;
};

struct classifier *classifier_create(struct store *s, const struct profile_set *profiles)
{
    struct classifier *c = hr_xcalloc(1, sizeof(*c));
    c->store = s;
    c->profiles = profiles;
    return c;
}

static void site_destroy(struct classifier *c, struct site_stream *t)
{
    HASH_DEL(c->sites, t);
    site_learner_destroy(t->learner);
    site_model_destroy(t->model);
    kinds_destroy(t->kinds);
    free(t);
}

void classifier_destroy(struct classifier *c)
{
    while (c != NULL && c->sites != NULL) {
        site_destroy(c, c->sites);
    }
    free(c);
}

static struct site_stream *find_site(struct classifier *c, int64_t site_id)
{
    struct site_stream *t = NULL;
    HASH_FIND(hh, c->sites, &site_id, sizeof(site_id), t);
    return t;
}

static struct site_stream *add_site(struct classifier *c, const struct exchange_facts *f)
{
    if (HASH_COUNT(c->sites) == SITES_AT_ONCE) {
        return NULL;
    }
    struct site_stream *t = hr_xcalloc(1, sizeof(*t));
    t->site_id = f->site_id;
    t->learner = site_learner_create(f->site, profile_set_find(c->profiles, f->site));
    t->kinds = kinds_create(KINDS_OF_SITE);
    t->next_decision = FIRST_DECISION;
    t->stretches[t->stretch_count++] = (struct stretch){.first = f->id};
    HASH_ADD(hh, c->sites, site_id, sizeof(t->site_id), t);
    return t;
}

static void decide_anew(struct site_stream *t, int64_t next_exchange)
{
    t->next_decision *= 4;
    if (t->stretch_count == KINDS_MODELS) {
        return; /* after 4 * 4^15 exchanges */
    }
    site_model_destroy(t->model);
    t->model = site_learner_decide(t->learner);
    t->stretches[t->stretch_count++] =
        (struct stretch){.first = next_exchange, .is_classified = true};
}

int classifier_feed(struct classifier *c, const struct exchange_facts *f)
{
    struct classified classified;
    struct site_stream *t = find_site(c, f->site_id);
    if (t == NULL) {
        t = add_site(c, f);
    }
    if (t == NULL) {
        return 0;
    }
    if (t->exchanges++ == t->next_decision) {
        decide_anew(t, f->id);
    }
    site_learner_feed(t->learner, f);
    t->stretches[t->stretch_count - 1].last = f->id;
    if (t->model == NULL) {
        return 0;
    }
    site_model_classify(t->model, f, &classified);
    kinds_add(t->kinds, site_model_kind(t->model, f), t->stretch_count - 1, f, &classified);
    return analysis_add_classified(c->store, f, &classified);
}

/* --- the last model --------------------------------------------------------------------------- */

struct last_look {
    struct store *store;
    const struct site_model *model;
    const struct kinds *kinds; /* NULL: everything is to be classified */
    unsigned stretch;
};

static int classify_row(const struct exchange_facts *f, void *user)
{
    struct last_look *l = user;
    struct classified classified;
    int r = 0;
    if (l->kinds != NULL) {
        if (!kinds_differs(l->kinds, site_model_kind(l->model, f), l->stretch)) {
            return 0;
        }
        r = analysis_remove_classified(l->store, f);
    }
    site_model_classify(l->model, f, &classified);
    return r == 0 ? analysis_add_classified(l->store, f, &classified) : r;
}

static int classify_again(struct store *s, struct site_stream *t, const struct site_model *model)
{
    int r = 0;
    kinds_compare(t->kinds, model);
    for (unsigned i = 0; r == 0 && i < t->stretch_count; i++) {
        const struct stretch *at = &t->stretches[i];
        struct last_look l = {
            .store = s, .model = model, .kinds = at->is_classified ? t->kinds : NULL, .stretch = i};
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
                                site_model_is_session_carrier(l->model, carrier_id));
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

int classify_site(struct store *s, int64_t site_id, const struct profile_set *profiles,
                  struct classifier *c)
{
    struct site_stream *t = c != NULL ? find_site(c, site_id) : NULL;
    struct site_model *model = NULL;
    int r = 0;
    if (t != NULL) {
        model = site_learner_decide(t->learner);
        r = classify_again(s, t, model);
        site_destroy(c, t);
    } else {
        r = pipeline_learn_site(s, site_id, profiles, &model);
        r = r == 0 ? analysis_begin_site(s, site_id) : r;
        struct last_look l = {.store = s, .model = model};
        r = r == 0 ? read_site_exchanges(s, site_id, classify_row, &l) : r;
    }
    r = r == 0 ? store_model(s, site_id, model) : r;
    site_model_destroy(model);
    return r;
}
