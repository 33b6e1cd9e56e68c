/*
 * A map of the values that replaced another one, each with the value before it; where that one is
 * no such value itself, it is a root, of which only the login matters. Past the bounds further
 * values are judged as if they stood alone.
 */
#include "pipeline/chains.h"

#include "base/map.h"

#include <stdlib.h>

enum {
    LINKS = 1 << 18,
    LOGOUTS = 1 << 18, /* counted for each value that they end */
};

enum kinship {
    KINSHIP_UNKNOWN,
    KINSHIP_VISITOR,
    KINSHIP_OTHER,
};

struct link {
    int64_t session_id;
    int64_t exchange_id; /* that gave it */
    hr_nsec given_at;    /* start of that exchange */
    int64_t parent_id;   /* 0: none that is known */
    bool has_login;      /* besides that exchange */
    enum kinship kinship;
    UT_hash_handle hh;
};

/* A logout of a later value of the chain. */
struct chain_logout {
    struct operation_row logout;
    hr_nsec replaced_at; /* when the older value was replaced: start of that exchange */
};

struct chain_end {
    struct operation_row logout;
    struct chain_end *next;
};

struct inherited {
    int64_t session_id;
    struct chain_logout *logouts;
    size_t count;
    UT_hash_handle hh;
};

struct chains {
    struct store *store;
    struct link *links;
    struct chain_end *ends;
    struct inherited *inherited;
    size_t logout_count;
    uint64_t dropped;
};

struct chains *chains_create(struct store *s)
{
    struct chains *c = hr_xcalloc(1, sizeof(*c));
    c->store = s;
    return c;
}

void chains_destroy(struct chains *c)
{
    struct link *link;
    struct link *next_link;
    struct inherited *i;
    struct inherited *next;
    if (c == NULL) {
        return;
    }
    HASH_ITER(hh, c->links, link, next_link)
    {
        HASH_DEL(c->links, link);
        free(link);
    }
    HASH_ITER(hh, c->inherited, i, next)
    {
        HASH_DEL(c->inherited, i);
        free(i->logouts);
        free(i);
    }
    while (c->ends != NULL) {
        struct chain_end *end = c->ends;
        c->ends = end->next;
        free(end);
    }
    free(c);
}

uint64_t chains_dropped(const struct chains *c)
{
    return c->dropped;
}

bool chains_any(const struct chains *c)
{
    return c->links != NULL;
}

static struct link *find_link(const struct chains *c, int64_t session_id)
{
    struct link *link = NULL;
    HASH_FIND(hh, c->links, &session_id, sizeof(session_id), link);
    return link;
}

static bool signs_in(const struct operation_row *o)
{
    return o->kind == OPERATION_LOGIN || o->kind == OPERATION_MAYBE_LOGIN ||
           o->kind == OPERATION_OPENED;
}

void chains_note(struct chains *c, const struct operation_row *ops, size_t count)
{
    const struct operation_row *given = NULL;
    bool has_login = false;
    for (size_t i = 0; i < count; i++) {
        if (given == NULL && ops[i].kind == OPERATION_ROTATED && ops[i].issues) {
            given = &ops[i];
        }
        has_login = has_login || signs_in(&ops[i]);
    }
    if (given == NULL || HASH_COUNT(c->links) == LINKS) {
        c->dropped += given != NULL;
        return;
    }
    struct link *link = hr_xcalloc(1, sizeof(*link));
    link->session_id = given->session_id;
    link->exchange_id = given->exchange_id;
    link->given_at = given->start;
    link->has_login = has_login;
    HASH_ADD(hh, c->links, session_id, sizeof(link->session_id), link);
    for (size_t i = 0; i < count; i++) {
        if (ops[i].kind == OPERATION_LOGOUT) {
            struct chain_end *end = hr_xcalloc(1, sizeof(*end));
            end->logout = ops[i];
            end->next = c->ends;
            c->ends = end;
        }
    }
}

static void inherit(struct chains *c, const struct link *younger,
                    const struct operation_row *logout)
{
    int64_t session_id = younger->parent_id;
    struct inherited *i = NULL;
    HASH_FIND(hh, c->inherited, &session_id, sizeof(session_id), i);
    if (i == NULL) {
        i = hr_xcalloc(1, sizeof(*i));
        i->session_id = session_id;
        HASH_ADD(hh, c->inherited, session_id, sizeof(i->session_id), i);
    }
    i->logouts = hr_xrealloc(i->logouts, (i->count + 1) * sizeof(*i->logouts));
    i->logouts[i->count++] =
        (struct chain_logout){.logout = *logout, .replaced_at = younger->given_at};
    c->logout_count++;
}

/* Every value is given once, by an exchange that came after the one that gave its parent: so the
 * way up ends, but for captures that lie, which the counts bound. */
static void end_chain(struct chains *c, const struct operation_row *logout)
{
    const struct link *link = find_link(c, logout->session_id);
    for (size_t steps = 0; link != NULL && link->parent_id != 0 && steps < HASH_COUNT(c->links) &&
                           c->logout_count < LOGOUTS;
         steps++) {
        inherit(c, link, logout);
        link = find_link(c, link->parent_id);
    }
    c->dropped += link != NULL && link->parent_id != 0 && c->logout_count == LOGOUTS;
}

struct root {
    bool is_visit; /* issued by an exchange that is no login */
    bool has_login;
};

static int root_row(const struct operation_row *o, void *user)
{
    struct root *r = user;
    r->is_visit = r->is_visit || (o->kind == OPERATION_ISSUE && o->issues && o->role != ROLE_LOGIN);
    r->has_login = r->has_login || signs_in(o);
    return 0;
}

static int root_kinship(struct chains *c, int64_t session_id, enum kinship *ret_kinship)
{
    struct root root = {0};
    int r = session_id == 0 ? 0 : read_session_operations(c->store, session_id, root_row, &root);
    *ret_kinship = root.is_visit && !root.has_login ? KINSHIP_VISITOR : KINSHIP_OTHER;
    return r;
}

/* Up to the first value of which it is known, and down again. */
static int tell_kinship(struct chains *c, struct link *link)
{
    size_t count = 0;
    size_t limit = HASH_COUNT(c->links);
    struct link **way = NULL;
    struct link *at = link;
    enum kinship kinship = KINSHIP_OTHER;
    int r = 0;
    while (at != NULL && at->kinship == KINSHIP_UNKNOWN && count < limit) {
        way = hr_xgrow(way, count, sizeof(struct link *));
        way[count++] = at;
        at = at->parent_id == 0 ? NULL : find_link(c, at->parent_id);
    }
    if (at != NULL) {
        kinship = at->has_login ? KINSHIP_OTHER : at->kinship;
    } else if (count > 0) {
        r = root_kinship(c, way[count - 1]->parent_id, &kinship);
    }
    while (count > 0) {
        at = way[--count];
        at->kinship = kinship;
        kinship = at->has_login ? KINSHIP_OTHER : kinship;
    }
    free(way);
    return r;
}

int chains_resolve(struct chains *c)
{
    int r = 0;
    for (struct link *link = c->links; r == 0 && link != NULL; link = link->hh.next) {
        r = read_replaced_session(c->store, link->exchange_id, link->session_id, &link->parent_id);
    }
    for (struct link *link = c->links; r == 0 && link != NULL; link = link->hh.next) {
        if (link->kinship == KINSHIP_UNKNOWN) {
            r = tell_kinship(c, link);
        }
    }
    for (const struct chain_end *end = c->ends; r == 0 && end != NULL; end = end->next) {
        end_chain(c, &end->logout);
    }
    return r;
}

static bool gives_value(const struct operation_row *o)
{
    return signs_in(o) || o->kind == OPERATION_ISSUE || o->kind == OPERATION_REFRESH ||
           o->kind == OPERATION_ROTATED;
}

void chains_give_logouts(const struct chains *c, const struct operation_row *ops, size_t count,
                         int (*row)(const struct operation_row *o, void *user), void *user)
{
    const int64_t session_id = ops[0].session_id;
    hr_nsec given_at = INT64_MIN;
    struct inherited *i = NULL;
    HASH_FIND(hh, c->inherited, &session_id, sizeof(session_id), i);
    for (size_t k = 0; i != NULL && k < count; k++) {
        given_at = gives_value(&ops[k]) && ops[k].start > given_at ? ops[k].start : given_at;
    }
    for (size_t k = 0; i != NULL && k < i->count; k++) {
        struct operation_row logout = i->logouts[k].logout;
        logout.session_id = session_id;
        if (given_at <= i->logouts[k].replaced_at) {
            row(&logout, user);
        }
    }
}

bool chains_is_visitor(const struct chains *c, int64_t session_id)
{
    const struct link *link = find_link(c, session_id);
    return link != NULL && link->kinship == KINSHIP_VISITOR && !link->has_login;
}
