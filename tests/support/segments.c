#include "support/segments.h"

#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tcp_config scene_config(void)
{
    return (struct tcp_config){
        .connection_limit = 1000,
        .held_conn_bytes = 1u << 20,
        .held_total_bytes = 8u << 20,
        .idle_timeout = 600 * HR_NSEC_PER_SEC,
        .opening_timeout = 60 * HR_NSEC_PER_SEC,
        .closed_linger = 10 * HR_NSEC_PER_SEC,
        .hole_timeout = 5 * HR_NSEC_PER_SEC,
    };
}

static void on_open(struct tcp_conn *c, void *user)
{
    struct scene *s = user;
    assert_true(s->conn_count < SCENE_CONNS);
    struct scene_conn *sc = &s->conns[s->conn_count++];
    memset(sc, 0, sizeof(*sc));
    hr_buf_init(&sc->bytes[0], 1u << 24);
    hr_buf_init(&sc->bytes[1], 1u << 24);
    assert_null(c->user);
    c->user = sc;
}

static void append_chunk(struct scene_conn *sc, const struct tcp_chunk *chunk)
{
    struct hr_buf *out = &sc->bytes[chunk->direction];
    switch (chunk->kind) {
    case TCP_CHUNK_DATA:
        assert_int_equal(chunk->len, chunk->bytes.len);
        hr_buf_append(out, chunk->bytes);
        break;
    case TCP_CHUNK_GAP:
        if (chunk->len > 64) {
            hr_buf_appendf(out, "<%llu>", (unsigned long long)chunk->len);
        }
        for (uint64_t i = 0; i < chunk->len && chunk->len <= 64; i++) {
            hr_buf_append_char(out, '.');
        }
        break;
    case TCP_CHUNK_END:
        assert_int_equal(chunk->len, 0);
        hr_buf_append_char(out, "-$!~^*"[chunk->end]);
        sc->ended[chunk->direction] = true;
        break;
    }
}

static void on_chunk(struct tcp_conn *c, const struct tcp_chunk *chunk, void *user)
{
    struct scene *s = user;
    struct scene_conn *sc = c->user;
    assert_non_null(sc);
    assert_false(sc->closed);
    assert_false(sc->ended[chunk->direction]);
    assert_true(chunk->before_at <= chunk->at);
    assert_true(chunk->len > 0 || chunk->kind == TCP_CHUNK_END);
    assert_true(chunk->offset == sc->next_offset[chunk->direction]);
    sc->next_offset[chunk->direction] += chunk->len;
    append_chunk(sc, chunk);
    if (s->chunk_count < SCENE_CHUNKS) {
        s->chunks[s->chunk_count++] = (struct scene_chunk){*chunk, c->stream};
    }
}

static void on_close(struct tcp_conn *c, enum tcp_end end, void *user)
{
    struct scene_conn *sc = c->user;
    static const char *const names[] = {"NONE", "FIN", "RST", "TIMEOUT", "EVICTED", "REUSED"};
    (void)user;
    assert_true(sc->ended[0] && sc->ended[1]);
    assert_false(sc->closed);
    sc->closed = true;
    sc->conn = *c;
    hr_buf_appendf(&sc->bytes[1], " %s", names[end]);
}

void scene_open(struct scene *s, const struct tcp_config *config, uint32_t isn_client,
                uint32_t isn_server)
{
    static const struct tcp_callbacks callbacks = {on_open, on_chunk, on_close};
    memset(s, 0, sizeof(*s));
    s->isn[0] = isn_client;
    s->isn[1] = isn_server;
    s->at = 1000 * HR_NSEC_PER_SEC;
    hr_buf_init(&s->text, 1u << 24);
    s->table = tcp_table_create(config, &callbacks, s, HR_ARRAY_LEN(s->frames));
}

static struct net_endpoint endpoint(uint8_t last, unsigned port)
{
    struct net_endpoint e = {.port = (uint16_t)port};
    e.address.bytes[10] = e.address.bytes[11] = 0xff;
    e.address.bytes[12] = 10;
    e.address.bytes[15] = last;
    return e;
}

static uint8_t parse_flags(struct hr_span word)
{
    uint8_t flags = 0;
    for (size_t i = 0; i < word.len; i++) {
        switch (word.ptr[i]) {
        case 'S':
            flags |= TCP_SYN;
            break;
        case 'A':
            flags |= TCP_ACK;
            break;
        case 'F':
            flags |= TCP_FIN;
            break;
        case 'R':
            flags |= TCP_RST;
            break;
        case 'P':
            flags |= TCP_PSH;
            break;
        default:
            assert_true(word.ptr[i] == '-');
        }
    }
    return flags;
}

/* Options behind SEQ. */
static void parse_option(struct scene *s, struct tcp_segment *seg, struct hr_span word, int from)
{
    long long value = word.len > 2 ? strtoll(word.ptr + 2, NULL, 10) : 0;
    if (word.ptr[0] == 'a') {
        seg->ack = (uint32_t)value + s->isn[!from] + 1;
    } else if (word.ptr[0] == 'w') {
        seg->wire_payload_bytes = (uint32_t)value;
    } else if (word.ptr[0] == 'c') {
        seg->capture = (size_t)value;
    } else if (word.ptr[0] == 'n') {
        seg->network = (uint32_t)value;
    } else if (word.ptr[0] == 'i') {
        seg->identity = (uint32_t)value | TCP_IDENTITY_IP;
    } else if (word.ptr[0] == 't') {
        seg->identity = (uint32_t)value;
    } else if (word.ptr[0] == 'u') {
        seg->selected = false;
    } else {
        fail_msg("unknown word %.*s", (int)word.len, word.ptr);
    }
}

static void feed_line(struct scene *s, struct hr_span line)
{
    struct tcp_segment seg = {.selected = true};
    size_t quote = hr_span_find(line, '\'');
    if (quote != SIZE_MAX) {
        seg.payload = hr_span_slice(line, quote + 1, line.len - 1);
        assert_true(line.ptr[line.len - 1] == '\'');
        line = hr_span_trim(hr_span_slice(line, 0, quote));
    }
    struct hr_span word = hr_span_cut(&line, ' ');
    s->at += HR_NSEC_PER_MSEC;
    if (word.ptr[0] == '@') {
        s->at = 1000 * HR_NSEC_PER_SEC + atoll(word.ptr + 1) * HR_NSEC_PER_MSEC;
        word = hr_span_cut(&line, ' ');
    }
    assert_true(word.ptr[0] == '>' || word.ptr[0] == '<');
    int from = word.ptr[0] == '<';
    struct net_endpoint client =
        endpoint(1, 40000 + (word.len > 1 ? (unsigned)atoi(word.ptr + 1) : 0));
    struct net_endpoint server = endpoint(2, 80);
    seg.source = from ? server : client;
    seg.destination = from ? client : server;
    seg.flags = parse_flags(hr_span_cut(&line, ' '));
    word = hr_span_cut(&line, ' ');
    seg.seq = (uint32_t)strtoll(word.ptr, NULL, 10) + s->isn[from] + 1;
    while (line.ptr) {
        word = hr_span_cut(&line, ' ');
        if (word.len > 0) {
            parse_option(s, &seg, word, from);
        }
    }
    seg.at = s->at;
    seg.frame = ++s->frames[seg.capture];
    if (seg.wire_payload_bytes == 0) {
        seg.wire_payload_bytes = (uint32_t)seg.payload.len;
    }
    scene_feed_segment(s, &seg);
}

void scene_feed_segment(struct scene *s, const struct tcp_segment *segment)
{
    /* An exact-size copy on the heap: a read past the payload is found by the sanitizer. */
    struct tcp_segment seg = *segment;
    char *copy = malloc(seg.payload.len + 1);
    char *exact = seg.payload.len ? realloc(copy, seg.payload.len) : copy;
    assert_non_null(exact);
    if (seg.payload.len) {
        memcpy(exact, seg.payload.ptr, seg.payload.len);
    }
    seg.payload.ptr = exact;
    tcp_table_feed(s->table, &seg);
    free(exact);
}

void scene_feed(struct scene *s, const char *lines)
{
    struct hr_span rest = hr_span_str(lines);
    while (rest.ptr) {
        struct hr_span line = hr_span_trim(hr_span_cut(&rest, '\n'));
        if (line.len > 0) {
            feed_line(s, line);
        }
    }
}

const char *scene_text(struct scene *s)
{
    hr_buf_clear(&s->text);
    for (size_t i = 0; i < s->conn_count; i++) {
        const struct scene_conn *sc = &s->conns[i];
        hr_buf_appendf(&s->text, "%s%llu ", i ? "\n" : "",
                       (unsigned long long)(sc->closed ? sc->conn.stream : i));
        hr_buf_append(&s->text, hr_buf_span(&sc->bytes[0]));
        hr_buf_append_str(&s->text, " | ");
        hr_buf_append(&s->text, hr_buf_span(&sc->bytes[1]));
    }
    return hr_buf_str(&s->text);
}

const char *scene_finish(struct scene *s)
{
    tcp_table_finish(s->table);
    return scene_text(s);
}

struct wanted {
    const char *name;
    uint64_t value;
    bool found;
};

static void look_for(const struct hr_counter_info *info, uint64_t value, void *user)
{
    struct wanted *w = user;
    if (strcmp(info->name, w->name) == 0) {
        w->value = value;
        w->found = true;
    }
}

uint64_t scene_counter(const struct scene *s, const char *name)
{
    struct wanted w = {.name = name};
    tcp_table_counters(s->table, look_for, &w);
    assert_true(w.found);
    return w.value;
}

void scene_close(struct scene *s)
{
    tcp_table_destroy(s->table);
    for (size_t i = 0; i < s->conn_count; i++) {
        hr_buf_finish(&s->conns[i].bytes[0]);
        hr_buf_finish(&s->conns[i].bytes[1]);
    }
    hr_buf_finish(&s->text);
}
