/*
 * A word's replacement is drawn from a keyed digest of the word in lower case; where another word
 * has it already, the next one is drawn. What was drawn is remembered, so the first to come
 * decides: the same file always comes out the same.
 */
#include "evidence/disguise.h"

#include "base/map.h"

#include <stdlib.h>

enum {
    DRAWS_ALIKE = 64,  /* hexadecimal words stay hexadecimal for so many draws */
    DRAWS_MOST = 2048, /* then two words share one: as good as never */
    SECRET_LEN = 3,    /* shorter words are everywhere */
    TOKEN_LEN = 20,
    MIXED_LEN = 6,
    NUMBER_LEN = 5,
};

struct word {
    char *text; /* lower case */
    size_t len;
    char *other; /* as long */
    bool is_secret;
    UT_hash_handle hh;       /* by text */
    UT_hash_handle by_other; /* by other */
};

/* A character as it is written. */
struct unit {
    uint32_t at;
    uint8_t width;
    uint8_t c;
};

struct disguise {
    const struct hr_key *key;
    struct addresses *addresses;
    struct word *by_text;
    struct word *by_other;
    struct unit *units; /* of the text being worked on */
    size_t unit_capacity;
};

struct disguise *disguise_create(const struct hr_key *key, struct addresses *addresses)
{
    struct disguise *w = hr_xcalloc(1, sizeof(*w));
    w->key = key;
    w->addresses = addresses;
    return w;
}

void disguise_destroy(struct disguise *w)
{
    struct word *x;
    struct word *next;
    if (w == NULL) {
        return;
    }
    HASH_CLEAR(by_other, w->by_other);
    HASH_ITER(hh, w->by_text, x, next)
    {
        HASH_DELETE(hh, w->by_text, x);
        hr_wipe(x->text, x->len);
        free(x->text);
        free(x->other);
        free(x);
    }
    free(w->units);
    free(w);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static bool is_word(uint8_t c)
{
    return is_digit(c) || is_letter(c);
}

static int hex_value(char c)
{
    char l = hr_ascii_lower(c);
    return l >= '0' && l <= '9' ? l - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/* --- one word --------------------------------------------------------------------------------- */

static bool is_hex_word(const char *text, size_t len)
{
    size_t i = 0;
    while (i < len && hex_value(text[i]) >= 0) {
        i++;
    }
    return i == len;
}

static void draw(const struct disguise *w, const char *text, size_t len, unsigned turn, char *other)
{
    struct hr_digest seed = hr_digest_keyed(w->key, hr_span_of(text, len));
    struct hr_digest block = seed;
    unsigned letters = turn < DRAWS_ALIKE && is_hex_word(text, len) ? 6 : 26;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];
        if (i % HR_DIGEST_BYTES == 0) {
            uint8_t place[HR_DIGEST_BYTES + 2 * sizeof(uint64_t)] = {0};
            uint64_t number = i;
            memcpy(place, seed.bytes, HR_DIGEST_BYTES);
            memcpy(place + HR_DIGEST_BYTES, &number, sizeof(number));
            number = turn;
            memcpy(place + HR_DIGEST_BYTES + sizeof(number), &number, sizeof(number));
            block = hr_digest_keyed(w->key, hr_span_of(place, sizeof(place)));
        }
        unsigned byte = block.bytes[i % HR_DIGEST_BYTES];
        if (i == 0 && c >= '1' && c <= '9') {
            other[i] = (char)('1' + byte % 9); /* a number does not begin with 0 */
        } else if (is_digit(c)) {
            other[i] = (char)('0' + byte % 10);
        } else {
            other[i] = (char)('a' + byte % letters);
        }
    }
}

/* @param text  lower case, copied */
static struct word *find_word(struct disguise *w, const char *text, size_t len)
{
    struct word *x;
    HASH_FIND(hh, w->by_text, text, len, x);
    if (x != NULL) {
        return x;
    }
    x = hr_xcalloc(1, sizeof(*x));
    x->text = hr_xstrndup(text, len);
    x->len = len;
    x->other = hr_xcalloc(len + 1, 1);
    struct word *taken = x;
    for (unsigned turn = 0; turn < DRAWS_MOST && taken != NULL; turn++) {
        draw(w, text, len, turn, x->other);
        HASH_FIND(by_other, w->by_other, x->other, len, taken);
        if (taken == NULL && memcmp(text, x->other, len) == 0 && turn + 1 < DRAWS_MOST) {
            taken = x; /* itself */
        }
    }
    HASH_ADD_KEYPTR(hh, w->by_text, x->text, len, x);
    if (taken == NULL) {
        HASH_ADD_KEYPTR(by_other, w->by_other, x->other, len, x);
    }
    return x;
}

/* --- how characters are written --------------------------------------------------------------- */

static struct unit unit_at(const char *text, size_t len, size_t at, enum word_coding coding)
{
    struct unit u = {.at = (uint32_t)at, .width = 1, .c = (uint8_t)text[at]};
    if (coding == WORD_URL && text[at] == '%' && len - at >= 3 && hex_value(text[at + 1]) >= 0 &&
        hex_value(text[at + 2]) >= 0) {
        u.width = 3;
        u.c = (uint8_t)(hex_value(text[at + 1]) << 4 | hex_value(text[at + 2]));
    } else if (coding == WORD_JSON && text[at] == '\\' && len - at >= 2) {
        bool is_long = text[at + 1] == 'u' && len - at >= 6;
        int value = 0;
        for (size_t i = 2; i < 6 && is_long; i++) {
            is_long = hex_value(text[at + i]) >= 0;
            value = value << 4 | hex_value(text[at + i]);
        }
        u.width = is_long ? 6 : 2;
        u.c = is_long ? (uint8_t)(value < 0x80 ? value : 0x80) : '\\'; /* of others any letter */
    }
    return u;
}

static void put(char *text, const struct unit *u, char c)
{
    static const char digits[] = "0123456789abcdef";
    unsigned byte = (unsigned char)c;
    if (u->width == 1) {
        text[u->at] = c;
    } else if (u->width == 3) {
        text[u->at + 1] = digits[byte >> 4];
        text[u->at + 2] = digits[byte & 15];
    } else if (u->width == 6) {
        memcpy(text + u->at + 2, "00", 2);
        text[u->at + 4] = digits[byte >> 4];
        text[u->at + 5] = digits[byte & 15];
    } else {
        text[u->at + 1] = 'n'; /* an escape of two characters tells nothing */
    }
}

static size_t list_units(struct disguise *w, const char *text, size_t len, enum word_coding coding)
{
    size_t count = 0;
    if (len > w->unit_capacity) {
        w->unit_capacity = 2 * len;
        w->units = hr_xrealloc(w->units, w->unit_capacity * sizeof(*w->units));
    }
    for (size_t at = 0; at < len; at += w->units[count++].width) {
        w->units[count] = unit_at(text, len, at, coding);
    }
    return count;
}

/* --- a text ----------------------------------------------------------------------------------- */

struct pass {
    struct disguise *words;
    char *text;
    enum word_care care;
    bool is_name; /* tokens and numbers are replaced, though it is kept */
};

static bool looks_private(const char *text, size_t len)
{
    size_t digits = 0;
    for (size_t i = 0; i < len; i++) {
        digits += is_digit((uint8_t)text[i]);
    }
    return len >= TOKEN_LEN || (digits == len && len >= NUMBER_LEN) ||
           (digits > 0 && digits < len && len >= MIXED_LEN);
}

static bool is_wanted(const struct pass *p, const char *text, size_t len)
{
    struct word *x;
    if (p->care != WORD_KEEP || (p->is_name && looks_private(text, len))) {
        return true;
    }
    HASH_FIND(hh, p->words->by_text, text, len, x);
    return x != NULL && x->is_secret;
}

static void replace_run(const struct pass *p, const struct unit *units, size_t count)
{
    char *lower = hr_xmalloc(count + 1);
    for (size_t i = 0; i < count; i++) {
        lower[i] = hr_ascii_lower((char)units[i].c);
    }
    if (is_wanted(p, lower, count)) {
        struct word *x = find_word(p->words, lower, count);
        bool is_secret = p->care >= WORD_SECRET && count >= SECRET_LEN;
        x->is_secret = x->is_secret || is_secret;
        for (size_t i = 0; i < count; i++) {
            bool is_upper = units[i].c >= 'A' && units[i].c <= 'Z';
            put(p->text, &units[i], is_upper ? (char)(x->other[i] - 'a' + 'A') : x->other[i]);
        }
    }
    hr_wipe(lower, count);
    free(lower);
}

static bool begins_word(const struct unit *units, size_t i)
{
    return i == 0 || !is_word(units[i - 1].c);
}

static void replace(const struct pass *p, size_t len, enum word_coding coding)
{
    struct disguise *w = p->words;
    size_t count = list_units(w, p->text, len, coding);
    for (size_t i = 0; i < count;) {
        const struct unit *u = &w->units[i];
        size_t address = begins_word(w->units, i) && u->width == 1 && p->care != WORD_WHOLE
                             ? addresses_replace_text(w->addresses, p->text + u->at, len - u->at)
                             : 0;
        size_t end = i + 1;
        if (address > 0) {
            while (end < count && w->units[end].at < u->at + address) {
                end++;
            }
        } else if (p->care == WORD_WHOLE || is_word(u->c)) {
            while (end < count && (p->care == WORD_WHOLE || is_word(w->units[end].c))) {
                end++;
            }
            replace_run(p, u, end - i);
        }
        i = end;
    }
}

void disguise_text(struct disguise *w, char *text, size_t len, enum word_coding coding,
                   enum word_care care)
{
    if (care == WORD_WHOLE) { /* so that its words are known where they stand alone */
        char *copy = hr_xstrndup(text, len);
        replace(&(struct pass){.words = w, .text = copy, .care = WORD_SECRET}, len, coding);
        hr_wipe(copy, len);
        free(copy);
    }
    replace(&(struct pass){.words = w, .text = text, .care = care}, len, coding);
}

void disguise_names(struct disguise *w, char *text, size_t len, enum word_coding coding)
{
    replace(&(struct pass){.words = w, .text = text, .care = WORD_KEEP, .is_name = true}, len,
            coding);
}
