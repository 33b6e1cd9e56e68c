/*
 * decode/decode.h - frame in, TCP segment out. Frames that hold none are counted by kind; nothing
 * here is an error. Keeps IP fragments under a budget, on packet time.
 */
#ifndef HR_DECODE_DECODE_H
#define HR_DECODE_DECODE_H

#include "base/counter.h"
#include "capture/source.h"
#include "decode/segment.h"

#define DECODE_COUNTERS(X)                                                                         \
    X(frames, "frames", "Frames read")                                                             \
    X(tcp_segments, "segments", "TCP segments found in them")                                      \
    X(udp, "frames", "UDP datagrams")                                                              \
    X(icmp, "frames", "ICMP and ICMPv6 messages")                                                  \
    X(other_ip, "frames", "IP packets of other protocols")                                         \
    X(arp, "frames", "ARP")                                                                        \
    X(other_link, "frames", "Frames of link types that are not decoded")                           \
    X(other_ethertype, "frames", "Frames of other network protocols")                              \
    X(tunnelled, "frames", "Frames with a packet in a tunnel: GRE, VXLAN, GTP and the like")       \
    X(wireless_encrypted, "frames", "Encrypted frames of wireless networks")                       \
    X(fragments, "frames", "IP fragments")                                                         \
    X(fragments_joined, "datagrams", "Datagrams put together from fragments")                      \
    X(fragments_repeated, "fragments", "Fragments captured twice or sent again")                   \
    X(fragments_overlapping, "fragments", "Fragments that overlap others: the first copy counts")  \
    X(fragments_dropped, "fragments", "Fragments given up: time-out or the budget reached")        \
    X(checksums_looked_at, "segments",                                                             \
      "TCP checksums looked at: all at first, after 64 MiB one in 16 of long segments")            \
    X(checksums_wrong, "segments", "Wrong TCP checksums among these")                              \
    X(checksums_partial, "segments", "TCP checksums among these that a network card was to fill in")\
    X(checksums_ip_wrong, "frames", "Wrong checksums of IPv4 headers")                             \
    X(checksums_refused, "frames", "Frames left out for a wrong checksum, as --verify-checksums asks") \
    X(cut, "frames", "Frames too short for their headers, by snap length or damage")               \
    X(malformed, "frames", "Frames whose header fields contradict each other")

struct decode_counters {
    DECODE_COUNTERS(HR_COUNTER_FIELD)
};

struct decode_config {
    size_t fragment_budget_bytes; /* of all held fragments together */
    size_t fragment_limit;        /* datagrams being put together */
    hr_nsec fragment_timeout;     /* packet time */
    bool verify_checksums;        /* leave out what bears a wrong one */
};

/** Called for each segment, which is valid during the call only. */
typedef void (*decode_segment_fn)(const struct tcp_segment *segment, void *user);

/* What stands where in a frame, for those who write frames again. A part that is told of stands for
 * its bytes alone: what lies in none is not known. */
enum decode_part {
    DECODE_PART_HEADER,    /* types, tags, lengths, ids of tunnels: no addresses */
    DECODE_PART_MAC,       /* one address of a link, 6 bytes */
    DECODE_PART_IP4,       /* a header and the packet behind it, as far as it was captured */
    DECODE_PART_IP6,
    DECODE_PART_EXTENSION, /* one extension header of IPv6 */
    DECODE_PART_UDP,       /* a header and what is behind it */
    DECODE_PART_TCP,
};

struct fragment;

/* Told in order, outer layers first, before the segments inside are emitted. */
struct decode_watch {
    void (*part)(enum decode_part part, struct hr_span bytes, void *user);
    /** What follows the header is a piece of a datagram; see decode/fragment.h. */
    void (*fragment)(const struct fragment *f, void *user);
    /** That piece made it whole: the parts that follow lie in these bytes, not in the frame. */
    void (*datagram)(const struct fragment *f, struct hr_span whole, void *user);
    void *user;
};

struct decoder;

struct decoder *decoder_create(const struct decode_config *config, decode_segment_fn emit,
                               void *user);
void decoder_destroy(struct decoder *d);
/** @param watch  copied */
void decoder_watch(struct decoder *d, const struct decode_watch *watch);
void decoder_feed(struct decoder *d, const struct packet *p);
/**
 * Whose segment a frame that comes later most probably holds, the sender first. Frames in tunnels, tags
 * and pieces are not looked into.
 * @param frame  ptr NULL: none is at hand
 * @return false where it is not known
 */
bool decode_look_ahead(struct hr_span frame, uint32_t link_type, struct net_endpoint ret_ends[2]);
/** @return whether frames of this LINKTYPE_ can be decoded */
bool decode_knows_link(uint32_t link_type);
/** Datagrams being put together, and the bytes they take. */
size_t decoder_fragment_count(const struct decoder *d);
size_t decoder_fragment_bytes(const struct decoder *d);
void decoder_counters(const struct decoder *d, hr_counter_fn emit, void *user);

#endif
