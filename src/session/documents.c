/*
 * A second document behind the first: JSON values, pages, error texts. A content is one document,
 * and most have no sign of a seam between two.
 */
#include "session/work.h"

#include <string.h>

#define VALUE_LIMIT 8
#define LINE_BYTES 200

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static struct hr_span from(struct hr_span s, size_t at)
{
    return hr_span_slice(s, at, s.len);
}

/* Also NULs, which some servers send behind a text. */
static struct hr_span trim(struct hr_span s)
{
    while (s.len > 0 && (is_space(s.ptr[s.len - 1]) || s.ptr[s.len - 1] == '\0')) {
        s.len--;
    }
    return hr_span_trim(s);
}

/* --- JSON values ------------------------------------------------------------------------------ */

/* A string, a number, true, false, null. */
static size_t scalar_length(struct hr_span text)
{
    static const char *const words[] = {"true", "false", "null"};
    size_t i = 0;
    if (text.ptr[0] == '"') {
        for (i = 1; i < text.len && text.ptr[i] != '"'; i++) {
            i += text.ptr[i] == '\\';
        }
        return i < text.len ? i + 1 : SIZE_MAX;
    }
    for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
        if (hr_span_has_prefix(text, hr_span_str(words[k]))) {
            return strlen(words[k]);
        }
    }
    while (i < text.len && ((text.ptr[i] >= '0' && text.ptr[i] <= '9') ||
                            memchr("+-.eE", text.ptr[i], 5) != NULL)) {
        i++;
    }
    return i > 0 && text.ptr[i - 1] >= '0' && text.ptr[i - 1] <= '9' ? i : SIZE_MAX;
}

/* To the bracket that closes the first one; what stands between need not be JSON. */
static size_t balanced_length(struct hr_span text)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return i + 1;
        }
    }
    return SIZE_MAX;
}

size_t document_json_length(struct hr_span text)
{
    if (text.len == 0) {
        return SIZE_MAX;
    }
    if (text.ptr[0] != '{' && text.ptr[0] != '[') {
        return scalar_length(text);
    }
    size_t len = balanced_length(text);
    json_t *root = len == SIZE_MAX ? NULL : body_parse_json(hr_span_slice(text, 0, len));
    bool ok = root != NULL;
    json_decref(root);
    return ok ? len : SIZE_MAX;
}

/* JSON that breaks off with the bytes kept: it begins as only JSON does. */
static bool begins_json(struct hr_span text)
{
    struct hr_span rest = hr_span_trim(from(text, 1));
    return balanced_length(text) == SIZE_MAX && rest.len > 0 &&
           (text.ptr[0] == '{' ? rest.ptr[0] == '"' : memchr("{[\"", rest.ptr[0], 3) != NULL);
}

/* --- HTML ------------------------------------------------------------------------------------- */

static bool is_tag(struct hr_span html, size_t at, const char *name)
{
    size_t len = strlen(name);
    struct hr_span tag = hr_span_slice(html, at + 1, at + 1 + len + 1);
    return hr_span_has_prefix_nocase(tag, hr_span_of(name, len)) &&
           (tag.len == len || is_space(tag.ptr[len]) || tag.ptr[len] == '>' || tag.ptr[len] == '/');
}

size_t document_skip_raw(struct hr_span html, size_t at)
{
    static const char *const raw[] = {"script", "style",    "textarea", "title",
                                      "iframe", "noscript", "template", "xmp"};
    if (hr_span_has_prefix(from(html, at), HR_SPAN("<!--"))) {
        const char *end = memmem(html.ptr + at + 4, html.len - at - 4, "-->", 3);
        return end == NULL ? html.len : (size_t)(end - html.ptr) + 3;
    }
    for (size_t i = 0; i < sizeof(raw) / sizeof(raw[0]); i++) {
        if (!is_tag(html, at, raw[i])) {
            continue;
        }
        for (size_t k = at + 1; k < html.len; k++) {
            size_t next = hr_span_find(from(html, k), '<');
            if (next == SIZE_MAX) {
                break;
            }
            k += next;
            if (k + 1 < html.len && html.ptr[k + 1] == '/' && is_tag(html, k + 1, raw[i])) {
                size_t close = hr_span_find(from(html, k), '>');
                return close == SIZE_MAX ? html.len : k + close + 1;
            }
        }
        return html.len;
    }
    return at;
}

/* Comments, scripts and their like, and white space. */
static bool is_aside(struct hr_span html)
{
    size_t at = 0;
    while (at < html.len) {
        if (is_space(html.ptr[at])) {
            at++;
            continue;
        }
        size_t next = html.ptr[at] == '<' ? document_skip_raw(html, at) : at;
        if (next == at || is_tag(html, at, "title") || is_tag(html, at, "textarea") ||
            is_tag(html, at, "xmp")) {
            return false;
        }
        at = next;
    }
    return true;
}

enum answer_rest document_kind(struct hr_span text, bool is_whole)
{
    text = trim(text);
    if (text.len == 0) {
        return ANSWER_REST_NONE;
    }
    if (text.ptr[0] == '<') {
        bool is_markup =
            text.len > 1 &&
            (memchr("!/?", text.ptr[1], 3) != NULL ||
             (hr_ascii_lower(text.ptr[1]) >= 'a' && hr_ascii_lower(text.ptr[1]) <= 'z'));
        return !is_markup       ? ANSWER_REST_TEXT
               : is_aside(text) ? ANSWER_REST_ASIDE
                                : ANSWER_REST_HTML;
    }
    if (text.ptr[0] == '{' || text.ptr[0] == '[') {
        struct hr_span rest = text;
        for (size_t i = 0; i < VALUE_LIMIT && rest.len > 0; i++) {
            size_t len = document_json_length(rest);
            if (len == SIZE_MAX) {
                return !is_whole && begins_json(rest) ? ANSWER_REST_JSON : ANSWER_REST_TEXT;
            }
            rest = trim(from(rest, len));
        }
        return ANSWER_REST_JSON;
    }
    return ANSWER_REST_TEXT;
}

/* --- behind JSON ------------------------------------------------------------------------------ */

static bool may_hold_two(const struct work *w, struct hr_span text, bool is_whole)
{
    char last = text.ptr[text.len - 1];
    bool is_scalar = text.ptr[0] != '{' && text.ptr[0] != '[';
    if (is_scalar) { /* a number goes before each piece of some streams */
        return memchr("tfn\"", text.ptr[0], 4) != NULL &&
               (hr_span_find(text, '{') != SIZE_MAX || hr_span_find(text, '[') != SIZE_MAX);
    }
    /* No JSON value has a seam outside of its strings. */
    return (is_whole && last != '}' && last != ']') || (w->signs & SIGN_BIT(SIGN_SEAM));
}

static bool tells_error(const json_t *value)
{
    static const char *const names[] = {"error",     "errors",     "err",
                                        "exception", "error_code", "errorCode"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (json_object_get(value, names[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Could both be lines of one stream: two lists, or objects with a member in common, of which not
 * one alone tells an error? */
static bool are_alike(struct hr_span a, struct hr_span b)
{
    json_t *x = body_parse_json(a);
    json_t *y = body_parse_json(b);
    const char *key;
    json_t *member;
    size_t common = 0;
    json_object_foreach(x, key, member)
    {
        common += json_object_get(y, key) != NULL;
    }
    bool alike =
        (common > 0 && tells_error(x) == tells_error(y)) || (json_is_array(x) && json_is_array(y));
    json_decref(x);
    json_decref(y);
    return alike;
}

/* "?watch=1", "?follow": the client asked for a stream of values. */
static bool asks_for_stream(const struct work *w)
{
    static const char *const names[] = {"watch", "follow", "stream", "tail", "ndjson"};
    struct hr_span rest = w->target.query;
    struct http_param param;
    for (size_t i = 0; i < 50 && http_query_next(&rest, &param); i++) {
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
            if (hr_span_equal_nocase(param.name, hr_span_str(names[k]))) {
                return true;
            }
        }
    }
    return false;
}

static bool is_short_line(struct hr_span text)
{
    size_t letters = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = hr_ascii_lower(text.ptr[i]);
        letters += c >= 'a' && c <= 'z';
        if (c == '\n' || c == '<' || c == '{' || c == ';' || c == '=') {
            return false;
        }
    }
    return text.len <= LINE_BYTES && letters >= 3;
}

/* @param is_cut  the content ends in another value */
static enum answer_second name_values(const struct hr_span *values, size_t count, bool is_cut)
{
    bool all_alike = true;
    for (size_t i = 1; i < count; i++) {
        all_alike = all_alike && are_alike(values[0], values[i]);
    }
    if (count > 2 || (count == 2 && is_cut)) {
        return all_alike ? ANSWER_JSON_STREAM : ANSWER_JSON_OTHER;
    }
    if (count < 2) {
        return ANSWER_JSON_ALIKE;
    }
    if (hr_span_equal(values[0], values[1])) {
        return ANSWER_JSON_SAME;
    }
    return all_alike ? ANSWER_JSON_ALIKE : ANSWER_JSON_OTHER;
}

static enum answer_second behind_json(struct hr_span text, bool is_whole, bool is_declared)
{
    struct hr_span values[VALUE_LIMIT];
    size_t count = 0;
    struct hr_span rest = text;
    while (count < VALUE_LIMIT && rest.len > 0) {
        size_t len = document_json_length(rest);
        if (len == SIZE_MAX) {
            break;
        }
        values[count++] = hr_span_slice(rest, 0, len);
        rest = trim(from(rest, len));
    }
    if (count == 0 || (count == 1 && rest.len == 0)) {
        return 0;
    }
    if (rest.len == 0 || count == VALUE_LIMIT || (!is_whole && begins_json(rest))) {
        enum answer_second name = name_values(values, count, rest.len > 0);
        bool is_log = !is_declared && (count > 2 || name == ANSWER_JSON_ALIKE);
        return is_log ? 0 : name;
    }
    switch (document_kind(rest, is_whole)) {
    case ANSWER_REST_HTML:
        return ANSWER_JSON_HTML;
    case ANSWER_REST_TEXT: /* a bracket, a comma: one value, and wrong */
        if (memchr(",]}):;/\\", rest.ptr[0], 8) != NULL || !is_whole) {
            return 0;
        }
        return is_declared || is_short_line(rest) ? ANSWER_JSON_TEXT : 0;
    case ANSWER_REST_JSON:
    case ANSWER_REST_NONE:
    case ANSWER_REST_ASIDE:
        break;
    }
    return 0;
}

void work_json_documents(struct work *w, struct hr_span text, bool is_whole, bool is_declared)
{
    text = trim(text);
    if (text.len < 4 || !may_hold_two(w, text, is_whole) || asks_for_stream(w)) {
        return;
    }
    enum answer_second second = behind_json(text, is_whole, is_declared);
    if (second != 0) {
        work_mark(w, MARK_SECOND_DOCUMENT, (int64_t)second + (is_declared ? 0 : ANSWER_UNDECLARED),
                  (struct hr_span){NULL, 0});
    }
}

/* --- behind HTML ------------------------------------------------------------------------------ */

/* @return behind the first document's end tag; SIZE_MAX where it does not end. Pages within a page
 * (mails that a web mailer shows) are parts of it. */
static size_t first_page_length(struct hr_span html)
{
    size_t depth = 0;
    for (size_t at = 0; at < html.len; at++) {
        size_t next = hr_span_find(from(html, at), '<');
        if (next == SIZE_MAX) {
            break;
        }
        at += next;
        size_t skipped = document_skip_raw(html, at);
        if (skipped != at) {
            at = skipped - 1;
        } else if (is_tag(html, at, "html")) {
            depth++;
        } else if (is_tag(html, at, "/html")) {
            if (depth <= 1) {
                size_t close = hr_span_find(from(html, at), '>');
                return depth == 0 || close == SIZE_MAX ? SIZE_MAX : at + close + 1;
            }
            depth--;
        }
    }
    return SIZE_MAX;
}

static bool begins_page(struct hr_span html)
{
    for (size_t at = 0; at < html.len; at++) {
        size_t next = hr_span_find(from(html, at), '<');
        if (next == SIZE_MAX) {
            return false;
        }
        at += next;
        size_t skipped = document_skip_raw(html, at);
        if (skipped != at) {
            at = skipped - 1;
        } else if (is_tag(html, at, "html") || is_tag(html, at, "!doctype")) {
            return true;
        }
    }
    return false;
}

/* "internal server error" */
static bool is_error_line(const struct work *w, struct hr_span text)
{
    static const char *const words[] = {"error", "not found", "forbidden", "bad request", "failed"};
    if (!is_short_line(text)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (hr_span_find_nocase(text, hr_span_str(words[i])) != SIZE_MAX) {
            return true;
        }
    }
    return lists_find_phrase(work_lists(w), LIST_failure_phrases, text);
}

/* What TimeoutHandler of Go's net/http answers, and nothing else: whatever follows is another's. */
static bool is_timeout_page(const struct work *w, struct hr_span html)
{
    return w->x->response.status == 503 &&
           hr_span_has_prefix(html, HR_SPAN("<html><head><title>Timeout</title></head><body><h1>"
                                            "Timeout</h1></body></html>"));
}

void work_html_documents(struct work *w, struct hr_span text, bool is_whole)
{
    struct hr_span html = trim(text);
    enum answer_second second = 0;
    if ((w->signs & SIGN_BIT(SIGN_END_TAG)) == 0) {
        return;
    }
    size_t len = first_page_length(html);
    struct hr_span rest = len == SIZE_MAX ? (struct hr_span){NULL, 0} : trim(from(html, len));
    if (rest.len == 0) {
        return;
    }
    enum answer_rest kind = document_kind(rest, is_whole);
    const bool is_timeout = is_timeout_page(w, html);
    if (kind == ANSWER_REST_JSON && rest.len > 2) {
        second = ANSWER_HTML_JSON;
    } else if (begins_page(rest) || (is_timeout && kind == ANSWER_REST_HTML)) {
        second = ANSWER_HTML_HTML;
    } else if (kind == ANSWER_REST_TEXT && is_whole && (is_timeout || is_error_line(w, rest))) {
        second = ANSWER_HTML_TEXT;
    }
    if (second != 0) {
        work_mark(w, MARK_SECOND_DOCUMENT, second, (struct hr_span){NULL, 0});
    }
}
