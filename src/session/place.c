/*
 * Do two references lead to the same place? Frameworks, proxies and people write one URL in many
 * ways: relative or absolute, percent-encoded or not, with HTML's character references.
 */
#include "session/work.h"

#include <string.h>

#define REFERENCE_BYTES 12
#define PREFIX_LIMIT 8 /* segments of the path that a proxy puts before a server's */

struct place {
    struct http_url url;
    bool has_scheme; /* of its own */
    struct hr_span path;
    struct hr_span query;
};

static bool resolve(struct work *w, struct hr_span reference, struct place *ret_place)
{
    struct http_target parts;
    struct place p = {.has_scheme = false};
    if (!http_url_resolve(w->arena, &w->url, reference, &p.url)) {
        return false;
    }
    http_target_parse(hr_span_trim(reference), false, &parts);
    p.has_scheme = parts.scheme.ptr != NULL;
    struct hr_span rest = p.url.path.len > 0 ? p.url.path : HR_SPAN("/");
    p.path = http_decode(w->arena, hr_span_cut(&rest, ';'), false);
    p.query = http_decode(w->arena, p.url.query, true);
    *ret_place = p;
    return true;
}

/* One path is the other behind a prefix. */
static bool is_mapped(struct hr_span a, struct hr_span b)
{
    struct hr_span longer = a.len > b.len ? a : b;
    struct hr_span shorter = a.len > b.len ? b : a;
    return shorter.len > 1 && shorter.ptr[0] == '/' &&
           hr_span_equal(hr_span_slice(longer, longer.len - shorter.len, longer.len), shorter);
}

enum place_match work_compare_places(struct work *w, struct hr_span a, struct hr_span b)
{
    struct place x;
    struct place y;
    if (hr_span_equal(a, b)) {
        return PLACE_SAME;
    }
    if (!resolve(w, a, &x) || !resolve(w, b, &y)) {
        return PLACE_OTHER;
    }
    if (!hr_span_equal(x.query, y.query)) {
        return PLACE_OTHER;
    }
    bool same_authority = x.url.authority.ptr == NULL || y.url.authority.ptr == NULL ||
                          hr_span_equal(x.url.authority, y.url.authority);
    bool same_scheme = !x.has_scheme || !y.has_scheme || hr_span_equal(x.url.scheme, y.url.scheme);
    if (hr_span_equal(x.path, y.path)) {
        return same_authority && same_scheme ? PLACE_SAME : PLACE_ORIGIN;
    }
    return is_mapped(x.path, y.path) ? PLACE_MAPPED : PLACE_OTHER;
}

/* Of the whole segments in which both end. */
static size_t common_end(struct hr_span a, struct hr_span b)
{
    size_t n = 0;
    size_t common = 0;
    while (n < a.len && n < b.len && a.ptr[a.len - n - 1] == b.ptr[b.len - n - 1]) {
        n++;
        common = a.ptr[a.len - n] == '/' ? n : common;
    }
    return common;
}

static bool is_below(struct hr_span path, struct hr_span prefix)
{
    return prefix.len > 0 && path.len > prefix.len && path.ptr[prefix.len] == '/' &&
           hr_span_has_prefix(path, prefix);
}

int64_t work_place_mapping(struct work *w, struct hr_span location, struct hr_span link)
{
    struct place x;
    struct place y;
    if (!resolve(w, location, &x) || !resolve(w, link, &y) || !hr_span_equal(x.query, y.query)) {
        return 0;
    }
    const size_t common = common_end(x.path, y.path);
    const struct hr_span outer = hr_span_slice(x.path, 0, x.path.len - common);
    const struct hr_span inner = hr_span_slice(y.path, 0, y.path.len - common);
    if (common == 0 || !is_below(http_decode(w->arena, w->url.path, false), outer)) {
        return 0;
    }
    const char *both = hr_arena_printf(w->arena, "%.*s %.*s", (int)outer.len, outer.ptr,
                                       (int)inner.len, inner.len > 0 ? inner.ptr : "");
    return work_mark_value(w, hr_span_str(both)) & INT64_MAX;
}

/* As the value of an attribute. */
static bool has_link(struct hr_span text, struct hr_span path)
{
    size_t at = hr_span_find_nocase(text, path);
    while (at != SIZE_MAX) {
        const size_t end = at + path.len;
        const char before = at > 0 ? text.ptr[at - 1] : ' ';
        const char after = end < text.len ? text.ptr[end] : ' ';
        if (memchr("\"'=", before, 3) != NULL && memchr("\"'?#> ", after, 6) != NULL) {
            return true;
        }
        text = hr_span_slice(text, end, text.len);
        at = hr_span_find_nocase(text, path);
    }
    return false;
}

bool work_names_unmapped(struct work *w, struct hr_span text, struct hr_span location)
{
    struct place p;
    const struct hr_span asked = http_decode(w->arena, w->url.path, false);
    if (!resolve(w, location, &p)) {
        return false;
    }
    for (size_t i = 1, prefixes = 0; i + 1 < p.path.len && prefixes < PREFIX_LIMIT; i++) {
        const struct hr_span rest = hr_span_slice(p.path, i, p.path.len);
        const bool is_prefix = rest.ptr[0] == '/' && is_below(asked, hr_span_slice(p.path, 0, i));
        if (is_prefix && has_link(text, rest)) {
            return true;
        }
        prefixes += is_prefix;
    }
    return false;
}

/* @return the character that a reference without & and ; stands for; 0: not one that URLs need */
static unsigned long character(struct hr_span name)
{
    static const struct {
        const char *name;
        char c;
    } names[] = {
        {"amp",  '&' },
        {"lt",   '<' },
        {"gt",   '>' },
        {"quot", '"' },
        {"apos", '\''},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (hr_span_equal(name, hr_span_str(names[i].name))) {
            return (unsigned char)names[i].c;
        }
    }
    if (name.len < 2 || name.ptr[0] != '#') {
        return 0;
    }
    bool is_hex = name.ptr[1] == 'x' || name.ptr[1] == 'X';
    unsigned long value = 0;
    for (size_t i = is_hex ? 2 : 1; i < name.len; i++) {
        char c = hr_ascii_lower(name.ptr[i]);
        bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && !(is_hex && c >= 'a' && c <= 'f')) {
            return 0;
        }
        value = value * (is_hex ? 16 : 10) + (unsigned long)(is_digit ? c - '0' : c - 'a' + 10);
    }
    return value > 0 && value < 0x80 ? value : 0;
}

struct hr_span work_html_text(struct work *w, struct hr_span raw)
{
    if (hr_span_find(raw, '&') == SIZE_MAX) {
        return raw;
    }
    char *out = hr_arena_alloc(w->arena, raw.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.ptr[i] == '&') {
            struct hr_span rest = hr_span_slice(raw, i + 1, i + 1 + REFERENCE_BYTES);
            size_t end = hr_span_find(rest, ';');
            unsigned long c = end == SIZE_MAX ? 0 : character(hr_span_slice(rest, 0, end));
            if (c != 0) {
                out[n++] = (char)c;
                i += end + 1;
                continue;
            }
        }
        out[n++] = raw.ptr[i];
    }
    return hr_span_of(out, n);
}

struct hr_span work_both_places(struct work *w, struct hr_span a, struct hr_span b)
{
    struct hr_span first = work_redact(w, a, false);
    struct hr_span second = work_redact(w, b, false);
    return hr_span_str(hr_arena_printf(w->arena, "%.*s and %.*s", (int)first.len,
                                       first.len > 0 ? first.ptr : "", (int)second.len,
                                       second.len > 0 ? second.ptr : ""));
}
