/*
 * Start line and field section: where do they end? One that lies whole in its window is handed to
 * the parser where it is; else its lines are gathered in reader.held, bounded.
 */
#include "http/field.h"
#include "http/reader.h"

#include <assert.h>
#include <string.h>

enum {
    LINE_KEPT_BYTES = 256,       /* of each line of a head that is too long */
    CUT_LINES_BYTES = 4 * 1024,  /* of such lines that say how the content is framed */
    HELD_SPARE_BYTES = 4 * 1024, /* of a buffer that stays for the next head */
};

/* The bytes where a message should begin do not begin one. What of them is held stays for the
 * search. */
static void reject_start(struct http_reader *r, struct hr_span bytes)
{
    r->state = HTTP_READ_SEARCH;
    r->boundary = UINT64_MAX;
    r->held_starts_line = true;
    if (r->side < 0) {
        http_reader_open_loss(r, 0, r->start_place.at);
        r->shared->ops->refuse(r, bytes);
        return;
    }
    if (!r->loss_open) {
        r->shared->errors++;
    }
    http_reader_open_loss(r, 0, r->start_place.at);
    http_reader_lose_position(r, HTTP_CUT_ERROR);
}

/* @return whether line, the first of a head, is one that fits; decides what the connection is where
 * nobody knew */
static bool accept_start(struct http_reader *r, struct hr_span line)
{
    if (line.len > r->shared->header_bytes) { /* as where its bytes come one by one */
        return false;
    }
    bool is_start = (r->side != HTTP_RESPONSE && http_request_line_parse(line, &r->line)) ||
                    (r->side != HTTP_REQUEST && http_status_line_parse(line, &r->line));
    if (!is_start) {
        return false;
    }
    if (r->side < 0) {
        r->side = (int)r->line.side;
        r->shared->ops->decide(r, r->line.side);
    }
    if (r->loss_open) {
        r->shared->ops->found(r, r->start_place.at);
        r->loss_open = false;
    }
    return true;
}

void http_reader_set_side(struct http_reader *r, enum http_side side)
{
    r->side = (int)side;
    if (r->state == HTTP_READ_HEAD && r->line_at == 0 &&
        !http_start_is_possible(r->side, hr_buf_span(&r->held))) {
        reject_start(r, hr_buf_span(&r->held));
    }
}

enum line_kind {
    LINE_OTHER,
    LINE_EMPTY,
};

/* Looks at one whole line of a field section, its LF included. */
static enum line_kind note_line(struct http_reader *r, struct hr_span line)
{
    bool has_cr = line.len > 1 && line.ptr[line.len - 2] == '\r';
    r->shape.has_bare_lf |= !has_cr;
    if (line.len == 1 || (line.len == 2 && has_cr)) {
        return LINE_EMPTY;
    }
    r->shape.has_fold |= line.ptr[0] == ' ' || line.ptr[0] == '\t';
    return LINE_OTHER;
}

/* The content's framing is known: what comes next? */
static void enter_content(struct http_reader *r)
{
    switch (r->m->framing) {
    case HTTP_FRAMING_NONE:
    case HTTP_FRAMING_UPGRADE:
        http_reader_end_message(r, HTTP_CUT_NONE);
        break;
    case HTTP_FRAMING_LENGTH:
        r->left = r->m->declared_bytes;
        r->state = HTTP_READ_LENGTH;
        if (r->left == 0) {
            http_reader_end_message(r, HTTP_CUT_NONE);
        }
        break;
    case HTTP_FRAMING_CHUNKED:
        r->left = 0;
        r->digits = 0;
        r->state = HTTP_READ_CHUNK_SIZE;
        break;
    case HTTP_FRAMING_CLOSE:
        r->state = HTTP_READ_CLOSE;
        break;
    }
}

/* bytes: a head from its start line on. */
static void take_head(struct http_reader *r, struct hr_span bytes, bool whole,
                      struct http_place last)
{
    struct http_reader_shared *shared = r->shared;
    struct http_head head;
    http_parser_read(shared->parser, bytes, &r->line, r->shape, &head);
    if (r->head_cut) {
        head.anomalies |= HTTP_ANOMALY_FIELDS_CUT;
    }
    if ((head.anomalies & HTTP_ANOMALY_FIELDS_CUT) != 0) {
        shared->fields_cut++;
    }
    shared->odd_heads += (head.anomalies & (HTTP_ANOMALY_BARE_LF | HTTP_ANOMALY_OBS_FOLD |
                                            HTTP_ANOMALY_BAD_FIELD)) != 0;
    shared->scratch = (struct http_message){
        .head = head.bytes,
        .method = head.line.method,
        .target = head.line.target,
        .status = head.line.status,
        .version = head.line.version,
        .fields = head.fields,
        .field_count = head.field_count,
        .declared_bytes = head.facts.has_length ? head.facts.length : UINT64_MAX,
        .anomalies = head.anomalies,
        .head_complete = whole,
        .offset = r->start_offset,
        .first = r->start_place,
        .last = last,
        .acked = r->start_acked,
    };
    r->m = &shared->scratch;
    r->kept = NULL;
    r->check_empty = false;
    r->keeps_more = false;
    shared->ops->head(r, &head);
}

static bool is_framing_name(struct hr_span line)
{
    struct hr_span rest = line;
    struct hr_span name = hr_span_trim(hr_span_cut(&rest, ':'));
    return hr_span_equal_nocase(name, HR_SPAN("content-length")) ||
           hr_span_equal_nocase(name, HR_SPAN("transfer-encoding")) ||
           hr_span_equal_nocase(name, HR_SPAN("connection")) ||
           hr_span_equal_nocase(name, HR_SPAN("upgrade"));
}

/* Appends a piece of a line to a head; past the limit only the beginning of each line. */
static void hold_piece(struct http_reader *r, const struct http_window *w, size_t pos,
                       struct hr_span piece)
{
    size_t limit = r->shared->header_bytes;
    if (r->held.len + piece.len > limit && r->line_at > 0) {
        r->head_cut = true;
        size_t have = r->held.len - r->line_at;
        size_t room = have < LINE_KEPT_BYTES ? LINE_KEPT_BYTES - have : 0;
        bool ends = piece.len > 0 && piece.ptr[piece.len - 1] == '\n';
        if (piece.len > room) {
            http_reader_hold(r, w, pos, hr_span_slice(piece, 0, room));
            if (ends) {
                hr_buf_append_char(&r->held, '\n');
            }
            return;
        }
    }
    http_reader_hold(r, w, pos, piece);
}

/* A line of a held head is whole. @return whether the head is */
static bool end_held_line(struct http_reader *r)
{
    struct hr_span line = hr_span_slice(hr_buf_span(&r->held), r->line_at, r->held.len);
    bool is_long = r->head_cut && line.len > LINE_KEPT_BYTES;
    if (is_long) { /* however it came in pieces; what it ended with is not kept */
        r->held.len = r->line_at + LINE_KEPT_BYTES;
        hr_buf_append_char(&r->held, '\n');
        line = hr_span_slice(hr_buf_span(&r->held), r->line_at, r->held.len);
        r->shape.has_fold |= line.ptr[0] == ' ' || line.ptr[0] == '\t';
    } else if (note_line(r, line) == LINE_EMPTY) {
        return true;
    }
    bool drop = r->head_cut &&
                (!is_framing_name(line) || r->held.len > r->shared->header_bytes + CUT_LINES_BYTES);
    if (drop) {
        r->held.len = r->line_at;
    }
    r->line_at = r->held.len;
    return false;
}

/* The first line's spans must follow held.ptr when it grows. */
static void refresh_start_line(struct http_reader *r)
{
    struct hr_span rest = hr_buf_span(&r->held);
    struct hr_span line;
    bool again = http_line_next(&rest, &line) &&
                 (r->side == HTTP_REQUEST ? http_request_line_parse(line, &r->line)
                                          : http_status_line_parse(line, &r->line));
    assert(again);
}

void http_reader_release_held(struct http_reader *r)
{
    if (r->held.capacity > HELD_SPARE_BYTES) {
        hr_buf_finish(&r->held);
        hr_buf_init(&r->held, SIZE_MAX);
    } else {
        hr_buf_clear(&r->held);
    }
}

/* HTTP/0.9 (RFC 1945 5): the line is all of the request, and the connection's only one. */
static void take_simple_request(struct http_reader *r, struct hr_span line, struct http_place last)
{
    take_head(r, line, true, last);
    http_reader_end_message(r, HTTP_CUT_NONE);
    http_reader_ignore(r);
}

/* Whether bytes without a line end may begin a message, or are too few to say what else they do. */
static bool may_begin(const struct http_reader *r, struct hr_span held)
{
    bool may_be_tls =
        r->side < 0 && held.len < HTTP_TLS_TELLING_BYTES && http_tls_is_possible(held, r->late);
    return may_be_tls ||
           (held.len <= r->shared->header_bytes && http_start_is_possible(r->side, held));
}

/* A head that does not lie in one window: line by line. @return bytes taken */
static size_t read_held_head(struct http_reader *r, const struct http_window *w, size_t pos)
{
    struct hr_span rest = hr_span_slice(w->bytes, pos, w->bytes.len);
    size_t newline = hr_span_find(rest, '\n');
    size_t n = newline == SIZE_MAX ? rest.len : newline + 1;
    hold_piece(r, w, pos, hr_span_slice(rest, 0, n));
    struct hr_span held = hr_buf_span(&r->held);
    if (r->line_at == 0) {
        bool possible = newline != SIZE_MAX ? accept_start(r, hr_span_slice(held, 0, held.len - 1))
                                            : may_begin(r, held);
        if (!possible) {
            reject_start(r, held);
            return n;
        }
        if (newline != SIZE_MAX && r->line.version == 9) {
            r->next_offset = w->offset + pos + n;
            take_simple_request(r, held, http_window_place(w, pos + n - 1));
        } else if (newline != SIZE_MAX) {
            r->shape.has_bare_lf |= held.len < 2 || held.ptr[held.len - 2] != '\r';
            r->line_at = held.len;
        }
        return n;
    }
    if (newline == SIZE_MAX || !end_held_line(r)) {
        return n;
    }
    refresh_start_line(r);
    r->next_offset = w->offset + pos + n;
    take_head(r, hr_buf_span(&r->held), true, http_window_place(w, pos + n - 1));
    /* spans of the scratch point into held: the copy comes before its release */
    if (r->m == &r->shared->scratch) {
        r->kept = http_kept_create(r->m, r->shared->content_bytes);
        r->m = &r->kept->m;
    }
    http_reader_release_held(r);
    enter_content(r);
    return n;
}

/* A head that lies whole in the window is not copied. @return its length; 0: it does not */
static size_t measure_head(struct http_reader *r, struct hr_span rest, size_t first_end)
{
    size_t limit = rest.len < r->shared->header_bytes ? rest.len : r->shared->header_bytes;
    size_t line_at = first_end;
    r->shape.has_bare_lf = first_end < 2 || rest.ptr[first_end - 2] != '\r';
    while (line_at < limit) {
        const char *newline = memchr(rest.ptr + line_at, '\n', limit - line_at);
        if (newline == NULL) {
            return 0;
        }
        size_t end = (size_t)(newline - rest.ptr) + 1;
        if (note_line(r, hr_span_slice(rest, line_at, end)) == LINE_EMPTY) {
            return end;
        }
        line_at = end;
    }
    return 0;
}

size_t http_reader_read_head(struct http_reader *r, const struct http_window *w, size_t pos)
{
    struct hr_span rest = hr_span_slice(w->bytes, pos, w->bytes.len);
    size_t newline = r->held.len == 0 ? hr_span_find(rest, '\n') : SIZE_MAX;
    if (newline == SIZE_MAX) {
        return read_held_head(r, w, pos);
    }
    if (!accept_start(r, hr_span_slice(rest, 0, newline))) {
        reject_start(r, rest);
        return 0;
    }
    if (r->line.version == 9) {
        r->next_offset = w->offset + pos + newline + 1;
        take_simple_request(r, hr_span_slice(rest, 0, newline + 1),
                            http_window_place(w, pos + newline));
        return newline + 1;
    }
    size_t n = measure_head(r, rest, newline + 1);
    if (n == 0) {
        r->shape = (struct http_head_shape){false, false};
        return read_held_head(r, w, pos);
    }
    r->next_offset = w->offset + pos + n;
    take_head(r, hr_span_slice(rest, 0, n), true, http_window_place(w, pos + n - 1));
    enter_content(r);
    return n;
}

size_t http_reader_read_start(struct http_reader *r, const struct http_window *w, size_t pos)
{
    size_t n = pos;
    while (n < w->bytes.len) {
        char c = w->bytes.ptr[n];
        if (c == '0' && r->tail == HTTP_TAIL_LAST_CHUNK) {
            r->tail = HTTP_TAIL_REPEATED;
        } else if (c != '\r' && c != '\n') {
            break;
        }
        n++;
    }
    if (r->tail == HTTP_TAIL_REPEATED) {
        r->boundary = w->offset + n;
    }
    if (n < w->bytes.len) {
        http_reader_note_start(r, w, n);
        r->state = HTTP_READ_HEAD;
    }
    return n - pos;
}

/* A head that ends before its end: what of it is whole is a message all the same. */
void http_reader_cut_head(struct http_reader *r, enum http_cut cut)
{
    if (r->state != HTTP_READ_HEAD) {
        return;
    }
    if (r->line_at > 0) {
        r->held.len = r->line_at;
        refresh_start_line(r);
        take_head(r, hr_buf_span(&r->held), false, r->last_place);
        http_reader_end_message(r, cut);
    }
    http_reader_release_held(r);
}
