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
    int64_t stream;
    hr_nsec end; /* ms, of the answer; 0: with its first byte */
};

/* The signs of the lanes, line by line; the law: each connection has its own, with a bar for each
 * of its exchanges from the first byte to the last. */
static const struct {
    const char *name;
    struct shot shots[4];
    const char *want;
} cases[] = {
  /* clang-format off */
    {"nothing", {{0}}, ""},
    {"one after the other", {{1, 0, 2, 1}, {2, 3, 4, 1}}, ",/`/,/`"},
    {"on two connections", {{1, 0, 2, 1}, {2, 3, 4, 2}}, ",/`/   ,/   `"},
    {"side by side", {{1, 0, 5, 1}, {2, 1, 3, 2}}, ",/|  ,/|  `/`"},
    {"between its exchanges it is idle", {{1, 0, 2, 1}, {2, 3, 4, 2}, {3, 5, 6, 1}},
     ",/`/:  ,/:  `/,/`"},
    {"pipelined", {{1, 0, 4, 1}, {2, 1, 5, 1}}, ",/+/+/`"},
    {"an answer that takes a while", {{1, 0, 2, 1, 4}, {2, 3, 5, 2}}, ",/+/|  ,/`  |/   `"},
    {"no answer", {{1, 0, NEVER, 1}, {2, 1, 2, 1}}, "-/,/`"},
    {"no request", {{1, NEVER, 3, 1}, {2, 1, 5, 2}}, ",/|  -/`"},
  /* clang-format on */
};

static void append_shot(struct lanes *l, const struct shot *s)
{
    struct exchange_view x = {
        .id = s->id,
        .capture = "c.pcap",
        .stream = s->stream,
        .method = s->from != NEVER ? "GET" : NULL,
        .target = s->from != NEVER ? "/" : NULL,
        .status = s->to != NEVER ? 200 : 0,
        .request_at = s->from != NEVER ? s->from * MS : NEVER,
        .response_at = s->to != NEVER ? s->to * MS : NEVER,
        .response_end_at = s->end > 0       ? s->end * MS
                           : s->to != NEVER ? s->to * MS
                                            : NEVER,
        .state = "complete",
    };
    lanes_add(l, &x, NULL);
}

/* Between the time and what is said; names of lanes are no events. */
static void append_signs(struct hr_buf *out, const char *drawing)
{
    for (const char *line = strchr(drawing, '\n'); line != NULL; line = strchr(line, '\n')) {
        const char *end = strchr(++line, '\n');
        const char *signs = strstr(line, " ms  ");
        if (end == NULL || signs == NULL || signs > end) {
            continue;
        }
        signs += strlen(" ms  ");
        size_t len = strcspn(signs, "fs"); /* frame, stream */
        while (len > 0 && signs[len - 1] == ' ') {
            len--;
        }
        hr_buf_appendf(out, "%s%.*s", out->len > 0 ? "/" : "", (int)len, signs);
    }
}

static void each_connection_has_its_lane(void **state)
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
        append_shot(&l, &(struct shot){i, i, 100 + i, i, 0});
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
                .capture = "the/captures/of/a/long/day.pcapng",
                .stream = i,
                .client = "2001:db8:1111:2222::1234",
                .client_port = 54321,
                .method = "GET",
                .target = "/a/path/that/does/not/end/where/one/would/like/it/to/"
                          "end?and=more&of=the&same=kind",
                .status = 200,
                .request_at = i * MS,
                .response_at = (100 + i) * MS,
                .response_end_at = (110 + i) * MS,
            };
            lanes_add(&l, &x, "one of several that wait at the same time");
        }
        lanes_session(&l, 2 * MS, LANES_MAYBE);
        lanes_session(&l, 103 * MS, LANES_LIVE);
        lanes_render(&l, &paint, true, &drawing);
        struct hr_span rest = hr_buf_span(&drawing);
        while (rest.ptr != NULL) {
            assert_true(hr_text_columns(hr_span_cut(&rest, '\n')) <= width);
        }
        hr_buf_finish(&drawing);
        lanes_finish(&l);
    }
}

/* What it could have been at each event: of the same time the one that is told last counts. */
static void the_session_has_a_lane(void **state)
{
    const struct report_paint paint = {.width = 100};
    struct lanes l;
    struct hr_buf drawing;
    struct hr_buf signs;
    (void)state;
    lanes_init(&l);
    hr_buf_init(&drawing, SIZE_MAX);
    hr_buf_init(&signs, SIZE_MAX);
    append_shot(&l, &(struct shot){1, 0, 2, 1, 0});
    append_shot(&l, &(struct shot){2, 5, 6, 1, 0});
    append_shot(&l, &(struct shot){3, 8, 9, 1, 0});
    lanes_session(&l, 5 * MS, LANES_MAYBE);
    lanes_session(&l, 0, LANES_MAYBE);
    lanes_session(&l, 2 * MS, LANES_LIVE);
    lanes_session(&l, 6 * MS, LANES_MAYBE);
    lanes_session(&l, 6 * MS, LANES_ENDED);
    lanes_session(&l, NEVER, LANES_LIVE);
    lanes_render(&l, &paint, false, &drawing);
    append_signs(&signs, hr_buf_str(&drawing));
    assert_string_equal(hr_buf_str(&signs), "?  ,/#  `/?  ,/   `/   ,/   `");
    assert_non_null(strstr(hr_buf_str(&drawing), "session: # live, ? may be live\n"));
    hr_buf_finish(&signs);
    hr_buf_finish(&drawing);
    lanes_finish(&l);
}

/* More connections than room: who is over makes room, and every event has its line. */
static void lanes_are_shared_where_there_are_many(void **state)
{
    const struct report_paint paint = {.width = 60};
    struct lanes l;
    struct hr_buf drawing;
    struct hr_buf signs;
    (void)state;
    lanes_init(&l);
    hr_buf_init(&drawing, SIZE_MAX);
    hr_buf_init(&signs, SIZE_MAX);
    for (int64_t i = 0; i < 30; i++) {
        append_shot(&l, &(struct shot){i + 1, 10 * i, 10 * i + 5, i, 0});
    }
    lanes_render(&l, &paint, false, &drawing);
    append_signs(&signs, hr_buf_str(&drawing));
    assert_null(strchr(hr_buf_str(&signs), ':'));
    for (size_t i = 0; i < 60; i++) {
        assert_memory_equal(hr_buf_str(&signs) + 2 * i, i % 2 == 0 ? "," : "`", 1);
    }
    hr_buf_finish(&signs);
    hr_buf_finish(&drawing);
    lanes_finish(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_connection_has_its_lane),
        cmocka_unit_test(the_session_has_a_lane),
        cmocka_unit_test(lanes_are_shared_where_there_are_many),
        cmocka_unit_test(a_crowd_is_drawn),
        cmocka_unit_test(any_width_from_60_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
