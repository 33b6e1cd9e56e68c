/*
 * pcap, draft-ietf-opsawg-pcap, and what libpcap reads beside it: versions before 2.4 with their
 * lengths the other way round, and the record headers of old Linux patches. Records are looked at
 * in the input's buffer, so a frame is never copied, and one that comes later can be shown ahead.
 */
#include "base/alloc.h"
#include "capture/ahead.h"
#include "capture/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define FILE_HEADER_BYTES 24
#define RECORD_HEADER_BYTES 16
#define PATCHED_HEADER_BYTES 24

#define MAGIC_USEC 0xa1b2c3d4u
#define MAGIC_NSEC 0xa1b23c4du
#define MAGIC_KUZNETZOV 0xa1b2cd34u /* Linux patches of the nineties: longer record headers */

#define MAJOR_OF_DGUX 543

/* Which length comes first in a record. */
enum length_order {
    LENGTHS_CAPTURED_FIRST,
    LENGTHS_LESS_FIRST, /* version 2.3: some writers did, some did not */
    LENGTHS_WIRE_FIRST,
};

struct pcap_reader {
    bool is_little;
    enum length_order length_order;
    uint32_t record_header_bytes;
    uint32_t link_type;
    uint32_t snap_bytes;
    int64_t nsec_per_unit;
    size_t consume; /* the record that was handed out last */
    struct ahead ahead;
};

static uint16_t get_u16(const uint8_t *p, bool is_little)
{
    return (uint16_t)(is_little ? p[1] << 8 | p[0] : p[0] << 8 | p[1]);
}

static uint32_t get_u32(const uint8_t *p, bool is_little)
{
    return is_little ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0]
                     : (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool is_magic(uint32_t v)
{
    return v == MAGIC_USEC || v == MAGIC_NSEC || v == MAGIC_KUZNETZOV;
}

bool pcap_reader_knows(const uint8_t *head, size_t len)
{
    return len >= 4 && (is_magic(get_u32(head, true)) || is_magic(get_u32(head, false)));
}

static bool take_version(struct pcap_reader *r, struct capture_file *f, const uint8_t *head)
{
    const unsigned major = get_u16(head + 4, r->is_little);
    const unsigned minor = get_u16(head + 6, r->is_little);
    if (major != 2 && (major != MAJOR_OF_DGUX || minor != 0)) {
        capture_file_fail(f, -EBADMSG, "not a pcap file that can be read: version %u.%u", major,
                          minor);
        return false;
    }
    /* Nothing has changed since 2.4, so a later minor version is read like it. */
    r->length_order = major == MAJOR_OF_DGUX || minor < 3 ? LENGTHS_WIRE_FIRST
                      : minor == 3                        ? LENGTHS_LESS_FIRST
                                                          : LENGTHS_CAPTURED_FIRST;
    return true;
}

/* Records that are longer than the snap length here says are read whole, as Wireshark does. */
static void take_header(struct pcap_reader *r, struct capture_file *f, const uint8_t *head)
{
    uint32_t magic = get_u32(head, r->is_little);
    f->info.has_nanoseconds = magic == MAGIC_NSEC;
    r->nsec_per_unit = magic == MAGIC_NSEC ? 1 : HR_NSEC_PER_USEC;
    r->record_header_bytes = magic == MAGIC_KUZNETZOV ? PATCHED_HEADER_BYTES : RECORD_HEADER_BYTES;
    /* Above: the FCS length and reserved bits. */
    r->link_type = get_u32(head + 20, r->is_little) & 0xffff;
    f->info.link_type = r->link_type;
    capture_link_name(r->link_type, f->info.link_name, sizeof(f->info.link_name));
    r->snap_bytes = get_u32(head + 16, r->is_little);
}

struct pcap_reader *pcap_reader_open(struct capture_file *f)
{
    size_t have;
    const uint8_t *head = input_peek(f->input, FILE_HEADER_BYTES, &have);
    if (have < FILE_HEADER_BYTES) {
        const struct stream_state *state = input_state(f->input);
        if (state->error != 0) {
            capture_file_fail(f, state->error, "%s", state->error_text);
            return NULL;
        }
        capture_file_fail(f, -EBADMSG, "cut off inside the pcap file header at byte %zu", have);
        return NULL;
    }
    struct pcap_reader *r = hr_xcalloc(1, sizeof(*r));
    r->is_little = is_magic(get_u32(head, true));
    if (!take_version(r, f, head)) {
        pcap_reader_close(r);
        return NULL;
    }
    take_header(r, f, head);
    r->consume = FILE_HEADER_BYTES;
    return r;
}

static int cut_off(struct capture_file *f, size_t have)
{
    const struct stream_state *state = input_state(f->input);
    if (state->error != 0) {
        capture_file_fail(f, state->error, "%s", state->error_text);
    } else if (have > 0) {
        capture_file_fail(f, -EBADMSG,
                          "cut off in the middle of frame %" PRIu64 " at byte %" PRIu64,
                          f->number + 1, input_offset(f->input) + have);
    }
    return 0;
}

static void take_lengths(const struct pcap_reader *r, const uint8_t *record, uint32_t *ret_captured,
                         uint32_t *ret_wire)
{
    const uint32_t first = get_u32(record + 8, r->is_little);
    const uint32_t second = get_u32(record + 12, r->is_little);
    const bool is_swapped = r->length_order == LENGTHS_WIRE_FIRST ||
                            (r->length_order == LENGTHS_LESS_FIRST && first > second);
    *ret_captured = is_swapped ? second : first;
    *ret_wire = is_swapped ? first : second;
}

static size_t measure(const void *reader, struct hr_span bytes, struct hr_span *ret_frame)
{
    const struct pcap_reader *r = reader;
    uint32_t captured;
    uint32_t wire;
    if (bytes.len < r->record_header_bytes) {
        return 0;
    }
    take_lengths(r, (const uint8_t *)bytes.ptr, &captured, &wire);
    const size_t size = r->record_header_bytes + (size_t)captured;
    *ret_frame = hr_span_slice(bytes, r->record_header_bytes, size);
    return captured <= CAPTURE_FRAME_LIMIT && size <= bytes.len ? size : 0;
}

int pcap_reader_next(struct pcap_reader *r, struct capture_file *f, struct packet *ret_packet)
{
    size_t have;
    struct packet *p = ret_packet;
    input_consume(f->input, r->consume);
    r->consume = 0;
    const uint8_t *record = input_peek(f->input, r->record_header_bytes, &have);
    if (have < r->record_header_bytes) {
        return cut_off(f, have);
    }
    take_lengths(r, record, &p->captured_bytes, &p->wire_bytes);
    if (p->captured_bytes > CAPTURE_FRAME_LIMIT) {
        capture_file_fail(f, -EBADMSG,
                          "corrupt at frame %" PRIu64 ", byte %" PRIu64 " (a frame of %" PRIu32
                          " bytes; 262144 are the most)",
                          f->number + 1, input_offset(f->input), p->captured_bytes);
        return 0;
    }
    r->consume = r->record_header_bytes + (size_t)p->captured_bytes;
    record = input_peek(f->input, r->consume, &have);
    if (have < r->consume) {
        r->consume = 0;
        return cut_off(f, have);
    }
    p->at = hr_nsec_from(get_u32(record, r->is_little), /* good until 2106 */
                         (int64_t)get_u32(record + 4, r->is_little) * r->nsec_per_unit);
    p->data = record + r->record_header_bytes;
    if (f->looks_ahead) {
        p->ahead = ahead_find(&r->ahead, (struct ahead){input_offset(f->input), f->number},
                              hr_span_of(record, have), measure, r);
    }
    p->link_type = r->link_type;
    p->interface = 0;
    p->snap_bytes = r->snap_bytes;
    p->resolution = r->nsec_per_unit == 1 ? 9 : 6;
    f->number++;
    return 1;
}

void pcap_reader_close(struct pcap_reader *r)
{
    free(r);
}
