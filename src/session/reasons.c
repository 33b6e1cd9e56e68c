/*
 * The model in words: each decision with what was counted for it, and as a profile to correct.
 */
#include "base/alloc.h"
#include "base/buf.h"
#include "session/site_model.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DECISION_LIMIT 64

static void decide(struct site_model *m, const char *what, struct hr_buf *value,
                   struct hr_buf *reason, const struct learn_example *example)
{
    if (m->decision_count < DECISION_LIMIT) {
        m->decisions = hr_xrealloc(m->decisions, (m->decision_count + 1) * sizeof(*m->decisions));
        m->decisions[m->decision_count++] = (struct decision_text){
            .what = what,
            .value = hr_xstrdup(hr_buf_str(value)),
            .reason = hr_xstrdup(hr_buf_str(reason)),
            .from_profile = example == NULL,
            .example = example != NULL ? *example : (struct learn_example){0},
        };
    }
    hr_buf_clear(value);
    hr_buf_clear(reason);
}

static const char *carrier_word(enum token_carrier carrier)
{
    switch (carrier) {
    case TOKEN_COOKIE:
        return "cookie";
    case TOKEN_BEARER:
        return "token";
    case TOKEN_HEADER:
        return "header";
    case TOKEN_QUERY:
        return "query";
    case TOKEN_FORM:
        return "form";
    case TOKEN_JSON:
        return "json";
    case TOKEN_PATH:
        return "path";
    case TOKEN_USER_QUERY:
        return "user_query";
    }
    return "token";
}

__attribute__((format(printf, 2, 3))) static void add_part(struct hr_buf *reason,
                                                           const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    hr_buf_append_str(reason, reason->len > 0 ? ", " : "");
    hr_buf_append_str(reason, text);
}

/* "3 logins", "1 login" */
static void add_count(struct hr_buf *reason, const char *before, uint64_t count, const char *what)
{
    if (count > 0) {
        add_part(reason, "%s%" PRIu64 " %s%s", before, count, what, count == 1 ? "" : "s");
    }
}

static void explain_carrier(const struct model_carrier *c, struct hr_buf *reason)
{
    if (c->login_set > 0) {
        add_part(reason, "given by %" PRIu64 " of %" PRIu64 " login%s that look successful",
                 c->login_set, c->login_ok, c->login_ok == 1 ? "" : "s");
    }
    add_count(reason, "carried by ", c->sent, "request");
    add_count(reason, "deleted by ", c->logout_deleted, "logout");
    if (c->guarded > 0) {
        add_part(reason, "%" PRIu64 " endpoint%s with it and den%s without", c->guarded,
                 c->guarded == 1 ? " grants" : "s grant", c->guarded == 1 ? "ies" : "y");
    }
    add_count(reason, "given a new value by ", c->rotated, "granted answer");
    if (c->self_contained * 2 > c->used) {
        add_part(reason, "its values are self-contained tokens: JWT or the like");
    } else if (c->random * 2 > c->used) {
        add_part(reason, "its values look random");
    }
    if (c->named) {
        add_part(reason, "its name is one that frameworks use");
    }
    if (c->reissues) {
        add_part(reason, "the same value is given out more than once");
    }
}

static const struct learn_example *example_of(const struct model_carrier *c)
{
    return c->given.frame != 0 ? &c->given : &c->sent_at;
}

static void explain_carriers(struct site_model *m, struct hr_buf *value, struct hr_buf *reason)
{
    for (size_t i = 0; i < m->carrier_count; i++) {
        const struct model_carrier *c = &m->carriers[i];
        hr_buf_appendf(value, "%s %s", carrier_word(c->carrier), c->name);
        explain_carrier(c, reason);
        decide(m, "session", value, reason, c->from_profile ? NULL : example_of(c));
    }
    for (size_t i = 0; i < m->other_count; i++) {
        const struct model_carrier *c = &m->others[i];
        hr_buf_appendf(value, "%s %s", carrier_word(c->carrier), c->name);
        if (c->remembers) {
            add_part(reason, "its name is one that opens sessions: remember-me, a refresh token");
        }
        explain_carrier(c, reason);
        decide(m, "not a session", value, reason, example_of(c));
    }
}

static void explain_actions(struct site_model *m, const char *what,
                            const struct profile_action *actions, size_t count,
                            struct hr_buf *value, struct hr_buf *reason)
{
    for (size_t i = 0; i < count; i++) {
        const struct profile_endpoint *e = &actions[i].endpoint;
        hr_buf_appendf(value, "%s %s", e->method == NULL ? "*" : e->method, e->path);
        hr_buf_append_str(reason, "the profile says so");
        decide(m, what, value, reason, NULL);
    }
}

static void explain_login(struct site_model *m, const struct model_endpoint *e,
                          struct hr_buf *value, struct hr_buf *reason)
{
    hr_buf_appendf(value, "%s %s", e->method, e->path);
    add_count(reason, "", e->logins, e->logins == 1 ? "request signs in" : "request");
    if (e->logins > 1) {
        hr_buf_append_str(reason, " sign in");
    }
    add_part(reason, "%" PRIu64 " answer%s", e->successes,
             e->successes == 1 ? " looks like a success" : "s look like successes");
    if (e->yields > 0) {
        add_part(reason, "%" PRIu64 " give%s the session's token", e->yields,
                 e->yields == 1 ? "s" : "");
    }
    if (e->is_form_login) {
        add_part(reason, "a page's form with one password posts to it");
    }
    decide(m, "login", value, reason, &e->success);
}

static void explain_user(struct site_model *m, const struct model_endpoint *e, struct hr_buf *value,
                         struct hr_buf *reason)
{
    hr_buf_appendf(value, "%s %s", e->method, e->path);
    add_part(reason, "%" PRIu64 " of %" PRIu64 " login%s name%s a user in the request's fields",
             e->users, e->successes,
             e->successes == 1 ? " that looks successful" : "s that look successful",
             e->successes == 1 ? "s" : "");
    decide(m, "user", value, reason, &e->success);
}

static void explain_logout(struct site_model *m, const struct model_endpoint *e,
                           struct hr_buf *value, struct hr_buf *reason)
{
    hr_buf_appendf(value, "%s %s", e->method, e->path);
    add_part(reason, !e->logout_learned ? "its path says so"
                     : e->deletions > 0 ? "it takes the token away each time"
                                        : "sessions are denied right after it, time and again");
    add_part(reason, "%" PRIu64 " acknowledged for a session", e->logouts);
    if (e->deletions > 0) {
        add_part(reason, "%" PRIu64 " delete%s the token", e->deletions,
                 e->deletions == 1 ? "s" : "");
    } else {
        add_part(reason, "none deletes the token");
    }
    decide(m, "logout", value, reason, &e->logout);
}

static void explain_opening(struct site_model *m, const struct model_endpoint *e,
                            struct hr_buf *value, struct hr_buf *reason)
{
    hr_buf_appendf(value, "%s %s", e->method, e->path);
    if (e->unlocks_by_path) {
        add_part(reason, "its path says so");
    } else if (e->unlocks) {
        add_part(reason, "denials lead to it, or to a page whose form posts to it");
    }
    if (e->changes > 0) {
        add_part(reason,
                 "%" PRIu64 " time%s what a session was denied before it was granted after it",
                 e->changes, e->changes == 1 ? "" : "s");
    }
    decide(m, "opens a session", value, reason, &e->logout);
}

void model_explain(struct site_model *m)
{
    struct learn_entry **all = learn_table_sorted(&m->endpoints);
    const struct profile *p = m->profile;
    struct hr_buf value;
    struct hr_buf reason;
    hr_buf_init(&value, 2048);
    hr_buf_init(&reason, 1024);
    explain_carriers(m, &value, &reason);
    bool own_login = p != NULL && p->login_count > 0;
    bool own_logout = p != NULL && p->logout_count > 0;
    if (own_login) {
        explain_actions(m, "login", p->login, p->login_count, &value, &reason);
    }
    if (own_logout) {
        explain_actions(m, "logout", p->logout, p->logout_count, &value, &reason);
    }
    for (size_t i = 0; i < m->endpoints.count; i++) {
        const struct model_endpoint *e = (const struct model_endpoint *)all[i];
        if (e->is_login && !own_login) {
            explain_login(m, e, &value, &reason);
        }
        if (e->is_login && e->users > 0) {
            explain_user(m, e, &value, &reason);
        }
        if (e->is_logout && !e->is_question && !own_logout && e->logouts > 0) {
            explain_logout(m, e, &value, &reason);
        }
        if (!e->is_login && !e->is_logout && (e->unlocks || e->authenticates) && e->logouts > 0) {
            explain_opening(m, e, &value, &reason);
        }
    }
    if (p != NULL && p->one_session_per_user != 0) {
        hr_buf_append_str(&value, p->one_session_per_user > 0 ? "one session per user"
                                                              : "several sessions per user");
        hr_buf_append_str(&reason, "the profile says so");
        decide(m, "policy", &value, &reason, NULL);
    }
    hr_buf_finish(&value);
    hr_buf_finish(&reason);
    free(all);
}

size_t site_model_decision_count(const struct site_model *m)
{
    return m->decision_count;
}

struct model_decision site_model_decision(const struct site_model *m, size_t index)
{
    const struct decision_text *d = &m->decisions[index];
    return (struct model_decision){d->what, d->value, d->reason, d->from_profile};
}

/* --- as a profile ----------------------------------------------------------------------------- */

static void append_quoted(struct hr_buf *out, const char *text)
{
    hr_buf_append_char(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            hr_buf_append_char(out, '\\');
        }
        hr_buf_append_char(out, *text);
    }
    hr_buf_append_char(out, '"');
}

static const struct decision_text *decision_of(const struct site_model *m, const char *what,
                                               size_t nth)
{
    for (size_t i = 0; i < m->decision_count; i++) {
        if (strcmp(m->decisions[i].what, what) == 0 && nth-- == 0) {
            return &m->decisions[i];
        }
    }
    return NULL;
}

/* A line of its own before what it explains.
 * @param start  of the line: indent and, of a comment, its sign */
static void append_reason(struct hr_buf *out, const struct site_model *m, const char *start,
                          const struct decision_text *d)
{
    if (d == NULL || d->reason[0] == '\0') {
        return;
    }
    hr_buf_appendf(out, "%s%s", start, d->reason);
    if (d->example.frame != 0) {
        hr_buf_appendf(out, "; see frame %" PRIu64, d->example.frame);
        if (m->has_several_captures) {
            hr_buf_appendf(out, " of capture %zu", d->example.capture);
        }
    }
    hr_buf_append_char(out, '\n');
}

static void append_cookie_set(struct hr_buf *out, const char *joined)
{
    struct hr_span rest = hr_span_str(joined);
    hr_buf_append_str(out, "cookies: [");
    for (bool first = true; rest.ptr != NULL; first = false) {
        struct hr_span part = hr_span_cut(&rest, '+');
        char *name = hr_xstrndup(part.ptr, part.len);
        hr_buf_append_str(out, first ? "" : ", ");
        append_quoted(out, name);
        free(name);
    }
    hr_buf_append_char(out, ']');
}

static void append_place(struct hr_buf *out, const struct model_carrier *c)
{
    switch (c->carrier) {
    case TOKEN_COOKIE:
        if (strchr(c->name, '+') != NULL) {
            append_cookie_set(out, c->name);
            break;
        }
        hr_buf_append_str(out, "cookie: ");
        append_quoted(out, c->name);
        break;
    case TOKEN_USER_QUERY:
        hr_buf_append_str(out, "user_query: ");
        append_quoted(out, c->name);
        break;
    case TOKEN_PATH:
        hr_buf_append_str(out, "query: ");
        append_quoted(out, c->name);
        break;
    case TOKEN_BEARER:
    case TOKEN_HEADER:
    case TOKEN_QUERY:
    case TOKEN_FORM:
    case TOKEN_JSON:
        hr_buf_append_str(out, "bearer: true");
        break;
    }
}

static void suggest_sessions(const struct site_model *m, struct hr_buf *out)
{
    if (m->carrier_count == 0) {
        hr_buf_append_str(out, "    # session: nothing was seen that holds one\n");
        return;
    }
    hr_buf_append_str(out, "    session:\n");
    for (size_t i = 0; i < m->carrier_count; i++) {
        append_reason(out, m, "      # ", decision_of(m, "session", i));
        hr_buf_append_str(out, "      - ");
        append_place(out, &m->carriers[i]);
        hr_buf_append_char(out, '\n');
    }
}

/* Decisions that a profile has no place for, or that go without saying there: as comments. */
static void suggest_comments(const struct site_model *m, const char *what, const char *title,
                             struct hr_buf *out)
{
    for (size_t i = 0; decision_of(m, what, i) != NULL; i++) {
        const struct decision_text *d = decision_of(m, what, i);
        if (i == 0) {
            hr_buf_appendf(out, "    # %s\n", title);
        }
        hr_buf_appendf(out, "    #   %s:\n", d->value);
        append_reason(out, m, "    #     ", d);
    }
}

/* A profile takes methods in capitals and paths that begin with a slash: the wire has others. */
static bool is_writable(const char *value, const char *space)
{
    for (const char *c = value; c < space; c++) {
        if (!((*c >= 'A' && *c <= 'Z') || (*c == '*' && space - value == 1))) {
            return false;
        }
    }
    return space > value && (space[1] == '/' || space[1] == '*');
}

static void suggest_actions(const struct site_model *m, const char *what, struct hr_buf *out)
{
    bool any = false;
    for (size_t i = 0; i < m->decision_count; i++) {
        const struct decision_text *d = &m->decisions[i];
        const char *space = strchr(d->value, ' '); /* methods have none */
        if (strcmp(d->what, what) != 0 || space == NULL || !is_writable(d->value, space)) {
            continue;
        }
        if (!any) {
            hr_buf_appendf(out, "    %s:\n", what);
            any = true;
        }
        append_reason(out, m, "      # ", d);
        hr_buf_append_str(out, "      - ");
        if (strncmp(d->value, "* ", 2) != 0) {
            hr_buf_appendf(out, "method: %.*s\n        ", (int)(space - d->value), d->value);
        }
        hr_buf_append_str(out, "path: ");
        append_quoted(out, space + 1);
        hr_buf_append_char(out, '\n');
    }
    if (!any) {
        hr_buf_appendf(out, "    # %s: none was seen\n", what);
    }
}

void site_model_suggest(const struct site_model *m, struct hr_buf *out)
{
    if (out->len == 0) {
        hr_buf_append_str(
            out, "# What Headrace assumes, and from what. Correct it and pass it back with "
                 "--profile.\nsites:\n");
    }
    hr_buf_append_str(out, "  - hosts: [");
    append_quoted(out, m->site);
    hr_buf_append_str(out, "]\n");
    suggest_sessions(m, out);
    suggest_comments(m, "not a session", "weighed, and not taken for the session:", out);
    suggest_actions(m, "login", out);
    suggest_comments(m, "user", "user, as the login's fields name it:", out);
    suggest_actions(m, "logout", out);
    suggest_comments(m, "opens a session",
                     "opens a session that is there: a second step, a lock screen:", out);
}
