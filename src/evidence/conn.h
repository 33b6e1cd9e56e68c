/*
 * evidence/conn.h - one life of a connection as the scan saw it: every segment, and the exchanges
 * found in it. From that it is told which frames belong to the exchanges that are wanted.
 */
#ifndef HR_EVIDENCE_CONN_H
#define HR_EVIDENCE_CONN_H

#include "evidence/frames.h"
#include "evidence/plan.h"
#include "http/exchange.h"
#include "tcp/conn.h"

struct scan_frame {
    size_t source;
    uint64_t frame;
};

struct scan_segment {
    struct scan_frame frame; /* that completed it */
    unsigned nth;            /* of the segments of that frame */
    uint8_t flags;
    uint8_t direction;
    uint32_t len; /* of the payload, as captured */
    tcp_pos pos;  /* of its SEQ */
    tcp_pos ack;
    size_t piece_from; /* other frames that it came in, when in fragments */
    size_t piece_count;
};

/* A message of an exchange; place.frame 0: not seen. */
struct scan_message {
    struct http_place first;
    size_t source; /* of that place */
    uint64_t from; /* in bytes of its direction */
    uint64_t to;
    uint64_t acked;
    bool head_complete;
};

struct scan_exchange {
    struct scan_message request;
    struct scan_message response;
    unsigned ordinal;
    unsigned interim_count;
};

struct scan_conn {
    struct scan_conn *next;
    struct net_endpoint orig;
    int client; /* direction that sends requests; -1: not known */
    bool has_base[2];
    tcp_pos base[2];  /* of offset 0 */
    bool has_known[2];
    tcp_pos first[2]; /* the first position heard of */
    tcp_pos known[2]; /* one near to what comes next */
    struct scan_segment *segments;
    size_t segment_count;
    struct scan_frame *pieces;
    size_t piece_count;
    struct scan_exchange *exchanges;
    size_t exchange_count;
    void *http; /* the scan's, while it is followed */
    void *scan;
};

struct scan_conn *scan_conn_create(const struct tcp_conn *c);
void scan_conn_destroy(struct scan_conn *c);
/** @param pieces  frames besides at, when the segment came in fragments */
void scan_conn_add_segment(struct scan_conn *c, const struct tcp_segment *s,
                           const struct scan_frame *at, unsigned nth,
                           const struct scan_frame *pieces, size_t piece_count);
/** @return the exchange, to set the sources of its places */
struct scan_exchange *scan_conn_add_exchange(struct scan_conn *c, const struct http_exchange *x);
/** The connection ended: what its numbers count from is known. */
void scan_conn_close(struct scan_conn *c, const struct tcp_conn *tcp);

/** @return the exchanges in order of where they begin, to find in; the caller frees it */
const struct scan_exchange **scan_conn_sort(const struct scan_conn *c);
/**
 * @param sorted  of scan_conn_sort(), count of them
 * @param key     its sources, first frames (0: not captured) and ordinal count
 * @return what begins in these frames, and where several do, the one with that ordinal; may be NULL
 */
const struct scan_exchange *scan_conn_find(const struct scan_exchange *const *sorted, size_t count,
                                           const struct scan_exchange *key);

#endif
