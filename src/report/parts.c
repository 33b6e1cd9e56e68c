#include "report/parts.h"

#include "report/record.h"
#include "report/wording.h"

void parts_put_text(struct hr_json *j, const char *key, const char *value)
{
    hr_json_key(j, key);
    hr_json_str(j, value);
}

void parts_put_int(struct hr_json *j, const char *key, int64_t value)
{
    hr_json_key(j, key);
    hr_json_int(j, value);
}

void parts_put_time(struct hr_json *j, const char *key, hr_nsec value)
{
    hr_json_key(j, key);
    hr_json_time(j, value);
}

void parts_put_bool(struct hr_json *j, const char *key, bool value)
{
    hr_json_key(j, key);
    hr_json_bool(j, value);
}

static void begin(struct hr_json *j, const char *type)
{
    hr_json_object_begin(j);
    parts_put_int(j, "schema", RECORD_SCHEMA_VERSION);
    parts_put_text(j, "type", type);
}

/* Only findings have the key `rule`: a rule's exercise names it `slug`. */
void parts_exercise(struct hr_json *j, const struct report_rule *rule)
{
    begin(j, "exercise");
    parts_put_text(j, "slug", rule->id);
    parts_put_text(j, "title", rule->title);
    if (rule->exercised >= 0) {
        parts_put_int(j, "exercised", rule->exercised);
    } else {
        parts_put_text(j, "exercised", NULL);
    }
    parts_put_int(j, "findings", rule->findings);
    parts_put_text(j, "state", wording_rule_state(rule));
    parts_put_text(j, "message", rule->failure);
    hr_json_object_end(j);
}

void parts_loss_sum(struct hr_json *j, const struct report_loss *l)
{
    begin(j, "loss_sum");
    parts_put_text(j, "kind", l->kind);
    parts_put_int(j, "count", l->count);
    parts_put_int(j, "bytes", l->bytes);
    parts_put_int(j, "all_sites", l->all_sites);
    parts_put_int(j, "beyond_span", l->beyond_span);
    parts_put_bool(j, "hides_exchanges", l->hides_exchanges);
    hr_json_object_end(j);
}

void parts_counter(struct hr_json *j, const struct pipeline_counter *c)
{
    begin(j, "counter");
    parts_put_text(j, "stage", c->stage);
    parts_put_text(j, "name", c->info.name);
    parts_put_text(j, "unit", c->info.unit);
    parts_put_int(j, "value", (int64_t)c->value);
    hr_json_object_end(j);
}

/* null where nothing was compared with */
static void put_compared(struct hr_json *j, const struct report *r, const char *key, size_t count)
{
    if (r->job.baseline != NULL) {
        parts_put_int(j, key, (int64_t)count);
    } else {
        hr_json_key(j, key);
        hr_json_null(j);
    }
}

void parts_summary(struct hr_json *j, const struct report *r)
{
    begin(j, "summary");
    parts_put_int(j, "findings", (int64_t)r->finding_count);
    parts_put_int(j, "suppressed", (int64_t)r->suppressed_count);
    parts_put_int(j, "exchanges", (int64_t)r->exchanges);
    parts_put_int(j, "sessions", (int64_t)r->sessions);
    parts_put_int(j, "sites", (int64_t)r->sites);
    parts_put_int(j, "captures", (int64_t)r->capture_count);
    parts_put_time(j, "first_at", r->first_at);
    parts_put_time(j, "last_at", r->last_at);
    parts_put_int(j, "blind_connections", (int64_t)r->blind_connections);
    parts_put_int(j, "blind_bytes", (int64_t)r->blind_bytes);
    parts_put_bool(j, "mostly_blind", report_is_mostly_blind(r));
    parts_put_bool(j, "partial", r->is_partial);
    parts_put_bool(j, "behind", r->is_behind);
    put_compared(j, r, "new", r->new_count);
    put_compared(j, r, "gone", r->gone_count);
    hr_json_object_end(j);
}

void parts_gone(struct hr_json *j, const struct baseline_entry *e)
{
    begin(j, "gone");
    parts_put_text(j, "slug", e->rule);
    parts_put_text(j, "severity", e->severity);
    parts_put_text(j, "verdict", e->verdict);
    parts_put_text(j, "site", e->site);
    parts_put_text(j, "endpoint", e->endpoint);
    parts_put_text(j, "summary", e->summary);
    parts_put_text(j, "group", e->group);
    parts_put_text(j, "baseline", "absent");
    parts_put_time(j, "last_at", e->last_at);
    parts_put_int(j, "count", (int64_t)e->count);
    hr_json_object_end(j);
}
