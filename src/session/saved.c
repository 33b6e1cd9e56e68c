/*
 * What was learned, as bytes: numbers in LEB128, hashes in eight bytes, the lowest first; texts
 * with their length + 1 before them (0: none). Tables in order of their hashes.
 */
#include "base/alloc.h"
#include "session/learner.h"

#include <stdlib.h>

/* --- out -------------------------------------------------------------------------------------- */

static void put_number(struct hr_buf *out, uint64_t n)
{
    for (; n >= 128; n >>= 7) {
        hr_buf_append_char(out, (char)(n | 128));
    }
    hr_buf_append_char(out, (char)n);
}

/* Small where it is near 0. */
static void put_signed(struct hr_buf *out, int64_t n)
{
    put_number(out, ((uint64_t)n << 1) ^ (n < 0 ? UINT64_MAX : 0));
}

static void put_hash(struct hr_buf *out, uint64_t hash)
{
    for (int i = 0; i < 64; i += 8) {
        hr_buf_append_char(out, (char)(hash >> i));
    }
}

static void put_text(struct hr_buf *out, const char *text)
{
    const struct hr_span s = hr_span_str(text);
    put_number(out, text == NULL ? 0 : (uint64_t)s.len + 1);
    hr_buf_append(out, s);
}

static void put_carrier(struct hr_buf *out, const struct learn_entry *entry)
{
    const struct learn_carrier *c = (const struct learn_carrier *)entry;
    put_number(out, c->carrier);
    put_signed(out, c->id);
    put_text(out, c->name);
}

static void put_endpoint(struct hr_buf *out, const struct learn_entry *entry)
{
    const struct learn_endpoint *e = (const struct learn_endpoint *)entry;
    put_text(out, e->method);
    put_text(out, e->path);
}

static void put_kind(struct hr_buf *out, const struct learn_entry *entry)
{
    const struct learn_kind *k = (const struct learn_kind *)entry;
    put_hash(out, k->endpoint);
    put_number(out, k->status);
    put_number(out, k->flags);
    put_text(out, k->location);
    put_text(out, k->location_path);
    put_hash(out, k->answer);
    put_number(out, k->use_count);
    for (size_t i = 0; i < k->use_count; i++) {
        put_hash(out, k->uses[i].carrier);
        put_number(out, k->uses[i].bits);
    }
    put_number(out, k->count);
    put_signed(out, k->example.at);
    put_number(out, k->example.frame);
    put_number(out, k->example.capture);
}

static void put_token(struct hr_buf *out, const struct learn_entry *entry)
{
    const struct learn_token *t = (const struct learn_token *)entry;
    hr_nsec before = 0;
    put_hash(out, t->carrier);
    put_number(out, t->set_count);
    put_number(out, t->event_count);
    for (size_t i = 0; i < t->event_count; i++) {
        const struct learn_event *e = &t->events[i];
        put_signed(out, (int64_t)((uint64_t)e->start - (uint64_t)before));
        put_signed(out, (int64_t)((uint64_t)e->end - (uint64_t)e->start));
        put_hash(out, e->kind);
        put_hash(out, e->place);
        put_number(out, e->bits);
        before = e->start;
    }
}

static void put_table(struct hr_buf *out, struct learn_table *t,
                      void (*put)(struct hr_buf *out, const struct learn_entry *e))
{
    learn_table_trim(t);
    struct learn_entry **sorted = learn_table_sorted(t);
    put_hash(out, t->threshold);
    put_number(out, t->count);
    for (size_t i = 0; i < t->count; i++) {
        put_hash(out, sorted[i]->hash);
        put(out, sorted[i]);
    }
    free(sorted);
}

bool site_learner_has_profile(const struct site_learner *l)
{
    return l->profile != NULL;
}

void site_learner_save(struct site_learner *l, struct hr_buf *out)
{
    put_number(out, l->has_capture);
    put_number(out, l->capture);
    put_table(out, &l->carriers, put_carrier);
    put_table(out, &l->endpoints, put_endpoint);
    put_table(out, &l->kinds, put_kind);
    put_table(out, &l->tokens, put_token);
}

/* --- in --------------------------------------------------------------------------------------- */

struct reader {
    struct hr_span rest;
    bool is_bad;
};

static unsigned char take_byte(struct reader *r)
{
    if (r->rest.len == 0) {
        r->is_bad = true;
        return 0;
    }
    const unsigned char byte = (unsigned char)*r->rest.ptr;
    r->rest.ptr++;
    r->rest.len--;
    return byte;
}

/** @return a number up to max; 0 where there is none */
static uint64_t take_number(struct reader *r, uint64_t max)
{
    uint64_t n = 0;
    unsigned char byte = 128;
    for (unsigned shift = 0; byte >= 128 && !r->is_bad; shift += 7) {
        byte = take_byte(r);
        const uint64_t bits = byte & 127;
        r->is_bad = r->is_bad || shift > 63 || (bits << shift) >> shift != bits;
        n |= r->is_bad ? 0 : bits << shift;
    }
    r->is_bad = r->is_bad || n > max;
    return r->is_bad ? 0 : n;
}

static int64_t take_signed(struct reader *r)
{
    const uint64_t n = take_number(r, UINT64_MAX);
    return (int64_t)((n >> 1) ^ ((n & 1) != 0 ? UINT64_MAX : 0));
}

static uint64_t take_hash(struct reader *r)
{
    uint64_t hash = 0;
    for (int i = 0; i < 64; i += 8) {
        hash |= (uint64_t)take_byte(r) << i;
    }
    return hash;
}

/** @return owned; NULL: none */
static char *take_text(struct reader *r)
{
    const uint64_t size = take_number(r, (uint64_t)r->rest.len + 1);
    if (size == 0 || size - 1 > r->rest.len) {
        r->is_bad = r->is_bad || size != 0;
        return NULL;
    }
    char *text = hr_xstrndup(r->rest.ptr, (size_t)size - 1);
    r->rest = hr_span_slice(r->rest, (size_t)size - 1, r->rest.len);
    return text;
}

/* As take_text(), where there must be one. */
static char *take_name(struct reader *r)
{
    char *text = take_text(r);
    r->is_bad = r->is_bad || text == NULL;
    return text;
}

static void take_carrier(struct reader *r, struct learn_entry *entry)
{
    struct learn_carrier *c = (struct learn_carrier *)entry;
    c->carrier = (enum token_carrier)take_number(r, TOKEN_USER_QUERY);
    c->id = take_signed(r);
    c->name = take_name(r);
    r->is_bad = r->is_bad || c->carrier == 0;
}

static void take_endpoint(struct reader *r, struct learn_entry *entry)
{
    struct learn_endpoint *e = (struct learn_endpoint *)entry;
    e->method = take_name(r);
    e->path = take_name(r);
}

static void take_kind(struct reader *r, struct learn_entry *entry)
{
    struct learn_kind *k = (struct learn_kind *)entry;
    k->endpoint = take_hash(r);
    k->status = (unsigned)take_number(r, 999);
    k->flags = (uint32_t)take_number(r, UINT32_MAX);
    k->location = take_text(r);
    k->location_path = take_text(r);
    k->answer = take_hash(r);
    k->use_count = (size_t)take_number(r, FACTS_TOKEN_LIMIT);
    k->uses = k->use_count == 0 ? NULL : hr_xcalloc(k->use_count, sizeof(*k->uses));
    for (size_t i = 0; i < k->use_count; i++) {
        k->uses[i].carrier = take_hash(r);
        k->uses[i].bits = (unsigned)take_number(r, UINT32_MAX);
    }
    k->count = take_number(r, UINT64_MAX);
    k->example.at = take_signed(r);
    k->example.frame = take_number(r, UINT64_MAX);
    k->example.capture = (size_t)take_number(r, SIZE_MAX);
}

static void take_token(struct reader *r, struct learn_entry *entry)
{
    struct learn_token *t = (struct learn_token *)entry;
    uint64_t before = 0;
    t->carrier = take_hash(r);
    t->set_count = take_number(r, UINT64_MAX);
    t->event_count = (size_t)take_number(r, LEARN_EVENTS);
    t->events = hr_xcalloc(LEARN_EVENTS, sizeof(*t->events));
    for (size_t i = 0; i < t->event_count; i++) {
        struct learn_event *e = &t->events[i];
        before += (uint64_t)take_signed(r);
        e->start = (hr_nsec)before;
        e->end = (hr_nsec)(before + (uint64_t)take_signed(r));
        e->kind = take_hash(r);
        e->place = take_hash(r);
        e->bits = (unsigned)take_number(r, UINT32_MAX);
    }
}

static void take_table(struct reader *r, struct learn_table *t, size_t entry_bytes,
                       void (*take)(struct reader *r, struct learn_entry *e))
{
    const uint64_t threshold = take_hash(r);
    const uint64_t count = take_number(r, t->limit);
    for (uint64_t i = 0; i < count && !r->is_bad; i++) {
        bool is_new = false;
        struct learn_entry *e = learn_table_add(t, take_hash(r), entry_bytes, &is_new);
        if (e == NULL || !is_new || e->hash > threshold) {
            r->is_bad = true;
        } else {
            take(r, e);
        }
    }
    t->threshold = threshold;
}

struct site_learner *site_learner_load(struct hr_span site, struct hr_span bytes)
{
    struct reader r = {.rest = bytes};
    struct site_learner *l = site_learner_create(site, NULL);
    l->has_capture = take_number(&r, 1) != 0;
    l->capture = (size_t)take_number(&r, SIZE_MAX);
    take_table(&r, &l->carriers, sizeof(struct learn_carrier), take_carrier);
    take_table(&r, &l->endpoints, sizeof(struct learn_endpoint), take_endpoint);
    take_table(&r, &l->kinds, sizeof(struct learn_kind), take_kind);
    take_table(&r, &l->tokens, sizeof(struct learn_token), take_token);
    if (r.is_bad || r.rest.len > 0) {
        site_learner_destroy(l);
        return NULL;
    }
    return l;
}
