#include "evidence/message.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "evidence/content.h"

#include <stdlib.h>

enum field_kind {
    FIELD_OTHER, /* every word of its value is replaced */
    FIELD_KEPT,
    FIELD_URL,
    FIELD_COOKIE,
    FIELD_SET_COOKIE,
    FIELD_CREDENTIALS,
};

static const struct {
    const char *name;
    enum field_kind kind;
} fields[] = {
    {"accept",                           FIELD_KEPT       },
    {"accept-charset",                   FIELD_KEPT       },
    {"accept-encoding",                  FIELD_KEPT       },
    {"accept-language",                  FIELD_KEPT       },
    {"accept-ranges",                    FIELD_KEPT       },
    {"access-control-allow-credentials", FIELD_KEPT       },
    {"access-control-allow-headers",     FIELD_KEPT       },
    {"access-control-allow-methods",     FIELD_KEPT       },
    {"access-control-allow-origin",      FIELD_URL        },
    {"access-control-expose-headers",    FIELD_KEPT       },
    {"access-control-max-age",           FIELD_KEPT       },
    {"age",                              FIELD_KEPT       },
    {"allow",                            FIELD_KEPT       },
    {"authorization",                    FIELD_CREDENTIALS},
    {"cache-control",                    FIELD_KEPT       },
    {"connection",                       FIELD_KEPT       },
    {"content-encoding",                 FIELD_KEPT       },
    {"content-language",                 FIELD_KEPT       },
    {"content-length",                   FIELD_KEPT       },
    {"content-location",                 FIELD_URL        },
    {"content-type",                     FIELD_KEPT       },
    {"cookie",                           FIELD_COOKIE     },
    {"date",                             FIELD_KEPT       },
    {"expect",                           FIELD_KEPT       },
    {"expires",                          FIELD_KEPT       },
    {"host",                             FIELD_KEPT       },
    {"if-modified-since",                FIELD_KEPT       },
    {"keep-alive",                       FIELD_KEPT       },
    {"last-modified",                    FIELD_KEPT       },
    {"location",                         FIELD_URL        },
    {"origin",                           FIELD_URL        },
    {"pragma",                           FIELD_KEPT       },
    {"proxy-authorization",              FIELD_CREDENTIALS},
    {"proxy-connection",                 FIELD_KEPT       },
    {"range",                            FIELD_KEPT       },
    {"referer",                          FIELD_URL        },
    {"referrer-policy",                  FIELD_KEPT       },
    {"retry-after",                      FIELD_KEPT       },
    {"sec-fetch-dest",                   FIELD_KEPT       },
    {"sec-fetch-mode",                   FIELD_KEPT       },
    {"sec-fetch-site",                   FIELD_KEPT       },
    {"server",                           FIELD_KEPT       },
    {"set-cookie",                       FIELD_SET_COOKIE },
    {"strict-transport-security",        FIELD_KEPT       },
    {"te",                               FIELD_KEPT       },
    {"trailer",                          FIELD_KEPT       },
    {"transfer-encoding",                FIELD_KEPT       },
    {"upgrade",                          FIELD_KEPT       },
    {"upgrade-insecure-requests",        FIELD_KEPT       },
    {"user-agent",                       FIELD_KEPT       },
    {"vary",                             FIELD_KEPT       },
    {"x-content-type-options",           FIELD_KEPT       },
    {"x-frame-options",                  FIELD_KEPT       },
    {"x-powered-by",                     FIELD_KEPT       },
    {"x-requested-with",                 FIELD_KEPT       },
    {"x-xss-protection",                 FIELD_KEPT       },
};

/* What the head says of the content. */
struct framing {
    struct hr_span type; /* into the bytes */
    bool is_coded;
    bool is_chunked;
    unsigned status; /* 0: a request, or no status line */
};

static enum field_kind kind_of(struct hr_span name)
{
    for (size_t i = 0; i < HR_ARRAY_LEN(fields); i++) {
        if (hr_span_equal_nocase(name, hr_span_str(fields[i].name))) {
            return fields[i].kind;
        }
    }
    return FIELD_OTHER;
}

/* --- fields ----------------------------------------------------------------------------------- */

/* name=value; name=value: names stay. A value may say something, as of Set-Cookie's attributes. */
static void replace_cookies(struct disguise *w, char *text, size_t len, bool has_attributes)
{
    static const char *const kept[] = {"expires",  "max-age", "path",
                                       "samesite", "domain",  "priority"};
    bool is_first = true;
    for (size_t at = 0; at < len;) {
        struct hr_span piece = hr_span_of(text + at, len - at);
        size_t n = hr_span_find(piece, ';');
        n = n == SIZE_MAX ? len - at : n;
        size_t equals = hr_span_find(hr_span_slice(piece, 0, n), '=');
        struct hr_span name =
            hr_span_trim(hr_span_slice(piece, 0, equals == SIZE_MAX ? n : equals));
        bool is_attribute = has_attributes && !is_first;
        enum word_care care = WORD_SECRET;
        for (size_t i = 0; i < HR_ARRAY_LEN(kept) && is_attribute; i++) {
            care = hr_span_equal_nocase(name, hr_span_str(kept[i])) ? WORD_KEEP : care;
        }
        if (equals != SIZE_MAX) {
            disguise_text(w, text + at + equals + 1, n - equals - 1, WORD_PLAIN, care);
        } else if (!is_attribute) {
            disguise_text(w, text + at, n, WORD_PLAIN, WORD_SECRET);
        }
        is_first = false;
        at += n + 1;
    }
}

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

static size_t base64_decode(const char *text, size_t len, char *out)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;
    for (size_t i = 0; i < len && base64_value(text[i]) >= 0; i++) {
        bits = bits << 6 | (uint32_t)base64_value(text[i]);
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (char)(bits >> have & 0xff);
        }
    }
    return n;
}

/* As many characters as came in; padding is where it was. */
static void base64_encode(const char *bytes, size_t count, char *out, size_t out_len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < out_len && base64_value(out[i]) >= 0; i++) {
        size_t bit = i * 6;
        uint32_t two = 0;
        for (size_t k = 0; k < 2; k++) {
            size_t at = bit / 8 + k;
            two = two << 8 | (at < count ? (unsigned char)bytes[at] : 0);
        }
        out[i] = digits[two >> (10 - bit % 8) & 63];
    }
}

/* Basic: a name, a colon, a password. */
static void replace_basic(struct disguise *w, char *text, size_t len)
{
    char *plain = hr_xmalloc(len + 1);
    size_t n = base64_decode(text, len, plain);
    size_t colon = hr_span_find(hr_span_of(plain, n), ':');
    size_t digits = 0;
    while (digits < len && base64_value(text[digits]) >= 0) {
        digits++;
    }
    if (colon == SIZE_MAX) {
        disguise_text(w, plain, n, WORD_PLAIN, WORD_WHOLE);
    } else {
        disguise_text(w, plain, colon, WORD_PLAIN, WORD_SECRET);
        disguise_text(w, plain + colon + 1, n - colon - 1, WORD_PLAIN, WORD_WHOLE);
    }
    base64_encode(plain, n, text, digits);
    disguise_text(w, text + digits, len - digits, WORD_PLAIN, WORD_WHOLE);
    hr_wipe(plain, len);
    free(plain);
}

static void replace_credentials(struct disguise *w, char *text, size_t len)
{
    size_t at = 0;
    while (at < len && (text[at] == ' ' || text[at] == '\t')) {
        at++;
    }
    size_t scheme = hr_span_find(hr_span_of(text + at, len - at), ' ');
    if (scheme == SIZE_MAX) {
        disguise_text(w, text, len, WORD_PLAIN, WORD_SECRET);
        return;
    }
    bool is_basic = hr_span_equal_nocase(hr_span_of(text + at, scheme), HR_SPAN("basic"));
    at += scheme;
    while (at < len && text[at] == ' ') {
        at++;
    }
    if (is_basic) {
        replace_basic(w, text + at, len - at);
    } else {
        disguise_text(w, text + at, len - at, WORD_PLAIN, WORD_SECRET);
    }
}

static void replace_value(struct disguise *w, enum field_kind kind, struct hr_span name, char *text,
                          size_t len)
{
    switch (kind) {
    case FIELD_KEPT:
        disguise_text(w, text, len, WORD_PLAIN, WORD_KEEP);
        break;
    case FIELD_URL: {
        size_t lead = 0;
        while (lead < len && (text[lead] == ' ' || text[lead] == '\t')) {
            lead++;
        }
        content_replace_url(w, text + lead, len - lead);
        break;
    }
    case FIELD_COOKIE:
    case FIELD_SET_COOKIE:
        replace_cookies(w, text, len, kind == FIELD_SET_COOKIE);
        break;
    case FIELD_CREDENTIALS:
        replace_credentials(w, text, len);
        break;
    case FIELD_OTHER:
        disguise_text(w, text, len, WORD_PLAIN, content_care_of(name));
        break;
    }
}

static void note_framing(struct framing *f, struct hr_span name, struct hr_span value)
{
    if (hr_span_equal_nocase(name, HR_SPAN("content-type"))) {
        f->type = value;
    } else if (hr_span_equal_nocase(name, HR_SPAN("content-encoding"))) {
        f->is_coded = f->is_coded || !hr_span_equal_nocase(value, HR_SPAN("identity"));
    } else if (hr_span_equal_nocase(name, HR_SPAN("transfer-encoding"))) {
        f->is_chunked = hr_span_equal_nocase(value, HR_SPAN("chunked"));
        f->is_coded =
            f->is_coded || (!f->is_chunked && !hr_span_equal_nocase(value, HR_SPAN("identity")));
        f->is_chunked = f->is_chunked || hr_span_find_nocase(value, HR_SPAN("chunked")) != SIZE_MAX;
    }
}

static void replace_field(struct disguise *w, char *line, size_t len, struct framing *f)
{
    size_t colon = hr_span_find(hr_span_of(line, len), ':');
    bool is_folded = len > 0 && (line[0] == ' ' || line[0] == '\t');
    if (colon == SIZE_MAX || is_folded) {
        disguise_text(w, line, len, WORD_PLAIN, WORD_VALUE);
        return;
    }
    struct hr_span name = hr_span_trim(hr_span_of(line, colon));
    note_framing(f, name, hr_span_trim(hr_span_of(line + colon + 1, len - colon - 1)));
    enum field_kind kind = kind_of(name);
    if (kind == FIELD_OTHER) {
        disguise_names(w, line, colon, WORD_PLAIN);
    }
    replace_value(w, kind, name, line + colon + 1, len - colon - 1);
}

/* --- start lines ------------------------------------------------------------------------------ */

static bool is_method(struct hr_span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < 'A' || s.ptr[i] > 'Z') {
            return false;
        }
    }
    return s.len > 0 && s.len <= 12;
}

static void replace_request_line(struct disguise *w, char *line, size_t len)
{
    struct hr_span all = hr_span_of(line, len);
    size_t first = hr_span_find(all, ' ');
    if (first == SIZE_MAX || !is_method(hr_span_slice(all, 0, first))) {
        disguise_text(w, line, len, WORD_URL, WORD_VALUE);
        return;
    }
    size_t end = len;
    for (size_t i = len; i-- > first + 1;) {
        if (line[i] == ' ') {
            bool is_version =
                hr_span_has_prefix(hr_span_slice(all, i + 1, len), HR_SPAN("HTTP/")) &&
                len - i <= 12;
            end = is_version ? i : len;
            break;
        }
    }
    content_replace_url(w, line + first + 1, end - first - 1);
}

static unsigned status_of(struct hr_span line)
{
    size_t space = hr_span_find(line, ' ');
    uint64_t status = 0;
    if (space == SIZE_MAX || !hr_span_has_prefix(line, HR_SPAN("HTTP/")) ||
        !hr_span_to_u64(hr_span_slice(line, space + 1, space + 4), &status)) {
        return 0;
    }
    return (unsigned)status;
}

static void replace_start_line(struct disguise *w, char *line, size_t len, bool is_response,
                               struct framing *f)
{
    if (!is_response) {
        replace_request_line(w, line, len);
        return;
    }
    f->status = status_of(hr_span_of(line, len));
    if (f->status == 0) {
        disguise_text(w, line, len, WORD_PLAIN, WORD_VALUE);
        return;
    }
    const size_t reason = hr_span_find(hr_span_of(line, len), ' ') + 4; /* behind the status code */
    disguise_names(w, line + reason, len - reason, WORD_PLAIN);
}

/* --- contents --------------------------------------------------------------------------------- */

static bool has_type(const struct framing *f, struct hr_span word)
{
    return hr_span_find_nocase(f->type, word) != SIZE_MAX;
}

static bool replace_content(struct disguise *w, char *bytes, size_t len, const struct framing *f)
{
    bool is_binary = has_type(f, HR_SPAN("octet-stream")) || has_type(f, HR_SPAN("image/")) ||
                     has_type(f, HR_SPAN("audio/")) || has_type(f, HR_SPAN("video/"));
    if (len == 0) {
        return false;
    }
    if (f->is_coded || is_binary || !content_is_text(bytes, len)) {
        memset(bytes, MESSAGE_BLANK, len);
        return true;
    }
    if (has_type(f, HR_SPAN("urlencoded"))) {
        content_replace_form(w, bytes, len);
    } else if (has_type(f, HR_SPAN("json"))) {
        content_replace_json(w, bytes, len);
    } else if (has_type(f, HR_SPAN("html")) || has_type(f, HR_SPAN("xml"))) {
        content_replace_markup(w, bytes, len);
    } else {
        disguise_text(w, bytes, len, WORD_PLAIN, WORD_VALUE);
    }
    return false;
}

/* @return the length of the line with its end; 0: its end is not there */
static size_t line_length(const char *bytes, size_t len)
{
    size_t n = hr_span_find(hr_span_of(bytes, len), '\n');
    return n == SIZE_MAX ? 0 : n + 1;
}

static size_t without_end(const char *line, size_t len)
{
    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r')) {
        len--;
    }
    return len;
}

/* @return false where no size stands there */
static bool chunk_size(const char *line, size_t len, size_t *ret_digits, uint64_t *ret_size)
{
    uint64_t size = 0;
    size_t i = 0;
    for (; i < len && i < 12; i++) {
        char l = hr_ascii_lower(line[i]);
        int v = l >= '0' && l <= '9' ? l - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
        if (v < 0) {
            break;
        }
        size = size << 4 | (uint64_t)v;
    }
    *ret_digits = i;
    *ret_size = size;
    return i > 0;
}

/* The chunks' data in one piece, for a value may lie in two of them. */
struct chunks {
    char **at; /* where in the message each byte of data stands */
    size_t count;
};

static void note_chunk(struct chunks *c, char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        c->at[c->count++] = bytes + i;
    }
}

static void replace_trailers(struct disguise *w, char *bytes, size_t len)
{
    struct framing unused = {0};
    while (len > 0) {
        size_t n = line_length(bytes, len);
        n = n > 0 ? n : len;
        replace_field(w, bytes, without_end(bytes, n), &unused);
        bytes += n;
        len -= n;
    }
}

/* Walks over the chunks; what is between their data is replaced. @return how far that went */
static size_t walk_chunks(struct disguise *w, char *bytes, size_t len, struct chunks *c)
{
    for (size_t at = 0; at < len;) {
        size_t line = line_length(bytes + at, len - at);
        size_t digits = 0;
        uint64_t size = 0;
        if (line == 0 || !chunk_size(bytes + at, line, &digits, &size)) {
            return at;
        }
        size_t text = without_end(bytes + at, line);
        if (text > digits) {
            disguise_text(w, bytes + at + digits, text - digits, WORD_PLAIN, WORD_VALUE);
        }
        at += line;
        if (size == 0) {
            replace_trailers(w, bytes + at, len - at);
            return len;
        }
        size_t n = size < len - at ? (size_t)size : len - at;
        note_chunk(c, bytes + at, n);
        at += n;
        size_t end = len - at < 2 ? len - at : 2;
        end = end == 2 && bytes[at] == '\n' ? 1 : end;
        if (without_end(bytes + at, end) > 0) {
            return at;
        }
        at += end;
    }
    return len;
}

static bool replace_chunked(struct disguise *w, char *bytes, size_t len, const struct framing *f)
{
    struct chunks c = {.at = hr_xmalloc((len + 1) * sizeof(*c.at))};
    size_t known = walk_chunks(w, bytes, len, &c);
    memset(bytes + known, MESSAGE_BLANK, len - known);
    char *content = hr_xmalloc(c.count + 1);
    for (size_t i = 0; i < c.count; i++) {
        content[i] = *c.at[i];
    }
    bool is_blanked = replace_content(w, content, c.count, f) || known < len;
    for (size_t i = 0; i < c.count; i++) {
        *c.at[i] = content[i];
    }
    free(content);
    free(c.at);
    return is_blanked;
}

bool message_replace(struct disguise *w, char *bytes, size_t len, bool is_response)
{
    struct framing f = {0};
    bool is_first = true;
    size_t at = 0;
    while (at < len) {
        size_t n = line_length(bytes + at, len - at);
        bool is_whole = n > 0;
        n = is_whole ? n : len - at;
        size_t line = without_end(bytes + at, n);
        if (line == 0 && is_whole && !is_first) { /* the end of the head */
            at += n;
            bool is_interim = f.status / 100 == 1 && f.status != 101;
            if (!is_interim) {
                break;
            }
            f = (struct framing){0};
            is_first = true;
            continue;
        }
        if (is_first && line > 0) {
            replace_start_line(w, bytes + at, line, is_response, &f);
            is_first = false;
        } else if (line > 0) {
            replace_field(w, bytes + at, line, &f);
        }
        at += n;
    }
    if (f.status == 101) {
        memset(bytes + at, MESSAGE_BLANK, len - at);
        return len > at;
    }
    return f.is_chunked ? replace_chunked(w, bytes + at, len - at, &f)
                        : replace_content(w, bytes + at, len - at, &f);
}
