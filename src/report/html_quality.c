/*
 * How far the page can be trusted: captures, the ledger of losses over the day, and for each rule
 * whether it had anything to judge.
 */
#include "base/alloc.h"
#include "base/local.h"
#include "report/html_emit.h"
#include "report/html_page.h"
#include "report/quality.h"
#include "report/wording.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void append_captures(const struct report *r, struct hr_buf *out)
{
    char from[HR_TIME_TEXT_SIZE];
    char span[HR_TIME_TEXT_SIZE];
    struct hr_buf text;
    hr_buf_init(&text, SIZE_MAX);
    html_raw(out,
             "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">capture</th><th "
             "scope=\"col\">format</th><th "
             "scope=\"col\">from</th><th scope=\"col\">lasts</th><th scope=\"col\">frames</th><th "
             "scope=\"col\">exchanges</th><th scope=\"col\">note</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < r->capture_count; i++) {
        const struct capture_view *c = &r->captures[i];
        html_raw(out, "<tr><td>");
        html_text(out, strcmp(c->path, "-") == 0 ? "standard input" : c->path);
        html_raw(out, "</td><td>");
        quality_describe_format(c, &text);
        html_text(out, hr_buf_str(&text));
        hr_buf_clear(&text);
        html_raw(out, "</td><td class=\"nb\">");
        if (c->first_at != HR_NSEC_INFINITE) {
            html_text(out, hr_local_format(c->first_at, HR_LOCAL_SECOND, from));
            html_raw(out, "</td><td class=\"nb\">");
            html_text(out, hr_duration_format(hr_nsec_sub(c->last_at, c->first_at), span));
        } else {
            html_raw(out, "</td><td>");
        }
        hr_buf_appendf(out,
                       "</td><td class=\"n\">%" PRId64 "</td><td class=\"n\">%" PRId64 "</td><td>",
                       c->frames, c->exchanges);
        quality_describe_capture(c, &text);
        html_text(out, hr_buf_str(&text));
        hr_buf_clear(&text);
        html_raw(out, "</td></tr>\n");
    }
    html_raw(out, "</tbody></table></div>\n");
    hr_buf_finish(&text);
}

static void append_lines(const struct report *r, struct hr_buf *out)
{
    struct hr_buf line;
    hr_buf_init(&line, SIZE_MAX);
    html_raw(out, "<ul>");
    for (size_t i = 0; i < r->loss_count; i++) {
        hr_buf_clear(&line);
        quality_describe_loss(&r->losses[i], &line);
        html_element(out, "li", NULL, hr_buf_str(&line));
    }
    for (size_t i = 0; quality_next_counter(r, &i, &line);) {
        html_element(out, "li", NULL, hr_buf_str(&line));
    }
    if (quality_is_whole(r) && r->capture_count > 0) {
        html_raw(out, "<li>Nothing was lost, and nothing was unreadable.</li>");
    }
    html_raw(out, "</ul>\n");
    hr_buf_finish(&line);
}

static bool has_any(const int64_t *losses, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        if (losses[k] > 0) {
            return true;
        }
    }
    return false;
}

/* A phone shows only the columns that say something. */
static void append_ledger_columns(const struct overview *o, struct hr_buf *out)
{
    static const char *const columns[] = {"<col class=\"idle\">", "<col>"};
    const size_t n = o->loss_kind_count;
    html_raw(out, "<colgroup><col>");
    hr_buf_append_str(out, columns[has_any(o->whole_losses, n)]);
    for (size_t i = 0; i < o->bucket_count; i++) {
        const struct overview_bucket *b = &o->buckets[i];
        hr_buf_append_str(out, columns[b->exchanges > 0 || has_any(b->losses, n)]);
    }
    html_raw(out, "</colgroup>");
}

/* Kinds of loss by hour, with the traffic to compare with. */
static void append_ledger(const struct overview *o, struct hr_buf *out)
{
    char text[HR_TIME_TEXT_SIZE];
    html_raw(out, "<h3 id=\"ledger\">Loss over time</h3><div class=\"scroll\"><table class=\"heat "
                  "ledger\"><caption>By the ");
    hr_buf_append_str(out, o->is_by_day ? "day" : "hour");
    html_raw(out, " in which it began; the darker, the more</caption>");
    append_ledger_columns(o, out);
    html_raw(out, "<thead><tr><th scope=\"col\">kind</th><th scope=\"col\">over several ");
    hr_buf_append_str(out, o->is_by_day ? "days</th>" : "hours</th>");
    for (size_t i = 0; i < o->bucket_count; i++) {
        hr_local_format(o->buckets[i].from, o->is_by_day ? HR_LOCAL_DATE : HR_LOCAL_HOUR, text);
        html_raw(out, "<th scope=\"col\">");
        html_textf(out, "%.*s", o->is_by_day ? 5 : 2, o->is_by_day ? text + 5 : text);
        html_raw(out, "</th>");
    }
    html_raw(out, "</tr></thead><tbody>\n<tr><th scope=\"row\">exchanges</th><td></td>");
    for (size_t i = 0; i < o->bucket_count; i++) {
        html_heat_cell(out, o->buckets[i].exchanges, false);
    }
    html_raw(out, "</tr>\n");
    for (size_t k = 0; k < o->loss_kind_count; k++) {
        html_raw(out, "<tr><th scope=\"row\">");
        html_text(out, o->loss_kinds[k]);
        html_raw(out, "</th>");
        html_heat_cell(out, o->whole_losses[k], true);
        for (size_t i = 0; i < o->bucket_count; i++) {
            html_heat_cell(out, o->buckets[i].losses[k], true);
        }
        html_raw(out, "</tr>\n");
    }
    html_raw(out, "</tbody></table></div>\n");
}

void html_ledger(const struct html_page *p, struct hr_buf *out)
{
    html_section_begin(out, "trust", "What was captured");
    append_captures(p->report, out);
    if (quality_part_note(p->report) != NULL) {
        html_element(out, "p", NULL, quality_part_note(p->report));
        html_raw(out, "\n");
    }
    append_lines(p->report, out);
    if (p->overview.loss_kind_count > 0 && p->overview.bucket_count > 0) {
        append_ledger(&p->overview, out);
    }
    html_section_end(out);
}

/* ---- rules ---- */

static void append_rule(const struct report_rule *rule, struct hr_buf *out)
{
    struct hr_buf result;
    hr_buf_init(&result, SIZE_MAX);
    html_raw(out, "<tr><th scope=\"row\"><code>");
    html_text(out, rule->id);
    html_raw(out, "</code></th><td>");
    html_text(out, rule->title);
    html_raw(out, "</td><td class=\"");
    if (rule->failure != NULL) {
        html_raw(out, "failed\">did not run: ");
        html_text(out, rule->failure);
    } else if (rule->findings > 0) {
        wording_count(&result, (uint64_t)rule->findings, "finding", "findings");
        html_raw(out, "found\">");
        html_text(out, hr_buf_str(&result));
    } else {
        hr_buf_append_str(out, rule->exercised > 0 ? "clean\">" : "idle\">");
        html_text(out, wording_rule_state(rule));
    }
    if (rule->exercised < 0) {
        html_raw(out, "</td><td class=\"n\">not known</td></tr>\n");
    } else {
        hr_buf_appendf(out, "</td><td class=\"n\">%" PRId64 "</td></tr>\n", rule->exercised);
    }
    hr_buf_finish(&result);
}

static void append_sql(const struct report *r, struct hr_buf *out)
{
    for (size_t i = 0; i < r->rule_count; i++) {
        const struct report_rule *rule = &r->rules[i];
        if (rule->findings == 0 || rule->rule == NULL) {
            continue;
        }
        html_raw(out, "<details class=\"sql\"><summary>SQL of <code>");
        html_text(out, rule->id);
        html_raw(out, "</code></summary><pre tabindex=\"0\">");
        /* Line by line: within a line nothing but text is let through. */
        struct hr_span rest = hr_span_str(rule->rule->findings_sql);
        while (rest.ptr != NULL) {
            struct hr_span line = hr_span_cut(&rest, '\n');
            html_textf(out, "%.*s", (int)line.len, line.ptr);
            hr_buf_append_char(out, '\n');
        }
        html_raw(out, "</pre></details>\n");
    }
}

static void append_command(const struct report *r, const char *command, const char *rest,
                           struct hr_buf *out)
{
    struct hr_buf line;
    hr_buf_init(&line, SIZE_MAX);
    wording_command(&line, r, command);
    if (line.len > 0) {
        html_elementf(out, "li", "code", "%s%s", hr_buf_str(&line), rest);
    }
    hr_buf_finish(&line);
}

static void append_further(const struct report *r, struct hr_buf *out)
{
    if (r->finding_count == 0) {
        return;
    }
    char command[128];
    const struct finding_view *f = &r->findings[0];
    html_raw(out, "<h3>Look further</h3><ul class=\"further\">");
    snprintf(command, sizeof(command), "headrace show finding %" PRId64, f->id);
    append_command(r, command, "", out);
    if (f->session != NULL) {
        snprintf(command, sizeof(command), "headrace show session %s", f->session);
        append_command(r, command, "", out);
    }
    append_command(r, "headrace list exchanges", " --session NAME", out);
    html_elementf(out, "li", "code", "headrace rules explain %s", f->rule);
    html_raw(out, "</ul>\n");
}

void html_rules(const struct html_page *p, struct hr_buf *out)
{
    const struct report *r = p->report;
    html_section_begin(out, "rules", "Rules");
    html_raw(out, "<p>That a rule found nothing is worth something only where its situation "
                  "occurred.</p>\n");
    html_raw(out, "<div class=\"scroll\"><table class=\"rules\"><thead><tr><th "
                  "scope=\"col\">rule</th><th scope=\"col\">what "
                  "it finds</th><th scope=\"col\">result</th><th scope=\"col\">its situation "
                  "occurred</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < r->rule_count; i++) {
        append_rule(&r->rules[i], out);
    }
    html_raw(out, "</tbody></table></div>\n");
    append_further(r, out);
    append_sql(r, out);
    html_section_end(out);
}
