/*
 * Laws that hold for any two-way conversation and any network, tried on random ones. The seed is
 * printed where one breaks; give it in HR_SEED to play it again.
 */
#include "support/segments.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENT_LIMIT = 400, BYTES_LIMIT = 20000, ROUNDS = 300 };

struct conversation {
    uint32_t isn[2];
    char bytes[2][BYTES_LIMIT];
    size_t len[2];
    struct tcp_segment segments[SEGMENT_LIMIT];
    bool lost[SEGMENT_LIMIT];
    size_t count;
};

static struct conversation talk;
static struct scene s;
static uint64_t random_state;

static uint32_t pick(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % below;
}

static struct tcp_segment *add(int from, uint8_t flags, uint32_t seq, uint32_t ack)
{
    assert_true(talk.count < SEGMENT_LIMIT);
    struct tcp_segment *seg = &talk.segments[talk.count];
    *seg = (struct tcp_segment){.flags = flags, .seq = seq, .ack = ack, .selected = true};
    seg->source.port = from ? 80 : 5000;
    seg->destination.port = from ? 5000 : 80;
    talk.lost[talk.count++] = false;
    return seg;
}

/* A handshake, bytes both ways in segments of any size, and a close; every byte is acknowledged. */
static void make_conversation(uint64_t seed)
{
    random_state = seed;
    talk.count = 0;
    for (int side = 0; side < 2; side++) {
        talk.isn[side] = pick(4) ? pick(1u << 31) * 2 : UINT32_MAX - pick(1000);
        talk.len[side] = 0;
    }
    uint32_t next[2] = {talk.isn[0] + 1, talk.isn[1] + 1};
    add(0, TCP_SYN, talk.isn[0], 0);
    add(1, TCP_SYN | TCP_ACK, talk.isn[1], next[0]);
    add(0, TCP_ACK, next[0], next[1]);
    uint32_t turns = 5 + pick(80);
    for (uint32_t i = 0; i < turns; i++) {
        int from = (int)pick(2);
        uint32_t len = pick(3) ? 1 + pick(200) : 1 + pick(3);
        struct tcp_segment *seg = add(from, TCP_ACK, next[from], next[!from]);
        char *bytes = talk.bytes[from] + talk.len[from];
        for (uint32_t k = 0; k < len; k++) {
            bytes[k] = (char)('a' + pick(26));
        }
        seg->payload = hr_span_of(bytes, len);
        seg->wire_payload_bytes = len;
        talk.len[from] += len;
        next[from] += len;
        if (pick(3) == 0) {
            add(!from, TCP_ACK, next[!from], next[from]);
        }
    }
    add(0, TCP_FIN | TCP_ACK, next[0], next[1]);
    next[0]++;
    add(1, TCP_FIN | TCP_ACK, next[1], next[0]);
    next[1]++;
    add(0, TCP_ACK, next[0], next[1]);
}

static void insert(size_t at, const struct tcp_segment *seg)
{
    if (talk.count == SEGMENT_LIMIT) {
        return;
    }
    memmove(&talk.segments[at + 1], &talk.segments[at],
            (talk.count - at) * sizeof(talk.segments[0]));
    talk.segments[at] = *seg;
    talk.lost[talk.count++] = false;
}

/* Repeats segments later, whole, in part, or together with what stood before them. */
static void duplicate(uint32_t percent)
{
    for (size_t i = 3; i < talk.count; i++) {
        if (pick(100) >= percent) {
            continue;
        }
        struct tcp_segment copy = talk.segments[i];
        int from = copy.source.port == 80;
        size_t offset = copy.seq - talk.isn[from] - 1;
        if (copy.payload.len > 0) {
            uint32_t back = pick(50) % (uint32_t)(offset + 1);
            uint32_t len = 1 + pick((uint32_t)copy.payload.len + back);
            copy.seq -= back;
            copy.payload = hr_span_of(talk.bytes[from] + offset - back, len);
            copy.wire_payload_bytes = len;
        }
        copy.flags &= (uint8_t)~TCP_FIN;
        insert(i + 1 + pick(3) % (uint32_t)(talk.count - i), &copy);
    }
}

/* Swaps neighbours behind the handshake (which test_conn.c turns around). */
static void reorder(uint32_t percent)
{
    for (size_t i = 3; i + 4 < talk.count; i++) {
        if (pick(100) < percent) {
            size_t k = i + 1 + pick(3);
            struct tcp_segment swap = talk.segments[i];
            talk.segments[i] = talk.segments[k];
            talk.segments[k] = swap;
        }
    }
}

static void play(const struct tcp_config *config)
{
    scene_open(&s, config, 0, 0);
    for (size_t i = 0; i < talk.count; i++) {
        struct tcp_segment seg = talk.segments[i];
        seg.frame = i + 1;
        seg.at = (hr_nsec)i * HR_NSEC_PER_MSEC;
        if (!talk.lost[i]) {
            scene_feed_segment(&s, &seg);
        }
    }
    tcp_table_finish(s.table);
}

static bool equals(int side, const char *end)
{
    struct hr_span got = hr_buf_span(&s.conns[0].bytes[side]);
    return got.len == talk.len[side] + strlen(end) &&
           memcmp(got.ptr, talk.bytes[side], talk.len[side]) == 0 &&
           memcmp(got.ptr + talk.len[side], end, strlen(end)) == 0;
}

static uint64_t seed_of(int round)
{
    const char *given = getenv("HR_SEED");
    return given ? strtoull(given, NULL, 10) : 20240607u + (uint64_t)round * 7919;
}

/* Segmentation, repetition and bounded reordering change no byte and no offset. */
static void network_changes_nothing(void **state)
{
    (void)state;
    const struct tcp_config config = scene_config();
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t seed = seed_of(round);
        make_conversation(seed);
        duplicate(pick(30));
        reorder(pick(30));
        play(&config);
        if (s.conn_count != 1 || !equals(0, "$") || !equals(1, "$ FIN") ||
            scene_counter(&s, "overlaps_differing") != 0) {
            fail_msg("HR_SEED=%llu: %s", (unsigned long long)seed, scene_text(&s));
        }
        scene_close(&s);
    }
}

/* Chunks tell what each segment acknowledged: never more than was sent before it. */
static void acked_is_what_the_segment_said(void **state)
{
    (void)state;
    const struct tcp_config config = scene_config();
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t seed = seed_of(round);
        make_conversation(seed);
        reorder(pick(20));
        play(&config);
        for (size_t i = 0; i < s.chunk_count; i++) {
            const struct tcp_chunk *c = &s.chunks[i].chunk;
            const struct tcp_segment *seg = &talk.segments[c->frame - 1];
            uint64_t want = seg->ack - talk.isn[c->direction == TCP_ORIG] - 1;
            uint64_t most = talk.len[c->direction == TCP_ORIG];
            want = want > most ? most : want; /* a FIN is no byte */
            if (c->kind == TCP_CHUNK_DATA && c->acked != want) {
                fail_msg("HR_SEED=%llu: frame %llu acknowledges %llu, not %llu",
                         (unsigned long long)seed, (unsigned long long)c->frame,
                         (unsigned long long)want, (unsigned long long)c->acked);
            }
        }
        scene_close(&s);
    }
}

/* Marks bytes that some captured segment carries. */
static void mark_seen(bool *seen, int side)
{
    memset(seen, 0, BYTES_LIMIT * sizeof(*seen));
    for (size_t i = 0; i < talk.count; i++) {
        const struct tcp_segment *seg = &talk.segments[i];
        if (!talk.lost[i] && (seg->source.port == 80) == side) {
            size_t from = seg->seq - talk.isn[side] - 1;
            for (size_t k = 0; k < seg->payload.len; k++) {
                seen[from + k] = true;
            }
        }
    }
}

/* What is lost comes out as gaps of exactly its place and length; the rest is whole. */
static void gaps_fill_the_holes_exactly(void **state)
{
    (void)state;
    static bool seen[BYTES_LIMIT];
    const struct tcp_config config = scene_config();
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t seed = seed_of(round);
        make_conversation(seed);
        duplicate(pick(20));
        reorder(pick(10));
        uint32_t percent = pick(40);
        size_t ends = 6; /* the handshake and the close stay, for they tell where the streams end */
        for (size_t i = ends; i + ends < talk.count; i++) {
            talk.lost[i] = !(talk.segments[i].flags & (TCP_SYN | TCP_FIN)) && pick(100) < percent;
        }
        play(&config);
        for (int side = 0; side < 2; side++) {
            mark_seen(seen, side);
            struct hr_buf want;
            hr_buf_init(&want, SIZE_MAX);
            for (size_t k = 0; k < talk.len[side];) {
                size_t run = 1;
                while (k + run < talk.len[side] && seen[k + run] == seen[k]) {
                    run++;
                }
                if (seen[k]) {
                    hr_buf_append(&want, hr_span_of(talk.bytes[side] + k, run));
                } else if (run > 64) {
                    hr_buf_appendf(&want, "<%zu>", run);
                } else {
                    hr_buf_appendf(
                        &want, "%.*s", (int)run,
                        "................................................................");
                }
                k += run;
            }
            hr_buf_append_str(&want, "$");
            struct hr_span got = hr_buf_span(&s.conns[0].bytes[side]);
            if (!hr_span_has_prefix(got, hr_buf_span(&want))) {
                fail_msg("HR_SEED=%llu side %d:\n got  %s\n want %s", (unsigned long long)seed,
                         side, hr_buf_str(&s.conns[0].bytes[side]), hr_buf_str(&want));
            }
            hr_buf_finish(&want);
        }
        scene_close(&s);
    }
}

/* Under any budget the offsets stay right and the held bytes stay within it. */
static void bounds_hold(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t seed = seed_of(round);
        struct tcp_config config = scene_config();
        make_conversation(seed);
        duplicate(pick(20));
        reorder(pick(60));
        config.held_conn_bytes = pick(2000);
        config.held_total_bytes = pick(3000);
        for (size_t i = 3; i < talk.count; i++) {
            talk.lost[i] = pick(100) < 10;
        }
        play(&config);
        /* A segment is held before the budget is looked at; it may come in a few pieces. */
        if (scene_counter(&s, "held_bytes_peak") > config.held_total_bytes + 2500) {
            fail_msg("HR_SEED=%llu: %llu bytes were held", (unsigned long long)seed,
                     (unsigned long long)scene_counter(&s, "held_bytes_peak"));
        }
        for (size_t i = 0; i < s.chunk_count; i++) {
            const struct tcp_chunk *c = &s.chunks[i].chunk;
            int side = c->direction == TCP_RESP;
            if (c->kind == TCP_CHUNK_DATA && c->offset + c->len > talk.len[side]) {
                fail_msg("HR_SEED=%llu: bytes behind the end", (unsigned long long)seed);
            }
        }
        scene_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(network_changes_nothing),
        cmocka_unit_test(acked_is_what_the_segment_said),
        cmocka_unit_test(gaps_fill_the_holes_exactly),
        cmocka_unit_test(bounds_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
