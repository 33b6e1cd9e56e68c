/*
 * A token's keyed hash is the same at every site of a database, so a twin is found by the index of
 * hashes. Which carriers are worth looking at is told by the names of their sites.
 */
#include "pipeline/twins.h"

#include "base/map.h"

#include <stdlib.h>

enum {
    PAIRS = 32, /* most pairs of carriers of a site */
    NOTES = 65536,
};

struct pair {
    int64_t carrier_id;
    int64_t other_id;
    int64_t other_site_id;
};

struct noted {
    int64_t session_id;
    struct operation_row *logins; /* at other sites */
    size_t count;
    UT_hash_handle hh;
};

struct twins {
    struct store *store;
    struct noted *noted;
    struct hr_buf site;
    struct pair pairs[PAIRS];
    size_t count;
};

static struct hr_span without_port(struct hr_span site)
{
    size_t end = site.len;
    while (end > 0 && site.ptr[end - 1] >= '0' && site.ptr[end - 1] <= '9') {
        end--;
    }
    return end > 0 && end < site.len && site.ptr[end - 1] == ':' ? hr_span_slice(site, 0, end - 1)
                                                                 : site;
}

/* The last two labels; ptr NULL where there is no more than one, or it is an address. */
static struct hr_span domain_of(struct hr_span host)
{
    size_t start = host.len;
    size_t dots = 0;
    if (host.len == 0 || host.ptr[0] == '[' ||
        (host.ptr[host.len - 1] >= '0' && host.ptr[host.len - 1] <= '9')) {
        return (struct hr_span){NULL, 0};
    }
    while (start > 0 && dots < 2) {
        start--;
        dots += host.ptr[start] == '.';
    }
    return dots == 0 ? (struct hr_span){NULL, 0}
                     : hr_span_slice(host, dots == 2 ? start + 1 : 0, host.len);
}

bool twins_are_kin(struct hr_span site, struct hr_span other)
{
    struct hr_span a = without_port(site);
    struct hr_span b = without_port(other);
    struct hr_span domain = domain_of(a);
    return hr_span_equal(a, b) || (domain.ptr != NULL && hr_span_equal(domain, domain_of(b)));
}

static int pair_row(const struct twin_carrier *c, void *user)
{
    struct twins *t = user;
    if (t->count < PAIRS && twins_are_kin(hr_buf_span(&t->site), c->other_site)) {
        t->pairs[t->count++] = (struct pair){c->carrier_id, c->other_id, c->other_site_id};
    }
    return 0;
}

int twins_create(struct store *s, int64_t site_id, struct twins **ret_twins)
{
    struct twins *t = hr_xcalloc(1, sizeof(*t));
    t->store = s;
    hr_buf_init(&t->site, 4096);
    int r = read_site(s, site_id, &t->site);
    r = r == 0 ? read_twin_carriers(s, site_id, pair_row, t) : r;
    if (r < 0) {
        twins_destroy(t);
        return r;
    }
    *ret_twins = t;
    return 0;
}

void twins_destroy(struct twins *t)
{
    struct noted *n;
    struct noted *next;
    if (t == NULL) {
        return;
    }
    HASH_ITER(hh, t->noted, n, next)
    {
        HASH_DEL(t->noted, n);
        free(n->logins);
        free(n);
    }
    hr_buf_finish(&t->site);
    free(t);
}

static struct noted *find_noted(const struct twins *t, int64_t session_id)
{
    struct noted *n = NULL;
    HASH_FIND(hh, t->noted, &session_id, sizeof(session_id), n);
    return n;
}

void twins_note(struct twins *t, int64_t session_id)
{
    if (t->count > 0 && HASH_COUNT(t->noted) < NOTES && find_noted(t, session_id) == NULL) {
        struct noted *n = hr_xcalloc(1, sizeof(*n));
        n->session_id = session_id;
        HASH_ADD(hh, t->noted, session_id, sizeof(n->session_id), n);
    }
}

static int login_row(const struct operation_row *o, void *user)
{
    struct noted *n = user;
    if (o->kind == OPERATION_LOGIN || o->kind == OPERATION_MAYBE_LOGIN ||
        o->kind == OPERATION_OPENED || o->kind == OPERATION_ROTATED) {
        n->logins = hr_xrealloc(n->logins, (n->count + 1) * sizeof(*n->logins));
        n->logins[n->count] = *o;
        n->logins[n->count].session_id = n->session_id;
        n->logins[n->count].issues = false;
        n->logins[n->count].understood = true;
        n->count++;
    }
    return 0;
}

int twins_resolve(struct twins *t, bool *ret_any)
{
    int r = 0;
    for (struct noted *n = t->noted; n != NULL; n = n->hh.next) {
        for (size_t i = 0; r == 0 && i < t->count; i++) {
            int64_t twin_id = 0;
            r = read_twin_session(t->store, n->session_id, t->pairs[i].carrier_id,
                                  t->pairs[i].other_id, &twin_id);
            r = r == 0 && twin_id != 0 ? read_session_operations(t->store, twin_id, login_row, n)
                                       : r;
        }
        *ret_any = *ret_any || n->count > 0;
    }
    return r;
}

void twins_give_logins(const struct twins *t, int64_t session_id,
                       int (*row)(const struct operation_row *o, void *user), void *user)
{
    const struct noted *n = find_noted(t, session_id);
    for (size_t i = 0; n != NULL && i < n->count; i++) {
        row(&n->logins[i], user);
    }
}

static bool is_among(const int64_t *sites, size_t count, int64_t site_id)
{
    for (size_t i = 0; i < count; i++) {
        if (sites[i] == site_id) {
            return true;
        }
    }
    return false;
}

static int spread_from(struct store *s, int64_t **sites, size_t *count, int64_t site_id)
{
    struct twins *t = NULL;
    int r = twins_create(s, site_id, &t);
    for (size_t i = 0; r == 0 && i < t->count; i++) {
        int64_t shares = 0;
        const struct pair *p = &t->pairs[i];
        if (is_among(*sites, *count, p->other_site_id)) {
            continue;
        }
        r = read_carriers_share_token(s, p->carrier_id, p->other_id, &shares);
        if (r == 0 && shares != 0) {
            *sites = hr_xrealloc(*sites, (*count + 1) * sizeof(**sites));
            (*sites)[(*count)++] = p->other_site_id;
        }
    }
    twins_destroy(t);
    return r;
}

int twins_spread(struct store *s, int64_t **sites, size_t *count)
{
    size_t changed = *count;
    int r = 0;
    for (size_t i = 0; r == 0 && i < changed; i++) {
        r = spread_from(s, sites, count, (*sites)[i]);
    }
    return r;
}
