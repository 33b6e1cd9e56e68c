/*
 * store/read.h - rows out, as plain structs, one callback call a row. Strings in a row are valid
 * during the call. A callback returns 0 to go on, else the reading ends and returns that value; it
 * may read other things, but must not begin the reading again that it is called from.
 */
#ifndef HR_STORE_READ_H
#define HR_STORE_READ_H

#include "store/store.h"
#include "store/write.h"

/* For the analysis. */
int read_site(struct store *s, int64_t site_id, struct hr_buf *ret_name);
/** Every exchange of the site in order of ids, with its tokens; the struct is reused. */
int read_site_exchanges(struct store *s, int64_t site_id,
                        int (*row)(const struct exchange_facts *f, void *user), void *user);
/** Those with ids from first to last. */
int read_site_exchanges_between(struct store *s, int64_t site_id, int64_t first, int64_t last,
                                int (*row)(const struct exchange_facts *f, void *user), void *user);
/** Single ones by their ids; what is not there, or another site's, is left out. */
int read_site_examples(struct store *s, int64_t site_id, const int64_t *ids, size_t count,
                       int (*row)(const struct exchange_facts *f, void *user), void *user);
/**
 * What learning_put() kept, if it still holds.
 * @param row  once, or not at all; borrowed. @return 0, what row returned, or a negative errno
 */
int read_learning(struct store *s, int64_t site_id, const char *made_by,
                  int (*row)(const struct site_learning *l, void *user), void *user);
/** The last exchange of any site that has operations; 0: none. */
int read_last_classified(struct store *s, int64_t *ret_exchange_id);
/** The site's carriers by their ids. */
int read_site_carriers(struct store *s, int64_t site_id, int (*row)(int64_t carrier_id, void *user),
                       void *user);

/** @param ret_is_behind  whether sites are stored that were not analysed, or rules not run over */
int read_is_behind(struct store *s, bool *ret_is_behind);

struct operation_row {
    int64_t id;
    int64_t session_id;
    int64_t exchange_id;
    int64_t endpoint_id;
    enum operation_kind kind;
    hr_nsec start;
    hr_nsec end;
    bool issues;
    bool understood;
    bool is_user_name; /* the session is a plain user name; told by read_site_operations() alone */
    enum session_role role; /* of the exchange */
    uint32_t agent;         /* as exchange_facts.agent */
};
/** Operations of the site's sessions, session by session, each in order of start.
 *  @param since  0, or only of sessions that have one of this exchange or a later one
 *  @param limit  most of one session; -1: all */
int read_site_operations(struct store *s, int64_t site_id, int64_t since, int64_t limit,
                         int (*row)(const struct operation_row *o, void *user), void *user);
/** Those of one session. */
int read_session_operations(struct store *s, int64_t session_id,
                            int (*row)(const struct operation_row *o, void *user), void *user);
/** The token that `session_id` replaced in the exchange that gave it: of one carrier, domain and path.
 *  @param ret_parent_id  0: none, or how that one was given was not seen */
int read_replaced_session(struct store *s, int64_t exchange_id, int64_t session_id,
                          int64_t *ret_parent_id);
/** Looks up which sites are kindred, for read_twin_carriers(); again where sites or carriers changed.
 *  @param kin_of  a part of the site's name; equal: kindred */
int read_kin(struct store *s, struct hr_span (*kin_of)(struct hr_span site));
/** Carriers of kindred sites that are called like one of this site's: the first by the sites' names.
 *  @param ret_cut  there are more (read_twin_carriers()) */
enum { TWIN_CARRIERS_MAX = 32 };
struct twin_carrier {
    int64_t carrier_id;
    int64_t other_id;
    int64_t other_site_id;
};
int read_twin_carriers(struct store *s, int64_t site_id,
                       struct twin_carrier ret_carriers[TWIN_CARRIERS_MAX], size_t *ret_count,
                       bool *ret_cut);
/** The session of the other carrier that has the same token. @param ret_session_id  0: none */
int read_twin_session(struct store *s, int64_t session_id, int64_t carrier_id, int64_t other_id,
                      int64_t *ret_session_id);
/** @param ret_shares  0: no token of the one is one of the other */
int read_carriers_share_token(struct store *s, int64_t carrier_id, int64_t other_id,
                              int64_t *ret_shares);
/** Accesses without a token of a session carrier: endpoint_id, granted or denied, exchange. */
struct anonymous_row {
    int64_t exchange_id;
    int64_t endpoint_id;
    enum session_outcome outcome;
};
/** @param since  only this exchange and later ones */
int read_site_anonymous(struct store *s, int64_t site_id, int64_t since,
                        int (*row)(const struct anonymous_row *a, void *user), void *user);
/** Every endpoint of a site. */
int read_site_endpoints(struct store *s, int64_t site_id,
                        int (*row)(int64_t endpoint_id, const char *method, const char *path_template,
                                   void *user),
                        void *user);
/** As analysis_set_endpoint() left it. */
int read_endpoint_protection(struct store *s, int64_t endpoint_id, enum endpoint_protection *ret_protection);
/** @param ret_id  the highest there is; 0: there is none */
int read_last_exchange(struct store *s, int64_t *ret_id);
int read_last_endpoint(struct store *s, int64_t *ret_id);
/** ε: the largest step back of time in the captures of these exchanges' site. */
int read_site_clock_doubt(struct store *s, int64_t site_id, hr_nsec *ret_epsilon);

/* For people. Empty members of the filter do not filter. */
struct read_filter {
    const char *site;
    const char *session;    /* short name */
    const char *user;
    const char *rule;
    const char *verdict;
    const char *min_severity;
    hr_nsec since;          /* by `at` / request_at; INT64_MIN none */
    hr_nsec until;          /* HR_NSEC_INFINITE none */
    int64_t stream;         /* -1 none */
    int64_t limit;          /* -1 none */
};
#define READ_FILTER_ALL {.since = INT64_MIN, .until = HR_NSEC_INFINITE, .stream = -1, .limit = -1}

struct exchange_view { /* the contract of `list exchanges`; NULL, 0 or HR_NSEC_INFINITE: null */
    int64_t id;
    const char *capture;
    int64_t capture_id;
    int64_t stream;
    const char *client;
    int client_port;
    const char *server;
    int server_port;
    const char *site;
    const char *host;
    const char *method;
    const char *target;
    const char *endpoint;    /* "GET /users/{id}" */
    int status;
    const char *version;     /* "HTTP/1.1" */
    int64_t request_frame;
    int64_t response_frame;
    const char *response_capture;
    hr_nsec request_at;
    hr_nsec request_end_at;
    hr_nsec response_at;
    hr_nsec response_end_at;
    int64_t request_bytes;   /* -1: null */
    int64_t response_bytes;  /* -1: null */
    const char *role;
    const char *outcome;
    const char *session;
    const char *user;
    const char *state;
    const char *pairing;
    bool loss;
    unsigned request_anomalies;  /* http/exchange.h HTTP_ANOMALY_* */
    unsigned response_anomalies;
};
int read_exchanges(struct store *s, const struct read_filter *f,
                   int (*row)(const struct exchange_view *x, void *user), void *user);
int read_exchange(struct store *s, int64_t id, int (*row)(const struct exchange_view *x, void *user),
                  void *user);

struct evidence_view {
    const char *role;
    int64_t exchange_id;
    const char *capture;
    int64_t stream;
    int64_t frame;
    hr_nsec at;
    const char *text;
};
struct finding_view { /* the contract of `list findings` */
    int64_t id;
    const char *rule;
    const char *severity;
    const char *verdict;
    hr_nsec at;
    const char *site;
    const char *user;
    const char *session;
    const char *client;
    int client_port;
    const char *method;
    const char *target;
    int status;
    int64_t exchange;
    const char *capture;
    int64_t stream;
    int64_t frame;
    const char *summary;
    const char *explanation;
    const char *caveats;        /* JSON array */
    const struct evidence_view *evidence;
    size_t evidence_count;
    int64_t count;              /* occurrences; 1 */
    const char *fingerprint;
    const char *group;
    const char *baseline;       /* "new" | "unchanged" | "absent"; NULL: compared with nothing */
    bool suppressed;
    const char *suppression_reason; /* the first one that applies; NULL: not suppressed */
    const char *suppression_owner;
    hr_nsec suppression_expires_at; /* HR_NSEC_INFINITE: never */
    const char *endpoint;       /* "GET /users/{id}"; NULL: none */
    hr_nsec known_since;        /* when its problem was found first; infinite: not asked */
};
/** Not the withdrawn ones; suppressed ones last; worst severity first, then verdict, site, time. */
int read_findings(struct store *s, const struct read_filter *f,
                  int (*row)(const struct finding_view *x, void *user), void *user);
/** The same without their evidence. */
int read_finding_heads(struct store *s, const struct read_filter *f,
                       int (*row)(const struct finding_view *x, void *user), void *user);
/** The evidence of the finding f->id, in the arena. */
int read_finding_evidence(struct store *s, struct hr_arena *a, struct finding_view *f);
int read_finding(struct store *s, int64_t id, int (*row)(const struct finding_view *x, void *user),
                 void *user);
/** What was found, or rose, last comes first; neither withdrawn nor suppressed ones. */
int read_newest_findings(struct store *s, int limit,
                         int (*row)(const struct finding_view *x, void *user), void *user);

struct suppression_view {
    const char *place;       /* file:line */
    const char *reason;
    const char *owner;
    hr_nsec expires_at;      /* HR_NSEC_INFINITE: never */
    int64_t findings;        /* that it fits, whatever their time */
    bool is_expired;         /* before the newest packet */
};
int read_suppressions(struct store *s, int (*row)(const struct suppression_view *x, void *user), void *user);

struct session_view {
    int64_t id;
    const char *name;        /* "s-" and 8 hexadecimal digits of the keyed hash */
    const char *site;
    const char *carrier;     /* "cookie session_id" */
    const char *user;
    hr_nsec first_at;
    hr_nsec last_at;
    hr_nsec login_at;
    hr_nsec logout_at;
    int64_t exchanges;
    int64_t granted;
    int64_t denied;
    const char *order;       /* "explained", "contradicted", ... */
    bool is_jwt;
};
int read_sessions(struct store *s, const struct read_filter *f,
                  int (*row)(const struct session_view *x, void *user), void *user);

/** Sessions met since then, among the newest operations alone: a short look, however much is stored. */
int read_recent_sessions(struct store *s, hr_nsec since, int64_t *ret_count);

struct story_row { /* show session: every operation on it in order */
    const char *kind;        /* "login", "granted", ... */
    hr_nsec start;
    hr_nsec end;
    struct exchange_view exchange;
};
/** @param name  short name or row number as text. @return -ENOENT where there is none */
int read_session_story(struct store *s, const char *name, struct session_view *ret_session,
                       int (*row)(const struct story_row *x, void *user), void *user);

struct stream_view {
    int64_t id;
    const char *capture;
    int64_t stream;
    const char *client;
    int client_port;
    const char *server;
    int server_port;
    hr_nsec first_at;
    hr_nsec last_at;
    int64_t first_frame;
    int64_t exchanges;
    int64_t client_bytes;
    int64_t server_bytes;
    int64_t client_gap_bytes;
    int64_t server_gap_bytes;
    bool midstream;
    const char *end;         /* "open", "fin", "rst", "timeout", "evicted", "reused" */
};
int read_streams(struct store *s, const struct read_filter *f,
                 int (*row)(const struct stream_view *x, void *user), void *user);

struct endpoint_view {
    int64_t id;
    const char *site;
    const char *method;
    const char *path;        /* template */
    const char *protection;  /* "protected", "public", "unknown" */
    int64_t exchanges;
    int64_t granted_live;
    int64_t granted_without;
    int64_t denied_without;
    int64_t denied_other;
    int64_t example_granted; /* exchange ids, 0 none */
    int64_t example_denied;
    const char *statuses;    /* "200:14 401:3" */
    bool declared;           /* the profile says so outright */
    int64_t example_without; /* granted without a token; exchange id, 0 none */
    int64_t granted_frame;   /* of the examples' requests, 0 none */
    int64_t without_frame;
    int64_t denied_frame;
    const char *why;         /* the evidence in words, with examples */
};
int read_endpoints(struct store *s, const struct read_filter *f,
                   int (*row)(const struct endpoint_view *x, void *user), void *user);

struct capture_view {
    int64_t id;
    const char *path;
    const char *format;      /* "pcap" | "pcapng"; behind it " gzip", " zstd", " lz4" */
    const char *link_type;
    int64_t size_bytes;
    int64_t frames;
    hr_nsec first_at;
    hr_nsec last_at;
    int64_t exchanges;
    int64_t cut_frames;
    int64_t dropped_frames;
    hr_nsec clock_doubt;
    const char *time_source; /* "host"; NULL: not known */
    const char *error;       /* NULL: read to its end */
    const char *comments;    /* as in the file, safe to show; NULL: none */
};
int read_captures(struct store *s, const struct read_filter *f,
                  int (*row)(const struct capture_view *x, void *user), void *user);

struct loss_view {
    int64_t id;
    const char *kind;
    const char *capture;
    int64_t stream;          /* -1 the whole capture */
    const char *server;
    int server_port;
    hr_nsec from_at;
    hr_nsec to_at;
    int64_t bytes;
    int64_t count;
    bool hides_exchanges;
};
int read_losses(struct store *s, const struct read_filter *f,
                int (*row)(const struct loss_view *x, void *user), void *user);

struct decision_view {
    const char *site;
    const char *what;
    const char *value;
    const char *reason;
    bool from_profile;
};
int read_decisions(struct store *s, const struct read_filter *f,
                   int (*row)(const struct decision_view *x, void *user), void *user);

struct rule_run_view {
    const char *rule;
    int64_t exercised;       /* how often its situation occurred; -1: not known of that part */
    int64_t findings;        /* of the whole store; not told by read_scope_rule_runs() */
};
int read_session_count(struct store *s, int64_t *ret_count);
int read_rule_runs(struct store *s, int (*row)(const struct rule_run_view *x, void *user), void *user);

#endif
