/*
 * What a request asks for where one path serves many purposes: index.php?action=login, the
 * operation of a GraphQL or JSON-RPC request. It is written behind the path's template, as a
 * parameter of the query wherever it stood, so that each purpose is an endpoint of its own.
 */
#include "base/alloc.h"
#include "session/work.h"

#include <string.h>

#define ACTION_BYTES 64
#define NUMBERED_BYTES 32
#define PARAMETER_LIMIT 50
#define PAGE_RANK 256 /* of page-parameters, behind those of action-parameters */
#define PLACE_RANK 512
#define SWITCH_BYTES 4   /* of a parameter's value that says no more than yes */
#define QUERY_BYTES 4096 /* of a GraphQL request, looked at */

/* A word, or several with points, colons or slashes between: no number, no text, nothing that looks
 * random. */
static bool is_action(struct hr_span value)
{
    if (value.len == 0 || value.len > ACTION_BYTES || text_is_random(value)) {
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        const char c = hr_ascii_lower(value.ptr[i]);
        const bool is_letter = (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
        const bool is_other = (c >= '0' && c <= '9') || (c != '\0' && strchr("_-./:", c) != NULL);
        if (!is_letter && (i == 0 || !is_other)) {
            return false;
        }
    }
    return true;
}

static struct hr_span without_slashes(struct hr_span text)
{
    while (text.len > 0 && text.ptr[0] == '/') {
        text = hr_span_slice(text, 1, text.len);
    }
    return text;
}

void work_action_note(struct work_action *a, struct hr_span name, struct hr_span value,
                      unsigned rank)
{
    struct hr_span rest = value; /* action=login2;sa=check (SMF) */
    value = hr_span_cut(&rest, ';');
    value = without_slashes(value); /* route=/logout (phpMyAdmin, TYPO3) */
    if (rank != 0 && (a->rank == 0 || rank < a->rank) && is_action(value)) {
        *a = (struct work_action){.name = name, .value = value, .rank = rank};
    }
}

/* "100:LOGIN:13124124119310:::" (Oracle APEX): the application and the page.
 * @return what stands before the session; empty: another kind of value */
static struct hr_span numbered_page(struct hr_span value)
{
    size_t colons = 0;
    size_t at = 0;
    for (; at < value.len && (colons < 1 || value.ptr[at] != ':'); at++) {
        const char c = value.ptr[at];
        colons += c == ':';
        if (c != ':' && colons == 0 && (c < '0' || c > '9')) {
            return (struct hr_span){NULL, 0};
        }
    }
    const struct hr_span page = hr_span_slice(value, 0, at);
    const size_t colon = hr_span_find(page, ':');
    const bool is_page = colon != SIZE_MAX && colon > 0 && colon + 1 < page.len &&
                         page.len <= NUMBERED_BYTES && !text_is_random(page);
    return is_page ? page : (struct hr_span){NULL, 0};
}

void work_action_page(struct work *w, struct work_action *a, struct hr_span name,
                      struct hr_span value)
{
    const struct word word = work_word(w, name);
    const struct hr_span numbered =
        word.page != 0 ? numbered_page(value) : (struct hr_span){NULL, 0};
    if (numbered.len > 0 && a->rank == 0) {
        *a = (struct work_action){.name = name, .value = numbered, .rank = PAGE_RANK};
    } else if (word.page != 0) {
        work_action_note(a, name, value, PAGE_RANK + word.page);
    } else if (word.place != 0 && hr_span_find(value, '/') != SIZE_MAX) {
        work_action_note(a, name, value, PLACE_RANK + word.place);
    } else if (hr_span_equal(name, HR_SPAN("title")) && words_is_special(work_lists(w), value)) {
        work_action_note(a, name, value, PLACE_RANK); /* MediaWiki */
    }
}

void work_action_path(struct work_action *a, struct hr_span name, bool is_first)
{
    name = without_slashes(name);
    if (is_first && hr_span_find(name, '/') != SIZE_MAX) {
        work_action_note(a, (struct hr_span){"", 0}, name, PAGE_RANK);
    }
}

void work_action_switch(struct work_action *a, struct hr_span name, struct hr_span value,
                        uint32_t bits)
{
    if ((bits & WORD_LOGOUT) && value.len <= SWITCH_BYTES && name.ptr[0] != '/') {
        *a = (struct work_action){
            .name = name, .value = {"", 0},
                 .rank = 1
        };
    }
}

/* "mutation SignIn($u: String!) {...}", "{ me { name } }": the operation's name, else its first
 * field. */
static struct hr_span graphql_operation(struct hr_span query)
{
    static const char *const kinds[] = {"query", "mutation", "subscription"};
    struct hr_span rest = hr_span_trim(hr_span_slice(query, 0, QUERY_BYTES));
    bool is_graphql = rest.len > 0 && rest.ptr[0] == '{';
    for (size_t i = 0; !is_graphql && i < HR_ARRAY_LEN(kinds); i++) {
        if (hr_span_has_prefix(rest, hr_span_str(kinds[i]))) {
            rest = hr_span_trim(hr_span_slice(rest, strlen(kinds[i]), rest.len));
            is_graphql = hr_span_find(rest, '{') != SIZE_MAX;
        }
    }
    if (is_graphql && (rest.ptr[0] == '{' || rest.ptr[0] == '(')) {
        hr_span_cut(&rest, '{');
        rest = hr_span_trim(rest);
    }
    size_t len = 0;
    while (is_graphql && len < rest.len && strchr(" \t\r\n({:@", rest.ptr[len]) == NULL) {
        len++;
    }
    return hr_span_slice(rest, 0, len);
}

void work_action_member(struct work *w, enum member_place place, struct hr_span name,
                        struct hr_span value, unsigned rank)
{
    if (place == MEMBER_JSON && hr_span_equal(name, HR_SPAN("jsonrpc"))) {
        w->is_rpc = true;
    } else if (place == MEMBER_JSON && hr_span_equal(name, HR_SPAN("auth"))) {
        w->rpc_auth = value;
    } else if (place != MEMBER_FORM && hr_span_equal(name, HR_SPAN("operationName"))) {
        if (is_action(value)) {
            w->operation = value;
        }
    } else if (place != MEMBER_FORM && hr_span_equal(name, HR_SPAN("query"))) {
        const struct hr_span operation = graphql_operation(value);
        const struct hr_span text = hr_span_trim(value);
        if (is_action(operation)) {
            w->operation = w->operation.len > 0 ? w->operation : operation;
            w->only_asks = hr_span_has_prefix(text, HR_SPAN("query")) || text.ptr[0] == '{';
        }
    }
    if (place == MEMBER_JSON && hr_span_equal(name, HR_SPAN("method"))) {
        w->rpc_method = is_action(value) ? value : w->rpc_method; /* of other JSON: anything's */
    } else {
        work_action_note(&w->action, name, value, rank);
    }
}

/* Of a path that says little: a script's, a folder's. */
static bool serves_many(struct hr_span path)
{
    static const char *const scripts[] = {".php", ".cgi", ".fcgi", ".pl",  ".py",  ".asp", ".aspx",
                                          ".jsp", ".do",  ".dll",  ".exe", ".cfm", ".lua"};
    bool found = path.len == 0 || path.ptr[path.len - 1] == '/';
    for (size_t i = 0; !found && i < HR_ARRAY_LEN(scripts); i++) {
        found = hr_span_has_suffix_nocase(path, hr_span_str(scripts[i]));
    }
    return found;
}

/* The one that holds all pages of a site: a folder, index.php, Default.aspx. */
static bool holds_all(struct hr_span path)
{
    static const char *const stems[] = {"index", "default", "main", "home", "start", "portal"};
    size_t start = path.len;
    while (start > 0 && path.ptr[start - 1] != '/') {
        start--;
    }
    struct hr_span rest = hr_span_slice(path, start, path.len);
    const struct hr_span stem = hr_span_cut(&rest, '.');
    bool found = stem.len == 0;
    for (size_t i = 0; !found && i < HR_ARRAY_LEN(stems); i++) {
        found = hr_span_equal_nocase(stem, hr_span_str(stems[i]));
    }
    return found && serves_many(path);
}

static bool take_affix(struct hr_span *word, struct hr_span affix)
{
    if (word->len <= affix.len) {
        return false;
    }
    if (hr_span_has_prefix_nocase(*word, affix)) {
        *word = hr_span_slice(*word, affix.len, word->len);
    } else if (hr_span_has_suffix_nocase(*word, affix)) {
        word->len -= affix.len;
    } else {
        return false;
    }
    return true;
}

/* As if it were a path: "user.login" is "/user/login", "Special:UserLogin" is "/Special/UserLogin",
 * "LoginMutation" is "/Login". */
static struct hr_span as_path(struct work *w, struct hr_span value, bool is_operation)
{
    if (is_operation) {
        take_affix(&value, HR_SPAN("mutation"));
        take_affix(&value, HR_SPAN("query"));
        take_affix(&value, HR_SPAN("user"));
    }
    char *path = hr_arena_printf(w->arena, "/%.*s", (int)value.len, value.ptr);
    for (char *c = path; *c != '\0'; c++) {
        *c = *c == '.' || *c == ':' ? '/' : *c;
    }
    return hr_span_str(path);
}

#define ACTION_FLAGS (FACT_LOGIN_PATH | FACT_LOGOUT_PATH | FACT_REGISTER_PATH | FACT_PASSWORD_PATH)

static struct hr_span written(struct work *w, struct hr_span name, struct hr_span value)
{
    if (value.len == 0) {
        return work_escape(w,
                           hr_span_str(hr_arena_printf(w->arena, "?%.*s", (int)name.len, name.ptr)),
                           ACTION_BYTES);
    }
    char *path = hr_arena_printf(w->arena, "/%.*s", (int)value.len, value.ptr);
    struct hr_span text = work_template(w, hr_span_str(path));
    return hr_span_str(hr_arena_printf(w->arena, "?%.*s%s%.*s", (int)name.len, name.ptr,
                                       name.len > 0 ? "=" : "/", (int)text.len - 1, text.ptr + 1));
}

struct hr_span work_action_of(struct work *w, const struct work_action *a, struct hr_span path,
                              uint32_t *ret_flags)
{
    struct hr_span none = {NULL, 0};
    *ret_flags = 0;
    const bool is_switch = a->value.len == 0;
    if (a->rank == 0 || (is_switch && !serves_many(path))) {
        return none;
    }
    *ret_flags =
        work_path_flags(w, as_path(w, is_switch ? a->name : a->value, false)) & ACTION_FLAGS;
    const bool by_name = a->rank < PAGE_RANK && (*ret_flags & (FACT_LOGIN_PATH | FACT_LOGOUT_PATH));
    const bool is_numbered = a->value.len > 0 && a->value.ptr[0] >= '0' && a->value.ptr[0] <= '9';
    const bool is_told =
        by_name || is_numbered || (a->rank < PAGE_RANK ? serves_many(path) : holds_all(path));
    *ret_flags = is_told ? *ret_flags : 0;
    return is_told ? written(w, a->name, a->value) : none;
}

struct hr_span work_action_of_query(struct work *w, struct hr_span path, struct hr_span query,
                                    uint32_t *ret_flags)
{
    struct work_action a = {.rank = 0};
    struct http_param param;
    for (size_t i = 0; http_query_next(&query, &param); i++) {
        if (i == PARAMETER_LIMIT) {
            work_count_unread(w);
            break;
        }
        const struct word word = work_word(w, param.name);
        const struct hr_span value = http_decode(w->arena, param.value, true);
        work_action_note(&a, param.name, value, word.action);
        work_action_page(w, &a, param.name, value);
        work_action_path(&a, param.name, i == 0 && param.value.ptr == NULL);
        work_action_switch(&a, param.name, param.value, word.bits);
    }
    return work_action_of(w, &a, path, ret_flags);
}

void work_action_conclude(struct work *w)
{
    uint32_t flags = 0;
    w->operation = w->is_rpc ? w->rpc_method : w->operation;
    if (w->operation.len > 0) {
        w->action_path = as_path(w, w->operation, true);
        flags = work_path_flags(w, w->action_path);
        w->action_text =
            written(w, w->is_rpc ? HR_SPAN("method") : HR_SPAN("operationName"), w->operation);
    } else if (w->action.rank != 0) {
        w->action_text = work_action_of(w, &w->action, w->path, &flags);
        w->action_path =
            as_path(w, w->action.value.len > 0 ? w->action.value : w->action.name, false);
    }
    if (flags & ACTION_FLAGS) { /* goes before what the path says */
        w->f->flags &= ~(uint32_t)ACTION_FLAGS;
    }
    w->f->flags |= flags;
}

struct hr_span work_endpoint(struct work *w, struct hr_span path_template,
                             struct hr_span action_text)
{
    if (action_text.len == 0) {
        return path_template;
    }
    return hr_span_str(hr_arena_printf(w->arena, "%.*s%.*s", (int)path_template.len,
                                       path_template.ptr, (int)action_text.len, action_text.ptr));
}
