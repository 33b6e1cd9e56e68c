#include "base/alloc.h"
#include "report/display.h"
#include "support/test.h"

/* A filter names each connection once, in order. */
static void filters_name_each_connection_once(void **state)
{
    struct {
        int64_t streams[4];
        size_t count;
        const char *want;
    } cases[] = {
        {{0},          0, ""                       },
        {{4},          1, "tcp.stream eq 4"        },
        {{7, 7, 7},    3, "tcp.stream eq 7"        },
        {{7, 4, 7, 0}, 4, "tcp.stream in {0, 4, 7}"},
    };
    struct hr_buf got;
    (void)state;
    hr_buf_init(&got, SIZE_MAX);
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        hr_buf_clear(&got);
        display_append_filter(&got, cases[i].streams, cases[i].count);
        assert_string_equal(hr_buf_str(&got), cases[i].want);
    }
    hr_buf_finish(&got);
}

static void file_names_are_the_last_part(void **state)
{
    (void)state;
    assert_string_equal(display_file_name("a/b/c.pcap"), "c.pcap");
    assert_string_equal(display_file_name("c.pcap"), "c.pcap");
    assert_string_equal(display_file_name("folder/"), "folder/");
}

static void offsets_are_in_the_unit_that_reads_best(void **state)
{
    char text[DISPLAY_OFFSET_SIZE];
    (void)state;
    assert_string_equal(display_offset(0, text), "+0.000 ms");
    assert_string_equal(display_offset(4200000, text), "+4.200 ms");
    assert_string_equal(display_offset(10 * HR_NSEC_PER_SEC, text), "+10.000000 s");
    assert_string_equal(display_offset(HR_NSEC_INFINITE, text), "+9223372036.854776 s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_name_each_connection_once),
        cmocka_unit_test(offsets_are_in_the_unit_that_reads_best),
        cmocka_unit_test(file_names_are_the_last_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
