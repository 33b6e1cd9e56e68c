/*
 * report/ndjson.h - the report as lines of JSON: the findings, then one record for each capture,
 * each kind of loss, each rule, each counter, and a summary.
 */
#ifndef HR_REPORT_NDJSON_H
#define HR_REPORT_NDJSON_H

#include "report/model.h"

void report_ndjson_render(const struct report *r, struct hr_buf *out);

#endif
