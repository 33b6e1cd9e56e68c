/*
 * IPv4 (RFC 791) and IPv6 (RFC 8200). The length in the IP header cuts off what links put behind
 * (Ethernet's padding, frame check sequences); where it is 0 the network card was to fill it in.
 */
#include "base/alloc.h"
#include "decode/checksum.h"
#include "decode/fragment.h"

#include <string.h>

enum {
    IP4_HEADER_BYTES = 20,
    IP6_HEADER_BYTES = 40,
    IP4_MORE_FRAGMENTS = 0x2000,
    IP4_OFFSET_MASK = 0x1fff,
};

static void take_address4(struct cursor *c, struct net_address *ret_address)
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct hr_span s = cursor_bytes(c, 4);
    if (s.len == 4) {
        memcpy(ret_address->bytes, prefix, sizeof(prefix));
        memcpy(ret_address->bytes + sizeof(prefix), s.ptr, 4);
    }
}

static void take_address6(struct cursor *c, struct net_address *ret_address)
{
    struct hr_span s = cursor_bytes(c, 16);
    if (s.len == 16) {
        memcpy(ret_address->bytes, s.ptr, 16);
    }
}

/* The payload of one fragment stands at c; f has the rest. */
static void take_fragment(struct layers *l, struct fragment *f, struct cursor c)
{
    struct datagram whole;
    l->decoder->counters.fragments++;
    if (c.missing > 0) {
        layers_cut(l);
        l->decoder->counters.fragments_dropped++;
        return;
    }
    f->source = l->source;
    f->destination = l->destination;
    f->network = l->network;
    f->selected = l->selected;
    f->at = l->packet->at;
    f->data = cursor_rest(&c);
    const struct decode_watch *watch = &l->decoder->watch;
    if (watch->fragment != NULL) {
        watch->fragment(f, watch->user);
    }
    if (fragment_table_feed(l->decoder->fragments, f, &whole)) {
        l->selected = whole.selected;
        if (watch->datagram != NULL) {
            watch->datagram(f, whole.data, watch->user);
        }
        ip_payload_decode(l, whole.protocol, cursor_of(whole.data.ptr, whole.data.len, 0));
    }
}

/* What the header says, against what the link carried: more than that is a lie, less is padding. */
static void limit_to(struct layers *l, struct cursor *c, size_t stated_bytes)
{
    if (stated_bytes > cursor_wire_left(c)) {
        layers_malformed(l); /* and goes on: what is there is there */
    }
    cursor_limit(c, stated_bytes);
}

void ip4_decode(struct layers *l, struct cursor c)
{
    const uint8_t *start = c.at;
    size_t wire_bytes = cursor_wire_left(&c);
    uint8_t first = cursor_u8(&c);
    cursor_skip(&c, 1);
    size_t total_bytes = cursor_u16(&c);
    uint16_t id = cursor_u16(&c);
    uint16_t fragment = cursor_u16(&c);
    cursor_skip(&c, 1);
    uint8_t protocol = cursor_u8(&c);
    cursor_skip(&c, 2);
    take_address4(&c, &l->source);
    take_address4(&c, &l->destination);
    size_t header_bytes = (size_t)(first & 0x0f) * 4;
    if (c.cut) {
        layers_cut(l);
        return;
    }
    l->ip_id = id;
    total_bytes = total_bytes == 0 ? wire_bytes : total_bytes;
    if (first >> 4 != 4 || header_bytes < IP4_HEADER_BYTES || total_bytes < header_bytes) {
        layers_malformed(l);
        return;
    }
    limit_to(l, &c, total_bytes - IP4_HEADER_BYTES);
    cursor_skip(&c, header_bytes - IP4_HEADER_BYTES);
    if (c.cut) {
        layers_cut(l);
        return;
    }
    layers_tell_packet(l, DECODE_PART_IP4, start, &c);
    if (!checksum_accepts_ip4(l, hr_span_of(start, header_bytes))) {
        return;
    }
    l->is_rerouted = header_bytes > IP4_HEADER_BYTES; /* perhaps by an option */
    if ((fragment & (IP4_MORE_FRAGMENTS | IP4_OFFSET_MASK)) == 0) {
        ip_payload_decode(l, protocol, c);
        return;
    }
    struct fragment f = {
        .id = id,
        .protocol = protocol,
        .more = (fragment & IP4_MORE_FRAGMENTS) != 0,
        .offset = (uint32_t)(fragment & IP4_OFFSET_MASK) * 8,
    };
    take_fragment(l, &f, c);
}

void ip6_decode(struct layers *l, struct cursor c)
{
    const uint8_t *start = c.at;
    uint8_t first = cursor_u8(&c);
    cursor_skip(&c, 3);
    size_t payload_bytes = cursor_u16(&c);
    uint8_t next = cursor_u8(&c);
    cursor_skip(&c, 1);
    take_address6(&c, &l->source);
    take_address6(&c, &l->destination);
    if (c.cut) {
        layers_cut(l);
        return;
    }
    if (first >> 4 != 6) {
        layers_malformed(l);
        return;
    }
    l->ip_id = 0;
    l->is_rerouted = false;
    if (payload_bytes != 0) { /* 0: a jumbogram, or the network card was to cut it in pieces */
        limit_to(l, &c, payload_bytes);
    }
    layers_tell_packet(l, DECODE_PART_IP6, start, &c);
    ip_payload_decode(l, next, c);
}

void ip_decode(struct layers *l, struct cursor c)
{
    struct cursor look = c;
    uint8_t version = cursor_u8(&look) >> 4;
    if (look.cut) {
        layers_cut(l);
    } else if (version == 6) {
        ip6_decode(l, c);
    } else {
        ip4_decode(l, c);
    }
}

/* An extension header of 8 bytes and so many units of `unit` more. */
static void skip_extension(struct layers *l, struct cursor c, size_t base, size_t unit)
{
    const uint8_t *start = c.at;
    uint8_t next = cursor_u8(&c);
    size_t bytes = base + cursor_u8(&c) * unit;
    cursor_skip(&c, bytes - 2);
    if (c.cut) {
        layers_cut(l);
        return;
    }
    layers_tell_since(l, DECODE_PART_EXTENSION, start, &c);
    ip_payload_decode(l, next, c);
}

static void options_decode(struct layers *l, struct cursor c)
{
    skip_extension(l, c, 8, 8); /* RFC 8200 4.3, 4.4, 4.6 */
}

/* RFC 8200 4.4: until the way is done the last address of it is the destination. */
static void routing_decode(struct layers *l, struct cursor c)
{
    struct cursor look = c;
    cursor_skip(&look, 3);
    l->is_rerouted |= cursor_u8(&look) != 0;
    skip_extension(l, c, 8, 8);
}

static void authentication_decode(struct layers *l, struct cursor c)
{
    skip_extension(l, c, 8, 4); /* RFC 4302 2.2: 32-bit words, minus 2 */
}

static void fragment_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 8);
    uint8_t next = cursor_u8(&c);
    cursor_skip(&c, 1);
    uint16_t offset = cursor_u16(&c);
    uint32_t id = cursor_u32(&c);
    if (c.cut) {
        layers_cut(l);
        return;
    }
    if ((offset & 0xfff9) == 0) { /* RFC 6946: an atomic fragment waits for no other */
        ip_payload_decode(l, next, c);
        return;
    }
    struct fragment f = {
        .id = id,
        .protocol = next,
        .is_ip6 = true,
        .more = (offset & 1) != 0,
        .offset = offset & 0xfff8,
    };
    take_fragment(l, &f, c);
}

static void icmp_decode(struct layers *l, struct cursor c)
{
    (void)c;
    l->decoder->counters.icmp++;
}

/* Assigned Internet Protocol Numbers. The frequent ones first; a tunnel is one more row. */
static const struct layer_row protocols[] = {
    {IPPROTO_TCP,      tcp_decode            },
    {IPPROTO_UDP,      udp_decode            },
    {IPPROTO_ICMP,     icmp_decode           },
    {IPPROTO_ICMPV6,   icmp_decode           },
    {IPPROTO_HOPOPTS,  options_decode        },
    {IPPROTO_ROUTING,  routing_decode        },
    {IPPROTO_DSTOPTS,  options_decode        },
    {IPPROTO_FRAGMENT, fragment_decode       },
    {IPPROTO_AH,       authentication_decode },
    {IPPROTO_IPIP,     ip_tunnel_decode      }, /* RFC 2003, 2473 */
    {IPPROTO_IPV6,     ip_tunnel_decode      }, /* RFC 4213, 2473 */
    {IPPROTO_COMP,     ipcomp_decode         },
    {IPPROTO_GRE,      gre_decode            },
    {137,              mpls_decode           }, /* RFC 4023 */
    {97,               etherip_decode        },
    {115,              l2tp3_decode          },
    {143,              ethernet_tunnel_decode}, /* RFC 8986 */
    {135,              options_decode        }, /* RFC 6275 6.1, RFC 7401, RFC 5533 */
    {139,              options_decode        },
    {140,              options_decode        },
};

void ip_payload_decode(struct layers *l, uint8_t protocol, struct cursor c)
{
    layers_hand_on(l, protocols, HR_ARRAY_LEN(protocols), protocol, c,
                   &l->decoder->counters.other_ip);
}
