/* Checksums: what is right, wrong, to be filled in by a card, or cannot be told. */
#include "base/alloc.h"
#include "lab.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#define TCP_SUM(sum) "03e8 0050 00000001 00000002 50 18 0005 " sum " 0000 "
#define HELLO4(ip, sum) "45 00 002d 1234 0000 40 06 " ip " 0a000001 0a000002 " TCP_SUM(sum) HELLO
#define IP6_HELLO(sum) IP6("0019", "06") TCP_SUM(sum) HELLO

struct want {
    uint64_t looked_at, wrong, partial, ip_wrong;
};

/* The IPv4 header sums up to 5495, the pseudo header to 1422, 1409 without a length. */
static const struct {
    const char *name;
    const char *frame;
    size_t cut; /* bytes that were not captured */
    struct want want;
} cases[] = {
    ROW("right", HELLO4("5495", "53b3"), 0, {1, 0, 0, 0}),
    ROW("wrong", HELLO4("5495", "53b4"), 0, {1, 1, 0, 0}),
    ROW("none", HELLO4("5495", "0000"), 0, {1, 1, 0, 0}),
    ROW("partial", HELLO4("5495", "1422"), 0, {1, 0, 1, 0}),
    ROW("partial, without a length", HELLO4("5495", "1409"), 0, {1, 0, 1, 0}),
    ROW("wrong in the IP header", HELLO4("5496", "53b3"), 0, {1, 0, 0, 1}),
    ROW("cut: cannot be told", HELLO4("5495", "53b4"), 2, {0, 0, 0, 0}),
    ROW("padding is not summed", HELLO4("5495", "53b3") "ffff", 0, {1, 0, 0, 0}),
    ROW("IPv6", IP6_HELLO("0c41"), 0, {1, 0, 0, 0}),
    ROW("IPv6, wrong", IP6_HELLO("0c40"), 0, {1, 1, 0, 0}),
    ROW("IPv6, on its way by a routing header",
        IP6("0021", "2b") "0600 0401 00000000 " TCP_SUM("0000") HELLO, 0, {0, 0, 0, 0}),
};

struct tally {
    uint64_t looked_at, wrong, partial, ip_wrong, refused, segments;
};

static void note(const struct hr_counter_info *info, uint64_t value, void *user)
{
    struct tally *t = user;
    uint64_t *to = strcmp(info->name, "checksums_looked_at") == 0  ? &t->looked_at
                   : strcmp(info->name, "checksums_wrong") == 0    ? &t->wrong
                   : strcmp(info->name, "checksums_partial") == 0  ? &t->partial
                   : strcmp(info->name, "checksums_ip_wrong") == 0 ? &t->ip_wrong
                   : strcmp(info->name, "checksums_refused") == 0  ? &t->refused
                   : strcmp(info->name, "tcp_segments") == 0       ? &t->segments
                                                                   : NULL;
    if (to) {
        *to = value;
    }
}

static void ignore_segment(const struct tcp_segment *s, void *user)
{
    (void)s;
    (void)user;
}

static struct tally feed(const char *hex, size_t cut, bool verify, unsigned times)
{
    size_t len;
    uint8_t *frame = lab_from_hex(hex, &len);
    struct decode_config config = lab_config;
    config.verify_checksums = verify;
    struct decoder *d = decoder_create(&config, ignore_segment, NULL);
    const struct packet p = {.at = 1,
                             .data = frame,
                             .captured_bytes = (uint32_t)(len - cut),
                             .wire_bytes = (uint32_t)len,
                             .link_type = 101,
                             .selected = true};
    for (unsigned i = 0; i < times; i++) {
        decoder_feed(d, &p);
    }
    struct tally t = {0};
    decoder_counters(d, note, &t);
    decoder_destroy(d);
    free(frame);
    return t;
}

/* Accepted and counted; refused and counted where that is asked for. */
static void wrong_ones_are_counted_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        const struct want *w = &cases[i].want;
        for (int verify = 0; verify < 2; verify++) {
            struct tally t = feed(cases[i].frame, cases[i].cut, verify, 1);
            uint64_t refused = verify && w->wrong + w->partial + w->ip_wrong > 0;
            bool ip_is_refused = verify && w->ip_wrong > 0;
            if (t.looked_at != (ip_is_refused ? 0 : w->looked_at) || t.wrong != w->wrong ||
                t.partial != w->partial || t.ip_wrong != w->ip_wrong || t.refused != refused ||
                t.segments != 1 - refused) {
                fail_msg("%s, verify %d: %d looked at, %d wrong, %d partial, %d of IP, %d refused",
                         cases[i].name, verify, (int)t.looked_at, (int)t.wrong, (int)t.partial,
                         (int)t.ip_wrong, (int)t.refused);
            }
        }
    }
}

/* Many bytes: long segments are sampled, short ones are not, and all are verified on demand. */
static void long_captures_are_sampled(void **state)
{
    (void)state;
    enum { TIMES = 600000, LONG = 300 };
    char hex[2 * 400 + 200] = "45 00 0154 1234 0000 40 06 0000 0a000001 0a000002 " TCP_SUM("0000");
    for (int i = 0; i < LONG; i++) {
        strcat(hex, "61");
    }
    struct tally t = feed(hex, 0, false, TIMES);
    uint64_t first = (UINT64_C(64) << 20) / (LONG + 20);
    assert_int_equal(t.segments, TIMES);
    assert_true(t.looked_at == first + (TIMES - first) / 16 ||
                t.looked_at == first + (TIMES - first) / 16 + 1);
    assert_int_equal(t.wrong, t.looked_at);
    assert_int_equal(t.ip_wrong, TIMES);
    t = feed(hex, 0, true, TIMES);
    assert_int_equal(t.refused, TIMES);
    assert_int_equal(t.segments, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_ones_are_counted_or_refused),
        cmocka_unit_test(long_captures_are_sampled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
