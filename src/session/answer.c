/*
 * How the answer was made, as far as its bytes tell: more than one hand wrote it, or one that went
 * on when it should have stopped. Each answer is looked at by one of these only: a redirect's text,
 * an error's line, documents.
 */
#include "session/work.h"

#include <string.h>

#define LINE_BYTES 1024
#define PHRASE_BYTES 120

bool work_answer_is_redirect(const struct work *w)
{
    unsigned s = w->x->response.status;
    return s == 301 || s == 302 || s == 303 || s == 307 || s == 308;
}

bool work_answer_is_short_text(const struct work *w, const struct http_media_type *type)
{
    return work_answer_is_redirect(w) ||
           (w->x->response.status >= 400 && strcmp(type->text, "text/plain") == 0);
}

static bool is_denial(const struct work *w)
{
    return w->x->response.status == 401 || w->x->response.status == 403;
}

/* As http.Error of Go's net/http declares what it writes. */
static bool is_declared_by_go(const struct work *w, const struct http_media_type *type)
{
    const struct http_field *sniff = http_field_find(&w->x->response, "x-content-type-options");
    return strcmp(type->text, "text/plain") == 0 && strcmp(type->charset, "utf-8") == 0 &&
           sniff != NULL && hr_span_equal_nocase(sniff->value, HR_SPAN("nosniff"));
}

static void mark_after_line(struct work *w, size_t line, enum answer_rest rest, bool is_exact)
{
    if (is_denial(w)) {
        int64_t bytes = is_exact ? (int64_t)line * ANSWER_LINE + ANSWER_EXACT : 0;
        work_mark(w, MARK_AFTER_ERROR, bytes + (int64_t)rest, (struct hr_span){NULL, 0});
    } else if (is_exact && rest == ANSWER_REST_JSON) {
        work_mark(w, MARK_SECOND_DOCUMENT, ANSWER_ERROR_JSON, (struct hr_span){NULL, 0});
    } else if (is_exact && rest == ANSWER_REST_HTML) {
        work_mark(w, MARK_SECOND_DOCUMENT, ANSWER_ERROR_HTML, (struct hr_span){NULL, 0});
    }
}

/* "Not allowed:", and the reason follows. */
static bool leads_on(struct hr_span line)
{
    line = hr_span_trim(line);
    return line.len > 0 && memchr(":,-", line.ptr[line.len - 1], 3) != NULL;
}

/* One line and its end is all that http.Error writes, and it may hold JSON or HTML itself. */
static bool read_error_line(struct work *w, struct hr_span text, bool is_whole)
{
    struct hr_span rest = text;
    size_t end = hr_span_find(hr_span_slice(text, 0, LINE_BYTES), '\n');
    size_t json = document_json_length(text);
    if (end == SIZE_MAX || end == 0 || text.ptr[0] == '<') {
        return false;
    }
    hr_span_cut(&rest, '\n');
    rest = hr_span_trim(rest);
    if (rest.len == 0 ||
        (json != SIZE_MAX && hr_span_trim(hr_span_slice(text, json, text.len)).len == 0)) {
        return true;
    }
    enum answer_rest kind = document_kind(rest, is_whole);
    if (leads_on(hr_span_slice(text, 0, end)) && kind != ANSWER_REST_ASIDE) {
        kind = ANSWER_REST_TEXT;
    }
    mark_after_line(w, end + 1, kind, true);
    return true;
}

static bool is_phrase(struct hr_span text)
{
    size_t letters = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = hr_ascii_lower(text.ptr[i]);
        letters += c >= 'a' && c <= 'z';
        if (c == '{' || c == '[' || c == '<' || c == '(' || c == '=' || c == '"') {
            return false;
        }
    }
    return letters >= 4 && !leads_on(text);
}

/* "Unauthorized" of whatever framework, and right behind it a whole document. */
static void read_denial(struct work *w, struct hr_span text, bool is_whole)
{
    struct hr_span head = hr_span_slice(text, 0, PHRASE_BYTES);
    size_t at = 0;
    while (at < head.len && head.ptr[at] != '{' && head.ptr[at] != '[' && head.ptr[at] != '<') {
        at++;
    }
    if (at == head.len || at == 0 || !is_phrase(hr_span_slice(text, 0, at))) {
        return;
    }
    struct hr_span rest = hr_span_trim(hr_span_slice(text, at, text.len));
    enum answer_rest kind = document_kind(rest, is_whole);
    bool is_page = hr_span_has_prefix_nocase(rest, HR_SPAN("<!doctype")) ||
                   hr_span_has_prefix_nocase(rest, HR_SPAN("<html"));
    if ((kind == ANSWER_REST_JSON && rest.len > 2) || (kind == ANSWER_REST_HTML && is_page)) {
        mark_after_line(w, 0, kind, false);
    }
}

struct hr_span work_without_bom(struct hr_span text)
{
    while (hr_span_has_prefix(text, HR_SPAN("\xef\xbb\xbf"))) {
        text = hr_span_slice(text, 3, text.len);
    }
    return text;
}

/* Streams of values that are declared as JSON, or nearly so. */
static bool is_stream_type(const char *type)
{
    static const char *const words[] = {"stream", "seq", "lines", "ndjson", "concat", "jsonl"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strstr(type, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

void work_answer(struct work *w, const struct http_media_type *type, struct hr_span text,
                 bool is_whole)
{
    const char *name = type->text;
    unsigned status = w->x->response.status;
    text = work_without_bom(text);
    if (work_answer_is_redirect(w)) {
        work_redirect_text(w, text, is_whole);
        return;
    }
    if (status == 206 || text.len == 0) { /* a part of something */
        return;
    }
    bool is_declared = (w->f->flags & FACT_RESP_JSON) != 0;
    bool is_text =
        (w->f->flags & FACT_RESP_HTML) || strcmp(name, "text/plain") == 0 || name[0] == '\0';
    if (status >= 400 && !is_declared) {
        if (is_declared_by_go(w, type) && read_error_line(w, text, is_whole)) {
            return;
        }
        if (is_denial(w) && text.ptr[0] != '<' && text.ptr[0] != '{' && text.ptr[0] != '[') {
            read_denial(w, text, is_whole);
            return;
        }
    }
    bool looks_json = text.ptr[0] == '{' || text.ptr[0] == '[';
    if (is_declared || (is_text && looks_json)) {
        if (!is_stream_type(name)) {
            work_json_documents(w, text, is_whole, is_declared);
        }
    } else if (w->f->flags & FACT_RESP_HTML) {
        work_html_documents(w, text, is_whole);
    }
}
