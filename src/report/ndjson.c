#include "report/ndjson.h"

#include "report/parts.h"
#include "report/record.h"

void report_ndjson_render(const struct report *r, struct hr_buf *out)
{
    struct hr_json j;
    for (size_t i = 0; i < r->finding_count; i++) {
        record_append_json(out, &record_finding, report_whole(r, &r->findings[i]));
        report_spill(r, out);
    }
    for (size_t i = 0; i < r->capture_count; i++) {
        record_append_json(out, &record_capture, &r->captures[i]);
    }
    hr_json_init(&j, out); /* one value after the other, each on its line */
    for (size_t i = 0; i < r->gone_count; i++) {
        parts_gone(&j, r->gone[i]);
        hr_buf_append_char(out, '\n');
    }
    for (size_t i = 0; i < r->loss_count; i++) {
        parts_loss_sum(&j, &r->losses[i]);
        hr_buf_append_char(out, '\n');
    }
    for (size_t i = 0; i < r->rule_count; i++) {
        parts_exercise(&j, &r->rules[i]);
        hr_buf_append_char(out, '\n');
    }
    for (size_t i = 0; r->run != NULL && i < r->run->counter_count; i++) {
        parts_counter(&j, &r->run->counters[i]);
        hr_buf_append_char(out, '\n');
    }
    parts_summary(&j, r);
    hr_buf_append_char(out, '\n');
}
