#include "base/alloc.h"
#include "base/yaml.h"
#include "support/test.h"


static const char *const keys[] = {"name", "count", "wait", "kind", "flag", "list", NULL};
static const char *const kinds[] = {"small", "large", NULL};

/* Reads one small schema, as the users of this file do. */
static int read_all(struct hr_yaml_doc *doc)
{
    const struct hr_yaml *n;
    const char *text;
    int64_t number;
    hr_nsec span;
    size_t word;
    bool flag;
    int r = hr_yaml_check_keys(doc, doc->root, keys);
    if (r == 0 && (n = hr_yaml_find(doc->root, "name")) != NULL) {
        r = hr_yaml_get_text(doc, n, &text);
    }
    if (r == 0 && (n = hr_yaml_find(doc->root, "count")) != NULL) {
        r = hr_yaml_get_int(doc, n, 1, 9, &number);
    }
    if (r == 0 && (n = hr_yaml_find(doc->root, "wait")) != NULL) {
        r = hr_yaml_get_duration(doc, n, &span);
    }
    if (r == 0 && (n = hr_yaml_find(doc->root, "kind")) != NULL) {
        r = hr_yaml_get_word(doc, n, kinds, &word);
    }
    if (r == 0 && (n = hr_yaml_find(doc->root, "flag")) != NULL) {
        r = hr_yaml_get_bool(doc, n, &flag);
    }
    if (r == 0 && (n = hr_yaml_find(doc->root, "list")) != NULL) {
        r = hr_yaml_expect(doc, n, HR_YAML_SEQUENCE);
    }
    return r;
}

/* Whatever is wrong, the message names the file, the line and what was expected. */
static void errors_name_file_line_and_expectation(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"name: x\ncount: 3\nwait: 1.5ms\nkind: large\nflag: yes\nlist: [1]\n", ""                                                        },
        {"name: x\nnmae: y\n",
         "f.yaml:2: unknown key 'nmae'; expected one of: name, count, wait, kind, flag, list"                                             },
        {"count: 10\n",                                                         "f.yaml:1: '10': expected a whole number from 1 to 9"     },
        {"\n\nwait: 5 parsecs\n",
         "f.yaml:3: '5 parsecs': expected a number with ns, us, ms, s, min, h or d"                                                       },
        {"kind: huge\n",                                                        "f.yaml:1: 'huge': expected one of: small, large"         },
        {"flag: maybe\n",                                                       "f.yaml:1: 'maybe': expected one of: false, true, no, yes"},
        {"list:\n  a: b\n",                                                     "f.yaml:1: 'list': expected a list"                       },
        {"name: [a]\n",                                                         "f.yaml:1: 'name': expected one value"                    },
        {"- a\n",                                                               "f.yaml:1: expected a mapping of keys to values"          },
        {"name: x\nname: y\n",                                                  "f.yaml:2: the key 'name' stands twice"                   },
        {"name: &a x\ncount: *a\n",                                             "f.yaml: anchors and aliases are not allowed"             },
        {"name: \"x\n",                                                         "f.yaml:2: not YAML: found unexpected end of stream"      },
        {"name: \"a\\0b\"\n",                                                   "f.yaml:1: text must not hold a NUL"                      },
    };
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct hr_yaml_doc doc;
        int r = hr_yaml_parse(&doc, "f.yaml", hr_span_str(cases[i].text));
        r = r == 0 ? read_all(&doc) : r;
        assert_string_equal(hr_buf_str(&doc.error), cases[i].error);
        assert_int_equal(r == 0, cases[i].error[0] == '\0');
        hr_yaml_finish(&doc);
    }
}

static void nesting_is_bounded(void **state)
{
    struct hr_buf text;
    struct hr_yaml_doc doc;
    (void)state;
    hr_buf_init(&text, SIZE_MAX);
    for (int i = 0; i < 1000; i++) {
        hr_buf_append_char(&text, '[');
    }
    for (int i = 0; i < 1000; i++) {
        hr_buf_append_char(&text, ']');
    }
    assert_true(hr_yaml_parse(&doc, "deep", hr_buf_span(&text)) < 0);
    assert_string_equal(hr_buf_str(&doc.error), "deep:1: nested more than 32 levels deep");
    hr_yaml_finish(&doc);
    hr_buf_finish(&text);
}

/* Keys are compared with each other. */
static void keys_are_bounded(void **state)
{
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        struct hr_buf text;
        struct hr_yaml_doc doc;
        hr_buf_init(&text, SIZE_MAX);
        for (int i = 0; i < HR_YAML_KEYS + extra; i++) {
            hr_buf_appendf(&text, "key%d: 1\n", i);
        }
        assert_int_equal(hr_yaml_parse(&doc, "wide", hr_buf_span(&text)) == 0, extra == 0);
        assert_string_equal(hr_buf_str(&doc.error),
                            extra == 0 ? "" : "wide:1: more than 1000 keys in one mapping");
        hr_yaml_finish(&doc);
        hr_buf_finish(&text);
    }
}

static void an_empty_document_has_no_root(void **state)
{
    struct hr_yaml_doc doc;
    (void)state;
    assert_int_equal(hr_yaml_parse(&doc, "e", HR_SPAN("# nothing\n")), 0);
    assert_null(doc.root);
    hr_yaml_finish(&doc);
    assert_int_equal(hr_yaml_load(&doc, "/nonexistent/file"), -2);
    assert_string_equal(hr_buf_str(&doc.error), "/nonexistent/file: No such file or directory");
    hr_yaml_finish(&doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_name_file_line_and_expectation),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(keys_are_bounded),
        cmocka_unit_test(an_empty_document_has_no_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
