/* The packet inside comes out, whatever is around it; what is no packet is counted. */
#include "base/alloc.h"
#include "lab.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#define IN4 WANT4 "tunnelled=1\n"
#define IN6 WANT6 "tunnelled=1\n"
#define UDP(port, bytes) "c000 " port " " bytes " 0000 "
#define WIRELESS "0801 0000 020000000001 020000000002 020000000003 0000 "
#define PFLOG_REST                                                                                 \
    "0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 "         \
    "0000000000000000 0000000000000000 "
#define SNAP "aaaa03 000000 0800 "

static const struct lab_case cases[] = {
    /* IP in IP */
    ROW("4 in 4", 101, IP4("0041", "0000", "04") GOOD4, IN4),
    ROW("6 in 4", 101, IP4("0055", "0000", "29") GOOD6, IN6),
    ROW("4 in 6", 101, IP6("002d", "04") GOOD4, IN4),
    ROW("6 in 6", 101, IP6("0041", "29") GOOD6, IN6),
    ROW("4 in 4 in 6", 101, IP6("0041", "04") IP4("0041", "0000", "04") GOOD4, IN4),
    ROW("IPComp, a stored block", 101,
        IP4("0036", "0000", "6c") "06 00 0002 01 1900 e6ff " TCP HELLO, WANT4),
    ROW("IPComp by another algorithm", 101,
        IP4("0036", "0000", "6c") "06 00 0002 ff ffff ffff " TCP HELLO, "other_ip=1\n"),
    ROW("IPComp in itself", 101,
        IP4("003f", "0000", "6c") "6c 00 0002 01 2200 ddff 06 00 0002 01 1900 e6ff " TCP HELLO,
        "other_ip=1\n"),
    /* GRE */
    ROW("GRE", 101, IP4("0045", "0000", "2f") "0000 0800 " GOOD4, IN4),
    ROW("GRE over IPv6", 101, IP6("0045", "2f") "0000 86dd " GOOD6, IN6),
    ROW("GRE with checksum, key and sequence", 101,
        IP4("0051", "0000", "2f") "b000 0800 00000000 00000001 00000002 " GOOD4, IN4),
    ROW("GRE with a source route", 101,
        IP4("0055", "0000", "2f") "4000 0800 00000000 0800 00 04 0a000009 0000 00 00 " GOOD4, IN4),
    ROW("Ethernet in GRE", 101, IP4("0053", "0000", "2f") "0000 6558 " ETH("0800") GOOD4, IN4),
    ROW("ERSPAN I", 101, IP4("0053", "0000", "2f") "0000 88be " ETH("0800") GOOD4, IN4),
    ROW("ERSPAN II", 101,
        IP4("005f", "0000", "2f") "1000 88be 00000001 1000000000000000 " ETH("0800") GOOD4, IN4),
    ROW("ERSPAN III", 101,
        IP4("0063", "0000", "2f") "1000 22eb 00000001 200000000000000000000000 " ETH("0800") GOOD4,
        IN4),
    ROW("ERSPAN III with a platform header", 101,
        IP4("006b", "0000", "2f") "1000 22eb 00000001 200000000000000000000001 "
                                  "0000000000000000 " ETH("0800") GOOD4,
        IN4),
    ROW("PPTP", 101, IP4("0053", "0000", "2f") "3081 880b 002f 0007 00000001 00000001 0021 " GOOD4,
        IN4),
    ROW("PPTP, an acknowledgment", 101, IP4("0020", "0000", "2f") "2081 880b 0000 0007 00000001",
        "other_ip=1\n"),
    ROW("GRE of a version that is not", 101, IP4("0045", "0000", "2f") "0002 0800 " GOOD4,
        "malformed=1\n"),
    ROW("802.11 in GRE", 101, IP4("0065", "0000", "2f") "0000 8200 " WIRELESS SNAP GOOD4, IN4),
    ROW("GRE in UDP", 101, IP4("004d", "0000", "11") UDP("1292", "0039") "0000 0800 " GOOD4, IN4),
    /* MPLS */
    ROW("two labels", 1, ETH("8847") "00010040 00020140 " GOOD4, IN4),
    ROW("IPv6 behind a label", 1, ETH("8848") "00020140 " GOOD6, IN6),
    ROW("a pseudowire with a control word", 1, ETH("8847") "00010140 00000000 " ETH("0800") GOOD4,
        IN4),
    ROW("a pseudowire without", 1, ETH("8847") "00010140 " ETH("0800") GOOD4, IN4),
    ROW("labels without end", 1, ETH("8847") "00010040 00010040 ", "cut=1\n"),
    ROW("MPLS in IP", 101, IP4("0045", "0000", "89") "00020140 " GOOD4, IN4),
    ROW("MPLS in UDP", 101, IP4("004d", "0000", "11") UDP("19eb", "0039") "00020140 " GOOD4, IN4),
    ROW("MPLS as a link", 219, "00020140 " GOOD4, IN4),
    /* between switches and sites; whole ones in tests/property/encapsulations.py */
    ROW("EtherIP of another version", 101, IP4("0051", "0000", "61") "4000 " ETH("0800") GOOD4,
        "other_ip=1\n"),
    ROW("L2TPv3", 101, IP4("0053", "0000", "73") "00000007 " ETH("0800") GOOD4, IN4),
    ROW("L2TPv3, a control message", 101, IP4("0053", "0000", "73") "00000000 " ETH("0800") GOOD4,
        "other_ip=1\n"),
    ROW("L2TPv3, no IP inside", 101, IP4("0028", "0000", "73") "00000007 " ETH("0806") "0001",
        "other_ip=1\n"),
    ROW("a service header of no length", 1, ETH("894f") "0fc0 01 01 000001ff " GOOD4,
        "malformed=1\n"),
    ROW("a service header before who knows what", 1, ETH("894f") "0fc2 01 09 000001ff " GOOD4,
        "other_ethertype=1\n"),
    ROW("an encrypted MACsec frame", 1, ETH("88e5") "0c 00 00000001 0800 " GOOD4,
        "other_ethertype=1\n"),
    ROW("Cisco's metadata, cut", 1, ETH("8909") "01 ff 0001 0005 0800 " GOOD4, "cut=1\n"),
    ROW("CAPWAP, encrypted", 101,
        IP4("005f", "0000", "11") UDP("147f", "004b") "01100200 00000000 " ETH("0800") GOOD4,
        "udp=1\n"),
    ROW("CAPWAP, a piece", 101,
        IP4("005f", "0000", "11") UDP("147f", "004b") "00100280 00010000 " ETH("0800") GOOD4,
        "udp=1\n"),
    /* over UDP */
    ROW("VXLAN GPE", 101, IP4("0051", "0000", "11") UDP("12b6", "003d") "0c000001 00000000 " GOOD4,
        IN4),
    ROW("VXLAN's port, something else", 101,
        IP4("005f", "0000", "11") UDP("12b5", "004b") "00000000 00002a00 " ETH("0800") GOOD4,
        "udp=1\n"),
    ROW("GTP-U", 101, IP4("0051", "0000", "11") UDP("0868", "003d") "30ff 002d 00000001 " GOOD4,
        IN4),
    ROW("GTP-U from another port", 101,
        IP4("0051", "0000", "11") "0868 9c40 003d 0000 30ff 002d 00000001 " GOOD4, IN4),
    ROW("GTP-U with an extension", 101,
        IP4("0059", "0000", "11")
            UDP("0868", "0045") "34ff 0035 00000001 0000 00 85 01 0000 00 " GOOD4,
        IN4),
    ROW("GTP-U with an extension of no length", 101,
        IP4("0059", "0000", "11")
            UDP("0868", "0045") "34ff 0035 00000001 0000 00 85 00 0000 00 " GOOD4,
        "cut=1\n"),
    ROW("GTP-U, an echo request", 101,
        IP4("0028", "0000", "11") UDP("0868", "0014") "3201 0004 00000000 00000000", "udp=1\n"),
    ROW("Teredo", 101, IP4("005d", "0000", "11") UDP("0dd8", "0049") GOOD6, IN6),
    ROW("Teredo with authentication and origin", 101,
        IP4("0072", "0000", "11") UDP("0dd8", "005e") "0001 00 00 0000000000000000 00 "
                                                      "0000 1234 0a000001 " GOOD6,
        IN6),
    ROW("Teredo's port, something else", 101,
        IP4("0020", "0000", "11") UDP("0dd8", "000c") "41414141", "udp=1\n"),
    ROW("L2TP", 101,
        IP4("0055", "0000", "11") UDP("06a5", "0041") "4002 0039 0001 0002 ff03 0021 " GOOD4, IN4),
    ROW("L2TP with all that may be there", 101,
        IP4("005a", "0000", "11")
            UDP("06a5", "0046") "4a02 003e 0001 0002 0001 0002 0002 0000 21 " GOOD4,
        IN4),
    ROW("L2TP, control", 101,
        IP4("0028", "0000", "11") UDP("06a5", "0014") "c802 000c 0001 0000 0001 0001", "udp=1\n"),
    ROW("TZSP", 101,
        IP4("0060", "0000", "11") UDP("9090", "004c") "01 00 0001 0a 01 ff 00 01 " ETH("0800")
            GOOD4,
        IN4),
    ROW("TZSP of 802.11", 101,
        IP4("006e", "0000", "11") UDP("9090", "005a") "01 00 0012 01 " WIRELESS SNAP GOOD4, IN4),
    ROW("TZSP, a keep-alive", 101, IP4("0021", "0000", "11") UDP("9090", "000d") "01 04 0001 01",
        "udp=1\n"),
    /* point to point */
    ROW("PPP", 9, "ff03 0021 " GOOD4, WANT4),
    ROW("PPP, IPv6, without address and control", 9, "0057 " GOOD6, WANT6),
    ROW("PPP, protocol in one byte", 9, "21 " GOOD4, WANT4),
    ROW("PPP, MPLS", 9, "0281 00020140 " GOOD4, IN4),
    ROW("PPP, negotiation", 9, "ff03 c021 01010004", "other_ethertype=1\n"),
    ROW("PPP in HDLC framing", 50, "ff03 0021 " GOOD4, WANT4),
    ROW("Cisco HDLC", 104, "0f00 0800 " GOOD4, WANT4),
    ROW("Cisco HDLC, IPv6", 50, "8f00 86dd " GOOD6, WANT6),
    ROW("pppd", 166, "00 03 0021 " GOOD4, WANT4),
    ROW("PPP with a direction", 204, "01 ff03 0021 " GOOD4, WANT4),
    ROW("PPPoE", 1, ETH("8864") "11 00 0001 002f 0021 " GOOD4, WANT4),
    ROW("PPPoE, padding behind it", 1, ETH("8864") "11 00 0001 002f 0021 " GOOD4 "0000", WANT4),
    ROW("PPPoE without Ethernet", 51, "11 00 0001 0043 0057 " GOOD6, WANT6),
    ROW("PPPoE that ends a session", 1, ETH("8864") "11 a7 0001 0000", "other_ethertype=1\n"),
    /* LLC and tags */
    ROW("LLC and SNAP", 1, ETH("0035") SNAP GOOD4, WANT4),
    ROW("LLC without SNAP", 1, ETH("0030") "060603 " GOOD4, WANT4),
    ROW("SNAP of an organisation", 1, ETH("0035") "aaaa03 00000c 2000 " GOOD4,
        "other_ethertype=1\n"),
    ROW("ATM", 100, SNAP GOOD4, WANT4),
    ROW("MAC in MAC", 1, ETH("88e7") "00000001 " ETH("0800") GOOD4, WANT4),
    ROW("VN-Tag", 1, ETH("8926") "80010002 0800 " GOOD4, WANT4),
    /* wireless */
    ROW("802.11", 105, WIRELESS SNAP GOOD4, WANT4),
    ROW("802.11, a check sequence behind it", 105, WIRELESS SNAP GOOD4 "deadbeef", WANT4),
    ROW("802.11 with quality of service", 105,
        "8801 0000 020000000001 020000000002 020000000003 0000 0000 " SNAP GOOD4, WANT4),
    ROW("802.11 with high throughput control", 105,
        "8881 0000 020000000001 020000000002 020000000003 0000 0000 00000000 " SNAP GOOD4, WANT4),
    ROW("802.11 between access points", 105,
        "0803 0000 020000000001 020000000002 020000000003 0000 020000000004 " SNAP GOOD4, WANT4),
    ROW("802.11, encrypted", 105, "0841 0000 020000000001 020000000002 020000000003 0000 00000000",
        "wireless_encrypted=1\n"),
    ROW("802.11, no data", 105, "4801 0000 020000000001 020000000002 020000000003 0000",
        "other_ethertype=1\n"),
    ROW("802.11, a beacon", 105, "8000 0000 020000000001 020000000002 020000000003 0000",
        "other_ethertype=1\n"),
    ROW("802.11, two frames in one", 105,
        "8801 0000 020000000001 020000000002 020000000003 0000 8000 "
        "020000000001 020000000002 0035 " SNAP GOOD4 "00 "
        "020000000001 020000000002 0055 aaaa03 000000 86dd " GOOD6,
        WANT4 WANT6),
    ROW("radiotap", 127, "00000800 00000000 " WIRELESS SNAP GOOD4, WANT4),
    ROW("radiotap that pads headers", 127,
        "00001200 03000000 0000000000000000 20 00 "
        "8801 0000 020000000001 020000000002 020000000003 0000 0000 0000 " SNAP GOOD4,
        WANT4),
    ROW("radiotap of two words", 127,
        "00001900 03000080 00000000 00000000 0000000000000000 10 " WIRELESS SNAP GOOD4 "deadbeef",
        WANT4),
    ROW("radiotap that is too short", 127, "00000400 00000000 " WIRELESS SNAP GOOD4,
        "malformed=1\n"),
    ROW("Prism", 119, "44000000 10000000 0000000000000000 " WIRELESS SNAP GOOD4, WANT4),
    ROW("AVS", 163, "80211001 00000010 0000000000000000 " WIRELESS SNAP GOOD4, WANT4),
    ROW("PFLOG", 117, "3d 02 00 00 656d3000 " PFLOG_REST GOOD4, WANT4),
    ROW("PFLOG, IPv6", 117, "3d 18 00 00 656d3000 " PFLOG_REST GOOD6, WANT6),
    ROW("PFLOG without a length", 117, "00 02 00 00 " GOOD4, "malformed=1\n"),
    ROW("PFLOG beyond the frame", 117, "3d 02 00 00 " GOOD4 "00", "cut=1\n"),
    ROW("ENC", 109, "02000000 00001234 00000001 " GOOD4, WANT4),
    ROW("PPI", 192, "00000800 69000000 " WIRELESS SNAP GOOD4, WANT4),
    ROW("PPI of an unknown link type", 192, "00000800 93000000 00", "other_link=1\n"),
    /* others */
    ROW("ARCNET, RFC 1051", 129, "0102 0000 f0 " GOOD4, WANT4),
    ROW("ARCNET, RFC 1201", 7, "0102 d4 00 0001 " GOOD4, WANT4),
    ROW("ARCNET, a part", 7, "0102 d4 03 0001 " GOOD4, "other_ethertype=1\n"),
    ROW("NFLOG", 239, "02 00 0000 0800 0100 08000000 3100 0900 " GOOD4, WANT4),
    ROW("NFLOG, a field of odd length", 239, "0a 00 0000 0500 0a00 41000000 4500 0900 " GOOD6,
        WANT6),
    ROW("NFLOG of a big-endian host", 239, "02 00 0000 0008 0001 08000000 0031 0009 " GOOD4, WANT4),
    ROW("NFLOG without a packet", 239, "02 00 0000 0800 0100 08000000", "cut=1\n"),
};

static void the_packet_inside_comes_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        lab_check(&cases[i]);
        assert_true(decode_knows_link(cases[i].link_type));
    }
}

static uint32_t network_of(const char *frame)
{
    return lab_check(&(struct lab_case){"network", 101, frame, IN4});
}

#define VXLAN(vni)                                                                                 \
    IP4("005f", "0000", "11") UDP("12b5", "004b") "08000000 " vni "00 " ETH("0800") GOOD4
#define GENEVE(vni)                                                                                \
    IP4("0055", "0000", "11") UDP("17c1", "0041") "0100 0800 " vni "00 00000000 " GOOD4
#define GENEVE_ETHERNET(vni)                                                                       \
    IP4("005f", "0000", "11") UDP("17c1", "004b") "0000 6558 " vni "00 " ETH("0800") GOOD4

/* Equal addresses in two virtual networks are two connections; what differs by direction is none.
 */
static void virtual_networks_keep_connections_apart(void **state)
{
    (void)state;
    const uint32_t a = network_of(VXLAN("00002a"));
    assert_int_not_equal(a, 0);
    assert_int_not_equal(a, network_of(VXLAN("00002b")));
    assert_int_equal(a, network_of(GENEVE("00002a")));
    assert_int_equal(a, network_of(GENEVE_ETHERNET("00002a")));
    assert_int_equal(network_of(IP4("0045", "0000", "2f") "0000 0800 " GOOD4), 0);
    assert_int_equal(network_of(IP4("0049", "0000", "2f") "2000 0800 00000007 " GOOD4), 0);
}

/* A frame cut at any byte, and random bytes in it, do no harm (the sanitizer build sees it). */
static void cut_and_random_frames_do_no_harm(void **state)
{
    (void)state;
    uint64_t x = 4711;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        size_t len;
        uint8_t *good = lab_from_hex(cases[i].frame, &len);
        struct sink sink = {0};
        hr_buf_init(&sink.text, 4096);
        struct decoder *d = decoder_create(&lab_config, lab_append_segment, &sink);
        for (size_t round = 0; round < len + 200; round++) {
            size_t captured = round < len ? round : len;
            uint8_t *frame = hr_xmalloc(captured == 0 ? 1 : captured);
            memcpy(frame, good, captured);
            for (int flips = 0; round >= len && flips < 4; flips++) {
                x = x * 6364136223846793005u + 1442695040888963407u;
                frame[(x >> 33) % captured] = (uint8_t)(x >> 56);
            }
            const struct packet p = {.at = (hr_nsec)round,
                                     .data = frame,
                                     .captured_bytes = (uint32_t)captured,
                                     .wire_bytes = (uint32_t)len,
                                     .link_type = cases[i].link_type};
            decoder_feed(d, &p);
            free(frame);
        }
        decoder_destroy(d);
        hr_buf_finish(&sink.text);
        free(good);
    }
}

/* Tunnels in tunnels without end are given up at a bound. */
static void nesting_is_bounded(void **state)
{
    (void)state;
    char hex[1024] = "";
    for (int i = 0; i < 24; i++) {
        strncat(hex, "4500000012340000400400000a0000010a000002", sizeof(hex) - strlen(hex) - 1);
    }
    struct sink sink = {0};
    hr_buf_init(&sink.text, SIZE_MAX);
    lab_decode(&sink, 101, hex, SIZE_MAX, 0);
    assert_non_null(strstr(hr_buf_str(&sink.text), "malformed=1\n"));
    hr_buf_finish(&sink.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_packet_inside_comes_out),
        cmocka_unit_test(virtual_networks_keep_connections_apart),
        cmocka_unit_test(cut_and_random_frames_do_no_harm),
        cmocka_unit_test(nesting_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
