/*
 * IP Payload Compression (RFC 3173) by DEFLATE (RFC 2394), each packet by itself. Which algorithm a
 * number stands for is agreed on elsewhere: what does not inflate is counted as another protocol.
 */
#include "base/alloc.h"
#include "decode/layer.h"

#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#define PACKET_BYTES 65535u

struct ipcomp {
    z_stream stream;
    uint8_t packet[PACKET_BYTES];
};

struct ipcomp *ipcomp_create(void)
{
    struct ipcomp *z = hr_xcalloc(1, sizeof(*z));
    if (inflateInit2(&z->stream, -MAX_WBITS) != Z_OK) {
        free(z);
        return NULL;
    }
    return z;
}

void ipcomp_destroy(struct ipcomp *z)
{
    if (z != NULL) {
        inflateEnd(&z->stream);
        free(z);
    }
}

/* @return bytes of the packet; 0 where it did not inflate to its end */
static size_t inflate_packet(struct ipcomp *z, struct hr_span bytes)
{
    inflateReset(&z->stream);
    z->stream.next_in = (const Bytef *)(const void *)bytes.ptr;
    z->stream.avail_in = (uInt)bytes.len;
    z->stream.next_out = z->packet;
    z->stream.avail_out = PACKET_BYTES;
    return inflate(&z->stream, Z_FINISH) == Z_STREAM_END ? PACKET_BYTES - z->stream.avail_out : 0;
}

void ipcomp_decode(struct layers *l, struct cursor c)
{
    uint8_t next = cursor_u8(&c);
    cursor_skip(&c, 3);
    if (c.cut || c.missing > 0) {
        layers_cut(l);
        return;
    }
    struct ipcomp *z = l->decoder->ipcomp;
    if (z == NULL) {
        z = l->decoder->ipcomp = ipcomp_create();
    }
    if (z == NULL || l->is_inflated) { /* one packet at a time, and none within another */
        l->decoder->counters.other_ip++;
        return;
    }
    size_t bytes = inflate_packet(z, cursor_rest(&c));
    if (bytes == 0) {
        l->decoder->counters.other_ip++;
        return;
    }
    l->is_inflated = true;
    ip_payload_decode(l, next, cursor_of(z->packet, bytes, 0));
}
