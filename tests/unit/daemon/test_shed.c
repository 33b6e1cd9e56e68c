#include "base/alloc.h"
#include "daemon/shed.h"
#include "support/test.h"

static const struct shed_load full = {.drops = 9, .fill = 1};
static const struct shed_load slow = {.drops = 9, .fill = 0};                        /* reading */
static const struct shed_load paused = {.drops = 9, .fill = 0, .was_waiting = true}; /* was */
static const struct shed_load busy = {.fill = 1};                                    /* in time */
static const struct shed_load medium = {.fill = 0.5, .was_waiting = true};           /* so so */
static const struct shed_load calm = {.was_waiting = true};

/* So many steps of a second each, and the share that follows. */
struct stretch {
    const struct shed_load *load;
    int seconds;
    unsigned want;
};

static const struct {
    const char *name;
    struct stretch stretches[8];
} cases[] = {
    {"a short burst sheds nothing",     {{&full, 2, 0}, {&busy, 1, 0}, {&full, 2, 0}}             },
    {"overload sheds more and more",
     {{&full, 3, 1}, {&full, 2, 2}, {&full, 26, 15}, {&full, 60, 15}}                             },
    {"a reading loop that is too slow", {{&slow, 3, 1}}                                           },
    {"a pause is no overload",          {{&paused, 60, 0}}                                        },
    {"a full queue that loses nothing", {{&busy, 60, 0}}                                          },
    {"calm gives back one by one",
     {{&full, 5, 2}, {&calm, 10, 2}, {&calm, 1, 1}, {&calm, 10, 0}, {&calm, 60, 0}}               },
    {"between them nothing changes",
     {{&full, 5, 2}, {&medium, 60, 2}, {&busy, 60, 2}, {&calm, 11, 1}}                            },
    {"calm must last",
     {{&full, 3, 1}, {&calm, 9, 1}, {&medium, 1, 1}, {&calm, 9, 1}, {&full, 1, 1}, {&calm, 11, 0}}},
};

static void the_share_follows_the_load(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct shed_policy p;
        hr_nsec now = 1000 * HR_NSEC_PER_SEC;
        shed_policy_init(&p);
        for (size_t k = 0; k < HR_ARRAY_LEN(cases[i].stretches); k++) {
            const struct stretch *s = &cases[i].stretches[k];
            for (int n = 0; n < s->seconds; n++) {
                shed_policy_step(&p, now, s->load);
                now += HR_NSEC_PER_SEC;
            }
            if (s->load != NULL && p.share != s->want) {
                fail_msg("%s: after stretch %zu %u, not %u", cases[i].name, k, p.share, s->want);
            }
        }
    }
}

/* Where steps come late, a share is never skipped: what is shed is not seen. */
static void a_late_step_is_one_step(void **state)
{
    struct shed_policy p;
    (void)state;
    shed_policy_init(&p);
    assert_int_equal(shed_policy_step(&p, HR_NSEC_PER_SEC, &full), 0);
    assert_int_equal(shed_policy_step(&p, 100 * HR_NSEC_PER_SEC, &full), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_share_follows_the_load),
        cmocka_unit_test(a_late_step_is_one_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
