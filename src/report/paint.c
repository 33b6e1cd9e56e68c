#include "report/paint.h"

#include "base/text.h"
#include "report/rank.h"

#include <stdio.h>

void paint_begin(const struct report_paint *p, struct hr_buf *out, enum report_color color)
{
    static const char *const codes[] = {
        [COLOR_NONE] = "",          [COLOR_BOLD] = "\033[1m",    [COLOR_DIM] = "\033[2m",
        [COLOR_RED] = "\033[1;31m", [COLOR_YELLOW] = "\033[33m", [COLOR_GREEN] = "\033[32m",
        [COLOR_CYAN] = "\033[36m",
    };
    if (p->has_color) {
        hr_buf_append_str(out, codes[color]);
    }
}

void paint_end(const struct report_paint *p, struct hr_buf *out, enum report_color color)
{
    if (p->has_color && color != COLOR_NONE) {
        hr_buf_append_str(out, "\033[0m");
    }
}

void paint_text(const struct report_paint *p, struct hr_buf *out, enum report_color color,
                const char *text)
{
    paint_begin(p, out, color);
    hr_buf_append_str(out, text);
    paint_end(p, out, color);
}

void paint_foreign(struct hr_buf *out, const char *text)
{
    if (text != NULL) {
        hr_text_append_terminal(out, hr_span_str(text));
    }
}

void paint_wrapped(const struct report_paint *p, struct hr_buf *out, const char *text,
                   size_t column, size_t indent)
{
    struct hr_buf safe;
    hr_buf_init(&safe, SIZE_MAX);
    /* A line feed of a rule's text is a space here. */
    struct hr_span lines = hr_span_str(text);
    while (lines.ptr != NULL) {
        struct hr_span line = hr_span_trim(hr_span_cut(&lines, '\n'));
        hr_text_append_terminal(&safe, line);
        if (lines.ptr != NULL) {
            hr_buf_append_char(&safe, ' ');
        }
    }
    struct hr_span rest = hr_span_trim(hr_buf_span(&safe));
    bool is_first = true;
    while (rest.ptr != NULL && rest.len > 0) {
        struct hr_span word = hr_span_cut(&rest, ' ');
        size_t columns = hr_text_columns(word);
        if (word.len == 0) {
            continue;
        }
        if (!is_first && column + 1 + columns > p->width) {
            hr_buf_appendf(out, "\n%*s", (int)indent, "");
            column = indent;
            is_first = true;
        }
        if (!is_first) {
            hr_buf_append_char(out, ' ');
            column++;
        }
        hr_buf_append(out, word);
        column += columns;
        is_first = false;
    }
    hr_buf_append_char(out, '\n');
    hr_buf_finish(&safe);
}

enum report_color paint_severity_color(const char *severity)
{
    int rank = report_severity_rank(severity);
    return rank >= 3 ? COLOR_RED : rank == 2 ? COLOR_YELLOW : COLOR_CYAN;
}
