/*
 * Cookies that are one token together, told by their names: a value in numbered pieces because it
 * is too long for one cookie, a value and its signature, pairs that a framework keeps. They become
 * one use, in the place of their first part, so that all that follows sees one token: it is sent
 * when every part is, and it changes when any part does. Cookies that a profile names stay as they
 * are.
 */
#include "session/work.h"

#include <stdlib.h>
#include <string.h>

#define PIECES 10
#define JOINED_BYTES ((size_t)HR_DIGEST_BYTES * (PIECES + 1))
#define ATTRIBUTES                                                                                 \
    (TOKEN_HTTP_ONLY | TOKEN_SECURE | TOKEN_RANDOM_LOOKING | TOKEN_JWT | TOKEN_SET_TWICE)

static struct token_use *find_cookie(struct work *w, struct hr_span stem, struct hr_span ending)
{
    for (size_t i = 0; i < w->f->token_count; i++) {
        struct token_use *t = &w->f->tokens[i];
        if (t->carrier == TOKEN_COOKIE && t->name.len == stem.len + ending.len &&
            hr_span_has_prefix_nocase(t->name, stem) &&
            hr_span_has_suffix_nocase(t->name, ending)) {
            return t;
        }
    }
    return NULL;
}

static bool is_named_by_profile(const struct work *w, struct hr_span name)
{
    for (size_t i = 0; w->profile != NULL && i < w->profile->session_count; i++) {
        const struct profile_place *p = &w->profile->session[i];
        struct hr_span rest = p->name == NULL ? (struct hr_span){NULL, 0} : hr_span_str(p->name);
        while ((p->where == PROFILE_COOKIE || p->where == PROFILE_COOKIES) && rest.ptr != NULL) {
            if (hr_span_equal(hr_span_cut(&rest, '+'), name)) {
                return true;
            }
        }
    }
    return false;
}

static void drop(struct work *w, const struct token_use *t)
{
    size_t at = (size_t)(t - w->f->tokens);
    size_t after = w->f->token_count - at - 1;
    memmove(&w->f->tokens[at], &w->f->tokens[at + 1], after * sizeof(w->f->tokens[0]));
    memmove(&w->weight[at], &w->weight[at + 1], after);
    w->f->token_count--;
}

/* The value of one part is that of the whole where there are no others. */
static struct hr_digest join(struct work *w, const struct hr_digest *parts, size_t count)
{
    return count == 1 ? parts[0] : work_digest(w, hr_span_of(parts, count * sizeof(parts[0])));
}

struct whole {
    struct hr_digest sent[PIECES + 1];
    struct hr_digest set[PIECES + 1];
    size_t sent_count;
    size_t set_count;
    bool any_set;
    bool any_deleted;
    struct token_use use;
};

static void add_part(struct whole *s, const struct token_use *t)
{
    s->use.flags |= t->flags & ATTRIBUTES;
    if (t->flags & TOKEN_SENT) {
        s->sent[s->sent_count++] = t->sent;
    }
    if (t->flags & TOKEN_SET) {
        s->set[s->set_count++] = t->set;
        s->any_set = true;
        s->use.flags = (s->use.flags & ~TOKEN_SCOPE_MASK) | (t->flags & TOKEN_SCOPE_MASK);
        if (t->lifetime_s >= 0 && (s->use.lifetime_s < 0 || t->lifetime_s < s->use.lifetime_s)) {
            s->use.lifetime_s = t->lifetime_s;
        }
    } else if (t->flags & TOKEN_DELETED) {
        s->any_deleted = true;
    } else if (t->flags & TOKEN_SENT) {
        s->set[s->set_count++] = t->sent; /* the browser keeps it */
    }
}

/* @param t  the part in whose place the whole stands */
static void put_whole(struct work *w, struct token_use *t, const struct whole *s)
{
    *t = s->use;
    if (s->sent_count > 0) {
        t->flags |= TOKEN_SENT;
        t->sent = join(w, s->sent, s->sent_count);
    }
    if (s->any_set) {
        t->flags |= TOKEN_SET;
        t->set = join(w, s->set, s->set_count);
    } else if (s->any_deleted) {
        t->flags |= TOKEN_DELETED;
    }
}

/* --- pieces: NAME.0 NAME.1; NAME_0; NAME-0; ASP.NET's NAME with NAMEC1 and NAMEC2 ------------- */

/* @return the length of the name without its number; 0 where it is no first piece */
static size_t stem_of(struct hr_span name)
{
    if (name.len < 4 || (name.ptr[name.len - 1] != '0' && name.ptr[name.len - 1] != '1')) {
        return 0;
    }
    char mark = name.ptr[name.len - 2];
    return mark == '.' || mark == '_' || mark == '-' || mark == 'C' ? name.len - 2 : 0;
}

static void join_pieces(struct work *w, struct token_use *first)
{
    struct hr_span name = first->name;
    struct hr_span stem = hr_span_slice(name, 0, stem_of(name));
    char ending[2] = {name.ptr[name.len - 2], name.ptr[name.len - 1]};
    struct whole s = {
        .use = {.carrier = TOKEN_COOKIE, .name = stem, .lifetime_s = -1}
    };
    struct token_use *t = find_cookie(w, stem, (struct hr_span){"", 0});
    struct token_use *place = t != NULL ? t : first;
    unsigned count = 0;
    if (ending[1] == '1' && ending[0] != 'C') {
        ending[1] = '0';
        if (find_cookie(w, stem, hr_span_of(ending, 2)) != NULL) {
            return; /* it is the second */
        }
        ending[1] = '1';
    }
    ending[1]++;
    if (find_cookie(w, stem, hr_span_of(ending, 2)) == NULL && (t == NULL || ending[0] != 'C')) {
        return;
    }
    if (t != NULL) {
        add_part(&s, t);
    }
    struct hr_span place_name = place->name;
    for (ending[1]--; count < PIECES; ending[1]++, count++) {
        t = ending[1] > '9' ? NULL : find_cookie(w, stem, hr_span_of(ending, 2));
        if (t == NULL) {
            break;
        }
        add_part(&s, t);
        if (!hr_span_equal(t->name, place_name)) {
            drop(w, t);
        }
    }
    place = find_cookie(w, place_name, (struct hr_span){"", 0});
    put_whole(w, place, &s);
}

/* --- pairs ------------------------------------------------------------------------------------ */

/* A signature follows from the value: it says nothing more, but that the value is no plain word. */
static void drop_signature(struct work *w, const struct token_use *signature)
{
    struct hr_span name = hr_span_slice(signature->name, 0, signature->name.len - 4);
    struct token_use *t = find_cookie(w, name, (struct hr_span){"", 0});
    if (t == NULL) {
        return;
    }
    t->flags |= signature->flags & TOKEN_RANDOM_LOOKING;
    t->flags |= (t->flags & TOKEN_SET) ? 0u : (signature->flags & TOKEN_DELETED);
    drop(w, signature);
}

static void join_pair(struct work *w, const char *names)
{
    struct hr_span rest = hr_span_str(names);
    struct hr_span name = hr_span_cut(&rest, '+');
    struct token_use *first = find_cookie(w, name, (struct hr_span){"", 0});
    struct token_use *second = first == NULL ? NULL : find_cookie(w, rest, (struct hr_span){"", 0});
    if (second == NULL || is_named_by_profile(w, first->name) ||
        is_named_by_profile(w, second->name)) {
        return;
    }
    struct whole s = {
        .use = {.carrier = TOKEN_COOKIE, .name = hr_span_str(names), .lifetime_s = -1}
    };
    struct hr_span kept = first->name;
    add_part(&s, first);
    add_part(&s, second);
    s.sent_count = s.sent_count == 2 ? 2 : 0; /* half a pair is none */
    s.any_set = s.any_set && s.set_count == 2;
    drop(w, second);
    put_whole(w, find_cookie(w, kept, (struct hr_span){"", 0}), &s);
}

void work_token_sets(struct work *w)
{
    for (size_t i = 0; i < w->f->token_count; i++) {
        struct token_use *t = &w->f->tokens[i];
        bool is_cookie = t->carrier == TOKEN_COOKIE && t->name.len > 0;
        if (is_cookie && t->name.len > 4 && hr_span_has_suffix_nocase(t->name, HR_SPAN(".sig")) &&
            !is_named_by_profile(w, t->name)) {
            size_t count = w->f->token_count;
            drop_signature(w, t);
            i -= w->f->token_count < count;
        } else if (is_cookie && stem_of(t->name) > 0 && (t->flags & TOKEN_RANDOM_LOOKING) &&
                   !is_named_by_profile(w, t->name)) {
            size_t count = w->f->token_count;
            join_pieces(w, t);
            i = w->f->token_count < count ? SIZE_MAX : i; /* once more from the first */
        }
    }
    for (size_t i = 0; w->f->token_count > 1 && session_list_cookie_sets[i] != NULL; i++) {
        join_pair(w, session_list_cookie_sets[i]);
    }
}
