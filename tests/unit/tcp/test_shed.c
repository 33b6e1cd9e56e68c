/* Connections are left out as a whole, or not at all. */
#include "support/segments.h"
#include "support/test.h"

#include <string.h>

enum { CLIENTS = 400, ISN = 1000, SERVER_PORT = 80 };

struct seen {
    unsigned opened[CLIENTS];
    uint64_t bytes[CLIENTS][2];
    unsigned shed[CLIENTS];
};

static size_t client_of(const struct net_endpoint *a, const struct net_endpoint *b)
{
    const struct net_endpoint *e = a->port == SERVER_PORT ? b : a;
    return (size_t)e->port - 1024;
}

static void on_open(struct tcp_conn *c, void *user)
{
    ((struct seen *)user)->opened[client_of(&c->orig, &c->resp)]++;
}

static void on_chunk(struct tcp_conn *c, const struct tcp_chunk *chunk, void *user)
{
    struct seen *seen = user;
    assert_int_not_equal(chunk->kind, TCP_CHUNK_GAP);
    seen->bytes[client_of(&c->orig, &c->resp)][chunk->direction] += chunk->len;
}

static void on_close(struct tcp_conn *c, enum tcp_end end, void *user)
{
    (void)c;
    (void)end;
    (void)user;
}

static void on_shed(const struct tcp_segment *s, const struct net_endpoint *server, void *user)
{
    assert_non_null(server);
    assert_int_equal(server->port, SERVER_PORT);
    ((struct seen *)user)->shed[client_of(&s->source, &s->destination)]++;
}

static const struct tcp_callbacks callbacks = {on_open, on_chunk, on_close, on_shed};

static void feed(struct tcp_table *t, size_t client, bool is_answer, struct tcp_segment s)
{
    struct net_endpoint ends[2] = {{.port = (uint16_t)(1024 + client)}, {.port = SERVER_PORT}};
    s.source = ends[is_answer];
    s.destination = ends[!is_answer];
    s.at = HR_NSEC_PER_SEC;
    s.selected = true;
    s.window = 1000;
    s.wire_payload_bytes = (uint32_t)s.payload.len;
    tcp_table_feed(t, &s);
}

static void open_all(struct tcp_table *t, size_t from, size_t to, uint32_t isn)
{
    for (size_t i = from; i < to; i++) {
        feed(t, i, false, (struct tcp_segment){.flags = TCP_SYN, .seq = isn});
        feed(t, i, true,
             (struct tcp_segment){.flags = TCP_SYN | TCP_ACK, .seq = isn, .ack = isn + 1});
    }
}

/* A request and an answer. */
static void use_all(struct tcp_table *t, size_t from, size_t to, uint32_t isn)
{
    for (size_t i = from; i < to; i++) {
        feed(t, i, false,
             (struct tcp_segment){
                 .flags = TCP_ACK, .seq = isn + 1, .ack = isn + 1, .payload = HR_SPAN("ask")});
        feed(t, i, true,
             (struct tcp_segment){
                 .flags = TCP_ACK, .seq = isn + 1, .ack = isn + 4, .payload = HR_SPAN("answer")});
    }
}

static void connections_are_whole_or_out(void **state)
{
    static struct seen seen;
    const struct tcp_config config = scene_config();
    struct tcp_table *t = tcp_table_create(&config, &callbacks, &seen, 1);
    const size_t half = CLIENTS / 2;
    size_t out = 0;
    (void)state;
    open_all(t, 0, half, ISN);
    tcp_table_shed(t, 8);
    open_all(t, half, CLIENTS, ISN);
    use_all(t, 0, half, ISN);
    tcp_table_shed(t, 0); /* what was left out stays out */
    use_all(t, half, CLIENTS, ISN);
    for (size_t i = 0; i < CLIENTS; i++) {
        bool is_whole = seen.opened[i] == 1 && seen.bytes[i][TCP_ORIG] == 3 &&
                        seen.bytes[i][TCP_RESP] == 6 && seen.shed[i] == 0;
        bool is_out = seen.opened[i] == 0 && seen.shed[i] == 4;
        assert_true(is_whole || (is_out && i >= half));
        out += is_out;
    }
    assert_in_range(out, half / 4, half * 3 / 4); /* half of them, more or less */
    open_all(t, 0, CLIENTS, ISN + 5000);          /* new ones are kept again */
    use_all(t, 0, CLIENTS, ISN + 5000);
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(seen.opened[i], seen.shed[i] > 0 ? 1 : 2);
    }
    tcp_table_finish(t);
    tcp_table_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_are_whole_or_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
