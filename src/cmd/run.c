#include "cmd/run.h"

#include "base/alloc.h"
#include "base/log.h"
#include "cmd/key.h"
#include "cmd/output.h"
#include "cmd/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 10000 };

void cmd_run_init(struct cmd_run *run, const char *command, const struct cmd_args *args)
{
    *run = (struct cmd_run){.command = command, .args = args};
}

void cmd_run_finish(struct cmd_run *run)
{
    if (run->has_result) {
        pipeline_result_finish(&run->result);
    }
    store_close(run->store);
    profile_set_destroy(run->profiles);
    suppression_set_destroy(run->suppressions);
    rule_set_finish(&run->rules);
    packet_paths_free(run->captures, run->capture_count);
}

int cmd_store_failed(const struct store *s)
{
    hr_error("%s", store_error(s));
    return CMD_DATABASE;
}

static void log_line(const char *line, void *user)
{
    (void)user;
    hr_error("%s", line);
}

static int unknown_rule(const struct cmd_run *run, const char *slug)
{
    const char **known = hr_xcalloc(run->rules.count + 1, sizeof(*known));
    for (size_t i = 0; i < run->rules.count; i++) {
        known[i] = run->rules.rules[i].id;
    }
    int r = cmd_unknown_word(run->command, "rule", slug, known, run->rules.count);
    free(known);
    return r;
}

static int check_rule_words(const struct cmd_run *run, const struct cmd_words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        if (rule_set_find(&run->rules, words->items[i]) == NULL) {
            return unknown_rule(run, words->items[i]);
        }
    }
    return -1;
}

static int select_rules(struct cmd_run *run)
{
    const struct cmd_words *only = &run->args->only_rules;
    const struct cmd_words *without = &run->args->no_rules;
    int r = check_rule_words(run, only);
    if (r < 0) {
        r = check_rule_words(run, without);
    }
    if (r >= 0) {
        return r;
    }
    for (size_t i = 0; only->count > 0 && i < run->rules.count; i++) {
        rule_set_enable(&run->rules, run->rules.rules[i].id, false);
    }
    for (size_t i = 0; i < only->count; i++) {
        rule_set_enable(&run->rules, only->items[i], true);
    }
    for (size_t i = 0; i < without->count; i++) {
        rule_set_enable(&run->rules, without->items[i], false);
    }
    return -1;
}

static int assign_parameters(struct cmd_run *run)
{
    const struct cmd_words *words = &run->args->assignments;
    int status = -1;
    for (size_t i = 0; i < words->count && status < 0; i++) {
        struct hr_buf error;
        hr_buf_init(&error, SIZE_MAX);
        if (rule_set_assign(&run->rules, words->items[i], &error) < 0) {
            status =
                cmd_usage_error(run->command, "--set %s: %s", words->items[i], hr_buf_str(&error));
        }
        hr_buf_finish(&error);
    }
    return status;
}

int cmd_run_load_rules(struct cmd_run *run, bool select)
{
    const struct cmd_words *folders = &run->args->rule_folders;
    for (size_t i = 0; i < folders->count; i++) {
        if (access(folders->items[i], R_OK | X_OK) != 0) {
            return cmd_usage_error(run->command, "cannot read the folder of rules %s: %s",
                                   folders->items[i], strerror(errno));
        }
    }
    int r = rule_set_load(folders->items, folders->count, log_line, NULL, &run->rules);
    if (r < 0) {
        hr_error("cannot read the rules in %s: %s", rule_builtin_folder(), strerror(-r));
        return CMD_USAGE;
    }
    run->has_broken_rules = r > 0;
    r = select ? select_rules(run) : -1;
    return r < 0 ? assign_parameters(run) : r;
}

int cmd_run_load_profiles(struct cmd_run *run)
{
    struct hr_buf error;
    int status = -1;
    hr_buf_init(&error, SIZE_MAX);
    int r = profile_set_load(run->args->profiles.items, run->args->profiles.count, &run->profiles,
                             &error);
    if (r < 0) {
        hr_error("%s", error.len > 0 ? hr_buf_str(&error) : strerror(-r));
        status = CMD_USAGE;
    }
    hr_buf_finish(&error);
    return status;
}

int cmd_run_load_suppressions(struct cmd_run *run)
{
    struct hr_buf error;
    int status = -1;
    if (run->args->suppressions == NULL) {
        return -1;
    }
    hr_buf_init(&error, SIZE_MAX);
    int r = suppression_set_load(run->args->suppressions, &run->suppressions, &error);
    if (r < 0) {
        hr_error("%s", error.len > 0 ? hr_buf_str(&error) : strerror(-r));
        status = CMD_USAGE;
    }
    hr_buf_finish(&error);
    return status;
}

int cmd_run_store_suppressions(struct cmd_run *run)
{
    if (run->suppressions != NULL && suppression_set_store(run->suppressions, run->store) < 0) {
        return cmd_store_failed(run->store);
    }
    return -1;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat x;
    struct stat y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

int cmd_run_check_output(const struct cmd_run *run, const char *input, const char *kind)
{
    const struct cmd_args *args = run->args;
    const char *hit =
        args->output != NULL && is_same_file(args->output, input) ? args->output : NULL;
    for (size_t i = 0; i < args->outputs.count && hit == NULL; i++) {
        hit = is_same_file(args->outputs.items[i], input) ? args->outputs.items[i] : NULL;
    }
    return hit == NULL ? -1
                       : cmd_usage_error(run->command, "-o %s would write over the %s that is read",
                                         hit, kind);
}

int cmd_run_expand_captures(struct cmd_run *run, char **paths, size_t count)
{
    size_t from_stdin = 0;
    if (count == 0) {
        return cmd_usage_error(run->command, "no capture given: a file, a folder, or - for stdin");
    }
    int r =
        packet_paths_expand((const char *const *)paths, count, &run->captures, &run->capture_count);
    if (r < 0) {
        hr_error("cannot read the captures: %s", strerror(-r));
        return CMD_CAPTURE;
    }
    if (run->capture_count == 0) {
        return cmd_usage_error(run->command, "no capture in %s", paths[0]);
    }
    for (size_t i = 0; i < run->capture_count; i++) {
        from_stdin += strcmp(run->captures[i], "-") == 0 ? 1 : 0;
        const int status = cmd_run_check_output(run, run->captures[i], "capture");
        if (status >= 0) {
            return status;
        }
    }
    if (from_stdin > 1) {
        return cmd_usage_error(run->command, "- (standard input) can be given once only");
    }
    return -1;
}

static int open_store(struct cmd_run *run, const char *path, enum store_mode mode)
{
    struct store_config config = {.path = path, .mode = mode, .busy_timeout_ms = BUSY_TIMEOUT_MS};
    struct hr_key key = {0};
    if (run->args->key_file != NULL) {
        int status = cmd_key_read(run->command, run->args->key_file, &key);
        if (status >= 0) {
            return status;
        }
        config.key = &key;
    }
    int r = store_open(&config, &run->store);
    hr_wipe(&key, sizeof(key));
    if (r < 0) {
        return cmd_store_failed(run->store);
    }
    return path != NULL ? cmd_run_check_output(run, path, "database") : -1;
}

int cmd_run_open_new(struct cmd_run *run, const char *path)
{
    if (hr_digest_setup() < 0) {
        hr_error("the system has no randomness to draw a key from");
        return CMD_DATABASE;
    }
    return open_store(run, path, STORE_WRITE);
}

int cmd_run_open_existing(struct cmd_run *run, enum store_mode mode)
{
    const char *path = run->args->db;
    const char *from_environment = getenv("HEADRACE_DB");
    if (path == NULL && from_environment != NULL && from_environment[0] != '\0') {
        path = from_environment;
    }
    path = path != NULL ? path : "headrace.db";
    if (access(path, F_OK) != 0) {
        hr_error(
            "there is no database %s; make one with headrace audit --db %s CAPTURE..., or name "
            "another with --db or $HEADRACE_DB",
            path, path);
        return CMD_USAGE;
    }
    if (hr_digest_setup() < 0) {
        hr_error("the system has no randomness to draw a key from");
        return CMD_DATABASE;
    }
    return open_store(run, path, mode);
}

static void tell_capture_errors(const struct pipeline_result *result)
{
    for (size_t i = 0; i < result->capture_count; i++) {
        const struct capture_info *c = &result->captures[i];
        bool is_stdin = strcmp(c->path, "-") == 0;
        const char *name = is_stdin ? "standard input" : c->path;
        /* Where a person ended standard input, that it is cut is no news. */
        if (c->error != 0 && !(is_stdin && result->stopped)) {
            hr_error("%s: %s%s", name,
                     c->error_text[0] != '\0' ? c->error_text : strerror(-c->error),
                     c->frames > 0 ? "; what came before is in the report" : "");
        }
    }
}

/* Also those that are in the database already. */
static int redact_users(struct cmd_run *run)
{
    int64_t count = 0;
    if (!run->args->config.extract.redact_users) {
        return -1;
    }
    if (store_redact_users(run->store, &count) < 0) {
        return cmd_store_failed(run->store);
    }
    if (count > 0 && !run->args->quiet) {
        hr_info("%s: names of %lld users became hashes; copies of the file and reports made of it "
                "still have them",
                store_path(run->store), (long long)count);
    }
    return -1;
}

int cmd_run_captures(struct cmd_run *run, bool with_rules)
{
    struct cmd_progress progress;
    struct hr_buf error;
    int status = -1;
    hr_buf_init(&error, SIZE_MAX);
    cmd_progress_init(&progress, run->args->quiet);
    struct pipeline_run job = {
        .config = &run->args->config,
        .captures = (const char *const *)run->captures,
        .capture_count = run->capture_count,
        .filter = run->args->filter,
        .profiles = run->profiles,
        .rules = with_rules ? &run->rules : NULL,
        .stop = cmd_catch_interrupt(),
        .progress = cmd_progress_show,
        .user = &progress,
    };
    status = redact_users(run);
    if (status >= 0) {
        hr_buf_finish(&error);
        return status;
    }
    int r = pipeline_run(run->store, &job, &run->result, &error);
    run->has_result = true;
    cmd_progress_finish(&progress);
    tell_capture_errors(&run->result);
    if (r == -EINVAL) {
        status = cmd_usage_error(run->command, "%s", hr_buf_str(&error));
    } else if (r < 0) {
        hr_error("%s", error.len > 0 ? hr_buf_str(&error) : store_error(run->store));
        status = CMD_DATABASE;
    }
    hr_buf_finish(&error);
    return status;
}

int cmd_run_status(const struct cmd_run *run)
{
    int status = CMD_OK;
    if (run->has_broken_rules || (run->has_result && run->result.rules.broken > 0)) {
        status = CMD_USAGE;
    }
    if (run->has_result && run->result.capture_status > status) {
        status = run->result.capture_status;
    }
    if (run->has_result && run->result.stopped) {
        status = CMD_INTERRUPTED;
    }
    return status;
}

struct report_job cmd_run_job(const struct cmd_run *run)
{
    return (struct report_job){
        .rules = &run->rules,
        .run = run->has_result ? &run->result : NULL,
        .filter = READ_FILTER_ALL,
        .db_path = run->store != NULL ? store_path(run->store) : NULL,
        .version = HEADRACE_VERSION,
        .made_at = cmd_now(),
    };
}

static int parse_time(const struct cmd_run *run, const char *option, const char *text,
                      hr_nsec latest, hr_nsec *ret_at)
{
    if (text == NULL ||
        cmd_parse_time(text, run->args->tz, strcmp(option, "--until") == 0, latest, ret_at)) {
        return -1;
    }
    return cmd_usage_error(run->command,
                           "%s takes 2026-01-31T10:00:00Z, \"2026-01-31 10:00\" or -2h, not %s",
                           option, text);
}

int cmd_run_filter(struct cmd_run *run, struct read_filter *ret_filter)
{
    const struct cmd_args *a = run->args;
    struct read_filter f = READ_FILTER_ALL;
    struct store_info info;
    if (store_get_info(run->store, &info) < 0) {
        return cmd_store_failed(run->store);
    }
    int r = parse_time(run, "--since", a->since, info.last_at, &f.since);
    if (r < 0) {
        r = parse_time(run, "--until", a->until, info.last_at, &f.until);
    }
    if (r < 0 && f.since >= f.until) {
        r = cmd_usage_error(run->command, "--until %s is not later than --since %s", a->until,
                            a->since);
    }
    if (r >= 0) {
        return r;
    }
    f.site = a->site;
    f.session = a->session;
    f.user = a->user;
    f.verdict = a->verdict;
    f.stream = a->stream;
    f.limit = a->limit;
    if (a->only_rules.count == 1) {
        f.rule = a->only_rules.items[0];
    }
    *ret_filter = f;
    return -1;
}
