/*
 * Packets in packets. What a tunnel's header says is kept for finding the packet inside, no more:
 * ids that differ by direction (GRE keys, TEIDs, MPLS labels, ERSPAN sessions) keep no connections
 * apart, those of virtual networks (VXLAN, GENEVE) do.
 */
#include "base/alloc.h"
#include "decode/layer.h"

enum {
    MPLS_LABEL_LIMIT = 16,
    GTP_EXTENSION_LIMIT = 16,
    TZSP_FIELD_LIMIT = 64,
};

static void count_tunnel(struct layers *l)
{
    l->decoder->counters.tunnelled += l->tunnels == 0;
    l->tunnels++;
}

void layers_enter_tunnel(struct layers *l, layer_fn next, struct cursor c)
{
    if (c.cut) {
        layers_cut(l);
        return;
    }
    count_tunnel(l);
    if (layers_nest(l)) {
        next(l, c);
    }
}

static void hand_on_ethertype(struct layers *l, uint16_t ethertype, struct cursor c)
{
    if (c.cut) {
        layers_cut(l);
        return;
    }
    count_tunnel(l);
    ethertype_decode(l, ethertype, c);
}

void ip_tunnel_decode(struct layers *l, struct cursor c)
{
    layers_enter_tunnel(l, ip_decode, c);
}

void ethernet_tunnel_decode(struct layers *l, struct cursor c)
{
    layers_enter_tunnel(l, ethernet_decode, c);
}

/* --- GRE -------------------------------------------------------------------------------------- */

enum {
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_ACKNOWLEDGMENT = 0x0080, /* version 1 */
    GRE_VERSION = 0x0007,
};

/* RFC 1701: source route entries up to one of length 0. */
static void skip_gre_routing(struct cursor *c)
{
    uint8_t bytes = 0;
    do {
        cursor_skip(c, 3);
        bytes = cursor_u8(c);
        cursor_skip(c, bytes);
    } while (bytes != 0 && !c->cut);
}

/* The beginning of draft-foschiano-erspan; type I has no header of its own, and GRE no sequence. */
static void erspan_decode(struct layers *l, struct cursor c, bool has_header)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, has_header ? 8 : 0);
    cursor_skip(&c, has_header ? 8 : 0);
    layers_enter_tunnel(l, ethernet_decode, c);
}

static void erspan3_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 12);
    cursor_skip(&c, 11);
    bool has_platform = (cursor_u8(&c) & 1) != 0;
    layers_tell(l, DECODE_PART_HEADER, &c, 0, has_platform ? 8 : 0);
    cursor_skip(&c, has_platform ? 8 : 0);
    layers_enter_tunnel(l, ethernet_decode, c);
}

static void gre_payload(struct layers *l, uint16_t protocol, bool has_sequence, struct cursor c)
{
    switch (protocol) {
    case 0x6558: /* Transparent Ethernet Bridging */
        layers_enter_tunnel(l, ethernet_decode, c);
        break;
    case 0x88be:
        erspan_decode(l, c, has_sequence);
        break;
    case 0x22eb:
        erspan3_decode(l, c);
        break;
    case 0x880b:
        layers_enter_tunnel(l, ppp_decode, c);
        break;
    default:
        if ((protocol & 0xfff0) == 0x8200 || protocol == 0x9000) { /* Aruba's access points */
            layers_enter_tunnel(l, wireless_decode, c);
        } else {
            hand_on_ethertype(l, protocol, c);
        }
    }
}

/* RFC 2784, 2890; RFC 1701 for routing, RFC 2637 for version 1 (PPTP). */
void gre_decode(struct layers *l, struct cursor c)
{
    const uint8_t *start = c.at;
    uint16_t flags = cursor_u16(&c);
    uint16_t protocol = cursor_u16(&c);
    unsigned version = flags & GRE_VERSION;
    if (!c.cut && version > 1) {
        layers_malformed(l);
        return;
    }
    cursor_skip(&c, (flags & (GRE_CHECKSUM | GRE_ROUTING)) != 0 && version == 0 ? 4 : 0);
    cursor_skip(&c, (flags & GRE_KEY) != 0 ? 4 : 0);
    cursor_skip(&c, (flags & GRE_SEQUENCE) != 0 ? 4 : 0);
    cursor_skip(&c, version == 1 && (flags & GRE_ACKNOWLEDGMENT) != 0 ? 4 : 0);
    if ((flags & GRE_ROUTING) != 0 && version == 0) {
        skip_gre_routing(&c);
    }
    if ((flags & (GRE_CHECKSUM | GRE_ROUTING)) == 0) {
        layers_tell_since(l, DECODE_PART_HEADER, start, &c);
    }
    if (version == 1 && cursor_left(&c) == 0) {
        l->decoder->counters.other_ip++; /* an acknowledgment alone */
        return;
    }
    gre_payload(l, protocol, (flags & GRE_SEQUENCE) != 0, c);
}

/* --- MPLS ------------------------------------------------------------------------------------- */

/* A pseudowire may have a control word, which begins with 0 as many an address does: what stands
 * where the ethertype would be decides. */
static bool has_control_word(struct cursor c)
{
    struct cursor with = c;
    cursor_skip(&c, 12);
    cursor_skip(&with, 16);
    uint16_t without_type = cursor_u16(&c);
    uint16_t with_type = cursor_u16(&with);
    bool is_without = without_type == 0x0800 || without_type == 0x86dd || without_type == 0x8100;
    bool is_with = with_type == 0x0800 || with_type == 0x86dd || with_type == 0x8100;
    return is_with || !is_without;
}

/* RFC 3032. What is inside shows in its first four bits (RFC 4928). */
void mpls_decode(struct layers *l, struct cursor c)
{
    const uint8_t *start = c.at;
    uint32_t label = 0;
    for (unsigned i = 0; i < MPLS_LABEL_LIMIT && (label & 0x100) == 0; i++) {
        label = cursor_u32(&c);
        if (c.cut) {
            break;
        }
    }
    layers_tell_since(l, DECODE_PART_HEADER, start, &c);
    struct cursor look = c;
    uint8_t first = cursor_u8(&look) >> 4;
    if (look.cut) {
        layers_cut(l);
    } else if ((label & 0x100) == 0) {
        layers_malformed(l);
    } else if (first == 4 || first == 6) {
        layers_enter_tunnel(l, ip_decode, c);
    } else {
        size_t word_bytes = first == 0 && has_control_word(c) ? 4 : 0;
        layers_tell(l, DECODE_PART_HEADER, &c, 0, word_bytes);
        cursor_skip(&c, word_bytes);
        layers_enter_tunnel(l, ethernet_decode, c);
    }
}

/* --- over UDP --------------------------------------------------------------------------------- */

/* RFC 7348; the Generic Protocol Extension says what is inside. */
static void vxlan_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 8);
    uint8_t flags = cursor_u8(&c);
    cursor_skip(&c, 2);
    uint8_t next = cursor_u8(&c);
    uint32_t vni = cursor_u32(&c) >> 8;
    if (!c.cut && (flags & 0x08) == 0) {
        l->decoder->counters.udp++;
        return;
    }
    layers_enter_network(l, NETWORK_VNI, vni);
    bool has_next = (flags & 0x04) != 0; /* GPE */
    layers_enter_tunnel(l,
                        !has_next                ? ethernet_decode
                        : next == 1 || next == 2 ? ip_decode
                        : next == 4              ? service_header_decode
                                                 : ethernet_decode,
                        c);
}

/* RFC 8926 */
static void geneve_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 8);
    uint8_t first = cursor_u8(&c);
    cursor_skip(&c, 1);
    uint16_t protocol = cursor_u16(&c);
    uint32_t vni = cursor_u32(&c) >> 8;
    cursor_skip(&c, (size_t)(first & 0x3f) * 4);
    if (!c.cut && first >> 6 != 0) {
        l->decoder->counters.udp++;
        return;
    }
    layers_enter_network(l, NETWORK_VNI, vni);
    if (protocol == 0x6558) {
        layers_enter_tunnel(l, ethernet_decode, c);
    } else {
        hand_on_ethertype(l, protocol, c);
    }
}

/* 3GPP TS 29.281 5.2: each is so many words of four bytes, the last byte names the next. */
static void skip_gtp_extensions(struct cursor *c, uint8_t next)
{
    for (unsigned i = 0; next != 0 && i < GTP_EXTENSION_LIMIT && !c->cut; i++) {
        size_t bytes = (size_t)cursor_u8(c) * 4;
        if (bytes < 4) {
            c->cut = true;
            return;
        }
        cursor_skip(c, bytes - 2);
        next = cursor_u8(c);
    }
}

/* 3GPP TS 29.281 5.1: version 1, GTP and not GTP', a T-PDU. */
static void gtp_decode(struct layers *l, struct cursor c)
{
    const uint8_t *start = c.at;
    uint8_t first = cursor_u8(&c);
    uint8_t type = cursor_u8(&c);
    cursor_skip(&c, 6);
    if (!c.cut && ((first & 0xf0) != 0x30 || type != 0xff)) {
        l->decoder->counters.udp++; /* signalling, or something else on that port */
        return;
    }
    if ((first & 0x07) != 0) {
        cursor_skip(&c, 3);
        uint8_t next = cursor_u8(&c);
        skip_gtp_extensions(&c, (first & 0x04) != 0 ? next : 0);
    }
    layers_tell_since(l, DECODE_PART_HEADER, start, &c);
    layers_enter_tunnel(l, ip_decode, c);
}

/* RFC 4380 5.1.1: perhaps an authentication, perhaps an origin, then IPv6. */
static void teredo_decode(struct layers *l, struct cursor c)
{
    struct cursor look = c;
    uint16_t indication = cursor_u16(&look);
    if (indication == 1) {
        size_t client_bytes = cursor_u8(&look);
        size_t value_bytes = cursor_u8(&look);
        cursor_skip(&look, client_bytes + value_bytes + 9);
        c = look;
        indication = cursor_u16(&look);
    }
    if (indication == 0) {
        cursor_skip(&look, 6);
        c = look;
    }
    look = c;
    if (cursor_u8(&look) >> 4 == 6) {
        layers_enter_tunnel(l, ip6_decode, c);
    } else {
        l->decoder->counters.udp++;
    }
}

enum {
    L2TP_CONTROL = 0x8000,
    L2TP_LENGTH = 0x4000,
    L2TP_SEQUENCE = 0x0800,
    L2TP_OFFSET = 0x0200,
};

/* RFC 2661 3.1 */
static void l2tp_decode(struct layers *l, struct cursor c)
{
    const struct cursor all = c;
    const uint8_t *start = c.at;
    uint16_t flags = cursor_u16(&c);
    if ((flags & (L2TP_CONTROL | 0x0f)) == 3) {
        l2tp3_udp_decode(l, all);
        return;
    }
    cursor_skip(&c, (flags & L2TP_LENGTH) != 0 ? 2 : 0);
    cursor_skip(&c, 4);
    cursor_skip(&c, (flags & L2TP_SEQUENCE) != 0 ? 4 : 0);
    if ((flags & L2TP_OFFSET) != 0) {
        size_t pad_bytes = cursor_u16(&c);
        cursor_skip(&c, pad_bytes);
    }
    layers_tell_since(l, DECODE_PART_HEADER, start, &c);
    if (!c.cut && ((flags & L2TP_CONTROL) != 0 || (flags & 0x0f) != 2)) {
        l->decoder->counters.udp++;
        return;
    }
    layers_enter_tunnel(l, ppp_decode, c);
}

/* TaZmen Sniffer Protocol: a mirror's frames. Fields of type 0 and 1 have no length. */
static void tzsp_decode(struct layers *l, struct cursor c)
{
    uint8_t version = cursor_u8(&c);
    uint8_t type = cursor_u8(&c);
    uint16_t inside = cursor_u16(&c);
    uint8_t field = 0;
    for (unsigned i = 0; i < TZSP_FIELD_LIMIT && field != 1 && !c.cut; i++) {
        field = cursor_u8(&c);
        if (field > 1) {
            size_t bytes = cursor_u8(&c);
            cursor_skip(&c, bytes);
        }
    }
    if (c.cut || field != 1 || version != 1 || type > 1) {
        l->decoder->counters.udp++;
        return;
    }
    switch (inside) {
    case 1:
        layers_enter_tunnel(l, ethernet_decode, c);
        break;
    case 18:
        layers_enter_tunnel(l, wireless_decode, c);
        break;
    default:
        l->decoder->counters.udp++;
    }
}

/* IANA's ports, on either side: what answers comes from them. */
static const struct layer_row tunnels[] = {
    {4789,  vxlan_decode },
    {8472,  vxlan_decode }, /* as Linux had it before there was a port */
    {4790,  vxlan_decode }, /* with the protocol extension */
    {6081,  geneve_decode},
    {2152,  gtp_decode   },
    {3544,  teredo_decode},
    {1701,  l2tp_decode  },
    {4754,  gre_decode   }, /* RFC 8086 */
    {6635,  mpls_decode  }, /* RFC 7510 */
    {4341,  lisp_decode  },
    {5247,  capwap_decode},
    {37008, tzsp_decode  },
};

void udp_decode(struct layers *l, struct cursor c)
{
    const uint8_t *start = c.at;
    uint16_t source = cursor_u16(&c);
    uint16_t destination = cursor_u16(&c);
    uint16_t bytes = cursor_u16(&c);
    cursor_skip(&c, 2);
    if (!c.cut && bytes >= 8) {
        cursor_limit(&c, bytes - 8u);
    }
    layer_fn decode = layer_find(tunnels, HR_ARRAY_LEN(tunnels), destination);
    decode = decode == NULL ? layer_find(tunnels, HR_ARRAY_LEN(tunnels), source) : decode;
    if (decode != NULL && !c.cut) {
        layers_tell_packet(l, DECODE_PART_UDP, start, &c);
        decode(l, c);
        return;
    }
    l->decoder->counters.udp++;
}
