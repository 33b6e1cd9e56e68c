/*
 * More packets in packets: between switches, sites and access points. What their headers say is
 * kept for finding the packet inside, no more.
 */
#include "base/alloc.h"
#include "decode/layer.h"

/* The ethertypes that are looked for where a header does not say how long it is. */
static bool is_ethernet(struct cursor c)
{
    cursor_skip(&c, 12);
    uint16_t ethertype = cursor_u16(&c);
    if (ethertype == 0x8100) {
        cursor_skip(&c, 2);
        ethertype = cursor_u16(&c);
    }
    uint8_t version = cursor_u8(&c) >> 4;
    return !c.cut &&
           ((ethertype == 0x0800 && version == 4) || (ethertype == 0x86dd && version == 6));
}

/* RFC 3378 */
void etherip_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 2);
    uint8_t version = cursor_u8(&c) >> 4;
    cursor_skip(&c, 1);
    if (!c.cut && version != 3) {
        l->decoder->counters.other_ip++;
        return;
    }
    layers_enter_tunnel(l, ethernet_decode, c);
}

/* RFC 3931 4.1, RFC 4719: a session, perhaps a cookie of 4 or 8 bytes, perhaps a sublayer of 4; how
 * much of it there is only the two ends know. */
static void l2tp3_session_decode(struct layers *l, struct cursor c, uint64_t *other)
{
    enum { REST_MAX = 12 };
    const uint8_t *start = c.at;
    uint32_t session = cursor_u32(&c);
    for (size_t rest = 0; session != 0 && rest <= REST_MAX && !c.cut; rest += 4) {
        if (is_ethernet(c)) {
            layers_tell_since(l, DECODE_PART_HEADER, start, &c);
            layers_enter_tunnel(l, ethernet_decode, c);
            return;
        }
        cursor_skip(&c, 4);
    }
    if (c.cut && cursor_wire_left(&c) > 0) {
        layers_cut(l);
        return;
    }
    (*other)++; /* control messages, or no IP inside */
}

void l2tp3_decode(struct layers *l, struct cursor c)
{
    l2tp3_session_decode(l, c, &l->decoder->counters.other_ip);
}

/* RFC 3931 4.1.2: behind a header that tells it from version 2 of the same port. */
void l2tp3_udp_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 4);
    cursor_skip(&c, 4);
    l2tp3_session_decode(l, c, &l->decoder->counters.udp);
}

/* RFC 8300 2.2: its length in words of four bytes; IANA's numbers of what is inside. */
void service_header_decode(struct layers *l, struct cursor c)
{
    static const struct layer_row inside[] = {
        {1, ip4_decode           },
        {2, ip6_decode           },
        {3, ethernet_decode      },
        {4, service_header_decode},
        {5, mpls_decode          },
    };
    const uint8_t *start = c.at;
    uint16_t first = cursor_u16(&c);
    cursor_skip(&c, 1);
    uint8_t next = cursor_u8(&c);
    size_t bytes = (size_t)(first & 0x3f) * 4;
    cursor_skip(&c, bytes < 8 ? 0 : bytes - 4);
    if (!c.cut && (bytes < 8 || first >> 14 != 0)) {
        layers_malformed(l);
        return;
    }
    layers_tell_since(l, DECODE_PART_HEADER, start, &c);
    layer_fn decode = layer_find(inside, HR_ARRAY_LEN(inside), next);
    if (c.cut) {
        layers_cut(l);
    } else if (decode == NULL) {
        l->decoder->counters.other_ethertype++;
    } else {
        layers_enter_tunnel(l, decode, c);
    }
}

/* RFC 6325 3: options in words of four bytes, then the whole inner frame. */
void trill_decode(struct layers *l, struct cursor c)
{
    const uint8_t *start = c.at;
    uint16_t first = cursor_u16(&c);
    cursor_skip(&c, 4 + (size_t)(first >> 6 & 0x1f) * 4);
    layers_tell_since(l, DECODE_PART_HEADER, start, &c);
    layers_enter_tunnel(l, ethernet_decode, c);
}

/* Cisco's FabricPath: two bytes, then the whole inner frame. */
void fabric_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 2);
    cursor_skip(&c, 2);
    layers_enter_tunnel(l, ethernet_decode, c);
}

enum {
    MACSEC_CIPHERED = 0x0c, /* encrypted, or changed text */
    MACSEC_HAS_CHANNEL = 0x20,
};

/* IEEE 802.1AE 9.3: frames that are only signed can be read. The check value at the end is cut off
 * by the length in the IP header. */
void macsec_decode(struct layers *l, struct cursor c)
{
    const uint8_t *start = c.at;
    uint8_t control = cursor_u8(&c);
    cursor_skip(&c, (control & MACSEC_HAS_CHANNEL) != 0 ? 13 : 5);
    if (!c.cut && (control & MACSEC_CIPHERED) != 0) {
        l->decoder->counters.other_ethertype++;
        return;
    }
    uint16_t ethertype = cursor_u16(&c);
    layers_tell_since(l, DECODE_PART_HEADER, start, &c);
    ethertype_decode(l, ethertype, c);
}

enum { LISP_HAS_INSTANCE = 0x08 };

/* RFC 6830 5.3: eight bytes, then an IP packet. */
void lisp_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 8);
    uint8_t flags = cursor_u8(&c);
    cursor_skip(&c, 3);
    uint32_t instance = cursor_u32(&c) >> 8;
    if ((flags & LISP_HAS_INSTANCE) != 0) {
        layers_enter_network(l, NETWORK_VNI, instance);
    }
    layers_enter_tunnel(l, ip_decode, c);
}

enum {
    CAPWAP_NATIVE = 0x0100, /* of the header's third and fourth byte: a wireless frame */
    CAPWAP_FRAGMENT = 0x0080,
    CAPWAP_KEEP_ALIVE = 0x0008,
    CAPWAP_HEADER_MIN = 8,
};

/* RFC 5415 4.3: what an access point hands on to its controller. A datagram of which this is a
 * piece is not put together. */
void capwap_decode(struct layers *l, struct cursor c)
{
    const uint8_t *start = c.at;
    uint8_t preamble = cursor_u8(&c);
    size_t bytes = (size_t)(cursor_u8(&c) >> 3) * 4;
    uint16_t flags = cursor_u16(&c);
    cursor_skip(&c, bytes < CAPWAP_HEADER_MIN ? 0 : bytes - 4);
    if (c.cut) {
        layers_cut(l);
        return;
    }
    if (preamble != 0 || bytes < CAPWAP_HEADER_MIN ||
        (flags & (CAPWAP_FRAGMENT | CAPWAP_KEEP_ALIVE)) != 0) {
        l->decoder->counters.udp++;
        return;
    }
    layers_tell_since(l, DECODE_PART_HEADER, start, &c);
    layers_enter_tunnel(l, (flags & CAPWAP_NATIVE) != 0 ? wireless_tunnel_decode : ethernet_decode,
                        c);
}
