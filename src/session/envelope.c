/*
 * JSON that says by its members what other servers say by the status code: {"code": 401, "msg":
 * "please sign in"}. Such answers are short: there is nothing to be said besides. With 403, which
 * some frameworks give to all, only such words tell who is not signed in from who lacks rights.
 */
#include "base/alloc.h"
#include "session/owner.h"
#include "session/work.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE_BYTES ((size_t)100) /* a longer text is somebody's text */
#define MEMBERS_MAX ((size_t)8)
#define CODE_BYTES ((size_t)40)
#define ERROR_DEPTH 2
#define NOBODY_BYTES ((size_t)200)

/* What is said at the top of an answer. */
struct envelope {
    bool fails;      /* a code that no answer has that went well */
    bool denies;     /* a code that stands for 401, in words or as a number */
    bool tells;      /* a message that asks to sign in */
    bool has_text;   /* any message at all */
    bool has_answer; /* something else: what was asked for */
    uint64_t code;   /* the last one, of whatever meaning; 0 none */
};

static bool is_one_of(struct hr_span name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (hr_span_equal_nocase(name, hr_span_str(*names))) {
            return true;
        }
    }
    return false;
}

/* What stands in envelopes besides, without saying anything. */
static bool is_aside(struct hr_span name)
{
    static const char *const names[] = {
        "timestamp", "time",       "ts",      "path",       "traceid",     "trace_id",
        "requestid", "request_id", "version", "login_url",  "redirect",    "url",
        "jsonrpc",   "loginurl",   "logid",   "servertime", "server_time", NULL};
    return is_one_of(name, names);
}

static bool is_empty(const json_t *value)
{
    return json_is_null(value) || json_is_boolean(value) ||
           (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

bool work_may_be_envelope(struct hr_span text)
{
    static const char *const names[] = {"ode\"",   "sg\"",  "age\"",    "rrno\"",
                                        "tatus\"", "\"ret", "\"detail", "rrors\""};
    bool found = false;
    for (size_t i = 0; !found && text.len <= BODY_ENVELOPE_BYTES && i < HR_ARRAY_LEN(names); i++) {
        found = memmem(text.ptr, text.len, names[i], strlen(names[i])) != NULL;
    }
    return found;
}

/* The number of a code, also if it is written as a text; 0 where it is none. */
static long long number_of(const json_t *value)
{
    if (json_is_integer(value)) {
        return json_integer_value(value);
    }
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    char *end;
    long long n = strtoll(text, &end, 10);
    return end != text && *end == '\0' ? n : 0;
}

/* "NOT_LOGGED_IN" */
static bool word_denies(const struct work *w, const json_t *value)
{
    char text[CODE_BYTES];
    size_t len = json_string_length(value);
    if (len >= sizeof(text)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        const char c = json_string_value(value)[i];
        text[i] = c == '_' || c == '-' ? ' ' : c;
    }
    return lists_find_phrase(work_lists(w), LIST_denial_phrases, hr_span_of(text, len));
}

static void read_code(const struct work *w, const json_t *value, struct envelope *e)
{
    const long long n = number_of(value);
    const bool denies = n == 401 || (n >= 40100 && n <= 40199) ||
                        (n == 0 && json_is_string(value) && word_denies(w, value));
    e->denies = e->denies || denies;
    e->code = n != 0                  ? (uint64_t)n
              : json_is_string(value) ? hr_hash64(hr_span_str(json_string_value(value)), 41)
                                      : e->code;
    e->fails = e->fails || denies || n < 0 || (n >= 400 && n < 600) || (n >= 40000 && n < 60000);
}

static void read_message(const struct work *w, const json_t *value, struct envelope *e)
{
    struct hr_span text = hr_span_of(json_string_value(value), json_string_length(value));
    e->has_text = e->has_text || text.len > 0;
    e->tells = e->tells || (text.len <= MESSAGE_BYTES &&
                            lists_find_phrase(work_lists(w), LIST_denial_phrases, text));
}

/* {"error": {"code": 401, ...}} of JSON-RPC, {"errors": [{"message": ..., "extensions": {"code":
 * ...}}]} of GraphQL: the first error. @return NULL where the member is none */
static json_t *error_of(struct hr_span name, json_t *member)
{
    static const char *const names[] = {"error", "errors", "extensions"};
    json_t *one = json_is_array(member) ? json_array_get(member, 0) : member;
    for (size_t i = 0; json_is_object(one) && i < HR_ARRAY_LEN(names); i++) {
        if (hr_span_equal(name, hr_span_str(names[i]))) {
            return one;
        }
    }
    return NULL;
}

/* {"errors": ["You need to be logged in to do that."]}: the first of them. */
static const json_t *message_of(struct hr_span name, const json_t *member)
{
    const json_t *one = json_is_array(member) ? json_array_get(member, 0) : NULL;
    return json_is_string(one) && hr_span_equal(name, HR_SPAN("errors")) ? one : NULL;
}

// NOLINTNEXTLINE(misc-no-recursion): ERROR_DEPTH levels
static void read_members(const struct work *w, json_t *root, unsigned depth, struct envelope *e)
{
    const char *key;
    json_t *member;
    json_object_foreach(root, key, member)
    {
        struct hr_span name = hr_span_str(key);
        json_t *error = depth < ERROR_DEPTH ? error_of(name, member) : NULL;
        if (error != NULL) {
            e->fails = true;
            read_members(w, error, depth + 1, e);
            continue;
        }
        if (message_of(name, member) != NULL) {
            e->fails = true;
            read_message(w, message_of(name, member), e);
            continue;
        }
        const bool is_code = lists_find(work_lists(w), LIST_code_members, name) != 0;
        const bool is_message =
            json_is_string(member) && (lists_find(work_lists(w), LIST_message_members, name) != 0 ||
                                       (depth > 0 && hr_span_equal(name, HR_SPAN("data"))));
        const bool is_scalar = !json_is_object(member) && !json_is_array(member);
        const bool is_rpc_id =
            hr_span_equal(name, HR_SPAN("id")) && json_object_get(root, "jsonrpc") != NULL;
        e->has_answer = e->has_answer || (depth == 0 && !is_empty(member) && !is_aside(name) &&
                                          !is_rpc_id && !((is_code || is_message) && is_scalar));
        if (is_code) {
            read_code(w, member, e);
        }
        if (is_message) {
            read_message(w, member, e);
        }
    }
}

/* What a session's own page has of its user. */
static bool is_users_object(struct hr_span name)
{
    static const char *const names[] = {"user",      "me",           "viewer",
                                        "principal", "currentuser",  "current_user",
                                        "identity",  "loggedinuser", NULL};
    return is_one_of(name, names);
}

static bool says_whether_signed_in(struct hr_span name)
{
    static const char *const names[] = {"authenticated",
                                        "isauthenticated",
                                        "is_authenticated",
                                        "loggedin",
                                        "logged_in",
                                        "isloggedin",
                                        "is_logged_in",
                                        "signedin",
                                        "issignedin",
                                        "is_signed_in",
                                        NULL};
    return is_one_of(name, names);
}

bool work_may_tell_nobody(struct work *w, struct hr_span text)
{
    return text.len <= NOBODY_BYTES && w->f->status / 100 == 2 &&
           hr_span_equal(w->x->request.method, HR_SPAN("GET")) && told_is_asked(w);
}

void work_tells_nobody(struct work *w, const json_t *root)
{
    const char *key;
    json_t *member;
    bool tells = json_object_size(root) == 0 &&
                 hr_span_has_suffix_nocase(w->path, HR_SPAN("/session")); /* NextAuth */
    bool has_answer = false;
    json_object_foreach((json_t *)root, key, member)
    {
        const struct hr_span name = hr_span_str(key);
        tells = tells || (json_is_null(member) && is_users_object(name)) ||
                (json_is_false(member) && says_whether_signed_in(name));
        has_answer = has_answer || !(is_empty(member) || is_aside(name));
    }
    if (tells && !has_answer) {
        w->f->flags |= FACT_SAYS_FAILURE | FACT_LOCATION_LOGIN;
    }
}

void work_envelope(struct work *w, json_t *root)
{
    size_t count = json_object_size(root);
    const bool is_forbidden = w->f->status == 403; /* which most often speaks of rights */
    if (((w->f->status < 200 || w->f->status >= 300) && !is_forbidden) || count == 0 ||
        count > MEMBERS_MAX) {
        return;
    }
    struct envelope e = {.code = 0};
    read_members(w, root, 0, &e);
    w->code = e.code;
    if (e.has_answer || !(e.fails || e.tells)) {
        return;
    }
    const bool tells =
        e.tells && !(w->f->flags & FACT_LOGOUT_PATH); /* "signed out, please log in" */
    if (tells || (e.denies && !is_forbidden && (e.has_text || count <= 2))) {
        w->f->flags |= FACT_SAYS_FAILURE | FACT_LOCATION_LOGIN;
    } else if (e.fails && (e.has_text || count <= 2)) {
        w->f->flags |= FACT_SAYS_FAILURE;
    }
}
