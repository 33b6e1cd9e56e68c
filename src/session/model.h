/*
 * session/model.h - what a site's sessions look like, learned from its exchanges and overridden by
 * its profile; and what each exchange then means: its role, its outcome, its operations.
 *
 * Use: create a learner per site; feed it every exchange of the site once (any order gives the same
 * model); decide; then classify every exchange with the model. All of it is a pure function of the
 * facts, so one file, its parts in any order, and a repeated import come out alike.
 */
#ifndef HR_SESSION_MODEL_H
#define HR_SESSION_MODEL_H

#include "base/buf.h"
#include "session/facts.h"
#include "session/profile.h"

/* Stored: never renumber. */
enum session_role {
    ROLE_OTHER = 0,
    ROLE_LOGIN = 1,
    ROLE_LOGOUT = 2,
    ROLE_ACCESS = 3,
    ROLE_STATIC = 4,
};

/* Stored: never renumber. */
enum session_outcome {
    OUTCOME_NONE = 0, /* nothing can be said */
    OUTCOME_SUCCESS = 1,
    OUTCOME_FAILURE = 2,
    OUTCOME_GRANTED = 3,
    OUTCOME_DENIED = 4,
    OUTCOME_ERROR = 5, /* 5xx */
};

/* What an exchange does to one session. Stored: never renumber. */
enum operation_kind {
    OPERATION_NONE = 0,        /* carries the token but says nothing; kept for the story */
    OPERATION_LOGIN = 1,       /* live from some moment of its interval on */
    OPERATION_MAYBE_LOGIN = 2, /* may make it live at any time after its start, or never */
    OPERATION_ISSUE = 3,       /* first issued by another response: absent before, not live after */
    OPERATION_REFRESH = 4,     /* repeats the value: nothing */
    OPERATION_GRANT = 5,
    OPERATION_DENIAL = 6,
    OPERATION_LOGOUT = 7,      /* acknowledged */
    OPERATION_MAYBE_LOGOUT = 8,/* failed or unanswered: nothing */
    OPERATION_REPLACED = 9,    /* a login that yields another token may silently end this one: nothing */
    /* A granted access gave it: live from some moment of its interval on, or never. */
    OPERATION_OPENED = 10,     /* ... on the strength of a credential besides a session's token */
    OPERATION_ROTATED = 11,    /* ... in the place of the token that the request carried */
};

struct session_operation {
    enum operation_kind kind;
    int64_t session_id;        /* row in sessions: the token */
    hr_nsec start;             /* first byte of the request (of the response where it is alone) */
    hr_nsec end;               /* login, logout: last byte of the response; else its first byte;
                                  HR_NSEC_INFINITE: no response */
    bool issues;               /* this exchange issued the token: absent before it */
    bool understood;           /* false: a MAYBE_LOGIN that is only not understood; findings name it */
};

#define SESSION_OPERATION_LIMIT 8

struct classified {
    enum session_role role;
    enum session_outcome outcome;
    int64_t session_id;        /* the session that the exchange is about; 0 none */
    struct hr_span user;       /* named by a login; lives as long as the facts; ptr NULL none */
    bool had_token;            /* the request carried a token of a session carrier */
    bool may_be_denial;        /* denied for lack of a session as the model sees it */
    bool missing_token;        /* a login like the successful ones, whose answer yields no token */
    struct session_operation operations[SESSION_OPERATION_LIMIT];
    size_t operation_count;
};

struct site_learner;
struct site_model;

/** @param profile  borrowed, may be NULL */
struct site_learner *site_learner_create(struct hr_span site, const struct profile *profile);
/** f->id, ids of endpoint and tokens must be set. Copies what it keeps, within bounds. */
void site_learner_feed(struct site_learner *l, const struct exchange_facts *f);
/**
 * May be asked at any time, and again after more was fed: what was decided before does not matter.
 * @return owned by the caller; the learner may be destroyed
 */
struct site_model *site_learner_decide(struct site_learner *l);
void site_learner_destroy(struct site_learner *l);
bool site_learner_has_profile(const struct site_learner *l);
/** Appends what was learned, for site_learner_load() of a program with the same site_learned_by. */
void site_learner_save(struct site_learner *l, struct hr_buf *out);
/** Of a site without a profile. @return NULL where the bytes are no such */
struct site_learner *site_learner_load(struct hr_span site, struct hr_span bytes);
/* Tells what learns and classifies apart from what does it otherwise. */
extern const char site_learned_by[];

void site_model_destroy(struct site_model *m);
void site_model_classify(const struct site_model *m, const struct exchange_facts *f,
                         struct classified *ret_classified);
/** Exchanges of one site with equal kinds are classified alike by any of its models, but for times
 *  and tokens. Differs from process to process. */
uint64_t site_model_kind(const struct site_model *m, const struct exchange_facts *f);
/** Equal where two models say the same of exchanges of one kind. */
uint64_t classified_meaning(const struct exchange_facts *f, const struct classified *c);

/* One decision of the model and the observations behind it, for `profile suggest` and the store. */
struct model_decision {
    const char *what;   /* "session", "login", "logout", "user", "public", "not a session", "policy" */
    const char *value;  /* "cookie session_id", "POST /login" */
    const char *reason; /* "set by 14 of 14 logins, carried by 210 requests, deleted by 9 logouts" */
    bool from_profile;
};
size_t site_model_decision_count(const struct site_model *m);
/** Borrowed from the model. */
struct model_decision site_model_decision(const struct site_model *m, size_t index);
/** @return 1 session carrier, 0 not, by the store's carrier row */
bool site_model_is_session_carrier(const struct site_model *m, int64_t carrier_id);
/** ... and whether it opens sessions by itself: remember-me, by its name */
bool site_model_opens_sessions(const struct site_model *m, int64_t carrier_id);
/** @return whether the profile (may be NULL) says so outright: 1 protected, -1 public, 0 nothing */
int profile_declared_protection(const struct profile *p, struct hr_span method,
                                struct hr_span path_template);
/** The same by the model's profile. */
int site_model_declared_protection(const struct site_model *m, struct hr_span method,
                                   struct hr_span path_template);
/** Appends the site's part of a profile in YAML, reasons as comments. */
void site_model_suggest(const struct site_model *m, struct hr_buf *out);

#endif
