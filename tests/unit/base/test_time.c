#include "base/alloc.h"
#include "base/time.h"
#include "support/test.h"

/* Times are written in RFC 3339 with nine decimals, and read back to the same nanosecond. */
static void times_are_rfc_3339(void **state)
{
    static const struct {
        hr_nsec at;
        const char *text;
    } cases[] = {
        {0,                                   "1970-01-01T00:00:00.000000000Z"},
        {1,                                   "1970-01-01T00:00:00.000000001Z"},
        {-1,                                  "1969-12-31T23:59:59.999999999Z"},
        {INT64_C(1772438400) * 1000000000,    "2026-03-02T08:00:00.000000000Z"},
        {INT64_C(951827696) * 1000000000 + 5, "2000-02-29T12:34:56.000000005Z"},
    };
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        char text[HR_TIME_TEXT_SIZE];
        hr_nsec back = 77;
        assert_string_equal(hr_time_format(cases[i].at, text), cases[i].text);
        assert_true(hr_time_parse(hr_span_str(cases[i].text), &back));
        assert_int_equal(back, cases[i].at);
    }
}

/* Offsets and fewer decimals are read; what is not a time is refused and changes nothing. */
static void other_times_are_read_or_refused(void **state)
{
    static const struct {
        const char *text;
        hr_nsec at; /* -1: refused */
    } cases[] = {
        {"1970-01-01T01:00:00+01:00",   0              },
        {"1969-12-31 19:00:00.5-05:00", 500000000      },
        {"1970-01-01t00:00:01z",        HR_NSEC_PER_SEC},
        {"1970-01-01T00:00:00",         -1             },
        {"1970-13-01T00:00:00Z",        -1             },
        {"1970-01-32T00:00:00Z",        -1             },
        {"1970-01-01T24:00:00Z",        -1             },
        {"1970-01-01T00:00:00Zx",       -1             },
        {"",                            -1             },
        {"today",                       -1             },
    };
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        hr_nsec at = -1;
        bool ok = hr_time_parse(hr_span_str(cases[i].text), &at);
        assert_int_equal(at, cases[i].at);
        assert_int_equal(ok, cases[i].at != -1);
    }
}

/* Sums never wrap, and never stays never. */
static void arithmetic_saturates(void **state)
{
    (void)state;
    assert_int_equal(hr_nsec_add(INT64_MAX - 1, 5), HR_NSEC_INFINITE);
    assert_int_equal(hr_nsec_add(HR_NSEC_INFINITE, -5), HR_NSEC_INFINITE);
    assert_int_equal(hr_nsec_add(INT64_MIN + 1, -5), INT64_MIN);
    assert_int_equal(hr_nsec_sub(INT64_MIN + 1, 5), INT64_MIN);
    assert_int_equal(hr_nsec_sub(5, INT64_MIN), HR_NSEC_INFINITE);
    assert_int_equal(hr_nsec_from(INT64_MAX, 0), HR_NSEC_INFINITE);
    assert_int_equal(hr_nsec_from(2, 5), 2000000005);
}

static void spans_read_like_people_say_them(void **state)
{
    static const struct {
        hr_nsec span;
        const char *text;
    } cases[] = {
        {7,                        "7 ns"      },
        {17 * HR_NSEC_PER_USEC,    "17 µs"    },
        {4200 * HR_NSEC_PER_USEC,  "4.2 ms"    },
        {-4200 * HR_NSEC_PER_USEC, "-4.2 ms"   },
        {5 * HR_NSEC_PER_SEC,      "5 s"       },
        {65 * HR_NSEC_PER_SEC,     "1 min 5 s" },
        {3600 * HR_NSEC_PER_SEC,   "1 h 0 min" },
        {9000 * HR_NSEC_PER_SEC,   "2 h 30 min"},
        {HR_NSEC_INFINITE,         "for ever"  },
    };
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        char text[HR_TIME_TEXT_SIZE];
        assert_string_equal(hr_duration_format(cases[i].span, text), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_rfc_3339),
        cmocka_unit_test(other_times_are_read_or_refused),
        cmocka_unit_test(arithmetic_saturates),
        cmocka_unit_test(spans_read_like_people_say_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
