/*
 * decode/cursor.h - bounds-checked big-endian reads, the only way to touch packet bytes. A read
 * behind the end gives 0 and leaves a mark: read all of a header, then ask once whether it was
 * there.
 */
#ifndef HR_DECODE_CURSOR_H
#define HR_DECODE_CURSOR_H

#include "base/span.h"

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    size_t missing; /* bytes behind end that were on the wire but not captured */
    bool cut;       /* something was read behind end */
};

static inline struct cursor cursor_of(const void *bytes, size_t len, size_t missing)
{
    const uint8_t *at = (const uint8_t *)bytes;
    return (struct cursor){.at = at, .end = at + len, .missing = missing};
}

static inline size_t cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->at);
}

/* As it was on the wire. */
static inline size_t cursor_wire_left(const struct cursor *c)
{
    return cursor_left(c) + c->missing;
}

static inline bool cursor_has(struct cursor *c, size_t count)
{
    if (cursor_left(c) >= count) {
        return true;
    }
    c->cut = true;
    c->at = c->end;
    return false;
}

static inline void cursor_skip(struct cursor *c, size_t count)
{
    if (cursor_has(c, count)) {
        c->at += count;
    }
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    return cursor_has(c, 1) ? *c->at++ : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
    if (!cursor_has(c, 2)) {
        return 0;
    }
    uint16_t v = (uint16_t)(c->at[0] << 8 | c->at[1]);
    c->at += 2;
    return v;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
    if (!cursor_has(c, 4)) {
        return 0;
    }
    uint32_t v =
        (uint32_t)c->at[0] << 24 | (uint32_t)c->at[1] << 16 | (uint32_t)c->at[2] << 8 | c->at[3];
    c->at += 4;
    return v;
}

/** The next count bytes, borrowed; an empty span where they are not all there. */
static inline struct hr_span cursor_bytes(struct cursor *c, size_t count)
{
    if (!cursor_has(c, count)) {
        return (struct hr_span){NULL, 0};
    }
    struct hr_span s = hr_span_of(c->at, count);
    c->at += count;
    return s;
}

static inline struct hr_span cursor_rest(const struct cursor *c)
{
    return hr_span_of(c->at, cursor_left(c));
}

/** Forgets what stood behind the next wire_count bytes (padding); they may be missing in part. */
static inline void cursor_limit(struct cursor *c, size_t wire_count)
{
    if (wire_count <= cursor_left(c)) {
        c->end = c->at + wire_count;
        c->missing = 0;
    } else if (wire_count - cursor_left(c) < c->missing) {
        c->missing = wire_count - cursor_left(c);
    }
}

#endif
