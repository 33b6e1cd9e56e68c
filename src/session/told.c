/*
 * What an answer calls the one it is for: members of JSON that stand at its top or in an object
 * about the user, and a page's greeting. What the request itself names is left out: an answer about
 * somebody who was asked for says nothing of who asked.
 */
#include "base/text.h"
#include "session/owner.h"
#include "session/walk.h"

#define NAME_BYTES 128
#define NAME_WORDS 4
#define TOLD_LIMIT 3
#define ITEM_LIMIT 2000
#define REQUEST_BYTES 4096
#define WEAK_RANK 1000 /* ids and display names come after what people sign in with */

struct told {
    struct hr_span value;
    size_t rank;
};

struct told_set {
    struct told items[TOLD_LIMIT]; /* by rank */
    size_t count;
};

void told_mark(struct work *w, enum mark_kind kind, enum mark_kind local_kind, struct hr_span name,
               struct hr_span text)
{
    char lower[NAME_BYTES];
    if (name.len == 0 || name.len > sizeof(lower)) {
        return;
    }
    for (size_t i = 0; i < name.len; i++) {
        lower[i] = hr_ascii_lower(name.ptr[i]);
    }
    struct hr_span folded = hr_span_of(lower, name.len);
    work_mark(w, kind, work_mark_value(w, folded), text);
    size_t at = hr_span_find(folded, '@');
    if (at != SIZE_MAX && at > 0) {
        work_mark(w, local_kind, work_mark_value(w, hr_span_slice(folded, 0, at)),
                  (struct hr_span){NULL, 0});
    }
}

/* Letters, digits and what is not ASCII. */
static bool is_word_byte(char c)
{
    unsigned char u = (unsigned char)c;
    return (unsigned char)((u | 0x20) - 'a') < 26 || (unsigned char)(u - '0') < 10 || u >= 0x80;
}

/* As a whole word: the id 5 is not in /v15/me. */
static bool holds_word(struct hr_span text, struct hr_span word)
{
    size_t from = 0;
    while (from < text.len) {
        size_t at = hr_span_find_nocase(hr_span_slice(text, from, text.len), word);
        if (at == SIZE_MAX) {
            return false;
        }
        size_t start = from + at;
        size_t end = start + word.len;
        if ((start == 0 || !is_word_byte(text.ptr[start - 1])) &&
            (end == text.len || !is_word_byte(text.ptr[end]))) {
            return true;
        }
        from = start + 1;
    }
    return false;
}

static bool request_names(struct work *w, struct hr_span value)
{
    const struct http_message *m = &w->x->request;
    if (w->may_sign_in) {
        return false;
    }
    return holds_word(m->target, value) ||
           (hr_span_find(m->target, '%') != SIZE_MAX &&
            holds_word(http_decode(w->arena, m->target, true), value)) ||
           holds_word(hr_span_slice(m->content, 0, REQUEST_BYTES), value);
}

static void add(struct told_set *set, struct hr_span value, size_t rank)
{
    size_t at = set->count;
    for (size_t i = 0; i < set->count; i++) {
        if (hr_span_equal_nocase(set->items[i].value, value)) {
            return;
        }
    }
    while (at > 0 && set->items[at - 1].rank > rank) {
        at--;
    }
    if (at == TOLD_LIMIT) {
        return;
    }
    set->count += set->count < TOLD_LIMIT;
    for (size_t i = set->count - 1; i > at; i--) {
        set->items[i] = set->items[i - 1];
    }
    set->items[at] = (struct told){value, rank};
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* @return 0 where the member does not tell who asked */
static size_t member_rank(const struct work *w, const struct json_walk *walk, struct hr_span key,
                          bool by_path)
{
    const struct lists *l = work_lists(w);
    bool about_user = by_path;
    if (walk->depth == 0 || walk->depth > JSON_WALK_DEPTH || key.ptr == NULL ||
        json_walk_in_array(walk)) {
        return 0;
    }
    for (unsigned i = 1; i < walk->depth; i++) {
        bool is_user = lists_find(l, LIST_identity_objects, walk->keys[i]) != 0;
        if (!is_user && lists_find(l, LIST_identity_wrappers, walk->keys[i]) == 0) {
            return 0;
        }
        about_user = about_user || is_user;
    }
    size_t rank = lists_find(l, LIST_identity_members, key);
    if (rank == 0 && about_user) {
        rank = lists_find(l, LIST_identity_names, key);
        rank += rank != 0 ? WEAK_RANK : 0;
    }
    return rank;
}

static bool is_name(struct hr_span value)
{
    if (value.len == 0 || value.len > NAME_BYTES) {
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        if ((unsigned char)value.ptr[i] < ' ' || value.ptr[i] == '\\' || value.ptr[i] == '/') {
            return false;
        }
    }
    return true;
}

static void read_json_names(struct work *w, struct hr_span text, bool by_path, struct told_set *set)
{
    struct json_walk walk = {.text = text};
    struct json_item item;
    for (size_t i = 0; i < ITEM_LIMIT && json_walk_next(&walk, &item); i++) {
        if (item.kind == JSON_STRAY || !is_name(item.value)) {
            continue;
        }
        size_t rank = member_rank(w, &walk, item.key, by_path);
        if (rank != 0) {
            add(set, item.value, rank);
        }
    }
}

/* --- HTML ------------------------------------------------------------------------------------- */

/* Eight bytes at a time: the top bit of each byte says whether it is one. */
static uint64_t capitals_of(uint64_t bytes)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    const uint64_t low = bytes & (each * 0x7f);
    const uint64_t from_a = low + each * (0x80 - 'A');
    const uint64_t above_z = low + each * (0x80 - 'Z' - 1);
    return from_a & ~above_z & ~bytes & (each * 0x80);
}

/* @return where the next capital letter stands, or the text's length */
static size_t find_capital(struct hr_span text, size_t at)
{
    uint64_t bytes;
    while (at + sizeof(bytes) <= text.len) {
        memcpy(&bytes, text.ptr + at, sizeof(bytes));
        if (capitals_of(bytes) != 0) {
            break;
        }
        at += sizeof(bytes);
    }
    while (at < text.len && (unsigned char)(text.ptr[at] - 'A') >= 26) {
        at++;
    }
    return at;
}

/* Greetings begin the text or a sentence. @return what stands behind; ptr NULL: there is none */
static struct hr_span behind_greeting(const struct lists *l, struct hr_span text)
{
    for (size_t at = 0; at < text.len; at = find_capital(text, at + 1)) {
        if (at > 0 && is_word_byte(text.ptr[at - 1])) {
            continue;
        }
        struct hr_span rest = hr_span_slice(text, at, text.len);
        size_t len = lists_phrase_at(l, LIST_greetings, rest);
        if (len > 0 && (rest.len == len || !is_word_byte(rest.ptr[len]))) {
            return hr_span_slice(rest, len, rest.len);
        }
    }
    return (struct hr_span){NULL, 0};
}

/* Up to what ends a name in running text; a point does where nothing follows it. */
static struct hr_span name_at(struct hr_span text)
{
    size_t words = 1;
    size_t end = 0;
    while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == ',' || text.ptr[0] == ':')) {
        text = hr_span_slice(text, 1, text.len);
    }
    while (end < text.len && strchr("!,;:(|<>?\r\n\t\"&", text.ptr[end]) == NULL) {
        bool last = end + 1 == text.len || text.ptr[end + 1] == ' ' || text.ptr[end + 1] == '\n';
        if (text.ptr[end] == '.' && last) {
            break;
        }
        words += text.ptr[end] == ' ';
        end++;
    }
    struct hr_span name = hr_span_trim(hr_span_slice(text, 0, end));
    return words <= NAME_WORDS ? name : (struct hr_span){NULL, 0};
}

static void read_html_name(const struct lists *l, struct hr_span html, struct told_set *set)
{
    struct html_walk walk = {.rest = html};
    struct hr_span run;
    for (size_t i = 0; i < ITEM_LIMIT && html_walk_next(&walk, &run); i++) {
        struct hr_span rest = behind_greeting(l, run);
        if (rest.ptr == NULL) {
            continue;
        }
        struct hr_span name = name_at(rest);
        if (name.len == 0 && hr_span_trim(rest).len < 3 && html_walk_next(&walk, &run)) {
            name = name_at(run); /* <b>NAME</b> */
        }
        if (is_name(name)) {
            add(set, name, 1);
            return;
        }
    }
}

/* --- both ------------------------------------------------------------------------------------- */

/* Parameters that say nothing of whose it is: the session's token, a number against caches. */
static bool is_plain_query(struct work *w, struct hr_span query)
{
    struct http_param p;
    while (http_query_next(&query, &p)) {
        const bool is_token =
            p.value.len >= 4 && (work_word(w, p.name).bits & WORD_TOKEN_PARAMETER);
        if (!is_token && !hr_span_equal(p.name, HR_SPAN("_"))) {
            return false;
        }
    }
    return true;
}

/* Nothing in the target says whose: /me, not /users/17/profile or /profile?id=17. */
bool told_is_asked(struct work *w)
{
    const struct profile *p = w->profile;
    struct hr_span query = w->target.query;
    bool is_alone = w->action.rank != 0 && hr_span_find(query, '&') == SIZE_MAX;
    bool is_plain = hr_span_find(w->f->path_template, '{') == SIZE_MAX &&
                    (is_alone || is_plain_query(w, query));
    if (p != NULL && p->identity_count > 0) {
        for (size_t i = 0; i < p->identity_count; i++) {
            if (profile_endpoint_fits(&p->identity[i], w->f->method, w->f->path_template)) {
                return true;
            }
        }
        return false;
    }
    struct hr_span path = w->action_text.len > 0 ? w->action_path : w->path;
    return is_plain && lists_find_path(work_lists(w), LIST_identity_paths, path, 0);
}

/* An id may be a session's. */
static struct hr_span shown(struct work *w, const struct told *t)
{
    if (t->rank > WEAK_RANK || text_is_random(t->value) || work_is_known_token(w, t->value)) {
        return (struct hr_span){NULL, 0};
    }
    return work_shown_user(w, t->value);
}

void told_read(struct work *w, enum owner_text kind, struct hr_span text)
{
    struct told_set set = {.count = 0};
    bool is_get = hr_span_equal(w->x->request.method, HR_SPAN("GET")) || w->operation.len > 0;
    bool by_path = told_is_asked(w);
    bool is_declared = w->profile != NULL && w->profile->identity_count > 0;
    if (w->f->status / 100 != 2 || !(is_get || w->may_sign_in || (is_declared && by_path)) ||
        (is_declared && !by_path && !w->may_sign_in)) {
        return;
    }
    if (kind == OWNER_JSON) {
        read_json_names(w, text, by_path, &set);
    } else {
        read_html_name(work_lists(w), text, &set);
    }
    for (size_t i = 0; i < set.count; i++) {
        if (!request_names(w, set.items[i].value)) {
            told_mark(w, by_path ? MARK_TOLD_USER : MARK_TOLD_NAME, MARK_TOLD_LOCAL_PART,
                      set.items[i].value, shown(w, &set.items[i]));
        }
    }
}
