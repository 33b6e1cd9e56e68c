/*
 * Contents: how they are framed (RFC 9112 6) and read. What is beyond the kept bytes is counted,
 * not touched.
 */
#include "http/content.h"
#include "http/field.h"
#include "http/reader.h"

enum { EXTENSION_LIMIT = 1024 * 1024 /* bytes of one chunk's extensions */ };

enum http_framing http_message_framing(const struct http_head *head, struct hr_span request_method)
{
    const struct http_framing_facts *f = &head->facts;
    if (head->line.side == HTTP_REQUEST) {
        if (f->transfer_coded) { /* as llhttp where it is lenient; servers refuse the second */
            return f->chunked ? HTTP_FRAMING_CHUNKED : HTTP_FRAMING_CLOSE;
        }
        return f->has_length ? HTTP_FRAMING_LENGTH : HTTP_FRAMING_NONE;
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

static bool is_page(const struct http_message *m)
{
    struct http_media_type type;
    return http_media_type_of(m, &type) && http_media_type_is_html(&type);
}

/* What stands in a page (a form that signs in), and in the answer to what was posted (a token), may
 * stand anywhere in it. */
static size_t limit_of(const struct http_reader *r, size_t wanted)
{
    const size_t few = r->shared->content_bytes / HTTP_PAGE_SHARE;
    return wanted <= few || r->keeps_more || is_page(r->m) ? r->shared->content_bytes : few;
}

/* Keeps the first bytes of a content; in one window without a copy, as long as they are one piece.
 */
static void keep_content(struct http_reader *r, struct hr_span piece)
{
    struct http_message *m = r->m;
    if (m->content_cut || m->content_gap) {
        m->content_cut = true;
        return;
    }
    const size_t limit = limit_of(r, m->content.len + piece.len);
    if (m->content.len + piece.len > limit) {
        m->content_cut = true;
        piece.len = limit - m->content.len;
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

static void note_content(struct http_reader *r, const struct http_window *w, size_t pos, size_t n)
{
    r->m->content_bytes += n;
    r->m->last = http_window_place(w, pos + n - 1);
    r->next_offset = w->offset + pos + n;
}

static size_t read_length(struct http_reader *r, const struct http_window *w, size_t pos)
{
    struct hr_span rest = hr_span_slice(w->bytes, pos, w->bytes.len);
    if (r->check_empty && r->m->content_bytes == 0) {
        struct http_start_line line;
        struct hr_span after = rest;
        struct hr_span first;
        if (http_line_next(&after, &first) && http_status_line_parse(first, &line)) {
            r->m->framing = HTTP_FRAMING_NONE; /* the answer to a HEAD that was not captured */
            http_reader_end_message(r, HTTP_CUT_NONE);
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
        http_reader_end_message(r, HTTP_CUT_NONE);
    }
    return n;
}

static int hex_value(char c)
{
    char l = hr_ascii_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

static size_t read_chunk_size(struct http_reader *r, const struct http_window *w, size_t pos)
{
    char c = w->bytes.ptr[pos];
    int v = hex_value(c);
    if (v >= 0 && r->digits < 16) {
        r->left = r->left << 4 | (unsigned)v;
        r->digits++;
    } else if (v >= 0 || (r->digits == 0 && c != ' ' && c != '\t')) {
        http_reader_fail(r, http_window_place(w, pos).at);
        return 0;
    } else if (c != ' ' && c != '\t') {
        r->state = HTTP_READ_CHUNK_EXTENSION;
        r->line_at = 0;
        return 0;
    }
    note_content(r, w, pos, 1);
    return 1;
}

/* The newline of a chunk's line or end stands at w->bytes.ptr[at]. */
static void note_line_end(struct http_reader *r, const struct http_window *w, size_t at)
{
    char before = at > 0 ? w->bytes.ptr[at - 1] : r->last_byte;
    r->m->anomalies |= before == '\r' ? 0u : HTTP_ANOMALY_BARE_LF;
}

static size_t read_chunk_extension(struct http_reader *r, const struct http_window *w, size_t pos)
{
    struct hr_span rest = hr_span_slice(w->bytes, pos, w->bytes.len);
    size_t newline = hr_span_find(rest, '\n');
    size_t n = newline == SIZE_MAX ? rest.len : newline + 1;
    bool odd = r->line_at == 0 && rest.ptr[0] != ';' && rest.ptr[0] != '\r' && rest.ptr[0] != '\n';
    r->line_at += n;
    if (odd || r->line_at > EXTENSION_LIMIT) {
        http_reader_fail(r, http_window_place(w, pos).at);
        return 0;
    }
    note_content(r, w, pos, n);
    if (newline != SIZE_MAX) {
        note_line_end(r, w, pos + newline);
        r->state = r->left > 0 ? HTTP_READ_CHUNK_DATA : HTTP_READ_TRAILER;
        r->digits = 0;
        r->line_at = 0;
    }
    return n;
}

static size_t read_chunk_end(struct http_reader *r, const struct http_window *w, size_t pos)
{
    char c = w->bytes.ptr[pos];
    if (c != '\r' && c != '\n') {
        http_reader_fail(r, http_window_place(w, pos).at);
        return 0;
    }
    note_content(r, w, pos, 1);
    if (c == '\n') {
        note_line_end(r, w, pos);
        r->state = HTTP_READ_CHUNK_SIZE;
        r->left = 0;
        r->digits = 0;
    }
    return 1;
}

/* Trailer fields are passed over. line_at counts the current line's bytes, CRs not: however many
 * segments they lie in, a line of nothing else is the empty one. */
static size_t read_trailer(struct http_reader *r, const struct http_window *w, size_t pos)
{
    struct hr_span rest = hr_span_slice(w->bytes, pos, w->bytes.len);
    size_t newline = hr_span_find(rest, '\n');
    size_t n = newline == SIZE_MAX ? rest.len : newline + 1;
    size_t text = newline == SIZE_MAX ? n : newline;
    for (size_t i = 0; i < text; i++) {
        r->line_at += rest.ptr[i] != '\r';
    }
    note_content(r, w, pos, n);
    if (newline != SIZE_MAX) {
        bool empty = r->line_at == 0;
        note_line_end(r, w, pos + newline);
        r->line_at = 0;
        if (empty) {
            http_reader_end_message(r, HTTP_CUT_NONE);
            r->tail = r->side == HTTP_RESPONSE ? HTTP_TAIL_LAST_CHUNK : HTTP_TAIL_NONE;
        }
    }
    return n;
}

static size_t read_close(struct http_reader *r, const struct http_window *w, size_t pos)
{
    struct hr_span rest = hr_span_slice(w->bytes, pos, w->bytes.len);
    keep_content(r, rest);
    note_content(r, w, pos, rest.len);
    return rest.len;
}

size_t http_reader_read_content(struct http_reader *r, const struct http_window *w, size_t pos)
{
    switch (r->state) {
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
    case HTTP_READ_START:
    case HTTP_READ_HEAD:
    case HTTP_READ_SEARCH:
    case HTTP_READ_IGNORE:
        break;
    }
    return read_close(r, w, pos);
}
