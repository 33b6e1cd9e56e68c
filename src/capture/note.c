#include "capture/note.h"

#include "base/text.h"

#include <stdint.h>
#include <string.h>

#define TEXT_BYTES ((size_t)400) /* of one comment */

/* @return the bytes of the characters that fit; text is UTF-8 */
static size_t fitting(struct hr_span text)
{
    size_t len = text.len;
    if (len > TEXT_BYTES) {
        len = TEXT_BYTES;
        while (len > 0 && ((uint8_t)text.ptr[len] & 0xc0) == 0x80) {
            len--;
        }
    }
    return len;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Runs of blanks, line feeds among them, become one each. */
static void append_line(struct hr_buf *out, struct hr_span text)
{
    size_t at = 0;
    while (at < text.len) {
        size_t from = at;
        while (at < text.len && !is_blank(text.ptr[at])) {
            at++;
        }
        if (at > from && out->len > 0) {
            hr_buf_append_char(out, ' ');
        }
        hr_text_append_terminal(out, hr_span_slice(text, from, at));
        while (at < text.len && is_blank(text.ptr[at])) {
            at++;
        }
    }
}

void capture_note_comment(struct capture_info *info, const char *where, struct hr_span text)
{
    const size_t used = strlen(info->comments);
    struct hr_buf line;
    hr_buf_init(&line, SIZE_MAX);
    append_line(&line, hr_span_slice(text, 0, TEXT_BYTES + 4));
    struct hr_buf note;
    hr_buf_init(&note, SIZE_MAX);
    const size_t len = fitting(hr_buf_span(&line));
    hr_buf_appendf(&note, "%s%s: %.*s%s", used > 0 ? "; " : "", where, (int)len, hr_buf_str(&line),
                   len < line.len ? "..." : "");
    if (line.len == 0) {
        note.len = 0; /* nothing to be read */
    } else if (note.len >= sizeof(info->comments) - used) {
        info->comments_left_out++;
    } else {
        memcpy(info->comments + used, note.ptr, note.len + 1);
    }
    hr_buf_finish(&line);
    hr_buf_finish(&note);
}
