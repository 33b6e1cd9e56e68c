#include "capture/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void capture_file_fail(struct capture_file *f, int error, const char *format, ...)
{
    f->done = true;
    if (f->info.error != 0) {
        return;
    }
    f->info.error = error;
    va_list ap;
    va_start(ap, format);
    vsnprintf(f->info.error_text, sizeof(f->info.error_text), format, ap);
    va_end(ap);
}

/* What people try to read now and then, and what to do about it. */
static const struct {
    size_t len;
    const char *magic;
    const char *text;
} foreign[] = {
    {6,
     "\xfd"
     "7zXZ\0",              "packed with xz: unpack it first (unxz)"                         },
    {3, "BZh",              "packed with bzip2: unpack it first (bunzip2)"                   },
    {4, "PK\x03\x04",       "a zip archive: unpack it first (unzip)"                         },
    {4, "\x02\x21\x4c\x18", "packed with lz4 of old: unpack it first (unlz4)"                },
    {8, "snoop\0\0\0",      "a snoop file, which is not read: convert it (editcap -F pcapng)"},
    {4, "\x1c\0\x01\xac",   "not a capture file that is read: convert it (editcap -F pcapng)"},
};

static void detect(struct capture_file *f)
{
    size_t have;
    const uint8_t *head = input_peek(f->input, 24, &have);
    const struct stream_state *state = input_state(f->input);
    if (pcap_reader_knows(head, have)) {
        f->pcap = pcap_reader_open(f);
        return;
    }
    if (pcapng_reader_knows(head, have)) {
        f->info.is_pcapng = true;
        f->pcapng = pcapng_reader_open(f);
        return;
    }
    if (state->error != 0) {
        capture_file_fail(f, state->error, "%s", state->error_text);
        return;
    }
    if (have == 0) {
        capture_file_fail(f, -ENODATA, "is empty%s: there is nothing in it to read",
                          state->packing != PACKING_NONE ? " once unpacked" : "");
        return;
    }
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        if (have >= foreign[i].len && memcmp(head, foreign[i].magic, foreign[i].len) == 0) {
            capture_file_fail(f, -EBADMSG, "%s", foreign[i].text);
            return;
        }
    }
    capture_file_fail(
        f, -EBADMSG, "not a capture file (pcap or pcapng, plain or packed with gzip, zstd or lz4)");
}

static void take_input_state(struct capture_file *f)
{
    const struct stream_state *state = input_state(f->input);
    f->info.size_bytes = state->size_bytes;
    f->info.read_bytes = state->read_bytes;
    f->info.packing = state->packing;
}

void capture_file_init(struct capture_file *f, const char *path, const struct input_config *config)
{
    *f = (struct capture_file){
        .info = {.path = path, .first_at = HR_NSEC_INFINITE},
        .input = input_open(path, config),
    };
    const struct stream_state *state = input_state(f->input);
    if (state->error != 0) {
        capture_file_fail(f, state->error, "%s", state->error_text);
    } else {
        detect(f);
    }
    take_input_state(f);
}

/* Each frame's time and bytes go into the digest of those before it. */
static void take_head(struct capture_info *info, const struct packet *p)
{
    uint8_t chain[2 * HR_DIGEST_BYTES + sizeof(p->at)];
    struct hr_digest bytes = hr_digest_plain(hr_span_of(p->data, p->captured_bytes));
    memcpy(chain, info->head.bytes, HR_DIGEST_BYTES);
    memcpy(chain + HR_DIGEST_BYTES, bytes.bytes, HR_DIGEST_BYTES);
    memcpy(chain + 2 * sizeof(bytes), &p->at, sizeof(p->at));
    info->head = hr_digest_plain(hr_span_of(chain, sizeof(chain)));
}

static void account(struct capture_info *info, const struct packet *p)
{
    if (info->frames < CAPTURE_HEAD_FRAMES) {
        take_head(info, p);
    }
    info->frames++;
    info->frame_bytes += p->captured_bytes;
    info->cut_frames += p->captured_bytes < p->wire_bytes;
    if (info->first_at == HR_NSEC_INFINITE) {
        info->first_at = info->last_at = p->at;
    } else if (p->at >= info->last_at) {
        info->last_at = p->at;
    } else {
        hr_nsec back = hr_nsec_sub(info->last_at, p->at);
        info->largest_step_back = back > info->largest_step_back ? back : info->largest_step_back;
    }
}

int capture_file_next(struct capture_file *f, struct packet *ret_packet)
{
    int got = 0;
    if (!f->done) {
        ret_packet->ahead = (struct hr_span){NULL, 0};
        got = f->pcap != NULL ? pcap_reader_next(f->pcap, f, ret_packet)
                              : pcapng_reader_next(f->pcapng, f, ret_packet);
        f->info.read_bytes = input_state(f->input)->read_bytes;
    }
    if (got == 0) {
        f->done = true;
        return 0;
    }
    if (ret_packet->at == HR_NSEC_INFINITE) {
        ret_packet->at--; /* a time all the same, if a wild one */
    }
    if (ret_packet->wire_bytes < ret_packet->captured_bytes) {
        ret_packet->wire_bytes = ret_packet->captured_bytes;
    }
    ret_packet->frame = f->number;
    account(&f->info, ret_packet);
    return 1;
}

void capture_file_finish(struct capture_file *f)
{
    pcap_reader_close(f->pcap);
    pcapng_reader_close(f->pcapng);
    input_close(f->input);
    f->pcap = NULL;
    f->pcapng = NULL;
    f->input = NULL;
    f->done = true;
}

bool capture_file_is_capture(const char *path)
{
    struct input *in = input_open(path, &(struct input_config){.buffer_bytes = 4096});
    size_t have;
    const uint8_t *head = input_peek(in, 24, &have);
    /* What cannot be unpacked here is not to be passed over in silence. */
    bool is_capture = pcap_reader_knows(head, have) || pcapng_reader_knows(head, have) ||
                      (input_state(in)->error == -EOPNOTSUPP && strstr(path, "cap") != NULL);
    input_close(in);
    return is_capture;
}
