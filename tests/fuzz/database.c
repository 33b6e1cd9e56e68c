/*
 * What list, show and report do with a database that is damaged or holds what somebody hostile put
 * there (records: site.h). An error is told in one line; text is safe for a terminal, JSON is JSON,
 * and what stands in the database is no markup of the page.
 */
#include "fuzz.h"
#include "report/csv.h"
#include "report/html.h"
#include "report/json.h"
#include "report/lanes.h"
#include "report/md.h"
#include "report/ndjson.h"
#include "report/record.h"
#include "report/sarif.h"
#include "report/show.h"
#include "report/text.h"
#include "site.h"

#include <jansson.h>

#define MARKUP "<q7Zx2"

enum { SHOWN_LIMIT = 8 };

static const struct report_paint paint = {.width = 80};

struct listing {
    const struct record_type *type;
    struct hr_buf text;
    struct hr_buf json;
    size_t count;
    char sessions[SHOWN_LIMIT][64];
    int64_t findings[SHOWN_LIMIT];
};

static void check_text(const struct hr_buf *text)
{
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->ptr[i];
        LAW((c >= 0x20 && c != 0x7f) || c == '\n');
    }
}

static void check_json(struct hr_span text)
{
    json_error_t error;
    json_t *value = json_loadb(text.ptr, text.len, JSON_ALLOW_NUL, &error);
    if (value == NULL) {
        fprintf(stderr, "%s: %.*s\n", error.text, (int)text.len, text.ptr);
    }
    LAW(value != NULL);
    json_decref(value);
}

static void check_lines(struct hr_span lines)
{
    while (lines.ptr != NULL && lines.len > 0) {
        check_json(hr_span_cut(&lines, '\n'));
    }
}

static int list_row(struct listing *l, const void *row)
{
    record_append_json(&l->json, l->type, row);
    for (size_t i = 0; i < l->type->field_count; i++) {
        record_append_text(&l->text, &l->type->fields[i], row);
    }
    l->count++;
    return 0;
}

static int list_finding(const struct finding_view *x, void *user)
{
    struct listing *l = user;
    if (l->count < SHOWN_LIMIT) {
        l->findings[l->count] = x->id;
    }
    return list_row(l, x);
}

static int list_session(const struct session_view *x, void *user)
{
    struct listing *l = user;
    if (l->count < SHOWN_LIMIT) {
        snprintf(l->sessions[l->count], sizeof(l->sessions[0]), "%s", x->name);
    }
    return list_row(l, x);
}

static int list_exchange(const struct exchange_view *x, void *user)
{
    return list_row(user, x);
}

static int list_stream(const struct stream_view *x, void *user)
{
    return list_row(user, x);
}

static int list_endpoint(const struct endpoint_view *x, void *user)
{
    return list_row(user, x);
}

static int list_capture(const struct capture_view *x, void *user)
{
    return list_row(user, x);
}

static int list_loss(const struct loss_view *x, void *user)
{
    return list_row(user, x);
}

static void begin_list(struct listing *l, const struct record_type *type)
{
    *l = (struct listing){.type = type};
    hr_buf_init(&l->text, SIZE_MAX);
    hr_buf_init(&l->json, SIZE_MAX);
}

/* What failed is told; what was listed before is fit to be read. */
static void end_list(struct listing *l, struct store *s, int r)
{
    LAW(r <= 0);
    LAW(r == 0 || store_error(s)[0] != '\0');
    check_text(&l->text);
    check_lines(hr_buf_span(&l->json));
    hr_buf_finish(&l->text);
    hr_buf_finish(&l->json);
}

static int add_story_row(const struct story_row *row, void *user)
{
    lanes_add(user, &row->exchange, NULL);
    return 0;
}

static void show_session(struct store *s, const char *name)
{
    struct session_view view;
    struct lanes lanes;
    struct hr_buf out;
    hr_buf_init(&out, SIZE_MAX);
    lanes_init(&lanes);
    int r = read_session_story(s, name, &view, add_story_row, &lanes);
    LAW(r <= 0);
    if (r == 0) {
        lanes_render(&lanes, &paint, report_has_several_captures(s), &out);
        check_text(&out);
    }
    lanes_finish(&lanes);
    hr_buf_finish(&out);
}

static void show_finding(struct store *s, int64_t id)
{
    struct hr_buf out;
    hr_buf_init(&out, SIZE_MAX);
    int r = report_show_finding(s, id, &paint, &out);
    LAW(r <= 0);
    check_text(&out);
    hr_buf_finish(&out);
}

static void check_lists(struct store *s)
{
    const struct read_filter all = READ_FILTER_ALL;
    struct listing l;
    begin_list(&l, &record_finding);
    end_list(&l, s, read_findings(s, &all, list_finding, &l));
    for (size_t i = 0; i < l.count && i < SHOWN_LIMIT; i++) {
        show_finding(s, l.findings[i]);
    }
    begin_list(&l, &record_session);
    end_list(&l, s, read_sessions(s, &all, list_session, &l));
    for (size_t i = 0; i < l.count && i < SHOWN_LIMIT; i++) {
        show_session(s, l.sessions[i]);
    }
    begin_list(&l, &record_exchange);
    end_list(&l, s, read_exchanges(s, &all, list_exchange, &l));
    begin_list(&l, &record_stream);
    end_list(&l, s, read_streams(s, &all, list_stream, &l));
    begin_list(&l, &record_endpoint);
    end_list(&l, s, read_endpoints(s, &all, list_endpoint, &l));
    begin_list(&l, &record_capture);
    end_list(&l, s, read_captures(s, &all, list_capture, &l));
    begin_list(&l, &record_loss);
    end_list(&l, s, read_losses(s, &all, list_loss, &l));
}

static void check_formats(const struct report *r, struct store *s, bool all)
{
    struct hr_buf out;
    hr_buf_init(&out, SIZE_MAX);
    report_text_render(r, &(struct report_text_options){.paint = paint, .all = all}, &out);
    check_text(&out);
    hr_buf_clear(&out);
    report_md_render(r, NULL, all, &out);
    check_text(&out);
    hr_buf_clear(&out);
    report_json_render(r, NULL, &out);
    check_json(hr_buf_span(&out));
    hr_buf_clear(&out);
    report_ndjson_render(r, &out);
    check_lines(hr_buf_span(&out));
    hr_buf_clear(&out);
    report_sarif_render(r, &out);
    check_json(hr_buf_span(&out));
    hr_buf_clear(&out);
    report_csv_render(r, &out);
    hr_buf_clear(&out);
    LAW(report_html_render(r, s, all, &out) <= 0);
    LAW(out.len == 0 || memmem(out.ptr, out.len, MARKUP, sizeof(MARKUP) - 1) == NULL);
    hr_buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store *s = NULL;
    int r = fuzz_site_open(hr_span_of(data, size), &s);
    LAW(r <= 0);
    if (r < 0) {
        LAW(store_error(s)[0] != '\0' && strchr(store_error(s), '\n') == NULL);
    } else {
        const struct report_job job = {.rules = fuzz_site_rules(),
                                       .filter = READ_FILTER_ALL,
                                       .db_path = "site.db",
                                       .version = "0",
                                       .made_at = HR_NSEC_PER_SEC};
        struct report report;
        check_lists(s);
        int loaded = report_load(&report, s, &job);
        LAW(loaded <= 0);
        if (loaded == 0) {
            check_formats(&report, s, size % 2 == 1);
        }
        report_finish(&report);
    }
    fuzz_site_close(s);
    return 0;
}
