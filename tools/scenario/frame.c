#include "scenario/frame.h"

#include <arpa/inet.h>
#include <string.h>

#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_IP6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8

static uint8_t *put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
    return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
    return put16(put16(p, v >> 16), v & 0xffff);
}

bool frame_address_is_ip4(const struct net_address *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(a->bytes, mapped, sizeof(mapped)) == 0;
}

bool frame_address_parse(const char *text, struct net_address *ret_address)
{
    struct net_address a = {0};
    if (inet_pton(AF_INET, text, a.bytes + 12) == 1) {
        memset(a.bytes + 10, 0xff, 2);
    } else if (inet_pton(AF_INET6, text, a.bytes) != 1) {
        return false;
    }
    *ret_address = a;
    return true;
}

const char *frame_address_format(const struct net_address *a, char text[NET_ADDRESS_TEXT_SIZE])
{
    const bool ip4 = frame_address_is_ip4(a);
    return inet_ntop(ip4 ? AF_INET : AF_INET6, a->bytes + (ip4 ? 12 : 0), text,
                     NET_ADDRESS_TEXT_SIZE);
}

/* RFC 1071 2(B): the sum does not depend on byte order, so whole native words are added. */
static uint64_t sum_words(uint64_t sum, const uint8_t *p, size_t len)
{
    while (len >= 4) {
        uint32_t word;
        memcpy(&word, p, 4);
        sum += word;
        p += 4;
        len -= 4;
    }
    if (len > 0) {
        uint8_t tail[4] = {0};
        uint32_t word;
        memcpy(tail, p, len);
        memcpy(&word, tail, 4);
        sum += word;
    }
    return sum;
}

static void put_checksum(uint8_t *at, uint64_t sum)
{
    uint16_t folded;
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    folded = (uint16_t)~sum;
    memcpy(at, &folded, 2);
}

/* A locally administered address that follows from the host's IP address. */
static uint8_t *put_mac(uint8_t *p, const struct net_address *a)
{
    p[0] = 0x02;
    p[1] = (uint8_t)(a->bytes[11] ^ a->bytes[10]);
    memcpy(p + 2, a->bytes + 12, 4);
    return p + 6;
}

static uint8_t *put_ethernet(uint8_t *p, const struct frame_format *f,
                             const struct frame_segment *s, unsigned ethertype)
{
    p = put_mac(p, &s->destination.address);
    p = put_mac(p, &s->source.address);
    for (size_t i = 0; i < f->vlan_count; i++) {
        p = put16(p, i + 1 < f->vlan_count ? ETHERTYPE_QINQ : ETHERTYPE_VLAN);
        p = put16(p, f->vlans[i]);
    }
    return put16(p, ethertype);
}

static uint8_t *put_link(uint8_t *p, const struct frame_format *f, const struct frame_segment *s,
                         bool ip4)
{
    const unsigned ethertype = ip4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6;
    const uint32_t family = ip4 ? 2 : 30;
    switch (f->link) {
    case FRAME_ETHERNET:
        return put_ethernet(p, f, s, ethertype);
    case FRAME_RAW:
        return p;
    case FRAME_LOOP:
        return put32(p, family);
    case FRAME_NULL:
        if (f->big_endian) {
            return put32(p, family);
        }
        memset(p, 0, 4);
        p[0] = (uint8_t)family;
        return p + 4;
    case FRAME_SLL: /* type, ARPHRD, address length, address, protocol */
        p = put16(put16(put16(p, 0), 1), 6);
        memset(put_mac(p, &s->source.address), 0, 2);
        return put16(p + 8, ethertype);
    case FRAME_SLL2: /* protocol, reserved, interface, ARPHRD, type, address length, address */
        p = put16(put32(put16(put16(p, ethertype), 0), 2), 1);
        *p++ = 0;
        *p++ = 6;
        memset(put_mac(p, &s->source.address), 0, 2);
        return p + 8;
    }
    return p;
}

static uint8_t *put_ip4(uint8_t *p, const struct frame_segment *s, size_t tcp_bytes)
{
    uint8_t *ip = p;
    p = put16(p, 0x4500);
    p = put16(p, (unsigned)(20 + tcp_bytes));
    p = put16(p, s->ip_id);
    p = put16(p, 0x4000); /* do not fragment */
    p = put16(p, 0x4006); /* 64 hops, TCP */
    p = put16(p, 0);
    memcpy(p, s->source.address.bytes + 12, 4);
    memcpy(p + 4, s->destination.address.bytes + 12, 4);
    put_checksum(ip + 10, sum_words(0, ip, 20));
    return p + 8;
}

static uint8_t *put_ip6(uint8_t *p, const struct frame_segment *s, size_t tcp_bytes)
{
    p = put32(p, 0x60000000u);
    p = put16(p, (unsigned)tcp_bytes);
    p = put16(p, 0x0640); /* TCP, 64 hops */
    memcpy(p, s->source.address.bytes, 16);
    memcpy(p + 16, s->destination.address.bytes, 16);
    return p + 32;
}

static uint64_t pseudo_header(const struct frame_segment *s, bool ip4, size_t tcp_bytes)
{
    uint8_t tail[8];
    const size_t skip = ip4 ? 12 : 0;
    uint64_t sum = sum_words(0, s->source.address.bytes + skip, 16 - skip);
    sum = sum_words(sum, s->destination.address.bytes + skip, 16 - skip);
    put32(put32(tail, (uint32_t)tcp_bytes), 6);
    return sum_words(sum, tail, sizeof(tail));
}

size_t frame_build(const struct frame_format *f, const struct frame_segment *s,
                   uint8_t out[FRAME_BYTES_MAX])
{
    const bool ip4 = frame_address_is_ip4(&s->destination.address);
    const bool syn = (s->flags & TCP_SYN) != 0;
    const size_t header = syn ? 24 : 20;
    const size_t tcp_bytes = header + s->payload.len;
    uint8_t *tcp = put_link(out, f, s, ip4);
    uint8_t *p;
    tcp = ip4 ? put_ip4(tcp, s, tcp_bytes) : put_ip6(tcp, s, tcp_bytes);
    p = put16(put16(tcp, s->source.port), s->destination.port);
    p = put32(put32(p, s->seq), (s->flags & TCP_ACK) ? s->ack : 0);
    *p++ = (uint8_t)(header / 4 << 4);
    *p++ = s->flags;
    p = put32(put16(p, s->window), 0); /* checksum and urgent pointer */
    if (syn) {
        p = put16(put16(p, 0x0204), s->mss);
    }
    if (s->payload.len > 0) {
        memcpy(p, s->payload.ptr, s->payload.len);
    }
    put_checksum(tcp + 16, sum_words(pseudo_header(s, ip4, tcp_bytes), tcp, tcp_bytes));
    return (size_t)(tcp - out) + tcp_bytes;
}
