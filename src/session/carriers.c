/*
 * Which carriers hold the session. What their values do counts first: given by logins, sent later,
 * deleted by logouts, granted with and denied without; names weigh in.
 */
#include "base/alloc.h"
#include "session/site_model.h"

#include <stdlib.h>
#include <string.h>

#define CANDIDATE_LIMIT LEARN_CARRIERS

struct choice {
    const struct site_learner *l;
    struct site_model *m;
    struct model_carrier *all;
    size_t count;
    struct learn_kind **kinds;
    size_t kind_count;
};

static struct model_carrier *find(struct choice *c, uint64_t hash)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->all[i].hash == hash) {
            return &c->all[i];
        }
    }
    return NULL;
}

static unsigned bits_of(const struct view *v, uint64_t carrier)
{
    for (size_t i = 0; i < v->use_count; i++) {
        if (v->uses[i].carrier == carrier) {
            return v->uses[i].bits;
        }
    }
    return 0;
}

static bool is_grant(const struct view *v)
{
    return v->status >= 200 && v->status < 300 &&
           !(v->flags & (FACT_LOGIN_FORM | FACT_CACHED | FACT_STATIC_PATH | FACT_SAYS_FAILURE |
                         FACT_LOCATION_LOGIN | FACT_LOCATION_AUTHORIZE));
}

static bool is_denial(const struct view *v)
{
    return v->status == 401 || (((v->status >= 200 && v->status < 400) || v->status == 403) &&
                                (v->flags & (FACT_LOCATION_LOGIN | FACT_LOCATION_AUTHORIZE)));
}

static void count_use(struct model_carrier *s, const struct view *v, unsigned bits,
                      const struct learn_kind *k, bool login, bool ok)
{
    uint64_t count = k->count;
    s->used += count;
    s->sent += (bits & USE_SENT) ? count : 0;
    s->self_contained += (bits & USE_JWT) ? count : 0;
    s->random += (bits & USE_RANDOM) ? count : 0;
    s->in_body += (bits & USE_IN_BODY) ? count : 0;
    s->deleted += (bits & USE_DELETED) ? count : 0;
    if ((v->flags & FACT_LOGOUT_PATH) && (bits & USE_DELETED)) {
        s->logout_deleted += count;
        learn_example_keep(&s->taken, &k->example);
    }
    if (bits & USE_SENT) {
        learn_example_keep(&s->sent_at, &k->example);
    }
    if (login && ok && (bits & USE_SET_NEW)) {
        s->login_set += count;
        learn_example_keep(&s->given, &k->example);
    }
    if (!login && (bits & USE_SET_NEW) && (bits & USE_SENT) && is_grant(v)) {
        s->rotated += count;
    }
    if (!login && (bits & USE_SET_NEW) && !(bits & USE_SENT)) {
        s->visit_set += count;
    }
}

static void count_kinds(struct choice *c)
{
    uint64_t login_ok = 0;
    for (size_t i = 0; i < c->kind_count; i++) {
        struct view v;
        learn_view_of_kind(c->l, c->kinds[i], &v);
        bool login = model_may_be_login(c->m, &v);
        bool ok = login && view_login_look(c->m, &v) == LOOK_PLAUSIBLE;
        login_ok += ok ? c->kinds[i]->count : 0;
        for (size_t u = 0; u < v.use_count; u++) {
            struct model_carrier *s = find(c, v.uses[u].carrier);
            if (s != NULL) {
                count_use(s, &v, v.uses[u].bits, c->kinds[i], login, ok);
            }
        }
    }
    for (size_t i = 0; i < c->count; i++) {
        c->all[i].login_ok = login_ok;
    }
}

static int by_endpoint(const void *a, const void *b)
{
    const struct learn_kind *x = *(struct learn_kind *const *)a;
    const struct learn_kind *y = *(struct learn_kind *const *)b;
    if (x->endpoint != y->endpoint) {
        return x->endpoint < y->endpoint ? -1 : 1;
    }
    return x->entry.hash < y->entry.hash ? -1 : x->entry.hash > y->entry.hash;
}

/* Do the kinds [first, end), of one endpoint, grant with the carrier, deny without it, and never
 * grant without it? */
static bool guards(struct choice *c, size_t first, size_t end, uint64_t carrier)
{
    bool with = false;
    bool denied = false;
    for (size_t k = first; k < end; k++) {
        struct view v;
        learn_view_of_kind(c->l, c->kinds[k], &v);
        if (model_may_be_login(c->m, &v)) {
            continue;
        }
        bool sent = bits_of(&v, carrier) & USE_SENT;
        if (!sent && is_grant(&v)) {
            return false;
        }
        with = with || (sent && is_grant(&v));
        denied = denied || (!sent && is_denial(&v));
    }
    return with && denied;
}

static void count_guards(struct choice *c)
{
    size_t end;
    for (size_t first = 0; first < c->kind_count; first = end) {
        end = first + 1;
        while (end < c->kind_count && c->kinds[end]->endpoint == c->kinds[first]->endpoint) {
            end++;
        }
        for (size_t i = 0; i < c->count; i++) {
            c->all[i].guarded += guards(c, first, end, c->all[i].hash);
        }
    }
}

static void count_tokens(struct choice *c)
{
    struct learn_entry **tokens = learn_table_sorted(&c->l->tokens);
    uint64_t *issued = hr_xcalloc(c->count + 1, sizeof(*issued));
    uint64_t *again = hr_xcalloc(c->count + 1, sizeof(*again));
    for (size_t i = 0; i < c->l->tokens.count; i++) {
        const struct learn_token *t = (const struct learn_token *)tokens[i];
        struct model_carrier *s = find(c, t->carrier);
        bool set = false;
        bool sent = false;
        bool repeated = false;
        for (size_t e = 0; s != NULL && e < t->event_count; e++) {
            bool sets = t->events[e].bits & USE_SET_NEW;
            repeated = repeated || (sets && (set || sent));
            s->carried += set && !sent && !sets && (t->events[e].bits & USE_SENT);
            sent = sent || (!sets && (t->events[e].bits & USE_SENT));
            set = set || sets;
        }
        if (s != NULL) {
            s->values += t->set_count > 0;
            s->value_sets += t->set_count;
            issued[s - c->all] += set;
            again[s - c->all] += repeated;
        }
    }
    for (size_t i = 0; i < c->count; i++) {
        c->all[i].reissues = again[i] > 1 && again[i] * 10 > issued[i];
    }
    free(issued);
    free(again);
    free(tokens);
}

/* One value for everybody is a mark, not a session; few that come again and again may be names. */
static int uniqueness(const struct model_carrier *s)
{
    if (s->values == 0 || s->value_sets < 3 || s->value_sets < 3 * s->values) {
        return 0;
    }
    return s->random * 2 > s->used ? -2 : -5;
}

static void score(struct model_carrier *s)
{
    bool is_user = s->carrier == TOKEN_USER_QUERY;
    s->score = (s->login_set * 2 >= s->login_ok && s->login_set > 0 ? 4
                : s->login_set > 0                                  ? 2
                                                                    : 0) +
               (s->logout_deleted > 0 ? 2 : 0) + (s->guarded > 0 ? 3 : 0) + (s->named ? 2 : 0) +
               (s->random * 2 > s->used ? 2 : 0) + (s->carried > 0 ? 1 : 0) -
               (s->visit_set > 0 && s->login_set == 0 && s->guarded == 0 ? 2 : 0) + uniqueness(s);
    bool is_mark = s->values == 1 && s->value_sets >= 3 && s->carrier == TOKEN_COOKIE &&
                   s->random * 2 <= s->used;
    if (is_mark) {
        s->eligible = false;
    } else if (s->carrier == TOKEN_BEARER) {
        s->eligible = s->sent > 0 || (s->in_body > 0 && s->login_set > 0);
        s->score +=
            s->sent > 0 ? 1 : -3; /* a token in a body that nobody sends is something else */
    } else {
        bool issued = s->login_set > 0;
        s->eligible =
            !is_user && !s->remembers &&
            (issued || (s->sent > 0 && (s->guarded > 0 || s->named || s->logout_deleted > 0)));
    }
}

static int by_score(const void *a, const void *b)
{
    const struct model_carrier *x = a;
    const struct model_carrier *y = b;
    if (x->eligible != y->eligible) {
        return x->eligible ? -1 : 1;
    }
    if (x->score != y->score) {
        return x->score > y->score ? -1 : 1;
    }
    if (x->carrier != y->carrier) {
        return x->carrier < y->carrier ? -1 : 1;
    }
    return strcmp(x->name, y->name);
}

/* JSESSIONID and ;jsessionid=, PHPSESSID and ?PHPSESSID=: for clients without cookies the same
 * token stands in the target. */
static bool is_same_in_target(const struct choice *c, const struct model_carrier *s)
{
    for (size_t i = 0; i < c->m->carrier_count; i++) {
        const struct model_carrier *other = &c->m->carriers[i];
        const struct model_carrier *cookie = s->carrier == TOKEN_COOKIE ? s : other;
        const struct model_carrier *target = s->carrier == TOKEN_COOKIE ? other : s;
        if (cookie->carrier == TOKEN_COOKIE &&
            (target->carrier == TOKEN_PATH || target->carrier == TOKEN_QUERY) &&
            hr_span_equal_nocase(hr_span_str(cookie->name), hr_span_str(target->name))) {
            return true;
        }
    }
    return false;
}

/* Does it hold sessions of its own, apart from the better ones? */
static bool stands_alone(struct choice *c, struct model_carrier *s)
{
    uint64_t together = 0;
    for (size_t i = 0; i < c->kind_count; i++) {
        struct view v;
        unsigned sent;
        learn_view_of_kind(c->l, c->kinds[i], &v);
        unsigned mine = bits_of(&v, s->hash);
        unsigned theirs = model_session_bits(c->m, &v, &sent);
        bool login = model_may_be_login(c->m, &v) && view_login_look(c->m, &v) == LOOK_PLAUSIBLE;
        if (login && (mine & USE_SET_NEW) && !(theirs & (USE_SET_NEW | USE_SET_SAME))) {
            s->own_logins += c->kinds[i]->count;
        }
        if (!login && (mine & USE_SENT) && !(theirs & (USE_SENT | USE_SET_NEW)) && is_grant(&v)) {
            s->alone += c->kinds[i]->count;
        }
        together += (mine & USE_SENT) && (theirs & USE_SENT) ? c->kinds[i]->count : 0;
    }
    bool looks_right = s->random * 2 > s->used;
    if (s->carrier == TOKEN_BEARER) {
        return s->sent > 0 && s->alone > 0;
    }
    /* Given by logins of its own, where the better one is given by other logins: two doors. */
    bool two_doors = c->m->carriers[0].login_set > 0 && s->login_set > 1 &&
                     s->own_logins == s->login_set && s->sent > 0;
    return looks_right && (two_doors || (s->alone > together && is_same_in_target(c, s)) ||
                           (s->alone > 0 && s->guarded > 0 && s->own_logins * 2 > s->login_set));
}

static bool wanted_by_profile(const struct profile *p, const struct model_carrier *s)
{
    for (size_t i = 0; i < p->session_count; i++) {
        const struct profile_place *place = &p->session[i];
        bool is_cookie = place->where == PROFILE_COOKIE || place->where == PROFILE_COOKIES;
        bool is_user = place->where == PROFILE_USER_QUERY;
        if (is_cookie || is_user) {
            if (s->carrier == (is_cookie ? TOKEN_COOKIE : TOKEN_USER_QUERY) &&
                strcmp(s->name, place->name) == 0) {
                return true;
            }
        } else if (s->carrier == TOKEN_PATH) {
            if (place->where == PROFILE_QUERY &&
                hr_span_equal_nocase(hr_span_str(s->name), hr_span_str(place->name))) {
                return true;
            }
        } else if (s->carrier == TOKEN_BEARER) {
            return true;
        }
    }
    return false;
}

static void take(struct choice *c, struct model_carrier *s)
{
    if (c->m->carrier_count < MODEL_CARRIERS) {
        struct model_carrier *to = &c->m->carriers[c->m->carrier_count++];
        *to = *s;
        to->name = hr_xstrdup(s->name);
    }
}

/* @return how often that name stands at logins and elsewhere; 0 unless at both */
static uint64_t uses_as_session(struct choice *c, uint64_t carrier)
{
    uint64_t at_login = 0;
    uint64_t elsewhere = 0;
    for (size_t k = 0; k < c->kind_count; k++) {
        struct view v;
        learn_view_of_kind(c->l, c->kinds[k], &v);
        if (!(bits_of(&v, carrier) & USE_SENT)) {
            continue;
        }
        if (model_may_be_login(c->m, &v)) {
            at_login += view_login_look(c->m, &v) == LOOK_PLAUSIBLE ? c->kinds[k]->count : 0;
        } else if (!(v.flags & FACT_STATIC_PATH) && (is_grant(&v) || is_denial(&v))) {
            elsewhere += c->kinds[k]->count;
        }
    }
    return at_login > 0 && elsewhere > 0 ? at_login + elsewhere : 0;
}

/* A site whose session is the user's name: it stands at the login and elsewhere, and nothing else
 * does what a session's token does. */
static void choose_user_query(struct choice *c)
{
    struct model_carrier *best = NULL;
    uint64_t best_uses = 0;
    for (size_t i = 0; i < c->count; i++) {
        struct model_carrier *s = &c->all[i];
        uint64_t uses = s->carrier == TOKEN_USER_QUERY ? uses_as_session(c, s->hash) : 0;
        bool first = best == NULL || strcmp(s->name, best->name) < 0;
        if (uses > best_uses || (uses > 0 && uses == best_uses && first)) {
            best = s;
            best_uses = uses;
        }
    }
    if (best != NULL) {
        take(c, best);
    }
}

static void choose(struct choice *c)
{
    qsort(c->all, c->count, sizeof(*c->all), by_score);
    bool has_evidence =
        c->count > 0 && c->all[0].eligible && (c->all[0].login_set > 0 || c->all[0].guarded > 0);
    if (!has_evidence) {
        choose_user_query(c);
    }
    for (size_t i = 0; i < c->count && c->all[i].eligible; i++) {
        if (c->m->carrier_count == 0 || stands_alone(c, &c->all[i])) {
            take(c, &c->all[i]);
        }
    }
}

static void choose_by_profile(struct choice *c)
{
    qsort(c->all, c->count, sizeof(*c->all), by_score);
    for (size_t i = 0; i < c->count; i++) {
        if (wanted_by_profile(c->l->profile, &c->all[i])) {
            c->all[i].from_profile = true;
            take(c, &c->all[i]);
        }
    }
}

static void name_classes(const struct site_learner *l, struct model_carrier *s)
{
    struct hr_span name = hr_span_str(s->name);
    if (hr_span_has_prefix_nocase(name, HR_SPAN("__Host-"))) {
        name = hr_span_slice(name, 7, name.len);
    } else if (hr_span_has_prefix_nocase(name, HR_SPAN("__Secure-"))) {
        name = hr_span_slice(name, 9, name.len);
    }
    s->remembers = s->carrier == TOKEN_COOKIE && lists_find(l->lists, LIST_remember_me, name) != 0;
    s->named = s->carrier == TOKEN_COOKIE && !s->remembers &&
               lists_find(l->lists, LIST_session_names, name) != 0;
}

/* Cookies that a login gave beside the session's and that stay: they may open the next one. */
static void choose_remembering(struct choice *c)
{
    for (size_t i = 0; i < c->count && c->m->remembering_count < MODEL_CARRIERS; i++) {
        const struct model_carrier *s = &c->all[i];
        bool by_deed = s->carrier == TOKEN_COOKIE && s->login_set > 0 && s->random * 2 > s->used;
        if (model_carrier_of(c->m, s->hash) == NULL && (s->remembers || by_deed)) {
            c->m->remembering[c->m->remembering_count++] = s->hash;
        }
    }
}

/* Cookies that are given to whoever comes, and not by logins: they open nothing. */
static void choose_visiting(struct choice *c)
{
    for (size_t i = 0; i < c->count && c->m->visiting_count < MODEL_VISITING; i++) {
        const struct model_carrier *s = &c->all[i];
        if (s->carrier == TOKEN_COOKIE && s->visit_set > 0 && s->login_set == 0 && !s->remembers &&
            model_carrier_of(c->m, s->hash) == NULL) {
            c->m->visiting[c->m->visiting_count++] = s->hash;
        }
    }
}

/* What else logins gave, or frameworks call a session: people may know better. */
static void keep_others(struct choice *c)
{
    for (size_t i = 0; i < c->count && c->m->other_count < MODEL_OTHERS; i++) {
        const struct model_carrier *s = &c->all[i];
        if ((s->login_set > 0 || s->guarded > 0 || s->remembers || s->named) &&
            s->carrier != TOKEN_USER_QUERY && model_carrier_of(c->m, s->hash) == NULL) {
            struct model_carrier *to = &c->m->others[c->m->other_count++];
            *to = *s;
            to->name = hr_xstrdup(s->name);
        }
    }
}

static int64_t id_of(const struct choice *c, uint64_t hash)
{
    return ((const struct learn_carrier *)learn_table_find(&c->l->carriers, hash))->id;
}

static void keep_ids(struct choice *c)
{
    struct site_model *m = c->m;
    m->carrier_ids = hr_xcalloc(m->carrier_count + 1, sizeof(*m->carrier_ids));
    m->opener_ids = hr_xcalloc(c->count + 1, sizeof(*m->opener_ids));
    for (size_t i = 0; i < m->carrier_count; i++) {
        m->carrier_ids[m->carrier_id_count++] = id_of(c, m->carriers[i].hash);
    }
    for (size_t i = 0; i < c->count; i++) {
        if (c->all[i].remembers && model_carrier_of(m, c->all[i].hash) == NULL) {
            m->opener_ids[m->opener_id_count++] = id_of(c, c->all[i].hash);
        }
    }
}

void decide_carriers(struct site_model *m, const struct site_learner *l)
{
    struct choice c = {.l = l, .m = m, .count = l->carriers.count, .kind_count = l->kinds.count};
    struct learn_entry **carriers = learn_table_sorted(&l->carriers);
    c.kinds = (struct learn_kind **)learn_table_sorted(&l->kinds);
    qsort(c.kinds, c.kind_count, sizeof(struct learn_kind *), by_endpoint);
    c.all = hr_xcalloc(c.count + 1, sizeof(*c.all));
    for (size_t i = 0; i < c.count; i++) {
        const struct learn_carrier *from = (const struct learn_carrier *)carriers[i];
        c.all[i] = (struct model_carrier){
            .hash = from->entry.hash, .carrier = from->carrier, .name = from->name};
        name_classes(l, &c.all[i]);
    }
    count_kinds(&c);
    count_guards(&c);
    count_tokens(&c);
    for (size_t i = 0; i < c.count; i++) {
        score(&c.all[i]);
    }
    if (l->profile != NULL && l->profile->session_count > 0) {
        choose_by_profile(&c);
    } else {
        choose(&c);
    }
    choose_remembering(&c);
    choose_visiting(&c);
    keep_others(&c);
    keep_ids(&c);
    free(c.all);
    free(c.kinds);
    free(carriers);
}
