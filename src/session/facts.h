/*
 * session/facts.h - what is kept of one exchange: every fact that learning, classification, the
 * order check and the rules need, without a secret. The store writes these columns as they are and
 * gives the same struct back, so all that follows is a pure function of what is stored.
 */
#ifndef HR_SESSION_FACTS_H
#define HR_SESSION_FACTS_H

#include "base/digest.h"
#include "base/time.h"

/* Where a session token travels. Stored: never renumber. */
enum token_carrier {
    TOKEN_COOKIE = 1,
    TOKEN_BEARER = 2,     /* Authorization: Bearer (name "bearer") */
    TOKEN_HEADER = 3,     /* another field, e.g. X-Auth-Token */
    TOKEN_QUERY = 4,
    TOKEN_FORM = 5,
    TOKEN_JSON = 6,
    TOKEN_PATH = 7,       /* ;jsessionid= */
    TOKEN_USER_QUERY = 8, /* a plain user name in the query, where a site has nothing else */
};

/* Bits of token_use.flags. Stored: never renumber. */
enum {
    TOKEN_SENT = 1u << 0,        /* the request carried `sent` */
    TOKEN_SET = 1u << 1,         /* the response gave `set` (Set-Cookie, or a value in the body) */
    TOKEN_DELETED = 1u << 2,     /* the response deletes it: Max-Age=0, Expires in the past, empty */
    TOKEN_IN_BODY = 1u << 3,     /* `set` stood in a response body */
    TOKEN_HTTP_ONLY = 1u << 4,
    TOKEN_SECURE = 1u << 5,
    TOKEN_RANDOM_LOOKING = 1u << 6, /* long and varied enough to be an identifier */
    TOKEN_JWT = 1u << 7,         /* has the shape of a self-contained token: JWT and the like */
    TOKEN_SET_TWICE = 1u << 8,   /* several different values in one response; `set` is the last */
};
/* Of a cookie that was set: eight bits of a hash of its domain and path, never 0. Another scope's
 * cookie of the same name is another cookie, and replaces nothing. */
#define TOKEN_SCOPE_SHIFT 16
#define TOKEN_SCOPE_MASK (0xffu << TOKEN_SCOPE_SHIFT)

/* One carrier's part in one exchange. `name` is the cookie's (field's, parameter's) name. */
struct token_use {
    enum token_carrier carrier;
    struct hr_span name;
    unsigned flags;
    struct hr_digest sent; /* keyed hash; with TOKEN_SENT */
    struct hr_digest set;  /* keyed hash; with TOKEN_SET. Equal to sent: a refresh */
    int64_t lifetime_s;    /* declared with `set`: Max-Age, Expires, expires_in; -1 unknown */
    int64_t carrier_id;    /* filled by the store: row of (site, carrier, name) */
    int64_t sent_id;       /* filled by the store: row in sessions; 0 none */
    int64_t set_id;
};

/* Bits of exchange_facts.flags. Stored: never renumber. */
enum {
    FACT_FIELDS = 1u << 0,          /* the request has form, multipart or JSON members in its content */
    FACT_PASSWORD = 1u << 1,        /* one of them, or of the query, is a password with a value */
    FACT_TWO_PASSWORDS = 1u << 2,   /* several with different names: change or registration */
    FACT_USER_NAMED = 1u << 3,      /* and one names a user (see user) */
    FACT_LOGIN_PATH = 1u << 4,      /* the path is of rules/lists/login-paths */
    FACT_LOGOUT_PATH = 1u << 5,     /* ... logout-paths, or a method override says so */
    FACT_AUTH_CALLBACK = 1u << 6,   /* carries code and state, a SAMLResponse, an id_token, a passkey's
                                       answer, the value of a link that signs in */
    FACT_REFRESH_GRANT = 1u << 7,   /* grant_type=refresh_token or a refresh endpoint */
    FACT_STATIC_PATH = 1u << 8,     /* the path ends like a static file's */
    FACT_RESP_HTML = 1u << 9,
    FACT_RESP_JSON = 1u << 10,
    FACT_LOGIN_FORM = 1u << 11,     /* the response is HTML with a password input */
    FACT_LOGOUT_FORM = 1u << 12,    /* HTML with a form that posts to a logout path; also a logout path
                                       fetched ahead (Sec-Purpose: prefetch): it only asks as well */
    FACT_LOCATION_LOGIN = 1u << 13, /* redirects to a login path, also with a page; or JSON with 2xx
                                       or 403 that asks to sign in */
    FACT_LOCATION_AUTHORIZE = 1u << 14, /* redirects to another origin's authorize page */
    FACT_CACHED = 1u << 15,         /* Age, X-Cache: HIT and the like */
    FACT_TOKEN_IN_BODY = 1u << 16,  /* a token-like member in a JSON answer */
    FACT_SAYS_FAILURE = 1u << 17,   /* JSON like ok:false, success:false, error:...; a redirect with ?error */
    FACT_RESPONSE_WHOLE = 1u << 18, /* field section and content are complete, and all fields looked at */
    FACT_REQUEST_WHOLE = 1u << 19,
    FACT_CONDITIONAL = 1u << 20,    /* If-None-Match, If-Modified-Since */
    FACT_USER_QUERY = 1u << 21,     /* the query names a user by plain name */
    FACT_AUTH_WORD = 1u << 22,      /* the path has a word like auth, verify, otp, mfa, callback, sso */
    FACT_CODE_FIELD = 1u << 23,     /* content has a one-time-code-like member (otp, code, pin, token) */
    FACT_LOSS = 1u << 24,           /* bytes of the exchange are missing */
    FACT_EARLY_RESPONSE = 1u << 25,
    FACT_RESYNCHRONISED = 1u << 26, /* the pairing is not certain */
    FACT_AFFINITY = 1u << 27,       /* the response shows which replica answered (see replica) */
    FACT_RESP_SETS_COOKIE = 1u << 28, /* any Set-Cookie at all */
    FACT_REGISTER_PATH = 1u << 29,    /* the path is of rules/lists/registration-paths */
    FACT_PASSWORD_PATH = 1u << 30,    /* ... password-paths: a change or a reset */
};
/* Authorization by another scheme than Bearer, or an API key; or the answer asks the connection for
 * one; or not all fields were looked at. Past what an enumerator may hold. */
#define FACT_OTHER_CREDENTIAL ((uint32_t)1 << 31)

#define FACTS_TOKEN_LIMIT 16 /* uses kept of one exchange; the rest is counted */

/* What few exchanges have, and rules look for. Stored: never renumber. */
enum mark_kind {
    MARK_NONE = 0,
    /* 1 to 19: what the answer's bytes say of how it was made */
    MARK_LOCATIONS = 1,       /* a redirect with Location fields that lead to different places;
                                 text: both */
    MARK_LINK = 2,            /* the link of a framework's redirect text leads elsewhere than Location;
                                 value: 1, or 2 where one path ends with the other, and above LINK_MASK
                                 by which prefixes a proxy would map them, or 0; text: both */
    MARK_LINKS = 3,           /* two redirect texts with links to different places; text: both */
    MARK_AFTER_REDIRECT = 4,  /* more stands behind a framework's redirect text; value: enum
                                 answer_rest, and ANSWER_EXACT; text: whose text it is */
    MARK_REDIRECT_CONTENT = 5, /* a redirect's content that says nothing of a redirect;
                                 value: enum answer_rest */
    MARK_AFTER_ERROR = 6,     /* more stands behind a line of error text; value: enum answer_rest,
                                 and ANSWER_EXACT, and the line's bytes * ANSWER_LINE */
    MARK_SECOND_DOCUMENT = 7, /* value: enum answer_second, and ANSWER_UNDECLARED */
    MARK_FIELD_TWICE = 8,     /* a single-valued field with several values; text: name (values) */
    MARK_COOKIE_TWICE = 9,    /* two Set-Cookie of one name, domain and path; value: 1 two values,
                                 2 a value and then a deletion; text: the name */
    /* 20 to 39: who is told, and whose it is */
    MARK_REQUEST_ID_SENT = 20,     /* value: hash of a request id that the request carried */
    MARK_REQUEST_ID_ANSWERED = 21, /* value: hash of a request id in the answer's fields */
    MARK_LOGIN_NAME = 22,       /* value: hash of the name that a login's request gives, in lower case */
    MARK_LOGIN_LOCAL_PART = 23, /* value: the same of what stands before its @ */
    MARK_TOLD_USER = 24,        /* value: hash of a name, in lower case, by which an answer that tells
                                   who one is calls the user; text: the name as users are shown, if any */
    MARK_TOLD_NAME = 25,        /* the same in another answer */
    MARK_TOLD_LOCAL_PART = 26,  /* value: hash of what stands before the @ of a name told */
    MARK_MAY_CHANGE_USER = 27,  /* the request may give the session another user, or the user a name */
    MARK_VALUE = 28,            /* value: hash of a value in an answer that may be one user's alone */
    MARK_STRAY_VALUE = 29,      /* the same, where the answer's format has no place for one */
    MARK_ASKED_VALUE = 30,      /* the same, where the request holds the value as well */
    MARK_VALUES_END = 31,       /* the answer has more such values than are marked; value: those whose
                                   marks have less in their upper 8 bits are; -1: not all was read */
    MARK_GIVEN_VALUE = 32,      /* value: the same hash of a value in the content of a request that is
                                   no login and may change something */
    /* 40 to 59: what the request was, and what else the answer set */
    MARK_ALSO_SET = 40,            /* text: hr_digest_format() of a value that a cookie was set to
                                      before the answer set it to another one */
    /* 60 to 69: how the bytes were written */
    MARK_ANOMALIES = 60,           /* the first mark of its exchange; value: http/exchange.h
                                      HTTP_ANOMALY_* of the request, and those of the response *
                                      MARK_ANOMALIES_RESPONSE */
};

#define MARK_ANOMALIES_RESPONSE 65536

/* What stands behind a text that should be all. Stored: never renumber. */
enum answer_rest {
    ANSWER_REST_NONE = 0,
    ANSWER_REST_TEXT = 1,
    ANSWER_REST_JSON = 2,
    ANSWER_REST_HTML = 3,
    ANSWER_REST_ASIDE = 4, /* comments and scripts alone, as proxies and tools add them */
};
#define ANSWER_EXACT 16 /* the text before it is byte for byte that of Go's net/http */
#define ANSWER_LINE 256
#define LINK_MASK 3

/* A document behind a document. Stored: never renumber. */
enum answer_second {
    ANSWER_JSON_OTHER = 1,  /* two JSON values that have nothing in common, or one tells an error */
    ANSWER_JSON_ALIKE = 2,  /* two of one make, or the second is cut: may be lines of a stream */
    ANSWER_JSON_SAME = 3,   /* the same value twice */
    ANSWER_JSON_STREAM = 4, /* three or more of one make: lines of a stream, nothing wrong */
    ANSWER_JSON_TEXT = 5,   /* text behind JSON */
    ANSWER_JSON_HTML = 6,
    ANSWER_HTML_HTML = 7,
    ANSWER_HTML_JSON = 8,
    ANSWER_HTML_TEXT = 9,   /* a line of error text behind HTML */
    ANSWER_ERROR_JSON = 10, /* behind the one line of Go's http.Error */
    ANSWER_ERROR_HTML = 11,
};
#define ANSWER_UNDECLARED 64 /* JSON by its looks, not by its Content-Type */

struct fact_mark {
    enum mark_kind kind;
    int64_t value;       /* 64 bits of a keyed hash, or a number, as the kind says */
    struct hr_span text; /* as the kind says, escaped and without secrets; ptr NULL: none */
};

#define FACTS_MARK_LIMIT 32 /* marks kept of one exchange; the rest is counted */

struct exchange_facts {
    int64_t id;            /* row; 0 before it is stored */
    int64_t site_id;       /* filled by the store */
    int64_t endpoint_id;   /* filled by the store; 0 without a request */
    int64_t stream_id;     /* filled by the store's writer from the connection */
    struct hr_span site;   /* Host, lower case, default port dropped; or address:port */
    struct hr_span host;   /* the Host field as sent; ptr NULL without */
    struct hr_span method; /* escaped; ptr NULL: no request */
    struct hr_span target; /* redacted and escaped */
    struct hr_span path_template; /* "/users/{id}"; redacted and escaped */
    struct hr_span location;      /* redirect target, redacted and escaped; ptr NULL: none */
    struct hr_span location_path; /* its path if it leads to the same site, or a page's that sends the
                                     browser on at once; ptr NULL else */
    struct hr_span user;          /* that the request names; ptr NULL: none */
    struct hr_span replica;       /* value of Via, X-Served-By, an affinity cookie: hashed if long */
    uint32_t agent;        /* twice a 31-bit hash of the User-Agent (0: none), odd where fields say
                              that a proxy forwarded the request */
    uint64_t request_hash; /* keyed; equal where method, target, content, its type and the fields
                              that bear on the answer are. 0: no content, or not whole */
    unsigned status;       /* 0: no response */
    unsigned version;      /* of the request, 11 for HTTP/1.1 */
    uint32_t flags;
    uint64_t shape;        /* of the response: hash of status class, type, JSON members and booleans, title;
                              of a page with a login form: of the path that the form posts to */
    hr_nsec request_at;    /* first byte; HR_NSEC_INFINITE: not seen */
    hr_nsec request_end_at;
    hr_nsec response_at;
    hr_nsec response_end_at;
    uint64_t request_frame;
    uint64_t response_frame;
    size_t request_capture;  /* indices of the run while importing, row ids when read back */
    size_t response_capture;
    uint64_t request_bytes;  /* contents as on the wire */
    uint64_t response_bytes;
    unsigned state;        /* enum http_state */
    unsigned ordinal;      /* in its connection */
    /* From here on only what is used is copied and cleared. */
    size_t token_count;
    size_t mark_count;
    struct fact_mark marks[FACTS_MARK_LIMIT];
    struct token_use tokens[FACTS_TOKEN_LIMIT];
};

#endif
