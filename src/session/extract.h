/*
 * session/extract.h - exchange to facts: cookies, credentials, user names, redirects, body shape.
 * The one place that sees secrets; what leaves it is hashed or redacted.
 */
#ifndef HR_SESSION_EXTRACT_H
#define HR_SESSION_EXTRACT_H

#include "base/counter.h"
#include "decode/segment.h"
#include "http/exchange.h"
#include "session/facts.h"
#include "session/profile.h"

#define EXTRACT_COUNTERS(X)                                                                        \
    X(tokens_dropped, "values", "Cookies and tokens beyond the limit of one exchange")             \
    X(marks_dropped, "values", "Marks beyond the limit of one exchange")                           \
    X(parts_unread, "exchanges", "Exchanges with more members, cookies or tags than are looked at") \
    X(contents_undecoded, "messages", "Contents in a coding that could not be decoded")            \
    X(contents_cut, "messages", "Contents longer than what is looked at")                          \
    X(tokens_forgotten, "values", "Tokens no longer remembered to hide them in targets")

struct extract_counters {
    EXTRACT_COUNTERS(HR_COUNTER_FIELD)
};

struct extract_config {
    const struct hr_key *key;              /* of the database; borrowed */
    const struct profile_set *profiles;    /* borrowed, may be NULL */
    bool redact_users;                     /* names become keyed hashes too */
    size_t known_token_limit;              /* values remembered to redact them in targets */
    size_t content_bytes;                  /* most bytes of a decoded content looked at */
    size_t expansion_limit;                /* decoded : coded, at most */
};

struct extractor;

struct extractor *extractor_create(const struct extract_config *config);
void extractor_destroy(struct extractor *e);
/** Other profiles from now on; borrowed, may be NULL. */
void extractor_use(struct extractor *e, const struct profile_set *profiles);
/**
 * @param client     the side that asks
 * @param server     the side that answers: names the site where there is no Host
 * @param ret_facts  spans live in the extractor until its next call or in x. Captures and frames are
 *                   copied from x; *_id are 0.
 */
void extractor_feed(struct extractor *e, const struct http_exchange *x,
                    const struct net_endpoint *client, const struct net_endpoint *server,
                    struct exchange_facts *ret_facts);
/** Messages so far whose content is in a coding that could not be decoded. */
uint64_t extractor_undecoded_count(const struct extractor *e);
/** Tokens remembered to hide them in targets. */
size_t extractor_token_count(const struct extractor *e);
void extractor_counters(const struct extractor *e, hr_counter_fn emit, void *user);

#endif
