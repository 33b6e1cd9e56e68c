#include "report/model.h"

#include "base/alloc.h"
#include "base/counter.h"
#include "report/rank.h"
#include "report/whole.h"
#include "store/read_report.h"

#include <stdlib.h>
#include <string.h>

void report_copy_finding(struct hr_arena *a, const struct finding_view *from,
                         struct finding_view *ret_copy)
{
    struct finding_view f = *from;
    const char **texts[] = {&f.rule,
                            &f.severity,
                            &f.verdict,
                            &f.site,
                            &f.user,
                            &f.session,
                            &f.client,
                            &f.method,
                            &f.target,
                            &f.capture,
                            &f.summary,
                            &f.caveats,
                            &f.explanation,
                            &f.fingerprint,
                            &f.group,
                            &f.baseline,
                            &f.suppression_reason,
                            &f.suppression_owner,
                            &f.endpoint};
    for (size_t i = 0; i < HR_ARRAY_LEN(texts); i++) {
        *texts[i] = hr_arena_text(a, *texts[i]);
    }
    struct evidence_view *evidence = hr_arena_alloc(a, (f.evidence_count + 1) * sizeof(*evidence));
    for (size_t i = 0; i < f.evidence_count; i++) {
        evidence[i] = from->evidence[i];
        evidence[i].role = hr_arena_text(a, evidence[i].role);
        evidence[i].capture = hr_arena_text(a, evidence[i].capture);
        evidence[i].text = hr_arena_text(a, evidence[i].text);
    }
    f.evidence = evidence;
    *ret_copy = f;
}

/* Grows like a vector; freed in report_finish(). */
static void *push(void **items, size_t *count, size_t item_bytes)
{
    *items = hr_xgrow(*items, *count, item_bytes);
    return (char *)*items + (*count)++ * item_bytes;
}

struct finding_reader {
    struct report *report;
    const struct rule_set *rules;
    struct report_texts texts;
};

/* A rule that was switched off for this run has nothing to say in its report. */
static int add_finding(const struct finding_view *x, void *user)
{
    struct finding_reader *reader = user;
    struct report *r = reader->report;
    const struct rule *rule = rule_set_find(reader->rules, x->rule);
    if (rule != NULL && !rule->enabled) {
        return 0;
    }
    void *items = r->findings;
    struct finding_view *f = push(&items, &r->finding_count, sizeof(*f));
    r->findings = items;
    report_texts_copy(&reader->texts, x, f);
    r->suppressed_count += x->suppressed;
    return 0;
}

static int add_capture(const struct capture_view *x, void *user)
{
    struct report *r = user;
    void *items = r->captures;
    struct capture_view *c = push(&items, &r->capture_count, sizeof(*c));
    r->captures = items;
    *c = *x;
    c->path = hr_arena_text(&r->arena, x->path);
    c->format = hr_arena_text(&r->arena, x->format);
    c->link_type = hr_arena_text(&r->arena, x->link_type);
    c->time_source = hr_arena_text(&r->arena, x->time_source);
    c->error = hr_arena_text(&r->arena, x->error);
    c->comments = hr_arena_text(&r->arena, x->comments);
    r->captured_bytes += x->size_bytes > 0 ? (uint64_t)x->size_bytes : 0;
    return 0;
}

static struct report_loss *loss_of_kind(struct report *r, const char *kind)
{
    for (size_t i = 0; i < r->loss_count; i++) {
        if (strcmp(r->losses[i].kind, kind) == 0) {
            return &r->losses[i];
        }
    }
    void *items = r->losses;
    struct report_loss *sum = push(&items, &r->loss_count, sizeof(*sum));
    r->losses = items;
    *sum = (struct report_loss){.kind = hr_arena_text(&r->arena, kind)};
    return sum;
}

static int add_loss(const struct loss_view *x, void *user)
{
    struct report *r = user;
    const struct read_filter *f = &r->job.filter;
    struct report_loss *sum = loss_of_kind(r, x->kind);
    hr_count_add(&sum->bytes, x->bytes);
    hr_count_add(&sum->count, x->count);
    if (f->site != NULL && x->server == NULL) {
        hr_count_add(&sum->all_sites, x->count);
    }
    const bool is_beyond =
        x->from_at < f->since || (f->until != HR_NSEC_INFINITE && x->to_at >= f->until);
    hr_count_add(&sum->beyond_span, is_beyond ? x->count : 0);
    sum->hides_exchanges = sum->hides_exchanges || x->hides_exchanges;
    if (strcmp(x->kind, "tls") == 0 || strcmp(x->kind, "http2") == 0) {
        r->blind_bytes += (uint64_t)x->bytes;
        r->blind_connections += (uint64_t)x->count;
        r->blind_beyond += is_beyond ? (uint64_t)x->count : 0;
    }
    return 0;
}

static int add_rule_run(const struct rule_run_view *x, void *user)
{
    struct report *r = user;
    for (size_t i = 0; i < r->rule_count; i++) {
        if (strcmp(r->rules[i].id, x->rule) == 0) {
            r->rules[i].exercised = x->exercised;
        }
    }
    return 0;
}

/* Why the rule did not run in this run, or NULL. */
static const char *failure_of(const struct report *r, const char *rule)
{
    const size_t count = r->run != NULL ? r->run->rules.broken : 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(r->run->rules.failures[i].rule, rule) == 0) {
            return r->run->rules.failures[i].message;
        }
    }
    return NULL;
}

/* Of rules whose findings are left out nothing is said: they would look clean. */
static void list_rules(struct report *r, const struct rule_set *rules)
{
    const int least = report_severity_rank(r->job.filter.min_severity);
    r->rules = hr_xcalloc(rules->count + 1, sizeof(*r->rules));
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *from = &rules->rules[i];
        if (from->enabled && report_severity_rank(from->severity) >= least) {
            r->rules[r->rule_count++] =
                (struct report_rule){.id = hr_arena_text(&r->arena, from->id),
                                     .title = hr_arena_text(&r->arena, from->title),
                                     .failure = failure_of(r, from->id),
                                     .rule = from};
            r->failed_rules += r->rules[r->rule_count - 1].failure != NULL;
        }
    }
    for (size_t i = 0; i < r->finding_count; i++) {
        for (size_t k = 0; k < r->rule_count; k++) {
            r->rules[k].findings += strcmp(r->rules[k].id, r->findings[i].rule) == 0 ? 1 : 0;
        }
    }
}

static int compare_text(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

/* Same rule, site and session stand together. */
static int compare_place(const struct finding_view *a, const struct finding_view *b)
{
    int r = a->suppressed - b->suppressed;
    r = r != 0 ? r : compare_text(a->rule, b->rule);
    r = r != 0 ? r : compare_text(a->site, b->site);
    return r != 0 ? r : compare_text(a->session, b->session);
}

static int compare_findings(const void *x, const void *y)
{
    const struct finding_view *a = x;
    const struct finding_view *b = y;
    int r = compare_place(a, b);
    r = r != 0 ? r : report_verdict_rank(b->verdict) - report_verdict_rank(a->verdict);
    r = r != 0 ? r : (a->at > b->at) - (a->at < b->at);
    return r != 0 ? r : (a->id > b->id) - (a->id < b->id);
}

static const struct finding_view *group_head(const struct report *r, const struct report_group *g)
{
    return &r->findings[g->first];
}

/* qsort() has no argument for the report: groups carry what they are sorted by. */
struct sortable_group {
    struct report_group group;
    int severity;
    int verdict;
    hr_nsec at;
};

static int compare_groups(const void *x, const void *y)
{
    const struct sortable_group *a = x;
    const struct sortable_group *b = y;
    int r = a->group.suppressed - b->group.suppressed;
    r = r != 0 ? r : b->severity - a->severity;
    r = r != 0 ? r : b->verdict - a->verdict;
    r = r != 0 ? r : compare_text(a->group.rule, b->group.rule);
    r = r != 0 ? r : compare_text(a->group.site, b->group.site);
    r = r != 0 ? r : (a->at > b->at) - (a->at < b->at);
    return r != 0 ? r : compare_text(a->group.session, b->group.session);
}

/* A group's worst severity and surest verdict, and its first time. */
static struct sortable_group weigh(const struct report *r, struct report_group g)
{
    struct sortable_group s = {.group = g, .severity = -1, .verdict = -1, .at = HR_NSEC_INFINITE};
    for (size_t i = g.first; i < g.first + g.count; i++) {
        const struct finding_view *f = &r->findings[i];
        if (report_severity_rank(f->severity) > s.severity) {
            s.severity = report_severity_rank(f->severity);
            s.group.severity = f->severity;
        }
        if (report_verdict_rank(f->verdict) > s.verdict) {
            s.verdict = report_verdict_rank(f->verdict);
            s.group.verdict = f->verdict;
        }
        if (g.session != NULL) {
            s.group.user = s.group.user != NULL ? s.group.user : f->user;
        } else if (i == g.first) {
            s.group.user = f->user;
        } else if (compare_text(s.group.user, f->user) != 0) {
            s.group.user = NULL; /* several */
        }
        s.at = f->at < s.at ? f->at : s.at;
    }
    return s;
}

static const char *title_of(const struct rule_set *rules, const char *id)
{
    const struct rule *rule = rule_set_find(rules, id);
    return rule != NULL ? rule->title : id;
}

/* Findings are put into the order of the sorted groups, so that a report is read front to back. */
static void reorder(struct report *r, const struct sortable_group *sorted)
{
    struct finding_view *findings = hr_xcalloc(r->finding_count + 1, sizeof(*findings));
    size_t n = 0;
    for (size_t i = 0; i < r->group_count; i++) {
        struct report_group g = sorted[i].group;
        memcpy(&findings[n], group_head(r, &g), g.count * sizeof(*findings));
        g.first = n;
        n += g.count;
        r->groups[i] = g;
    }
    free(r->findings);
    r->findings = findings;
}

static void group_findings(struct report *r, const struct rule_set *rules)
{
    struct sortable_group *sorted = hr_xcalloc(r->finding_count + 1, sizeof(*sorted));
    r->groups = hr_xcalloc(r->finding_count + 1, sizeof(*r->groups));
    if (r->finding_count > 0) {
        qsort(r->findings, r->finding_count, sizeof(*r->findings), compare_findings);
    }
    for (size_t from = 0, to; from < r->finding_count; from = to) {
        const struct finding_view *f = &r->findings[from];
        for (to = from + 1; to < r->finding_count && compare_place(f, &r->findings[to]) == 0;
             to++) {
        }
        struct report_group g = {.rule = f->rule,
                                 .title = hr_arena_text(&r->arena, title_of(rules, f->rule)),
                                 .site = f->site,
                                 .session = f->session,
                                 .suppressed = f->suppressed,
                                 .first = from,
                                 .count = to - from};
        sorted[r->group_count++] = weigh(r, g);
    }
    if (r->group_count > 0) {
        qsort(sorted, r->group_count, sizeof(*sorted), compare_groups);
    }
    reorder(r, sorted);
    free(sorted);
}

static int add_known(const char *group, hr_nsec first_at, void *user)
{
    struct report *r = user;
    void *items = r->known;
    struct report_known *k = push(&items, &r->known_count, sizeof(*k));
    r->known = items;
    *k = (struct report_known){hr_arena_text(&r->arena, group), first_at};
    return 0;
}

static int compare_known(const void *group, const void *known)
{
    return strcmp(group, ((const struct report_known *)known)->group);
}

static void tell_known(struct report *r)
{
    for (size_t i = 0; i < r->finding_count && r->known_count > 0; i++) {
        const struct report_known *k = bsearch(r->findings[i].group, r->known, r->known_count,
                                               sizeof(*r->known), compare_known);
        r->findings[i].known_since = k != NULL ? k->first_at : HR_NSEC_INFINITE;
    }
}

bool report_ran_rule(const struct report *r, const char *rule)
{
    for (size_t i = 0; i < r->rule_count; i++) {
        if (strcmp(r->rules[i].id, rule) == 0) {
            return r->rules[i].failure == NULL;
        }
    }
    return false;
}

static int compare_gone(const void *x, const void *y)
{
    const struct baseline_entry *a = *(const struct baseline_entry *const *)x;
    const struct baseline_entry *b = *(const struct baseline_entry *const *)y;
    int r = report_severity_rank(b->severity) - report_severity_rank(a->severity);
    r = r != 0 ? r : report_verdict_rank(b->verdict) - report_verdict_rank(a->verdict);
    r = r != 0 ? r : compare_text(a->rule, b->rule);
    return r != 0 ? r : compare_text(a->group, b->group);
}

/* Whether this report would show that problem if it were still there. */
static bool is_looked_for(const struct report *r, const struct baseline_entry *e)
{
    const struct read_filter *f = &r->job.filter;
    return !e->suppressed && report_ran_rule(r, e->rule) &&
           (f->site == NULL || compare_text(f->site, e->site) == 0) &&
           report_severity_rank(e->severity) >= report_severity_rank(f->min_severity);
}

/* Problems are compared, not occurrences. */
static void compare_with_baseline(struct report *r)
{
    const struct report_baseline *b = r->job.baseline;
    if (b == NULL) {
        return;
    }
    bool *is_there = hr_xcalloc(b->count + 1, sizeof(*is_there));
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct baseline_entry *e = baseline_find(b, r->findings[i].group);
        r->findings[i].baseline = e != NULL ? "unchanged" : "new";
        r->new_count += e == NULL && !r->findings[i].suppressed ? 1 : 0;
        if (e != NULL) {
            is_there[e - b->entries] = true;
        }
    }
    r->gone = hr_xcalloc(b->count + 1, sizeof(*r->gone));
    for (size_t i = 0; i < b->count; i++) {
        if (!is_there[i] && is_looked_for(r, &b->entries[i])) {
            r->gone[r->gone_count++] = &b->entries[i];
        }
    }
    if (r->gone_count > 0) {
        qsort(r->gone, r->gone_count, sizeof(*r->gone), compare_gone);
    }
    free(is_there);
}

bool report_is_part(const struct report *r)
{
    const struct read_filter *f = &r->job.filter;
    return f->site != NULL || f->min_severity != NULL || f->since != INT64_MIN ||
           f->until != HR_NSEC_INFINITE;
}

/* How much the report is about: of the whole store what the store knows, else what is counted. */
static int load_counts(struct report *r, struct store *s)
{
    const struct read_filter *f = &r->job.filter;
    struct store_info info;
    struct scope_counts counts;
    int err = store_get_info(s, &info);
    if (err < 0) {
        return err;
    }
    r->first_at = info.first_at;
    r->last_at = info.last_at;
    if (f->site == NULL && f->since == INT64_MIN && f->until == HR_NSEC_INFINITE) {
        r->exchanges = (uint64_t)info.exchanges;
        r->sites = (uint64_t)info.sites;
        r->sessions = (uint64_t)info.sessions;
        return 0;
    }
    err = read_scope_counts(s, f, &counts);
    if (err < 0) {
        return err;
    }
    r->exchanges = (uint64_t)counts.exchanges;
    r->sites = (uint64_t)counts.sites;
    r->sessions = (uint64_t)counts.sessions;
    return 0;
}

/* A part of the store begins and ends with what was captured in its span. */
static void clip_times(struct report *r)
{
    const struct read_filter *f = &r->job.filter;
    if (f->since == INT64_MIN && f->until == HR_NSEC_INFINITE) {
        return;
    }
    r->first_at = HR_NSEC_INFINITE;
    r->last_at = INT64_MIN;
    for (size_t i = 0; i < r->capture_count; i++) {
        const struct capture_view *c = &r->captures[i];
        if (c->first_at != HR_NSEC_INFINITE) {
            r->first_at = c->first_at < r->first_at ? c->first_at : r->first_at;
            r->last_at = c->last_at > r->last_at ? c->last_at : r->last_at;
        }
    }
    if (r->first_at != HR_NSEC_INFINITE) {
        r->first_at = r->first_at > f->since ? r->first_at : f->since;
        r->last_at = r->last_at < f->until ? r->last_at : f->until;
    } else {
        r->last_at = HR_NSEC_INFINITE;
    }
}

int report_load(struct report *r, struct store *s, const struct report_job *job)
{
    *r = (struct report){.run = job->run, .job = *job, .whole = report_whole_create(s)};
    hr_arena_init(&r->arena);
    int err = load_counts(r, s);
    if (err == 0) {
        struct finding_reader reader = {r, job->rules, {.arena = &r->arena}};
        err = read_finding_heads(s, &job->filter, add_finding, &reader);
        report_texts_finish(&reader.texts);
    }
    err = err == 0 ? read_captures(s, &job->filter, add_capture, r) : err;
    err = err == 0 ? read_losses(s, &job->filter, add_loss, r) : err;
    err = err == 0 ? read_problems_known(s, add_known, r) : err;
    err = err == 0 ? read_scope_is_behind(s, &job->filter, &r->is_behind) : err;
    if (err == 0) {
        list_rules(r, job->rules);
        err = read_scope_rule_runs(s, &job->filter, add_rule_run, r);
    }
    if (err == 0) {
        clip_times(r);
        tell_known(r);
        compare_with_baseline(r);
        group_findings(r, job->rules);
    }
    r->is_partial = job->run != NULL && job->run->stopped;
    return err;
}

void report_finish(struct report *r)
{
    report_whole_destroy(r->whole);
    free(r->gone);
    free(r->known);
    free(r->findings);
    free(r->groups);
    free(r->rules);
    free(r->captures);
    free(r->losses);
    hr_arena_finish(&r->arena);
}

/* Of a site it is not known: what cannot be read has no name of one. */
bool report_is_mostly_blind(const struct report *r)
{
    if (r->blind_connections == 0 || r->job.filter.site != NULL) {
        return false;
    }
    const bool is_all = r->exchanges == 0 && r->blind_connections > r->blind_beyond;
    return is_all || (r->captured_bytes > 0 && r->blind_bytes > r->captured_bytes / 2);
}
