/*
 * base/digest.h - fingerprints of values. Keyed ones (BLAKE2b by libsodium) stand for secrets,
 * which are never kept; plain ones must come out the same on every machine.
 */
#ifndef HR_BASE_DIGEST_H
#define HR_BASE_DIGEST_H

#include "base/span.h"

#define HR_DIGEST_BYTES 16
#define HR_KEY_BYTES 32
/* "~", 16 hexadecimal digits and a NUL */
#define HR_DIGEST_TEXT_SIZE 18

struct hr_digest {
    uint8_t bytes[HR_DIGEST_BYTES];
};

struct hr_key {
    uint8_t bytes[HR_KEY_BYTES];
};

/** Call once before anything else of this header. @return 0, or -EIO where there is no randomness */
int hr_digest_setup(void);
/** A new random key. */
void hr_key_random(struct hr_key *ret_key);
struct hr_digest hr_digest_keyed(const struct hr_key *key, struct hr_span value);
/** Without a key: equal on every machine and in every run. */
struct hr_digest hr_digest_plain(struct hr_span value);
/** "~" and the first 8 bytes in hexadecimal, as redacted values are shown. @return text */
const char *hr_digest_format(const struct hr_digest *d, char text[HR_DIGEST_TEXT_SIZE]);
bool hr_digest_equal(const struct hr_digest *a, const struct hr_digest *b);
/** Not keyed, not cryptographic: for comparing shapes. 64-bit FNV-1a. */
uint64_t hr_hash64(struct hr_span value, uint64_t seed);
/** SipHash-1-3 under a key drawn once per process: what tables keyed by network data use. */
uint64_t hr_hash_table(const void *bytes, size_t len);
/** Overwrites memory that held a secret. */
void hr_wipe(void *bytes, size_t len);

#endif
