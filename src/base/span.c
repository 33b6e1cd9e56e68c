#include "base/span.h"

#include <string.h>

int hr_span_compare(struct hr_span a, struct hr_span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;
    if (c != 0) {
        return c;
    }
    return (a.len > b.len) - (a.len < b.len);
}

bool hr_span_has_prefix(struct hr_span s, struct hr_span prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

bool hr_span_has_prefix_nocase(struct hr_span s, struct hr_span prefix)
{
    if (s.len < prefix.len) {
        return false;
    }
    for (size_t i = 0; i < prefix.len; i++) {
        if (hr_ascii_lower(s.ptr[i]) != hr_ascii_lower(prefix.ptr[i])) {
            return false;
        }
    }
    return true;
}

bool hr_span_has_suffix_nocase(struct hr_span s, struct hr_span suffix)
{
    return s.len >= suffix.len &&
           hr_span_equal_nocase(hr_span_slice(s, s.len - suffix.len, s.len), suffix);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct hr_span hr_span_trim(struct hr_span s)
{
    while (s.len > 0 && is_blank(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.ptr[s.len - 1])) {
        s.len--;
    }
    return s;
}

size_t hr_span_find_nocase(struct hr_span s, struct hr_span needle)
{
    for (size_t i = 0; i + needle.len <= s.len; i++) {
        if (hr_span_has_prefix_nocase(hr_span_slice(s, i, s.len), needle)) {
            return i;
        }
    }
    return SIZE_MAX;
}

struct hr_span hr_span_cut(struct hr_span *rest, char c)
{
    size_t at = hr_span_find(*rest, c);
    struct hr_span head = *rest;
    if (at == SIZE_MAX) {
        *rest = (struct hr_span){NULL, 0};
        return head;
    }
    head.len = at;
    *rest = hr_span_slice(*rest, at + 1, rest->len);
    return head;
}

bool hr_span_to_u64(struct hr_span s, uint64_t *ret_value)
{
    uint64_t v = 0;
    if (s.len == 0) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9' || __builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.ptr[i] - '0'), &v)) {
            return false;
        }
    }
    *ret_value = v;
    return true;
}
