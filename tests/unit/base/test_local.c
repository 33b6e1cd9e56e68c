#include "base/alloc.h"
#include "base/local.h"
#include "support/test.h"

#include <stdlib.h>

static hr_nsec at(const char *text)
{
    hr_nsec t = 0;
    assert_true(hr_time_parse(hr_span_str(text), &t));
    return t;
}

/* Where clocks are put forward a day has 23 hours, where they are put back 25. */
static void the_zone_decides_the_day(void **state)
{
    static const struct {
        const char *zone, *within, *begin, *end;
    } cases[] = {
        {"UTC",          "2026-11-22T10:00:00Z",   "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"},
        {"Europe/Rome",  "2026-11-22T23:30:00Z",   "2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z"},
        {"Europe/Rome",  "2026-03-29T12:00:00Z",   "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
        {"Europe/Rome",  "2026-10-25T12:00:00Z",   "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
        {"Asia/Kolkata", "2026-11-22T18:29:59Z",   "2026-11-21T18:30:00Z", "2026-11-22T18:30:00Z"},
        {"UTC",          "1969-12-31T23:59:59.5Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z"},
    };
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        hr_local_use(cases[i].zone);
        assert_int_equal(hr_local_midnight(at(cases[i].within), 0), at(cases[i].begin));
        assert_int_equal(hr_local_day_end(at(cases[i].within)), at(cases[i].end));
    }
}

static void an_hour_ends_where_the_zone_s_clock_says(void **state)
{
    (void)state;
    hr_local_use("Asia/Kolkata"); /* half an hour off */
    assert_int_equal(hr_local_hour_end(at("2026-11-22T10:00:00.5Z")), at("2026-11-22T10:30:00Z"));
    assert_int_equal(hr_local_hour_end(at("2026-11-22T10:30:00Z")), at("2026-11-22T11:30:00Z"));
}

static void times_are_written_in_the_zone(void **state)
{
    char text[HR_TIME_TEXT_SIZE];
    (void)state;
    hr_local_use("Europe/Rome");
    hr_nsec t = at("2026-11-22T23:00:01.000123456Z");
    assert_string_equal(hr_local_format(t, HR_LOCAL_MICRO, text), "2026-11-23 00:00:01.000123");
    assert_string_equal(hr_local_format(t, HR_LOCAL_DATE, text), "2026-11-23");
    assert_string_equal(hr_local_format(t, HR_LOCAL_HOUR, text), "00:00");
    assert_string_equal(hr_local_format(t, HR_LOCAL_OFFSET, text), "+01:00");
    assert_string_equal(hr_local_format(t, HR_LOCAL_MARK, text), "+01:00");
    assert_string_equal(hr_local_format(HR_NSEC_INFINITE, HR_LOCAL_DATE, text), "never");
    assert_string_equal(hr_local_zone(text), "Europe/Rome");
    hr_local_use("UTC");
    assert_string_equal(hr_local_format(t, HR_LOCAL_MARK, text), "UTC");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_zone_decides_the_day),
        cmocka_unit_test(an_hour_ends_where_the_zone_s_clock_says),
        cmocka_unit_test(times_are_written_in_the_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
