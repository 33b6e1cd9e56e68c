#include "base/digest.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static unsigned char table_key[crypto_shorthash_KEYBYTES];
static pthread_once_t table_key_once = PTHREAD_ONCE_INIT;

static void draw_table_key(void)
{
    if (sodium_init() >= 0) {
        crypto_shorthash_keygen(table_key);
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

uint64_t hr_hash_table(const void *bytes, size_t len)
{
    uint64_t h;
    pthread_once(&table_key_once, draw_table_key);
    crypto_shorthash((unsigned char *)&h, bytes, len, table_key);
    return h;
}

void hr_wipe(void *bytes, size_t len)
{
    sodium_memzero(bytes, len);
}
