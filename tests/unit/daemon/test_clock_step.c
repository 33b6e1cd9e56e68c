/* In milliseconds: the clocks at two looks, and what is found. */
#include "base/alloc.h"
#include "daemon/clock_step.h"
#include "support/test.h"

static const struct {
    const char *name;
    int before[2]; /* wall, steady */
    int now[2];
    int by; /* 0: it was not set */
    int from, to;
} cases[] = {
    {"as it should go",               {5000, 100}, {5050, 150},    0,     0,    0   },
    {"looked at after a long time",   {5000, 100}, {95000, 90100}, 0,     0,    0   },
    {"slewed",                        {5000, 100}, {6099, 1100},   0,     0,    0   },
    {"set ahead",                     {5000, 100}, {9050, 150},    4000,  5000, 9050},
    {"set back",                      {5000, 100}, {1050, 150},    -4000, 1000, 5050},
    {"set back a little",             {5000, 100}, {4900, 150},    -150,  4850, 5050},
    {"set ahead after a long time",   {5000, 100}, {7200, 2100},   200,   5000, 7200},
    {"set back within a longer time", {5000, 100}, {6800, 2100},   -200,  4800, 7000},
};

static void what_lies_between_is_in_doubt(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct clock_pair last = {cases[i].before[0] * HR_NSEC_PER_MSEC,
                                  cases[i].before[1] * HR_NSEC_PER_MSEC};
        struct clock_pair now = {cases[i].now[0] * HR_NSEC_PER_MSEC,
                                 cases[i].now[1] * HR_NSEC_PER_MSEC};
        struct clock_step step = {0};
        bool is_set = clock_step_find(&last, now, &step);
        if (is_set != (cases[i].by != 0) || step.by != cases[i].by * HR_NSEC_PER_MSEC ||
            step.from_at != cases[i].from * HR_NSEC_PER_MSEC ||
            step.to_at != cases[i].to * HR_NSEC_PER_MSEC) {
            fail_msg("%s: by %lld, from %lld, to %lld", cases[i].name, (long long)step.by,
                     (long long)step.from_at, (long long)step.to_at);
        }
        assert_false(clock_step_find(&last, now, &step)); /* once */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_lies_between_is_in_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
