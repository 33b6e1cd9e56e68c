/*
 * Targets, Locations and hosts without their secrets. The value of a parameter (or a segment of a
 * path) becomes "~" and 16 hexadecimal digits of its keyed hash where its name is that of a
 * credential, or where secrets.c finds a known token or a credential in it. Known are the tokens
 * of this exchange, request and answer, and those of exchanges before it. What is not seen: a
 * token that no carrier has brought yet under a name that says nothing, one in another coding than
 * percent-encoding, one glued to letters or digits, one that crosses the '/' of a path, and one of
 * fewer than 8 characters. All else stays byte for byte, escaped.
 */
#include "base/text.h"
#include "session/work.h"

#include <string.h>

#define TEMPLATE_LIMIT_BYTES 512
#define TEMPLATE_SEGMENT_LIMIT 24
#define TARGET_LIMIT_BYTES 8192
#define FILE_HASH_CHARS 6 /* at least, of letters and digits */

static struct hr_span keep(struct work *w, struct hr_buf *out)
{
    return hr_arena_copy(w->arena, hr_buf_span(out));
}

static void append_digest(struct work *w, struct hr_buf *out, struct hr_span value)
{
    char text[HR_DIGEST_TEXT_SIZE];
    struct hr_digest d = work_digest(w, value);
    hr_buf_append_str(out, hr_digest_format(&d, text));
}

bool work_is_secret_name(const struct work *w, struct hr_span raw_name)
{
    struct hr_span name = http_decode(w->arena, raw_name, true);
    return (work_word(w, name).bits & WORD_SECRET) ||
           (w->profile != NULL && (profile_has_place(w->profile, PROFILE_QUERY, name, false) ||
                                   profile_has_place(w->profile, PROFILE_USER_QUERY, name, false)));
}

static void append_value(struct work *w, struct hr_buf *out, struct hr_span name,
                         struct hr_span raw)
{
    struct hr_span value = http_decode(w->arena, raw, true);
    if (value.len > 0 && (work_is_secret_name(w, name) || work_is_known_token(w, value) ||
                          work_holds_secret(w, raw))) {
        append_digest(w, out, value);
    } else {
        hr_text_append_escaped(out, raw);
    }
}

/* Padding of base64 is no value: "abc==" may be a token by itself. */
static bool is_padding(struct hr_span value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] != '=') {
            return false;
        }
    }
    return true;
}

/* What stands between '?' and '#'. A parameter without '=' may be a token by itself. */
static void append_query(struct work *w, struct hr_buf *out, struct hr_span query)
{
    bool first = true;
    while (query.ptr != NULL && !out->cut) {
        struct hr_span param = hr_span_cut(&query, '&');
        if (!first) {
            hr_buf_append_char(out, '&');
        }
        first = false;
        size_t at = hr_span_find(param, '=');
        if (at == SIZE_MAX || is_padding(hr_span_slice(param, at + 1, param.len))) {
            append_value(w, out, (struct hr_span){NULL, 0}, param);
        } else {
            struct hr_span name = hr_span_slice(param, 0, at);
            append_value(w, out, (struct hr_span){NULL, 0}, name);
            hr_buf_append_char(out, '=');
            append_value(w, out, name, hr_span_slice(param, at + 1, param.len));
        }
    }
}

/* "sid=abc", of a segment; the name stays where it says what the value is. */
static void append_pair(struct work *w, struct hr_buf *out, struct hr_span part, bool is_first)
{
    size_t at = hr_span_find(part, '=');
    struct hr_span name = hr_span_slice(part, 0, at == SIZE_MAX ? 0 : at);
    struct hr_span value = hr_span_slice(part, at == SIZE_MAX ? 0 : at + 1, part.len);
    if (at == SIZE_MAX || is_padding(value) || (is_first && !work_is_secret_name(w, name))) {
        append_value(w, out, (struct hr_span){NULL, 0}, part);
    } else {
        append_value(w, out, (struct hr_span){NULL, 0}, name);
        hr_buf_append_char(out, '=');
        append_value(w, out, name, value);
    }
}

static void append_segment(struct work *w, struct hr_buf *out, struct hr_span segment)
{
    bool first = true;
    while (segment.ptr != NULL) {
        struct hr_span part = hr_span_cut(&segment, ';');
        if (!first) {
            hr_buf_append_char(out, ';');
        }
        append_pair(w, out, part, first);
        first = false;
    }
}

static void append_path(struct work *w, struct hr_buf *out, struct hr_span path)
{
    for (bool first = true; path.ptr != NULL && !out->cut; first = false) {
        if (!first) {
            hr_buf_append_char(out, '/');
        }
        append_segment(w, out, hr_span_cut(&path, '/'));
    }
}

static void append_authority(struct work *w, struct hr_buf *out, struct hr_span authority)
{
    struct http_authority parts;
    http_authority_parse(authority, &parts);
    if (parts.userinfo.ptr != NULL && parts.userinfo.len > 0) {
        append_digest(w, out, parts.userinfo);
        authority = hr_span_slice(authority, parts.userinfo.len, authority.len);
    }
    if (work_host_holds_token(w, authority)) {
        append_digest(w, out, authority);
    } else {
        hr_text_append_escaped(out, authority);
    }
}

struct hr_span work_redact_host(struct work *w, struct hr_span host, size_t limit)
{
    if (hr_span_find(host, '@') == SIZE_MAX && !work_host_holds_token(w, host)) {
        return work_escape(w, host, limit);
    }
    struct hr_buf *out = work_text(w, limit);
    append_authority(w, out, host);
    return keep(w, out);
}

struct hr_span work_redact(struct work *w, struct hr_span target, bool is_connect)
{
    struct hr_buf *out = work_text(w, TARGET_LIMIT_BYTES);
    struct hr_span fragment = {NULL, 0};
    size_t at = hr_span_find(target, '#');
    if (at != SIZE_MAX) {
        fragment = hr_span_slice(target, at + 1, target.len);
        target = hr_span_slice(target, 0, at);
    }
    struct hr_span query = target;
    struct hr_span path = hr_span_cut(&query, '?');
    /* "http://user:password@host/path", "//host/path", and "user:password@host" of CONNECT */
    size_t slashes = hr_span_find_nocase(path, HR_SPAN("//"));
    if (is_connect || (slashes != SIZE_MAX && (slashes == 0 || path.ptr[slashes - 1] == ':'))) {
        size_t start = is_connect ? 0 : slashes + 2;
        hr_text_append_escaped(out, hr_span_slice(path, 0, start));
        path = hr_span_slice(path, start, path.len);
        size_t end = hr_span_find(path, '/');
        struct hr_span authority = hr_span_slice(path, 0, end == SIZE_MAX ? path.len : end);
        append_authority(w, out, authority);
        path = end == SIZE_MAX ? (struct hr_span){NULL, 0} : hr_span_slice(path, end, path.len);
    }
    append_path(w, out, path);
    if (query.ptr != NULL) {
        hr_buf_append_char(out, '?');
        append_query(w, out, query);
    }
    if (fragment.ptr != NULL) { /* implicit grants put their token here */
        hr_buf_append_char(out, '#');
        append_query(w, out, fragment);
    }
    return keep(w, out);
}

static bool is_uuid(struct hr_span s)
{
    if (s.len != 36) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        char c = hr_ascii_lower(s.ptr[i]);
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}

static const char *template_of(struct work *w, struct hr_span segment)
{
    size_t digits = 0;
    for (size_t i = 0; i < segment.len; i++) {
        digits += segment.ptr[i] >= '0' && segment.ptr[i] <= '9';
    }
    if (segment.len > 0 && digits == segment.len) {
        return "{id}";
    }
    if (is_uuid(segment)) {
        return "{uuid}";
    }
    if ((segment.len >= 8 && work_is_known_token(w, segment)) || work_holds_secret(w, segment)) {
        return "{token}";
    }
    /* A file's name or a title in words is long as well: those have points or many dashes. */
    size_t dashes = 0;
    for (size_t i = 0; i < segment.len; i++) {
        dashes += segment.ptr[i] == '-' || segment.ptr[i] == '.' || segment.ptr[i] == '%';
    }
    bool is_token = segment.len >= 16 && dashes <= 1 && digits >= 3 && text_is_random(segment);
    return is_token || text_is_jwt(segment) ? "{token}" : NULL;
}

static bool is_number_of_file(struct hr_span piece)
{
    size_t digits = 0;
    for (size_t i = 0; i < piece.len; i++) {
        digits += piece.ptr[i] >= '0' && piece.ptr[i] <= '9';
    }
    return digits >= 2 && (digits == piece.len || piece.len >= FILE_HASH_CHARS);
}

static bool is_part_of_word(char c)
{
    const char lower = hr_ascii_lower(c);
    return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z');
}

/* Files of which there is one for each picture or for each build: app.3f9c2d1b.js, IMG_1234.jpg. */
static void append_file(struct hr_buf *out, struct hr_span name)
{
    size_t end = 0;
    for (size_t at = 0; at < name.len; at = end + 1) {
        end = at;
        while (end < name.len && is_part_of_word(name.ptr[end])) {
            end++;
        }
        const struct hr_span piece = hr_span_slice(name, at, end);
        if (is_number_of_file(piece)) {
            hr_buf_append_str(out, "{id}");
        } else {
            hr_buf_append(out, piece);
        }
        hr_text_append_escaped(out, hr_span_slice(name, end, end + 1));
    }
}

struct hr_span work_template(struct work *w, struct hr_span path)
{
    const bool is_file = words_is_static(work_lists(w), path);
    struct hr_buf *out = work_text(w, TEMPLATE_LIMIT_BYTES);
    size_t segments = 0;
    while (path.ptr != NULL) {
        struct hr_span rest = hr_span_cut(&path, '/');
        struct hr_span segment = hr_span_cut(&rest, ';');
        const char *word = template_of(w, segment);
        if (segments > 0) {
            hr_buf_append_char(out, '/');
        }
        if (++segments > TEMPLATE_SEGMENT_LIMIT) {
            hr_buf_append_str(out, "{more}");
            break;
        }
        if (word != NULL) {
            hr_buf_append_str(out, word);
        } else if (is_file && path.ptr == NULL) {
            append_file(out, segment);
        } else {
            hr_text_append_escaped(out, segment);
        }
    }
    return keep(w, out);
}

struct hr_span work_escape(struct work *w, struct hr_span bytes, size_t limit)
{
    bool plain = bytes.len <= limit;
    for (size_t i = 0; plain && i < bytes.len; i++) {
        plain = bytes.ptr[i] >= 0x20 && bytes.ptr[i] < 0x7f && bytes.ptr[i] != '\\';
    }
    if (plain) {
        return bytes;
    }
    struct hr_buf *out = work_text(w, limit);
    hr_text_append_escaped(out, bytes);
    return keep(w, out);
}
