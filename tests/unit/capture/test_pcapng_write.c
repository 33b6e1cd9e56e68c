/* What is written is read back as it was: interfaces, clocks, lengths. */
#include "base/alloc.h"
#include "capture/pcapng_write.h"
#include "files.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

static struct packet frame_of(const char *text, hr_nsec at, uint32_t wire_bytes)
{
    return (struct packet){
        .at = at,
        .data = (const uint8_t *)text,
        .captured_bytes = (uint32_t)strlen(text),
        .wire_bytes = wire_bytes,
    };
}

static void frames_come_back(void **state)
{
    (void)state;
    static const struct pcapng_interface interfaces[] = {
        {.link_type = 1,       .snap_bytes = 96, .resolution = 6,   .description = "one"},
        {.link_type = 113,     .snap_bytes = 0,  .resolution = 9  },
        {.link_type = 276, .snap_bytes = 65535,  .resolution = 0, .description = ""                    },
    };
    struct made m;
    struct hr_buf got;
    struct packet frames[] = {
        frame_of("four", 1000001000, 4),
        frame_of("cut", 2000000001, 1500),
        frame_of("a", 3999999999, 1), /* its clock knows seconds only */
        frame_of("", 4000000000, 0),
    };
    made_init(&m, false);
    hr_buf_init(&got, SIZE_MAX);
    pcapng_write_section(&m.b, "a test", "where it is from");
    for (size_t i = 0; i < HR_ARRAY_LEN(interfaces); i++) {
        pcapng_write_interface(&m.b, &interfaces[i]);
    }
    pcapng_write_packet(&m.b, &frames[0], 0, 6, NULL);
    pcapng_write_packet(&m.b, &frames[1], 1, 9, "what it is");
    pcapng_write_packet(&m.b, &frames[2], 2, 0, "");
    pcapng_write_packet(&m.b, &frames[3], 0, 6, "12345");
    made_read(&m, &got);
    assert_string_equal(hr_buf_str(&got), "1@1.000001000 4/4 L1 I0 four\n"
                                          "2@2.000000001 3/1500 L113 I1 cut\n"
                                          "3@3.000000000 1/1 L276 I2 a\n"
                                          "4@4.000000000 0/0 L1 I0 \n");
    hr_buf_finish(&m.b);
    hr_buf_finish(&got);
}

/* An option holds 65535 bytes; a character is not cut in two. */
static void long_texts_are_cut(void **state)
{
    (void)state;
    struct made m;
    struct hr_buf got;
    struct hr_buf comment;
    struct packet frame = frame_of("x", 1000000000, 1);
    hr_buf_init(&comment, SIZE_MAX);
    hr_buf_init(&got, SIZE_MAX);
    for (unsigned i = 0; i < 70000; i++) {
        hr_buf_append_str(&comment, "\xc3\xa4");
    }
    made_init(&m, false);
    pcapng_write_section(&m.b, NULL, hr_buf_str(&comment));
    pcapng_write_interface(&m.b, &(struct pcapng_interface){.link_type = 1, .resolution = 6});
    size_t before = m.b.len;
    pcapng_write_packet(&m.b, &frame, 0, 6, hr_buf_str(&comment));
    assert_int_equal(m.b.len - before, 28 + 4 + 4 + 65536 + 4 + 4);
    made_read(&m, &got);
    assert_string_equal(hr_buf_str(&got), "1@1.000000000 1/1 L1 I0 x\n");
    hr_buf_finish(&comment);
    hr_buf_finish(&m.b);
    hr_buf_finish(&got);
}

static const struct {
    uint8_t resolution;
    uint8_t want;
} clocks[] = {
    {0,         0},
    {3,         3},
    {6,         6},
    {9,         9},
    {12,        9},
    {0x80 | 20, 9},
};

static void clocks_keep_their_decimals(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(clocks); i++) {
        assert_int_equal(pcapng_decimals(clocks[i].resolution), clocks[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_back),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(clocks_keep_their_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
