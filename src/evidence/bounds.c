#include "evidence/bounds.h"

#include "base/map.h"

#include <stdlib.h>

enum { LOGINS, LOGOUTS, KINDS };

struct bound {
    hr_nsec at;
    int64_t exchange;
};

/* Of one session, each kind in order of time, then of operations. */
struct session_bounds {
    int64_t session;
    struct bound *items[KINDS];
    size_t count[KINDS];
    UT_hash_handle hh;
};

static int add_bound(int64_t exchange_id, bool is_login, hr_nsec at, void *user)
{
    struct session_bounds *b = user;
    const size_t kind = is_login ? LOGINS : LOGOUTS;
    b->items[kind] = hr_xgrow(b->items[kind], b->count[kind], sizeof(*b->items[kind]));
    b->items[kind][b->count[kind]++] = (struct bound){.at = at, .exchange = exchange_id};
    return 0;
}

static int find_session(struct bounds_cache *c, struct store *s, int64_t session,
                        const struct session_bounds **ret_bounds)
{
    struct session_bounds *b;
    int r = 0;
    HASH_FIND(hh, c->sessions, &session, sizeof(session), b);
    if (b == NULL) {
        b = hr_xcalloc(1, sizeof(*b));
        b->session = session;
        HASH_ADD(hh, c->sessions, session, sizeof(b->session), b);
        r = read_cut_bounds(s, session, add_bound, b);
    }
    *ret_bounds = b;
    return r;
}

/* @return how many of that kind began by then, those of the same time among them */
static size_t count_until(const struct session_bounds *b, size_t kind, hr_nsec at)
{
    size_t from = 0;
    for (size_t to = b->count[kind]; from < to;) {
        const size_t middle = from + (to - from) / 2;
        if (b->items[kind][middle].at <= at) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

/* @return the last one that began by then, of several at one time the first; NULL: none */
static const struct bound *find_before(const struct session_bounds *b, size_t kind, hr_nsec at)
{
    const size_t count = count_until(b, kind, at);
    if (count == 0) {
        return NULL;
    }
    const hr_nsec then = b->items[kind][count - 1].at;
    const size_t first = then == INT64_MIN ? 0 : count_until(b, kind, then - 1);
    return &b->items[kind][first];
}

static int compare_found(const void *a, const void *b)
{
    const struct bound *x = *(const struct bound *const *)a;
    const struct bound *y = *(const struct bound *const *)b;
    return (x->exchange > y->exchange) - (x->exchange < y->exchange);
}

int bounds_read(struct bounds_cache *c, struct store *s, int64_t finding_id,
                void (*row)(int64_t exchange_id, bool is_login, void *user), void *user)
{
    const struct session_bounds *b = NULL;
    int64_t session;
    hr_nsec at;
    int r = read_cut_session(s, finding_id, &session, &at);
    r = r == 0 && session != 0 ? find_session(c, s, session, &b) : r;
    if (r < 0 || session == 0) {
        return r;
    }
    const struct bound *login = find_before(b, LOGINS, at);
    const struct bound *found[3] = {login, find_before(b, LOGOUTS, at)};
    size_t count = 0;
    const size_t after = count_until(b, LOGOUTS, at);
    found[2] = after < b->count[LOGOUTS] ? &b->items[LOGOUTS][after] : NULL;
    for (size_t i = 0; i < HR_ARRAY_LEN(found); i++) {
        if (found[i] != NULL) {
            found[count++] = found[i];
        }
    }
    qsort(found, count, sizeof(found[0]), compare_found);
    for (size_t i = 0; i < count; i++) {
        row(found[i]->exchange, found[i] == login, user);
    }
    return 0;
}

void bounds_cache_finish(struct bounds_cache *c)
{
    struct session_bounds *b;
    struct session_bounds *next;
    HASH_ITER(hh, c->sessions, b, next)
    {
        HASH_DEL(c->sessions, b);
        free(b->items[LOGINS]);
        free(b->items[LOGOUTS]);
        free(b);
    }
}
