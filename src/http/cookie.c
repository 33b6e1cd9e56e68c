#include "http/cookie.h"

#include <string.h>

static struct hr_span unquote(struct hr_span v)
{
    if (v.len >= 2 && v.ptr[0] == '"' && v.ptr[v.len - 1] == '"') {
        return hr_span_slice(v, 1, v.len - 1);
    }
    return v;
}

bool http_cookie_next(struct hr_span *rest, struct http_cookie *ret_cookie)
{
    while (rest->ptr != NULL) {
        struct hr_span pair = hr_span_trim(hr_span_cut(rest, ';'));
        if (pair.len == 0) {
            continue;
        }
        struct hr_span value = pair;
        struct hr_span name = hr_span_cut(&value, '=');
        if (value.ptr == NULL) { /* no '=': a value without a name, as user agents send it */
            value = name;
            name = hr_span_slice(name, 0, 0);
        }
        *ret_cookie = (struct http_cookie){hr_span_trim(name), unquote(hr_span_trim(value))};
        return true;
    }
    return false;
}

/* RFC 6265 5.2.2: a sign and digits, saturated. */
static bool parse_max_age(struct hr_span text, int64_t *ret_seconds)
{
    bool negative = text.len > 0 && text.ptr[0] == '-';
    struct hr_span digits = hr_span_slice(text, negative ? 1 : 0, text.len);
    if (digits.len == 0) {
        return false;
    }
    int64_t v = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9') {
            return false;
        }
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, digits.ptr[i] - '0', &v)) {
            v = INT64_MAX;
        }
    }
    *ret_seconds = negative ? -v : v;
    return true;
}

static enum http_same_site parse_same_site(struct hr_span text)
{
    if (hr_span_equal_nocase(text, HR_SPAN("strict"))) {
        return HTTP_SAME_SITE_STRICT;
    }
    if (hr_span_equal_nocase(text, HR_SPAN("lax"))) {
        return HTTP_SAME_SITE_LAX;
    }
    return hr_span_equal_nocase(text, HR_SPAN("none")) ? HTTP_SAME_SITE_NONE : HTTP_SAME_SITE_OTHER;
}

static void take_attribute(struct http_set_cookie *c, struct hr_span name, struct hr_span value)
{
    if (hr_span_equal_nocase(name, HR_SPAN("max-age"))) {
        c->has_max_age |= parse_max_age(value, &c->max_age_seconds);
    } else if (hr_span_equal_nocase(name, HR_SPAN("expires"))) {
        c->has_expires |= http_date_parse(value, &c->expires);
    } else if (hr_span_equal_nocase(name, HR_SPAN("domain"))) {
        bool dot = value.len > 0 && value.ptr[0] == '.';
        c->domain = hr_span_slice(value, dot ? 1 : 0, value.len);
        c->has_domain = c->domain.len > 0;
    } else if (hr_span_equal_nocase(name, HR_SPAN("path"))) {
        c->path = value;
        c->has_path = value.len > 0 && value.ptr[0] == '/';
    } else if (hr_span_equal_nocase(name, HR_SPAN("secure"))) {
        c->secure = true;
    } else if (hr_span_equal_nocase(name, HR_SPAN("httponly"))) {
        c->http_only = true;
    } else if (hr_span_equal_nocase(name, HR_SPAN("samesite"))) {
        c->same_site = parse_same_site(value);
    }
}

bool http_set_cookie_parse(struct hr_span value, struct http_set_cookie *ret_cookie)
{
    struct hr_span rest = value;
    struct hr_span pair_value = hr_span_cut(&rest, ';');
    struct hr_span name = hr_span_trim(hr_span_cut(&pair_value, '='));
    if (pair_value.ptr == NULL || name.len == 0) {
        return false;
    }
    struct http_set_cookie c = {.name = name, .value = unquote(hr_span_trim(pair_value))};
    while (rest.ptr != NULL) {
        struct hr_span attribute_value = hr_span_cut(&rest, ';');
        struct hr_span attribute = hr_span_trim(hr_span_cut(&attribute_value, '='));
        take_attribute(&c, attribute, hr_span_trim(attribute_value));
    }
    *ret_cookie = c;
    return true;
}

bool http_set_cookie_is_deletion(const struct http_set_cookie *c, hr_nsec now)
{
    if (c->has_max_age) {
        return c->max_age_seconds <= 0 || c->value.len == 0;
    }
    return (c->has_expires && c->expires <= now) || c->value.len == 0;
}

/* RFC 6265 5.1.1: what of a date has been read so far; -1 is not yet. */
struct date {
    int hour, minute, second;
    int day, month, year;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* @return the number that s begins with and how many digits it has; 0 digits: none, or more than
 * most */
static int leading_number(struct hr_span s, size_t most, size_t *ret_digits)
{
    size_t n = 0;
    int v = 0;
    while (n < s.len && is_digit(s.ptr[n]) && n <= most) {
        v = v * 10 + (s.ptr[n] - '0');
        n++;
    }
    *ret_digits = n <= most ? n : 0;
    return v;
}

static bool read_time(struct hr_span token, struct date *d)
{
    int part[3];
    for (size_t i = 0; i < 3; i++) {
        size_t digits = 0;
        part[i] = leading_number(token, 2, &digits);
        if (digits == 0 || (i < 2 && (token.len <= digits || token.ptr[digits] != ':'))) {
            return false;
        }
        token = hr_span_slice(token, digits + 1, token.len);
    }
    d->hour = part[0];
    d->minute = part[1];
    d->second = part[2];
    return true;
}

static int month_of(struct hr_span token)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int i = 0; token.len >= 3 && i < 12; i++) {
        if (hr_span_has_prefix_nocase(token, hr_span_of(names + (ptrdiff_t)3 * i, 3))) {
            return i + 1;
        }
    }
    return -1;
}

static void take_token(struct date *d, struct hr_span token)
{
    size_t digits = 0;
    if (d->hour < 0 && read_time(token, d)) {
        return;
    }
    int number = leading_number(token, 2, &digits);
    if (d->day < 0 && digits > 0) {
        d->day = number;
        return;
    }
    if (d->month < 0 && month_of(token) > 0) {
        d->month = month_of(token);
        return;
    }
    number = leading_number(token, 4, &digits);
    if (d->year < 0 && digits >= 2) {
        d->year = number;
        if (digits == 2) {
            d->year += number >= 70 ? 1900 : 2000;
        }
    }
}

static bool is_date_delimiter(char ch)
{
    unsigned char c = (unsigned char)ch;
    return c == 0x09 || (c >= 0x20 && c <= 0x2f) || (c >= 0x3b && c <= 0x40) ||
           (c >= 0x5b && c <= 0x60) || (c >= 0x7b && c <= 0x7e);
}

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar. */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400; /* years are never negative here */
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static int days_in_month(int year, int month)
{
    return (int)(days_from_civil(month == 12 ? year + 1 : year, month % 12 + 1, 1) -
                 days_from_civil(year, month, 1));
}

bool http_date_parse(struct hr_span text, hr_nsec *ret_at)
{
    struct date d = {-1, -1, -1, -1, -1, -1};
    size_t i = 0;
    while (i < text.len) {
        size_t from = i;
        while (i < text.len && !is_date_delimiter(text.ptr[i])) {
            i++;
        }
        if (i > from) {
            take_token(&d, hr_span_slice(text, from, i));
        } else {
            i++;
        }
    }
    if (d.hour < 0 || d.day < 1 || d.month < 0 || d.year < 1601 || d.hour > 23 || d.minute > 59 ||
        d.second > 60 || d.day > days_in_month(d.year, d.month)) {
        return false;
    }
    int64_t seconds = days_from_civil(d.year, d.month, d.day) * 86400 + (int64_t)d.hour * 3600 +
                      (int64_t)d.minute * 60 + d.second;
    *ret_at = hr_nsec_from(seconds, 0);
    return true;
}
