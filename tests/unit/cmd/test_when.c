#include "base/alloc.h"
#include "cmd/when.h"
#include "support/test.h"

#define DAY (24 * 3600 * HR_NSEC_PER_SEC)
#define LATEST INT64_C(1767225600000000000) /* 2026-01-01T00:00:00Z */
#define BAD INT64_MIN

static void spans_have_a_unit(void **state)
{
    static const struct {
        const char *text;
        hr_nsec want;
    } cases[] = {
        {"250us",         250 * HR_NSEC_PER_USEC},
        {"7ns",           7                     },
        {"0s",            0                     },
        {"10min",         600 * HR_NSEC_PER_SEC },
        {"30d",           30 * DAY              },
        {"2w",            14 * DAY              },
        {"30",            BAD                   },
        {"d",             BAD                   },
        {"-1s",           BAD                   },
        {"1.5s",          BAD                   },
        {"5 s",           BAD                   },
        {"999999999999d", BAD                   },
        {"",              BAD                   },
    };
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        hr_nsec got = BAD;
        assert_int_equal(cmd_parse_span(cases[i].text, &got), cases[i].want != BAD);
        assert_int_equal(got, cases[i].want);
    }
}

static void sizes_are_bytes(void **state)
{
    static const struct {
        const char *text;
        uint64_t want; /* UINT64_MAX: refused */
    } cases[] = {
        {"4096",            4096               },
        {"64k",             65536              },
        {"64M",             64u * 1024 * 1024  },
        {"1G",              1024u * 1024 * 1024},
        {"M",               UINT64_MAX         },
        {"1X",              UINT64_MAX         },
        {"1MB",             1024 * 1024        },
        {"1Mb",             UINT64_MAX         },
        {"1B",              UINT64_MAX         },
        {"1MBB",            UINT64_MAX         },
        {"-1",              UINT64_MAX         },
        {"99999999999999G", UINT64_MAX         },
    };
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        uint64_t got = UINT64_MAX;
        assert_int_equal(cmd_parse_size(cases[i].text, &got), cases[i].want != UINT64_MAX);
        assert_int_equal(got, cases[i].want);
    }
}

/* A time is absolute, or local in its zone, or so long before the last packet. */
static void times_are_what_people_type(void **state)
{
    static const struct {
        const char *text;
        const char *zone;
        bool is_until;
        const char *want; /* NULL: refused */
    } cases[] = {
        {"2026-01-31T10:00:00Z",      NULL,          false, "2026-01-31T10:00:00.000000000Z"},
        {"2026-01-31T10:00:00+02:00", "UTC",         false, "2026-01-31T08:00:00.000000000Z"},
        {"-2h",                       NULL,          false, "2025-12-31T22:00:00.000000000Z"},
        {"2026-07-01 10:00",          "Europe/Rome", false, "2026-07-01T08:00:00.000000000Z"},
        {"2026-01-01 10:00:30",       "Europe/Rome", false, "2026-01-01T09:00:30.000000000Z"},
        {"2026-01-01",                "UTC",         false, "2026-01-01T00:00:00.000000000Z"},
        {"2026-01-01",                "UTC",         true,  "2026-01-02T00:00:00.000000000Z"},
        {"2026-03-29",                "Europe/Rome", true,  "2026-03-29T22:00:00.000000000Z"}, /* 23 hours */
        {"yesterday",                 NULL,          false, NULL                            },
        {"2026-02-31",                "UTC",         false, NULL                            },
        {"2026-02-29T10:00:00Z",      "UTC",         false, NULL                            },
        {"2028-02-29",                "UTC",         false, "2028-02-29T00:00:00.000000000Z"},
        {"2026-13-01",                "UTC",         false, NULL                            },
        {"-2",                        NULL,          false, NULL                            },
        {"",                          NULL,          false, NULL                            },
    };
    char text[HR_TIME_TEXT_SIZE];
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        hr_nsec got = 0;
        if (cases[i].zone != NULL && !cmd_zone_exists(cases[i].zone)) {
            continue; /* a system without the time zone database */
        }
        bool is_time =
            cmd_parse_time(cases[i].text, cases[i].zone, cases[i].is_until, LATEST, &got);
        assert_int_equal(is_time, cases[i].want != NULL);
        if (is_time) {
            assert_string_equal(hr_time_format(got, text), cases[i].want);
        }
    }
}

static void zones_are_names_not_paths(void **state)
{
    (void)state;
    assert_true(cmd_zone_exists("UTC"));
    assert_false(cmd_zone_exists("Mars/Olympus"));
    assert_false(cmd_zone_exists("../../../etc/passwd"));
    assert_false(cmd_zone_exists("/etc/localtime"));
    assert_false(cmd_zone_exists(""));
    assert_false(cmd_zone_exists("Europe"));     /* a folder */
    assert_false(cmd_zone_exists("zone1970.tab")); /* a table of names */
}

static void percentages_have_fractions(void **state)
{
    static const struct {
        const char *text;
        int64_t want; /* -1: refused */
    } cases[] = {
        {"0",       0     },
        {"5",       50000 },
        {"5%",      50000 },
        {"0.1",     1000  },
        {"0.0001",  1     },
        {"12.50%",  125000},
        {"99.9999", 999999},
        {"",        -1    },
        {"%",       -1    },
        {".5",      -1    },
        {"5.",      -1    },
        {"5,5",     -1    },
        {"-1",      -1    },
        {"100",     -1    },
        {"0.00001", -1    },
        {"1%%",     -1    },
        {"1 %",     -1    },
        {"1e1",     -1    },
        {"nan",     -1    },
    };
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        int64_t got = -1;
        assert_int_equal(cmd_parse_percent(cases[i].text, &got), cases[i].want >= 0);
        assert_int_equal(got, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_have_a_unit),          cmocka_unit_test(sizes_are_bytes),
        cmocka_unit_test(percentages_have_fractions), cmocka_unit_test(times_are_what_people_type),
        cmocka_unit_test(zones_are_names_not_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
