/* Connections are found by their ends and a time as by looking at each, and as fast where there are
 * many of them.
 */
#include "base/alloc.h"
#include "evidence/ends.h"
#include "support/test.h"

#include <stdlib.h>

static struct net_endpoint end(unsigned host, unsigned port)
{
    struct net_endpoint e = {.port = (uint16_t)port};
    for (size_t i = 0; i < 4; i++) {
        e.address.bytes[15 - i] = (uint8_t)(host >> 8 * i);
    }
    return e;
}

struct life {
    struct net_endpoint ends[2];
    hr_nsec first_at;
    hr_nsec last_at;
};

static bool is_of(const struct life *l, const struct net_endpoint *a, const struct net_endpoint *b,
                  hr_nsec at)
{
    bool is_same =
        net_endpoint_compare(a, &l->ends[0]) == 0 && net_endpoint_compare(b, &l->ends[1]) == 0;
    bool is_turned =
        net_endpoint_compare(a, &l->ends[1]) == 0 && net_endpoint_compare(b, &l->ends[0]) == 0;
    return (is_same || is_turned) && l->first_at <= at && at <= l->last_at;
}

static void finds_as_one_by_one(void **state)
{
    (void)state;
    uint32_t seed = 1;
    struct life lives[60];
    struct ends_index index = {0};
    size_t found = 0;
    for (unsigned i = 0; i < HR_ARRAY_LEN(lives); i++) {
        seed = seed * 1664525 + 1013904223;
        lives[i] = (struct life){
            .ends = {end(seed >> 30, 80), end(seed >> 28 & 3, 80 + (seed >> 27 & 1))},
            .first_at = (hr_nsec)i * 3,
            .last_at = (hr_nsec)i * 3 + (seed >> 16 & 63),
        };
        ends_index_add(&index, lives[i].ends, lives[i].first_at, lives[i].last_at, &lives[i]);
    }
    for (unsigned i = 0; i < 4u * 4 * 2 * 250; i++) {
        struct net_endpoint a = end(i & 3, 80);
        struct net_endpoint b = end(i >> 2 & 3, 80 + (i >> 4 & 1));
        hr_nsec at = i >> 5;
        const struct life *want = NULL;
        for (size_t k = 0; k < HR_ARRAY_LEN(lives); k++) {
            want = is_of(&lives[k], &a, &b, at) ? &lives[k] : want;
        }
        assert_ptr_equal(ends_index_find(&index, &a, &b, at), want);
        found += want != NULL;
    }
    assert_true(found > 1000);
    ends_index_finish(&index);
}

static void nothing_in_nothing(void **state)
{
    (void)state;
    struct ends_index index = {0};
    struct net_endpoint a = end(1, 1);
    assert_null(ends_index_find(&index, &a, &a, 0));
    ends_index_finish(&index);
}

/* Looking at each would take hours: half of them have their own ends, half the same ones. */
static void many_are_no_trouble(void **state)
{
    (void)state;
    const unsigned count = 500000;
    struct ends_index index = {0};
    struct net_endpoint server = end(1, 80);
    unsigned *marks = hr_xcalloc(count, sizeof(*marks));
    for (unsigned i = 0; i < count; i++) {
        struct net_endpoint ends[2] = {end(i % 2 == 0 ? 2 : 10 + i, 40000), server};
        ends_index_add(&index, ends, (hr_nsec)i * 10, (hr_nsec)i * 10 + 9, &marks[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        struct net_endpoint client = end(i % 2 == 0 ? 2 : 10 + i, 40000);
        assert_ptr_equal(ends_index_find(&index, &server, &client, (hr_nsec)i * 10 + 5), &marks[i]);
        assert_null(ends_index_find(&index, &client, &server, (hr_nsec)i * 10 + 10));
    }
    ends_index_finish(&index);
    free(marks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_as_one_by_one),
        cmocka_unit_test(nothing_in_nothing),
        cmocka_unit_test(many_are_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
