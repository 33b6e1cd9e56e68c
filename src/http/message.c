/*
 * Bytes are read from a window: what was fed now, or what a search held back joined with it. A
 * message that begins and ends in one feed is never copied: r->m is the shared scratch, its spans
 * point into the window. Whatever outlives the feed is copied once into a struct http_kept.
 * Heads are read in head.c, contents in framing.c, the search is in search.c.
 */
#include "http/reader.h"

void http_reader_init(struct http_reader *r, struct http_reader_shared *shared, bool late)
{
    *r = (struct http_reader){
        .shared = shared,
        .side = -1,
        .late = late,
        .unsure = late,
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
        return r->left < len || (r->check_empty && r->m->content_bytes == 0);
    case HTTP_READ_CHUNK_DATA:
        return r->left < len;
    case HTTP_READ_CLOSE:
    case HTTP_READ_IGNORE:
        return false;
    }
    return false;
}

void http_reader_open_loss(struct http_reader *r, uint64_t bytes, hr_nsec from_at)
{
    if (!r->loss_open) {
        r->loss_open = true;
        r->loss_bytes = 0;
        r->loss_from_at = from_at;
    }
    r->loss_bytes += bytes;
}

void http_reader_lose_position(struct http_reader *r, enum http_cut why)
{
    r->state = HTTP_READ_SEARCH;
    r->boundary = UINT64_MAX;
    r->tail = HTTP_TAIL_NONE;
    r->unsure = true;
    r->shared->ops->lost(r, why);
}

/* Ends the message in progress, if there is one. */
void http_reader_end_message(struct http_reader *r, enum http_cut cut)
{
    if (r->m == NULL) {
        return;
    }
    r->tail = HTTP_TAIL_NONE;
    r->m->complete = cut == HTTP_CUT_NONE;
    r->m->end_offset = r->next_offset;
    if (cut == HTTP_CUT_ERROR) {
        r->m->anomalies |= HTTP_ANOMALY_BROKEN;
        r->shared->errors++;
    }
    r->state = HTTP_READ_START;
    r->boundary = r->next_offset;
    r->shared->ops->done(r, cut);
    r->m = NULL;
    r->kept = NULL;
    hr_buf_clear(&r->shared->scratch_content);
}

void http_reader_fail(struct http_reader *r, hr_nsec at)
{
    if (r->m != NULL) {
        http_reader_end_message(r, HTTP_CUT_ERROR);
    } else {
        r->shared->errors++;
    }
    if (r->state != HTTP_READ_IGNORE) {
        http_reader_open_loss(r, 0, at);
        http_reader_lose_position(r, HTTP_CUT_ERROR);
    }
}

/* Appends to held what lies in one segment. */
void http_reader_hold(struct http_reader *r, const struct http_window *w, size_t pos,
                      struct hr_span piece)
{
    const struct http_mark *mark = http_window_mark(w, pos);
    if (r->held.len == 0 || r->held_last.place.frame != mark->place.frame ||
        r->held_last.place.at != mark->place.at || r->held_last.acked != mark->acked) {
        r->held_last = *mark;
        r->held_last.from = r->held.len;
    }
    hr_buf_append(&r->held, piece);
}

void http_reader_note_start(struct http_reader *r, const struct http_window *w, size_t pos)
{
    const struct http_mark *mark = http_window_mark(w, pos);
    r->start_offset = w->offset + pos;
    r->start_acked = mark->acked;
    r->start_before = pos > 0 ? http_window_mark(w, pos - 1)->acked : w->before;
    r->start_place = mark->place;
    r->line_at = 0;
    r->shape = (struct http_head_shape){false, false};
    r->head_cut = false;
}

static size_t read_ignored(struct http_reader *r, const struct http_window *w, size_t pos)
{
    r->shared->ops->ignored(r, hr_span_slice(w->bytes, pos, w->bytes.len));
    return w->bytes.len - pos;
}

static size_t step(struct http_reader *r, const struct http_window *w, size_t pos)
{
    switch (r->state) {
    case HTTP_READ_START:
        return http_reader_read_start(r, w, pos);
    case HTTP_READ_HEAD:
        return http_reader_read_head(r, w, pos);
    case HTTP_READ_LENGTH:
    case HTTP_READ_CHUNK_DATA:
    case HTTP_READ_CHUNK_SIZE:
    case HTTP_READ_CHUNK_EXTENSION:
    case HTTP_READ_CHUNK_END:
    case HTTP_READ_TRAILER:
    case HTTP_READ_CLOSE:
        return http_reader_read_content(r, w, pos);
    case HTTP_READ_SEARCH:
        return http_reader_search(r, w, pos);
    case HTTP_READ_IGNORE:
        break;
    }
    return read_ignored(r, w, pos);
}

size_t http_reader_run(struct http_reader *r, const struct http_window *w)
{
    size_t pos = 0;
    while (pos < w->bytes.len && !r->paused) {
        pos += step(r, w, pos);
    }
    r->last_byte = pos > 0 ? w->bytes.ptr[pos - 1] : r->last_byte;
    /* what is still in progress must not point into bytes that go away */
    if (r->m != NULL && r->kept == NULL) {
        r->kept = http_kept_create(r->m, r->shared->content_bytes);
        r->m = &r->kept->m;
        hr_buf_clear(&r->shared->scratch_content);
    }
    return pos;
}

size_t http_reader_feed(struct http_reader *r, const struct http_input *in)
{
    const struct http_mark mark = {0, in->acked, in->place};
    struct http_window w = {
        .bytes = in->bytes,
        .offset = in->offset,
        .starts_line = true,
        .marks = {mark, mark, mark},
        .before = r->last_acked,
    };
    size_t n = http_reader_run(r, &w);
    r->next_offset = in->offset + n;
    r->last_place = in->place;
    r->last_acked = in->acked;
    return n;
}

/* What a search held back in vain was passed over as well. */
static void drop_searched(struct http_reader *r)
{
    if (r->state == HTTP_READ_SEARCH) {
        r->loss_bytes += r->held.len;
    }
}

bool http_reader_anchor(struct http_reader *r, hr_nsec at)
{
    bool was_wrong = r->m != NULL || r->state == HTTP_READ_HEAD;
    if (r->state != HTTP_READ_START) {
        http_reader_cut_head(r, HTTP_CUT_GAP);
        http_reader_end_message(r, HTTP_CUT_GAP);
        drop_searched(r);
        http_reader_release_held(r);
        http_reader_open_loss(r, 0, at);
        http_reader_lose_position(r, HTTP_CUT_GAP);
        r->state = HTTP_READ_START;
    }
    r->unsure = false;
    return was_wrong;
}

void http_reader_gap(struct http_reader *r, const struct http_input *in)
{
    uint64_t gap = in->gap_bytes;
    uint64_t end = in->offset + gap;
    bool counted = r->state == HTTP_READ_LENGTH || r->state == HTTP_READ_CHUNK_DATA;
    r->last_acked = UINT64_MAX;
    r->last_byte = '\r'; /* whatever it was, it shows no anomaly */
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
                http_reader_end_message(r, HTTP_CUT_NONE);
            }
        }
        return;
    }
    http_reader_cut_head(r, HTTP_CUT_GAP);
    if (r->m != NULL) {
        r->m->content_gap = true;
        http_reader_end_message(r, HTTP_CUT_GAP);
    }
    drop_searched(r);
    http_reader_release_held(r);
    r->next_offset = end;
    if (r->state == HTTP_READ_IGNORE) {
        return;
    }
    r->late = true;
    http_reader_open_loss(r, gap, in->before_at);
    http_reader_lose_position(r, HTTP_CUT_GAP);
}

void http_reader_end(struct http_reader *r, const struct http_input *in)
{
    bool by_close = r->state == HTTP_READ_CLOSE && in->end_is_close && !in->end_is_reset;
    r->ended = true;
    http_reader_cut_head(r, HTTP_CUT_END);
    http_reader_end_message(r, by_close ? HTTP_CUT_NONE : HTTP_CUT_END);
    drop_searched(r);
    if (r->loss_open && r->side >= 0) {
        r->shared->ops->found(r, in->place.at);
        r->loss_open = false;
    }
    http_reader_finish(r);
}
