/*
 * pcap through libpcap. libpcap reads a FILE that is made of our input, so gzip and standard input
 * need nothing else; what it refuses is said in our words, with the frame and the byte.
 */
#include "base/alloc.h"
#include "capture/file.h"

#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>

#define FILE_HEADER_BYTES 24

#define MAGIC_USEC 0xa1b2c3d4u
#define MAGIC_NSEC 0xa1b23c4du
#define MAGIC_KUZNETZOV 0xa1b2cd34u /* Linux patches of the nineties: 24 bytes of record header */

struct pcap_reader {
    pcap_t *pcap; /* owns file */
    FILE *file;
    char *file_buffer;
    uint64_t offset; /* of the next record */
    uint32_t record_header_bytes;
    uint32_t link_type;
    uint32_t snap_bytes;
    int64_t nsec_per_unit;
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

static ssize_t cookie_read(void *cookie, char *to, size_t size)
{
    struct input *in = cookie;
    size_t n = input_read(in, to, size);
    if (n == 0 && input_state(in)->error != 0) {
        errno = -input_state(in)->error;
        return -1;
    }
    return (ssize_t)n;
}

static FILE *open_as_file(struct input *in, char *buffer, size_t buffer_bytes)
{
    FILE *file = fopencookie(in, "r", (cookie_io_functions_t){.read = cookie_read});
    if (file == NULL) {
        hr_out_of_memory();
    }
    setvbuf(file, buffer, _IOFBF, buffer_bytes);
    __fsetlocking(file, FSETLOCKING_BYCALLER); /* one thread reads it: two locks a frame less */
    return file;
}

/* What the header says, and what libpcap is told instead. */
static void take_header(struct pcap_reader *r, struct capture_file *f, uint8_t *head)
{
    bool is_little = is_magic(get_u32(head, true));
    uint32_t magic = get_u32(head, is_little);
    uint32_t link = get_u32(head + 20, is_little);
    f->info.has_nanoseconds = magic == MAGIC_NSEC;
    r->nsec_per_unit = magic == MAGIC_NSEC ? 1 : HR_NSEC_PER_USEC;
    r->record_header_bytes = magic == MAGIC_KUZNETZOV ? 24 : 16;
    r->offset = FILE_HEADER_BYTES;
    r->link_type = link & 0xffff; /* above: the FCS length and reserved bits */
    f->info.link_type = r->link_type;
    capture_link_name(r->link_type, f->info.link_name, sizeof(f->info.link_name));
    r->snap_bytes = get_u32(head + 16, is_little);
    /* libpcap cuts records that are longer than the snap length here says, Wireshark does not.
     * 0 is "no limit" to it. Frames lie whole in such files, so they are read whole. */
    memset(head + 16, 0, 4);
    /* Nothing has changed since 2.4, so a later minor version is read like it; libpcap refuses it.
     */
    if (get_u16(head + 4, is_little) == 2 && get_u16(head + 6, is_little) > 4) {
        memcpy(head + 6, is_little ? "\4\0" : "\0\4", 2);
    }
    /* The reserved bits are to be ignored by readers; libpcap 1.10 takes them for a link type. */
    memset(is_little ? head + 22 : head + 20, 0, 2);
}

struct pcap_reader *pcap_reader_open(struct capture_file *f)
{
    size_t have;
    uint8_t *head = input_peek(f->input, FILE_HEADER_BYTES, &have);
    if (have < FILE_HEADER_BYTES) {
        const struct input_state *state = input_state(f->input);
        if (state->error != 0) {
            capture_file_fail(f, state->error, "%s", state->error_text);
            return NULL;
        }
        capture_file_fail(f, -EBADMSG, "cut off inside the pcap file header at byte %zu", have);
        return NULL;
    }
    struct pcap_reader *r = hr_xcalloc(1, sizeof(*r));
    char text[PCAP_ERRBUF_SIZE] = "";
    take_header(r, f, head);
    r->file_buffer = hr_xmalloc(f->buffer_bytes);
    r->file = open_as_file(f->input, r->file_buffer, f->buffer_bytes);
    r->pcap = pcap_fopen_offline_with_tstamp_precision(
        r->file, f->info.has_nanoseconds ? PCAP_TSTAMP_PRECISION_NANO : PCAP_TSTAMP_PRECISION_MICRO,
        text);
    if (r->pcap == NULL) {
        capture_file_fail(f, -EBADMSG, "not a pcap file that can be read: %s", text);
        pcap_reader_close(r);
        return NULL;
    }
    return r;
}

/* libpcap gave up at the record at r->offset. */
static void explain(struct pcap_reader *r, struct capture_file *f)
{
    const struct input_state *state = input_state(f->input);
    unsigned long long frame = f->number + 1;
    if (state->error != 0) {
        capture_file_fail(f, state->error, "%s", state->error_text);
    } else if (feof(r->file)) {
        capture_file_fail(f, -EBADMSG, "cut off in the middle of frame %llu at byte %" PRIu64,
                          frame, input_offset(f->input));
    } else {
        capture_file_fail(f, -EBADMSG, "corrupt at frame %llu, byte %" PRIu64 " (%s)", frame,
                          r->offset, pcap_geterr(r->pcap));
    }
}

int pcap_reader_next(struct pcap_reader *r, struct capture_file *f, struct packet *ret_packet)
{
    struct pcap_pkthdr *header;
    const u_char *data;
    int got = pcap_next_ex(r->pcap, &header, &data);
    if (got != 1) {
        if (got != PCAP_ERROR_BREAK || input_state(f->input)->error != 0) {
            explain(r, f);
        }
        return 0;
    }
    r->offset += r->record_header_bytes + header->caplen;
    f->number++;
    ret_packet->at = hr_nsec_from((uint32_t)header->ts.tv_sec, /* good until 2106 */
                                  (int64_t)(uint32_t)header->ts.tv_usec * r->nsec_per_unit);
    ret_packet->data = data;
    ret_packet->captured_bytes = header->caplen;
    ret_packet->wire_bytes = header->len;
    ret_packet->link_type = r->link_type;
    ret_packet->interface = 0;
    ret_packet->snap_bytes = r->snap_bytes;
    ret_packet->resolution = r->nsec_per_unit == 1 ? 9 : 6;
    return 1;
}

void pcap_reader_close(struct pcap_reader *r)
{
    if (r == NULL) {
        return;
    }
    if (r->pcap != NULL) {
        pcap_close(r->pcap);
    } else if (r->file != NULL) {
        fclose(r->file);
    }
    free(r->file_buffer);
    free(r);
}
