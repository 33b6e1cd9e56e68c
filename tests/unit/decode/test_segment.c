#include "base/alloc.h"
#include "decode/segment.h"
#include "support/test.h"

static const struct {
    const char *text;
    const char *want; /* NULL: no address */
} cases[] = {
    {"192.0.2.1",        "192.0.2.1"  },
    {"0.0.0.0",          "0.0.0.0"    },
    {"::ffff:192.0.2.1", "192.0.2.1"  },
    {"2001:DB8:0::1",    "2001:db8::1"},
    {"::",               "::"         },
    {"::1",              "::1"        },
    {"",                 NULL         },
    {"192.0.2",          NULL         },
    {"192.0.2.256",      NULL         },
    {"192.0.2.1:80",     NULL         },
    {"[::1]",            NULL         },
    {"2001:db8::1::2",   NULL         },
    {"localhost",        NULL         },
};

/* Text and address stand for each other; an IPv4-mapped address is its IPv4 address. */
static void addresses_are_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct net_address a = {{7}};
        char text[NET_ADDRESS_TEXT_SIZE];
        assert_int_equal(net_address_parse(cases[i].text, &a), cases[i].want != NULL);
        if (cases[i].want != NULL) {
            assert_string_equal(net_address_format(&a, text), cases[i].want);
        } else {
            assert_int_equal(a.bytes[0], 7);
        }
    }
}

/* Endpoints are ordered by address, then by port as a number. */
static void endpoints_are_ordered(void **state)
{
    (void)state;
    const struct net_endpoint sorted[] = {
        {{{1}},    80 },
        {{{1}},    256},
        {{{1, 1}}, 1  },
        {{{2}},    0  },
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(sorted); i++) {
        for (size_t k = 0; k < HR_ARRAY_LEN(sorted); k++) {
            int r = net_endpoint_compare(&sorted[i], &sorted[k]);
            assert_true(i < k ? r < 0 : i > k ? r > 0 : r == 0);
        }
    }
}

/* One packet, one identity. Time stamps of TCP are compared for equality alone, so it does not
 * matter that they wrap. */
static void identities_tell_packets_apart(void **state)
{
    (void)state;
    static const struct {
        uint16_t ip_id;
        uint64_t stamps;
    } packets[] = {
        {0,          1                           },
        {0,          UINT64_C(0xffffffff00000001)},
        {0,          UINT64_C(0x0000000000000100)},
        {1,          0                           },
        {2,          0                           },
        {UINT16_MAX, 0                           },
        {1,          1                           },
        {1,          UINT64_MAX                  },
    };
    assert_int_equal(tcp_segment_identity(0, 0), 0);
    for (size_t i = 0; i < HR_ARRAY_LEN(packets); i++) {
        uint32_t a = tcp_segment_identity(packets[i].ip_id, packets[i].stamps);
        assert_int_not_equal(a, 0);
        assert_int_equal((a & TCP_IDENTITY_IP) != 0, packets[i].ip_id != 0);
        for (size_t k = 0; k < HR_ARRAY_LEN(packets); k++) {
            uint32_t b = tcp_segment_identity(packets[k].ip_id, packets[k].stamps);
            assert_int_equal(a == b, i == k);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_text),
        cmocka_unit_test(endpoints_are_ordered),
        cmocka_unit_test(identities_tell_packets_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
