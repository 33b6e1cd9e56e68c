#include "base/alloc.h"
#include "pipeline/sheds.h"
#include "support/test.h"

enum { SERVERS = 1000 };

struct sums {
    uint64_t frames[SERVERS + 1]; /* by port; 0: all servers */
    hr_nsec from_at;
    hr_nsec to_at;
};

static void add_up(const struct loss_row *row, void *user)
{
    struct sums *to = user;
    assert_int_equal(row->kind, LOSS_SHED);
    assert_true(row->hides_exchanges && row->count > 0 && row->stream_id == 0);
    to->frames[row->server.port] += row->count;
    to->from_at = row->from_at < to->from_at ? row->from_at : to->from_at;
    to->to_at = row->to_at > to->to_at ? row->to_at : to->to_at;
}

/* However many servers there are: each frame is in one loss of its server, and its time within. */
static void every_frame_is_told_of_once(void **state)
{
    struct sums got = {.from_at = HR_NSEC_INFINITE};
    struct sheds *s = sheds_create(add_up, &got);
    (void)state;
    for (hr_nsec at = 100; at < 100 + 3 * SERVERS; at++) {
        struct net_endpoint server = {.port = (uint16_t)(1 + at % SERVERS)};
        sheds_add(s, 0, &server, at);
    }
    sheds_add(s, 1, NULL, 5);
    sheds_add(s, 1, NULL, 4);
    sheds_flush(s);
    sheds_flush(s);
    for (size_t i = 1; i <= SERVERS; i++) {
        assert_int_equal(got.frames[i], 3);
    }
    assert_int_equal(got.frames[0], 2);
    assert_int_equal(got.from_at, 4);
    assert_int_equal(got.to_at, 99 + 3 * SERVERS);
    assert_int_equal(sheds_frames(s), 3 * SERVERS + 2);
    sheds_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frame_is_told_of_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
