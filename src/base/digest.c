#include "base/digest.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static uint64_t table_key[2];
static pthread_once_t table_key_once = PTHREAD_ONCE_INIT;

static void draw_table_key(void)
{
    if (sodium_init() >= 0) {
        randombytes_buf(table_key, sizeof(table_key));
    }
}

int hr_digest_setup(void)
{
    if (sodium_init() < 0) {
        return -EIO;
    }
    pthread_once(&table_key_once, draw_table_key);
    return 0;
}

void hr_key_random(struct hr_key *ret_key)
{
    randombytes_buf(ret_key->bytes, sizeof(ret_key->bytes));
}

struct hr_digest hr_digest_keyed(const struct hr_key *key, struct hr_span value)
{
    struct hr_digest d;
    crypto_generichash(d.bytes, sizeof(d.bytes), (const unsigned char *)value.ptr, value.len,
                       key->bytes, sizeof(key->bytes));
    return d;
}

struct hr_digest hr_digest_plain(struct hr_span value)
{
    struct hr_digest d;
    crypto_generichash(d.bytes, sizeof(d.bytes), (const unsigned char *)value.ptr, value.len, NULL,
                       0);
    return d;
}

const char *hr_digest_format(const struct hr_digest *d, char text[HR_DIGEST_TEXT_SIZE])
{
    text[0] = '~';
    sodium_bin2hex(text + 1, HR_DIGEST_TEXT_SIZE - 1, d->bytes, 8);
    return text;
}

bool hr_digest_equal(const struct hr_digest *a, const struct hr_digest *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

uint64_t hr_hash64(struct hr_span value, uint64_t seed)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ seed;
    for (size_t i = 0; i < value.len; i++) {
        h = (h ^ (uint8_t)value.ptr[i]) * UINT64_C(0x100000001b3);
    }
    return h;
}

/* --- SipHash-1-3 ------------------------------------------------------------------------------ */

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotated(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotated(s->v1, 13) ^ s->v0;
    s->v0 = rotated(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotated(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotated(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotated(s->v1, 17) ^ s->v2;
    s->v2 = rotated(s->v2, 32);
}

static inline void sip_take(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

/* As most hash tables of other languages do it; libsodium's SipHash-2-4 is a call with twice the
 * rounds, and every frame and every exchange needs several. */
uint64_t hr_hash_table(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    uint64_t word = 0;
    uint64_t last = (uint64_t)len << 56;
    pthread_once(&table_key_once, draw_table_key);
    struct sip s = {
        .v0 = table_key[0] ^ UINT64_C(0x736f6d6570736575),
        .v1 = table_key[1] ^ UINT64_C(0x646f72616e646f6d),
        .v2 = table_key[0] ^ UINT64_C(0x6c7967656e657261),
        .v3 = table_key[1] ^ UINT64_C(0x7465646279746573),
    };
    for (; len >= sizeof(word); at += sizeof(word), len -= sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        sip_take(&s, word);
    }
    for (size_t i = 0; i < len; i++) {
        last |= (uint64_t)at[i] << (8 * i);
    }
    sip_take(&s, last);
    s.v2 ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

void hr_wipe(void *bytes, size_t len)
{
    sodium_memzero(bytes, len);
}
