/* Equal 4-tuples in several networks: two connections, unless their segments say that they are one.
 */
#include "support/segments.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *segments;
    const char *want;
    const char *counter;
    uint64_t count;
} cases[] = {
    {"two VLANs, two connections",
     "> S -1 n=10\n< SA -1 a=0 n=10\n> S 4999 n=20\n< SA 4999 a=5000 n=20\n"
     "> A 0 a=0 n=10 'one'\n> A 5000 a=5000 n=20 'two'\n"
     "< A 5000 a=5003 n=20 'TWO'\n< A 0 a=3 n=10 'ONE'",                                                                  "0 one- | ONE- NONE\n1 two- | TWO- NONE",         "connections_joined", 0},
    {"one without a tag",
     "> S -1\n< SA -1 a=0\n> S 4999 n=20\n< SA 4999 a=5000 n=20\n"
     "> A 0 a=0 'one'\n> A 5000 a=5000 n=20 'two'\n< A 0 a=3 'ONE'",                                                      "0 one- | ONE- NONE\n1 two- | - NONE",            "connections_joined", 0},
    {"with the same numbers and other bytes",
     "> S -1 n=10 i=1\n> S -1 n=20 i=1\n< SA -1 a=0 n=10 i=1\n< SA -1 a=0 n=20 i=1\n"
     "> A 0 a=0 n=10 i=1 'one'\n> A 0 a=0 n=20 i=1 'two'\n"
     "< A 0 a=3 n=10 i=1 'ONE'\n< A 0 a=3 n=20 i=1 'TWO'",                                                                "0 one- | ONE- NONE\n1 two- | TWO- NONE",         "connections_joined", 0},
    {"answers without a tag",
     "> S -1 n=10\n< SA -1 a=0\n> A 0 a=0 n=10 'GET'\n< A 0 a=3 'OK'\n> FA 3 a=2 n=10\n"
     "< FA 2 a=4\n> A 4 a=3 n=10",                                                                                        "0 GET$ | OK$ FIN",                               "connections_joined", 1},
    {"requests without a tag",                    "> S -1\n< SA -1 a=0 n=10\n> A 0 a=0 'GET'\n< A 0 a=3 n=10 'OK'",
     "0 GET- | OK- NONE",                                                                                                                                                   "connections_joined", 1},
    {"a tag for each direction",
     "> S -1 n=10\n< SA -1 a=0 n=20\n> A 0 a=0 n=10 'GET'\n< A 0 a=3 n=20 'OK'",                                          "0 GET- | OK- NONE",                              "connections_joined", 1},
    {"the answer to the SYN first",
     "< SA -1 a=0\n> S -1 n=10\n> A 0 a=0 n=10 'GET'\n< A 0 a=3 'OK'",                                                    "0 GET- | OK- NONE",
     "connections_joined",                                                                                                                                                                        1},
    {"joined midway",                             "> A 100 a=200 n=10 'GET'\n< A 200 a=103 'OK'\n> A 103 a=202 n=10 'x'",
     "0 GETx- | OK- NONE",                                                                                                                                                  "connections_joined", 1},
    {"joined midway, nothing fits",               "> A 100 a=200 n=10 'GET'\n< A 9000000 a=5000000 'OK'",
     "0 GET- | - NONE\n1 - | OK- NONE",                                                                                                                                     "connections_joined", 0},
    {"two connections whose answers have no tag",
     "> S -1 n=10\n> S 4999 n=20\n< SA -1 a=0\n< SA 4999999 a=5000\n"
     "> A 5000 a=5000000 n=20 'two'\n> A 0 a=0 n=10 'one'\n"
     "< A 5000000 a=5003 'TWO'\n< A 0 a=3 'ONE'\n< A 5000003 a=5003 '!'",                                                 "0 one- | ONE- NONE\n1 two- | TWO!- NONE",        "connections_joined", 2},
    {"the ports again",
     "> S -1 n=10\n< SA -1 a=0\n> A 0 a=0 n=10 'one'\n> S 9999999 n=10\n< SA 7999999 a=10000000\n"
     "> A 10000000 a=8000000 n=10 'two'\n< A 8000000 a=10000003 'TWO'",                                                   "0 one* | * REUSED\n1 two- | TWO- NONE",          "connections_joined", 2},
    {"captured on both sides of a router",
     "> S -1 n=10 i=1\n> S -1 n=20 i=1\n< SA -1 a=0 n=20 i=7\n< SA -1 a=0 n=10 i=7\n"
     "> A 0 a=0 n=10 i=2 'GET'\n> A 0 a=0 n=20 i=2 'GET'\n"
     "< A 0 a=3 n=20 i=8 'OK'\n< A 0 a=3 n=10 i=8 'OK'\n"
     "> FA 3 a=2 n=10 i=3\n> FA 3 a=2 n=20 i=3\n< FA 2 a=4 n=20 i=9\n< FA 2 a=4 n=10 i=9\n>1 S -1",                       "0 GET$ | OK$ FIN\n1 * | * REUSED\n1 - | - NONE", "copies",             2},
    {"of three routers",
     "> A 0 a=0 n=10 i=2 'GET'\n> A 0 a=0 n=20 i=2 'GET'\n> A 0 a=0 n=30 i=2 'GET'\n"
     "> A 0 a=0 n=40 i=2 'GET'\n< A 0 a=3 n=40 i=8 'OK'\n< A 0 a=3 n=30 i=8 'OK'",                                        "0 GET- | OK- NONE",                              "copies",             4},
    {"no copy after that time",                   "> A 0 a=0 n=10 i=2 'GET'\n@5000 > A 0 a=0 n=20 i=2 'GET'",
     "0 GET- | - NONE\n1 GET- | - NONE",                                                                                                                                    "copies",             0},
    {"the same bytes in another packet",          "> A 0 a=0 n=10 i=2 'GET'\n> A 0 a=0 n=20 i=3 'GET'",
     "0 GET- | - NONE\n1 GET- | - NONE",                                                                                                                                    "copies",             0},
};

static void numbers_tell_what_is_one(void **state)
{
    (void)state;
    static struct scene s;
    const struct tcp_config config = scene_config();
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        scene_open(&s, &config, 41, UINT32_MAX - 3);
        scene_feed(&s, cases[i].segments);
        const char *got = scene_finish(&s);
        if (strcmp(got, cases[i].want) != 0) {
            fail_msg("%s:\n got  %s\n want %s", cases[i].name, got, cases[i].want);
        }
        if (scene_counter(&s, cases[i].counter) != cases[i].count) {
            fail_msg("%s: %s is %llu", cases[i].name, cases[i].counter,
                     (unsigned long long)scene_counter(&s, cases[i].counter));
        }
        scene_close(&s);
    }
}

/* Captured twice, or sent again? */
static const struct {
    const char *name;
    const char *segments;
    uint64_t copies;
    uint64_t shared;
    uint64_t retransmissions;
} twice[] = {
    {"the same packet",            "> A 0 a=0 i=1 'abc'\n> A 0 a=0 i=1 'abc'",                         1, 0, 0},
    {"another packet",             "> A 0 a=0 i=1 'abc'\n> A 0 a=0 i=2 'abc'",                         0, 0, 1},
    {"the number came round",      "> A 0 a=0 i=1 'abc'\n@3000 > A 0 a=0 i=1 'abc'",                   0, 0, 1},
    {"no number, at once",         "> A 0 a=0 'abc'\n@2 > A 0 a=0 'abc'",                              1, 0, 0},
    {"no number, later",           "> A 0 a=0 'abc'\n@4 > A 0 a=0 'abc'",                              0, 0, 1},
    {"the same tick of its clock", "> A 0 a=0 t=1 'abc'\n@9 > A 0 a=0 t=1 'abc'",                      1, 0, 0},
    {"too late for one tick",      "> A 0 a=0 t=1 'abc'\n@30 > A 0 a=0 t=1 'abc'",                     0, 0, 1},
    {"another tick",               "> A 0 a=0 t=1 'abc'\n@2 > A 0 a=0 t=2 'abc'",                      0, 0, 1},
    {"two captures",               "> A 0 a=0 i=1 'abc'\n@1500 > A 0 a=0 i=1 c=1 'abc'",               1, 1, 0},
    {"one byte, not a keep-alive", "> A 0 a=0 i=1 'a'\n> A 0 a=0 i=1 'a'",                             1, 0, 0},
    {"held back",                  "> A 9 a=0 i=1 'abc'\n> A 9 a=0 i=1 'abc'\n> A 9 a=0 i=2 'abc'",    1, 0, 1},
    {"the clock steps back",       "@9 > A 0 a=0 i=1 'abc'\n@3 > A 0 a=0 i=1 'abc'",                   1, 0, 0},
    {"behind the end",             "> FA 0 a=0 i=1 'abc'\n> FA 0 a=0 i=1 'abc'\n> FA 0 a=0 i=2 'abc'", 1, 0, 1},
    {"other content",              "> A 0 a=0 i=1 'abc'\n> A 0 a=0 i=1 'xbc'",                         0, 0, 1},
};

static void a_packet_captured_twice_is_no_retransmission(void **state)
{
    (void)state;
    static struct scene s;
    const struct tcp_config config = scene_config();
    for (size_t i = 0; i < HR_ARRAY_LEN(twice); i++) {
        scene_open(&s, &config, 41, UINT32_MAX - 3);
        scene_feed(&s, "> S -1\n");
        scene_feed(&s, twice[i].segments);
        scene_finish(&s);
        if (scene_counter(&s, "copies") != twice[i].copies ||
            scene_counter(&s, "copies_shared") != twice[i].shared ||
            scene_counter(&s, "keep_alives") != 0 ||
            scene_counter(&s, "retransmissions") != twice[i].retransmissions) {
            fail_msg("%s: %llu copies, %llu shared, %llu retransmissions", twice[i].name,
                     (unsigned long long)scene_counter(&s, "copies"),
                     (unsigned long long)scene_counter(&s, "copies_shared"),
                     (unsigned long long)scene_counter(&s, "retransmissions"));
        }
        scene_close(&s);
    }
}

/* An ACK before its bytes, or two captures that give one packet two times: the clock is in doubt.
 */
static const struct {
    const char *name;
    const char *segments;
    int doubt_ms[2];   /* of captures 0 and 1 */
    bool shares_clock; /* they are interfaces of one machine */
} clocks[] = {
    {"in order",                           "> A 0 a=0 'abc'\n< A 0 a=3\n> A 3 a=0 'd'\n< A 0 a=4", {0, 0}     },
    {"an ACK before its bytes",            "< A 0 a=3\n@9 > A 0 a=0 'abc'",                        {7, 0}     },
    {"so long before that they were lost", "< A 0 a=3\n@90 > A 0 a=0 'abc'",                       {0, 0}     },
    {"sent again",                         "> A 0 a=0 i=1 'abc'\n< A 0 a=3\n> A 0 a=0 i=2 'abc'",  {0, 0}     },
    {"two captures",                       "> A 0 a=0 i=1 'abc'\n@302 > A 0 a=0 i=1 c=1 'abc'",    {300, 300} },
    {"two captures that agree",            "> A 0 a=0 i=1 'abc'\n@2 > A 0 a=0 i=1 c=1 'abc'",      {0, 0}     },
    {"two interfaces of one machine",
     "> A 0 a=0 i=1 'abc'\n@302 > A 0 a=0 i=1 c=1 'abc'",                                          {0, 0},
     true},
    {"one capture twice",                                    "> A 0 a=0 i=1 'abc'\n@302 > A 0 a=0 i=1 'abc'",                                                                        {0, 0}},
};

static void times_are_doubted(void **state)
{
    (void)state;
    static struct scene s;
    struct tcp_config config = scene_config();
    for (size_t i = 0; i < HR_ARRAY_LEN(clocks); i++) {
        config.captures_share_clock = clocks[i].shares_clock;
        scene_open(&s, &config, 41, UINT32_MAX - 3);
        scene_feed(&s, "> S -1\n");
        scene_feed(&s, clocks[i].segments);
        scene_finish(&s);
        for (size_t k = 0; k < 2; k++) {
            hr_nsec got = tcp_table_clock_doubt(s.table, k);
            if (got != clocks[i].doubt_ms[k] * HR_NSEC_PER_MSEC) {
                fail_msg("%s: %lld ns in capture %zu", clocks[i].name, (long long)got, k);
            }
        }
        scene_close(&s);
    }
}

/* Many networks with one 4-tuple: the bound of connections holds. */
static void a_large_family_is_bounded(void **state)
{
    (void)state;
    static struct scene s;
    struct tcp_config config = scene_config();
    config.connection_limit = 50;
    scene_open(&s, &config, 1, 2);
    for (int i = 0; i < 60; i++) {
        char line[64];
        snprintf(line, sizeof(line), "> A %d a=%d n=%d 'x'", 3000000 * i, 3000000 * i, i + 1);
        scene_feed(&s, line);
    }
    scene_finish(&s);
    assert_int_equal(scene_counter(&s, "connections"), 60);
    assert_int_equal(scene_counter(&s, "connections_evicted"), 10);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_tell_what_is_one),
        cmocka_unit_test(a_packet_captured_twice_is_no_retransmission),
        cmocka_unit_test(times_are_doubted),
        cmocka_unit_test(a_large_family_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
