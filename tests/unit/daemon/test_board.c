/* The screen's text without a terminal: always as many rows as there are, none wider than it is. */
#include "base/alloc.h"
#include "base/text.h"
#include "daemon/board.h"
#include "support/test.h"

#include <stdlib.h>

#define HOSTILE                                                                                    \
    "/\033]0;pwned\a\x9b"                                                                          \
    "2J\r\n/caf\xc3\xa9\xe4\xbd\xa0/\xe2\x80\xae"

static struct look_view view; /* large */

static struct board sample(size_t findings, size_t endpoints)
{
    memset(&view, 0, sizeof(view));
    for (size_t i = 0; i < findings; i++) {
        view.findings[i] = (struct look_finding){
            .id = (int64_t)i + 1,
            .severity = i % 2 == 0 ? "critical" : HOSTILE,
            .verdict = "contradiction",
            .at = (hr_nsec)i * 3600 * HR_NSEC_PER_SEC,
            .site = i % 3 == 0 ? NULL : "shop.example" HOSTILE,
            .summary = "GET " HOSTILE " was answered 200 after the logout",
        };
    }
    view.finding_count = findings;
    view.heat.row_count = endpoints;
    view.heat.rows = hr_xcalloc(endpoints + 1, sizeof(*view.heat.rows));
    view.heat.status_count = OVERVIEW_STATUSES_MAX;
    for (size_t i = 0; i < OVERVIEW_STATUSES_MAX; i++) {
        view.heat.statuses[i] = i + 1 < OVERVIEW_STATUSES_MAX ? 200 + 25 * (int)i : 0;
    }
    for (size_t i = 0; i < endpoints; i++) {
        view.heat.rows[i] = (struct overview_row){.site = i % 2 == 0 ? "a" : HOSTILE,
                                                  .method = "GET",
                                                  .path = HOSTILE,
                                                  .counts = {(int64_t)1 << (6 * (i % 10))}};
    }
    return (struct board){
        .source = "eth0" HOSTILE,
        .now = {.frames = UINT64_MAX,
                .drops = 12345678,
                .cut_frames = 9,
                .queue_fill = 0.93,
                .packet_at = 5 * HR_NSEC_PER_SEC,
                .resident_bytes = 1u << 30},
        .frame_rate = 1e12,
        .byte_rate = 123456.7,
        .up = 86400 * HR_NSEC_PER_SEC,
        .look = &view,
        .message = "warning" HOSTILE,
    };
}

static void assert_fits(const struct hr_buf *out, size_t rows, size_t columns, bool is_ascii)
{
    struct hr_span rest = hr_buf_span(out);
    size_t n = 0;
    while (rest.len > 0) {
        struct hr_span line = hr_span_cut(&rest, '\n');
        assert_true(hr_text_columns(line) <= columns);
        for (size_t i = 0; i < line.len; i++) {
            unsigned char c = (unsigned char)line.ptr[i];
            assert_true(c >= 0x20 && c != 0x7f && (!is_ascii || c < 0x80));
        }
        n++;
    }
    assert_int_equal(n, rows);
}

static void every_size_is_filled_and_none_is_passed(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 3, 40, LOOK_FINDINGS_MAX};
    for (size_t k = 0; k < HR_ARRAY_LEN(counts) * HR_ARRAY_LEN(counts); k++) {
        struct board b = sample(counts[k / HR_ARRAY_LEN(counts)], counts[k % HR_ARRAY_LEN(counts)]);
        b.selected = b.look->finding_count > 0 ? b.look->finding_count - 1 : 0;
        b.now.keeps_packets = k % 2 == 0;
        b.now.shed_connections = k % 3 == 0 ? UINT64_MAX : 0;
        for (size_t rows = 1; rows < 70; rows += rows < 12 ? 1 : 7) {
            for (size_t columns = 1; columns < 320; columns += columns < 62 ? 1 : 37) {
                struct report_paint paint = {.has_unicode = rows % 2 == 0, .width = columns};
                struct hr_buf out;
                hr_buf_init(&out, SIZE_MAX);
                size_t selected = board_render(&b, &paint, rows, &out);
                assert_fits(&out, rows, columns, !paint.has_unicode);
                assert_true(selected == BOARD_NO_ROW || selected < rows);
                hr_buf_finish(&out);
            }
        }
        free(view.heat.rows);
    }
}

static struct hr_span line_of(const struct hr_buf *out, size_t row)
{
    struct hr_span rest = hr_buf_span(out);
    struct hr_span line = {0};
    for (size_t i = 0; i <= row; i++) {
        line = hr_span_cut(&rest, '\n');
    }
    return line;
}

static void the_selected_finding_is_in_view(void **state)
{
    (void)state;
    struct board b = sample(100, 20);
    struct report_paint paint = {.width = 80};
    for (b.selected = 0; b.selected < 100; b.selected++) {
        struct hr_buf out;
        hr_buf_init(&out, SIZE_MAX);
        size_t row = board_render(&b, &paint, 24, &out);
        assert_true(row < 24);
        assert_int_equal(line_of(&out, row).ptr[0], '>');
        hr_buf_finish(&out);
    }
    free(view.heat.rows);
}

static char *line_text(const struct board *b, size_t width, size_t row)
{
    struct report_paint paint = {.width = width};
    struct hr_buf out;
    hr_buf_init(&out, SIZE_MAX);
    board_render(b, &paint, 24, &out);
    struct hr_span line = hr_span_trim(line_of(&out, row));
    char *text = hr_xstrndup(line.ptr, line.len);
    hr_buf_finish(&out);
    return text;
}

/* A line of its own, where there is anything to say. */
static void what_is_kept_and_left_out_is_told(void **state)
{
    (void)state;
    static const struct {
        struct watch_stats now;
        const char *want;
    } cases[] = {
        {{.shed_share = 0},                                                                  ""          },
        {{.keeps_packets = true, .ring = {.bytes = 1500000}},                                "1.5MB ring"},
        {{.keeps_packets = true, .ring = {.bytes = 1500, .is_stopped = true, .missed = 70}},
         "ring stopped: its disk takes nothing   70 not in the ring   1500B ring"                        },
        {{.shed_connections = 12345, .shed_share = 3},
         "12.3k connections shed (3/16 of new ones now)"                                                 },
        {{.alerts_failed = 2, .evidence_failed = 1},
         "2 alerts given up   1 evidence given up"                                                 },
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct board b = sample(2, 0);
        b.now = cases[i].now;
        char *got = line_text(&b, 100, 3);
        assert_string_equal(got, cases[i].want);
        free(got);
        free(view.heat.rows);
    }
}

static void figures_are_short_and_true(void **state)
{
    (void)state;
    static const struct {
        double n;
        const char *want;
    } cases[] = {
        {0,        " 0 frames/s"    },
        {9999,     " 9999 frames/s" },
        {9999.7,   " 10.0k frames/s"},
        {123456,   " 123k frames/s" },
        {999499,   " 999k frames/s" },
        {999600,   " 1.0M frames/s" },
        {99960000, " 100M frames/s" },
        {1e12,     " 1.0T frames/s" },
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct board b = sample(0, 0);
        struct report_paint paint = {.width = 80};
        struct hr_buf out;
        b.frame_rate = cases[i].n;
        hr_buf_init(&out, SIZE_MAX);
        board_render(&b, &paint, 24, &out);
        assert_true(hr_span_has_prefix(line_of(&out, 1), hr_span_str(cases[i].want)));
        hr_buf_finish(&out);
        free(view.heat.rows);
    }
}

static void a_page_scrolls_no_further_than_its_end(void **state)
{
    (void)state;
    struct report_paint paint = {.width = 80};
    struct board_page p = {.title = "Help", .lines = hr_span_str(board_help())};
    for (size_t rows = 10; rows < 60; rows++) {
        struct hr_buf out;
        hr_buf_init(&out, SIZE_MAX);
        p.first = SIZE_MAX / 2;
        board_render_page(&p, &paint, rows, &out);
        assert_fits(&out, rows, 110, true);
        struct hr_span text = hr_buf_span(&out);
        assert_true(hr_span_find_nocase(text, HR_SPAN("Suppressed ones")) != SIZE_MAX);
        hr_buf_finish(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_is_filled_and_none_is_passed),
        cmocka_unit_test(the_selected_finding_is_in_view),
        cmocka_unit_test(figures_are_short_and_true),
        cmocka_unit_test(what_is_kept_and_left_out_is_told),
        cmocka_unit_test(a_page_scrolls_no_further_than_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
