#include "base/json.h"
#include "support/test.h"

/* Keys come in the order of the calls, commas where they belong, and strings are valid UTF-8. */
static void a_document_is_written_in_order(void **state)
{
    struct hr_buf b;
    struct hr_json j;
    (void)state;
    hr_buf_init(&b, SIZE_MAX);
    hr_json_init(&j, &b);
    hr_json_object_begin(&j);
    hr_json_key(&j, "z");
    hr_json_int(&j, -5);
    hr_json_key(&j, "a");
    hr_json_array_begin(&j);
    hr_json_bool(&j, true);
    hr_json_null(&j);
    hr_json_double(&j, 0.5);
    hr_json_object_begin(&j);
    hr_json_object_end(&j);
    hr_json_raw(&j, HR_SPAN("[1]"));
    hr_json_array_end(&j);
    hr_json_key(&j, "t");
    hr_json_time(&j, 0);
    hr_json_key(&j, "never");
    hr_json_time(&j, HR_NSEC_INFINITE);
    hr_json_key(&j, "s");
    hr_json_string(&j, HR_SPAN("\"\\\n\x01\x7f \xff \xc3\xa9"));
    hr_json_object_end(&j);
    assert_string_equal(hr_buf_str(&b),
                        "{\"z\":-5,\"a\":[true,null,0.5,{},[1]],"
                        "\"t\":\"1970-01-01T00:00:00.000000000Z\",\"never\":null,"
                        "\"s\":\"\\\"\\\\\\u000a\\u0001\\u007f \xef\xbf\xbd \xc3\xa9\"}");
    hr_buf_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_document_is_written_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
