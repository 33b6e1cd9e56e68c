/*
 * decode/fragment.h - IP datagrams put together from fragments, under a budget, on packet time.
 * Where fragments overlap, the first copy counts. What never gets whole is given up and counted.
 */
#ifndef HR_DECODE_FRAGMENT_H
#define HR_DECODE_FRAGMENT_H

#include "decode/decode.h"

struct fragment {
    struct net_address source;
    struct net_address destination;
    uint32_t id;
    uint32_t network;
    uint8_t protocol; /* IPv4: part of the key; IPv6: that of the first fragment counts */
    bool is_ip6;
    bool more; /* fragments follow */
    bool selected;
    uint32_t offset;     /* bytes, a multiple of 8 */
    struct hr_span data; /* whole: a fragment that was cut off is of no use */
    hr_nsec at;
};

/* Borrowed until the next call. */
struct datagram {
    struct hr_span data;
    uint8_t protocol;
    bool selected; /* any fragment was */
};

struct fragment_table;

/** Counts what it does in counters, which must outlive it. */
struct fragment_table *fragment_table_create(const struct decode_config *config,
                                             struct decode_counters *counters);
/** Datagrams being put together, and the bytes they take. */
size_t fragment_table_count(const struct fragment_table *t);
size_t fragment_table_bytes(const struct fragment_table *t);
void fragment_table_destroy(struct fragment_table *t);
/** @return whether this fragment made the datagram whole */
bool fragment_table_feed(struct fragment_table *t, const struct fragment *f,
                         struct datagram *ret_datagram);

#endif
