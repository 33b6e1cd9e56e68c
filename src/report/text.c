#include "report/text.h"

#include "base/alloc.h"
#include "base/text.h"
#include "report/quality.h"
#include "report/rank.h"
#include "report/trend.h"
#include "report/wording.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    FINDINGS_SHOWN = 3, /* of a group, without --all */
    GROUPS_SHOWN = 8,   /* of one rule at one site, without --all */
    SUPPRESSED_SHOWN = 10,
    INDENT = 4,
    EVIDENCE_INDENT = 8,
};

static const char *plural(uint64_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}

/* Findings that nobody accepted; they stand before the suppressed ones. */
static size_t open_count(const struct report *r)
{
    return r->finding_count - r->suppressed_count;
}

/* "2 high", in the order of the words' ranks, worst first. */
static void append_tally(const struct report *r, struct hr_buf *out, const char *const *words,
                         size_t word_count, const char *(*word_of)(const struct finding_view *))
{
    bool is_first = true;
    for (size_t w = 0; w < word_count; w++) {
        uint64_t n = 0;
        for (size_t i = 0; i < open_count(r); i++) {
            n += strcmp(word_of(&r->findings[i]), words[w]) == 0 ? 1 : 0;
        }
        if (n > 0) {
            hr_buf_appendf(out, "%s%" PRIu64 " %s", is_first ? "" : ", ", n, words[w]);
            is_first = false;
        }
    }
}

static const char *severity_of(const struct finding_view *f)
{
    return f->severity;
}

static const char *verdict_of(const struct finding_view *f)
{
    return f->verdict;
}

static void append_traffic(const struct report *r, struct hr_buf *out)
{
    hr_buf_appendf(out, "%" PRIu64 " %s, %" PRIu64 " %s, %" PRIu64 " %s", r->exchanges,
                   plural(r->exchanges, "exchange", "exchanges"), r->sessions,
                   plural(r->sessions, "session", "sessions"), r->sites,
                   plural(r->sites, "site", "sites"));
    if (r->first_at != HR_NSEC_INFINITE && r->exchanges > 0) {
        hr_buf_append_str(out, "; ");
        wording_times(out, r);
    }
    hr_buf_append_str(out, "\n");
}

/* Which part of the store this is about; nothing where it is all of it. */
static void append_scope(const struct report *r, struct hr_buf *out)
{
    struct hr_buf line;
    if (!report_is_part(r)) {
        return;
    }
    hr_buf_init(&line, SIZE_MAX);
    wording_scope(&line, r);
    if (r->job.zone != NULL) {
        hr_buf_appendf(&line, "; zone of days: %s", r->job.zone);
    }
    paint_foreign(out, hr_buf_str(&line));
    hr_buf_append_char(out, '\n');
    hr_buf_finish(&line);
}

/* What the answer is worth, before it is given. */
static void append_warnings(const struct report *r, const struct report_text_options *o,
                            struct hr_buf *out)
{
    if (report_is_mostly_blind(r)) {
        quality_append_blind(r, &o->paint, out);
        hr_buf_append_char(out, '\n');
    }
    if (r->is_partial) {
        paint_text(&o->paint, out, COLOR_YELLOW,
                   "Interrupted: only what had been read by then is in this report.\n");
    }
    if (quality_behind_note(r) != NULL) {
        paint_begin(&o->paint, out, COLOR_YELLOW);
        paint_wrapped(&o->paint, out, quality_behind_note(r), 0, 0);
        paint_end(&o->paint, out, COLOR_YELLOW);
    }
    if (r->failed_rules > 0) {
        paint_begin(&o->paint, out, COLOR_RED);
        hr_buf_appendf(out, "%zu %s did not run: what %s is not in this report.\n", r->failed_rules,
                       plural(r->failed_rules, "rule", "rules"),
                       plural(r->failed_rules, "it looks for", "they look for"));
        paint_end(&o->paint, out, COLOR_RED);
    }
}

static void append_baseline(const struct report *r, struct hr_buf *out)
{
    if (r->job.baseline == NULL) {
        return;
    }
    hr_buf_append_str(out, "Compared with ");
    paint_foreign(out, r->job.baseline->name);
    hr_buf_appendf(out, ": %zu of them %s new, %zu %s gone\n", r->new_count,
                   plural(r->new_count, "is", "are"), r->gone_count,
                   plural(r->gone_count, "problem is", "problems are"));
}

static void append_answer(const struct report *r, const struct report_text_options *o,
                          struct hr_buf *out)
{
    static const char *const severities[] = {"critical", "high", "medium", "low"};
    static const char *const verdicts[] = {"proven", "contradiction", "suspect"};
    append_scope(r, out);
    append_warnings(r, o, out);
    if (open_count(r) == 0) {
        const bool is_clean = r->exchanges > 0 && r->failed_rules == 0;
        paint_text(&o->paint, out, is_clean ? COLOR_GREEN : COLOR_YELLOW,
                   r->exchanges == 0 ? "No HTTP exchange was found"
                   : is_clean        ? "No findings"
                                     : "No findings of the rules that ran");
    } else {
        paint_begin(&o->paint, out, COLOR_BOLD);
        hr_buf_appendf(out, "%zu %s", open_count(r), plural(open_count(r), "finding", "findings"));
        paint_end(&o->paint, out, COLOR_BOLD);
        hr_buf_append_str(out, ": ");
        append_tally(r, out, severities, HR_ARRAY_LEN(severities), severity_of);
        hr_buf_append_str(out, "; ");
        append_tally(r, out, verdicts, HR_ARRAY_LEN(verdicts), verdict_of);
    }
    if (r->suppressed_count > 0) {
        hr_buf_appendf(out, "%s%zu suppressed", open_count(r) == 0 ? "; " : "; and ",
                       r->suppressed_count);
    }
    hr_buf_append_str(out, "\n");
    if (r->run != NULL && r->run->rules.new_findings < r->finding_count) {
        hr_buf_appendf(out, "%zu of them %s new in this run\n", r->run->rules.new_findings,
                       plural(r->run->rules.new_findings, "is", "are"));
    }
    const size_t before = out->len;
    wording_first_found(out, r);
    hr_buf_append_str(out, out->len > before ? "\n" : "");
    append_baseline(r, out);
    append_traffic(r, out);
}

/* ---- groups ---- */

static void append_rule_head(const struct report *r, const struct report_group *g,
                             const struct report_paint *paint, struct hr_buf *out)
{
    struct hr_buf severity;
    hr_buf_init(&severity, SIZE_MAX);
    for (const char *c = g->severity; *c != '\0'; c++) {
        hr_buf_append_char(&severity, (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c));
    }
    hr_buf_append_char(out, '\n');
    paint_text(paint, out, paint_severity_color(g->severity), hr_buf_str(&severity));
    hr_buf_append_str(out, "  ");
    paint_text(paint, out, COLOR_BOLD, g->title);
    hr_buf_appendf(out, "  (%s)\n", g->rule);
    const char *explanation = r->findings[g->first].explanation;
    if (explanation != NULL && explanation[0] != '\0') {
        hr_buf_append_str(out, "  ");
        paint_begin(paint, out, COLOR_DIM);
        paint_wrapped(paint, out, explanation, 2, 2);
        paint_end(paint, out, COLOR_DIM);
    }
    hr_buf_finish(&severity);
}

static void append_group(const struct report *r, const struct report_group *g,
                         const struct report_text_options *o, struct hr_buf *out)
{
    bool with_file = r->capture_count > 1;
    struct hr_buf known;
    hr_buf_init(&known, SIZE_MAX);
    hr_buf_append_str(out, "  ");
    paint_foreign(out, g->site != NULL ? g->site : "(no site)");
    if (g->session != NULL) {
        hr_buf_append_str(out, ", session ");
        paint_foreign(out, g->session);
    }
    if (g->user != NULL) {
        hr_buf_append_str(out, g->session != NULL ? " of " : ", user ");
        paint_foreign(out, g->user);
    }
    hr_buf_append_str(out, "\n");
    size_t shown = o->all || g->count <= FINDINGS_SHOWN + 1 ? g->count : FINDINGS_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        const struct finding_view *f = report_whole(r, &r->findings[g->first + i]);
        if (wording_is_known(r, f->known_since)) {
            wording_known(&known, r, f->known_since);
        }
        report_text_finding(f, hr_buf_str(&known), &o->paint, with_file, out);
        hr_buf_clear(&known);
        report_spill(r, out);
    }
    if (shown < g->count) {
        hr_buf_appendf(out, "%*s%s and %zu more (--all)\n", INDENT, "",
                       o->paint.has_unicode ? "…" : "...", g->count - shown);
    }
    hr_buf_finish(&known);
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static void append_groups(const struct report *r, const struct report_text_options *o,
                          struct hr_buf *out)
{
    size_t at_site = 0; /* groups of this rule and site so far */
    size_t folded = 0;  /* and findings in those not shown */
    for (size_t i = 0; i < r->group_count; i++) {
        const struct report_group *g = &r->groups[i];
        if (g->suppressed) {
            break; /* the rest is, too */
        }
        const struct report_group *before = i > 0 ? g - 1 : NULL;
        const struct report_group *after =
            i + 1 < r->group_count && !g[1].suppressed ? g + 1 : NULL;
        if (before == NULL || !same_text(before->rule, g->rule) ||
            !same_text(before->severity, g->severity)) {
            append_rule_head(r, g, &o->paint, out);
            at_site = 0;
        } else if (!same_text(before->site, g->site)) {
            at_site = 0;
        }
        at_site++;
        if (o->all || at_site <= GROUPS_SHOWN) {
            append_group(r, g, o, out);
        } else {
            folded += g->count;
        }
        bool is_last =
            after == NULL || !same_text(after->rule, g->rule) || !same_text(after->site, g->site);
        if (is_last && folded > 0) {
            hr_buf_appendf(out, "  %s and %zu more in other sessions of this site (--all)\n",
                           o->paint.has_unicode ? "…" : "...", folded);
            folded = 0;
        }
    }
}

/* ---- suppressed findings ---- */

static void append_suppressed(const struct report *r, const struct report_text_options *o,
                              struct hr_buf *out)
{
    if (r->suppressed_count == 0) {
        return;
    }
    const size_t shown = o->all || r->suppressed_count <= SUPPRESSED_SHOWN + 1 ? r->suppressed_count
                                                                               : SUPPRESSED_SHOWN;
    paint_text(&o->paint, out, COLOR_BOLD, "\nSuppressed\n");
    for (size_t i = open_count(r); i < open_count(r) + shown; i++) {
        const struct finding_view *f = &r->findings[i];
        struct hr_buf line;
        hr_buf_init(&line, SIZE_MAX);
        hr_buf_appendf(&line, "#%" PRId64 " %s, %s %s at %s: %s", f->id, f->rule, f->severity,
                       f->verdict, f->site != NULL ? f->site : "(no site)", f->summary);
        hr_buf_append_str(out, "  ");
        paint_wrapped(&o->paint, out, hr_buf_str(&line), 2, EVIDENCE_INDENT);
        report_text_suppression(f, &o->paint, INDENT, out);
        hr_buf_finish(&line);
    }
    if (shown < r->suppressed_count) {
        hr_buf_appendf(out, "  %s and %zu more (--all)\n", o->paint.has_unicode ? "…" : "...",
                       r->suppressed_count - shown);
    }
}

/* ---- the rest ---- */

static void append_gone(const struct report *r, const struct report_text_options *o,
                        struct hr_buf *out)
{
    if (r->gone_count == 0) {
        return;
    }
    paint_text(&o->paint, out, COLOR_BOLD, "\nGone since the baseline\n");
    for (size_t i = 0; i < r->gone_count; i++) {
        const struct baseline_entry *e = r->gone[i];
        struct hr_buf line;
        hr_buf_init(&line, SIZE_MAX);
        hr_buf_appendf(&line, "%s, %s %s at %s%s%s, %zu %s", e->rule, e->severity, e->verdict,
                       e->site != NULL ? e->site : "(no site)", e->endpoint != NULL ? " " : "",
                       e->endpoint != NULL ? e->endpoint : "", e->count,
                       plural(e->count, "finding", "findings"));
        hr_buf_append_str(out, "  ");
        paint_wrapped(&o->paint, out, hr_buf_str(&line), 2, EVIDENCE_INDENT);
        hr_buf_finish(&line);
    }
}

static void append_trend(const struct report_text_options *o, struct hr_buf *out)
{
    struct hr_buf line;
    size_t position = 0;
    const char *heading = "\nThe last 30 days\n";
    hr_buf_init(&line, SIZE_MAX);
    while (o->trend != NULL && trend_next_line(o->trend, &position, &line)) {
        paint_text(&o->paint, out, COLOR_BOLD, heading);
        heading = "";
        hr_buf_append_str(out, "  ");
        paint_wrapped(&o->paint, out, hr_buf_str(&line), 2, 4);
    }
    hr_buf_finish(&line);
}

static void append_rules(const struct report *r, const struct report_text_options *o,
                         struct hr_buf *out)
{
    paint_text(&o->paint, out, COLOR_BOLD, "\nRules\n");
    for (size_t i = 0; i < r->rule_count; i++) {
        const struct report_rule *rule = &r->rules[i];
        hr_buf_appendf(out, "  %-28s", rule->id);
        if (rule->failure != NULL) {
            paint_text(&o->paint, out, COLOR_RED, "did not run: ");
            paint_wrapped(&o->paint, out, rule->failure, 43, 4);
            continue;
        }
        if (rule->findings > 0) {
            hr_buf_appendf(out, "%" PRId64 " %s", rule->findings,
                           plural((uint64_t)rule->findings, "finding", "findings"));
        } else if (rule->exercised > 0) {
            paint_text(&o->paint, out, COLOR_GREEN, "clean");
        } else if (rule->exercised == 0) {
            hr_buf_append_str(out, "not exercised: its situation did not occur");
        } else {
            hr_buf_append_str(out,
                              "no finding; it does not tell how often its situation occurred here");
        }
        if (rule->exercised > 0) {
            hr_buf_appendf(out, ", its situation occurred %" PRId64 " %s", rule->exercised,
                           plural((uint64_t)rule->exercised, "time", "times"));
        }
        hr_buf_append_char(out, '\n');
    }
}

static void append_command(const struct report *r, const char *command, struct hr_buf *out)
{
    struct hr_buf line;
    hr_buf_init(&line, SIZE_MAX);
    wording_command(&line, r, command);
    hr_buf_append_str(out, "  ");
    paint_foreign(out, hr_buf_str(&line));
    hr_buf_append_char(out, '\n');
    hr_buf_finish(&line);
}

static void append_further(const struct report *r, const struct report_text_options *o,
                           struct hr_buf *out)
{
    char command[128];
    struct hr_buf evidence;
    if (r->job.db_path == NULL || r->finding_count == 0) {
        return;
    }
    const struct finding_view *f = &r->findings[0];
    paint_text(&o->paint, out, COLOR_BOLD, "\nLook further\n");
    snprintf(command, sizeof(command), "headrace show finding %" PRId64, f->id);
    append_command(r, command, out);
    hr_buf_appendf(out, "  headrace rules explain %s\n", f->rule);
    if (f->session != NULL) {
        snprintf(command, sizeof(command), "headrace show session %s", f->session);
        append_command(r, command, out);
    }
    hr_buf_init(&evidence, SIZE_MAX);
    wording_evidence_command(&evidence, r->job.db_path, f->id);
    hr_buf_append_str(out, "  ");
    paint_foreign(out, hr_buf_str(&evidence));
    hr_buf_append_char(out, '\n');
    hr_buf_finish(&evidence);
}

void report_text_render(const struct report *r, const struct report_text_options *options,
                        struct hr_buf *out)
{
    append_answer(r, options, out);
    append_groups(r, options, out);
    append_suppressed(r, options, out);
    append_gone(r, options, out);
    append_trend(options, out);
    quality_append(r, &options->paint, out);
    append_rules(r, options, out);
    append_further(r, options, out);
}
