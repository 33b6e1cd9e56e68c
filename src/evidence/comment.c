#include "evidence/comment.h"

#include "base/alloc.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>

/* Frame numbers of one capture in the file's comment; more is no use to anybody. */
#define RANGES_BYTES 4096u

static const char *keep(struct hr_arena *a, struct hr_buf *take_text)
{
    const char *text = hr_arena_strdup(a, hr_buf_span(take_text));
    hr_buf_finish(take_text);
    return text;
}

static void begin_line(struct hr_buf *b, const struct plan_note *n)
{
    hr_buf_appendf(b, "%sfinding %" PRId64 ", %s: %s%s", b->len > 0 ? "\n" : "", n->finding,
                   n->rule, n->role, n->is_subject ? " (the finding itself)" : "");
}

static void append_text(struct hr_buf *b, const struct plan_note *n, bool is_private)
{
    if (n->text != NULL && !is_private) {
        hr_buf_append_str(b, "; ");
        hr_text_append_terminal(b, hr_span_str(n->text));
    }
}

const char *comment_request(struct hr_arena *a, const struct plan_exchange *x, bool is_private)
{
    struct hr_buf b;
    hr_buf_init(&b, SIZE_MAX);
    for (const struct plan_note *n = x->notes; n != NULL; n = n->next) {
        begin_line(&b, n);
        hr_buf_append_str(&b, ", request");
        if (x->x.method != NULL && x->x.target != NULL && !is_private) {
            hr_buf_append_char(&b, ' ');
            hr_text_append_terminal(&b, hr_span_str(x->x.method));
            hr_buf_append_char(&b, ' ');
            hr_text_append_terminal(&b, hr_span_str(x->x.target));
        }
        if (x->x.response_frame == 0) {
            hr_buf_append_str(&b, ", not answered");
            append_text(&b, n, is_private);
        }
    }
    return keep(a, &b);
}

const char *comment_response(struct hr_arena *a, const struct plan_exchange *x, bool is_private)
{
    struct hr_buf b;
    hr_buf_init(&b, SIZE_MAX);
    for (const struct plan_note *n = x->notes; n != NULL; n = n->next) {
        begin_line(&b, n);
        hr_buf_appendf(&b, ", answer %d", x->x.status);
        append_text(&b, n, is_private);
    }
    return keep(a, &b);
}

void comment_append_source(struct hr_buf *out, const struct evidence *e, size_t source,
                           bool is_private)
{
    if (is_private) {
        hr_buf_appendf(out, "capture %zu", source + 1);
    } else {
        hr_text_append_terminal(out, hr_span_str(e->sources[source].path));
    }
}

/* "3-5, 9" */
static void append_ranges(struct hr_buf *out, const struct frame_pick *picks, size_t count)
{
    size_t start = out->len;
    for (size_t i = 0; i < count;) {
        size_t last = i;
        while (last + 1 < count && picks[last + 1].frame == picks[last].frame + 1) {
            last++;
        }
        if (out->len - start > RANGES_BYTES) {
            hr_buf_append_str(out, " and more");
            return;
        }
        hr_buf_appendf(out, "%s%" PRIu64, i > 0 ? ", " : " ", picks[i].frame);
        if (last > i) {
            hr_buf_appendf(out, "-%" PRIu64, picks[last].frame);
        }
        i = last + 1;
    }
}

static int compare_notes(const void *a, const void *b)
{
    const struct plan_note *x = *(const struct plan_note *const *)a;
    const struct plan_note *y = *(const struct plan_note *const *)b;
    return (x->finding > y->finding) - (x->finding < y->finding);
}

/* @return one note or more of each finding, by number; the caller frees it */
static const struct plan_note **list_notes(const struct plan *p, size_t *ret_count)
{
    const struct plan_note **notes = NULL;
    size_t count = 0;
    for (size_t i = 0; i < p->exchange_count; i++) {
        for (const struct plan_note *n = p->exchanges[i].notes; n != NULL; n = n->next) {
            notes = hr_xgrow(notes, count, sizeof(const struct plan_note *));
            notes[count++] = n;
        }
    }
    if (count > 0) {
        qsort(notes, count, sizeof(const struct plan_note *), compare_notes);
    }
    *ret_count = count;
    return notes;
}

static void append_findings(struct hr_buf *out, const struct plan *p)
{
    size_t count;
    const struct plan_note **notes = list_notes(p, &count);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || notes[i]->finding != notes[i - 1]->finding) {
            hr_buf_appendf(out, "%s %" PRId64 " (%s)", i > 0 ? "," : "", notes[i]->finding,
                           notes[i]->rule);
        }
    }
    free(notes);
}

/* What would be in it, had the captures been there. */
static void append_lost(struct hr_buf *out, const struct plan *p, bool is_private)
{
    for (size_t i = 0; i < p->import_count; i++) {
        for (size_t k = 0; k < p->imports[i].source_count; k++) {
            const struct plan_source *s = &p->imports[i].sources[k];
            if (s->is_lost) {
                hr_buf_append_str(out, "\nWithout the handshakes of connections that began in ");
                if (is_private) {
                    hr_buf_append_str(out, "another capture");
                } else {
                    hr_text_append_terminal(out, hr_span_str(s->capture.path));
                }
                hr_buf_append_str(out, ": it is not there any more.");
            }
        }
    }
}

const char *comment_section(struct hr_arena *a, const struct plan *p, const struct evidence *e,
                            const struct frame_picks *picks, bool is_private)
{
    struct hr_buf b;
    hr_buf_init(&b, SIZE_MAX);
    hr_buf_append_str(&b, "Evidence of Headrace's findings");
    append_findings(&b, p);
    for (size_t i = 0; i < picks->count;) {
        size_t end = i;
        while (end < picks->count && picks->items[end].source == picks->items[i].source) {
            end++;
        }
        hr_buf_appendf(&b, "\n%zu of the frames of ", end - i);
        comment_append_source(&b, e, picks->items[i].source, is_private);
        hr_buf_append_str(&b, ":");
        append_ranges(&b, picks->items + i, end - i);
        i = end;
    }
    append_lost(&b, p, is_private);
    if (is_private) {
        hr_buf_append_str(&b, "\nTokens, passwords, names, contents and addresses are replaced by "
                              "others of the same length; times, order, status codes and sizes "
                              "are as they were.");
    }
    return keep(a, &b);
}
