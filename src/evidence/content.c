#include "evidence/content.h"

#include "base/alloc.h"

/* Parts of names: of passwords, and of what else lets somebody in or tells who somebody is. */
static const char *const whole_names[] = {"pass", "pwd", "secret", "pin", "otp", "kennwort", "mfa"};
static const char *const secret_names[] = {
    "token", "sess", "sid",  "auth", "key", "code",  "user",   "login", "mail",
    "acc",   "name", "csrf", "xsrf", "jwt", "nonce", "ticket", "state", "phone",
};

static bool has_any(struct hr_span name, const char *const *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (hr_span_find_nocase(name, hr_span_str(parts[i])) != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

enum word_care content_care_of(struct hr_span name)
{
    if (has_any(name, whole_names, HR_ARRAY_LEN(whole_names))) {
        return WORD_WHOLE;
    }
    return has_any(name, secret_names, HR_ARRAY_LEN(secret_names)) ? WORD_SECRET : WORD_VALUE;
}

bool content_is_text(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static size_t find_any(const char *text, size_t len, const char *set)
{
    size_t i = 0;
    while (i < len && (text[i] == '\0' || strchr(set, text[i]) == NULL)) {
        i++;
    }
    return i;
}

/* A name alone may be a value as well. */
static void replace_pair(struct disguise *w, char *text, size_t len)
{
    size_t name = find_any(text, len, "=");
    if (name == len) {
        disguise_text(w, text, len, WORD_URL, WORD_VALUE);
        return;
    }
    enum word_care care = content_care_of(hr_span_of(text, name));
    disguise_names(w, text, name, WORD_URL);
    disguise_text(w, text + name + 1, len - name - 1, WORD_URL, care);
}

void content_replace_form(struct disguise *w, char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t n = find_any(text + at, len - at, "&\r\n");
        replace_pair(w, text + at, n);
        at += n + 1;
    }
}

/* Segments, and parameters of segments: ;jsessionid=... */
static void replace_path(struct disguise *w, char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t n = find_any(text + at, len - at, "/;");
        bool is_parameter = at > 0 && text[at - 1] == ';';
        size_t equals = find_any(text + at, n, "=");
        if (is_parameter && equals < n) {
            disguise_text(w, text + at + equals + 1, n - equals - 1, WORD_URL, WORD_SECRET);
        } else {
            disguise_names(w, text + at, n, WORD_URL);
        }
        at += n + 1;
    }
}

/* Behind the scheme: userinfo, then a host. @return how long that is */
static size_t replace_authority(struct disguise *w, char *text, size_t len)
{
    size_t n = find_any(text, len, "/?#");
    size_t user = find_any(text, n, "@");
    if (user < n) {
        disguise_text(w, text, user, WORD_URL, WORD_WHOLE);
    } else {
        user = 0;
    }
    disguise_text(w, text + user, n - user, WORD_PLAIN, WORD_KEEP);
    return n;
}

void content_replace_url(struct disguise *w, char *text, size_t len)
{
    size_t scheme = find_any(text, len, ":/?#");
    size_t at = 0;
    if (len - scheme >= 3 && memcmp(text + scheme, "://", 3) == 0) {
        at = scheme + 3;
        at += replace_authority(w, text + at, len - at);
    } else if (len >= 2 && memcmp(text, "//", 2) == 0) {
        at = 2 + replace_authority(w, text + 2, len - 2);
    } else if (scheme < len && text[scheme] == ':') { /* mailto:, data: */
        disguise_text(w, text, len, WORD_URL, WORD_VALUE);
        return;
    }
    size_t path = find_any(text + at, len - at, "?#");
    replace_path(w, text + at, path);
    at += path;
    if (at < len && text[at] == '?') {
        at++;
        size_t query = find_any(text + at, len - at, "#");
        content_replace_form(w, text + at, query);
        at += query;
    }
    disguise_text(w, text + at, len - at, WORD_URL, WORD_VALUE);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static size_t string_end(const char *text, size_t len, size_t at)
{
    while (at < len && text[at] != '"') {
        at += text[at] == '\\' && at + 1 < len ? 2 : 1;
    }
    return at < len ? at : len;
}

static bool is_key(const char *text, size_t len, size_t end)
{
    size_t at = end + 1;
    while (at < len &&
           (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')) {
        at++;
    }
    return at < len && text[at] == ':';
}

static bool is_literal(struct hr_span word)
{
    return hr_span_equal(word, HR_SPAN("true")) || hr_span_equal(word, HR_SPAN("false")) ||
           hr_span_equal(word, HR_SPAN("null"));
}

/* Tokens are looked at as they come; what is no JSON is replaced as values are. */
void content_replace_json(struct disguise *w, char *text, size_t len)
{
    enum word_care care = WORD_VALUE;
    for (size_t at = 0; at < len;) {
        if (text[at] != '"') {
            size_t n = find_any(text + at, len - at, "\",:{}[] \t\r\n");
            if (!is_literal(hr_span_of(text + at, n))) {
                disguise_text(w, text + at, n, WORD_PLAIN, care == WORD_WHOLE ? WORD_SECRET : care);
            }
            at += n > 0 ? n : 1;
            continue;
        }
        size_t end = string_end(text, len, at + 1);
        if (is_key(text, len, end)) {
            care = content_care_of(hr_span_of(text + at + 1, end - at - 1));
            disguise_names(w, text + at + 1, end - at - 1, WORD_JSON);
        } else {
            disguise_text(w, text + at + 1, end - at - 1, WORD_JSON, care);
        }
        at = end + 1;
    }
}

/* --- markup ----------------------------------------------------------------------------------- */

static bool is_one_of(struct hr_span name, const char *const *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (hr_span_equal_nocase(name, hr_span_str(all[i]))) {
            return true;
        }
    }
    return false;
}

static void replace_attribute(struct disguise *w, struct hr_span name, char *value, size_t len)
{
    static const char *const urls[] = {"href", "src", "action", "formaction", "poster"};
    static const char *const kept[] = {"type", "method", "name",    "rel",        "charset",
                                       "lang", "for",    "enctype", "http-equiv", "autocomplete"};
    if (is_one_of(name, urls, HR_ARRAY_LEN(urls))) {
        content_replace_url(w, value, len);
    } else if (is_one_of(name, kept, HR_ARRAY_LEN(kept))) {
        disguise_names(w, value, len, WORD_PLAIN);
    } else {
        disguise_text(w, value, len, WORD_PLAIN, WORD_VALUE);
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '/';
}

/* Behind '<'. @return where the tag ends */
static size_t replace_tag(struct disguise *w, char *text, size_t len)
{
    size_t at = find_any(text, len, " \t\r\n>");
    disguise_names(w, text, at, WORD_PLAIN);
    while (at < len && text[at] != '>') {
        if (is_space(text[at])) {
            at++;
            continue;
        }
        size_t name = find_any(text + at, len - at, "= \t\r\n>");
        struct hr_span name_span = hr_span_of(text + at, name);
        at += name > 0 ? name : 1;
        if (at >= len || text[at] != '=') {
            disguise_names(w, text + at - (name > 0 ? name : 1), name, WORD_PLAIN);
            continue;
        }
        at++;
        bool is_quoted = at < len && (text[at] == '"' || text[at] == '\'');
        char quote[2] = {is_quoted ? text[at] : '>', '\0'};
        at += is_quoted;
        size_t n = find_any(text + at, len - at, is_quoted ? quote : " \t\r\n>");
        replace_attribute(w, name_span, text + at, n);
        at += n + (is_quoted && at + n < len);
    }
    return at < len ? at : len;
}

static bool begins(const char *text, size_t len, struct hr_span word)
{
    return hr_span_has_prefix_nocase(hr_span_of(text, len), word);
}

void content_replace_markup(struct disguise *w, char *text, size_t len)
{
    bool is_code = false; /* in a script or a style: no tags but its end */
    for (size_t at = 0; at < len;) {
        bool is_end = begins(text + at, len - at, HR_SPAN("</script")) ||
                      begins(text + at, len - at, HR_SPAN("</style"));
        bool is_tag =
            text[at] == '<' && at + 1 < len && (!is_code || is_end) &&
            ((text[at + 1] | 0x20) >= 'a' ? (text[at + 1] | 0x20) <= 'z' : text[at + 1] == '/');
        if (is_tag) {
            is_code = begins(text + at, len - at, HR_SPAN("<script")) ||
                      begins(text + at, len - at, HR_SPAN("<style"));
            at++;
            at += replace_tag(w, text + at, len - at);
            continue;
        }
        size_t n = 1 + find_any(text + at + 1, len - at - 1, "<");
        disguise_text(w, text + at, n, WORD_PLAIN, WORD_VALUE);
        at += n;
    }
}
