/*
 * Runs rule tests: scenario to capture, capture through the pipeline into a temporary store,
 * findings out of it.
 */
#include "base/alloc.h"
#include "base/arena.h"
#include "pipeline/pipeline.h"
#include "scenario/ruletest.h"
#include "store/read.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What all tests share: an empty store, which each of them leaves empty, and what was compiled for
 * it. */
struct bench {
    struct rule_set *rules;
    struct store *store; /* NULL before the first test */
    rule_test_fn report;
    void *user;
};

struct run {
    struct bench *bench;
    const struct rule_test_file *file;
    const struct rule_test *test;
    char capture[64];
    char profile[64];
    struct profile_set *profiles;
    struct hr_arena arena;
    struct rule_test_found *found;
    size_t found_count;
    size_t found_capacity;
    int64_t exercised;
    struct hr_buf why;
};

static const char *copy(struct run *r, const char *text)
{
    return text == NULL ? NULL : hr_arena_strdup(&r->arena, hr_span_str(text));
}

static int keep_finding(const struct finding_view *x, void *user)
{
    struct run *r = user;
    if (r->found_count == r->found_capacity) {
        r->found_capacity = r->found_capacity == 0 ? 16 : r->found_capacity * 2;
        r->found = hr_xrealloc(r->found, r->found_capacity * sizeof(r->found[0]));
    }
    r->found[r->found_count++] = (struct rule_test_found){
        .rule = copy(r, x->rule),
        .verdict = copy(r, x->verdict),
        .summary = copy(r, x->summary),
        .client = copy(r, x->client),
        .client_port = x->client_port,
        .at = x->at,
    };
    return 0;
}

static int keep_exercised(const struct rule_run_view *x, void *user)
{
    struct run *r = user;
    if (strcmp(x->rule, r->file->rule) == 0) {
        r->exercised = x->exercised;
    }
    return 0;
}

/* @return 0 and an empty file made, its name in path, which holds the pattern */
static int make_temporary(char *path, size_t size, const char *text)
{
    const char *folder = getenv("TMPDIR");
    FILE *f;
    int fd;
    if (folder == NULL || strlen(folder) + sizeof("/headrace-XXXXXX") > size) {
        folder = "/tmp";
    }
    snprintf(path, size, "%s/headrace-XXXXXX", folder);
    fd = mkstemp(path);
    if (fd < 0) {
        path[0] = '\0';
        return -errno;
    }
    f = fdopen(fd, "w");
    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
        return -EIO;
    }
    return 0;
}

static int load_profile(struct run *r)
{
    const char *path = r->profile;
    struct hr_buf error;
    int e;
    if (r->test->profile == NULL) {
        return 0;
    }
    e = make_temporary(r->profile, sizeof(r->profile), r->test->profile);
    if (e < 0) {
        hr_buf_appendf(&r->why, "a temporary file could not be written: %s\n", strerror(-e));
        return e;
    }
    hr_buf_init(&error, SIZE_MAX);
    e = profile_set_load(&path, 1, &r->profiles, &error);
    if (e < 0) {
        hr_buf_appendf(&r->why, "profile: %s\n", hr_buf_str(&error));
    }
    hr_buf_finish(&error);
    return e;
}

static int make_capture(struct run *r)
{
    int e = make_temporary(r->capture, sizeof(r->capture), "");
    e = e < 0 ? e : scenario_write(r->test->scenario, r->capture, NULL, NULL);
    if (e < 0) {
        hr_buf_appendf(&r->why, "the capture could not be written: %s\n", strerror(-e));
    }
    return e;
}

static int read_results(struct store *s, void *user)
{
    const struct read_filter all = READ_FILTER_ALL;
    const int e = read_findings(s, &all, keep_finding, user);
    return e < 0 ? e : read_rule_runs(s, keep_exercised, user);
}

static int judge_result(struct run *r, const struct pipeline_result *result)
{
    if (result->capture_status != 0 && result->capture_count > 0) {
        hr_buf_appendf(&r->why, "capture: %s\n", result->captures[0].error_text);
        return -EIO;
    }
    if (result->rules.broken > 0) {
        hr_buf_appendf(&r->why,
                       result->rules.broken == 1 ? "%zu rule failed while running\n"
                                                 : "%zu rules failed while running\n",
                       result->rules.broken);
        return -EIO;
    }
    return 0;
}

static int open_store(struct bench *b, const struct pipeline_run *run, struct hr_buf *ret_error)
{
    const struct store_config config = {.mode = STORE_WRITE, .busy_timeout_ms = 1000};
    int e = 0;
    if (b->store == NULL) {
        e = store_open(&config, &b->store);
        if (e < 0) {
            hr_buf_append_str(ret_error, store_error(b->store));
        }
        e = e < 0 ? e : pipeline_prepare_trials(b->store, run, ret_error);
        if (e < 0) {
            store_close(b->store);
            b->store = NULL;
        }
    }
    return e;
}

static int run_pipeline(struct run *r)
{
    const char *capture = r->capture;
    struct pipeline_config config;
    struct pipeline_result result = {0};
    struct hr_buf error;
    int e;
    pipeline_config_init(&config);
    const struct pipeline_run run = {
        .config = &config,
        .captures = &capture,
        .capture_count = 1,
        .profiles = r->profiles,
        .rules = r->bench->rules,
    };
    hr_buf_init(&error, SIZE_MAX);
    e = open_store(r->bench, &run, &error);
    e = e < 0 ? e : pipeline_try(r->bench->store, &run, read_results, r, &result, &error);
    if (e < 0) {
        hr_buf_appendf(&r->why, "%s\n", hr_buf_str(&error));
    } else {
        e = judge_result(r, &result);
    }
    pipeline_result_finish(&result);
    hr_buf_finish(&error);
    return e;
}

static bool run_test(struct run *r)
{
    bool passed = false;
    int e = load_profile(r);
    e = e < 0 ? e : make_capture(r);
    e = e < 0 ? e : run_pipeline(r);
    if (e == 0) {
        passed =
            rule_test_compare(r->file, r->test, r->found, r->found_count, r->exercised, &r->why);
    }
    return passed;
}

static void finish_run(struct run *r)
{
    profile_set_destroy(r->profiles);
    if (r->capture[0] != '\0') {
        unlink(r->capture);
    }
    if (r->profile[0] != '\0') {
        unlink(r->profile);
    }
    hr_arena_finish(&r->arena);
    hr_buf_finish(&r->why);
    free(r->found);
}

static int run_file(const char *path, struct bench *b)
{
    struct rule_test_file file = {0};
    struct hr_buf error;
    int failed = 0;
    hr_buf_init(&error, SIZE_MAX);
    if (rule_test_file_load(path, &file, &error) < 0) {
        hr_buf_append_char(&error, '\n');
        const struct rule_test_result result = {.path = path, .why = hr_buf_str(&error)};
        b->report(&result, b->user);
        failed = 1;
    }
    for (size_t i = 0; i < file.count; i++) {
        struct run r = {.bench = b, .file = &file, .test = &file.tests[i], .exercised = -1};
        hr_arena_init(&r.arena);
        hr_buf_init(&r.why, SIZE_MAX);
        const bool passed = run_test(&r);
        const struct rule_test_result result = {
            .path = path,
            .line = file.tests[i].line,
            .rule = file.rule,
            .name = file.tests[i].name,
            .passed = passed,
            .score = rule_test_score(&file, &file.tests[i], r.found, r.found_count),
            .why = passed ? "" : hr_buf_str(&r.why),
        };
        b->report(&result, b->user);
        failed += !passed;
        finish_run(&r);
    }
    hr_buf_finish(&error);
    rule_test_file_finish(&file);
    return failed;
}

static int is_yaml(const struct dirent *d)
{
    return d->d_name[0] != '.' &&
           hr_span_has_suffix_nocase(hr_span_str(d->d_name), HR_SPAN(".yaml"));
}

int rule_tests_run(const char *folder, struct rule_set *rules, rule_test_fn report, void *user)
{
    struct bench b = {.rules = rules, .report = report, .user = user};
    struct dirent **names = NULL;
    const int count = scandir(folder, &names, is_yaml, alphasort);
    int failed = 0;
    if (count < 0) {
        return -errno;
    }
    for (int i = 0; i < count; i++) {
        struct hr_buf path;
        hr_buf_init(&path, SIZE_MAX);
        hr_buf_appendf(&path, "%s/%s", folder, names[i]->d_name);
        failed += run_file(hr_buf_str(&path), &b);
        hr_buf_finish(&path);
        free(names[i]);
    }
    free(names);
    store_close(b.store);
    return failed;
}
