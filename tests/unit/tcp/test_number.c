#include "support/segments.h"
#include "support/test.h"

#include <string.h>

#define HANDSHAKE "> S -1\n< SA -1 a=0\n> A 0 a=0\n"
#define LIFE HANDSHAKE "> FA 0 a=0 'x'\n< FA 0 a=2 'y'\n> A 2 a=2\n"

/* A stream's number is Wireshark's tcp.stream: only a SYN with a new number of its side begins one.
 */
static const struct {
    const char *name;
    const char *segments;
    const char *want;
} cases[] = {
    {"two clients",                                   "> S -1\n>1 S -1\n< SA -1 a=0\n<1 SA -1 a=0\n>1 A 0 a=0 'b'\n> A 0 a=0 'a'",
     "0 a- | - NONE\n1 b- | - NONE"                                                                                                                                 },
    {"a new SYN after the close",                     LIFE "> S 99\n< SA 99 a=100\n> A 100 a=100 'z'\n",
     "0 x$ | y$ FIN\n1 z- | - NONE"                                                                                                                                 },
    {"a new SYN on an open one",                      HANDSHAKE "> A 0 a=0 'x'\n> S 99\n> A 100 a=100 'z'\n",
     "0 x* | * REUSED\n1 z- | - NONE"                                                                                                                               },
    {"a hole is open then",                           HANDSHAKE "> A 2 a=0 'x'\n> S 99\n",                                         "0 ..x* | * REUSED\n1 - | - NONE"},
    {"an unanswered SYN, then another",               "> S -1\n> S 99\n< SA -1 a=100\n> A 100 a=0 'z'",
     "0 * | * REUSED\n1 z- | - NONE"                                                                                                                                },
    {"the old SYN late",                              LIFE "> S -1\n",                                                             "0 x$ | y$ FIN"                  },
    {"after silence it is the same stream",
     HANDSHAKE "> A 0 a=0 'x'\n@900000 >1 S -1\n> A 1 a=0 'z'\n",
     "0 x~ | ~ TIMEOUT\n1 - | - NONE\n0 z- | - NONE"                                                                                                                },
    {"long after the close an ACK is nothing",        LIFE "@900000 >1 S -1\n@900001 >1 S -1\n> A 2 a=2\n",
     "0 x$ | y$ FIN\n1 - | - NONE"                                                                                                                                  },
    {"bytes are something, of the same number",
     LIFE "@900000 >1 S -1\n@900001 >1 S -1\n> A 2 a=2 'more'\n",
     "0 x$ | y$ FIN\n1 - | - NONE\n0 more- | - NONE"                                                                                                                },
    {"another life without its SYN",                  LIFE "> A 5000 a=9000 'GET'\n< A 9000 a=5003 'OK'",
     "0 x$ | y$ FIN\n0 GET- | OK- NONE"                                                                                                                             },
    {"long after the close a SYN is a new one",       LIFE "@900000 >1 S -1\n@900001 >1 S -1\n> S 99\n",
     "0 x$ | y$ FIN\n1 - | - NONE\n2 - | - NONE"                                                                                                                    },
    {"joined midway, then a SYN that does not fit",   "> A 9 a=9 'x'\n> S 99\n",
     "0 x* | * REUSED\n1 - | - NONE"                                                                                                                                },
    {"another network",                               "> S -1\n> S -1 n=7\n> A 0 a=0 n=7 'b'\n> A 0 a=0 'a'\n",
     "0 a- | - NONE\n1 b- | - NONE"                                                                                                                                 },
    {"what the filter leaves out is counted",         ">1 S -1 u\n> S -1\n<1 SA -1 a=0 u\n>2 S -1\n",
     "1 - | - NONE\n2 - | - NONE"                                                                                                                                   },
    {"and opens where the filter begins to select",
     "> S -1 u\n< SA -1 a=0 u\n>1 S -1\n> A 0 a=0 'x'\n",                                                                          "1 - | - NONE\n0 x- | - NONE"    },
    {"a SYN that the filter leaves out",
     HANDSHAKE "> A 0 a=0 'x'\n> S 99 u\n>1 S -1\n> A 100 a=0 'z'",
     "0 x* | * REUSED\n2 - | - NONE\n1 z- | - NONE"                                                                                                                 },
    {"bytes that the filter leaves out are not seen", HANDSHAKE "> A 0 a=0 u 'x'\n> A 1 a=0 'z'",
     "0 .z- | - NONE"                                                                                                                                               },
};

static void stream_numbers_are_wiresharks(void **state)
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
        scene_close(&s);
    }
}

/* Each capture counts its own; a connection that goes on in the next capture has a number there,
 * too. */
static void every_capture_counts_its_own(void **state)
{
    (void)state;
    static struct scene s;
    const struct tcp_config config = scene_config();
    scene_open(&s, &config, 1, 2);
    scene_feed(&s, HANDSHAKE "> A 0 a=0 'a'\n"
                             "> A 1 a=0 c=1 'b'\n" /* stream 0 of capture 1 as well */
                             "> A 2 a=0 c=1 'c'\n"
                             ">1 S -1 c=1\n"
                             ">1 S -1 c=0\n" /* stream 1 of capture 0 as well */
                             ">2 S -1 c=0\n");
    assert_string_equal(scene_finish(&s), "0 abc- | - NONE\n1 - | - NONE\n2 - | - NONE");
    assert_int_equal(s.conns[0].conn.capture, 0);
    assert_int_equal(s.conns[1].conn.capture, 1);
    assert_int_equal(s.conns[2].conn.capture, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(s.chunks[i].chunk.capture, i > 0);
    }
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_numbers_are_wiresharks),
        cmocka_unit_test(every_capture_counts_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
