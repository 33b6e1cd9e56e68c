/*
 * http/conn.h - the inside of a connection: exchange.c feeds it, events.c takes what its readers
 * find.
 */
#ifndef HR_HTTP_CONN_H
#define HR_HTTP_CONN_H

#include "http/exchange.h"
#include "http/held.h"
#include "http/message.h"
#include "http/pairing.h"

/* What every input touches stands together in front. */
struct http_conn {
    struct http_context *context;
    enum http_conn_kind kind;
    int client; /* transport side that sends requests; -1 not known */
    bool force; /* nothing waits any more */
    bool upgraded;
    bool refused[2]; /* the first bytes of that side are no message */
    bool ended[2];
    uint64_t fed[2];      /* end of what was given */
    size_t counted_bytes; /* of what it keeps, in the context's sum */
    /* behind CONNECT, an upgrade, HTTP/0.9 */
    enum http_conn_kind rest_kind;
    uint64_t rest_bytes[2];
    struct http_held held;
    struct http_reader readers[2];
    struct http_pairs pairs;
    struct http_close closes[2];
    uint64_t answer_acked; /* of requests, by the latest bytes of the server; UINT64_MAX: unknown */
    /* where the first interim response of the current answer stands */
    bool has_interim;
    unsigned interim_count;
    struct http_position interim;
};

struct http_context {
    struct http_config config;
    struct http_callbacks callbacks;
    struct http_counters counters;
    struct http_reader_shared readers;
    struct http_pairing_shared pairing;
    size_t held_bytes;
    size_t kept_bytes;
};

/* events.c */
extern const struct http_reader_ops http_conn_ops;
/** It is no HTTP/1: TLS, HTTP/2, or something else. */
void http_conn_become(struct http_conn *c, enum http_conn_kind kind);
/** Of both sides. */
uint64_t http_conn_bytes(const struct http_conn *c);

#endif
