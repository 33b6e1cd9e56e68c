#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

#include "base/text.h"

void hr_json_init(struct hr_json *j, struct hr_buf *out)
{
    *j = (struct hr_json){.out = out};
}

static void before_value(struct hr_json *j)
{
    if (j->after_key) {
        j->after_key = false;
        return;
    }
    if (j->depth > 0) {
        if (j->has_items[j->depth - 1]) {
            hr_buf_append_char(j->out, ',');
        }
        j->has_items[j->depth - 1] = true;
    }
}

static void open_level(struct hr_json *j, char c)
{
    before_value(j);
    assert(j->depth < HR_JSON_DEPTH);
    hr_buf_append_char(j->out, c);
    j->has_items[j->depth++] = false;
}

static void close_level(struct hr_json *j, char c)
{
    assert(j->depth > 0 && !j->after_key);
    j->depth--;
    hr_buf_append_char(j->out, c);
}

void hr_json_object_begin(struct hr_json *j)
{
    open_level(j, '{');
}

void hr_json_object_end(struct hr_json *j)
{
    close_level(j, '}');
}

void hr_json_array_begin(struct hr_json *j)
{
    open_level(j, '[');
}

void hr_json_array_end(struct hr_json *j)
{
    close_level(j, ']');
}

static void quoted(struct hr_json *j, struct hr_span text)
{
    hr_buf_append_char(j->out, '"');
    size_t i = 0;
    while (i < text.len) {
        unsigned char c = (unsigned char)text.ptr[i];
        size_t n = hr_utf8_length(hr_span_slice(text, i, text.len));
        if (n == 0) {
            hr_buf_append_str(j->out, "\xef\xbf\xbd");
            i++;
        } else if (c == '"' || c == '\\') {
            hr_buf_append_char(j->out, '\\');
            hr_buf_append_char(j->out, (char)c);
            i++;
        } else if (c < 0x20 || c == 0x7f) {
            hr_buf_appendf(j->out, "\\u%04x", c);
            i++;
        } else {
            hr_buf_append(j->out, hr_span_slice(text, i, i + n));
            i += n;
        }
    }
    hr_buf_append_char(j->out, '"');
}

void hr_json_key(struct hr_json *j, const char *key)
{
    assert(!j->after_key);
    before_value(j);
    quoted(j, hr_span_str(key));
    hr_buf_append_char(j->out, ':');
    j->after_key = true;
}

void hr_json_null(struct hr_json *j)
{
    before_value(j);
    hr_buf_append_str(j->out, "null");
}

void hr_json_bool(struct hr_json *j, bool value)
{
    before_value(j);
    hr_buf_append_str(j->out, value ? "true" : "false");
}

void hr_json_int(struct hr_json *j, int64_t value)
{
    before_value(j);
    hr_buf_appendf(j->out, "%" PRId64, value);
}

void hr_json_double(struct hr_json *j, double value)
{
    before_value(j);
    if (isfinite(value)) {
        hr_buf_appendf(j->out, "%.12g", value);
    } else {
        hr_buf_append_str(j->out, "null");
    }
}

void hr_json_string(struct hr_json *j, struct hr_span text)
{
    if (text.ptr == NULL) {
        hr_json_null(j);
        return;
    }
    before_value(j);
    quoted(j, text);
}

void hr_json_str(struct hr_json *j, const char *text)
{
    hr_json_string(j, hr_span_str(text));
}

void hr_json_time(struct hr_json *j, hr_nsec at)
{
    char text[HR_TIME_TEXT_SIZE];
    hr_json_str(j, at == HR_NSEC_INFINITE ? NULL : hr_time_format(at, text));
}

void hr_json_raw(struct hr_json *j, struct hr_span value)
{
    before_value(j);
    hr_buf_append(j->out, value);
}
