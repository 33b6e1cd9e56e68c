/* However attempts come, the sums emitted say how many there were of each server and slot. */
#include "pipeline/refusals.h"
#include "support/test.h"

#include <string.h>

enum {
    SERVERS = 5000, /* more than the table has places */
};

struct sums {
    uint64_t attempts;
    uint64_t of_server[SERVERS];
    size_t rows;
    bool is_wrong;
};

static void add_row(const struct refusal_row *row, void *user)
{
    struct sums *s = user;
    s->attempts += row->attempts;
    s->of_server[row->server.port] += row->attempts;
    s->rows++;
    s->is_wrong = s->is_wrong || row->first_at / REFUSAL_SLOT != row->slot ||
                  row->last_at / REFUSAL_SLOT != row->slot || row->first_at > row->last_at;
}

static void a_server_that_is_down_gives_one_sum_a_slot(void **state)
{
    (void)state;
    struct sums sums = {0};
    struct refusals *r = refusals_create(add_row, &sums);
    const struct net_endpoint server = {.port = 80};
    for (int i = 0; i < 30000; i++) { /* three seconds, not quite in order */
        refusals_add(r, &server, (i ^ 1) * (HR_NSEC_PER_SEC / 10000));
    }
    refusals_finish(r);
    assert_int_equal(sums.attempts, 30000);
    assert_int_equal(sums.rows, 30);
    assert_false(sums.is_wrong);
    assert_int_equal(refusals_dropped(r), 0);
    refusals_destroy(r);
}

static void many_servers_push_each_other_out(void **state)
{
    (void)state;
    static struct sums sums;
    struct refusals *r = refusals_create(add_row, &sums);
    for (int i = 0; i < 10 * SERVERS; i++) {
        const struct net_endpoint server = {.port = (uint16_t)(i % SERVERS)};
        refusals_add(r, &server, i);
    }
    refusals_finish(r);
    assert_int_equal(sums.attempts, 10 * SERVERS);
    assert_false(sums.is_wrong);
    for (int i = 0; i < SERVERS; i++) {
        assert_int_equal(sums.of_server[i], 10);
    }
    refusals_destroy(r);
}

static void a_scan_reaches_the_bound(void **state)
{
    (void)state;
    static struct sums sums;
    memset(&sums, 0, sizeof(sums));
    struct refusals *r = refusals_create(add_row, &sums);
    const struct net_endpoint server = {.port = 80};
    const int scans = 1100000;
    for (int i = 0; i < scans; i++) {
        refusals_add(r, &server, i * REFUSAL_SLOT);
    }
    refusals_finish(r);
    assert_int_equal(sums.rows, 1000000);
    assert_int_equal(sums.attempts + refusals_dropped(r), (uint64_t)scans);
    refusals_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_is_down_gives_one_sum_a_slot),
        cmocka_unit_test(many_servers_push_each_other_out),
        cmocka_unit_test(a_scan_reaches_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
