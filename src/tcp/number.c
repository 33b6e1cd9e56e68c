#include "tcp/number.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void tcp_numbers_init(struct tcp_numbers *n, size_t capture_count, size_t ghost_limit)
{
    memset(n, 0, sizeof(*n));
    n->next = hr_xcalloc(capture_count, sizeof(*n->next));
    n->capture_count = capture_count;
    n->ghost_limit = ghost_limit;
}

void tcp_numbers_finish(struct tcp_numbers *n)
{
    struct tcp_ghost *g;
    struct tcp_ghost *after;
    HASH_ITER (hh, n->ghosts, g, after) {
        struct tcp_number number = tcp_ghost_take(n, g);
        tcp_number_finish(&number);
    }
    free(n->next);
    n->next = NULL;
}

unsigned tcp_key_init(struct tcp_key *k, const struct net_endpoint *source,
                      const struct net_endpoint *destination, uint32_t network)
{
    int order = memcmp(&source->address, &destination->address, sizeof(source->address));
    unsigned side = order ? order > 0 : source->port > destination->port;
    k->side[side] = *source;
    k->side[!side] = *destination;
    k->network = network;
    return side;
}

unsigned tcp_key_of(const struct tcp_segment *s, struct tcp_key *ret_key)
{
    return tcp_key_init(ret_key, &s->source, &s->destination, s->network);
}

struct tcp_number tcp_number_new(struct tcp_numbers *n, const struct tcp_segment *s)
{
    assert(s->capture < n->capture_count);
    return (struct tcp_number){.stream = n->next[s->capture]++, .capture = s->capture};
}

void tcp_number_finish(struct tcp_number *number)
{
    free(number->others);
    number->others = NULL;
}

void tcp_number_return(struct tcp_numbers *n, struct tcp_number *take_number)
{
    if (n->next[take_number->capture] == take_number->stream + 1) {
        n->next[take_number->capture]--;
    }
    tcp_number_finish(take_number);
}

bool tcp_number_is_other(const struct tcp_number *number, unsigned side,
                         const struct tcp_segment *s)
{
    return (s->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && number->first_known[side] &&
           number->first[side] != s->seq;
}

/* Another capture that holds frames of the stream counts it, too. */
static void note_capture(struct tcp_numbers *n, struct tcp_number *number, size_t capture)
{
    assert(capture < n->capture_count);
    if (!number->others) {
        number->others = hr_xcalloc((n->capture_count + 63) / 64, sizeof(*number->others));
    }
    uint64_t bit = UINT64_C(1) << (capture % 64);
    if (!(number->others[capture / 64] & bit)) {
        number->others[capture / 64] |= bit;
        n->next[capture]++;
    }
}

void tcp_number_note(struct tcp_numbers *n, struct tcp_number *number, unsigned side,
                     const struct tcp_segment *s)
{
    if (s->capture != number->capture) {
        note_capture(n, number, s->capture);
    }
    bool syn = s->flags & TCP_SYN;
    bool ack = s->flags & TCP_ACK;
    if (!number->first_known[side] || (syn && ack)) {
        number->first[side] = syn ? s->seq : s->seq - 1;
        number->first_known[side] = true;
    }
    if (!number->first_known[!side] && ack) {
        number->first[!side] = s->ack - 1;
        number->first_known[!side] = true;
    }
}

/* The macros of uthash expand to more than is read here, and the analyser loses its list heads. */
/* NOLINTBEGIN(readability-function-size,clang-analyzer-unix.Malloc) */
struct tcp_ghost *tcp_ghost_find(struct tcp_numbers *n, const struct tcp_key *key)
{
    struct tcp_ghost *g = NULL;
    HASH_FIND(hh, n->ghosts, key, sizeof(*key), g);
    return g;
}

struct tcp_ghost *tcp_ghost_add(struct tcp_numbers *n, const struct tcp_key *key,
                                const struct tcp_number *take_number, bool ended)
{
    if (HASH_COUNT(n->ghosts) >= n->ghost_limit && n->ghosts) {
        struct tcp_number oldest = tcp_ghost_take(n, n->ghosts);
        tcp_number_finish(&oldest);
    }
    struct tcp_ghost *g = hr_xcalloc(1, sizeof(*g));
    g->key = *key;
    g->number = *take_number;
    g->ended = ended;
    HASH_ADD(hh, n->ghosts, key, sizeof(g->key), g);
    return g;
}

struct tcp_number tcp_ghost_take(struct tcp_numbers *n, struct tcp_ghost *take_ghost)
{
    struct tcp_number number = take_ghost->number;
    HASH_DELETE(hh, n->ghosts, take_ghost);
    free(take_ghost);
    return number;
}
/* NOLINTEND(readability-function-size,clang-analyzer-unix.Malloc) */
