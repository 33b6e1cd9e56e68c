/* What only pcapng has: blocks, sections, interfaces, clocks. */
#include "base/alloc.h"
#include "files.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Both byte orders in one file: interfaces belong to their section, frames are numbered through. */
static void sections_follow_each_other(void **state)
{
    (void)state;
    for (unsigned big = 0; big < 2; big++) {
        struct made m;
        struct hr_buf got;
        hr_buf_init(&got, SIZE_MAX);
        made_init(&m, big);
        made_section(&m);
        made_interface(&m, 1, 65535);
        made_interface(&m, 113, 96);
        made_packet(&m, 1, 1000000, "one");
        made_packet(&m, 0, 2000000, "two");
        m.is_big = !big;
        made_section(&m);
        made_interface(&m, 101, 0);
        made_packet(&m, 0, 3000000, "three");
        made_packet(&m, 1, 4000000, "no such interface any more");
        made_read(&m, &got);
        assert_string_equal(
            hr_buf_str(&got),
            "1@1.000000000 3/3 L113 I1 one\n"
            "2@2.000000000 3/3 L1 I0 two\n"
            "3@3.000000000 5/5 L101 I0 three\n"
            "!corrupt at byte 228, behind frame 3 (a packet of an interface that was "
            "not described)\n");
        hr_buf_finish(&m.b);
        hr_buf_finish(&got);
    }
}

static const struct {
    const char *name;
    uint8_t resolution;
    uint64_t units;
    int64_t offset;
    const char *want;
} clocks[] = {
    {"seconds",                 0,         7,                     0,         "7.000000000"         },
    {"milliseconds",            3,         7001,                  0,         "7.001000000"         },
    {"microseconds",            6,         7000001,               0,         "7.000001000"         },
    {"nanoseconds",             9,         7000000001,            0,         "7.000000001"         },
    {"picoseconds",             12,        7000000001999,         0,         "7.000000001"         },
    {"10^-19",                  19,        12345678901234567890u, 0,         "1.234567890"         },
    {"10^-20",                  20,        12345678901234567890u, 0,         "0.123456789"         },
    {"10^-28",                  28,        12345678901234567890u, 0,         "0.000000001"         },
    {"10^-127",                 127,       12345678901234567890u, 0,         "0.000000000"         },
    {"2^-0",                    0x80,      7,                     0,         "7.000000000"         },
    {"2^-1",                    0x81,      15,                    0,         "7.500000000"         },
    {"2^-20",                   0x80 | 20, (7 << 20) + 1,         0,         "7.000000953"         },
    {"2^-63",                   0x80 | 63, UINT64_MAX,            0,         "1.999999999"         },
    {"2^-64",                   0x80 | 64, UINT64_MAX,            0,         "0.999999999"         },
    {"2^-127",                  0xff,      UINT64_MAX,            0,         "0.000000000"         },
    {"offset",                  6,         1000001,               7,         "8.000001000"         },
    {"offset back",             9,         10000000001,           -7,        "3.000000001"         },
    {"more than time can hold", 0,         UINT64_MAX,            0,         "9223372036.854775806"},
    {"offset past all time",    6,         0,                     INT64_MAX, "9223372036.854775806"},
};

/* Units and offset of an interface's clock give nanoseconds; what time cannot hold stays at its
 * end. */
static void clocks_give_nanoseconds(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(clocks); i++) {
        for (unsigned big = 0; big < 2; big++) {
            struct made m;
            struct made offset;
            struct hr_buf got;
            struct hr_buf want;
            hr_buf_init(&got, SIZE_MAX);
            hr_buf_init(&want, SIZE_MAX);
            made_init(&m, big);
            made_init(&offset, big);
            made_u64(&offset, (uint64_t)clocks[i].offset);
            made_section(&m);
            size_t at = made_block(&m, 1);
            made_u16(&m, 1);
            made_u16(&m, 0);
            made_u32(&m, 0);
            made_option(&m, 2, "eth0", 4);
            made_option(&m, 9, (const char *)&clocks[i].resolution, 1);
            made_option(&m, 14, offset.b.ptr, 8);
            made_option(&m, 0, "", 0);
            made_option(&m, 9, "\0", 1); /* behind the end of the options */
            made_block_end(&m, at);
            made_packet(&m, 0, clocks[i].units, "x");
            made_read(&m, &got);
            hr_buf_appendf(&want, "1@%s 1/1 L1 I0 x\n", clocks[i].want);
            if (strcmp(hr_buf_str(&got), hr_buf_str(&want)) != 0) {
                fail_msg("%s: %s", clocks[i].name, hr_buf_str(&got));
            }
            hr_buf_finish(&m.b);
            hr_buf_finish(&offset.b);
            hr_buf_finish(&got);
            hr_buf_finish(&want);
        }
    }
}

/* Old and simple packet blocks are frames too; records of other kinds take a number, or none. */
static void all_kinds_of_blocks(void **state)
{
    (void)state;
    struct made m;
    struct hr_buf got;
    hr_buf_init(&got, SIZE_MAX);
    made_init(&m, false);
    made_section(&m);
    made_interface(&m, 1, 4);
    made_packet(&m, 0, 1000000, "one");
    size_t at = made_block(&m, 3); /* simple: cut at the snap length, no time */
    made_u32(&m, 6);
    made_text(&m, "simp", 4);
    made_block_end(&m, at);
    at = made_block(&m, 2); /* old, with options behind */
    made_u16(&m, 0);
    made_u16(&m, 5);
    made_u32(&m, 0);
    made_u32(&m, 2000000);
    made_u32(&m, 3);
    made_u32(&m, 9);
    made_text(&m, "old\0", 4);
    made_option(&m, 1, "comment", 7);
    made_block_end(&m, at);
    at = made_block(&m, 0x7777); /* unknown */
    made_text(&m, "abcd", 4);
    made_block_end(&m, at);
    at = made_block(&m, 4); /* names */
    made_u32(&m, 0);
    made_block_end(&m, at);
    at = made_block(&m, 0xbad); /* custom: Wireshark numbers it */
    made_u32(&m, 4711);
    made_block_end(&m, at);
    made_packet(&m, 0, 3000000, "five");
    made_read(&m, &got);
    assert_string_equal(hr_buf_str(&got), "1@1.000000000 3/3 L1 I0 one\n"
                                          "2@1.000000000 4/6 L1 I0 simp\n"
                                          "3@2.000000000 3/9 L1 I0 old\n"
                                          "5@3.000000000 4/4 L1 I0 five\n");
    hr_buf_finish(&m.b);
    hr_buf_finish(&got);
}

static void statistics(struct made *m, uint32_t interface, uint64_t by_if, uint64_t by_os)
{
    struct made count;
    made_init(&count, m->is_big);
    made_u64(&count, by_if);
    made_u64(&count, by_os);
    size_t at = made_block(m, 5);
    made_u32(m, interface);
    made_u64(m, 0);
    made_option(m, 4, "12345678", 8); /* received */
    made_option(m, 5, count.b.ptr, 8);
    made_option(m, 7, count.b.ptr + 8, 8);
    made_block_end(m, at);
    hr_buf_finish(&count.b);
}

/* Statistics hold totals: the last one of each interface counts, and interfaces add up. */
static void drops_are_counted(void **state)
{
    (void)state;
    struct made m;
    made_init(&m, true);
    made_section(&m);
    made_interface(&m, 1, 0);
    made_interface(&m, 1, 0);
    statistics(&m, 0, 1, 2);
    statistics(&m, 1, 10, 0);
    statistics(&m, 0, 3, 4);
    statistics(&m, 9, 1000, 1000); /* no such interface */
    char *path = made_save(&m);
    const char *const paths[] = {path};
    const struct packet_source_config config = {.paths = paths, .path_count = 1};
    struct packet_source *s;
    struct packet p;
    assert_int_equal(packet_source_open(&config, &s, NULL), 0);
    assert_int_equal(packet_source_next(s, &p), 0);
    assert_int_equal(packet_source_info(s, 0)->dropped_frames, 17);
    assert_true(packet_source_info(s, 0)->is_pcapng);
    assert_int_equal(packet_source_info(s, 0)->error, 0);
    packet_source_close(s);
    unlink(path);
    free(path);
    hr_buf_finish(&m.b);
}

static void frame_with_drops(struct made *m, uint32_t interface, uint64_t units, uint64_t drops)
{
    struct made count;
    made_init(&count, m->is_big);
    made_u64(&count, drops);
    size_t at = made_block(m, 6);
    made_u32(m, interface);
    made_u32(m, (uint32_t)(units >> 32));
    made_u32(m, (uint32_t)units);
    made_u32(m, 3);
    made_u32(m, 3);
    made_text(m, "abc\0", 4);
    made_option(m, 1, "a comment", 9);
    made_option(m, 4, count.b.ptr, 8);
    made_option(m, 0, "", 0);
    made_block_end(m, at);
    hr_buf_finish(&count.b);
}

static void old_frame_with_drops(struct made *m, uint16_t drops, uint32_t units)
{
    size_t at = made_block(m, 2);
    made_u16(m, 0);
    made_u16(m, drops);
    made_u32(m, 0);
    made_u32(m, units);
    made_u32(m, 3);
    made_u32(m, 3);
    made_text(m, "abc\0", 4);
    made_block_end(m, at);
}

/* @return its source, behind the last frame */
static struct packet_source *read_whole(const struct made *m)
{
    char *path = made_save(m);
    const char *const paths[] = {path};
    const struct packet_source_config config = {.paths = paths, .path_count = 1};
    struct packet_source *s;
    struct packet p;
    assert_int_equal(packet_source_open(&config, &s, NULL), 0);
    while (packet_source_next(s, &p)) {
    }
    unlink(path);
    free(path);
    return s;
}

/* Frames and statistics tell of the same drops; each is entered where it happened. */
static void drops_have_their_times(void **state)
{
    (void)state;
    for (int is_big = 0; is_big < 2; is_big++) {
        struct made m;
        made_init(&m, is_big);
        made_section(&m);
        made_interface(&m, 1, 0);
        made_interface(&m, 1, 0);
        frame_with_drops(&m, 0, 1000000, 0);
        frame_with_drops(&m, 1, 2000000, 5); /* before the first of its interface */
        frame_with_drops(&m, 0, 3000000, 7);
        statistics(&m, 0, 7, 2);             /* two more than frames told */
        frame_with_drops(&m, 0, 4000000, 2); /* these two */
        old_frame_with_drops(&m, 0xffff, 5000000);
        old_frame_with_drops(&m, 4, 6000000);
        struct packet_source *s = read_whole(&m);
        const struct capture_info *info = packet_source_info(s, 0);
        static const struct capture_drop want[] = {
            {HR_NSEC_INFINITE,    2 * HR_NSEC_PER_SEC, 5},
            {1 * HR_NSEC_PER_SEC, 3 * HR_NSEC_PER_SEC, 7},
            {1 * HR_NSEC_PER_SEC, 3 * HR_NSEC_PER_SEC, 2},
            {5 * HR_NSEC_PER_SEC, 6 * HR_NSEC_PER_SEC, 4},
        };
        assert_int_equal(info->error, 0);
        assert_int_equal(info->frames, 6);
        assert_int_equal(info->dropped_frames, 18);
        assert_int_equal(info->drop_count, HR_ARRAY_LEN(want));
        for (size_t i = 0; i < HR_ARRAY_LEN(want); i++) {
            assert_true(info->drops[i].from_at == want[i].from_at);
            assert_true(info->drops[i].to_at == want[i].to_at);
            assert_int_equal(info->drops[i].count, want[i].count);
        }
        packet_source_close(s);
        hr_buf_finish(&m.b);
    }
}

/* More of them than are kept apart: the last one stretches. */
static void many_drops_are_bounded(void **state)
{
    (void)state;
    struct made m;
    made_init(&m, false);
    made_section(&m);
    made_interface(&m, 1, 0);
    for (unsigned i = 0; i < 100; i++) {
        frame_with_drops(&m, 0, i * UINT64_C(1000000), 1);
    }
    struct packet_source *s = read_whole(&m);
    const struct capture_info *info = packet_source_info(s, 0);
    assert_int_equal(info->dropped_frames, 100);
    assert_int_equal(info->drop_count, CAPTURE_DROP_LIMIT);
    assert_int_equal(info->drops[CAPTURE_DROP_LIMIT - 1].count, 100 - CAPTURE_DROP_LIMIT + 1);
    assert_int_equal(info->drops[CAPTURE_DROP_LIMIT - 1].to_at, 99 * HR_NSEC_PER_SEC);
    packet_source_close(s);
    hr_buf_finish(&m.b);
}

/* One frame, then a block that cannot be: the text says which test it failed. */
static const struct {
    const char *want;
    uint32_t type;
    uint32_t words[8];
    size_t count;
    uint32_t stated; /* length at the beginning; 0: the true one */
} broken[] = {
    {"a block shorter than its own frame",         6,          {0},                         1, 8         },
    {"the lengths at both ends of a block differ", 6,          {0},                         1, 12        },
    {"a block of more than 16 MiB",                6,          {0},                         1, 0x7ffffff0},
    {"cut off in the middle of a block",           6,          {0},                         1, 4096      },
    {"cut off in the middle of a block",           0x7777,     {0},                         1, 0xfffffff0},
    {"a packet block that is too short",           6,          {0, 0, 0, 0},                4, 0         },
    {"a packet block that is too short",           2,          {0, 0, 0, 0},                4, 0         },
    {"a packet block that is too short",           3,          {0},                         0, 0         },
    {"a packet longer than its block",             6,          {0, 0, 0, 5, 5, 0},          6, 0         },
    {"a packet longer than its block",             6,          {0, 0, 0, 0xffffffff, 5, 0}, 6, 0         },
    {"an interface that was not described",        6,          {1, 0, 0, 4, 4, 0},          6, 0         },
    {"an interface description that is too short", 1,          {0},                         1, 0         },
    {"a section without a byte order",             0x0a0d0d0a, {0, 1, 0, 0},                4, 0         },
    {"a section header that is too short",         0x0a0d0d0a, {0x1a2b3c4d, 1},             2, 0         },
    {"pcapng version 9.0",                         0x0a0d0d0a, {0x1a2b3c4d, 9, 0, 0},       4, 0         },
};

static void broken_blocks_end_the_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(broken); i++) {
        struct made m;
        struct hr_buf got;
        hr_buf_init(&got, SIZE_MAX);
        made_init(&m, false);
        made_section(&m);
        made_interface(&m, 1, 0);
        made_packet(&m, 0, 1, "one");
        size_t at = made_block(&m, broken[i].type);
        for (size_t k = 0; k < broken[i].count; k++) {
            made_u32(&m, broken[i].words[k]);
        }
        made_block_end(&m, at);
        if (broken[i].stated != 0) {
            memcpy(m.b.ptr + at + 4, &broken[i].stated, 4); /* little endian machines only */
        }
        made_read(&m, &got);
        const char *text = hr_buf_str(&got);
        if (strncmp(text, "1@0.000001000 3/3 L1 I0 one\n!", 29) != 0 ||
            strstr(text, broken[i].want) == NULL) {
            fail_msg("%zu: '%s' is not '%s'", i, text, broken[i].want);
        }
        hr_buf_finish(&m.b);
        hr_buf_finish(&got);
    }
}

/* A block grows the buffer as far as it must; frames behind it are still right. */
static void large_blocks_pass(void **state)
{
    (void)state;
    struct made m;
    struct hr_buf got;
    hr_buf_init(&got, SIZE_MAX);
    made_init(&m, false);
    made_section(&m);
    made_interface(&m, 1, 0);
    for (unsigned i = 0; i < 3; i++) {
        size_t at = made_block(&m, i == 1 ? 0x7777 : 6);
        for (unsigned k = 0; k < 3; k++) {
            made_u32(&m, 0);
        }
        made_u32(&m, 5);
        made_u32(&m, 5);
        made_text(&m, "large\0\0\0", 8);
        for (unsigned k = 0; k < 300000; k++) { /* a comment of more than a megabyte, in pieces */
            made_option(&m, 1, "c", 1);
        }
        made_block_end(&m, at);
    }
    made_packet(&m, 0, 7000000, "behind");
    made_read(&m, &got);
    assert_string_equal(hr_buf_str(&got), "1@0.000000000 5/5 L1 I0 large\n"
                                          "2@0.000000000 5/5 L1 I0 large\n"
                                          "3@7.000000000 6/6 L1 I0 behind\n");
    hr_buf_finish(&m.b);
    hr_buf_finish(&got);
}

static void commented_section(struct made *m, const char *text)
{
    size_t at = made_block(m, 0x0a0d0d0a);
    made_u32(m, 0x1a2b3c4d);
    made_u16(m, 1);
    made_u16(m, 0);
    made_u64(m, UINT64_MAX);
    made_option(m, 1, text, strlen(text));
    made_block_end(m, at);
}

static void commented_interface(struct made *m, const char *text)
{
    size_t at = made_block(m, 1);
    made_u16(m, 1);
    made_u16(m, 0);
    made_u32(m, 0);
    made_option(m, 1, text, strlen(text));
    made_block_end(m, at);
}

static void commented_frame(struct made *m, uint32_t interface, const char *text)
{
    size_t at = made_block(m, 6);
    made_u32(m, interface);
    made_u64(m, 0);
    made_u32(m, 4);
    made_u32(m, 4);
    made_text(m, "abcd", 4);
    made_option(m, 1, text, strlen(text));
    made_option(m, 1, " ", 1);
    made_option(m, 0, "", 0);
    made_block_end(m, at);
}

/* @return what was left out */
static uint64_t read_comments(const struct made *m, char comments[CAPTURE_COMMENT_BYTES])
{
    struct packet_source *s = read_whole(m);
    const struct capture_info *info = packet_source_info(s, 0);
    uint64_t left_out = info->comments_left_out;
    assert_int_equal(info->error, 0);
    memcpy(comments, info->comments, CAPTURE_COMMENT_BYTES);
    packet_source_close(s);
    return left_out;
}

/* They are of one line each and safe to show. */
static void comments_are_kept(void **state)
{
    (void)state;
    for (int is_big = 0; is_big < 2; is_big++) {
        char got[CAPTURE_COMMENT_BYTES];
        struct made m;
        made_init(&m, is_big);
        commented_section(&m, "lab 7,\r\n\tsecond\n");
        made_interface(&m, 1, 0);
        commented_interface(&m, "the \x1b[31mred\xff \xe2\x80\xae side");
        made_packet(&m, 0, 1, "one");
        commented_frame(&m, 1, "here \xc3\xa4");
        commented_section(&m, "");
        assert_int_equal(read_comments(&m, got), 0);
        assert_string_equal(got, "section: lab 7, second; interface 1: the \\x1b[31mred\\xff "
                                 "\\xe2\\x80\\xae side; frame 2: here \xc3\xa4");
        hr_buf_finish(&m.b);
    }
}

/* More of them than there is room for are counted, a long one is cut between two characters. */
static void many_comments_are_bounded(void **state)
{
    (void)state;
    char got[CAPTURE_COMMENT_BYTES];
    char text[3001];
    struct made m;
    for (size_t i = 0; i < sizeof(text) - 1; i += 3) {
        memcpy(text + i, "\xe2\x82\xac", 3);
    }
    text[sizeof(text) - 1] = '\0';
    made_init(&m, false);
    made_section(&m);
    made_interface(&m, 1, 0);
    for (unsigned i = 0; i < 100; i++) {
        commented_frame(&m, 0, i == 0 ? text : "twenty bytes of text");
    }
    assert_int_equal(read_comments(&m, got), 100 - 20);
    assert_true(strlen(got) > CAPTURE_COMMENT_BYTES - 40);
    text[399] = '\0';
    assert_memory_equal(got, "frame 1: ", 9);
    assert_memory_equal(got + 9, text, 399);
    assert_memory_equal(got + 9 + 399, "...; frame 2: twenty", 20);
    hr_buf_finish(&m.b);
}

/* Whatever byte is changed, reading ends, and with an error it says one (the sanitizers watch). */
static void changed_bytes_do_no_harm(void **state)
{
    (void)state;
    struct made m;
    struct hr_buf got;
    hr_buf_init(&got, SIZE_MAX);
    made_init(&m, false);
    made_section(&m);
    made_interface(&m, 1, 0);
    statistics(&m, 0, 1, 2);
    made_packet(&m, 0, 1, "one");
    for (size_t i = 0; i < m.b.len; i++) {
        static const char values[] = {0, 1, 0x7f, (char)0xff};
        for (size_t k = 0; k < sizeof(values); k++) {
            char kept = m.b.ptr[i];
            m.b.ptr[i] = values[k];
            made_read(&m, &got);
            m.b.ptr[i] = kept;
        }
    }
    hr_buf_finish(&m.b);
    hr_buf_finish(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_follow_each_other), cmocka_unit_test(clocks_give_nanoseconds),
        cmocka_unit_test(all_kinds_of_blocks),        cmocka_unit_test(drops_are_counted),
        cmocka_unit_test(drops_have_their_times),     cmocka_unit_test(many_drops_are_bounded),
        cmocka_unit_test(broken_blocks_end_the_file), cmocka_unit_test(large_blocks_pass),
        cmocka_unit_test(comments_are_kept),          cmocka_unit_test(many_comments_are_bounded),
        cmocka_unit_test(changed_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
