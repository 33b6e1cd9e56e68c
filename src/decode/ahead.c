/*
 * A look at a frame that comes later, for the ends of its connection alone, so that what is kept of
 * that can be fetched meanwhile. Only what most frames are is looked at, and nothing is counted: to
 * know less than the decoder costs time, nothing else.
 */
#include "decode/cursor.h"
#include "decode/decode.h"

#include <string.h>

enum {
    PROTOCOL_TCP = 6,
    IP4_FRAGMENT_BITS = 0x3fff, /* an offset, or more to come */
};

/* Where the ethertype stands; IP is behind it. */
static size_t ethertype_at(uint32_t link_type)
{
    switch (link_type) {
    case 1: /* LINKTYPE_ETHERNET */
        return 12;
    case 113: /* LINKTYPE_LINUX_SLL */
        return 14;
    default:
        return SIZE_MAX;
    }
}

/* @return whether an IP header stands at the cursor */
static bool find_ip(struct cursor *c, uint32_t link_type)
{
    if (link_type == 101) { /* LINKTYPE_RAW */
        return true;
    }
    if (link_type == 276) { /* LINKTYPE_LINUX_SLL2 */
        const uint16_t protocol = cursor_u16(c);
        cursor_skip(c, 18);
        return protocol == 0x0800 || protocol == 0x86dd;
    }
    cursor_skip(c, ethertype_at(link_type));
    const uint16_t ethertype = cursor_u16(c);
    return ethertype == 0x0800 || ethertype == 0x86dd;
}

static bool read_ip4(struct cursor *c, struct net_endpoint ret_ends[2])
{
    const size_t header_bytes = (size_t)(cursor_u8(c) & 0x0f) * 4;
    cursor_skip(c, 5);
    const bool is_fragment = (cursor_u16(c) & IP4_FRAGMENT_BITS) != 0;
    cursor_skip(c, 1);
    const bool is_tcp = cursor_u8(c) == PROTOCOL_TCP;
    cursor_skip(c, 2);
    const struct hr_span addresses = cursor_bytes(c, 8);
    if (is_fragment || !is_tcp || addresses.ptr == NULL || header_bytes < 20) {
        return false;
    }
    for (size_t i = 0; i < 2; i++) {
        uint8_t *to = ret_ends[i].address.bytes;
        memset(to, 0, 10);
        memset(to + 10, 0xff, 2);
        memcpy(to + 12, addresses.ptr + 4 * i, 4);
    }
    cursor_skip(c, header_bytes - 20);
    return true;
}

static bool read_ip6(struct cursor *c, struct net_endpoint ret_ends[2])
{
    cursor_skip(c, 6);
    const bool is_tcp = cursor_u8(c) == PROTOCOL_TCP;
    cursor_skip(c, 1);
    const struct hr_span addresses = cursor_bytes(c, 32);
    if (!is_tcp || addresses.ptr == NULL) {
        return false;
    }
    memcpy(ret_ends[0].address.bytes, addresses.ptr, 16);
    memcpy(ret_ends[1].address.bytes, addresses.ptr + 16, 16);
    return true;
}

bool decode_look_ahead(struct hr_span frame, uint32_t link_type, struct net_endpoint ret_ends[2])
{
    struct cursor c = cursor_of(frame.ptr, frame.len, 0);
    if (frame.ptr == NULL || !find_ip(&c, link_type) || cursor_left(&c) == 0) {
        return false;
    }
    const bool is_ip4 = *c.at >> 4 == 4;
    if (!(is_ip4 ? read_ip4 : read_ip6)(&c, ret_ends)) {
        return false;
    }
    ret_ends[0].port = cursor_u16(&c);
    ret_ends[1].port = cursor_u16(&c);
    return !c.cut;
}
