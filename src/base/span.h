/*
 * base/span.h - borrowed bytes. A span never owns; who gives one out says how long it lives.
 */
#ifndef HR_BASE_SPAN_H
#define HR_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hr_span {
    const char *ptr; /* may be NULL where len is 0 */
    size_t len;
};

#define HR_SPAN(literal) ((struct hr_span){(literal), sizeof(literal) - 1})

static inline struct hr_span hr_span_of(const void *ptr, size_t len)
{
    return (struct hr_span){(const char *)ptr, len};
}

/** NULL gives the empty span. */
static inline struct hr_span hr_span_str(const char *text)
{
    return (struct hr_span){text, text != NULL ? strlen(text) : 0};
}

static inline bool hr_span_equal(struct hr_span a, struct hr_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline char hr_ascii_lower(char c)
{
    return (c >= 'A' && c <= 'Z') ? (char)(c + ('a' - 'A')) : c;
}

bool hr_span_has_prefix_nocase(struct hr_span s, struct hr_span prefix);

/** Equal but for the case of ASCII letters. Most that are not differ in length or in the first. */
static inline bool hr_span_equal_nocase(struct hr_span a, struct hr_span b)
{
    return a.len == b.len &&
           (a.len == 0 || (hr_ascii_lower(a.ptr[0]) == hr_ascii_lower(b.ptr[0]) &&
                           hr_span_has_prefix_nocase(a, b)));
}

/** Byte-wise order, shorter first where one is the other's prefix. @return <0, 0, >0 */
int hr_span_compare(struct hr_span a, struct hr_span b);
bool hr_span_has_prefix(struct hr_span s, struct hr_span prefix);
bool hr_span_has_suffix_nocase(struct hr_span s, struct hr_span suffix);
/** Drops leading and trailing SP, HTAB, CR and LF. */
struct hr_span hr_span_trim(struct hr_span s);

/** Bytes [from, to); out-of-range positions are clamped. */
static inline struct hr_span hr_span_slice(struct hr_span s, size_t from, size_t to)
{
    if (to > s.len) {
        to = s.len;
    }
    if (from > to) {
        from = to;
    }
    return (struct hr_span){s.ptr != NULL ? s.ptr + from : NULL, to - from};
}

/** @return position of the first c, or SIZE_MAX */
static inline size_t hr_span_find(struct hr_span s, char c)
{
    const char *p = s.len > 0 ? (const char *)memchr(s.ptr, c, s.len) : NULL;
    return p != NULL ? (size_t)(p - s.ptr) : SIZE_MAX;
}

/** @return position of the first needle (ASCII case ignored), or SIZE_MAX */
size_t hr_span_find_nocase(struct hr_span s, struct hr_span needle);
/**
 * Cuts off and returns what stands before the first c; *rest becomes what stands behind it.
 * Without c, all of *rest is returned and *rest becomes {NULL, 0}, which ends a loop on rest.ptr.
 */
struct hr_span hr_span_cut(struct hr_span *rest, char c);
/** Decimal digits only, nothing else, no overflow. @return false and *ret_value untouched otherwise */
bool hr_span_to_u64(struct hr_span s, uint64_t *ret_value);

#endif
