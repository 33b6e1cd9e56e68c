/*
 * store/write.h - rows in: an import (captures, connections, exchanges, loss), then the analysis of
 * the sites it touched (roles, operations, evidence, order). All inside store_begin()/store_commit(),
 * so a killed import leaves no trace.
 */
#ifndef HR_STORE_WRITE_H
#define HR_STORE_WRITE_H

#include "capture/source.h"
#include "history/check.h"
#include "http/exchange.h"
#include "session/endpoint.h"
#include "session/facts.h"
#include "session/model.h"
#include "store/store.h"
#include "tcp/conn.h"

/* Kinds of rows in `loss`. Stored: never renumber. */
enum loss_kind {
    LOSS_GAP = 1,          /* hole in a byte stream */
    LOSS_MIDSTREAM = 2,    /* connection joined midway */
    LOSS_ONE_SIDED = 3,    /* one direction not captured */
    LOSS_SNAPLEN = 4,      /* payload cut off */
    LOSS_DROPPED = 5,      /* frames dropped by kernel or interface, as the capture file says */
    LOSS_CLOCK_SET = 14,   /* the clock was set: times in between may be of before or after that */
    LOSS_BOUND = 6,        /* given up at a limit of ours */
    LOSS_UNDECODED = 7,    /* content that could not be decoded */
    LOSS_TLS = 8,          /* blind: encrypted */
    LOSS_HTTP2 = 9,        /* blind: HTTP/2 */
    LOSS_NOT_HTTP = 10,    /* blind: neither; no weight on verdicts */
    LOSS_CAPTURE_CUT = 11, /* the file itself is cut or corrupt */
    LOSS_AMBIGUOUS = 12,   /* an exchange that servers may have read otherwise; see http_exchange_is_ambiguous() */
    LOSS_SHED = 13,        /* frames of connections that were left out: watch could not keep pace */
};

struct loss_row {
    int64_t id;
    enum loss_kind kind;
    int64_t capture_id;
    int64_t stream_id;     /* 0: the whole capture */
    hr_nsec from_at;       /* what happened in [from_at, to_at] may be hidden */
    hr_nsec to_at;
    struct net_endpoint server; /* whose answers are concerned; port 0: all servers */
    uint64_t bytes;
    uint64_t count;        /* frames, gaps, connections: as the kind says */
    bool hides_exchanges;  /* whole exchanges may be missing: weighs on verdicts */
};

/* Connection attempts that a server refused within one tenth of a second, or some of them. */
struct refusal_row {
    struct net_endpoint server;
    int64_t slot; /* tenths of seconds since 1970 UTC */
    hr_nsec first_at;
    hr_nsec last_at;
    uint64_t attempts;
};

struct import;

/** Begins the import of a run's captures; inside a transaction. */
int import_begin(struct store *s, struct import **ret_import);
/** Before the first row of that capture. index is struct packet's. */
int import_add_capture(struct import *i, size_t index, const char *path);
/** In its place: goes on with a capture that an earlier import began. @return -ENOENT: it is gone */
int import_resume_capture(struct import *i, size_t index, int64_t capture_id);
/** @return the row of that capture, for import_resume_capture() of the next import */
int64_t import_capture(const struct import *i, size_t index);
/** @return the number that what it changes is marked with */
int64_t import_number(const struct import *i);
/**
 * A connection gets its id with its first exchange or loss, or at its end.
 * @return the id of the row that import_put_stream() makes before import_finish()
 */
int64_t import_new_stream(struct import *i, const struct tcp_conn *c);
/** @param orig_is_client  the side that opened it sends the requests */
int import_put_stream(struct import *i, int64_t stream_id, const struct tcp_conn *c, enum tcp_end end,
                      bool orig_is_client);
/** Of a row that an earlier import or this one put: what was not known yet, times, bytes, ends. */
int import_end_stream(struct import *i, int64_t stream_id, const struct tcp_conn *c, enum tcp_end end,
                      bool orig_is_client);
/** Fills site, endpoint, carrier and session ids into f and stores it (f->stream_id set by the caller). */
int import_add_exchange(struct import *i, struct exchange_facts *f);
enum import_fetch {
    IMPORT_FETCH_FIRST,
    IMPORT_FETCH_SECOND, /* what the first step asked for is there */
};
/** Asks memory for what import_add_exchange() will look at for that token, in two steps. */
void import_fetch(const struct import *i, const struct token_use *t, enum import_fetch step);
int import_add_loss(struct import *i, struct loss_row *row);
/** Adds to what this import has told of that server and slot. */
int import_add_refusal(struct import *i, const struct refusal_row *row);
/** @return the lowest id that an exchange of it can have */
int64_t import_first_exchange(const struct import *i);
/** @return whether nothing at all was stored before it: then every site is new */
bool import_is_first(const struct import *i);
/** Final numbers of a capture: frames, times, bytes, error, and how far its times are in doubt. */
int import_end_capture(struct import *i, size_t index, const struct capture_info *info,
                       hr_nsec clock_doubt);
/**
 * Drops what was stored already (the same exchange, by its natural key: addresses, ports, time of the
 * first byte, ordinal among equals; the more complete one stays), builds or updates indexes, and
 * tells which sites changed.
 */
int import_finish(struct import *i);
void import_destroy(struct import *i);

/* What was learned of a site, as bytes; all borrowed. */
struct site_learning {
    const char *learned_by;
    int64_t last_exchange; /* that it knows */
    uint64_t exchanges;    /* how many it knows */
    struct hr_span learned;
    struct hr_span examples;
};
/** It holds until exchanges of any site go or change, or learning_forget(). */
int learning_put(struct store *s, int64_t site_id, const struct site_learning *l);
int learning_forget(struct store *s, int64_t site_id);

/** Sites to analyse: with new or replaced exchanges since their last analysis. Ids ascending. */
int analysis_changed_sites(struct store *s, int64_t **ret_site_ids, size_t *ret_count);
/**
 * Forgets the site's decisions and evidence, and what was judged of its sessions.
 * @param anew  also its roles and operations, and the users bound by them
 */
int analysis_begin_site(struct store *s, int64_t site_id, bool anew);
/**
 * One row of role and outcome for each exchange, and one for each of its operations. Also for the
 * exchanges of an import that goes on, of sites that were not analysed before.
 */
int analysis_add_classified(struct store *s, const struct exchange_facts *f, const struct classified *c);
/** Takes back what analysis_add_classified() added for that exchange, if anything. */
int analysis_remove_classified(struct store *s, const struct exchange_facts *f);
int analysis_add_decision(struct store *s, int64_t site_id, const struct model_decision *d);
int analysis_set_carrier(struct store *s, int64_t carrier_id, bool is_session, bool opens);
int analysis_set_endpoint(struct store *s, int64_t endpoint_id, const struct endpoint_evidence *e,
                          enum endpoint_protection protection);
/** Of evidence.sessions_often, so many in that quarter hour. */
int analysis_add_often(struct store *s, int64_t endpoint_id, int64_t quarter, uint64_t sessions);
/* What the order check says of a session. Stored: never renumber. */
enum session_order {
    ORDER_NOT_CHECKED = 0, /* nothing in it could contradict anything */
    ORDER_EXPLAINED = 1,
    ORDER_CONTRADICTED = 2,
    ORDER_WEAK = 3,        /* contradicted, but for a login that was not seen */
    ORDER_UNKNOWN = 4,     /* too many overlapping logins */
};
/** Several programs used the session, without a proxy between. */
int analysis_set_programs(struct store *s, int64_t session_id);
int analysis_set_session(struct store *s, int64_t session_id, enum session_order order,
                         int64_t witness_operation_id);
/* Which certainty a mark has: what is wrong only with epsilon 0, or only without the logins that were
 * not understood, is less. Bits of operation_mark.doubts. Stored: never renumber. */
enum {
    DOUBT_CLOCK = 1u << 0,
    DOUBT_NOT_UNDERSTOOD = 1u << 1, /* doubt_operation_id is that possible login */
};
struct operation_mark {
    int64_t operation_id;
    int64_t ended_by_id;       /* 0 none; operations of the same session */
    int64_t granted_before_id;
    int64_t granted_after_id;
    unsigned doubts;
    int64_t doubt_operation_id;
};
int analysis_set_mark(struct store *s, const struct operation_mark *m);
/** Forgets what was judged of one session, but for its programs: more operations make no less. */
int analysis_begin_session(struct store *s, int64_t session_id);
/** The site stays to be analysed: what was added to it is whole, what was judged is of a part. */
int analysis_leave_site(struct store *s);
/** Marks the site as analysed. */
int analysis_end_site(struct store *s, int64_t site_id);

/* Findings, by rule/. A finding is found again by its fingerprint. */
struct evidence_row {
    const char *role;          /* "login", "logout", "access", "denial", ... */
    int64_t exchange_id;
    const char *text;
};
struct finding_row {
    const char *rule;
    const char *severity;      /* "low", "medium", "high", "critical" */
    const char *verdict;
    hr_nsec at;
    int64_t site_id;           /* 0 none */
    int64_t session_id;
    int64_t exchange_id;
    const char *summary;
    const char *explanation;   /* what it means, from the rule */
    const char *caveats;       /* JSON array of strings */
    const struct evidence_row *evidence;
    size_t evidence_count;
    const char *fingerprint;   /* 32 hexadecimal digits */
    const char *group;         /* 32 hexadecimal digits */
};
/* Findings that a person has accepted. One of fingerprint, group and rule is there. */
struct suppression_row {
    const char *place;         /* file:line */
    const char *fingerprint;   /* this occurrence */
    const char *group;         /* this problem */
    const char *rule;          /* patterns of SQLite's GLOB, all four */
    const char *site;
    const char *method;
    const char *path;
    const char *reason;
    const char *owner;
    hr_nsec expires_at;        /* findings from then on are reported; HR_NSEC_INFINITE: never */
};
/** These instead of all that were there; in a transaction of its own where none is open. */
int suppressions_replace(struct store *s, const struct suppression_row *rows, size_t count);

/**
 * What a rule yields is put aside in a temporary table, so that no number of findings takes memory,
 * and nothing is written before the rule was read to its end. Of a row all up to caveats is kept,
 * but for rule, severity and explanation.
 */
int drafts_begin(struct store *s); /* forgets the drafts of the rule before */
/** Also while a guarded query runs. @param evidence  JSON as the rule gave it; NULL none */
int draft_add(struct store *s, const struct finding_row *f, const char *evidence);
/** In the order in which they were added; texts die with the callback. */
int drafts_read(struct store *s,
                int (*row)(const struct finding_row *f, const char *evidence, void *user), void *user);

/** What is written from here on is kept or undone as one. */
int findings_try(struct store *s);
int findings_settle(struct store *s, bool keep);
/** Inserts, or updates and un-withdraws the one with this fingerprint. @return 0; *ret_is_new where it was not there */
int finding_put(struct store *s, const struct finding_row *f, bool *ret_is_new);
/** Findings of that rule within the scope that were not put since findings_begin() are withdrawn. */
int findings_begin(struct store *s, const char *rule);
int findings_withdraw_rest(struct store *s, const char *rule, hr_nsec now_at, size_t *ret_count);

/** How often the situation of the rule occurred: at that site, or (0) at all together; replaces. */
int rule_run_put(struct store *s, const char *rule, int64_t site_id, int64_t exercised);
/** The same in a quarter hour, between rule_quarters_begin() and rule_quarters_end(); adds up. */
int rule_quarters_begin(struct store *s);
int rule_quarters_put(struct store *s, int64_t site_id, int64_t quarter, int64_t exercised);
/** What was put replaces what was counted in the scope; the sums go where rule_run_put() puts them. */
int rule_quarters_end(struct store *s, const char *rule);

#endif
