#include "http/form.h"

#include "http/content.h"
#include "http/target.h"

#include <string.h>

static const struct hr_span none = {NULL, 0};

static struct hr_span find_boundary(struct hr_span content_type)
{
    struct hr_span rest = content_type;
    struct http_field p;
    hr_span_cut(&rest, ';');
    while (http_parameter_next(&rest, &p)) {
        if (hr_span_equal_nocase(p.name, HR_SPAN("boundary"))) {
            return p.value;
        }
    }
    return none;
}

/* Only line starts are looked at, so that each byte is compared once: a boundary has no line end.
 * @return position of "--boundary" at a line start, or SIZE_MAX */
static size_t find_delimiter(struct hr_span s, struct hr_span boundary)
{
    struct hr_span line = s;
    while (line.ptr != NULL && line.len >= 2 + boundary.len) {
        if (hr_span_has_prefix(line, HR_SPAN("--")) &&
            hr_span_has_prefix(hr_span_slice(line, 2, line.len), boundary)) {
            return (size_t)(line.ptr - s.ptr);
        }
        hr_span_cut(&line, '\n');
    }
    return SIZE_MAX;
}

void http_form_init(struct http_form *f, struct hr_span content_type, struct hr_span content,
                    bool content_cut, struct hr_arena *arena)
{
    struct http_media_type type;
    *f = (struct http_form){.rest = content, .content_cut = content_cut, .arena = arena};
    if (!http_media_type_parse(content_type, &type)) {
        return;
    }
    if (strcmp(type.text, "application/x-www-form-urlencoded") == 0) {
        f->kind = HTTP_FORM_URLENCODED;
    } else if (strcmp(type.text, "multipart/form-data") == 0) {
        f->boundary = find_boundary(content_type);
        size_t first = f->boundary.len > 0 ? find_delimiter(content, f->boundary) : SIZE_MAX;
        if (first != SIZE_MAX) {
            f->kind = HTTP_FORM_MULTIPART;
            f->rest = hr_span_slice(content, first, content.len);
        }
    }
}

static bool next_urlencoded(struct http_form *f, struct http_form_member *ret_member)
{
    struct http_param p;
    if (!http_query_next(&f->rest, &p)) {
        return false;
    }
    struct hr_span raw =
        p.value.ptr != NULL ? p.value : hr_span_slice(p.name, p.name.len, p.name.len);
    bool last = f->rest.ptr == NULL;
    if (last) { /* a line end behind the last member is none of its value */
        while (raw.len > 0 && (raw.ptr[raw.len - 1] == '\r' || raw.ptr[raw.len - 1] == '\n')) {
            raw.len--;
        }
    }
    *ret_member = (struct http_form_member){
        .name = http_decode(f->arena, p.name, true),
        .value = http_decode(f->arena, raw, true),
        .raw = raw,
        .cut = last && f->content_cut,
    };
    return true;
}

/* Content-Disposition: form-data; name="..."; filename="..." */
static void read_disposition(struct hr_span value, struct http_form_member *m)
{
    struct http_field p;
    hr_span_cut(&value, ';');
    while (http_parameter_next(&value, &p)) {
        if (hr_span_equal_nocase(p.name, HR_SPAN("name"))) {
            m->name = p.value;
        } else if (hr_span_equal_nocase(p.name, HR_SPAN("filename"))) {
            m->file_name = p.value;
        }
    }
}

/* Reads the part's own fields. @return where its value begins; SIZE_MAX: they do not end */
static size_t read_part_fields(struct hr_span part, struct http_form_member *m)
{
    struct hr_span rest = part;
    while (rest.ptr != NULL) {
        struct hr_span value = hr_span_cut(&rest, '\n');
        if (rest.ptr == NULL) {
            return SIZE_MAX;
        }
        if (hr_span_trim(value).len == 0) {
            return (size_t)(rest.ptr - part.ptr);
        }
        struct hr_span name = hr_span_trim(hr_span_cut(&value, ':'));
        if (hr_span_equal_nocase(name, HR_SPAN("content-disposition"))) {
            read_disposition(value, m);
        }
    }
    return SIZE_MAX;
}

static bool next_multipart(struct http_form *f, struct http_form_member *ret_member)
{
    while (f->rest.ptr != NULL) {
        /* rest begins at a delimiter */
        struct hr_span part = hr_span_slice(f->rest, 2 + f->boundary.len, f->rest.len);
        if (hr_span_has_prefix(part, HR_SPAN("--")) || hr_span_find(part, '\n') == SIZE_MAX) {
            break;
        }
        hr_span_cut(&part, '\n');
        size_t end = find_delimiter(part, f->boundary);
        bool cut = end == SIZE_MAX;
        f->rest = cut ? none : hr_span_slice(part, end, part.len);
        part = hr_span_slice(part, 0, cut ? part.len : end);
        struct http_form_member m = {.name = none, .file_name = none, .cut = cut};
        size_t value_at = read_part_fields(part, &m);
        if (m.name.ptr == NULL || value_at == SIZE_MAX) {
            continue;
        }
        m.raw = hr_span_slice(part, value_at, part.len);
        if (!cut && m.raw.len > 0) { /* the line end in front of a delimiter belongs to it */
            m.raw.len -= m.raw.len > 1 && m.raw.ptr[m.raw.len - 2] == '\r' ? 2 : 1;
        }
        m.value = m.raw;
        *ret_member = m;
        return true;
    }
    f->rest = none;
    return false;
}

bool http_form_next(struct http_form *f, struct http_form_member *ret_member)
{
    switch (f->kind) {
    case HTTP_FORM_NONE:
        return false;
    case HTTP_FORM_URLENCODED:
        return next_urlencoded(f, ret_member);
    case HTTP_FORM_MULTIPART:
        return next_multipart(f, ret_member);
    }
    return false;
}
