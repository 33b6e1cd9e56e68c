#include "rule/finding.h"
#include "support/test.h"

#include <string.h>

static const struct finding_place place = {
    .site = {"shop.example", 12},
    .client = {"198.51.100.7", 12},
    .client_port = 40000,
    .server = {"192.0.2.10",   10},
    .server_port = 80,
    .method = {"GET",          3 },
    .endpoint = {"/account",     8 },
};

/* Baselines and suppressions of other days hold these texts, so they never change. */
static void fingerprints_are_forever(void **state)
{
    (void)state;
    char got[FINDING_HASH_SIZE];
    finding_fingerprint("post-logout-access", &place, INT64_C(1714550400050000000), got);
    assert_string_equal(got, "b16178ab90d90d85d70a08a193e68ab7");
    finding_group("post-logout-access", &place, got);
    assert_string_equal(got, "1f845a3af6916531343a752646b6a3af");
}

/* Everything that makes an occurrence another one makes its fingerprint another one; its group says
 * less. */
static void fingerprints_tell_occurrences_apart(void **state)
{
    (void)state;
    char first[FINDING_HASH_SIZE];
    char group[FINDING_HASH_SIZE];
    finding_fingerprint("r", &place, 1, first);
    finding_group("r", &place, group);
    for (int i = 0; i < 9; i++) {
        char got[FINDING_HASH_SIZE];
        char got_group[FINDING_HASH_SIZE];
        struct finding_place other = place;
        other.site = i == 0 ? HR_SPAN("shop.example:8080") : other.site;
        other.client = i == 1 ? HR_SPAN("198.51.100.8") : other.client;
        other.client_port += i == 2;
        other.server = i == 3 ? HR_SPAN("192.0.2.11") : other.server;
        other.server_port += i == 4;
        other.method = i == 5 ? HR_SPAN("PUT") : other.method;
        other.endpoint = i == 6 ? HR_SPAN("/account/") : other.endpoint;
        finding_fingerprint(i == 7 ? "s" : "r", &other, i == 8 ? 2 : 1, got);
        finding_group(i == 7 ? "s" : "r", &other, got_group);
        assert_string_not_equal(got, first);
        const int is_other_group = i == 0 || i == 5 || i == 6 || i == 7;
        assert_int_equal(strcmp(got_group, group) != 0, is_other_group);
    }
}

/* Redacted values are hashes under the database's key: another key, the same finding. */
static void fingerprints_do_not_depend_on_the_key(void **state)
{
    (void)state;
    char a[FINDING_HASH_SIZE];
    char b[FINDING_HASH_SIZE];
    char c[FINDING_HASH_SIZE];
    struct finding_place other = place;
    other.endpoint = HR_SPAN("/s/~0123456789abcdef/page");
    finding_fingerprint("r", &other, 1, a);
    other.endpoint = HR_SPAN("/s/~fedcba9876543210/page");
    finding_fingerprint("r", &other, 1, b);
    other.endpoint = HR_SPAN("/s/~fedcba98/page"); /* no hash: a path with a tilde */
    finding_fingerprint("r", &other, 1, c);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fingerprints_are_forever),
        cmocka_unit_test(fingerprints_tell_occurrences_apart),
        cmocka_unit_test(fingerprints_do_not_depend_on_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
