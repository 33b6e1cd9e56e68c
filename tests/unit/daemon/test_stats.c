/* What is told of a watch: when it is in trouble, and how promptly it tells. */
#include "base/alloc.h"
#include "daemon/metrics.h"
#include "daemon/stats.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#define NOW (1000 * HR_NSEC_PER_SEC)
#define AGO(seconds) (NOW - (seconds)*HR_NSEC_PER_SEC)

static void trouble_is_of_any_thread(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct watch_stats s;
        const char *want; /* a part of it; NULL: none */
    } cases[] = {
        {"nothing was told yet",   {.at = 0},                              NULL      },
        {"all goes on",            {.at = AGO(1)},                         NULL      },
        {"a long round",           {.at = AGO(1), .round_began = AGO(59)}, NULL      },
        {"a round hangs",          {.at = AGO(1), .round_began = AGO(61)}, "a round" },
        {"nobody reads",           {.at = AGO(11)},                        "the loop"},
        {"the store failed",       {.at = AGO(1), .store_failed = true},   "database"},
        {"and the loop has ended", {.at = AGO(99), .store_failed = true},  "database"},
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        const char *got = stats_trouble(&cases[i].s, NOW);
        if ((got == NULL) != (cases[i].want == NULL) ||
            (got != NULL && strstr(got, cases[i].want) == NULL)) {
            fail_msg("%s: %s", cases[i].name, got != NULL ? got : "nothing");
        }
    }
}

/* Only bounds that were reached are told of. */
static void what_bounds_cut_is_told(void **state)
{
    (void)state;
    static const struct watch_stats s = {
        .cuts = {{"connections_evicted", 7}, {"budget_gaps", 0}, {"fields_cut", 3}},
    };
    struct hr_buf text;
    hr_buf_init(&text, SIZE_MAX);
    stats_format(&s, &text);
    assert_non_null(strstr(hr_buf_str(&text), ", connections_evicted 7, fields_cut 3"));
    assert_null(strstr(hr_buf_str(&text), "budget_gaps"));
    hr_buf_finish(&text);
}

/* Buckets are cumulative, and the last, the count and the sum are of the same alerts. */
static void the_histogram_adds_up(void **state)
{
    (void)state;
    static const struct watch_stats s = {
        .latency = {0, 1, 0, 0, 1},
          .latency_sum = 1500 * HR_NSEC_PER_MSEC
    };
    struct hr_buf text;
    hr_buf_init(&text, SIZE_MAX);
    metrics_format(&s, &(struct watch_totals){.sessions = 0}, &text);
    const char *at = strstr(hr_buf_str(&text), "headrace_alert_latency_seconds_bucket{");
    assert_non_null(at);
    static const char want[] = "headrace_alert_latency_seconds_bucket{le=\"0.1\"} 0\n"
                               "headrace_alert_latency_seconds_bucket{le=\"0.25\"} 1\n"
                               "headrace_alert_latency_seconds_bucket{le=\"0.5\"} 1\n"
                               "headrace_alert_latency_seconds_bucket{le=\"1.0\"} 1\n"
                               "headrace_alert_latency_seconds_bucket{le=\"2.0\"} 2\n"
                               "headrace_alert_latency_seconds_bucket{le=\"5.0\"} 2\n"
                               "headrace_alert_latency_seconds_bucket{le=\"30.0\"} 2\n"
                               "headrace_alert_latency_seconds_bucket{le=\"+Inf\"} 2\n"
                               "headrace_alert_latency_seconds_count 2\n"
                               "headrace_alert_latency_seconds_sum 1.500000\n";
    assert_memory_equal(at, want, sizeof(want) - 1);
    hr_buf_finish(&text);
}

/* What the reading thread puts does not undo what the writing one counted. */
static void totals_outlast_what_is_put(void **state)
{
    (void)state;
    struct stats *s = stats_create();
    struct watch_totals totals = {.sessions = 5};
    struct watch_stats got;
    watch_totals_add(&totals, "lost-update", 2);
    stats_put_totals(s, &totals);
    stats_put(s, &(struct watch_stats){.frames = 7, .at = NOW});
    stats_get(s, &got);
    stats_get_totals(s, &totals);
    assert_int_equal(got.frames, 7);
    assert_int_equal(got.sessions, 5);
    assert_int_equal(totals.rule_count, 1);
    assert_string_equal(totals.rules[0].rule, "lost-update");
    watch_totals_finish(&totals);
    stats_destroy(s);
}

/* Each rule has its line; what a database holds beyond that is counted. */
static void every_rule_is_told(void **state)
{
    (void)state;
    struct watch_totals totals = {.sessions = 1};
    static const struct watch_stats none;
    struct hr_buf text;
    char name[STATS_RULE_BYTES + 1];
    hr_buf_init(&text, SIZE_MAX);
    for (unsigned i = 0; i < STATS_RULES; i++) {
        snprintf(name, sizeof(name), "rule-%u", i);
        watch_totals_add(&totals, name, i);
    }
    watch_totals_add(&totals, "one-too-many", 1);
    metrics_format(&none, &totals, &text);
    assert_non_null(strstr(hr_buf_str(&text), "\nheadrace_findings{rule=\"rule-4095\"} 4095\n"));
    assert_null(strstr(hr_buf_str(&text), "many\"}"));
    assert_non_null(strstr(hr_buf_str(&text), "\nheadrace_rules_left_out 1\n"));
    watch_totals_finish(&totals);
    memset(name, 'a', STATS_RULE_BYTES);
    name[STATS_RULE_BYTES] = '\0';
    watch_totals_add(&totals, name, 1);
    watch_totals_add(&totals, "a\"} 1\nb{x=\"", 1);
    watch_totals_add(&totals, "", 1);
    assert_int_equal(totals.rule_count, 0);
    assert_int_equal(totals.rules_left_out, 3);
    hr_buf_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trouble_is_of_any_thread),
        cmocka_unit_test(the_histogram_adds_up),
        cmocka_unit_test(what_bounds_cut_is_told),
        cmocka_unit_test(totals_outlast_what_is_put),
        cmocka_unit_test(every_rule_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
