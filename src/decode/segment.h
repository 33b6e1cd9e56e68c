/*
 * decode/segment.h - one TCP segment as it came out of a frame (or out of reassembled fragments).
 */
#ifndef HR_DECODE_SEGMENT_H
#define HR_DECODE_SEGMENT_H

#include "base/span.h"
#include "base/time.h"

#include <netinet/in.h>

/* IPv4 addresses are kept as IPv4-mapped IPv6 (RFC 4291 2.5.5.2), so one comparison serves both. */
struct net_address {
    uint8_t bytes[16];
};

struct net_endpoint {
    struct net_address address;
    uint16_t port; /* host byte order */
};

enum {
    TCP_FIN = 1u << 0, /* as on the wire, RFC 9293 3.1 */
    TCP_SYN = 1u << 1,
    TCP_RST = 1u << 2,
    TCP_PSH = 1u << 3,
    TCP_ACK = 1u << 4,
};

/* Borrowed: payload points into the frame or the reassembled datagram. */
struct tcp_segment {
    struct net_endpoint source;
    struct net_endpoint destination;
    uint32_t
        network; /* keeps equal 4-tuples apart: a hash of VLAN tags and tunnel ids; 0 without */
    uint32_t seq;
    uint32_t ack; /* meaningful with TCP_ACK */
    uint16_t window;
    uint8_t flags;
    uint32_t identity; /* equal in copies of one packet; see tcp_segment_identity() */
    uint32_t
        wire_payload_bytes; /* by the IP length; more than payload.len where the frame was cut */
    struct hr_span payload;
    hr_nsec at;
    uint64_t frame;
    size_t capture;
    bool selected; /* see struct packet */
};

/* Of an identity: it comes from IP and differs in every packet of a sender, else from the clock of
 * TCP's time stamps, which ticks slowly. 0: neither is there. */
#define TCP_IDENTITY_IP (UINT32_C(1) << 31)

/** @param ip_id  0: none  @param stamps  TSval and TSecr; 0: none */
uint32_t tcp_segment_identity(uint16_t ip_id, uint64_t stamps);

#define NET_ADDRESS_TEXT_SIZE INET6_ADDRSTRLEN

/** "192.0.2.1" or "2001:db8::1". @return text */
const char *net_address_format(const struct net_address *a, char text[NET_ADDRESS_TEXT_SIZE]);
/** @return false where the text is no IP address */
bool net_address_parse(const char *text, struct net_address *ret_address);
int net_endpoint_compare(const struct net_endpoint *a, const struct net_endpoint *b);

#endif
