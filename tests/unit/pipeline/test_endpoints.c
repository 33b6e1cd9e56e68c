#include "base/buf.h"
#include "pipeline/endpoints.h"
#include "support/test.h"

static void add(struct endpoints *e, int64_t endpoint_id)
{
    endpoints_access(e, endpoint_id, 1, 0)->granted_live++;
    endpoints_access(e, endpoint_id, 1, 0)->denied_without++;
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

static int append_often(int64_t endpoint_id, int64_t quarter, uint64_t sessions, void *user)
{
    hr_buf_appendf(user, "%d in %d: %d; ", (int)endpoint_id, (int)quarter, (int)sessions);
    return 0;
}

/* A session counts where its third access is, once; one without room not at all. */
static void the_third_access_of_a_session_tells_when(void **state)
{
    (void)state;
    struct endpoints *e = endpoints_create(2);
    struct hr_buf told;
    hr_buf_init(&told, SIZE_MAX);
    for (int64_t session = 1; session <= 3; session++) {
        for (int64_t i = 0; i < 5; i++) {
            endpoints_access(e, 10, session, (i + session) * HR_NSEC_PER_QUARTER);
            endpoints_access(e, 20, session, 7);
            endpoints_access(e, 30, session, 7);
        }
    }
    endpoints_access(e, 10, 4, 0);
    endpoints_access(e, 10, 4, 0);
    assert_int_equal(endpoints_get(e, 10)->sessions_often, 3);
    assert_int_equal(endpoints_emit_often(e, append_often, &told), 0);
    assert_string_equal(hr_buf_str(&told), "10 in 3: 1; 20 in 0: 3; 10 in 4: 1; 10 in 5: 1; ");
    endpoints_clear(e);
    hr_buf_clear(&told);
    assert_int_equal(endpoints_emit_often(e, append_often, &told), 0);
    assert_int_equal(told.len, 0);
    hr_buf_finish(&told);
    endpoints_destroy(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(past_the_limit_nothing_is_known),
        cmocka_unit_test(the_third_access_of_a_session_tells_when),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
