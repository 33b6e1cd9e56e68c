/*
 * base/local.h - local times: one zone for the whole process decides where an hour and a day begin.
 */
#ifndef HR_BASE_LOCAL_H
#define HR_BASE_LOCAL_H

#include "base/time.h"

/** Every local time from now on is of that zone. @param zone  NULL: the system's */
void hr_local_use(const char *zone);
/** @return how the system's time zone database calls it; "local time" where that is not known */
const char *hr_local_zone(char text[HR_TIME_TEXT_SIZE]);

enum hr_local_form {
    HR_LOCAL_DATE,   /* 2026-01-31 */
    HR_LOCAL_MINUTE, /* 2026-01-31 10:00 */
    HR_LOCAL_SECOND, /* 2026-01-31 10:00:01 */
    HR_LOCAL_MICRO,  /* 2026-01-31 10:00:01.123456 */
    HR_LOCAL_CLOCK,  /* 10:00:01.123456 */
    HR_LOCAL_HOUR,   /* 10:00 */
    HR_LOCAL_OFFSET, /* +01:00 */
    HR_LOCAL_MARK,   /* +01:00; UTC for +00:00: behind a time, which then stands for itself */
};
/** @return text; "never" for HR_NSEC_INFINITE */
const char *hr_local_format(hr_nsec at, enum hr_local_form form, char text[HR_TIME_TEXT_SIZE]);

/** @return when the hour, or the day, that holds `at` ends */
hr_nsec hr_local_hour_end(hr_nsec at);
hr_nsec hr_local_day_end(hr_nsec at);
/** @return the midnight so many days before or after (count below 0) the day that holds `at` begins */
hr_nsec hr_local_midnight(hr_nsec at, int days_later);

#endif
