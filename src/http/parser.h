/*
 * http/parser.h - start line and field section of one message, whole in memory, to struct
 * http_message. llhttp reads the field section; what it refuses and servers accept (two lengths,
 * odd names, lines that are no fields) a forgiving reader takes, so that no message is lost for it.
 * Start lines are read by start_line.h, for they also tell whether a connection is HTTP at all.
 */
#ifndef HR_HTTP_PARSER_H
#define HR_HTTP_PARSER_H

#include "http/start_line.h"

/* One for all connections of a thread: it keeps nothing from one head to the next. */
struct http_parser;

/* What the fields say about the content (RFC 9112 6), before the request of a response is known. */
struct http_framing_facts {
    bool has_length;
    uint64_t length;     /* the first one that can be read */
    bool has_coding;     /* a Transfer-Encoding */
    bool transfer_coded; /* one other than identity */
    bool chunked;        /* its last coding is chunked */
    bool connection_upgrade;
    bool has_upgrade;
};

struct http_head {
    struct hr_span bytes; /* what every span below points into */
    struct http_start_line line;
    const struct http_field *fields;
    size_t field_count;
    unsigned anomalies;
    struct http_framing_facts facts;
};

/* What the caller saw when it looked for line ends. */
struct http_head_shape {
    bool has_fold;
    bool has_bare_lf;
};

struct http_parser *http_parser_create(size_t field_limit);
void http_parser_destroy(struct http_parser *p);
/**
 * @param bytes     from the start line to the empty line, or to the end of any line in between
 * @param line      the start line, read already
 * @param ret_head  spans live as long as bytes and until the next call
 */
void http_parser_read(struct http_parser *p, struct hr_span bytes,
                      const struct http_start_line *line, struct http_head_shape shape,
                      struct http_head *ret_head);
/** The forgiving reader alone; for tests. */
void http_parser_read_lenient(struct http_parser *p, struct hr_span bytes,
                              const struct http_start_line *line, struct http_head_shape shape,
                              struct http_head *ret_head);
/** Whether llhttp took the last head that http_parser_read() was given; for tests. */
bool http_parser_was_strict(const struct http_parser *p);

#endif
