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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_name_each_connection_once),
        cmocka_unit_test(file_names_are_the_last_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
