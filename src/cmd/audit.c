#include "base/local.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/scope.h"
#include "cmd/target.h"
#include "report/rank.h"

#include <string.h>

static const enum cmd_option options[] = {
    OPT_DB,
    OPT_KEY_FILE,
    OPT_RULES,
    OPT_PROFILE,
    OPT_SUPPRESSIONS,
    OPT_FILTER,
    OPT_FORMATS,
    OPT_OUTPUTS,
    OPT_FAIL_ON,
    OPT_ONLY_RULE,
    OPT_NO_RULE,
    OPT_SET,
    OPT_BASELINE,
    OPT_ALL,
    OPT_TZ,
    OPT_CLOCK_ERROR,
    OPT_VERIFY_CHECKSUMS,
    OPT_REDACT_USERS,
    OPT_BOUNDS,
    OPT_COLOR,
    OPT_END,
};
static const struct cmd_usage usage = {
    .name = "audit",
    .synopsis = "[OPTIONS] CAPTURE...",
    .summary =
        "Reads captures (pcap, pcapng, plain or .gz, .zst, .lz4; - is standard input; a folder\n"
        "means the captures in it), runs the rules and reports. Ends with 1 where there are\n"
        "findings.",
    .options = options,
    .formats = cmd_report_formats,
    .see = "headrace-audit",
};

/* --fail-on: what makes the status 1. */
struct threshold {
    int severity;
    int verdict;
};

static int parse_threshold(const char *text, struct threshold *ret_threshold)
{
    struct threshold t = {report_severity_rank("low"), report_verdict_rank("contradiction")};
    char severity[16];
    if (text == NULL) {
        *ret_threshold = t;
        return -1;
    }
    size_t n = strcspn(text, "/");
    bool is_good = n < sizeof(severity);
    if (is_good) {
        memcpy(severity, text, n);
        severity[n] = '\0';
        t.severity = report_severity_rank(severity);
        is_good = t.severity > 0;
    }
    if (is_good && text[n] == '/') {
        t.verdict = report_verdict_rank(text + n + 1);
        is_good = t.verdict > 0;
    }
    if (!is_good) {
        return cmd_usage_error("audit",
                               "--fail-on takes low, medium, high or critical, then perhaps "
                               "/suspect, /contradiction or /proven, not %s",
                               text);
    }
    *ret_threshold = t;
    return -1;
}

static bool is_reached(const struct report *r, const struct threshold *t)
{
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct finding_view *f = &r->findings[i];
        if (!f->suppressed && report_severity_rank(f->severity) >= t->severity &&
            report_verdict_rank(f->verdict) >= t->verdict) {
            return true;
        }
    }
    return false;
}

/* What has run out, and what means nothing, would otherwise stay in the file for ever. */
static int tell_suppression(const struct suppression_view *x, void *user)
{
    const bool *is_given = user;
    char at[HR_TIME_TEXT_SIZE];
    if (x->is_expired) {
        hr_warning("%s: this suppression expired at %s; later findings are reported", x->place,
                   hr_time_format(x->expires_at, at));
    } else if (x->findings == 0 && *is_given) {
        hr_info("%s: this suppression fits no finding", x->place);
    }
    return 0;
}

/* @return the exit status */
static int report(struct cmd_run *run, const struct threshold *threshold, struct cmd_scope *scope,
                  struct cmd_targets *targets)
{
    struct report r;
    char zone[HR_TIME_TEXT_SIZE];
    int status = cmd_run_status(run);
    bool is_given = run->suppressions != NULL;
    struct report_job job = cmd_run_job(run);
    job.zone = hr_local_zone(zone);
    int compared = cmd_scope_compare(run, scope, &job);
    if (compared >= 0) {
        return compared > status ? compared : status;
    }
    if (read_suppressions(run->store, tell_suppression, &is_given) < 0) {
        return cmd_store_failed(run->store);
    }
    int written = cmd_targets_write(targets, run->store, run->args, &job, &r);
    status = written > status ? written : status;
    if (status == CMD_OK && is_reached(&r, threshold)) {
        status = CMD_FINDINGS;
    }
    report_finish(&r);
    return status;
}

static int audit(struct cmd_run *run, struct cmd_scope *scope, struct cmd_targets *targets)
{
    const struct cmd_args *args = run->args;
    struct threshold threshold = {0};
    hr_local_use(args->tz);
    int r = parse_threshold(args->fail_on, &threshold);
    r = r < 0 ? cmd_run_load_rules(run, true) : r;
    r = r < 0 ? cmd_run_load_profiles(run) : r;
    r = r < 0 ? cmd_run_load_suppressions(run) : r;
    r = r < 0 ? cmd_run_expand_captures(run, args->operands, args->operand_count) : r;
    r = r < 0 ? cmd_scope_check_baseline(run) : r;
    r = r < 0 ? cmd_targets_open(targets, "audit", args) : r;
    r = r < 0 ? cmd_run_open_new(run, args->db) : r;
    r = r < 0 ? cmd_run_store_suppressions(run) : r;
    r = r < 0 ? cmd_run_captures(run, true) : r;
    if (r >= 0) {
        return r;
    }
    if (args->db == NULL) {
        hr_info("the database is temporary; --db FILE keeps it");
    }
    return report(run, &threshold, scope, targets);
}

int cmd_audit(int argc, char **argv)
{
    struct cmd_args args;
    struct cmd_run run;
    struct cmd_scope scope = {.has_baseline = false};
    struct cmd_targets targets = {.count = 0};
    int status = cmd_args_parse(&usage, argc, argv, &args);
    if (status >= 0) {
        return status;
    }
    cmd_ignore_sigpipe();
    cmd_run_init(&run, "audit", &args);
    status = audit(&run, &scope, &targets);
    cmd_targets_finish(&targets);
    cmd_scope_finish(&scope);
    cmd_run_finish(&run);
    cmd_args_finish(&args);
    return status;
}
