/*
 * pipeline/lane.h - the inside of an ingest: what lane.c makes of its connections, tally.c of its
 * numbers, ingest.c of the rest.
 */
#ifndef HR_PIPELINE_LANE_H
#define HR_PIPELINE_LANE_H

#include "http/exchange.h"
#include "pipeline/extraction.h"
#include "pipeline/ingest.h"
#include "pipeline/refusals.h"
#include "pipeline/sheds.h"
#include "tcp/conn.h"

#include <sys/queue.h>

/* What could not be read, added up by capture. */
enum blindness_kind {
    BLIND_TLS,
    BLIND_HTTP2,
    BLIND_NOT_HTTP,
    BLIND_KINDS,
};

struct blindness {
    uint64_t count;
    uint64_t bytes;
    hr_nsec from_at;
    hr_nsec to_at;
};

struct lane {
    LIST_ENTRY(lane) link;
    struct ingest *ingest;
    struct tcp_conn *conn;
    struct http_conn *http;
    size_t number; /* in records; 0: not told yet */
};

struct ingest {
    LIST_HEAD(lanes, lane) lanes; /* open connections */
    size_t lane_count;
    hr_nsec last_at;                            /* of the frames, as far as the clock goes: */
    hr_nsec latest;                             /* none can be of later */
    struct blindness (*blindness)[BLIND_KINDS]; /* by capture */
    size_t capture_count;
    struct decoder *decoder;
    struct tcp_table *tcp;
    struct http_context *http;
    struct pipeline_config config;
    size_t queue_bytes; /* of the way to the store */
    struct queue *out;  /* to the extraction */
    struct extraction *extraction;
    struct writer *writer;
    struct refusals *refusals;
    struct sheds *sheds;
    struct hr_key key;
    uint64_t exchanges;
    size_t *free_numbers; /* of connections that ended */
    size_t free_count;
    size_t number_count; /* given out, free ones included */
};

/** The side that answers, as far as known. */
const struct net_endpoint *lane_server(const struct lane *l);

/* For tcp_table_create(), whose `user` is the ingest. */
void lane_open(struct tcp_conn *c, void *user);
void lane_chunk(struct tcp_conn *c, const struct tcp_chunk *chunk, void *user);
void lane_close(struct tcp_conn *c, enum tcp_end end, void *user);
void lane_fetch(const struct tcp_conn *c, unsigned step);

/* For http_context_create(); `user` is the lane. */
void lane_exchange(const struct http_exchange *x, void *user);
void lane_loss(const struct http_loss *loss, void *user);

#endif
