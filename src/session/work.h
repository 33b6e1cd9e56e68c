/*
 * session/work.h - the inside of extraction: one exchange on its way to facts. For session/ alone.
 */
#ifndef HR_SESSION_WORK_H
#define HR_SESSION_WORK_H

#include "base/arena.h"
#include "http/content.h"
#include "http/cookie.h"
#include "http/form.h"
#include "http/target.h"
#include "session/extract.h"
#include "session/lists.h"
#include "session/profile_rules.h"
#include "session/signs.h"
#include "session/values.h"
#include "session/words.h"

#include <jansson.h>

/* A parameter that says what is asked for, the first of rules/lists/action-parameters. */
struct work_action {
    struct hr_span name;
    struct hr_span value;
    unsigned rank; /* 0: none */
};

struct work {
    struct extractor *e;
    const struct http_exchange *x;
    const struct profile *profile; /* may be NULL */
    struct exchange_facts *f;
    struct hr_arena *arena;
    struct http_url url; /* of the request */
    struct http_target target;
    struct hr_span path;   /* as sent, without parameters and query */
    struct hr_span method; /* as sent; an override put in its place */
    uint8_t
        weight[FACTS_TOKEN_LIMIT]; /* of f->tokens: the lighter one goes when there are too many */
    size_t user_rank;              /* of the field that named the user; 0 none yet */
    struct hr_span user;           /* as sent */
    struct hr_span form_user_name; /* of the field of a form or JSON that named the user, if a query
                                      could have it too */
    struct hr_span password_name;  /* of the first password field */
    unsigned new_password_count;   /* fields that only a change or a registration has */
    unsigned weak_new_password_count;
    bool is_login_like; /* the answer's text matters */
    bool may_sign_in;   /* the request looks like a login, or the profile says that it is one */
    uint64_t form_target; /* of a page with a login form: hash of the path that it posts to; 0 none */
    struct work_action action;
    struct hr_span operation;   /* of a GraphQL or JSON-RPC request; empty: none */
    uint64_t code; /* in the answer's JSON, that says how it went; 0 none */
    struct hr_span rpc_method;
    struct hr_span rpc_auth;    /* the session's token, as a member of a JSON-RPC request */
    struct hr_span action_text; /* stands behind the path's template; empty: none */
    struct hr_span action_path; /* the same as words of a path */
    struct hr_span location_action; /* stands behind that of location_path */
    bool is_rpc;
    bool only_asks; /* a GraphQL request that changes nothing */
    bool is_skimmed; /* something stands past a bound */
    bool has_code;
    bool has_state;
    bool has_refresh_token;
    bool has_link_value; /* a random value in the query, by the name of a token or code */
    uint32_t signs;          /* of the answer's text: SIGN_BIT() of what it can hold */
    size_t secret_steps;     /* taken in looking for secrets in texts */
    struct hr_span plain_host; /* the latest one in which no token was found; ptr NULL: none */
    bool json_condition_met; /* of the profile's login.success.json */
    uint8_t also_set_count;  /* of MARK_ALSO_SET */
    uint8_t id_sent_count;   /* request ids of the request, kept or not */
    uint8_t id_answered_count;
};

/* extract.c */
struct hr_digest work_digest(struct work *w, struct hr_span value);
/** All that is known of a value; borrowed until the next call. */
const struct value *work_value(struct work *w, struct hr_span value);
void work_remember_token(struct work *w, const struct value *value);
void work_count_dropped_token(struct work *w);
/** Its messages have more members, cookies or tags than are looked at. */
void work_count_unread(struct work *w);
/** @param text  lives as long as the exchange's facts: in w->arena, or in what w->x points to */
void work_mark(struct work *w, enum mark_kind kind, int64_t value, struct hr_span text);
const struct hr_key *work_key(const struct work *w);
/** The value of a mark that stands for these bytes: the beginning of their keyed hash. */
int64_t work_mark_value(struct work *w, struct hr_span value);
/** Empty; for building one text, then hr_arena_copy(). */
struct hr_buf *work_text(struct work *w, size_t limit_bytes);

/* uses.c */
/** Finds or adds the use of a carrier. @return NULL where there are too many heavier ones */
struct token_use *work_token(struct work *w, enum token_carrier carrier, struct hr_span name,
                             unsigned weight);
void work_token_sent(struct work *w, enum token_carrier carrier, struct hr_span name,
                     struct hr_span value);
/** As if that carrier had not been sent. */
void work_token_forget(struct work *w, enum token_carrier carrier, struct hr_span name);
void work_token_set(struct work *w, enum token_carrier carrier, struct hr_span name,
                    struct hr_span value, int64_t lifetime_s);
/** A set of cookies of the profile, "a+b", becomes one. */
void work_token_join(struct work *w, const char *names);

/* sets.c */
/** Cookies that are one token by their names become one: pieces, signatures, pairs. */
void work_token_sets(struct work *w);

/* extract.c */
/** The tokens among a path's parameters: sent by the request, or given by a redirect to it. */
void work_path_tokens(struct work *w, struct hr_span path, bool is_set);
/** What a name says. */
struct word work_word(const struct work *w, struct hr_span name);
/** What a cookie's name says: the profile's session cookies are always ones. */
struct word work_cookie_word(struct work *w, struct hr_span name);
const struct lists *work_lists(const struct work *w);
/** What a text can hold: SIGN_BIT()s. */
uint32_t work_signs(const struct work *w, enum signs_text kind, struct hr_span text);
bool work_is_known_token(const struct work *w, struct hr_span value);
size_t work_longest_token(const struct work *w);
/** The user as it is shown: escaped, or its hash with --redact-users. */
struct hr_span work_shown_user(struct work *w, struct hr_span user);
/** FACT_* flags that a path alone tells. */
uint32_t work_path_flags(struct work *w, struct hr_span path);

/* fields.c: what the request's own members say, whether of query, form or JSON */
enum member_place {
    MEMBER_QUERY,
    MEMBER_FORM,
    MEMBER_JSON,
};
void work_member(struct work *w, enum member_place place, struct hr_span name,
                 struct hr_span value);
void work_request_content(struct work *w);
void work_query(struct work *w);

/* action.c: what is asked for where one path serves many purposes */
/** @param rank  of the name in rules/lists/action-parameters, 0: none */
void work_action_member(struct work *w, enum member_place place, struct hr_span name,
                        struct hr_span value, unsigned rank);
/** Keeps the one that goes before the others. */
void work_action_note(struct work_action *a, struct hr_span name, struct hr_span value,
                      unsigned rank);
/** The same of a parameter of a query that names a page: rules/lists/page-parameters. */
void work_action_page(struct work *w, struct work_action *a, struct hr_span name,
                      struct hr_span value);
/** The same of a query that begins with a path: index.php?/user/login. */
void work_action_path(struct work_action *a, struct hr_span name, bool is_first);
/** The same of a parameter that asks by its name alone: "?logout", "?logout=1". */
void work_action_switch(struct work_action *a, struct hr_span name, struct hr_span value,
                        uint32_t bits);
/** After all members: fills action_text and action_path, and what they say of the request. */
void work_action_conclude(struct work *w);
/** @return "?action=login", empty where the path says enough; ret_flags: FACT_*_PATH of it */
struct hr_span work_action_of(struct work *w, const struct work_action *a, struct hr_span path,
                              uint32_t *ret_flags);
struct hr_span work_action_of_query(struct work *w, struct hr_span path, struct hr_span query,
                                    uint32_t *ret_flags);
/** A path's template with what is asked for behind it. */
struct hr_span work_endpoint(struct work *w, struct hr_span path_template,
                             struct hr_span action_text);

/* leads.c */
/** Location's value, or what does the same. */
void work_leads_to(struct work *w, struct hr_span value);
/** "0; url=/login", of a field or a page. */
void work_refresh(struct work *w, struct hr_span value);
void work_page_leads(struct work *w, struct hr_span html);

/* headers.c */
void work_request_fields(struct work *w);
void work_response_fields(struct work *w);

/* trace.c */
/** Of a field that may name the request or its trace, as rules/lists/request-ids or the profile say. */
bool work_is_request_id(const struct work *w, struct hr_span name, uint32_t bits);
void work_request_id_sent(struct work *w, struct hr_span name, struct hr_span value);
/** Keeps the id if the request did not have it. After all of the request was read. */
void work_request_id_answered(struct work *w, struct hr_span name, struct hr_span value);

/* same.c */
/** Fills request_hash, by which requests that ask for the same are known again. */
void work_request_hash(struct work *w);

/* secrets.c */
/** A known token, or a credential behind its name, anywhere in what was sent or in its decoding. */
bool work_holds_secret(struct work *w, struct hr_span raw);
/** A known token that looks random: others are names of hosts themselves. */
bool work_host_holds_token(struct work *w, struct hr_span host);

/* redact.c */
bool work_is_secret_name(const struct work *w, struct hr_span raw_name);
/** Of a Host field; @param limit  most bytes */
struct hr_span work_redact_host(struct work *w, struct hr_span host, size_t limit);
struct hr_span work_redact(struct work *w, struct hr_span target, bool is_connect);
struct hr_span work_template(struct work *w, struct hr_span path);
struct hr_span work_escape(struct work *w, struct hr_span bytes, size_t limit);

/* body.c */
/** @param ret_result  an enum http_content_result, untouched where the content was not looked at */
void work_response_content(struct work *w, const struct http_message *m,
                           const struct http_content_limits *limits, struct hr_buf *scratch,
                           unsigned *ret_result);
/** Sets what the forms of a page say: FACT_LOGIN_FORM, FACT_LOGOUT_FORM, form_target (forms.c). */
void work_forms(struct work *w, struct hr_span html);
/** The value of an attribute of a tag's text; ptr NULL where it has none. */
struct hr_span body_attribute(struct hr_span tag, const char *name);
#define BODY_JSON_DEPTH 24
#define BODY_JSON_BYTES ((size_t)256 * 1024)
#define BODY_ENVELOPE_BYTES ((size_t)600) /* nor is a longer answer one */
#define BODY_MESSAGE_BYTES 300 /* a longer text is no message */
json_t *body_parse_json(struct hr_span text); /* what stands behind the value is passed over */
/** The answer without its data (prune.c). @return NULL where it is not whole or no JSON */
json_t *body_parse_pruned(struct hr_span text, struct hr_buf *scratch);
/** "data.token": the member, or NULL. */
const json_t *body_json_member(const json_t *root, const char *path);

/* envelope.c */
/** Whether a JSON text is worth parsing for it. */
bool work_may_be_envelope(struct hr_span text);
/** Sets what an object says in place of the status: FACT_SAYS_FAILURE, FACT_LOCATION_LOGIN. */
void work_envelope(struct work *w, json_t *root);
/** Whether an answer to who is asking may say "nobody": {"user": null}, {"authenticated": false}. */
bool work_may_tell_nobody(struct work *w, struct hr_span text);
/** Sets the same as of an object that says so and nothing else. */
void work_tells_nobody(struct work *w, const json_t *root);

/* answer.c: marks of how the answer was made */
/** Whether its content is to be decoded for that, though it is neither HTML nor JSON. */
bool work_answer_is_short_text(const struct work *w, const struct http_media_type *type);
/** @param is_whole  nothing of the content is missing behind text */
void work_answer(struct work *w, const struct http_media_type *type, struct hr_span text,
                 bool is_whole);
/** Behind marks of byte order: each of a page's source files may bring its own. */
struct hr_span work_without_bom(struct hr_span text);
bool work_answer_is_redirect(const struct work *w);

/* redirect.c */
void work_redirect_text(struct work *w, struct hr_span text, bool is_whole);

/* documents.c */
void work_json_documents(struct work *w, struct hr_span text, bool is_whole, bool is_declared);
void work_html_documents(struct work *w, struct hr_span text, bool is_whole);
/** What text is, white space around it dropped. */
enum answer_rest document_kind(struct hr_span text, bool is_whole);
/** @return bytes of the JSON value that text begins with; SIZE_MAX where it is none or cut */
size_t document_json_length(struct hr_span text);
/** @return behind the comment, script or other element whose text is no HTML that begins at `at` with
 * a '<'; at itself where none does */
size_t document_skip_raw(struct hr_span html, size_t at);

/* duplicates.c */
void work_duplicate_fields(struct work *w);

/* place.c */
/* How two references, resolved against the request, compare. */
enum place_match {
    PLACE_SAME,   /* but for an encoding, a fragment, a path parameter */
    PLACE_ORIGIN, /* the same path and query at another origin: a proxy puts its own in Location */
    PLACE_MAPPED, /* one path ends with the other, as where a proxy maps paths */
    PLACE_OTHER,
};
enum place_match work_compare_places(struct work *w, struct hr_span a, struct hr_span b);
/** By which prefixes a proxy that changes Location alone would have made one of the other: the paths end alike,
 *  and the request lies below what Location's begins with. @return the same for the same prefixes; 0: by none */
int64_t work_place_mapping(struct work *w, struct hr_span location, struct hr_span link);
/** Does the text name the location's path without a prefix that the request's path has too? */
bool work_names_unmapped(struct work *w, struct hr_span text, struct hr_span location);
/** Character references resolved. @return raw itself where it has none, else a copy in the arena */
struct hr_span work_html_text(struct work *w, struct hr_span raw);
/** "A and B", redacted. */
struct hr_span work_both_places(struct work *w, struct hr_span a, struct hr_span b);

#endif
