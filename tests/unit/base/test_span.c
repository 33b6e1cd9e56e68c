#include "base/alloc.h"
#include "base/buf.h"
#include "support/test.h"

/* Cutting at a byte gives every part once, empty ones too, and ends. */
static void cutting_gives_every_part(void **state)
{
    static const struct {
        const char *text;
        const char *parts; /* each followed by '|' */
    } cases[] = {
        {"a;b;c", "a|b|c|"},
        {";",     "||"    },
        {"a;",    "a||"   },
        {"a",     "a|"    },
        {"",      "|"     },
    };
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct hr_buf got;
        struct hr_span rest = hr_span_str(cases[i].text);
        hr_buf_init(&got, SIZE_MAX);
        while (rest.ptr != NULL) {
            hr_buf_append(&got, hr_span_cut(&rest, ';'));
            hr_buf_append_char(&got, '|');
        }
        assert_string_equal(hr_buf_str(&got), cases[i].parts);
        hr_buf_finish(&got);
    }
}

/* A number is digits and nothing else, and never wraps. */
static void numbers_are_digits(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
    } cases[] = {
        {"0",                    true,  0         },
        {"007",                  true,  7         },
        {"18446744073709551615", true,  UINT64_MAX},
        {"18446744073709551616", false, 1         },
        {"",                     false, 1         },
        {"-1",                   false, 1         },
        {"1 ",                   false, 1         },
    };
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        uint64_t v = 1;
        assert_int_equal(hr_span_to_u64(hr_span_str(cases[i].text), &v), cases[i].ok);
        assert_true(v == cases[i].value);
    }
}

static void searches_and_comparisons_respect_lengths(void **state)
{
    (void)state;
    assert_true(hr_span_equal_nocase(HR_SPAN("Set-Cookie"), HR_SPAN("set-cOOKIE")));
    assert_false(hr_span_equal_nocase(HR_SPAN("Set-Cookie"), HR_SPAN("Set-Cookie2")));
    assert_int_equal(hr_span_find_nocase(HR_SPAN("<INPUT type>"), HR_SPAN("input")), 1);
    assert_true(hr_span_find_nocase(HR_SPAN("inp"), HR_SPAN("input")) == SIZE_MAX);
    assert_true(hr_span_has_suffix_nocase(HR_SPAN("a.CSS"), HR_SPAN(".css")));
    assert_false(hr_span_has_suffix_nocase(HR_SPAN("css"), HR_SPAN(".css")));
    assert_true(hr_span_compare(HR_SPAN("ab"), HR_SPAN("abc")) < 0);
    assert_true(hr_span_equal(hr_span_trim(HR_SPAN(" \t x y \r\n")), HR_SPAN("x y")));
    assert_int_equal(hr_span_slice(HR_SPAN("abc"), 2, 9).len, 1);
    assert_int_equal(hr_span_slice(HR_SPAN("abc"), 9, 2).len, 0);
}

/* A buffer never passes its limit and says that it cut. */
static void a_buffer_keeps_its_limit(void **state)
{
    struct hr_buf b;
    (void)state;
    hr_buf_init(&b, 5);
    assert_string_equal(hr_buf_str(&b), "");
    hr_buf_append_str(&b, "abc");
    assert_false(b.cut);
    hr_buf_appendf(&b, "%d", 123456);
    assert_string_equal(hr_buf_str(&b), "abc12");
    assert_true(b.cut);
    hr_buf_clear(&b);
    assert_string_equal(hr_buf_str(&b), "");
    assert_false(b.cut);
    hr_buf_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cutting_gives_every_part),
        cmocka_unit_test(numbers_are_digits),
        cmocka_unit_test(searches_and_comparisons_respect_lengths),
        cmocka_unit_test(a_buffer_keeps_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
