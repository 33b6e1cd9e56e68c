#include "cmd/table.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 40, ROWS_HELD = 200, LONGEST_CELL = 60, GAP = 2 };

/*
 * The first rows are held until the widths are known; later rows are written as they come, so that
 * memory does not grow with their number. Cells wider than their column push the rest of the row.
 */
struct cmd_table {
    const struct record_type *type;
    struct cmd_output *output;
    const struct record_field *columns[COLUMNS_MAX];
    size_t column_count;
    size_t widths[COLUMNS_MAX];
    bool is_number[COLUMNS_MAX];
    char **held; /* row_count * column_count */
    size_t row_count;
    bool has_begun;
};

struct cmd_table *cmd_table_create(const struct record_type *type, struct cmd_output *output)
{
    struct cmd_table *t = hr_xcalloc(1, sizeof(*t));
    t->type = type;
    t->output = output;
    for (size_t i = 0; i < type->field_count && t->column_count < COLUMNS_MAX; i++) {
        const struct record_field *f = &type->fields[i];
        if (f->heading != NULL) {
            t->widths[t->column_count] = hr_text_columns(hr_span_str(f->heading));
            t->is_number[t->column_count] =
                f->kind == RECORD_INT || f->kind == RECORD_INT_OR_NULL ||
                f->kind == RECORD_INT_SIGNED || f->kind == RECORD_SMALL_OR_NULL;
            t->columns[t->column_count++] = f;
        }
    }
    t->held = hr_xcalloc(ROWS_HELD * t->column_count, sizeof(*t->held));
    return t;
}

/* The last column takes what is left of a terminal; elsewhere nothing is cut. */
static void append_last(const struct cmd_table *t, struct hr_buf *out, struct hr_span text,
                        size_t column)
{
    if (!t->output->is_terminal || column + hr_text_columns(text) <= t->output->width) {
        hr_buf_append(out, text);
        return;
    }
    size_t room = t->output->width > column + 3 ? t->output->width - column - 3 : 10;
    hr_buf_append(out, hr_span_slice(text, 0, hr_text_fitting(text, room)));
    hr_buf_append_str(out, t->output->has_unicode ? "…" : "...");
}

static void append_row(const struct cmd_table *t, struct hr_buf *out, char *const *cells)
{
    size_t column = 0;
    for (size_t i = 0; i < t->column_count; i++) {
        struct hr_span text = hr_span_str(cells[i]);
        size_t width = hr_text_columns(text);
        size_t pad = width < t->widths[i] ? t->widths[i] - width : 0;
        if (i + 1 == t->column_count) {
            append_last(t, out, text, column);
            break;
        }
        if (t->is_number[i]) {
            hr_buf_appendf(out, "%*s", (int)pad, "");
        }
        hr_buf_append(out, text);
        hr_buf_appendf(out, "%*s", (int)((t->is_number[i] ? 0 : pad) + GAP), "");
        column += (width > t->widths[i] ? width : t->widths[i]) + GAP;
    }
    while (out->len > 0 && out->ptr[out->len - 1] == ' ') {
        out->len--;
    }
    hr_buf_append_char(out, '\n');
}

static void begin(struct cmd_table *t)
{
    struct hr_buf out;
    char *headings[COLUMNS_MAX];
    hr_buf_init(&out, SIZE_MAX);
    for (size_t i = 0; i < t->column_count; i++) {
        headings[i] = hr_xstrdup(t->columns[i]->heading);
    }
    append_row(t, &out, headings);
    for (size_t i = 0; i < t->column_count; i++) {
        free(headings[i]);
    }
    for (size_t i = 0; i < t->row_count; i++) {
        append_row(t, &out, &t->held[i * t->column_count]);
    }
    cmd_output_flush(t->output, &out);
    hr_buf_finish(&out);
    t->has_begun = true;
}

void cmd_table_add(struct cmd_table *t, const void *row)
{
    char *cells[COLUMNS_MAX];
    struct hr_buf cell;
    for (size_t i = 0; i < t->column_count; i++) {
        hr_buf_init(&cell, SIZE_MAX);
        record_append_text(&cell, t->columns[i], row);
        cells[i] = hr_xstrdup(hr_buf_str(&cell));
        size_t width = hr_text_columns(hr_buf_span(&cell));
        width = width > LONGEST_CELL ? LONGEST_CELL : width;
        if (!t->has_begun && width > t->widths[i]) {
            t->widths[i] = width;
        }
        hr_buf_finish(&cell);
    }
    if (!t->has_begun && t->row_count < ROWS_HELD) {
        memcpy(&t->held[t->row_count++ * t->column_count], cells, t->column_count * sizeof(*cells));
        return;
    }
    if (!t->has_begun) {
        begin(t);
    }
    hr_buf_init(&cell, SIZE_MAX);
    append_row(t, &cell, cells);
    cmd_output_flush(t->output, &cell);
    hr_buf_finish(&cell);
    for (size_t i = 0; i < t->column_count; i++) {
        free(cells[i]);
    }
}

void cmd_table_finish(struct cmd_table *t)
{
    if (!t->has_begun && t->row_count > 0) {
        begin(t);
    } else if (!t->has_begun) {
        cmd_output_write(t->output, HR_SPAN("nothing to list\n"));
    }
    for (size_t i = 0; i < t->row_count * t->column_count; i++) {
        free(t->held[i]);
    }
    free(t->held);
    free(t);
}
