/*
 * What the answer's content says: tokens and "ok": false in JSON, login and logout forms in HTML,
 * and its shape, by which answers of one kind are known again. Only the beginning is looked at.
 */
#include "base/alloc.h"
#include "session/owner.h"
#include "session/work.h"

#include <stdlib.h>
#include <string.h>

#define SHAPE_MEMBERS 64
#define TOKEN_BYTES_MIN 6

/* jansson recurses: refuse deep nesting before it starts. */
static bool is_shallow(struct hr_span text)
{
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > BODY_JSON_DEPTH) {
                return false;
            }
        } else if (c == '}' || c == ']') {
            depth -= depth > 0;
        }
    }
    return true;
}

json_t *body_parse_json(struct hr_span text)
{
    if (text.len == 0 || text.len > BODY_JSON_BYTES || !is_shallow(text)) {
        return NULL;
    }
    return json_loadb(text.ptr, text.len, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, NULL);
}

const json_t *body_json_member(const json_t *root, const char *path)
{
    struct hr_span rest = hr_span_str(path);
    while (root != NULL && rest.ptr != NULL) {
        struct hr_span part = hr_span_cut(&rest, '.');
        char key[128];
        if (part.len >= sizeof(key)) {
            return NULL;
        }
        memcpy(key, part.ptr, part.len);
        key[part.len] = '\0';
        root = json_object_get(root, key);
    }
    return root;
}

/* --- shape ------------------------------------------------------------------------------------ */

/* A member that holds a token, or would if it were there. */
static bool is_token_member(const struct lists *l, const char *key, const json_t *member)
{
    return (json_is_string(member) || json_is_null(member)) &&
           (lists_find(l, LIST_token_members, hr_span_str(key)) != 0 ||
            hr_span_equal_nocase(hr_span_str(key), HR_SPAN("refresh_token")) ||
            hr_span_equal_nocase(hr_span_str(key), HR_SPAN("refreshToken")));
}

/* Sums, so that the order of members does not count. Two levels deep. Tokens do not count either
 * where something else tells the answer: the one that lost its token has the shape of the others.
 */
// NOLINTNEXTLINE(misc-no-recursion)
static uint64_t json_shape(const struct lists *l, json_t *value, unsigned depth, size_t *count)
{
    uint64_t shape = 1 + (uint64_t)json_typeof(value);
    uint64_t tokens = 0;
    bool has_others = false;
    const char *key;
    json_t *member;
    if (json_is_object(value) && depth < 2) {
        json_object_foreach(value, key, member)
        {
            if ((*count)++ >= SHAPE_MEMBERS) {
                break;
            }
            uint64_t part = hr_hash64(hr_span_str(key), json_shape(l, member, depth + 1, count));
            if (is_token_member(l, key, member)) {
                tokens += part;
            } else {
                shape += part;
                has_others = true;
            }
        }
    }
    return has_others ? shape : shape + tokens;
}

/* --- JSON ------------------------------------------------------------------------------------- */

struct token_found {
    const char *value;
    size_t rank;
};

static bool is_wrapper(const char *key)
{
    static const char *const wrappers[] = {"data",     "result",      "results",        "user",
                                           "session",  "auth",        "tokens",         "token",
                                           "response", "payload",     "authentication", "login",
                                           "account",  "credentials", "body",           "content"};
    for (size_t i = 0; i < HR_ARRAY_LEN(wrappers); i++) {
        if (hr_span_equal_nocase(hr_span_str(key), hr_span_str(wrappers[i]))) {
            return true;
        }
    }
    return false;
}

/* Two levels deep. */
// NOLINTNEXTLINE(misc-no-recursion)
static void find_token(struct work *w, json_t *value, unsigned depth, struct token_found *best)
{
    const char *key;
    json_t *member;
    json_object_foreach(value, key, member)
    {
        if (json_is_object(member) && depth < 2 && is_wrapper(key)) {
            find_token(w, member, depth + 1, best);
        }
        if (!json_is_string(member) || json_string_length(member) < TOKEN_BYTES_MIN) {
            continue;
        }
        size_t rank = lists_find(work_lists(w), LIST_token_members, hr_span_str(key));
        if (rank != 0 && strchr(json_string_value(member), ' ') == NULL &&
            (best->rank == 0 || rank < best->rank)) {
            *best = (struct token_found){json_string_value(member), rank};
        }
    }
}

static const char *profile_token(const struct work *w, const json_t *root)
{
    for (size_t i = 0; i < w->profile->session_count; i++) {
        const struct profile_place *p = &w->profile->session[i];
        if (p->where == PROFILE_JSON) {
            const json_t *member = body_json_member(root, p->name);
            if (json_is_string(member)) {
                return json_string_value(member);
            }
        }
    }
    return NULL;
}

/* All that a login's JSON-RPC answers may be the token. */
static const char *rpc_token(const struct work *w, const json_t *root)
{
    const char *result = json_string_value(json_object_get(root, "result"));
    const bool is_token = w->is_rpc && (w->f->flags & FACT_LOGIN_PATH) && result != NULL &&
                          text_is_random(hr_span_str(result));
    return is_token ? result : NULL;
}

static int64_t json_lifetime(const json_t *root)
{
    static const char *const names[] = {"expires_in",     "expiresIn",        "data.expires_in",
                                        "data.expiresIn", "token.expires_in", NULL};
    for (size_t i = 0; names[i] != NULL; i++) {
        const json_t *member = body_json_member(root, names[i]);
        if (json_is_integer(member) && json_integer_value(member) > 0) {
            return json_integer_value(member);
        }
    }
    return -1;
}

/* A profile that names cookies alone says that no token stands in bodies. */
static bool takes_body_tokens(const struct work *w)
{
    if (w->profile == NULL || w->profile->session_count == 0) {
        return true;
    }
    for (size_t i = 0; i < w->profile->session_count; i++) {
        enum profile_where where = w->profile->session[i].where;
        if (where != PROFILE_COOKIE && where != PROFILE_COOKIES && where != PROFILE_USER_QUERY) {
            return true;
        }
    }
    return false;
}

static bool says_failure(const struct work *w, const json_t *root)
{
    static const char *const flags[] = {
        "ok",        "success",         "succeeded",        "authenticated",
        "valid",     "isAuthenticated", "is_authenticated", "loggedIn",
        "logged_in", "result",          "status",           NULL};
    for (size_t i = 0; flags[i] != NULL; i++) {
        const json_t *flag = json_object_get(root, flags[i]);
        if (json_is_false(flag)) {
            return true;
        }
        if (json_is_string(flag) && lists_find_path_word(work_lists(w), LIST_failure_words,
                                                         hr_span_str(json_string_value(flag)))) {
            return true;
        }
    }
    static const char *const errors[] = {
        "error", "errors", "err", "failure", "error_code", "errorCode", "error_description", NULL};
    for (size_t i = 0; errors[i] != NULL; i++) {
        const json_t *error = json_object_get(root, errors[i]);
        bool is_empty = error == NULL || json_is_null(error) || json_is_false(error) ||
                        (json_is_array(error) && json_array_size(error) == 0) ||
                        (json_is_object(error) && json_object_size(error) == 0) ||
                        (json_is_string(error) && json_string_length(error) == 0) ||
                        (json_is_integer(error) && json_integer_value(error) == 0);
        if (!is_empty) {
            return true;
        }
    }
    return false;
}

/* "message": "Invalid credentials" */
static bool message_says_failure(const struct work *w, const json_t *root)
{
    static const char *const names[] = {"message", "msg",  "detail", "reason", "description",
                                        "title",   "text", "info",   NULL};
    for (size_t i = 0; w->is_login_like && names[i] != NULL; i++) {
        const json_t *member = json_object_get(root, names[i]);
        if (json_is_string(member) && json_string_length(member) < BODY_MESSAGE_BYTES &&
            lists_find_phrase(work_lists(w), LIST_failure_phrases,
                              hr_span_str(json_string_value(member)))) {
            return true;
        }
    }
    return false;
}

static bool condition_met(const json_t *root, const struct profile_success *s)
{
    const json_t *member = body_json_member(root, s->json);
    if (member == NULL || json_is_null(member)) {
        return false;
    }
    if (s->json_value == NULL) {
        return !json_is_false(member);
    }
    char *text = json_dumps(member, JSON_ENCODE_ANY | JSON_COMPACT);
    const char *plain = json_is_string(member) ? json_string_value(member) : text;
    bool same = plain != NULL && strcmp(plain, s->json_value) == 0;
    free(text);
    return same;
}

static void check_condition(struct work *w, const json_t *root)
{
    if (w->profile == NULL) {
        return;
    }
    const struct profile_action *a = profile_action_find(w->profile->login, w->profile->login_count,
                                                         w->f->method, w->f->path_template);
    if (a != NULL && a->success.json != NULL) {
        w->json_condition_met = condition_met(root, &a->success);
    }
}

static bool has_word(struct hr_span text, const char *word)
{
    return memmem(text.ptr, text.len, word, strlen(word)) != NULL;
}

/* Is it worth while to parse? Most answers to GET are data. */
static bool may_matter(const struct work *w, struct hr_span text)
{
    if (w->is_login_like || !hr_span_equal(w->x->request.method, HR_SPAN("GET")) ||
        work_may_be_envelope(text) ||
        (w->f->flags & (FACT_LOGIN_PATH | FACT_AUTH_WORD | FACT_USER_QUERY | FACT_REFRESH_GRANT))) {
        return true;
    }
    static const struct {
        enum sign sign; /* of each of the words */
        const char *words[3];
    } hints[] = {
        {SIGN_ERROR,   {"\"error"}                               },
        {SIGN_FALSE,   {"\":false", "\": false"}                 },
        {SIGN_TOKEN,   {"oken\""}                                },
        {SIGN_JWT,     {"jwt\""}                                 },
        {SIGN_SESSION, {"ession\":", "essionId\"", "ession_id\""}},
        {SIGN_ID,      {"\"sid\""}                               },
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(hints); i++) {
        bool possible = (w->signs & SIGN_BIT(hints[i].sign)) != 0;
        for (size_t k = 0; possible && k < HR_ARRAY_LEN(hints[i].words); k++) {
            if (hints[i].words[k] != NULL && has_word(text, hints[i].words[k])) {
                return true;
            }
        }
    }
    return false;
}

static void read_json(struct work *w, struct hr_span text)
{
    struct token_found best = {NULL, 0};
    size_t count = 0;
    const bool may_tell_nobody = work_may_tell_nobody(w, text);
    if (!may_tell_nobody && !may_matter(w, text)) {
        return;
    }
    /* What a profile asks for may be anywhere, and an error in a list. */
    bool is_whole = w->profile != NULL || text.len <= BODY_ENVELOPE_BYTES;
    json_t *root =
        is_whole ? body_parse_json(text) : body_parse_pruned(text, work_text(w, BODY_JSON_BYTES));
    if (root == NULL) {
        return;
    }
    w->f->shape = hr_hash64(hr_span_of("json", 4), json_shape(work_lists(w), root, 0, &count));
    if (json_is_object(root)) {
        check_condition(w, root);
        if (says_failure(w, root) || message_says_failure(w, root)) {
            w->f->flags |= FACT_SAYS_FAILURE;
        }
        work_envelope(w, root);
        if (may_tell_nobody) {
            work_tells_nobody(w, root);
        }
        if ((w->f->flags & FACT_SAYS_FAILURE) && w->code != 0) { /* failures differ by it */
            w->f->shape = hr_hash64(hr_span_of(&w->code, sizeof(w->code)), w->f->shape);
        }
        bool is_csrf = hr_span_find_nocase(w->path, HR_SPAN("csrf")) != SIZE_MAX ||
                       hr_span_find_nocase(w->path, HR_SPAN("xsrf")) != SIZE_MAX;
        const char *named = w->profile != NULL ? profile_token(w, root) : NULL;
        if (named == NULL && takes_body_tokens(w) && !is_csrf && w->f->status < 400) {
            find_token(w, root, 0, &best);
            named = best.value != NULL ? best.value : rpc_token(w, root);
        }
        if (named != NULL) {
            w->f->flags |= FACT_TOKEN_IN_BODY;
            struct hr_span value = hr_arena_copy(w->arena, hr_span_str(named));
            work_token_set(w, TOKEN_BEARER, HR_SPAN("bearer"), value, json_lifetime(root));
            struct token_use *t = work_token(w, TOKEN_BEARER, HR_SPAN("bearer"), 4);
            if (t != NULL) {
                t->flags |= TOKEN_IN_BODY;
            }
        }
    }
    json_decref(root);
}

/* --- HTML ------------------------------------------------------------------------------------- */

static struct hr_span title_of(struct hr_span html)
{
    size_t at = hr_span_find_nocase(hr_span_slice(html, 0, 4096), HR_SPAN("<title"));
    if (at == SIZE_MAX) {
        return (struct hr_span){NULL, 0};
    }
    html = hr_span_slice(html, at, html.len);
    hr_span_cut(&html, '>');
    return hr_span_cut(&html, '<');
}

static void read_html(struct work *w, struct hr_span html)
{
    bool has_password = (w->signs & SIGN_BIT(SIGN_PASSWORD)) &&
                        (has_word(html, "assword") || has_word(html, "ASSWORD"));
    if (has_password || (w->f->flags & FACT_LOGOUT_PATH)) {
        work_forms(w, html);
    }
    work_page_leads(w, html);
    if (w->is_login_like) {
        w->f->shape = hr_hash64(title_of(html), w->f->flags & FACT_LOGIN_FORM);
        /* A page without the form may say it too; pages that say all sorts of things are longer,
         * and come with a cookie where somebody was let in. */
        bool tells = (w->f->flags & FACT_LOGIN_FORM) ||
                     (html.len < 4096 && !(w->f->flags & FACT_RESP_SETS_COOKIE));
        if (tells && lists_find_phrase(work_lists(w), LIST_failure_phrases, html)) {
            w->f->flags |= FACT_SAYS_FAILURE;
        }
    }
}

static void read_text(struct work *w, struct hr_span text)
{
    if (!w->is_login_like) {
        return;
    }
    bool failed =
        lists_find_phrase(work_lists(w), LIST_failure_phrases, hr_span_slice(text, 0, 512));
    w->f->flags |= failed ? FACT_SAYS_FAILURE : 0u;
    w->f->shape = failed ? 2 : 1;
}

/* The tag that ends a page is no sign of another one. */
static uint32_t signs_of(const struct work *w, struct hr_span text, bool is_html, bool is_json)
{
    uint32_t signs = 0;
    struct hr_span first = hr_span_slice(work_without_bom(text), 0, 1);
    bool looks_json = hr_span_equal(first, HR_SPAN("{")) || hr_span_equal(first, HR_SPAN("["));
    if (is_html) {
        struct hr_span page = hr_span_trim(text);
        struct hr_span end = HR_SPAN("</html>");
        page.len -= hr_span_has_suffix_nocase(page, end) ? end.len : 0;
        signs = work_signs(w, SIGNS_OF_HTML, page);
    }
    if (is_json || looks_json) {
        signs |= work_signs(w, SIGNS_OF_JSON, text);
    } else if (!is_html) {
        signs |= work_signs(w, SIGNS_OF_PLAIN, text);
    }
    return signs;
}

void work_response_content(struct work *w, const struct http_message *m,
                           const struct http_content_limits *limits, struct hr_buf *scratch,
                           unsigned *ret_result)
{
    struct http_media_type type;
    struct hr_span text;
    bool has_type = http_media_type_of(m, &type);
    bool is_html = has_type && http_media_type_is_html(&type);
    bool is_json =
        has_type && (strcmp(type.text, "application/json") == 0 ||
                     hr_span_has_suffix_nocase(hr_span_str(type.text), HR_SPAN("+json")));
    w->f->flags |= (is_html ? FACT_RESP_HTML : 0u) | (is_json ? FACT_RESP_JSON : 0u);
    uint64_t type_hash = hr_hash64(hr_span_str(has_type ? type.text : ""), w->f->status / 100);
    bool is_text = !has_type || strcmp(type.text, "text/plain") == 0;
    /* Servers that guess the type call JSON plain text. */
    if (is_text && m->content.len > 0 && m->content.ptr[0] == '{') {
        is_json = true;
        is_text = false;
    }
    bool is_short = work_answer_is_short_text(w, &type) ||
                    (is_text && http_field_find(m, "content-encoding") != NULL);
    is_text = is_text && (w->is_login_like || owner_wants_text(w));
    if (m->content.len > 0 && (is_html || is_json || is_text || is_short)) {
        *ret_result = http_content_decode(m, limits, scratch, &text);
        if (*ret_result != HTTP_CONTENT_UNDECODABLE && text.len > 0) {
            w->signs = signs_of(w, text, is_html, is_json);
            work_answer(w, &type, text, *ret_result == HTTP_CONTENT_WHOLE);
            if (is_html) {
                read_html(w, text);
            } else if (is_json) {
                read_json(w, text);
            } else if (is_text) {
                read_text(w, text);
            }
            if (is_html || is_json || is_text) {
                owner_response(w,
                               is_html   ? OWNER_HTML
                               : is_json ? OWNER_JSON
                                         : OWNER_PLAIN,
                               text, *ret_result == HTTP_CONTENT_WHOLE && m->complete);
            }
        }
    }
    w->f->shape = hr_hash64(hr_span_of(&type_hash, sizeof(type_hash)), w->f->shape);
    w->f->shape = w->form_target != 0 ? w->form_target : w->f->shape;
}
