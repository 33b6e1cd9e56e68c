/* One address always becomes the same other one, as long in text; two stay two, networks networks.
 */
#include "base/alloc.h"
#include "evidence/addresses.h"
#include "support/test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct hr_key key = {
    {1, 2, 3}
};

static const char *const texts[] = {
    "10.0.0.1",        "10.0.0.2",   "192.168.1.10", "203.0.113.255",     "9.9.9.9",
    "8.8.4.4",         "172.16.0.9", "2001:db8::1",  "2001:DB8:0:1::aBc", "fe80::1:2:3:4",
    "1:2:3:4:5:6:7:8", "126.0.0.1",  "128.0.0.1",
};

static void text_and_bytes_agree(void **state)
{
    (void)state;
    struct addresses *a = addresses_create(&key);
    for (size_t i = 0; i < HR_ARRAY_LEN(texts); i++) {
        int family = strchr(texts[i], ':') != NULL ? AF_INET6 : AF_INET;
        uint8_t bytes[16];
        uint8_t from_text[16];
        char text[64];
        snprintf(text, sizeof(text), "%s", texts[i]);
        assert_int_equal(inet_pton(family, texts[i], bytes), 1);
        assert_int_equal(addresses_replace_text(a, text, strlen(text)), strlen(texts[i]));
        if (family == AF_INET) {
            addresses_replace_ip4(a, bytes);
        } else {
            addresses_replace_ip6(a, bytes);
        }
        assert_string_not_equal(text, texts[i]);
        assert_int_equal(inet_pton(family, text, from_text), 1);
        assert_memory_equal(bytes, from_text, family == AF_INET ? 4 : 16);
    }
    addresses_destroy(a);
}

static void two_stay_two(void **state)
{
    (void)state;
    struct addresses *a = addresses_create(&key);
    bool *seen = hr_xcalloc(65536, sizeof(*seen));
    uint8_t first[2] = {0};
    for (unsigned i = 0; i < 65536; i++) {
        uint8_t bytes[4] = {10, 20, (uint8_t)(i >> 8), (uint8_t)i};
        addresses_replace_ip4(a, bytes);
        unsigned rest = (unsigned)(bytes[2] << 8 | bytes[3]);
        assert_false(seen[rest]);
        seen[rest] = true;
        memcpy(first, i == 0 ? bytes : first, 2);
        assert_memory_equal(first, bytes, 2); /* one network */
        assert_int_not_equal(bytes[0], 10); /* no part stays what it was */
        assert_int_not_equal(bytes[1], 20);
        assert_int_not_equal(bytes[2], i >> 8);
        assert_int_not_equal(bytes[3], i & 255);
    }
    free(seen);
    addresses_destroy(a);
}

static void who_is_nobody_stays(void **state)
{
    (void)state;
    static const char *const nobody[] = {"127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.251"};
    struct addresses *a = addresses_create(&key);
    for (size_t i = 0; i < HR_ARRAY_LEN(nobody); i++) {
        char text[32];
        snprintf(text, sizeof(text), "%s", nobody[i]);
        assert_int_equal(addresses_replace_text(a, text, strlen(text)), strlen(text));
        assert_string_equal(text, nobody[i]);
    }
    uint8_t group[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint8_t card[6] = {0x02, 0, 0, 1, 2, 3};
    addresses_replace_mac(a, group);
    addresses_replace_mac(a, card);
    assert_int_equal(group[5], 0xff);
    assert_int_equal(card[0] & 3, 2); /* one card's own, not of a maker */
    assert_int_not_equal(card[0], 2);
    assert_int_equal(card[0] >> 4, 0); /* what MPLS is told by */
    for (size_t i = 1; i < sizeof(card); i++) {
        assert_int_not_equal(card[i], i < 3 ? 0 : i - 2);
    }
    addresses_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_bytes_agree),
        cmocka_unit_test(two_stay_two),
        cmocka_unit_test(who_is_nobody_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
