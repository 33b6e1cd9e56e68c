/*
 * From top to bottom: the title, two lines of figures and, where there is anything to say of them,
 * one of what is kept and what is left out, the newest findings, the heat map, the last message,
 * the keys. What is foreign is made safe here; every line is cut at the width.
 */
#include "daemon/board.h"

#include "base/alloc.h"
#include "base/local.h"
#include "daemon/heat.h"
#include "daemon/line.h"
#include "daemon/shed.h"

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
    WIDTH_FOR_SITE = 100,
    ROWS_FOR_BLANK = 20,
};

static void put_figure(struct line *l, enum report_color color, double n, const char *unit)
{
    char number[16];
    char text[64];
    snprintf(text, sizeof(text), "%s%s%s", line_format_count(n, number), unit[0] == 'B' ? "" : " ",
             unit);
    line_put_str(l, COLOR_NONE, l->column > 0 ? "   " : " ");
    line_put_str(l, color, text);
}

/* --- figures ---------------------------------------------------------------------------------- */

static void render_title(const struct board *b, struct line *l)
{
    char up[HR_TIME_TEXT_SIZE];
    char right[HR_TIME_TEXT_SIZE + 16];
    hr_nsec seconds = b->up / HR_NSEC_PER_SEC * HR_NSEC_PER_SEC;
    snprintf(right, sizeof(right), "for %s ",
             seconds > 0 ? hr_duration_format(seconds, up) : "0 s");
    line_put_str(l, COLOR_BOLD, " headrace watch ");
    line_put_foreign(l, COLOR_NONE, b->source, l->paint->width - l->column - strlen(right) - 1);
    line_fill(l, l->paint->width - strlen(right));
    line_put_str(l, COLOR_NONE, right);
    line_end(l);
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
    line_end(l);
    double seen = (double)s->frames + (double)s->drops;
    snprintf(text, sizeof(text), " %s dropped of %s (%.2f %%)",
             line_format_count((double)s->drops, number), line_format_count(seen, sum),
             seen > 0 ? 100 * (double)s->drops / seen : 0);
    line_put_str(l, s->drops > 0 ? COLOR_RED : COLOR_NONE, text);
    if (s->gaps > 0) {
        put_figure(l, COLOR_YELLOW, (double)s->gaps, s->gaps == 1 ? "gap" : "gaps");
    }
    if (s->cut_frames > 0) {
        put_figure(l, COLOR_YELLOW, (double)s->cut_frames, "cut");
    }
    snprintf(text, sizeof(text), "   queue %.0f %%", 100 * s->queue_fill);
    line_put_str(l, s->queue_fill > 0.5 ? COLOR_YELLOW : COLOR_NONE, text);
    snprintf(text, sizeof(text), "   round %" PRId64 " ms", s->round_time / HR_NSEC_PER_MSEC);
    line_put_str(l, COLOR_NONE, text);
    put_figure(l, COLOR_NONE, (double)s->resident_bytes, "B memory");
    line_end(l);
}

/* What is kept on disk, and what was left out or given up: what is wrong stands in front. */
static bool has_state(const struct board *b)
{
    const struct watch_stats *s = &b->now;
    return s->keeps_packets || s->shed_connections > 0 || s->alerts_failed > 0 ||
           s->evidence_failed > 0;
}

static void render_state(const struct board *b, struct line *l)
{
    const struct watch_stats *s = &b->now;
    char text[64];
    char number[16];
    if (s->keeps_packets && s->ring.is_stopped) {
        line_put_str(l, COLOR_RED, " ring stopped: its disk takes nothing");
    }
    if (s->shed_connections > 0) {
        snprintf(text, sizeof(text), "%s%s connections shed (%u/%u of new ones now)",
                 l->column > 0 ? "   " : " ",
                 line_format_count((double)s->shed_connections, number), s->shed_share,
                 (unsigned)SHED_SHARES);
        line_put_str(l, s->shed_share > 0 ? COLOR_RED : COLOR_YELLOW, text);
    }
    if (s->alerts_failed > 0) {
        put_figure(l, COLOR_YELLOW, (double)s->alerts_failed, "alerts given up");
    }
    if (s->evidence_failed > 0) {
        put_figure(l, COLOR_YELLOW, (double)s->evidence_failed, "evidence given up");
    }
    if (s->keeps_packets && s->ring.missed > 0) {
        put_figure(l, COLOR_YELLOW, (double)s->ring.missed, "not in the ring");
    }
    if (s->keeps_packets) {
        put_figure(l, COLOR_NONE, (double)s->ring.bytes, "B ring");
    }
    line_end(l);
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
    line_put_str(l, COLOR_NONE, is_selected ? ">" : " ");
    line_put_foreign(l, paint_severity_color(f->severity), f->severity, SEVERITY_COLUMNS);
    line_fill(l, 1 + SEVERITY_COLUMNS);
    line_put_foreign(l, COLOR_NONE, f->verdict, VERDICT_COLUMNS);
    line_fill(l, 1 + SEVERITY_COLUMNS + VERDICT_COLUMNS);
    size_t column = l->column + TIME_COLUMNS;
    line_put_str(l, COLOR_NONE, format_when(b, f->at, when));
    line_fill(l, column);
    if (l->paint->width >= WIDTH_FOR_SITE) {
        column = l->column + SITE_COLUMNS;
        line_put_foreign(l, COLOR_NONE, f->site != NULL ? f->site : "-", SITE_COLUMNS - 1);
        line_fill(l, column);
    }
    line_put_foreign(l, COLOR_NONE, f->summary, l->paint->width);
    line_end(l);
}

/* @return the row of the selected one among them */
static size_t render_findings(const struct board *b, size_t rows, struct line *l)
{
    const struct look_view *v = b->look;
    char text[80];
    size_t first = b->selected >= rows ? b->selected - rows + 1 : 0;
    snprintf(text, sizeof(text), " Findings, the newest first (%" PRIu64 " told since the start)",
             b->now.findings);
    line_put_str(l, COLOR_BOLD, text);
    line_end(l);
    for (size_t i = 0; i < rows; i++) {
        if (first + i < v->finding_count) {
            render_finding(b, &v->findings[first + i], first + i == b->selected, l);
        } else {
            line_put_str(l, COLOR_NONE, i == 0 ? " none so far" : "");
            line_end(l);
        }
    }
    return v->finding_count > 0 ? b->selected - first : BOARD_NO_ROW;
}

/* --- all of it -------------------------------------------------------------------------------- */

static void render_bottom(const struct board *b, struct line *l)
{
    line_put_str(l, COLOR_NONE, b->message[0] != '\0' ? " " : "");
    line_put_foreign(l, COLOR_YELLOW, b->message, l->paint->width);
    line_end(l);
    if (b->is_ending) {
        line_put_str(l, COLOR_BOLD, " Ending: what was seen is being stored.");
    } else if (b->asks) {
        line_put_str(l, COLOR_BOLD, " End the watch? q or y: yes; any other key: go on");
    } else {
        line_put_str(l, COLOR_DIM,
                     l->paint->has_unicode
                         ? " ↑↓ select  Enter: what happened  m messages  ? help  q end"
                         : " Up/Down select  Enter: what happened  m messages  ? help  q end");
    }
    line_end(l);
}

/* @return whether there is room for it all */
static bool render_too_small(size_t rows, struct line *l)
{
    if (rows >= BOARD_ROWS_MIN && l->paint->width >= BOARD_COLUMNS_MIN) {
        return false;
    }
    for (size_t i = 0; i < rows; i++) {
        if (i == 0) {
            line_put_str(l, COLOR_NONE, "too small: 60x10 is needed");
        } else if (i == 1) {
            line_put_str(l, COLOR_NONE, "the watch goes on");
        }
        line_end(l);
    }
    return true;
}

/* Rows of the heat map, its head among them; 0: it has no room, or nothing to say. */
static size_t heat_rows(const struct board *b, size_t room)
{
    size_t endpoints = b->look->heat.row_count;
    size_t findings = b->look->finding_count;
    if (room <= FINDINGS_MIN + 1 || endpoints == 0) {
        return 0;
    }
    findings = findings > FINDINGS_MIN ? findings : FINDINGS_MIN;
    size_t half = (room - 1) / 2;
    size_t unused = room - 1 > findings ? room - 1 - findings : 0;
    size_t most = unused > half ? unused : half;
    return 1 + (most < endpoints ? most : endpoints);
}

static void render_blank(size_t rows, struct line *l)
{
    for (size_t i = 0; i < rows; i++) {
        line_end(l);
    }
}

size_t board_render(const struct board *b, const struct report_paint *paint, size_t rows,
                    struct hr_buf *out)
{
    struct line l = {paint, out, 0};
    if (render_too_small(rows, &l)) {
        return BOARD_NO_ROW;
    }
    size_t blank = rows >= ROWS_FOR_BLANK ? 1 : 0; /* in front of each part */
    size_t top = TOP_ROWS + has_state(b);
    size_t room = rows - top - BOTTOM_ROWS - 1 - 2 * blank;
    size_t heat = heat_rows(b, room);
    render_title(b, &l);
    render_figures(b, &l);
    if (has_state(b)) {
        render_state(b, &l);
    }
    render_blank(blank, &l);
    size_t selected = render_findings(b, room - heat, &l);
    render_blank(blank, &l);
    if (heat > 0) {
        heat_render(&b->look->heat, heat - 1, &l);
    }
    render_bottom(b, &l);
    return selected == BOARD_NO_ROW ? selected : top + blank + 1 + selected;
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
    line_put_str(&l, COLOR_NONE, " ");
    line_put_str(&l, COLOR_BOLD, p->title);
    line_end(&l);
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
    line_put_str(&l, COLOR_DIM, text);
    line_end(&l);
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
           "  gaps        holes in connections: bytes that were sent and not seen\n"
           "  cut         frames longer than --snaplen\n"
           "  queue       how full the way to the database is\n"
           "  round       how long storing and judging took the last time\n"
           "  shed        connections left out because this machine does not keep pace\n"
           "  ring        packets kept on disk, where --keep asks for it\n"
           "  given up    alerts or files of evidence that could not be sent or written\n"
           "\n"
           "Findings\n"
           "  proven         no serial order of the requests explains the answers\n"
           "  contradiction  the server broke its own declaration or habit\n"
           "  suspect        unusual; an innocent explanation exists\n"
           "Suppressed ones are not shown. headrace report and list read the database meanwhile.\n";
}
