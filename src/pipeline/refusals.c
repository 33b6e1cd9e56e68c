/*
 * A table of fixed size: a server has one place in it, and its sum is emitted when another server
 * or another slot needs the place.
 */
#include "pipeline/refusals.h"

#include "base/alloc.h"
#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

#define PLACES 1024
#define SUM_LIMIT 1000000 /* of a run */

struct refusals {
    void (*emit)(const struct refusal_row *row, void *user);
    void *user;
    uint64_t sums; /* emitted */
    uint64_t dropped;
    struct refusal_row rows[PLACES]; /* attempts 0: free */
};

struct refusals *refusals_create(void (*emit)(const struct refusal_row *row, void *user),
                                 void *user)
{
    struct refusals *r = hr_xcalloc(1, sizeof(*r));
    r->emit = emit;
    r->user = user;
    return r;
}

static void give(struct refusals *r, struct refusal_row *row)
{
    if (row->attempts > 0 && r->sums < SUM_LIMIT) {
        r->sums++;
        r->emit(row, r->user);
    } else {
        r->dropped += row->attempts;
    }
    row->attempts = 0;
}

static struct refusal_row *place_of(struct refusals *r, const struct net_endpoint *server)
{
    unsigned char key[sizeof(server->address.bytes) + sizeof(server->port)];
    memcpy(key, server->address.bytes, sizeof(server->address.bytes));
    memcpy(key + sizeof(server->address.bytes), &server->port, sizeof(server->port));
    return &r->rows[hr_hash_table(key, sizeof(key)) % PLACES];
}

void refusals_add(struct refusals *r, const struct net_endpoint *server, hr_nsec at)
{
    struct refusal_row *row = place_of(r, server);
    int64_t slot = at / REFUSAL_SLOT;
    if (row->attempts > 0 &&
        (row->slot != slot || net_endpoint_compare(&row->server, server) != 0)) {
        give(r, row);
    }
    if (row->attempts == 0) {
        *row = (struct refusal_row){.server = *server, .slot = slot, .first_at = at, .last_at = at};
    }
    row->first_at = at < row->first_at ? at : row->first_at;
    row->last_at = at > row->last_at ? at : row->last_at;
    row->attempts++;
}

void refusals_flush(struct refusals *r, hr_nsec before)
{
    for (size_t i = 0; i < PLACES; i++) {
        if (r->rows[i].slot < before / REFUSAL_SLOT) {
            give(r, &r->rows[i]);
        }
    }
}

void refusals_finish(struct refusals *r)
{
    refusals_flush(r, HR_NSEC_INFINITE);
}

uint64_t refusals_dropped(const struct refusals *r)
{
    return r->dropped;
}

void refusals_destroy(struct refusals *r)
{
    free(r);
}
