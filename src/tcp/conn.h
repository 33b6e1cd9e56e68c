/*
 * tcp/conn.h - connections: segments in, for each connection its life and two byte streams out.
 * We only observe: segments may be missing and copies may disagree. Loss is a value (TCP_CHUNK_GAP).
 * Words and states: RFC 9293; originator and responder: Zeek.
 */
#ifndef HR_TCP_CONN_H
#define HR_TCP_CONN_H

#include "base/counter.h"
#include "base/time.h"
#include "decode/segment.h"
#include "tcp/seq.h"

/* Direction of bytes. Where the SYN was not seen the originator is a guess: the side with the
 * higher port. http/ decides by content which side is the client. */
enum tcp_direction {
    TCP_ORIG, /* originator to responder */
    TCP_RESP,
};

enum tcp_end {
    TCP_END_NONE,     /* still open when the capture ended */
    TCP_END_FIN,
    TCP_END_RST,
    TCP_END_TIMEOUT,  /* idle on packet time */
    TCP_END_EVICTED,  /* a bound was reached */
    TCP_END_REUSED,   /* a new SYN on the same 4-tuple */
};

/* Lives from open to close; borrowed in callbacks. */
struct tcp_conn {
    struct net_endpoint orig;
    struct net_endpoint resp;
    size_t capture;        /* of its first frame */
    uint64_t stream;       /* from 0 in that capture, in order of first frames; Wireshark's tcp.stream */
    uint64_t first_frame;
    hr_nsec first_at;
    hr_nsec last_at;
    bool syn_seen;         /* false: joined midway, bytes before are unknown */
    bool one_sided[2];     /* no segment at all was seen from this side (so far) */
    bool syn_refused;      /* the answer to the SYN was a RST */
    uint64_t frames[2];
    uint64_t bytes[2];     /* stream bytes, without retransmissions */
    uint64_t gap_bytes[2];
    uint64_t gaps[2];
    /* Ends as seen so far, per direction of the segment that carried them. */
    hr_nsec fin_at[2];     /* HR_NSEC_INFINITE: none */
    hr_nsec rst_at[2];
    uint64_t fin_frame[2];
    uint64_t rst_frame[2];
    /* At close, for each direction: SEQ of offset 0 and of the byte that would have come next, so that
     * the same connection is known again where another capture goes on with it. */
    bool has_numbers[2];
    tcp_seq first_seq[2];
    tcp_seq next_seq[2];
    void *user;            /* the callbacks' own, NULL at open */
};

enum tcp_chunk_kind {
    TCP_CHUNK_DATA,
    TCP_CHUNK_GAP, /* len bytes are lost for good (or were cut off by the snap length) */
    TCP_CHUNK_END, /* FIN reached, RST seen, or the connection given up: nothing follows */
};

#define TCP_ACK_UNKNOWN UINT64_MAX

struct tcp_chunk {
    enum tcp_chunk_kind kind;
    enum tcp_direction direction;
    uint64_t offset;       /* from the first byte of this direction that is known of */
    uint64_t len;          /* 0 for END */
    struct hr_span bytes;  /* DATA: borrowed, dies when the callback returns */
    hr_nsec at;            /* capture time of the segment that carried these bytes; for GAP the time of
                              the first segment behind the hole */
    hr_nsec before_at;     /* GAP: time of the last segment before the hole; else = at */
    uint64_t frame;        /* and its frame, */
    size_t capture;        /* in this capture */
    uint64_t acked;        /* offset in the other direction that this segment acknowledged, on that
                              direction's own count; TCP_ACK_UNKNOWN without ACK flag or base */
    enum tcp_end end;      /* END: why; FIN and RST as seen in this direction, else the connection's */
};

struct tcp_callbacks {
    /**
     * First segment of a connection. One that was given up after silence and goes on, and a refused
     * one that is tried again with the same ISN, open again under the number they had.
     */
    void (*open)(struct tcp_conn *c, void *user);
    /** Per direction in stream order. The two directions come in capture order as far as holes allow. */
    void (*chunk)(struct tcp_conn *c, const struct tcp_chunk *chunk, void *user);
    /** Last call for c; both directions have had their END. After a RST it comes a little later, for
     *  segments that the RST overtook. */
    void (*close)(struct tcp_conn *c, enum tcp_end end, void *user);
    /** A segment of a connection that is left out, see tcp_table_shed(). @param server  NULL: either side */
    void (*shed)(const struct tcp_segment *s, const struct net_endpoint *server, void *user);
    /**
     * Segments of it come in a few frames: asks memory for what hangs on its user pointer, in step 0 for
     * what this points to, in step 1 for what that does. NULL: nothing hangs there
     */
    void (*fetch)(const struct tcp_conn *c, unsigned step);
};

/* So many frames behind the present one tcp_table_foresee() is told of. */
#define TCP_AHEAD_FRAMES 12u

#define TCP_COUNTERS(X)                                                                            \
    X(connections, "connections", "TCP connections")                                               \
    X(connections_midstream, "connections", "Connections that began before the capture")           \
    X(connections_one_sided, "connections", "Connections of which one direction was not captured") \
    X(connections_evicted, "connections", "Connections given up because too many were open")       \
    X(connections_timed_out, "connections", "Connections given up after silence")                  \
    X(connections_shed, "connections", "Connections left out because watch could not keep pace")     \
    X(segments_shed, "segments", "Segments of those connections")                                   \
    X(retransmissions, "segments", "Segments whose bytes were all seen before")                    \
    X(copies, "segments", "Segments captured twice: the first copy counts")                        \
    X(copies_shared, "segments", "Segments that are in two captures, among these")                 \
    X(connections_joined, "connections", "Connections with other VLAN or tunnel tags on some segments") \
    X(overlaps_differing, "segments", "Segments that repeat bytes with other content: first wins") \
    X(out_of_order, "segments", "Segments that came before their predecessors")                    \
    X(keep_alives, "segments", "Keep-alive probes")                                                \
    X(gaps, "gaps", "Holes in byte streams")                                                       \
    X(gap_bytes, "bytes", "Bytes in those holes")                                                  \
    X(cut_bytes, "bytes", "Payload bytes cut off by the snap length")                              \
    X(held_bytes_peak, "bytes", "Most bytes held out of order at one time")                        \
    X(budget_gaps, "gaps", "Holes declared because the reassembly budget was reached")             \
    X(out_of_window, "segments", "Segments outside every plausible window, ignored")               \
    X(resets_ignored, "segments", "RST segments outside the window, ignored")

struct tcp_counters {
    TCP_COUNTERS(HR_COUNTER_FIELD)
};

struct tcp_config {
    size_t connection_limit;        /* open connections; the longest idle one goes first */
    size_t held_conn_bytes;         /* out-of-order bytes of one direction, bookkeeping included */
    size_t held_total_bytes;        /* and of all */
    hr_nsec idle_timeout;           /* packet time, established connections */
    hr_nsec opening_timeout;        /* packet time, SYN without more */
    hr_nsec closed_linger;          /* how long a closed connection absorbs late segments */
    hr_nsec hole_timeout;           /* how long a hole may wait for its bytes on packet time */
    bool captures_share_clock;      /* one machine's interfaces: a packet's times at two of them are both right */
};

struct tcp_table;

/** @param capture_count  stream numbers are counted per capture */
struct tcp_table *tcp_table_create(const struct tcp_config *config, const struct tcp_callbacks *callbacks,
                                   void *user, size_t capture_count);
/** A segment with selected = false opens and numbers its connection but gives no chunks and no callbacks. */
void tcp_table_feed(struct tcp_table *t, const struct tcp_segment *s);
/**
 * Before each frame, where frames to come are known at all: the ends of the connection of the one
 * TCP_AHEAD_FRAMES later. It saves time and changes nothing else.
 * @param ends  of a segment without network; NULL: not known
 */
void tcp_table_foresee(struct tcp_table *t, const struct net_endpoint *ends);
/**
 * How far the times of a capture are in doubt: an ACK came before its bytes, or another capture, of
 * another clock, has the same packets at other times. Beside it the capture's own clock may step back.
 */
hr_nsec tcp_table_clock_doubt(const struct tcp_table *t, size_t capture);
/** Connections in memory: also closed ones that absorb late segments, and those not selected. */
size_t tcp_table_count(const struct tcp_table *t);
/** Bytes held out of order now, of all connections. */
size_t tcp_table_held_bytes(const struct tcp_table *t);
/**
 * Gives up the connection that matters least, for want of memory: closed ones first, then the longest
 * idle one. Not from inside a callback.
 * @return false where there is none
 */
bool tcp_table_evict(struct tcp_table *t);
/** No frame comes, and it is that late by now: what waits for time to pass need not wait for a frame. */
void tcp_table_advance(struct tcp_table *t, hr_nsec at);
/** The clock that stamps the frames was set by so much: what waits has the rest of its time before it. */
void tcp_table_shift_clock(struct tcp_table *t, hr_nsec by);
/** No frame can be of later than that: one that says so does not move time. At first there is no limit. */
void tcp_table_limit_clock(struct tcp_table *t, hr_nsec latest);
/** @return since when bytes are missing that may still come; HR_NSEC_INFINITE: none are */
hr_nsec tcp_table_waits_since(const struct tcp_table *t);
/**
 * From now on so many sixteenths of the connections that begin are left out, chosen by a hash of
 * addresses and ports; one that was begun stays whole, one that was left out stays out to its end. They
 * are numbered, and have no other callback but shed().
 */
void tcp_table_shed(struct tcp_table *t, unsigned sixteenths);
/** Closes everything in order of first frames, with TCP_END_NONE. */
void tcp_table_finish(struct tcp_table *t);
void tcp_table_destroy(struct tcp_table *t);
void tcp_table_counters(const struct tcp_table *t, hr_counter_fn emit, void *user);

#endif
