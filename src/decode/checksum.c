/*
 * Sums are of 16-bit words as they lie in memory: a one's complement sum does not mind the order of
 * bytes. To look at every byte of large bodies would cost a good part of what reading them costs,
 * so past the first SAMPLED_AFTER bytes one in SAMPLE long segments is looked at.
 */
#include "decode/checksum.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <string.h>

#define SAMPLED_AFTER_BYTES (UINT64_C(64) << 20)
#define SAMPLE 16u
#define LONG_BYTES 256u
#define CHECKSUM_AT 16u /* in a TCP header */

static uint64_t sum_bytes(const char *bytes, size_t len)
{
    uint64_t low = 0;
    uint64_t high = 0;
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t w;
        memcpy(&w, bytes + i, 8);
        low += w & UINT32_MAX;
        high += w >> 32;
    }
    uint64_t rest = 0;
    if (i < len) {
        memcpy(&rest, bytes + i, len - i);
    }
    low += (rest & UINT32_MAX) + (rest >> 32);
    return (low & UINT32_MAX) + (low >> 32) + (high & UINT32_MAX) + (high >> 32);
}

static uint16_t fold(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    while (sum > UINT16_MAX) {
        sum = (sum & UINT16_MAX) + (sum >> 16);
    }
    return (uint16_t)sum;
}

bool checksum_accepts_ip4(struct layers *l, struct hr_span header)
{
    if (fold(sum_bytes(header.ptr, header.len)) == UINT16_MAX) {
        return true;
    }
    l->decoder->counters.checksums_ip_wrong++;
    l->decoder->counters.checksums_refused += l->decoder->verify_checksums;
    return !l->decoder->verify_checksums;
}

/* RFC 9293 3.1, RFC 8200 8.1. IPv4 addresses have ff ff before them, which adds nothing. */
static uint64_t sum_pseudo_header(const struct layers *l, size_t bytes)
{
    return sum_bytes((const char *)l->source.bytes, sizeof(l->source.bytes)) +
           sum_bytes((const char *)l->destination.bytes, sizeof(l->destination.bytes)) +
           htons(IPPROTO_TCP) + htonl((uint32_t)bytes);
}

static bool is_left_out(struct decoder *d, size_t bytes)
{
    d->checksum_bytes += bytes;
    return !d->verify_checksums && d->checksum_bytes > SAMPLED_AFTER_BYTES && bytes > LONG_BYTES &&
           d->checksum_turn++ % SAMPLE != 0;
}

bool checksum_accepts_tcp(struct layers *l, struct cursor c)
{
    struct decoder *d = l->decoder;
    struct hr_span segment = cursor_rest(&c);
    if (c.missing > 0 || l->is_rerouted || is_left_out(d, segment.len)) {
        return true;
    }
    uint16_t stated;
    memcpy(&stated, segment.ptr + CHECKSUM_AT, sizeof(stated));
    uint64_t pseudo = sum_pseudo_header(l, segment.len);
    d->counters.checksums_looked_at++;
    if (fold(pseudo + sum_bytes(segment.ptr, segment.len)) == UINT16_MAX) {
        return true;
    }
    /* What the card completes: the pseudo header, with the length or without. */
    bool is_partial = stated == fold(pseudo) || stated == fold(sum_pseudo_header(l, 0));
    d->counters.checksums_partial += is_partial;
    d->counters.checksums_wrong += !is_partial;
    d->counters.checksums_refused += d->verify_checksums;
    return !d->verify_checksums;
}
