#include "http/content.h"

#include "http/coding.h"
#include "http/field.h"

#include <string.h>

/* A ratio says nothing about small contents. */
#define RATIO_FREE_BYTES (64u * 1024)
#define CODING_LIMIT 4

bool http_parameter_next(struct hr_span *rest, struct http_field *ret_parameter)
{
    while (rest->ptr != NULL) {
        struct hr_span s = *rest;
        size_t i = 0;
        bool quoted = false;
        while (i < s.len && (quoted || s.ptr[i] != ';')) {
            if (quoted && s.ptr[i] == '\\' && i + 1 < s.len) {
                i++;
            } else if (s.ptr[i] == '"') {
                quoted = !quoted;
            }
            i++;
        }
        struct hr_span value = hr_span_slice(s, 0, i);
        *rest = i < s.len ? hr_span_slice(s, i + 1, s.len) : (struct hr_span){NULL, 0};
        struct hr_span name = hr_span_trim(hr_span_cut(&value, '='));
        if (name.len == 0) {
            continue;
        }
        value = hr_span_trim(value);
        if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"') {
            value = hr_span_slice(value, 1, value.len - 1);
        }
        *ret_parameter = (struct http_field){name, value};
        return true;
    }
    return false;
}

static bool copy_lower(struct hr_span s, char *text, size_t size)
{
    if (s.len >= size) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        text[i] = hr_ascii_lower(s.ptr[i]);
    }
    text[s.len] = '\0';
    return true;
}

static bool has_no_blanks(struct hr_span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] <= ' ') {
            return false;
        }
    }
    return true;
}

bool http_media_type_parse(struct hr_span value, struct http_media_type *ret_type)
{
    struct http_media_type t = {.text = ""};
    struct hr_span rest = value;
    struct hr_span essence = hr_span_trim(hr_span_cut(&rest, ';'));
    size_t slash = hr_span_find(essence, '/');
    ret_type->text[0] = '\0';
    ret_type->charset[0] = '\0';
    if (slash == SIZE_MAX || slash == 0 || slash + 1 == essence.len || !has_no_blanks(essence) ||
        !copy_lower(essence, t.text, sizeof(t.text))) {
        return false;
    }
    struct http_field p;
    while (http_parameter_next(&rest, &p)) {
        if (hr_span_equal_nocase(p.name, HR_SPAN("charset")) && t.charset[0] == '\0') {
            copy_lower(p.value, t.charset, sizeof(t.charset));
        }
    }
    *ret_type = t;
    return true;
}

bool http_media_type_is_html(const struct http_media_type *type)
{
    return strcmp(type->text, "text/html") == 0 || strcmp(type->text, "application/xhtml+xml") == 0;
}

bool http_media_type_of(const struct http_message *m, struct http_media_type *ret_type)
{
    const struct http_field *f = http_field_find(m, "content-type");
    return http_media_type_parse(f != NULL ? f->value : (struct hr_span){NULL, 0}, ret_type);
}

/* @return number of codings in order of application, identity left out; SIZE_MAX: too many */
static size_t list_codings(const struct http_message *m, enum http_coding codings[CODING_LIMIT])
{
    size_t n = 0;
    for (size_t i = 0; i < m->field_count; i++) {
        struct hr_span rest = m->fields[i].value;
        struct hr_span token;
        if (!hr_span_equal_nocase(m->fields[i].name, HR_SPAN("content-encoding"))) {
            continue;
        }
        while (http_list_next(&rest, &token)) {
            if (hr_span_equal_nocase(token, HR_SPAN("identity"))) {
                continue;
            }
            if (n == CODING_LIMIT) {
                return SIZE_MAX;
            }
            codings[n++] = http_coding_find(token);
        }
    }
    return n;
}

static size_t output_limit(struct hr_span in, const struct http_content_limits *limits)
{
    size_t most = SIZE_MAX;
    if (limits->ratio == 0 || __builtin_mul_overflow(in.len, (size_t)limits->ratio, &most) ||
        __builtin_add_overflow(most, (size_t)RATIO_FREE_BYTES, &most)) {
        most = SIZE_MAX;
    }
    return most < limits->content_bytes ? most : limits->content_bytes;
}

enum http_content_result http_content_decode(const struct http_message *m,
                                             const struct http_content_limits *limits,
                                             struct hr_buf *scratch, struct hr_span *ret_content)
{
    enum http_coding codings[CODING_LIMIT];
    size_t n = list_codings(m, codings);
    bool cut = m->content_cut || m->content_gap || !m->complete;
    struct hr_span content = m->content;
    *ret_content = content;
    hr_buf_clear(scratch);
    if (n == 0 || content.len == 0) {
        return cut ? HTTP_CONTENT_CUT : HTTP_CONTENT_WHOLE;
    }
    *ret_content = (struct hr_span){NULL, 0};
    if (n == SIZE_MAX) {
        return HTTP_CONTENT_UNDECODABLE;
    }
    struct hr_buf work; /* the layers take turns between work and scratch */
    hr_buf_init(&work, SIZE_MAX);
    enum http_content_result result = HTTP_CONTENT_WHOLE;
    const size_t most = output_limit(content, limits); /* by what was sent, for all codings */
    while (n > 0 && result != HTTP_CONTENT_UNDECODABLE) {
        hr_buf_clear(&work);
        result = http_coding_remove(codings[--n], content, most, &work);
        cut = cut || result == HTTP_CONTENT_CUT;
        struct hr_buf swap = *scratch;
        *scratch = work;
        work = swap;
        content = hr_buf_span(scratch);
    }
    hr_buf_finish(&work);
    if (result == HTTP_CONTENT_UNDECODABLE) {
        return result;
    }
    *ret_content = content;
    return cut ? HTTP_CONTENT_CUT : HTTP_CONTENT_WHOLE;
}
