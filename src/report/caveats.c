#include "report/caveats.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = hr_ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex4(const char *at, unsigned *ret_value)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]); /* stops at the NUL */
        if (digit < 0) {
            return false;
        }
        value = value * 16 + (unsigned)digit;
    }
    *ret_value = value;
    return true;
}

static void append_utf8(struct hr_buf *out, unsigned c)
{
    if (c < 0x80) {
        hr_buf_append_char(out, (char)c);
    } else if (c < 0x800) {
        hr_buf_append_char(out, (char)(0xc0 | c >> 6));
        hr_buf_append_char(out, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        hr_buf_append_char(out, (char)(0xe0 | c >> 12));
        hr_buf_append_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        hr_buf_append_char(out, (char)(0x80 | (c & 0x3f)));
    } else {
        hr_buf_append_char(out, (char)(0xf0 | c >> 18));
        hr_buf_append_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
        hr_buf_append_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        hr_buf_append_char(out, (char)(0x80 | (c & 0x3f)));
    }
}

/* at: behind "\u". @return behind the escape, or NULL where it is broken */
static const char *read_unicode(const char *at, struct hr_buf *out)
{
    unsigned c;
    unsigned low;
    if (!read_hex4(at, &c)) {
        return NULL;
    }
    at += 4;
    if (c >= 0xd800 && c < 0xdc00 && at[0] == '\\' && at[1] == 'u' && read_hex4(at + 2, &low) &&
        low >= 0xdc00 && low < 0xe000) {
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
    }
    append_utf8(out, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
    return at;
}

/* at: behind the backslash. @return behind the escape, or NULL */
static const char *read_escape(const char *at, struct hr_buf *out)
{
    static const char letters[] = "bfnrt\"\\/";
    static const char values[] = "\b\f\n\r\t\"\\/";
    if (*at == 'u') {
        return read_unicode(at + 1, out);
    }
    const char *letter = *at != '\0' ? strchr(letters, *at) : NULL;
    if (letter == NULL) {
        return NULL;
    }
    hr_buf_append_char(out, values[letter - letters]);
    return at + 1;
}

bool caveats_next(const char **rest, struct hr_buf *ret_text)
{
    const char *at = *rest;
    *rest = NULL;
    if (at == NULL) {
        return false;
    }
    at += strspn(at, "[, \t\r\n");
    if (*at != '"') {
        return false;
    }
    at++;
    hr_buf_clear(ret_text);
    while (*at != '"') {
        if (*at == '\0') {
            return false;
        }
        if (*at == '\\') {
            at = read_escape(at + 1, ret_text);
            if (at == NULL) {
                return false;
            }
        } else {
            hr_buf_append_char(ret_text, *at++);
        }
    }
    *rest = at + 1;
    return true;
}
