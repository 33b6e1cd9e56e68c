/*
 * report/rank.h - which of two severities or verdicts is the worse.
 */
#ifndef HR_REPORT_RANK_H
#define HR_REPORT_RANK_H

#include <stdbool.h>

/** @return low 1, medium 2, high 3, critical 4; 0 for any other word */
int report_severity_rank(const char *severity);
/** @return suspect 1, contradiction 2, proven 3; 0 for any other word */
int report_verdict_rank(const char *verdict);

#endif
