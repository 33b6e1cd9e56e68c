/*
 * IP fragments: what is put together is made of what came, piece by piece at its place, and the
 * bounds are kept. A record: four bytes of header, then the data.
 */
#include "decode/fragment.h"

#include "fuzz.h"

enum { FRAGMENT_LIMIT = 256 };

struct given {
    struct fragment f;
    char *bytes;
};

struct world {
    struct given given[FRAGMENT_LIMIT];
    size_t count;
    struct decode_counters counters;
    uint64_t joined;
};

static bool is_same_datagram(const struct fragment *a, const struct fragment *b)
{
    return a->id == b->id && a->network == b->network && a->is_ip6 == b->is_ip6 &&
           (a->is_ip6 || a->protocol == b->protocol) &&
           memcmp(&a->source, &b->source, sizeof(a->source)) == 0;
}

/* Whether a fragment that came has that byte at that place. */
static bool was_given(const struct world *w, const struct fragment *last, size_t at, char byte)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct fragment *f = &w->given[i].f;
        if (is_same_datagram(f, last) && at >= f->offset && at - f->offset < f->data.len &&
            w->given[i].bytes[at - f->offset] == byte) {
            return true;
        }
    }
    return false;
}

static void check_datagram(struct world *w, const struct fragment *last, const struct datagram *d)
{
    bool protocol_known = false;
    bool selected = false;
    LAW(d->data.len > 0 && d->data.len <= 65535);
    for (size_t i = 0; i < d->data.len; i++) {
        LAW(was_given(w, last, i, d->data.ptr[i]));
    }
    for (size_t i = 0; i < w->count; i++) {
        const struct fragment *f = &w->given[i].f;
        bool is_part = is_same_datagram(f, last);
        protocol_known = protocol_known || (is_part && f->protocol == d->protocol);
        selected = selected || (is_part && f->selected);
    }
    LAW(protocol_known);
    LAW(selected || !d->selected);
    w->joined++;
}

static struct fragment read_fragment(struct hr_span record, hr_nsec *at, bool *ret_is_long)
{
    uint8_t bits = fuzz_u8(&record);
    uint8_t name = fuzz_u8(&record);
    uint16_t place = fuzz_u16(&record);
    *at += (bits & 0x80 ? 11 * HR_NSEC_PER_SEC : 1) - (bits & 0x40 ? 5 * HR_NSEC_PER_SEC : 0);
    *ret_is_long = (bits & 32) != 0;
    struct fragment f = {
        .id = name & 7,
        .network = name >> 7,
        .protocol = bits & 4 ? 6 : 17,
        .is_ip6 = (bits & 8) != 0,
        .more = (bits & 1) != 0,
        .selected = (bits & 16) != 0,
        .offset = (place & 0x1fffu) * 8,
        .data = record,
        .at = *at,
    };
    f.source.bytes[0] = name >> 6 & 1;
    return f;
}

/* @return what stays of the data; its copies one behind the other where it is to be long */
static char *keep_bytes(struct hr_span data, size_t copies)
{
    char *bytes = hr_xmalloc(data.len * copies);
    for (size_t i = 0; i < copies && data.len > 0; i++) {
        memcpy(bytes + i * data.len, data.ptr, data.len);
    }
    return bytes;
}

static void feed(struct world *w, struct fragment_table *t, struct hr_span record, hr_nsec *at)
{
    bool is_long;
    struct given *g = &w->given[w->count++];
    struct datagram d = {
        .data = {NULL, 0}
    };
    g->f = read_fragment(record, at, &is_long);
    size_t copies = is_long ? 64 : 1;
    g->bytes = keep_bytes(g->f.data, copies);
    g->f.data = hr_span_of(g->bytes, g->f.data.len * copies);
    if (fragment_table_feed(t, &g->f, &d)) {
        check_datagram(w, &g->f, &d);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct decode_config config = {
        .fragment_budget_bytes = 60000,
        .fragment_limit = 3,
        .fragment_timeout = 30 * HR_NSEC_PER_SEC,
    };
    struct world *w = hr_xcalloc(1, sizeof(*w));
    struct fragment_table *t = fragment_table_create(&config, &w->counters);
    struct hr_span rest = hr_span_of(data, size);
    struct fuzz_record record;
    hr_nsec at = 100 * HR_NSEC_PER_SEC;
    while (w->count < FRAGMENT_LIMIT && fuzz_next(&rest, &record)) {
        feed(w, t, record.bytes, &at);
        free(record.block);
    }
    LAW(w->counters.fragments_joined == w->joined);
    LAW(w->counters.fragments_dropped <= w->count);
    fragment_table_destroy(t);
    for (size_t i = 0; i < w->count; i++) {
        free(w->given[i].bytes);
    }
    free(w);
    return 0;
}
