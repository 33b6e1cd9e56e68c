/*
 * Everything that grows has a bound, a rule who goes first, and a counter that says it happened.
 */
#include "support/segments.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define HANDSHAKE "> S -1\n< SA -1 a=0\n> A 0 a=0\n"

static struct scene s;

static void held_bytes_of_a_direction_are_bounded(void **state)
{
    (void)state;
    struct tcp_config config = scene_config();
    config.held_conn_bytes = 1000;
    scene_open(&s, &config, 0, 0);
    scene_feed(&s, HANDSHAKE);
    for (int i = 0; i < 100; i++) {
        char line[64];
        snprintf(line, sizeof(line), "> A %d a=0 'x'", 1 + 2 * i); /* never the byte between */
        scene_feed(&s, line);
        assert_true(scene_counter(&s, "held_bytes_peak") < 1200);
    }
    assert_true(scene_counter(&s, "budget_gaps") > 80);
    assert_int_equal(scene_counter(&s, "out_of_order"), 100);
    scene_finish(&s);
    assert_int_equal(scene_counter(&s, "gaps"), 100);
    assert_int_equal(scene_counter(&s, "gap_bytes"), 100);
    scene_close(&s);
}

static void held_bytes_in_all_are_bounded_oldest_first(void **state)
{
    (void)state;
    struct tcp_config config = scene_config();
    config.held_total_bytes = 1000;
    scene_open(&s, &config, 0, 0);
    for (int i = 0; i < 20; i++) {
        char line[64];
        snprintf(line, sizeof(line), ">%d S -1\n>%d A 1 a=0 'x'", i, i);
        scene_feed(&s, line);
    }
    assert_true(scene_counter(&s, "held_bytes_peak") < 1200);
    assert_true(scene_counter(&s, "budget_gaps") > 5);
    assert_int_equal(s.conns[0].bytes[0].len, 2); /* ".x" */
    assert_int_equal(s.conns[19].bytes[0].len, 0);
    scene_finish(&s);
    scene_close(&s);
}

static void one_segment_may_be_larger_than_the_budget(void **state)
{
    (void)state;
    struct tcp_config config = scene_config();
    config.held_conn_bytes = 1;
    config.held_total_bytes = 1;
    scene_open(&s, &config, 0, 0);
    scene_feed(&s, HANDSHAKE "> A 3 a=0 'defg'\n> A 7 a=0 'h'");
    assert_string_equal(scene_finish(&s), "0 ...defgh- | - NONE");
    scene_close(&s);
}

/* The longest idle one goes first; what is closed goes before that. */
static void connections_are_bounded(void **state)
{
    (void)state;
    struct tcp_config config = scene_config();
    config.connection_limit = 4;
    scene_open(&s, &config, 0, 0);
    scene_feed(
        &s,
        "@0 >0 A 0 a=0 'a'\n@20000 >1 A 0 a=0 'b'\n@40000 >2 A 0 a=0 'c'\n@60000 >3 A 0 a=0 'd'\n"
        "@80000 >0 A 1 a=0 'A'\n@80010 >1 FA 1 a=0\n@80020 <1 FA 0 a=2\n"
        "@81000 >4 A 0 a=0 'e'\n@82000 >5 A 0 a=0 'f'\n");
    assert_string_equal(scene_finish(&s),
                        "0 aA- | - NONE\n1 b$ | $ FIN\n2 c^ | ^ EVICTED\n3 d- | - NONE\n"
                        "4 e- | - NONE\n5 f- | - NONE");
    assert_int_equal(scene_counter(&s, "connections_evicted"), 1);
    scene_close(&s);
}

static void half_open_ones_do_not_push_out_the_living(void **state)
{
    (void)state;
    struct tcp_config config = scene_config();
    config.connection_limit = 8;
    scene_open(&s, &config, 0, 0);
    scene_feed(&s, HANDSHAKE "> A 0 a=0 'alive'");
    for (int i = 1; i < 60; i++) {
        char line[64];
        snprintf(line, sizeof(line), ">%d S -1", i);
        scene_feed(&s, line);
    }
    scene_feed(&s, "> A 5 a=0 ' still'");
    assert_int_equal(s.conns[0].bytes[0].len, 11);
    assert_int_equal(scene_counter(&s, "connections_evicted"), 52);
    scene_finish(&s);
    scene_close(&s);
}

/* Silence ends connections, each kind after its own time; one frame with a wild time ends nothing.
 */
static void silence_ends_connections_on_packet_time(void **state)
{
    (void)state;
    const struct tcp_config config = scene_config();
    scene_open(&s, &config, 0, 0);
    scene_feed(&s, ">0 S -1\n>1 A 0 a=0 'x'\n>2 A 0 a=0 'y'\n"
                   "@59000 >9 A 0 a=0\n@59001 >9 A 0 a=0\n");
    assert_int_equal(scene_counter(&s, "connections_timed_out"), 0);
    scene_feed(&s, "@61000 >9 A 0 a=0\n@61001 >9 A 0 a=0");
    assert_int_equal(scene_counter(&s, "connections_timed_out"), 1);
    scene_feed(&s, "@300000 >2 A 1 a=0 'z'\n@9000000 >9 A 0 a=0\n@300002 >2 A 2 a=0 'z'\n");
    assert_int_equal(scene_counter(&s, "connections_timed_out"), 1);
    scene_feed(&s, "@601000 >9 A 0 a=0\n@601001 >9 A 0 a=0");
    assert_int_equal(scene_counter(&s, "connections_timed_out"), 2);
    assert_string_equal(scene_finish(&s),
                        "0 ~ | ~ TIMEOUT\n1 x~ | ~ TIMEOUT\n2 yzz- | - NONE\n3 - | - NONE");
    scene_close(&s);
}

static void ignore_open(struct tcp_conn *c, void *user)
{
    (void)c;
    (void)user;
}

static void ignore_chunk(struct tcp_conn *c, const struct tcp_chunk *chunk, void *user)
{
    (void)c;
    uint64_t *bytes = user;
    *bytes += chunk->kind == TCP_CHUNK_DATA ? chunk->len : 0;
}

static void ignore_close(struct tcp_conn *c, enum tcp_end end, void *user)
{
    (void)c;
    (void)end;
    (void)user;
}

static const struct tcp_callbacks ignore = {ignore_open, ignore_chunk, ignore_close};

static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static struct tcp_segment bare_segment(uint32_t client, uint8_t flags)
{
    struct tcp_segment seg = {.flags = flags, .selected = true, .at = HR_NSEC_PER_SEC, .frame = 1};
    memcpy(seg.source.address.bytes + 12, &client, sizeof(client));
    seg.source.port = 999;
    seg.destination.port = 80;
    return seg;
}

/* A flood of half-open connections: linear time, bounded memory. Quadratic work would take minutes.
 */
static void flood_of_syns_takes_linear_time(void **state)
{
    (void)state;
    struct tcp_config config = scene_config();
    config.connection_limit = 20000;
    uint64_t bytes = 0;
    struct tcp_table *t = tcp_table_create(&config, &ignore, &bytes, 1);
    double start = cpu_seconds();
    for (uint32_t i = 0; i < 300000; i++) {
        struct tcp_segment seg = bare_segment(i, TCP_SYN);
        tcp_table_feed(t, &seg);
    }
    tcp_table_finish(t);
    assert_true(cpu_seconds() - start < 15);
    tcp_table_destroy(t);
}

/* Tiny segments, backwards and overlapping, one stream: held ones are found without a walk. */
static void tiny_segments_take_linear_time(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    static char payload[COUNT];
    struct tcp_config config = scene_config();
    config.held_conn_bytes = config.held_total_bytes = (size_t)1 << 30;
    uint64_t bytes = 0;
    struct tcp_table *t = tcp_table_create(&config, &ignore, &bytes, 1);
    struct tcp_segment seg = bare_segment(1, TCP_SYN);
    double start = cpu_seconds();
    tcp_table_feed(t, &seg);
    seg.flags = TCP_ACK;
    for (uint32_t i = COUNT - 1; i > 0; i--) {
        seg.seq = 1 + i;
        seg.payload = hr_span_of(payload + i, i % 2 ? 1 : 2);
        seg.payload.len = seg.payload.len > COUNT - i ? COUNT - i : seg.payload.len;
        seg.wire_payload_bytes = (uint32_t)seg.payload.len;
        tcp_table_feed(t, &seg);
    }
    assert_int_equal(bytes, 0);
    seg.seq = 1;
    seg.payload = hr_span_of(payload, 1);
    seg.wire_payload_bytes = 1;
    tcp_table_feed(t, &seg);
    assert_int_equal(bytes, COUNT);
    tcp_table_finish(t);
    assert_true(cpu_seconds() - start < 15);
    tcp_table_destroy(t);
}

/* Destroying a table in the middle of everything loses no memory (the sanitizer watches). */
static void destroy_needs_no_finish(void **state)
{
    (void)state;
    const struct tcp_config config = scene_config();
    scene_open(&s, &config, 0, 0);
    scene_feed(&s, HANDSHAKE "> A 3 a=0 'x'\n< A 9 a=0 'y'\n>1 S -1 u\n> A 4 a=0 c=1 'z'");
    scene_close(&s);
    tcp_table_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_bytes_of_a_direction_are_bounded),
        cmocka_unit_test(held_bytes_in_all_are_bounded_oldest_first),
        cmocka_unit_test(one_segment_may_be_larger_than_the_budget),
        cmocka_unit_test(connections_are_bounded),
        cmocka_unit_test(half_open_ones_do_not_push_out_the_living),
        cmocka_unit_test(silence_ends_connections_on_packet_time),
        cmocka_unit_test(flood_of_syns_takes_linear_time),
        cmocka_unit_test(tiny_segments_take_linear_time),
        cmocka_unit_test(destroy_needs_no_finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
