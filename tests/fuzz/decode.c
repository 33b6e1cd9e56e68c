/*
 * Frames of every link type, each record one: a byte that chooses the link type, one for time and
 * snap length, then the frame.
 */
#include "decode/decode.h"

#include "fuzz.h"

static const uint32_t links[] = {1,   276, 113, 0,   108, 101, 12,  14,  228, 229, 9, 50,  51,
                                 104, 166, 204, 100, 105, 127, 119, 163, 192, 219, 7, 129, 239};

static const struct decode_config config = {
    .fragment_budget_bytes = 300000,
    .fragment_limit = 4,
    .fragment_timeout = 30 * HR_NSEC_PER_SEC,
};

struct sink {
    uint64_t sum;
    uint64_t segments;
    uint64_t frames;
    uint64_t frame; /* the last one fed */
};

static void on_segment(const struct tcp_segment *s, void *user)
{
    struct sink *sink = user;
    sink->segments++;
    LAW(s->frame == sink->frame);
    LAW(s->selected);
    LAW(s->wire_payload_bytes >= s->payload.len);
    LAW(s->payload.len <= 262144);
    fuzz_mix(&sink->sum, &s->source.address, sizeof(s->source.address));
    fuzz_mix(&sink->sum, &s->destination.address, sizeof(s->destination.address));
    fuzz_mix_number(&sink->sum, (uint64_t)s->source.port << 16 | s->destination.port);
    fuzz_mix_number(&sink->sum, (uint64_t)s->seq << 32 | s->ack);
    fuzz_mix_number(&sink->sum, (uint64_t)s->network << 32 | s->wire_payload_bytes);
    fuzz_mix_number(&sink->sum, (uint64_t)s->window << 8 | s->flags);
    fuzz_mix_span(&sink->sum, s->payload);
}

static void on_counter(const struct hr_counter_info *info, uint64_t value, void *user)
{
    struct sink *sink = user;
    fuzz_mix_number(&sink->sum, value);
    LAW(strcmp(info->name, "frames") != 0 || value == sink->frames);
    LAW(strcmp(info->name, "tcp_segments") != 0 || value == sink->segments);
}

static void feed(struct decoder *d, struct sink *sink, hr_nsec *at, struct hr_span record)
{
    uint8_t link = fuzz_u8(&record);
    uint8_t odd = fuzz_u8(&record);
    *at += odd & 0x80 ? 20 * HR_NSEC_PER_SEC : 1;
    sink->frames++;
    sink->frame++;
    const struct packet p = {
        .at = *at,
        .data = (const uint8_t *)record.ptr,
        .captured_bytes = (uint32_t)record.len,
        .wire_bytes = (uint32_t)record.len + (odd & 0x7f) * 11u,
        .link_type = links[link % HR_ARRAY_LEN(links)],
        .frame = sink->frame,
        .selected = true,
    };
    LAW(decode_knows_link(p.link_type));
    decoder_feed(d, &p);
}

static uint64_t play(const uint8_t *data, size_t size)
{
    struct sink sink = {.sum = 0};
    struct hr_span rest = hr_span_of(data, size);
    struct fuzz_record record;
    struct decoder *d = decoder_create(&config, on_segment, &sink);
    hr_nsec at = 0;
    while (fuzz_next(&rest, &record)) {
        feed(d, &sink, &at, record.bytes);
        free(record.block);
    }
    decoder_counters(d, on_counter, &sink);
    decoder_destroy(d);
    return sink.sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t sum = play(data, size);
    LAW(size % 8 != 0 || sum == play(data, size));
    return 0;
}
