#include "scenario/capfile.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES (1u << 20)

struct capfile {
    struct capfile_config config;
    FILE *out;
    char *buffer;
    int error;
};

static uint8_t *put16(const struct capfile *c, uint8_t *p, uint32_t v)
{
    p[c->config.big_endian ? 1 : 0] = (uint8_t)v;
    p[c->config.big_endian ? 0 : 1] = (uint8_t)(v >> 8);
    return p + 2;
}

static uint8_t *put32(const struct capfile *c, uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++) {
        p[c->config.big_endian ? 3 - i : i] = (uint8_t)(v >> (8 * i));
    }
    return p + 4;
}

static void put(struct capfile *c, const void *bytes, size_t len)
{
    if (c->error == 0 && fwrite(bytes, 1, len, c->out) != len) {
        c->error = errno != 0 ? -errno : -EIO;
    }
}

static void put_pcap_header(struct capfile *c)
{
    uint8_t head[24];
    uint8_t *p = head;
    p = put32(c, p, c->config.format == CAPFILE_PCAP_NSEC ? 0xa1b23c4du : 0xa1b2c3d4u);
    p = put16(c, put16(c, p, 2), 4);
    p = put32(c, put32(c, p, 0), 0);
    p = put32(c, p, c->config.snaplen != 0 ? c->config.snaplen : 262144);
    put32(c, p, c->config.link_type);
    put(c, head, sizeof(head));
}

/* Section header without options, one interface with nanoseconds. */
static void put_pcapng_header(struct capfile *c)
{
    uint8_t head[28 + 32];
    uint8_t *p = head;
    p = put32(c, put32(c, put32(c, p, 0x0a0d0d0au), 28), 0x1a2b3c4du);
    p = put16(c, put16(c, p, 1), 0);
    p = put32(c, put32(c, p, UINT32_MAX), UINT32_MAX); /* section length unknown */
    p = put32(c, p, 28);
    p = put32(c, put32(c, p, 1), 32);
    p = put16(c, put16(c, p, c->config.link_type), 0);
    p = put32(c, p, c->config.snaplen);
    p = put16(c, put16(c, p, 9), 1); /* if_tsresol */
    memcpy(p, "\x09\0\0\0", 4);
    p = put16(c, put16(c, p + 4, 0), 0);
    put32(c, p, 32);
    put(c, head, sizeof(head));
}

int capfile_open(const char *path, const struct capfile_config *config, struct capfile **ret_file)
{
    struct capfile *c = hr_xcalloc(1, sizeof(*c));
    c->config = *config;
    c->out = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
    if (c->out == NULL) {
        int r = -errno;
        free(c);
        return r;
    }
    if (c->out != stdout) {
        c->buffer = hr_xmalloc(BUFFER_BYTES);
        setvbuf(c->out, c->buffer, _IOFBF, BUFFER_BYTES);
    }
    if (config->format == CAPFILE_PCAPNG) {
        put_pcapng_header(c);
    } else {
        put_pcap_header(c);
    }
    *ret_file = c;
    return 0;
}

static void write_pcap(struct capfile *c, hr_nsec at, const uint8_t *frame, size_t kept, size_t len)
{
    const bool usec = c->config.format == CAPFILE_PCAP_USEC;
    uint8_t head[16];
    uint8_t *p = put32(c, head, (uint32_t)(at / HR_NSEC_PER_SEC));
    const hr_nsec rest = at % HR_NSEC_PER_SEC;
    p = put32(c, p, (uint32_t)(usec ? rest / HR_NSEC_PER_USEC : rest));
    put32(c, put32(c, p, (uint32_t)kept), (uint32_t)len);
    put(c, head, sizeof(head));
    put(c, frame, kept);
}

static void write_pcapng(struct capfile *c, hr_nsec at, const uint8_t *frame, size_t kept,
                         size_t len)
{
    static const uint8_t zeros[4] = {0};
    const size_t padding = (4 - kept % 4) % 4;
    const uint32_t total = (uint32_t)(32 + kept + padding);
    uint8_t head[28];
    uint8_t tail[4];
    uint8_t *p = put32(c, put32(c, put32(c, head, 6), total), 0);
    p = put32(c, put32(c, p, (uint32_t)((uint64_t)at >> 32)), (uint32_t)at);
    put32(c, put32(c, p, (uint32_t)kept), (uint32_t)len);
    put32(c, tail, total);
    put(c, head, sizeof(head));
    put(c, frame, kept);
    put(c, zeros, padding);
    put(c, tail, sizeof(tail));
}

void capfile_write(struct capfile *c, hr_nsec at, const uint8_t *frame, size_t len)
{
    const size_t kept = c->config.snaplen != 0 && len > c->config.snaplen ? c->config.snaplen : len;
    if (c->config.format == CAPFILE_PCAPNG) {
        write_pcapng(c, at, frame, kept, len);
    } else {
        write_pcap(c, at, frame, kept, len);
    }
}

int capfile_close(struct capfile *c)
{
    int r;
    if (c == NULL) {
        return 0;
    }
    r = c->error;
    if ((c->out == stdout ? fflush(stdout) : fclose(c->out)) != 0 && r == 0) {
        r = -errno;
    }
    free(c->buffer);
    free(c);
    return r;
}
