/*
 * base/time.h - times of the capture clock: nanoseconds since 1970-01-01 UTC.
 */
#ifndef HR_BASE_TIME_H
#define HR_BASE_TIME_H

#include "base/span.h"

#include <stddef.h>
#include <stdint.h>
#include <time.h>

typedef int64_t hr_nsec;

#define HR_NSEC_PER_SEC INT64_C(1000000000)
#define HR_NSEC_PER_MSEC INT64_C(1000000)
#define HR_NSEC_PER_USEC INT64_C(1000)
#define HR_NSEC_PER_QUARTER (900 * HR_NSEC_PER_SEC) /* counts are kept by quarter hours */
/* "Never", "not seen to end": sorts behind every time a capture can hold. */
#define HR_NSEC_INFINITE INT64_MAX

/* room for any text the functions below write */
#define HR_TIME_TEXT_SIZE 80

/** Saturates instead of overflowing; infinite stays infinite. */
hr_nsec hr_nsec_add(hr_nsec a, hr_nsec b);
hr_nsec hr_nsec_sub(hr_nsec a, hr_nsec b);
/** Seconds and a sub-second part to one number, saturating. */
hr_nsec hr_nsec_from(int64_t seconds, int64_t nanoseconds);

/** What a clock of this machine says: CLOCK_MONOTONIC and its kin are none of the capture's. */
hr_nsec hr_clock_read(clockid_t id);

/** Quarter hours since 1970-01-01 UTC. */
int64_t hr_quarter(hr_nsec at);

/** RFC 3339, UTC, nine decimals. @return text; "never" for HR_NSEC_INFINITE */
const char *hr_time_format(hr_nsec at, char text[HR_TIME_TEXT_SIZE]);
/** @param month  from 1 */
bool hr_day_exists(int year, int month, int day);
/** Reads RFC 3339 with any number of decimals and any offset. @return false where it is not that */
bool hr_time_parse(struct hr_span text, hr_nsec *ret_at);
/** A span of time for people: "4.2 ms", "17 µs", "3 min 5 s". @return text */
const char *hr_duration_format(hr_nsec span, char text[HR_TIME_TEXT_SIZE]);

#endif
