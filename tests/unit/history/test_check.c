#include "base/alloc.h"
#include "history/check.h"
#include "literal.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum want {
    EXPLAINED,
    WEAK,
    CONTRADICTED,
};

/* A history is explained if its operations fit into one order that gives every answer; capture
 * time decides where it can, and a session may end silently at any moment. */
static const struct {
    const char *name, *history;
    enum want absent, unknown;
    hr_nsec epsilon;
    size_t witness; /* where both contradict */
} cases[] = {
    {"nothing at all",                                          "",                                            EXPLAINED,    EXPLAINED,    0, 0},
    {"login, access, logout, denial",                           "L[0,1] G[2,3] O[4,5] D[6,7]",                 EXPLAINED,    EXPLAINED,    0, 0},
    {"access after the logout",                                 "L[0,1] O[4,5] G[6,7]",                        CONTRADICTED, CONTRADICTED, 0, 2},
    {"access overlaps the logout",                              "L[0,1] O[4,6] G[5,9]",                        EXPLAINED,    EXPLAINED,    0, 0},
    {"access begins as the logout ends",                        "L[0,1] O[4,6] G[6,9]",                        EXPLAINED,    EXPLAINED,    0, 0},
    {"within the clock's doubt",                                "L[0,1] O[4,5] G[8,9]",                        EXPLAINED,    EXPLAINED,    3, 0},
    {"just beyond the clock's doubt",                           "L[0,0] O[4,5] G[9,9]",                        CONTRADICTED, CONTRADICTED, 3, 2},
    {"a login between",                                         "L[0,1] O[4,5] L[6,7] G[8,9]",                 EXPLAINED,    EXPLAINED,    0, 0},
    {"a login that overlaps its logout",                        "L[0,9] O[2,5] G[6,7]",                        EXPLAINED,    EXPLAINED,    0, 0},
    {"an unanswered login before the logout",                   "L[0,1] M[2 O[4,5] G[6,7]",                    EXPLAINED,    EXPLAINED,    0,
     0                                                                                                                                         },
    {"it helps only once",                                      "L[0,1] M[2 O[4,5] G[6,7] D[8,9] G[10,11]",    CONTRADICTED, CONTRADICTED,
     0,                                                                                                                                       5},
    {"a login without an end counts as one",                    "L[0 D[4,5] G[6,7]",                           EXPLAINED,    EXPLAINED,    0, 0},
    {"an unanswered login after the access",                    "L[0,1] O[4,5] G[6,7] M[8",                    CONTRADICTED, CONTRADICTED,
     0,                                                                                                                                       2},
    {"a logout without an answer",                              "L[0,1] O[4 G[6,7]",                           EXPLAINED,    EXPLAINED,    0, 0},
    {"an access without an answer",                             "L[0,1] O[4,5] G[6",                           EXPLAINED,    EXPLAINED,    0, 0},
    {"granted, denied, granted",                                "L[0,1] G[2,3] D[4,5] G[6,7]",                 CONTRADICTED, CONTRADICTED, 0, 3},
    {"granted, denied, denied",                                 "L[0,1] G[2,3] D[4,5] D[6,7]",                 EXPLAINED,    EXPLAINED,    0, 0},
    {"a denial around the grants",                              "L[0,1] G[2,3] D[3,9] G[6,7]",                 EXPLAINED,    EXPLAINED,    0, 0},
    {"granted before the login",                                "G[0,1] L[2,3]",                               CONTRADICTED, EXPLAINED,    0, 0},
    {"never logged in",                                         "G[0,1]",                                      CONTRADICTED, EXPLAINED,    0, 0},
    {"no login, logout, granted",                               "O[0,1] G[2,3]",                               CONTRADICTED, WEAK,         0, 1},
    {"no login, denied at first",                               "D[0,1] G[2,3]",                               CONTRADICTED, WEAK,         0, 1},
    {"no login, but live before the logout",                    "G[0,1] O[2,3] G[4,5]",                        CONTRADICTED, CONTRADICTED, 0,
     0                                                                                                                                         },
    {"no login, the grant before overlaps",                     "G[0,3] O[2,4] G[5,6]",                        CONTRADICTED, WEAK,         0, 0},
    {"no login, another denial between",                        "D[0,0] G[1,2] D[3,4] G[5,6]",                 CONTRADICTED, CONTRADICTED,
     0,                                                                                                                                       1},
    {"nested logins give two lives",                            "L[0,20] L[1,19] G[2,2] O[4,5] G[6,7] D[8,9]", EXPLAINED,
     EXPLAINED,                                                                                                                            0, 0},
    {"nested logins give no third life",
     "L[0,20] L[1,19] D[2,2] G[3,3] O[4,5] G[6,7] D[8,9] G[10,11]",                                            CONTRADICTED, CONTRADICTED, 0,
     7                                                                                                                                         },
 /* Nearby rules that are wrong fail here. */
    {"of open logins the one that ends first is applied first",
     "L[0,6] O[1,3] G[1,1] L[2,2] D[3,4] D[3,3] G[4,8]",                                                       CONTRADICTED, EXPLAINED,    0, 6},
    {"a login may be applied in the midst of its interval",     "L[0,9] D[1,2] G[3,4]",                        EXPLAINED,
     EXPLAINED,                                                                                                                            0, 0},
    {"closing only at the starts of logins loses an order",     "L[0,9] D[2,2] G[3,3] D[4,4]",
     EXPLAINED,                                                                                                              EXPLAINED,    0, 0},
    {"an acknowledged logout is no proof of life",              "O[0,1] L[2,3] G[4,5]",                        EXPLAINED,    EXPLAINED,    0,
     0                                                                                                                                         },
    {"nor does it say that the login was applied",              "L[0,9] O[2,3] G[5,6]",                        EXPLAINED,    EXPLAINED,    0,
     0                                                                                                                                         },
};

static enum want to_want(struct history_result r)
{
    assert_int_not_equal(r.answer, HISTORY_UNKNOWN);
    assert_true((r.answer == HISTORY_CONTRADICTED) == (r.witness != HISTORY_NONE));
    return r.answer == HISTORY_EXPLAINED ? EXPLAINED : r.weak ? WEAK : CONTRADICTED;
}

static void the_check_says_what_every_order_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        print_message("  %s: %s\n", cases[i].name, cases[i].history);
        const struct literal l = literal_parse(cases[i].history);
        for (int k = 0; k < 2; k++) {
            const enum history_first first = k ? HISTORY_FIRST_UNKNOWN : HISTORY_FIRST_ABSENT;
            const enum want want = k ? cases[i].unknown : cases[i].absent;
            const struct history_result got =
                history_check(l.ops, l.count, first, cases[i].epsilon);
            assert_int_equal(to_want(got), want);
            assert_int_equal(to_want(history_sweep(l.ops, l.count, first, cases[i].epsilon)), want);
            assert_true(brute_force_explains(l.ops, l.count, first, cases[i].epsilon) ==
                        (want == EXPLAINED));
            if (k && cases[i].absent != EXPLAINED && cases[i].unknown == cases[i].absent &&
                cases[i].witness != 0) {
                assert_int_equal(got.witness, cases[i].witness);
            }
        }
    }
}

/* The witness comes with the operations that it contradicts. */
static void a_witness_names_what_it_contradicts(void **state)
{
    (void)state;
    const struct literal l = literal_parse("L[0,1] G[2,3] O[4,5] D[6,7] G[8,9] G[10,11]");
    const struct history_result r = history_check(l.ops, l.count, HISTORY_FIRST_ABSENT, 0);
    assert_int_equal(r.answer, HISTORY_CONTRADICTED);
    assert_int_equal(r.witness, 4);
    assert_int_equal(r.against[0], 3);
    assert_int_equal(r.against[1], 1);
    const struct literal early = literal_parse("G[0,1] L[2,3]");
    const struct history_result e = history_check(early.ops, early.count, HISTORY_FIRST_ABSENT, 0);
    assert_int_equal(e.witness, 0);
    assert_int_equal(e.against[0], HISTORY_NONE);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Unanswered logins are interchangeable, so they cost their number, not its power of two. */
static void thirty_unanswered_logins_cost_milliseconds(void **state)
{
    (void)state;
    struct history_operation ops[90];
    size_t n = 0;
    for (hr_nsec i = 0; i < 30; i++) {
        ops[n++] = (struct history_operation){HISTORY_MAYBE_LOGIN, i, HR_NSEC_INFINITE, false, 0};
    }
    for (hr_nsec i = 0; i < 30; i++) {
        ops[n++] = (struct history_operation){HISTORY_GRANT, 100 + 4 * i, 101 + 4 * i, false, 0};
        ops[n++] = (struct history_operation){HISTORY_NOT_LIVE, 102 + 4 * i, 103 + 4 * i, false, 0};
    }
    const double begin = seconds();
    assert_int_equal(history_check(ops, n, HISTORY_FIRST_ABSENT, 0).answer, HISTORY_EXPLAINED);
    ops[29].start = 1000; /* one fewer, and the thirtieth life is one too many */
    const struct history_result r = history_check(ops, n, HISTORY_FIRST_ABSENT, 0);
    assert_int_equal(r.answer, HISTORY_CONTRADICTED);
    assert_int_equal(r.witness, 88);
    assert_true(seconds() - begin <
                0.5); /* milliseconds; sanitizers and a busy machine take longer */
}

static void many_nested_logins_are_decided_or_unknown(void **state)
{
    (void)state;
    struct history_operation ops[200];
    size_t n = 0;
    for (hr_nsec i = 0; i < 40; i++) {
        ops[n++] = (struct history_operation){HISTORY_LOGIN, i, 1000 - i, false, 0};
    }
    for (hr_nsec i = 0; i < 40; i++) {
        ops[n++] = (struct history_operation){HISTORY_GRANT, 100 + 4 * i, 101 + 4 * i, false, 0};
        ops[n++] = (struct history_operation){HISTORY_NOT_LIVE, 102 + 4 * i, 103 + 4 * i, false, 0};
    }
    assert_int_equal(history_check(ops, n, HISTORY_FIRST_ABSENT, 0).answer, HISTORY_EXPLAINED);
    ops[n++] = (struct history_operation){HISTORY_GRANT, 500, 501, false, 0};
    assert_int_equal(history_check(ops, n, HISTORY_FIRST_ABSENT, 0).answer, HISTORY_CONTRADICTED);
    for (hr_nsec i = 0; i < 61; i++) {
        ops[i] = (struct history_operation){HISTORY_LOGIN, i, 1000 - i, false, 0};
    }
    assert_int_equal(history_check(ops, 61, HISTORY_FIRST_ABSENT, 0).answer, HISTORY_UNKNOWN);
    assert_int_equal(history_check(ops, 60, HISTORY_FIRST_ABSENT, 0).answer, HISTORY_EXPLAINED);
}

/* Long lives of busy sessions, and long polls that stay open meanwhile, cost what they are long. */
static void a_hundred_thousand_operations_take_no_time(void **state)
{
    (void)state;
    const size_t n = 100000;
    struct history_operation *ops = hr_xcalloc(n, sizeof(*ops));
    struct history_mark *marks = hr_xcalloc(n, sizeof(*marks));
    for (int shape = 0; shape < 3; shape++) {
        for (size_t i = 0; i < n; i++) {
            const hr_nsec at = (hr_nsec)i * 10;
            /* A long poll from here to the end, a failed login, a login, accesses. */
            const bool poll = shape == 1 && i % 1000 == 5;
            ops[i] =
                (struct history_operation){HISTORY_GRANT, at, poll ? 20000000 : at + 25, false, 7};
            if (i % 100 == 0) {
                ops[i].kind = shape == 2 ? HISTORY_MAYBE_LOGIN : HISTORY_LOGIN;
            } else if (i % 100 == 90) {
                ops[i].kind = HISTORY_NOT_LIVE;
                ops[i].is_logout = true;
            } else if (i % 100 > 90) {
                ops[i].kind = HISTORY_NOT_LIVE;
            }
        }
        if (shape == 2) {
            ops[0].kind = HISTORY_LOGIN;
        }
        const double begin = seconds();
        assert_int_equal(history_check(ops, n, HISTORY_FIRST_ABSENT, 0).answer, HISTORY_EXPLAINED);
        history_mark(ops, n, 0, marks);
        const double took = seconds() - begin;
        print_message("  shape %d: %.0f ms\n", shape, took * 1e3);
        assert_true(took < 2);
        for (size_t i = 0; i < n; i++) {
            assert_true(marks[i].ended_by == HISTORY_NONE &&
                        marks[i].granted_before == HISTORY_NONE);
        }
    }
    free(ops);
    free(marks);
}

/* Whatever an attacker makes a session look like, it is decided or given up in short time. */
static void histories_built_to_cost_come_to_an_end(void **state)
{
    (void)state;
    const size_t n = 20000;
    struct history_operation *ops = hr_xcalloc(n, sizeof(*ops));
    uint64_t seed = 7;
    for (int shape = 0; shape < 4; shape++) {
        for (size_t i = 0; i < n; i++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            const unsigned pick = (unsigned)(seed >> 33);
            const hr_nsec at = (hr_nsec)i * 10;
            const bool is_login = pick % 3 == 0;
            /* Unanswered logins, or up to 50 open ones; accesses that stay open for long. */
            const hr_nsec length =
                (hr_nsec)(pick / 8 % (shape == 0 ? 100000 : 1000 * (unsigned)shape));
            ops[i] = (struct history_operation){
                .kind = !is_login        ? (pick % 2 ? HISTORY_GRANT : HISTORY_NOT_LIVE)
                        : shape % 2 == 0 ? HISTORY_MAYBE_LOGIN
                                         : HISTORY_LOGIN,
                .start = at,
                .end = at + length,
                .group = 1,
            };
        }
        const double begin = seconds();
        const struct history_result r = history_check(ops, n, HISTORY_FIRST_ABSENT, 0);
        const double took = seconds() - begin;
        print_message("  shape %d: answer %d, %.0f ms\n", shape, (int)r.answer, took * 1e3);
        assert_true(took < 10);
    }
    free(ops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_says_what_every_order_says),
        cmocka_unit_test(a_witness_names_what_it_contradicts),
        cmocka_unit_test(thirty_unanswered_logins_cost_milliseconds),
        cmocka_unit_test(many_nested_logins_are_decided_or_unknown),
        cmocka_unit_test(histories_built_to_cost_come_to_an_end),
        cmocka_unit_test(a_hundred_thousand_operations_take_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
