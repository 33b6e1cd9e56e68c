/*
 * What the request itself holds: an answer may repeat that without it being anybody's. The target,
 * fields (Referer, cookies) and content, as they stand and decoded; all in lower case.
 */
#include "session/owner.h"

#define TEXT_BYTES ((size_t)32 * 1024)
#define CONTENT_BYTES ((size_t)8 * 1024)
#define DECODINGS 2 /* next=/login%3Fto%3D%252Forders */

static void append(struct hr_buf *to, struct hr_span s)
{
    hr_buf_append_char(to, '\n');
    hr_buf_append(to, s);
}

static struct hr_span lower_copy(struct work *w, struct hr_span s)
{
    char *copy = hr_arena_alloc(w->arena, s.len + 1);
    for (size_t i = 0; i < s.len; i++) {
        copy[i] = hr_ascii_lower(s.ptr[i]);
    }
    return hr_span_of(copy, s.len);
}

static struct hr_span read_request(struct work *w)
{
    const struct http_message *m = &w->x->request;
    struct hr_buf *text = work_text(w, TEXT_BYTES);
    append(text, m->target);
    for (size_t i = 0; i < m->field_count; i++) {
        append(text, m->fields[i].value);
    }
    append(text, hr_span_slice(m->content, 0, CONTENT_BYTES));
    struct hr_span decoded = hr_arena_copy(w->arena, hr_buf_span(text));
    for (size_t i = 0; i < DECODINGS && hr_span_find(decoded, '%') != SIZE_MAX; i++) {
        decoded = http_decode(w->arena, decoded, false);
        append(text, decoded);
    }
    if (hr_span_find(decoded, '&') != SIZE_MAX) { /* a form that was filled from a page */
        append(text, work_html_text(w, decoded));
    }
    struct hr_span lower = lower_copy(w, hr_buf_span(text));
    hr_buf_clear(text);
    return lower;
}

bool asked_holds(struct asked *a, struct work *w, struct hr_span word)
{
    char lower[ASKED_WORD_BYTES];
    if (word.len == 0 || word.len > sizeof(lower) || !w->x->has_request) {
        return false;
    }
    if (a->text.ptr == NULL) {
        a->text = read_request(w);
    }
    for (size_t i = 0; i < word.len; i++) {
        lower[i] = hr_ascii_lower(word.ptr[i]);
    }
    return memmem(a->text.ptr, a->text.len, lower, word.len) != NULL;
}
