/*
 * The layers below IP. https://www.tcpdump.org/linktypes.html; IEEE 802.3, 802.1Q.
 */
#include "base/alloc.h"
#include "decode/layer.h"

enum {
    ETHERTYPE_FIRST = 1536, /* below: a length, and an LLC header behind it */
};

void layers_enter_network(struct layers *l, uint32_t kind, uint32_t id)
{
    uint32_t h = (l->network ^ kind) * 0x9e3779b1u + id + 1;
    h ^= h >> 15;
    h *= 0x85ebca77u;
    h ^= h >> 13;
    l->network = h == 0 ? 1 : h;
}

static void vlan_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 4);
    uint16_t vlan = cursor_u16(&c) & 0x0fff;
    uint16_t ethertype = cursor_u16(&c);
    if (c.cut) {
        layers_cut(l);
        return;
    }
    if (vlan != 0) { /* 0 carries a priority only, often in one direction only */
        layers_enter_network(l, NETWORK_VLAN, vlan);
    }
    ethertype_decode(l, ethertype, c);
}

/* IEEE 802.1ah: an I-tag, then the customer's whole frame. */
static void backbone_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 4);
    cursor_skip(&c, 4);
    if (c.cut) {
        layers_cut(l);
    } else {
        ethernet_decode(l, c);
    }
}

/* A tag of four bytes and an ethertype: Cisco's VN-Tag, and what tells doubles apart on two ways.
 */
static void tag_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 6);
    cursor_skip(&c, 4);
    uint16_t ethertype = cursor_u16(&c);
    ethertype_decode(l, ethertype, c);
}

/* Cisco's metadata: a version, the number of options, these in words of four bytes. */
static void metadata_decode(struct layers *l, struct cursor c)
{
    const uint8_t *start = c.at;
    cursor_skip(&c, 1);
    size_t options = cursor_u8(&c);
    cursor_skip(&c, options * 4);
    uint16_t ethertype = cursor_u16(&c);
    layers_tell_since(l, DECODE_PART_HEADER, start, &c);
    ethertype_decode(l, ethertype, c);
}

static void arp_decode(struct layers *l, struct cursor c)
{
    (void)c;
    l->decoder->counters.arp++;
}

static const struct layer_row ethertypes[] = {
    {0x0800, ip4_decode           },
    {0x86dd, ip6_decode           },
    {0x8100, vlan_decode          },
    {0x88a8, vlan_decode          }, /* service tag */
    {0x9100, vlan_decode          }, /* the same before it was standardised */
    {0x0806, arp_decode           },
    {0x8864, pppoe_decode         },
    {0x8847, mpls_decode          },
    {0x8848, mpls_decode          },
    {0x9200, vlan_decode          },
    {0x88e7, backbone_decode      },
    {0x8926, tag_decode           },
    {0x892f, tag_decode           }, /* IEC 62439-3: HSR */
    {0xf1c1, tag_decode           }, /* IEEE 802.1CB */
    {0x8909, metadata_decode      },
    {0x894f, service_header_decode},
    {0x22f3, trill_decode         },
    {0x8903, fabric_decode        },
    {0x88e5, macsec_decode        },
};

void ethertype_decode(struct layers *l, uint16_t ethertype, struct cursor c)
{
    if (c.cut) {
        layers_cut(l);
        return;
    }
    layers_hand_on(l, ethertypes, HR_ARRAY_LEN(ethertypes), ethertype, c,
                   &l->decoder->counters.other_ethertype);
}

/* Hands on by the ethertype once the whole link header was there. */
static void hand_on(struct layers *l, uint16_t ethertype, struct cursor c)
{
    if (c.cut) {
        layers_cut(l);
    } else if (ethertype < ETHERTYPE_FIRST) {
        llc_decode(l, c);
    } else {
        ethertype_decode(l, ethertype, c);
    }
}

/* IEEE 802.2, and SNAP (RFC 1042) behind it. */
void llc_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 3);
    uint16_t points = cursor_u16(&c);
    uint8_t control = cursor_u8(&c);
    if (c.cut) {
        layers_cut(l);
    } else if (points == 0x0606 && control == 3) {
        ip4_decode(l, c);
    } else if (points == 0xaaaa && control == 3) {
        layers_tell(l, DECODE_PART_HEADER, &c, 0, 5);
        uint8_t organisation = cursor_u8(&c);
        uint16_t rest = cursor_u16(&c);
        uint16_t ethertype = cursor_u16(&c);
        if (c.cut) {
            layers_cut(l);
        } else if (organisation != 0 || (rest != 0 && rest != 0xf8)) { /* f8: bridged Ethernet */
            l->decoder->counters.other_ethertype++;
        } else {
            ethertype_decode(l, ethertype, c);
        }
    } else {
        l->decoder->counters.other_ethertype++;
    }
}

void ethernet_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_MAC, &c, 0, 6);
    layers_tell(l, DECODE_PART_MAC, &c, 6, 6);
    layers_tell(l, DECODE_PART_HEADER, &c, 12, 2);
    cursor_skip(&c, 12);
    uint16_t ethertype = cursor_u16(&c);
    hand_on(l, ethertype, c);
}

static void sll_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 6);
    layers_tell(l, DECODE_PART_MAC, &c, 6, 6);
    layers_tell(l, DECODE_PART_HEADER, &c, 14, 2);
    cursor_skip(&c, 14);
    uint16_t ethertype = cursor_u16(&c);
    hand_on(l, ethertype, c);
}

static void sll2_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 12);
    layers_tell(l, DECODE_PART_MAC, &c, 12, 6);
    uint16_t ethertype = cursor_u16(&c);
    cursor_skip(&c, 18);
    hand_on(l, ethertype, c);
}

/* The address family in the byte order of the host that captured: both are tried, for LOOP too. */
static void loopback_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 4);
    uint32_t family = cursor_u32(&c);
    if (c.cut) {
        layers_cut(l);
        return;
    }
    if (family > 0xffff) {
        family = __builtin_bswap32(family);
    }
    switch (family) {
    case 2:
        ip4_decode(l, c);
        break;
    case 10: /* AF_INET6 of Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS */
    case 23:
    case 24:
    case 28:
    case 30:
        ip6_decode(l, c);
        break;
    default:
        l->decoder->counters.other_ethertype++;
    }
}

/* RFC 1201: the sender, the receiver, Linux' filler, then a protocol id of one byte; packets in one
 * piece only. */
static void arcnet_decode(struct layers *l, struct cursor c)
{
    cursor_skip(&c, l->packet->link_type == 129 ? 4 : 2);
    uint8_t protocol = cursor_u8(&c);
    bool is_rfc1051 = protocol == 240 || protocol == 241;
    struct cursor look = c;
    uint8_t split = is_rfc1051 ? 0 : cursor_u8(&look);
    if (!is_rfc1051) {
        cursor_skip(&look, 2);
        c = look;
    }
    if (c.cut) {
        layers_cut(l);
    } else if ((protocol == 212 || protocol == 240) && split == 0) {
        ip4_decode(l, c);
    } else if (protocol == 196 && split == 0) {
        ip6_decode(l, c);
    } else {
        l->decoder->counters.other_ethertype++;
    }
}

enum {
    NFLOG_PAYLOAD = 9,
    NFLOG_FIELD_LIMIT = 64,
};

/* Netfilter's log: fields of length and type in the order of the host, padded to four bytes. */
static void nflog_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 4);
    cursor_skip(&c, 4);
    for (unsigned i = 0; i < NFLOG_FIELD_LIMIT && cursor_left(&c) >= 4; i++) {
        layers_tell(l, DECODE_PART_HEADER, &c, 0, 4);
        uint16_t bytes = __builtin_bswap16(cursor_u16(&c));
        uint16_t type = __builtin_bswap16(cursor_u16(&c));
        if (bytes > 0xff && bytes % 256 == 0 && type % 256 == 0 &&
            type != 0) { /* big-endian host */
            bytes = __builtin_bswap16(bytes);
            type = __builtin_bswap16(type);
        }
        if (bytes < 4) {
            break;
        }
        if (type == NFLOG_PAYLOAD) {
            cursor_limit(&c, bytes - 4u);
            ip_decode(l, c);
            return;
        }
        cursor_skip(&c, (bytes + 3u) / 4 * 4 - 4);
    }
    layers_cut(l);
}

/* pppd's log: a byte for the direction instead of the address. */
static void ppp_direction_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 1);
    cursor_skip(&c, 1);
    struct cursor look = c;
    if (cursor_u8(&look) == 0x03) {
        layers_tell(l, DECODE_PART_HEADER, &c, 0, 1);
        c = look;
    }
    ppp_decode(l, c);
}

/* The log of the packet filter of BSD: its length, padded to four bytes, is its first byte. */
static void pflog_decode(struct layers *l, struct cursor c)
{
    struct cursor look = c;
    size_t bytes = ((size_t)cursor_u8(&look) + 3) & ~(size_t)3;
    if (!look.cut && bytes < 4) {
        layers_malformed(l);
        return;
    }
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 4); /* behind: names, users, processes */
    cursor_skip(&c, bytes);
    ip_decode(l, c);
}

/* OpenBSD's view of what IPsec carries: family, SPI and flags. */
static void enc_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 12);
    cursor_skip(&c, 12);
    ip_decode(l, c);
}

static const struct layer_row links[] = {
    {1,   ethernet_decode     }, /* LINKTYPE_ETHERNET */
    {276, sll2_decode         }, /* LINKTYPE_LINUX_SLL2 */
    {113, sll_decode          }, /* LINKTYPE_LINUX_SLL */
    {0,   loopback_decode     }, /* LINKTYPE_NULL */
    {108, loopback_decode     }, /* LINKTYPE_LOOP */
    {101, ip_decode           }, /* LINKTYPE_RAW */
    {12,  ip_decode           }, /* the same under numbers that some systems wrote */
    {14,  ip_decode           },
    {228, ip4_decode          }, /* LINKTYPE_IPV4 */
    {229, ip6_decode          }, /* LINKTYPE_IPV6 */
    {9,   ppp_decode          }, /* LINKTYPE_PPP */
    {50,  hdlc_decode         }, /* LINKTYPE_PPP_HDLC */
    {51,  pppoe_decode        }, /* LINKTYPE_PPP_ETHER */
    {104, hdlc_decode         }, /* LINKTYPE_C_HDLC */
    {166, ppp_direction_decode}, /* LINKTYPE_PPP_PPPD */
    {204, ppp_direction_decode}, /* LINKTYPE_PPP_WITH_DIR */
    {100, llc_decode          }, /* LINKTYPE_ATM_RFC1483 */
    {105, wireless_decode     }, /* LINKTYPE_IEEE802_11 */
    {127, radiotap_decode     }, /* LINKTYPE_IEEE802_11_RADIOTAP */
    {119, prism_decode        }, /* LINKTYPE_IEEE802_11_PRISM */
    {163, prism_decode        }, /* LINKTYPE_IEEE802_11_AVS */
    {192, ppi_decode          }, /* LINKTYPE_PPI */
    {219, mpls_decode         }, /* LINKTYPE_MPLS */
    {7,   arcnet_decode       }, /* LINKTYPE_ARCNET_BSD */
    {129, arcnet_decode       }, /* LINKTYPE_ARCNET_LINUX */
    {239, nflog_decode        }, /* LINKTYPE_NFLOG */
    {117, pflog_decode        }, /* LINKTYPE_PFLOG */
    {109, enc_decode          }, /* LINKTYPE_ENC */
};

bool decode_knows_link(uint32_t link_type)
{
    return layer_find(links, HR_ARRAY_LEN(links), link_type) != NULL;
}

bool link_decode(struct layers *l, uint32_t link_type, struct cursor c)
{
    layer_fn decode = layer_find(links, HR_ARRAY_LEN(links), link_type);
    if (decode != NULL) {
        decode(l, c);
    }
    return decode != NULL;
}
