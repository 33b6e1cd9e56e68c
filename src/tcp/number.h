/*
 * tcp/number.h - which number a connection bears: Wireshark's tcp.stream, counted per capture in
 * order of first frames. Only a SYN whose number is not the known first one of its side begins a
 * new stream on a 4-tuple; neither close nor silence does. So what a 4-tuple was called is
 * remembered longer than the connection lives, for a bounded number of them.
 */
#ifndef HR_TCP_NUMBER_H
#define HR_TCP_NUMBER_H

#include "base/map.h"
#include "decode/segment.h"
#include "tcp/seq.h"

/* Both directions of a connection have the same key; side 0 is the lower endpoint. */
struct tcp_key {
    struct net_endpoint side[2];
    uint32_t network;
};
_Static_assert(sizeof(struct tcp_key) == 40, "keys are hashed as bytes: no padding");

struct tcp_number {
    uint64_t stream;
    size_t capture;
    uint64_t
        *others; /* bit set of the captures besides that one that gave it a number; NULL: none */
    tcp_seq first[2]; /* per side: SEQ of the SYN, or one below the first number seen */
    bool first_known[2];
};

#define TCP_SIDE_UNKNOWN 2

/* A 4-tuple without an open connection. */
struct tcp_ghost {
    struct tcp_key key;
    struct tcp_number number;
    bool ended; /* by FIN or RST */
    bool is_shed;
    uint8_t server_side; /* of one that is shed; TCP_SIDE_UNKNOWN: not known */
    UT_hash_handle hh;
};

struct tcp_numbers {
    uint64_t *next; /* per capture */
    size_t capture_count;
    struct tcp_ghost *ghosts; /* the longest unused first */
    size_t ghost_limit;
};

void tcp_numbers_init(struct tcp_numbers *n, size_t capture_count, size_t ghost_limit);
void tcp_numbers_finish(struct tcp_numbers *n);

/** @return the side that is the source */
unsigned tcp_key_init(struct tcp_key *k, const struct net_endpoint *source,
                      const struct net_endpoint *destination, uint32_t network);

/** @return the side that sent s */
unsigned tcp_key_of(const struct tcp_segment *s, struct tcp_key *ret_key);

/** The next number of the segment's capture. */
struct tcp_number tcp_number_new(struct tcp_numbers *n, const struct tcp_segment *s);
void tcp_number_finish(struct tcp_number *number);
/** Gives back a number that nobody was told of; only the last one given is given again. */
void tcp_number_return(struct tcp_numbers *n, struct tcp_number *take_number);
/** Whether s is the beginning of another stream than this one. */
bool tcp_number_is_other(const struct tcp_number *number, unsigned side,
                         const struct tcp_segment *s);
/** Takes note of a segment of the stream: first numbers, and captures that have it too. */
void tcp_number_note(struct tcp_numbers *n, struct tcp_number *number, unsigned side,
                     const struct tcp_segment *s);

struct tcp_ghost *tcp_ghost_find(struct tcp_numbers *n, const struct tcp_key *key);
/** Remembers the number; key must not have a ghost. The oldest makes room. */
struct tcp_ghost *tcp_ghost_add(struct tcp_numbers *n, const struct tcp_key *key,
                                const struct tcp_number *take_number, bool ended);
/** Forgets the ghost but not its number. */
struct tcp_number tcp_ghost_take(struct tcp_numbers *n, struct tcp_ghost *take_ghost);

#endif
