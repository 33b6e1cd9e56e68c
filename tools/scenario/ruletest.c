#include "scenario/ruletest.h"

#include "base/alloc.h"
#include "base/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ALL_RULES "sites" /* files of tests of whole sites are called so, or so and - and more */

struct reader {
    struct hr_yaml_doc doc;
    struct rule_test_file *file;
    const struct hr_yaml *base;
};

static bool is_of_all_rules(const struct rule_test_file *f)
{
    const size_t len = strlen(ALL_RULES);
    return strncmp(f->rule, ALL_RULES, len) == 0 && (f->rule[len] == '\0' || f->rule[len] == '-');
}

static int read_text(struct reader *r, const struct hr_yaml *node, const char **ret_text)
{
    const char *text;
    const int e = node == NULL ? 0 : hr_yaml_get_text(&r->doc, node, &text);
    if (e == 0 && node != NULL) {
        *ret_text = hr_arena_strdup(r->file->memory, hr_span_str(text));
    }
    return e;
}

static int read_expectation(struct reader *r, const struct hr_yaml *node, struct rule_test *t)
{
    static const char *const keys[] = {"rule", "verdict", "at", "count", NULL};
    static const char *const verdicts[] = {"proven", "contradiction", "suspect", NULL};
    const struct hr_yaml *verdict = hr_yaml_find(node, "verdict");
    const struct hr_yaml *at = hr_yaml_find(node, "at");
    const struct hr_yaml *count = hr_yaml_find(node, "count");
    struct rule_expectation *x = &t->expectations[t->expectation_count++];
    struct scenario_place place;
    size_t index;
    int e = hr_yaml_expect(&r->doc, node, HR_YAML_MAPPING);
    if (e == 0 && is_of_all_rules(r->file) && hr_yaml_find(node, "rule") == NULL) {
        e = hr_yaml_fail(&r->doc, node, "here an expectation needs its rule");
    }
    *x = (struct rule_expectation){.rule = r->file->rule, .count = 1, .line = node->line};
    e = e < 0 ? e : hr_yaml_check_keys(&r->doc, node, keys);
    e = e < 0 ? e : read_text(r, hr_yaml_find(node, "rule"), &x->rule);
    e = e < 0 ? e : read_text(r, at, &x->label);
    if (e == 0 && verdict != NULL) {
        e = hr_yaml_get_word(&r->doc, verdict, verdicts, &index);
        x->verdict = e == 0 ? verdicts[index] : NULL;
    }
    if (e == 0 && count != NULL) {
        e = hr_yaml_get_int(&r->doc, count, 0, 1000000, &x->count);
    }
    if (e == 0 && x->label != NULL && !scenario_find(t->scenario, x->label, &place)) {
        e = hr_yaml_fail(&r->doc, at, "no exchange has the label '%s'", x->label);
    }
    return e;
}

static int read_expectations(struct reader *r, const struct hr_yaml *list, struct rule_test *t)
{
    size_t count = 0;
    int e = hr_yaml_expect(&r->doc, list, HR_YAML_SEQUENCE);
    for (const struct hr_yaml *i = e == 0 ? list->child : NULL; i != NULL; i = i->next) {
        count++;
    }
    t->expectations = hr_arena_alloc(r->file->memory, (count + 1) * sizeof(t->expectations[0]));
    for (const struct hr_yaml *i = e == 0 ? list->child : NULL; i != NULL && e == 0; i = i->next) {
        e = read_expectation(r, i, t);
    }
    return e;
}

static int read_exercised(struct reader *r, const struct hr_yaml *node, struct rule_test *t)
{
    t->exercised = -1;
    if (node == NULL) {
        return 0;
    }
    if (node->kind == HR_YAML_SCALAR && hr_span_equal(node->text, HR_SPAN("true"))) {
        t->exercised_some = true;
        return 0;
    }
    return hr_yaml_get_int(&r->doc, node, 0, INT64_MAX, &t->exercised);
}

static int read_test(struct reader *r, const struct hr_yaml *node)
{
    static const char *const keys[] = {"name", "scenario", "expect", "exercised", "profile", NULL};
    struct rule_test *t = &r->file->tests[r->file->count];
    const struct hr_yaml *name = hr_yaml_find(node, "name");
    const struct hr_yaml *scenario = hr_yaml_find(node, "scenario");
    const struct hr_yaml *expect = hr_yaml_find(node, "expect");
    int e = hr_yaml_expect(&r->doc, node, HR_YAML_MAPPING);
    e = e < 0 ? e : hr_yaml_check_keys(&r->doc, node, keys);
    if (e == 0 && (name == NULL || scenario == NULL || expect == NULL)) {
        e = hr_yaml_fail(&r->doc, node, "a test needs name, scenario and expect (which may be [])");
    }
    t->line = node->line;
    e = e < 0 ? e : read_text(r, name, &t->name);
    e = e < 0 ? e : read_text(r, hr_yaml_find(node, "profile"), &t->profile);
    e = e < 0 ? e : scenario_parse(&r->doc, scenario, r->base, NULL, &t->scenario);
    if (e < 0) {
        return e;
    }
    r->file->count++; /* from here on the file owns the scenario */
    e = read_expectations(r, expect, t);
    return e < 0 ? e : read_exercised(r, hr_yaml_find(node, "exercised"), t);
}

static int read_tests(struct reader *r)
{
    static const char *const keys[] = {"base", "tests", NULL};
    const struct hr_yaml *list = r->doc.root;
    size_t count = 0;
    int e = 0;
    if (list == NULL) {
        return hr_yaml_fail(&r->doc, NULL, "expected a list of tests");
    }
    if (list->kind == HR_YAML_MAPPING) {
        e = hr_yaml_check_keys(&r->doc, list, keys);
        r->base = hr_yaml_find(list, "base");
        list = hr_yaml_find(list, "tests");
        if (e == 0 && list == NULL) {
            return hr_yaml_fail(&r->doc, r->doc.root, "expected tests");
        }
    }
    e = e < 0 ? e : hr_yaml_expect(&r->doc, list, HR_YAML_SEQUENCE);
    for (const struct hr_yaml *i = e == 0 ? list->child : NULL; i != NULL; i = i->next) {
        count++;
    }
    r->file->tests = hr_arena_alloc(r->file->memory, (count + 1) * sizeof(r->file->tests[0]));
    for (const struct hr_yaml *i = e == 0 ? list->child : NULL; i != NULL && e == 0; i = i->next) {
        e = read_test(r, i);
    }
    return e;
}

int rule_test_file_load(const char *path, struct rule_test_file *ret_file, struct hr_buf *ret_error)
{
    struct rule_test_file f = {.memory = hr_xcalloc(1, sizeof(*f.memory))};
    struct reader r = {.file = &f};
    const char *slash = strrchr(path, '/');
    struct hr_span rule = hr_span_str(slash != NULL ? slash + 1 : path);
    int e;
    hr_arena_init(f.memory);
    if (hr_span_has_suffix_nocase(rule, HR_SPAN(".yaml"))) {
        rule.len -= strlen(".yaml");
    }
    f.path = hr_arena_strdup(f.memory, hr_span_str(path));
    f.rule = hr_arena_strdup(f.memory, rule);
    e = hr_yaml_load(&r.doc, f.path);
    e = e < 0 ? e : read_tests(&r);
    if (e < 0) {
        hr_buf_append(ret_error, hr_buf_span(&r.doc.error));
        rule_test_file_finish(&f);
    } else {
        *ret_file = f;
    }
    hr_yaml_finish(&r.doc);
    return e;
}

void rule_test_file_finish(struct rule_test_file *f)
{
    for (size_t i = 0; i < f->count; i++) {
        scenario_destroy(f->tests[i].scenario);
    }
    if (f->memory != NULL) {
        hr_arena_finish(f->memory);
        free(f->memory);
    }
    memset(f, 0, sizeof(*f));
}

/* ---- comparing ---- */

static bool is_judged(const struct rule_test_file *file, const struct rule_test *t,
                      const char *rule)
{
    bool judged = strcmp(rule, file->rule) == 0 || is_of_all_rules(file);
    for (size_t i = 0; i < t->expectation_count; i++) {
        judged = judged || strcmp(rule, t->expectations[i].rule) == 0;
    }
    return judged;
}

static bool is_at(const struct rule_test *t, const struct rule_test_found *f, const char *label)
{
    char address[NET_ADDRESS_TEXT_SIZE];
    struct scenario_place p;
    return label == NULL ||
           (scenario_find(t->scenario, label, &p) && p.request_at == f->at && f->client != NULL &&
            p.client.port == f->client_port &&
            strcmp(frame_address_format(&p.client.address, address), f->client) == 0);
}

static void put_place(struct hr_buf *out, const struct rule_test *t,
                      const struct rule_test_found *f)
{
    char text[HR_TIME_TEXT_SIZE];
    const char *label = scenario_label_at(t->scenario, f->at, f->client, f->client_port);
    if (label != NULL) {
        hr_buf_appendf(out, "at '%s'", label);
    } else {
        hr_buf_appendf(out, "at %s", hr_time_format(f->at, text));
    }
}

static int64_t match(const struct rule_test *t, const struct rule_expectation *x,
                     struct rule_test_found *found, size_t count)
{
    int64_t matched = 0;
    for (size_t i = 0; i < count; i++) {
        struct rule_test_found *f = &found[i];
        if (!f->matched && strcmp(f->rule, x->rule) == 0 && is_at(t, f, x->label) &&
            (x->verdict == NULL || strcmp(f->verdict, x->verdict) == 0)) {
            f->matched = true;
            matched++;
        }
    }
    return matched;
}

static bool check_expectation(const struct rule_test *t, const struct rule_expectation *x,
                              struct rule_test_found *found, size_t count, struct hr_buf *why)
{
    const int64_t matched = match(t, x, found, count);
    if (matched == x->count) {
        return true;
    }
    hr_buf_appendf(why, "line %u: expected %lld %s%s%s%s%s%s, found %lld\n", x->line,
                   (long long)x->count, x->verdict != NULL ? x->verdict : "",
                   x->verdict != NULL ? " " : "", x->rule, x->label != NULL ? " at '" : "",
                   x->label != NULL ? x->label : "", x->label != NULL ? "'" : "",
                   (long long)matched);
    return false;
}

static bool check_exercised(const struct rule_test_file *file, const struct rule_test *t,
                            int64_t exercised, struct hr_buf *why)
{
    if (t->exercised_some && exercised < 1) {
        hr_buf_appendf(why, "%s was not exercised\n", file->rule);
        return false;
    }
    if (t->exercised >= 0 && t->exercised != exercised) {
        hr_buf_appendf(why, "expected %s to be exercised %lld times, it was %lld times\n",
                       file->rule, (long long)t->exercised, (long long)exercised);
        return false;
    }
    return true;
}

bool rule_test_compare(const struct rule_test_file *file, const struct rule_test *test,
                       struct rule_test_found *found, size_t found_count, int64_t exercised,
                       struct hr_buf *ret_why)
{
    bool passed = true;
    for (size_t i = 0; i < found_count; i++) {
        found[i].matched = false;
    }
    for (int labelled = 1; labelled >= 0; labelled--) { /* the exact ones choose first */
        for (size_t i = 0; i < test->expectation_count; i++) {
            const struct rule_expectation *x = &test->expectations[i];
            if ((x->label != NULL) == labelled) {
                passed = check_expectation(test, x, found, found_count, ret_why) && passed;
            }
        }
    }
    for (size_t i = 0; i < found_count; i++) {
        const struct rule_test_found *f = &found[i];
        if (!f->matched && is_judged(file, test, f->rule)) {
            hr_buf_appendf(ret_why, "not expected: %s %s ", f->verdict, f->rule);
            put_place(ret_why, test, f);
            hr_buf_appendf(ret_why, "%s%s\n", f->summary != NULL ? ": " : "",
                           f->summary != NULL ? f->summary : "");
            passed = false;
        }
    }
    return check_exercised(file, test, exercised, ret_why) && passed;
}

struct rule_test_score rule_test_score(const struct rule_test_file *file,
                                       const struct rule_test *test,
                                       const struct rule_test_found *found, size_t found_count)
{
    struct rule_test_score score = {0};
    for (size_t i = 0; i < test->expectation_count; i++) {
        score.expected += test->expectations[i].count;
    }
    for (size_t i = 0; i < found_count; i++) {
        if (found[i].matched) {
            score.found++;
        } else if (is_judged(file, test, found[i].rule)) {
            score.extra++;
        } else {
            score.other += strcmp(found[i].verdict, "suspect") != 0;
        }
    }
    return score;
}
