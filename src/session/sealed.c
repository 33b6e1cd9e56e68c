/*
 * Cookies of frameworks that keep the whole session in the browser, signed or encrypted, beside
 * those of the standards (text_is_jwt()): known by what stands at fixed places of them.
 */
#include "session/values.h"

#include <string.h>

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static size_t hex_run(struct hr_span s)
{
    size_t n = 0;
    while (n < s.len && is_hex(s.ptr[n])) {
        n++;
    }
    return n;
}

static bool has(struct hr_span s, const char *text)
{
    return hr_span_find_nocase(s, hr_span_str(text)) < s.len;
}

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == '\0'  ? NULL
                     : c == '-' ? digits + 62
                     : c == '_' ? digits + 63
                                : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits);
}

size_t text_base64(struct hr_span coded, unsigned char *bytes, size_t cap)
{
    unsigned bits = 0;
    unsigned value = 0;
    size_t len = 0;
    for (size_t i = 0; i < coded.len && len < cap && base64_value(coded.ptr[i]) >= 0; i++) {
        value = (value << 6 | (unsigned)base64_value(coded.ptr[i])) & 0xffffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[len++] = (unsigned char)(value >> bits & 0xff);
        }
    }
    return len;
}

/* Tornado: 2|1:0|10:TIME|4:NAME|8:VALUE|SIGNATURE */
static bool is_of_tornado(struct hr_span s)
{
    return hr_span_has_prefix(s, HR_SPAN("2|1:")) && has(s, "|10:") && s.len > 64 &&
           hex_run(hr_span_slice(s, s.len - 64, s.len)) == 64;
}

/* mod_auth_tkt and its kin: digest and time in hexadecimal, then the user, ! and more */
static bool is_ticket(struct hr_span s)
{
    static const size_t digests[] = {32, 64, 128};
    size_t run = hex_run(s);
    size_t mark = hr_span_find(s, '!');
    bool fits = false;
    for (size_t i = 0; i < sizeof(digests) / sizeof(*digests); i++) {
        size_t at = digests[i]; /* times of 2021 and later begin with 6 or 7 */
        fits = fits || (run >= at + 8 && (s.ptr[at] == '6' || s.ptr[at] == '7') && mark > at + 8);
    }
    return fits && (mark < s.len || has(s, "%21"));
}

/* JSON in Base64 that names somebody: cookie-session, koa-session. Others hold a number only. */
static bool is_json_of_user(struct hr_span s)
{
    static const char *const names[] = {"\"user", "\"passport\"", "\"uid\"", "\"email\"",
                                        "\"login\""};
    unsigned char bytes[768];
    if (!hr_span_has_prefix(s, HR_SPAN("eyJ"))) {
        return false;
    }
    struct hr_span json = hr_span_of(bytes, text_base64(s, bytes, sizeof(bytes)));
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (has(json, names[i])) {
            return true;
        }
    }
    return false;
}

/* Mojolicious, Rails with JSON: eyJ..., two dashes and a signature */
static bool is_signed_json(struct hr_span s)
{
    static const size_t signatures[] = {40, 64};
    for (size_t i = 0; i < sizeof(signatures) / sizeof(*signatures); i++) {
        size_t at = s.len - signatures[i];
        if (s.len > signatures[i] + 20 && memcmp(s.ptr + at - 2, "--", 2) == 0 &&
            hex_run(hr_span_slice(s, at, s.len)) == signatures[i]) {
            return hr_span_has_prefix(s, HR_SPAN("eyJ")) &&
                   !hr_span_has_prefix(s, HR_SPAN("eyJfcmFpbHMi")); /* may be a number only */
        }
    }
    return false;
}

/* secure-session of Fastify: what was encrypted, a semicolon, and 24 bytes that were used once */
static bool is_secret_box(struct hr_span s)
{
    size_t chars = 0;
    size_t i = s.len;
    while (i > 0 && s.ptr[i - 1] != ';' && chars <= 32) {
        if (i > 2 && s.ptr[i - 3] == '%') {
            if (memcmp(s.ptr + i - 3, "%3B", 3) == 0) {
                i -= 2;
                break;
            }
            i -= 2;
        }
        i--;
        chars++;
    }
    return chars == 32 && i > 40 && hr_span_find(s, '.') == SIZE_MAX &&
           hr_span_find(s, ' ') == SIZE_MAX;
}

/* A map that gorilla/securecookie keeps: TIME|BASE64|... in Base64, and what Go's gob begins a map
 * with. The stores of its sessions keep only a number there, a string. */
static bool is_of_gorilla(struct hr_span s)
{
    unsigned char outer[24];
    unsigned char inner[3];
    if (!hr_span_has_prefix(s, HR_SPAN("MT")) || text_base64(s, outer, sizeof(outer)) < 18 ||
        outer[10] != '|') {
        return false;
    }
    for (size_t i = 0; i < 10; i++) {
        if (outer[i] < '0' || outer[i] > '9') {
            return false;
        }
    }
    return text_base64(hr_span_of(outer + 11, 4), inner, sizeof(inner)) == 3 &&
           (inner[1] == 0x7f || inner[1] == 0xff);
}

bool text_is_sealed(struct hr_span value)
{
    if (value.len > 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"') {
        value = hr_span_slice(value, 1, value.len - 1);
    }
    /* Iron of hapi and iron-session; Fernet; ASP.NET Core, whose session's number is shorter */
    return hr_span_has_prefix(value, HR_SPAN("Fe26.2*")) ||
           (hr_span_has_prefix(value, HR_SPAN("gAAAAA")) && value.len >= 100) ||
           (hr_span_has_prefix(value, HR_SPAN("CfDJ8")) && value.len >= 256) ||
           is_of_tornado(value) || is_ticket(value) || is_signed_json(value) ||
           is_json_of_user(value) || is_secret_box(value) || is_of_gorilla(value);
}
