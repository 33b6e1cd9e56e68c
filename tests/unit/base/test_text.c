#include "base/alloc.h"
#include "base/text.h"
#include "support/test.h"

/* Nothing that a terminal would obey, or that reorders what is read, gets through; text does. */
static void terminals_get_text_only(void **state)
{
    static const struct {
        const char *bytes, *want;
    } cases[] = {
        {"plain",            "plain"                  },
        {"Zoë 日本",      "Zoë 日本"            },
        {"\x1b[31mred",      "\\x1b[31mred"           },
        {"a\r\nb\tc\x7f",    "a\\x0d\\x0ab\\x09c\\x7f"},
        {"\xc2\x9b"
         "1m",      "\\xc2\\x9b1m"           }, /* C1 control sequence */
        {"\xe2\x80\xae"
         "txt",     "\\xe2\\x80\\xaetxt"     }, /* right-to-left override */
        {"\xff\xc0\x80",     "\\xff\\xc0\\x80"        },
        {"\xed\xa0\x80",     "\\xed\\xa0\\x80"        }, /* surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"   }, /* behind U+10FFFF */
    };
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct hr_buf b;
        hr_buf_init(&b, SIZE_MAX);
        hr_text_append_terminal(&b, hr_span_str(cases[i].bytes));
        assert_string_equal(hr_buf_str(&b), cases[i].want);
        hr_buf_finish(&b);
    }
}

static void escapes_are_ascii(void **state)
{
    struct hr_buf b;
    (void)state;
    hr_buf_init(&b, SIZE_MAX);
    hr_text_append_escaped(&b, HR_SPAN("a\\b\0\xc3\xa9~ z"));
    assert_string_equal(hr_buf_str(&b), "a\\\\b\\x00\\xc3\\xa9~ z");
    hr_buf_finish(&b);
}

/* A cell is one cell whatever is in it, and no spreadsheet runs it. */
static void cells_are_defused(void **state)
{
    static const struct {
        const char *cell, *want;
    } cases[] = {
        {"a",          "a"                 },
        {"a,b",        "\"a,b\""           },
        {"say \"hi\"", "\"say \"\"hi\"\"\""},
        {"two\nlines", "\"two\nlines\""    },
        {"=1+1",       "\"'=1+1\""         },
        {"@SUM(A1)",   "\"'@SUM(A1)\""     },
        {"-2",         "\"'-2\""           },
        {"",           ""                  },
    };
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct hr_buf b;
        hr_buf_init(&b, SIZE_MAX);
        hr_text_append_csv(&b, hr_span_str(cases[i].cell));
        assert_string_equal(hr_buf_str(&b), cases[i].want);
        hr_buf_finish(&b);
    }
}

static void percent_escapes_are_decoded_once(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"a%20b+c", "a b c"},
        {"%2541",   "%41"  },
        {"100%",    "100%" },
        {"%4",      "%4"   },
        {"%zz%41",  "%zzA" },
    };
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct hr_buf b;
        hr_buf_init(&b, SIZE_MAX);
        hr_text_append_decoded(&b, hr_span_str(cases[i].text), true);
        assert_string_equal(hr_buf_str(&b), cases[i].want);
        hr_buf_finish(&b);
    }
}

static void wide_characters_take_two_columns(void **state)
{
    (void)state;
    assert_int_equal(hr_text_columns(HR_SPAN("abc")), 3);
    assert_int_equal(hr_text_columns(HR_SPAN("日本")), 4);
    assert_int_equal(hr_text_columns(HR_SPAN("e\xcc\x81")), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terminals_get_text_only),
        cmocka_unit_test(escapes_are_ascii),
        cmocka_unit_test(cells_are_defused),
        cmocka_unit_test(percent_escapes_are_decoded_once),
        cmocka_unit_test(wide_characters_take_two_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
