/*
 * One pass, no recursion. Deeper levels of JSON than JSON_WALK_DEPTH are counted, their keys are
 * not kept.
 */
#include "session/walk.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void open_level(struct json_walk *w, bool is_array)
{
    if (w->depth < JSON_WALK_DEPTH) {
        w->is_array[w->depth] = is_array;
        w->keys[w->depth] = w->key;
    }
    w->depth++;
    w->key = (struct hr_span){NULL, 0};
}

/* @param at  behind the opening quote. @return what stands before the closing one */
static struct hr_span read_string(struct json_walk *w)
{
    struct hr_span rest = hr_span_slice(w->text, w->at, w->text.len);
    size_t end = 0;
    for (;; end++) {
        size_t quote = hr_span_find(hr_span_slice(rest, end, rest.len), '"');
        if (quote == SIZE_MAX) {
            w->at = w->text.len;
            return rest;
        }
        end += quote;
        size_t escapes = 0;
        while (escapes < end && rest.ptr[end - escapes - 1] == '\\') {
            escapes++;
        }
        if (escapes % 2 == 0) {
            break;
        }
    }
    w->at += end + 1;
    return hr_span_slice(rest, 0, end);
}

static bool is_key(struct json_walk *w)
{
    size_t at = w->at;
    while (at < w->text.len && is_blank(w->text.ptr[at])) {
        at++;
    }
    if (at == w->text.len || w->text.ptr[at] != ':') {
        return false;
    }
    w->at = at + 1;
    return true;
}

static bool is_delimiter(char c)
{
    return is_blank(c) || c == ',' || c == ':' || c == '"' || c == '{' || c == '}' || c == '[' ||
           c == ']';
}

static enum json_value kind_of(struct hr_span word)
{
    static const char numeric[] = "0123456789+-.eE";
    for (size_t i = 0; i < word.len; i++) {
        if (memchr(numeric, word.ptr[i], sizeof(numeric) - 1) == NULL) {
            return JSON_STRAY;
        }
    }
    return JSON_NUMBER;
}

bool json_walk_next(struct json_walk *w, struct json_item *ret_item)
{
    while (w->at < w->text.len) {
        char c = w->text.ptr[w->at];
        if (c == '"') {
            w->at++;
            struct hr_span s = read_string(w);
            if (is_key(w)) {
                w->key = s;
                continue;
            }
            *ret_item = (struct json_item){JSON_TEXT, w->key, s};
            w->key = (struct hr_span){NULL, 0};
            return true;
        }
        if (c == '{' || c == '[') {
            open_level(w, c == '[');
        } else if (c == '}' || c == ']') {
            w->depth -= w->depth > 0;
            w->key = (struct hr_span){NULL, 0};
        } else if (!is_delimiter(c)) {
            size_t start = w->at;
            while (w->at < w->text.len && !is_delimiter(w->text.ptr[w->at])) {
                w->at++;
            }
            struct hr_span word = hr_span_slice(w->text, start, w->at);
            *ret_item = (struct json_item){kind_of(word), w->key, word};
            w->key = (struct hr_span){NULL, 0};
            return true;
        }
        w->at++;
    }
    return false;
}

bool json_walk_in_array(const struct json_walk *w)
{
    for (unsigned i = 0; i < w->depth && i < JSON_WALK_DEPTH; i++) {
        if (w->is_array[i]) {
            return true;
        }
    }
    return false;
}

/* Behind the element's end, for elements whose content is no text. */
static void skip_element(struct hr_span *rest, const char *name)
{
    struct hr_span end = hr_span_str(name); /* "</script" */
    size_t at = hr_span_find_nocase(*rest, end);
    *rest = hr_span_slice(*rest, at == SIZE_MAX ? rest->len : at, rest->len);
}

static void skip_tag(struct html_walk *w)
{
    struct hr_span rest = hr_span_slice(w->rest, 1, w->rest.len);
    if (hr_span_has_prefix(rest, HR_SPAN("!--"))) {
        struct hr_span end = HR_SPAN("-->");
        const char *p = memmem(rest.ptr, rest.len, end.ptr, end.len);
        size_t at = p != NULL ? (size_t)(p - rest.ptr) + end.len : rest.len;
        w->rest = hr_span_slice(rest, at, rest.len);
        return;
    }
    bool is_script = hr_span_has_prefix_nocase(rest, HR_SPAN("script"));
    bool is_style = hr_span_has_prefix_nocase(rest, HR_SPAN("style"));
    w->ended = w->ended || hr_span_has_prefix_nocase(rest, HR_SPAN("/html"));
    size_t end = hr_span_find(rest, '>');
    w->rest = hr_span_slice(rest, end == SIZE_MAX ? rest.len : end + 1, rest.len);
    if (is_script || is_style) {
        skip_element(&w->rest, is_script ? "</script" : "</style");
    }
}

bool html_walk_next(struct html_walk *w, struct hr_span *ret_text)
{
    while (w->rest.len > 0) {
        if (w->rest.ptr[0] == '<') {
            skip_tag(w);
            continue;
        }
        size_t end = hr_span_find(w->rest, '<');
        struct hr_span run = hr_span_slice(w->rest, 0, end);
        w->rest = hr_span_slice(w->rest, run.len, w->rest.len);
        *ret_text = hr_span_trim(run);
        if (ret_text->len > 0) {
            return true;
        }
    }
    return false;
}
