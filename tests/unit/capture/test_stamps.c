/* Times of frames in milliseconds, looked at one after the other; SET: the clock was set over the
 * two times behind it, and all is settled; SETTLE: it was not. */
#include "base/alloc.h"
#include "capture/stamps.h"
#include "support/test.h"

enum {
    END = 0,
    SETTLE = -1,
    SET = -2,
};

static const struct {
    const char *name;
    int doubt; /* ms */
    int steps[12];
} cases[] = {
    {"in order",                             0,    {1000, 1001, 1001, 2000, SETTLE}                 },
    {"a little back",                        7,    {1000, 1010, 1003, SETTLE}                       },
    {"far back",                             4000, {5000, 1000, SETTLE}                             },
    {"not far for good",                     4000, {5000, 1000, SETTLE, 1001, 5001, SETTLE}         },
    {"set back, which is told later",        0,    {5000, 1010, SET, 1000, 5010, 1500, 5500, SETTLE}},
    {"set back, which was told before",      0,    {5000, SET, 1000, 5010, 5005, 1010, 1500, SETTLE}},
    {"set back by less than that",           4000, {5000, 1000, SET, 3000, 5010, SETTLE}            },
    {"set back, and out of order behind it", 9,    {5000, 1010, 1001, SET, 1000, 5010, SETTLE}      },
    {"set back, and another jump before it",
     200,                                          {5000, 4800, 4990, 1010, SET, 1000, 5010, SETTLE}},
    {"set back, and another jump behind it",
     200,                                          {5000, 1010, 1310, 1110, SET, 1000, 5010, SETTLE}},
    {"set ahead",                            0,    {1000, 5000, SET, 1000, 5000, 5001, SETTLE}      },
    {"long after it was set",                300,  {5000, 1010, SET, 1000, 5010, 6000, 5700, SETTLE}},
};

static hr_nsec doubt_of(const int *step)
{
    struct stamps s;
    stamps_init(&s);
    for (; *step != END; step++) {
        if (*step == SET) {
            stamps_set(&s, step[1] * HR_NSEC_PER_MSEC, step[2] * HR_NSEC_PER_MSEC);
            stamps_settle(&s);
            step += 2;
        } else if (*step == SETTLE) {
            stamps_settle(&s);
        } else {
            stamps_note(&s, *step * HR_NSEC_PER_MSEC);
        }
    }
    return s.doubt;
}

static void only_the_clock_explains_a_jump(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        hr_nsec got = doubt_of(cases[i].steps);
        if (got != cases[i].doubt * HR_NSEC_PER_MSEC) {
            fail_msg("%s: %lld ns", cases[i].name, (long long)got);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_clock_explains_a_jump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
