#include "report/md.h"

#include "base/alloc.h"
#include "base/local.h"
#include "base/text.h"
#include "report/caveats.h"
#include "report/display.h"
#include "report/quality.h"
#include "report/rank.h"
#include "report/trend.h"
#include "report/wording.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FINDINGS_SHOWN = 3, ROWS_SHOWN = 50 };

void md_text(struct hr_buf *out, const char *text)
{
    static const char special[] = "\\`*_[]<>|~&$\"'^{}";
    struct hr_buf safe;
    if (text == NULL) {
        return;
    }
    hr_buf_init(&safe, SIZE_MAX);
    hr_text_append_terminal(&safe, hr_span_str(text));
    for (const char *c = hr_buf_str(&safe); *c != '\0'; c++) {
        bool is_start = c == safe.ptr;
        if (*c == '@' || *c == '#') {
            hr_buf_appendf(out, "&#%d;<!-- -->", *c); /* no mention, no number of an issue */
        } else if (strchr(special, *c) != NULL || (*c == ':' && c[1] == '/') ||
                   (*c == '.' && !is_start && (c[-1] == 'w' || c[-1] == 'W')) ||
                   (is_start && strchr("+-=", *c) != NULL)) {
            hr_buf_appendf(out, "&#%d;", *c);
        } else {
            hr_buf_append_char(out, *c);
        }
    }
    hr_buf_finish(&safe);
}

void md_code(struct hr_buf *out, const char *text)
{
    hr_buf_append_str(out, "<code>");
    md_text(out, text);
    hr_buf_append_str(out, "</code>");
}

static void paragraph(struct hr_buf *out, const char *lead, const char *text)
{
    if (text == NULL || text[0] == '\0') {
        return;
    }
    if (lead != NULL) {
        hr_buf_appendf(out, "**%s.** ", lead);
    }
    md_text(out, text);
    hr_buf_append_str(out, "\n\n");
}

/* ---- the answer ---- */

static void append_tally(const struct report *r, struct hr_buf *out)
{
    static const char *const severities[] = {"critical", "high", "medium", "low"};
    static const char *const verdicts[] = {"proven", "contradiction", "suspect"};
    hr_buf_append_str(out, "| severity | proven | contradiction | suspect |\n"
                           "| --- | ---: | ---: | ---: |\n");
    for (size_t s = 0; s < HR_ARRAY_LEN(severities); s++) {
        size_t n[HR_ARRAY_LEN(verdicts)] = {0};
        size_t sum = 0;
        for (size_t i = 0; i < r->finding_count - r->suppressed_count; i++) {
            const struct finding_view *f = &r->findings[i];
            for (size_t v = 0; v < HR_ARRAY_LEN(verdicts); v++) {
                if (strcmp(f->severity, severities[s]) == 0 &&
                    strcmp(f->verdict, verdicts[v]) == 0) {
                    n[v]++;
                    sum++;
                }
            }
        }
        if (sum > 0) {
            hr_buf_appendf(out, "| %s | %zu | %zu | %zu |\n", severities[s], n[0], n[1], n[2]);
        }
    }
    hr_buf_append_char(out, '\n');
}

static void append_answer(const struct report *r, struct hr_buf *out)
{
    struct hr_buf line;
    hr_buf_init(&line, SIZE_MAX);
    wording_answer(&line, r);
    hr_buf_appendf(out, "**%s.**", hr_buf_str(&line));
    hr_buf_clear(&line);
    wording_baseline(&line, r);
    if (line.len > 0) {
        hr_buf_append_char(out, ' ');
        md_text(out, hr_buf_str(&line));
        hr_buf_append_char(out, '.');
    }
    hr_buf_clear(&line);
    wording_first_found(&line, r);
    hr_buf_appendf(out, "%s%s%s\n\n", line.len > 0 ? " " : "", hr_buf_str(&line),
                   line.len > 0 ? "." : "");
    if (r->finding_count > r->suppressed_count) {
        append_tally(r, out);
    }
    hr_buf_clear(&line);
    wording_traffic(&line, r);
    paragraph(out, NULL, hr_buf_str(&line));
    if (report_is_mostly_blind(r)) {
        hr_buf_clear(&line);
        quality_describe_blind(r, &line);
        hr_buf_append_str(out, "> **Warning:** ");
        md_text(out, hr_buf_str(&line));
        hr_buf_appendf(out, " %s\n\n", quality_blind_advice());
    }
    if (r->is_partial) {
        hr_buf_append_str(out, "> **Warning:** interrupted; only what had been read by then is in "
                               "this report.\n\n");
    }
    if (quality_behind_note(r) != NULL) {
        hr_buf_appendf(out, "> **Warning:** %s\n\n", quality_behind_note(r));
    }
    if (r->failed_rules > 0) {
        hr_buf_append_str(out, "> **Warning:** ");
        wording_count(out, r->failed_rules, "rule", "rules");
        hr_buf_append_str(out, " did not run.\n\n");
    }
    hr_buf_finish(&line);
}

/* ---- findings ---- */

static void append_evidence(const struct finding_view *f, bool with_file, struct hr_buf *out)
{
    struct evidence_view *evidence = wording_sorted_evidence(f);
    const hr_nsec first_at = wording_story_begin(f);
    hr_buf_appendf(out, "  | when | frame | stream |%s what |\n  | ---: | ---: | ---: |%s --- |\n",
                   with_file ? " capture |" : "", with_file ? " --- |" : "");
    for (size_t i = 0; i < f->evidence_count; i++) {
        const struct evidence_view *e = &evidence[i];
        char when[DISPLAY_OFFSET_SIZE] = "";
        if (e->at != HR_NSEC_INFINITE) {
            display_offset(hr_nsec_sub(e->at, first_at), when);
        }
        hr_buf_appendf(out, "  | %s |", when);
        if (e->frame > 0) {
            hr_buf_appendf(out, " %" PRId64 " | %" PRId64 " |", e->frame, e->stream);
        } else {
            hr_buf_append_str(out, " | |");
        }
        if (with_file) {
            hr_buf_append_char(out, ' ');
            md_text(out, e->capture != NULL ? display_file_name(e->capture) : "");
            hr_buf_append_str(out, " |");
        }
        hr_buf_append_str(out, " **");
        md_text(out, e->role);
        hr_buf_append_str(out, "** ");
        md_text(out, e->text);
        hr_buf_append_str(out, " |\n");
    }
    free(evidence);
}

static void append_further(const struct report *r, const struct finding_view *f, bool with_file,
                           struct hr_buf *out)
{
    struct hr_buf text;
    const char *capture;
    hr_buf_init(&text, SIZE_MAX);
    for (size_t i = 0; (capture = wording_capture(f, i)) != NULL; i++) {
        hr_buf_clear(&text);
        wording_filter(&text, f, capture);
        if (text.len > 0) {
            hr_buf_append_str(out, "\n  Wireshark: ");
            md_code(out, hr_buf_str(&text));
            if (with_file) {
                hr_buf_append_str(out, " in ");
                md_text(out, display_file_name(capture));
            }
            hr_buf_append_char(out, '\n');
        }
    }
    hr_buf_clear(&text);
    wording_evidence_command(&text, r->job.db_path, f->id);
    if (text.len > 0) {
        hr_buf_append_str(out, "\n  Its frames: ");
        md_code(out, hr_buf_str(&text));
        hr_buf_append_char(out, '\n');
    }
    hr_buf_finish(&text);
}

static void append_finding(const struct report *r, const struct finding_view *f, struct hr_buf *out)
{
    const bool with_file = r->capture_count > 1;
    char at[HR_TIME_TEXT_SIZE];
    const char *rest = f->caveats;
    struct hr_buf caveat;
    hr_buf_init(&caveat, SIZE_MAX);
    hr_buf_appendf(out, "- **&#35;<!-- -->%" PRId64 " %s** ", f->id, f->verdict);
    md_text(out, f->summary);
    hr_buf_appendf(out, "\n\n  from %s",
                   hr_local_format(wording_story_begin(f), HR_LOCAL_MICRO, at));
    if (f->client != NULL) {
        hr_buf_append_str(out, ", client ");
        md_text(out, f->client);
        hr_buf_appendf(out, " port %d", f->client_port);
    }
    if (f->session != NULL) {
        hr_buf_append_str(out, ", session ");
        md_text(out, f->session);
    }
    if (f->user != NULL) {
        hr_buf_append_str(out, f->session != NULL ? " of " : ", user ");
        md_text(out, f->user);
    }
    hr_buf_append_str(out, "\n\n");
    if (f->evidence_count > 0) {
        append_evidence(f, with_file, out);
    }
    while (caveats_next(&rest, &caveat)) {
        hr_buf_append_str(out, "\n  *But:* ");
        md_text(out, hr_buf_str(&caveat));
        hr_buf_append_char(out, '\n');
    }
    append_further(r, f, with_file, out);
    hr_buf_append_char(out, '\n');
    hr_buf_finish(&caveat);
}

/* Those behind the first few, one line each. */
static void append_rows(const struct report *r, const struct report_problem *p, size_t from,
                        bool all, struct hr_buf *out)
{
    char at[HR_TIME_TEXT_SIZE];
    const size_t to = all || p->count <= from + ROWS_SHOWN ? p->count : from + ROWS_SHOWN;
    hr_buf_appendf(out,
                   "<details><summary>%zu more</summary>\n\n"
                   "| finding | at | verdict | frame | stream | summary |\n"
                   "| ---: | --- | --- | ---: | ---: | --- |\n",
                   p->count - from);
    for (size_t i = from; i < to; i++) {
        const struct finding_view *f = p->findings[i];
        hr_buf_appendf(out, "| %" PRId64 " | %s | %s | %" PRId64 " | %" PRId64 " | ", f->id,
                       hr_local_format(f->at, HR_LOCAL_MICRO, at), f->verdict, f->frame, f->stream);
        md_text(out, f->summary);
        hr_buf_append_str(out, " |\n");
        report_spill(r, out);
    }
    if (to < p->count) {
        hr_buf_appendf(out, "\nand %zu more (--all)\n", p->count - to);
    }
    hr_buf_append_str(out, "\n</details>\n\n");
}

static void append_problem(const struct report *r, const struct report_problem *p, bool all,
                           struct hr_buf *out)
{
    const size_t shown = all || p->count <= FINDINGS_SHOWN + 1 ? p->count : FINDINGS_SHOWN;
    struct hr_buf known;
    hr_buf_append_str(out, "\n#### ");
    md_text(out, p->endpoint != NULL ? p->endpoint : "the whole site");
    hr_buf_append_str(out, " at ");
    md_text(out, p->site != NULL ? p->site : "(no site)");
    hr_buf_append_str(out, ": ");
    wording_verdicts(out, p);
    if (p->baseline != NULL) {
        hr_buf_appendf(out, " (%s)", p->baseline);
    }
    hr_buf_init(&known, SIZE_MAX);
    wording_known(&known, r, p->known_since);
    hr_buf_appendf(out, "%s%s", known.len > 0 ? "; " : "", hr_buf_str(&known));
    hr_buf_finish(&known);
    hr_buf_append_str(out, "\n\n");
    for (size_t i = 0; i < shown; i++) {
        append_finding(r, report_whole(r, p->findings[i]), out);
        report_spill(r, out);
    }
    if (shown < p->count) {
        append_rows(r, p, shown, all, out);
    }
}

static void append_rule(const struct report_problem *p, struct hr_buf *out)
{
    hr_buf_appendf(out, "\n### %s: ", p->severity);
    md_text(out, p->title);
    hr_buf_append_str(out, " (");
    md_code(out, p->rule);
    hr_buf_append_str(out, ")\n\n");
    if (p->about == NULL) {
        paragraph(out, NULL, p->findings[0]->explanation);
        return;
    }
    paragraph(out, "What it means", p->about->meaning);
    hr_buf_append_str(out,
                      "<details><summary>Typical cause, how to confirm, what looks alike</summary>"
                      "\n\n");
    paragraph(out, "Typical cause", p->about->cause);
    paragraph(out, "How to confirm", p->about->confirm);
    paragraph(out, "How to repair", p->about->repair);
    paragraph(out, "What looks like it", p->about->lookalikes);
    paragraph(out, "References", p->about->references);
    hr_buf_append_str(out, "</details>\n");
}

/* @return index behind the open problems */
static size_t append_findings(const struct report *r, const struct report_problems *p, bool all,
                              struct hr_buf *out)
{
    size_t i = 0;
    for (; i < p->count && !p->items[i].suppressed; i++) {
        if (i == 0) {
            hr_buf_append_str(out, "## Findings\n");
        }
        if (i == 0 || strcmp(p->items[i - 1].rule, p->items[i].rule) != 0) {
            append_rule(&p->items[i], out);
        }
        append_problem(r, &p->items[i], all, out);
        report_spill(r, out);
    }
    return i;
}

static void append_suppressed(const struct report_problems *p, size_t from, struct hr_buf *out)
{
    char at[HR_TIME_TEXT_SIZE];
    if (from == p->count) {
        return;
    }
    hr_buf_append_str(out,
                      "\n## Suppressed\n\n| finding | rule | site | summary | reason | owner | "
                      "until |\n| ---: | --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = from; i < p->count; i++) {
        for (size_t k = 0; k < p->items[i].count; k++) {
            const struct finding_view *f = p->items[i].findings[k];
            hr_buf_appendf(out, "| %" PRId64 " | ", f->id);
            md_text(out, f->rule);
            hr_buf_append_str(out, " | ");
            md_text(out, f->site);
            hr_buf_append_str(out, " | ");
            md_text(out, f->summary);
            hr_buf_append_str(out, " | ");
            md_text(out, f->suppression_reason);
            hr_buf_append_str(out, " | ");
            md_text(out, f->suppression_owner);
            hr_buf_appendf(out, " | %s |\n",
                           f->suppression_expires_at == HR_NSEC_INFINITE
                               ? "for ever"
                               : hr_local_format(f->suppression_expires_at, HR_LOCAL_MINUTE, at));
        }
    }
}

static void append_gone(const struct report *r, struct hr_buf *out)
{
    if (r->gone_count == 0) {
        return;
    }
    hr_buf_append_str(out, "\n## Gone since the baseline\n\n| rule | severity | verdict | site | "
                           "endpoint | findings |\n| --- | --- | --- | --- | --- | ---: |\n");
    for (size_t i = 0; i < r->gone_count; i++) {
        const struct baseline_entry *e = r->gone[i];
        const char *const cells[] = {e->rule, e->severity, e->verdict, e->site, e->endpoint};
        for (size_t k = 0; k < HR_ARRAY_LEN(cells); k++) {
            hr_buf_append_str(out, "| ");
            md_text(out, cells[k]);
            hr_buf_append_char(out, ' ');
        }
        hr_buf_appendf(out, "| %zu |\n", e->count);
    }
}

/* ---- the rest ---- */

static void append_trend(const struct overview *trend, struct hr_buf *out)
{
    struct hr_buf line;
    size_t position = 0;
    const char *heading = "\n## The last 30 days\n\n";
    hr_buf_init(&line, SIZE_MAX);
    while (trend != NULL && trend_next_line(trend, &position, &line)) {
        hr_buf_append_str(out, heading);
        heading = "";
        hr_buf_appendf(out, "- %s\n", hr_buf_str(&line));
    }
    hr_buf_finish(&line);
}

static void append_quality(const struct report *r, struct hr_buf *out)
{
    struct hr_buf line;
    hr_buf_init(&line, SIZE_MAX);
    hr_buf_append_str(out, "\n## What was captured\n\n");
    hr_buf_append_str(out, "| capture | format | frames | exchanges | "
                           "note |\n| --- | --- | ---: | ---: | --- |\n");
    for (size_t i = 0; i < r->capture_count; i++) {
        const struct capture_view *c = &r->captures[i];
        hr_buf_append_str(out, "| ");
        md_text(out, strcmp(c->path, "-") == 0 ? "standard input" : c->path);
        hr_buf_append_str(out, " | ");
        md_text(out, c->format);
        hr_buf_appendf(out, " | %" PRId64 " | %" PRId64 " | ", c->frames, c->exchanges);
        hr_buf_clear(&line);
        quality_describe_capture(c, &line);
        md_text(out, hr_buf_str(&line));
        hr_buf_append_str(out, " |\n");
    }
    hr_buf_append_char(out, '\n');
    if (quality_part_note(r) != NULL) {
        hr_buf_appendf(out, "%s\n\n", quality_part_note(r));
    }
    for (size_t i = 0; i < r->loss_count; i++) {
        hr_buf_clear(&line);
        quality_describe_loss(&r->losses[i], &line);
        hr_buf_append_str(out, "- ");
        md_text(out, hr_buf_str(&line));
        hr_buf_append_char(out, '\n');
    }
    for (size_t i = 0; quality_next_counter(r, &i, &line);) {
        hr_buf_append_str(out, "- ");
        md_text(out, hr_buf_str(&line));
        hr_buf_append_char(out, '\n');
    }
    if (quality_is_whole(r) && r->capture_count > 0) {
        hr_buf_append_str(out, "Nothing was lost, and nothing was unreadable.\n");
    }
    hr_buf_finish(&line);
}

static void append_rules(const struct report *r, struct hr_buf *out)
{
    hr_buf_append_str(out, "\n## Rules\n\n");
    hr_buf_append_str(out, "| rule | result | situation occurred |\n| --- | --- | ---: |\n");
    for (size_t i = 0; i < r->rule_count; i++) {
        const struct report_rule *rule = &r->rules[i];
        hr_buf_append_str(out, "| ");
        md_text(out, rule->id);
        hr_buf_append_str(out, " | ");
        if (rule->failure != NULL) {
            hr_buf_append_str(out, "did not run: ");
            md_text(out, rule->failure);
        } else if (rule->findings > 0) {
            wording_count(out, (uint64_t)rule->findings, "finding", "findings");
        } else {
            hr_buf_append_str(out, wording_rule_state(rule));
        }
        if (rule->exercised < 0) {
            hr_buf_append_str(out, " | not known |\n");
        } else {
            hr_buf_appendf(out, " | %" PRId64 " |\n", rule->exercised);
        }
    }
}

void report_md_render(const struct report *r, const struct overview *trend, bool all,
                      struct hr_buf *out)
{
    struct report_problems problems;
    struct hr_buf scope;
    char made[HR_TIME_TEXT_SIZE];
    hr_buf_init(&scope, SIZE_MAX);
    wording_scope(&scope, r);
    problems_load(&problems, r);
    hr_buf_append_str(out, "# Headrace: ");
    md_text(out, hr_buf_str(&scope));
    hr_buf_append_str(out, "\n\n");
    append_answer(r, out);
    size_t suppressed_from = append_findings(r, &problems, all, out);
    append_suppressed(&problems, suppressed_from, out);
    append_gone(r, out);
    append_trend(trend, out);
    append_quality(r, out);
    append_rules(r, out);
    hr_buf_appendf(out, "\nMade %s by headrace %s; times of the zone ",
                   hr_local_format(r->job.made_at, HR_LOCAL_SECOND, made),
                   r->job.version != NULL ? r->job.version : "");
    md_text(out, r->job.zone);
    hr_buf_append_str(out, ".\n");
    problems_finish(&problems);
    hr_buf_finish(&scope);
}
