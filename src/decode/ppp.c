/*
 * Point-to-point links: PPP (RFC 1661) as it stands in captures, in PPPoE (RFC 2516) and in
 * tunnels, and Cisco's HDLC.
 */
#include "base/alloc.h"
#include "decode/layer.h"

static const struct layer_row protocols[] = {
    {0x0021, ip4_decode },
    {0x0057, ip6_decode },
    {0x0281, mpls_decode},
};

/* The address and control bytes may have been compressed away, and so may the protocol's first
 * byte. */
void ppp_decode(struct layers *l, struct cursor c)
{
    const uint8_t *start = c.at;
    struct cursor look = c;
    if (cursor_u16(&look) == 0xff03) {
        c = look;
    }
    uint16_t protocol = cursor_u8(&c);
    if ((protocol & 1) == 0) {
        protocol = (uint16_t)(protocol << 8 | cursor_u8(&c));
    }
    if (c.cut) {
        layers_cut(l);
        return;
    }
    layers_tell_since(l, DECODE_PART_HEADER, start, &c);
    layers_hand_on(l, protocols, HR_ARRAY_LEN(protocols), protocol, c,
                   &l->decoder->counters.other_ethertype); /* negotiation, compression */
}

void pppoe_decode(struct layers *l, struct cursor c)
{
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 6);
    uint8_t version = cursor_u8(&c);
    uint8_t code = cursor_u8(&c);
    cursor_skip(&c, 2);
    uint16_t bytes = cursor_u16(&c);
    if (c.cut) {
        layers_cut(l);
        return;
    }
    if (version != 0x11 || code != 0) {
        l->decoder->counters.other_ethertype++;
        return;
    }
    cursor_limit(&c, bytes);
    ppp_decode(l, c);
}

/* RFC 1547 4.3.1: address, control, then an ethertype. RFC 1662's PPP begins with ff. */
void hdlc_decode(struct layers *l, struct cursor c)
{
    struct cursor look = c;
    uint8_t address = cursor_u8(&look);
    if (address == 0xff) {
        ppp_decode(l, c);
        return;
    }
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 4);
    cursor_skip(&c, 2);
    uint16_t ethertype = cursor_u16(&c);
    if (c.cut) {
        layers_cut(l);
        return;
    }
    ethertype_decode(l, ethertype, c);
}
