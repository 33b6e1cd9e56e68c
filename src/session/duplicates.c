/*
 * Fields that an answer has twice with different values, though they have one by definition: two
 * layers of the server answered, or what one answer left was given with the next.
 */
#include "session/work.h"

#include <string.h>

#define COOKIE_LIMIT 24
#define VALUE_BYTES 120

enum single {
    SINGLE_TYPE,
    SINGLE_LENGTH,
    SINGLE_LOCATION,
    SINGLE_OTHER,
};

/* RFC 9110 5.2 and where each is defined. Fields that proxies add beside the server's own (Date,
 * Server, Expires, those of security policies) are left out. */
#define NAME(text) text, sizeof(text) - 1
static const struct {
    const char *name;
    size_t len;
    enum single kind;
} singles[] = {
    {NAME("Content-Type"),        SINGLE_TYPE    },
    {NAME("Content-Length"),      SINGLE_LENGTH  },
    {NAME("Location"),            SINGLE_LOCATION},
    {NAME("Content-Disposition"), SINGLE_OTHER   },
    {NAME("Content-Range"),       SINGLE_OTHER   },
    {NAME("ETag"),                SINGLE_OTHER   },
    {NAME("Last-Modified"),       SINGLE_OTHER   },
    {NAME("Retry-After"),         SINGLE_OTHER   },
};
#undef NAME
#define SINGLE_COUNT (sizeof(singles) / sizeof(singles[0]))

static bool is_same_type(struct hr_span a, struct hr_span b)
{
    struct http_media_type x;
    struct http_media_type y;
    return http_media_type_parse(a, &x) && http_media_type_parse(b, &y) &&
           strcmp(x.text, y.text) == 0 && strcmp(x.charset, y.charset) == 0 &&
           strncmp(x.text, "multipart/", strlen("multipart/")) != 0;
}

/* Leading zeros, and a list of one number (RFC 9110 8.6). */
static bool is_same_length(struct hr_span a, struct hr_span b)
{
    uint64_t x;
    uint64_t y;
    struct hr_span rest = b;
    struct hr_span first = hr_span_trim(hr_span_cut(&a, ','));
    while (rest.ptr != NULL) {
        struct hr_span next = hr_span_trim(hr_span_cut(&rest, ','));
        if (!hr_span_to_u64(first, &x) || !hr_span_to_u64(next, &y) || x != y) {
            return false;
        }
    }
    return true;
}

static bool is_same(struct work *w, enum single kind, struct hr_span a, struct hr_span b)
{
    if (kind != SINGLE_LENGTH && hr_span_equal(a, b)) {
        return true;
    }
    switch (kind) {
    case SINGLE_TYPE:
        return hr_span_equal_nocase(a, b) || is_same_type(a, b);
    case SINGLE_LENGTH:
        return is_same_length(a, b);
    case SINGLE_LOCATION:
        return work_compare_places(w, a, b) == PLACE_SAME;
    case SINGLE_OTHER:
        break;
    }
    return false;
}

static void mark_single(struct work *w, size_t i, struct hr_span a, struct hr_span b)
{
    struct hr_span text = hr_span_str(singles[i].name);
    if (singles[i].kind == SINGLE_LOCATION) {
        struct hr_span both = work_both_places(w, a, b);
        if (work_answer_is_redirect(w)) {
            work_mark(w, MARK_LOCATIONS, 0, both);
            return;
        }
        text = hr_span_str(hr_arena_printf(w->arena, "Location (%s)", both.ptr));
    } else if (singles[i].kind != SINGLE_OTHER) {
        struct hr_span first = work_escape(w, hr_span_slice(a, 0, VALUE_BYTES), VALUE_BYTES * 4);
        struct hr_span second = work_escape(w, hr_span_slice(b, 0, VALUE_BYTES), VALUE_BYTES * 4);
        text = hr_span_str(hr_arena_printf(w->arena, "%s (%.*s and %.*s)", singles[i].name,
                                           (int)first.len, first.len > 0 ? first.ptr : "",
                                           (int)second.len, second.len > 0 ? second.ptr : ""));
    }
    work_mark(w, MARK_FIELD_TWICE, 0, text);
}

/* --- cookies ---------------------------------------------------------------------------------- */

struct set {
    struct http_set_cookie c;
    struct hr_span domain; /* ptr NULL: of the host alone, which is not known */
    struct hr_span path;
    bool is_partitioned;
    bool is_deletion;
};

/* RFC 6265 5.1.4 */
static struct hr_span default_path(const struct work *w)
{
    struct hr_span path = w->url.path;
    if (path.len == 0 || path.ptr[0] != '/') {
        return HR_SPAN("/");
    }
    while (path.len > 1 && path.ptr[path.len - 1] != '/') {
        path.len--;
    }
    return path.len > 1 ? hr_span_slice(path, 0, path.len - 1) : path;
}

static bool read_set(const struct work *w, struct hr_span value, struct set *ret_set)
{
    struct set s = {.is_deletion = false};
    struct hr_span host = w->url.authority;
    struct hr_span attributes = value;
    if (!http_set_cookie_parse(value, &s.c) || s.c.name.len == 0) {
        return false;
    }
    hr_span_cut(&attributes, ';');
    s.domain = s.c.has_domain && s.c.domain.len > 0 ? s.c.domain : hr_span_cut(&host, ':');
    s.path = s.c.has_path ? s.c.path : default_path(w);
    s.is_partitioned = hr_span_find_nocase(attributes, HR_SPAN("partitioned")) != SIZE_MAX;
    s.is_deletion = s.c.value.len == 0 ||
                    http_set_cookie_is_deletion(&s.c, w->x->response.first.at) ||
                    hr_span_equal_nocase(s.c.value, HR_SPAN("deleted"));
    *ret_set = s;
    return true;
}

static bool is_one_cookie(const struct set *a, const struct set *b)
{
    return hr_span_equal(a->c.name, b->c.name) && hr_span_equal(a->path, b->path) &&
           hr_span_equal_nocase(a->domain, b->domain) && a->is_partitioned == b->is_partitioned;
}

/* A deletion has no value: frameworks that renew a cookie delete the old one first. One behind a
 * value takes back what the same answer gave. */
static int64_t judge_pair(const struct set *first, const struct set *second)
{
    if (first->is_deletion || hr_span_equal(first->c.value, second->c.value)) {
        return 0;
    }
    return second->is_deletion ? 2 : 1;
}

static void mark_cookies(struct work *w, const struct set *sets, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        int64_t worst = 0;
        for (size_t k = 0; k < i; k++) {
            int64_t pair = is_one_cookie(&sets[k], &sets[i]) ? judge_pair(&sets[k], &sets[i]) : 0;
            worst = pair != 0 && (worst == 0 || pair < worst) ? pair : worst;
        }
        if (worst != 0) {
            work_mark(w, MARK_COOKIE_TWICE, worst, work_escape(w, sets[i].c.name, VALUE_BYTES));
            return;
        }
    }
}

void work_duplicate_fields(struct work *w)
{
    const struct http_message *m = &w->x->response;
    const struct http_field *first[SINGLE_COUNT] = {NULL};
    bool is_marked[SINGLE_COUNT] = {false};
    struct set sets[COOKIE_LIMIT];
    size_t count = 0;
    size_t cookies = 0;
    for (size_t i = 0; i < m->field_count; i++) {
        const struct http_field *f = &m->fields[i];
        cookies += hr_span_equal_nocase(f->name, HR_SPAN("set-cookie"));
        for (size_t k = 0; k < SINGLE_COUNT; k++) {
            if (!hr_span_equal_nocase(f->name, hr_span_of(singles[k].name, singles[k].len))) {
                continue;
            }
            const struct http_field *other = first[k] == NULL ? f : first[k];
            bool is_pair = other != f || singles[k].kind == SINGLE_LENGTH;
            if (is_pair && !is_marked[k] && !is_same(w, singles[k].kind, other->value, f->value)) {
                mark_single(w, k, other->value, f->value);
                is_marked[k] = true;
            }
            first[k] = other;
        }
    }
    for (size_t i = 0; i < m->field_count && cookies > 1 && count < COOKIE_LIMIT; i++) {
        count += hr_span_equal_nocase(m->fields[i].name, HR_SPAN("set-cookie")) &&
                 read_set(w, m->fields[i].value, &sets[count]);
    }
    if (count == COOKIE_LIMIT && cookies > count) {
        work_count_unread(w);
    }
    mark_cookies(w, sets, count);
}
