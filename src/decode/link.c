/*
 * The layers below IP. https://www.tcpdump.org/linktypes.html; IEEE 802.3, 802.1Q.
 */
#include "base/alloc.h"
#include "decode/layer.h"

enum {
    ETHERTYPE_FIRST = 1536, /* below: a length, and an LLC header behind it */
    NETWORK_VLAN = 1,       /* kinds of networks inside networks */
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

static void arp_decode(struct layers *l, struct cursor c)
{
    (void)c;
    l->decoder->counters.arp++;
}

/* The frequent ones first. */
static const struct {
    uint16_t ethertype;
    layer_fn decode;
} ethertypes[] = {
    {0x0800, ip4_decode },
    {0x86dd, ip6_decode },
    {0x8100, vlan_decode},
    {0x88a8, vlan_decode}, /* service tag */
    {0x9100, vlan_decode}, /* the same before it was standardised */
    {0x0806, arp_decode },
};

void ethertype_decode(struct layers *l, uint16_t ethertype, struct cursor c)
{
    if (++l->depth > LAYER_DEPTH_LIMIT) {
        layers_malformed(l);
        return;
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(ethertypes); i++) {
        if (ethertypes[i].ethertype == ethertype) {
            ethertypes[i].decode(l, c);
            return;
        }
    }
    l->decoder->counters.other_ethertype++;
}

/* Hands on by the ethertype once the whole link header was there. */
static void hand_on(struct layers *l, uint16_t ethertype, struct cursor c)
{
    if (c.cut) {
        layers_cut(l);
    } else if (ethertype < ETHERTYPE_FIRST) {
        l->decoder->counters.other_ethertype++;
    } else {
        ethertype_decode(l, ethertype, c);
    }
}

static void ethernet_decode(struct layers *l, struct cursor c)
{
    cursor_skip(&c, 12);
    uint16_t ethertype = cursor_u16(&c);
    hand_on(l, ethertype, c);
}

static void sll_decode(struct layers *l, struct cursor c)
{
    cursor_skip(&c, 14);
    uint16_t ethertype = cursor_u16(&c);
    hand_on(l, ethertype, c);
}

static void sll2_decode(struct layers *l, struct cursor c)
{
    uint16_t ethertype = cursor_u16(&c);
    cursor_skip(&c, 18);
    hand_on(l, ethertype, c);
}

/* The address family in the byte order of the host that captured: both are tried, for LOOP too. */
static void loopback_decode(struct layers *l, struct cursor c)
{
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

static const struct {
    uint32_t link_type;
    layer_fn decode;
} links[] = {
    {1,   ethernet_decode}, /* LINKTYPE_ETHERNET */
    {276, sll2_decode    }, /* LINKTYPE_LINUX_SLL2 */
    {113, sll_decode     }, /* LINKTYPE_LINUX_SLL */
    {0,   loopback_decode}, /* LINKTYPE_NULL */
    {108, loopback_decode}, /* LINKTYPE_LOOP */
    {101, ip_decode      }, /* LINKTYPE_RAW */
    {12,  ip_decode      }, /* the same under numbers that some systems wrote */
    {14,  ip_decode      },
    {228, ip4_decode     }, /* LINKTYPE_IPV4 */
    {229, ip6_decode     }, /* LINKTYPE_IPV6 */
};

bool decode_knows_link(uint32_t link_type)
{
    for (size_t i = 0; i < HR_ARRAY_LEN(links); i++) {
        if (links[i].link_type == link_type) {
            return true;
        }
    }
    return false;
}

bool link_decode(struct layers *l, uint32_t link_type, struct cursor c)
{
    for (size_t i = 0; i < HR_ARRAY_LEN(links); i++) {
        if (links[i].link_type == link_type) {
            links[i].decode(l, c);
            return true;
        }
    }
    return false;
}
