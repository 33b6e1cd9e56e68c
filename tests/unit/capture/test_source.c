/* Formats, wrappings, merging and filters, as they come out of packet_source_next(). */
#include "base/alloc.h"
#include "files.h"
#include "support/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define USEC 0xa1b2c3d4u
#define NSEC 0xa1b23c4du

static void three_frames(struct made *m, bool is_pcapng, bool is_big, bool has_nsec)
{
    made_init(m, is_big);
    uint32_t unit = has_nsec ? 1000 : 1;
    if (!is_pcapng) {
        made_pcap_header(m, has_nsec ? NSEC : USEC, 65535, 1);
        made_pcap_frame(m, 1, 500 * unit, "one");
        made_pcap_frame(m, 2, 600 * unit, "");
        made_pcap_frame(m, 4000000000u, 999999 * unit, "three");
        return;
    }
    made_section(m);
    size_t at = made_block(m, 1);
    made_u16(m, 1);
    made_u16(m, 0);
    made_u32(m, 0);
    if (has_nsec) {
        made_option(m, 9, "\x09", 1);
    }
    made_block_end(m, at);
    made_packet(m, 0, (uint64_t)1000500 * unit, "one");
    made_packet(m, 0, (uint64_t)2000600 * unit, "");
    made_packet(m, 0, (uint64_t)4000000000999999 * unit, "three");
}

static const char three_as_text[] = "1@1.000500000 3/3 L1 I0 one\n"
                                    "2@2.000600000 0/0 L1 I0 \n"
                                    "3@4000000000.999999000 5/5 L1 I0 three\n";

/* Eight ways to write the three frames, each in four packings: as it is, gzip, zstd, lz4. */
#define WAYS 32u
static bool make_way(struct made *m, unsigned way)
{
    enum packing packing = (enum packing)(way / 8);
    three_frames(m, way & 1, way & 2, way & 4);
    if (packing != PACKING_NONE && packing_is_known(packing)) {
        made_pack(m, packing);
    }
    return packing_is_known(packing);
}

/* Format, byte order, resolution and packing change nothing about the frames. */
static void frames_are_independent_of_the_format(void **state)
{
    (void)state;
    struct hr_buf got;
    hr_buf_init(&got, SIZE_MAX);
    for (unsigned way = 0; way < WAYS; way++) {
        struct made m;
        bool known = make_way(&m, way);
        made_read(&m, &got);
        if (known && strcmp(hr_buf_str(&got), three_as_text) != 0) {
            fail_msg("way %u:\n%s", way, hr_buf_str(&got));
        }
        hr_buf_finish(&m.b);
    }
    hr_buf_finish(&got);
}

/* The same through a pipe on standard input, in pieces. */
static void standard_input_is_a_file_like_others(void **state)
{
    (void)state;
    const int saved = dup(STDIN_FILENO);
    struct hr_buf got;
    hr_buf_init(&got, SIZE_MAX);
    for (unsigned way = 0; way < WAYS; way++) {
        struct made m;
        make_way(&m, way);
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], m.b.ptr, m.b.len), (ssize_t)m.b.len);
        close(ends[1]);
        assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
        close(ends[0]);
        const char *const paths[] = {"-"};
        hr_buf_clear(&got);
        read_as_text(paths, 1, NULL, &got);
        assert_string_equal(hr_buf_str(&got), three_as_text);
        hr_buf_finish(&m.b);
    }
    dup2(saved, STDIN_FILENO);
    close(saved);
    hr_buf_finish(&got);
}

/* @return how many lines of want the text has before it ends or says an error; fails on others */
static unsigned frames_before(const char *got, const char *want, const char **ret_error)
{
    size_t len = strcspn(got, "!");
    assert_true(strncmp(got, want, len) == 0);
    unsigned lines = 0;
    for (size_t i = 0; i < len; i++) {
        lines += got[i] == '\n';
    }
    *ret_error = got + len;
    return lines;
}

/* A file cut at any byte gives every frame before the cut, and says that it is cut. */
static void what_came_before_a_cut_counts(void **state)
{
    (void)state;
    struct hr_buf got;
    hr_buf_init(&got, SIZE_MAX);
    for (unsigned way = 0; way < 4; way++) {
        struct made m;
        three_frames(&m, way & 1, way & 2, true);
        /* where whole frames end: header, then three */
        const size_t pcap_ends[] = {24, 43, 59, 80};
        const size_t pcapng_ends[] = {28 + 28, 56 + 36, 92 + 32, 124 + 40};
        const size_t *ends = way & 1 ? pcapng_ends : pcap_ends;
        assert_int_equal(m.b.len, ends[3]);
        for (size_t cut = 1; cut < ends[3]; cut++) {
            struct made part;
            made_init(&part, false);
            made_text(&part, m.b.ptr, cut);
            made_read(&part, &got);
            const char *error;
            unsigned frames = frames_before(hr_buf_str(&got), three_as_text, &error);
            unsigned want = cut >= ends[2] ? 2 : cut >= ends[1];
            assert_int_equal(frames, want);
            bool at_frame_end =
                cut == ends[0] || cut == ends[1] || cut == ends[2] || ((way & 1) != 0 && cut == 28);
            if ((*error == '\0') != at_frame_end) {
                fail_msg("way %u cut at %zu: '%s'", way, cut, error);
            }
            size_t magic = way & 1 ? 12 : 4;
            if (*error != '\0') {
                assert_int_equal(strncmp(error, "!cut off", 8) == 0, cut >= magic);
                assert_int_equal(strncmp(error, "!not a capture", 14) == 0, cut < magic);
            }
            hr_buf_finish(&part.b);
        }
        hr_buf_finish(&m.b);
    }
    hr_buf_finish(&got);
}

static const enum packing packings[] = {PACKING_GZIP, PACKING_ZSTD, PACKING_LZ4};

static void expect_error(const struct made *m, unsigned frames_at_least, enum packing packing,
                         const char *what)
{
    struct hr_buf got;
    struct hr_buf want;
    const char *error;
    hr_buf_init(&got, SIZE_MAX);
    hr_buf_init(&want, SIZE_MAX);
    made_read(m, &got);
    assert_true(frames_before(hr_buf_str(&got), three_as_text, &error) >= frames_at_least);
    hr_buf_appendf(&want, "!the %s data is %s at byte", packing_name(packing), what);
    if (strncmp(error, hr_buf_str(&want), want.len) != 0) {
        fail_msg("%s, but: '%s'", hr_buf_str(&want), error);
    }
    hr_buf_finish(&want);
    hr_buf_finish(&got);
}

/* A packed file cut at any byte, or with its check sum changed, gives only true frames before it
 * fails. */
static void broken_packings_are_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(packings); i++) {
        struct made m;
        if (!packing_is_known(packings[i])) {
            continue;
        }
        three_frames(&m, false, false, true);
        made_pack(&m, packings[i]);
        for (size_t cut = 4; cut < m.b.len; cut++) {
            struct made part;
            made_init(&part, false);
            made_text(&part, m.b.ptr, cut);
            expect_error(&part, 0, packings[i], "cut off");
            hr_buf_finish(&part.b);
        }
        m.b.ptr[m.b.len - (packings[i] == PACKING_GZIP ? 6 : 2)] ^= 1;
        expect_error(&m, packings[i] == PACKING_ZSTD ? 0 : 3, packings[i], "corrupt");
        hr_buf_finish(&m.b);
    }
}

/* The three frames, packed in members of 50 bytes each. */
static void make_members(struct made *m, enum packing packing)
{
    struct made whole;
    three_frames(&whole, true, false, false);
    made_init(m, false);
    for (size_t at = 0; at < whole.b.len; at += 50) {
        struct made part;
        made_init(&part, false);
        made_text(&part, whole.b.ptr + at, whole.b.len - at < 50 ? whole.b.len - at : 50);
        made_pack(&part, packing);
        made_text(m, part.b.ptr, part.b.len);
        hr_buf_finish(&part.b);
    }
    hr_buf_finish(&whole.b);
}

/* Members of a packed file are one stream; padding behind the last is no part of it. A member that
 * is broken leaves those before it whole. */
static void members_join(void **state)
{
    (void)state;
    struct hr_buf got;
    hr_buf_init(&got, SIZE_MAX);
    for (size_t i = 0; i < HR_ARRAY_LEN(packings); i++) {
        struct made m;
        if (!packing_is_known(packings[i])) {
            continue;
        }
        make_members(&m, packings[i]);
        made_text(&m, "\0\0\0\0", 4);
        made_read(&m, &got);
        assert_string_equal(hr_buf_str(&got), three_as_text);
        hr_buf_finish(&m.b);
        if (packings[i] == PACKING_GZIP) {
            continue;
        }
        make_members(&m, packings[i]);
        made_text(&m, "garbage", 7); /* no padding: something was there */
        expect_error(&m, 3, packings[i], "corrupt");
        hr_buf_finish(&m.b);
    }
    hr_buf_finish(&got);
}

/* Frames that are to be skipped, as pzstd puts one first, are no part of the data. */
static void frames_to_skip_are_skipped(void **state)
{
    (void)state;
    struct hr_buf got;
    hr_buf_init(&got, SIZE_MAX);
    for (size_t i = 1; i < HR_ARRAY_LEN(packings); i++) {
        struct made m;
        struct made packed;
        if (!packing_is_known(packings[i])) {
            continue;
        }
        three_frames(&packed, false, false, false);
        made_pack(&packed, packings[i]);
        made_init(&m, false);
        made_text(&m, "\x50\x2a\x4d\x18\4\0\0\0skip", 12);
        made_text(&m, packed.b.ptr, packed.b.len);
        made_text(&m, "\x5f\x2a\x4d\x18\1\0\0\0s", 9);
        made_read(&m, &got);
        assert_string_equal(hr_buf_str(&got), three_as_text);
        hr_buf_finish(&packed.b);
        hr_buf_finish(&m.b);
    }
    hr_buf_finish(&got);
}

/* Ten blocks of 128 KiB, the last of them broken: the frames in those before it are there. */
static void blocks_before_a_broken_one_count(void **state)
{
    (void)state;
    enum { FRAMES = 1280, FRAME_BYTES = 1008 };
    char text[FRAME_BYTES + 1];
    uint32_t x = 1;
    for (size_t i = 1; i < HR_ARRAY_LEN(packings); i++) {
        struct made m;
        struct hr_buf got;
        if (!packing_is_known(packings[i])) {
            continue;
        }
        made_init(&m, false);
        made_pcap_header(&m, USEC, 65535, 1);
        for (int f = 0; f < FRAMES; f++) {
            for (int k = 0; k < FRAME_BYTES; k++) {
                x = x * 1664525u + 1013904223u;
                text[k] = (char)('a' + (x >> 24) % 26);
            }
            text[FRAME_BYTES] = '\0';
            made_pcap_frame(&m, 1, 0, text);
        }
        made_pack(&m, packings[i]);
        hr_buf_init(&got, SIZE_MAX);
        m.b.len -= 1000;
        made_read(&m, &got);
        size_t lines = 0;
        for (size_t k = 0; k < got.len; k++) {
            lines += got.ptr[k] == '\n';
        }
        assert_true(lines > FRAMES * 8 / 10);
        assert_non_null(strstr(hr_buf_str(&got), "data is cut off at byte"));
        hr_buf_finish(&got);
        hr_buf_finish(&m.b);
    }
}

/* What is no capture file is named, with what to do about it. */
static void foreign_files_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *want;
    } files[] = {
        {"",                                  0,  "!is empty: there is nothing in it to read\n"                                   },
        {"x",                                 1,  "!not a capture file (pcap or pcapng, plain or packed with gzip, zstd or lz4)\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27,
         "!not a capture file (pcap or pcapng, plain or packed with gzip, zstd or lz4)\n"                                         },
        {"\n\r\r\n\x1c\0\0\0abcd",            12,
         "!not a capture file (pcap or pcapng, plain or packed with gzip, zstd or lz4)\n"                                         },
        {"\x02\x21\x4c\x18....",              8,  "!packed with lz4 of old: unpack it first (unlz4)\n"                            },
        {"\xd4\xc3\xb2\xa1",                  4,  "!cut off inside the pcap file header at byte 4\n"                              },
    };
    struct hr_buf got;
    hr_buf_init(&got, SIZE_MAX);
    for (size_t i = 0; i < HR_ARRAY_LEN(files); i++) {
        struct made m;
        made_init(&m, false);
        made_text(&m, files[i].bytes, files[i].len);
        made_read(&m, &got);
        assert_string_equal(hr_buf_str(&got), files[i].want);
        hr_buf_finish(&m.b);
    }
    struct made m;
    made_init(&m, false);
    made_pack(&m, PACKING_GZIP);
    made_read(&m, &got);
    assert_string_equal(hr_buf_str(&got),
                        "!is empty once unpacked: there is nothing in it to read\n");
    hr_buf_finish(&m.b);
    const char *const paths[] = {"/nonexistent/a.pcap", "/", "-", "-"};
    int saved = dup(STDIN_FILENO);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, STDIN_FILENO);
    hr_buf_clear(&got);
    read_as_text(paths, 4, NULL, &got);
    assert_string_equal(hr_buf_str(&got), "!No such file or directory\n"
                                          "!is a folder, not a capture file\n"
                                          "!is empty: there is nothing in it to read\n"
                                          "!standard input can be given only once\n");
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(null);
    hr_buf_finish(&got);
}

/* Odd pcap files: what Wireshark reads is read alike, what is corrupt ends the file. */
static void odd_pcap_files(void **state)
{
    (void)state;
    struct hr_buf got;
    hr_buf_init(&got, SIZE_MAX);
    struct made m;
    made_init(&m, true);
    made_pcap_header(&m, USEC, 2, 0x30000001); /* the snap length lies, upper bits are set */
    m.b.ptr[7] = 5;                            /* version 2.5 */
    made_pcap_frame(&m, 1, 0, "longer than it says");
    made_u32(&m, 2);
    made_u32(&m, 5000000); /* five seconds in microseconds */
    made_u32(&m, 3);
    made_u32(&m, 2); /* more captured than was on the wire */
    made_text(&m, "abc", 3);
    made_u32(&m, 3);
    made_u32(&m, 0);
    made_u32(&m, 262145);
    made_u32(&m, 262145);
    made_text(&m, "abc", 3);
    made_read(&m, &got);
    assert_string_equal(hr_buf_str(&got),
                        "1@1.000000000 19/19 L1 I0 longer than it says\n"
                        "2@7.000000000 3/3 L1 I0 abc\n"
                        "!corrupt at frame 3, byte 78 (a frame of 262145 bytes; 262144 are "
                        "the most)\n");
    hr_buf_clear(&m.b);
    m.is_big = false;
    made_pcap_header(&m, 0xa1b2cd34, 65535, 1); /* 24 bytes before each frame */
    made_u32(&m, 1);
    made_u32(&m, 2);
    made_u32(&m, 3);
    made_u32(&m, 60);
    made_u64(&m, 0);
    made_text(&m, "abc", 3);
    made_text(&m, "cut", 3);
    made_read(&m, &got);
    assert_string_equal(hr_buf_str(&got), "1@1.000002000 3/60 L1 I0 abc\n"
                                          "!cut off in the middle of frame 2 at byte 54\n");
    hr_buf_finish(&m.b);
    hr_buf_finish(&got);
}

/* Frames whose times are given, of one file. */
static char *save_times(const char *name, const uint32_t *times, size_t count)
{
    struct made m;
    made_init(&m, false);
    made_pcap_header(&m, USEC, 65535, 1);
    for (size_t i = 0; i < count; i++) {
        made_pcap_frame(&m, times[i], 0, name);
    }
    char *path = made_save(&m);
    hr_buf_finish(&m.b);
    return path;
}

static void make_frames(struct made *m, bool is_pcapng, uint32_t count)
{
    if (is_pcapng) {
        made_section(m);
        made_interface(m, 1, 65535);
    } else {
        made_pcap_header(m, USEC, 65535, 1);
    }
    for (uint32_t i = 0; i < count; i++) {
        const char text[] = {(char)('A' + i), i % 2 == 0 ? 'x' : '\0', '\0'};
        if (is_pcapng) {
            made_block_end(m, made_block(m, 5)); /* statistics: no frame */
            made_packet(m, 0, 1, text);
        } else {
            made_pcap_frame(m, 1, 0, text);
        }
    }
}

/* The frame that so many others stand before, as long as there is one. */
static void frames_to_come_are_shown(void **state)
{
    (void)state;
    enum { COUNT = 3 * CAPTURE_AHEAD_FRAMES };
    for (unsigned format = 0; format < 2; format++) {
        struct made m;
        made_init(&m, false);
        make_frames(&m, format == 1, COUNT);
        char *path = made_save(&m);
        const struct packet_source_config config = {.paths = (const char *const *)&path,
                                                    .path_count = 1};
        struct packet_source *s;
        struct packet p;
        struct hr_buf error;
        hr_buf_init(&error, 100);
        assert_int_equal(packet_source_open(&config, &s, &error), 0);
        packet_source_look_ahead(s, true);
        for (uint32_t i = 0; i < COUNT; i++) {
            assert_int_equal(packet_source_next(s, &p), 1);
            assert_int_equal(p.data[0], 'A' + i);
            if (i + CAPTURE_AHEAD_FRAMES < COUNT) {
                assert_int_equal(p.ahead.len, i % 2 == 0 ? 2 : 1);
                assert_int_equal(p.ahead.ptr[0], 'A' + i + CAPTURE_AHEAD_FRAMES);
            } else {
                assert_null(p.ahead.ptr);
            }
        }
        assert_int_equal(packet_source_next(s, &p), 0);
        packet_source_close(s);
        hr_buf_finish(&error);
        hr_buf_finish(&m.b);
        unlink(path);
        free(path);
    }
}

/* Versions that have the lengths the other way round, and those that nobody knows. */
static void versions_of_pcap(void **state)
{
    (void)state;
    static const struct {
        uint16_t major, minor;
        uint32_t lengths[2];
        const char *want;
    } versions[] = {
        {2,   4, {1, 3}, "1@1.000000000 1/3 L1 I0 a\n"                       },
        {2,   3, {1, 3}, "1@1.000000000 1/3 L1 I0 a\n"                       },
        {2,   3, {3, 1}, "1@1.000000000 1/3 L1 I0 a\n"                       },
        {2,   2, {3, 1}, "1@1.000000000 1/3 L1 I0 a\n"                       },
        {543, 0, {3, 1}, "1@1.000000000 1/3 L1 I0 a\n"                       },
        {543, 1, {3, 1}, "!not a pcap file that can be read: version 543.1\n"},
        {1,   2, {1, 1}, "!not a pcap file that can be read: version 1.2\n"  },
        {3,   0, {1, 1}, "!not a pcap file that can be read: version 3.0\n"  },
    };
    struct hr_buf got;
    hr_buf_init(&got, SIZE_MAX);
    for (size_t i = 0; i < HR_ARRAY_LEN(versions); i++) {
        struct made m;
        made_init(&m, false);
        made_pcap_header(&m, USEC, 65535, 1);
        memcpy(m.b.ptr + 4, &versions[i].major, 2);
        memcpy(m.b.ptr + 6, &versions[i].minor, 2);
        made_u32(&m, 1);
        made_u32(&m, 0);
        made_u32(&m, versions[i].lengths[0]);
        made_u32(&m, versions[i].lengths[1]);
        made_text(&m, "a", 1);
        hr_buf_clear(&got);
        made_read(&m, &got);
        assert_string_equal(hr_buf_str(&got), versions[i].want);
        hr_buf_finish(&m.b);
    }
    hr_buf_finish(&got);
}

/* Merged by time; equal times in the order given; inside a file its own order; errors aside. */
static void files_are_merged_by_time(void **state)
{
    (void)state;
    char *a = save_times("a", (const uint32_t[]){1, 3, 3, 9}, 4);
    char *b = save_times("b", (const uint32_t[]){3, 5, 2, 6}, 4);
    const char *const paths[] = {a, "/nonexistent/c.pcap", b};
    struct hr_buf got;
    hr_buf_init(&got, SIZE_MAX);
    read_as_text(paths, 3, NULL, &got);
    assert_string_equal(hr_buf_str(&got), "0:1@1.000000000 1/1 L1 I0 a\n"
                                          "0:2@3.000000000 1/1 L1 I0 a\n"
                                          "0:3@3.000000000 1/1 L1 I0 a\n"
                                          "2:1@3.000000000 1/1 L1 I0 b\n"
                                          "2:2@5.000000000 1/1 L1 I0 b\n"
                                          "2:3@2.000000000 1/1 L1 I0 b\n"
                                          "2:4@6.000000000 1/1 L1 I0 b\n"
                                          "0:4@9.000000000 1/1 L1 I0 a\n"
                                          "!No such file or directory\n");
    hr_buf_finish(&got);
    unlink(a);
    unlink(b);
    free(a);
    free(b);
}

/* So many files that most are closed until their time comes: the same order, all frames once. */
static void many_files_are_merged_alike(void **state)
{
    (void)state;
    enum { COUNT = 40 };
    char *paths[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t start =
            (COUNT - i) * 10; /* the last one comes first; each reaches into the next */
        paths[i] = save_times("x", (const uint32_t[]){start, start + 1, start + 12}, 3);
    }
    const struct packet_source_config config = {.paths = (const char *const *)paths,
                                                .path_count = COUNT};
    struct packet_source *s;
    struct hr_buf error;
    hr_buf_init(&error, 100);
    assert_int_equal(packet_source_open(&config, &s, &error), 0);
    struct packet p;
    hr_nsec before = 0;
    unsigned frames = 0;
    while (packet_source_next(s, &p)) {
        assert_true(p.at >= before);
        before = p.at;
        frames++;
    }
    assert_int_equal(frames, 3 * COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const struct capture_info *info = packet_source_info(s, i);
        assert_int_equal(info->frames, 3);
        assert_int_equal(info->error, 0);
        assert_int_equal(info->read_bytes, info->size_bytes);
        assert_int_equal(info->last_at - info->first_at, 12 * HR_NSEC_PER_SEC);
        unlink(paths[i]);
        free(paths[i]);
    }
    packet_source_close(s);
    hr_buf_finish(&error);
}

/* More files at once than a process may usually open. */
static void many_files_overlap(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    char *paths[COUNT];
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    if (before.rlim_max < 2 * COUNT) {
        skip();
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        paths[i] = save_times("x", (const uint32_t[]){i + 1, 1000 + i, 2000 - i}, 3);
    }
    const struct rlimit few = {32, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    const struct packet_source_config config = {.paths = (const char *const *)paths,
                                                .path_count = COUNT};
    struct packet_source *s;
    struct packet p;
    hr_nsec last = 0;
    unsigned frames = 0;
    assert_int_equal(packet_source_open(&config, &s, NULL), 0);
    while (packet_source_next(s, &p)) {
        assert_true(p.at >= last);
        last = p.at;
        frames++;
    }
    assert_int_equal(frames, 3 * COUNT);
    packet_source_close(s);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        unlink(paths[i]);
        free(paths[i]);
    }
}

/* Some MiB of frames, some longer than what fits before a block that was read ahead. */
static void make_much(struct made *m)
{
    enum { FRAMES = 4000, LONGEST = 262144 };
    char *text = malloc(LONGEST + 1);
    uint32_t random = 1;
    assert_non_null(text);
    made_init(m, false);
    made_pcap_header(m, USEC, LONGEST, 1);
    for (uint32_t i = 0; i < FRAMES; i++) {
        const uint32_t len = i % 500 == 499 ? LONGEST - (i / 500) * 20000 : i * 7919 % 3000;
        for (uint32_t k = 0; k < len; k++) {
            random = random * 1664525 + 1013904223;
            text[k] = (char)('0' + (random >> 26));
        }
        text[len] = '\0';
        made_pcap_frame(m, i, 0, text);
    }
    free(text);
}

static size_t thread_count(void)
{
    size_t count = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (const struct dirent *t = readdir(tasks); t != NULL; t = readdir(tasks)) {
        count += t->d_name[0] != '.';
    }
    closedir(tasks);
    return count;
}

/* A digest of each frame, and what was said of the file. @return the most threads there were */
static size_t read_much(const char *path, bool read_ahead, struct hr_buf *out)
{
    const struct packet_source_config config = {
        .paths = &path, .path_count = 1, .read_ahead = read_ahead};
    struct packet_source *s;
    struct packet p;
    size_t threads = 0;
    hr_buf_clear(out);
    assert_int_equal(packet_source_open(&config, &s, out), 0);
    while (packet_source_next(s, &p)) {
        const struct hr_digest d = hr_digest_plain(hr_span_of(p.data, p.captured_bytes));
        hr_buf_append(out, hr_span_of(d.bytes, sizeof(d.bytes)));
        const size_t now = p.frame % 500 == 0 ? thread_count() : 0;
        threads = now > threads ? now : threads;
    }
    const struct capture_info *info = packet_source_info(s, 0);
    hr_buf_appendf(out, "%" PRIu64 " %" PRIu64 " %s", info->read_bytes, info->frames,
                   info->error_text);
    packet_source_close(s);
    return threads;
}

/* A thread that reads ahead changes nothing: whole files, cut ones, wrong ones, packed or not. */
static void what_is_read_ahead_is_the_same(void **state)
{
    (void)state;
    struct made m;
    struct hr_buf here;
    struct hr_buf ahead;
    hr_buf_init(&here, SIZE_MAX);
    hr_buf_init(&ahead, SIZE_MAX);
    for (unsigned way = 0; way < 8; way++) {
        make_much(&m);
        if (way % 4 == 1) {
            memset(m.b.ptr + m.b.len - 100000, 0xff, 100000);
        }
        if (way >= 4) {
            made_pack(&m, PACKING_GZIP);
        }
        if (way % 4 == 2) {
            m.b.len -= 10;
        } else if (way % 4 == 3) {
            memset(m.b.ptr + m.b.len - 100000, 0xff, 90000);
        }
        char *path = made_save(&m);
        const size_t threads = read_much(path, false, &here);
        assert_true(read_much(path, true, &ahead) > threads);
        assert_true(hr_span_equal(hr_buf_span(&here), hr_buf_span(&ahead)));
        unlink(path);
        free(path);
        hr_buf_finish(&m.b);
    }
    hr_buf_finish(&here);
    hr_buf_finish(&ahead);
}

/* The account of a file: sizes, times, the largest step back, frames that were cut. */
static void info_tells_of_the_file(void **state)
{
    (void)state;
    struct made m;
    made_init(&m, false);
    made_pcap_header(&m, NSEC, 65535, 113);
    made_pcap_frame(&m, 10, 500, "abcdef");
    made_pcap_frame(&m, 10, 900, "abc");
    made_pcap_frame(&m, 10, 600, "abc");
    made_pcap_frame(&m, 10, 700, "abc");
    m.b.ptr[m.b.len - 7] = 99; /* wire length of the last */
    char *path = made_save(&m);
    const char *const paths[] = {path};
    const struct packet_source_config config = {.paths = paths, .path_count = 1};
    struct packet_source *s;
    struct packet p;
    assert_int_equal(packet_source_open(&config, &s, NULL), 0);
    const struct capture_info *info = packet_source_info(s, 0);
    assert_true(info->first_at == HR_NSEC_INFINITE);
    assert_int_equal(info->link_type, 113);
    assert_string_equal(info->link_name, "LINUX_SLL");
    while (packet_source_next(s, &p)) {
    }
    assert_int_equal(info->frames, 4);
    assert_int_equal(info->frame_bytes, 15);
    assert_int_equal(info->cut_frames, 1);
    assert_int_equal(info->first_at, 10 * HR_NSEC_PER_SEC + 500);
    assert_int_equal(info->last_at, 10 * HR_NSEC_PER_SEC + 900);
    assert_int_equal(info->largest_step_back, 300);
    assert_int_equal(info->size_bytes, m.b.len);
    assert_int_equal(info->read_bytes, m.b.len);
    assert_true(info->has_nanoseconds && !info->is_pcapng && info->packing == PACKING_NONE);
    packet_source_close(s);
    unlink(path);
    free(path);
    hr_buf_finish(&m.b);
}

/* A caller that can do nothing with a file ends it; the others go on. */
static void rejected_files_give_no_more(void **state)
{
    (void)state;
    char *a = save_times("a", (const uint32_t[]){1, 3}, 2);
    char *b = save_times("b", (const uint32_t[]){2, 4}, 2);
    const char *const paths[] = {a, b};
    const struct packet_source_config config = {.paths = paths, .path_count = 2};
    struct packet_source *s;
    struct packet p;
    assert_int_equal(packet_source_open(&config, &s, NULL), 0);
    assert_int_equal(packet_source_next(s, &p), 1);
    packet_source_reject(s, p.capture, -95, "unknown link type 1");
    packet_source_reject(s, p.capture, -1, "again");
    assert_int_equal(packet_source_next(s, &p), 1);
    assert_int_equal(p.capture, 1);
    assert_int_equal(packet_source_next(s, &p), 1);
    assert_int_equal(p.capture, 1);
    assert_int_equal(packet_source_next(s, &p), 0);
    assert_int_equal(packet_source_next(s, &p), 0);
    assert_int_equal(packet_source_info(s, 0)->error, -95);
    assert_string_equal(packet_source_info(s, 0)->error_text, "unknown link type 1");
    packet_source_close(s);
    unlink(a);
    unlink(b);
    free(a);
    free(b);
}

/* A filter marks frames, for each link type anew; one that is wrong is said even without a file. */
static void filters_mark_frames(void **state)
{
    (void)state;
    static const char arp[] = "abcdefABCDEF\x08\x06xxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    struct made m;
    struct hr_buf got;
    hr_buf_init(&got, SIZE_MAX);
    made_init(&m, false);
    made_section(&m);
    made_interface(&m, 1, 0);
    made_interface(&m, 113, 0);
    made_interface(&m, 195, 0);
    made_packet(&m, 0, 0, arp);
    made_packet(&m, 1, 0, arp);
    made_packet(&m, 0, 0, "short");
    char *path = made_save(&m);
    const char *const paths[] = {path};
    read_as_text(paths, 1, "ether proto 0x806", &got);
    assert_null(strchr(hr_buf_str(&got), '!'));
    assert_non_null(strstr(hr_buf_str(&got), "2@0.000000000 42/42 L113 I1 "));
    assert_non_null(strstr(hr_buf_str(&got), "xx\n2@"));
    assert_non_null(strstr(hr_buf_str(&got), "xx (not selected)\n3@"));
    assert_non_null(strstr(hr_buf_str(&got), "short (not selected)\n"));
    hr_buf_clear(&got);
    read_as_text(paths, 1, "inbound", &got); /* means nothing on Ethernet */
    assert_non_null(
        strstr(hr_buf_str(&got), "!the filter cannot be used on frame 1, which is EN10MB"));
    struct packet_source *s = NULL;
    const struct packet_source_config wrong = {
        .paths = (const char *const[]){"/nonexistent/a"}, .path_count = 1, .filter = "tcp prot 80"};
    hr_buf_clear(&got);
    assert_int_equal(packet_source_open(&wrong, &s, &got), -22);
    assert_null(s);
    assert_non_null(strstr(hr_buf_str(&got), "the filter 'tcp prot 80' does not compile"));
    unlink(path);
    free(path);
    hr_buf_finish(&m.b);
    hr_buf_finish(&got);
}

/* A folder stands for the captures in it, told by their content, in the order of their names. */
static void folders_stand_for_their_captures(void **state)
{
    (void)state;
    char folder[] = "/tmp/headrace-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    static const char *const names[] = {"b.txt", "a", "c.pcap", "d.pcap"};
    char from[64];
    char to[4][64];
    for (size_t i = 0; i < HR_ARRAY_LEN(names); i++) {
        struct made m;
        three_frames(&m, i == 1, false, false);
        if (i == 0) {
            made_pack(&m, PACKING_GZIP);
        } else if (i == 2) {
            hr_buf_clear(&m.b);
            made_text(&m, "text", 4);
        }
        char *path = made_save(&m);
        snprintf(to[i], sizeof(to[i]), "%s/%s", folder, names[i]);
        assert_int_equal(rename(path, to[i]), 0);
        free(path);
        hr_buf_finish(&m.b);
    }
    snprintf(from, sizeof(from), "%s/sub", folder);
    mkdir(from, 0700);
    const char *const given[] = {"-", folder, to[2], "/nonexistent/e"};
    const char *const want[] = {"-", to[1], to[0], to[3], to[2], "/nonexistent/e"};
    char **paths;
    size_t count;
    assert_int_equal(packet_paths_expand(given, 4, &paths, &count), 0);
    assert_int_equal(count, HR_ARRAY_LEN(want));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(paths[i], want[i]);
    }
    packet_paths_free(paths, count);
    rmdir(from);
    for (size_t i = 0; i < HR_ARRAY_LEN(names); i++) {
        unlink(to[i]);
    }
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_independent_of_the_format),
        cmocka_unit_test(standard_input_is_a_file_like_others),
        cmocka_unit_test(what_came_before_a_cut_counts),
        cmocka_unit_test(broken_packings_are_said),
        cmocka_unit_test(members_join),
        cmocka_unit_test(frames_to_skip_are_skipped),
        cmocka_unit_test(blocks_before_a_broken_one_count),
        cmocka_unit_test(foreign_files_are_named),
        cmocka_unit_test(odd_pcap_files),
        cmocka_unit_test(frames_to_come_are_shown),
        cmocka_unit_test(versions_of_pcap),
        cmocka_unit_test(files_are_merged_by_time),
        cmocka_unit_test(many_files_are_merged_alike),
        cmocka_unit_test(many_files_overlap),
        cmocka_unit_test(what_is_read_ahead_is_the_same),
        cmocka_unit_test(info_tells_of_the_file),
        cmocka_unit_test(rejected_files_give_no_more),
        cmocka_unit_test(filters_mark_frames),
        cmocka_unit_test(folders_stand_for_their_captures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
