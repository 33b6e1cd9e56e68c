/*
 * A token's keyed hash is the same at every site of a database, so a twin is found by the index of
 * hashes. Which carriers are worth looking at is told by the names of their sites.
 */
#include "pipeline/twins.h"

#include "base/map.h"

#include <stdlib.h>

enum { NOTES = 65536 };

struct noted {
    int64_t session_id;
    struct operation_row *logins; /* at other sites */
    size_t count;
    UT_hash_handle hh;
};

struct twins {
    struct store *store;
    struct noted *noted;
    struct twin_carrier pairs[TWIN_CARRIERS_MAX];
    size_t count;
    bool is_cut;  /* there are more */
    bool is_full; /* a session found no room */
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

/* Equal but for the port, or in one domain. */
static struct hr_span kin_of(struct hr_span site)
{
    struct hr_span host = without_port(site);
    struct hr_span domain = domain_of(host);
    return domain.ptr != NULL ? domain : host;
}

int twins_prepare(struct store *s)
{
    return read_kin(s, kin_of);
}

int twins_create(struct store *s, int64_t site_id, struct twins **ret_twins)
{
    struct twins *t = hr_xcalloc(1, sizeof(*t));
    t->store = s;
    int r = read_twin_carriers(s, site_id, t->pairs, &t->count, &t->is_cut);
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
    if (t->count == 0 || find_noted(t, session_id) != NULL) {
        return;
    }
    t->is_full = HASH_COUNT(t->noted) == NOTES;
    if (!t->is_full) {
        struct noted *n = hr_xcalloc(1, sizeof(*n));
        n->session_id = session_id;
        HASH_ADD(hh, t->noted, session_id, sizeof(n->session_id), n);
    }
}

bool twins_has_kin(const struct twins *t)
{
    return t->count > 0;
}

bool twins_is_cut(const struct twins *t)
{
    return t->is_cut;
}

bool twins_is_dropped(const struct twins *t, int64_t session_id)
{
    return t->is_full && find_noted(t, session_id) == NULL;
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
    *ret_any = t->is_full;
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

/* The sites so far, to tell at once whether one is among them. */
struct spread {
    struct store *store;
    struct spread_site *known;
    int64_t *sites; /* the changed ones, then those added */
    size_t count;
};

struct spread_site {
    int64_t site_id;
    UT_hash_handle hh;
};

static bool is_known(const struct spread *p, int64_t site_id)
{
    struct spread_site *known = NULL;
    HASH_FIND(hh, p->known, &site_id, sizeof(site_id), known);
    return known != NULL;
}

static void make_known(struct spread *p, int64_t site_id)
{
    struct spread_site *known = hr_xcalloc(1, sizeof(*known));
    known->site_id = site_id;
    HASH_ADD(hh, p->known, site_id, sizeof(known->site_id), known);
}

static int spread_from(struct spread *p, int64_t site_id)
{
    struct twins *t = NULL;
    int r = twins_create(p->store, site_id, &t);
    for (size_t i = 0; r == 0 && i < t->count; i++) {
        int64_t shares = 0;
        const struct twin_carrier *c = &t->pairs[i];
        if (is_known(p, c->other_site_id)) {
            continue;
        }
        r = read_carriers_share_token(p->store, c->carrier_id, c->other_id, &shares);
        if (r == 0 && shares != 0) {
            make_known(p, c->other_site_id);
            p->sites = hr_xrealloc(p->sites, (p->count + 1) * sizeof(*p->sites));
            p->sites[p->count++] = c->other_site_id;
        }
    }
    twins_destroy(t);
    return r;
}

int twins_spread(struct store *s, int64_t **sites, size_t *count)
{
    struct spread p = {.store = s, .sites = *sites, .count = *count};
    struct spread_site *known;
    struct spread_site *next;
    int r = 0;
    for (size_t i = 0; i < *count; i++) {
        make_known(&p, p.sites[i]);
    }
    for (size_t i = 0; r == 0 && i < *count; i++) {
        r = spread_from(&p, p.sites[i]);
    }
    HASH_ITER(hh, p.known, known, next)
    {
        HASH_DEL(p.known, known);
        free(known);
    }
    *sites = p.sites;
    *count = p.count;
    return r;
}
