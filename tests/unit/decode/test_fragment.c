/* Fragments written as {offset, bytes}; a capital M behind: more follow. */
#include "base/alloc.h"
#include "decode/decode.h"
#include "decode/fragment.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct decode_config roomy = {
    .fragment_budget_bytes = 1 << 20,
    .fragment_limit = 16,
    .fragment_timeout = 30 * HR_NSEC_PER_SEC,
};

struct piece {
    uint32_t offset;
    bool more;
    const char *bytes; /* NULL: no more pieces */
};

static struct fragment fragment_of(const struct piece *p, uint32_t id, hr_nsec at)
{
    return (struct fragment){
        .source = {{1}},
        .destination = {{2}},
        .id = id,
        .protocol = 6,
        .more = p->more,
        .offset = p->offset,
        .data = hr_span_str(p->bytes),
        .at = at,
    };
}

static const struct {
    const char *name;
    const char *want; /* NULL: never whole */
    struct decode_counters counters;
    struct piece pieces[6];
} cases[] = {
    {"in order",
     "abcdefghABCDEFGHxyz",                                {.fragments_joined = 1},
     {{0, true, "abcdefgh"}, {8, true, "ABCDEFGH"}, {16, false, "xyz"}}                                                                                                   },
    {"one missing",                                  NULL, {0},                                                             {{0, true, "abcdefgh"}, {16, false, "xyz"}}   },
    {"no end",                                       NULL, {0},                                                             {{0, true, "abcdefgh"}, {8, true, "ABCDEFGH"}}},
    {"doubled",
     "abcdefghxyz",                                        {.fragments_joined = 1, .fragments_repeated = 1},
     {{0, true, "abcdefgh"}, {0, true, "abcdefgh"}, {8, false, "xyz"}}                                                                                                    },
    {"doubled, but for a byte",
     "abcdefghxyz",                                        {.fragments_joined = 1, .fragments_overlapping = 1},
     {{0, true, "abcdefgh"}, {0, true, "abcdefgX"}, {8, false, "xyz"}}                                                                                                    },
    {"teardrop: the last one lies inside the first",
     "abcdefghABCDEFGHijklmnop",                           {.fragments_joined = 1, .fragments_dropped = 1, .malformed = 1},
     {{0, true, "abcdefghABCDEFGH"}, {8, false, "no"}, {16, false, "ijklmnop"}}                                                                                           },
    {"overlapping: the first copy counts",
     "abcdefghABCDEFGHxyz",                                {.fragments_joined = 1, .fragments_overlapping = 1},
     {{0, true, "abcdefgh"}, {0, true, "________ABCDEFGH"}, {16, false, "xyz"}}                                                                                           },
    {"overlapping from behind",
     "abcdefghABCDEFGHxyz",                                {.fragments_joined = 1, .fragments_overlapping = 1},
     {{8, true, "ABCDEFGH"}, {16, false, "xyz"}, {0, true, "abcdefgh________"}}                                                                                           },
    {"an end that lies inside what is known",
     "abcdefghABCDEFGHxyz",                                {.fragments_joined = 1, .fragments_dropped = 1, .malformed = 1},
     {{8, true, "ABCDEFGH"}, {8, false, "no"}, {0, true, "abcdefgh"}, {16, false, "xyz"}}                                                                                 },
    {"bytes behind the end",
     "abcdefghxyz",                                        {.fragments_joined = 1, .fragments_dropped = 1, .malformed = 1},
     {{8, false, "xyz"}, {8, true, "ABCDEFGH"}, {0, true, "abcdefgh"}}                                                                                                    },
    {"not a multiple of 8 in the middle",
     NULL,                                                 {.fragments_dropped = 1, .malformed = 1},
     {{0, true, "abc"}, {8, false, "xyz"}}                                                                                                                                },
    {"empty",                                        NULL, {.fragments_dropped = 1, .malformed = 1},                        {{8, false, ""}}                              },
    {"past 65535",                                   NULL, {.fragments_dropped = 1, .malformed = 1},                        {{65528, true, "abcdefgh"}}                   },
    {"up to 65535 but nothing before",               NULL, {0},                                                             {{65528, false, "abcdefg"}}                   },
};

/* A datagram is whole when every byte up to its end was there once; the first copy of a byte
 * counts. */
static void datagrams_come_whole_or_not_at_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct decode_counters counters = {0};
        struct fragment_table *t = fragment_table_create(&roomy, &counters);
        struct datagram got = {0};
        bool whole = false;
        for (const struct piece *p = cases[i].pieces; p->bytes != NULL; p++) {
            struct fragment f = fragment_of(p, 1, 0);
            assert_false(whole);
            whole = fragment_table_feed(t, &f, &got);
        }
        if (whole != (cases[i].want != NULL) ||
            (whole && !hr_span_equal(got.data, hr_span_str(cases[i].want)))) {
            fail_msg("%s: got '%.*s'", cases[i].name, (int)got.data.len, got.data.ptr);
        }
        if (memcmp(&counters, &cases[i].counters, sizeof(counters)) != 0) {
            fail_msg("%s: other counters: joined %d overlapping %d dropped %d malformed %d",
                     cases[i].name, (int)counters.fragments_joined,
                     (int)counters.fragments_overlapping, (int)counters.fragments_dropped,
                     (int)counters.malformed);
        }
        fragment_table_destroy(t);
    }
}

/* All fragments twice, one copy behind the other: the copies of the last ones wait for nothing. */
static void copies_behind_the_whole_are_none(void **state)
{
    (void)state;
    struct decode_counters counters = {0};
    struct fragment_table *t = fragment_table_create(&roomy, &counters);
    static const struct piece pieces[] = {
        {0, true,  "abcdefgh"},
        {0, true,  "abcdefgh"},
        {8, false, "xyz"     },
        {8, false, "xyz"     }
    };
    struct datagram got;
    unsigned whole = 0;
    for (hr_nsec at = 0; at < 100; at++) {
        for (size_t k = 0; k < HR_ARRAY_LEN(pieces); k++) {
            struct fragment f = fragment_of(&pieces[k], (uint32_t)at, at * HR_NSEC_PER_SEC);
            whole += fragment_table_feed(t, &f, &got);
        }
    }
    assert_int_equal(whole, 100);
    assert_int_equal(counters.fragments_repeated, 200);
    assert_int_equal(counters.fragments_dropped, 0);
    /* The same number again, with other bytes: a datagram of its own. */
    static const struct piece other[] = {
        {8, false, "XYZ"     },
        {0, true,  "ABCDEFGH"}
    };
    for (size_t k = 0; k < HR_ARRAY_LEN(other); k++) {
        struct fragment f = fragment_of(&other[k], 99, 100 * HR_NSEC_PER_SEC);
        whole += fragment_table_feed(t, &f, &got);
    }
    assert_int_equal(whole, 101);
    assert_true(hr_span_equal(got.data, HR_SPAN("ABCDEFGHXYZ")));
    fragment_table_destroy(t);
}

/* Every order of the pieces gives the same datagram. */
static void order_does_not_matter(void **state)
{
    (void)state;
    static const struct piece pieces[] = {
        {0,  true,  "abcdefgh"},
        {8,  true,  "ABCDEFGH"},
        {16, true,  "ijklmnop"},
        {24, false, "xyz"     },
    };
    for (unsigned code = 0; code < 256; code++) {
        unsigned at[4] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6};
        if ((1u << at[0] | 1u << at[1] | 1u << at[2] | 1u << at[3]) != 15) {
            continue; /* not a permutation */
        }
        struct decode_counters counters = {0};
        struct fragment_table *t = fragment_table_create(&roomy, &counters);
        struct datagram got = {0};
        for (unsigned k = 0; k < 4; k++) {
            struct fragment f = fragment_of(&pieces[at[k]], 1, 0);
            f.protocol = at[k] == 0 ? 6 : 17; /* IPv6: the first fragment's counts */
            f.is_ip6 = true;
            f.selected = at[k] == 2;
            assert_int_equal(fragment_table_feed(t, &f, &got), k == 3);
        }
        assert_true(hr_span_equal(got.data, HR_SPAN("abcdefghABCDEFGHijklmnopxyz")));
        assert_int_equal(got.protocol, 6);
        assert_true(got.selected);
        fragment_table_destroy(t);
    }
}

/* Datagrams differ by id, network, addresses, and in IPv4 by protocol. */
static void datagrams_are_kept_apart(void **state)
{
    (void)state;
    const struct piece first = {0, true, "abcdefgh"};
    const struct piece last = {8, false, "xyz"};
    for (int what = 0; what < 6; what++) {
        struct decode_counters counters = {0};
        struct fragment_table *t = fragment_table_create(&roomy, &counters);
        struct datagram got;
        struct fragment f = fragment_of(&first, 1, 0);
        assert_false(fragment_table_feed(t, &f, &got));
        struct fragment g = fragment_of(&last, 1, 0);
        g.id += what == 1;
        g.network += what == 2;
        g.source.bytes[5] = what == 3;
        g.protocol = what == 4 ? 17 : 6;
        g.is_ip6 = what == 5;
        assert_int_equal(fragment_table_feed(t, &g, &got), what == 0);
        fragment_table_destroy(t);
    }
}

/* @return datagrams that got whole, of many whose last pieces come after all the first ones */
static unsigned joined_of(unsigned count, const struct decode_config *config, hr_nsec step,
                          struct decode_counters *counters)
{
    const struct piece first = {0, true, "abcdefgh"};
    const struct piece last = {8, false, "xyz"};
    struct fragment_table *t = fragment_table_create(config, counters);
    struct datagram got;
    unsigned joined = 0;
    for (unsigned i = 0; i < count; i++) {
        struct fragment f = fragment_of(&first, i, (hr_nsec)i * step);
        assert_false(fragment_table_feed(t, &f, &got));
    }
    for (unsigned i = 0; i < count; i++) {
        struct fragment f = fragment_of(&last, i, (hr_nsec)count * step);
        joined += fragment_table_feed(t, &f, &got);
    }
    fragment_table_destroy(t);
    return joined;
}

/* Past a bound the longest waiting datagrams go, and are counted. */
static void bounds_hold(void **state)
{
    (void)state;
    struct decode_counters c = {0};
    struct decode_config config = roomy;
    assert_int_equal(joined_of(10, &config, 0, &c), 10);
    assert_int_equal(c.fragments_dropped, 0);

    config.fragment_limit = 4; /* the last pieces of those that went push out others in turn */
    c = (struct decode_counters){0};
    assert_true(joined_of(10, &config, 0, &c) <= 4);
    assert_true(c.fragments_dropped >= 6);

    config = roomy;
    config.fragment_budget_bytes = 8000; /* two or so */
    c = (struct decode_counters){0};
    assert_true(joined_of(10, &config, 0, &c) <= 2);
    assert_true(c.fragments_dropped >= 8);

    config.fragment_budget_bytes = 0;
    c = (struct decode_counters){0};
    assert_int_equal(joined_of(3, &config, 0, &c), 0);
    assert_int_equal(c.fragments_dropped, 6);

    config = roomy; /* 11 s apart: only the youngest are less than 30 s old when the rest comes */
    c = (struct decode_counters){0};
    assert_int_equal(joined_of(10, &config, 11 * HR_NSEC_PER_SEC, &c), 2);
    assert_int_equal(c.fragments_dropped, 8);
}

/* What waits is given up on time all the same, and not before. */
static void clock_may_be_set_back(void **state)
{
    (void)state;
    static const int seconds[] = {3600, 3601, 1, 3602, 3603, 10, 10, 39, 39, 41, 41};
    static const uint64_t given_up[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 5};
    const struct piece first = {0, true, "abcdefgh"};
    struct decode_counters c = {0};
    struct fragment_table *t = fragment_table_create(&roomy, &c);
    struct datagram got;
    for (unsigned i = 0; i < HR_ARRAY_LEN(seconds); i++) {
        struct fragment f = fragment_of(&first, i, seconds[i] * HR_NSEC_PER_SEC);
        assert_false(fragment_table_feed(t, &f, &got));
        assert_int_equal(c.fragments_dropped, given_up[i]);
    }
    fragment_table_destroy(t);
}

/* A datagram that outgrows the budget goes itself when it is the only one. */
static void a_large_datagram_meets_the_budget(void **state)
{
    (void)state;
    struct decode_config config = roomy;
    config.fragment_budget_bytes = 20000;
    struct decode_counters c = {0};
    struct fragment_table *t = fragment_table_create(&config, &c);
    struct datagram got;
    char *bytes = hr_xcalloc(1, 30001);
    memset(bytes, 'x', 30000);
    struct fragment f = fragment_of(&(struct piece){0, true, bytes}, 1, 0);
    assert_false(fragment_table_feed(t, &f, &got));
    assert_int_equal(c.fragments_dropped, 1);
    free(bytes);
    fragment_table_destroy(t);
}

static void count_segment(const struct tcp_segment *s, void *user)
{
    struct tcp_segment *last = user;
    *last = *s;
    last->payload.ptr = s->payload.len == 4 && memcmp(s->payload.ptr, "GET ", 4) == 0 ? "ok" : "";
}

static void feed_ip4(struct decoder *d, uint16_t offset, const char *bytes, size_t len, bool cut)
{
    uint8_t frame[128] = {0x45, 0, 0, 0, 0, 7, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
    frame[3] = (uint8_t)(20 + len);
    frame[6] = (uint8_t)(offset >> 8);
    frame[7] = (uint8_t)offset;
    memcpy(frame + 20, bytes, len);
    const struct packet p = {.data = frame,
                             .captured_bytes = (uint32_t)(20 + len - cut),
                             .wire_bytes = (uint32_t)(20 + len),
                             .link_type = 101,
                             .frame = offset + 1u,
                             .selected = true};
    decoder_feed(d, &p);
}

static void take_counter(const struct hr_counter_info *info, uint64_t value, void *user)
{
    if (strcmp(info->name, "fragments") == 0) {
        ((uint64_t *)user)[0] = value;
    } else if (strcmp(info->name, "cut") == 0) {
        ((uint64_t *)user)[1] = value;
    } else if (strcmp(info->name, "tcp_segments") == 0) {
        ((uint64_t *)user)[2] = value;
    }
}

/* A segment in fragments comes out with the frame that made it whole; a cut fragment is none. */
static void segments_come_out_of_fragments(void **state)
{
    (void)state;
    static const char tcp[] = "\x03\xe8\0\x50\0\0\0\1\0\0\0\2\x50\x18\0\5\0\0\0\0GET ";
    struct tcp_segment got = {0};
    uint64_t counts[3];
    struct decoder *d = decoder_create(&roomy, count_segment, &got);
    feed_ip4(d, 2, tcp + 16, 8, true);
    feed_ip4(d, 0x2000, tcp, 16, false);
    assert_int_equal(got.frame, 0);
    feed_ip4(d, 2, tcp + 16, 8, false);
    assert_int_equal(got.frame, 3);
    assert_int_equal(got.source.port, 1000);
    assert_int_equal(got.wire_payload_bytes, 4);
    assert_true(got.selected);
    assert_string_equal(got.payload.ptr, "ok");
    decoder_counters(d, take_counter, counts);
    assert_int_equal(counts[0], 3);
    assert_int_equal(counts[1], 1);
    assert_int_equal(counts[2], 1);
    decoder_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_come_whole_or_not_at_all),
        cmocka_unit_test(copies_behind_the_whole_are_none),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(datagrams_are_kept_apart),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(clock_may_be_set_back),
        cmocka_unit_test(a_large_datagram_meets_the_budget),
        cmocka_unit_test(segments_come_out_of_fragments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
