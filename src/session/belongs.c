/*
 * Values that look as if one user alone had them: account and customer numbers, UUIDs, addresses.
 * Whose they are is decided by the rule, from all answers that have them; here a few of each answer
 * are marked, always the same ones wherever they stand, by a hash whose first bits begin the mark's
 * value: by them the rule knows which values an answer with more of them certainly lacks.
 */
#include "session/owner.h"
#include "session/walk.h"

#define WORD_BYTES_MIN 8
#define WORD_BYTES_MAX 64
#define WORD_DIGITS_MIN 3
#define NUMBER_DIGITS_MIN 9
#define VALUE_BYTES 1024 /* longer ones are texts, pictures, tokens of their own */
#define ITEM_LIMIT 2000
#define CANDIDATE_LIMIT 256 /* words looked at */
#define KEPT_LIMIT 4
#define GIVEN_BYTES 4096
#define ORDER_BITS 7 /* of a mark's value, behind the sign; little is told of what is hashed */
#define ORDER_SHIFT (63 - ORDER_BITS)

/* Which go first. */
enum candidate_rank {
    RANK_STRAY,
    RANK_PLAIN,
    RANK_ASKED,
};

struct candidate {
    struct hr_span word;
    uint64_t order; /* 63 bits */
    enum candidate_rank rank;
};

struct chosen {
    struct work *w;
    struct asked asked;
    struct candidate items[KEPT_LIMIT]; /* by rank, then by order */
    size_t count;
    size_t looked_at;
    bool is_cut;   /* there are more */
    bool is_whole; /* all of the text was read */
    bool is_given; /* all are of the request itself */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Letters, digits and - _ . + @: one bit each of the ASCII bytes. */
static bool is_word_byte(char c)
{
    static const uint64_t set[4] = {UINT64_C(0x3ff680000000000), UINT64_C(0x7fffffe87ffffff), 0, 0};
    unsigned char u = (unsigned char)c;
    return set[u / 64] >> (u % 64) & 1;
}

/* 2026-11-22T20, 2026-11-22 */
static bool is_date(struct hr_span w)
{
    return w.len >= 10 && is_digit(w.ptr[0]) && is_digit(w.ptr[1]) && is_digit(w.ptr[2]) &&
           is_digit(w.ptr[3]) && w.ptr[4] == '-' && is_digit(w.ptr[5]) && is_digit(w.ptr[6]) &&
           w.ptr[7] == '-';
}

static bool is_address(struct hr_span w)
{
    size_t at = hr_span_find(w, '@');
    struct hr_span host = hr_span_slice(w, at == SIZE_MAX ? w.len : at + 1, w.len);
    return at != SIZE_MAX && at > 0 && hr_span_find(host, '.') != SIZE_MAX &&
           hr_span_find(host, '@') == SIZE_MAX;
}

/* Seconds or milliseconds of our days. */
static bool is_time_number(struct hr_span w)
{
    return (w.len == 10 || w.len == 13 || w.len == 16) && (w.ptr[0] == '1' || w.ptr[0] == '2');
}

static bool looks_unique(struct hr_span w)
{
    size_t digits = 0;
    if (w.len < WORD_BYTES_MIN || w.len > WORD_BYTES_MAX) {
        return false;
    }
    if (is_address(w)) {
        return true;
    }
    for (size_t i = 0; i < w.len; i++) {
        digits += is_digit(w.ptr[i]);
        if (w.ptr[i] == '.' || w.ptr[i] == '@' || w.ptr[i] == '+') {
            return false;
        }
    }
    if (digits == w.len) {
        return digits >= NUMBER_DIGITS_MIN && !is_time_number(w);
    }
    return digits >= WORD_DIGITS_MIN && !is_date(w);
}

static bool goes_before(const struct candidate *a, const struct candidate *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->order < b->order;
}

static size_t place_of(const struct chosen *c, const struct candidate *one)
{
    size_t at = c->count;
    while (at > 0 && goes_before(one, &c->items[at - 1])) {
        at--;
    }
    return at;
}

static void insert(struct chosen *c, size_t at, struct candidate one)
{
    if (c->count == KEPT_LIMIT) {
        c->is_cut = c->is_cut || at == KEPT_LIMIT || c->items[KEPT_LIMIT - 1].rank != RANK_ASKED;
    }
    if (at == KEPT_LIMIT) {
        return;
    }
    c->count += c->count < KEPT_LIMIT;
    for (size_t i = c->count - 1; i > at; i--) {
        c->items[i] = c->items[i - 1];
    }
    c->items[at] = one;
}

static void consider(struct chosen *c, struct hr_span word, bool is_stray)
{
    struct candidate one = {word, hr_hash64(word, 0) >> 1, is_stray ? RANK_STRAY : RANK_PLAIN};
    for (size_t i = 0; i < c->count; i++) {
        if (c->items[i].order == one.order) {
            if (c->items[i].rank != RANK_PLAIN || !is_stray) {
                return;
            }
            /* Both as a value and astray: it goes to its new place. */
            memmove(&c->items[i], &c->items[i + 1], (c->count - i - 1) * sizeof(c->items[0]));
            c->count--;
            break;
        }
    }
    size_t at = place_of(c, &one);
    if (at < KEPT_LIMIT && !c->is_given && asked_holds(&c->asked, c->w, word)) {
        one.rank = RANK_ASKED;
        at = place_of(c, &one);
        if (at == KEPT_LIMIT) {
            return;
        }
    }
    insert(c, at, one);
}

/* @return where the next digit or @ stands from at on; text.len: nowhere. Blocks without one, as
 * most of a text is, cost no branch for each byte. */
static size_t find_sign(struct hr_span text, size_t at)
{
    enum { BLOCK = 32 };
    for (; at + BLOCK <= text.len; at += BLOCK) {
        unsigned char any = 0;
        for (size_t i = 0; i < BLOCK; i++) {
            const unsigned char c = (unsigned char)text.ptr[at + i];
            any |= (unsigned char)((unsigned char)(c - '0') < 10) | (c == '@');
        }
        if (any != 0) {
            break;
        }
    }
    while (at < text.len && !is_digit(text.ptr[at]) && text.ptr[at] != '@') {
        at++;
    }
    return at;
}

/* A word without digit and @ is none that looks unique: only those around one are looked at. */
static void read_words(struct chosen *c, struct hr_span text, bool is_stray)
{
    size_t end = 0;
    for (size_t sign; (sign = find_sign(text, end)) < text.len; end++) {
        size_t start = sign;
        while (start > end && is_word_byte(text.ptr[start - 1])) {
            start--;
        }
        end = sign + 1;
        while (end < text.len && is_word_byte(text.ptr[end])) {
            end++;
        }
        struct hr_span word = hr_span_slice(text, start, end);
        while (word.len > 0 && (word.ptr[word.len - 1] == '.' || word.ptr[word.len - 1] == '-')) {
            word.len--;
        }
        if (looks_unique(word)) {
            c->is_whole = c->is_whole && c->looked_at < CANDIDATE_LIMIT;
            if (c->looked_at++ < CANDIDATE_LIMIT) {
                consider(c, word, is_stray);
            }
        }
    }
}

static bool may_go_on(struct chosen *c, size_t items)
{
    c->is_whole = c->is_whole && items < ITEM_LIMIT;
    return items < ITEM_LIMIT;
}

static void read_json_words(struct chosen *c, struct hr_span text)
{
    struct json_walk walk = {.text = text};
    struct json_item item;
    for (size_t i = 0; may_go_on(c, i) && json_walk_next(&walk, &item); i++) {
        if (item.value.len <= VALUE_BYTES) {
            read_words(c, item.value, item.kind == JSON_STRAY);
        }
    }
}

static void read_html_words(struct chosen *c, struct hr_span text)
{
    struct html_walk walk = {.rest = text};
    struct hr_span run;
    for (size_t i = 0; may_go_on(c, i) && html_walk_next(&walk, &run); i++) {
        read_words(c, run, walk.ended);
    }
}

static void mark(const struct chosen *c, const struct candidate *one, enum mark_kind kind)
{
    uint64_t keyed = (uint64_t)work_mark_value(c->w, one->word) & (UINT64_MAX >> ORDER_BITS >> 1);
    uint64_t order = one->order >> ORDER_SHIFT << ORDER_SHIFT;
    work_mark(c->w, kind, (int64_t)(order | keyed), (struct hr_span){NULL, 0});
}

/* Which values an answer certainly lacks: of none it is certain where not all was looked at. */
static void mark_end(const struct chosen *c)
{
    int64_t end = -1;
    if (c->count == 0 || (!c->is_cut && c->is_whole)) {
        return;
    }
    for (size_t i = 0; i < c->count && c->is_whole; i++) {
        if (c->items[i].rank == RANK_PLAIN) {
            end = (int64_t)(c->items[i].order >> ORDER_SHIFT);
        }
    }
    work_mark(c->w, MARK_VALUES_END, end, (struct hr_span){NULL, 0});
}

void belongs_read(struct work *w, enum owner_text kind, struct hr_span text, bool is_whole)
{
    static const enum mark_kind kinds[] = {
        [RANK_STRAY] = MARK_STRAY_VALUE,
        [RANK_PLAIN] = MARK_VALUE,
        [RANK_ASKED] = MARK_ASKED_VALUE,
    };
    struct chosen chosen = {.w = w, .is_whole = is_whole};
    if (kind == OWNER_JSON) {
        read_json_words(&chosen, text);
    } else if (kind == OWNER_HTML) {
        read_html_words(&chosen, text);
    } else {
        chosen.is_whole = is_whole && text.len <= VALUE_BYTES;
        read_words(&chosen, hr_span_slice(text, 0, VALUE_BYTES), false);
    }
    for (size_t i = 0; i < chosen.count; i++) {
        mark(&chosen, &chosen.items[i], kinds[chosen.items[i].rank]);
    }
    mark_end(&chosen);
}

void belongs_given(struct work *w)
{
    const struct http_message *m = &w->x->request;
    const struct http_field *type = http_field_find(m, "content-type");
    struct chosen chosen = {.w = w, .is_given = true};
    struct hr_span content = hr_span_slice(m->content, 0, GIVEN_BYTES);
    if (type != NULL &&
        hr_span_find_nocase(type->value, HR_SPAN("x-www-form-urlencoded")) != SIZE_MAX) {
        content = http_decode(w->arena, content, true);
    }
    read_words(&chosen, content, false);
    for (size_t i = 0; i < chosen.count; i++) {
        mark(&chosen, &chosen.items[i], MARK_GIVEN_VALUE);
    }
}
