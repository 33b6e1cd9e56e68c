/*
 * What is read from messages: records by turns the client's bytes and the server's of one
 * connection, through http/ into the extractor. Everything it gives out is text that can be shown,
 * bounded, and without the value CANARY once any carrier of a token has had it.
 */
#include "session/extract.h"

#include "decode/segment.h"
#include "fuzz.h"

#define CANARY "q7Zx2Lw9Bt4Kd8Vn3Hs6Rf1"

enum { RECORD_LIMIT = 40 };

struct outcome {
    struct extractor *extractor;
    struct hr_digest canary;
    uint64_t sum;
    bool canary_known;
};

static const struct net_endpoint server = {.port = 8080};
static const struct hr_key key = {
    {1, 2, 3, 4}
};

static void check_text(struct outcome *o, struct hr_span text, bool is_ascii)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        LAW(c >= 0x20 && c != 0x7f && (c < 0x80 || !is_ascii));
    }
    fuzz_mix_span(&o->sum, text);
}

static bool is_letter_or_digit(struct hr_span text, size_t at)
{
    char c = at < text.len ? hr_ascii_lower(text.ptr[at]) : ' ';
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

/* Glued to letters or digits it is no token's value, but may be a part of one. */
static bool holds_canary(struct hr_span text)
{
    const size_t len = sizeof(CANARY) - 1;
    for (size_t at = 0; at + len <= text.len; at++) {
        bool is_there = memcmp(text.ptr + at, CANARY, len) == 0;
        bool is_glued =
            (at > 0 && is_letter_or_digit(text, at - 1)) || is_letter_or_digit(text, at + len);
        if (is_there && !is_glued) {
            return true;
        }
    }
    return false;
}

static void check_tokens(struct outcome *o, const struct exchange_facts *f)
{
    LAW(f->token_count <= FACTS_TOKEN_LIMIT);
    for (size_t i = 0; i < f->token_count; i++) {
        const struct token_use *t = &f->tokens[i];
        bool is_sent = (t->flags & TOKEN_SENT) != 0;
        bool is_set = (t->flags & TOKEN_SET) != 0;
        LAW(t->carrier >= TOKEN_COOKIE && t->carrier <= TOKEN_USER_QUERY);
        LAW(is_sent || is_set || (t->flags & TOKEN_DELETED) != 0);
        check_text(o, t->name, true);
        fuzz_mix_number(&o->sum, t->flags);
        fuzz_mix_number(&o->sum, (uint64_t)t->lifetime_s);
        if ((t->flags & TOKEN_RANDOM_LOOKING) != 0 && t->carrier != TOKEN_USER_QUERY) {
            o->canary_known = o->canary_known ||
                              (is_sent && hr_digest_equal(&t->sent, &o->canary)) ||
                              (is_set && hr_digest_equal(&t->set, &o->canary));
        }
    }
}

static void check_marks(struct outcome *o, const struct exchange_facts *f)
{
    LAW(f->mark_count <= FACTS_MARK_LIMIT);
    for (size_t i = 0; i < f->mark_count; i++) {
        LAW(f->marks[i].kind > MARK_NONE && f->marks[i].kind <= MARK_ANOMALIES);
        check_text(o, f->marks[i].text, true);
        fuzz_mix_number(&o->sum, f->marks[i].kind);
        fuzz_mix_number(&o->sum, (uint64_t)f->marks[i].value);
    }
}

static void on_exchange(const struct http_exchange *x, void *user)
{
    struct outcome *o = user;
    struct exchange_facts f;
    extractor_feed(o->extractor, x, &server, &server, &f);
    const struct hr_span texts[] = {f.site,          f.host,          f.method,
                                    f.target,        f.path_template, f.location,
                                    f.location_path, f.user,          f.replica};
    check_tokens(o, &f);
    check_marks(o, &f);
    for (size_t i = 0; i < HR_ARRAY_LEN(texts); i++) {
        check_text(o, texts[i], true);
    }
    LAW(f.site.len > 0);
    LAW(x->has_request == (f.method.ptr != NULL));
    LAW(f.status == (x->has_response ? x->response.status : 0));
    LAW((f.agent >> 1) <= UINT32_C(0x7fffffff));
    if (o->canary_known) {
        LAW(!holds_canary(f.target));
        LAW(!holds_canary(f.path_template));
        LAW(!holds_canary(f.location));
    }
    fuzz_mix_number(&o->sum, f.flags);
    fuzz_mix_number(&o->sum, f.shape);
    fuzz_mix_number(&o->sum, f.request_hash);
}

static void on_loss(const struct http_loss *loss, void *user)
{
    (void)loss;
    (void)user;
}

static void feed(struct http_conn *c, unsigned side, uint64_t sent[2], struct hr_span bytes,
                 uint64_t number)
{
    const struct http_input in = {
        .side = side,
        .offset = sent[side],
        .bytes = bytes,
        .place = {.at = (hr_nsec)number * HR_NSEC_PER_SEC, .frame = number},
        .before_at = (hr_nsec)number * HR_NSEC_PER_SEC,
        .acked = sent[1 - side],
    };
    if (bytes.len > 0) {
        http_conn_feed(c, &in);
        sent[side] += bytes.len;
    }
}

static uint64_t play(struct hr_span rest)
{
    static const struct http_callbacks callbacks = {on_exchange, on_loss};
    static const struct http_config http = {
        .header_bytes = 16384, .field_limit = 64, .content_bytes = 16384, .waiting_limit = 20};
    static const struct extract_config extract = {
        .key = &key, .known_token_limit = 50, .content_bytes = 65536, .expansion_limit = 100};
    struct outcome o = {.extractor = extractor_create(&extract),
                        .canary = hr_digest_keyed(&key, HR_SPAN(CANARY))};
    struct http_context *h = http_context_create(&http, &callbacks);
    struct http_conn *c = http_conn_create(h, false, &o);
    struct fuzz_record record;
    uint64_t sent[2] = {0, 0};
    for (uint64_t i = 1; i <= RECORD_LIMIT && fuzz_next(&rest, &record); i++) {
        feed(c, i % 2 == 1 ? 0 : 1, sent, record.bytes, i);
        free(record.block);
    }
    http_conn_finish(c);
    http_conn_destroy(c);
    http_context_destroy(h);
    extractor_destroy(o.extractor);
    return o.sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    LAW(hr_digest_setup() == 0);
    uint64_t sum = play(hr_span_of(data, size));
    LAW(size % 8 != 0 || sum == play(hr_span_of(data, size)));
    return 0;
}
