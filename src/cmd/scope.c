#include "cmd/scope.h"

#include "base/alloc.h"
#include "base/local.h"
#include "store/read_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether the text is a day rather than a file's name. */
static bool is_day(const char *text)
{
    static const char form[] = "dddd-dd-dd";
    bool is_same = strlen(text) == strlen(form);
    for (size_t i = 0; is_same && form[i] != '\0'; i++) {
        is_same = form[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == form[i];
    }
    return is_same || strcmp(text, "yesterday") == 0 || strcmp(text, "today") == 0;
}

/* The day's midnights in the zone. */
static int parse_day(const struct cmd_run *run, const char *day, hr_nsec now, struct read_filter *f)
{
    char text[HR_TIME_TEXT_SIZE];
    if (strcmp(day, "today") == 0 || strcmp(day, "yesterday") == 0) {
        const int back = strcmp(day, "today") == 0 ? 0 : -1;
        f->since = hr_local_midnight(now, back);
        f->until = hr_local_midnight(now, back + 1);
        return -1;
    }
    if (!is_day(day) || !cmd_parse_time(day, run->args->tz, false, HR_NSEC_INFINITE, &f->since)) {
        return cmd_usage_error(run->command, "a day is 2026-01-31, yesterday or today, not %s",
                               day);
    }
    f->until = hr_local_day_end(f->since);
    if (strcmp(hr_local_format(f->since, HR_LOCAL_DATE, text), day) != 0 ||
        f->until == HR_NSEC_INFINITE) {
        return cmd_usage_error(run->command, "this zone has no day %s; days are from 1678 to 2261",
                               day);
    }
    return -1;
}

static int add_name(const char *name, void *user)
{
    cmd_words_add(user, hr_xstrdup(name));
    return 0;
}

/* A report about a site that there is not would say that all is well. */
static int check_site(const struct cmd_run *run, const char *site)
{
    struct cmd_words names = {NULL, 0};
    int status = CMD_OK;
    if (site == NULL) {
        return -1;
    }
    if (read_site_names(run->store, add_name, &names) < 0) {
        status = cmd_store_failed(run->store);
    }
    for (size_t i = 0; i < names.count && status == CMD_OK; i++) {
        status = strcmp(names.items[i], site) == 0 ? -1 : status;
    }
    if (status == CMD_OK) {
        status = cmd_unknown_word(run->command, "site", site, names.items, names.count);
    }
    for (size_t i = 0; i < names.count; i++) {
        free((void *)(uintptr_t)names.items[i]); /* of add_name() */
    }
    free(names.items);
    return status;
}

int cmd_scope_select(struct cmd_run *run, struct cmd_scope *scope, struct report_job *job)
{
    const struct cmd_args *args = run->args;
    job->zone = hr_local_zone(scope->zone);
    if (args->day != NULL && (args->since != NULL || args->until != NULL)) {
        return cmd_usage_error(run->command, "either --day, or --since and --until");
    }
    int r = cmd_run_filter(run, &job->filter);
    r = r < 0 ? check_site(run, args->site) : r;
    if (r < 0 && args->day != NULL) {
        r = parse_day(run, args->day, job->made_at, &job->filter);
        job->day = hr_local_format(job->filter.since, HR_LOCAL_DATE, scope->day);
    }
    job->filter.min_severity = args->min_severity;
    return r;
}

int cmd_scope_check_baseline(const struct cmd_run *run)
{
    const char *name = run->args->baseline;
    if (name == NULL || is_day(name) || access(name, R_OK) == 0) {
        return -1;
    }
    return cmd_usage_error(run->command, "--baseline %s: %s", name, strerror(errno));
}

int cmd_scope_compare(struct cmd_run *run, struct cmd_scope *scope, struct report_job *job)
{
    const char *name = run->args->baseline;
    int status = -1;
    if (name == NULL) {
        return -1;
    }
    scope->has_baseline = true;
    if (is_day(name)) {
        struct read_filter filter = job->filter;
        status = parse_day(run, name, job->made_at, &filter);
        if (status < 0 && baseline_load_span(&scope->baseline, run->store, &filter) < 0) {
            status = cmd_store_failed(run->store);
        }
    } else {
        struct hr_buf error;
        hr_buf_init(&error, SIZE_MAX);
        if (baseline_load_file(&scope->baseline, run->store, name, &error) < 0) {
            status = cmd_usage_error(run->command, "--baseline %s: %s", name, hr_buf_str(&error));
        }
        hr_buf_finish(&error);
    }
    scope->baseline.name = name;
    job->baseline = &scope->baseline;
    return status;
}

void cmd_scope_finish(struct cmd_scope *scope)
{
    if (scope->has_baseline) {
        baseline_finish(&scope->baseline);
    }
}
