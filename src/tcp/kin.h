/*
 * tcp/kin.h - inside of tcp/: connections with equal 4-tuples in several networks (VLANs, virtual
 * networks). They are kept apart, but for two cases in which they are one: each direction bears tags
 * of its own or none, or a router's or bridge's frames were captured on both of its sides. Sequence
 * numbers tell: the segments of one direction acknowledge the other, or are copies byte for byte.
 * Costs nothing before a second network is seen.
 */
#ifndef HR_TCP_KIN_H
#define HR_TCP_KIN_H

#include "base/map.h"
#include "decode/segment.h"
#include "tcp/number.h"

#include <sys/queue.h>

/* Networks besides the first that a connection may have: a way over so many routers. */
#define TCP_ALIAS_LIMIT 3u

struct tcp_entry;
struct tcp_table;
TAILQ_HEAD(tcp_kinsfolk, tcp_entry);

/* All connections with one 4-tuple. */
struct tcp_family {
    struct net_endpoint side[2];
    struct tcp_kinsfolk members; /* the newest first */
    UT_hash_handle hh;
};

struct tcp_kin {
    struct tcp_family *families;
    bool is_used; /* more than one network was seen */
    bool has_first;
    uint32_t first_network;
};

void tcp_kin_finish(struct tcp_kin *k);
/** Takes note of the segment's network. */
void tcp_kin_note(struct tcp_table *t, uint32_t network);
void tcp_kin_add(struct tcp_table *t, struct tcp_entry *e);
void tcp_kin_remove(struct tcp_table *t, struct tcp_entry *e);
/**
 * Which connection a segment belongs to.
 * @param e  the one with its key, or NULL; may be dissolved into another one
 * @return that one or another one, joined by now; NULL: it begins one
 */
struct tcp_entry *tcp_kin_choose(struct tcp_table *t, struct tcp_entry *e, const struct tcp_key *key,
                                 unsigned side, const struct tcp_segment *s);

#endif
