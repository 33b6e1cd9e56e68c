/*
 * Both directions of a connection, with holes and ends. A record: a letter that says what it is,
 * one that says what its segment acknowledged, then the bytes. However they are cut into segments,
 * the exchanges are the same, as long as no message start had to be looked for: the search goes by
 * where segments begin.
 */
#include "fuzz.h"
#include "http/exchange.h"

enum { RECORD_LIMIT = 400 };

/* Small enough to be reached. */
static const struct http_config config = {
    .header_bytes = 512, .field_limit = 8, .content_bytes = 64, .waiting_limit = 5};

struct outcome {
    uint64_t sum;
    uint64_t exchanges;
    bool searched;
};

static void check_message(const struct http_message *m)
{
    LAW(m->end_offset >= m->offset);
    LAW(m->content.len <= config.content_bytes);
    LAW(m->field_count <= config.field_limit);
    LAW(m->first.frame > 0);
    LAW(!m->complete || m->head_complete);
    LAW(!m->complete || m->framing != HTTP_FRAMING_NONE || m->content.len == 0);
    for (size_t i = 0; i < m->field_count; i++) {
        LAW(m->fields[i].name.len > 0);
        LAW(m->fields[i].name.len + m->fields[i].value.len <= config.header_bytes);
        LAW(hr_span_trim(m->fields[i].value).len == m->fields[i].value.len);
    }
}

static void mix_message(uint64_t *sum, const struct http_message *m)
{
    fuzz_mix_span(sum, m->method);
    fuzz_mix_span(sum, m->target);
    fuzz_mix_number(sum, m->status);
    fuzz_mix_number(sum, m->version);
    fuzz_mix_number(sum, m->interim_count);
    for (size_t i = 0; i < m->field_count; i++) {
        fuzz_mix_span(sum, m->fields[i].name);
        fuzz_mix_span(sum, m->fields[i].value);
    }
    fuzz_mix_span(sum, m->content);
    fuzz_mix_number(sum, m->content_cut);
    fuzz_mix_number(sum, m->content_gap);
    fuzz_mix_number(sum, m->content_bytes);
    fuzz_mix_number(sum, m->declared_bytes);
    fuzz_mix_number(sum, m->framing);
    fuzz_mix_number(sum, m->anomalies);
    fuzz_mix_number(sum, m->head_complete);
    fuzz_mix_number(sum, m->complete);
    fuzz_mix_number(sum, m->offset);
    fuzz_mix_number(sum, m->end_offset);
    fuzz_mix_number(sum, m->first.frame);
    fuzz_mix_number(sum, m->last.frame);
}

static void on_exchange(const struct http_exchange *x, void *user)
{
    struct outcome *o = user;
    LAW(x->has_request || x->has_response);
    LAW(x->state != HTTP_COMPLETE || (x->has_response && x->response.complete));
    LAW(x->state != HTTP_COMPLETE || !x->has_request || x->request.complete);
    LAW(!x->has_response || (x->response.status >= 100 && x->response.status <= 999));
    o->exchanges++;
    if (x->has_request) {
        check_message(&x->request);
        mix_message(&o->sum, &x->request);
    }
    if (x->has_response) {
        check_message(&x->response);
        mix_message(&o->sum, &x->response);
    }
    if (x->has_request && x->has_response && x->response.acked != UINT64_MAX) {
        LAW(x->response.acked > x->request.offset);
    }
    fuzz_mix_number(&o->sum, x->state);
    fuzz_mix_number(&o->sum, x->pairing);
    fuzz_mix_number(&o->sum, x->ordinal);
    fuzz_mix_number(&o->sum, x->early_response);
}

static void on_loss(const struct http_loss *loss, void *user)
{
    struct outcome *o = user;
    LAW(loss->to_at >= loss->from_at);
    o->searched = o->searched || loss->hides_messages;
    fuzz_mix_number(&o->sum, loss->bytes);
}

struct side {
    uint64_t offset;
    bool ended;
};

static void feed_bytes(struct http_conn *c, struct http_input in, struct hr_span bytes, size_t step)
{
    for (size_t i = 0; i < bytes.len; i += step) {
        struct hr_span piece = hr_span_slice(bytes, i, step < bytes.len - i ? i + step : bytes.len);
        char *copy = hr_xmalloc(piece.len); /* so that a read beyond the piece shows, too */
        memcpy(copy, piece.ptr, piece.len);
        in.bytes = hr_span_of(copy, piece.len);
        http_conn_feed(c, &in);
        in.offset += piece.len;
        free(copy);
    }
}

static void feed(struct http_conn *c, struct side sides[2], uint64_t number, struct hr_span record,
                 size_t step)
{
    static const char kinds[] = "CSgGeEfFrR"; /* the client's first of each pair */
    uint8_t letter = fuzz_u8(&record);
    uint8_t ack = fuzz_u8(&record);
    const char *known = letter != '\0' ? strchr(kinds, letter) : NULL;
    size_t kind = known != NULL ? (size_t)(known - kinds) : letter % 10u;
    struct side *side = &sides[kind % 2];
    uint64_t seen = sides[1 - kind % 2].offset;
    uint64_t late = ack >= '0' && ack <= '9' ? (uint64_t)(ack - '0') * 7 : 0;
    struct http_input in = {
        .side = kind % 2,
        .offset = side->offset,
        .place = {.at = (hr_nsec)number, .frame = number},
        .before_at = (hr_nsec)number - 1,
        .acked = ack == 'u'    ? UINT64_MAX
                 : late < seen ? seen - late
                               : 0,
    };
    if (side->ended || (kind < 4 && record.len == 0)) {
        return;
    }
    if (kind < 2) {
        feed_bytes(c, in, record, step);
    } else if (kind < 4) {
        in.gap_bytes = record.len;
        http_conn_feed(c, &in);
    } else {
        in.end = true;
        in.end_is_close = kind >= 6;
        in.end_is_reset = kind >= 8;
        side->ended = true;
        http_conn_feed(c, &in);
    }
    side->offset += kind < 4 ? record.len : 0;
}

static struct outcome play(struct http_context *h, struct hr_span rest, bool midstream, size_t step)
{
    struct outcome o = {.searched = midstream};
    struct side sides[2] = {{0}, {0}};
    struct fuzz_record record;
    struct http_conn *c = http_conn_create(h, midstream, &o);
    for (uint64_t i = 1; i <= RECORD_LIMIT && fuzz_next(&rest, &record); i++) {
        feed(c, sides, i, record.bytes, step);
        free(record.block);
    }
    http_conn_finish(c);
    LAW(http_conn_client_side(c) >= -1 && http_conn_client_side(c) <= 1);
    LAW(o.exchanges == 0 || http_conn_client_side(c) >= 0);
    http_conn_destroy(c);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct http_callbacks callbacks = {on_exchange, on_loss};
    struct http_context *h = http_context_create(&config, &callbacks);
    struct hr_span rest = hr_span_of(data, size);
    bool midstream = (fuzz_u8(&rest) & 1) != 0;
    rest = rest.len > 0 ? rest : (struct hr_span){NULL, 0};
    struct outcome whole = play(h, rest, midstream, SIZE_MAX);
    struct outcome split = play(h, rest, midstream, 1 + size % 5);
    bool searched = whole.searched || split.searched;
    LAW(searched || whole.exchanges == split.exchanges);
    LAW(searched || whole.sum == split.sum);
    http_context_destroy(h);
    return 0;
}
