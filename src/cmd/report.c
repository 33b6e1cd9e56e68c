#include "base/local.h"
#include "cmd/cmd.h"
#include "cmd/scope.h"
#include "cmd/target.h"

static const enum cmd_option options[] = {
    OPT_DB_READ, OPT_RULES, OPT_FORMATS,      OPT_OUTPUTS,  OPT_DAY, OPT_SINCE, OPT_UNTIL,
    OPT_TZ,      OPT_SITE,  OPT_MIN_SEVERITY, OPT_BASELINE, OPT_ALL, OPT_COLOR, OPT_END,
};
static const struct cmd_usage usage = {
    .name = "report",
    .synopsis = "[OPTIONS]",
    .summary =
        "Writes a report about what the database holds: all of it, a day, a site. Findings are no\n"
        "reason for status 1.",
    .options = options,
    .formats = cmd_report_formats,
    .see = "headrace-report",
};

static int report(struct cmd_run *run, struct cmd_scope *scope, struct cmd_targets *targets)
{
    const struct cmd_args *args = run->args;
    struct report r;
    if (args->operand_count > 0) {
        return cmd_usage_error("report", "report takes no %s; headrace audit reads captures",
                               args->operands[0]);
    }
    hr_local_use(args->tz);
    int status = cmd_run_load_rules(run, false);
    status = status < 0 ? cmd_run_open_existing(run, STORE_READ) : status;
    struct report_job job = cmd_run_job(run);
    status = status < 0 ? cmd_scope_select(run, scope, &job) : status;
    status = status < 0 ? cmd_scope_compare(run, scope, &job) : status;
    status = status < 0 ? cmd_targets_open(targets, "report", args) : status;
    if (status >= 0) {
        return status;
    }
    status = cmd_targets_write(targets, run->store, args, &job, &r);
    report_finish(&r);
    return run->has_broken_rules && status == CMD_OK ? CMD_USAGE : status;
}

int cmd_report(int argc, char **argv)
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
    cmd_run_init(&run, "report", &args);
    status = report(&run, &scope, &targets);
    cmd_targets_finish(&targets);
    cmd_scope_finish(&scope);
    cmd_run_finish(&run);
    cmd_args_finish(&args);
    return status;
}
