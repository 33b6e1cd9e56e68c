/*
 * scenario/frame.h - one TCP segment to the bytes of a frame: link header, VLAN tags, IPv4 or IPv6,
 * TCP, all lengths and checksums right.
 */
#ifndef HR_SCENARIO_FRAME_H
#define HR_SCENARIO_FRAME_H

#include "decode/segment.h"

/* LINKTYPE_ numbers of https://www.tcpdump.org/linktypes.html */
enum frame_link {
    FRAME_NULL = 0,
    FRAME_ETHERNET = 1,
    FRAME_RAW = 101,
    FRAME_LOOP = 108,
    FRAME_SLL = 113,
    FRAME_SLL2 = 276,
};

#define FRAME_VLAN_MAX 4
#define FRAME_PAYLOAD_MAX 65000u
/* link, tags, IPv6 and TCP headers with options, and the payload */
#define FRAME_BYTES_MAX (FRAME_PAYLOAD_MAX + 200u)

struct frame_format {
    enum frame_link link;
    bool big_endian; /* of the file: NULL writes its family in host order */
    uint16_t vlans[FRAME_VLAN_MAX];
    size_t vlan_count;
};

struct frame_segment {
    struct net_endpoint source;
    struct net_endpoint destination;
    uint32_t seq;
    uint32_t ack;
    uint16_t window;
    uint16_t mss; /* option of a SYN */
    uint16_t ip_id;
    uint8_t flags;
    struct hr_span payload; /* at most FRAME_PAYLOAD_MAX */
};

/** @return length of the frame written to out */
size_t frame_build(const struct frame_format *f, const struct frame_segment *s,
                   uint8_t out[FRAME_BYTES_MAX]);
bool frame_address_is_ip4(const struct net_address *a);
/** IPv4 or IPv6. */
bool frame_address_parse(const char *text, struct net_address *ret_address);
const char *frame_address_format(const struct net_address *a, char text[NET_ADDRESS_TEXT_SIZE]);

#endif
