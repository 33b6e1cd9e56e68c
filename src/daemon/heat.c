#include "daemon/heat.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CELL_COLUMNS = 7, LEFT_COLUMNS_MIN = 24 };

static enum report_color color_of_status(int status)
{
    return status == 0     ? COLOR_DIM
           : status >= 500 ? COLOR_RED
           : status >= 400 ? COLOR_YELLOW
           : status >= 300 ? COLOR_CYAN
                           : COLOR_GREEN;
}

/* @return columns of the longest name; 0: there is one site alone, which need not be named */
static size_t site_columns(const struct overview *o)
{
    bool has_several = false;
    size_t columns = 0;
    for (size_t i = 0; i < o->row_count; i++) {
        size_t n = hr_text_columns(hr_span_str(o->rows[i].site));
        columns = n > columns ? n : columns;
        has_several = has_several || strcmp(o->rows[i].site, o->rows[0].site) != 0;
    }
    return has_several ? columns : 0;
}

struct heat {
    const struct overview *overview;
    size_t columns[OVERVIEW_STATUSES_MAX]; /* those of the overview that are shown, ascending */
    size_t count;
    size_t site; /* columns for its name */
    size_t left; /* columns in front of the cells */
};

static int64_t sum_of(const struct overview *o, size_t column)
{
    int64_t sum = 0;
    for (size_t i = 0; i < o->row_count; i++) {
        sum += o->rows[i].counts[column];
    }
    return sum;
}

/* Where not all statuses have room, those that are answered most often. */
static void choose_columns(struct heat *h, size_t room)
{
    const struct overview *o = h->overview;
    for (size_t i = 0; i < o->status_count; i++) {
        size_t before = 0;
        for (size_t k = 0; k < o->status_count; k++) {
            int64_t more = sum_of(o, k) - sum_of(o, i);
            before += more > 0 || (more == 0 && k < i);
        }
        if (before < room) {
            h->columns[h->count++] = i;
        }
    }
}

static void render_endpoint(const struct heat *h, const struct overview_row *r, struct line *l)
{
    char number[16];
    char text[32];
    struct report_paint narrow = *l->paint;
    struct line left = {&narrow, l->out, 0};
    narrow.width = h->left - 1;
    line_put_str(&left, COLOR_NONE, " ");
    if (h->site > 0) {
        line_put_foreign(&left, COLOR_NONE, r->site, h->site);
        line_fill(&left, 1 + h->site + 1);
    }
    line_put_foreign(&left, COLOR_NONE, r->method, narrow.width);
    line_put_str(&left, COLOR_NONE, " ");
    line_put_foreign(&left, COLOR_NONE, r->path, narrow.width);
    l->column = left.column;
    line_fill(l, h->left);
    for (size_t i = 0; i < h->count; i++) {
        int64_t n = r->counts[h->columns[i]];
        snprintf(text, sizeof(text), "%*s", CELL_COLUMNS,
                 n > 0 ? line_format_count((double)n, number) : ".");
        line_put_str(l, n > 0 ? color_of_status(h->overview->statuses[h->columns[i]]) : COLOR_DIM,
                     text);
    }
    line_end(l);
}

static void render_heat_head(const struct heat *h, size_t rows, struct line *l)
{
    const struct overview *o = h->overview;
    char text[80];
    snprintf(text, sizeof(text), " Answers in the last hour, %zu of %zu endpoints",
             rows < o->row_count ? rows : o->row_count, o->row_count);
    line_put_str(l, COLOR_BOLD, strlen(text) < h->left ? text : " Answers, last hour");
    line_fill(l, h->left);
    for (size_t i = 0; i < h->count; i++) {
        snprintf(text, sizeof(text), "%*d", CELL_COLUMNS, o->statuses[h->columns[i]]);
        line_put_str(l, COLOR_BOLD, o->statuses[h->columns[i]] > 0 ? text : "   none");
    }
    line_end(l);
}

void heat_render(const struct overview *o, size_t rows, struct line *l)
{
    struct heat h = {.overview = o};
    choose_columns(&h, (l->paint->width - LEFT_COLUMNS_MIN) / CELL_COLUMNS);
    h.left = l->paint->width - h.count * CELL_COLUMNS;
    h.site = site_columns(o);
    h.site = h.site < h.left / 3 ? h.site : h.left / 3;
    render_heat_head(&h, rows, l);
    for (size_t i = 0; i < rows; i++) {
        if (i < o->row_count) {
            render_endpoint(&h, &o->rows[i], l);
        } else {
            line_end(l);
        }
    }
}
