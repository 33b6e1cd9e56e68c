/*
 * Does a text hold a secret somewhere? It is looked at as sent and percent-decoded, for addresses
 * carry addresses. A secret is a known token between separators (all but letters and digits
 * separate), or what stands behind the name of a credential: "password=...", "\"token\":...".
 * What would take too long to look through counts as secret.
 */
#include "session/work.h"

#define TOKEN_BYTES_MIN 8
#define TEXT_BYTES_MAX 8192
#define DECODINGS_MAX 3
#define NAME_BYTES_MAX 64
#define BOUNDARIES_AHEAD 256
#define STEPS_LIMIT 100000 /* of one exchange */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_separator(char c)
{
    char lower = hr_ascii_lower(c);
    return !is_digit(c) && !(lower >= 'a' && lower <= 'z');
}

/* A part of a text is only taken for a token where it is no plain word: cookies hold such as well.
 */
static bool is_no_word(struct hr_span part)
{
    bool upper = false;
    bool lower = false;
    for (size_t i = 0; i < part.len; i++) {
        char c = part.ptr[i];
        if (is_digit(c)) {
            return true;
        }
        upper = upper || (c >= 'A' && c <= 'Z');
        lower = lower || (c >= 'a' && c <= 'z');
    }
    return upper && lower;
}

static bool is_known_part(struct work *w, struct hr_span part, bool random_only)
{
    w->secret_steps += part.len / 4;
    return work_is_known_token(w, part) &&
           (random_only ? text_is_random(part) || text_is_jwt(part) : is_no_word(part));
}

/* Boundaries stand before and behind each separator, and at both ends. */
static size_t find_boundaries(struct hr_span text, uint16_t at[TEXT_BYTES_MAX + 1])
{
    size_t count = 0;
    bool before = true;
    for (size_t i = 0; i < text.len; i++) {
        bool separates = is_separator(text.ptr[i]);
        if (before || separates) {
            at[count++] = (uint16_t)i;
        }
        before = separates;
    }
    at[count++] = (uint16_t)text.len;
    return count;
}

static bool holds_known_token(struct work *w, struct hr_span text, bool random_only)
{
    uint16_t at[TEXT_BYTES_MAX + 1];
    size_t longest = work_longest_token(w);
    if (text.len < TOKEN_BYTES_MIN || longest == 0) {
        return false;
    }
    size_t count = find_boundaries(text, at);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = i + 1; k < count && k <= i + BOUNDARIES_AHEAD; k++) {
            size_t len = (size_t)at[k] - at[i];
            if (len > longest) {
                break;
            }
            w->secret_steps++;
            if (len >= TOKEN_BYTES_MIN &&
                is_known_part(w, hr_span_slice(text, at[i], at[k]), random_only)) {
                return true;
            }
        }
        if (w->secret_steps > STEPS_LIMIT) {
            return true;
        }
    }
    return false;
}

static bool is_name_char(char c)
{
    return !is_separator(c) || c == '_' || c == '-' || c == '.' || c == '[' || c == ']' ||
           c == '$' || c == '%';
}

/* The name that ends before the position. */
static struct hr_span name_before(struct hr_span text, size_t end)
{
    size_t start = end;
    while (start > 0 && end - start < NAME_BYTES_MAX && is_name_char(text.ptr[start - 1])) {
        start--;
    }
    return hr_span_slice(text, start, end);
}

static bool holds_credential(struct work *w, struct hr_span text)
{
    for (size_t i = 1; i + 1 < text.len; i++) {
        char c = text.ptr[i];
        char next = text.ptr[i + 1];
        bool quoted = c == ':' && text.ptr[i - 1] == '"';
        if ((c != '=' && !quoted) || next == '&' || next == ';' || next == '#') {
            continue;
        }
        struct hr_span name = name_before(text, quoted ? i - 1 : i);
        w->secret_steps += 20;
        if (w->secret_steps > STEPS_LIMIT || (name.len > 0 && work_is_secret_name(w, name))) {
            return true;
        }
    }
    return false;
}

bool work_holds_secret(struct work *w, struct hr_span raw)
{
    struct hr_span text = raw;
    for (size_t i = 0;; i++) {
        if (text.len > TEXT_BYTES_MAX || holds_known_token(w, text, false) ||
            holds_credential(w, text)) {
            return true;
        }
        struct hr_span decoded = http_decode(w->arena, text, true);
        if (hr_span_equal(decoded, text)) {
            return false;
        }
        if (i == DECODINGS_MAX) {
            return true;
        }
        text = decoded;
    }
}

bool work_host_holds_token(struct work *w, struct hr_span host)
{
    w->secret_steps = 0; /* a long target leaves its host as it is */
    if (w->plain_host.ptr != NULL && hr_span_equal(host, w->plain_host)) {
        return false;
    }
    const bool holds = host.len > TEXT_BYTES_MAX || holds_known_token(w, host, true);
    w->plain_host = holds ? w->plain_host : host;
    return holds;
}
