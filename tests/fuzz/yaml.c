/*
 * The files that a person writes as YAML: a letter that says which (profile, suppressions,
 * scenario, tests of rules), then the file. A wrong one is refused with its name in front of the
 * text.
 */
#include "fuzz.h"
#include "rule/suppress.h"
#include "scenario/ruletest.h"
#include "scenario/scenario.h"
#include "session/profile.h"

static void check_error(const char *path, int r, const struct hr_buf *error)
{
    LAW(r <= 0);
    LAW((r == 0) == (error->len == 0));
    LAW(r == 0 || hr_span_has_prefix(hr_buf_span(error), hr_span_str(path)));
    LAW(hr_span_find(hr_buf_span(error), '\n') == SIZE_MAX);
}

static int load_profile(const char *path, struct hr_buf *error)
{
    const char *paths[] = {path, path};
    struct profile_set *set = NULL;
    int r = profile_set_load(paths, 2, &set, error);
    LAW(r < 0 || set != NULL);
    (void)profile_set_find(set, HR_SPAN("shop.example"));
    (void)profile_set_find(set, HR_SPAN("[2001:db8::1]:8080"));
    (void)profile_set_find(set, (struct hr_span){NULL, 0});
    profile_set_destroy(set);
    return r;
}

static int load_suppressions(const char *path, struct hr_buf *error)
{
    struct suppression_set *set = NULL;
    int r = suppression_set_load(path, &set, error);
    LAW(r < 0 || set != NULL);
    for (size_t i = 0; set != NULL && i < suppression_set_count(set); i++) {
        LAW(suppression_set_get(set, i) != NULL);
    }
    suppression_set_destroy(set);
    return r;
}

static int load_scenario(const char *path, struct hr_buf *error)
{
    struct scenario *s = NULL;
    struct scenario_place place;
    int r = scenario_load(path, NULL, &s, error);
    LAW(r < 0 || s != NULL);
    if (s != NULL) {
        (void)scenario_find(s, "a", &place);
        scenario_destroy(s);
    }
    return r;
}

static int load_rule_tests(const char *path, struct hr_buf *error)
{
    struct rule_test_file file = {.count = 0};
    int r = rule_test_file_load(path, &file, error);
    LAW(r == 0 || file.count == 0);
    for (size_t i = 0; i < file.count; i++) {
        LAW(file.tests[i].name != NULL && file.tests[i].scenario != NULL);
    }
    rule_test_file_finish(&file);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int (*const loaders[])(const char *, struct hr_buf *) = {load_profile, load_suppressions,
                                                                    load_scenario, load_rule_tests};
    struct hr_span text = hr_span_of(data, size);
    struct fuzz_file file;
    struct hr_buf error;
    uint8_t letter = fuzz_u8(&text);
    hr_buf_init(&error, SIZE_MAX);
    fuzz_file_open(&file, text);
    int r = loaders[letter % HR_ARRAY_LEN(loaders)](file.path, &error);
    check_error(file.path, r, &error);
    fuzz_file_close(&file);
    hr_buf_finish(&error);
    return 0;
}
