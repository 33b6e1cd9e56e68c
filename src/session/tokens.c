/*
 * What the sampled tokens' stories tell of endpoints: which are ordinary use of a session that is
 * live, which make one live, which end one, and which deny whatever the session.
 */
#include "session/site_model.h"

#include <stdlib.h>

#define SOON (10 * HR_NSEC_PER_SEC)

/* Large, so one serves for all; only what the token's events fill is read. */
struct story {
    struct site_model *m;
    const struct site_learner *l;
    const struct learn_token *token;
    struct learn_table *openings; /* NULL: not asked for */
    struct view views[LEARN_EVENTS];
    enum session_outcome outcomes[LEARN_EVENTS]; /* of what the token was sent with */
    bool known[LEARN_EVENTS];
    bool is_logout[LEARN_EVENTS]; /* false where it is not known */
};

static void read_story(struct story *s)
{
    for (size_t i = 0; i < s->token->event_count; i++) {
        const struct learn_event *e = &s->token->events[i];
        const struct learn_kind *k =
            (const struct learn_kind *)learn_table_find(&s->l->kinds, e->kind);
        s->known[i] = k != NULL && model_endpoint_of(s->m, k->endpoint) != NULL;
        s->outcomes[i] = OUTCOME_NONE;
        s->is_logout[i] = false;
        if (!s->known[i]) {
            continue;
        }
        unsigned sent;
        learn_view_of_kind(s->l, k, &s->views[i]);
        model_session_bits(s->m, &s->views[i], &sent);
        s->is_logout[i] = model_is_logout(s->m, &s->views[i]);
        if (e->bits & USE_SENT && sent == 1 && !model_is_login(s->m, &s->views[i]) &&
            !s->is_logout[i]) {
            s->outcomes[i] = model_access_outcome(s->m, &s->views[i], true);
        }
    }
}

/* Granted somewhere else before this event began? */
static bool granted_before(const struct story *s, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (s->outcomes[i] == OUTCOME_GRANTED && s->views[i].endpoint != s->views[at].endpoint &&
            s->token->events[i].end < s->token->events[at].start) {
            return true;
        }
    }
    return false;
}

/* The same, in the life at hand: a denial and a logout end it, and what comes then may be a new
 * sign-on. */
static bool granted_in_this_life(const struct story *s, size_t at)
{
    bool is_live = false;
    for (size_t i = 0; i < at; i++) {
        if (s->token->events[i].end >= s->token->events[at].start) {
            continue;
        }
        if (s->outcomes[i] == OUTCOME_DENIED || s->is_logout[i]) {
            is_live = false;
        } else if (s->outcomes[i] == OUTCOME_GRANTED &&
                   s->views[i].endpoint != s->views[at].endpoint) {
            is_live = true;
        }
    }
    return is_live;
}

static bool granted_after(const struct story *s, size_t at)
{
    for (size_t i = at + 1; i < s->token->event_count; i++) {
        if (s->outcomes[i] == OUTCOME_GRANTED && s->views[i].endpoint != s->views[at].endpoint &&
            s->token->events[i].start > s->token->events[at].end) {
            return true;
        }
    }
    return false;
}

static bool login_between(const struct story *s, size_t from, size_t to)
{
    for (size_t i = from; i <= to; i++) {
        if (s->known[i] && model_is_login(s->m, &s->views[i])) {
            return true;
        }
    }
    return false;
}

/* The same place denied the token before this exchange and grants it afterwards. */
static bool changes_to_live(const struct story *s, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        for (size_t k = at + 1; s->outcomes[i] == OUTCOME_DENIED && k < s->token->event_count;
             k++) {
            if (s->outcomes[k] == OUTCOME_GRANTED && s->views[k].endpoint == s->views[i].endpoint &&
                s->token->events[i].end < s->token->events[at].start &&
                s->token->events[k].start > s->token->events[at].end &&
                !login_between(s, i + 1, k - 1)) {
                return true;
            }
        }
    }
    return false;
}

/* A password or code given at a place that then grants what it had denied right before: what else
 * was granted meanwhile, elsewhere, makes it no ordinary use. */
static bool clears_denial(const struct story *s, size_t at)
{
    const struct learn_event *mine = &s->token->events[at];
    for (size_t k = at + 1; view_gives_credential(&s->views[at]) && k < s->token->event_count;
         k++) {
        bool is_denied = false;
        for (size_t i = 0; s->outcomes[k] == OUTCOME_GRANTED && i < k; i++) {
            if (s->outcomes[i] == OUTCOME_NONE || s->views[i].endpoint != s->views[k].endpoint) {
                continue;
            }
            is_denied = s->outcomes[i] == OUTCOME_DENIED && s->token->events[i].end < mine->start;
        }
        if (is_denied && s->token->events[k].start > mine->end) {
            return true;
        }
    }
    return false;
}

/* Not live when this event began: signed out, or only ever given to a visitor. */
static bool is_surely_ended(const struct story *s, size_t at)
{
    bool visitor = false;
    bool live = false;
    for (size_t i = 0; i < at; i++) {
        const struct learn_event *e = &s->token->events[i];
        if (!s->known[i]) {
            return false;
        }
        const struct view *v = &s->views[i];
        bool answered = v->status >= 200 && v->status < 400 && v->status != 304;
        if (model_may_be_login(s->m, v) || (v->flags & (FACT_PASSWORD | FACT_AUTH_WORD))) {
            live = true;
        } else if ((e->bits & USE_SENT) && answered && s->is_logout[i] &&
                   e->end < s->token->events[at].start) {
            live = false;
            visitor = true;
        } else if (i == 0 && (e->bits & USE_SET_NEW)) {
            visitor = true;
        }
    }
    return visitor && !live;
}

static void tell_away(struct story *s, size_t at)
{
    const struct view *v = &s->views[at];
    bool is_new;
    if (v->status < 300 || v->status >= 400 || v->status == 301 || v->status == 308 ||
        v->location.ptr == NULL || !view_is_get(v) ||
        (v->flags & (FACT_LOCATION_LOGIN | FACT_LOCATION_AUTHORIZE)) || !is_surely_ended(s, at)) {
        return;
    }
    learn_table_add(&s->m->aways, model_away_hash(v), sizeof(struct model_away), &is_new);
}

static void tell_aways(struct story *s)
{
    for (size_t i = 0; i < s->token->event_count; i++) {
        if (s->known[i] && (s->token->events[i].bits & USE_SENT)) {
            tell_away(s, i);
        }
    }
}

/* A login that gave no token, and the one that it carried is granted afterwards. */
static bool keeps_token(const struct story *s, size_t at)
{
    const struct view *v = &s->views[at];
    return model_is_login(s->m, v) && view_login_look(s->m, v) == LOOK_PLAUSIBLE &&
           !(model_session_bits(s->m, v, &(unsigned){0}) & (USE_SET_NEW | USE_SET_SAME)) &&
           granted_after(s, at);
}

/* Does the session go on after its acknowledged logout, without another login? */
static bool used_after_logout(const struct story *s, size_t at)
{
    const struct view *v = &s->views[at];
    if (!s->is_logout[at] || v->status < 200 || v->status >= 400) {
        return false;
    }
    for (size_t i = at + 1; i < s->token->event_count; i++) {
        if (s->known[i] && model_may_be_login(s->m, &s->views[i])) {
            return false;
        }
        if (s->outcomes[i] == OUTCOME_GRANTED &&
            s->token->events[i].start > s->token->events[at].end) {
            return true;
        }
    }
    return false;
}

enum place_asked {
    PLACE_UNKNOWN,
    PLACE_OWN,     /* /sessions/17, which is what the login that gave the token said it had made */
    PLACE_ANOTHER, /* it had made something else */
};

static enum place_asked place_asked(const struct story *s, size_t at)
{
    uint64_t own = 0;
    for (size_t i = 0; i <= at; i++) {
        own = (s->token->events[i].bits & USE_SET_NEW) ? s->token->events[i].place : own;
    }
    const uint64_t asked = s->token->events[at].place;
    return own == 0 || asked == 0 ? PLACE_UNKNOWN : own == asked ? PLACE_OWN : PLACE_ANOTHER;
}

/* A public page or a file says nothing of the session. */
static bool says_nothing(const struct story *s, size_t at)
{
    return s->known[at] && s->outcomes[at] == OUTCOME_GRANTED &&
           ((s->views[at].flags & FACT_STATIC_PATH) ||
            model_endpoint_of(s->m, s->views[at].endpoint)->granted_without > 0);
}

/* The next exchange of the story before (or after) that one, but for those that say nothing.
 * @return SIZE_MAX: none, or others were under way */
static size_t nearest(const struct story *s, size_t at, bool after)
{
    const struct learn_event *mine = &s->token->events[at];
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < s->token->event_count; i++) {
        const struct learn_event *e = &s->token->events[i];
        const bool precedes = e->end < mine->start;
        const bool follows = e->start > mine->end;
        if (i != at && !precedes && !follows) {
            return SIZE_MAX;
        }
        if (i != at && !says_nothing(s, i) && (after ? follows && found == SIZE_MAX : precedes)) {
            found = i;
        }
    }
    return found;
}

/* A request in whose course a session ended, or did not, without a word of it: granted elsewhere
 * right before it, and then? An end that is seen late may have been any. */
static void tell_silent_end(const struct story *s, size_t at, struct model_endpoint *e)
{
    const struct view *v = &s->views[at];
    const struct learn_event *mine = &s->token->events[at];
    const bool answered = v->status >= 200 && v->status < 400 && v->status != 304;
    const size_t before = nearest(s, at, false);
    const size_t after = nearest(s, at, true);
    if (view_is_method(v, "HEAD") || view_is_method(v, "OPTIONS") || !answered ||
        (v->flags & (FACT_STATIC_PATH | FACT_CACHED)) || (v->flags & FACT_SAYS_FAILURE) ||
        s->is_logout[at] || model_may_be_login(s->m, v) ||
        (model_session_bits(s->m, v, &(unsigned){0}) & (USE_SET_NEW | USE_DELETED)) ||
        before == SIZE_MAX || after == SIZE_MAX || s->outcomes[before] != OUTCOME_GRANTED) {
        return;
    }
    const struct learn_event *next = &s->token->events[after];
    /* What never grants denies nothing: a logout that nobody knows yet leads to the login, too. */
    const bool can_grant = model_endpoint_of(s->m, s->views[after].endpoint)->granted > 0;
    if (s->outcomes[after] == OUTCOME_GRANTED) {
        e->silent_stays++;
    } else if (s->outcomes[after] == OUTCOME_DENIED && can_grant &&
               s->views[after].endpoint != v->endpoint && next->start - mine->end <= SOON &&
               !granted_after(s, after)) {
        const bool first = e->silent_ends == 0;
        e->end_after = first || mine->start > e->end_after ? mine->start : e->end_after;
        e->end_before = first || next->end < e->end_before ? next->end : e->end_before;
        e->silent_ends++;
    }
}

/* After a logout's page that left the token alone: denied where no grant came first, without a
 * login between. So it did end the session. */
static bool denied_after_page(const struct story *s, size_t at)
{
    if (!s->is_logout[at] || !model_is_logout_page(s->m, &s->views[at])) {
        return false;
    }
    for (size_t i = at + 1; i < s->token->event_count; i++) {
        if (s->known[i] && model_may_be_login(s->m, &s->views[i])) {
            return false;
        }
        bool denied = s->outcomes[i] == OUTCOME_DENIED &&
                      s->token->events[i].start > s->token->events[at].end;
        for (size_t k = at + 1; denied && k < i; k++) {
            denied = s->outcomes[k] != OUTCOME_GRANTED ||
                     s->views[k].endpoint != s->views[i].endpoint ||
                     s->token->events[k].start <= s->token->events[at].end;
        }
        if (denied) {
            return true;
        }
    }
    return false;
}

static void tell(struct story *s)
{
    for (size_t i = 0; i < s->token->event_count; i++) {
        const struct learn_event *e = &s->token->events[i];
        if (!s->known[i] || !(e->bits & USE_SENT)) {
            continue;
        }
        const struct view *v = &s->views[i];
        struct model_endpoint *at = model_endpoint_of(s->m, v->endpoint);
        bool answered = v->status >= 200 && v->status < 400 && v->status != 304;
        bool before = granted_before(s, i);
        at->keeps += keeps_token(s, i);
        const enum place_asked place = s->is_logout[i] ? place_asked(s, i) : PLACE_UNKNOWN;
        at->used_after += place != PLACE_OWN && used_after_logout(s, i);
        at->other_ends += place == PLACE_ANOTHER;
        tell_silent_end(s, i, at);
        at->page_ends += denied_after_page(s, i);
        bool goes_on = granted_in_this_life(s, i);
        bool callback = v->flags & FACT_AUTH_CALLBACK;
        bool clears = clears_denial(s, i);
        at->ordinary += goes_on && !callback && !clears && s->outcomes[i] == OUTCOME_GRANTED;
        at->live_ends += before && answered && (e->bits & USE_DELETED);
        at->live_denials += s->outcomes[i] == OUTCOME_DENIED && v->status != 401 &&
                            at->granted == 0 && before && granted_after(s, i);
        bool posts = (v->flags & FACT_FIELDS) && !view_is_get(v) && !before;
        if (answered && (clears || ((posts || (callback && !goes_on)) && changes_to_live(s, i)))) {
            at->changes++;
        }
    }
}

/* --- answers to logins that look like failures -------------------------------------------------
 */

enum fate {
    FATE_UNKNOWN,
    FATE_OPENED, /* granted, where others are denied */
    FATE_CLOSED, /* denied, or another try to sign in */
};

static enum fate fate_after(const struct story *s, size_t at)
{
    for (size_t i = at + 1; i < s->token->event_count; i++) {
        const struct model_endpoint *e =
            s->known[i] ? model_endpoint_of(s->m, s->views[i].endpoint) : NULL;
        if (e == NULL || s->is_logout[i] || s->token->events[i].start <= s->token->events[at].end) {
            return FATE_UNKNOWN;
        }
        if (s->outcomes[i] == OUTCOME_DENIED || model_may_be_login(s->m, &s->views[i])) {
            return FATE_CLOSED;
        }
        if (s->outcomes[i] == OUTCOME_GRANTED && e->granted_without == 0 &&
            (e->denied > 0 || e->denied_without > 0)) {
            return FATE_OPENED;
        }
    }
    return FATE_UNKNOWN;
}

static void tell_opening(const struct story *s, size_t at)
{
    const struct view *v = &s->views[at];
    const unsigned bits = s->token->events[at].bits;
    const unsigned given = model_session_bits(s->m, v, &(unsigned){0}) & USE_SET_NEW;
    bool is_new;
    if (!(given ? bits & USE_SET_NEW : bits & USE_SENT) || !model_is_login(s->m, v) ||
        view_login_look(s->m, v) != LOOK_FAILURE || !view_is_redirect_back(s->m, v) ||
        granted_in_this_life(s, at)) {
        return;
    }
    const enum fate fate = fate_after(s, at);
    struct model_opening *o =
        fate == FATE_UNKNOWN
            ? NULL
            : (struct model_opening *)learn_table_add(
                  s->openings, model_opening_hash(v, given != 0), sizeof(*o), &is_new);
    if (o != NULL) {
        o->endpoint = v->endpoint;
        o->opened += fate == FATE_OPENED;
        o->closed += fate == FATE_CLOSED;
    }
}

static void tell_openings(struct story *s)
{
    for (size_t i = 0; i < s->token->event_count; i++) {
        if (s->known[i]) {
            tell_opening(s, i);
        }
    }
}

static void for_each_story(struct site_model *m, const struct site_learner *l,
                           struct learn_table *openings, void (*tell_story)(struct story *s))
{
    struct learn_entry **tokens = learn_table_sorted(&l->tokens);
    struct story s = {.m = m, .l = l, .openings = openings};
    for (size_t i = 0; i < l->tokens.count; i++) {
        s.token = (const struct learn_token *)tokens[i];
        if (model_carrier_of(m, s.token->carrier) != NULL) {
            read_story(&s);
            tell_story(&s);
        }
    }
    free(tokens);
}

void decide_aways(struct site_model *m, const struct site_learner *l)
{
    for_each_story(m, l, NULL, tell_aways);
}

void decide_from_tokens(struct site_model *m, const struct site_learner *l)
{
    for_each_story(m, l, NULL, tell);
}

bool find_openings(struct site_model *m, const struct site_learner *l,
                   struct learn_table *ret_openings)
{
    bool found = false;
    for_each_story(m, l, ret_openings, tell_openings);
    for (size_t i = 0; i < ret_openings->slot_count; i++) {
        const struct model_opening *o = (const struct model_opening *)ret_openings->slots[i];
        found = found || (o != NULL && o->opened >= MODEL_OPENED_MIN);
    }
    return found;
}
