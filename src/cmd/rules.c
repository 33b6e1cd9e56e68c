#include "base/alloc.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "cmd/run.h"
#include "cmd/when.h"
#include "report/paint.h"
#include "scenario/ruletest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const enum cmd_option options[] = {
    OPT_DB_READ, OPT_RULES,  OPT_SUPPRESSIONS, OPT_ONLY_RULE, OPT_NO_RULE,
    OPT_SET,     OPT_OUTPUT, OPT_COLOR,        OPT_END,
};
static const struct cmd_usage usage = {
    .name = "rules",
    .synopsis = "list [OPTIONS]\n"
                "explain SLUG [OPTIONS]\n"
                "check [DIR|SUPPRESSIONS.yaml] [OPTIONS]\n"
                "test [DIR] [OPTIONS]\n"
                "run [OPTIONS]",
    .summary = "Lists and explains the rules, checks that they are well-formed, runs their own "
               "tests, and runs\n"
               "them again over everything in the database. DIR is a folder of rules of your own.",
    .options = options,
    .see = "headrace-rules",
};

/* The tests of one rule, added up. */
struct rule_tally {
    char *rule;
    size_t tests;
    struct rule_test_score sum;
};

struct rules_job {
    struct cmd_run *run;
    struct report_paint paint;
    struct hr_buf out;
    size_t tests; /* that were run */
    struct rule_tally *tallies;
    size_t tally_count;
};

static int list_rules(struct rules_job *job)
{
    const struct rule_set *set = &job->run->rules;
    for (size_t i = 0; i < set->count; i++) {
        const struct rule *r = &set->rules[i];
        if (r->enabled) {
            hr_buf_appendf(&job->out, "%-28s %-9s %s\n", r->id, r->severity, r->title);
        }
    }
    return CMD_OK;
}

static void append_section(struct rules_job *job, const char *heading, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        hr_buf_append_char(&job->out, '\n');
        paint_text(&job->paint, &job->out, COLOR_BOLD, heading);
        hr_buf_append_str(&job->out, "\n  ");
        paint_wrapped(&job->paint, &job->out, text, 2, 2);
    }
}

static int explain(struct rules_job *job)
{
    struct cmd_run *run = job->run;
    const char *known[256];
    size_t known_count = 0;
    const char *slug = run->args->operand_count > 1 ? run->args->operands[1] : NULL;
    if (slug == NULL) {
        return cmd_usage_error("rules", "explain which rule? headrace rules list tells");
    }
    const struct rule *r = rule_set_find(&run->rules, slug);
    if (r == NULL) {
        for (size_t i = 0; i < run->rules.count && known_count < HR_ARRAY_LEN(known); i++) {
            known[known_count++] = run->rules.rules[i].id;
        }
        return cmd_unknown_word("rules", "rule", slug, known, known_count);
    }
    paint_text(&job->paint, &job->out, COLOR_BOLD, r->title);
    hr_buf_appendf(&job->out, "\n%s, %s severity\n", r->id, r->severity);
    append_section(job, "What it means", r->meaning);
    append_section(job, "What typically causes it", r->cause);
    append_section(job, "How to confirm it", r->confirm);
    append_section(job, "How it is usually repaired", r->repair);
    append_section(job, "What looks like it and is innocent", r->lookalikes);
    append_section(job, "What would silence it", r->silence);
    hr_buf_append_char(&job->out, '\n');
    paint_text(&job->paint, &job->out, COLOR_BOLD, "Where it is accepted");
    hr_buf_appendf(&job->out,
                   "\n  A suppression marks one finding, or all of an endpoint, until a day: see\n"
                   "  headrace-suppressions(5). --no-rule %s leaves the rule out.\n",
                   r->id);
    append_section(job, "References", r->references);
    for (size_t i = 0; i < r->parameter_count; i++) {
        const struct rule_parameter *p = &r->parameters[i];
        if (i == 0) {
            hr_buf_append_char(&job->out, '\n');
            paint_text(&job->paint, &job->out, COLOR_BOLD, "Parameters");
            hr_buf_append_char(&job->out, '\n');
        }
        hr_buf_appendf(&job->out, "  --set %s.%s=%s\n      ", r->id, p->name, p->value);
        paint_wrapped(&job->paint, &job->out, p->help != NULL ? p->help : "", 6, 6);
    }
    hr_buf_appendf(&job->out, "\nIts text: %s\n", r->path);
    return CMD_OK;
}

static void log_line(const char *line, void *user)
{
    (void)user;
    hr_error("%s", line);
}

/* It still marks what happened before, so it is no fault. */
static void tell_expiry(const struct suppression_row *row)
{
    char at[HR_TIME_TEXT_SIZE];
    if (row->expires_at <= cmd_now()) {
        hr_warning("%s: this suppression expired at %s; findings of later packets are reported",
                   row->place, hr_time_format(row->expires_at, at));
    }
}

/* @return CMD_OK or CMD_USAGE, having said why */
static int check_suppressions(struct rules_job *job)
{
    struct cmd_run *run = job->run;
    const struct suppression_set *set = run->suppressions;
    int status = CMD_OK;
    for (size_t i = 0; i < suppression_set_count(set); i++) {
        const struct suppression_row *row = suppression_set_get(set, i);
        if (!suppression_knows_rule(row, &run->rules)) {
            hr_error("%s: no rule is named \"%s\"; headrace rules list tells their names",
                     row->place, row->rule);
            status = CMD_USAGE;
        }
        tell_expiry(row);
    }
    if (status == CMD_OK) {
        const size_t count = suppression_set_count(set);
        hr_buf_appendf(&job->out,
                       count == 1 ? "%zu suppression is well-formed\n"
                                  : "%zu suppressions are well-formed\n",
                       count);
    }
    return status;
}

/* @return CMD_OK, CMD_USAGE where a rule is broken, or CMD_DATABASE */
static int find_broken(struct rules_job *job)
{
    int r = rule_set_check(&job->run->rules, log_line, NULL);
    if (r < 0) {
        hr_error("cannot check the rules: %s", strerror(-r));
        return CMD_DATABASE;
    }
    job->run->has_broken_rules = job->run->has_broken_rules || r > 0;
    return job->run->has_broken_rules ? CMD_USAGE : CMD_OK;
}

static int check(struct rules_job *job)
{
    const int status = find_broken(job);
    if (status != CMD_OK) {
        return status;
    }
    hr_buf_appendf(&job->out, "%zu rules are well-formed\n", job->run->rules.count);
    return job->run->suppressions != NULL ? check_suppressions(job) : CMD_OK;
}

static int run_whole(struct rules_job *job)
{
    struct cmd_run *run = job->run;
    struct rule_run_result result = {0};
    int status = cmd_run_open_existing(run, STORE_WRITE);
    if (status >= 0) {
        return status;
    }
    int r = store_begin(run->store);
    if (r == 0) {
        r = rule_set_run(&run->rules, run->store, true, log_line, NULL, &result);
        r = r >= 0 ? store_commit(run->store) : r;
        if (r < 0) {
            status = cmd_store_failed(run->store);
            store_rollback(run->store);
            rule_run_result_finish(&result);
            return status;
        }
    }
    if (r < 0) {
        return cmd_store_failed(run->store);
    }
    hr_buf_appendf(&job->out, "%zu findings, %zu of them new, %zu withdrawn\n", result.findings,
                   result.new_findings, result.withdrawn);
    const bool has_failed = result.broken > 0 || run->has_broken_rules;
    rule_run_result_finish(&result);
    return has_failed ? CMD_USAGE : CMD_OK;
}

/* Tests come rule by rule. */
static void tally_test(struct rules_job *job, const struct rule_test_result *r)
{
    struct rule_tally *t = job->tally_count > 0 ? &job->tallies[job->tally_count - 1] : NULL;
    if (t == NULL || strcmp(t->rule, r->rule) != 0) {
        job->tallies = hr_xrealloc(job->tallies, (job->tally_count + 1) * sizeof(job->tallies[0]));
        t = &job->tallies[job->tally_count++];
        *t = (struct rule_tally){.rule = hr_xstrdup(r->rule)};
    }
    t->tests++;
    t->sum.expected += r->score.expected;
    t->sum.found += r->score.found;
    t->sum.extra += r->score.extra;
    t->sum.other += r->score.other;
}

static void append_tallies(struct rules_job *job)
{
    hr_buf_appendf(&job->out, "\n%-28s %5s %8s %5s %6s %5s %5s\n", "rule", "tests", "expected",
                   "found", "missed", "extra", "other");
    for (size_t i = 0; i < job->tally_count; i++) {
        struct rule_tally *t = &job->tallies[i];
        hr_buf_appendf(&job->out,
                       "%-28s %5zu %8" PRId64 " %5" PRId64 " %6" PRId64 " %5" PRId64 " %5" PRId64
                       "\n",
                       t->rule, t->tests, t->sum.expected, t->sum.found,
                       t->sum.expected - t->sum.found, t->sum.extra, t->sum.other);
        free(t->rule);
    }
    hr_buf_append_char(&job->out, '\n');
    free(job->tallies);
    job->tallies = NULL;
    job->tally_count = 0;
}

static void report_test(const struct rule_test_result *r, void *user)
{
    struct rules_job *job = user;
    job->tests++;
    if (r->rule != NULL) {
        tally_test(job, r);
    }
    paint_text(&job->paint, &job->out, r->passed ? COLOR_GREEN : COLOR_RED,
               r->passed ? "ok      " : "failed  ");
    paint_foreign(&job->out, r->rule);
    if (r->name != NULL) {
        hr_buf_append_str(&job->out, ": ");
        paint_foreign(&job->out, r->name);
    }
    hr_buf_append_char(&job->out, '\n');
    if (r->passed) {
        return;
    }
    hr_buf_append_str(&job->out, "        ");
    paint_foreign(&job->out, r->path);
    hr_buf_appendf(&job->out, ":%u\n", r->line);
    struct hr_span why = hr_span_trim(hr_span_str(r->why));
    while (why.ptr != NULL && why.len > 0) {
        hr_buf_append_str(&job->out, "        ");
        hr_text_append_terminal(&job->out, hr_span_cut(&why, '\n'));
        hr_buf_append_char(&job->out, '\n');
    }
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The tests of a folder of rules are in its folder tests; a folder without one holds them itself.
 */
static int test(struct rules_job *job)
{
    const struct cmd_args *args = job->run->args;
    const char *folder = args->operand_count > 1 ? args->operands[1] : rule_builtin_folder();
    struct hr_buf path;
    if (hr_digest_setup() < 0) {
        hr_error("the system has no randomness to draw a key from");
        return CMD_DATABASE;
    }
    if (find_broken(job) == CMD_DATABASE) {
        return CMD_DATABASE;
    }
    hr_buf_init(&path, SIZE_MAX);
    hr_buf_appendf(&path, "%s/tests", folder);
    int r = rule_tests_run(is_folder(hr_buf_str(&path)) ? hr_buf_str(&path) : folder,
                           &job->run->rules, report_test, job);
    hr_buf_finish(&path);
    if (r < 0) {
        return cmd_usage_error("rules", "cannot read the tests in %s: %s", folder, strerror(-r));
    }
    if (job->tests == 0) {
        return cmd_usage_error("rules", "there is no test (SLUG.yaml) in %s", folder);
    }
    append_tallies(job);
    hr_buf_appendf(&job->out, "%zu passed, %d failed\n", job->tests - (size_t)r, r);
    return r > 0 ? CMD_FINDINGS : CMD_OK;
}

static const struct verb {
    const char *name;
    int (*run)(struct rules_job *job);
    size_t operands; /* at most */
    bool takes_folder;
} verbs[] = {
    {"list",    list_rules, 0, false},
    {"explain", explain,    1, false},
    {"check",   check,      1, true },
    {"test",    test,       1, true },
    {"run",     run_whole,  0, false},
};

static bool is_yaml(const char *path)
{
    struct hr_span name = hr_span_str(path);
    return !is_folder(path) && (hr_span_has_suffix_nocase(name, HR_SPAN(".yaml")) ||
                                hr_span_has_suffix_nocase(name, HR_SPAN(".yml")));
}

static int find_verb(const struct cmd_args *args, const struct verb **ret_verb)
{
    const char *names[HR_ARRAY_LEN(verbs)];
    if (args->operand_count == 0) {
        return cmd_usage_error("rules", "say what to do: list, explain SLUG, check, test or run");
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(verbs); i++) {
        names[i] = verbs[i].name;
        if (strcmp(verbs[i].name, args->operands[0]) == 0) {
            *ret_verb = &verbs[i];
        }
    }
    if (*ret_verb == NULL) {
        return cmd_unknown_word("rules", "action", args->operands[0], names, HR_ARRAY_LEN(names));
    }
    if (args->operand_count - 1 > (*ret_verb)->operands) {
        return cmd_usage_error("rules", "%s is one too many for rules %s",
                               args->operands[(*ret_verb)->operands + 1], (*ret_verb)->name);
    }
    return -1;
}

static int rules(struct cmd_run *run, const struct verb *verb)
{
    struct rules_job job = {.run = run};
    struct cmd_output output;
    int status = cmd_run_load_rules(run, true);
    status = status < 0 ? cmd_run_load_suppressions(run) : status;
    status = status < 0 ? cmd_output_open(&output, run->args) : status;
    if (status >= 0) {
        return status;
    }
    job.paint = (struct report_paint){output.has_color, output.has_unicode, output.width};
    hr_buf_init(&job.out, SIZE_MAX);
    status = verb->run(&job);
    if (status < CMD_USAGE && run->has_broken_rules) {
        status = CMD_USAGE;
    }
    cmd_output_flush(&output, &job.out);
    int written = cmd_output_close(&output);
    hr_buf_finish(&job.out);
    return written > status ? written : status;
}

int cmd_rules(int argc, char **argv)
{
    struct cmd_args args;
    struct cmd_run run;
    const struct verb *verb = NULL;
    int status = cmd_args_parse(&usage, argc, argv, &args);
    if (status >= 0) {
        return status;
    }
    cmd_ignore_sigpipe();
    cmd_run_init(&run, "rules", &args);
    status = find_verb(&args, &verb);
    if (status < 0 && verb->run != check && args.suppressions != NULL) {
        status = cmd_usage_error("rules", "--suppressions goes with rules check");
    } else if (status < 0 && verb->run == check && args.operand_count > 1 &&
               is_yaml(args.operands[1])) {
        args.suppressions = args.operands[1];
    } else if (status < 0 && verb->takes_folder && args.operand_count > 1) {
        /* DIR is one more --rules. */
        cmd_words_add(&args.rule_folders, args.operands[1]);
    }
    status = status < 0 ? rules(&run, verb) : status;
    cmd_run_finish(&run);
    cmd_args_finish(&args);
    return status;
}
