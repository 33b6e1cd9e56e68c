#include "base/local.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void hr_local_use(const char *zone)
{
    if (zone != NULL) {
        setenv("TZ", zone, 1);
    }
    tzset();
}

const char *hr_local_zone(char text[HR_TIME_TEXT_SIZE])
{
    static const char folder[] = "/zoneinfo/";
    char path[256];
    const char *name = getenv("TZ");
    if (name == NULL || name[0] == '\0') {
        ssize_t n = readlink("/etc/localtime", path, sizeof(path) - 1);
        path[n > 0 ? n : 0] = '\0';
        name = strstr(path, folder);
        name = name != NULL ? name + sizeof(folder) - 1 : "local time";
    }
    snprintf(text, HR_TIME_TEXT_SIZE, "%s", name[0] == ':' ? name + 1 : name);
    return text;
}

/* Rounds down, before 1970 as well. */
static struct tm local_of(hr_nsec at, long *ret_nanoseconds)
{
    time_t seconds = (time_t)(at / HR_NSEC_PER_SEC);
    *ret_nanoseconds = (long)(at % HR_NSEC_PER_SEC);
    if (*ret_nanoseconds < 0) {
        seconds--;
        *ret_nanoseconds += HR_NSEC_PER_SEC;
    }
    struct tm tm = {0};
    localtime_r(&seconds, &tm);
    return tm;
}

const char *hr_local_format(hr_nsec at, enum hr_local_form form, char text[HR_TIME_TEXT_SIZE])
{
    long nanoseconds;
    size_t n = 0;
    if (at == HR_NSEC_INFINITE) {
        snprintf(text, HR_TIME_TEXT_SIZE, "never");
        return text;
    }
    struct tm tm = local_of(at, &nanoseconds);
    switch (form) {
    case HR_LOCAL_DATE:
        strftime(text, HR_TIME_TEXT_SIZE, "%Y-%m-%d", &tm);
        break;
    case HR_LOCAL_MINUTE:
        strftime(text, HR_TIME_TEXT_SIZE, "%Y-%m-%d %H:%M", &tm);
        break;
    case HR_LOCAL_SECOND:
        strftime(text, HR_TIME_TEXT_SIZE, "%Y-%m-%d %H:%M:%S", &tm);
        break;
    case HR_LOCAL_MICRO:
        n = strftime(text, HR_TIME_TEXT_SIZE - 8, "%Y-%m-%d %H:%M:%S", &tm);
        break;
    case HR_LOCAL_CLOCK:
        n = strftime(text, HR_TIME_TEXT_SIZE - 8, "%H:%M:%S", &tm);
        break;
    case HR_LOCAL_HOUR:
        strftime(text, HR_TIME_TEXT_SIZE, "%H:%M", &tm);
        break;
    case HR_LOCAL_OFFSET:
        strftime(text, HR_TIME_TEXT_SIZE - 1, "%z", &tm); /* +0100 */
        memmove(text + 4, text + 3, 3);
        text[3] = ':';
        break;
    case HR_LOCAL_MARK:
        hr_local_format(at, HR_LOCAL_OFFSET, text);
        if (strcmp(text, "+00:00") == 0) {
            snprintf(text, HR_TIME_TEXT_SIZE, "UTC");
        }
        break;
    }
    if (n > 0) {
        snprintf(text + n, HR_TIME_TEXT_SIZE - n, ".%06ld", nanoseconds / 1000);
    }
    return text;
}

hr_nsec hr_local_hour_end(hr_nsec at)
{
    long nanoseconds;
    struct tm tm = local_of(at, &nanoseconds);
    int64_t left = 3600 - tm.tm_min * 60 - tm.tm_sec;
    return hr_nsec_add(at - nanoseconds, left * HR_NSEC_PER_SEC);
}

hr_nsec hr_local_midnight(hr_nsec at, int days_later)
{
    long nanoseconds;
    struct tm tm = local_of(at, &nanoseconds);
    tm.tm_mday += days_later;
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_isdst = -1;
    return hr_nsec_from(mktime(&tm), 0);
}

hr_nsec hr_local_day_end(hr_nsec at)
{
    return hr_local_midnight(at, 1);
}
