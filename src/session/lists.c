/*
 * Each list is a table of exact entries, hashed, and a short array of patterns with a * at one end
 * (or both). Entries and what is looked up are folded the same way first: to lower case, and but
 * for names of cookies and fields of HTTP without the separators - _ . [ ].
 */
#include "session/lists.h"

#include "base/alloc.h"
#include "base/digest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define STARTS 1024
#define FOLDED_SIZE 96

enum list_how {
    LIST_NAMES,   /* case ignored */
    LIST_FOLDED,  /* and separators */
    LIST_PATHS,   /* segments, each folded */
    LIST_PHRASES, /* substrings */
};

struct entry {
    char *text; /* folded, without * */
    size_t len;
    size_t rank; /* from 1, as in the file */
    bool open_start;
    bool open_end;
    uint16_t next; /* LIST_PHRASES: the next one of the same start, index + 1; 0 none */
};

struct list {
    struct entry *entries;
    size_t count;
    uint32_t *slots; /* index + 1 of an exact entry, 0 empty */
    size_t slot_mask;
    size_t *patterns; /* indices of entries with a * */
    size_t pattern_count;
    /* LIST_PHRASES: by start_of() the first two letters, index + 1 of the first one that begins so */
    uint16_t *starts;
};

struct lists {
    struct list list[LIST_COUNT];
};

#define LIST_HOW(name, how) how,
static const enum list_how hows[] = {SESSION_LISTS(LIST_HOW)};
#define LIST_WORDS(name, how) session_list_##name,
static const char *const *const words[] = {SESSION_LISTS(LIST_WORDS)};

/* @return length, or SIZE_MAX where it does not fit: then it matches nothing but patterns' fronts
 */
static size_t fold(enum list_how how, struct hr_span s, char out[FOLDED_SIZE])
{
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = hr_ascii_lower(s.ptr[i]);
        if ((how == LIST_FOLDED || how == LIST_PATHS) &&
            (c == '-' || c == '_' || c == '.' || c == '[' || c == ']')) {
            continue;
        }
        if (len == FOLDED_SIZE) {
            return SIZE_MAX;
        }
        out[len++] = c;
    }
    return len;
}

/* Two letters to one of STARTS, case ignored. */
static unsigned start_of(const char *text)
{
    return ((unsigned)text[0] & 31) << 5 | ((unsigned)text[1] & 31);
}

/* In the order of the file behind those that begin alike. */
static void add_start(struct list *l, const struct entry *e)
{
    assert(e->len > 1 && l->count < UINT16_MAX);
    uint16_t *at = &l->starts[start_of(e->text)];
    while (*at != 0) {
        at = &l->entries[*at - 1].next;
    }
    *at = (uint16_t)(l->count + 1);
}

static void add_entry(struct list *l, enum list_how how, const char *word, size_t rank)
{
    struct hr_span text = hr_span_str(word);
    struct entry *e = &l->entries[l->count];
    char folded[FOLDED_SIZE];
    if (text.len > 1 && text.ptr[0] == '*') {
        e->open_start = true;
        text = hr_span_slice(text, 1, text.len);
    }
    if (text.len > 1 && text.ptr[text.len - 1] == '*') {
        e->open_end = true;
        text.len--;
    }
    e->len = fold(how, text, folded);
    if (e->len == SIZE_MAX || e->len == 0) {
        return; /* longer than anything that is looked up */
    }
    e->text = hr_xstrndup(folded, e->len);
    e->rank = rank;
    if (how == LIST_PHRASES) {
        add_start(l, e);
    }
    if (e->open_start || e->open_end) {
        l->patterns[l->pattern_count++] = l->count;
    } else {
        size_t at = hr_hash64(hr_span_of(e->text, e->len), 0) & l->slot_mask;
        while (l->slots[at] != 0) {
            at = (at + 1) & l->slot_mask;
        }
        l->slots[at] = (uint32_t)l->count + 1;
    }
    l->count++;
}

struct lists *lists_create(void)
{
    struct lists *l = hr_xcalloc(1, sizeof(*l));
    for (size_t id = 0; id < LIST_COUNT; id++) {
        struct list *to = &l->list[id];
        size_t count = 0;
        size_t slots = 8;
        while (words[id][count] != NULL) {
            count++;
        }
        while (slots < 2 * count) {
            slots *= 2;
        }
        to->entries = hr_xcalloc(count, sizeof(*to->entries));
        to->patterns = hr_xcalloc(count, sizeof(*to->patterns));
        to->slots = hr_xcalloc(slots, sizeof(*to->slots));
        to->slot_mask = slots - 1;
        to->starts = hows[id] == LIST_PHRASES ? hr_xcalloc(STARTS, sizeof(*to->starts)) : NULL;
        for (size_t i = 0; i < count; i++) {
            add_entry(to, hows[id], words[id][i], i + 1);
        }
    }
    return l;
}

void lists_destroy(struct lists *l)
{
    if (l == NULL) {
        return;
    }
    for (size_t id = 0; id < LIST_COUNT; id++) {
        for (size_t i = 0; i < l->list[id].count; i++) {
            free(l->list[id].entries[i].text);
        }
        free(l->list[id].entries);
        free(l->list[id].patterns);
        free(l->list[id].slots);
        free(l->list[id].starts);
    }
    free(l);
}

static bool pattern_fits(const struct entry *e, const char *text, size_t len)
{
    if (len < e->len) {
        return false;
    }
    if (e->open_start && e->open_end) {
        return memmem(text, len, e->text, e->len) != NULL;
    }
    return memcmp(e->open_start ? text + len - e->len : text, e->text, e->len) == 0;
}

static size_t find_folded(const struct list *l, const char *text, size_t len)
{
    size_t at = hr_hash64(hr_span_of(text, len), 0) & l->slot_mask;
    for (; l->slots[at] != 0; at = (at + 1) & l->slot_mask) {
        const struct entry *e = &l->entries[l->slots[at] - 1];
        if (e->len == len && memcmp(e->text, text, len) == 0) {
            return e->rank;
        }
    }
    for (size_t i = 0; i < l->pattern_count; i++) {
        const struct entry *e = &l->entries[l->patterns[i]];
        if (pattern_fits(e, text, len)) {
            return e->rank;
        }
    }
    return 0;
}

size_t lists_find(const struct lists *l, enum list_id id, struct hr_span name)
{
    char folded[FOLDED_SIZE];
    size_t len = fold(hows[id], name, folded);
    if (len == 0) {
        return 0;
    }
    return find_folded(&l->list[id], folded, len == SIZE_MAX ? FOLDED_SIZE : len);
}

/* "/Users/Sign_In.php/" becomes "users/signin"; only the last FOLDED_SIZE bytes matter. */
static size_t fold_path(struct hr_span path, char out[FOLDED_SIZE])
{
    while (path.len > 0 && path.ptr[path.len - 1] == '/') {
        path.len--;
    }
    size_t start = path.len > FOLDED_SIZE ? path.len - FOLDED_SIZE : 0;
    struct hr_span tail = hr_span_slice(path, start, path.len);
    for (size_t i = tail.len; i > 0; i--) { /* an ending: 2 to 6 letters behind the last point */
        char c = tail.ptr[i - 1];
        if (c == '.') {
            size_t ending = tail.len - i;
            if (ending >= 2 && ending <= 6 && i > 1 && tail.ptr[i - 2] != '/') {
                tail.len = i - 1;
            }
            break;
        }
        if (c == '/') {
            break;
        }
    }
    if (tail.len > 0 && start == 0 && tail.ptr[0] == '/') {
        tail = hr_span_slice(tail, 1, tail.len);
    }
    size_t len = fold(LIST_PATHS, tail, out);
    return len == SIZE_MAX ? 0 : len;
}

static bool find_suffixes(const struct list *l, const char *text, size_t len)
{
    size_t segments = 0;
    for (size_t i = len; i > 0 && segments < 4; i--) {
        if (text[i - 1] == '/') {
            segments++;
            if (find_folded(l, text + i, len - i) != 0) {
                return true;
            }
        }
    }
    return segments < 4 && find_folded(l, text, len) != 0;
}

bool lists_find_path(const struct lists *l, enum list_id id, struct hr_span path, unsigned spare)
{
    char folded[FOLDED_SIZE];
    size_t len = fold_path(path, folded);
    for (unsigned i = 0; len > 0; i++) {
        if (find_suffixes(&l->list[id], folded, len)) {
            return true;
        }
        if (i == spare) {
            break;
        }
        while (len > 0 && folded[len - 1] != '/') {
            len--;
        }
        len -= len > 0;
    }
    return false;
}

static bool is_between_words(char c)
{
    return c == '-' || c == '_' || c == '.' || c == ';';
}

static bool find_word(const struct lists *l, enum list_id id, struct hr_span segment)
{
    size_t start = 0;
    for (size_t i = 0; i <= segment.len; i++) {
        if (i == segment.len || is_between_words(segment.ptr[i])) {
            if (lists_find(l, id, hr_span_slice(segment, start, i)) != 0) {
                return true;
            }
            start = i + 1;
        }
    }
    return false;
}

bool lists_find_path_word(const struct lists *l, enum list_id id, struct hr_span path)
{
    for (size_t segments = 0; path.ptr != NULL && segments < 16; segments++) {
        struct hr_span segment = hr_span_cut(&path, '/');
        if (segment.len > 0 && segment.len <= FOLDED_SIZE &&
            (lists_find(l, id, segment) != 0 || find_word(l, id, segment))) {
            return true;
        }
    }
    return false;
}

/* @param text  of two letters at least */
static size_t phrase_at(const struct list *l, struct hr_span text)
{
    for (size_t i = l->starts[start_of(text.ptr)]; i != 0; i = l->entries[i - 1].next) {
        const struct entry *e = &l->entries[i - 1];
        if (hr_span_has_prefix_nocase(text, hr_span_of(e->text, e->len))) {
            return e->len;
        }
    }
    return 0;
}

size_t lists_phrase_at(const struct lists *l, enum list_id id, struct hr_span text)
{
    return text.len > 1 ? phrase_at(&l->list[id], text) : 0;
}

bool lists_find_phrase(const struct lists *l, enum list_id id, struct hr_span text)
{
    const struct list *in = &l->list[id];
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (in->starts[start_of(text.ptr + i)] != 0 &&
            phrase_at(in, hr_span_slice(text, i, text.len)) > 0) {
            return true;
        }
    }
    return false;
}
