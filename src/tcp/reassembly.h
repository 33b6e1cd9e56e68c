/*
 * tcp/reassembly.h - one direction of a connection: segments in; DATA, GAP and END out, in stream
 * order. Packets may be missing and copies may disagree: the first copy of a byte wins, loss is a
 * value. Bytes that come in order go straight through; only what comes early is copied and held.
 */
#ifndef HR_TCP_REASSEMBLY_H
#define HR_TCP_REASSEMBLY_H

#include "tcp/conn.h"
#include "tcp/seq.h"

#include <bsd/sys/tree.h>

/* Which segment carried something. */
struct tcp_mark {
    hr_nsec at;
    uint64_t frame;
    uint64_t acked; /* as in struct tcp_chunk */
    uint32_t capture;
    uint32_t identity; /* as in struct tcp_segment */
};

struct tcp_held;
struct tcp_piece;
RB_HEAD(tcp_held_tree, tcp_held);

/* What was delivered lately: to tell a retransmission from a packet that was captured twice, and
 * either from one whose content differs. */
struct tcp_print {
    tcp_seq seq;
    uint32_t len;
    uint32_t hash;
    uint32_t identity; /* as in struct tcp_segment */
    uint32_t usec;     /* of its time; wraps */
    uint32_t capture;
};
#define TCP_PRINTS 4

struct tcp_half {
    tcp_pos next;              /* first byte not delivered yet */
    tcp_pos base;              /* offset 0 */
    tcp_pos acked;             /* highest that the other side acknowledged; TCP_POS_NONE: nothing */
    tcp_pos fin;               /* where the FIN stands; TCP_POS_NONE: not seen */
    struct tcp_held_tree held; /* disjoint, all behind next */
    size_t held_bytes;         /* with bookkeeping */
    hr_nsec tail_at;           /* time of the segment that carried the byte before next */
    hr_nsec acked_at;
    bool has_base;
    bool exact; /* base is ISN + 1, not a guess */
    bool given; /* something was given out: the base stays */
    bool ended; /* END was given out */
    uint8_t print_at;
    struct tcp_print prints[TCP_PRINTS];
    struct tcp_mark fin_mark;
};

/* Memory of all held segments of a table. */
struct tcp_held_total {
    size_t bytes;
    size_t peak_bytes;
};

/* Where chunks go; direction is filled in by the receiver. */
struct tcp_outlet {
    void (*emit)(struct tcp_chunk *chunk, void *user);
    void *user;
    struct tcp_held_total *total;
};

/* Payload of one segment. */
struct tcp_piece {
    tcp_pos pos;
    struct hr_span bytes; /* what was captured of it */
    uint64_t wire_bytes;  /* >= bytes.len; the rest is a gap at once */
    struct tcp_mark mark;
};

/* What feeding a piece showed; a set. */
enum {
    TCP_FED_OLD = 1u << 0,     /* every byte was seen before */
    TCP_FED_EARLY = 1u << 1,   /* came before its predecessors */
    TCP_FED_DIFFERS = 1u << 2, /* repeats bytes with other content */
    TCP_FED_OUTSIDE = 1u << 3, /* bytes before the stream or behind its end */
    TCP_FED_COPY = 1u << 4,    /* the very packet was seen before: captured twice */
    TCP_FED_SHARED = 1u << 5,  /* in two captures */
};

void tcp_half_init(struct tcp_half *h);
/** Frees what is held. */
void tcp_half_finish(struct tcp_half *h, struct tcp_held_total *total);
/** Offset 0 becomes the byte with this number. Only as long as it is untouched. */
void tcp_half_set_base(struct tcp_half *h, tcp_seq seq, bool exact, hr_nsec at);
/** Nothing was given out or is held: the base may still move. */
bool tcp_half_is_untouched(const struct tcp_half *h);
/** @return false where seq is farther from what is expected than any window allows */
bool tcp_half_locate(const struct tcp_half *h, tcp_seq seq, tcp_pos *ret_pos);
/** Whether the very packet whose payload stands there was delivered lately. */
bool tcp_half_has_copy(const struct tcp_half *h, const struct tcp_piece *p);
/**
 * How far two captures are apart in the time of a packet that both have.
 * @return false where it was not delivered lately, or from the same capture
 */
bool tcp_half_copy_skew(const struct tcp_half *h, const struct tcp_piece *p, hr_nsec *ret_skew,
                        size_t *ret_capture);
/** Behind the last byte known of, delivered, held or acknowledged. */
tcp_pos tcp_half_frontier(const struct tcp_half *h);

/** Needs a base and no END yet. @return a set of TCP_FED_ */
unsigned tcp_half_feed(struct tcp_half *h, const struct tcp_piece *p, const struct tcp_outlet *out);
/** The FIN stands at pos. @return false where bytes behind it were seen: then it is ignored */
bool tcp_half_fin(struct tcp_half *h, tcp_pos pos, const struct tcp_mark *mark,
                  const struct tcp_outlet *out);

/** Bytes are missing in front of something that was seen. */
static inline bool tcp_half_has_hole(const struct tcp_half *h)
{
    return !RB_EMPTY(&h->held) || (h->fin != TCP_POS_NONE && h->next < h->fin);
}
/** Where the first hole ends. Only with a hole. */
tcp_pos tcp_half_hole_end(const struct tcp_half *h);
/** When what stands behind the first hole was seen. Only with a hole. */
hr_nsec tcp_half_hole_at(const struct tcp_half *h);
/** Declares the first hole a GAP and delivers what stands behind it, to the next hole. */
void tcp_half_skip_hole(struct tcp_half *h, const struct tcp_outlet *out);
/** Declares everything up to pos a GAP. Only with nothing held. */
void tcp_half_skip_to(struct tcp_half *h, tcp_pos pos, const struct tcp_mark *mark,
                      const struct tcp_outlet *out);
/** Every hole becomes a GAP, so do bytes acknowledged and never seen; then END, once. */
void tcp_half_end(struct tcp_half *h, enum tcp_end end, const struct tcp_mark *mark,
                  const struct tcp_outlet *out);

#endif
