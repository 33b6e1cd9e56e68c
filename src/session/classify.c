/*
 * One exchange by the model, row by row. A pure function.
 */
#include "session/site_model.h"

#include <string.h>

struct task {
    const struct site_model *m;
    const struct exchange_facts *f;
    struct classified *c;
    struct view v;
    const struct model_carrier *carriers[FACTS_TOKEN_LIMIT]; /* of f->tokens; NULL: no session's */
    unsigned sent;    /* session tokens that the request carried */
    unsigned set;     /* ... that the answer gave anew */
    bool remembered;  /* the request carried what may open a session by itself */
    bool is_answered; /* 2xx or 3xx but 304 */
};

static void add(struct task *t, enum operation_kind kind, int64_t session_id, bool issues,
                bool understood)
{
    bool whole_counts = kind == OPERATION_LOGIN || kind == OPERATION_LOGOUT ||
                        kind == OPERATION_OPENED || kind == OPERATION_ROTATED;
    if (session_id == 0 || t->c->operation_count == SESSION_OPERATION_LIMIT) {
        return;
    }
    hr_nsec start = t->f->request_at != HR_NSEC_INFINITE ? t->f->request_at : t->f->response_at;
    hr_nsec end = t->f->response_at;
    if (t->f->status == 0) {
        end = HR_NSEC_INFINITE;
    } else if (whole_counts || kind == OPERATION_MAYBE_LOGIN || kind == OPERATION_MAYBE_LOGOUT) {
        end = t->f->response_end_at;
    }
    if (end < start) { /* the answer's first byte came before the request was seen */
        end = start;
    }
    t->c->operations[t->c->operation_count++] = (struct session_operation){
        .kind = kind,
        .session_id = session_id,
        .start = start,
        .end = end,
        .issues = issues,
        .understood = understood,
    };
}

static bool is_set_new(const struct token_use *u)
{
    return (u->flags & TOKEN_SET) &&
           !((u->flags & TOKEN_SENT) && hr_digest_equal(&u->sent, &u->set));
}

/* @return whether the exchange may be said to have brought the token into the world */
static bool issues(const struct task *t, size_t i)
{
    return is_set_new(&t->f->tokens[i]) && !t->carriers[i]->reissues;
}

/* One operation for every session token that the request carried; whether it comes back the same
 * or is replaced does not matter here. */
static void add_sent(struct task *t, enum operation_kind kind, bool understood)
{
    for (size_t i = 0; i < t->f->token_count; i++) {
        if (t->carriers[i] != NULL && (t->f->tokens[i].flags & TOKEN_SENT)) {
            add(t, kind, t->f->tokens[i].sent_id, false, understood);
        }
    }
}

static void add_set(struct task *t, enum operation_kind kind, bool understood)
{
    for (size_t i = 0; i < t->f->token_count; i++) {
        if (t->carriers[i] != NULL && is_set_new(&t->f->tokens[i])) {
            add(t, kind, t->f->tokens[i].set_id, issues(t, i), understood);
        }
    }
}

static void add_refreshes(struct task *t)
{
    for (size_t i = 0; i < t->f->token_count; i++) {
        const struct token_use *u = &t->f->tokens[i];
        if (t->carriers[i] != NULL && (u->flags & TOKEN_SET) && !is_set_new(u)) {
            add(t, OPERATION_REFRESH, u->set_id, false, true);
        }
    }
}

/* The session that was set, or sent, in the best carrier that has one. */
static int64_t session_with(const struct task *t, unsigned flag)
{
    for (size_t c = 0; c < t->m->carrier_count; c++) {
        for (size_t i = 0; i < t->f->token_count; i++) {
            const struct token_use *u = &t->f->tokens[i];
            if (t->carriers[i] == &t->m->carriers[c] && (u->flags & flag)) {
                return flag == TOKEN_SET ? u->set_id : u->sent_id;
            }
        }
    }
    return 0;
}

static int64_t first_session(const struct task *t, bool set_first)
{
    int64_t id = session_with(t, set_first ? TOKEN_SET : TOKEN_SENT);
    return id != 0 ? id : session_with(t, set_first ? TOKEN_SENT : TOKEN_SET);
}

/* --- login ------------------------------------------------------------------------------------ */

/* Who comes with a token keeps it over the login: the site's habit, or the profile's word. */
static bool keeps_token(const struct task *t, const struct model_endpoint *e)
{
    bool declared = t->m->profile != NULL && t->m->profile->login_count > 0;
    return e == NULL || e->yields == 0 || (t->sent > 0 && e->keeps > 0 && !e->rotates) || declared;
}

static void login_without_token(struct task *t)
{
    const struct model_endpoint *e = model_endpoint_of(t->m, t->v.endpoint);
    const struct model_group *g =
        (const struct model_group *)learn_table_find(&t->m->groups, model_group_hash(&t->v));
    bool whole = t->f->flags & FACT_RESPONSE_WHOLE;
    bool like_others = g != NULL && g->yields > 0 && g->yields * 4 >= g->total;
    bool habit = t->sent > 0 && e != NULL && e->keeps > 0 && !e->rotates;
    t->c->outcome = OUTCOME_SUCCESS;
    if (like_others && !habit) {
        /* Like those that give a token. Who came with one may keep it, unless the site changes it.
         */
        t->c->missing_token = (t->sent == 0 || (e != NULL && e->rotates)) && whole &&
                              !(t->f->flags & (FACT_LOSS | FACT_CACHED));
        add_sent(t, OPERATION_MAYBE_LOGIN, true);
    } else if (keeps_token(t, e)) {
        add_sent(t, whole ? OPERATION_LOGIN : OPERATION_MAYBE_LOGIN, true);
    } else {
        /* Not like the successes: a failure with a page of its own, or a step on the way. */
        t->c->outcome = OUTCOME_FAILURE;
        add_sent(t, OPERATION_MAYBE_LOGIN, false);
    }
}

static void login_with_token(struct task *t)
{
    bool whole = t->f->flags & FACT_RESPONSE_WHOLE;
    t->c->outcome = OUTCOME_SUCCESS;
    for (size_t i = 0; i < t->f->token_count; i++) {
        const struct token_use *u = &t->f->tokens[i];
        if (t->carriers[i] != NULL && (u->flags & TOKEN_SET)) {
            add(t, whole ? OPERATION_LOGIN : OPERATION_MAYBE_LOGIN, u->set_id, issues(t, i), true);
        }
    }
    for (size_t i = 0; i < t->f->token_count; i++) {
        const struct token_use *u = &t->f->tokens[i];
        bool replaced = (u->flags & TOKEN_SENT) && (!(u->flags & TOKEN_SET) || is_set_new(u));
        if (t->carriers[i] != NULL && replaced) {
            add(t, OPERATION_REPLACED, u->sent_id, false, true);
        }
    }
}

static bool gives_token(const struct task *t)
{
    for (size_t i = 0; i < t->f->token_count; i++) {
        if (t->carriers[i] != NULL && (t->f->tokens[i].flags & TOKEN_SET)) {
            return true;
        }
    }
    return false;
}

static bool is_whole(const struct task *t)
{
    return (t->f->flags & FACT_RESPONSE_WHOLE) && t->f->request_at != HR_NSEC_INFINITE;
}

static void classify_login(struct task *t)
{
    t->c->role = ROLE_LOGIN;
    t->c->session_id = first_session(t, true);
    t->c->user = t->f->user;
    switch (view_login_look(t->m, &t->v)) {
    case LOOK_NONE:
        add_set(t, OPERATION_MAYBE_LOGIN, true);
        add_sent(t, OPERATION_MAYBE_LOGIN, true);
        break;
    case LOOK_UNCLEAR: /* while it was answered, or never */
        add_set(t, is_whole(t) ? OPERATION_OPENED : OPERATION_MAYBE_LOGIN, true);
        add_sent(t, is_whole(t) ? OPERATION_OPENED : OPERATION_MAYBE_LOGIN, true);
        break;
    case LOOK_ERROR:
        t->c->outcome = OUTCOME_ERROR;
        add_set(t, OPERATION_MAYBE_LOGIN, true);
        add_sent(t, OPERATION_MAYBE_LOGIN, true);
        break;
    case LOOK_FAILURE:
        t->c->outcome = OUTCOME_FAILURE;
        add_set(t, OPERATION_ISSUE, true);
        add_refreshes(t);
        add_sent(t, OPERATION_NONE, true);
        break;
    case LOOK_PLAUSIBLE:
        if (gives_token(t)) {
            login_with_token(t);
        } else {
            login_without_token(t);
        }
        break;
    }
}

/* --- logout ----------------------------------------------------------------------------------- */

static bool only_moves(const struct task *t)
{
    return t->v.status >= 300 && t->v.status < 400 && t->v.location_path.ptr != NULL &&
           model_path_hash(t->v.location_path) == model_path_hash(t->v.path);
}

/* SAML's single logout: the session may end here, or when the provider's answer has come back. */
static bool goes_on_elsewhere(const struct task *t)
{
    return (t->f->flags & FACT_LOCATION_AUTHORIZE) &&
           hr_span_find_nocase(t->f->location, HR_SPAN("SAMLRequest=")) != SIZE_MAX;
}

static void acknowledged_logout(struct task *t)
{
    bool whole = t->f->flags & FACT_RESPONSE_WHOLE;
    unsigned deleted = 0;
    for (size_t i = 0; i < t->f->token_count; i++) {
        const struct token_use *u = &t->f->tokens[i];
        deleted += t->carriers[i] != NULL && (u->flags & TOKEN_SENT) && (u->flags & TOKEN_DELETED);
    }
    t->c->outcome = OUTCOME_SUCCESS;
    for (size_t i = 0; i < t->f->token_count; i++) {
        const struct token_use *u = &t->f->tokens[i];
        if (t->carriers[i] == NULL || !(u->flags & TOKEN_SENT)) {
            continue;
        }
        /* Of several sessions the one that is deleted ended; without that none is certain. Tokens
         * that the server need not remember go on until they expire, by the profile's word. */
        bool ended = ((t->sent == 1 && !goes_on_elsewhere(t)) ||
                      (deleted > 0 && (u->flags & TOKEN_DELETED))) &&
                     !(t->m->profile != NULL && t->m->profile->self_contained_tokens);
        add(t, ended && whole ? OPERATION_LOGOUT : OPERATION_MAYBE_LOGOUT, u->sent_id, false, true);
    }
    add_set(t, OPERATION_ISSUE, true);
}

static void classify_logout(struct task *t)
{
    bool deletes = model_session_bits(t->m, &t->v, &(unsigned){0}) & USE_DELETED;
    bool asks = (t->f->flags & FACT_LOGOUT_FORM) && view_is_get(&t->v) && !deletes;
    const struct model_endpoint *e = model_endpoint_of(t->m, t->v.endpoint);
    /* The next value of a session that may go on. */
    enum operation_kind unended = t->sent > 0 ? OPERATION_MAYBE_LOGIN : OPERATION_ISSUE;
    t->c->role = ROLE_LOGOUT;
    t->c->session_id = first_session(t, false);
    if (t->f->status == 0) {
        add_sent(t, OPERATION_MAYBE_LOGOUT, true);
    } else if (t->f->status >= 500) {
        t->c->outcome = OUTCOME_ERROR;
        add_sent(t, OPERATION_MAYBE_LOGOUT, true);
    } else if (t->is_answered &&
               (asks || (only_moves(t) && !deletes) || (t->f->flags & FACT_CACHED))) {
        t->c->role = ROLE_OTHER;
        add_sent(t, OPERATION_NONE, true);
        add_set(t, unended, true);
    } else if (model_is_logout_page(t->m, &t->v) && (e == NULL || e->page_ends == 0)) {
        add_sent(t, OPERATION_MAYBE_LOGOUT, true); /* never seen to end a session */
    } else if (t->is_answered && !(t->f->flags & FACT_SAYS_FAILURE)) {
        acknowledged_logout(t);
    } else {
        t->c->outcome = OUTCOME_FAILURE;
        add_sent(t, OPERATION_MAYBE_LOGOUT, true);
        add_set(t, unended, true);
    }
}

/* --- access ----------------------------------------------------------------------------------- */

/* An exchange not understood that may authenticate. Ordinary use of a live session is none, but a
 * sign-on elsewhere that comes back is never ordinary: a live session may renew itself so. */
static bool may_authenticate(const struct task *t)
{
    const struct model_endpoint *e = model_endpoint_of(t->m, t->v.endpoint);
    bool posts = (t->f->flags & FACT_FIELDS) &&
                 (view_is_method(&t->v, "POST") || view_is_method(&t->v, "PUT") ||
                  view_is_method(&t->v, "PATCH"));
    bool callback = t->f->flags & FACT_AUTH_CALLBACK;
    if (model_is_unlock(t->m, &t->v)) { /* the form once more: a wrong password */
        return t->is_answered && !(t->f->flags & FACT_SAYS_FAILURE) &&
               (t->set > 0 || view_login_look(t->m, &t->v) != LOOK_FAILURE);
    }
    if (!(posts || callback) || !t->is_answered || (t->sent == 0 && t->set == 0) ||
        (!callback && e != NULL && e->is_ordinary) ||
        (t->f->flags & (FACT_SAYS_FAILURE | FACT_REFRESH_GRANT))) {
        return false;
    }
    return callback || (t->f->flags & (FACT_AUTH_WORD | FACT_CODE_FIELD | FACT_PASSWORD)) != 0;
}

/* A new token asked for with a credential of its own in the content: who comes so may well carry
 * the old token, live or not, so the answer says nothing of that one. */
static bool is_refresh(const struct task *t)
{
    return (t->f->flags & FACT_REFRESH_GRANT) && (t->sent == 0 || (t->f->flags & FACT_FIELDS));
}

/* Basic, Digest, an API key, a bearer token that is not the session's: what is granted or denied
 * may be so to that. */
static bool has_other_credential(const struct task *t)
{
    for (size_t i = 0; i < t->f->token_count; i++) {
        const struct token_use *u = &t->f->tokens[i];
        if (t->carriers[i] == NULL && u->carrier == TOKEN_BEARER && (u->flags & TOKEN_SENT)) {
            return true;
        }
    }
    return (t->f->flags & FACT_OTHER_CREDENTIAL) != 0;
}

static bool is_visitors(const struct task *t, size_t i)
{
    for (size_t k = 0; k < t->m->visiting_count; k++) {
        if (t->m->visiting[k] == t->v.uses[i].carrier) {
            return true;
        }
    }
    return false;
}

/* Nothing but the session's token can have opened what the answer gives in its place: no credential
 * came with it, and no cookie that may be one (a random value that the answer leaves as it is). */
static bool came_with_token_alone(const struct task *t)
{
    if (t->sent != 1 || t->set != 1 || t->remembered || has_other_credential(t)) {
        return false;
    }
    for (size_t i = 0; i < t->f->token_count; i++) {
        const struct token_use *u = &t->f->tokens[i];
        bool sent = u->flags & TOKEN_SENT;
        bool opens =
            sent && (u->flags & TOKEN_RANDOM_LOOKING) && !is_set_new(u) && !is_visitors(t, i);
        if (t->carriers[i] != NULL ? sent != is_set_new(u) : opens) {
            return false;
        }
    }
    return true;
}

/* An answer that is no denial, and tells nothing else of the session: an error of the request or of
 * the server, "not modified". The next value that comes with it is what the one before it was. */
static bool says_nothing(const struct task *t)
{
    return t->c->outcome != OUTCOME_DENIED && (t->f->status == 304 || t->f->status >= 400);
}

/* A granted access gave new tokens: whatever made them live did it while the answer was made. */
static enum operation_kind granted_gift(const struct task *t)
{
    bool known = (t->c->outcome == OUTCOME_GRANTED || says_nothing(t)) &&
                 (t->f->flags & FACT_RESPONSE_WHOLE) && t->f->request_at != HR_NSEC_INFINITE;
    return !known                     ? OPERATION_MAYBE_LOGIN
           : came_with_token_alone(t) ? OPERATION_ROTATED
                                      : OPERATION_OPENED;
}

/* What the new tokens of an answer that is no login's are. */
static void add_issued(struct task *t, bool granted)
{
    bool opens = (t->f->flags & (FACT_REFRESH_GRANT | FACT_PASSWORD)) ||
                 (t->f->user.ptr != NULL && !(t->f->flags & FACT_USER_NAMED)); /* Basic */
    if (says_nothing(t) && t->sent > 0 && !opens) {
        add_set(t, granted_gift(t), true);
    } else if (t->f->status >= 500) {
        add_set(t, opens ? OPERATION_MAYBE_LOGIN : OPERATION_ISSUE, true);
    } else if (is_refresh(t) && t->is_answered && (t->f->flags & FACT_RESPONSE_WHOLE) &&
               !(t->f->flags & FACT_SAYS_FAILURE)) {
        add_set(t, OPERATION_LOGIN, true); /* a refresh token signs in as a password does */
    } else if (t->is_answered && granted && (t->sent > 0 || t->remembered || opens)) {
        /* rotation, remember-me, silent sign-on */
        add_set(t, opens ? OPERATION_MAYBE_LOGIN : granted_gift(t), true);
    } else {
        add_set(t, OPERATION_ISSUE, true);
    }
}

static bool deletes_session(const struct task *t)
{
    return (model_session_bits(t->m, &t->v, &(unsigned){0}) & USE_DELETED) != 0;
}

static void classify_access(struct task *t)
{
    const struct model_endpoint *e = model_endpoint_of(t->m, t->v.endpoint);
    enum session_outcome outcome = model_access_outcome(t->m, &t->v, t->sent > 0);
    bool is_form = e != NULL && e->is_login_page && (t->f->flags & FACT_LOGIN_FORM);
    bool is_static = (t->f->flags & FACT_STATIC_PATH) && outcome != OUTCOME_DENIED &&
                     (e == NULL || (e->denied == 0 && e->denied_without == 0));
    t->c->role = is_static ? ROLE_STATIC : is_form ? ROLE_OTHER : ROLE_ACCESS;
    t->c->session_id = first_session(t, false);
    if (view_is_method(&t->v, "OPTIONS") || view_is_method(&t->v, "CONNECT") ||
        view_is_method(&t->v, "TRACE") || (t->f->flags & FACT_LOGOUT_PATH) || is_refresh(t) ||
        model_is_unlock(t->m, &t->v)) {
        t->c->role = ROLE_OTHER; /* a logout's: a page that asks, HEAD; a wrong password */
        outcome = OUTCOME_NONE;
    }
    if (may_authenticate(t)) {
        bool understood = e != NULL && (e->authenticates || model_is_unlock(t->m, &t->v));
        t->c->role = ROLE_OTHER;
        add_set(t, OPERATION_MAYBE_LOGIN, understood || (t->f->flags & FACT_REGISTER_PATH));
        add_refreshes(t);
        add_sent(t, understood && is_whole(t) ? OPERATION_OPENED : OPERATION_MAYBE_LOGIN,
                 understood);
        return;
    }
    t->c->outcome = outcome;
    t->c->may_be_denial = outcome == OUTCOME_DENIED;
    if (outcome == OUTCOME_GRANTED) { /* what is granted for such a credential is not public */
        t->c->had_token = t->c->had_token || t->remembered || has_other_credential(t);
    }
    add_issued(t, outcome != OUTCOME_DENIED);
    add_refreshes(t);
    enum operation_kind kind = OPERATION_NONE;
    /* With several tokens it is not known which one counted; an answer that takes the token away
     * may be a sign-out of its own. */
    if (t->sent == 1 && outcome == OUTCOME_DENIED && !has_other_credential(t)) {
        kind = OPERATION_DENIAL;
    } else if (t->sent == 1 && !is_static && !deletes_session(t) && !has_other_credential(t)) {
        kind = outcome == OUTCOME_GRANTED ? OPERATION_GRANT : OPERATION_NONE;
    }
    add_sent(t, kind, true);
}

/* A refused code that gives a token all the same: as a login that failed. */
static bool is_refused_step(const struct task *t)
{
    return (t->f->status == 401 || t->f->status == 403) && t->set > 0 && view_sends_code(&t->v);
}

static void classify_refused_step(struct task *t)
{
    t->c->role = ROLE_LOGIN;
    t->c->outcome = OUTCOME_FAILURE;
    t->c->session_id = first_session(t, true);
    add_set(t, OPERATION_ISSUE, true);
    add_refreshes(t);
    add_sent(t, OPERATION_NONE, true);
}

void site_model_classify(const struct site_model *m, const struct exchange_facts *f,
                         struct classified *ret_classified)
{
    struct task t = {.m = m, .f = f, .c = ret_classified};
    memset(ret_classified, 0, sizeof(*ret_classified));
    learn_view_of_facts(f, &t.v);
    t.is_answered = f->status >= 200 && f->status < 400 && f->status != 304;
    for (size_t i = 0; i < f->token_count; i++) {
        t.carriers[i] = model_carrier_of(m, t.v.uses[i].carrier);
        if (t.carriers[i] != NULL) {
            t.sent += (f->tokens[i].flags & TOKEN_SENT) != 0;
            t.set += is_set_new(&f->tokens[i]);
        }
    }
    t.remembered = model_has_credential(m, &t.v);
    ret_classified->had_token = t.sent > 0;
    if (f->method.ptr == NULL) {
        /* An answer without its request: what it answers is not known. */
        ret_classified->session_id = first_session(&t, true);
        add_set(&t, OPERATION_MAYBE_LOGIN, false);
    } else if (model_is_logout(m, &t.v)) {
        classify_logout(&t);
    } else if (model_is_login(m, &t.v)) {
        classify_login(&t);
    } else if (is_refused_step(&t)) {
        classify_refused_step(&t);
    } else {
        classify_access(&t);
    }
}

static bool is_among(const int64_t *ids, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (ids[i] == id) {
            return true;
        }
    }
    return false;
}

bool site_model_is_session_carrier(const struct site_model *m, int64_t carrier_id)
{
    return is_among(m->carrier_ids, m->carrier_id_count, carrier_id);
}

bool site_model_opens_sessions(const struct site_model *m, int64_t carrier_id)
{
    return is_among(m->opener_ids, m->opener_id_count, carrier_id);
}

static bool any_fits(const struct profile_endpoint *list, size_t count, struct hr_span method,
                     struct hr_span path)
{
    for (size_t i = 0; i < count; i++) {
        if (profile_endpoint_fits(&list[i], method, path)) {
            return true;
        }
    }
    return false;
}

int profile_declared_protection(const struct profile *p, struct hr_span method,
                                struct hr_span path_template)
{
    if (p == NULL) {
        return 0;
    }
    if (any_fits(p->is_public, p->is_public_count, method, path_template)) {
        return -1;
    }
    return any_fits(p->is_protected, p->is_protected_count, method, path_template) ? 1 : 0;
}

int site_model_declared_protection(const struct site_model *m, struct hr_span method,
                                   struct hr_span path_template)
{
    return profile_declared_protection(m->profile, method, path_template);
}
