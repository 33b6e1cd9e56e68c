#include "support/segments.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#define HANDSHAKE "> S -1\n< SA -1 a=0\n> A 0 a=0\n"
#define BYE "> FA 5 a=2\n< FA 2 a=6\n> A 6 a=3\n"

struct situation {
    const char *name;
    const char *segments;
    const char *want;
    const char *counter; /* one that the situation must move, NULL: none */
    uint64_t count;
};

/* The numbers that a side begins with decide nothing; the last ones wrap in the middle of the
 * stream. */
static void play_all(const struct situation *cases, size_t count, const struct tcp_config *config)
{
    static const uint32_t isns[] = {0, 41, UINT32_MAX - 3};
    static struct scene s;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < HR_ARRAY_LEN(isns); k++) {
            scene_open(&s, config, isns[k], isns[(k + 1) % 3]);
            scene_feed(&s, cases[i].segments);
            const char *got = scene_finish(&s);
            if (strcmp(got, cases[i].want) != 0) {
                fail_msg("%s (ISN %u):\n got  %s\n want %s", cases[i].name, isns[k], got,
                         cases[i].want);
            }
            if (cases[i].counter && scene_counter(&s, cases[i].counter) != cases[i].count) {
                fail_msg("%s (ISN %u): %s is %llu, not %llu", cases[i].name, isns[k],
                         cases[i].counter, (unsigned long long)scene_counter(&s, cases[i].counter),
                         (unsigned long long)cases[i].count);
            }
            scene_close(&s);
        }
    }
}

/* Whatever the network does to the segments, the reader sees the same streams; '.' is a lost byte.
 */
static const struct situation streams[] = {
    {"whole life",                                 HANDSHAKE "> PA 0 a=0 'GET /'\n< PA 0 a=5 'OK'\n" BYE,                  "0 GET /$ | OK$ FIN",
     "connections",                                                                                                                                                     1},
    {"FIN with data",                              HANDSHAKE "> FA 0 a=0 'GET /'\n< FA 0 a=6 'OK'\n> A 6 a=3",
     "0 GET /$ | OK$ FIN",                                                                                                                        NULL,                 0},
    {"retransmitted",                              HANDSHAKE "> A 0 a=0 'GET /'\n> A 0 a=0 'GET /'\n< A 0 a=5 'OK'",
     "0 GET /- | OK- NONE",                                                                                                                       "retransmissions",    1},
    {"retransmitted and longer",                   HANDSHAKE "> A 0 a=0 'GET'\n> A 0 a=0 'GET /'\n",
     "0 GET /- | - NONE",                                                                                                                         "retransmissions",    0},
    {"retransmitted with other content",           HANDSHAKE "> A 0 a=0 'GET /'\n> A 0 a=0 'GOT /'\n",
     "0 GET /- | - NONE",                                                                                                                         "overlaps_differing", 1},
    {"swapped",                                    HANDSHAKE "> A 3 a=0 ' /'\n> A 0 a=0 'GET'\n",                          "0 GET /- | - NONE",   "out_of_order",
     1                                                                                                                                                                   },
    {"one byte each, backwards",
     HANDSHAKE "> A 3 a=0 'D'\n> A 2 a=0 'C'\n> A 1 a=0 'B'\n> A 0 a=0 'A'\n",                                             "0 ABCD- | - NONE",
     "out_of_order",                                                                                                                                                    3},
    {"overlapping in front",                       HANDSHAKE "> A 2 a=0 'T /x'\n> A 0 a=0 'GET /'\n",
     "0 GET /x- | - NONE",                                                                                                                        "overlaps_differing", 0},
    {"overlapping with other content: first wins",
     HANDSHAKE "> A 2 a=0 'T /x'\n> A 0 a=0 'GEZ ?zz'\n",                                                                  "0 GET /xz- | - NONE",
     "overlaps_differing",                                                                                                                                              1},
    {"one segment over three held ones",
     HANDSHAKE "> A 2 a=0 'c'\n> A 4 a=0 'e'\n> A 6 a=0 'g'\n> A 1 a=0 '-C-E-G-'\n> A 0 a=0 'a'\n",
     "0 a-c-e-g-- | - NONE",                                                                                                                      "overlaps_differing", 1},
    {"held twice",                                 HANDSHAKE "> A 2 a=0 'cd'\n> A 2 a=0 'cd'\n> A 0 a=0 'ab'\n",           "0 abcd- | - NONE",
     "retransmissions",                                                                                                                                                 1},
    {"FIN overtakes its data",                     HANDSHAKE "> FA 5 a=0\n> A 0 a=0 'GET /'\n< FA 0 a=6\n> A 6 a=1",
     "0 GET /$ | $ FIN",                                                                                                                          "gaps",               0},
    {"lost for good, ends by itself",              HANDSHAKE "> A 0 a=0 'GET'\n> A 7 a=0 'TP/1.1'\n",
     "0 GET....TP/1.1- | - NONE",                                                                                                                 "gap_bytes",          4},
    {"two holes",                                  HANDSHAKE "> A 1 a=0 'b'\n> A 3 a=0 'd'\n",                             "0 .b.d- | - NONE",    "gaps",               2},
    {"lost before the FIN",                        HANDSHAKE "> A 0 a=0 'GET'\n< A 0 a=6\n> FA 5 a=0\n< FA 0 a=6\n",
     "0 GET..$ | $ NONE",                                                                                                                         "gap_bytes",          2},
    {"acknowledged, never seen, then the end",     HANDSHAKE "> A 0 a=0 'GET /'\n< A 0 a=9\n",
     "0 GET /....- | - NONE",                                                                                                                     "gap_bytes",          4},
    {"a lost FIN is no lost byte",                 HANDSHAKE "> A 0 a=0 'GET /'\n< FA 0 a=6\n",                            "0 GET /- | $ NONE",
     "gaps",                                                                                                                                                            0},
    {"half close: the other side goes on",
     HANDSHAKE "> FA 0 a=0 'GET /'\n< A 0 a=6 'one '\n< A 4 a=6 'two'\n< FA 7 a=6",
     "0 GET /$ | one two$ FIN",                                                                                                                   NULL,                 0},
    {"data behind the FIN is none",                HANDSHAKE "> FA 0 a=0 'ab'\n> A 2 a=0 'cd'\n",                          "0 ab$ | - NONE",
     "out_of_window",                                                                                                                                                   1},
    {"a FIN before what was seen is none",
     HANDSHAKE "> A 0 a=0 'abcd'\n> FA 2 a=0\n> A 4 a=0 'e'\n",                                                            "0 abcde- | - NONE",
     "out_of_window",                                                                                                                                                   1},
    {"cut by the snap length",                     HANDSHAKE "> A 0 a=0 w=8 'GET'\n> A 8 a=0 'x'\n",
     "0 GET.....x- | - NONE",                                                                                                                     "cut_bytes",          5},
    {"cut and held",                               HANDSHAKE "> A 4 a=0 w=4 'EF'\n> A 0 a=0 'abcd'\n> A 8 a=0 'x'\n",
     "0 abcdEF..x- | - NONE",                                                                                                                     "gap_bytes",          2},
    {"keep-alive without a byte",                  HANDSHAKE "> A 0 a=0 'abc'\n> A 2 a=0\n> A 3 a=0 'd'\n",
     "0 abcd- | - NONE",                                                                                                                          "keep_alives",        1},
    {"keep-alive with a byte of anything",
     HANDSHAKE "> A 0 a=0 'abc'\n> A 2 a=0 '?'\n> A 3 a=0 'd'\n",                                                          "0 abcd- | - NONE",    "keep_alives",
     1                                                                                                                                                                   },
    {"and it differs from nothing",                HANDSHAKE "> A 0 a=0 'abc'\n> A 2 a=0 '?'\n",                           "0 abc- | - NONE",
     "overlaps_differing",                                                                                                                                              0},
    {"far outside",                                HANDSHAKE "> A 0 a=0 'abc'\n> A 1999999999 a=0 'zzz'\n> A 3 a=0 'd'\n",
     "0 abcd- | - NONE",                                                                                                                          "out_of_window",      1},
};

static void stream_is_independent_of_segmentation(void **state)
{
    (void)state;
    const struct tcp_config config = scene_config();
    play_all(streams, HR_ARRAY_LEN(streams), &config);
}

/* However a connection begins, both sides count from the first byte known of. */
static const struct situation beginnings[] = {
    {"data in the SYN",                         "> S -1 'GET'\n< SA -1 a=3\n> A 3 a=0 ' /'\n",                            "0 GET /- | - NONE",     NULL,
     0                                                                                                                                                               },
    {"data in the SYN, not taken",              "> S -1 'GET'\n< SA -1 a=0\n> A 0 a=0 'GET /'\n",
     "0 GET /- | - NONE",                                                                                                                          NULL,            0},
    {"SYN twice",                               "> S -1\n@900 > S -1\n< SA -1 a=0\n< SA -1 a=0\n> A 0 a=0 'x'",           "0 x- | - NONE",
     "connections",                                                                                                                                                 1},
    {"SYN of one side only",                    "> S -1\n> A 0 a=0 'GET /'\n> A 5 a=4",                                   "0 GET /- | ....- NONE",
     "connections_one_sided",                                                                                                                                       1},
    {"SYN and ACK only",                        "< SA -1 a=0\n> A 0 a=0 'x'\n< A 0 a=1 'y'",                              "0 x- | y- NONE",
     "connections_midstream",                                                                                                                                       0},
    {"SYN and ACK before the SYN",              "< SA -1 a=0\n> S -1\n> A 0 a=0 'x'\n",                                   "0 x- | - NONE",
     "connections",                                                                                                                                                 1},
    {"data before the SYN",                     "> A 0 a=0 'x'\n> S -1\n< SA -1 a=0\n< A 0 a=1 'y'",                      "0 x- | y- NONE",
     "connections",                                                                                                                                                 1},
    {"both at once",                            "> S -1\n< S -1\n> SA -1 a=0\n< SA -1 a=0\n> A 0 a=0 'x'\n< A 0 a=1 'y'",
     "0 x- | y- NONE",                                                                                                                             "connections",   1},
    {"an answer to another SYN is none",
     "> S -1\n< SA 700 a=300\n< SA -1 a=0\n> A 0 a=0 'x'\n< A 0 a=1 'y'",                                                 "0 x- | y- NONE",
     "out_of_window",                                                                                                                                               1},
    {"the client took another SYN and ACK",
     "> S -1\n< SA 90000000 a=0\n< SA -1 a=0\n> A 0 a=0 'x'\n< A 0 a=1 'y'",                                              "0 x- | y- NONE",        NULL,
     0                                                                                                                                                               },
    {"joined midway",                           "> A 100 a=200 'x'\n< A 200 a=101 'y'\n",                                 "0 x- | y- NONE",
     "connections_midstream",                                                                                                                                       1},
    {"joined midway, other side lost bytes",    "> A 100 a=200 'x'\n< A 204 a=101 'y'\n",
     "0 x- | ....y- NONE",                                                                                                                         "gap_bytes",     4},
    {"joined midway, an earlier byte in time",  "> A 104 a=200\n> A 100 a=200 'abcd'\n",
     "0 abcd- | - NONE",                                                                                                                           NULL,            0},
    {"joined midway, an earlier byte too late", "> A 104 a=200 'ef'\n> A 100 a=200 'abcd'\n",
     "0 ef- | - NONE",                                                                                                                             "out_of_window", 1},
    {"joined at a keep-alive",                  "> A 99 a=200\n< A 200 a=100\n> A 100 a=200 'abcd'\n",
     "0 abcd- | - NONE",                                                                                                                           "gaps",          0},
    {"joined at a FIN",                         "> FA 100 a=200\n< FA 200 a=101\n> A 101 a=201\n",                        "0 $ | $ FIN",           NULL,            0},
    {"FIN in a SYN is not honoured",            "> SF -1\n< SA -1 a=0\n> A 0 a=0 'x'",                                    "0 x- | - NONE",         NULL,
     0                                                                                                                                                               },
};

static void beginning_is_found(void **state)
{
    (void)state;
    const struct tcp_config config = scene_config();
    play_all(beginnings, HR_ARRAY_LEN(beginnings), &config);
}

/* A RST counts where its receiver would have believed it; older segments may still come behind it.
 */
static const struct situation resets[] = {
    {"refused",                                   "> S -1\n< RA -1 a=0\n",                                     "0 ! | ! RST",          "resets_ignored", 0},
    {"refused, but it answers something else",    "> S -1\n< RA -1 a=99999999\n< SA -1 a=0\n",
     "0 - | - NONE",                                                                                                                   "resets_ignored", 1},
    {"refused, then taken",                       "> S -1\n< RA -1 a=0\n> S -1\n< SA -1 a=0\n> A 0 a=0 'x'",
     "0 ! | ! RST\n0 x- | - NONE",                                                                                                     "connections",    2},
    {"at once",                                   HANDSHAKE "> A 0 a=0 'GET /'\n< R 0\n",                      "0 GET /! | ! RST",     NULL,             0},
    {"after the answer",                          HANDSHAKE "> A 0 a=0 'GET /'\n< FA 0 a=5 'OK'\n> R 5\n",
     "0 GET /! | OK$ RST",                                                                                                             NULL,             0},
    {"it overtakes its data",                     HANDSHAKE "> A 0 a=0 'GET /'\n< RA 2 a=5\n< A 0 a=5 'OK'\n",
     "0 GET /! | OK! RST",                                                                                                             NULL,             0},
    {"before what was acknowledged",
     HANDSHAKE "> A 0 a=0 'GET /'\n< A 0 a=5\n> R 2\n> A 5 a=0 'x'\n",                                         "0 GET /x- | - NONE",
     "resets_ignored",                                                                                                                                   1},
    {"far ahead",                                 HANDSHAKE "> R 99999999\n> A 0 a=0 'x'\n",                   "0 x- | - NONE",        "resets_ignored", 1},
    {"with a hole before it",                     HANDSHAKE "> A 0 a=0 'a'\n> A 3 a=0 'd'\n> R 4\n",           "0 a..d! | ! RST",
     "gap_bytes",                                                                                                                                        2},
    {"late segments are absorbed",
     HANDSHAKE "> A 0 a=0 'abc'\n> R 3\n@900 > A 0 a=0 'abc'\n< A 0 a=3 'z'",                                  "0 abc! | ! RST",
     "out_of_window",                                                                                                                                    1},
    {"its sender talks on: another one sent it",
     HANDSHAKE "> A 0 a=0 'GET'\n> R 3\n> A 3 a=0 ' /'\n< FA 0 a=5",                                           "0 GET /- | $ NONE",
     "resets_ignored",                                                                                                                                   1},
    {"ahead, and its sender comes by there",
     HANDSHAKE "> A 0 a=0 'GET'\n> R 5\n> A 3 a=0 ' /abc'\n",                                                  "0 GET /abc- | - NONE",
     "resets_ignored",                                                                                                                                   1},
    {"ahead, and its sender stays behind it",     HANDSHAKE "> A 0 a=0 'GET'\n> R 5\n> A 3 a=0 ' /'\n",
     "0 GET /! | ! RST",                                                                                                               "resets_ignored", 0},
    {"of both sides, one of which talks on",
     HANDSHAKE "> A 0 a=0 'GET'\n> R 3\n< R 0\n> A 3 a=0 ' /'\n",                                              "0 GET /! | ! RST",
     "resets_ignored",                                                                                                                                   1},
    {"believed already when its sender talks on",
     HANDSHAKE "> A 0 a=0 'abc'\n> R 3\n@900 < A 0 a=3\n@901 > A 3 a=0 'def'\n",
     "0 abc! | ! RST\n0 def- | - NONE",                                                                                                "resets_ignored", 0},
    {"first thing seen",                          "> R 5\n",                                                   "0 ! | ! RST",          NULL,             0},
};

static void reset_ends_what_it_should(void **state)
{
    (void)state;
    const struct tcp_config config = scene_config();
    play_all(resets, HR_ARRAY_LEN(resets), &config);
}

/* A hole is given up when it is sure or old, and not before. The end of the capture is far away. */
static const struct situation holes[] = {
    {"waits",                                   HANDSHAKE "> A 0 a=0 'a'\n> A 3 a=0 'd'\n@4900 < A 0 a=1\n< A 0 a=1", "0 a | ",
     "gaps",                                                                                                                                   0},
    {"hole_timeout",                            HANDSHAKE "> A 0 a=0 'a'\n> A 3 a=0 'd'\n@5100 < A 0 a=1\n< A 0 a=1",
     "0 a..d | ",                                                                                                                      "gaps", 1},
    {"all that are old at once",
     HANDSHAKE "> A 3 a=0 'd'\n> A 7 a=0 'h'\n@5100 < A 0 a=0\n< A 0 a=0",                                            "0 ...d...h | ", "gaps",
     2                                                                                                                                          },
    {"the FIN waits, too",                      HANDSHAKE "> FA 3 a=0\n@4900 < A 0 a=0\n< A 0 a=0",                   "0  | ",         "gaps", 0},
    {"and times out",                           HANDSHAKE "> FA 3 a=0\n@5100 < A 0 a=0\n< A 0 a=0",                   "0 ...$ | ",     "gaps", 1},
    {"acknowledged a moment ago",               HANDSHAKE "> A 3 a=0 'd'\n< A 0 a=4\n> A 0 a=0 'abc'\n",
     "0 abcd | ",                                                                                                                      "gaps", 0},
    {"acknowledged some time ago",
     HANDSHAKE "> A 3 a=0 'd'\n< A 0 a=4\n@90 > A 4 a=0 'e'\n> A 5 a=0 'f'",                                          "0 ...def | ",   "gaps",
     1                                                                                                                                          },
    {"first acknowledged, then data behind it",
     HANDSHAKE "< A 0 a=3\n@90 < A 0 a=3\n@91 > A 3 a=0 'd'",                                                         "0 ...d | ",     "gaps", 1},
    {"only a part is acknowledged",
     HANDSHAKE "> A 3 a=0 'd'\n< A 0 a=2\n@90 > A 4 a=0 'e'\n> A 5 a=0 'f'",                                          "0  | ",         "gaps", 0},
    {"without later data nothing is sure",
     HANDSHAKE "> A 0 a=0 'a'\n< A 0 a=9\n@900 < A 0 a=9\n< A 0 a=9",                                                 "0 a | ",        "gaps", 0},
};

static void hole_is_given_up_when_sure(void **state)
{
    (void)state;
    static struct scene s;
    const struct tcp_config config = scene_config();
    for (size_t i = 0; i < HR_ARRAY_LEN(holes); i++) {
        scene_open(&s, &config, 7, UINT32_MAX - 1);
        scene_feed(&s, holes[i].segments);
        const char *got = scene_text(&s);
        if (strcmp(got, holes[i].want) != 0) {
            fail_msg("%s:\n got  %s\n want %s", holes[i].name, got, holes[i].want);
        }
        assert_int_equal(scene_counter(&s, holes[i].counter), holes[i].count);
        scene_finish(&s);
        scene_close(&s);
    }
}

/* Times that stand still: further segments of the connection count instead. */
static void acknowledged_hole_is_sure_after_more_segments(void **state)
{
    (void)state;
    static struct scene s;
    const struct tcp_config config = scene_config();
    scene_open(&s, &config, 7, 9);
    scene_feed(&s, "@0 > S -1\n@0 < SA -1 a=0\n@0 > A 2 a=0 'c'\n@0 < A 0 a=3");
    for (int i = 0; i < 15; i++) {
        scene_feed(&s, "@0 < A 0 a=3");
    }
    assert_string_equal(scene_text(&s), "0  | ");
    scene_feed(&s, "@0 < A 0 a=3");
    assert_string_equal(scene_text(&s), "0 ..c | ");
    scene_close(&s);
}

/* Every chunk says which segment carried it and what that one acknowledged. */
static void chunk_bears_its_own_segment(void **state)
{
    (void)state;
    static struct scene s;
    const struct tcp_config config = scene_config();
    scene_open(&s, &config, 41, UINT32_MAX - 1);
    scene_feed(&s, HANDSHAKE "> A 0 a=0 'GET '\n" /* 4 */
                             "< A 2 a=4 'K'\n"    /* 5, held */
                             "> A 4 a=0 '/'\n"    /* 6 */
                             "< A 0 a=5 'OO'\n"   /* 7 fills */
                             "< A 9 a=5 'z'\n"    /* 8, held */
                             "< FA 10 a=5\n"      /* 9 */
                             "@9000 > A 5 a=3\n> A 5 a=3\n");
    static const struct {
        enum tcp_chunk_kind kind;
        enum tcp_direction direction;
        uint64_t offset, len, frame, acked;
        int at_ms, before_ms;
    } want[] = {
        {TCP_CHUNK_DATA, TCP_ORIG, 0,  4, 4, 0, 4, 4},
        {TCP_CHUNK_DATA, TCP_ORIG, 4,  1, 6, 0, 6, 6},
        {TCP_CHUNK_DATA, TCP_RESP, 0,  2, 7, 5, 7, 7},
        {TCP_CHUNK_DATA, TCP_RESP, 2,  1, 5, 4, 5, 5},
        {TCP_CHUNK_GAP,  TCP_RESP, 3,  6, 8, 5, 8, 5},
        {TCP_CHUNK_DATA, TCP_RESP, 9,  1, 8, 5, 8, 8},
        {TCP_CHUNK_END,  TCP_RESP, 10, 0, 9, 5, 9, 9},
    };
    assert_int_equal(s.chunk_count, HR_ARRAY_LEN(want));
    for (size_t i = 0; i < HR_ARRAY_LEN(want); i++) {
        const struct tcp_chunk *c = &s.chunks[i].chunk;
        assert_int_equal(c->kind, want[i].kind);
        assert_int_equal(c->direction, want[i].direction);
        assert_int_equal(c->offset, want[i].offset);
        assert_int_equal(c->len, want[i].len);
        assert_int_equal(c->frame, want[i].frame);
        assert_int_equal(c->acked, want[i].acked);
        hr_nsec start = 1000 * HR_NSEC_PER_SEC;
        assert_int_equal(c->at, start + want[i].at_ms * HR_NSEC_PER_MSEC);
        assert_int_equal(c->before_at, start + want[i].before_ms * HR_NSEC_PER_MSEC);
    }
    scene_finish(&s);
    scene_close(&s);
}

/* What is acknowledged without a base of the other side, or before it, is not known. */
static void acked_counts_on_the_other_side(void **state)
{
    (void)state;
    static struct scene s;
    const struct tcp_config config = scene_config();
    scene_open(&s, &config, 0, UINT32_MAX - 10);
    scene_feed(&s, "> - 100 'a'\n"       /* no ACK */
                   "> A 101 a=500 'b'\n" /* gives the other side its base */
                   "> A 102 a=400 'c'\n" /* before it */
                   "> A 103 a=530 'd'\n" /* 30 on */
                   "< A 500 a=104 'e'\n");
    static const uint64_t want[] = {TCP_ACK_UNKNOWN, 0, TCP_ACK_UNKNOWN, 30, 4};
    assert_int_equal(s.chunk_count, HR_ARRAY_LEN(want));
    for (size_t i = 0; i < HR_ARRAY_LEN(want); i++) {
        assert_true(s.chunks[i].chunk.acked == want[i]);
    }
    scene_finish(&s);
    scene_close(&s);
}

/* The summary at close says what happened. */
static void summary_tells_the_life(void **state)
{
    (void)state;
    static struct scene s;
    const struct tcp_config config = scene_config();
    scene_open(&s, &config, 5, 6);
    scene_feed(&s, HANDSHAKE "> A 0 a=0 'GET /'\n< A 2 a=5 'OK'\n< FA 4 a=5\n> R 5\n"
                             ">1 S -1\n<1 RA -1 a=0\n>2 A 7 a=7 'x'");
    scene_finish(&s);
    assert_int_equal(s.conn_count, 3);
    const struct tcp_conn *c = &s.conns[0].conn;
    assert_true(c->syn_seen);
    assert_int_equal(c->orig.port, 40000);
    assert_int_equal(c->resp.port, 80);
    assert_int_equal(c->frames[0], 4);
    assert_int_equal(c->frames[1], 3);
    assert_int_equal(c->bytes[0], 5);
    assert_int_equal(c->bytes[1], 2);
    assert_int_equal(c->gap_bytes[1], 2);
    assert_int_equal(c->gaps[1], 1);
    assert_int_equal(c->fin_frame[1], 6);
    assert_int_equal(c->rst_frame[0], 7);
    assert_true(c->fin_at[0] == HR_NSEC_INFINITE);
    assert_int_equal(c->first_frame, 1);
    assert_int_equal(c->last_at - c->first_at, 6 * HR_NSEC_PER_MSEC);
    assert_false(c->one_sided[0] || c->one_sided[1] || c->syn_refused);
    assert_true(s.conns[1].conn.syn_refused);
    assert_int_equal(s.conns[1].conn.stream, 1);
    assert_false(s.conns[2].conn.syn_seen);
    assert_true(s.conns[2].conn.one_sided[TCP_RESP]);
    assert_false(s.conns[2].conn.one_sided[TCP_ORIG]);
    assert_int_equal(s.conns[2].conn.orig.port, 40002);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_is_independent_of_segmentation),
        cmocka_unit_test(beginning_is_found),
        cmocka_unit_test(reset_ends_what_it_should),
        cmocka_unit_test(hole_is_given_up_when_sure),
        cmocka_unit_test(acknowledged_hole_is_sure_after_more_segments),
        cmocka_unit_test(chunk_bears_its_own_segment),
        cmocka_unit_test(acked_counts_on_the_other_side),
        cmocka_unit_test(summary_tells_the_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
