#include "report/lanes.h"

#include "base/alloc.h"
#include "base/text.h"
#include "report/display.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    LANES_MAX = 8,
    NO_LANE = LANES_MAX,
    TIME_WIDTH = 18,
    LEAST_TEXT = 30, /* columns; with fewer beside frame and stream, the text goes below them */
};

struct lane_item {
    struct exchange_view x; /* texts copied */
    const char *note;
    bool is_marked;
};

/* A request or an answer. */
struct event {
    hr_nsec at;
    bool is_answer;
    const struct lane_item *item;
};

void lanes_init(struct lanes *l)
{
    *l = (struct lanes){0};
    hr_arena_init(&l->arena);
}

void lanes_finish(struct lanes *l)
{
    free(l->items);
    hr_arena_finish(&l->arena);
}

void lanes_add(struct lanes *l, const struct exchange_view *x, const char *note)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->items[i].x.id == x->id) {
            if (note != NULL && l->items[i].note == NULL) {
                l->items[i].note = hr_arena_text(&l->arena, note);
            }
            return;
        }
    }
    l->items = hr_xrealloc(l->items, (l->count + 1) * sizeof(*l->items));
    struct lane_item *item = &l->items[l->count++];
    *item = (struct lane_item){.x = *x, .note = hr_arena_text(&l->arena, note)};
    const char **texts[] = {&item->x.capture, &item->x.client,  &item->x.method,
                            &item->x.target,  &item->x.role,    &item->x.outcome,
                            &item->x.state,   &item->x.session, &item->x.user};
    for (size_t i = 0; i < HR_ARRAY_LEN(texts); i++) {
        *texts[i] = hr_arena_text(&l->arena, *texts[i]);
    }
}

void lanes_mark(struct lanes *l, int64_t exchange_id)
{
    for (size_t i = 0; i < l->count; i++) {
        l->items[i].is_marked = l->items[i].is_marked || l->items[i].x.id == exchange_id;
    }
}

static int compare_events(const void *x, const void *y)
{
    const struct event *a = x;
    const struct event *b = y;
    int r = (a->at > b->at) - (a->at < b->at);
    r = r != 0 ? r : (a->item->x.id > b->item->x.id) - (a->item->x.id < b->item->x.id);
    return r != 0 ? r : (int)a->is_answer - (int)b->is_answer;
}

/* The time of an answer that tells the decision is its first byte. */
static hr_nsec answer_at(const struct exchange_view *x)
{
    return x->status != 0 ? x->response_at : HR_NSEC_INFINITE;
}

static size_t list_events(const struct lanes *l, struct event *events)
{
    size_t n = 0;
    for (size_t i = 0; i < l->count; i++) {
        const struct exchange_view *x = &l->items[i].x;
        if (x->request_at != HR_NSEC_INFINITE) {
            events[n++] = (struct event){x->request_at, false, &l->items[i]};
        }
        if (answer_at(x) != HR_NSEC_INFINITE) {
            events[n++] = (struct event){answer_at(x), true, &l->items[i]};
        }
    }
    if (n > 0) {
        qsort(events, n, sizeof(*events), compare_events);
    }
    return n;
}

static void append_event_text(const struct event *e, struct hr_buf *out)
{
    const struct exchange_view *x = &e->item->x;
    if (e->is_answer) {
        hr_buf_appendf(out, "%d", x->status);
        if (x->request_at == HR_NSEC_INFINITE) {
            hr_buf_append_str(out, " (its request was not captured)");
        }
        if (x->outcome != NULL && strcmp(x->outcome, "none") != 0) {
            hr_buf_appendf(out, " %s", x->outcome);
        }
    } else {
        paint_foreign(out, x->method);
        hr_buf_append_char(out, ' ');
        paint_foreign(out, x->target);
        if (x->role != NULL && (strcmp(x->role, "login") == 0 || strcmp(x->role, "logout") == 0)) {
            hr_buf_appendf(out, " [%s]", x->role);
        }
        if (x->status == 0) {
            hr_buf_appendf(out, " (%s)", x->state != NULL ? x->state : "no response");
        }
    }
    if (e->item->note != NULL && e->is_answer == (x->request_at == HR_NSEC_INFINITE)) {
        hr_buf_append_str(out, "  <- ");
        paint_foreign(out, e->item->note);
    }
}

/* Which exchange holds each lane while events are walked. */
struct walk {
    const struct lane_item *open[LANES_MAX];
    size_t lane_count;
    size_t lane_width; /* columns */
};

static size_t take_lane(struct walk *w, const struct event *e)
{
    const struct lane_item *wanted = e->is_answer ? e->item : NULL;
    for (size_t i = 0; i < LANES_MAX; i++) {
        if (w->open[i] == wanted) {
            return i;
        }
    }
    if (wanted != NULL) { /* its request stood in no lane */
        for (size_t i = 0; i < LANES_MAX; i++) {
            if (w->open[i] == NULL) {
                return i;
            }
        }
    }
    return NO_LANE;
}

/* @return the lane of this event, NO_LANE where there are too many */
static size_t append_bars(struct walk *w, const struct event *e, bool has_unicode,
                          struct hr_buf *out)
{
    const struct exchange_view *x = &e->item->x;
    bool is_alone =
        e->is_answer ? x->request_at == HR_NSEC_INFINITE : answer_at(x) == HR_NSEC_INFINITE;
    size_t lane = take_lane(w, e);
    for (size_t i = 0; i < w->lane_count; i++) {
        const char *sign = " ";
        if (i == lane && is_alone) {
            sign = has_unicode ? "╶" : "-";
        } else if (i == lane) {
            sign = e->is_answer ? (has_unicode ? "└" : "`") : (has_unicode ? "┌" : ",");
        } else if (w->open[i] != NULL) {
            sign = has_unicode ? "│" : "|";
        }
        hr_buf_appendf(out, "%s%*s", sign, (int)w->lane_width - 1, "");
    }
    if (lane < LANES_MAX) {
        w->open[lane] = e->is_answer || is_alone ? NULL : e->item;
    }
    return lane;
}

/* How many lanes stand side by side at most. */
static size_t count_lanes(const struct event *events, size_t count)
{
    struct walk w = {0};
    struct hr_buf unused;
    size_t most = 1;
    hr_buf_init(&unused, 0);
    for (size_t i = 0; i < count; i++) {
        size_t lane = append_bars(&w, &events[i], false, &unused);
        most = lane < LANES_MAX && lane + 1 > most ? lane + 1 : most;
    }
    hr_buf_finish(&unused);
    return most;
}

static void append_filters(const struct lanes *l, bool with_file, struct hr_buf *out)
{
    int64_t *streams = hr_xcalloc(l->count + 1, sizeof(*streams));
    for (size_t i = 0; i < l->count; i++) {
        const char *capture = l->items[i].x.capture;
        size_t n = 0;
        bool is_first = capture != NULL;
        for (size_t k = 0; k < i && is_first; k++) {
            is_first = strcmp(l->items[k].x.capture, capture) != 0;
        }
        for (size_t k = i; k < l->count && is_first; k++) {
            if (strcmp(l->items[k].x.capture, capture) == 0) {
                streams[n++] = l->items[k].x.stream;
            }
        }
        if (n > 0) {
            hr_buf_append_str(out, "Wireshark: ");
            display_append_filter(out, streams, n);
            if (with_file) {
                hr_buf_append_str(out, " in ");
                paint_foreign(out, capture);
            }
            hr_buf_append_char(out, '\n');
        }
    }
    free(streams);
}

/* Time and lanes of a further line of the same event. */
static void append_margin(const struct walk *w, bool has_unicode, struct hr_buf *out)
{
    hr_buf_appendf(out, "%*s", TIME_WIDTH, "");
    for (size_t i = 0; i < w->lane_count; i++) {
        const char *sign = w->open[i] == NULL ? " " : has_unicode ? "│" : "|";
        hr_buf_appendf(out, "%s%*s", sign, (int)w->lane_width - 1, "");
    }
}

/* Breaks the text at spaces, or where a word is wider than the room; lanes go on beside it. */
static void append_wrapped(const struct walk *w, const struct report_paint *paint,
                           const struct event *e, struct hr_span text, size_t indent,
                           struct hr_buf *out)
{
    const size_t margin = TIME_WIDTH + w->lane_count * w->lane_width;
    const size_t room = paint->width > margin + indent + 10 ? paint->width - margin - indent : 10;
    while (text.len > 0) {
        size_t end = 0;
        size_t space = 0;
        for (size_t columns = 0; end < text.len;) {
            size_t n = hr_utf8_length(hr_span_slice(text, end, text.len));
            n = n > 0 ? n : 1;
            columns += hr_text_columns(hr_span_slice(text, end, end + n));
            if (columns > room) {
                break;
            }
            space = text.ptr[end] == ' ' ? end : space;
            end += n;
        }
        end = end < text.len && space > 0 ? space : end;
        struct hr_buf line;
        hr_buf_init(&line, SIZE_MAX);
        hr_buf_append(&line, hr_span_slice(text, 0, end));
        paint_text(paint, out, e->item->is_marked ? COLOR_RED : COLOR_NONE, hr_buf_str(&line));
        hr_buf_append_char(out, '\n');
        hr_buf_finish(&line);
        text = hr_span_slice(text, end, text.len);
        if (text.len > 0) {
            text = text.ptr[0] == ' ' ? hr_span_slice(text, 1, text.len) : text;
            append_margin(w, paint->has_unicode, out);
            hr_buf_appendf(out, "%*s", (int)indent, "");
        }
    }
}

static void append_event(struct walk *w, const struct report_paint *paint, const struct event *e,
                         hr_nsec first_at, struct hr_buf *out)
{
    const struct exchange_view *x = &e->item->x;
    char offset[DISPLAY_OFFSET_SIZE];
    struct hr_buf place;
    struct hr_buf text;
    hr_buf_init(&place, SIZE_MAX);
    hr_buf_init(&text, SIZE_MAX);
    hr_buf_appendf(out, "%16s  ", display_offset(hr_nsec_sub(e->at, first_at), offset));
    append_bars(w, e, paint->has_unicode, out);
    hr_buf_appendf(&place, "frame %-6" PRId64 " stream %-4" PRId64 "  ",
                   e->is_answer ? x->response_frame : x->request_frame, x->stream);
    append_event_text(e, &text);
    size_t indent = place.len;
    hr_buf_append(out, hr_buf_span(&place));
    if (TIME_WIDTH + w->lane_count * w->lane_width + indent + LEAST_TEXT > paint->width) {
        while (out->ptr[out->len - 1] == ' ') {
            out->len--;
        }
        hr_buf_append_char(out, '\n');
        append_margin(w, paint->has_unicode, out);
        indent = 0;
    }
    append_wrapped(w, paint, e, hr_buf_span(&text), indent, out);
    hr_buf_finish(&text);
    hr_buf_finish(&place);
}

void lanes_render(const struct lanes *l, const struct report_paint *paint, bool with_file,
                  struct hr_buf *out)
{
    char text[HR_TIME_TEXT_SIZE];
    struct event *events = hr_xcalloc(2 * l->count + 1, sizeof(*events));
    size_t n = list_events(l, events);
    struct walk w = {.lane_count = count_lanes(events, n), .lane_width = paint->width < 80 ? 2 : 3};
    if (n > 0) {
        hr_buf_appendf(out, "from %s\n", hr_time_format(events[0].at, text));
    }
    for (size_t i = 0; i < n; i++) {
        append_event(&w, paint, &events[i], events[0].at, out);
    }
    append_filters(l, with_file, out);
    free(events);
}
