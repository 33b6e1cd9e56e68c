/*
 * session/values.h - what a value is: its keyed hash, and whether it looks like an identifier. A
 * browser sends the same cookies again and again, so the answers are remembered; and of tokens that
 * they were seen, so that they are known again in a target.
 */
#ifndef HR_SESSION_VALUES_H
#define HR_SESSION_VALUES_H

#include "base/digest.h"

struct value {
    uint64_t hash; /* of the tables of this run; 0: none */
    struct hr_digest digest;
    bool is_random; /* text_is_random() */
    bool is_jwt;    /* text_is_jwt() or text_is_sealed() */
    bool is_short;  /* too short to be looked for in targets */
    uint16_t len;   /* UINT16_MAX: that or more */
};

struct values;

/** @param remembered_limit  most tokens remembered */
struct values *values_create(const struct hr_key *key, size_t remembered_limit);
/** Overwrites what it held. */
void values_destroy(struct values *v);
/** @return borrowed until the next call */
const struct value *values_find(struct values *v, struct hr_span text);
bool values_remember(struct values *v, const struct value *value);
/** @return tokens remembered, at most the limit; beyond it some are still, but not for sure */
size_t values_remembered_count(const struct values *v);
bool values_is_remembered(const struct values *v, struct hr_span text);
/** @return length of the longest value remembered; 0 none, SIZE_MAX one of UINT16_MAX or more */
size_t values_longest(const struct values *v);

/** Long and varied enough to be an identifier. */
bool text_is_random(struct hr_span value);
/** Has the shape of a token that says by itself whose it is, signed: JSON Web Tokens and the like. */
bool text_is_jwt(struct hr_span value);
/** Likewise, the formats of single frameworks. */
bool text_is_sealed(struct hr_span value);
/** @return bytes that the Base64 (of either alphabet) at its beginning holds, cap at most */
size_t text_base64(struct hr_span coded, unsigned char *bytes, size_t cap);

#endif
