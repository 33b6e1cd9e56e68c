/*
 * What stands in a redirect's content. Frameworks write a text of their own, byte for byte the same
 * but for the link and the status; what follows it was written by somebody who thought that nothing
 * had been answered yet. Pages that a site made for its redirects are none of that.
 */
#include "session/work.h"

#include <string.h>

#define TEXT_LIMIT 4
#define SHORT_BYTES 1024
#define PAGE_BYTES 2048
#define REFERENCE_BYTES 8 /* &quot; &#x27; */
#define DOCTYPE_HTML2 "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n"
#define DOCTYPE_HTML3 "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n"

/* \1 stands for the link, \2 for the status text, \3 for the status code. The first has an end of
 * its own: two newlines. */
#define LINK '\1'
#define STATUS_TEXT '\2'
#define STATUS_CODE '\3'
static const struct {
    const char *name;
    const char *text;
    bool is_exact;
} own_texts[] = {
    {"Go's net/http", "<a href=\"\1\">\2</a>.\n\n",                                             true },
    {"Express",       "<p>\2. Redirecting to <a href=\"\1\">\1</a></p>",                        false},
    {"Express",       "<p>\2. Redirecting to \1</p>",                                           false},
    {"Express",       "\2. Redirecting to \1",                                                  false},
    {"Express",
     "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta "
     "charset=\"utf-8\">\n<title>Redirecting</title>\n"
     "</head>\n<body>\n<pre>Redirecting to <a href=\"\1\">\1</a></pre>\n</body>\n</html>\n",    false},
    {"Express",
     "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta "
     "charset=\"utf-8\">\n<title>Redirecting</title>\n"
     "</head>\n<body>\n<pre>Redirecting to \1</pre>\n</body>\n</html>\n",                       false},
    {"Express",
     "<!DOCTYPE html><head><title>\2</title></head><body><p>\2. Redirecting to \1</p></body>",  false},
    {"Koa",           "Redirecting to <a href=\"\1\">\1</a>.",                                  false},
    {"Koa",           "Redirecting to \1.",                                                     false},
    {"Werkzeug",
     "<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n"
     "<p>You should be redirected automatically to the target URL: <a href=\"\1\">\1</a>. If not, "
     "click "
     "the link.\n",                                                                             false},
    {"Werkzeug",
     DOCTYPE_HTML3
     "<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n"
     "<p>You should be redirected automatically to target URL: <a href=\"\1\">\1</a>.  If "
     "not click the link.",                                                                     false},
    {"Werkzeug",
     DOCTYPE_HTML3
     "<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n"
     "<p>You should be redirected automatically to target URL: <a href=\"\1\">\1</a>. If "
     "not click the link.",                                                                     false},
    {"Rails",         "<html><body>You are being <a href=\"\1\">redirected</a>.</body></html>", false},
    {"Symfony",
     "<!DOCTYPE html>\n<html>\n    <head>\n        <meta charset=\"UTF-8\" />\n"
     "        <meta http-equiv=\"refresh\" content=\"0;url='\1'\" />\n\n"
     "        <title>Redirecting to \1</title>\n    </head>\n    <body>\n"
     "        Redirecting to <a href=\"\1\">\1</a>.\n    </body>\n</html>",                     false},
    {"ASP.NET",
     "<html><head><title>Object moved</title></head><body>\r\n<h2>Object moved to <a "
     "href=\"\1\">here</a>.</h2>\r\n</body></html>\r\n",                                        false},
    {"Apache",
     DOCTYPE_HTML2
     "<html><head>\n<title>\3 \2</title>\n</head><body>\n<h1>\2</h1>\n<p>The document has "
     "moved <a href=\"\1\">here</a>.</p>\n</body></html>\n",                                    false},
};

struct redirect {
    struct work *w;
    struct hr_span location;          /* of the first such field */
    struct hr_span links[TEXT_LIMIT]; /* of the texts found, character references resolved */
    size_t count;
    size_t text; /* the last one found, in own_texts */
};

static const char *status_text(unsigned status)
{
    switch (status) {
    case 301:
        return "Moved Permanently";
    case 302:
        return "Found";
    case 303:
        return "See Other";
    case 307:
        return "Temporary Redirect";
    default:
        return "Permanent Redirect";
    }
}

/* Takes word off the front. */
static bool take(struct hr_span *rest, struct hr_span word)
{
    if (!hr_span_has_prefix(*rest, word)) {
        return false;
    }
    *rest = hr_span_slice(*rest, word.len, rest->len);
    return true;
}

/* Location as it is, or with HTML's character references. */
static bool take_location(const struct redirect *r, struct hr_span *rest)
{
    struct hr_span at = *rest;
    for (size_t i = 0; i < r->location.len; i++) {
        const size_t end = at.len > 0 && at.ptr[0] == '&'
                               ? hr_span_find(hr_span_slice(at, 0, REFERENCE_BYTES), ';')
                               : SIZE_MAX;
        const struct hr_span raw = hr_span_slice(at, 0, end == SIZE_MAX ? 1 : end + 1);
        const struct hr_span c = work_html_text(r->w, raw);
        if (c.len != 1 || c.ptr[0] != r->location.ptr[i]) {
            return take(rest, r->location);
        }
        at = hr_span_slice(at, raw.len, at.len);
    }
    *rest = at;
    return r->location.len > 0;
}

/* A link ends where the text goes on; where nothing tells, it is Location's or none. */
static bool take_link(const struct redirect *r, struct hr_span *rest, char end,
                      struct hr_span *ret_link)
{
    if (end == '"' || end == '\'' || end == '<') {
        size_t at = hr_span_find(*rest, end);
        if (at == SIZE_MAX || at == 0) {
            return false;
        }
        *ret_link = hr_span_slice(*rest, 0, at);
        *rest = hr_span_slice(*rest, at, rest->len);
        return true;
    }
    *ret_link = r->location;
    return take_location(r, rest);
}

static bool take_text(const struct redirect *r, const char *text, struct hr_span *rest,
                      struct hr_span *ret_link)
{
    struct hr_span at = *rest;
    struct hr_span link = {NULL, 0};
    unsigned status = r->w->x->response.status;
    char code[4] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10),
                    (char)('0' + status % 10), '\0'};
    for (const char *c = text; *c != '\0'; c++) {
        struct hr_span found;
        bool ok = true;
        if (*c == LINK) {
            ok = take_link(r, &at, c[1], &found);
            link = link.ptr == NULL ? found : link;
        } else if (*c == STATUS_TEXT) {
            ok = take(&at, hr_span_str(status_text(status)));
        } else if (*c == STATUS_CODE) {
            ok = take(&at, hr_span_str(code));
        } else {
            ok = take(&at, hr_span_of(c, 1));
        }
        if (!ok) {
            return false;
        }
    }
    *rest = at;
    *ret_link = link;
    return true;
}

/* One framework's text after the other. @return what is left */
static struct hr_span take_texts(struct redirect *r, struct hr_span text)
{
    bool found = true;
    while (found && r->count < TEXT_LIMIT) {
        found = false;
        for (size_t i = 0; i < sizeof(own_texts) / sizeof(own_texts[0]) && !found; i++) {
            struct hr_span link = {NULL, 0};
            found = take_text(r, own_texts[i].text, &text, &link);
            if (found) {
                r->links[r->count++] =
                    link.ptr == r->location.ptr ? link : work_html_text(r->w, link);
                r->text = i;
            }
        }
    }
    return text;
}

static void compare_links(struct redirect *r)
{
    const struct http_message *m = &r->w->x->response;
    enum place_match best = PLACE_OTHER;
    for (size_t i = 1; i < r->count; i++) {
        if (work_compare_places(r->w, r->links[0], r->links[i]) == PLACE_OTHER) {
            work_mark(r->w, MARK_LINKS, 0, work_both_places(r->w, r->links[0], r->links[i]));
            return;
        }
    }
    for (size_t i = 0; i < m->field_count; i++) {
        if (hr_span_equal_nocase(m->fields[i].name, HR_SPAN("location"))) {
            enum place_match match = work_compare_places(r->w, m->fields[i].value, r->links[0]);
            best = match < best ? match : best;
        }
    }
    if (best == PLACE_MAPPED || best == PLACE_OTHER) {
        const int64_t mapping = work_place_mapping(r->w, r->location, r->links[0]);
        work_mark(r->w, MARK_LINK, (best == PLACE_OTHER ? 1 : 2) | (mapping & ~LINK_MASK),
                  work_both_places(r->w, r->location, r->links[0]));
    }
}

/* --- pages made for redirects ----------------------------------------------------------------- */

static bool has_nocase(struct hr_span text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (hr_span_find_nocase(text, hr_span_str(*words)) != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

/* Does it speak of the redirect: name where it leads, or say so? */
static bool is_redirect_page(struct work *w, struct hr_span text, struct hr_span location)
{
    static const char *const always[] = {"http-equiv=\"refresh\"",
                                         "http-equiv='refresh'",
                                         "http-equiv=refresh",
                                         "location.replace",
                                         "location.href",
                                         "window.location",
                                         "redirected",
                                         "redirecting",
                                         NULL};
    static const char *const in_notices[] = {"redirect",    "moved",   "see other",
                                             "found",       "click",   "continue",
                                             "please wait", "loading", NULL};
    struct http_target parts;
    http_target_parse(location, false, &parts);
    struct hr_span page = hr_span_slice(text, 0, PAGE_BYTES);
    struct hr_span plain = work_html_text(w, page);
    if (has_nocase(page, always) || (text.len <= SHORT_BYTES && has_nocase(page, in_notices))) {
        return true;
    }
    return hr_span_find_nocase(plain, location) != SIZE_MAX ||
           (parts.path.len > 1 && hr_span_find_nocase(plain, parts.path) != SIZE_MAX) ||
           work_names_unmapped(w, plain, location);
}

void work_redirect_text(struct work *w, struct hr_span text, bool is_whole)
{
    const struct http_field *location = http_field_find(&w->x->response, "location");
    struct redirect r = {.w = w};
    struct hr_span all = hr_span_trim(text);
    if (location == NULL || location->value.len == 0 || all.len == 0) {
        return;
    }
    r.location = location->value;
    struct hr_span left = hr_span_trim(take_texts(&r, text));
    if (r.count > 0) {
        compare_links(&r);
        if (left.len > 0) {
            work_mark(w, MARK_AFTER_REDIRECT,
                      (int64_t)document_kind(left, is_whole) +
                          (own_texts[r.text].is_exact ? ANSWER_EXACT : 0),
                      hr_span_str(own_texts[r.text].name));
        }
    } else if (!is_redirect_page(w, all, r.location)) {
        work_mark(w, MARK_REDIRECT_CONTENT, document_kind(all, is_whole),
                  (struct hr_span){NULL, 0});
    }
}
