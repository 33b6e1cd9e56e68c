/*
 * Which requests ask for the same: equal method, target, content and fields, but for those that any
 * two requests of a browser differ in (rules/lists/passing-fields). The hash is keyed, for a
 * content may be a password.
 */
#include "session/work.h"

#include <string.h>

#define TEXT_BYTES ((size_t)128 * 1024)

static void append_digest(struct work *w, struct hr_buf *to, struct hr_span bytes)
{
    struct hr_digest d = hr_digest_keyed(work_key(w), bytes);
    hr_buf_append(to, hr_span_of(d.bytes, sizeof(d.bytes)));
}

/* Browsers draw a new boundary each time: what lies between two of them is what counts. */
static void append_parts(struct work *w, struct hr_buf *to, struct hr_span content,
                         struct hr_span boundary)
{
    size_t count = 0;
    while (content.len > 0 && count++ < 1000) {
        const char *at = memmem(content.ptr, content.len, boundary.ptr, boundary.len);
        size_t len = at == NULL ? content.len : (size_t)(at - content.ptr);
        append_digest(w, to, hr_span_slice(content, 0, len));
        content = hr_span_slice(content, at == NULL ? len : len + boundary.len, content.len);
    }
    append_digest(w, to, content); /* of a content with more parts than that, the rest as it is */
}

static struct hr_span boundary_of(struct hr_span type)
{
    struct http_field p;
    struct hr_span rest = type;
    hr_span_cut(&rest, ';');
    while (hr_span_has_prefix_nocase(type, HR_SPAN("multipart/")) &&
           http_parameter_next(&rest, &p)) {
        if (hr_span_equal_nocase(p.name, HR_SPAN("boundary"))) {
            return p.value;
        }
    }
    return (struct hr_span){NULL, 0};
}

static void append_content(struct work *w, struct hr_buf *to)
{
    const struct http_message *m = &w->x->request;
    const struct http_field *field = http_field_find(m, "content-type");
    struct hr_span type = field != NULL ? field->value : (struct hr_span){NULL, 0};
    struct hr_span boundary = boundary_of(type);
    if (boundary.len > 0) {
        hr_buf_append(to, hr_span_cut(&type, ';'));
        append_parts(w, to, m->content, boundary);
    } else {
        hr_buf_append(to, type);
        append_digest(w, to, m->content);
    }
}

static void append_fields(struct work *w, struct hr_buf *to)
{
    const struct http_message *m = &w->x->request;
    for (size_t i = 0; i < m->field_count; i++) {
        const struct http_field *f = &m->fields[i];
        if (f->name.len > 0 && !(work_word(w, f->name).bits & WORD_PASSING) &&
            !hr_span_equal_nocase(f->name, HR_SPAN("content-type")) &&
            !work_is_request_id(w, f->name, 0)) {
            hr_buf_append_char(to, '\n');
            hr_buf_append(to, f->name);
            hr_buf_append_char(to, ':');
            hr_buf_append(to, f->value);
        }
    }
}

void work_request_hash(struct work *w)
{
    const struct http_message *m = &w->x->request;
    if (m->content.len == 0 || !m->complete || m->content_cut || m->content_gap ||
        (m->anomalies & HTTP_ANOMALY_FIELDS_CUT)) {
        return;
    }
    struct hr_buf *text = work_text(w, TEXT_BYTES);
    hr_buf_append(text, m->method);
    hr_buf_append_char(text, ' ');
    hr_buf_append(text, m->target);
    hr_buf_append_char(text, '\n');
    append_content(w, text);
    append_fields(w, text);
    if (!text->cut) {
        w->f->request_hash = (uint64_t)work_mark_value(w, hr_buf_span(text));
        w->f->request_hash += w->f->request_hash == 0;
    }
    hr_buf_clear(text);
}
