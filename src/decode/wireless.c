/*
 * IEEE 802.11 data frames, with the headers that capture programs put before them. Multi-byte
 * numbers of these headers are little-endian. A check sequence at the end is cut off by the length
 * in the IP header.
 */
#include "base/alloc.h"
#include "decode/layer.h"

enum {
    FRAME_DATA = 0x08, /* first byte: version and type */
    FRAME_TYPE_MASK = 0x0f,
    SUBTYPE_NO_DATA = 0x40,
    SUBTYPE_QOS = 0x80,
    TO_DS = 0x01, /* second byte */
    FROM_DS = 0x02,
    PROTECTED = 0x40,
    ORDER = 0x80,
    QOS_AGGREGATE = 0x80,
    SUBFRAME_LIMIT = 64,
};

static uint16_t take_u16_le(struct cursor *c)
{
    return __builtin_bswap16(cursor_u16(c));
}

static uint32_t take_u32_le(struct cursor *c)
{
    return __builtin_bswap32(cursor_u32(c));
}

/* IEEE 802.11 9.3.2.2: several frames with addresses of their own, each but the last padded to four
 * bytes. */
static void aggregate_decode(struct layers *l, struct cursor c)
{
    for (unsigned i = 0; i < SUBFRAME_LIMIT && cursor_left(&c) >= 14; i++) {
        layers_tell(l, DECODE_PART_MAC, &c, 0, 6);
        layers_tell(l, DECODE_PART_MAC, &c, 6, 6);
        layers_tell(l, DECODE_PART_HEADER, &c, 12, 2);
        cursor_skip(&c, 12);
        size_t bytes = cursor_u16(&c);
        struct cursor inside = c;
        cursor_limit(&inside, bytes);
        llc_decode(l, inside);
        cursor_skip(&c, (14 + bytes + 3) / 4 * 4 - 14);
    }
}

enum {
    HEADER_PADDED = 1 << 0,  /* to four bytes */
    CONTROL_SWAPPED = 1 << 1 /* its first two bytes */
};

static void frame_decode(struct layers *l, struct cursor c, unsigned oddities)
{
    const uint8_t *start = c.at;
    layers_tell(l, DECODE_PART_HEADER, &c, 0, 4);
    layers_tell(l, DECODE_PART_MAC, &c, 4, 6);
    layers_tell(l, DECODE_PART_MAC, &c, 10, 6);
    layers_tell(l, DECODE_PART_MAC, &c, 16, 6);
    layers_tell(l, DECODE_PART_HEADER, &c, 22, 2);
    uint16_t control = cursor_u16(&c);
    control = (oddities & CONTROL_SWAPPED) != 0 ? __builtin_bswap16(control) : control;
    uint8_t kind = (uint8_t)(control >> 8);
    uint8_t flags = (uint8_t)control;
    cursor_skip(&c, 22);
    bool is_aggregate = false;
    if (!c.cut && ((kind & FRAME_TYPE_MASK) != FRAME_DATA || (kind & SUBTYPE_NO_DATA) != 0)) {
        l->decoder->counters.other_ethertype++;
        return;
    }
    bool has_fourth = (flags & (TO_DS | FROM_DS)) == (TO_DS | FROM_DS);
    layers_tell(l, DECODE_PART_MAC, &c, 0, has_fourth ? 6 : 0);
    cursor_skip(&c, has_fourth ? 6 : 0);
    const uint8_t *rest = c.at;
    if ((kind & SUBTYPE_QOS) != 0) {
        is_aggregate = (cursor_u8(&c) & QOS_AGGREGATE) != 0;
        cursor_skip(&c, 1);
        cursor_skip(&c, (flags & ORDER) != 0 ? 4 : 0);
    }
    if ((oddities & HEADER_PADDED) != 0 && !c.cut) {
        cursor_skip(&c, (size_t)(start - c.at) & 3);
    }
    layers_tell_since(l, DECODE_PART_HEADER, rest, &c);
    if (c.cut) {
        layers_cut(l);
    } else if ((flags & PROTECTED) != 0) {
        l->decoder->counters.wireless_encrypted++;
    } else if (is_aggregate) {
        aggregate_decode(l, c);
    } else {
        llc_decode(l, c);
    }
}

void wireless_decode(struct layers *l, struct cursor c)
{
    frame_decode(l, c, 0);
}

void wireless_tunnel_decode(struct layers *l, struct cursor c)
{
    struct cursor look = c;
    uint8_t first = cursor_u8(&look);
    uint8_t second = cursor_u8(&look);
    bool is_swapped =
        (first & FRAME_TYPE_MASK) != FRAME_DATA && (second & FRAME_TYPE_MASK) == FRAME_DATA;
    frame_decode(l, c, is_swapped ? CONTROL_SWAPPED : 0);
}

enum {
    RADIOTAP_TSFT = 1u << 0,
    RADIOTAP_FLAGS = 1u << 1,
    RADIOTAP_PADDED = 0x20, /* of the flags */
    RADIOTAP_WORD_LIMIT = 32,
};
#define RADIOTAP_MORE ((uint32_t)1 << 31)

/* radiotap.org: a length, words that say which fields follow, and these, naturally aligned. */
void radiotap_decode(struct layers *l, struct cursor c)
{
    struct cursor look = c;
    uint8_t version = cursor_u8(&look);
    cursor_skip(&look, 1);
    uint16_t bytes = take_u16_le(&look);
    uint32_t present = take_u32_le(&look);
    uint32_t word = present;
    size_t at = 8;
    for (unsigned i = 0; (word & RADIOTAP_MORE) != 0 && i < RADIOTAP_WORD_LIMIT; i++) {
        word = take_u32_le(&look);
        at += 4;
    }
    if ((present & RADIOTAP_TSFT) != 0) {
        cursor_skip(&look, ((at + 7) & ~(size_t)7) - at + 8);
    }
    uint8_t flags = (present & RADIOTAP_FLAGS) != 0 ? cursor_u8(&look) : 0;
    if (!look.cut && (version != 0 || bytes < 8)) {
        layers_malformed(l);
        return;
    }
    layers_tell(l, DECODE_PART_HEADER, &c, 0, bytes);
    cursor_skip(&c, bytes);
    if (c.cut || look.cut) {
        layers_cut(l);
        return;
    }
    frame_decode(l, c, (flags & RADIOTAP_PADDED) != 0 ? HEADER_PADDED : 0);
}

/* Prism: the length is the second word, in the order of the host; an AVS header begins otherwise.
 */
void prism_decode(struct layers *l, struct cursor c)
{
    struct cursor look = c;
    uint32_t magic = cursor_u32(&look);
    uint32_t bytes = cursor_u32(&look);
    if (magic >> 12 != 0x80211) { /* AVS is big-endian */
        bytes = bytes > 0xffff ? __builtin_bswap32(bytes) : bytes;
    }
    if (!look.cut && bytes < 8) {
        layers_malformed(l);
        return;
    }
    cursor_skip(&c, bytes);
    frame_decode(l, c, 0);
}

/* Per-Packet Information: the link type of what follows stands in it. */
void ppi_decode(struct layers *l, struct cursor c)
{
    struct cursor look = c;
    cursor_skip(&look, 2);
    uint16_t bytes = take_u16_le(&look);
    uint32_t link_type = take_u32_le(&look);
    if (!look.cut && bytes < 8) {
        layers_malformed(l);
        return;
    }
    cursor_skip(&c, bytes);
    if (c.cut || look.cut) {
        layers_cut(l);
    } else if (layers_nest(l) && !link_decode(l, link_type, c)) {
        l->decoder->counters.other_link++;
    }
}
