/*
 * Time goes down, lanes stand side by side: the session's on the left, then one for each
 * connection. Where there are more connections than room, a lane whose connection is over is given
 * to another one, and what finds none has its lines without.
 */
#include "report/lanes.h"

#include "base/alloc.h"
#include "base/local.h"
#include "base/text.h"
#include "report/display.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    LANES_MAX = 16,
    NO_LANE = LANES_MAX,
    TIME_WIDTH = 18,
    LANES_LEAST = 4,
    PLACE_WIDTH = 26, /* of frame and stream */
    LEAST_TEXT = 30,  /* columns; with fewer beside frame and stream, the text goes below them */
};

struct lane_item {
    struct exchange_view x; /* texts copied */
    const char *note;
    bool is_marked;
};

enum event_kind { EVENT_REQUEST, EVENT_ANSWER, EVENT_END };

/* The first byte of a request or an answer, or the last one of an answer that took a while. */
struct event {
    hr_nsec at;
    enum event_kind kind;
    const struct lane_item *item;
    size_t conn; /* in walk.conns */
};

/* A connection of the story. */
struct conn {
    const struct exchange_view *x; /* its first exchange: names it */
    size_t last;                   /* its last event */
    size_t lane;
    size_t open; /* exchanges begun and not ended */
};

/* What the drawing looks like in these terms. */
enum sign {
    SIGN_NONE,
    SIGN_IDLE,
    SIGN_OPEN,
    SIGN_BEGIN,
    SIGN_MIDDLE,
    SIGN_END,
    SIGN_ALONE,
    SIGN_LIVE,
    SIGN_MAYBE
};
static const char *const signs_unicode[] = {" ", "┊", "│", "┌", "├", "└", "╶", "┃", "╏"};
static const char *const signs_ascii[] = {" ", ":", "|", ",", "+", "`", "-", "#", "?"};

void lanes_init(struct lanes *l)
{
    *l = (struct lanes){0};
    hr_arena_init(&l->arena);
}

void lanes_finish(struct lanes *l)
{
    free(l->items);
    free(l->turns);
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

/* They come almost in order; of the same time the one that is told last counts. */
void lanes_session(struct lanes *l, hr_nsec at, enum lanes_session state)
{
    if (at == HR_NSEC_INFINITE) {
        return;
    }
    l->turns = hr_xgrow(l->turns, l->turn_count, sizeof(*l->turns));
    size_t i = l->turn_count++;
    for (; i > 0 && l->turns[i - 1].at > at; i--) {
        l->turns[i] = l->turns[i - 1];
    }
    l->turns[i] = (struct lanes_turn){at, state};
}

static int compare_events(const void *x, const void *y)
{
    const struct event *a = x;
    const struct event *b = y;
    int r = (a->at > b->at) - (a->at < b->at);
    r = r != 0 ? r : (a->item->x.id > b->item->x.id) - (a->item->x.id < b->item->x.id);
    return r != 0 ? r : (int)a->kind - (int)b->kind;
}

/* The time of an answer that tells the decision is its first byte. */
static hr_nsec answer_at(const struct exchange_view *x)
{
    return x->status != 0 ? x->response_at : HR_NSEC_INFINITE;
}

/* INFINITE: the answer came at once, or none did. */
static hr_nsec end_at(const struct exchange_view *x)
{
    bool took_time = answer_at(x) != HR_NSEC_INFINITE && x->response_end_at > x->response_at;
    return took_time ? x->response_end_at : HR_NSEC_INFINITE;
}

static size_t list_events(const struct lanes *l, struct event *events)
{
    size_t n = 0;
    for (size_t i = 0; i < l->count; i++) {
        const struct exchange_view *x = &l->items[i].x;
        const hr_nsec times[] = {x->request_at, answer_at(x), end_at(x)};
        for (size_t k = 0; k < HR_ARRAY_LEN(times); k++) {
            if (times[k] != HR_NSEC_INFINITE) {
                events[n++] = (struct event){times[k], (enum event_kind)k, &l->items[i], 0};
            }
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
    if (e->kind == EVENT_END) {
        hr_buf_appendf(out, "last byte of %d", x->status);
    } else if (e->kind == EVENT_ANSWER) {
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
    const enum event_kind first = x->request_at != HR_NSEC_INFINITE ? EVENT_REQUEST : EVENT_ANSWER;
    if (e->item->note != NULL && e->kind == first) {
        hr_buf_append_str(out, "  <- ");
        paint_foreign(out, e->item->note);
    }
}

/* Who holds each lane while events are walked. */
struct walk {
    const struct lanes *lanes;
    const struct report_paint *paint;
    const struct event *events;
    struct conn *conns; /* in order of their first events */
    size_t conn_count;
    size_t holder[LANES_MAX]; /* index of a connection, plus one; 0: none */
    size_t lane_count;
    size_t lane_width; /* columns */
    size_t turn;       /* of the session, that come next */
    enum lanes_session session;
};

static void append_sign(const struct walk *w, enum sign sign, struct hr_buf *out)
{
    const char *const *signs = w->paint->has_unicode ? signs_unicode : signs_ascii;
    hr_buf_appendf(out, "%s%*s", signs[sign], (int)w->lane_width - 1, "");
}

static size_t margin_of(const struct walk *w)
{
    return TIME_WIDTH + (w->lane_count + (w->lanes->turn_count > 0 ? 1 : 0)) * w->lane_width;
}

static bool is_same_conn(const struct exchange_view *a, const struct exchange_view *b)
{
    const char *p = a->capture != NULL ? a->capture : "";
    const char *q = b->capture != NULL ? b->capture : "";
    return a->stream == b->stream && strcmp(p, q) == 0;
}

static void find_conns(struct walk *w, struct event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct exchange_view *x = &events[i].item->x;
        size_t k = 0;
        while (k < w->conn_count && !is_same_conn(w->conns[k].x, x)) {
            k++;
        }
        if (k == w->conn_count) {
            w->conns[w->conn_count++] = (struct conn){.x = x, .lane = NO_LANE};
        }
        w->conns[k].last = i;
        events[i].conn = k;
    }
}

static size_t room_beside(const struct walk *w, size_t columns)
{
    const size_t taken = TIME_WIDTH + columns;
    const size_t room = w->paint->width > taken ? (w->paint->width - taken) / w->lane_width : 0;
    return room > LANES_MAX ? LANES_MAX : room < LANES_LEAST ? LANES_LEAST : room;
}

/* A lane for each, if the text goes below its frame for that; else they share. */
static void plan_lanes(struct walk *w)
{
    w->lane_width = w->paint->width < 80 ? 2 : 3;
    const size_t most = room_beside(w, LEAST_TEXT);
    w->lane_count =
        w->conn_count <= most ? w->conn_count : room_beside(w, PLACE_WIDTH + LEAST_TEXT);
}

static void take_lane(struct walk *w, size_t conn)
{
    const bool is_own = w->lane_count == w->conn_count;
    for (size_t i = is_own ? conn : 0; i < w->lane_count && w->conns[conn].lane == NO_LANE; i++) {
        if (w->holder[i] == 0) {
            w->holder[i] = conn + 1;
            w->conns[conn].lane = i;
        }
    }
}

/* What the lane of the connection shows beside one of its events. */
static enum sign sign_of(struct conn *c, const struct event *e)
{
    const struct exchange_view *x = &e->item->x;
    const bool is_first = e->kind == EVENT_REQUEST || x->request_at == HR_NSEC_INFINITE;
    const bool is_last = e->kind == EVENT_END ||
                         (e->kind == EVENT_ANSWER ? end_at(x) : answer_at(x)) == HR_NSEC_INFINITE;
    if (e->kind == EVENT_END) {
        c->open -= c->open > 0 ? 1 : 0;
        return c->open > 0 ? SIGN_MIDDLE : SIGN_END;
    }
    if (is_first && is_last) {
        return c->open > 0 ? SIGN_MIDDLE : SIGN_ALONE;
    }
    if (is_first) {
        return c->open++ > 0 ? SIGN_MIDDLE : SIGN_BEGIN;
    }
    if (is_last) {
        c->open -= c->open > 0 ? 1 : 0;
    }
    return c->open > 0 ? SIGN_MIDDLE : SIGN_END;
}

static void append_session(const struct walk *w, struct hr_buf *out)
{
    static const enum sign signs[] = {
        [LANES_ENDED] = SIGN_NONE, [LANES_MAYBE] = SIGN_MAYBE, [LANES_LIVE] = SIGN_LIVE};
    if (w->lanes->turn_count > 0) {
        append_sign(w, signs[w->session], out);
    }
}

/* Time and lanes of a further line of the same event. */
static void append_margin(const struct walk *w, struct hr_buf *out)
{
    hr_buf_appendf(out, "%*s", TIME_WIDTH, "");
    append_session(w, out);
    for (size_t i = 0; i < w->lane_count; i++) {
        const struct conn *c = w->holder[i] > 0 ? &w->conns[w->holder[i] - 1] : NULL;
        append_sign(w, c == NULL ? SIGN_NONE : c->open > 0 ? SIGN_OPEN : SIGN_IDLE, out);
    }
}

static void append_lanes(struct walk *w, const struct event *e, struct hr_buf *out)
{
    struct conn *own = &w->conns[e->conn];
    for (; w->turn < w->lanes->turn_count && w->lanes->turns[w->turn].at <= e->at; w->turn++) {
        w->session = w->lanes->turns[w->turn].state;
    }
    if (own->lane == NO_LANE) {
        take_lane(w, e->conn);
    }
    append_session(w, out);
    const enum sign sign = sign_of(own, e);
    for (size_t i = 0; i < w->lane_count; i++) {
        const struct conn *c = w->holder[i] > 0 ? &w->conns[w->holder[i] - 1] : NULL;
        append_sign(w,
                    c == NULL     ? SIGN_NONE
                    : c == own    ? sign
                    : c->open > 0 ? SIGN_OPEN
                                  : SIGN_IDLE,
                    out);
    }
}

/* Lanes of connections that are over are free. */
static void let_go(struct walk *w, const struct event *e)
{
    const struct conn *c = &w->conns[e->conn];
    if (c->last == (size_t)(e - w->events) && c->lane != NO_LANE) {
        w->holder[c->lane] = 0;
    }
}

static void append_filters(const struct lanes *l, bool with_file, size_t width, struct hr_buf *out)
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
            const size_t line = out->len;
            hr_buf_append_str(out, "Wireshark: ");
            display_append_filter(out, streams, n);
            if (with_file) {
                const bool has_room = out->len - line + 4 + strlen(capture) <= width;
                hr_buf_append_str(out, has_room ? " in " : "\n  in ");
                paint_foreign(out, capture);
            }
            hr_buf_append_char(out, '\n');
        }
    }
    free(streams);
}

/* Breaks the text at spaces, or where a word is wider than the room; lanes go on beside it. */
static void append_wrapped(const struct walk *w, const struct event *e, struct hr_span text,
                           size_t indent, struct hr_buf *out)
{
    const struct report_paint *paint = w->paint;
    const size_t margin = margin_of(w);
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
            append_margin(w, out);
            hr_buf_appendf(out, "%*s", (int)indent, "");
        }
    }
}

static void append_place(const struct event *e, struct hr_buf *out)
{
    const struct exchange_view *x = &e->item->x;
    if (e->kind == EVENT_END) {
        hr_buf_appendf(out, "%12s stream %-4" PRId64 "  ", "", x->stream);
    } else {
        hr_buf_appendf(out, "frame %-6" PRId64 " stream %-4" PRId64 "  ",
                       e->kind == EVENT_ANSWER ? x->response_frame : x->request_frame, x->stream);
    }
}

static void append_event(struct walk *w, const struct event *e, hr_nsec first_at,
                         struct hr_buf *out)
{
    char offset[DISPLAY_OFFSET_SIZE];
    struct hr_buf place;
    struct hr_buf text;
    hr_buf_init(&place, SIZE_MAX);
    hr_buf_init(&text, SIZE_MAX);
    hr_buf_appendf(out, "%16s  ", display_offset(hr_nsec_sub(e->at, first_at), offset));
    append_lanes(w, e, out);
    let_go(w, e);
    append_place(e, &place);
    append_event_text(e, &text);
    size_t indent = place.len;
    hr_buf_append(out, hr_buf_span(&place));
    if (margin_of(w) + indent + LEAST_TEXT > w->paint->width) {
        while (out->ptr[out->len - 1] == ' ') {
            out->len--;
        }
        hr_buf_append_char(out, '\n');
        append_margin(w, out);
        indent = 0;
    }
    append_wrapped(w, e, hr_buf_span(&text), indent, out);
    hr_buf_finish(&text);
    hr_buf_finish(&place);
}

/* Whose lane it is, each on a line of its own, with the lanes before it. Not where they are shared.
 */
static void append_names(const struct walk *w, struct hr_buf *out)
{
    const bool has_session = w->lanes->turn_count > 0;
    if (has_session) {
        hr_buf_appendf(out, "%*ssession: %s live, %s may be live\n", TIME_WIDTH, "",
                       w->paint->has_unicode ? signs_unicode[SIGN_LIVE] : signs_ascii[SIGN_LIVE],
                       w->paint->has_unicode ? signs_unicode[SIGN_MAYBE] : signs_ascii[SIGN_MAYBE]);
    }
    for (size_t i = 0; i < w->conn_count && w->lane_count == w->conn_count; i++) {
        const struct exchange_view *x = w->conns[i].x;
        const size_t line = out->len;
        hr_buf_appendf(out, "%*s", TIME_WIDTH, "");
        for (size_t k = 0; k < i + (has_session ? 1 : 0); k++) {
            append_sign(w, k == 0 && has_session ? SIGN_NONE : SIGN_IDLE, out);
        }
        hr_buf_appendf(out, "stream %" PRId64, x->stream);
        const size_t named = out->len;
        if (x->client != NULL) {
            hr_buf_append_str(out, ", ");
            paint_foreign(out, x->client);
            hr_buf_appendf(out, " port %d", x->client_port);
        }
        if (hr_text_columns((struct hr_span){out->ptr + line, out->len - line}) > w->paint->width) {
            out->len = named; /* no room for the client */
        }
        hr_buf_append_char(out, '\n');
    }
}

void lanes_render(const struct lanes *l, const struct report_paint *paint, bool with_file,
                  struct hr_buf *out)
{
    char text[HR_TIME_TEXT_SIZE];
    struct event *events = hr_xcalloc(3 * l->count + 1, sizeof(*events));
    struct walk w = {.lanes = l, .paint = paint, .events = events};
    const size_t n = list_events(l, events);
    w.conns = hr_xcalloc(l->count + 1, sizeof(*w.conns));
    find_conns(&w, events, n);
    plan_lanes(&w);
    if (n > 0) {
        hr_buf_appendf(out, "from %s", hr_local_format(events[0].at, HR_LOCAL_MICRO, text));
        hr_buf_appendf(out, " %s\n", hr_local_format(events[0].at, HR_LOCAL_MARK, text));
        append_names(&w, out);
    }
    for (size_t i = 0; i < n; i++) {
        append_event(&w, &events[i], events[0].at, out);
    }
    append_filters(l, with_file, paint->width, out);
    free(w.conns);
    free(events);
}
