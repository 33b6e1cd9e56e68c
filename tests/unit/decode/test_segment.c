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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_text),
        cmocka_unit_test(endpoints_are_ordered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
