/*
 * Where an answer sends the browser: Location, and what does the same with 200: Refresh, a page
 * with <meta http-equiv=refresh>, a page that is nothing but a script with a new location.
 */
#include "base/alloc.h"
#include "session/work.h"

#include <string.h>

#define HEAD_BYTES ((size_t)8192)
#define SCRIPT_PAGE_BYTES ((size_t)1024)
#define SECONDS_MAX 5 /* later ones are time-outs of pages that were granted */

/* What an identity provider gives to those whom it knows, on their way back. */
static bool brings_sign_on(struct hr_span query)
{
    static const char *const members[] = {"code", "ticket", "SAMLResponse", "id_token"};
    struct http_param param;
    for (size_t i = 0; i < 50 && http_query_next(&query, &param); i++) {
        for (size_t k = 0; k < HR_ARRAY_LEN(members); k++) {
            if (param.value.len > 0 && hr_span_equal_nocase(param.name, hr_span_str(members[k]))) {
                return true;
            }
        }
    }
    return false;
}

/* Another origin's page that signs people in: by its path, its host's name, or what it is asked. */
static bool leads_to_authorize(const struct work *w, const struct http_url *to)
{
    static const char *const hosts[] = {"login.",    "signin.",  "auth.", "sso.",
                                        "accounts.", "account.", "id.",   "idp.",
                                        "oauth.",    "adfs.",    "cas.",  "sts."};
    static const char *const members[] = {"client_id", "SAMLRequest", "response_type", "wtrealm"};
    struct hr_span query = to->query;
    struct http_param param;
    if (brings_sign_on(query)) {
        return false;
    }
    if (lists_find_path(work_lists(w), LIST_authorize_paths, to->path, 1)) {
        return true;
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(hosts); i++) {
        if (hr_span_has_prefix_nocase(to->authority, hr_span_str(hosts[i]))) {
            return true;
        }
    }
    for (size_t i = 0; i < 50 && http_query_next(&query, &param); i++) {
        for (size_t k = 0; k < HR_ARRAY_LEN(members); k++) {
            if (hr_span_equal_nocase(param.name, hr_span_str(members[k]))) {
                return true;
            }
        }
    }
    return false;
}

void work_leads_to(struct work *w, struct hr_span value)
{
    struct http_url to;
    struct http_target parts;
    const struct lists *l = work_lists(w);
    if (!http_url_resolve(w->arena, &w->url, value, &to)) {
        return;
    }
    http_target_parse(value, false, &parts);
    bool same = to.authority.ptr == NULL ||
                (w->url.authority.ptr != NULL && hr_span_equal(to.authority, w->url.authority));
    struct hr_span query = to.query;
    struct http_param param;
    for (size_t i = 0; i < 50 && http_query_next(&query, &param); i++) {
        if (lists_find_path_word(l, LIST_failure_words, param.name) ||
            (param.value.len < 40 && lists_find_path_word(l, LIST_failure_words, param.value))) {
            w->f->flags |= FACT_SAYS_FAILURE;
        }
    }
    if (same) {
        struct hr_span rest = to.path;
        const struct hr_span page = hr_span_cut(&rest, ';');
        work_path_tokens(w, to.path, true); /* of a server that writes its sessions into its URLs */
        w->f->location_path = to.path;      /* until the tokens are known */
        uint32_t flags = 0;
        w->location_action = work_action_of_query(w, page, to.query, &flags);
        if (flags != 0 ? (flags & FACT_LOGIN_PATH) != 0
                       : lists_find_path(l, LIST_login_pages, page, 0)) {
            w->f->flags |= FACT_LOCATION_LOGIN;
        }
    } else if (leads_to_authorize(w, &to)) {
        w->f->flags |= FACT_LOCATION_AUTHORIZE;
    }
}

/* A page that only loads itself again leads nowhere. */
static void page_leads_to(struct work *w, struct hr_span target)
{
    struct hr_span path = target;
    path = hr_span_cut(&path, '?');
    bool is_get = hr_span_equal(w->x->request.method, HR_SPAN("GET"));
    bool is_page = (w->f->status >= 200 && w->f->status < 300) || w->f->status == 403;
    if (target.len > 0 && is_page && w->f->location.ptr == NULL &&
        w->f->location_path.ptr == NULL &&
        !(is_get && (path.len == 0 || hr_span_equal(path, w->path)))) {
        work_leads_to(w, target);
    }
}

/* "0; url=/login", also without url= and in quotes */
void work_refresh(struct work *w, struct hr_span value)
{
    size_t at = 0;
    unsigned seconds = 0;
    value = hr_span_trim(value);
    while (at < value.len && at < 3 && value.ptr[at] >= '0' && value.ptr[at] <= '9') {
        seconds = 10 * seconds + (unsigned)(value.ptr[at++] - '0');
    }
    if (at == 0 || at == 3 || seconds > SECONDS_MAX) {
        return;
    }
    struct hr_span rest = hr_span_slice(value, at, value.len);
    while (rest.len > 0 && strchr("0123456789.;, \t\r\n", rest.ptr[0]) != NULL) {
        rest = hr_span_slice(rest, 1, rest.len);
    }
    if (hr_span_has_prefix_nocase(rest, HR_SPAN("url"))) {
        rest = hr_span_trim(hr_span_slice(rest, 3, rest.len));
        rest = rest.len > 0 && rest.ptr[0] == '=' ? hr_span_trim(hr_span_slice(rest, 1, rest.len))
                                                  : (struct hr_span){"", 0};
    }
    if (rest.len > 1 && (rest.ptr[0] == '"' || rest.ptr[0] == '\'')) {
        char quote = rest.ptr[0];
        rest = hr_span_slice(rest, 1, rest.len);
        rest = hr_span_cut(&rest, quote);
    }
    page_leads_to(w, rest);
}

/* Browsers that run scripts do not see what stands in <noscript>. */
static bool is_for_browsers_without_scripts(struct hr_span before)
{
    size_t opened = 0;
    size_t at;
    while ((at = hr_span_find_nocase(before, HR_SPAN("noscript"))) != SIZE_MAX) {
        opened = at > 0 && before.ptr[at - 1] == '/' ? 0 : 1;
        before = hr_span_slice(before, at + 8, before.len);
    }
    return opened != 0;
}

static void read_meta(struct work *w, struct hr_span html)
{
    struct hr_span rest = html;
    size_t at;
    while ((at = hr_span_find_nocase(rest, HR_SPAN("<meta"))) != SIZE_MAX) {
        struct hr_span before = hr_span_of(html.ptr, (size_t)(rest.ptr - html.ptr) + at);
        rest = hr_span_slice(rest, at + 5, rest.len);
        struct hr_span tag = rest;
        tag = hr_span_cut(&tag, '>');
        if (hr_span_equal_nocase(body_attribute(tag, "http-equiv"), HR_SPAN("refresh"))) {
            if (!is_for_browsers_without_scripts(before)) {
                work_refresh(w, body_attribute(tag, "content"));
            }
            return;
        }
    }
}

/* @return the literal that location is set to; ptr NULL where the script does anything else */
static struct hr_span location_of(struct hr_span script)
{
    static const char *const starts[] = {"window.", "document.", "top.", "self.", "parent."};
    static const char *const ends[] = {".href", ".replace", ".assign"};
    struct hr_span rest = hr_span_trim(script);
    for (size_t i = 0; i < HR_ARRAY_LEN(starts); i++) {
        if (hr_span_has_prefix_nocase(rest, hr_span_str(starts[i]))) {
            rest = hr_span_slice(rest, strlen(starts[i]), rest.len);
        }
    }
    if (!hr_span_has_prefix_nocase(rest, HR_SPAN("location"))) {
        return (struct hr_span){NULL, 0};
    }
    rest = hr_span_slice(rest, 8, rest.len);
    for (size_t i = 0; i < HR_ARRAY_LEN(ends); i++) {
        if (hr_span_has_prefix_nocase(rest, hr_span_str(ends[i]))) {
            rest = hr_span_slice(rest, strlen(ends[i]), rest.len);
            break;
        }
    }
    rest = hr_span_trim(rest);
    if (rest.len < 3 || (rest.ptr[0] != '=' && rest.ptr[0] != '(')) {
        return (struct hr_span){NULL, 0};
    }
    rest = hr_span_trim(hr_span_slice(rest, 1, rest.len));
    if (rest.len < 2 || (rest.ptr[0] != '"' && rest.ptr[0] != '\'')) {
        return (struct hr_span){NULL, 0};
    }
    char quote = rest.ptr[0];
    rest = hr_span_slice(rest, 1, rest.len);
    struct hr_span literal = hr_span_cut(&rest, quote);
    for (size_t i = 0; i < rest.len; i++) {
        if (strchr(") ;\t\r\n", rest.ptr[i]) == NULL) {
            return (struct hr_span){NULL, 0};
        }
    }
    return rest.ptr == NULL ? rest : literal;
}

/* A page whose one script is one assignment: with a condition, or more of a page, who knows. */
static void read_script(struct work *w, struct hr_span html)
{
    size_t at = hr_span_find_nocase(html, HR_SPAN("<script"));
    struct hr_span rest =
        at == SIZE_MAX ? (struct hr_span){NULL, 0} : hr_span_slice(html, at, html.len);
    hr_span_cut(&rest, '>');
    size_t end = rest.ptr == NULL ? SIZE_MAX : hr_span_find_nocase(rest, HR_SPAN("</script"));
    if (end == SIZE_MAX) {
        return;
    }
    struct hr_span after = hr_span_slice(rest, end + 8, rest.len);
    if (hr_span_find_nocase(after, HR_SPAN("<script")) == SIZE_MAX) {
        page_leads_to(w, location_of(hr_span_slice(rest, 0, end)));
    }
}

void work_page_leads(struct work *w, struct hr_span html)
{
    struct hr_span head = hr_span_slice(html, 0, HEAD_BYTES);
    if ((w->signs & SIGN_BIT(SIGN_REFRESH)) &&
        hr_span_find_nocase(head, HR_SPAN("refresh")) != SIZE_MAX) {
        read_meta(w, head);
    } else if (html.len < SCRIPT_PAGE_BYTES && (w->signs & SIGN_BIT(SIGN_LOCATION))) {
        read_script(w, html);
    }
}
