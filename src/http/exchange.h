/*
 * http/exchange.h - a connection's two byte streams in, exchanges out. http/ knows no connections:
 * it takes spans and gaps with their times, frames and acknowledgements, so it also works on a
 * text file. Messages: RFC 9112; semantics: RFC 9110. Parsing by llhttp, leniently.
 *
 * Pairing: first in, first out, as long as nothing is lost. After a hole a response is paired with
 * the request that its position decides: a response can only answer a request whose first byte its
 * segment acknowledged, and a client that sends a request has by then acknowledged the responses
 * before it. Where that leaves a choice the response stays alone: a false pair would look like a
 * race.
 */
#ifndef HR_HTTP_EXCHANGE_H
#define HR_HTTP_EXCHANGE_H

#include "base/arena.h"
#include "base/counter.h"
#include "base/time.h"

enum http_side {
    HTTP_REQUEST,
    HTTP_RESPONSE,
};

struct http_field {
    struct hr_span name;  /* as sent */
    struct hr_span value; /* trimmed; obs-fold joined by SP */
};

/* Where a byte of a message was seen. */
struct http_place {
    hr_nsec at;     /* HR_NSEC_INFINITE: not seen */
    uint64_t frame; /* 0: not seen */
    size_t capture;
};

/* Odd but followed, as far as can be; bits of http_message.anomalies. Stored: never renumber. */
enum {
    HTTP_ANOMALY_BARE_LF = 1u << 0,  /* also of a chunk or a trailer */
    HTTP_ANOMALY_OBS_FOLD = 1u << 1, /* RFC 9112 5.2 */
    HTTP_ANOMALY_TWO_LENGTHS = 1u << 2, /* Content-Length more than once */
    HTTP_ANOMALY_LENGTH_AND_CODING = 1u << 3, /* beside Transfer-Encoding, which counts */
    HTTP_ANOMALY_BAD_FIELD = 1u << 4, /* a line that is no field, or a name that is no token */
    HTTP_ANOMALY_FIELDS_CUT = 1u << 5, /* more field bytes than kept */
    HTTP_ANOMALY_NO_VERSION = 1u << 6, /* HTTP/0.9 */
    HTTP_ANOMALY_LENGTHS_DIFFER = 1u << 7, /* the first that can be read counts */
    HTTP_ANOMALY_BAD_LENGTH = 1u << 8, /* a Content-Length that is no number */
    HTTP_ANOMALY_ODD_CODING = 1u << 9, /* a Transfer-Encoding that not all readers read alike */
    HTTP_ANOMALY_BROKEN = 1u << 10, /* cannot be followed to its end, though no bytes are missing */
};
#define HTTP_ANOMALY_COUNT 11

enum http_framing {
    HTTP_FRAMING_NONE, /* no content: HEAD, 1xx, 204, 304, a request without length */
    HTTP_FRAMING_LENGTH,
    HTTP_FRAMING_CHUNKED,
    HTTP_FRAMING_CLOSE,   /* ends with the connection */
    HTTP_FRAMING_UPGRADE, /* what follows is not HTTP/1: CONNECT, 101 */
};

/* Every span lives as long as the exchange it is part of is being emitted. */
struct http_message {
    struct hr_span head;    /* what method, target and fields point into */
    struct hr_span method;  /* request */
    struct hr_span target;  /* request, as sent */
    unsigned status;        /* response, 100..999 */
    unsigned interim_count; /* response: 1xx seen before it */
    unsigned version;       /* 10, 11, 9 for none */
    const struct http_field *fields;
    size_t field_count;
    struct hr_span content; /* first bytes, transfer coding removed, content coding NOT removed; as many as
                               http_config.content_bytes says */
    bool content_cut;       /* the message has more content than kept */
    bool content_gap;       /* bytes are missing inside the kept content or behind it */
    uint64_t
        content_bytes; /* as on the wire, chunk framing included; what was seen or skipped over */
    uint64_t declared_bytes; /* Content-Length; UINT64_MAX without */
    enum http_framing framing;
    unsigned anomalies;
    bool head_complete;  /* start line and field section are whole */
    bool complete;       /* all of the message was captured or safely skipped */
    uint64_t offset;     /* of the first byte in its direction */
    uint64_t end_offset; /* behind the last byte */
    struct http_place first;
    struct http_place last;
    uint64_t acked; /* what the segment with the first byte acknowledged of the other side */
};

enum http_state {
    HTTP_COMPLETE,
    HTTP_NO_RESPONSE,       /* none seen, and nobody cut it off */
    HTTP_REQUEST_TRUNCATED, /* ends before its end, but no hole: the capture or connection ended */
    HTTP_RESPONSE_TRUNCATED,
    HTTP_GAP,               /* a hole inside request or response */
    HTTP_ABORTED_BY_CLIENT, /* FIN or RST of that side came first */
    HTTP_ABORTED_BY_SERVER,
};

enum http_pairing {
    HTTP_PAIRING_CERTAIN,
    HTTP_PAIRING_RESYNCHRONISED, /* after a hole, by position */
};

struct http_exchange {
    bool has_request;
    bool has_response; /* a final one; 1xx alone is none, 101 is final */
    struct http_message request;
    struct http_message response;
    enum http_state state;
    enum http_pairing pairing;
    bool early_response; /* the response's first byte came before the request's last */
    bool request_loss;   /* bytes of the request are missing */
    bool response_loss;
    unsigned ordinal; /* from 0 among the exchanges of the connection, in order of requests */
};

/**
 * Whether servers and proxies may see other messages where x is, for its request or response can be
 * framed in two ways: one length against another, or against a transfer coding.
 */
bool http_exchange_is_ambiguous(const struct http_exchange *x);

/* A hole that may hide whole messages (one inside a content of known length does not). */
struct http_loss {
    enum http_side side;
    uint64_t bytes;
    hr_nsec from_at; /* last byte before the hole (start of connection: its first segment) */
    hr_nsec to_at;   /* first byte of the message found behind it, or of the end */
    bool hides_messages;
};

struct http_callbacks {
    /** In order of requests; lone responses where they stand. Valid during the call. */
    void (*exchange)(const struct http_exchange *x, void *user);
    void (*loss)(const struct http_loss *loss, void *user);
};

#define HTTP_COUNTERS(X)                                                                           \
    X(requests, "messages", "Requests")                                                            \
    X(responses, "messages", "Final responses")                                                    \
    X(interim_responses, "messages", "1xx responses")                                              \
    X(responses_alone, "messages", "Responses whose request was not captured or is uncertain")     \
    X(requests_alone, "messages", "Requests without a response")                                   \
    X(resynchronised, "times", "Times a parser looked for the next message behind a hole")         \
    X(connections_not_http, "connections", "Connections whose bytes are not HTTP/1")               \
    X(connections_tls, "connections", "Connections that are TLS")                                  \
    X(connections_http2, "connections", "Connections that are HTTP/2 with prior knowledge")        \
    X(bytes_not_http, "bytes", "Bytes of connections or rests of them that are not HTTP/1")        \
    X(bytes_tls, "bytes", "Bytes of TLS connections")                                              \
    X(bytes_http2, "bytes", "Bytes of HTTP/2 connections")                                         \
    X(upgraded, "connections", "Connections that left HTTP/1 by CONNECT or an upgrade")            \
    X(parse_errors, "messages", "Messages that could not be followed to their end")                \
    X(fields_cut, "messages", "Messages whose field section was longer than kept")                 \
    X(odd_heads, "messages", "Messages with bare LF, folded lines or lines that are no fields")    \
    X(ambiguous, "exchanges", "Exchanges whose request or response can be framed in two ways")     \
    X(waiting_dropped, "exchanges", "Requests given up because too many waited on a connection")  \
    X(kept_bytes_peak, "bytes", "Most bytes of messages under way and their readers at one time")

struct http_counters {
    HTTP_COUNTERS(HR_COUNTER_FIELD)
};

#define HTTP_PAGE_SHARE 4

struct http_config {
    size_t header_bytes;  /* most bytes of a start line and field section kept */
    size_t field_limit;   /* most fields kept of a message */
    size_t content_bytes; /* most content bytes kept of a message with an HTML page or of an answer to a
                             request with a content, and HTTP_PAGE_SHARE times those kept of any other */
    size_t waiting_limit; /* most requests without a response on a connection */
    size_t kept_bytes;    /* most bytes of messages under way and of what reads them, of all
                             connections: the caller's to hold */
};

/* Shared by all connections of one thread: configuration, counters. */
struct http_context;
struct http_context *http_context_create(const struct http_config *config,
                                         const struct http_callbacks *callbacks);
void http_context_destroy(struct http_context *h);
/**
 * Bytes of messages under way that are kept and of what reads them, of all connections. Where they
 * become too many the caller finishes and destroys connections.
 */
size_t http_context_kept_bytes(const struct http_context *h);
void http_context_counters(const struct http_context *h, hr_counter_fn emit, void *user);

/* One connection. Which side is the client shows in the bytes; `side` below is the transport's
 * direction: 0 originator, 1 responder. */
struct http_conn;

struct http_input {
    unsigned side;
    uint64_t offset;
    struct hr_span bytes; /* data; empty for gap and end */
    uint64_t gap_bytes;   /* > 0: that many are lost */
    bool end;             /* nothing follows on this side */
    bool end_is_close; /* by FIN or RST of this side (else the capture ended or it was given up) */
    bool end_is_reset;
    struct http_place
        place; /* of the bytes; for a gap, of the first segment behind it; for END, of the FIN */
    hr_nsec before_at; /* gap: last byte before it */
    uint64_t acked; /* offset of the other side acknowledged by this segment; UINT64_MAX unknown */
};

/** @param midstream  the connection's beginning was not captured: look for a message start first */
struct http_conn *http_conn_create(struct http_context *h, bool midstream, void *user);
/** Asks memory for it: bytes of it come soon. */
void http_conn_fetch(const struct http_conn *c);
void http_conn_feed(struct http_conn *c, const struct http_input *in);
/** Emits what is still open. */
void http_conn_finish(struct http_conn *c);
void http_conn_destroy(struct http_conn *c);
/**
 * @return which transport side (0, 1) sends requests; -1 as long as nothing told. Known from the
 *         first callback on.
 */
int http_conn_client_side(const struct http_conn *c);

/**
 * @return when the earliest request began that has no whole answer yet; HR_NSEC_INFINITE: none does
 */
hr_nsec http_conn_pending_since(const struct http_conn *c);

/* What a connection turned out to be. */
enum http_conn_kind {
    HTTP_CONN_UNDECIDED, /* too few bytes to tell */
    HTTP_CONN_HTTP,
    HTTP_CONN_OTHER,
    HTTP_CONN_TLS,
    HTTP_CONN_HTTP2,
};
enum http_conn_kind http_conn_kind(const struct http_conn *c);
/**
 * Of HTTP_CONN_HTTP: what came behind CONNECT or an upgrade, which is not HTTP/1.
 * @param ret_kind  what that is: HTTP_CONN_OTHER, _TLS or _HTTP2
 * @return its bytes
 */
uint64_t http_conn_rest(const struct http_conn *c, enum http_conn_kind *ret_kind);

/** First field of that name (ASCII case ignored). @return NULL where there is none */
const struct http_field *http_field_find(const struct http_message *m, const char *name);

#endif
