/* Frames written as hexadecimal digits; what comes out is written as text. */
#include "base/alloc.h"
#include "lab.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct lab_case cases[] = {
    ROW("Ethernet, IPv4", 1, ETH("0800") GOOD4, WANT4),
    ROW("Ethernet, IPv6", 1, ETH("86dd") GOOD6, WANT6),
    ROW("SLL", 113, SLL("0800") GOOD4, WANT4),
    ROW("SLL, IPv6", 113, SLL("86dd") GOOD6, WANT6),
    ROW("SLL with a VLAN tag of priority 0", 113, SLL("8100") "0000 0800 " GOOD4, WANT4),
    ROW("SLL2", 276, SLL2("0800") GOOD4, WANT4),
    ROW("SLL2, IPv6", 276, SLL2("86dd") GOOD6, WANT6),
    ROW("NULL, little endian", 0, "02000000 " GOOD4, WANT4),
    ROW("NULL, big endian", 0, "00000002 " GOOD4, WANT4),
    ROW("NULL, IPv6 of Linux", 0, "0a000000 " GOOD6, WANT6),
    ROW("NULL, IPv6 of Windows", 0, "17000000 " GOOD6, WANT6),
    ROW("NULL, IPv6 of OpenBSD", 0, "00000018 " GOOD6, WANT6),
    ROW("NULL, IPv6 of FreeBSD", 0, "1c000000 " GOOD6, WANT6),
    ROW("NULL, IPv6 of macOS", 0, "1e000000 " GOOD6, WANT6),
    ROW("NULL, another family", 0, "07000000 " GOOD4, "other_ethertype=1\n"),
    ROW("LOOP", 108, "00000002 " GOOD4, WANT4),
    ROW("RAW, IPv4", 101, GOOD4, WANT4),
    ROW("RAW, IPv6", 101, GOOD6, WANT6),
    ROW("RAW as 12", 12, GOOD4, WANT4),
    ROW("RAW as 14", 14, GOOD6, WANT6),
    ROW("RAW, another version", 101, "50" GOOD4, "malformed=1\n"),
    ROW("IPV4", 228, GOOD4, WANT4),
    ROW("IPV6", 229, GOOD6, WANT6),
    ROW("IPV6 that is IPv4", 229, GOOD4 "0000", "malformed=1\n"),
    ROW("unknown link type", 147, GOOD4, "other_link=1\n"),
    ROW("padding behind the IP packet", 1, ETH("0800") IP4("0028", "0000", "06") TCP "000000000000",
        "10.0.0.1:1000>10.0.0.2:80 seq=1 ack=2 PA win=5 wire=0 []\n"),
    ROW("padding behind IPv6", 1, ETH("86dd") IP6("0014", "06") TCP "000000000000",
        "2001:db8::1:1000>2001:db8::2:80 seq=1 ack=2 PA win=5 wire=0 []\n"),
    ROW("total length 0: the card was to fill it in", 1,
        ETH("0800") IP4("0000", "0000", "06") TCP HELLO, WANT4),
    ROW("IPv6 payload length 0", 1, ETH("86dd") IP6("0000", "06") TCP HELLO, WANT6),
    ROW("IPv4 options", 101,
        "47 00 0035 1234 0000 40 06 0000 0a000001 0a000002 0101010101010100 " TCP HELLO, WANT4),
    ROW("TCP options", 101,
        IP4("0035", "0000", "06") "03e8 0050 00000001 00000002 70 02 0005 0000 0000 "
                                  "020405b401010100 " HELLO,
        "10.0.0.1:1000>10.0.0.2:80 seq=1 ack=2 S win=5 wire=5 [hello]\n"),
    ROW("all flags", 101,
        IP4("0028", "0000", "06") "03e8 0050 fffffffe 00000002 50 1f ffff 0000 0000",
        "10.0.0.1:1000>10.0.0.2:80 seq=4294967294 ack=2 FSRPA win=65535 wire=0 []\n"),
    ROW("total length beyond the wire: what is there counts", 101,
        IP4("0064", "0000", "06") TCP HELLO, WANT4 "malformed=1\n"),
    ROW("total length below the header", 101, IP4("0013", "0000", "06") TCP, "malformed=1\n"),
    ROW("header length below 20", 101,
        "44 00 002d 1234 0000 40 06 0000 0a000001 0a000002 " TCP HELLO, "malformed=1\n"),
    ROW("header length beyond the packet", 101,
        "4f 00 0028 1234 0000 40 06 0000 0a000001 0a000002 " TCP, "malformed=1\n"),
    ROW("data offset below 20", 101,
        IP4("0028", "0000", "06") "03e8 0050 00000001 00000002 40 18 0005 0000 0000",
        "malformed=1\n"),
    ROW("data offset beyond the segment", 101,
        IP4("0028", "0000", "06") "03e8 0050 00000001 00000002 60 18 0005 0000 0000",
        "malformed=1\n"),
    ROW("TCP header beyond the IP length", 101, IP4("0020", "0000", "06") TCP, "cut=1\n"),
    ROW("UDP", 101, IP4("001c", "0000", "11") "0035003500080000", "udp=1\n"),
    ROW("ICMP", 101, IP4("001c", "0000", "01") "0800000000000000", "icmp=1\n"),
    ROW("ICMPv6", 101, IP6("0008", "3a") "8000000000000000", "icmp=1\n"),
    ROW("another IP protocol", 101, IP4("001c", "0000", "84") "0000000000000000", "other_ip=1\n"),
    ROW("ESP", 101, IP6("0008", "32") "0000000000000000", "other_ip=1\n"),
    ROW("no next header", 101, IP6("0000", "3b"), "other_ip=1\n"),
    ROW("ARP", 1, ETH("0806") "0001080006040001", "arp=1\n"),
    ROW("another ethertype", 1, ETH("88cc") "0000", "other_ethertype=1\n"),
    ROW("LLC", 1, ETH("0026") "424203000000", "other_ethertype=1\n"),
    ROW("hop-by-hop, routing, destination options", 101,
        IP6("0031", "00") "2b00 010400000000 3c00 000000000000 0600 010400000000 " TCP HELLO,
        WANT6),
    ROW("an extension of 16 bytes", 101,
        IP6("0029", "3c") "0601 010c000000000000000000000000 " TCP HELLO, WANT6),
    ROW("AH", 101,
        IP6("0031", "33") "0604 0000 00000001 00000001 000000000000000000000000 " TCP HELLO, WANT6),
    ROW("AH over IPv4", 101,
        IP4("0045", "0000", "33") "0604 0000 00000001 00000001 000000000000000000000000 " TCP HELLO,
        WANT4),
    ROW("extension beyond the packet", 101, IP6("0008", "00") "06ff 010400000000", "cut=1\n"),
    ROW("atomic fragment", 101, IP6("0021", "2c") "0600 0000 00000007 " TCP HELLO, WANT6),
};

/* Whatever the link and the IP header look like, the same segment comes out, or a counter says why
 * not. */
static void segments_are_independent_of_the_headers_around_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        assert_int_equal(lab_check(&cases[i]), 0);
        assert_int_equal(decode_knows_link(cases[i].link_type), cases[i].link_type != 147);
    }
}

/* A frame cut at any byte gives its segment with what is left of the payload, or is counted as cut.
 */
static void cut_frames_are_counted(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        uint32_t link_type;
        const char *frame;
        size_t headers; /* bytes up to the end of the fixed TCP header */
        size_t options;
    } frames[] = {
        {1,   ETH("0800") GOOD4,                                                     54, 0},
        {1,   ETH("8100") "0005 88a8 0006 0800 " GOOD4,                              62, 0},
        {113, SLL("86dd") GOOD6,                                                     76, 0},
        {276, SLL2("0800") GOOD4,                                                    60, 0},
        {0,   "02000000 " GOOD4,                                                     44, 0},
        {101, IP6("0021", "3c") "0600 010400000000 " TCP HELLO,                      68, 0},
        {101, IP4("0035", "0000", "06") "03e8 0050 00000001 00000002 70 18 0005 0000 0000 "
                                        "020405b401010100 " HELLO,                   40, 8},
    };
    /* clang-format on */
    for (size_t i = 0; i < HR_ARRAY_LEN(frames); i++) {
        size_t wire = frames[i].headers + frames[i].options + 5;
        for (size_t cut = 0; cut < wire; cut++) {
            struct sink sink = {0};
            hr_buf_init(&sink.text, SIZE_MAX);
            /* every other time padding follows on the wire, which is no payload */
            lab_decode(&sink, frames[i].link_type, frames[i].frame, cut, wire + cut % 2 * 7);
            const char *got = hr_buf_str(&sink.text);
            bool has_segment = strstr(got, "wire=5 [") != NULL;
            bool is_cut = strstr(got, "cut=1\n") != NULL;
            assert_int_equal(has_segment, cut >= frames[i].headers);
            assert_int_equal(is_cut, cut < frames[i].headers + frames[i].options);
            assert_null(strstr(got, "malformed"));
            hr_buf_finish(&sink.text);
        }
    }
}

static uint32_t network_of(const char *frame)
{
    return lab_check(&(struct lab_case){"network", 1, frame, WANT4});
}

/* The same addresses on two VLANs are two connections; a tag that names no VLAN changes nothing. */
static void vlans_keep_connections_apart(void **state)
{
    (void)state;
    const uint32_t plain = network_of(ETH("0800") GOOD4);
    const uint32_t five = network_of(ETH("8100") "0005 0800 " GOOD4);
    const uint32_t six = network_of(ETH("8100") "0006 0800 " GOOD4);
    const uint32_t five_in_six = network_of(ETH("88a8") "0006 8100 0005 0800 " GOOD4);
    const uint32_t six_in_five = network_of(ETH("9100") "0005 8100 0006 0800 " GOOD4);
    const uint32_t three = network_of(ETH("8100") "0005 8100 0006 8100 0007 0800 " GOOD4);
    const uint32_t all[] = {plain, five, six, five_in_six, six_in_five, three};
    assert_int_equal(plain, 0);
    for (size_t i = 0; i < HR_ARRAY_LEN(all); i++) {
        for (size_t k = 0; k < i; k++) {
            assert_int_not_equal(all[i], all[k]);
        }
    }
    assert_int_equal(network_of(ETH("8100") "e005 0800 " GOOD4), five); /* priority bits */
    assert_int_equal(network_of(ETH("8100") "e000 0800 " GOOD4), plain);
}

/* Headers in headers without end are given up at a bound. */
static void nesting_is_bounded(void **state)
{
    (void)state;
    char hex[1024] = ETH("8100");
    for (int i = 0; i < 60; i++) {
        strncat(hex, "00058100", sizeof(hex) - strlen(hex) - 1);
    }
    struct sink sink = {0};
    hr_buf_init(&sink.text, SIZE_MAX);
    lab_decode(&sink, 1, hex, SIZE_MAX, 0);
    assert_string_equal(hr_buf_str(&sink.text), "malformed=1\n");
    hr_buf_finish(&sink.text);
}

/* The ends of plain segments are known ahead; of no frame they are other than those decoded. */
static void ends_are_known_ahead(void **state)
{
    (void)state;
    static const struct {
        uint32_t link_type;
        const char *frame, *want;
    } rows[] = {
        ROW(1, ETH("0800") GOOD4, "10.0.0.1:1000 10.0.0.2:80"),
        ROW(1, ETH("86dd") GOOD6, "2001:db8::1:1000 2001:db8::2:80"),
        ROW(101, GOOD4, "10.0.0.1:1000 10.0.0.2:80"),
        ROW(113, SLL("0800") GOOD4, "10.0.0.1:1000 10.0.0.2:80"),
        ROW(276, SLL2("86dd") GOOD6, "2001:db8::1:1000 2001:db8::2:80"),
        ROW(1, ETH("8100") "0001 0800" GOOD4, ""),
        ROW(1, ETH("0800") IP4("002d", "0001", "06") TCP HELLO, ""),
        ROW(1, ETH("0800") IP4("002d", "0000", "11") TCP HELLO, ""),
        ROW(1, ETH("0800") "45 00 002d", ""),
        ROW(1, ETH("0800"), ""),
        ROW(0, "00000002" GOOD4, ""),
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(rows); i++) {
        struct net_endpoint ends[2];
        char text[2][NET_ADDRESS_TEXT_SIZE];
        char got[128] = "";
        size_t len;
        uint8_t *frame = lab_from_hex(rows[i].frame, &len);
        if (decode_look_ahead(hr_span_of(frame, len), rows[i].link_type, ends)) {
            snprintf(got, sizeof(got), "%s:%u %s:%u",
                     net_address_format(&ends[0].address, text[0]), ends[0].port,
                     net_address_format(&ends[1].address, text[1]), ends[1].port);
        }
        assert_string_equal(got, rows[i].want);
        free(frame);
    }
    assert_false(decode_look_ahead((struct hr_span){NULL, 0}, 1, (struct net_endpoint[2]){0}));
}

/* No bytes whatever make the decoder read outside the frame (the sanitizer build sees it). */
static void random_frames_do_no_harm(void **state)
{
    (void)state;
    static const uint32_t link_types[] = {1, 113, 276, 0, 108, 101, 228, 229};
    uint64_t x = 4711;
    struct sink sink = {0};
    hr_buf_init(&sink.text, 4096);
    struct decoder *d = decoder_create(&lab_config, lab_append_segment, &sink);
    for (int round = 0; round < 20000; round++) {
        size_t len;
        uint8_t *frame = lab_from_hex(cases[(size_t)round % HR_ARRAY_LEN(cases)].frame, &len);
        for (int flips = 0; flips < 4; flips++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            frame[(x >> 33) % len] = (uint8_t)(x >> 56);
        }
        const struct packet p = {.at = round,
                                 .data = frame,
                                 .captured_bytes = (uint32_t)len,
                                 .wire_bytes = (uint32_t)len + (round % 3 == 0 ? 9 : 0),
                                 .link_type = link_types[(size_t)round % 8]};
        struct net_endpoint ends[2];
        decode_look_ahead(hr_span_of(frame, len), p.link_type, ends);
        decoder_feed(d, &p);
        free(frame);
    }
    decoder_destroy(d);
    hr_buf_finish(&sink.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_are_independent_of_the_headers_around_them),
        cmocka_unit_test(cut_frames_are_counted),
        cmocka_unit_test(vlans_keep_connections_apart),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(ends_are_known_ahead),
        cmocka_unit_test(random_frames_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
