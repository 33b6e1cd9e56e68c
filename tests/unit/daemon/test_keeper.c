/* The ring has room for so many interfaces; frames of others are left out, and counted. */
#include "base/alloc.h"
#include "capture/ring.h"
#include "daemon/keeper.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FRAMES = RING_INTERFACE_LIMIT + 44 };

static const char *const names[] = {"eth0"};

static void add(struct keeper *k, uint64_t frame, uint32_t snap_bytes)
{
    static const unsigned char bytes[60];
    const struct packet p = {
        .at = (hr_nsec)frame * HR_NSEC_PER_MSEC,
        .data = bytes,
        .captured_bytes = sizeof(bytes),
        .wire_bytes = sizeof(bytes),
        .link_type = 1,
        .snap_bytes = snap_bytes,
        .resolution = 9,
        .frame = frame,
        .selected = true,
    };
    keeper_add(k, &p);
}

/* What is kept bears the number that it had. */
static void assert_kept(const char *folder)
{
    struct ring_list list;
    struct packet p;
    uint64_t count = 0;
    assert_int_equal(ring_list_read(folder, &list), 0);
    struct ring_reader *r = ring_reader_create(folder, list.items, list.count);
    while (ring_reader_next(r, &p) > 0) {
        count++;
        assert_int_equal(p.frame, count <= RING_INTERFACE_LIMIT ? count : FRAMES + 1);
    }
    assert_int_equal(count, RING_INTERFACE_LIMIT + 1);
    ring_reader_destroy(r);
    ring_list_finish(&list);
}

static void too_many_interfaces_are_left_out(void **state)
{
    (void)state;
    char folder[] = "/tmp/headrace-keeper-XXXXXX";
    char command[64];
    const struct keeper_config config = {
        .folder = folder, .captures = names, .capture_count = 1, .keep_bytes = 1u << 30};
    struct keeper *k = NULL;
    struct keeper_state now;
    struct hr_buf error;
    hr_buf_init(&error, SIZE_MAX);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(keeper_open(&config, geteuid(), getegid(), &k, &error), 0);
    assert_int_equal(keeper_start(k, &error), 0);
    for (uint64_t i = 1; i <= FRAMES; i++) {
        add(k, i, 1000 + (uint32_t)i);
    }
    add(k, FRAMES + 1, 1001); /* of the first one */
    keeper_get_state(k, &now);
    assert_int_equal(now.missed, FRAMES - RING_INTERFACE_LIMIT);
    keeper_close(k);
    assert_kept(folder);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    hr_buf_finish(&error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_many_interfaces_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
