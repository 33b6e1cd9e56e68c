/*
 * Does a host, a path or an endpoint fit what a profile says?
 */
#include "session/profile_rules.h"

#include <string.h>

/* One * at a time, the last one tried again: linear in practice, bounded by pattern times text. */
static bool glob(struct hr_span pattern, struct hr_span text, bool fold)
{
    size_t p = 0;
    size_t t = 0;
    size_t star = SIZE_MAX;
    size_t star_text = 0;
    while (t < text.len) {
        bool same =
            p < pattern.len && (fold ? hr_ascii_lower(pattern.ptr[p]) == hr_ascii_lower(text.ptr[t])
                                     : pattern.ptr[p] == text.ptr[t]);
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            star_text = t;
        } else if (same) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*') {
        p++;
    }
    return p == pattern.len;
}

bool profile_path_fits(const char *pattern, struct hr_span path)
{
    struct hr_span want = hr_span_str(pattern);
    if (hr_span_find(want, '?') == SIZE_MAX) { /* whatever is asked for there */
        struct hr_span rest = path;
        path = hr_span_cut(&rest, '?');
    }
    if (hr_span_find(want, '{') == SIZE_MAX) {
        return glob(want, path, false);
    }
    while (want.ptr != NULL && path.ptr != NULL) { /* segment by segment; {x} is any one */
        struct hr_span w = hr_span_cut(&want, '/');
        struct hr_span p = hr_span_cut(&path, '/');
        bool any = w.len > 1 && w.ptr[0] == '{' && w.ptr[w.len - 1] == '}' && p.len > 0;
        if (!any && !glob(w, p, false)) {
            return false;
        }
    }
    return want.ptr == NULL && path.ptr == NULL;
}

bool profile_endpoint_fits(const struct profile_endpoint *e, struct hr_span method,
                           struct hr_span path)
{
    return (e->method == NULL || hr_span_equal(hr_span_str(e->method), method)) &&
           profile_path_fits(e->path, path);
}

const struct profile_action *profile_action_find(const struct profile_action *actions, size_t count,
                                                 struct hr_span method, struct hr_span path)
{
    for (size_t i = 0; i < count; i++) {
        if (profile_endpoint_fits(&actions[i].endpoint, method, path)) {
            return &actions[i];
        }
    }
    return NULL;
}

bool profile_host_fits(const char *pattern, struct hr_span site)
{
    return glob(hr_span_str(pattern), site, true);
}

bool profile_is_proxy(const struct profile *p, const struct net_address *address)
{
    for (size_t i = 0; i < p->trusted_proxies_count; i++) {
        const struct profile_network *n = &p->trusted_proxies[i];
        const size_t whole = n->bits / 8;
        const unsigned rest = n->bits % 8;
        if (memcmp(n->address.bytes, address->bytes, whole) == 0 &&
            (rest == 0 || (n->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0)) {
            return true;
        }
    }
    return false;
}

static bool is_in_set(const char *names, struct hr_span name)
{
    struct hr_span rest = hr_span_str(names);
    while (rest.ptr != NULL) {
        if (hr_span_equal(hr_span_cut(&rest, '+'), name)) {
            return true;
        }
    }
    return false;
}

static bool place_fits(const struct profile_place *p, enum profile_where where, struct hr_span name)
{
    if (p->where == PROFILE_COOKIES && where == PROFILE_COOKIE) {
        return is_in_set(p->name, name);
    }
    if (p->where != where || where == PROFILE_BEARER) {
        return p->where == where;
    }
    return where == PROFILE_HEADER ? hr_span_equal_nocase(hr_span_str(p->name), name)
                                   : hr_span_equal(hr_span_str(p->name), name);
}

bool profile_has_place(const struct profile *p, enum profile_where where, struct hr_span name,
                       bool otherwise)
{
    if (p == NULL || p->session_count == 0) {
        return otherwise;
    }
    for (size_t i = 0; i < p->session_count; i++) {
        if (place_fits(&p->session[i], where, name)) {
            return true;
        }
    }
    return false;
}
