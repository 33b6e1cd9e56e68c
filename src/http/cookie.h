/*
 * http/cookie.h - Cookie and Set-Cookie values (RFC 6265), read as user agents and servers read
 * them: leniently. Every span points into the value given.
 */
#ifndef HR_HTTP_COOKIE_H
#define HR_HTTP_COOKIE_H

#include "base/time.h"

struct http_cookie {
    struct hr_span name;  /* may be empty: "=v" and "v" are pairs without a name */
    struct hr_span value; /* without surrounding white space and quotes */
};

/**
 * Cuts the next pair off the front of a Cookie field's value.
 * @return false, both untouched but for skipped separators, where none is left
 */
bool http_cookie_next(struct hr_span *rest, struct http_cookie *ret_cookie);

enum http_same_site {
    HTTP_SAME_SITE_ABSENT,
    HTTP_SAME_SITE_NONE,
    HTTP_SAME_SITE_LAX,
    HTTP_SAME_SITE_STRICT,
    HTTP_SAME_SITE_OTHER, /* a word that is none of these */
};

/* Attributes: the last one of a name counts, unreadable ones are as if absent (RFC 6265 5.2). */
struct http_set_cookie {
    struct hr_span name;
    struct hr_span value;
    bool has_max_age;
    int64_t max_age_seconds; /* saturated */
    bool has_expires;
    hr_nsec expires;
    bool has_domain;
    struct hr_span domain; /* without a leading dot; case as sent */
    bool has_path;
    struct hr_span path; /* only one that begins with a slash counts */
    bool secure;
    bool http_only;
    enum http_same_site same_site;
};

/** @param value  of one Set-Cookie field. @return false where a user agent would ignore all of it
 */
bool http_set_cookie_parse(struct hr_span value, struct http_set_cookie *ret_cookie);
/**
 * Whether it takes the cookie away: Max-Age of 0 or less, else Expires not after now, else (neither
 * counts as set in the future) an empty value.
 */
bool http_set_cookie_is_deletion(const struct http_set_cookie *c, hr_nsec now);

/** A date by the lenient rules of RFC 6265 5.1.1; also reads all three forms of RFC 9110. */
bool http_date_parse(struct hr_span text, hr_nsec *ret_at);

#endif
