#include "pipeline/endpoints.h"
#include "support/test.h"

static void add(struct endpoints *e, int64_t endpoint_id)
{
    endpoints_access(e, endpoint_id, 1)->granted_live++;
    endpoints_access(e, endpoint_id, 1)->denied_without++;
}

static int count_protected(int64_t endpoint_id, const struct endpoint_evidence *evidence,
                           enum endpoint_protection protection, void *user)
{
    int64_t *sum = user;
    assert_int_equal(evidence->granted_live, 2);
    assert_int_equal(protection, PROTECTION_PROTECTED);
    *sum += endpoint_id;
    return 0;
}

/* Of an endpoint that found no room nothing is known, whatever is added to it. */
static void past_the_limit_nothing_is_known(void **state)
{
    (void)state;
    struct endpoints *e = endpoints_create(2);
    int64_t sum = 0;
    for (int round = 0; round < 2; round++) {
        add(e, 10);
        add(e, 20);
        add(e, 30);
    }
    assert_false(endpoints_is_dropped(e, 10));
    assert_false(endpoints_is_dropped(e, 20));
    assert_true(endpoints_is_dropped(e, 30));
    assert_int_equal(endpoints_judge(e, count_protected, &sum), 0);
    assert_int_equal(sum, 30);
    assert_true(endpoints_is_protected(e, 20));
    assert_false(endpoints_is_protected(e, 30));
    endpoints_clear(e);
    add(e, 30);
    assert_false(endpoints_is_dropped(e, 30));
    assert_false(endpoints_is_protected(e, 20));
    endpoints_destroy(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(past_the_limit_nothing_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
