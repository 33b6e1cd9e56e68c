/*
 * report/csv.h - the findings as a sheet: one row each, columns as the keys of NDJSON. Cells that a
 * spreadsheet would run as formulas are defused.
 */
#ifndef HR_REPORT_CSV_H
#define HR_REPORT_CSV_H

#include "report/model.h"

void report_csv_render(const struct report *r, struct hr_buf *out);

#endif
