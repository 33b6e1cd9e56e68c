#include "base/alloc.h"
#include "base/text.h"
#include "report/lanes.h"
#include "support/test.h"

#include <string.h>

#define MS HR_NSEC_PER_MSEC
#define NEVER HR_NSEC_INFINITE

struct shot {
    int64_t id;
    hr_nsec from; /* ms; NEVER: the request was not captured */
    hr_nsec to;   /* ms; NEVER: no answer */
};

/* The signs of the lanes, line by line; the law: what overlaps stands side by side. */
static const struct {
    const char *name;
    struct shot shots[4];
    const char *want;
} cases[] = {
    {"nothing",                    {{0}},                      ""                    },
    {"one after the other",        {{1, 0, 2}, {2, 3, 4}},     ",/`/,/`/"            },
    {"side by side",               {{1, 0, 5}, {2, 1, 3}},     ",   /|  ,/|  `/`   /"},
    {"a freed lane is used again",
     {{1, 0, 2}, {2, 1, 5}, {3, 3, 4}},
     ",   /|  ,/`  |/,  |/`  |/   `/"                                                },
    {"no answer",                  {{1, 0, NEVER}, {2, 1, 2}}, "-/,/`/"              },
    {"no request",                 {{1, NEVER, 3}, {2, 1, 5}}, ",   /|  -/`   /"     },
};

static void append_shot(struct lanes *l, const struct shot *s)
{
    struct exchange_view x = {
        .id = s->id,
        .capture = "c.pcap",
        .stream = s->id,
        .method = s->from != NEVER ? "GET" : NULL,
        .target = s->from != NEVER ? "/" : NULL,
        .status = s->to != NEVER ? 200 : 0,
        .request_at = s->from != NEVER ? s->from * MS : NEVER,
        .response_at = s->to != NEVER ? s->to * MS : NEVER,
        .state = "complete",
    };
    lanes_add(l, &x, NULL);
}

/* Between the time and "frame". */
static void append_signs(struct hr_buf *out, const char *drawing)
{
    const char *line = strchr(drawing, '\n');
    while (line != NULL && *++line == ' ') {
        const char *signs = strstr(line, " ms  ");
        const char *end = signs != NULL ? strstr(signs, "frame") : NULL;
        assert_non_null(end);
        signs += strlen(" ms  ");
        size_t len = (size_t)(end - signs) - 2; /* the space behind the last lane */
        hr_buf_append(out, hr_span_of(signs, len));
        hr_buf_append_char(out, '/');
        line = strchr(line, '\n');
    }
}

static void overlap_stands_side_by_side(void **state)
{
    const struct report_paint paint = {.width = 100};
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct lanes l;
        struct hr_buf drawing;
        struct hr_buf signs;
        lanes_init(&l);
        hr_buf_init(&drawing, SIZE_MAX);
        hr_buf_init(&signs, SIZE_MAX);
        for (const struct shot *s = cases[i].shots; s < cases[i].shots + 4 && s->id != 0; s++) {
            append_shot(&l, s);
            append_shot(&l, s); /* given twice, drawn once */
        }
        lanes_render(&l, &paint, false, &drawing);
        append_signs(&signs, hr_buf_str(&drawing));
        assert_string_equal(hr_buf_str(&signs), cases[i].want);
        hr_buf_finish(&signs);
        hr_buf_finish(&drawing);
        lanes_finish(&l);
    }
}

/* More at once than there are lanes: every event still has its line. */
static void a_crowd_is_drawn(void **state)
{
    const struct report_paint paint = {.width = 100, .has_unicode = true};
    struct lanes l;
    struct hr_buf drawing;
    size_t lines = 0;
    (void)state;
    lanes_init(&l);
    hr_buf_init(&drawing, SIZE_MAX);
    for (int64_t i = 1; i <= 20; i++) {
        append_shot(&l, &(struct shot){i, i, 100 + i});
    }
    lanes_render(&l, &paint, false, &drawing);
    for (const char *c = hr_buf_str(&drawing); *c != '\0'; c++) {
        lines += *c == '\n' ? 1 : 0;
    }
    assert_int_equal(lines, 1 + 40 + 1);
    hr_buf_finish(&drawing);
    lanes_finish(&l);
}

/* In a narrow terminal texts are broken, and lanes go on beside them. */
static void any_width_from_60_columns(void **state)
{
    (void)state;
    for (size_t width = 60; width <= 160; width += 10) {
        const struct report_paint paint = {.width = width, .has_unicode = width % 20 == 0};
        struct lanes l;
        struct hr_buf drawing;
        lanes_init(&l);
        hr_buf_init(&drawing, SIZE_MAX);
        for (int64_t i = 1; i <= 8; i++) {
            struct exchange_view x = {
                .id = i,
                .capture = "c.pcap",
                .stream = i,
                .method = "GET",
                .target = "/a/path/that/does/not/end/where/one/would/like/it/to/"
                          "end?and=more&of=the&same=kind",
                .status = 200,
                .request_at = i * MS,
                .response_at = (100 + i) * MS,
            };
            lanes_add(&l, &x, "one of several that wait at the same time");
        }
        lanes_render(&l, &paint, false, &drawing);
        struct hr_span rest = hr_buf_span(&drawing);
        while (rest.ptr != NULL) {
            assert_true(hr_text_columns(hr_span_cut(&rest, '\n')) <= width);
        }
        hr_buf_finish(&drawing);
        lanes_finish(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlap_stands_side_by_side),
        cmocka_unit_test(a_crowd_is_drawn),
        cmocka_unit_test(any_width_from_60_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
