/* A table of fixed size: a server has one place in it, and its sum is emitted when another one
 * needs the place. */
#include "pipeline/sheds.h"

#include "base/alloc.h"
#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

#define PLACES 256

struct sheds {
    void (*emit)(const struct loss_row *row, void *user);
    void *user;
    uint64_t frames;
    struct loss_row rows[PLACES]; /* count 0: free */
};

struct sheds *sheds_create(void (*emit)(const struct loss_row *row, void *user), void *user)
{
    struct sheds *s = hr_xcalloc(1, sizeof(*s));
    s->emit = emit;
    s->user = user;
    return s;
}

static void give(struct sheds *s, struct loss_row *row)
{
    if (row->count > 0) {
        s->emit(row, s->user);
    }
    row->count = 0;
}

static struct loss_row *place_of(struct sheds *s, size_t capture, const struct net_endpoint *server)
{
    unsigned char key[sizeof(capture) + sizeof(server->address.bytes) + sizeof(server->port)];
    unsigned char *to = key;
    memcpy(to, &capture, sizeof(capture));
    to += sizeof(capture);
    memcpy(to, server->address.bytes, sizeof(server->address.bytes));
    to += sizeof(server->address.bytes);
    memcpy(to, &server->port, sizeof(server->port));
    return &s->rows[hr_hash_table(key, sizeof(key)) % PLACES];
}

void sheds_add(struct sheds *s, size_t capture, const struct net_endpoint *server, hr_nsec at)
{
    static const struct net_endpoint all = {.port = 0};
    const struct net_endpoint *of = server != NULL ? server : &all;
    struct loss_row *row = place_of(s, capture, of);
    s->frames++;
    if (row->capture_id != (int64_t)capture || net_endpoint_compare(&row->server, of) != 0) {
        give(s, row);
    }
    if (row->count == 0) {
        *row = (struct loss_row){.kind = LOSS_SHED,
                                 .capture_id = (int64_t)capture,
                                 .server = *of,
                                 .from_at = at,
                                 .to_at = at,
                                 .hides_exchanges = true};
    }
    row->from_at = at < row->from_at ? at : row->from_at;
    row->to_at = at > row->to_at ? at : row->to_at;
    row->count++;
}

void sheds_flush(struct sheds *s)
{
    for (size_t i = 0; i < PLACES; i++) {
        give(s, &s->rows[i]);
    }
}

uint64_t sheds_frames(const struct sheds *s)
{
    return s->frames;
}

void sheds_destroy(struct sheds *s)
{
    free(s);
}
