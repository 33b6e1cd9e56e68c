/*
 * What one exchange is, by the model: shared by learning (over kinds) and classification.
 */
#include "session/site_model.h"

#include <string.h>

bool view_is_method(const struct view *v, const char *method)
{
    return hr_span_equal(v->method, hr_span_str(method));
}

bool view_is_get(const struct view *v)
{
    return view_is_method(v, "GET") || view_is_method(v, "HEAD");
}

bool view_looks_like_login(const struct view *v)
{
    if (v->flags & (FACT_LOGOUT_PATH | FACT_REFRESH_GRANT | FACT_STATIC_PATH)) {
        return false;
    }
    if (view_is_method(v, "OPTIONS") || view_is_method(v, "HEAD") || view_is_method(v, "DELETE")) {
        return false;
    }
    if (v->flags & FACT_AUTH_CALLBACK) {
        return true;
    }
    bool by_path = v->flags & FACT_LOGIN_PATH;
    bool password = (v->flags & FACT_PASSWORD) && !(v->flags & FACT_TWO_PASSWORDS);
    if (view_is_get(v)) {
        return by_path && (v->flags & (FACT_PASSWORD | FACT_USER_QUERY));
    }
    if (by_path) {
        return password || (v->flags & (FACT_USER_NAMED | FACT_TOKEN_IN_BODY | FACT_FIELDS));
    }
    return password && (v->flags & FACT_USER_NAMED) &&
           !(v->flags & (FACT_REGISTER_PATH | FACT_PASSWORD_PATH));
}

static const struct profile_action *login_action(const struct site_model *m, const struct view *v)
{
    return m->profile == NULL ? NULL
                              : profile_action_find(m->profile->login, m->profile->login_count,
                                                    v->method, v->path);
}

static bool status_fits(const struct profile_success *s, unsigned status)
{
    bool fits = s->status_count == 0;
    for (size_t i = 0; i < s->status_count; i++) {
        fits = fits || s->status[i] == status;
    }
    return fits;
}

static bool success_fits(const struct site_model *m, const struct profile_success *s,
                         const struct view *v)
{
    (void)m;
    if (!status_fits(s, v->status) || (s->status_count == 0 && v->status >= 400)) {
        return false;
    }
    if (s->location != NULL &&
        !(v->location.ptr != NULL && profile_path_fits(s->location, v->location)) &&
        !(v->location_path.ptr != NULL && profile_path_fits(s->location, v->location_path))) {
        return false;
    }
    if (s->json != NULL && (v->flags & FACT_SAYS_FAILURE)) {
        return false;
    }
    if (s->cookie != NULL) {
        uint64_t hash = learn_carrier_hash(TOKEN_COOKIE, hr_span_str(s->cookie));
        for (size_t i = 0; i < v->use_count; i++) {
            if (v->uses[i].carrier == hash && (v->uses[i].bits & (USE_SET_NEW | USE_SET_SAME))) {
                return true;
            }
        }
        return false;
    }
    return true;
}

bool model_shows_form_or_page(const struct site_model *m, const struct view *v)
{
    const struct model_endpoint *page =
        model_endpoint_of(m, learn_endpoint_hash(HR_SPAN("GET"), v->path));
    return page != NULL && page->forms > 0 && page->pages > 0 && !(v->flags & FACT_LOGIN_PATH);
}

enum answer_look view_login_look(const struct site_model *m, const struct view *v)
{
    const struct profile_action *a = login_action(m, v);
    if (v->status == 0) {
        return LOOK_NONE;
    }
    if (a != NULL && a->has_success && success_fits(m, &a->success, v)) {
        return LOOK_PLAUSIBLE;
    }
    if (v->status >= 500) {
        return LOOK_ERROR;
    }
    if (a != NULL && a->has_success) {
        return LOOK_FAILURE;
    }
    if (v->status >= 400 || v->status == 304 ||
        (v->flags & (FACT_SAYS_FAILURE | FACT_LOGIN_FORM))) {
        return LOOK_FAILURE;
    }
    if (v->flags & FACT_LOCATION_LOGIN) {
        return model_look_of_redirect_back(m, v);
    }
    if (v->location_path.ptr != NULL && !(v->flags & FACT_AUTH_CALLBACK) &&
        hr_span_equal(v->location_path, v->path)) { /* back to where it was asked */
        const struct model_endpoint *e = model_endpoint_of(m, v->endpoint);
        bool fails_otherwise = e != NULL && e->forms > 0;
        return !model_shows_form_or_page(m, v) ? model_look_of_redirect_back(m, v)
               : fails_otherwise               ? LOOK_PLAUSIBLE
                                               : LOOK_UNCLEAR;
    }
    return model_is_login_page(m, v->location_path) ? model_look_of_redirect_back(m, v)
                                                    : LOOK_PLAUSIBLE;
}

const struct model_carrier *model_carrier_of(const struct site_model *m, uint64_t hash)
{
    for (size_t i = 0; i < m->carrier_count; i++) {
        if (m->carriers[i].hash == hash) {
            return &m->carriers[i];
        }
    }
    return NULL;
}

unsigned model_session_bits(const struct site_model *m, const struct view *v, unsigned *ret_sent)
{
    unsigned bits = 0;
    *ret_sent = 0;
    for (size_t i = 0; i < v->use_count; i++) {
        if (model_carrier_of(m, v->uses[i].carrier) != NULL) {
            bits |= v->uses[i].bits;
            *ret_sent += (v->uses[i].bits & USE_SENT) != 0;
        }
    }
    return bits;
}

bool model_has_credential(const struct site_model *m, const struct view *v)
{
    uint64_t bearer = learn_carrier_hash(TOKEN_BEARER, HR_SPAN("bearer"));
    for (size_t i = 0; i < v->use_count; i++) {
        bool opens = v->uses[i].carrier == bearer;
        for (size_t k = 0; k < m->remembering_count; k++) {
            opens = opens || m->remembering[k] == v->uses[i].carrier;
        }
        if (opens && (v->uses[i].bits & USE_SENT)) {
            return true;
        }
    }
    return false;
}

struct model_endpoint *model_endpoint_of(const struct site_model *m, uint64_t hash)
{
    return (struct model_endpoint *)learn_table_find(&m->endpoints, hash);
}

/* What a page's form with one password posts to, whatever its words. */
static bool takes_form(const struct site_model *m, const struct view *v)
{
    const struct model_endpoint *e = model_endpoint_of(m, v->endpoint);
    return e != NULL && e->is_form_login && (v->flags & FACT_FIELDS) &&
           !(v->flags & (FACT_TWO_PASSWORDS | FACT_REGISTER_PATH | FACT_PASSWORD_PATH |
                         FACT_LOGOUT_PATH | FACT_REFRESH_GRANT | FACT_STATIC_PATH));
}

bool model_may_be_login(const struct site_model *m, const struct view *v)
{
    if (m->profile != NULL && m->profile->login_count > 0) {
        const struct profile_action *a = login_action(m, v);
        bool shows_form = view_is_get(v) && (v->flags & FACT_LOGIN_FORM);
        return a != NULL && !(v->flags & FACT_REFRESH_GRANT) &&
               (a->has_success || view_looks_like_login(v) || !shows_form);
    }
    return view_looks_like_login(v) || takes_form(m, v);
}

bool model_is_login(const struct site_model *m, const struct view *v)
{
    const struct model_endpoint *e = model_endpoint_of(m, v->endpoint);
    if (m->profile != NULL && m->profile->login_count > 0) {
        return model_may_be_login(m, v);
    }
    if (e == NULL || !e->is_login) {
        return false;
    }
    return view_looks_like_login(v) || takes_form(m, v) ||
           (e->only_logins && !view_is_get(v) && !(v->flags & FACT_REFRESH_GRANT));
}

bool view_gives_credential(const struct view *v)
{
    bool password = (v->flags & FACT_PASSWORD) && !(v->flags & FACT_TWO_PASSWORDS);
    return !view_is_get(v) && !view_is_method(v, "OPTIONS") && (v->flags & FACT_FIELDS) &&
           (password || (v->flags & (FACT_CODE_FIELD | FACT_AUTH_CALLBACK)));
}

bool model_is_unlock(const struct site_model *m, const struct view *v)
{
    const struct model_endpoint *e = model_endpoint_of(m, v->endpoint);
    return e != NULL && e->unlocks && view_gives_credential(v);
}

bool model_is_logout(const struct site_model *m, const struct view *v)
{
    const struct model_endpoint *e = model_endpoint_of(m, v->endpoint);
    if (view_is_method(v, "OPTIONS") || view_is_method(v, "HEAD")) {
        return false;
    }
    if (m->profile != NULL && m->profile->logout_count > 0) {
        return profile_action_find(m->profile->logout, m->profile->logout_count, v->method,
                                   v->path) != NULL;
    }
    if (e != NULL && e->is_question && !(model_session_bits(m, v, &(unsigned){0}) & USE_DELETED)) {
        return false;
    }
    return (v->flags & FACT_LOGOUT_PATH) || (e != NULL && e->is_logout);
}

bool model_is_logout_page(const struct site_model *m, const struct view *v)
{
    bool declared = m->profile != NULL && m->profile->logout_count > 0;
    unsigned bits = model_session_bits(m, v, &(unsigned){0});
    return !declared && view_is_get(v) && v->status >= 200 && v->status < 300 &&
           (v->flags & FACT_RESP_HTML) && v->location_path.ptr == NULL &&
           !model_sends_to_login(m, v) && !(bits & (USE_DELETED | USE_SET_NEW));
}

uint64_t model_path_hash(struct hr_span path)
{
    return learn_path_hash(path);
}

bool model_is_login_page(const struct site_model *m, struct hr_span path)
{
    return path.ptr != NULL && learn_table_find(&m->login_pages, model_path_hash(path)) != NULL;
}

uint64_t model_group_hash(const struct view *v)
{
    uint64_t parts[3] = {v->endpoint, v->status, v->answer};
    return hr_hash64(hr_span_of(parts, sizeof(parts)), 29);
}

static uint64_t hash_place(const struct view *v, uint64_t seed)
{
    struct hr_span query = v->location;
    struct hr_span to = hr_span_cut(&query, '?'); /* another origin's */
    return hr_hash64(v->location_path.ptr != NULL ? v->location_path : to, seed);
}

uint64_t model_away_hash(const struct view *v)
{
    return hash_place(v, v->endpoint);
}

uint64_t model_place_hash(const struct view *v)
{
    return hash_place(v, 31);
}

/* Those without a session are sent here, and nobody for another reason: maintenance, terms of use.
 * Such a place gets visitors of public pages too, or those whom the endpoint sends to the login at
 * other times. */
static bool is_away(const struct site_model *m, const struct view *v,
                    const struct model_endpoint *e)
{
    const struct model_away *away =
        (const struct model_away *)learn_table_find(&m->aways, model_away_hash(v));
    return away != NULL && e->granted_without == 0 && !(away->bare > 0 && e->bare_to_login > 0) &&
           learn_table_find(&m->detours, model_place_hash(v)) == NULL;
}

/* Does the redirect lead to where this endpoint, or any, sends those without a session? */
static bool leads_to_login(const struct site_model *m, const struct view *v,
                           const struct model_endpoint *e)
{
    if ((v->flags & FACT_LOCATION_LOGIN) || model_is_login_page(m, v->location_path)) {
        return true;
    }
    if (!view_is_get(v) || e == NULL || e->granted == 0) {
        return false; /* a redirect after a POST leads anywhere */
    }
    if (v->flags & FACT_LOCATION_AUTHORIZE) {
        return true;
    }
    return is_away(m, v, e) ||
           (v->location_path.ptr != NULL &&
            learn_table_find(&m->form_pages, model_path_hash(v->location_path)) != NULL);
}

bool model_sends_to_login(const struct site_model *m, const struct view *v)
{
    return v->status >= 200 && v->status < 300 &&
           ((v->flags & (FACT_LOCATION_LOGIN | FACT_LOCATION_AUTHORIZE)) ||
            model_is_login_page(m, v->location_path));
}

static enum session_outcome redirect_outcome(const struct site_model *m, const struct view *v,
                                             bool had_token)
{
    const struct model_endpoint *e = model_endpoint_of(m, v->endpoint);
    bool itself = v->location_path.ptr != NULL &&
                  model_path_hash(v->location_path) == model_path_hash(v->path);
    bool names_login = (v->flags & FACT_LOCATION_LOGIN) || model_is_login_page(m, v->location_path);
    if ((itself && (names_login || view_is_get(v))) || v->location.ptr == NULL) {
        return OUTCOME_NONE;
    }
    if (leads_to_login(m, v, e) || ((v->flags & FACT_LOCATION_AUTHORIZE) && view_is_get(v))) {
        return e != NULL && e->always_denies ? OUTCOME_NONE : OUTCOME_DENIED;
    }
    /* Permanent redirects are for everybody; one of who has no session proves nothing public; and
     * what is a page at other times does not redirect those whom it lets in. */
    if (v->status == 301 || v->status == 308 || !had_token ||
        (v->flags & FACT_LOCATION_AUTHORIZE) || (view_is_get(v) && e != NULL && e->granted > 0)) {
        return OUTCOME_NONE;
    }
    return OUTCOME_GRANTED;
}

bool view_sends_code(const struct view *v)
{
    const uint32_t needs = FACT_FIELDS | FACT_CODE_FIELD | FACT_AUTH_WORD;
    return !view_is_get(v) && (v->flags & needs) == needs;
}

/* 401 is the answer to what was sent. */
static bool refuses_credential(const struct view *v)
{
    return view_sends_code(v) ||
           (!view_is_get(v) && (v->flags & FACT_FIELDS) && (v->flags & FACT_PASSWORD));
}

enum session_outcome model_access_outcome(const struct site_model *m, const struct view *v,
                                          bool had_token)
{
    const struct model_endpoint *e = model_endpoint_of(m, v->endpoint);
    if (v->status >= 500) {
        return OUTCOME_ERROR;
    }
    if (v->flags & FACT_CACHED) {
        return OUTCOME_NONE;
    }
    if (v->status == 401) {
        return refuses_credential(v) ? OUTCOME_NONE : OUTCOME_DENIED;
    }
    if (v->status == 101) {
        return OUTCOME_GRANTED;
    }
    if (v->status >= 300 && v->status < 400 && v->status != 304) {
        return redirect_outcome(m, v, had_token);
    }
    bool says_so = (v->flags & FACT_LOCATION_LOGIN) || /* "not signed in" */
                   ((v->flags & FACT_LOGIN_FORM) && e != NULL && e->barred > 0 && e->granted > 0);
    if (v->status == 403 && says_so) {
        return e != NULL && e->always_denies ? OUTCOME_NONE : OUTCOME_DENIED;
    }
    if (v->status < 200 || v->status >= 300) {
        return OUTCOME_NONE;
    }
    if (model_sends_to_login(m, v)) {
        return e != NULL && e->always_denies ? OUTCOME_NONE : OUTCOME_DENIED;
    }
    if (v->flags & FACT_LOGIN_FORM) {
        /* In place of the page it is a denial; a page that always has it says nothing. */
        return e != NULL && e->pages > 0 && e->granted > 0 && !e->is_login_page ? OUTCOME_DENIED
                                                                                : OUTCOME_NONE;
    }
    if (model_tells_refusal(m, v)) {
        return e != NULL && e->always_denies ? OUTCOME_NONE : OUTCOME_DENIED;
    }
    return (v->flags & FACT_SAYS_FAILURE) ? OUTCOME_NONE : OUTCOME_GRANTED;
}
