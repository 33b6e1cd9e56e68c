#include "report/svg_chart.h"

#include "base/alloc.h"
#include "base/counter.h"
#include "base/local.h"
#include "report/html_emit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* The drawing for a page, and the one for a phone. */
struct shape {
    const char *class;
    const char *id_end; /* an id is there once */
    int width;
    int left;
    int right;
};
static const struct shape shapes[] = {
    {"wide",   "",        860, 58, 816},
    {"narrow", "-narrow", 340, 48, 298},
};

enum {
    TOP = 12,
    HEIGHT = 150,
    BOTTOM = TOP + HEIGHT,
    WHOLE = BOTTOM + 26,
    COLUMN_MAX = 46,
    LABEL_WIDTH = 54,
    STRIP_HEIGHT = 160,
};

static void begin(struct hr_buf *out, const struct shape *s, const char *id, const char *title,
                  int height)
{
    hr_buf_appendf(out, "<div class=\"scroll %s\" tabindex=\"0\" role=\"region\"", s->class);
    html_attribute(out, "aria-label", title);
    hr_buf_appendf(out,
                   "><svg class=\"chart\" viewBox=\"0 0 %d %d\" role=\"img\" "
                   "aria-labelledby=\"%s%s\"><title id=\"%s%s\">",
                   s->width, height, id, s->id_end, id, s->id_end);
    html_text(out, title);
    html_raw(out, "</title>");
}

static void end(struct hr_buf *out)
{
    html_raw(out, "</svg></div>\n");
}

static void grid_line(struct hr_buf *out, const struct shape *s, double y)
{
    hr_buf_appendf(out, "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>",
                   s->left, y, s->right, y);
}

static void text_at(struct hr_buf *out, double x, double y, const char *anchor, const char *text)
{
    hr_buf_appendf(out, "<text class=\"axis\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y,
                   anchor);
    html_text(out, text);
    html_raw(out, "</text>");
}

/* The least 1, 2 or 5 times a power of ten that is not below. */
static int64_t round_up(int64_t n)
{
    static const int64_t steps[] = {1, 2, 5};
    for (int64_t power = 1; power < INT64_MAX / 100; power *= 10) {
        for (size_t i = 0; i < HR_ARRAY_LEN(steps); i++) {
            if (steps[i] * power >= n) {
                return steps[i] * power;
            }
        }
    }
    return n;
}

static int64_t sum_of(const struct svg_columns *c, size_t column)
{
    int64_t sum = 0;
    for (size_t k = 0; k < c->series_count; k++) {
        hr_count_add(&sum, c->value(c->data, column, k));
    }
    return sum;
}

static void append_column(struct hr_buf *out, const struct svg_columns *c, size_t i, double x,
                          double width, int64_t top)
{
    double y = BOTTOM;
    for (size_t k = 0; k < c->series_count; k++) {
        const int64_t n = c->value(c->data, i, k);
        if (n > 0) {
            double height = (double)n / (double)top * HEIGHT;
            height = height < 2 ? 2 : height;
            y -= height;
            hr_buf_appendf(
                out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
                c->classes[k], x, y, width, height);
        }
    }
}

static void append_rate(struct hr_buf *out, const struct shape *s, const struct svg_columns *c,
                        double step)
{
    bool is_on = false;
    html_raw(out, "<path class=\"rate\" d=\"");
    for (size_t i = 0; i < c->column_count; i++) {
        const double rate = c->rate(c->data, i);
        if (rate >= 0) {
            hr_buf_appendf(out, "%c%.1f %.1f", is_on ? 'L' : 'M',
                           s->left + ((double)i + 0.5) * step, BOTTOM - rate * HEIGHT);
        }
        is_on = rate >= 0;
    }
    html_raw(out, "\"/>");
    for (size_t i = 0; i < c->column_count; i++) {
        const double rate = c->rate(c->data, i);
        if (rate >= 0) {
            hr_buf_appendf(out, "<circle class=\"rate\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>",
                           s->left + ((double)i + 0.5) * step, BOTTOM - rate * HEIGHT);
        }
    }
    text_at(out, s->right + 6, TOP + 4, "start", "100 %");
    text_at(out, s->right + 6, BOTTOM, "start", "0 %");
}

static void draw_columns(struct hr_buf *out, const struct shape *s, const struct svg_columns *c)
{
    const double step =
        (double)(s->right - s->left) / (double)(c->column_count > 0 ? c->column_count : 1);
    const double width = step * 0.72 < COLUMN_MAX ? step * 0.72 : COLUMN_MAX;
    const size_t every = (size_t)(LABEL_WIDTH / step) + 1;
    char text[32];
    int64_t top = 1;
    struct hr_buf label;
    hr_buf_init(&label, SIZE_MAX);
    for (size_t i = 0; i < c->column_count; i++) {
        top = sum_of(c, i) > top ? sum_of(c, i) : top;
    }
    top = round_up(top);
    begin(out, s, c->id, c->title, WHOLE);
    for (int part = 0; part <= 2; part++) {
        const double y = BOTTOM - part * HEIGHT / 2.0;
        grid_line(out, s, y);
        if (part != 1 || top % 2 == 0) {
            snprintf(text, sizeof(text), "%" PRId64, part == 2 ? top : top / 2 * part);
            text_at(out, s->left - 6, y + 4, "end", text);
        }
    }
    for (size_t i = 0; i < c->column_count; i++) {
        const double middle = s->left + ((double)i + 0.5) * step;
        append_column(out, c, i, middle - width / 2, width, top);
        if (c->is_known != NULL && c->is_known(c->data, i) && sum_of(c, i) == 0) {
            hr_buf_appendf(out, "<circle class=\"none\" cx=\"%.1f\" cy=\"%d\" r=\"4\"/>", middle,
                           BOTTOM - 6);
        }
        if ((c->is_last_labelled ? c->column_count - 1 - i : i) % every == 0) {
            hr_buf_clear(&label);
            c->label(c->data, i, &label);
            text_at(out, middle, BOTTOM + 18, "middle", hr_buf_str(&label));
        }
    }
    if (c->rate != NULL) {
        append_rate(out, s, c, step);
    }
    end(out);
    hr_buf_finish(&label);
}

void svg_columns(struct hr_buf *out, const struct svg_columns *c)
{
    for (size_t i = 0; i < HR_ARRAY_LEN(shapes); i++) {
        draw_columns(out, &shapes[i], c);
    }
}

/* From a microsecond at the bottom to a second at the top. */
static double strip_y(hr_nsec apart)
{
    const double decades = apart < 1000 ? 0 : log10((double)apart / 1e3);
    return TOP + STRIP_HEIGHT - decades / 6 * STRIP_HEIGHT;
}

static void draw_strip(struct hr_buf *out, const struct shape *s, const struct overview *o,
                       hr_nsec from, hr_nsec to)
{
    static const char *const labels[] = {"1 µs",  "10 µs",  "100 µs", "1 ms",
                                         "10 ms", "100 ms", "1 s"};
    char text[HR_TIME_TEXT_SIZE];
    const double span = (double)hr_nsec_sub(to, from);
    begin(out, s, "strip",
          "Contradictory answers to one session, by time and by how far they are apart",
          TOP + STRIP_HEIGHT + 26);
    for (size_t i = 0; i < HR_ARRAY_LEN(labels); i++) {
        const double y = TOP + STRIP_HEIGHT - (double)i / 6 * STRIP_HEIGHT;
        grid_line(out, s, y);
        text_at(out, s->left - 6, y + 4, "end", labels[i]);
    }
    for (size_t i = 0; i < o->window_count; i++) {
        const struct window_view *w = &o->windows[i];
        if (w->at < from || w->at > to) {
            continue; /* the picture shows the last days only */
        }
        const double part = span > 0 ? (double)hr_nsec_sub(w->at, from) / span : 0.5;
        const double x = s->left + part * (s->right - s->left);
        const double y = strip_y(hr_nsec_sub(w->at, w->first_at));
        hr_buf_appendf(out, "<path class=\"mark\" d=\"M%.1f %.1fl4 4l-4 4l-4 -4z\"><title>", x,
                       y - 4);
        html_textf(out, "%d, then %d, session %s", w->first_status, w->status, w->session);
        html_raw(out, "</title></path>");
    }
    text_at(out, s->left, TOP + STRIP_HEIGHT + 18, "start",
            hr_local_format(from, HR_LOCAL_MINUTE, text));
    text_at(out, s->right, TOP + STRIP_HEIGHT + 18, "end",
            hr_local_format(to, HR_LOCAL_MINUTE, text));
    end(out);
}

void svg_strip(struct hr_buf *out, const struct overview *o, hr_nsec from, hr_nsec to)
{
    for (size_t i = 0; i < HR_ARRAY_LEN(shapes); i++) {
        draw_strip(out, &shapes[i], o, from, to);
    }
}
