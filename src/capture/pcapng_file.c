/*
 * pcapng, draft-ietf-opsawg-pcapng. Sections follow each other, each with its own byte order and
 * its own interfaces; an interface has a link type, a snap length and a clock. Blocks are looked at
 * in the input's buffer, so a frame is never copied. A block is handed out or skipped when its
 * length stands the test at both ends.
 */
#include "base/alloc.h"
#include "capture/ahead.h"
#include "capture/file.h"
#include "capture/note.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET_OLD = 2,
    BLOCK_PACKET_SIMPLE = 3,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,
};

/* No frames, but Wireshark gives them numbers: journal entries, custom blocks, system calls. */
static const uint32_t numbered_blocks[] = {9,     0xbad, 0x40000bad, 0x204, 0x208,
                                           0x216, 0x217, 0x221,      0x222};

enum {
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_IF_TSRESOL = 9,
    OPTION_IF_TSOFFSET = 14,
    OPTION_ISB_IFDROP = 5,
    OPTION_ISB_OSDROP = 7,
    OPTION_EPB_DROPCOUNT = 4,
};

#define INTERFACE_LIMIT                                                                            \
    65536u /* of one section; a capture of all containers of a host stays below */
#define MAGIC_ORDER 0x1a2b3c4du

struct interface {
    uint32_t link_type;
    uint32_t snap_bytes; /* 0: none */
    uint8_t resolution;  /* as if_tsresol: 10^-n, or 2^-n with the top bit */
    int64_t offset_seconds;
    uint64_t dropped_if; /* as statistics last reported */
    uint64_t dropped_os;
    uint64_t dropped_epb;  /* as frames reported, added up */
    uint64_t dropped;      /* accounted for: the two tell of the same frames */
    hr_nsec last_at;       /* of its last frame; HR_NSEC_INFINITE: none yet */
    hr_nsec statistics_at; /* last_at of the file when it last reported */
};

struct pcapng_reader {
    struct capture_file *file;
    bool is_little; /* this section */
    struct interface *interfaces;
    size_t interface_count;
    size_t interface_capacity;
    bool has_link_type; /* the file's info has the first interface's */
    size_t consume;     /* the block that was handed out last */
    struct ahead ahead; /* counts enhanced packet blocks alone */
    uint64_t frames;    /* of these, so far */
    hr_nsec last_at;    /* for blocks without a time */
};

struct block {
    uint32_t type;
    const uint8_t *body;
    size_t len;
    uint64_t offset; /* of the block in the file */
};

static uint16_t get_u16(const struct pcapng_reader *r, const uint8_t *p)
{
    return (uint16_t)(r->is_little ? p[1] << 8 | p[0] : p[0] << 8 | p[1]);
}

static uint32_t get_u32(const struct pcapng_reader *r, const uint8_t *p)
{
    return r->is_little ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0]
                        : (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t get_u64(const struct pcapng_reader *r, const uint8_t *p)
{
    uint64_t a = get_u32(r, p);
    uint64_t b = get_u32(r, p + 4);
    return r->is_little ? b << 32 | a : a << 32 | b;
}

/* Called for each option whose bytes lie inside the block. */
typedef void (*option_fn)(const struct pcapng_reader *r, struct interface *i, uint16_t code,
                          struct hr_span value);

/* Options end where they say so, or where the block ends; what does not fit is left out. */
static void each_option(const struct pcapng_reader *r, struct interface *i, struct hr_span options,
                        option_fn fn)
{
    const uint8_t *p = (const uint8_t *)options.ptr;
    size_t left = options.len;
    while (left >= 4) {
        uint16_t code = get_u16(r, p);
        size_t len = get_u16(r, p + 2);
        size_t padded = (len + 3) & ~(size_t)3;
        if (code == OPTION_END || len > left - 4) {
            return;
        }
        fn(r, i, code, hr_span_of(p + 4, len));
        if (padded > left - 4) {
            return;
        }
        p += 4 + padded;
        left -= 4 + padded;
    }
}

bool pcapng_reader_knows(const uint8_t *head, size_t len)
{
    static const uint8_t little[] = {0x4d, 0x3c, 0x2b, 0x1a};
    static const uint8_t big[] = {0x1a, 0x2b, 0x3c, 0x4d};
    return len >= 12 && memcmp(head, "\n\r\r\n", 4) == 0 &&
           (memcmp(head + 8, little, 4) == 0 || memcmp(head + 8, big, 4) == 0);
}

struct pcapng_reader *pcapng_reader_open(struct capture_file *f)
{
    f->info.has_nanoseconds = false;
    struct pcapng_reader *r = hr_xcalloc(1, sizeof(*r));
    r->file = f;
    return r;
}

void pcapng_reader_close(struct pcapng_reader *r)
{
    if (r != NULL) {
        free(r->interfaces);
        free(r);
    }
}

static bool corrupt(struct capture_file *f, uint64_t offset, const char *what)
{
    capture_file_fail(f, -EBADMSG, "corrupt at byte %" PRIu64 ", behind frame %" PRIu64 " (%s)",
                      offset, f->number, what);
    return false;
}

static bool cut_off(struct capture_file *f, size_t have)
{
    const struct stream_state *state = input_state(f->input);
    if (state->error != 0) {
        capture_file_fail(f, state->error, "%s", state->error_text);
    } else {
        capture_file_fail(f, -EBADMSG,
                          "cut off in the middle of a block at byte %" PRIu64
                          ", behind frame %" PRIu64,
                          input_offset(f->input) + have, f->number);
    }
    return false;
}

/* The byte order comes before the length, for the length is written in it. */
static bool take_byte_order(struct pcapng_reader *r, struct capture_file *f, const uint8_t *head)
{
    if (!pcapng_reader_knows(head, 12)) {
        return corrupt(f, input_offset(f->input), "a section without a byte order");
    }
    r->is_little = head[8] == 0x4d;
    return true;
}

/* Whether frames, interfaces or clocks are told by it; all others are skipped unread. */
static bool is_read(uint32_t type)
{
    return type == BLOCK_SECTION || type == BLOCK_INTERFACE || type == BLOCK_PACKET_OLD ||
           type == BLOCK_PACKET_SIMPLE || type == BLOCK_STATISTICS || type == BLOCK_PACKET;
}

static bool skip_block(struct capture_file *f, uint32_t type, uint64_t len)
{
    uint64_t done = input_skip(f->input, len);
    if (done < len) {
        return cut_off(f, 0);
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(numbered_blocks); i++) {
        f->number += numbered_blocks[i] == type;
    }
    return true;
}

/* @return whether there is a block; its type and body (NULL: skipped) in *ret_block */
static bool next_block(struct pcapng_reader *r, struct capture_file *f, struct block *ret_block)
{
    size_t have;
    input_consume(f->input, r->consume);
    r->consume = 0;
    const uint8_t *head = input_peek(f->input, 12, &have);
    uint64_t offset = input_offset(f->input);
    if (have == 0 && input_state(f->input)->error == 0) {
        return false;
    }
    if (have < 12) {
        return cut_off(f, have);
    }
    bool is_section = memcmp(head, "\n\r\r\n", 4) == 0;
    if (is_section && !take_byte_order(r, f, head)) {
        return false;
    }
    uint32_t type = is_section ? BLOCK_SECTION : get_u32(r, head);
    uint32_t stated = get_u32(r, head + 4);
    uint64_t len = ((uint64_t)stated + 3) & ~UINT64_C(3); /* writers forget the padding in it */
    *ret_block = (struct block){.type = type, .offset = offset};
    if (len < 12) {
        return corrupt(f, offset, "a block shorter than its own frame");
    }
    if (!is_read(type)) {
        return skip_block(f, type, len);
    }
    if (len > INPUT_PEEK_LIMIT) {
        return corrupt(f, offset, "a block of more than 16 MiB");
    }
    head = input_peek(f->input, (size_t)len, &have);
    if (have < len) {
        return cut_off(f, have);
    }
    if (get_u32(r, head + len - 4) != stated) {
        return corrupt(f, offset, "the lengths at both ends of a block differ");
    }
    ret_block->body = head + 8;
    ret_block->len = (size_t)len - 12;
    r->consume = (size_t)len;
    return true;
}

static void take_section_option(const struct pcapng_reader *r, struct interface *i, uint16_t code,
                                struct hr_span value)
{
    (void)i;
    if (code == OPTION_COMMENT) {
        capture_note_comment(&r->file->info, "section", value);
    }
}

static bool take_section(struct pcapng_reader *r, struct capture_file *f, const struct block *b)
{
    if (b->len < 16) {
        return corrupt(f, b->offset, "a section header that is too short");
    }
    uint16_t major = get_u16(r, b->body + 4);
    uint16_t minor = get_u16(r, b->body + 6);
    if (major != 1 || (minor != 0 && minor != 2)) {
        capture_file_fail(f, -EBADMSG,
                          "pcapng version %u.%u at byte %" PRIu64 ", which is not known", major,
                          minor, b->offset);
        return false;
    }
    r->interface_count = 0;
    each_option(r, NULL, hr_span_of(b->body + 16, b->len - 16), take_section_option);
    return true;
}

static void take_interface_option(const struct pcapng_reader *r, struct interface *i, uint16_t code,
                                  struct hr_span value)
{
    const uint8_t *p = (const uint8_t *)value.ptr;
    if (code == OPTION_IF_TSRESOL && value.len == 1) {
        i->resolution = p[0];
    } else if (code == OPTION_IF_TSOFFSET && value.len == 8) {
        i->offset_seconds = (int64_t)get_u64(r, p);
    } else if (code == OPTION_COMMENT) {
        char where[32];
        snprintf(where, sizeof(where), "interface %zu", r->interface_count - 1);
        capture_note_comment(&r->file->info, where, value);
    }
}

static bool take_interface(struct pcapng_reader *r, struct capture_file *f, const struct block *b)
{
    if (b->len < 8) {
        return corrupt(f, b->offset, "an interface description that is too short");
    }
    if (r->interface_count == INTERFACE_LIMIT) {
        return corrupt(f, b->offset, "more than 65536 interfaces");
    }
    if (r->interface_count == r->interface_capacity) {
        r->interface_capacity = r->interface_capacity == 0 ? 4 : r->interface_capacity * 2;
        r->interfaces = hr_xrealloc(r->interfaces, r->interface_capacity * sizeof(*r->interfaces));
    }
    struct interface *i = &r->interfaces[r->interface_count++];
    *i = (struct interface){
        .link_type = get_u16(r, b->body),
        .snap_bytes = get_u32(r, b->body + 4),
        .resolution = 6,
        .last_at = HR_NSEC_INFINITE,
        .statistics_at = HR_NSEC_INFINITE,
    };
    each_option(r, i, hr_span_of(b->body + 8, b->len - 8), take_interface_option);
    if ((i->resolution & 0x80) != 0 ? i->resolution > 0x80 + 20 : i->resolution > 6) {
        f->info.has_nanoseconds = true;
    }
    if (!r->has_link_type) {
        r->has_link_type = true;
        f->info.link_type = i->link_type;
        capture_link_name(i->link_type, f->info.link_name, sizeof(f->info.link_name));
    }
    return true;
}

static void take_statistics_option(const struct pcapng_reader *r, struct interface *i,
                                   uint16_t code, struct hr_span value)
{
    if (value.len == 8 && code == OPTION_ISB_IFDROP) {
        i->dropped_if = get_u64(r, (const uint8_t *)value.ptr);
    } else if (value.len == 8 && code == OPTION_ISB_OSDROP) {
        i->dropped_os = get_u64(r, (const uint8_t *)value.ptr);
    }
}

static void note_drops(struct capture_info *info, struct interface *i, uint64_t total,
                       struct capture_drop drop)
{
    if (total <= i->dropped) {
        return;
    }
    drop.count = total - i->dropped;
    i->dropped = total;
    info->dropped_frames += drop.count;
    if (info->drop_count == CAPTURE_DROP_LIMIT) {
        struct capture_drop *last = &info->drops[CAPTURE_DROP_LIMIT - 1];
        last->to_at = drop.to_at > last->to_at ? drop.to_at : last->to_at;
        last->from_at = drop.from_at < last->from_at ? drop.from_at : last->from_at;
        last->count += drop.count;
    } else {
        info->drops[info->drop_count++] = drop;
    }
}

/* The counts run since the start of the capture: the last block of an interface holds its total. */
static bool take_statistics(struct pcapng_reader *r, struct capture_file *f, const struct block *b)
{
    if (b->len < 12 || get_u32(r, b->body) >= r->interface_count) {
        return true; /* says nothing about a known interface: no frame is lost by leaving it out */
    }
    struct interface *i = &r->interfaces[get_u32(r, b->body)];
    each_option(r, i, hr_span_of(b->body + 12, b->len - 12), take_statistics_option);
    bool is_first = i->statistics_at == HR_NSEC_INFINITE;
    hr_nsec now = f->info.frames > 0 ? r->last_at : HR_NSEC_INFINITE;
    note_drops(&f->info, i, i->dropped_if + i->dropped_os,
               (struct capture_drop){.from_at = is_first ? f->info.first_at : i->statistics_at,
                                     .to_at = now});
    i->statistics_at = now;
    return true;
}

static uint64_t power_of_ten(unsigned n)
{
    uint64_t v = 1;
    while (n-- > 0) {
        v *= 10;
    }
    return v;
}

static hr_nsec from_units(uint64_t units, uint8_t resolution)
{
    unsigned n = resolution & 0x7fu;
    uint64_t seconds = 0;
    uint64_t ns = 0;
    if ((resolution & 0x80) != 0) {
        __extension__ typedef unsigned __int128 wide;
        uint64_t rest = n < 64 ? units & ((UINT64_C(1) << n) - 1) : units;
        seconds = n < 64 ? units >> n : 0;
        ns = (uint64_t)(((wide)rest * (uint64_t)HR_NSEC_PER_SEC) >> n);
    } else if (n <= 9) {
        uint64_t per_second = power_of_ten(n);
        seconds = units / per_second;
        ns = units % per_second * power_of_ten(9 - n);
    } else if (n <= 28) { /* ten to the 20th passes any 64-bit number: no whole second in it */
        seconds = n <= 19 ? units / power_of_ten(n) : 0;
        ns = (n <= 19 ? units % power_of_ten(n) : units) / power_of_ten(n - 9);
    }
    return hr_nsec_from(seconds > INT64_MAX ? INT64_MAX : (int64_t)seconds, (int64_t)ns);
}

static hr_nsec time_of(const struct interface *i, uint64_t units)
{
    hr_nsec at;
    if (i->resolution == 9 && units < INT64_MAX) {
        at = (hr_nsec)units;
    } else if (i->resolution == 6 && units < INT64_MAX / 1000) {
        at = (hr_nsec)units * 1000;
    } else {
        at = from_units(units, i->resolution);
    }
    return i->offset_seconds == 0 ? at : hr_nsec_add(at, hr_nsec_from(i->offset_seconds, 0));
}

static void take_frame_option(const struct pcapng_reader *r, struct interface *i, uint16_t code,
                              struct hr_span value)
{
    if (code == OPTION_EPB_DROPCOUNT && value.len == 8) {
        i->dropped_epb += get_u64(r, (const uint8_t *)value.ptr);
    } else if (code == OPTION_COMMENT) {
        char where[32];
        snprintf(where, sizeof(where), "frame %" PRIu64, r->file->number + 1);
        capture_note_comment(&r->file->info, where, value);
    }
}

/* Frames lost between this one and the one before it on the same interface. */
static void take_frame_drops(const struct pcapng_reader *r, struct capture_file *f,
                             struct interface *i, const struct block *b, const struct packet *p)
{
    size_t behind = 20 + (((size_t)p->captured_bytes + 3) & ~(size_t)3);
    if (b->type == BLOCK_PACKET_OLD) {
        uint16_t count = get_u16(r, b->body + 2);
        i->dropped_epb += count == UINT16_MAX ? 0 : count; /* that one means: not known */
    } else if (b->len > behind) {
        each_option(r, i, hr_span_of(b->body + behind, b->len - behind), take_frame_option);
    }
    note_drops(&f->info, i, i->dropped_epb,
               (struct capture_drop){.from_at = i->last_at, .to_at = p->at});
    i->last_at = p->at;
}

static size_t measure(const void *reader, struct hr_span bytes, struct hr_span *ret_frame)
{
    const struct pcapng_reader *r = reader;
    const uint8_t *head = (const uint8_t *)bytes.ptr;
    *ret_frame = (struct hr_span){NULL, 0};
    if (bytes.len < 12) {
        return 0;
    }
    const uint64_t size = ((uint64_t)get_u32(r, head + 4) + 3) & ~UINT64_C(3);
    if (size < 12 || size > bytes.len) {
        return 0;
    }
    if (get_u32(r, head) == BLOCK_PACKET && size >= 32) {
        const struct hr_span body = hr_span_slice(bytes, 28, (size_t)size - 4);
        *ret_frame = hr_span_slice(body, 0, get_u32(r, head + 20));
    }
    return (size_t)size;
}

static void show_ahead(struct pcapng_reader *r, struct capture_file *f, const struct block *b,
                       struct packet *p)
{
    if (b->type != BLOCK_PACKET) {
        return;
    }
    const struct ahead hand = {b->offset, r->frames++};
    if (f->looks_ahead) {
        size_t have;
        const uint8_t *head = input_peek(f->input, r->consume, &have);
        p->ahead = ahead_find(&r->ahead, hand, hr_span_of(head, have), measure, r);
    }
}

static bool take_frame(struct pcapng_reader *r, struct capture_file *f, const struct block *b,
                       struct packet *p)
{
    bool is_old = b->type == BLOCK_PACKET_OLD;
    if (b->len < 20) {
        return corrupt(f, b->offset, "a packet block that is too short");
    }
    p->interface = is_old ? get_u16(r, b->body) : get_u32(r, b->body);
    if (p->interface >= r->interface_count) {
        return corrupt(f, b->offset, "a packet of an interface that was not described");
    }
    struct interface *i = &r->interfaces[p->interface];
    p->captured_bytes = get_u32(r, b->body + 12);
    p->wire_bytes = get_u32(r, b->body + 16);
    if (p->captured_bytes > b->len - 20 || p->captured_bytes > CAPTURE_FRAME_LIMIT) {
        return corrupt(f, b->offset, "a packet longer than its block or than 256 KiB");
    }
    p->at = time_of(i, (uint64_t)get_u32(r, b->body + 4) << 32 | get_u32(r, b->body + 8));
    p->data = b->body + 20;
    p->link_type = i->link_type;
    p->snap_bytes = i->snap_bytes;
    p->resolution = i->resolution;
    take_frame_drops(r, f, i, b, p);
    r->last_at = p->at;
    show_ahead(r, f, b, p);
    return true;
}

/* Has no time; it takes that of the frame before it, so that it stays in its place. */
static bool take_simple_frame(struct pcapng_reader *r, struct capture_file *f,
                              const struct block *b, struct packet *p)
{
    if (b->len < 4) {
        return corrupt(f, b->offset, "a packet block that is too short");
    }
    if (r->interface_count == 0) {
        return corrupt(f, b->offset, "a packet of an interface that was not described");
    }
    const struct interface *i = &r->interfaces[0];
    p->wire_bytes = get_u32(r, b->body);
    p->captured_bytes = p->wire_bytes;
    if (i->snap_bytes != 0 && p->captured_bytes > i->snap_bytes) {
        p->captured_bytes = i->snap_bytes;
    }
    if (p->captured_bytes > b->len - 4) {
        p->captured_bytes = (uint32_t)(b->len - 4);
    }
    if (p->captured_bytes > CAPTURE_FRAME_LIMIT) {
        return corrupt(f, b->offset, "a packet longer than 256 KiB");
    }
    p->at = r->last_at;
    p->data = b->body + 4;
    p->link_type = i->link_type;
    p->snap_bytes = i->snap_bytes;
    p->resolution = i->resolution;
    p->interface = 0;
    return true;
}

int pcapng_reader_next(struct pcapng_reader *r, struct capture_file *f, struct packet *ret_packet)
{
    struct block b;
    bool ok = true;
    while (ok && next_block(r, f, &b)) {
        if (b.body == NULL) {
            continue;
        }
        switch (b.type) {
        case BLOCK_SECTION:
            ok = take_section(r, f, &b);
            break;
        case BLOCK_INTERFACE:
            ok = take_interface(r, f, &b);
            break;
        case BLOCK_STATISTICS:
            ok = take_statistics(r, f, &b);
            break;
        default:
            ok = b.type == BLOCK_PACKET_SIMPLE ? take_simple_frame(r, f, &b, ret_packet)
                                               : take_frame(r, f, &b, ret_packet);
            f->number += ok;
            return ok ? 1 : 0;
        }
    }
    return 0;
}
