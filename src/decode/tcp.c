#include "decode/checksum.h"

#define HEADER_BYTES 20u

/* RFC 7323 3.2. @return TSval and TSecr as one number; 0: none */
static uint64_t find_stamps(struct cursor c, size_t bytes)
{
    cursor_limit(&c, bytes);
    while (cursor_left(&c) >= 10) {
        uint8_t kind = cursor_u8(&c);
        if (kind == 0) {
            break;
        }
        if (kind == 1) {
            continue;
        }
        size_t len = cursor_u8(&c);
        if (kind == 8 && len == 10) {
            uint64_t value = cursor_u32(&c);
            return value << 32 | cursor_u32(&c);
        }
        cursor_skip(&c, len < 2 ? SIZE_MAX : len - 2);
    }
    return 0;
}

/* RFC 9293 3.1 */
void tcp_decode(struct layers *l, struct cursor c)
{
    const struct cursor whole = c;
    size_t wire_bytes = cursor_wire_left(&c);
    struct tcp_segment s;
    s.source.port = cursor_u16(&c);
    s.destination.port = cursor_u16(&c);
    s.seq = cursor_u32(&c);
    s.ack = cursor_u32(&c);
    uint8_t offset = cursor_u8(&c);
    s.flags = cursor_u8(&c);
    s.window = cursor_u16(&c);
    cursor_skip(&c, 4); /* checksum, urgent pointer */
    if (c.cut) {
        layers_cut(l);
        return;
    }
    size_t header_bytes = (size_t)(offset >> 4) * 4;
    if (header_bytes < HEADER_BYTES || header_bytes > wire_bytes) {
        layers_malformed(l);
        return;
    }
    if (!checksum_accepts_tcp(l, whole)) {
        return;
    }
    uint64_t stamps = header_bytes > HEADER_BYTES ? find_stamps(c, header_bytes - HEADER_BYTES) : 0;
    cursor_skip(&c, header_bytes - HEADER_BYTES);
    if (c.cut) {
        layers_cut(l); /* inside the options: no payload, but sequence numbers, flags and lengths */
    }
    layers_tell_packet(l, DECODE_PART_TCP, whole.at, &c);
    s.source.address = l->source;
    s.destination.address = l->destination;
    s.network = l->network;
    s.identity = tcp_segment_identity(l->ip_id, stamps);
    s.wire_payload_bytes = (uint32_t)(wire_bytes - header_bytes);
    s.payload = cursor_rest(&c);
    s.at = l->packet->at;
    s.frame = l->packet->frame;
    s.capture = l->packet->capture;
    s.selected = l->selected;
    l->decoder->counters.tcp_segments++;
    l->decoder->emit(&s, l->decoder->user);
}
