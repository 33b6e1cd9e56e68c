#include "report/problem.h"

#include "base/alloc.h"
#include "report/rank.h"

#include <stdlib.h>
#include <string.h>

static int compare_text(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

/* Suppression is by occurrence, too: of one group some may be suppressed, and are then apart. */
static int compare_groups(const struct finding_view *a, const struct finding_view *b)
{
    int r = a->suppressed - b->suppressed;
    r = r != 0 ? r : compare_text(a->rule, b->rule);
    return r != 0 ? r : compare_text(a->group, b->group);
}

static int compare_findings(const void *x, const void *y)
{
    const struct finding_view *a = *(const struct finding_view *const *)x;
    const struct finding_view *b = *(const struct finding_view *const *)y;
    int r = compare_groups(a, b);
    r = r != 0 ? r : report_verdict_rank(b->verdict) - report_verdict_rank(a->verdict);
    r = r != 0 ? r : (a->at > b->at) - (a->at < b->at);
    return r != 0 ? r : compare_text(a->fingerprint, b->fingerprint);
}

/* Problems carry what their rule is sorted by, for qsort() has no argument for the others. */
struct sortable {
    struct report_problem problem;
    int rule_severity;
    int rule_verdict;
};

static int compare_problems(const void *x, const void *y)
{
    const struct sortable *a = x;
    const struct sortable *b = y;
    const struct report_problem *p = &a->problem;
    const struct report_problem *q = &b->problem;
    int r = p->suppressed - q->suppressed;
    r = r != 0 ? r : b->rule_severity - a->rule_severity;
    r = r != 0 ? r : b->rule_verdict - a->rule_verdict;
    r = r != 0 ? r : compare_text(p->rule, q->rule);
    r = r != 0 ? r : report_severity_rank(q->severity) - report_severity_rank(p->severity);
    r = r != 0 ? r : report_verdict_rank(q->verdict) - report_verdict_rank(p->verdict);
    r = r != 0 ? r : compare_text(p->site, q->site);
    r = r != 0 ? r : compare_text(p->endpoint, q->endpoint);
    return r != 0 ? r : compare_text(p->group, q->group);
}

static struct report_problem make_problem(const struct report *r, const struct finding_view **f,
                                          size_t count)
{
    const struct rule *about =
        r->job.rules != NULL ? rule_set_find(r->job.rules, f[0]->rule) : NULL;
    struct report_problem p = {
        .group = f[0]->group,
        .rule = f[0]->rule,
        .title = about != NULL ? about->title : f[0]->rule,
        .severity = f[0]->severity,
        .verdict = f[0]->verdict,
        .site = f[0]->site,
        .endpoint = f[0]->endpoint,
        .baseline = f[0]->baseline,
        .about = about,
        .known_since = f[0]->known_since,
        .suppressed = f[0]->suppressed,
        .first_at = f[0]->at,
        .last_at = f[0]->at,
        .findings = f,
        .count = count,
    };
    for (size_t i = 0; i < count; i++) {
        if (report_severity_rank(f[i]->severity) > report_severity_rank(p.severity)) {
            p.severity = f[i]->severity;
        }
        p.verdicts[report_verdict_rank(f[i]->verdict)]++;
        p.first_at = f[i]->at < p.first_at ? f[i]->at : p.first_at;
        p.last_at = f[i]->at > p.last_at ? f[i]->at : p.last_at;
    }
    return p;
}

/* Problems of one rule stand together already; each gets what the worst of them has. */
static void weigh_rules(struct sortable *s, size_t count)
{
    for (size_t from = 0, to; from < count; from = to) {
        int severity = 0;
        int verdict = 0;
        for (to = from; to < count && s[to].problem.suppressed == s[from].problem.suppressed &&
                        strcmp(s[to].problem.rule, s[from].problem.rule) == 0;
             to++) {
            int x = report_severity_rank(s[to].problem.severity);
            int y = report_verdict_rank(s[to].problem.verdict);
            severity = x > severity ? x : severity;
            verdict = y > verdict ? y : verdict;
        }
        for (size_t i = from; i < to; i++) {
            s[i].rule_severity = severity;
            s[i].rule_verdict = verdict;
        }
    }
}

void problems_load(struct report_problems *p, const struct report *r)
{
    struct sortable *sorted = hr_xcalloc(r->finding_count + 1, sizeof(*sorted));
    *p = (struct report_problems){.count = 0};
    p->findings = hr_xcalloc(r->finding_count + 1, sizeof(*p->findings));
    for (size_t i = 0; i < r->finding_count; i++) {
        p->findings[i] = &r->findings[i];
    }
    if (r->finding_count > 0) {
        qsort(p->findings, r->finding_count, sizeof(*p->findings), compare_findings);
    }
    for (size_t from = 0, to; from < r->finding_count; from = to) {
        for (to = from + 1;
             to < r->finding_count && compare_groups(p->findings[from], p->findings[to]) == 0;
             to++) {
        }
        sorted[p->count++].problem = make_problem(r, &p->findings[from], to - from);
    }
    weigh_rules(sorted, p->count);
    if (p->count > 0) {
        qsort(sorted, p->count, sizeof(*sorted), compare_problems);
    }
    p->items = hr_xcalloc(p->count + 1, sizeof(*p->items));
    for (size_t i = 0; i < p->count; i++) {
        p->items[i] = sorted[i].problem;
    }
    free(sorted);
}

void problems_finish(struct report_problems *p)
{
    free(p->items);
    free(p->findings);
}
