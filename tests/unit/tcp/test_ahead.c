#include "support/test.h"
#include "tcp/conn_table.h"

#include <string.h>

struct fetched {
    unsigned opened;
    unsigned steps[2];
    const struct tcp_conn *conn;
};

static void on_open(struct tcp_conn *c, void *user)
{
    struct fetched *f = user;
    f->opened++;
    c->user = f;
}

static void on_chunk(struct tcp_conn *c, const struct tcp_chunk *chunk, void *user)
{
    (void)c;
    (void)chunk;
    (void)user;
}

static void on_close(struct tcp_conn *c, enum tcp_end end, void *user)
{
    (void)end;
    (void)user;
    c->user = NULL;
}

static void on_fetch(const struct tcp_conn *c, unsigned step)
{
    struct fetched *f = c->user;
    f->steps[step]++;
    f->conn = c;
}

static struct tcp_segment segment_from(uint16_t port, uint64_t frame)
{
    struct tcp_segment s;
    memset(&s, 0, sizeof(s));
    s.source.port = port;
    s.destination.port = 80;
    s.flags = TCP_ACK;
    s.seq = 1;
    s.frame = frame;
    s.at = (hr_nsec)frame;
    s.selected = true;
    return s;
}

/* Each step is taken once for each frame that was foreseen and whose connection is known, the
 * second behind the first; a frame that comes instead of the one foreseen finds its own connection.
 */
static void what_comes_is_asked_for(void **state)
{
    (void)state;
    static const struct tcp_config config = {.connection_limit = 10,
                                             .idle_timeout = HR_NSEC_PER_SEC,
                                             .opening_timeout = HR_NSEC_PER_SEC,
                                             .closed_linger = HR_NSEC_PER_SEC,
                                             .hole_timeout = HR_NSEC_PER_SEC};
    static const struct tcp_callbacks callbacks = {
        .open = on_open, .chunk = on_chunk, .close = on_close, .fetch = on_fetch};
    struct fetched f = {0};
    struct tcp_table *t = tcp_table_create(&config, &callbacks, &f, 1);
    const struct tcp_segment known = segment_from(1, 1);
    const struct net_endpoint known_ends[] = {known.destination, known.source}; /* the answer's */
    const struct tcp_segment other = segment_from(2, 2);
    const struct net_endpoint unknown_ends[] = {segment_from(3, 3).source, known.destination};
    tcp_table_foresee(t, NULL);
    tcp_table_feed(t, &known);
    tcp_table_foresee(t, known_ends);
    tcp_table_feed(t, &other);
    tcp_table_foresee(t, unknown_ends);
    for (unsigned i = 2; i < TCP_AHEAD_FRAMES; i++) {
        tcp_table_foresee(t, NULL);
        assert_true(f.steps[1] <= f.steps[0]);
    }
    assert_int_equal(f.steps[0], 1);
    assert_int_equal(f.steps[1], 1);
    assert_int_equal(f.conn->resp.port, 1);
    tcp_table_foresee(t, NULL);
    tcp_table_feed(t, &other); /* where the answer was to come */
    assert_int_equal(f.opened, 2);
    assert_int_equal(tcp_table_count(t), 2);
    for (unsigned i = 0; i < 2 * TCP_AHEAD; i++) {
        tcp_table_foresee(t, NULL);
    }
    assert_int_equal(f.steps[0] + f.steps[1], 2);
    tcp_table_finish(t);
    tcp_table_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
