/*
 * The findings of the page: by rule, then by problem; the first few of a problem as stories with
 * their pictures, the others as rows of a table.
 */
#include "base/alloc.h"
#include "base/local.h"
#include "report/caveats.h"
#include "report/display.h"
#include "report/html_emit.h"
#include "report/html_page.h"
#include "report/rank.h"
#include "report/svg_timeline.h"
#include "report/wording.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { STORIES_SHOWN = 3, PROBLEMS_SHOWN = 200 };

/* Severities and verdicts are among few words; anything else is shown as none of them. */
static void append_severity(struct hr_buf *out, const char *severity)
{
    html_raw(out, "<span class=\"sev ");
    html_text(out, report_severity_rank(severity) > 0 ? severity : "none");
    html_raw(out, "\">");
    html_text(out, severity);
    html_raw(out, "</span>");
}

static void append_command(struct hr_buf *out, const char *lead, const char *command)
{
    html_raw(out, "<div class=\"cmd\"><span>");
    html_text(out, lead);
    html_raw(out, "</span> <code>");
    html_text(out, command);
    html_raw(out, "</code></div>\n");
}

/* ---- one finding ---- */

static void append_where(const struct finding_view *f, hr_nsec from, struct hr_buf *out)
{
    char at[HR_TIME_TEXT_SIZE];
    html_raw(out, "<p class=\"where\">from <time>");
    html_text(out, hr_local_format(from, HR_LOCAL_MICRO, at));
    html_raw(out, "</time>");
    if (f->client != NULL) {
        html_textf(out, ", client %s port %d", f->client, f->client_port);
    }
    if (f->session != NULL) {
        html_textf(out, ", session %s", f->session);
    }
    if (f->user != NULL) {
        html_textf(out, ", user %s", f->user);
    }
    html_raw(out, "</p>\n");
}

static bool has_evidence(const struct finding_view *f, int64_t exchange)
{
    bool found = false;
    for (size_t i = 0; i < f->evidence_count && !found; i++) {
        found = f->evidence[i].exchange_id == exchange;
    }
    return found;
}

/* What the picture shows beyond the evidence: login and logout of the session. */
static struct evidence_view line_of(struct report_story *st, const struct story_item *item)
{
    const struct exchange_view *x = &item->x;
    const char *method = x->method != NULL ? x->method : "(request not captured)";
    const char *target = x->target != NULL ? x->target : "";
    const char *text =
        x->status != 0 ? hr_arena_printf(&st->arena, "%s %s answered %d", method, target, x->status)
                       : hr_arena_printf(&st->arena, "%s %s", method, target);
    return (struct evidence_view){
        .role = item->role,
        .exchange_id = x->id,
        .capture = x->capture,
        .stream = x->stream,
        .frame = x->request_frame > 0 ? x->request_frame : x->response_frame,
        .at = story_begin_of(x),
        .text = text,
    };
}

static int compare_lines(const void *x, const void *y)
{
    const struct evidence_view *a = x;
    const struct evidence_view *b = y;
    int r = (a->at > b->at) - (a->at < b->at);
    r = r != 0 ? r : (a->exchange_id > b->exchange_id) - (a->exchange_id < b->exchange_id);
    return r != 0 ? r : strcmp(a->role != NULL ? a->role : "", b->role != NULL ? b->role : "");
}

static void append_line(const struct finding_view *f, const struct evidence_view *e, hr_nsec zero,
                        bool with_file, struct hr_buf *out)
{
    char when[DISPLAY_OFFSET_SIZE] = "";
    if (e->at != HR_NSEC_INFINITE) {
        display_offset(hr_nsec_sub(e->at, zero), when);
    }
    html_begin(out, "li", e->exchange_id != 0 && e->exchange_id == f->exchange ? "bad" : NULL);
    html_element(out, "span", "t", when);
    html_raw(out, " <strong>");
    html_text(out, e->role);
    html_raw(out, "</strong> ");
    html_text(out, e->text);
    if (e->frame > 0) {
        html_raw(out, " <span class=\"dim\">");
        html_textf(out, "frame %" PRId64 ", stream %" PRId64, e->frame, e->stream);
        if (with_file && e->capture != NULL) {
            html_textf(out, " of %s", display_file_name(e->capture));
        }
        html_raw(out, "</span>");
    }
    html_raw(out, "</li>\n");
}

/* The picture in words. */
static void append_words(const struct finding_view *f, struct report_story *st, hr_nsec zero,
                         bool with_file, struct hr_buf *out)
{
    struct evidence_view *lines = hr_xcalloc(f->evidence_count + st->count + 1, sizeof(*lines));
    size_t count = 0;
    for (size_t i = 0; i < f->evidence_count; i++) {
        lines[count++] = f->evidence[i];
    }
    for (size_t i = 0; i < st->count; i++) {
        if (!has_evidence(f, st->items[i].x.id)) {
            lines[count++] = line_of(st, &st->items[i]);
        }
    }
    if (count > 0) {
        qsort(lines, count, sizeof(*lines), compare_lines);
        html_raw(out, "<ol class=\"story\">");
        for (size_t i = 0; i < count; i++) {
            append_line(f, &lines[i], zero, with_file, out);
        }
        html_raw(out, "</ol>\n");
    }
    free(lines);
}

static void append_caveats(const struct finding_view *f, struct hr_buf *out)
{
    const char *rest = f->caveats;
    struct hr_buf text;
    hr_buf_init(&text, SIZE_MAX);
    while (caveats_next(&rest, &text)) {
        html_raw(out, "<p class=\"caveat\"><strong>But:</strong> ");
        html_text(out, hr_buf_str(&text));
        html_raw(out, "</p>\n");
    }
    hr_buf_finish(&text);
}

static void append_further(const struct report *r, const struct finding_view *f, struct hr_buf *out)
{
    struct hr_buf text;
    const char *capture;
    hr_buf_init(&text, SIZE_MAX);
    for (size_t i = 0; (capture = wording_capture(f, i)) != NULL; i++) {
        struct hr_buf lead;
        hr_buf_init(&lead, SIZE_MAX);
        hr_buf_clear(&text);
        wording_filter(&text, f, capture);
        hr_buf_append_str(&lead, "Wireshark");
        if (r->capture_count > 1) {
            hr_buf_appendf(&lead, ", %s", display_file_name(capture));
        }
        if (text.len > 0) {
            append_command(out, hr_buf_str(&lead), hr_buf_str(&text));
        }
        hr_buf_finish(&lead);
    }
    hr_buf_clear(&text);
    wording_evidence_command(&text, r->job.db_path, f->id);
    if (text.len > 0) {
        append_command(out, "Its frames", hr_buf_str(&text));
    }
    hr_buf_finish(&text);
}

static void append_story(struct html_page *p, const struct finding_view *f, struct hr_buf *out)
{
    struct report_story story;
    const bool with_file = p->report->capture_count > 1;
    int r = story_load(&story, p->store, f);
    hr_nsec zero = wording_story_begin(f);
    if (story.count > 0 && story_begin_of(&story.items[0].x) < zero) {
        zero = story_begin_of(&story.items[0].x);
    }
    hr_buf_appendf(out,
                   "<article class=\"finding\" id=\"finding-%" PRId64 "\"><h5>#%" PRId64
                   " <span class=\"ver\">",
                   f->id, f->id);
    html_text(out, f->verdict);
    html_raw(out, "</span> ");
    html_text(out, f->summary);
    html_raw(out, "</h5>\n");
    append_where(f, zero, out);
    svg_timeline(out, &story, f->id, zero);
    if (story.left_out > 0) {
        hr_buf_appendf(out, "<p class=\"dim\">%zu more exchanges are not drawn.</p>\n",
                       story.left_out);
    }
    append_words(f, &story, zero, with_file, out);
    append_caveats(f, out);
    append_further(p->report, f, out);
    html_raw(out, "</article>\n");
    p->error = p->error == 0 ? r : p->error;
    story_finish(&story);
}

/* ---- one problem ---- */

static void append_rows(const struct report *r, const struct report_problem *problem, size_t from,
                        struct hr_buf *out)
{
    char at[HR_TIME_TEXT_SIZE];
    hr_buf_appendf(
        out,
        "<details class=\"rows\"><summary>%zu more</summary><div "
        "class=\"scroll\"><table><thead><tr>"
        "<th scope=\"col\">finding</th><th scope=\"col\">at</th><th scope=\"col\">verdict</th>"
        "<th scope=\"col\">user</th><th scope=\"col\">frame</th><th scope=\"col\">stream</th>"
        "<th scope=\"col\">what</th></tr></thead><tbody>\n",
        problem->count - from);
    for (size_t i = from; i < problem->count; i++) {
        const struct finding_view *f = problem->findings[i];
        hr_buf_appendf(out, "<tr id=\"finding-%" PRId64 "\"><td>#%" PRId64 "</td><td>%s</td><td>",
                       f->id, f->id, hr_local_format(f->at, HR_LOCAL_MICRO, at));
        html_text(out, f->verdict);
        html_raw(out, "</td><td>");
        html_text(out, f->user);
        hr_buf_appendf(out, "</td><td>%" PRId64 "</td><td>%" PRId64 "</td><td>", f->frame,
                       f->stream);
        html_text(out, f->summary);
        html_raw(out, "</td></tr>\n");
        report_spill(r, out);
    }
    html_raw(out, "</tbody></table></div></details>\n");
}

static void append_problem_head(const struct report *r, const struct report_problem *problem,
                                struct hr_buf *out)
{
    struct hr_buf verdicts;
    struct hr_buf known;
    hr_buf_init(&verdicts, SIZE_MAX);
    hr_buf_init(&known, SIZE_MAX);
    wording_known(&known, r, problem->known_since);
    wording_verdicts(&verdicts, problem);
    html_raw(out, "<summary><h4>");
    html_element(out, "code", NULL,
                 problem->endpoint != NULL ? problem->endpoint : "the whole site");
    html_raw(out, "</h4> <span class=\"site\">at ");
    html_text(out, problem->site != NULL ? problem->site : "(no site)");
    html_raw(out, "</span> <span class=\"count\">");
    html_text(out, hr_buf_str(&verdicts));
    html_raw(out, "</span>");
    if (problem->baseline != NULL) {
        html_raw(out, " ");
        html_element(out, "span", strcmp(problem->baseline, "new") == 0 ? "state new" : "state",
                     problem->baseline);
    }
    if (known.len > 0) {
        html_raw(out, " ");
        html_element(out, "span", "state", hr_buf_str(&known));
    }
    html_raw(out, "</summary>\n");
    hr_buf_finish(&known);
    hr_buf_finish(&verdicts);
}

static void append_problem(struct html_page *p, const struct report_problem *problem, bool is_open,
                           struct hr_buf *out)
{
    size_t shown = p->all || problem->count <= STORIES_SHOWN + 1 ? problem->count : STORIES_SHOWN;
    if (!p->all && shown > p->stories_left) {
        shown = p->stories_left;
    }
    p->stories_left -= p->all ? 0 : shown;
    html_raw(out, "<details class=\"problem\"");
    html_attribute(out, "id", problem->group);
    hr_buf_append_str(out, is_open ? " open>" : ">");
    append_problem_head(p->report, problem, out);
    for (size_t i = 0; i < shown; i++) {
        append_story(p, report_whole(p->report, problem->findings[i]), out);
        report_spill(p->report, out);
    }
    if (shown < problem->count) {
        append_rows(p->report, problem, shown, out);
    }
    html_raw(out, "</details>\n");
}

/* ---- one rule ---- */

static void append_explanation(const char *term, const char *text, struct hr_buf *out)
{
    if (text != NULL && text[0] != '\0') {
        html_element(out, "dt", NULL, term);
        html_element(out, "dd", NULL, text);
    }
}

static void append_rule_head(const struct report_problem *problem, struct hr_buf *out)
{
    const struct rule *rule = problem->about;
    html_raw(out, "<h3>");
    append_severity(out, problem->severity);
    html_raw(out, " ");
    html_text(out, problem->title);
    html_raw(out, " <code class=\"slug\">");
    html_text(out, problem->rule);
    html_raw(out, "</code></h3>\n<p>");
    html_text(out, rule != NULL ? rule->meaning : problem->findings[0]->explanation);
    html_raw(out, "</p>\n");
    if (rule == NULL) {
        return;
    }
    html_raw(out, "<details class=\"about\"><summary>Typical cause, how to confirm, how to "
                  "repair</summary><dl>");
    append_explanation("Typical cause", rule->cause, out);
    append_explanation("How to confirm", rule->confirm, out);
    append_explanation("How to repair", rule->repair, out);
    append_explanation("What looks like it", rule->lookalikes, out);
    append_explanation("References", rule->references, out);
    html_raw(out, "</dl></details>\n");
}

/* Very many problems are no more read one by one: one line each. */
static void append_problem_rows(const struct report_problem *problems, size_t count,
                                struct hr_buf *out)
{
    struct hr_buf verdicts;
    hr_buf_init(&verdicts, SIZE_MAX);
    hr_buf_appendf(
        out,
        "<details class=\"rows\"><summary>%zu more endpoints (report --all tells their "
        "stories)</summary><div class=\"scroll\"><table><thead><tr><th scope=\"col\">finding</th>"
        "<th scope=\"col\">endpoint</th><th scope=\"col\">site</th><th "
        "scope=\"col\">findings</th><th scope=\"col\">state</th></tr></thead><tbody>\n",
        count);
    for (size_t i = 0; i < count; i++) {
        const struct report_problem *x = &problems[i];
        hr_buf_clear(&verdicts);
        wording_verdicts(&verdicts, x);
        hr_buf_appendf(out, "<tr><td>#%" PRId64 "</td><td>", x->findings[0]->id);
        html_text(out, x->endpoint);
        html_raw(out, "</td><td>");
        html_text(out, x->site);
        html_raw(out, "</td><td>");
        html_text(out, hr_buf_str(&verdicts));
        html_raw(out, "</td><td>");
        html_text(out, x->baseline);
        html_raw(out, "</td></tr>\n");
    }
    html_raw(out, "</tbody></table></div></details>\n");
    hr_buf_finish(&verdicts);
}

static void append_rule(struct html_page *p, const struct report_problem *problems, size_t count,
                        struct hr_buf *out)
{
    const size_t shown = p->all || count <= PROBLEMS_SHOWN + 1 ? count : PROBLEMS_SHOWN;
    html_raw(out, "<div class=\"rule\">");
    append_rule_head(&problems[0], out);
    for (size_t i = 0; i < shown; i++) {
        append_problem(p, &problems[i], i == 0, out);
        report_spill(p->report, out);
    }
    if (shown < count) {
        append_problem_rows(&problems[shown], count - shown, out);
    }
    html_raw(out, "</div>\n");
}

void html_findings(struct html_page *p, struct hr_buf *out)
{
    const struct report_problems *all = &p->problems;
    html_section_begin(out, "findings", "Findings");
    if (p->report->finding_count == p->report->suppressed_count) {
        html_raw(out, "<p>None.</p>\n");
    }
    for (size_t from = 0, to; from < all->count && !all->items[from].suppressed; from = to) {
        for (to = from + 1; to < all->count && !all->items[to].suppressed &&
                            strcmp(all->items[to].rule, all->items[from].rule) == 0;
             to++) {
        }
        append_rule(p, &all->items[from], to - from, out);
    }
    html_section_end(out);
}

/* ---- suppressed and gone ---- */

static void append_suppressed_row(const struct finding_view *f, struct hr_buf *out)
{
    char at[HR_TIME_TEXT_SIZE];
    hr_buf_appendf(out, "<tr id=\"finding-%" PRId64 "\"><td>#%" PRId64 "</td>", f->id, f->id);
    html_element(out, "td", NULL, f->rule);
    html_element(out, "td", NULL, f->site);
    html_element(out, "td", NULL, f->summary);
    html_element(out, "td", NULL, f->suppression_reason);
    html_element(out, "td", NULL, f->suppression_owner);
    html_element(out, "td", NULL,
                 f->suppression_expires_at == HR_NSEC_INFINITE
                     ? "for ever"
                     : hr_local_format(f->suppression_expires_at, HR_LOCAL_MINUTE, at));
    html_raw(out, "</tr>\n");
}

void html_suppressed(const struct html_page *p, struct hr_buf *out)
{
    const struct report *r = p->report;
    if (r->suppressed_count == 0) {
        return;
    }
    html_section_begin(out, "suppressed", "Suppressed");
    html_raw(out,
             "<p>Somebody has accepted these; no build fails on them.</p><div "
             "class=\"scroll\"><table><thead>"
             "<tr><th scope=\"col\">finding</th><th scope=\"col\">rule</th><th "
             "scope=\"col\">site</th><th "
             "scope=\"col\">what</th><th scope=\"col\">reason</th><th scope=\"col\">owner</th><th "
             "scope=\"col\">until</th></tr></thead><tbody>\n");
    for (size_t i = r->finding_count - r->suppressed_count; i < r->finding_count; i++) {
        append_suppressed_row(&r->findings[i], out);
        report_spill(r, out);
    }
    html_raw(out, "</tbody></table></div>\n");
    html_section_end(out);
}

void html_gone(const struct html_page *p, struct hr_buf *out)
{
    const struct report *r = p->report;
    if (r->gone_count == 0) {
        return;
    }
    html_section_begin(out, "gone", "Gone since the baseline");
    html_raw(
        out,
        "<p>No longer found. Whether their situations still occur, the <a "
        "href=\"#rules\">rules</a> "
        "tell.</p><div class=\"scroll\"><table><thead><tr><th scope=\"col\">rule</th><th "
        "scope=\"col\">severity</th><th scope=\"col\">verdict</th><th scope=\"col\">site</th><th "
        "scope=\"col\">endpoint</th><th scope=\"col\">findings</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < r->gone_count; i++) {
        const struct baseline_entry *e = r->gone[i];
        html_raw(out, "<tr>");
        html_element(out, "td", NULL, e->rule);
        html_element(out, "td", NULL, e->severity);
        html_element(out, "td", NULL, e->verdict);
        html_element(out, "td", NULL, e->site);
        html_element(out, "td", NULL, e->endpoint);
        hr_buf_appendf(out, "<td>%zu</td></tr>\n", e->count);
    }
    html_raw(out, "</tbody></table></div>\n");
    html_section_end(out);
}
