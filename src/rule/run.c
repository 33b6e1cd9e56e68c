#include "base/alloc.h"
#include "base/order.h"
#include "rule/finding.h"
#include "rule/rule.h"
#include "store/query.h"
#include "store/scope.h"
#include "store/write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Steps of SQLite to find the cuts at a glance: tens of milliseconds. */
#define QUICK 4000000
/* To read the findings of a rule at a glance: most of a second. It ends far before that where there
 * are none. */
#define LONGEST 40000000
/* For that time a rule need not rest. */
#define SHORT (50 * HR_NSEC_PER_MSEC)
#define CAVEAT_OF_A_PART "So far it was only compared with what came in lately."
#define TIME_LIMIT_MS 600000u /* for one SELECT: a rule that takes longer is broken */

/* How often the situation of the rule at hand occurred. */
struct count {
    int64_t site_id; /* 0: all sites together */
    int64_t quarter; /* 0 where it does not count by quarter hours */
    int64_t exercised;
};

/*
 * A rule is read before anything is written for it: while its SELECT runs, nothing but reading is
 * allowed and its rows are put aside, and a rule that breaks halfway leaves the findings of its
 * last run as they were.
 */
struct run {
    struct store *store;
    struct rule *rule;
    void (*emit_error)(const char *line, void *user);
    void *user;
    struct rule_run_result result;
    hr_nsec now;                      /* of the packets: when findings are withdrawn */
    const struct rule_glance *glance; /* NULL: a whole run */
    struct scope_shared shared;       /* at a glance */
    int64_t since;                    /* ... the first exchange that the views tell of */
    /* The rule at hand. */
    struct hr_arena arena; /* of one finding */
    struct count *counts;
    size_t count_count;
    size_t count_capacity;
    enum exercised_by counts_by;
    size_t mark_count; /* to compare, at a glance */
    struct hr_buf error;
};

/** Says so in a line of its file. @return 1 */
static int broken(struct run *run, unsigned line, const char *text)
{
    struct hr_buf message;
    hr_buf_init(&message, SIZE_MAX);
    hr_buf_appendf(&message, "%s:%u: %s", run->rule->path, line, text);
    run->emit_error(hr_buf_str(&message), run->user);
    struct rule_run_result *r = &run->result;
    r->failures = hr_xrealloc(r->failures, (r->broken + 1) * sizeof(*r->failures));
    r->failures[r->broken++] = (struct rule_failure){
        .rule = hr_xstrdup(run->rule->id),
        .message = hr_xstrdup(hr_buf_str(&message)),
    };
    hr_buf_finish(&message);
    return 1;
}

static bool is_site_glanced(const struct rule_glance *g, int64_t site_id)
{
    bool is_there = false;
    for (size_t i = 0; i < g->site_count && !is_there; i++) {
        is_there = g->sites[i] == site_id;
    }
    return is_there;
}

/* What other sites and sessions show may be unfinished, or is known. */
static bool is_glanced(const struct run *run, const struct finding_row *f)
{
    const struct rule_glance *g = run->glance;
    bool is_session =
        g->session_count > 0 && bsearch(&f->session_id, g->sessions, g->session_count,
                                        sizeof(*g->sessions), hr_compare_int64) != NULL;
    if (!is_session && run->since < g->since) { /* the rule has rested */
        is_session = scope_asks_session(run->store, f->session_id) > 0;
    }
    return is_site_glanced(g, f->site_id) && (f->exchange_id >= run->since || is_session);
}

/* What was compared with a part may be explained by the rest: less is said of it until the next
 * whole run, and nothing of what such a run or a glance before has said. */
static bool say_less(struct run *run, struct finding_row *f)
{
    if (f->exchange_id < run->since) {
        return false;
    }
    if (strcmp(f->verdict, "proven") == 0) {
        const size_t len = strlen(f->caveats);
        const size_t rest = len > 0 && f->caveats[len - 1] == ']' ? len - 1 : 0;
        f->verdict = "contradiction";
        f->caveats =
            rest == 0 ? f->caveats
                      : hr_arena_printf(&run->arena, "%.*s%s\"" CAVEAT_OF_A_PART "\"]", (int)rest,
                                        f->caveats, strchr(f->caveats, '"') != NULL ? "," : "");
    }
    return true;
}

static int finding_row(const struct query_row *row, void *user)
{
    struct run *run = user;
    struct finding_draft d;
    hr_arena_reset(&run->arena);
    if (finding_read(run->rule, row, &run->arena, &d, &run->error) < 0) {
        return 1; /* the text is in run->error */
    }
    bool is_asked = run->glance == NULL || is_glanced(run, &d.row);
    if (is_asked && run->glance != NULL && run->rule->glance_sql != NULL) {
        is_asked = say_less(run, &d.row);
    }
    return is_asked ? draft_add(run->store, &d.row, d.evidence) : 0;
}

static int exercised_names(const struct query_row *row, void *user)
{
    struct run *run = user;
    if (!exercised_columns(row, &run->counts_by)) {
        hr_buf_clear(&run->error);
        hr_buf_append_str(&run->error, EXERCISED_COLUMNS);
        return 1;
    }
    return 0;
}

static int exercised_row(const struct query_row *row, void *user)
{
    struct run *run = user;
    const struct query_value *v = row->values;
    const enum exercised_by by = run->counts_by;
    bool is_right =
        v[row->count - 1].integer >= 0 && (by != EXERCISED_IN_ALL || run->count_count == 0);
    for (size_t i = 0; i < row->count; i++) {
        is_right = is_right && v[i].type == QUERY_INTEGER;
    }
    if (!is_right) {
        hr_buf_clear(&run->error);
        hr_buf_append_str(&run->error,
                          by == EXERCISED_IN_ALL
                              ? "the second SELECT must yield one row with one count"
                          : by == EXERCISED_BY_SITE
                              ? "the second SELECT must yield a site and a count in each row"
                              : "the second SELECT must yield a site, a quarter hour and a count "
                                "in each row");
        return 1;
    }
    if (run->count_count == run->count_capacity) {
        run->count_capacity = run->count_capacity == 0 ? 16 : 2 * run->count_capacity;
        run->counts = hr_xrealloc(run->counts, run->count_capacity * sizeof(*run->counts));
    }
    run->counts[run->count_count++] = (struct count){
        .site_id = by != EXERCISED_IN_ALL ? v[0].integer : 0,
        .quarter = by == EXERCISED_BY_QUARTER ? v[1].integer : 0,
        .exercised = v[row->count - 1].integer,
    };
    return 0;
}

/** @return 0, 1 where the rule is broken or takes too long for a glance, or a negative errno of the
 * store */
static int select_rows(struct run *run, const char *sql, unsigned line, query_row_fn row,
                       bool only_names)
{
    struct query_error e = {0};
    const struct query q = {
        .sql = hr_span_str(sql),
        .guarded = true,
        .time_limit_ms = TIME_LIMIT_MS,
        .step_limit = run->glance != NULL ? LONGEST : 0,
    };
    const int r = only_names ? query_describe(run->store, &q, row, run, &e)
                             : query_run(run->store, &q, row, run, &e);
    if (r == -ETIMEDOUT && run->glance != NULL) {
        /* It may have been for what had waited: that is left to the next whole run. */
        run->rule->takes_long = run->since == run->glance->since;
        return 1;
    }
    if (r == -EINVAL || r == -ETIMEDOUT) {
        return broken(run, line + (e.line > 0 ? e.line - 1 : 0), e.text);
    }
    return r > 0 ? broken(run, line, hr_buf_str(&run->error)) : r;
}

/** How often its situation occurred. @return as select_rows() */
static int count_situations(struct run *run)
{
    struct store *s = run->store;
    const struct rule *rule = run->rule;
    int r = select_rows(run, rule->exercised_sql, rule->exercised_line, exercised_names, true);
    r = r == 0 ? scope_set_counting(s, rule->id, run->counts_by != EXERCISED_IN_ALL) : r;
    r = r == 0 ? select_rows(run, rule->exercised_sql, rule->exercised_line, exercised_row, false)
               : r;
    if (r == 0 && run->counts_by == EXERCISED_IN_ALL && run->count_count == 0) {
        return broken(run, rule->exercised_line, "the second SELECT yielded no row");
    }
    return r;
}

/** @return as select_rows() */
static int read_findings(struct run *run)
{
    const struct rule *rule = run->rule;
    return select_rows(run, rule->findings_sql, rule->findings_line, finding_row, false);
}

/* Where its situation never occurred there is nothing to find, and the first SELECTs are long: to
 * compile all of them would be most of what a small capture costs. A user's rule is read anyway:
 * its count may be wrong, and so may be what is not compiled. */
static bool may_find(const struct run *run)
{
    bool may = !run->rule->is_builtin;
    for (size_t i = 0; i < run->count_count && !may; i++) {
        may = run->counts[i].exercised > 0;
    }
    return may;
}

/** @return as select_rows() */
static int read_rule(struct run *run)
{
    struct store *s = run->store;
    const struct rule *rule = run->rule;
    int r = scope_clear_parameters(s, rule->id);
    for (size_t i = 0; r == 0 && i < rule->parameter_count; i++) {
        r = scope_put_parameter(s, rule->id, rule->parameters[i].name, rule->parameters[i].value);
    }
    r = r == 0 ? count_situations(run) : r;
    r = r == 0 ? scope_set_rule(s, rule->id, may_find(run)) : r;
    r = r == 0 ? drafts_begin(s) : r;
    return r == 0 && may_find(run) ? read_findings(run) : r;
}

static int mark_row(const struct query_row *row, void *user)
{
    struct run *run = user;
    const struct query_value *v = row->values;
    if (!glance_columns(row)) {
        hr_buf_clear(&run->error);
        hr_buf_append_str(&run->error, GLANCE_COLUMNS);
        return 1;
    }
    run->mark_count++;
    return scope_add_mark(run->store, v[0].integer, v[1].integer, v[2].integer);
}

/* Nothing to compare, nothing to find. @return as select_rows() */
static int compare_marks(struct run *run)
{
    const struct rule *rule = run->rule;
    run->mark_count = 0;
    int r = scope_narrow_marks(run->store, true);
    r = r == 0 ? select_rows(run, rule->glance_sql, rule->glance_line, mark_row, false) : r;
    r = r == 0 && run->mark_count > 0 ? read_findings(run) : r;
    const int e = scope_narrow_marks(run->store, false);
    return r < 0 || e == 0 ? r : e;
}

/** @return as select_rows() */
static int glance_at_rule(struct run *run)
{
    const int r = drafts_begin(run->store);
    if (r < 0) {
        return r;
    }
    return run->rule->glance_sql != NULL ? compare_marks(run) : read_findings(run);
}

static int put_draft(const struct finding_row *f, const char *evidence, void *user)
{
    struct run *run = user;
    struct finding_draft d = {.row = *f, .evidence = evidence};
    bool is_new = false;
    d.row.rule = run->rule->id;
    d.row.severity = run->rule->severity;
    d.row.explanation = run->rule->meaning;
    hr_arena_reset(&run->arena);
    int r = finding_complete(run->store, &run->arena, &d, &run->error);
    if (r == -EINVAL) {
        return 1; /* the text is in run->error */
    }
    r = r == 0 ? finding_put(run->store, &d.row, &is_new) : r;
    run->result.findings++;
    run->result.new_findings += is_new;
    return r;
}

static int put_counts(struct run *run)
{
    struct store *s = run->store;
    const char *rule = run->rule->id;
    const bool by_quarter = run->counts_by == EXERCISED_BY_QUARTER;
    int r = scope_begin_counts(s, rule, run->counts_by != EXERCISED_IN_ALL);
    r = r == 0 ? rule_quarters_begin(s) : r;
    for (size_t i = 0; r == 0 && i < run->count_count; i++) {
        const struct count *c = &run->counts[i];
        r = by_quarter ? rule_quarters_put(s, c->site_id, c->quarter, c->exercised)
                       : rule_run_put(s, rule, c->site_id, c->exercised);
    }
    return r == 0 && run->counts_by != EXERCISED_IN_ALL ? rule_quarters_end(s, rule) : r;
}

/** @return as select_rows() */
static int write_findings(struct run *run)
{
    struct store *s = run->store;
    const struct rule_run_result before = run->result;
    size_t withdrawn = 0;
    int r = findings_try(s);
    r = r == 0 ? findings_begin(s, run->rule->id) : r;
    r = r == 0 ? drafts_read(s, put_draft, run) : r;
    if (r > 0) {
        run->result = before;
        r = findings_settle(s, false);
        return r == 0 ? broken(run, run->rule->findings_line, hr_buf_str(&run->error)) : r;
    }
    if (run->glance == NULL) {
        r = r == 0 ? findings_withdraw_rest(s, run->rule->id, run->now, &withdrawn) : r;
        run->result.withdrawn += withdrawn;
        r = r == 0 ? put_counts(run) : r;
    }
    return r == 0 ? findings_settle(s, true) : r;
}

static int run_rule(struct run *run)
{
    run->count_count = 0;
    int r = run->glance != NULL ? glance_at_rule(run) : read_rule(run);
    r = r == 0 ? write_findings(run) : r;
    return r < 0 ? r
                 : 0; /* a broken rule was named, one that takes long waits, and the others run */
}

static int now_row(const struct query_row *row, void *user)
{
    if (row->values[0].type == QUERY_INTEGER) {
        *(hr_nsec *)user = row->values[0].integer;
    }
    return 0;
}

static int run_begin(struct run *run)
{
    struct query_error e;
    const struct query now = {.sql = HR_SPAN("SELECT max(last_at) FROM captures")};
    hr_arena_init(&run->arena);
    hr_buf_init(&run->error, SIZE_MAX);
    return query_run(run->store, &now, now_row, &run->now, &e);
}

static bool reads(const struct rule *rule, const char *view)
{
    return strstr(rule->findings_sql, view) != NULL;
}

/* What one that rests is not asked about waits for the next time, as far as exchanges tell it. */
static int glance_by_rule(struct run *run)
{
    struct rule *rule = run->rule;
    const int64_t since = rule->waits_from != 0 ? rule->waits_from : run->glance->since;
    if (rule->takes_long || (!run->shared.has_cuts && reads(rule, "cut_facts"))) {
        return 0;
    }
    if (hr_clock_read(CLOCK_MONOTONIC) < rule->rests_until) {
        rule->waits_from = since;
        return 0;
    }
    int r = since != run->since ? scope_set_since(run->store, since) : 0;
    run->since = since;
    const hr_nsec begin = hr_clock_read(CLOCK_THREAD_CPUTIME_ID);
    r = r == 0 ? run_rule(run) : r;
    const hr_nsec took = hr_clock_read(CLOCK_THREAD_CPUTIME_ID) - begin;
    rule->waits_from = 0;
    rule->rests_until =
        took > SHORT ? hr_clock_read(CLOCK_MONOTONIC) + run->glance->rest * took : 0;
    return r;
}

static int run_rules(struct run *run, struct rule_set *set)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < set->count; i++) {
        struct rule *rule = &set->rules[i];
        run->rule = rule;
        if (rule->enabled) {
            r = run->glance != NULL ? glance_by_rule(run) : run_rule(run);
        }
        if (r == 0 && run->glance == NULL) {
            rule->takes_long = false;
            rule->rests_until = 0;
            rule->waits_from = 0;
        }
    }
    return r;
}

static int run_end(struct run *run, int r, struct rule_run_result *ret_result)
{
    hr_arena_finish(&run->arena);
    hr_buf_finish(&run->error);
    free(run->counts);
    if (r == 0) {
        *ret_result = run->result;
    } else {
        rule_run_result_finish(&run->result);
    }
    return r;
}

int rule_set_run(struct rule_set *set, struct store *s, bool whole,
                 void (*emit_error)(const char *line, void *user), void *user,
                 struct rule_run_result *ret_result)
{
    struct run run = {.store = s, .emit_error = emit_error, .user = user};
    int r = run_begin(&run);
    r = r == 0 ? scope_open(s, whole) : r;
    r = r == 0 ? run_rules(&run, set) : r;
    r = r == 0 ? scope_close(s, true) : r;
    if (r < 0) {
        scope_close(s, false);
    }
    return run_end(&run, r, ret_result);
}

int rule_set_glance(struct rule_set *set, struct store *s, const struct rule_glance *glance,
                    void (*emit_error)(const char *line, void *user), void *user,
                    struct rule_run_result *ret_result)
{
    struct run run = {.store = s,
                      .emit_error = emit_error,
                      .user = user,
                      .glance = glance,
                      .since = glance->since};
    const struct scope_glance to = {.since = glance->since,
                                    .sessions = glance->sessions,
                                    .session_count = glance->session_count,
                                    .steps = QUICK};
    int r = run_begin(&run);
    r = r == 0 ? scope_open_glance(s, &to, &run.shared) : r;
    r = r == 0 ? run_rules(&run, set) : r;
    return run_end(&run, r, ret_result);
}

void rule_run_result_finish(struct rule_run_result *r)
{
    for (size_t i = 0; i < r->broken; i++) {
        free(r->failures[i].rule);
        free(r->failures[i].message);
    }
    free(r->failures);
    *r = (struct rule_run_result){0};
}
