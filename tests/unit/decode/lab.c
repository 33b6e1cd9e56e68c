#include "lab.h"

#include "base/alloc.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

void lab_append_segment(const struct tcp_segment *s, void *user)
{
    struct sink *sink = user;
    char from[NET_ADDRESS_TEXT_SIZE];
    char to[NET_ADDRESS_TEXT_SIZE];
    sink->network = s->network;
    hr_buf_appendf(&sink->text, "%s:%u>%s:%u seq=%u ack=%u %s%s%s%s%s win=%u wire=%u [",
                   net_address_format(&s->source.address, from), s->source.port,
                   net_address_format(&s->destination.address, to), s->destination.port, s->seq,
                   s->ack, s->flags & TCP_FIN ? "F" : "", s->flags & TCP_SYN ? "S" : "",
                   s->flags & TCP_RST ? "R" : "", s->flags & TCP_PSH ? "P" : "",
                   s->flags & TCP_ACK ? "A" : "", s->window, s->wire_payload_bytes);
    hr_buf_append(&sink->text, s->payload);
    hr_buf_append_str(&sink->text, s->selected ? "]\n" : "] not selected\n");
}

/* All that are not 0, but those that every frame raises. */
static void append_counter(const struct hr_counter_info *info, uint64_t value, void *user)
{
    struct sink *sink = user;
    bool is_checksum = strncmp(info->name, "checksums_", 10) == 0; /* test_checksum.c has them */
    if (value > 0 && !is_checksum && strcmp(info->name, "frames") != 0 &&
        strcmp(info->name, "tcp_segments") != 0) {
        hr_buf_appendf(&sink->text, "%s=%llu\n", info->name, (unsigned long long)value);
    }
}

static unsigned digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

uint8_t *lab_from_hex(const char *hex, size_t *ret_len)
{
    uint8_t bytes[512];
    size_t n = 0;
    for (size_t i = 0; hex[i] != '\0'; i++) {
        if (hex[i] == ' ') {
            continue;
        }
        assert_true(n < sizeof(bytes));
        bytes[n++] = (uint8_t)(digit(hex[i]) << 4 | digit(hex[i + 1]));
        i++;
    }
    uint8_t *copy = hr_xmalloc(n == 0 ? 1 : n);
    memcpy(copy, bytes, n);
    *ret_len = n;
    return copy;
}

const struct decode_config lab_config = {
    .fragment_budget_bytes = 1 << 20,
    .fragment_limit = 16,
    .fragment_timeout = 30 * HR_NSEC_PER_SEC,
};

void lab_decode(struct sink *sink, uint32_t link_type, const char *hex, size_t cut, size_t wire)
{
    size_t len;
    uint8_t *frame = lab_from_hex(hex, &len);
    size_t captured = cut < len ? cut : len;
    uint8_t *exact = hr_xmalloc(captured == 0 ? 1 : captured);
    memcpy(exact, frame, captured);
    struct decoder *d = decoder_create(&lab_config, lab_append_segment, sink);
    const struct packet p = {
        .at = 1,
        .data = exact,
        .captured_bytes = (uint32_t)captured,
        .wire_bytes = (uint32_t)(wire == 0 ? captured : wire),
        .link_type = link_type,
        .frame = 1,
        .selected = true,
    };
    decoder_feed(d, &p);
    decoder_counters(d, append_counter, sink);
    decoder_destroy(d);
    free(exact);
    free(frame);
}

uint32_t lab_check(const struct lab_case *one)
{
    struct sink sink = {0};
    hr_buf_init(&sink.text, SIZE_MAX);
    lab_decode(&sink, one->link_type, one->frame, SIZE_MAX, 0);
    if (strcmp(hr_buf_str(&sink.text), one->want) != 0) {
        fail_msg("%s:\nwant %sgot  %s", one->name, one->want, hr_buf_str(&sink.text));
    }
    hr_buf_finish(&sink.text);
    return sink.network;
}
