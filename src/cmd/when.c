#include "cmd/when.h"

#include "base/alloc.h"
#include "base/local.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

hr_nsec cmd_now(void)
{
    const char *fixed = getenv("SOURCE_DATE_EPOCH");
    uint64_t seconds;
    if (fixed != NULL && hr_span_to_u64(hr_span_str(fixed), &seconds) && seconds < INT64_MAX) {
        return hr_nsec_from((int64_t)seconds, 0);
    }
    return hr_nsec_from(time(NULL), 0);
}

/* Cuts the digits off the front. @return false where there are none or too many */
static bool cut_number(struct hr_span *rest, uint64_t *ret_value)
{
    size_t n = 0;
    while (n < rest->len && rest->ptr[n] >= '0' && rest->ptr[n] <= '9') {
        n++;
    }
    if (!hr_span_to_u64(hr_span_slice(*rest, 0, n), ret_value)) {
        return false;
    }
    *rest = hr_span_slice(*rest, n, rest->len);
    return true;
}

bool cmd_parse_span(const char *text, hr_nsec *ret_span)
{
    static const struct {
        const char *unit;
        int64_t nsec;
    } units[] = {
        {"ns",  1                              },
        {"us",  HR_NSEC_PER_USEC               },
        {"ms",  HR_NSEC_PER_MSEC               },
        {"s",   HR_NSEC_PER_SEC                },
        {"min", 60 * HR_NSEC_PER_SEC           },
        {"h",   3600 * HR_NSEC_PER_SEC         },
        {"d",   24 * 3600 * HR_NSEC_PER_SEC    },
        {"w",   7 * 24 * 3600 * HR_NSEC_PER_SEC},
    };
    struct hr_span rest = hr_span_str(text);
    uint64_t value;
    if (!cut_number(&rest, &value)) {
        return false;
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(units); i++) {
        if (hr_span_equal(rest, hr_span_str(units[i].unit))) {
            if (value > (uint64_t)(INT64_MAX / units[i].nsec)) {
                return false;
            }
            *ret_span = (int64_t)value * units[i].nsec;
            return true;
        }
    }
    return false;
}

bool cmd_parse_percent(const char *text, int64_t *ret_ppm)
{
    struct hr_span rest = hr_span_str(text);
    uint64_t percent;
    uint64_t fraction = 0;
    size_t digits = 0;
    if (!cut_number(&rest, &percent) || percent >= 100) {
        return false;
    }
    if (rest.len > 0 && rest.ptr[0] == '.') {
        size_t len = rest.len;
        rest = hr_span_slice(rest, 1, rest.len);
        if (!cut_number(&rest, &fraction)) {
            return false;
        }
        digits = len - 1 - rest.len;
    }
    if (digits > 4 || rest.len > 1 || (rest.len == 1 && rest.ptr[0] != '%')) {
        return false;
    }
    for (; digits < 4; digits++) {
        fraction *= 10;
    }
    *ret_ppm = (int64_t)(percent * 10000 + fraction);
    return true;
}

bool cmd_parse_size(const char *text, uint64_t *ret_size)
{
    struct hr_span rest = hr_span_str(text);
    uint64_t value;
    unsigned shift = 0;
    if (!cut_number(&rest, &value)) {
        return false;
    }
    if (rest.len == 2 && rest.ptr[1] == 'B') { /* 10GB */
        rest.len = 1;
    }
    if (rest.len == 1) {
        switch (rest.ptr[0]) {
        case 'k':
        case 'K':
            shift = 10;
            break;
        case 'm':
        case 'M':
            shift = 20;
            break;
        case 'g':
        case 'G':
            shift = 30;
            break;
        default:
            return false;
        }
    } else if (rest.len > 1) {
        return false;
    }
    if (value > UINT64_MAX >> shift) {
        return false;
    }
    *ret_size = value << shift;
    return true;
}

/* Folders of zones and tables of their names lie there, too. */
static bool is_zone_file(const char *path)
{
    char magic[4];
    FILE *f = fopen(path, "re");
    bool is_zone = f != NULL && fread(magic, 1, sizeof(magic), f) == sizeof(magic) &&
                   memcmp(magic, "TZif", sizeof(magic)) == 0;
    if (f != NULL) {
        fclose(f);
    }
    return is_zone;
}

bool cmd_zone_exists(const char *zone)
{
    char path[256];
    if (zone[0] == '/' || strstr(zone, "..") != NULL) {
        return false;
    }
    if (strcmp(zone, "UTC") == 0) {
        return true;
    }
    int n = snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", zone);
    return zone[0] != '\0' && n > 0 && (size_t)n < sizeof(path) && is_zone_file(path);
}

static bool parse_local(const char *text, const char *zone, bool is_until, hr_nsec *ret_at)
{
    static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
                                          "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d"};
    for (size_t i = 0; i < HR_ARRAY_LEN(formats); i++) {
        struct tm tm = {.tm_isdst = -1};
        const char *end = strptime(text, formats[i], &tm);
        if (end == NULL || *end != '\0') {
            continue;
        }
        if (!hr_day_exists(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday)) {
            return false;
        }
        hr_local_use(zone);
        bool is_day = i == HR_ARRAY_LEN(formats) - 1;
        if (is_day && is_until) {
            tm.tm_mday++; /* to the end of that day, however long it is */
        }
        tm.tm_isdst = -1;
        time_t seconds = mktime(&tm);
        *ret_at = hr_nsec_from(seconds, 0);
        return true;
    }
    return false;
}

bool cmd_parse_time(const char *text, const char *zone, bool is_until, hr_nsec latest,
                    hr_nsec *ret_at)
{
    hr_nsec span;
    if (text[0] == '-' && cmd_parse_span(text + 1, &span)) {
        *ret_at = latest == HR_NSEC_INFINITE ? 0 : hr_nsec_sub(latest, span);
        return true;
    }
    return hr_time_parse(hr_span_str(text), ret_at) || parse_local(text, zone, is_until, ret_at);
}
