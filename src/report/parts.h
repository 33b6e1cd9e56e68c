/*
 * report/parts.h - what a report says beside findings and captures, as JSON: each one object, of which
 * NDJSON makes lines and the JSON document lists.
 */
#ifndef HR_REPORT_PARTS_H
#define HR_REPORT_PARTS_H

#include "base/json.h"
#include "report/model.h"

/** Key and value; NULL is null. */
void parts_put_text(struct hr_json *j, const char *key, const char *value);
void parts_put_int(struct hr_json *j, const char *key, int64_t value);
void parts_put_time(struct hr_json *j, const char *key, hr_nsec value);
void parts_put_bool(struct hr_json *j, const char *key, bool value);

void parts_exercise(struct hr_json *j, const struct report_rule *rule);
void parts_loss_sum(struct hr_json *j, const struct report_loss *l);
void parts_counter(struct hr_json *j, const struct pipeline_counter *c);
void parts_summary(struct hr_json *j, const struct report *r);

/** A problem of the baseline that is no more. */
void parts_gone(struct hr_json *j, const struct baseline_entry *e);

#endif
