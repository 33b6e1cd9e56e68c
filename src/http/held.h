/*
 * http/held.h - inputs of a connection that wait for the other side: a queue for each side.
 */
#ifndef HR_HTTP_HELD_H
#define HR_HTTP_HELD_H

#include "http/exchange.h"

struct http_held_input {
    struct http_held_input *next;
    struct http_input in; /* in.bytes stands behind */
};

struct http_held {
    struct http_held_input *first[2]; /* by input.side */
    struct http_held_input *last[2];
    size_t bytes;        /* of memory */
    size_t *total_bytes; /* of all connections; not owned */
};

/** Copies in without its first `from` bytes to the end of its queue. */
void http_held_push(struct http_held *h, const struct http_input *in, size_t from);
/** The same to the front. */
void http_held_push_back(struct http_held *h, const struct http_input *in, size_t from);
/** @return the first one, which now is the caller's to free(); NULL: none */
struct http_held_input *http_held_take(struct http_held *h, unsigned side);
void http_held_finish(struct http_held *h);

#endif
