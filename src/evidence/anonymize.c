/*
 * A frame is written anew from nothing: the decoder tells what stands where, and only what it tells
 * of is copied, with its addresses replaced; payloads come from the images of their connections. So
 * what nobody knows stays 0. Checksums are moved by what was changed under them (RFC 1624), so one
 * that was wrong stays wrong. Datagrams that came in fragments are written as a whole and cut up
 * again.
 */
#include "evidence/anonymize.h"

#include "base/alloc.h"
#include "evidence/addresses.h"
#include "evidence/disguise.h"
#include "evidence/image.h"
#include "evidence/pieces.h"

#include <stdlib.h>
#include <zlib.h>

enum { CHECKS_MOST = 64, ETHERNET = 1, FCS_BYTES = 4 };

/* Bytes, and what is written for them. */
struct area {
    const uint8_t *old;
    size_t len;
    uint8_t *new;
};

/* A checksum over bytes of an area. */
struct check {
    struct area area;
    size_t from;
    size_t to;
    size_t at;
    uint32_t pseudo_old; /* sum of the addresses that count in as well */
    uint32_t pseudo_new;
    bool zero_is_none;
};

struct anonymizer {
    struct evidence *evidence;
    struct addresses *addresses;
    struct disguise *words;
    struct images *images;
    struct piece_table *fragments;
    uint8_t **frames;   /* what is written for each, by number */
    unsigned *segments; /* that came out of each */
    bool is_second;     /* the images are ready: frames are written */
    size_t number;      /* of the frame being worked on */
    unsigned nth;
    struct area frame;
    struct area datagram;       /* that it made whole; new NULL: none */
    const struct piece *pieces; /* of that */
    size_t piece_count;
    struct hr_arena arena; /* of that frame */
    struct check checks[CHECKS_MOST];
    size_t check_count;
    uint32_t pseudo_old;
    uint32_t pseudo_new;
};

/* --- sums ------------------------------------------------------------------------------------- */

static uint32_t fold(uint64_t sum)
{
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint32_t)sum;
}

/* As 16-bit numbers, an odd byte in front of a 0. */
static uint32_t sum_of(const uint8_t *bytes, size_t len)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    }
    return fold(sum);
}

static void settle_check(const struct check *c)
{
    const uint8_t *old = c->area.old + c->at;
    uint8_t *new = c->area.new + c->at;
    uint32_t stated = (uint32_t)(old[0] << 8 | old[1]);
    new[0] = new[1] = 0;
    if (stated == 0 && c->zero_is_none) {
        return;
    }
    /* ~new = ~old - what was + what is; the field itself counts as 0 on both sides. */
    uint32_t sum_old = fold((uint64_t)sum_of(c->area.old + c->from, c->to - c->from) +
                            (0xffff - stated) + c->pseudo_old);
    uint32_t sum_new =
        fold((uint64_t)sum_of(c->area.new + c->from, c->to - c->from) + c->pseudo_new);
    uint32_t moved = fold((uint64_t)(0xffff - stated) + (0xffff - sum_old) + sum_new);
    uint32_t result = 0xffff - moved;
    result = result == 0 && c->zero_is_none ? 0xffff : result;
    new[0] = (uint8_t)(result >> 8);
    new[1] = (uint8_t)result;
}

static void add_check(struct anonymizer *z, const struct check *c)
{
    if (z->check_count < CHECKS_MOST && c->at + 2 <= c->to) {
        z->checks[z->check_count++] = *c;
    }
}

/* --- parts ------------------------------------------------------------------------------------ */

/* @return the area that the bytes lie in; NULL: in none that is written */
static const struct area *area_of(const struct anonymizer *z, struct hr_span bytes, size_t *ret_at)
{
    const struct area *areas[] = {&z->datagram, &z->frame};
    const uint8_t *p = (const uint8_t *)bytes.ptr;
    for (size_t i = 0; i < HR_ARRAY_LEN(areas); i++) {
        const struct area *a = areas[i];
        if (a->new != NULL && p >= a->old &&p + bytes.len <= a->old + a->len) {
            *ret_at = (size_t)(p - a->old);
            return a;
        }
    }
    return NULL;
}

static void write_ip4(struct anonymizer *z, const struct area *a, size_t at)
{
    uint8_t *new = a->new + at;
    size_t header = (size_t)(a->old[at] & 15) * 4;
    memcpy(new, a->old + at, 20);
    addresses_replace_ip4(z->addresses, new + 12);
    addresses_replace_ip4(z->addresses, new + 16);
    memset(new + 20, 1, header - 20); /* options hold addresses: none (RFC 791 3.1) */
    z->pseudo_old = sum_of(a->old + at + 12, 8);
    z->pseudo_new = sum_of(new + 12, 8);
    add_check(z, &(struct check){.area = *a, .from = at, .to = at + header, .at = at + 10});
}

static void write_ip6(struct anonymizer *z, const struct area *a, size_t at)
{
    uint8_t *new = a->new + at;
    memcpy(new, a->old + at, 40);
    addresses_replace_ip6(z->addresses, new + 8);
    addresses_replace_ip6(z->addresses, new + 24);
    z->pseudo_old = sum_of(a->old + at + 8, 32);
    z->pseudo_new = sum_of(new + 8, 32);
}

/* Options that say nothing of anybody stay: window, MSS, scale, SACK, times. */
static void write_tcp_options(const uint8_t *old, uint8_t *new, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint8_t kind = old[i];
        size_t n = kind <= 1 || i + 1 >= len ? 1 : old[i + 1];
        if (kind == 0 || n == 0 || n > len - i) {
            return;
        }
        if (kind <= 5 || kind == 8) {
            memcpy(new + i, old + i, n);
        } else {
            memset(new + i, 1, n);
        }
        i += n;
    }
}

static void write_tcp(struct anonymizer *z, const struct area *a, size_t at, size_t len)
{
    size_t header = (size_t)(a->old[at + 12] >> 4) * 4;
    header = header < len ? header : len;
    memcpy(a->new + at, a->old + at, 20);
    write_tcp_options(a->old + at + 20, a->new + at + 20, header - 20);
    add_check(z, &(struct check){.area = *a,
                                 .from = at,
                                 .to = at + len,
                                 .at = at + 16,
                                 .pseudo_old = z->pseudo_old,
                                 .pseudo_new = z->pseudo_new});
}

static void on_part(enum decode_part part, struct hr_span bytes, void *user)
{
    struct anonymizer *z = user;
    size_t at = 0;
    const struct area *a = z->is_second ? area_of(z, bytes, &at) : NULL;
    if (a == NULL) {
        return;
    }
    switch (part) {
    case DECODE_PART_HEADER:
        memcpy(a->new + at, a->old + at, bytes.len);
        break;
    case DECODE_PART_MAC:
        memcpy(a->new + at, a->old + at, bytes.len);
        addresses_replace_mac(z->addresses, a->new + at);
        break;
    case DECODE_PART_IP4:
        write_ip4(z, a, at);
        break;
    case DECODE_PART_IP6:
        write_ip6(z, a, at);
        break;
    case DECODE_PART_EXTENSION: /* the kind of the next and its own length; the rest is padding */
        memcpy(a->new + at, a->old + at, 2);
        break;
    case DECODE_PART_UDP:
        memcpy(a->new + at, a->old + at, 8);
        add_check(z, &(struct check){.area = *a,
                                     .from = at,
                                     .to = at + bytes.len,
                                     .at = at + 6,
                                     .pseudo_old = z->pseudo_old,
                                     .pseudo_new = z->pseudo_new,
                                     .zero_is_none = true});
        break;
    case DECODE_PART_TCP:
        write_tcp(z, a, at, bytes.len);
        break;
    }
}

static void on_fragment(const struct fragment *f, void *user)
{
    struct anonymizer *z = user;
    size_t at = 0;
    const struct area *a = area_of(z, f->data, &at);
    if (z->is_second && a != NULL && a->new == z->frame.new) {
        struct piece piece = {.frame = z->number, .offset = f->offset, .data = f->data};
        piece_table_add(z->fragments, f, &piece);
    }
}

static void settle(struct anonymizer *z)
{
    while (z->check_count > 0) { /* inner ones first: outer ones count them */
        settle_check(&z->checks[--z->check_count]);
    }
}

static void on_datagram(const struct fragment *f, struct hr_span whole, void *user)
{
    struct anonymizer *z = user;
    if (!z->is_second) {
        return;
    }
    settle(z); /* what was told so far is of the frame */
    z->piece_count = piece_table_take(z->fragments, f, &z->pieces);
    z->datagram = (struct area){
        .old = (const uint8_t *)whole.ptr,
        .len = whole.len,
        .new = hr_arena_alloc(&z->arena, whole.len + 1),
    };
}

/* --- frames ----------------------------------------------------------------------------------- */

static const struct evidence_segment *find_segment(const struct anonymizer *z)
{
    const struct evidence *e = z->evidence;
    const struct evidence_frame *f = &e->frames[z->number];
    size_t low = 0;
    size_t high = e->segment_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct evidence_segment *s = &e->segments[middle];
        bool is_before = s->source != f->source        ? s->source < f->source
                         : s->frame != f->packet.frame ? s->frame < f->packet.frame
                                                       : s->nth < z->nth;
        low = is_before ? middle + 1 : low;
        high = is_before ? high : middle;
    }
    const struct evidence_segment *s = low < e->segment_count ? &e->segments[low] : NULL;
    bool is_it =
        s != NULL && s->source == f->source && s->frame == f->packet.frame && s->nth == z->nth;
    return is_it ? s : NULL;
}

static void on_segment(const struct tcp_segment *segment, void *user)
{
    struct anonymizer *z = user;
    const struct evidence_segment *s = find_segment(z);
    size_t at = 0;
    z->nth++;
    if (s == NULL) {
        return; /* of a connection that is not wanted: its payload stays blank */
    }
    if (!z->is_second) {
        images_add(z->images, s, segment->payload);
        return;
    }
    const struct area *a = area_of(z, segment->payload, &at);
    if (a != NULL && segment->payload.len > 0) {
        images_get(z->images, s, segment->payload, a->new + at);
    }
}

/* A datagram that is whole now goes to the frames that its pieces came in. */
static void cut_up(struct anonymizer *z)
{
    for (size_t i = 0; i < z->piece_count; i++) {
        const struct piece *p = &z->pieces[i];
        const struct packet *packet = &z->evidence->frames[p->frame].packet;
        size_t at = (size_t)((const uint8_t *)p->data.ptr - packet->data);
        for (size_t k = 0; k < p->data.len && p->offset + k < z->datagram.len; k++) {
            bool is_same = (uint8_t)p->data.ptr[k] == z->datagram.old[p->offset + k];
            z->frames[p->frame][at + k] = is_same ? z->datagram.new[p->offset + k] : 0;
        }
    }
}

static void settle_fcs(const struct anonymizer *z, const struct packet *p)
{
    size_t len = p->captured_bytes;
    if (p->link_type != ETHERNET || p->wire_bytes != len || len < 60 + FCS_BYTES) {
        return;
    }
    uint32_t crc = (uint32_t)crc32(0, p->data, (uInt)len - FCS_BYTES);
    uint8_t stated[FCS_BYTES] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                                 (uint8_t)(crc >> 24)};
    if (memcmp(stated, p->data + len - FCS_BYTES, FCS_BYTES) == 0) {
        crc = (uint32_t)crc32(0, z->frame.new, (uInt)len - FCS_BYTES);
        for (unsigned i = 0; i < FCS_BYTES; i++) {
            z->frame.new[len - FCS_BYTES + i] = (uint8_t)(crc >> 8 * i);
        }
    }
}

/* The first collects payloads, the second writes. */
static void pass(struct anonymizer *z, const struct decode_config *config, bool is_second)
{
    struct decoder *d = decoder_create(config, on_segment, z);
    decoder_watch(
        d, &(struct decode_watch){
               .part = on_part, .fragment = on_fragment, .datagram = on_datagram, .user = z});
    z->is_second = is_second;
    for (z->number = 0; z->number < z->evidence->frame_count; z->number++) {
        const struct packet *p = &z->evidence->frames[z->number].packet;
        z->nth = 0;
        z->frame = (struct area){p->data, p->captured_bytes, z->frames[z->number]};
        z->datagram = (struct area){.new = NULL};
        z->piece_count = 0;
        decoder_feed(d, p);
        z->segments[z->number] = z->nth;
        if (is_second) {
            settle(z);
            cut_up(z);
            settle_fcs(z, p);
        }
        hr_arena_reset(&z->arena);
    }
    decoder_destroy(d);
}

/* Does every frame still hold as many segments as it did? */
struct recount {
    unsigned count;
};

static void count_segment(const struct tcp_segment *segment, void *user)
{
    struct recount *r = user;
    (void)segment;
    r->count++;
}

static size_t count_blanked(const struct anonymizer *z, const struct decode_config *config)
{
    struct recount r;
    size_t blanked = 0;
    struct decoder *d = decoder_create(config, count_segment, &r);
    for (size_t i = 0; i < z->evidence->frame_count; i++) {
        struct packet p = z->evidence->frames[i].packet;
        p.data = z->frames[i];
        r.count = 0;
        decoder_feed(d, &p);
        blanked += r.count != z->segments[i];
    }
    decoder_destroy(d);
    return blanked;
}

void anonymize(struct evidence *e, const struct hr_key *key, const struct decode_config *decode,
               struct evidence_result *result)
{
    struct anonymizer z = {
        .evidence = e,
        .addresses = addresses_create(key),
        .images = images_create(e),
        .fragments = piece_table_create(decode->fragment_timeout),
        .frames = hr_xcalloc(e->frame_count + 1, sizeof(*z.frames)),
        .segments = hr_xcalloc(e->frame_count + 1, sizeof(*z.segments)),
    };
    z.words = disguise_create(key, z.addresses);
    hr_arena_init(&z.arena);
    for (size_t i = 0; i < e->frame_count; i++) {
        z.frames[i] = hr_arena_alloc(&e->arena, e->frames[i].packet.captured_bytes + 1);
    }
    pass(&z, decode, false);
    result->blanked_bodies = images_rewrite(z.images, z.words);
    pass(&z, decode, true);
    result->blanked_frames = count_blanked(&z, decode);
    for (size_t i = 0; i < e->frame_count; i++) {
        e->frames[i].packet.data = z.frames[i];
    }
    hr_arena_finish(&z.arena);
    piece_table_destroy(z.fragments);
    images_destroy(z.images);
    disguise_destroy(z.words);
    addresses_destroy(z.addresses);
    free(z.frames);
    free(z.segments);
}
