#include "base/alloc.h"
#include "report/svg_axis.h"
#include "support/test.h"

#include <math.h>

#define US HR_NSEC_PER_USEC
#define MS HR_NSEC_PER_MSEC
#define S HR_NSEC_PER_SEC

enum { FROM = 100, TO = 800, POINTS = 6 };

/* When something happens; how many breaks that takes. */
static const struct {
    const char *name;
    size_t breaks;
    hr_nsec times[POINTS];
} cases[] = {
    {"one moment",                  0, {7 * S, 7 * S, 7 * S, 7 * S, 7 * S, 7 * S}                                 },
    {"even",                        0, {0, 1 * MS, 2 * MS, 3 * MS, 4 * MS, 5 * MS}                                },
    {"microseconds, an hour apart",
     1,                                {0, 100 * US, 200 * US, 3600 * S, 3600 * S + 100 * US, 3600 * S + 300 * US}},
    {"microseconds among seconds",
     2,                                {0, 1 * S, 1 * S + 50 * US, 1 * S + 90 * US, 3 * S, 3 * S + 30 * US}       },
    {"not in order, one unseen",    0, {4 * MS, 1 * MS, HR_NSEC_INFINITE, 2 * MS, 0, 3 * MS}                      },
};

static size_t count_breaks(const struct svg_axis *a)
{
    size_t n = 0;
    for (size_t i = 0; i + 1 < a->count; i++) {
        n += a->is_break[i] ? 1 : 0;
    }
    return n;
}

static void make(size_t i, struct svg_axis *a)
{
    hr_nsec times[POINTS];
    for (size_t k = 0; k < POINTS; k++) {
        times[k] = cases[i].times[k];
    }
    svg_axis_init(a, times, POINTS, HR_NSEC_INFINITE, FROM, TO);
}

static void one_scale_all_along(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct svg_axis a;
        make(i, &a);
        assert_int_equal(count_breaks(&a), cases[i].breaks);
        assert_true(a.x[0] == FROM);
        assert_true(a.count == 1 || fabs(a.x[a.count - 1] - TO) < 0.01);
        for (size_t k = 0; k + 1 < a.count; k++) {
            const double width = a.x[k + 1] - a.x[k];
            const double scaled = (double)(a.at[k + 1] - a.at[k]) * a.width_per_nsec;
            assert_true(fabs(width - (a.is_break[k] ? AXIS_BREAK_WIDTH : scaled)) < 0.01);
        }
    }
}

static void what_is_close_can_be_seen(void **state)
{
    struct svg_axis a;
    (void)state;
    make(3, &a);
    for (size_t k = 0; k + 1 < a.count; k++) {
        assert_true(a.x[k + 1] - a.x[k] >= 9);
    }
}

/* Of other times so close together no fuss is made; what is wrong may hang on it. */
static void what_it_is_about_can_be_seen_however_close(void **state)
{
    (void)state;
    for (int is_focus = 0; is_focus <= 1; is_focus++) {
        hr_nsec times[] = {0, 8 * 3600 * S, 8 * 3600 * S + 1 * US, 8 * 3600 * S + 2 * US};
        const hr_nsec focus = is_focus ? times[2] : HR_NSEC_INFINITE;
        struct svg_axis a;
        svg_axis_init(&a, times, HR_ARRAY_LEN(times), focus, FROM, TO);
        assert_int_equal(count_breaks(&a), is_focus);
        assert_true((a.x[2] - a.x[1] >= 9) == (is_focus == 1));
    }
}

static void every_time_has_its_place(void **state)
{
    struct svg_axis a;
    (void)state;
    make(1, &a);
    assert_true(svg_axis_x(&a, -5 * S) == FROM);
    assert_true(fabs(svg_axis_x(&a, 5 * MS / 2) - (FROM + TO) / 2.0) < 0.01);
    assert_true(fabs(svg_axis_x(&a, 99 * S) - TO) < 0.01);
    assert_int_equal(svg_axis_unit(&a), 500 * US);
    svg_axis_init(&a, NULL, 0, HR_NSEC_INFINITE, FROM, TO);
    assert_true(svg_axis_x(&a, 1 * S) == FROM);
    assert_int_equal(svg_axis_unit(&a), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_scale_all_along),
        cmocka_unit_test(what_is_close_can_be_seen),
        cmocka_unit_test(what_it_is_about_can_be_seen_however_close),
        cmocka_unit_test(every_time_has_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
