/*
 * With many connections every step on the way to what is kept of one waits for memory. Here the
 * segments of the next frames are known by their connections, and the steps are taken for each one
 * after the other, with other frames between: what a step asks for is there when the next needs it.
 */
#include "tcp/conn_table.h"

#include <string.h>

/* So many frames before its turn: */
enum {
    ENTRY_AHEAD = 8, /* the slot is there: asks for the entry */
    USER_AHEAD = 5,  /* the entry is there: asks for the user's */
    MORE_AHEAD = 2,  /* that is there: asks for what it points to */
};

static struct tcp_foreseen *foreseen_at(struct tcp_table *t, unsigned ahead)
{
    return &t->ahead.frames[(t->ahead.at + ahead) % TCP_AHEAD];
}

static struct tcp_entry *entry_at(struct tcp_table *t, unsigned ahead)
{
    const struct tcp_foreseen *f = foreseen_at(t, ahead);
    return f->is_known ? tcp_index_guess(&t->index, f->hash) : NULL;
}

static void take_steps(struct tcp_table *t)
{
    const struct tcp_entry *e = entry_at(t, ENTRY_AHEAD);
    if (e != NULL) {
        tcp_index_fetch(e);
    }
    static const unsigned steps[] = {USER_AHEAD, MORE_AHEAD};
    for (unsigned i = 0; i < HR_ARRAY_LEN(steps); i++) {
        e = entry_at(t, steps[i]);
        if (e != NULL && e->conn.user != NULL) {
            t->callbacks.fetch(&e->conn, i);
        }
    }
}

void tcp_table_foresee(struct tcp_table *t, const struct net_endpoint *ends)
{
    t->ahead.at = (t->ahead.at + 1) % TCP_AHEAD;
    struct tcp_foreseen *f = foreseen_at(t, TCP_AHEAD_FRAMES);
    f->is_known = ends != NULL;
    if (ends != NULL) {
        tcp_key_init(&f->key, &ends[0], &ends[1], 0);
        f->hash = tcp_index_hash(&f->key);
        tcp_index_fetch_slot(&t->index, f->hash);
    }
    if (t->callbacks.fetch != NULL) {
        take_steps(t);
    }
}

uint32_t tcp_ahead_hash(struct tcp_table *t, const struct tcp_key *key)
{
    const struct tcp_foreseen *f = foreseen_at(t, 0);
    bool is_it = f->is_known && memcmp(&f->key, key, sizeof(*key)) == 0;
    return is_it ? f->hash : tcp_index_hash(key);
}
