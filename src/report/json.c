#include "report/json.h"

#include "base/local.h"
#include "report/parts.h"
#include "report/record.h"
#include "report/trend.h"

static void put_program(struct hr_json *j, const struct report *r)
{
    hr_json_key(j, "program");
    hr_json_object_begin(j);
    parts_put_text(j, "name", "headrace");
    parts_put_text(j, "version", r->job.version);
    hr_json_object_end(j);
}

static void put_scope(struct hr_json *j, const struct report *r)
{
    const struct read_filter *f = &r->job.filter;
    hr_json_key(j, "scope");
    hr_json_object_begin(j);
    parts_put_text(j, "day", r->job.day);
    parts_put_text(j, "zone", r->job.zone);
    parts_put_time(j, "since", f->since == INT64_MIN ? HR_NSEC_INFINITE : f->since);
    parts_put_time(j, "until", f->until);
    parts_put_text(j, "site", f->site);
    parts_put_text(j, "min_severity", f->min_severity);
    hr_json_object_end(j);
}

static void put_findings(struct hr_json *j, const struct report *r, struct hr_buf *out)
{
    hr_json_key(j, "findings");
    hr_json_array_begin(j);
    for (size_t i = 0; i < r->finding_count; i++) {
        record_put_json(j, &record_finding, report_whole(r, &r->findings[i]));
        report_spill(r, out);
    }
    hr_json_array_end(j);
}

static void put_quality(struct hr_json *j, const struct report *r)
{
    hr_json_key(j, "captures");
    hr_json_array_begin(j);
    for (size_t i = 0; i < r->capture_count; i++) {
        record_put_json(j, &record_capture, &r->captures[i]);
    }
    hr_json_array_end(j);
    hr_json_key(j, "losses");
    hr_json_array_begin(j);
    for (size_t i = 0; i < r->loss_count; i++) {
        parts_loss_sum(j, &r->losses[i]);
    }
    hr_json_array_end(j);
    hr_json_key(j, "rules");
    hr_json_array_begin(j);
    for (size_t i = 0; i < r->rule_count; i++) {
        parts_exercise(j, &r->rules[i]);
    }
    hr_json_array_end(j);
    hr_json_key(j, "counters");
    hr_json_array_begin(j);
    for (size_t i = 0; r->run != NULL && i < r->run->counter_count; i++) {
        parts_counter(j, &r->run->counters[i]);
    }
    hr_json_array_end(j);
}

/* All days; empty where nothing is stored. */
static void put_trend(struct hr_json *j, const struct overview *o)
{
    const size_t count = o == NULL || o->days[0].to == 0 ? 0 : OVERVIEW_TREND_DAYS;
    hr_json_key(j, "trend");
    hr_json_array_begin(j);
    for (size_t i = 0; i < count; i++) {
        char text[HR_TIME_TEXT_SIZE];
        hr_json_object_begin(j);
        parts_put_text(j, "day", hr_local_format(o->days[i].from, HR_LOCAL_DATE, text));
        parts_put_int(j, "exchanges", o->days[i].exchanges);
        for (size_t k = TREND_SEVERITIES - 1; k > 0; k--) {
            parts_put_int(j, trend_severities[k], o->days[i].findings[k]);
        }
        hr_json_object_end(j);
    }
    hr_json_array_end(j);
}

void report_json_render(const struct report *r, const struct overview *trend, struct hr_buf *out)
{
    struct hr_json j;
    hr_json_init(&j, out);
    hr_json_object_begin(&j);
    parts_put_int(&j, "schema", RECORD_SCHEMA_VERSION);
    parts_put_text(&j, "type", "report");
    parts_put_time(&j, "made_at", r->job.made_at);
    put_program(&j, r);
    put_scope(&j, r);
    parts_put_text(&j, "baseline", r->job.baseline != NULL ? r->job.baseline->name : NULL);
    hr_json_key(&j, "summary");
    parts_summary(&j, r);
    put_findings(&j, r, out);
    hr_json_key(&j, "gone");
    hr_json_array_begin(&j);
    for (size_t i = 0; i < r->gone_count; i++) {
        parts_gone(&j, r->gone[i]);
    }
    hr_json_array_end(&j);
    put_quality(&j, r);
    put_trend(&j, trend);
    hr_json_object_end(&j);
    hr_buf_append_char(out, '\n');
}
