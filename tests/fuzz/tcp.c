/*
 * Segments of two clients with one server, each record one: eight bytes of header, then the
 * payload. Whatever comes, each direction is one row of chunks with one END, its bytes are those
 * that some segment had at that place, and the budget of held bytes is kept.
 */
#include "fuzz.h"
#include "tcp/conn.h"

enum { SEGMENT_LIMIT = 100, CONN_LIMIT = 128, HELD_CONN_BYTES = 2000, HELD_TOTAL_BYTES = 3000 };

struct conn {
    struct tcp_conn *conn; /* NULL: closed */
    uint64_t stream;
    struct hr_buf bytes[2]; /* of the direction from its first offset on; GAP as 0 */
    struct hr_buf known[2]; /* 1 where a byte was delivered */
    uint64_t first[2];
    uint64_t next[2];
    uint64_t gaps[2];
    bool begun[2];
    bool ended[2];
};

struct world {
    struct tcp_segment segments[SEGMENT_LIMIT];
    char *blocks[SEGMENT_LIMIT];
    size_t count;
    struct conn conns[CONN_LIMIT];
    size_t conn_count;
    uint64_t sum;
};

static void on_open(struct tcp_conn *c, void *user)
{
    struct world *w = user;
    LAW(w->conn_count < CONN_LIMIT);
    LAW(c->user == NULL);
    struct conn *one = &w->conns[w->conn_count++];
    *one = (struct conn){.conn = c, .stream = c->stream};
    for (size_t d = 0; d < 2; d++) {
        hr_buf_init(&one->bytes[d], SIZE_MAX);
        hr_buf_init(&one->known[d], SIZE_MAX);
    }
    c->user = one;
}

static void append_row(struct hr_buf *b, char byte, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        hr_buf_append_char(b, byte);
    }
}

static void on_chunk(struct tcp_conn *c, const struct tcp_chunk *chunk, void *user)
{
    struct world *w = user;
    struct conn *one = c->user;
    size_t d = chunk->direction;
    LAW(one->conn == c && !one->ended[d]);
    if (!one->begun[d]) {
        one->begun[d] = true;
        one->first[d] = one->next[d] = chunk->offset;
    }
    LAW(chunk->offset == one->next[d]);
    LAW(chunk->kind == TCP_CHUNK_GAP || chunk->before_at == chunk->at);
    switch (chunk->kind) {
    case TCP_CHUNK_DATA:
        LAW(chunk->len > 0 && chunk->len == chunk->bytes.len);
        hr_buf_append(&one->bytes[d], chunk->bytes);
        append_row(&one->known[d], 1, chunk->len);
        break;
    case TCP_CHUNK_GAP:
        LAW(chunk->len > 0);
        one->gaps[d] += chunk->len;
        if (chunk->len < 100000) { /* else the rest is not compared */
            append_row(&one->bytes[d], 0, chunk->len);
            append_row(&one->known[d], 0, chunk->len);
        } else {
            one->bytes[d].limit = one->bytes[d].len;
            one->known[d].limit = one->known[d].len;
        }
        break;
    case TCP_CHUNK_END:
        LAW(chunk->len == 0);
        one->ended[d] = true;
        break;
    }
    one->next[d] += chunk->len;
    fuzz_mix_number(&w->sum, chunk->kind);
    fuzz_mix_number(&w->sum, chunk->offset);
    fuzz_mix_number(&w->sum, chunk->acked);
    fuzz_mix_span(&w->sum, chunk->bytes);
}

static bool is_same_endpoint(const struct net_endpoint *a, const struct net_endpoint *b)
{
    return a->port == b->port && memcmp(&a->address, &b->address, sizeof(a->address)) == 0;
}

/* Whether a segment of that direction had this byte at that place in sequence space. */
static bool was_sent(const struct world *w, const struct tcp_conn *c, size_t d, uint32_t seq,
                     char byte)
{
    const struct net_endpoint *from = d == TCP_ORIG ? &c->orig : &c->resp;
    const struct net_endpoint *to = d == TCP_ORIG ? &c->resp : &c->orig;
    for (size_t i = 0; i < w->count; i++) {
        const struct tcp_segment *s = &w->segments[i];
        uint32_t at = seq - s->seq - ((s->flags & TCP_SYN) != 0 ? 1 : 0);
        if (is_same_endpoint(&s->source, from) && is_same_endpoint(&s->destination, to) &&
            at < s->payload.len && s->payload.ptr[at] == byte) {
            return true;
        }
    }
    return false;
}

static void check_bytes(const struct world *w, const struct tcp_conn *c, const struct conn *one,
                        size_t d)
{
    if (!c->has_numbers[d]) {
        return;
    }
    for (size_t i = 0; i < one->bytes[d].len; i++) {
        uint32_t seq = c->first_seq[d] + (uint32_t)one->first[d] + (uint32_t)i;
        LAW(one->known[d].ptr[i] == 0 || was_sent(w, c, d, seq, one->bytes[d].ptr[i]));
    }
}

static void on_close(struct tcp_conn *c, enum tcp_end end, void *user)
{
    struct world *w = user;
    struct conn *one = c->user;
    LAW(one->conn == c);
    for (size_t d = 0; d < 2; d++) {
        LAW(one->ended[d]);
        LAW(c->gap_bytes[d] == one->gaps[d]);
        LAW((c->gaps[d] > 0) == (one->gaps[d] > 0));
        check_bytes(w, c, one, d);
    }
    fuzz_mix_number(&w->sum, end);
    one->conn = NULL;
}

static void on_counter(const struct hr_counter_info *info, uint64_t value, void *user)
{
    struct world *w = user;
    LAW(strcmp(info->name, "held_bytes_peak") != 0 || value <= HELD_TOTAL_BYTES + 70000);
    fuzz_mix_number(&w->sum, value);
}

/* The kind of time steps that captures show, backwards among them. */
static const hr_nsec steps[] = {0,
                                1,
                                HR_NSEC_PER_MSEC,
                                60 * HR_NSEC_PER_MSEC,
                                HR_NSEC_PER_SEC,
                                6 * HR_NSEC_PER_SEC,
                                70 * HR_NSEC_PER_SEC,
                                4000 * HR_NSEC_PER_SEC,
                                -HR_NSEC_PER_MSEC,
                                -HR_NSEC_PER_SEC};

static struct tcp_segment read_segment(struct hr_span record, hr_nsec *at)
{
    static const uint32_t isns[] = {1000, UINT32_MAX - 20, 0, UINT32_C(0x7fffff00)};
    uint8_t who = fuzz_u8(&record);
    uint8_t flags = fuzz_u8(&record);
    uint16_t seq = fuzz_u16(&record);
    uint16_t ack = fuzz_u16(&record);
    uint8_t time = fuzz_u8(&record);
    uint8_t more = fuzz_u8(&record);
    bool from_server = (who & 1) != 0;
    struct net_endpoint client = {.port = (uint16_t)(5000 + (who >> 1 & 1))};
    struct net_endpoint server = {.port = 80};
    uint32_t scale = who & 0x40 ? 64 : 1; /* far away */
    *at += steps[time % HR_ARRAY_LEN(steps)];
    return (struct tcp_segment){
        .source = from_server ? server : client,
        .destination = from_server ? client : server,
        .seq = isns[who >> 2 & 3] + seq * scale,
        .ack = isns[who >> 4 & 3] + ack,
        .window = 1000,
        .network = (flags >> 5 & 3) * 10u, /* whose tags the two directions may bear alike or not */
        .flags = flags & 0x1f,
        .identity = flags & 0x80 ? TCP_IDENTITY_IP | seq : 0,
        .wire_payload_bytes = (uint32_t)record.len + (more & 0x0f) * 7u,
        .payload = record,
        .at = *at,
        .frame = 1,
        .capture = more >> 7,
        .selected = (more & 0x70) != 0x70,
    };
}

static uint64_t play(const uint8_t *data, size_t size)
{
    static const struct tcp_config config = {
        .connection_limit = 3,
        .held_conn_bytes = HELD_CONN_BYTES,
        .held_total_bytes = HELD_TOTAL_BYTES,
        .idle_timeout = 3600 * HR_NSEC_PER_SEC,
        .opening_timeout = 60 * HR_NSEC_PER_SEC,
        .closed_linger = 60 * HR_NSEC_PER_SEC,
        .hole_timeout = 5 * HR_NSEC_PER_SEC,
    };
    static const struct tcp_callbacks callbacks = {on_open, on_chunk, on_close};
    struct world *w = hr_xcalloc(1, sizeof(*w));
    struct tcp_table *t = tcp_table_create(&config, &callbacks, w, 2);
    struct hr_span rest = hr_span_of(data, size);
    struct fuzz_record record;
    hr_nsec at = 100000 * HR_NSEC_PER_SEC;
    while (w->count < SEGMENT_LIMIT && w->conn_count < CONN_LIMIT - 1 &&
           fuzz_next(&rest, &record)) {
        struct tcp_segment *s = &w->segments[w->count];
        *s = read_segment(record.bytes, &at);
        w->blocks[w->count++] = record.block;
        s->frame = w->count;
        tcp_table_feed(t, s);
    }
    tcp_table_finish(t);
    tcp_table_counters(t, on_counter, w);
    tcp_table_destroy(t);
    for (size_t i = 0; i < w->conn_count; i++) {
        LAW(w->conns[i].conn == NULL);
        for (size_t d = 0; d < 2; d++) {
            hr_buf_finish(&w->conns[i].bytes[d]);
            hr_buf_finish(&w->conns[i].known[d]);
        }
    }
    for (size_t i = 0; i < w->count; i++) {
        free(w->blocks[i]);
    }
    uint64_t sum = w->sum;
    free(w);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t sum = play(data, size);
    LAW(size % 8 != 0 || sum == play(data, size));
    return 0;
}
