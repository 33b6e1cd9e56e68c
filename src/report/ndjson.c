#include "report/ndjson.h"

#include "report/record.h"

static void begin(struct hr_json *j, struct hr_buf *out, const char *type)
{
    hr_json_init(j, out);
    hr_json_object_begin(j);
    hr_json_key(j, "schema");
    hr_json_int(j, RECORD_SCHEMA_VERSION);
    hr_json_key(j, "type");
    hr_json_str(j, type);
}

static void end(struct hr_json *j)
{
    hr_json_object_end(j);
    hr_buf_append_char(j->out, '\n');
}

static void put_text(struct hr_json *j, const char *key, const char *value)
{
    hr_json_key(j, key);
    hr_json_str(j, value);
}

static void put_int(struct hr_json *j, const char *key, int64_t value)
{
    hr_json_key(j, key);
    hr_json_int(j, value);
}

/* Only findings have the key `rule`: a rule's exercise names it `slug`. */
static void append_exercise(const struct report_rule *rule, struct hr_buf *out)
{
    struct hr_json j;
    begin(&j, out, "exercise");
    put_text(&j, "slug", rule->id);
    put_text(&j, "title", rule->title);
    put_int(&j, "exercised", rule->exercised);
    put_int(&j, "findings", rule->findings);
    put_text(&j, "state",
             rule->failure != NULL ? "failed"
             : rule->findings > 0  ? "findings"
             : rule->exercised > 0 ? "clean"
                                   : "not exercised");
    put_text(&j, "message", rule->failure);
    end(&j);
}

static void append_loss_sum(const struct loss_view *l, struct hr_buf *out)
{
    struct hr_json j;
    begin(&j, out, "loss_sum");
    put_text(&j, "kind", l->kind);
    put_int(&j, "count", l->count);
    put_int(&j, "bytes", l->bytes);
    hr_json_key(&j, "hides_exchanges");
    hr_json_bool(&j, l->hides_exchanges);
    end(&j);
}

static void append_counter(const struct pipeline_counter *c, struct hr_buf *out)
{
    struct hr_json j;
    begin(&j, out, "counter");
    put_text(&j, "stage", c->stage);
    put_text(&j, "name", c->info.name);
    put_text(&j, "unit", c->info.unit);
    put_int(&j, "value", (int64_t)c->value);
    end(&j);
}

static void append_summary(const struct report *r, struct hr_buf *out)
{
    struct hr_json j;
    begin(&j, out, "summary");
    put_int(&j, "findings", (int64_t)r->finding_count);
    put_int(&j, "suppressed", (int64_t)r->suppressed_count);
    put_int(&j, "exchanges", (int64_t)r->exchanges);
    put_int(&j, "sessions", (int64_t)r->sessions);
    put_int(&j, "sites", (int64_t)r->sites);
    put_int(&j, "captures", (int64_t)r->capture_count);
    hr_json_key(&j, "first_at");
    hr_json_time(&j, r->first_at);
    hr_json_key(&j, "last_at");
    hr_json_time(&j, r->last_at);
    put_int(&j, "blind_connections", (int64_t)r->blind_connections);
    put_int(&j, "blind_bytes", (int64_t)r->blind_bytes);
    hr_json_key(&j, "mostly_blind");
    hr_json_bool(&j, report_is_mostly_blind(r));
    hr_json_key(&j, "partial");
    hr_json_bool(&j, r->is_partial);
    end(&j);
}

void report_ndjson_render(const struct report *r, struct hr_buf *out)
{
    for (size_t i = 0; i < r->finding_count; i++) {
        record_append_json(out, &record_finding, &r->findings[i]);
    }
    for (size_t i = 0; i < r->capture_count; i++) {
        record_append_json(out, &record_capture, &r->captures[i]);
    }
    for (size_t i = 0; i < r->loss_count; i++) {
        append_loss_sum(&r->losses[i], out);
    }
    for (size_t i = 0; i < r->rule_count; i++) {
        append_exercise(&r->rules[i], out);
    }
    for (size_t i = 0; r->run != NULL && i < r->run->counter_count; i++) {
        append_counter(&r->run->counters[i], out);
    }
    append_summary(r, out);
}
