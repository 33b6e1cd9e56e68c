/*
 * report/trend.h - the last days in words: which had findings, which had traffic without any, and
 * which had no traffic.
 */
#ifndef HR_REPORT_TREND_H
#define HR_REPORT_TREND_H

#include "report/overview.h"

/**
 * The next line: "2026-01-31: 2 high, 1 low", "2026-01-30: no findings in 40 exchanges",
 * "2026-01-02 to 2026-01-29: no traffic".
 * @param position  from 0 on. @return false at the end, and where fewer than two days had traffic
 */
bool trend_next_line(const struct overview *o, size_t *position, struct hr_buf *ret_line);
/** Days with traffic, and those of them without findings. */
void trend_count_days(const struct overview *o, size_t *ret_busy, size_t *ret_clean);
/** Of all severities. */
int64_t trend_findings(const struct overview_day *d);

enum { TREND_SEVERITIES = 5 };
/** By report_severity_rank(); the first is NULL. */
extern const char *const trend_severities[TREND_SEVERITIES];

#endif
