#include "daemon/line.h"

#include "base/text.h"

#include <stdio.h>

void line_put(struct line *l, enum report_color color, struct hr_span text)
{
    size_t end = hr_text_fitting(text, l->paint->width - l->column);
    struct hr_span shown = hr_span_slice(text, 0, end);
    paint_begin(l->paint, l->out, color);
    hr_buf_append(l->out, shown);
    paint_end(l->paint, l->out, color);
    l->column += hr_text_columns(shown);
}

void line_put_str(struct line *l, enum report_color color, const char *text)
{
    line_put(l, color, hr_span_str(text));
}

void line_fill(struct line *l, size_t column)
{
    while (l->column < column && l->column < l->paint->width) {
        hr_buf_append_char(l->out, ' ');
        l->column++;
    }
}

void line_put_foreign(struct line *l, enum report_color color, const char *text, size_t columns)
{
    struct hr_buf safe;
    struct report_paint narrow = *l->paint;
    size_t end = l->column + columns < narrow.width ? l->column + columns : narrow.width;
    struct line part = {&narrow, l->out, l->column};
    hr_buf_init(&safe, SIZE_MAX);
    if (l->paint->has_unicode) {
        hr_text_append_terminal(&safe, hr_span_str(text));
    } else {
        hr_text_append_escaped(&safe, hr_span_str(text));
    }
    narrow.width = end;
    line_put(&part, color, hr_buf_span(&safe));
    l->column = part.column;
    hr_buf_finish(&safe);
}

void line_end(struct line *l)
{
    hr_buf_append_char(l->out, '\n');
    l->column = 0;
}

const char *line_format_count(double n, char text[16])
{
    static const char units[] = " kMGT";
    size_t unit = 0;
    double limit = 9999.5;
    while (n >= limit && unit < sizeof(units) - 2) {
        n /= 1000;
        limit = 999.5;
        unit++;
    }
    if (unit == 0) {
        snprintf(text, 16, "%.0f", n);
    } else {
        snprintf(text, 16, "%.*f%c", n < 99.95 ? 1 : 0, n, units[unit]);
    }
    return text;
}
