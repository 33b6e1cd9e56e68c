/*
 * Bytes are read from a window: what was fed now, or what a search held back joined with it. A
 * message that begins and ends in one feed is never copied: r->m is the shared scratch, its spans
 * point into the window. Whatever outlives the feed is copied once into a struct http_kept.
 */
#include "http/message.h"

#include "base/alloc.h"
#include "http/field.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_KEPT_BYTES = 256,         /* of each line of a head that is too long */
    CUT_LINES_BYTES = 4 * 1024,    /* of such lines that say how the content is framed */
    EXTENSION_LIMIT = 1024 * 1024, /* of one chunk */
    DECIDED_EARLY_BYTES = 64,
};

/* Three segments' bytes at most are told apart: of what was held back the first and the last. */
struct window {
    struct hr_span bytes;
    uint64_t offset;  /* of bytes[0] */
    bool starts_line; /* with bytes[0] */
    struct http_mark marks[3];
    uint64_t before; /* acked of the byte before bytes[0] */
};

/* --- kept messages --------------------------------------------------------------------------- */

static struct hr_span moved(struct hr_span s, struct hr_span from, char *to)
{
    return s.ptr != NULL ? hr_span_of(to + (s.ptr - from.ptr), s.len) : s;
}

struct http_kept *http_kept_create(const struct http_message *m, struct hr_span head,
                                   size_t content_limit)
{
    size_t fields_size = m->field_count * sizeof(struct http_field);
    struct http_kept *k = hr_xmalloc(sizeof(*k) + fields_size + head.len);
    *k = (struct http_kept){.m = *m};
    struct http_field *fields = (struct http_field *)(void *)(k + 1);
    char *bytes = (char *)(fields + m->field_count);
    if (head.len > 0) {
        memcpy(bytes, head.ptr, head.len);
    }
    for (size_t i = 0; i < m->field_count; i++) {
        fields[i] = (struct http_field){moved(m->fields[i].name, head, bytes),
                                        moved(m->fields[i].value, head, bytes)};
    }
    k->m.fields = fields;
    k->m.method = moved(m->method, head, bytes);
    k->m.target = moved(m->target, head, bytes);
    hr_buf_init(&k->content, content_limit);
    hr_buf_append(&k->content, m->content);
    k->m.content = hr_buf_span(&k->content);
    return k;
}

void http_kept_destroy(struct http_kept *k)
{
    if (k == NULL) {
        return;
    }
    http_kept_destroy(k->response);
    hr_buf_finish(&k->content);
    free(k);
}

/* --- life ------------------------------------------------------------------------------------ */

void http_reader_init(struct http_reader *r, struct http_reader_shared *shared, bool late)
{
    *r = (struct http_reader){
        .shared = shared,
        .side = -1,
        .late = late,
        .boundary = UINT64_MAX,
        .found_at = UINT64_MAX,
        .loss_from_at = HR_NSEC_INFINITE,
        .last_acked = late ? UINT64_MAX : 0,
    };
    hr_buf_init(&r->held, SIZE_MAX);
}

void http_reader_finish(struct http_reader *r)
{
    hr_buf_finish(&r->held);
    hr_buf_init(&r->held, SIZE_MAX);
}

void http_reader_ignore(struct http_reader *r)
{
    http_reader_finish(r);
    r->state = HTTP_READ_IGNORE;
    r->loss_open = false;
}

bool http_reader_is_at_boundary(const struct http_reader *r, size_t len)
{
    switch (r->state) {
    case HTTP_READ_START:
    case HTTP_READ_SEARCH:
    case HTTP_READ_CHUNK_SIZE:
    case HTTP_READ_CHUNK_EXTENSION:
    case HTTP_READ_CHUNK_END:
    case HTTP_READ_TRAILER:
    case HTTP_READ_HEAD:
        return true;
    case HTTP_READ_LENGTH:
    case HTTP_READ_CHUNK_DATA:
        return r->left < len;
    case HTTP_READ_CLOSE:
    case HTTP_READ_IGNORE:
        return false;
    }
    return false;
}

/* --- losing and finding the position ------------------------------------------------------------
 */

static void open_loss(struct http_reader *r, uint64_t bytes, hr_nsec from_at)
{
    if (!r->loss_open) {
        r->loss_open = true;
        r->loss_bytes = 0;
        r->loss_from_at = from_at;
    }
    r->loss_bytes += bytes;
}

static void lose_position(struct http_reader *r, enum http_cut why)
{
    r->state = HTTP_READ_SEARCH;
    r->boundary = UINT64_MAX;
    r->shared->ops->lost(r, why);
}

/* Ends the message in progress, if there is one. */
static void end_message(struct http_reader *r, enum http_cut cut)
{
    if (r->m == NULL) {
        return;
    }
    r->m->complete = cut == HTTP_CUT_NONE;
    r->m->end_offset = r->next_offset;
    if (cut == HTTP_CUT_ERROR) {
        r->shared->errors++;
    }
    r->state = HTTP_READ_START;
    r->boundary = r->next_offset;
    r->shared->ops->done(r, cut);
    r->m = NULL;
    r->kept = NULL;
    hr_buf_clear(&r->shared->scratch_content);
}

static void fail(struct http_reader *r, hr_nsec at)
{
    if (r->m != NULL) {
        end_message(r, HTTP_CUT_ERROR);
    } else {
        r->shared->errors++;
    }
    if (r->state != HTTP_READ_IGNORE) {
        open_loss(r, 0, at);
        lose_position(r, HTTP_CUT_ERROR);
    }
}

/* --- the head -------------------------------------------------------------------------------- */

static const struct http_mark *mark_at(const struct window *w, size_t pos)
{
    size_t i = HR_ARRAY_LEN(w->marks) - 1;
    while (i > 0 && pos < w->marks[i].from) {
        i--;
    }
    return &w->marks[i];
}

static struct http_place place_at(const struct window *w, size_t pos)
{
    return mark_at(w, pos)->place;
}

/* Appends to held what lies in one segment. */
static void hold_bytes(struct http_reader *r, const struct window *w, size_t pos,
                       struct hr_span piece)
{
    const struct http_mark *mark = mark_at(w, pos);
    if (r->held.len == 0 || r->held_last.place.frame != mark->place.frame ||
        r->held_last.place.at != mark->place.at || r->held_last.acked != mark->acked) {
        r->held_last = *mark;
        r->held_last.from = r->held.len;
    }
    hr_buf_append(&r->held, piece);
}

static void note_start(struct http_reader *r, const struct window *w, size_t pos)
{
    const struct http_mark *mark = mark_at(w, pos);
    r->start_offset = w->offset + pos;
    r->start_acked = mark->acked;
    r->start_before = pos > 0 ? mark_at(w, pos - 1)->acked : w->before;
    r->start_place = mark->place;
    r->line_at = 0;
    r->shape = (struct http_head_shape){false, false};
    r->head_cut = false;
}

/* The bytes where a message should begin do not begin one. What of them is held stays for the
 * search. */
static void reject_start(struct http_reader *r, struct hr_span bytes)
{
    r->state = HTTP_READ_SEARCH;
    r->boundary = UINT64_MAX;
    r->held_starts_line = true;
    if (r->side < 0) {
        open_loss(r, 0, r->start_place.at);
        r->shared->ops->refuse(r, bytes);
        return;
    }
    if (!r->loss_open) {
        r->shared->errors++;
    }
    open_loss(r, 0, r->start_place.at);
    lose_position(r, HTTP_CUT_ERROR);
}

/* @return whether line, the first of a head, is one; decides what the connection is where nobody
 * knew */
static bool accept_start(struct http_reader *r, struct hr_span line)
{
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
        end_message(r, HTTP_CUT_NONE);
        break;
    case HTTP_FRAMING_LENGTH:
        r->left = r->m->declared_bytes;
        r->state = HTTP_READ_LENGTH;
        if (r->left == 0) {
            end_message(r, HTTP_CUT_NONE);
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
    shared->scratch_head = head.bytes;
    shared->scratch = (struct http_message){
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
static void hold_piece(struct http_reader *r, const struct window *w, size_t pos,
                       struct hr_span piece)
{
    size_t limit = r->shared->header_bytes;
    if (r->held.len + piece.len > limit && r->line_at > 0) {
        r->head_cut = true;
        size_t have = r->held.len - r->line_at;
        size_t room = have < LINE_KEPT_BYTES ? LINE_KEPT_BYTES - have : 0;
        bool ends = piece.len > 0 && piece.ptr[piece.len - 1] == '\n';
        if (piece.len > room) {
            hold_bytes(r, w, pos, hr_span_slice(piece, 0, room));
            if (ends) {
                hr_buf_append_char(&r->held, '\n');
            }
            return;
        }
    }
    hold_bytes(r, w, pos, piece);
}

/* A line of a held head is whole. @return whether the head is */
static bool end_held_line(struct http_reader *r)
{
    struct hr_span line = hr_span_slice(hr_buf_span(&r->held), r->line_at, r->held.len);
    if (note_line(r, line) == LINE_EMPTY) {
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

static void release_held(struct http_reader *r)
{
    if (r->held.capacity > 4096) {
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
    end_message(r, HTTP_CUT_NONE);
    http_reader_ignore(r);
}

/* A head that does not lie in one window: line by line. @return bytes taken */
static size_t read_held_head(struct http_reader *r, const struct window *w, size_t pos)
{
    struct hr_span rest = hr_span_slice(w->bytes, pos, w->bytes.len);
    size_t newline = hr_span_find(rest, '\n');
    size_t n = newline == SIZE_MAX ? rest.len : newline + 1;
    hold_piece(r, w, pos, hr_span_slice(rest, 0, n));
    struct hr_span held = hr_buf_span(&r->held);
    if (r->line_at == 0) {
        bool possible = newline != SIZE_MAX ? accept_start(r, hr_span_slice(held, 0, held.len - 1))
                                            : held.len <= r->shared->header_bytes &&
                                                  http_start_is_possible(r->side, held);
        if (!possible) {
            reject_start(r, held);
            return n;
        }
        if (newline != SIZE_MAX && r->line.version == 9) {
            r->next_offset = w->offset + pos + n;
            take_simple_request(r, held, place_at(w, pos + n - 1));
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
    take_head(r, hr_buf_span(&r->held), true, place_at(w, pos + n - 1));
    /* spans of the scratch point into held: the copy comes before its release */
    if (r->m == &r->shared->scratch) {
        r->kept = http_kept_create(r->m, r->shared->scratch_head, r->shared->content_bytes);
        r->m = &r->kept->m;
    }
    release_held(r);
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

static size_t read_head(struct http_reader *r, const struct window *w, size_t pos)
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
        take_simple_request(r, hr_span_slice(rest, 0, newline + 1), place_at(w, pos + newline));
        return newline + 1;
    }
    size_t n = measure_head(r, rest, newline + 1);
    if (n == 0) {
        r->shape = (struct http_head_shape){false, false};
        return read_held_head(r, w, pos);
    }
    r->next_offset = w->offset + pos + n;
    take_head(r, hr_span_slice(rest, 0, n), true, place_at(w, pos + n - 1));
    enter_content(r);
    return n;
}

static size_t read_start(struct http_reader *r, const struct window *w, size_t pos)
{
    size_t n = pos;
    while (n < w->bytes.len && (w->bytes.ptr[n] == '\r' || w->bytes.ptr[n] == '\n')) {
        n++;
    }
    if (n == w->bytes.len) {
        return n - pos;
    }
    note_start(r, w, n);
    r->state = HTTP_READ_HEAD;
    return n - pos;
}

/* --- the content ----------------------------------------------------------------------------- */

/* Keeps the first bytes of a content; in one window without a copy, as long as they are one piece.
 */
static void keep_content(struct http_reader *r, struct hr_span piece)
{
    struct http_message *m = r->m;
    size_t limit = r->shared->content_bytes;
    if (m->content_cut || m->content_gap || m->content.len + piece.len > limit) {
        m->content_cut = true;
        piece.len = m->content_gap || m->content.len >= limit ? 0 : limit - m->content.len;
    }
    if (piece.len == 0) {
        return;
    }
    if (r->kept == NULL && m->content.len == 0) {
        m->content = piece;
        return;
    }
    struct hr_buf *buf = r->kept != NULL ? &r->kept->content : &r->shared->scratch_content;
    if (buf->len == 0 && m->content.len > 0) {
        hr_buf_append(buf, m->content); /* the first piece, until now left where it was */
    }
    hr_buf_append(buf, piece);
    m->content = hr_buf_span(buf);
}

static void note_content(struct http_reader *r, const struct window *w, size_t pos, size_t n)
{
    r->m->content_bytes += n;
    r->m->last = place_at(w, pos + n - 1);
    r->next_offset = w->offset + pos + n;
}

static size_t read_length(struct http_reader *r, const struct window *w, size_t pos)
{
    struct hr_span rest = hr_span_slice(w->bytes, pos, w->bytes.len);
    if (r->check_empty && r->m->content_bytes == 0) {
        struct http_start_line line;
        struct hr_span after = rest;
        struct hr_span first;
        if (http_line_next(&after, &first) && http_status_line_parse(first, &line)) {
            r->m->framing = HTTP_FRAMING_NONE; /* the answer to a HEAD that was not captured */
            end_message(r, HTTP_CUT_NONE);
            return 0;
        }
    }
    size_t n = rest.len < r->left ? rest.len : (size_t)r->left;
    keep_content(r, hr_span_slice(rest, 0, n));
    note_content(r, w, pos, n);
    r->left -= n;
    if (r->state == HTTP_READ_CHUNK_DATA) {
        r->state = r->left == 0 ? HTTP_READ_CHUNK_END : HTTP_READ_CHUNK_DATA;
    } else if (r->left == 0) {
        end_message(r, HTTP_CUT_NONE);
    }
    return n;
}

static int hex_value(char c)
{
    char l = hr_ascii_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

static size_t read_chunk_size(struct http_reader *r, const struct window *w, size_t pos)
{
    char c = w->bytes.ptr[pos];
    int v = hex_value(c);
    if (v >= 0 && r->digits < 16) {
        r->left = r->left << 4 | (unsigned)v;
        r->digits++;
    } else if (v >= 0 || (r->digits == 0 && c != ' ' && c != '\t')) {
        fail(r, place_at(w, pos).at);
        return 0;
    } else if (c != ' ' && c != '\t') {
        r->state = HTTP_READ_CHUNK_EXTENSION;
        r->line_at = 0;
        return 0;
    }
    note_content(r, w, pos, 1);
    return 1;
}

static size_t read_chunk_extension(struct http_reader *r, const struct window *w, size_t pos)
{
    struct hr_span rest = hr_span_slice(w->bytes, pos, w->bytes.len);
    size_t newline = hr_span_find(rest, '\n');
    size_t n = newline == SIZE_MAX ? rest.len : newline + 1;
    bool odd = r->line_at == 0 && rest.ptr[0] != ';' && rest.ptr[0] != '\r' && rest.ptr[0] != '\n';
    r->line_at += n;
    if (odd || r->line_at > EXTENSION_LIMIT) {
        fail(r, place_at(w, pos).at);
        return 0;
    }
    note_content(r, w, pos, n);
    if (newline != SIZE_MAX) {
        r->state = r->left > 0 ? HTTP_READ_CHUNK_DATA : HTTP_READ_TRAILER;
        r->digits = 0;
        r->line_at = 0;
    }
    return n;
}

static size_t read_chunk_end(struct http_reader *r, const struct window *w, size_t pos)
{
    char c = w->bytes.ptr[pos];
    if (c != '\r' && c != '\n') {
        fail(r, place_at(w, pos).at);
        return 0;
    }
    note_content(r, w, pos, 1);
    if (c == '\n') {
        r->state = HTTP_READ_CHUNK_SIZE;
        r->left = 0;
        r->digits = 0;
    }
    return 1;
}

/* Trailer fields are passed over. line_at counts the current line's bytes, a CR not. */
static size_t read_trailer(struct http_reader *r, const struct window *w, size_t pos)
{
    struct hr_span rest = hr_span_slice(w->bytes, pos, w->bytes.len);
    size_t newline = hr_span_find(rest, '\n');
    size_t n = newline == SIZE_MAX ? rest.len : newline + 1;
    size_t text = newline == SIZE_MAX ? n : newline;
    if (text > 0 && rest.ptr[text - 1] == '\r') {
        text--;
    }
    r->line_at += text;
    note_content(r, w, pos, n);
    if (newline != SIZE_MAX) {
        bool empty = r->line_at == 0;
        r->line_at = 0;
        if (empty) {
            end_message(r, HTTP_CUT_NONE);
        }
    }
    return n;
}

static size_t read_close(struct http_reader *r, const struct window *w, size_t pos)
{
    struct hr_span rest = hr_span_slice(w->bytes, pos, w->bytes.len);
    keep_content(r, rest);
    note_content(r, w, pos, rest.len);
    return rest.len;
}

/* --- the search ------------------------------------------------------------------------------ */

static size_t run(struct http_reader *r, const struct window *w);

/* Whether bytes can end what is unclear about a start line longer than DECIDED_EARLY_BYTES. */
static bool has_decider(struct hr_span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == ':' || s.ptr[i] == '<') {
            return true;
        }
    }
    return false;
}

/* Reads what an earlier feed left joined with the rest of this window. @return bytes of the rest
 * taken */
static size_t search_joined(struct http_reader *r, const struct window *w, size_t pos)
{
    struct hr_span rest = hr_span_slice(w->bytes, pos, w->bytes.len);
    if (r->held.len >= DECIDED_EARLY_BYTES && !has_decider(rest) &&
        r->held.len + rest.len <= r->shared->header_bytes) {
        hold_bytes(r, w, pos, rest);
        return rest.len;
    }
    struct hr_buf joined = r->held;
    size_t old_len = joined.len;
    hr_buf_init(&r->held, SIZE_MAX);
    hr_buf_append(&joined, rest);
    struct window both = {
        .bytes = hr_buf_span(&joined),
        .offset = r->start_offset,
        .starts_line = r->held_starts_line,
        .marks = {{0, r->start_acked, r->start_place}, r->held_last, *mark_at(w, pos)},
        .before = r->start_before,
    };
    both.marks[2].from = old_len;
    size_t taken = run(r, &both);
    while (taken < old_len && r->paused) { /* what was held back has no way to return: read on */
        r->paused = false;
        struct window later = both;
        later.bytes = hr_span_slice(both.bytes, taken, both.bytes.len);
        later.offset += taken;
        later.before = mark_at(&both, taken - 1)->acked;
        for (size_t i = 0; i < HR_ARRAY_LEN(later.marks); i++) {
            later.marks[i].from -= later.marks[i].from < taken ? later.marks[i].from : taken;
        }
        taken += run(r, &later);
    }
    hr_buf_finish(&joined);
    return taken > old_len ? taken - old_len : 0;
}

static bool starts_line(const struct window *w, size_t pos)
{
    if (pos == 0) {
        return w->starts_line;
    }
    return pos == w->marks[2].from || w->bytes.ptr[pos - 1] == '\n';
}

static void hold_back(struct http_reader *r, const struct window *w, size_t pos)
{
    note_start(r, w, pos);
    r->held_starts_line = starts_line(w, pos);
    size_t last = w->marks[2].from > pos ? w->marks[2].from : pos;
    hold_bytes(r, w, pos, hr_span_slice(w->bytes, pos, last));
    hold_bytes(r, w, last, hr_span_slice(w->bytes, last, w->bytes.len));
}

static size_t read_search(struct http_reader *r, const struct window *w, size_t pos)
{
    if (r->held.len > 0) {
        return search_joined(r, w, pos);
    }
    struct hr_span rest = hr_span_slice(w->bytes, pos, w->bytes.len);
    uint64_t offset = w->offset + pos;
    size_t at = 0;
    size_t from = offset == r->found_at ? 1 : 0;
    enum http_find found = HTTP_FIND_NONE;
    if (r->side >= 0 || r->late) {
        struct http_searched in = {.bytes = rest,
                                   .from = from,
                                   .starts_line = starts_line(w, pos),
                                   .segment = w->marks[2].from > pos ? w->marks[2].from - pos : 0,
                                   .anywhere = r->late};
        found = http_start_find(r->side, &in, &at);
    }
    r->next_offset = w->offset + w->bytes.len;
    switch (found) {
    case HTTP_FIND_NONE:
        at = rest.len;
        break;
    case HTTP_FIND_PARTIAL:
        if (rest.len - at > r->shared->header_bytes) {
            at = rest.len;
        } else {
            hold_back(r, w, pos + at);
        }
        break;
    case HTTP_FIND_FOUND:
        r->found_at = offset + at;
        r->state = HTTP_READ_START;
        break;
    }
    r->loss_bytes += at;
    return found == HTTP_FIND_FOUND ? at : rest.len;
}

/* --- the loop -------------------------------------------------------------------------------- */

static size_t read_ignored(struct http_reader *r, const struct window *w, size_t pos)
{
    r->shared->ops->ignored(r, w->bytes.len - pos);
    return w->bytes.len - pos;
}

static size_t step(struct http_reader *r, const struct window *w, size_t pos)
{
    switch (r->state) {
    case HTTP_READ_START:
        return read_start(r, w, pos);
    case HTTP_READ_HEAD:
        return read_head(r, w, pos);
    case HTTP_READ_LENGTH:
    case HTTP_READ_CHUNK_DATA:
        return read_length(r, w, pos);
    case HTTP_READ_CHUNK_SIZE:
        return read_chunk_size(r, w, pos);
    case HTTP_READ_CHUNK_EXTENSION:
        return read_chunk_extension(r, w, pos);
    case HTTP_READ_CHUNK_END:
        return read_chunk_end(r, w, pos);
    case HTTP_READ_TRAILER:
        return read_trailer(r, w, pos);
    case HTTP_READ_CLOSE:
        return read_close(r, w, pos);
    case HTTP_READ_SEARCH:
        return read_search(r, w, pos);
    case HTTP_READ_IGNORE:
        return read_ignored(r, w, pos);
    }
    return w->bytes.len - pos;
}

static size_t run(struct http_reader *r, const struct window *w)
{
    size_t pos = 0;
    while (pos < w->bytes.len && !r->paused) {
        pos += step(r, w, pos);
    }
    /* what is still in progress must not point into bytes that go away */
    if (r->m != NULL && r->kept == NULL) {
        r->kept = http_kept_create(r->m, r->shared->scratch_head, r->shared->content_bytes);
        r->m = &r->kept->m;
        hr_buf_clear(&r->shared->scratch_content);
    }
    return pos;
}

size_t http_reader_feed(struct http_reader *r, const struct http_input *in)
{
    const struct http_mark mark = {0, in->acked, in->place};
    struct window w = {
        .bytes = in->bytes,
        .offset = in->offset,
        .starts_line = true,
        .marks = {mark, mark, mark},
        .before = r->last_acked,
    };
    size_t n = run(r, &w);
    r->next_offset = in->offset + n;
    r->last_place = in->place;
    r->last_acked = in->acked;
    return n;
}

/* A head that ends before its end: what of it is whole is a message all the same. */
static void cut_head(struct http_reader *r, enum http_cut cut)
{
    if (r->state != HTTP_READ_HEAD) {
        return;
    }
    if (r->line_at > 0) {
        r->held.len = r->line_at;
        refresh_start_line(r);
        take_head(r, hr_buf_span(&r->held), false, r->last_place);
        end_message(r, cut);
    }
    release_held(r);
}

void http_reader_gap(struct http_reader *r, const struct http_input *in)
{
    uint64_t gap = in->gap_bytes;
    uint64_t end = in->offset + gap;
    bool counted = r->state == HTTP_READ_LENGTH || r->state == HTTP_READ_CHUNK_DATA;
    r->last_acked = UINT64_MAX;
    if (r->state == HTTP_READ_IGNORE) {
        r->next_offset = end;
        return;
    }
    if ((counted && gap <= r->left && !(r->check_empty && r->m->content_bytes == 0)) ||
        r->state == HTTP_READ_CLOSE) {
        r->m->content_gap = true;
        r->m->content_bytes += gap;
        r->m->last = in->place;
        r->next_offset = end;
        r->left -= counted ? gap : 0;
        r->shared->ops->skipped(r, gap, in->before_at, in->place.at);
        if (counted && r->left == 0) {
            if (r->state == HTTP_READ_CHUNK_DATA) {
                r->state = HTTP_READ_CHUNK_END;
            } else {
                end_message(r, HTTP_CUT_NONE);
            }
        }
        return;
    }
    cut_head(r, HTTP_CUT_GAP);
    if (r->m != NULL) {
        r->m->content_gap = true;
        end_message(r, HTTP_CUT_GAP);
    }
    release_held(r);
    r->next_offset = end;
    if (r->state == HTTP_READ_IGNORE) {
        return;
    }
    r->late = true;
    open_loss(r, gap, in->before_at);
    lose_position(r, HTTP_CUT_GAP);
}

void http_reader_end(struct http_reader *r, const struct http_input *in)
{
    bool by_close = r->state == HTTP_READ_CLOSE && in->end_is_close && !in->end_is_reset;
    r->ended = true;
    cut_head(r, HTTP_CUT_END);
    end_message(r, by_close ? HTTP_CUT_NONE : HTTP_CUT_END);
    if (r->loss_open && r->side >= 0) {
        r->shared->ops->found(r, in->place.at);
        r->loss_open = false;
    }
    http_reader_finish(r);
}

enum http_framing http_message_framing(const struct http_head *head, struct hr_span request_method)
{
    const struct http_framing_facts *f = &head->facts;
    if (head->line.side == HTTP_REQUEST) {
        return f->chunked                            ? HTTP_FRAMING_CHUNKED
               : f->has_length && !f->transfer_coded ? HTTP_FRAMING_LENGTH
                                                     : HTTP_FRAMING_NONE;
    }
    unsigned status = head->line.status;
    bool connected = hr_span_equal(request_method, HR_SPAN("CONNECT")) && status / 100 == 2;
    if (status == 101 || connected) {
        return HTTP_FRAMING_UPGRADE;
    }
    if (status / 100 == 1 || status == 204 || status == 304 ||
        hr_span_equal(request_method, HR_SPAN("HEAD"))) {
        return HTTP_FRAMING_NONE;
    }
    if (f->transfer_coded) {
        return f->chunked ? HTTP_FRAMING_CHUNKED : HTTP_FRAMING_CLOSE;
    }
    return f->has_length ? HTTP_FRAMING_LENGTH : HTTP_FRAMING_CLOSE;
}
