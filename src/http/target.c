#include "http/target.h"

#include "base/buf.h"
#include "base/text.h"

#include <string.h>

static const struct hr_span none = {NULL, 0};

static bool is_alpha(char c)
{
    char l = hr_ascii_lower(c);
    return l >= 'a' && l <= 'z';
}

static bool is_scheme_char(char c)
{
    return is_alpha(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

/* @return length of the scheme that s begins with, 0 where there is no "scheme:" */
static size_t scheme_length(struct hr_span s)
{
    if (s.len == 0 || !is_alpha(s.ptr[0])) {
        return 0;
    }
    size_t n = 1;
    while (n < s.len && is_scheme_char(s.ptr[n])) {
        n++;
    }
    return n < s.len && s.ptr[n] == ':' ? n : 0;
}

/* Splits what stands behind scheme and authority. */
static void split_path(struct hr_span s, struct http_target *t)
{
    struct hr_span rest = s;
    struct hr_span before = hr_span_cut(&rest, '#');
    t->fragment = rest;
    rest = before;
    t->path = hr_span_cut(&rest, '?');
    t->query = rest;
}

static size_t authority_length(struct hr_span s)
{
    size_t n = 0;
    while (n < s.len && s.ptr[n] != '/' && s.ptr[n] != '?' && s.ptr[n] != '#') {
        n++;
    }
    return n;
}

void http_authority_parse(struct hr_span authority, struct http_authority *ret_authority)
{
    struct http_authority a = {.userinfo = none, .port = none};
    for (size_t i = authority.len; i > 0; i--) { /* the last '@': passwords may hold others */
        if (authority.ptr[i - 1] == '@') {
            a.userinfo = hr_span_slice(authority, 0, i - 1);
            authority = hr_span_slice(authority, i, authority.len);
            break;
        }
    }
    size_t close =
        authority.len > 0 && authority.ptr[0] == '[' ? hr_span_find(authority, ']') : SIZE_MAX;
    if (close != SIZE_MAX) {
        a.host = hr_span_slice(authority, 1, close);
        if (close + 1 < authority.len && authority.ptr[close + 1] == ':') {
            a.port = hr_span_slice(authority, close + 2, authority.len);
        }
    } else {
        struct hr_span rest = authority;
        a.host = hr_span_cut(&rest, ':');
        if (rest.ptr != NULL && hr_span_find(rest, ':') != SIZE_MAX) { /* IPv6 without brackets */
            a.host = authority;
            rest = none;
        }
        a.port = rest;
    }
    *ret_authority = a;
}

void http_target_parse(struct hr_span target, bool is_connect, struct http_target *ret_target)
{
    struct http_target t = {.form = HTTP_TARGET_OTHER, .path = target};
    size_t scheme = scheme_length(target);
    if (is_connect) {
        size_t n = authority_length(target);
        t.form = n > 0 ? HTTP_TARGET_AUTHORITY : HTTP_TARGET_OTHER;
        t.authority = hr_span_slice(target, 0, n);
        http_authority_parse(t.authority, &t.parts);
        split_path(hr_span_slice(target, n, target.len), &t);
    } else if (target.len > 0 && target.ptr[0] == '/') {
        t.form = HTTP_TARGET_ORIGIN;
        split_path(target, &t);
    } else if (hr_span_equal(target, HR_SPAN("*"))) {
        t.form = HTTP_TARGET_ASTERISK;
    } else if (scheme > 0 &&
               hr_span_has_prefix(hr_span_slice(target, scheme, target.len), HR_SPAN("://"))) {
        struct hr_span rest = hr_span_slice(target, scheme + 3, target.len);
        size_t n = authority_length(rest);
        t.form = HTTP_TARGET_ABSOLUTE;
        t.scheme = hr_span_slice(target, 0, scheme);
        t.authority = hr_span_slice(rest, 0, n);
        http_authority_parse(t.authority, &t.parts);
        split_path(hr_span_slice(rest, n, rest.len), &t);
    } else {
        split_path(target, &t);
    }
    *ret_target = t;
}

bool http_query_next(struct hr_span *rest, struct http_param *ret_param)
{
    while (rest->ptr != NULL) {
        struct hr_span value = hr_span_cut(rest, '&');
        if (value.len == 0) {
            continue;
        }
        ret_param->name = hr_span_cut(&value, '=');
        ret_param->value = value;
        return true;
    }
    return false;
}

bool http_path_param_next(struct hr_span *rest, struct http_param *ret_param)
{
    while (rest->ptr != NULL) {
        hr_span_cut(rest, ';');
        size_t n = 0;
        while (n < rest->len && rest->ptr[n] != ';' && rest->ptr[n] != '/') {
            n++;
        }
        if (n == 0) {
            continue;
        }
        struct hr_span value = hr_span_slice(*rest, 0, n);
        *rest = hr_span_slice(*rest, n, rest->len);
        ret_param->name = hr_span_cut(&value, '=');
        ret_param->value = value;
        return true;
    }
    return false;
}

struct hr_span http_decode(struct hr_arena *a, struct hr_span raw, bool plus_is_space)
{
    bool plain = hr_span_find(raw, '%') == SIZE_MAX &&
                 (!plus_is_space || hr_span_find(raw, '+') == SIZE_MAX);
    if (plain) {
        return raw;
    }
    struct hr_buf out;
    hr_buf_init(&out, SIZE_MAX);
    hr_text_append_decoded(&out, raw, plus_is_space);
    struct hr_span copy = hr_arena_copy(a, hr_buf_span(&out));
    hr_buf_finish(&out);
    return copy;
}

static struct hr_span lower(struct hr_arena *a, struct hr_span s)
{
    char *p = hr_arena_strdup(a, s);
    for (size_t i = 0; i < s.len; i++) {
        p[i] = hr_ascii_lower(p[i]);
    }
    return hr_span_of(p, s.len);
}

/* host[:port], lower case, without what goes without saying */
static struct hr_span plain_authority(struct hr_arena *a, struct hr_span scheme,
                                      struct hr_span authority)
{
    struct http_authority parts;
    http_authority_parse(authority, &parts);
    bool is_default = parts.port.len == 0 ||
                      (hr_span_equal_nocase(scheme, HR_SPAN("http")) &&
                       hr_span_equal(parts.port, HR_SPAN("80"))) ||
                      (hr_span_equal_nocase(scheme, HR_SPAN("https")) &&
                       hr_span_equal(parts.port, HR_SPAN("443")));
    struct hr_span start = parts.userinfo.ptr != NULL
                               ? hr_span_slice(authority, parts.userinfo.len + 1, authority.len)
                               : authority;
    if (is_default && parts.port.ptr != NULL) {
        start = hr_span_slice(start, 0, start.len - parts.port.len - 1);
    }
    return lower(a, start);
}

/* Where the last segment of out begins, its slash included. */
static size_t last_segment(const char *out, size_t len)
{
    while (len > 0 && out[len - 1] != '/') {
        len--;
    }
    return len > 0 ? len - 1 : 0;
}

/* RFC 3986 5.2.4, in linear time. */
static struct hr_span remove_dot_segments(struct hr_arena *a, struct hr_span path)
{
    if (memmem(path.ptr, path.len, "/.", 2) == NULL && path.len > 0 && path.ptr[0] != '.') {
        return path;
    }
    char *out = hr_arena_strdup(a, path);
    size_t len = 0;
    size_t i = 0;
    while (i < path.len) {
        size_t from = i + (path.ptr[i] == '/' ? 1 : 0);
        size_t to = from;
        while (to < path.len && path.ptr[to] != '/') {
            to++;
        }
        struct hr_span name = hr_span_slice(path, from, to);
        bool one = hr_span_equal(name, HR_SPAN("."));
        bool two = hr_span_equal(name, HR_SPAN(".."));
        if (two) {
            len = last_segment(out, len);
        }
        if (one || two) {
            if (to == path.len) {
                out[len++] = '/';
            }
        } else {
            memmove(out + len, path.ptr + i, to - i);
            len += to - i;
        }
        i = to;
    }
    return hr_span_of(out, len);
}

void http_url_of_request(struct hr_arena *a, struct hr_span target, struct hr_span host,
                         struct http_url *ret_url)
{
    struct http_target t;
    http_target_parse(target, false, &t);
    struct http_url u = {.path = t.path.len > 0 ? t.path : HR_SPAN("/"), .query = t.query};
    if (t.form == HTTP_TARGET_ABSOLUTE) {
        u.scheme = lower(a, t.scheme);
        u.authority = plain_authority(a, u.scheme, t.authority);
    } else if (host.len > 0) {
        u.authority = plain_authority(a, HR_SPAN("http"), host);
    }
    u.path = remove_dot_segments(a, u.path);
    *ret_url = u;
}

/* RFC 3986 5.2.3 */
static struct hr_span merge_paths(struct hr_arena *a, struct hr_span base, struct hr_span path)
{
    size_t keep = base.len;
    while (keep > 0 && base.ptr[keep - 1] != '/') {
        keep--;
    }
    char *out = hr_arena_alloc(a, keep + path.len + 2);
    size_t n = 0;
    if (keep == 0) {
        out[n++] = '/';
    } else {
        memcpy(out, base.ptr, keep);
        n = keep;
    }
    if (path.len > 0) {
        memcpy(out + n, path.ptr, path.len);
    }
    return hr_span_of(out, n + path.len);
}

/*
 * RFC 3986 5.2.2 in its backward-compatible form, which user agents keep: a reference that names
 * the base's own scheme and no authority ("http:g") is relative. One that names another scheme has
 * no authority at all, and is no HTTP URL (RFC 9110 4.2.1).
 * @return false: it is none
 */
static bool take_scheme(struct hr_arena *a, struct hr_span name, bool has_authority,
                        struct http_url *u)
{
    if (!hr_span_equal_nocase(name, HR_SPAN("http")) &&
        !hr_span_equal_nocase(name, HR_SPAN("https"))) {
        return false;
    }
    if (!has_authority && u->scheme.ptr != NULL && !hr_span_equal_nocase(name, u->scheme)) {
        return false;
    }
    if (!has_authority && u->scheme.ptr == NULL && u->authority.ptr != NULL) {
        u->authority = plain_authority(a, name, u->authority);
    }
    u->scheme = lower(a, name);
    return true;
}

bool http_url_resolve(struct hr_arena *a, const struct http_url *base, struct hr_span reference,
                      struct http_url *ret_url)
{
    struct http_url u = *base;
    struct hr_span rest = hr_span_trim(reference);
    size_t scheme = scheme_length(rest);
    struct hr_span name = hr_span_slice(rest, 0, scheme);
    rest = scheme > 0 ? hr_span_slice(rest, scheme + 1, rest.len) : rest;
    bool has_authority = hr_span_has_prefix(rest, HR_SPAN("//"));
    if (scheme > 0 && !take_scheme(a, name, has_authority, &u)) {
        return false;
    }
    if (has_authority) {
        rest = hr_span_slice(rest, 2, rest.len);
        size_t n = authority_length(rest);
        u.authority = plain_authority(a, u.scheme.ptr != NULL ? u.scheme : HR_SPAN("http"),
                                      hr_span_slice(rest, 0, n));
        rest = hr_span_slice(rest, n, rest.len);
    }
    struct http_target t = {0};
    split_path(rest, &t);
    if (has_authority || (t.path.len > 0 && t.path.ptr[0] == '/')) {
        u.path = remove_dot_segments(a, t.path.len > 0 ? t.path : HR_SPAN("/"));
        u.query = t.query;
    } else if (t.path.len > 0) {
        u.path = remove_dot_segments(a, merge_paths(a, base->path, t.path));
        u.query = t.query;
    } else if (t.query.ptr != NULL) {
        u.query = t.query;
    }
    *ret_url = u;
    return true;
}
