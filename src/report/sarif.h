/*
 * report/sarif.h - the report in SARIF 2.1.0, which code-scanning viewers read: a finding is a result,
 * its evidence a code flow, its problem the fingerprint that viewers compare.
 */
#ifndef HR_REPORT_SARIF_H
#define HR_REPORT_SARIF_H

#include "base/json.h"
#include "report/model.h"

void report_sarif_render(const struct report *r, struct hr_buf *out);

/** sarif_rules.c: the keys `tool` and `taxonomies` of a run. */
void sarif_put_rules(struct hr_json *j, const struct report *r);
/** {"text": ...} under that key: text from anywhere, as SARIF wants it in a message (3.11). */
void sarif_put_message(struct hr_json *j, const char *key, const char *text);
/** "error", "warning", "note" */
const char *sarif_level(const char *severity);

#endif
