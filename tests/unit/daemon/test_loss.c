#include "base/alloc.h"
#include "daemon/loss.h"
#include "support/test.h"

enum { PERCENT = 10000 };

/* Frames that come in at one second, and what is said then; seconds between say nothing. */
struct moment {
    int second;
    uint64_t captured;
    uint64_t dropped;
    enum loss_news want;
};

static const struct {
    const char *name;
    int64_t limit_ppm;
    int repeat_seconds;
    struct moment moments[6];
} cases[] = {
    {"nothing came",                        PERCENT,     3600, {{0, 0, 0, LOSS_NO_NEWS}, {90, 0, 0, LOSS_NO_NEWS}}      },
    {"nothing but drops",                   PERCENT,     3600, {{0, 0, 1, LOSS_EXCEEDED}}                               },
    {"at the limit is not above",
     PERCENT,                                            3600,
     {{0, 99, 1, LOSS_NO_NEWS}, {1, 0, 1, LOSS_EXCEEDED}}                                                               },
    {"no drop is no loss",                  0,           3600, {{0, 5, 0, LOSS_NO_NEWS}, {1, 9999999, 1, LOSS_EXCEEDED}}},
    {"half a percent",                      PERCENT / 2, 3600, {{0, 995, 5, LOSS_NO_NEWS}, {1, 0, 1, LOSS_EXCEEDED}}    },
    {"it recovers when the minute is over",
     PERCENT,                                            3600,
     {{0, 50, 50, LOSS_EXCEEDED}, {59, 50, 0, LOSS_NO_NEWS}, {60, 50, 0, LOSS_RECOVERED}}                               },
    {"one piece of news a minute",
     PERCENT,                                            3600,
     {{0, 50, 50, LOSS_EXCEEDED},
      {20, 100000, 0, LOSS_NO_NEWS},
      {60, 0, 0, LOSS_RECOVERED},
      {61, 0, 99999, LOSS_NO_NEWS},
      {119, 0, 0, LOSS_NO_NEWS},
      {120, 0, 0, LOSS_EXCEEDED}}                                                                                       },
    {"said again after a long time",
     PERCENT,                                            90,
     {{0, 50, 50, LOSS_EXCEEDED},
      {50, 50, 50, LOSS_NO_NEWS},
      {89, 50, 50, LOSS_NO_NEWS},
      {91, 1, 1, LOSS_EXCEEDED}}                                                                                        },
    {"nobody asked",                        -1,          3600, {{0, 0, 99, LOSS_NO_NEWS}}                               },
};

static void news_is_what_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct loss_meter m;
        struct loss_counts total = {0};
        loss_meter_init(&m, cases[i].limit_ppm, cases[i].repeat_seconds * HR_NSEC_PER_SEC);
        for (size_t k = 0; k < HR_ARRAY_LEN(cases[i].moments); k++) {
            const struct moment *at = &cases[i].moments[k];
            if (k > 0 && at->second == 0) {
                break;
            }
            total.captured += at->captured;
            total.dropped += at->dropped;
            enum loss_news got = loss_meter_feed(&m, (7000 + at->second) * HR_NSEC_PER_SEC, &total);
            if (got != at->want) {
                fail_msg("%s: at second %d: %d, not %d", cases[i].name, at->second, got, at->want);
            }
        }
    }
}

static void a_share_is_of_all_frames(void **state)
{
    (void)state;
    assert_int_equal(loss_share_ppm(&(struct loss_counts){0}), 0);
    assert_int_equal(loss_share_ppm(&(struct loss_counts){.dropped = 3}), 1000000);
    assert_int_equal(loss_share_ppm(&(struct loss_counts){.captured = 3, .dropped = 1}), 250000);
    assert_int_equal(loss_share_ppm(&(struct loss_counts){.captured = 3, .dropped = 1, .shed = 1}),
                     500000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(news_is_what_changes),
        cmocka_unit_test(a_share_is_of_all_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
