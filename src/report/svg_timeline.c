/*
 * From top to bottom: the band of the session, the connections in order of their first exchange
 * with a row for each exchange, the axis. From left to right: names of the connections, time.
 */
#include "report/svg_timeline.h"

#include "base/alloc.h"
#include "base/local.h"
#include "base/text.h"
#include "report/display.h"
#include "report/html_emit.h"
#include "report/svg_axis.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BAND = 34, BAR = 12, MARGIN = 14, LANE_GAP = 6 };

/* The drawing for a page, and the one for a phone: there names stand above what they name. */
struct shape {
    const char *class;
    double width;
    double left;
    double row;
    double bar;  /* from the top of a row to its bar */
    double head; /* above the rows of a connection */
    double axis;
    double foot; /* from the axis to what is told of it at the left */
    size_t target_columns;
    bool is_narrow;
};
static const struct shape shapes[] = {
    {"wide",   860, 128, 40, 18, LANE_GAP,      44, 0,  46, false},
    {"narrow", 340, 4,   54, 32, LANE_GAP + 22, 80, 34, 26, true },
};
#define TEXT_WIDTH 6.6 /* of a letter, about: decides on which side of a bar its text stands */

struct picture {
    const struct report_story *story;
    const struct shape *shape;
    double right;
    struct svg_axis axis;
    hr_nsec zero;                  /* offsets count from here */
    size_t order[STORY_ITEMS_MAX]; /* items by connection */
    size_t lane_count;
    double height;
    bool has_band;
    bool has_files; /* several captures */
};

static bool same_lane(const struct exchange_view *a, const struct exchange_view *b)
{
    return a->stream == b->stream && a->capture_id == b->capture_id;
}

/* Items of one connection together, connections in order of their first item. */
static void order_items(struct picture *p)
{
    const struct report_story *st = p->story;
    size_t n = 0;
    for (size_t i = 0; i < st->count; i++) {
        bool is_first = true;
        for (size_t k = 0; k < i; k++) {
            is_first = is_first && !same_lane(&st->items[k].x, &st->items[i].x);
        }
        p->has_files = p->has_files || st->items[i].x.capture_id != st->items[0].x.capture_id;
        if (!is_first) {
            continue;
        }
        p->lane_count++;
        for (size_t k = i; k < st->count; k++) {
            if (same_lane(&st->items[k].x, &st->items[i].x)) {
                p->order[n++] = k;
            }
        }
    }
}

static void make_axis(struct picture *p)
{
    hr_nsec times[4 * STORY_ITEMS_MAX];
    size_t n = 0;
    hr_nsec focus = HR_NSEC_INFINITE;
    for (size_t i = 0; i < p->story->count; i++) {
        const struct exchange_view *x = &p->story->items[i].x;
        focus = p->story->items[i].is_finding ? x->request_at : focus;
        times[n++] = x->request_at;
        times[n++] = x->request_end_at;
        times[n++] = x->response_at;
        times[n++] = x->response_end_at;
    }
    svg_axis_init(&p->axis, times, n, focus, p->shape->left + 4, p->right);
}

static void rect(struct hr_buf *out, const char *class, double x, double y, double w, double h)
{
    hr_buf_appendf(out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
                   class, x, y, w, h);
}

static void text_begin(struct hr_buf *out, const char *class, double x, double y,
                       const char *anchor)
{
    hr_buf_appendf(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\"%s%s%s>", class, x, y,
                   anchor != NULL ? " text-anchor=\"" : "", anchor != NULL ? anchor : "",
                   anchor != NULL ? "\"" : "");
}

/* ---- the session ---- */

static void append_band(const struct picture *p, struct hr_buf *out)
{
    const struct session_span *s = &p->story->span;
    const bool has_login = s->login_exchange != 0;
    const bool has_logout = s->logout_exchange != 0;
    const double from = has_login ? svg_axis_x(&p->axis, s->login_start) : p->shape->left;
    const double sure = has_login ? svg_axis_x(&p->axis, s->login_end) : p->shape->left;
    const double doubt = has_logout ? svg_axis_x(&p->axis, s->logout_start) : p->right;
    const double to = has_logout ? svg_axis_x(&p->axis, s->logout_end) : p->right;
    if (!p->shape->is_narrow) {
        text_begin(out, "lane", 4, 15, NULL);
        html_raw(out, "session</text>");
    }
    rect(out, "maybe", from, 6, to - from > 3 ? to - from : 3, BAR);
    if (doubt > sure) {
        rect(out, "live", sure, 6, doubt - sure, BAR);
    }
    if (has_logout && s->logout_end != HR_NSEC_INFINITE) {
        const double bottom = p->height - p->shape->axis;
        if (to < p->right - 1) {
            rect(out, "after", to, 2, p->right - to + 8, bottom - 2);
        }
        hr_buf_appendf(out, "<line class=\"ended\" x1=\"%.1f\" y1=\"2\" x2=\"%.1f\" y2=\"%.1f\"/>",
                       to, to, bottom);
    }
}

/* Over everything else, for a break may run through it. */
static void append_band_label(const struct picture *p, struct hr_buf *out)
{
    const struct session_span *s = &p->story->span;
    const bool has_login = s->login_exchange != 0;
    const bool has_logout = s->logout_exchange != 0;
    const double from = has_login ? svg_axis_x(&p->axis, s->login_start) : p->shape->left;
    text_begin(out, "dim what", p->shape->is_narrow ? p->shape->left : from + 2, 29, NULL);
    hr_buf_append_str(out, p->shape->is_narrow ? "session " : "");
    html_raw(out, "could have been live");
    hr_buf_append_str(out, has_login ? "" : "; login not seen");
    hr_buf_append_str(out, has_logout ? "" : "; logout not seen");
    html_raw(out, "</text>");
}

/* ---- exchanges ---- */

static const char *class_of(const struct story_item *item)
{
    if (item->is_finding) {
        return "bad";
    }
    if (item->x.role != NULL && strcmp(item->x.role, "login") == 0) {
        return "login";
    }
    if (item->x.role != NULL && strcmp(item->x.role, "logout") == 0) {
        return "logout";
    }
    return "plain";
}

static void append_target(struct hr_buf *out, const char *target, size_t most_columns)
{
    struct hr_buf safe;
    size_t columns = 0;
    size_t end = 0;
    hr_buf_init(&safe, SIZE_MAX);
    hr_text_append_terminal(&safe, hr_span_str(target != NULL ? target : ""));
    while (end < safe.len && columns < most_columns) {
        size_t n = hr_utf8_length(hr_span_slice(hr_buf_span(&safe), end, safe.len));
        end += n > 0 ? n : 1;
        columns++;
    }
    hr_buf_append(out, hr_span_slice(hr_buf_span(&safe), 0, end));
    hr_buf_append_str(out, end < safe.len ? "…" : "");
    hr_buf_finish(&safe);
}

/* "POST /logout → 303"; to be escaped. */
static void append_title(struct hr_buf *out, const struct exchange_view *x, size_t most_columns)
{
    if (x->method != NULL) {
        hr_buf_appendf(out, "%s ", x->method);
        append_target(out, x->target, most_columns);
    } else {
        hr_buf_append_str(out, "request not captured");
    }
    if (x->status != 0) {
        hr_buf_appendf(out, " → %d", x->status);
    } else {
        hr_buf_append_str(out, " → no answer");
    }
}

/* "frames 12 and 14, +1.204 ms" */
static void append_place(struct hr_buf *out, const struct exchange_view *x, hr_nsec zero)
{
    char offset[DISPLAY_OFFSET_SIZE];
    if (x->request_frame > 0 && x->response_frame > 0) {
        hr_buf_appendf(out, "frames %" PRId64 " and %" PRId64, x->request_frame, x->response_frame);
    } else {
        hr_buf_appendf(out, "frame %" PRId64,
                       x->request_frame > 0 ? x->request_frame : x->response_frame);
    }
    hr_buf_appendf(out, ", %s", display_offset(hr_nsec_sub(story_begin_of(x), zero), offset));
}

/* Text beside its bar: to the right where there is room, else to the left. */
static void append_label(const struct picture *p, const struct story_item *item, double y,
                         struct hr_buf *out)
{
    struct hr_buf title;
    struct hr_buf place;
    hr_buf_init(&title, SIZE_MAX);
    hr_buf_init(&place, SIZE_MAX);
    append_title(&title, &item->x, p->shape->target_columns);
    append_place(&place, &item->x, p->zero);
    const char *role = item->role != NULL ? item->role : "";
    const double columns =
        (double)(hr_text_columns(hr_buf_span(&title)) + hr_text_columns(hr_buf_span(&place)) +
                 hr_text_columns(hr_span_str(role)) + 4);
    const double width = columns * TEXT_WIDTH;
    double x = svg_axis_x(&p->axis, story_begin_of(&item->x));
    const char *anchor = NULL;
    if (p->shape->is_narrow) {
        x = p->shape->left;
    } else if (x + width > p->right) {
        x = svg_axis_x(&p->axis, story_end_of(&item->x));
        x = x - width < p->shape->left
                ? (p->shape->left + width < p->right ? p->shape->left + width : p->right)
                : x;
        anchor = "end";
    }
    text_begin(out, "what", x, y + 12, anchor);
    if (role[0] != '\0') {
        html_begin(out, "tspan", item->is_finding ? "role bad" : "role");
        html_text(out, role);
        html_raw(out, "</tspan> ");
    }
    html_text(out, hr_buf_str(&title));
    if (p->shape->is_narrow) {
        hr_buf_appendf(out, "<tspan class=\"dim\" x=\"%.1f\" dy=\"14\">", x);
    } else {
        html_raw(out, " <tspan class=\"dim\">");
    }
    html_text(out, hr_buf_str(&place));
    html_raw(out, "</tspan></text>");
    hr_buf_finish(&place);
    hr_buf_finish(&title);
}

static double wide(double from, double to)
{
    return to - from < 3 ? 3 : to - from;
}

/* Thick while bytes flow, thin while the client waits; dashed to the right where no answer came. */
static void append_bar(const struct picture *p, const struct story_item *item, double y,
                       struct hr_buf *out)
{
    const struct exchange_view *x = &item->x;
    const char *class = class_of(item);
    const double top = y + p->shape->bar;
    char thin[32];
    const double begin = svg_axis_x(&p->axis, story_begin_of(x));
    const double end = svg_axis_x(&p->axis, story_end_of(x));
    snprintf(thin, sizeof(thin), "%s wait", class);
    if (x->response_at == HR_NSEC_INFINITE) {
        rect(out, class, begin, top, wide(begin, end), BAR);
        hr_buf_appendf(out,
                       "<line class=\"%s open\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.0f\" y2=\"%.1f\"/>",
                       class, end, top + BAR / 2, p->right, top + BAR / 2);
        return;
    }
    rect(out, thin, begin, top + 4, wide(begin, end), BAR - 8);
    if (x->request_at != HR_NSEC_INFINITE) {
        const hr_nsec sent =
            x->request_end_at != HR_NSEC_INFINITE ? x->request_end_at : x->request_at;
        rect(out, class, begin, top, wide(begin, svg_axis_x(&p->axis, sent)), BAR);
    }
    const double answer = svg_axis_x(&p->axis, x->response_at);
    rect(out, class, end - answer < 3 ? end - 3 : answer, top, wide(answer, end), BAR);
}

static void append_mark(const struct picture *p, const struct story_item *item, double y,
                        struct hr_buf *out)
{
    const char *class = class_of(item);
    const double x = svg_axis_x(&p->axis, story_end_of(&item->x));
    const double top = y + p->shape->bar;
    if (strcmp(class, "plain") == 0) {
        return;
    }
    /* Shapes tell them apart without colours: up for in, down for out, a cross for what is wrong.
     */
    if (strcmp(class, "bad") == 0) {
        hr_buf_appendf(out, "<path class=\"cross\" d=\"M%.1f %.1fl8 8m0 -8l-8 8\"/>", x + 4,
                       top + 2);
    } else if (strcmp(class, "login") == 0) {
        hr_buf_appendf(out, "<path class=\"login\" d=\"M%.1f %.1fl5 10h-10z\"/>", x + 9, top + 1);
    } else {
        hr_buf_appendf(out, "<path class=\"logout\" d=\"M%.1f %.1fl5 -10h-10z\"/>", x + 9,
                       top + 11);
    }
}

static void append_lane_name(const struct picture *p, const struct exchange_view *x, double y,
                             struct hr_buf *out)
{
    char name[32];
    const int letters = snprintf(name, sizeof(name), "stream %" PRId64, x->stream);
    text_begin(out, "lane", 4, y + 14, NULL);
    html_text(out, name);
    html_raw(out, "</text>");
    text_begin(out, "dim", p->shape->is_narrow ? 16 + letters * TEXT_WIDTH * 1.2 : 4,
               y + (p->shape->is_narrow ? 14 : 29), NULL);
    if (p->has_files) {
        struct hr_buf file;
        hr_buf_init(&file, SIZE_MAX);
        append_target(&file, x->capture != NULL ? display_file_name(x->capture) : "",
                      p->shape->target_columns);
        file.len = file.len > 18 ? 18 : file.len;
        html_textf(out, "%.*s", (int)file.len, hr_buf_str(&file));
        hr_buf_finish(&file);
    } else {
        html_textf(out, "%s", x->client != NULL ? x->client : "");
    }
    html_raw(out, "</text>");
}

static void append_lanes(const struct picture *p, struct hr_buf *out)
{
    double y = p->has_band ? BAND : 2;
    for (size_t i = 0; i < p->story->count; i++) {
        const struct story_item *item = &p->story->items[p->order[i]];
        const bool is_first = i == 0 || !same_lane(&p->story->items[p->order[i - 1]].x, &item->x);
        if (is_first) {
            y += LANE_GAP;
            hr_buf_appendf(out,
                           "<line class=\"rule\" x1=\"0\" y1=\"%.1f\" x2=\"%.0f\" y2=\"%.1f\"/>",
                           y - 3, p->shape->width, y - 3);
            append_lane_name(p, &item->x, y, out);
            y += p->shape->head - LANE_GAP;
        }
        append_bar(p, item, y, out);
        append_mark(p, item, y, out);
        append_label(p, item, y, out);
        y += p->shape->row;
    }
}

/* ---- the axis ---- */

static void append_tick(const struct picture *p, size_t i, double y, double *free_from,
                        struct hr_buf *out)
{
    char offset[DISPLAY_OFFSET_SIZE];
    const double x = p->axis.x[i];
    display_offset(hr_nsec_sub(p->axis.at[i], p->zero), offset);
    const double width = (double)strlen(offset) * (TEXT_WIDTH + 0.4); /* digits are wide */
    hr_buf_appendf(out, "<line class=\"tick\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", x,
                   y, x, y + 4);
    const bool at_end = x + width > p->right + 8;
    const double from = at_end ? x - width : x;
    if (from >= *free_from) {
        text_begin(out, "axis", x, y + 16, at_end ? "end" : NULL);
        html_text(out, offset);
        html_raw(out, "</text>");
        *free_from = from + width + 8;
    }
}

static void append_break(const struct picture *p, size_t i, double y, double *free_from,
                         struct hr_buf *out)
{
    char span[HR_TIME_TEXT_SIZE];
    const double middle = (p->axis.x[i] + p->axis.x[i + 1]) / 2;
    rect(out, "cut", middle - 5, 2, 10, y);
    hr_buf_appendf(out, "<path class=\"zigzag\" d=\"M%.1f %.1fl4 -8l4 12l4 -4\"/>", middle - 6, y);
    hr_duration_format(hr_nsec_sub(p->axis.at[i + 1], p->axis.at[i]), span);
    const double half = (double)strlen(span) * TEXT_WIDTH / 2;
    if (middle - half >= *free_from) {
        text_begin(out, "axis dim", middle, y + 30, "middle");
        html_text(out, span);
        html_raw(out, "</text>");
        *free_from = middle + half + 6;
    }
}

static void append_axis(const struct picture *p, struct hr_buf *out)
{
    const double y = p->height - p->shape->axis;
    const hr_nsec unit = svg_axis_unit(&p->axis);
    const double foot = y + p->shape->foot;
    double free_from = 0;
    double breaks_free_from = 0;
    char text[HR_TIME_TEXT_SIZE];
    hr_buf_appendf(out, "<line class=\"tick\" x1=\"%.0f\" y1=\"%.1f\" x2=\"%.0f\" y2=\"%.1f\"/>",
                   p->shape->left, y, p->right, y);
    for (size_t i = 0; i < p->axis.count; i++) {
        append_tick(p, i, y, &free_from, out);
        if (i + 1 < p->axis.count && p->axis.is_break[i]) {
            append_break(p, i, y, &breaks_free_from, out);
        }
    }
    if (unit > 0) {
        const double width = (double)unit * p->axis.width_per_nsec;
        hr_buf_appendf(out, "<path class=\"zigzag\" d=\"M8 %.1fv6h%.1fv-6\"/>", foot + 18, width);
        text_begin(out, "axis", 12, foot + 40, NULL);
        html_text(out, hr_duration_format(unit, text));
        html_raw(out, "</text>");
    }
    text_begin(out, "axis", 4, foot + 12, NULL);
    html_text(out, p->axis.count > 0 ? hr_local_format(p->axis.at[0], HR_LOCAL_CLOCK, text) : "");
    html_raw(out, "</text>");
}

static void append_picture(const struct picture *p, int64_t finding, struct hr_buf *out)
{
    const char *class = p->shape->class;
    hr_buf_appendf(
        out,
        "<div class=\"scroll %s\" tabindex=\"0\" role=\"region\" aria-label=\"Timeline of finding "
        "%" PRId64 "\"><svg class=\"timeline\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
        "aria-labelledby=\"%s-%" PRId64 "\"><title id=\"%s-%" PRId64 "\">Timeline of finding "
        "%" PRId64 "; the list below tells the same in words</title>",
        class, finding, p->shape->width, p->height, class, finding, class, finding, finding);
    if (p->has_band) {
        append_band(p, out);
    }
    append_axis(p, out);
    append_lanes(p, out);
    if (p->has_band) {
        append_band_label(p, out);
    }
    html_raw(out, "</svg></div>\n");
}

void svg_timeline(struct hr_buf *out, const struct report_story *st, int64_t finding, hr_nsec zero)
{
    for (size_t i = 0; st->count > 0 && i < HR_ARRAY_LEN(shapes); i++) {
        struct picture p = {.story = st, .zero = zero, .shape = &shapes[i]};
        p.right = p.shape->width - MARGIN;
        p.has_band = st->span.login_exchange != 0 || st->span.logout_exchange != 0;
        order_items(&p);
        make_axis(&p);
        p.height = (p.has_band ? BAND : 2) + (double)p.lane_count * p.shape->head +
                   (double)st->count * p.shape->row + p.shape->axis;
        append_picture(&p, finding, out);
    }
}
