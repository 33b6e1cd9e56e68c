/*
 * session/learner.h - the inside of learning, for session/ alone.
 *
 * A site's exchanges are counted by kind: endpoint, answer, and what each carrier does in it. There
 * are few kinds however long a capture is. Beside them a sample of tokens keeps when each was seen.
 * Every table is bounded by keeping the entries whose hashes are lowest: which those are does not
 * depend on the order of feeding, and an entry that stays was never dropped before, so its counts
 * are whole. Hashes of endpoints and kinds begin with how little they matter.
 */
#ifndef HR_SESSION_LEARNER_H
#define HR_SESSION_LEARNER_H

#include "session/lists.h"
#include "session/model.h"
#include "session/profile_rules.h"

#define LEARN_CARRIERS 128
#define LEARN_ENDPOINTS 4096
#define LEARN_KINDS 8192
#define LEARN_TOKENS 4096
#define LEARN_EVENTS 24

/* What one carrier does in an exchange. */
enum {
    USE_SENT = 1u << 0,
    USE_SET_NEW = 1u << 1,
    USE_SET_SAME = 1u << 2, /* repeats what the request carried */
    USE_DELETED = 1u << 3,
    USE_RANDOM = 1u << 4,
    USE_IN_BODY = 1u << 5,
    USE_JWT = 1u << 6,
};

struct learn_use {
    uint64_t carrier; /* hash of kind and name */
    unsigned bits;
};

/* The earliest of the exchanges that show something. */
struct learn_example {
    hr_nsec at;     /* its request; HR_NSEC_INFINITE with frame 0: none */
    uint64_t frame; /* 0: none */
    size_t capture;
};

/* Entries of every table begin like this. */
struct learn_entry {
    uint64_t hash;
};

struct learn_carrier {
    struct learn_entry entry;
    enum token_carrier carrier;
    int64_t id; /* the store's row */
    char *name;
};

struct learn_endpoint {
    struct learn_entry entry;
    char *method;
    char *path;
};

/* What learning and classification look at in an exchange; spans borrowed. */
struct view {
    uint64_t endpoint;
    struct hr_span method;
    struct hr_span path;
    unsigned status;
    uint32_t flags;
    struct hr_span location;
    struct hr_span location_path; /* ptr NULL: none, or another site's */
    uint64_t answer;              /* of a login: type and shape, or the redirect's target */
    size_t use_count;
    struct learn_use uses[FACTS_TOKEN_LIMIT]; /* last: what lies behind the count is not set */
};

struct learn_kind {
    struct learn_entry entry;
    uint64_t endpoint;
    unsigned status;
    uint32_t flags;
    char *location;
    char *location_path; /* NULL: none */
    uint64_t answer;
    struct learn_use *uses;
    size_t use_count;
    uint64_t count;
    struct learn_example example;
};

struct learn_event {
    hr_nsec start;
    hr_nsec end; /* first byte of the response */
    uint64_t kind;
    uint64_t place; /* hash of a path: of what 201 said it had made, where the token was given; of what
                       a logout asked for, where it was sent; 0 none */
    unsigned bits;
};

struct learn_token {
    struct learn_entry entry;
    uint64_t carrier;
    uint64_t set_count; /* exchanges that gave it anew */
    size_t event_count;
    struct learn_event *events; /* the earliest, LEARN_EVENTS at most, in order of start */
};

/* Entries by hash, the lowest `limit` of them. */
struct learn_table {
    struct learn_entry **slots; /* open addressing */
    size_t slot_count;
    size_t count;
    size_t limit;
    uint64_t threshold; /* entries above it were dropped */
    void (*release)(struct learn_entry *e);
};

/** @param release  NULL: entries that own nothing */
void learn_table_init(struct learn_table *t, size_t limit, void (*release)(struct learn_entry *e));
void learn_table_finish(struct learn_table *t);
struct learn_entry *learn_table_find(const struct learn_table *t, uint64_t hash);
/** @return an entry that is new (zeroed but for its hash, *ret_is_new), or there already, or NULL
 */
struct learn_entry *learn_table_add(struct learn_table *t, uint64_t hash, size_t size_bytes,
                                    bool *ret_is_new);
/** Drops all but the lowest `limit`. */
void learn_table_trim(struct learn_table *t);
/** Entries in order of their hashes; free() the array. */
struct learn_entry **learn_table_sorted(const struct learn_table *t);

struct site_learner {
    char *site;
    const struct profile *profile;
    struct lists *lists;
    struct learn_table carriers;
    struct learn_table endpoints;
    struct learn_table kinds;
    struct learn_table tokens;
    size_t capture; /* of every exchange so far; SIZE_MAX: of several */
    bool has_capture;
};

/** Keeps the earlier one. */
void learn_example_keep(struct learn_example *kept, const struct learn_example *other);
uint64_t learn_carrier_hash(enum token_carrier carrier, struct hr_span name);
/** Of a path template; a slash at its end does not count. */
uint64_t learn_path_hash(struct hr_span path);
/** A page that shows the login form: its answer tells where the form posts to. */
bool learn_is_form_page(const struct view *v);
/** JSON with 2xx that says that something failed: its answer tells what. */
bool learn_is_told_failure(const struct view *v);
uint64_t learn_endpoint_hash(struct hr_span method, struct hr_span path);
void learn_view_of_facts(const struct exchange_facts *f, struct view *ret_view);
void learn_view_of_kind(const struct site_learner *l, const struct learn_kind *k,
                        struct view *ret_view);

#endif
