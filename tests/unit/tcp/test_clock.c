/* The clock that stamps the frames is set: what waits goes on waiting, and nothing is lost. */
#include "support/segments.h"
#include "support/test.h"

#include <string.h>

#define HANDSHAKE "> S -1\n< SA -1 a=0\n> A 0 a=0\n"
#define HOUR (3600 * HR_NSEC_PER_SEC)

static const struct situation {
    const char *name;
    const char *before;
    hr_nsec by;
    const char *behind; /* its times count from before the clock was set */
    const char *want;
    const char *counter;
    uint64_t count;
} situations[] = {
    {"an exchange over a step back",                HANDSHAKE "@900 > A 0 a=0 'GET /'", -HOUR,
     "@-3599050 < A 0 a=5 'OK'",                       "0 GET / | OK",            "gaps",                  0},
    {"an exchange over a step ahead",               HANDSHAKE "@900 > A 0 a=0 'GET /'", HOUR,
     "@3600950 < A 0 a=5 'OK'\n< A 2 a=5",             "0 GET / | OK",            "connections_timed_out", 0},
    {"silence goes on to count after a step back",  HANDSHAKE "> A 0 a=0 'x'",          -HOUR,
     "@-2999900 >1 S -1\n@-2999800 >1 S -1",           "0 x~ | ~ TIMEOUT\n1  | ", "connections_timed_out", 1},
    {"and is not cut short",                        HANDSHAKE "> A 0 a=0 'x'",          -HOUR,
     "@-3001000 >1 S -1\n@-3000900 >1 S -1",           "0 x | \n1  | ",           "connections_timed_out", 0},
    {"a step ahead is no silence",                  HANDSHAKE "> A 0 a=0 'x'",          HOUR,
     "@4199000 >1 S -1\n@4199100 >1 S -1",             "0 x | \n1  | ",           "connections_timed_out", 0},
    {"silence goes on to count after a step ahead", HANDSHAKE "> A 0 a=0 'x'",          HOUR,
     "@4200900 >1 S -1\n@4201000 >1 S -1",             "0 x~ | ~ TIMEOUT\n1  | ", "connections_timed_out", 1},
    {"a hole waits",                                HANDSHAKE "@3000 > A 3 a=0 'd'",    -HOUR,
     "@-3592300 < A 0 a=0\n@-3592200 > A 0 a=0 'abc'", "0 abcd | ",               "gaps",                  0},
    {"a hole has waited",                           HANDSHAKE "@3000 > A 3 a=0 'd'",    -HOUR,
     "@-3591900 < A 0 a=0\n@-3591800 < A 0 a=0",       "0 ...d | ",               "gaps",                  1},
    {"bytes are sure to be lost",                   HANDSHAKE "< A 0 a=3",              -HOUR,
     "@-3599900 < A 0 a=3\n@-3599890 > A 3 a=0 'd'",   "0 ...d | ",               "gaps",                  1},
};

static void time_outs_go_on(void **state)
{
    (void)state;
    static struct scene s;
    const struct tcp_config config = scene_config();
    for (size_t i = 0; i < HR_ARRAY_LEN(situations); i++) {
        const struct situation *x = &situations[i];
        scene_open(&s, &config, 7, UINT32_MAX - 1);
        scene_feed(&s, x->before);
        tcp_table_shift_clock(s.table, x->by);
        scene_feed(&s, x->behind);
        const char *got = scene_text(&s);
        if (strcmp(got, x->want) != 0) {
            fail_msg("%s:\n got  %s\n want %s", x->name, got, x->want);
        }
        assert_int_equal(scene_counter(&s, x->counter), x->count);
        scene_finish(&s);
        scene_close(&s);
    }
}

/* They were stamped with a time that is still to come, and waited in a buffer. */
static void frames_of_before_come_behind(void **state)
{
    (void)state;
    static struct scene s;
    const struct tcp_config config = scene_config();
    scene_open(&s, &config, 7, UINT32_MAX - 1);
    scene_feed(&s, HANDSHAKE "> A 0 a=0 'x'");
    tcp_table_shift_clock(s.table, -HOUR);
    tcp_table_limit_clock(s.table, s.at - HOUR + HR_NSEC_PER_SEC);
    scene_feed(&s, "@100 > A 1 a=0 'y'\n@200 > A 2 a=0 'z'");
    tcp_table_limit_clock(s.table, s.at - HOUR + 605 * HR_NSEC_PER_SEC);
    scene_feed(&s, "@-2996000 >1 S -1\n@-2995900 >1 S -1");
    assert_string_equal(scene_text(&s), "0 xyz~ | ~ TIMEOUT\n1  | ");
    scene_finish(&s);
    scene_close(&s);
}

/* An adapter may stamp one frame wrong: that is no time that has passed. */
static void nothing_is_of_later_than_now(void **state)
{
    (void)state;
    static struct scene s;
    const struct tcp_config config = scene_config();
    scene_open(&s, &config, 7, UINT32_MAX - 1);
    tcp_table_limit_clock(s.table, s.at + 2 * HR_NSEC_PER_SEC);
    scene_feed(&s, HANDSHAKE "@9000000 > A 0 a=0 'x'\n@9000001 > A 1 a=0 'y'\n@1000 < A 0 a=2 'z'");
    assert_string_equal(scene_text(&s), "0 xy | z");
    scene_finish(&s);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_outs_go_on),
        cmocka_unit_test(frames_of_before_come_behind),
        cmocka_unit_test(nothing_is_of_later_than_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
