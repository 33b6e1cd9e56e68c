#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

hr_nsec hr_nsec_add(hr_nsec a, hr_nsec b)
{
    hr_nsec r;
    if (a == HR_NSEC_INFINITE || b == HR_NSEC_INFINITE) {
        return HR_NSEC_INFINITE;
    }
    if (__builtin_add_overflow(a, b, &r)) {
        return b > 0 ? HR_NSEC_INFINITE : INT64_MIN;
    }
    return r;
}

hr_nsec hr_nsec_sub(hr_nsec a, hr_nsec b)
{
    hr_nsec r;
    if (a == HR_NSEC_INFINITE) {
        return HR_NSEC_INFINITE;
    }
    if (__builtin_sub_overflow(a, b, &r)) {
        return b < 0 ? HR_NSEC_INFINITE : INT64_MIN;
    }
    return r;
}

hr_nsec hr_clock_read(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return hr_nsec_from(t.tv_sec, t.tv_nsec);
}

int64_t hr_quarter(hr_nsec at)
{
    return at / HR_NSEC_PER_QUARTER - (at % HR_NSEC_PER_QUARTER < 0 ? 1 : 0);
}

hr_nsec hr_nsec_from(int64_t seconds, int64_t nanoseconds)
{
    hr_nsec r;
    if (__builtin_mul_overflow(seconds, HR_NSEC_PER_SEC, &r)) {
        return seconds > 0 ? HR_NSEC_INFINITE : INT64_MIN;
    }
    return hr_nsec_add(r, nanoseconds);
}

const char *hr_time_format(hr_nsec at, char text[HR_TIME_TEXT_SIZE])
{
    if (at == HR_NSEC_INFINITE) {
        snprintf(text, HR_TIME_TEXT_SIZE, "never");
        return text;
    }
    int64_t sec = at / HR_NSEC_PER_SEC;
    int64_t ns = at % HR_NSEC_PER_SEC;
    if (ns < 0) {
        ns += HR_NSEC_PER_SEC;
        sec--;
    }
    time_t t = (time_t)sec;
    struct tm tm;
    gmtime_r(&t, &tm);
    snprintf(text, HR_TIME_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%09" PRId64 "Z",
             (tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
             tm.tm_sec, ns);
    return text;
}

static bool digits(struct hr_span *s, size_t n, int *ret_value)
{
    uint64_t v;
    if (s->len < n || !hr_span_to_u64(hr_span_slice(*s, 0, n), &v)) {
        return false;
    }
    *ret_value = (int)v;
    *s = hr_span_slice(*s, n, s->len);
    return true;
}

static bool skip(struct hr_span *s, const char *any_of)
{
    for (; s->len > 0 && *any_of != '\0'; any_of++) {
        if (s->ptr[0] == *any_of) {
            *s = hr_span_slice(*s, 1, s->len);
            return true;
        }
    }
    return false;
}

static int64_t parse_fraction(struct hr_span *s)
{
    int64_t value = 0;
    int64_t unit = HR_NSEC_PER_SEC / 10;
    while (s->len > 0 && s->ptr[0] >= '0' && s->ptr[0] <= '9') {
        value += unit * (s->ptr[0] - '0');
        unit /= 10;
        *s = hr_span_slice(*s, 1, s->len);
    }
    return value;
}

/* "Z", "+hh:mm" or "-hh:mm" */
static bool parse_offset(struct hr_span *s, int64_t *ret_seconds)
{
    int h;
    int m;
    if (skip(s, "Zz")) {
        *ret_seconds = 0;
        return true;
    }
    bool west = s->len > 0 && s->ptr[0] == '-';
    if (!skip(s, "+-") || !digits(s, 2, &h) || !skip(s, ":") || !digits(s, 2, &m)) {
        return false;
    }
    *ret_seconds = (west ? -60 : 60) * (h * 60 + m);
    return true;
}

bool hr_day_exists(int year, int month, int day)
{
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    timegm(&tm); /* the 31st of February becomes one of March */
    return month >= 1 && month <= 12 && day >= 1 && day <= 31 && tm.tm_mday == day;
}

bool hr_time_parse(struct hr_span text, hr_nsec *ret_at)
{
    struct tm tm = {0};
    int64_t ns = 0;
    int64_t offset;
    int year;
    if (!digits(&text, 4, &year) || !skip(&text, "-") || !digits(&text, 2, &tm.tm_mon) ||
        !skip(&text, "-") || !digits(&text, 2, &tm.tm_mday) || !skip(&text, "Tt ") ||
        !digits(&text, 2, &tm.tm_hour) || !skip(&text, ":") || !digits(&text, 2, &tm.tm_min) ||
        !skip(&text, ":") || !digits(&text, 2, &tm.tm_sec)) {
        return false;
    }
    if (skip(&text, ".")) {
        ns = parse_fraction(&text);
    }
    if (!parse_offset(&text, &offset) || text.len != 0 ||
        !hr_day_exists(year, tm.tm_mon, tm.tm_mday) || tm.tm_hour > 23 || tm.tm_min > 59 ||
        tm.tm_sec > 60) {
        return false;
    }
    tm.tm_year = year - 1900;
    tm.tm_mon -= 1;
    *ret_at = hr_nsec_from((int64_t)timegm(&tm) - offset, ns);
    return true;
}

const char *hr_duration_format(hr_nsec span, char text[HR_TIME_TEXT_SIZE])
{
    const char *sign = span < 0 ? "-" : "";
    double s = (span < 0 ? -(double)span : (double)span) / 1e9;
    if (span == HR_NSEC_INFINITE) {
        snprintf(text, HR_TIME_TEXT_SIZE, "for ever");
    } else if (s < 1e-6) {
        snprintf(text, HR_TIME_TEXT_SIZE, "%s%.0f ns", sign, s * 1e9);
    } else if (s < 1e-3) {
        snprintf(text, HR_TIME_TEXT_SIZE, "%s%.3g µs", sign, s * 1e6);
    } else if (s < 1) {
        snprintf(text, HR_TIME_TEXT_SIZE, "%s%.3g ms", sign, s * 1e3);
    } else if (s < 60) {
        snprintf(text, HR_TIME_TEXT_SIZE, "%s%.3g s", sign, s);
    } else if (s < 3600) {
        snprintf(text, HR_TIME_TEXT_SIZE, "%s%d min %d s", sign, (int)(s / 60), (int)s % 60);
    } else {
        int64_t minutes = (int64_t)(s / 60);
        snprintf(text, HR_TIME_TEXT_SIZE, "%s%" PRId64 " h %" PRId64 " min", sign, minutes / 60,
                 minutes % 60);
    }
    return text;
}
