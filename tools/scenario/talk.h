/*
 * scenario/talk.h - one TCP connection as a capture point sees it: the caller says which side sends
 * what when, and gets segments with right sequence numbers, and the acknowledgements that a
 * receiver would send: piggybacked, on their own, sometimes delayed.
 *
 * Calls go in order of time. Before a call at time t the caller lets every acknowledgement that is
 * due by then go out: while (talk_ack_due(t, &side) <= at) talk_ack(...).
 */
#ifndef HR_SCENARIO_TALK_H
#define HR_SCENARIO_TALK_H

#include "decode/segment.h"
#include "scenario/rng.h"

enum talk_side {
    TALK_CLIENT,
    TALK_SERVER,
};

struct truth;

/* Which bytes of which exchange a segment carries. */
struct talk_note {
    struct truth *truth; /* NULL: none */
    unsigned part;       /* enum truth_part */
    uint64_t offset;     /* of the first byte in that part */
};

struct talk;

struct talk_frame {
    hr_nsec at;
    struct talk *talk;
    enum talk_side side; /* who sends */
    uint32_t seq;
    uint32_t ack;
    uint16_t mss; /* SYN */
    uint16_t ip_id;
    uint8_t flags;
    struct hr_span payload; /* borrowed for the call */
    struct talk_note note;
};

typedef void (*talk_emit_fn)(const struct talk_frame *f, void *user);

#define TALK_RECENT 8

struct talk_half {
    struct net_endpoint end;
    uint32_t isn;
    uint64_t sent; /* bytes of the stream, the FIN as one */
    uint16_t ip_id;
    hr_nsec ack_due;  /* a bare acknowledgement by this side; HR_NSEC_INFINITE: none */
    unsigned unacked; /* segments of the other side since this side's last acknowledgement */
    uint64_t settled; /* end of what left `recent` */
    unsigned recent_count;
    struct {
        hr_nsec at;
        uint64_t end;
    } recent[TALK_RECENT]; /* oldest first: what may still be on its way to the other side */
};

struct talk_config {
    struct net_endpoint client;
    struct net_endpoint server;
    uint16_t mss;
    hr_nsec delay; /* from the capture point to the client and back; the server is beside it */
    bool wrap;     /* sequence numbers wrap within the first hundred bytes */
    talk_emit_fn emit;
    void *user;
};

struct talk {
    struct talk_half half[2];
    uint16_t mss;
    hr_nsec delay;
    struct rng rng;
    talk_emit_fn emit;
    void *user;
    void *held; /* the capture point's: the frame of this connection that it holds back */
};

void talk_init(struct talk *t, const struct talk_config *config, uint64_t seed);
void talk_syn(struct talk *t, hr_nsec at);
void talk_syn_ack(struct talk *t, hr_nsec at);
/** One segment; payload.len <= mss. */
void talk_data(struct talk *t, enum talk_side side, hr_nsec at, struct hr_span payload,
               struct talk_note note);
void talk_ack(struct talk *t, enum talk_side side, hr_nsec at);
void talk_fin(struct talk *t, enum talk_side side, hr_nsec at);
void talk_rst(struct talk *t, enum talk_side side, hr_nsec at);
/** @return when the next bare acknowledgement is due and by whom; HR_NSEC_INFINITE: none */
hr_nsec talk_ack_due(const struct talk *t, enum talk_side *ret_side);

#endif
