#include "session/values.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS 32768u
#define KNOWN_BYTES_MIN 8
#define KNOWN_WAYS ((size_t)4)
#define LENGTHS ((size_t)1024)

/* Values themselves are not kept: what one says is found by its keyed hash, and no two that come by
 * have the same. */
struct values {
    struct hr_key key;
    struct value slots[SLOTS]; /* a newer value takes an older one's place */
    uint64_t *known;           /* hashes of tokens in sets of KNOWN_WAYS, the newest first */
    size_t known_mask;
    size_t known_count;
    size_t known_limit; /* of those that are sure to be kept; there is room for more */
    size_t longest;
    uint64_t lengths[LENGTHS / 64]; /* a bit for each length remembered, the last for all above */
};

static bool is_base64url(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '+' || c == '/' || c == '=';
}

/* @return how many parts the text has; 0 where they are not all Base64, or escaped like a cookie's
 */
static size_t base64_parts(struct hr_span text, char separator)
{
    size_t parts = 0;
    while (text.ptr != NULL) {
        struct hr_span part = hr_span_cut(&text, separator);
        for (size_t i = 0; i < part.len; i++) {
            if (!is_base64url(part.ptr[i]) && part.ptr[i] != '%') {
                return 0;
            }
        }
        parts++;
    }
    return parts;
}

/* @return how many characters the text has, %2B being one */
static size_t unescaped_length(struct hr_span text)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        i += text.ptr[i] == '%' ? 2 : 0;
        len++;
    }
    return len;
}

/* Rails' sessions: marshalled data and its signature, BAh...--HEX, or encrypted, DATA--IV--TAG.
 * What begins with eyJfcmFpbHMi is signed, too, but may be no more than the number of a session. */
static bool is_of_rails(struct hr_span value)
{
    size_t end = value.len;
    size_t lengths[2] = {0, 0}; /* of the last part and the one before it */
    size_t parts = 0;
    for (size_t i = value.len; i > 1 && parts < 2; i--) {
        if (value.ptr[i - 1] == '-' && value.ptr[i - 2] == '-') {
            lengths[parts++] = unescaped_length(hr_span_slice(value, i, end));
            end = i - 2;
            i--;
        }
    }
    bool is_signed =
        parts >= 1 && (lengths[0] == 40 || lengths[0] == 64) && memcmp(value.ptr, "BAh", 3) == 0;
    bool is_sealed = parts == 2 && end >= 32 && lengths[0] == 24 && lengths[1] == 16;
    return (is_signed || is_sealed) && base64_parts(value, '.') == 1;
}

/* JSON in Base64 begins with eyJ, deflated with eJ; what follows after dots or colons is a time and
 * a signature: JSON Web Tokens, Flask's and Django's cookies. PASETO says what it is. */
bool text_is_jwt(struct hr_span value)
{
    if (value.len < 20) {
        return false;
    }
    if (memcmp(value.ptr, "eyJ", 3) == 0) {
        size_t parts = base64_parts(value, '.');
        return parts == 3 || parts == 5 || base64_parts(value, ':') == 3;
    }
    if (memcmp(value.ptr, ".eJ", 3) == 0) {
        struct hr_span rest = hr_span_slice(value, 1, value.len);
        return base64_parts(rest, '.') == 3 || base64_parts(rest, ':') == 3;
    }
    if (value.ptr[0] == 'v' && value.ptr[1] >= '1' && value.ptr[1] <= '4' && value.ptr[2] == '.') {
        struct hr_span rest = hr_span_slice(value, 3, value.len);
        return (hr_span_has_prefix_nocase(rest, HR_SPAN("local.")) ||
                hr_span_has_prefix_nocase(rest, HR_SPAN("public."))) &&
               base64_parts(value, '.') >= 3;
    }
    return is_of_rails(value);
}

/* Long and varied: hexadecimal of 8 bytes or more, or 16 characters of mixed kinds. */
bool text_is_random(struct hr_span value)
{
    uint64_t seen[4] = {0};
    size_t distinct = 0;
    size_t digits = 0;
    size_t lower = 0;
    size_t upper = 0;
    size_t spaces = 0;
    if (value.len < 12) {
        return false;
    }
    size_t len = value.len < 128 ? value.len : 128;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        digits += c >= '0' && c <= '9';
        lower += c >= 'a' && c <= 'z';
        upper += c >= 'A' && c <= 'Z';
        spaces += c == ' ' || c == '/';
        distinct += (seen[c / 64] >> (c % 64) & 1) == 0;
        seen[c / 64] |= UINT64_C(1) << (c % 64);
    }
    size_t kinds = (size_t)(digits > 0) + (size_t)(lower > 0) + (size_t)(upper > 0);
    if (spaces > 2 || distinct < 6) {
        return false;
    }
    return (kinds >= 2 && digits >= 2) || (kinds >= 2 && len >= 20 && upper >= 3) ||
           (digits == len && len >= 16);
}

struct values *values_create(const struct hr_key *key, size_t remembered_limit)
{
    struct values *v = hr_xcalloc(1, sizeof(*v));
    size_t sets = 16;
    while (sets * KNOWN_WAYS < 2 * remembered_limit && sets < (1u << 22)) {
        sets *= 2;
    }
    v->key = *key;
    v->known = hr_xcalloc(sets * KNOWN_WAYS, sizeof(*v->known));
    v->known_mask = sets - 1;
    v->known_limit = remembered_limit;
    return v;
}

void values_destroy(struct values *v)
{
    if (v == NULL) {
        return;
    }
    free(v->known);
    hr_wipe(v, sizeof(*v));
    free(v);
}

static uint64_t hash_of(struct hr_span text)
{
    uint64_t hash = hr_hash_table(text.ptr, text.len);
    return hash == 0 ? 1 : hash;
}

const struct value *values_find(struct values *v, struct hr_span text)
{
    uint64_t hash = hash_of(text);
    struct value *slot = &v->slots[hash % SLOTS];
    __builtin_prefetch(&v->known[(hash & v->known_mask) * KNOWN_WAYS]);
    if (slot->hash != hash) {
        *slot = (struct value){
            .hash = hash,
            .digest = hr_digest_keyed(&v->key, text),
            .is_random = text_is_random(text),
            .is_jwt = text_is_jwt(text) || text_is_sealed(text),
            .is_short = text.len < KNOWN_BYTES_MIN,
            .len = (uint16_t)(text.len < UINT16_MAX ? text.len : UINT16_MAX),
        };
    }
    return slot;
}

static bool is_in(const uint64_t way[KNOWN_WAYS], uint64_t hash)
{
    return way[0] == hash || way[1] == hash || way[2] == hash || way[3] == hash;
}

static size_t length_index(size_t len)
{
    return len < LENGTHS ? len : LENGTHS - 1;
}

size_t values_longest(const struct values *v)
{
    return v->longest;
}

size_t values_remembered_count(const struct values *v)
{
    return v->known_count < v->known_limit ? v->known_count : v->known_limit;
}

bool values_is_remembered(const struct values *v, struct hr_span text)
{
    size_t index = length_index(text.len);
    if (text.len < KNOWN_BYTES_MIN || (v->lengths[index / 64] >> (index % 64) & 1) == 0) {
        return false;
    }
    uint64_t hash = hash_of(text);
    return is_in(&v->known[(hash & v->known_mask) * KNOWN_WAYS], hash);
}

bool values_remember(struct values *v, const struct value *value)
{
    uint64_t *way = &v->known[(value->hash & v->known_mask) * KNOWN_WAYS];
    if (value->is_short || is_in(way, value->hash)) {
        return false;
    }
    size_t index = length_index(value->len);
    v->lengths[index / 64] |= UINT64_C(1) << (index % 64);
    if (value->len > v->longest) {
        v->longest = value->len == UINT16_MAX ? SIZE_MAX : value->len;
    }
    const bool forgets = way[KNOWN_WAYS - 1] != 0;
    v->known_count += !forgets;
    memmove(&way[1], &way[0], (KNOWN_WAYS - 1) * sizeof(*way));
    way[0] = value->hash;
    return forgets;
}
