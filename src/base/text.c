#include "base/text.h"

static bool is_continuation(struct hr_span s, size_t at)
{
    return at < s.len && ((unsigned char)s.ptr[at] & 0xc0) == 0x80;
}

size_t hr_utf8_length(struct hr_span s)
{
    if (s.len == 0) {
        return 0;
    }
    unsigned char c = (unsigned char)s.ptr[0];
    unsigned char d = s.len > 1 ? (unsigned char)s.ptr[1] : 0;
    if (c < 0x80) {
        return 1;
    }
    if (c >= 0xc2 && c <= 0xdf) {
        return is_continuation(s, 1) ? 2 : 0;
    }
    if (c >= 0xe0 && c <= 0xef) {
        bool overlong = c == 0xe0 && d < 0xa0;
        bool surrogate = c == 0xed && d > 0x9f;
        return is_continuation(s, 1) && is_continuation(s, 2) && !overlong && !surrogate ? 3 : 0;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        bool out_of_range = (c == 0xf0 && d < 0x90) || (c == 0xf4 && d > 0x8f);
        return is_continuation(s, 1) && is_continuation(s, 2) && is_continuation(s, 3) &&
                       !out_of_range
                   ? 4
                   : 0;
    }
    return 0;
}

static uint32_t code_point(struct hr_span s, size_t n)
{
    static const unsigned char lead_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t v = (unsigned char)s.ptr[0] & lead_mask[n];
    for (size_t i = 1; i < n; i++) {
        v = v << 6 | ((unsigned char)s.ptr[i] & 0x3f);
    }
    return v;
}

static void append_hex(struct hr_buf *out, struct hr_span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        hr_buf_appendf(out, "\\x%02x", (unsigned char)bytes.ptr[i]);
    }
}

void hr_text_append_escaped(struct hr_buf *out, struct hr_span bytes)
{
    size_t plain = 0; /* start of the run that needs no escape */
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        if (c >= 0x20 && c < 0x7f && c != '\\') {
            continue;
        }
        hr_buf_append(out, hr_span_slice(bytes, plain, i));
        if (c == '\\') {
            hr_buf_append_str(out, "\\\\");
        } else {
            append_hex(out, hr_span_slice(bytes, i, i + 1));
        }
        plain = i + 1;
    }
    hr_buf_append(out, hr_span_slice(bytes, plain, bytes.len));
}

static bool is_unsafe_on_terminal(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

void hr_text_append_terminal(struct hr_buf *out, struct hr_span bytes)
{
    while (bytes.len > 0) {
        size_t n = hr_utf8_length(bytes);
        size_t step = n > 0 ? n : 1;
        struct hr_span one = hr_span_slice(bytes, 0, step);
        if (n == 0 || is_unsafe_on_terminal(code_point(bytes, n))) {
            append_hex(out, one);
        } else {
            hr_buf_append(out, one);
        }
        bytes = hr_span_slice(bytes, step, bytes.len);
    }
}

void hr_text_append_csv(struct hr_buf *out, struct hr_span cell)
{
    bool formula = cell.len > 0 && (cell.ptr[0] == '=' || cell.ptr[0] == '+' || cell.ptr[0] == '-' ||
                                    cell.ptr[0] == '@' || cell.ptr[0] == '\t' || cell.ptr[0] == '\r');
    bool quote = formula;
    for (size_t i = 0; i < cell.len && !quote; i++) {
        char c = cell.ptr[i];
        quote = c == '"' || c == ',' || c == '\n' || c == '\r';
    }
    if (!quote) {
        hr_buf_append(out, cell);
        return;
    }
    hr_buf_append_char(out, '"');
    if (formula) {
        hr_buf_append_char(out, '\'');
    }
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.ptr[i] == '"') {
            hr_buf_append_char(out, '"');
        }
        hr_buf_append_char(out, cell.ptr[i]);
    }
    hr_buf_append_char(out, '"');
}

size_t hr_text_columns(struct hr_span text)
{
    size_t columns = 0;
    while (text.len > 0) {
        size_t n = hr_utf8_length(text);
        uint32_t c = n > 0 ? code_point(text, n) : 0xfffd;
        bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
                    (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
                    (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                    (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
        bool combining = c >= 0x0300 && c <= 0x036f;
        columns += combining ? 0 : wide ? 2 : 1;
        text = hr_span_slice(text, n > 0 ? n : 1, text.len);
    }
    return columns;
}

size_t hr_text_fitting(struct hr_span text, size_t columns)
{
    size_t used = 0;
    size_t i = 0;
    while (i < text.len) {
        size_t n = hr_utf8_length(hr_span_slice(text, i, text.len));
        n = n > 0 ? n : 1;
        size_t wide = hr_text_columns(hr_span_slice(text, i, i + n));
        if (used + wide > columns) {
            break;
        }
        used += wide;
        i += n;
    }
    return i;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = hr_ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void hr_text_append_decoded(struct hr_buf *out, struct hr_span text, bool plus_is_space)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int high = c == '%' && i + 2 < text.len ? hex_value(text.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text.ptr[i + 2]) : -1;
        if (high >= 0 && low >= 0) {
            hr_buf_append_char(out, (char)(high * 16 + low));
            i += 2;
        } else {
            hr_buf_append_char(out, plus_is_space && c == '+' ? ' ' : c);
        }
    }
}
