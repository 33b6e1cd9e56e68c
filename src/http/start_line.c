#include "http/start_line.h"

#include "base/alloc.h"
#include "http/field.h"

#include <string.h>

enum {
    REASON_LIMIT = 128,      /* of a status line that was searched for */
    TARGET_LIMIT = 8 * 1024, /* of a request line that was searched for */
    NAME_LIMIT = 64,         /* of the field name behind it */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_method_char(char c)
{
    char l = hr_ascii_lower(c);
    return (l >= 'a' && l <= 'z') || is_digit(c) || c == '-' || c == '_';
}

static bool is_method(struct hr_span s)
{
    if (s.len == 0 || s.len > HTTP_METHOD_LIMIT || !is_method_char(s.ptr[0]) ||
        is_digit(s.ptr[0])) {
        return false;
    }
    for (size_t i = 1; i < s.len; i++) {
        if (!is_method_char(s.ptr[i])) {
            return false;
        }
    }
    return true;
}

static struct hr_span trim_right(struct hr_span s)
{
    while (s.len > 0 && (is_blank(s.ptr[s.len - 1]) || s.ptr[s.len - 1] == '\r')) {
        s.len--;
    }
    return s;
}

static struct hr_span trim_left(struct hr_span s)
{
    while (s.len > 0 && is_blank(s.ptr[0])) {
        s = hr_span_slice(s, 1, s.len);
    }
    return s;
}

/* "HTTP/1.x" @return 10 or 11 (every later minor version), 0 where it is none */
static unsigned parse_version(struct hr_span s)
{
    if (s.len != 8 || memcmp(s.ptr, "HTTP/1.", 7) != 0 || !is_digit(s.ptr[7])) {
        return 0;
    }
    return s.ptr[7] == '0' ? 10 : 11;
}

/* HTTP/0.9, and requests whose version somebody forgot: only in their plainest form. */
static bool is_without_version(struct hr_span method, struct hr_span target)
{
    if (target.len == 0 || target.ptr[0] != '/') {
        return false;
    }
    for (size_t i = 0; i < target.len; i++) {
        if (target.ptr[i] <= ' ' || target.ptr[i] == 0x7f) {
            return false;
        }
    }
    return hr_span_equal(method, HR_SPAN("GET")) || hr_span_equal(method, HR_SPAN("POST")) ||
           hr_span_equal(method, HR_SPAN("HEAD"));
}

static bool response_is_possible(struct hr_span prefix)
{
    size_t n = prefix.len < 5 ? prefix.len : 5;
    return hr_span_equal(hr_span_slice(prefix, 0, n), hr_span_of("HTTP/", n));
}

static bool request_is_possible(struct hr_span prefix)
{
    size_t n = 0;
    while (n < prefix.len && n <= HTTP_METHOD_LIMIT && is_method_char(prefix.ptr[n])) {
        n++;
    }
    if (n > HTTP_METHOD_LIMIT || is_digit(prefix.ptr[0])) {
        return false;
    }
    if (n == prefix.len) {
        return true;
    }
    /* a control character in what would be the target is the mark of a binary protocol */
    for (size_t i = n; i < prefix.len && i < n + HTTP_METHOD_LIMIT; i++) {
        if ((unsigned char)prefix.ptr[i] < 0x20 && !is_blank(prefix.ptr[i]) &&
            prefix.ptr[i] != '\r') {
            return false;
        }
    }
    return n > 0 && is_blank(prefix.ptr[n]);
}

bool http_request_line_parse(struct hr_span line, struct http_start_line *ret_line)
{
    size_t space = 0;
    while (space < line.len && !is_blank(line.ptr[space])) {
        space++;
    }
    struct hr_span method = hr_span_slice(line, 0, space);
    struct hr_span rest = trim_right(trim_left(hr_span_slice(line, space, line.len)));
    if (!is_method(method) || !request_is_possible(line)) {
        return false;
    }
    unsigned version = 0;
    if (rest.len >= 10 && is_blank(rest.ptr[rest.len - 9])) {
        version = parse_version(hr_span_slice(rest, rest.len - 8, rest.len));
    }
    if (version == 0 && is_without_version(method, rest)) {
        *ret_line = (struct http_start_line){
            .side = HTTP_REQUEST, .method = method, .target = rest, .version = 9};
        return true;
    }
    if (version == 0) {
        return false;
    }
    struct hr_span target = trim_right(hr_span_slice(rest, 0, rest.len - 9));
    if (target.len == 0) {
        return false;
    }
    *ret_line = (struct http_start_line){
        .side = HTTP_REQUEST, .method = method, .target = target, .version = version};
    return true;
}

bool http_status_line_parse(struct hr_span line, struct http_start_line *ret_line)
{
    if (!hr_span_has_prefix(line, HR_SPAN("HTTP/"))) {
        return false;
    }
    size_t i = 5;
    while (i < line.len && i < 12 && (is_digit(line.ptr[i]) || line.ptr[i] == '.')) {
        i++;
    }
    struct hr_span version = hr_span_slice(line, 5, i);
    struct hr_span rest = trim_left(hr_span_slice(line, i, line.len));
    if (version.len == 0 || rest.ptr == line.ptr + i || rest.len < 3 || !is_digit(rest.ptr[0]) ||
        !is_digit(rest.ptr[1]) || !is_digit(rest.ptr[2]) ||
        (rest.len > 3 && is_digit(rest.ptr[3]))) {
        return false;
    }
    unsigned status = (unsigned)(rest.ptr[0] - '0') * 100 + (unsigned)(rest.ptr[1] - '0') * 10 +
                      (unsigned)(rest.ptr[2] - '0');
    if (status < 100) {
        return false;
    }
    bool old = hr_span_equal(version, HR_SPAN("1.0")) || version.ptr[0] == '0';
    *ret_line =
        (struct http_start_line){.side = HTTP_RESPONSE, .status = status, .version = old ? 10 : 11};
    return true;
}

bool http_start_is_possible(int side, struct hr_span prefix)
{
    if (prefix.len == 0) {
        return true;
    }
    return (side != HTTP_REQUEST && response_is_possible(prefix)) ||
           (side != HTTP_RESPONSE && request_is_possible(prefix));
}

bool http_tls_is_possible(struct hr_span bytes, bool midway)
{
    if (bytes.len == 0) {
        return true;
    }
    bool is_record = bytes.ptr[0] >= 0x14 && bytes.ptr[0] <= 0x17;
    return (midway ? is_record : bytes.ptr[0] == 0x16) && (bytes.len < 2 || bytes.ptr[1] == 0x03) &&
           (bytes.len < 3 || (unsigned char)bytes.ptr[2] <= 0x04);
}

bool http_start_begins(int side, struct hr_span bytes)
{
    struct http_start_line line;
    struct hr_span rest = bytes;
    struct hr_span first;
    if (!http_line_next(&rest, &first)) {
        return http_start_is_possible(side, bytes);
    }
    return (side != HTTP_RESPONSE && http_request_line_parse(first, &line)) ||
           (side != HTTP_REQUEST && http_status_line_parse(first, &line));
}

static const struct hr_span known_methods[] = {
    {"GET",       3},
    {"POST",      4},
    {"HEAD",      4},
    {"PUT",       3},
    {"DELETE",    6},
    {"OPTIONS",   7},
    {"PATCH",     5},
    {"CONNECT",   7},
    {"TRACE",     5},
    {"PROPFIND",  8},
    {"PROPPATCH", 9},
    {"MKCOL",     5},
    {"COPY",      4},
    {"MOVE",      4},
    {"LOCK",      4},
    {"UNLOCK",    6},
    {"SEARCH",    6},
    {"REPORT",    6},
    {"MERGE",     5},
    {"CHECKOUT",  8},
    {"NOTIFY",    6},
    {"PURGE",     5},
    {"SUBSCRIBE", 9},
    {"M-SEARCH",  8},
    {"QUERY",     5},
};

/* Behind a start line: a field line's name and colon, or the empty line. at is the line's
 * beginning. */
static enum http_find check_next_line(struct hr_span s, size_t at)
{
    size_t i = at;
    while (i < s.len && i - at < NAME_LIMIT && http_is_token_char(s.ptr[i])) {
        i++;
    }
    if (i == s.len) {
        return HTTP_FIND_PARTIAL;
    }
    if (i > at) {
        return s.ptr[i] == ':' ? HTTP_FIND_FOUND : HTTP_FIND_NONE;
    }
    if (s.ptr[i] == '\r') {
        i++;
    }
    if (i == s.len) {
        return HTTP_FIND_PARTIAL;
    }
    return s.ptr[i] == '\n' ? HTTP_FIND_FOUND : HTTP_FIND_NONE;
}

/* A status line at s[at]. */
static enum http_find check_status_line(struct hr_span s, size_t at)
{
    static const char shape[] = "HTTP/1.V SDD";
    size_t i = 0;
    for (; i < sizeof(shape) - 1; i++) {
        if (at + i == s.len) {
            return HTTP_FIND_PARTIAL;
        }
        char c = s.ptr[at + i];
        bool fits = shape[i] == 'V'   ? c == '0' || c == '1'
                    : shape[i] == 'S' ? c >= '1' && c <= '5'
                    : shape[i] == 'D' ? is_digit(c)
                                      : c == shape[i];
        if (!fits) {
            return HTTP_FIND_NONE;
        }
    }
    i += at;
    size_t end = i + REASON_LIMIT;
    if (i < s.len && s.ptr[i] != ' ' && s.ptr[i] != '\r' && s.ptr[i] != '\n') {
        return HTTP_FIND_NONE;
    }
    for (; i < s.len && i < end && s.ptr[i] != '\n'; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((c < 0x20 && c != '\r' && c != '\t') || c == '<') {
            return HTTP_FIND_NONE;
        }
    }
    if (i == s.len) {
        return HTTP_FIND_PARTIAL;
    }
    return i == end ? HTTP_FIND_NONE : check_next_line(s, i + 1);
}

static bool is_line_start(const struct http_searched *in, size_t at)
{
    if (at == 0) {
        return in->starts_line;
    }
    return at == in->segment || in->bytes.ptr[at - 1] == '\n';
}

static enum http_find find_response(const struct http_searched *in, size_t *ret_at)
{
    struct hr_span s = in->bytes;
    size_t from = in->from;
    while (from < s.len) {
        const char *p = memchr(s.ptr + from, 'H', s.len - from);
        if (p == NULL) {
            return HTTP_FIND_NONE;
        }
        size_t at = (size_t)(p - s.ptr);
        enum http_find f =
            in->anywhere || is_line_start(in, at) ? check_status_line(s, at) : HTTP_FIND_NONE;
        if (f != HTTP_FIND_NONE) {
            *ret_at = at;
            return f;
        }
        from = at + 1;
    }
    return HTTP_FIND_NONE;
}

/* Target, version and the line behind, of a request line whose first space is at s[space]. */
static enum http_find check_request_line(struct hr_span s, size_t space)
{
    size_t i = space + 1;
    size_t end = i + TARGET_LIMIT;
    while (i < s.len && i < end && (unsigned char)s.ptr[i] > 0x20) {
        i++;
    }
    if (i == s.len) {
        return HTTP_FIND_PARTIAL;
    }
    if (s.ptr[i] != ' ' || i == space + 1) {
        return HTTP_FIND_NONE;
    }
    i++;
    size_t have = s.len - i < 8 ? s.len - i : 8;
    if (memcmp(s.ptr + i, "HTTP/1.", have < 7 ? have : 7) != 0) {
        return HTTP_FIND_NONE;
    }
    if (have < 8) {
        return HTTP_FIND_PARTIAL;
    }
    if (!is_digit(s.ptr[i + 7])) {
        return HTTP_FIND_NONE;
    }
    i += 8;
    if (i < s.len && s.ptr[i] == '\r') {
        i++;
    }
    if (i == s.len) {
        return HTTP_FIND_PARTIAL;
    }
    return s.ptr[i] == '\n' ? check_next_line(s, i + 1) : HTTP_FIND_NONE;
}

/*
 * Where the method that ends at end begins. Behind a line end it may be any; elsewhere, at the
 * beginning of a segment or behind a content without line end, only a known one.
 * @return SIZE_MAX: no method
 */
static size_t method_start(const struct http_searched *in, size_t end)
{
    struct hr_span s = in->bytes;
    size_t at = end;
    while (at > 0 && end - at <= HTTP_METHOD_LIMIT && is_method_char(s.ptr[at - 1])) {
        at--;
    }
    if (at > 0 && s.ptr[at - 1] == '\n') {
        return is_method(hr_span_slice(s, at, end)) ? at : SIZE_MAX;
    }
    size_t longest = 0;
    for (size_t i = 0; i < HR_ARRAY_LEN(known_methods); i++) {
        size_t n = known_methods[i].len;
        if (n > longest && n <= end - at && memcmp(s.ptr + end - n, known_methods[i].ptr, n) == 0) {
            longest = n;
        }
    }
    bool allowed = in->anywhere || is_line_start(in, end - longest);
    return longest > 0 && allowed ? end - longest : SIZE_MAX;
}

static enum http_find find_request(const struct http_searched *in, size_t *ret_at)
{
    struct hr_span s = in->bytes;
    size_t next = in->from;
    while (next < s.len) {
        const char *p = memchr(s.ptr + next, ' ', s.len - next);
        if (p == NULL) {
            break;
        }
        size_t space = (size_t)(p - s.ptr);
        size_t at = method_start(in, space);
        if (at != SIZE_MAX && at >= in->from) {
            enum http_find f = check_request_line(s, space);
            if (f != HTTP_FIND_NONE) {
                *ret_at = at;
                return f;
            }
        }
        next = space + 1;
    }
    /* letters at the end may be the beginning of a method */
    size_t tail = s.len;
    while (tail > in->from && s.len - tail < HTTP_METHOD_LIMIT && is_method_char(s.ptr[tail - 1])) {
        tail--;
    }
    *ret_at = tail;
    return tail < s.len ? HTTP_FIND_PARTIAL : HTTP_FIND_NONE;
}

enum http_find http_start_find(int side, const struct http_searched *in, size_t *ret_at)
{
    size_t response_at = SIZE_MAX;
    size_t request_at = SIZE_MAX;
    enum http_find response = HTTP_FIND_NONE;
    enum http_find request = HTTP_FIND_NONE;
    if (side != HTTP_REQUEST) {
        response = find_response(in, &response_at);
    }
    if (side != HTTP_RESPONSE) {
        request = find_request(in, &request_at);
    }
    bool response_first =
        request == HTTP_FIND_NONE || (response != HTTP_FIND_NONE && response_at <= request_at);
    *ret_at = response_first ? response_at : request_at;
    return response_first ? response : request;
}
