/*
 * report/json.h - the report as one JSON document: report.schema.json beside this file describes it.
 */
#ifndef HR_REPORT_JSON_H
#define HR_REPORT_JSON_H

#include "report/overview.h"

/** @param trend  the last days; NULL: none are told */
void report_json_render(const struct report *r, const struct overview *trend, struct hr_buf *out);

#endif
