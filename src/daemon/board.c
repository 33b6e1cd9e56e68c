/*
 * From top to bottom: the title, two lines of figures, the newest findings, the heat map, the last
 * message, the keys. What is foreign is made safe here; every line is cut at the width.
 */
#include "daemon/board.h"

#include "base/alloc.h"
#include "base/local.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    TOP_ROWS = 3,
    BOTTOM_ROWS = 2,
    FINDINGS_MIN = 3,
    SEVERITY_COLUMNS = 9,
    VERDICT_COLUMNS = 14,
    TIME_COLUMNS = 9,
    SITE_COLUMNS = 20,
    CELL_COLUMNS = 7,
    WIDTH_FOR_SITE = 100,
};

/* A line as it grows: how many columns it has, and may have. */
struct line {
    const struct report_paint *paint;
    struct hr_buf *out;
    size_t column;
};

/* Cuts at the width; text must be safe already. */
static void put(struct line *l, enum report_color color, struct hr_span text)
{
    size_t left = l->paint->width - l->column;
    size_t end = 0;
    size_t columns = 0;
    while (end < text.len) {
        size_t n = hr_utf8_length(hr_span_slice(text, end, text.len));
        n = n > 0 ? n : 1;
        size_t wide = hr_text_columns(hr_span_slice(text, end, end + n));
        if (columns + wide > left) {
            break;
        }
        columns += wide;
        end += n;
    }
    paint_begin(l->paint, l->out, color);
    hr_buf_append(l->out, hr_span_slice(text, 0, end));
    paint_end(l->paint, l->out, color);
    l->column += columns;
}

static void put_str(struct line *l, enum report_color color, const char *text)
{
    put(l, color, hr_span_str(text));
}

static void fill_to(struct line *l, size_t column)
{
    while (l->column < column && l->column < l->paint->width) {
        hr_buf_append_char(l->out, ' ');
        l->column++;
    }
}

/* Text from the wire: safe, and in ASCII where the terminal shows no more. */
static void put_foreign(struct line *l, enum report_color color, const char *text, size_t columns)
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
    put(&part, color, hr_buf_span(&safe));
    l->column = part.column;
    hr_buf_finish(&safe);
}

static void end_line(struct line *l)
{
    hr_buf_append_char(l->out, '\n');
    l->column = 0;
}

/* "812", "12.3k", "4.5M": at most five columns. */
static const char *format_count(double n, char text[16])
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

static void put_figure(struct line *l, enum report_color color, double n, const char *unit)
{
    char number[16];
    char text[64];
    snprintf(text, sizeof(text), "%s%s%s", format_count(n, number), unit[0] == 'B' ? "" : " ",
             unit);
    put_str(l, COLOR_NONE, l->column > 0 ? "   " : " ");
    put_str(l, color, text);
}

/* --- figures ---------------------------------------------------------------------------------- */

static void render_title(const struct board *b, struct line *l)
{
    char up[HR_TIME_TEXT_SIZE];
    char right[HR_TIME_TEXT_SIZE + 16];
    snprintf(right, sizeof(right), "for %s ",
             hr_duration_format(b->up / HR_NSEC_PER_SEC * HR_NSEC_PER_SEC, up));
    put_str(l, COLOR_BOLD, " headrace watch ");
    put_foreign(l, COLOR_NONE, b->source, l->paint->width - l->column - strlen(right) - 1);
    fill_to(l, l->paint->width - strlen(right));
    put_str(l, COLOR_NONE, right);
    end_line(l);
}

static void render_figures(const struct board *b, struct line *l)
{
    const struct watch_stats *s = &b->now;
    char text[64];
    char number[16];
    char sum[16];
    put_figure(l, COLOR_NONE, b->frame_rate, "frames/s");
    put_figure(l, COLOR_NONE, b->byte_rate, "B/s");
    put_figure(l, COLOR_NONE, b->exchange_rate, "exchanges/s");
    put_figure(l, COLOR_NONE, (double)s->connections, "open");
    put_figure(l, COLOR_NONE, (double)b->look->sessions, "sessions");
    end_line(l);
    double seen = (double)s->frames + (double)s->drops;
    snprintf(text, sizeof(text), " %s dropped of %s (%.2f %%)",
             format_count((double)s->drops, number), format_count(seen, sum),
             seen > 0 ? 100 * (double)s->drops / seen : 0);
    put_str(l, s->drops > 0 ? COLOR_RED : COLOR_NONE, text);
    if (s->cut_frames > 0) {
        put_figure(l, COLOR_YELLOW, (double)s->cut_frames, "cut");
    }
    if (s->shed > 0) {
        put_figure(l, COLOR_RED, (double)s->shed, "shed");
    }
    snprintf(text, sizeof(text), "   queue %.0f %%", 100 * s->queue_fill);
    put_str(l, s->queue_fill > 0.5 ? COLOR_YELLOW : COLOR_NONE, text);
    snprintf(text, sizeof(text), "   round %" PRId64 " ms", s->round_time / HR_NSEC_PER_MSEC);
    put_str(l, COLOR_NONE, text);
    put_figure(l, COLOR_NONE, (double)s->resident_bytes, "B memory");
    end_line(l);
}

/* --- findings --------------------------------------------------------------------------------- */

/* Its time of day; its date where that is another than the newest packet's. */
static const char *format_when(const struct board *b, hr_nsec at, char text[HR_TIME_TEXT_SIZE])
{
    char today[HR_TIME_TEXT_SIZE];
    hr_local_format(at, HR_LOCAL_SECOND, text);
    hr_local_format(b->now.packet_at, HR_LOCAL_SECOND, today);
    if (strlen(text) < 19 || strncmp(text, today, 10) == 0) {
        return text + (strlen(text) < 19 ? 0 : 11);
    }
    text[10] = '\0';
    return text + 5;
}

static void render_finding(const struct board *b, const struct look_finding *f, bool is_selected,
                           struct line *l)
{
    char when[HR_TIME_TEXT_SIZE];
    put_str(l, COLOR_NONE, is_selected ? ">" : " ");
    put_foreign(l, paint_severity_color(f->severity), f->severity, SEVERITY_COLUMNS);
    fill_to(l, 1 + SEVERITY_COLUMNS);
    put_foreign(l, COLOR_NONE, f->verdict, VERDICT_COLUMNS);
    fill_to(l, 1 + SEVERITY_COLUMNS + VERDICT_COLUMNS);
    size_t column = l->column + TIME_COLUMNS;
    put_str(l, COLOR_NONE, format_when(b, f->at, when));
    fill_to(l, column);
    if (l->paint->width >= WIDTH_FOR_SITE) {
        column = l->column + SITE_COLUMNS;
        put_foreign(l, COLOR_NONE, f->site != NULL ? f->site : "-", SITE_COLUMNS - 1);
        fill_to(l, column);
    }
    put_foreign(l, COLOR_NONE, f->summary, l->paint->width);
    end_line(l);
}

static void render_head(struct line *l, const char *text)
{
    put_str(l, COLOR_BOLD, text);
}

/* @return the row of the selected one among them */
static size_t render_findings(const struct board *b, size_t rows, struct line *l)
{
    const struct look_view *v = b->look;
    char text[80];
    size_t first = b->selected >= rows ? b->selected - rows + 1 : 0;
    snprintf(text, sizeof(text), " Findings, the newest first (%" PRIu64 " told since the start)",
             b->now.findings);
    render_head(l, text);
    end_line(l);
    for (size_t i = 0; i < rows; i++) {
        if (first + i < v->finding_count) {
            render_finding(b, &v->findings[first + i], first + i == b->selected, l);
        } else {
            put_str(l, COLOR_NONE, i == 0 ? " none so far" : "");
            end_line(l);
        }
    }
    return v->finding_count > 0 ? b->selected - first : BOARD_NO_ROW;
}

/* --- heat map --------------------------------------------------------------------------------- */

static enum report_color color_of_status(int status)
{
    return status == 0     ? COLOR_DIM
           : status >= 500 ? COLOR_RED
           : status >= 400 ? COLOR_YELLOW
           : status >= 300 ? COLOR_CYAN
                           : COLOR_GREEN;
}

static bool has_several_sites(const struct overview *o)
{
    for (size_t i = 1; i < o->row_count; i++) {
        if (strcmp(o->rows[i].site, o->rows[0].site) != 0) {
            return true;
        }
    }
    return false;
}

static void render_endpoint(const struct overview *o, const struct overview_row *r, size_t cells,
                            bool with_site, struct line *l)
{
    char number[16];
    char text[32];
    size_t left = l->paint->width - cells * CELL_COLUMNS - 2;
    put_str(l, COLOR_NONE, " ");
    if (with_site) {
        put_foreign(l, COLOR_DIM, r->site, left / 3);
        put_str(l, COLOR_NONE, " ");
    }
    put_foreign(l, COLOR_NONE, r->method, left > l->column ? left - l->column : 0);
    put_str(l, COLOR_NONE, " ");
    put_foreign(l, COLOR_NONE, r->path, left > l->column ? left - l->column : 0);
    for (size_t i = 0; i < cells; i++) {
        fill_to(l, l->paint->width - (cells - i) * CELL_COLUMNS);
        snprintf(text, sizeof(text), "%*s", CELL_COLUMNS,
                 r->counts[i] > 0 ? format_count((double)r->counts[i], number) : ".");
        put_str(l, r->counts[i] > 0 ? color_of_status(o->statuses[i]) : COLOR_DIM, text);
    }
    end_line(l);
}

static void render_heat(const struct overview *o, size_t rows, struct line *l)
{
    char text[64];
    size_t most = (l->paint->width - BOARD_COLUMNS_MIN / 2) / CELL_COLUMNS;
    size_t cells = o->status_count < most ? o->status_count : most;
    bool with_site = has_several_sites(o);
    snprintf(text, sizeof(text), " Answers in the last hour, %zu of %zu endpoints",
             rows < o->row_count ? rows : o->row_count, o->row_count);
    render_head(l, text);
    for (size_t i = 0; i < cells; i++) {
        size_t column = l->paint->width - (cells - i) * CELL_COLUMNS;
        if (l->column > column) {
            continue; /* the words stand there */
        }
        fill_to(l, column);
        snprintf(text, sizeof(text), "%*d", CELL_COLUMNS, o->statuses[i]);
        put_str(l, COLOR_BOLD, o->statuses[i] > 0 ? text : "   none");
    }
    end_line(l);
    for (size_t i = 0; i < rows; i++) {
        if (i < o->row_count) {
            render_endpoint(o, &o->rows[i], cells, with_site, l);
        } else {
            end_line(l);
        }
    }
}

/* --- all of it -------------------------------------------------------------------------------- */

static void render_bottom(const struct board *b, struct line *l)
{
    put_str(l, COLOR_NONE, b->message[0] != '\0' ? " " : "");
    put_foreign(l, COLOR_YELLOW, b->message, l->paint->width);
    end_line(l);
    if (b->is_ending) {
        put_str(l, COLOR_BOLD, " Ending: what was seen is being stored.");
    } else if (b->asks) {
        put_str(l, COLOR_BOLD, " End the watch? q or y: yes; any other key: go on");
    } else {
        put_str(l, COLOR_DIM,
                l->paint->has_unicode
                    ? " ↑↓ select  Enter: what happened  m messages  ? help  q end"
                    : " Up/Down select  Enter: what happened  m messages  ? help  q end");
    }
    end_line(l);
}

/* @return whether there is room for it all */
static bool render_too_small(size_t rows, struct line *l)
{
    if (rows >= BOARD_ROWS_MIN && l->paint->width >= BOARD_COLUMNS_MIN) {
        return false;
    }
    for (size_t i = 0; i < rows; i++) {
        if (i == 0) {
            put_str(l, COLOR_NONE, "too small: 60x10 is needed");
        } else if (i == 1) {
            put_str(l, COLOR_NONE, "the watch goes on");
        }
        end_line(l);
    }
    return true;
}

size_t board_render(const struct board *b, const struct report_paint *paint, size_t rows,
                    struct hr_buf *out)
{
    struct line l = {paint, out, 0};
    if (render_too_small(rows, &l)) {
        return BOARD_NO_ROW;
    }
    size_t room = rows - TOP_ROWS - BOTTOM_ROWS - 1;
    size_t endpoints = b->look->heat.row_count;
    size_t heat = 0;
    if (room > FINDINGS_MIN + 1 && endpoints > 0) {
        size_t findings =
            b->look->finding_count > FINDINGS_MIN ? b->look->finding_count : FINDINGS_MIN;
        size_t half = (room - 1) / 2;
        size_t unused = room - 1 > findings ? room - 1 - findings : 0;
        heat = unused > half ? unused : half;
        heat = heat < endpoints ? heat : endpoints;
        heat++;
    }
    render_title(b, &l);
    render_figures(b, &l);
    size_t selected = render_findings(b, room - heat, &l);
    if (heat > 0) {
        render_heat(&b->look->heat, heat - 1, &l);
    }
    render_bottom(b, &l);
    return selected == BOARD_NO_ROW ? selected : TOP_ROWS + 1 + selected;
}

size_t board_page_rows(size_t rows)
{
    return rows > 2 ? rows - 2 : 1;
}

static size_t count_lines(struct hr_span text)
{
    size_t n = 0;
    while (text.len > 0) {
        hr_span_cut(&text, '\n');
        n++;
    }
    return n;
}

/* Colours take no columns, so what is foreign to `put` is written as it is: the terminal cuts it.
 */
void board_render_page(struct board_page *p, const struct report_paint *paint, size_t rows,
                       struct hr_buf *out)
{
    struct line l = {paint, out, 0};
    size_t shown = board_page_rows(rows);
    size_t count = count_lines(p->lines);
    char text[96];
    if (render_too_small(rows, &l)) {
        return;
    }
    p->first = count <= shown ? 0 : p->first > count - shown ? count - shown : p->first;
    put_str(&l, COLOR_NONE, " ");
    put_str(&l, COLOR_BOLD, p->title);
    end_line(&l);
    struct hr_span rest = p->lines;
    for (size_t i = 0; i < p->first; i++) {
        hr_span_cut(&rest, '\n');
    }
    for (size_t i = 0; i < shown; i++) {
        hr_buf_append(out, rest.len > 0 ? hr_span_cut(&rest, '\n') : hr_span_str(""));
        hr_buf_append_char(out, '\n');
    }
    size_t last = p->first + shown < count ? p->first + shown : count;
    snprintf(text, sizeof(text), " lines %zu to %zu of %zu   %s scroll  q back",
             count > 0 ? p->first + 1 : 0, last, count, paint->has_unicode ? "↑↓" : "Up/Down");
    put_str(&l, COLOR_DIM, text);
    end_line(&l);
}

const char *board_help(void)
{
    return "Keys\n"
           "  up, down, j, k        select a finding, scroll\n"
           "  page up, page down    a screen further\n"
           "  home, end, g, G       to the first, to the last\n"
           "  Enter                 what happened: the finding's exchanges, drawn as lanes\n"
           "  m                     messages so far\n"
           "  ?, h                  this help\n"
           "  q, Esc                back; from the first page: end the watch, after a question\n"
           "  Ctrl-C                end the watch at once; all that was seen is stored\n"
           "Ctrl-Z does nothing: a watch that is stopped loses packets.\n"
           "\n"
           "Figures\n"
           "  open        TCP connections\n"
           "  sessions    login sessions met in the last minute of the packets\n"
           "  dropped     frames that the kernel or the interface lost: what they held is not "
           "known\n"
           "  cut         frames longer than --snaplen\n"
           "  shed        segments of connections that were let go of under overload\n"
           "  queue       how full the way to the database is\n"
           "  round       how long storing and judging took the last time\n"
           "\n"
           "Findings\n"
           "  proven         no serial order of the requests explains the answers\n"
           "  contradiction  the server broke its own declaration or habit\n"
           "  suspect        unusual; an innocent explanation exists\n"
           "Suppressed ones are not shown. headrace report and list read the database meanwhile.\n";
}
