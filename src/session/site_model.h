/*
 * session/site_model.h - the inside of a model, for session/ alone: what learning decided.
 */
#ifndef HR_SESSION_SITE_MODEL_H
#define HR_SESSION_SITE_MODEL_H

#include "session/learner.h"

#define MODEL_CARRIERS 8  /* most session carriers of a site */
#define MODEL_VISITING 16 /* most carriers that are known to open nothing */
#define MODEL_OTHERS 8
#define MODEL_OPENED_MIN 2

struct model_carrier {
    uint64_t hash;
    enum token_carrier carrier;
    char *name;
    bool reissues; /* hands the same value out again: a first sight of Set-Cookie proves nothing */
    bool from_profile;
    /* Observations, in exchanges unless said otherwise. */
    uint64_t login_ok;  /* logins that look successful */
    uint64_t login_set; /* of these, those that gave a new value */
    uint64_t visit_set; /* new values given to who had none, outside logins */
    uint64_t sent;
    uint64_t random; /* sent or set, looking random */
    uint64_t used;   /* sent or set */
    uint64_t in_body;
    uint64_t deleted;
    uint64_t logout_deleted;
    uint64_t guarded; /* endpoints that grant with it and deny without */
    uint64_t carried; /* values that were set and sent later (of the sample) */
    uint64_t alone;   /* granted with it and without the better carriers, where nothing is denied */
    uint64_t values;  /* different values that were set (of the sample) */
    uint64_t value_sets; /* and how often they were */
    uint64_t own_logins; /* logins that gave it and none of the better carriers */
    uint64_t self_contained; /* sent or set, with the shape of a JWT or the like */
    uint64_t rotated;    /* granted accesses that gave it a new value */
    struct learn_example given;  /* by a login */
    struct learn_example sent_at;
    struct learn_example taken; /* by a logout */
    bool named;          /* its name is one that frameworks use */
    bool remembers;      /* its name is one of remember-me */
    int score;
    bool eligible;
};

/* What an endpoint is to sessions. */
struct model_endpoint {
    struct learn_entry entry;
    char *method;
    char *path;
    bool is_login;
    bool is_form_login;  /* a page has a form with one password that posts to it */
    bool is_logout;
    bool logout_learned; /* by what it does, not by its name */
    bool only_logins;    /* most of what it gets looks like a login */
    bool is_login_page;  /* shows the login form */
    bool is_question;    /* asks before the logout */
    bool is_weak_logout; /* its path may be about another session than the one that asks */
    bool is_ordinary;    /* granted to sessions that were live elsewhere before */
    bool authenticates;  /* sessions change from denied to granted over it */
    bool always_denies;  /* redirects to the login whatever the session: says nothing */
    bool unlocks;        /* takes the password of a session that is asked for it once more */
    bool unlocks_by_path;
    bool rotates;        /* gives a new token to who carried one */
    uint64_t logins;     /* exchanges that look like a login */
    uint64_t others;
    uint64_t yields; /* answers that gave a session token, of those that look successful */
    uint64_t successes;
    uint64_t forms;   /* 2xx with a login form */
    uint64_t pages;   /* 2xx without */
    uint64_t refusals; /* logins that were refused for certain: by status, with the form, in words */
    uint64_t barred;  /* 403 with a login form, of who carried no token */
    uint64_t granted; /* with a session token */
    uint64_t denied;  /* with a session token */
    uint64_t denied_without;
    uint64_t granted_without;
    uint64_t bare_to_login; /* redirects to a login page of who carried no token */
    uint64_t logouts;      /* acknowledged, carrying a session token */
    uint64_t deletions;    /* of these, those that deleted it */
    uint64_t live_ends;    /* values granted before that it deleted */
    uint64_t live_denials; /* redirects to the login between grants elsewhere, never a grant here */
    uint64_t used_after;   /* values granted after it acknowledged their logout, no login between;
                              not where it was asked to end the very session of that value */
    uint64_t other_ends;   /* it was asked to end another session than the one that asked */
    uint64_t silent_ends;  /* values granted before and denied soon after it was asked, at once */
    uint64_t silent_stays; /* ... and granted after it */
    hr_nsec end_after;     /* of the silent ends: the latest beginning of the time in which it came, */
    hr_nsec end_before;    /* and the earliest end. The first later than the second: no one cause */
    uint64_t page_ends;    /* values denied after a page of it that took no token away */
    uint64_t keeps;        /* logins that gave nothing, over which the carried value became live */
    uint64_t ordinary;     /* values granted elsewhere before */
    uint64_t changes;      /* values denied before and granted after */
    uint64_t users;        /* successes whose request names a user in its fields */
    struct learn_example success; /* a login's */
    struct learn_example logout;
};

/* One way a login endpoint answers. */
struct model_group {
    struct learn_entry entry;
    uint64_t total;
    uint64_t yields; /* with a session token in it */
};

/* One way a login endpoint answers that looks like a failure, a redirect back, and what became of the
 * tokens that it gave or was asked with. */
struct model_opening {
    struct learn_entry entry; /* model_opening_hash() */
    uint64_t endpoint;
    uint64_t opened;          /* granted next, where others are denied */
    uint64_t closed;          /* denied next, or asked with once more */
};

/* Where an endpoint sends those without a session. */
struct model_away {
    struct learn_entry entry;
    uint64_t bare; /* to here without a session token; others carried one that was not live */
};

/* One way in which JSON with 2xx says that something failed. */
struct model_refusal {
    struct learn_entry entry; /* the view's answer */
    uint64_t bare;            /* to who carried no token, where sessions are granted and others never */
    uint64_t endpoint;        /* one of these places */
    bool several;             /* there are more of them */
    bool says_other;          /* it comes for other reasons, too: at places for everybody, to logins */
};

struct decision_text {
    const char *what;
    char *value;
    char *reason;
    bool from_profile;
    struct learn_example example; /* frame 0: none */
};

struct site_model {
    char *site;
    const struct profile *profile;
    struct model_carrier carriers[MODEL_CARRIERS]; /* the session's, the best first */
    size_t carrier_count;
    uint64_t remembering[MODEL_CARRIERS]; /* carriers that open sessions by themselves */
    size_t remembering_count;
    uint64_t visiting[MODEL_VISITING]; /* carriers that visitors have, and logins never give */
    size_t visiting_count;
    int64_t *carrier_ids; /* the store's rows of the session's carriers */
    size_t carrier_id_count;
    int64_t *opener_ids; /* ... of remember-me, by name */
    size_t opener_id_count;
    struct learn_table endpoints;
    struct learn_table groups;
    struct learn_table openings; /* empty before they are known */
    struct learn_table told_refusals;
    uint64_t told_bare; /* the sum of their bare */
    struct learn_table aways;
    struct learn_table detours; /* hashes of places to which public pages lead as well */
    struct learn_table login_pages; /* hashes of paths */
    struct learn_table form_pages;  /* those that show the login form at times */
    bool has_posted_login;          /* some endpoint takes logins by another method than GET */
    struct model_carrier others[MODEL_OTHERS]; /* that were weighed and are no session's */
    size_t other_count;
    bool has_several_captures;
    struct decision_text *decisions;
    size_t decision_count;
};

enum answer_look {
    LOOK_NONE,    /* no answer */
    LOOK_ERROR,   /* 5xx */
    LOOK_FAILURE, /* by itself it says that the login failed */
    LOOK_UNCLEAR, /* may be either */
    LOOK_PLAUSIBLE,
};

/* judge.c: what one exchange is, by the model as far as it has come. */
bool view_is_method(const struct view *v, const char *method);
bool view_is_get(const struct view *v);
/** Does it send a one-time code, as the second step of a login? */
bool view_sends_code(const struct view *v);
/** Does the request look like one that signs in, by its members and path? */
bool view_looks_like_login(const struct view *v);
/** The same, or what the profile says. */
bool model_may_be_login(const struct site_model *m, const struct view *v);
/* openings.c */
/** To the login's page, or to where it was asked, without a word of a failure. */
bool view_is_redirect_back(const struct site_model *m, const struct view *v);
enum answer_look model_look_of_redirect_back(const struct site_model *m, const struct view *v);
/** Redirects back that never open anything are refusals, too. */
void openings_count_refusals(struct site_model *m);
/* judge.c */
enum answer_look view_login_look(const struct site_model *m, const struct view *v);
const struct model_carrier *model_carrier_of(const struct site_model *m, uint64_t hash);
/** Bits of all session carriers together; counts those sent. */
unsigned model_session_bits(const struct site_model *m, const struct view *v, unsigned *ret_sent);
/** What opens sessions by itself, or counts in the place of one: remember-me, a bearer token. */
bool model_has_credential(const struct site_model *m, const struct view *v);
struct model_endpoint *model_endpoint_of(const struct site_model *m, uint64_t hash);
bool model_is_login(const struct site_model *m, const struct view *v);
/** Gives a password, a code or the like, as who signs in does; not a new password. */
bool view_gives_credential(const struct view *v);
/** Does a session get in again with this, or try to? */
bool model_is_unlock(const struct site_model *m, const struct view *v);
bool model_is_logout(const struct site_model *m, const struct view *v);
/** A page in answer to GET of a logout's path that leaves the token as it is: perhaps a question, or
 * a help page. */
bool model_is_logout_page(const struct site_model *m, const struct view *v);
bool model_is_login_page(const struct site_model *m, struct hr_span path);
/** The path shows the login form to some and pages to others: who is sent back there sees whether the
 *  login went well. A login's own page is not meant: it shows something else to who came in. */
bool model_shows_form_or_page(const struct site_model *m, const struct view *v);
/* refusals.c */
void decide_refusals(struct site_model *m, const struct site_learner *l);
/** Does it say, in the way of this site, that there is no session? */
bool model_tells_refusal(const struct site_model *m, const struct view *v);
/* judge.c */
/** A page with 200 that sends the browser to the login at once. */
bool model_sends_to_login(const struct site_model *m, const struct view *v);
enum session_outcome model_access_outcome(const struct site_model *m, const struct view *v,
                                          bool had_token);
uint64_t model_group_hash(const struct view *v);
/** Of the group, and whether the answer gives a token. */
uint64_t model_opening_hash(const struct view *v, bool gives);
uint64_t model_away_hash(const struct view *v);
/** The same without the endpoint. */
uint64_t model_place_hash(const struct view *v);
uint64_t model_path_hash(struct hr_span path);

/* reasons.c */
void model_explain(struct site_model *m);

/* carriers.c */
void decide_carriers(struct site_model *m, const struct site_learner *l);
/* unlocks.c */
void decide_unlocks(struct site_model *m, const struct site_learner *l);
/* tokens.c: first where those are sent whose tokens are not live, for outcomes depend on it */
void decide_aways(struct site_model *m, const struct site_learner *l);
void decide_from_tokens(struct site_model *m, const struct site_learner *l);
/** Learns openings, which hold for a model that is decided with them from the beginning on.
 * @return whether any matters */
bool find_openings(struct site_model *m, const struct site_learner *l,
                   struct learn_table *ret_openings);

#endif
