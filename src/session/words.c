#include "session/words.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "session/facts.h"

#include <stdlib.h>
#include <string.h>

#define WORD_SLOTS 2048u
#define WORD_BYTES 40
#define PATH_SLOTS 2048u
#define PATH_BYTES 88

struct word_slot {
    uint8_t len; /* 0: empty */
    char name[WORD_BYTES];
    struct word word;
};

struct path_slot {
    uint8_t len; /* 0: empty */
    bool is_get;
    char path[PATH_BYTES];
    uint32_t flags;
};

/* One entry a slot: a newer one takes an older one's place. */
struct words {
    struct lists *lists;
    struct word_slot words[WORD_SLOTS];
    struct path_slot paths[PATH_SLOTS];
};

struct words *words_create(void)
{
    struct words *w = hr_xcalloc(1, sizeof(*w));
    w->lists = lists_create();
    return w;
}

void words_destroy(struct words *w)
{
    if (w == NULL) {
        return;
    }
    lists_destroy(w->lists);
    hr_wipe(w, sizeof(*w)); /* a path may have held a token */
    free(w);
}

const struct lists *words_lists(const struct words *w)
{
    return w->lists;
}

static bool is_one_of(struct hr_span name, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (hr_span_equal_nocase(name, hr_span_str(*list))) {
            return true;
        }
    }
    return false;
}

/* "__Host-sid" and "__Secure-sid" are judged as "sid". */
static uint32_t cookie_bits(const struct lists *l, struct hr_span name)
{
    if (hr_span_has_prefix_nocase(name, HR_SPAN("__Host-"))) {
        name = hr_span_slice(name, 7, name.len);
    } else if (hr_span_has_prefix_nocase(name, HR_SPAN("__Secure-"))) {
        name = hr_span_slice(name, 9, name.len);
    }
    uint32_t bits = lists_find(l, LIST_affinity_names, name) != 0 ? WORD_AFFINITY : 0;
    if (lists_find(l, LIST_remember_me, name) != 0) {
        return bits | WORD_REMEMBER;
    }
    if (lists_find(l, LIST_not_a_session, name) != 0) {
        return bits | WORD_NOT_A_SESSION;
    }
    bits |= lists_find(l, LIST_script_cookies, name) != 0 ? WORD_SCRIPT : 0;
    return bits | (lists_find(l, LIST_session_names, name) != 0 ? WORD_SESSION : 0);
}

static uint32_t password_bits(const struct lists *l, struct hr_span name)
{
    static const char *const weak[] = {"new", "old", "confirm", "current", NULL};
    if (lists_find(l, LIST_new_password_fields, name) != 0) {
        return is_one_of(name, weak) ? WORD_NEW_PASSWORD_WEAK : WORD_NEW_PASSWORD;
    }
    return lists_find(l, LIST_password_fields, name) != 0 ? WORD_PASSWORD : 0;
}

static uint32_t token_bits(const struct lists *l, struct hr_span name)
{
    static const char *const generic[] = {"token", "session", "sess", "s", "jwt", "bearer", NULL};
    uint32_t bits = lists_find(l, LIST_token_headers, name) != 0 ? WORD_TOKEN_HEADER : 0;
    if (lists_find(l, LIST_token_parameters, name) != 0) {
        bits |= WORD_TOKEN_PARAMETER | (is_one_of(name, generic) ? WORD_TOKEN_GENERIC : 0u);
    }
    return bits;
}

static uint32_t field_bits(const struct lists *l, struct hr_span name)
{
    uint32_t bits = lists_find(l, LIST_request_ids, name) != 0 ? WORD_REQUEST_ID | WORD_PASSING : 0;
    bits |= lists_find(l, LIST_forwarded_fields, name) != 0 ? WORD_FORWARDED | WORD_PASSING : 0u;
    return bits | (lists_find(l, LIST_passing_fields, name) != 0 ? WORD_PASSING : 0u);
}

static struct word judge(const struct lists *l, struct hr_span name)
{
    static const char *const cache[] = {
        "age",          "x-cache",        "x-cache-status",  "x-proxy-cache", "cf-cache-status",
        "x-cache-hits", "x-drupal-cache", "x-varnish-cache", "cache-status",  NULL};
    struct word word = {0};
    size_t user = lists_find(l, LIST_user_fields, name);
    size_t parameter = lists_find(l, LIST_user_parameters, name);
    word.user_field = (uint8_t)(user < UINT8_MAX ? user : UINT8_MAX);
    word.user_parameter = (uint8_t)(parameter < UINT8_MAX ? parameter : UINT8_MAX);
    word.action = (uint8_t)lists_find(l, LIST_action_parameters, name);
    word.page = (uint8_t)lists_find(l, LIST_page_parameters, name);
    word.place = (uint8_t)lists_find(l, LIST_place_parameters, name);
    word.bits = cookie_bits(l, name) | password_bits(l, name) | token_bits(l, name);
    if (name.len > 0 && name.ptr[0] != '_' && lists_find(l, LIST_code_fields, name) != 0) {
        word.bits |= WORD_CODE; /* "_token" is CSRF */
    }
    if (is_one_of(name, cache)) {
        word.bits |= WORD_CACHE;
    }
    word.bits |= field_bits(l, name);
    word.bits |= lists_find_path(l, LIST_logout_paths, name, 0) ? WORD_LOGOUT : 0u;
    if (parameter != 0 || lists_find(l, LIST_credential_parameters, name) != 0 ||
        (word.bits & (WORD_TOKEN_PARAMETER | WORD_PASSWORD | WORD_NEW_PASSWORD))) {
        word.bits |= WORD_SECRET;
    }
    return word;
}

/* Only chooses a slot: eight bytes at a time. */
static size_t slot_hash(struct hr_span name)
{
    const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = name.len;
    uint64_t eight = 0;
    size_t i = 0;
    for (; i + 8 <= name.len; i += 8) {
        memcpy(&eight, name.ptr + i, 8);
        hash = (hash ^ eight) * k;
        hash ^= hash >> 32;
    }
    eight = 0;
    memcpy(&eight, name.ptr + i, name.len - i);
    hash = (hash ^ eight) * k;
    return (size_t)(hash >> 40);
}

struct word words_find(struct words *w, struct hr_span name)
{
    if (name.len == 0) {
        return (struct word){0};
    }
    if (name.len > WORD_BYTES) {
        return judge(w->lists, name);
    }
    struct word_slot *s = &w->words[slot_hash(name) % WORD_SLOTS];
    if (s->len != name.len || memcmp(s->name, name.ptr, name.len) != 0) {
        s->word = judge(w->lists, name);
        s->len = (uint8_t)name.len;
        memcpy(s->name, name.ptr, name.len);
    }
    return s->word;
}

/* --- paths ------------------------------------------------------------------------------------ */

bool words_is_static(const struct lists *l, struct hr_span path)
{
    size_t last = path.len;
    while (last > 0 && path.ptr[last - 1] != '.' && path.ptr[last - 1] != '/') {
        last--;
    }
    return last > 1 && path.ptr[last - 1] == '.' &&
           lists_find(l, LIST_static_endings, hr_span_slice(path, last, path.len)) != 0;
}

bool words_is_special(const struct lists *l, struct hr_span path)
{
    const size_t colon = hr_span_find(path, ':');
    size_t start = colon == SIZE_MAX ? 0 : colon;
    while (start > 0 && path.ptr[start - 1] != '/') {
        start--;
    }
    return colon != SIZE_MAX &&
           lists_find(l, LIST_special_namespaces, hr_span_slice(path, start, colon)) != 0;
}

/* A method of an object, a page of a wiki's own: "/api/auth.logout" is judged as
 * "/api/auth/logout",
 * "/wiki/Special:UserLogin" as "/wiki/Special/UserLogin". */
static uint32_t judge_points(const struct lists *l, struct hr_span path)
{
    char text[PATH_BYTES];
    const bool is_special = words_is_special(l, path);
    if (path.len > sizeof(text) || (hr_span_find(path, '.') == SIZE_MAX && !is_special)) {
        return 0;
    }
    for (size_t i = 0; i < path.len; i++) {
        const char c = path.ptr[i];
        text[i] = c == '.' || (c == ':' && is_special) ? '/' : c;
    }
    path = hr_span_of(text, path.len);
    return lists_find_path(l, LIST_logout_paths, path, 0)  ? FACT_LOGOUT_PATH
           : lists_find_path(l, LIST_login_pages, path, 0) ? FACT_LOGIN_PATH
                                                           : 0;
}

static uint32_t judge_path(const struct lists *l, struct hr_span path, bool is_get)
{
    uint32_t flags = words_is_static(l, path) ? FACT_STATIC_PATH : judge_points(l, path);
    if (flags & (FACT_LOGIN_PATH | FACT_LOGOUT_PATH)) {
        /* "auth.logout" is no "auth" with an ending */
    } else if (lists_find_path(l, LIST_logout_paths, path, 0)) {
        flags |= FACT_LOGOUT_PATH;
    } else if (lists_find_path(l, LIST_login_pages, path, 0) ||
               (!is_get && lists_find_path(l, LIST_login_paths, path, 0))) {
        flags |= FACT_LOGIN_PATH;
    } else if (lists_find_path(l, LIST_registration_paths, path, 0)) {
        flags |= FACT_REGISTER_PATH;
    } else if (lists_find_path(l, LIST_password_paths, path, 1)) {
        flags |= FACT_PASSWORD_PATH;
    }
    if (lists_find_path_word(l, LIST_auth_words, path)) {
        flags |= FACT_AUTH_WORD;
        if (hr_span_find_nocase(path, HR_SPAN("refresh")) != SIZE_MAX) {
            flags |= FACT_REFRESH_GRANT;
        }
    }
    return flags;
}

uint32_t words_find_path(struct words *w, struct hr_span path, bool is_get)
{
    if (path.len == 0 || path.len > PATH_BYTES) {
        return judge_path(w->lists, path, is_get);
    }
    struct path_slot *s = &w->paths[(slot_hash(path) + is_get) % PATH_SLOTS];
    if (s->len != path.len || s->is_get != is_get || memcmp(s->path, path.ptr, path.len) != 0) {
        s->flags = judge_path(w->lists, path, is_get);
        s->is_get = is_get;
        s->len = (uint8_t)path.len;
        memcpy(s->path, path.ptr, path.len);
    }
    return s->flags;
}
