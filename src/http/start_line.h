/*
 * http/start_line.h - request lines and status lines (RFC 9112 3, 4): read leniently where a
 * message must begin, looked for strictly where one may begin (behind a hole, midway).
 */
#ifndef HR_HTTP_START_LINE_H
#define HR_HTTP_START_LINE_H

#include "http/exchange.h"

#define HTTP_METHOD_LIMIT 32

struct http_start_line {
    enum http_side side;
    struct hr_span method;
    struct hr_span target;
    unsigned status;
    unsigned version; /* 10, 11, 9 for none */
};

/** @param line  without its line end. @return false where it is no request line with an HTTP
 * version */
bool http_request_line_parse(struct hr_span line, struct http_start_line *ret_line);
bool http_status_line_parse(struct hr_span line, struct http_start_line *ret_line);
/**
 * Whether bytes that hold no line end yet can become a start line.
 * @param side  HTTP_REQUEST, HTTP_RESPONSE, or -1: either
 */
bool http_start_is_possible(int side, struct hr_span prefix);
/**
 * Whether bytes begin a TLS connection, or can; so many tell.
 * @param midway  also any other record of one
 */
bool http_tls_is_possible(struct hr_span bytes, bool midway);
#define HTTP_TLS_TELLING_BYTES 3
/** Whether bytes begin with a start line of that side, or can become one. */
bool http_start_begins(int side, struct hr_span bytes);

enum http_find {
    HTTP_FIND_NONE,
    HTTP_FIND_PARTIAL, /* something that may become one begins there: more bytes are needed */
    HTTP_FIND_FOUND,
};

struct http_searched {
    struct hr_span bytes;
    size_t from;      /* nothing before it is taken */
    bool starts_line; /* a line, or a segment, begins with bytes[0] */
    size_t segment;   /* and a segment with bytes[segment]; 0: with none other */
    bool anywhere;    /* also in the middle of a line: bytes are missing before it */
};

/**
 * Looks for the first start line of that side (-1: either) that is followed by a field line or the
 * end of the section. Linear in the number of bytes.
 * @param ret_at  FOUND, PARTIAL: where it begins
 */
enum http_find http_start_find(int side, const struct http_searched *in, size_t *ret_at);

#endif
