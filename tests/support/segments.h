/*
 * support/segments.h - segments as lines of text, and what the connection table makes of them as
 * text again.
 *
 *     [@MS] DIRECTION[CLIENT] FLAGS SEQ [a=ACK] [w=WIRE] [c=CAPTURE] [n=NETWORK] [i=ID] [t=STAMP]
 *          [u] ['PAYLOAD']
 *
 * DIRECTION is > (client to server) or <; a digit behind it tells clients apart (port 40000 +
 * digit). FLAGS are letters of SAFRP, or - for none. SEQ and ACK count from the first data byte, so
 * the SYN is -1. Time is in milliseconds, one after the segment before where it is not given. WIRE
 * is the payload's length on the wire where the capture cut it; ID numbers the IP packet, STAMP is
 * a time stamp of TCP; u: not selected by the filter.
 *
 * Outcome, a line a connection in order of opening: its stream number, both byte streams with a
 * '.' for each lost byte, each with its end, and the end of the connection:
 *
 *     0 GET /$ | HTTP/1.1 2..$ FIN
 *
 * Ends of a stream: $ FIN, ! RST, - end of the capture, ~ time-out, ^ evicted, * 4-tuple used anew.
 */
#ifndef HR_TESTS_SUPPORT_SEGMENTS_H
#define HR_TESTS_SUPPORT_SEGMENTS_H

#include "base/alloc.h"
#include "base/buf.h"
#include "tcp/conn.h"

#define SCENE_CONNS 64
#define SCENE_CHUNKS 512

struct scene_conn {
    struct tcp_conn conn; /* as it was at close */
    struct hr_buf bytes[2];
    uint64_t first_offset[2];
    uint64_t next_offset[2];
    bool ended[2];
    bool closed;
};

struct scene_chunk {
    struct tcp_chunk chunk;
    uint64_t stream;
};

struct scene {
    struct tcp_table *table;
    uint32_t isn[2]; /* of client and server: SEQ of the first data byte - 1 */
    hr_nsec at;
    uint64_t frames[4]; /* per capture */
    struct scene_conn conns[SCENE_CONNS];
    size_t conn_count;
    struct scene_chunk chunks[SCENE_CHUNKS];
    size_t chunk_count;
    struct hr_buf text;
};

/** Generous bounds; tests make them small. */
struct tcp_config scene_config(void);
void scene_open(struct scene *s, const struct tcp_config *config, uint32_t isn_client,
                uint32_t isn_server);
/** Feeds lines separated by '\n'. A line that cannot be read fails the test. */
void scene_feed(struct scene *s, const char *lines);
/** Feeds one segment from elsewhere. */
void scene_feed_segment(struct scene *s, const struct tcp_segment *segment);
/** Ends the capture. @return the outcome, valid until scene_close() */
const char *scene_finish(struct scene *s);
/** The outcome so far; open ends have no mark. */
const char *scene_text(struct scene *s);
uint64_t scene_counter(const struct scene *s, const char *name);
void scene_close(struct scene *s);

#endif
