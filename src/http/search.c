/*
 * The next start line, behind a hole or bytes that are no message. What may be the beginning of one
 * is held back until more bytes come, and then read joined with them.
 */
#include "base/alloc.h"
#include "http/reader.h"

enum { DECIDED_EARLY_BYTES = 64 };

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
static size_t search_joined(struct http_reader *r, const struct http_window *w, size_t pos)
{
    struct hr_span rest = hr_span_slice(w->bytes, pos, w->bytes.len);
    if (r->held.len >= DECIDED_EARLY_BYTES && !has_decider(rest) &&
        r->held.len + rest.len <= r->shared->header_bytes) {
        http_reader_hold(r, w, pos, rest);
        return rest.len;
    }
    struct hr_buf joined = r->held;
    size_t old_len = joined.len;
    hr_buf_init(&r->held, SIZE_MAX);
    hr_buf_append(&joined, rest);
    struct http_window both = {
        .bytes = hr_buf_span(&joined),
        .offset = r->start_offset,
        .starts_line = r->held_starts_line,
        .marks = {{0, r->start_acked, r->start_place}, r->held_last, *http_window_mark(w, pos)},
        .before = r->start_before,
    };
    both.marks[2].from = old_len;
    size_t taken = http_reader_run(r, &both);
    while (taken < old_len && r->paused) { /* what was held back has no way to return: read on */
        r->paused = false;
        struct http_window later = both;
        later.bytes = hr_span_slice(both.bytes, taken, both.bytes.len);
        later.offset += taken;
        later.before = http_window_mark(&both, taken - 1)->acked;
        for (size_t i = 0; i < HR_ARRAY_LEN(later.marks); i++) {
            later.marks[i].from -= later.marks[i].from < taken ? later.marks[i].from : taken;
        }
        taken += http_reader_run(r, &later);
    }
    hr_buf_finish(&joined);
    return taken > old_len ? taken - old_len : 0;
}

static bool starts_line(const struct http_window *w, size_t pos)
{
    if (pos == 0) {
        return w->starts_line;
    }
    return pos == w->marks[2].from || w->bytes.ptr[pos - 1] == '\n';
}

static void hold_back(struct http_reader *r, const struct http_window *w, size_t pos)
{
    http_reader_note_start(r, w, pos);
    r->held_starts_line = starts_line(w, pos);
    for (size_t i = 1; i < HR_ARRAY_LEN(w->marks); i++) {
        size_t end = w->marks[i].from > pos ? w->marks[i].from : pos;
        http_reader_hold(r, w, pos, hr_span_slice(w->bytes, pos, end));
        pos = end;
    }
    http_reader_hold(r, w, pos, hr_span_slice(w->bytes, pos, w->bytes.len));
}

size_t http_reader_search(struct http_reader *r, const struct http_window *w, size_t pos)
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
