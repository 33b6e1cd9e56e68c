#include "report/html.h"

#include "base/alloc.h"
#include "base/local.h"
#include "report/html_emit.h"
#include "report/html_page.h"
#include "report/quality.h"
#include "report/rank.h"
#include "report/wording.h"

#include <inttypes.h>
#include <string.h>

enum { STORIES_MAX = 250 };

void html_section_begin(struct hr_buf *out, const char *id, const char *heading)
{
    html_raw(out, "<section");
    html_attribute(out, "id", id);
    hr_buf_appendf(out, " aria-labelledby=\"h-%s\"><h2 id=\"h-%s\">", id, id);
    html_text(out, heading);
    html_raw(out, "</h2>\n");
}

void html_section_end(struct hr_buf *out)
{
    html_raw(out, "</section>\n");
}

void html_heat_cell(struct hr_buf *out, int64_t count, bool is_bad)
{
    int step = 0;
    for (int64_t n = count; n > 0 && step < 6; n /= 10) {
        step++;
    }
    hr_buf_appendf(out, "<td class=\"h%d%s\">", step, is_bad && count > 0 ? " odd" : "");
    if (count > 0) {
        hr_buf_appendf(out, "%" PRId64, count);
    }
    html_raw(out, "</td>");
}

/* ---- the answer ---- */

static size_t count_of(const struct report *r, const char *severity, const char *verdict)
{
    size_t n = 0;
    for (size_t i = 0; i < r->finding_count - r->suppressed_count; i++) {
        const struct finding_view *f = &r->findings[i];
        n += strcmp(f->severity, severity) == 0 &&
                     (verdict == NULL || strcmp(f->verdict, verdict) == 0)
                 ? 1
                 : 0;
    }
    return n;
}

static void append_tally(const struct report *r, struct hr_buf *out)
{
    static const char *const severities[] = {"critical", "high", "medium", "low"};
    static const char *const verdicts[] = {"proven", "contradiction", "suspect"};
    html_raw(
        out,
        "<table class=\"tally\"><caption>Findings by severity and verdict</caption><thead><tr><th "
        "scope=\"col\">severity</th>");
    for (size_t v = 0; v < HR_ARRAY_LEN(verdicts); v++) {
        html_raw(out, "<th scope=\"col\">");
        html_text(out, verdicts[v]);
        html_raw(out, "</th>");
    }
    html_raw(out, "</tr></thead><tbody>");
    for (size_t s = 0; s < HR_ARRAY_LEN(severities); s++) {
        if (count_of(r, severities[s], NULL) == 0) {
            continue;
        }
        hr_buf_appendf(out, "<tr><th scope=\"row\"><span class=\"sev %s\">%s</span></th>",
                       severities[s], severities[s]);
        for (size_t v = 0; v < HR_ARRAY_LEN(verdicts); v++) {
            hr_buf_appendf(out, "<td>%zu</td>", count_of(r, severities[s], verdicts[v]));
        }
        html_raw(out, "</tr>");
    }
    html_raw(out, "</tbody></table>\n");
}

/* What the answer is worth: warnings first. */
static void append_warnings(const struct report *r, struct hr_buf *out)
{
    struct hr_buf line;
    hr_buf_init(&line, SIZE_MAX);
    if (report_is_mostly_blind(r)) {
        quality_describe_blind(r, &line);
        html_raw(out, "<p class=\"warning\"><strong>");
        html_text(out, hr_buf_str(&line));
        html_raw(out, "</strong> ");
        html_text(out, quality_blind_advice());
        html_raw(out, "</p>\n");
    }
    if (r->is_partial) {
        html_raw(out,
                 "<p class=\"warning\">Interrupted: only what had been read by then is in this "
                 "report.</p>\n");
    }
    if (quality_behind_note(r) != NULL) {
        html_element(out, "p", "warning", quality_behind_note(r));
        html_raw(out, "\n");
    }
    if (r->failed_rules > 0) {
        hr_buf_clear(&line);
        wording_count(&line, r->failed_rules, "rule", "rules");
        html_raw(out, "<p class=\"warning\">");
        html_text(out, hr_buf_str(&line));
        html_raw(out, " did not run: what they look for is not in this report. See <a "
                      "href=\"#rules\">rules</a>.</p>\n");
    }
    hr_buf_finish(&line);
}

/* Unreadable connections are known neither by site nor, each, by time. */
static void append_reach(const struct report *r, struct hr_buf *out)
{
    if (r->job.filter.site != NULL) {
        html_raw(out, ", counted for all sites together");
    }
    if (r->blind_beyond > 0) {
        html_raw(out, ", in a time that goes beyond this report's");
    }
}

/* How much of the traffic could be looked at, and whether loss may hide something. */
static void append_sight(const struct report *r, struct hr_buf *out)
{
    struct hr_buf line;
    bool may_hide = false;
    hr_buf_init(&line, SIZE_MAX);
    const struct report_loss *other = NULL;
    for (size_t i = 0; i < r->loss_count; i++) {
        const struct report_loss *l = &r->losses[i];
        may_hide = may_hide || l->hides_exchanges;
        other = strcmp(l->kind, "not-http") == 0 ? l : other;
    }
    html_raw(out, "<dt>What could be seen</dt><dd>");
    if (r->capture_count == 0) {
        html_raw(out, "nothing was captured in this span");
    } else if (r->blind_connections > 0) {
        wording_count(&line, r->blind_connections, "connection was", "connections were");
        hr_buf_append_str(&line, " encrypted or HTTP/2 and could not be read (");
        quality_describe_bytes(&line, r->blind_bytes);
        if (r->captured_bytes > 0 && !quality_goes_beyond(r)) {
            const uint64_t percent = r->blind_bytes * 100 / r->captured_bytes;
            hr_buf_append_str(&line, percent == 0 ? ", less than 1 %" : "");
            if (percent > 0) {
                hr_buf_appendf(&line, ", about %" PRIu64 " %%", percent > 100 ? 100 : percent);
            }
            hr_buf_append_str(&line, " of what was captured");
        }
        hr_buf_append_str(&line, ")");
        html_text(out, hr_buf_str(&line));
        append_reach(r, out);
    } else if (other != NULL) {
        quality_describe_loss(other, &line);
        html_text(out, hr_buf_str(&line));
    } else if (quality_is_whole(r)) {
        html_raw(out, "everything: nothing was lost, and nothing was unreadable");
    } else {
        html_raw(out, "all connections, but with losses");
    }
    if (may_hide) {
        html_raw(out, "; some of the losses may hide exchanges, which lowers verdicts");
    }
    html_raw(out, " (<a href=\"#trust\">more</a>)</dd>");
    hr_buf_finish(&line);
}

static void append_unexercised(const struct report *r, struct hr_buf *out)
{
    size_t n = 0;
    html_raw(out, "<dt>Not exercised</dt><dd>");
    for (size_t i = 0; i < r->rule_count; i++) {
        const struct report_rule *rule = &r->rules[i];
        if (rule->exercised == 0 && rule->findings == 0 && rule->failure == NULL) {
            hr_buf_append_str(out, n++ > 0 ? ", " : "");
            html_element(out, "code", NULL, rule->id);
        }
    }
    if (n == 0) {
        html_raw(out, "every rule had something to judge");
    } else {
        html_raw(out, ": their situations did not occur, so that they found nothing says nothing");
    }
    html_raw(out, "</dd>");
}

static void append_answer(const struct report *r, struct hr_buf *out)
{
    struct hr_buf line;
    hr_buf_init(&line, SIZE_MAX);
    html_raw(out,
             "<section id=\"answer\" aria-labelledby=\"h-answer\"><h2 id=\"h-answer\" class=\"");
    hr_buf_append_str(out, r->finding_count > r->suppressed_count                     ? "found"
                           : r->exchanges == 0 || r->failed_rules > 0 || r->is_behind ? "unsure"
                                                                                      : "clean");
    html_raw(out, "\">");
    wording_answer(&line, r);
    html_text(out, hr_buf_str(&line));
    html_raw(out, "</h2>\n");
    append_warnings(r, out);
    html_raw(out, "<div class=\"answer\">");
    if (r->finding_count > r->suppressed_count) {
        append_tally(r, out);
    }
    html_raw(out, "<dl>");
    if (r->job.baseline != NULL) {
        hr_buf_clear(&line);
        wording_baseline(&line, r);
        html_raw(out, "<dt>Compared</dt><dd>");
        html_text(out, hr_buf_str(&line));
        html_raw(out, "</dd>");
    }
    hr_buf_clear(&line);
    wording_first_found(&line, r);
    if (line.len > 0) {
        html_raw(out, "<dt>Known</dt><dd>");
        html_text(out, hr_buf_str(&line));
        html_raw(out, "</dd>");
    }
    hr_buf_clear(&line);
    wording_traffic(&line, r);
    html_raw(out, "<dt>Traffic</dt><dd>");
    html_text(out, hr_buf_str(&line));
    html_raw(out, "</dd>");
    append_sight(r, out);
    append_unexercised(r, out);
    html_raw(out, "</dl></div>\n");
    html_section_end(out);
    hr_buf_finish(&line);
}

/* ---- the page ---- */

static void append_head(const struct report *r, const char *scope, struct hr_buf *out)
{
    (void)r;
    html_raw(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n"
                  "<meta name=\"referrer\" content=\"no-referrer\">\n");
    hr_buf_appendf(
        out,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
        "style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'\">\n",
        html_page_css_hash, html_page_js_hash);
    html_raw(out, "<link rel=\"icon\" href=\"data:,\">\n<title>Headrace: ");
    html_text(out, scope);
    html_raw(out, "</title>\n<style>");
    hr_buf_append_str(out, html_page_css);
    html_raw(out, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#findings\">Skip to the "
                  "findings</a>\n");
}

static void append_header(const struct report *r, const char *scope, struct hr_buf *out)
{
    char text[HR_TIME_TEXT_SIZE];
    html_raw(out, "<header><p class=\"brand\">Headrace</p><h1>");
    html_text(out, scope);
    html_raw(out, "</h1><p class=\"dim\">Times and days of the zone <strong>");
    html_text(out, r->job.zone != NULL ? r->job.zone : "UTC");
    html_raw(out, "</strong>; made ");
    html_text(out, hr_local_format(r->job.made_at, HR_LOCAL_SECOND, text));
    html_raw(out, " ");
    html_text(out, hr_local_format(r->job.made_at, HR_LOCAL_OFFSET, text));
    html_raw(out, " by headrace ");
    html_text(out, r->job.version);
    html_raw(
        out,
        "</p></header>\n<nav aria-label=\"Sections\"><a href=\"#findings\">Findings</a> <a "
        "href=\"#traffic\">Traffic</a> <a href=\"#trend\">Trend</a> <a href=\"#trust\">What was "
        "captured</a> <a href=\"#rules\">Rules</a></nav>\n<main>\n");
}

int report_html_render(const struct report *r, struct store *s, bool all, struct hr_buf *out)
{
    struct html_page p = {.report = r, .store = s, .all = all, .stories_left = STORIES_MAX};
    struct hr_buf scope;
    hr_buf_init(&scope, SIZE_MAX);
    p.error = overview_load(&p.overview, s, r);
    problems_load(&p.problems, r);
    if (p.error == 0) {
        wording_scope(&scope, r);
        append_head(r, hr_buf_str(&scope), out);
        append_header(r, hr_buf_str(&scope), out);
        append_answer(r, out);
        html_findings(&p, out);
        html_suppressed(&p, out);
        html_gone(&p, out);
        html_traffic(&p, out);
        html_trend(&p, out);
        html_ledger(&p, out);
        html_rules(&p, out);
        html_raw(out, "</main>\n<footer><p>Made by headrace: it reads packet captures and finds "
                      "the marks that "
                      "races in login and session code leave on the wire.</p></footer>\n<script>");
        hr_buf_append_str(out, html_page_js);
        html_raw(out, "</script>\n</body>\n</html>\n");
    }
    problems_finish(&p.problems);
    overview_finish(&p.overview);
    hr_buf_finish(&scope);
    return p.error;
}
