/*
 * Decisions, each from what was counted and from those before it: carriers, login endpoints and
 * pages, logout endpoints, how successful logins answer, what the rest are.
 */
#include "base/alloc.h"
#include "session/site_model.h"

#include <stdlib.h>
#include <string.h>

#define SILENT_ENDS_MIN 3

struct decide {
    const struct site_learner *l;
    struct site_model *m;
    struct learn_kind **kinds; /* in order of their hashes */
    size_t kind_count;
};

static void release_endpoint(struct learn_entry *e)
{
    free(((struct model_endpoint *)e)->method);
    free(((struct model_endpoint *)e)->path);
    free(e);
}

static void add_page(struct learn_table *pages, struct hr_span path)
{
    bool is_new;
    learn_table_add(pages, model_path_hash(path), sizeof(struct learn_entry), &is_new);
}

static void copy_endpoints(struct decide *d)
{
    struct learn_entry **all = learn_table_sorted(&d->l->endpoints);
    for (size_t i = 0; i < d->l->endpoints.count; i++) {
        const struct learn_endpoint *from = (const struct learn_endpoint *)all[i];
        bool is_new;
        struct model_endpoint *to = (struct model_endpoint *)learn_table_add(
            &d->m->endpoints, from->entry.hash, sizeof(*to), &is_new);
        if (to != NULL) {
            to->method = hr_xstrdup(from->method);
            to->path = hr_xstrdup(from->path);
        }
    }
    free(all);
}

static void count_pages(struct decide *d)
{
    for (size_t i = 0; i < d->kind_count; i++) {
        struct view v;
        learn_view_of_kind(d->l, d->kinds[i], &v);
        struct model_endpoint *e = model_endpoint_of(d->m, v.endpoint);
        if (e != NULL && v.status >= 200 && v.status < 300) {
            uint64_t *count = (v.flags & FACT_LOGIN_FORM) ? &e->forms : &e->pages;
            *count += d->kinds[i]->count;
        }
        bool refused = v.status == 401 || v.status == 403 || v.status == 422 ||
                       (v.status >= 200 && v.status < 400 &&
                        (v.flags & (FACT_LOGIN_FORM | FACT_SAYS_FAILURE)));
        if (e != NULL && refused && view_looks_like_login(&v)) {
            e->refusals += d->kinds[i]->count;
        }
    }
}

/* --- logins by their form --------------------------------------------------------------------- */

/* An answer other than the form once more, on the way to somewhere else, or a page. */
static bool lets_in(const struct view *v)
{
    return (v->flags & FACT_FIELDS) && v->status >= 200 && v->status < 400 && v->status != 304 &&
           !(v->flags & (FACT_LOGIN_FORM | FACT_SAYS_FAILURE | FACT_LOCATION_LOGIN)) &&
           !(v->location_path.ptr != NULL &&
             learn_path_hash(v->location_path) == learn_path_hash(v->path));
}

static bool is_sent(const struct decide *d, uint64_t carrier)
{
    for (size_t i = 0; i < d->kind_count; i++) {
        for (size_t u = 0; u < d->kinds[i]->use_count; u++) {
            if (d->kinds[i]->uses[u].carrier == carrier && (d->kinds[i]->uses[u].bits & USE_SENT)) {
                return true;
            }
        }
    }
    return false;
}

static bool gives_what_is_sent(const struct decide *d, const struct view *v)
{
    for (size_t u = 0; u < v->use_count; u++) {
        unsigned bits = v->uses[u].bits;
        if ((bits & USE_SET_NEW) && (bits & (USE_RANDOM | USE_JWT)) &&
            is_sent(d, v->uses[u].carrier)) {
            return true;
        }
    }
    return false;
}

/* The words of a login may be unknown, but its form has one password, and what it posts to lets in:
 * with a token that is sent later, or at a site that has no other login. */
static void find_form_logins(struct decide *d)
{
    struct learn_table targets;
    bool by_words = false;
    bool is_new;
    learn_table_init(&targets, LEARN_ENDPOINTS, NULL);
    for (size_t i = 0; i < d->kind_count; i++) {
        struct view v;
        learn_view_of_kind(d->l, d->kinds[i], &v);
        by_words = by_words || view_looks_like_login(&v);
        if (learn_is_form_page(&v)) {
            learn_table_add(&targets, v.answer, sizeof(struct learn_entry), &is_new);
        }
    }
    for (size_t i = 0; i < d->kind_count; i++) {
        struct view v;
        learn_view_of_kind(d->l, d->kinds[i], &v);
        struct model_endpoint *e = model_endpoint_of(d->m, v.endpoint);
        if (e != NULL && view_is_method(&v, "POST") && lets_in(&v) &&
            learn_table_find(&targets, learn_path_hash(v.path)) != NULL &&
            (!by_words || gives_what_is_sent(d, &v))) {
            e->is_form_login = true;
        }
    }
    learn_table_finish(&targets);
}

/* --- logins ----------------------------------------------------------------------------------- */

static void count_logins(struct decide *d)
{
    for (size_t i = 0; i < d->kind_count; i++) {
        struct view v;
        unsigned sent;
        learn_view_of_kind(d->l, d->kinds[i], &v);
        struct model_endpoint *e = model_endpoint_of(d->m, v.endpoint);
        unsigned bits = model_session_bits(d->m, &v, &sent);
        if (e == NULL) {
            continue;
        }
        if (!model_may_be_login(d->m, &v)) {
            e->others += (v.flags & (FACT_REFRESH_GRANT | FACT_FIELDS)) ||
                                 (v.status >= 200 && v.status < 300)
                             ? d->kinds[i]->count
                             : 0;
            continue;
        }
        e->logins += d->kinds[i]->count;
        if (view_login_look(d->m, &v) == LOOK_PLAUSIBLE) {
            e->successes += d->kinds[i]->count;
            e->yields += (bits & (USE_SET_NEW | USE_SET_SAME)) ? d->kinds[i]->count : 0;
            e->users += (v.flags & (FACT_USER_NAMED | FACT_USER_QUERY)) ? d->kinds[i]->count : 0;
            learn_example_keep(&e->success, &d->kinds[i]->example);
            e->rotates = e->rotates || ((bits & USE_SENT) && (bits & USE_SET_NEW));
        }
    }
}

static bool session_is_user_name(const struct site_model *m)
{
    return m->carrier_count > 0 && m->carriers[0].carrier == TOKEN_USER_QUERY;
}

/* By rank: the path says so, or its answers give the session, or nothing better is there. */
static int login_rank(const struct decide *d, const struct model_endpoint *e, const struct view *v)
{
    if (!model_may_be_login(d->m, v)) {
        return 0;
    }
    bool by_path = v->flags & FACT_LOGIN_PATH;
    if ((v->flags & FACT_AUTH_CALLBACK) && (!by_path || view_is_get(v))) {
        return e->yields > 0 ? 3 : 0;
    }
    if (view_is_get(v)) {
        if (by_path && (session_is_user_name(d->m) || (v->flags & FACT_PASSWORD))) {
            return 3;
        }
        return by_path && e->yields > 0 ? 2 : 0;
    }
    const bool is_name_alone = (v->flags & FACT_USER_NAMED) && session_is_user_name(d->m);
    if (by_path && (is_name_alone || (v->flags & (FACT_PASSWORD | FACT_TOKEN_IN_BODY)))) {
        return 3; /* a name without a password may be the first of several steps */
    }
    return e->yields > 0 ? 3 : 1;
}

static int decide_login_rank(struct decide *d, int *ranks)
{
    int best = 0;
    for (size_t i = 0; i < d->kind_count; i++) {
        struct view v;
        learn_view_of_kind(d->l, d->kinds[i], &v);
        const struct model_endpoint *e = model_endpoint_of(d->m, v.endpoint);
        ranks[i] = e == NULL ? 0 : login_rank(d, e, &v);
        best = ranks[i] > best ? ranks[i] : best;
    }
    return best;
}

static void decide_logins(struct decide *d)
{
    int *ranks = hr_xcalloc(d->kind_count + 1, sizeof(*ranks));
    int best = decide_login_rank(d, ranks);
    for (size_t i = 0; i < d->kind_count; i++) {
        struct model_endpoint *e = model_endpoint_of(d->m, d->kinds[i]->endpoint);
        if (e != NULL && ranks[i] > 0 && ranks[i] == best) {
            e->is_login = true;
            e->only_logins = e->logins > e->others;
            d->m->has_posted_login = d->m->has_posted_login || strcmp(e->method, "GET") != 0;
        }
    }
    free(ranks);
}

/* Pages that show the login form, and those to which a login's own path belongs. */
static void decide_login_pages(struct decide *d)
{
    for (size_t i = 0; i < d->kind_count; i++) {
        struct view v;
        learn_view_of_kind(d->l, d->kinds[i], &v);
        struct model_endpoint *e = model_endpoint_of(d->m, v.endpoint);
        if (e == NULL) {
            continue;
        }
        if (strcmp(e->method, "GET") == 0 && e->forms > 0) {
            add_page(&d->m->form_pages, hr_span_str(e->path));
        }
        bool shows_form = strcmp(e->method, "GET") == 0 && e->forms > 0 && e->pages == 0;
        bool posted = e->is_login && strcmp(e->method, "GET") != 0 &&
                      ((v.flags & FACT_LOGIN_PATH) || e->is_form_login) &&
                      !model_shows_form_or_page(d->m, &v);
        if (shows_form || (posted && strcmp(e->path, "/") != 0)) {
            add_page(&d->m->login_pages, hr_span_str(e->path));
            e->is_login_page = e->is_login_page || shows_form;
        }
    }
    if (d->m->profile != NULL) { /* GET of a declared login's path is its form */
        for (size_t i = 0; i < d->m->profile->login_count; i++) {
            add_page(&d->m->login_pages, hr_span_str(d->m->profile->login[i].endpoint.path));
        }
    }
}

static void count_groups(struct decide *d)
{
    for (size_t i = 0; i < d->kind_count; i++) {
        struct view v;
        unsigned sent;
        bool is_new;
        learn_view_of_kind(d->l, d->kinds[i], &v);
        if (!model_is_login(d->m, &v) || view_login_look(d->m, &v) != LOOK_PLAUSIBLE ||
            !(v.flags & FACT_RESPONSE_WHOLE)) {
            continue;
        }
        struct model_group *g = (struct model_group *)learn_table_add(
            &d->m->groups, model_group_hash(&v), sizeof(*g), &is_new);
        unsigned bits = model_session_bits(d->m, &v, &sent);
        if (g != NULL) {
            g->total += d->kinds[i]->count;
            g->yields += (bits & (USE_SET_NEW | USE_SET_SAME)) ? d->kinds[i]->count : 0;
        }
    }
}

/* --- logouts and the rest --------------------------------------------------------------------- */

static void count_logouts(struct decide *d)
{
    for (size_t i = 0; i < d->kind_count; i++) {
        struct view v;
        unsigned sent;
        learn_view_of_kind(d->l, d->kinds[i], &v);
        struct model_endpoint *e = model_endpoint_of(d->m, v.endpoint);
        unsigned bits = model_session_bits(d->m, &v, &sent);
        bool acknowledged = v.status >= 200 && v.status < 400 && v.status != 304;
        if (e == NULL || !acknowledged || sent == 0) {
            continue;
        }
        e->logouts += d->kinds[i]->count;
        learn_example_keep(&e->logout, &d->kinds[i]->example);
        e->deletions += (bits & USE_DELETED) ? d->kinds[i]->count : 0;
    }
}

/* GET on a path where another method signs out, and that never deletes anything, only asks. */
static bool other_method_ends(const struct decide *d, const struct model_endpoint *e)
{
    static const char *const methods[] = {"POST", "DELETE", "PUT", "PATCH", NULL};
    for (size_t i = 0; methods[i] != NULL; i++) {
        const struct model_endpoint *other = model_endpoint_of(
            d->m, learn_endpoint_hash(hr_span_str(methods[i]), hr_span_str(e->path)));
        if (other != NULL && other->logouts > 0) {
            return true;
        }
    }
    return false;
}

/* DELETE /sessions/{id} and POST /sessions/revoke: perhaps the one on another device. */
static bool names_a_session(const struct model_endpoint *e)
{
    static const char *const words[] = {"revoke", "disconnect", "terminate", "invalidate", NULL};
    struct hr_span path = hr_span_str(e->path);
    size_t start = path.len;
    while (start > 0 && path.ptr[start - 1] != '/') {
        start--;
    }
    struct hr_span last = hr_span_slice(path, start, path.len);
    struct hr_span before = hr_span_slice(path, 0, start);
    bool is_weak = last.len > 2 && last.ptr[0] == '{';
    for (size_t i = 0; words[i] != NULL; i++) {
        is_weak = is_weak || hr_span_equal_nocase(last, hr_span_str(words[i]));
    }
    return is_weak && !hr_span_has_suffix_nocase(before, HR_SPAN("oauth/")) &&
           !hr_span_has_suffix_nocase(before, HR_SPAN("oauth2/")) &&
           !hr_span_has_suffix_nocase(before, HR_SPAN("token/")) &&
           !hr_span_has_suffix_nocase(before, HR_SPAN("connect/"));
}

static void decide_logouts(struct decide *d)
{
    for (size_t i = 0; i < d->kind_count; i++) {
        struct view v;
        learn_view_of_kind(d->l, d->kinds[i], &v);
        struct model_endpoint *e = model_endpoint_of(d->m, v.endpoint);
        if (e == NULL || e->is_login) {
            continue;
        }
        if (v.flags & FACT_LOGOUT_PATH) {
            bool asks = view_is_method(&v, "GET") && e->deletions == 0;
            e->is_logout = true;
            e->is_weak_logout = names_a_session(e);
            e->is_question = e->is_question || (asks && other_method_ends(d, e));
        }
    }
}

/* Sessions end with it, time and again; no one restart or expiry can be why. */
static bool ends_silently(const struct model_endpoint *e)
{
    return !e->is_login && !e->is_logout && e->silent_ends >= SILENT_ENDS_MIN &&
           e->silent_stays * SILENT_ENDS_MIN <= e->silent_ends && e->end_after > e->end_before &&
           e->denied_without == 0 && e->denied == 0 && e->changes == 0;
}

/* By what an endpoint does: it deletes the session's token each time, of sessions that were live.
 */
static void learn_logouts(struct decide *d)
{
    struct learn_entry **all = learn_table_sorted(&d->m->endpoints);
    for (size_t i = 0; i < d->m->endpoints.count; i++) {
        struct model_endpoint *e = (struct model_endpoint *)all[i];
        if (!e->is_login && !e->is_logout && e->live_ends >= 2 && e->deletions == e->logouts &&
            e->denied_without == 0 && e->denied == 0) {
            e->is_logout = true;
            e->logout_learned = true;
        }
        if (ends_silently(e)) {
            e->is_logout = true;
            e->logout_learned = true;
        }
        e->is_question = e->is_question || (e->is_weak_logout && e->deletions == 0 &&
                                            (e->used_after > 0 || e->other_ends > 0));
        e->is_ordinary = e->ordinary > 0;
        e->authenticates = e->changes >= 2 && e->ordinary == 0;
        e->always_denies = e->live_denials > 0;
    }
    free(all);
}

static bool is_access(const struct decide *d, const struct view *v)
{
    return model_endpoint_of(d->m, v->endpoint) != NULL && !model_is_login(d->m, v) &&
           !model_is_logout(d->m, v);
}

static bool leads_away(const struct view *v, unsigned bits)
{
    return v->location.ptr != NULL && view_is_get(v) && !(bits & USE_SET_NEW) && v->status != 301 &&
           v->status != 308 && !(v->flags & (FACT_LOCATION_LOGIN | FACT_LOCATION_AUTHORIZE));
}

/* Where an endpoint sends those who have no session. */
static void count_away(struct decide *d, const struct view *v, unsigned bits, uint64_t count)
{
    struct model_endpoint *e = model_endpoint_of(d->m, v->endpoint);
    bool is_new;
    if (v->status >= 300 && v->status < 400 &&
        ((v->flags & FACT_LOCATION_LOGIN) || model_is_login_page(d->m, v->location_path))) {
        e->bare_to_login += count;
    } else if (leads_away(v, bits)) {
        struct model_away *a = (struct model_away *)learn_table_add(
            &d->m->aways, model_away_hash(v), sizeof(*a), &is_new);
        if (a != NULL) {
            a->bare += count;
        }
    }
}

static void count_grants(struct decide *d)
{
    for (size_t i = 0; i < d->kind_count; i++) {
        struct view v;
        unsigned sent;
        learn_view_of_kind(d->l, d->kinds[i], &v);
        if (!is_access(d, &v)) {
            continue;
        }
        struct model_endpoint *e = model_endpoint_of(d->m, v.endpoint);
        uint64_t count = d->kinds[i]->count;
        unsigned bits = model_session_bits(d->m, &v, &sent);
        bool page = v.status >= 200 && v.status < 300 && !(v.flags & FACT_LOGIN_FORM) &&
                    !learn_is_told_failure(&v) && !model_sends_to_login(d->m, &v);
        e->granted += page && sent > 0 ? count : 0;
        e->barred += v.status == 403 && (v.flags & FACT_LOGIN_FORM) && sent == 0 ? count : 0;
        bool bare = sent == 0 && !(v.flags & FACT_CACHED) && !model_has_credential(d->m, &v);
        e->granted_without += page && bare ? count : 0;
        if (sent == 0) {
            count_away(d, &v, bits, count);
        }
    }
}

/* Where public pages and those with the login form send who has no session. */
static void find_detours(struct decide *d)
{
    for (size_t i = 0; i < d->kind_count; i++) {
        struct view v;
        unsigned sent;
        bool is_new;
        learn_view_of_kind(d->l, d->kinds[i], &v);
        const struct model_endpoint *e = model_endpoint_of(d->m, v.endpoint);
        unsigned bits = model_session_bits(d->m, &v, &sent);
        if (e != NULL && (e->granted_without > 0 || e->is_login_page) && sent == 0 &&
            is_access(d, &v) && leads_away(&v, bits)) {
            learn_table_add(&d->m->detours, model_place_hash(&v), sizeof(struct learn_entry),
                            &is_new);
        }
    }
}

static void count_denials(struct decide *d)
{
    for (size_t i = 0; i < d->kind_count; i++) {
        struct view v;
        unsigned sent;
        learn_view_of_kind(d->l, d->kinds[i], &v);
        model_session_bits(d->m, &v, &sent);
        if (is_access(d, &v) && model_access_outcome(d->m, &v, sent > 0) == OUTCOME_DENIED) {
            struct model_endpoint *e = model_endpoint_of(d->m, v.endpoint);
            e->denied += sent > 0 ? d->kinds[i]->count : 0;
            e->denied_without += sent == 0 ? d->kinds[i]->count : 0;
        }
    }
}

/* @param openings  as they were learned from a first model, whose own are taken */
static struct site_model *decide(struct site_learner *l, struct learn_table *openings)
{
    struct site_model *m = hr_xcalloc(1, sizeof(*m));
    struct decide d = {.l = l, .m = m};
    m->site = hr_xstrdup(l->site);
    m->profile = l->profile;
    m->has_several_captures = l->capture == SIZE_MAX;
    learn_table_init(&m->endpoints, LEARN_ENDPOINTS, release_endpoint);
    learn_table_init(&m->groups, LEARN_KINDS, NULL);
    if (openings == NULL) {
        learn_table_init(&m->openings, LEARN_KINDS, NULL);
    } else {
        m->openings = *openings;
    }
    learn_table_init(&m->told_refusals, LEARN_KINDS, NULL);
    learn_table_init(&m->aways, LEARN_KINDS, NULL);
    learn_table_init(&m->detours, LEARN_KINDS, NULL);
    learn_table_init(&m->login_pages, LEARN_ENDPOINTS, NULL);
    learn_table_init(&m->form_pages, LEARN_ENDPOINTS, NULL);
    d.kinds = (struct learn_kind **)learn_table_sorted(&l->kinds);
    d.kind_count = l->kinds.count;
    copy_endpoints(&d);
    count_pages(&d);
    openings_count_refusals(m);
    find_form_logins(&d);
    decide_carriers(m, l);
    count_logins(&d);
    decide_logins(&d);
    decide_login_pages(&d);
    count_groups(&d);
    count_logouts(&d);
    decide_logouts(&d);
    count_grants(&d);
    find_detours(&d);
    decide_refusals(m, l);
    decide_aways(m, l);
    count_denials(&d);
    decide_unlocks(m, l);
    decide_from_tokens(m, l);
    learn_logouts(&d);
    model_explain(m);
    free(d.kinds);
    return m;
}

struct site_model *site_learner_decide(struct site_learner *l)
{
    struct learn_table openings;
    learn_table_trim(&l->carriers);
    learn_table_trim(&l->endpoints);
    learn_table_trim(&l->kinds);
    learn_table_trim(&l->tokens);
    struct site_model *m = decide(l, NULL);
    learn_table_init(&openings, LEARN_KINDS, NULL);
    if (!find_openings(m, l, &openings)) {
        learn_table_finish(&openings);
        return m;
    }
    site_model_destroy(m);
    return decide(l, &openings);
}

void site_model_destroy(struct site_model *m)
{
    if (m == NULL) {
        return;
    }
    for (size_t i = 0; i < m->carrier_count; i++) {
        free(m->carriers[i].name);
    }
    for (size_t i = 0; i < m->other_count; i++) {
        free(m->others[i].name);
    }
    for (size_t i = 0; i < m->decision_count; i++) {
        free(m->decisions[i].value);
        free(m->decisions[i].reason);
    }
    learn_table_finish(&m->endpoints);
    learn_table_finish(&m->groups);
    learn_table_finish(&m->openings);
    learn_table_finish(&m->told_refusals);
    learn_table_finish(&m->aways);
    learn_table_finish(&m->detours);
    learn_table_finish(&m->login_pages);
    learn_table_finish(&m->form_pages);
    free(m->decisions);
    free(m->carrier_ids);
    free(m->opener_ids);
    free(m->site);
    free(m);
}
