/*
 * A part of an address (an octet, a hexadecimal digit) is replaced by a permutation that the parts
 * before it choose, so the whole is one to one without remembering anything. Each permutation is
 * one cycle (Sattolo): no part is its own replacement where there is a choice.
 */
#include "evidence/addresses.h"

#include "base/map.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

enum kind {
    KIND_MAC = 'm',
    KIND_IP4 = '4',
    KIND_IP6 = '6',
};

/* The same addresses come again and again. */
struct known {
    uint8_t key[17]; /* kind and bytes */
    uint8_t value[16];
    UT_hash_handle hh;
};

struct addresses {
    const struct hr_key *key;
    struct known *known;
};

struct addresses *addresses_create(const struct hr_key *key)
{
    struct addresses *a = hr_xcalloc(1, sizeof(*a));
    a->key = key;
    return a;
}

void addresses_destroy(struct addresses *a)
{
    struct known *k;
    struct known *next;
    if (a == NULL) {
        return;
    }
    HASH_ITER(hh, a->known, k, next)
    {
        HASH_DEL(a->known, k);
        free(k);
    }
    free(a);
}

/* Random bytes that the parts before choose. */
struct draw {
    struct hr_digest seed;
    struct hr_digest block;
    const struct hr_key *key;
    uint32_t used;
};

static uint8_t draw_byte(struct draw *d)
{
    if (d->used % HR_DIGEST_BYTES == 0) {
        uint8_t text[HR_DIGEST_BYTES + sizeof(d->used)];
        memcpy(text, d->seed.bytes, HR_DIGEST_BYTES);
        memcpy(text + HR_DIGEST_BYTES, &d->used, sizeof(d->used));
        d->block = hr_digest_keyed(d->key, hr_span_of(text, sizeof(text)));
    }
    return d->block.bytes[d->used++ % HR_DIGEST_BYTES];
}

/* @return where the cycle over first..last takes value */
static uint8_t permute(const struct addresses *a, enum kind kind, struct hr_span before,
                       const uint8_t range[2], uint8_t value)
{
    uint8_t text[32] = "evidence address ";
    uint8_t order[256];
    unsigned count = range[1] - range[0] + 1u;
    text[17] = (uint8_t)kind;
    struct draw d = {.key = a->key};
    struct hr_digest lead = hr_digest_keyed(a->key, hr_span_of(text, 18));
    uint8_t seed[HR_DIGEST_BYTES + 20] = {0};
    memcpy(seed, lead.bytes, HR_DIGEST_BYTES);
    seed[HR_DIGEST_BYTES] = (uint8_t)before.len;
    seed[HR_DIGEST_BYTES + 1] = range[0];
    if (before.len > 0) {
        memcpy(seed + HR_DIGEST_BYTES + 2, before.ptr, before.len);
    }
    d.seed = hr_digest_keyed(a->key, hr_span_of(seed, HR_DIGEST_BYTES + 2 + before.len));
    for (unsigned i = 0; i < count; i++) {
        order[i] = (uint8_t)(range[0] + i);
    }
    for (unsigned i = count; i-- > 1;) {
        unsigned high = draw_byte(&d);
        unsigned k = (high << 8 | draw_byte(&d)) % i;
        uint8_t swap = order[i];
        order[i] = order[k];
        order[k] = swap;
    }
    return order[value - range[0]];
}

static struct known *recall(struct addresses *a, enum kind kind, const uint8_t *bytes, size_t len,
                            bool *ret_is_new)
{
    uint8_t key[17] = {(uint8_t)kind};
    struct known *k;
    memcpy(key + 1, bytes, len);
    HASH_FIND(hh, a->known, key, sizeof(key), k);
    *ret_is_new = k == NULL;
    if (k == NULL) {
        k = hr_xcalloc(1, sizeof(*k));
        memcpy(k->key, key, sizeof(key));
        HASH_ADD(hh, a->known, key, sizeof(k->key), k);
    }
    return k;
}

void addresses_replace_mac(struct addresses *a, uint8_t bytes[6])
{
    static const uint8_t none[6] = {0};
    bool is_new;
    if ((bytes[0] & 1) != 0 || memcmp(bytes, none, sizeof(none)) == 0) {
        return; /* a group, as broadcast; nobody */
    }
    struct known *k = recall(a, KIND_MAC, bytes, 6, &is_new);
    if (is_new) {
        /* What MPLS carries shows in the first four bits (RFC 4928): they stay. */
        const uint8_t low = (uint8_t)(bytes[0] >> 4 << 2);
        const uint8_t upper[2] = {low, (uint8_t)(low + 3)};
        static const uint8_t any[2] = {0, 255};
        uint8_t high = permute(a, KIND_MAC, HR_SPAN(""), upper, bytes[0] >> 2);
        k->value[0] = (uint8_t)(high << 2 | (bytes[0] & 3));
        for (size_t i = 1; i < 6; i++) {
            k->value[i] = permute(a, KIND_MAC, hr_span_of(bytes, i), any, bytes[i]);
        }
    }
    memcpy(bytes, k->value, 6);
}

/* As many digits as it has; the first octet names no group and no loopback. */
static void octet_range(uint8_t octet, bool is_first, uint8_t ret_range[2])
{
    ret_range[0] = octet < 10                ? (is_first ? 1 : 0)
                   : octet < 100             ? 10
                   : is_first && octet > 127 ? 128
                                             : 100;
    ret_range[1] = octet < 10 ? 9 : octet < 100 ? 99 : is_first ? (octet < 127 ? 126 : 223) : 255;
}

void addresses_replace_ip4(struct addresses *a, uint8_t bytes[4])
{
    bool is_new;
    if (bytes[0] == 0 || bytes[0] == 127 || bytes[0] >= 224) {
        return;
    }
    struct known *k = recall(a, KIND_IP4, bytes, 4, &is_new);
    for (size_t i = 0; is_new && i < 4; i++) {
        uint8_t range[2];
        octet_range(bytes[i], i == 0, range);
        k->value[i] = permute(a, KIND_IP4, hr_span_of(bytes, i), range, bytes[i]);
    }
    memcpy(bytes, k->value, 4);
}

static bool is_mapped(const uint8_t bytes[16])
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(bytes, prefix, sizeof(prefix)) == 0;
}

void addresses_replace_ip6(struct addresses *a, uint8_t bytes[16])
{
    static const uint8_t nobody[15] = {0};
    static const uint8_t digit[2] = {1, 15};
    bool is_new;
    if (is_mapped(bytes)) {
        addresses_replace_ip4(a, bytes + 12);
        return;
    }
    if (bytes[0] == 0xff || (memcmp(bytes, nobody, sizeof(nobody)) == 0 && bytes[15] <= 1)) {
        return;
    }
    struct known *k = recall(a, KIND_IP6, bytes, 16, &is_new);
    for (size_t i = 0; is_new && i < 16; i++) {
        uint8_t high = bytes[i] >> 4;
        uint8_t low = bytes[i] & 15;
        uint8_t before[17];
        memcpy(before, bytes, i);
        before[i] = high;
        high = high == 0 ? 0 : permute(a, KIND_IP6, hr_span_of(before, i), digit, high);
        low = low == 0 ? 0 : permute(a, KIND_IP6, hr_span_of(before, i + 1), digit, low);
        k->value[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(bytes, k->value, 16);
}

/* --- in text ---------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    char l = hr_ascii_lower(c);
    return is_digit(c) || (l >= 'a' && l <= 'f');
}

static size_t replace_dotted(struct addresses *a, char *text, size_t len)
{
    uint8_t bytes[4];
    char copy[16];
    size_t n = 0;
    while (n < len && n < sizeof(copy) && (is_digit(text[n]) || text[n] == '.')) {
        n++;
    }
    while (n > 0 && text[n - 1] == '.') { /* the end of a sentence */
        n--;
    }
    if (n < 7 || n >= sizeof(copy)) {
        return 0;
    }
    memcpy(copy, text, n);
    copy[n] = '\0';
    if (inet_pton(AF_INET, copy, bytes) != 1) {
        return 0;
    }
    addresses_replace_ip4(a, bytes);
    snprintf(copy, sizeof(copy), "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
    if (strlen(copy) == n) {
        memcpy(text, copy, n);
    }
    return n;
}

/* Zeros stay, so each group has as many digits as before. */
static void put_groups(char *text, size_t len, const uint8_t bytes[16])
{
    unsigned groups = 0;
    unsigned group = 0;
    bool is_skipped = false;
    for (size_t i = 0; i < len; i++) {
        groups += is_hex(text[i]) && (i == 0 || text[i - 1] == ':');
    }
    for (size_t i = 0; i < len;) {
        if (text[i] == ':') {
            bool is_gap = i + 1 < len && text[i + 1] == ':' && !is_skipped;
            group += is_gap ? 8 - groups : 0;
            is_skipped = is_skipped || is_gap;
            i++;
            continue;
        }
        size_t n = 0;
        while (i + n < len && is_hex(text[i + n])) {
            n++;
        }
        for (size_t k = 0; k < n && group < 8; k++) { /* from the right */
            unsigned value = (unsigned)(bytes[2 * group] << 8 | bytes[2 * group + 1]);
            bool is_upper = text[i + n - 1 - k] >= 'A' && text[i + n - 1 - k] <= 'F';
            text[i + n - 1 - k] =
                (is_upper ? "0123456789ABCDEF" : "0123456789abcdef")[value >> 4 * k & 15];
        }
        group++;
        i += n;
    }
}

static size_t replace_colons(struct addresses *a, char *text, size_t len)
{
    uint8_t bytes[16];
    char copy[INET6_ADDRSTRLEN];
    size_t n = 0;
    size_t colons = 0;
    while (n < len && n < sizeof(copy) && (is_hex(text[n]) || text[n] == ':')) {
        colons += text[n] == ':';
        n++;
    }
    if (n < len && text[n] == '.') {
        return 0; /* an IPv4 address at its end: its words are replaced */
    }
    if (colons < 2 || n >= sizeof(copy)) {
        return 0;
    }
    memcpy(copy, text, n);
    copy[n] = '\0';
    if (inet_pton(AF_INET6, copy, bytes) != 1 || is_mapped(bytes)) {
        return 0;
    }
    addresses_replace_ip6(a, bytes);
    put_groups(text, n, bytes);
    return n;
}

size_t addresses_replace_text(struct addresses *a, char *text, size_t len)
{
    size_t n = len > 0 && is_digit(text[0]) ? replace_dotted(a, text, len) : 0;
    return n > 0 || len == 0 ? n : replace_colons(a, text, len);
}
