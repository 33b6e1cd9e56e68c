/*
 * http/content.h - what a message's content is (RFC 9110 8.3) and what is under its content codings
 * (8.4), within limits of size and ratio.
 */
#ifndef HR_HTTP_CONTENT_H
#define HR_HTTP_CONTENT_H

#include "base/buf.h"
#include "http/exchange.h"

#define HTTP_MEDIA_TYPE_SIZE 96
#define HTTP_CHARSET_SIZE 32

struct http_media_type {
    char text[HTTP_MEDIA_TYPE_SIZE]; /* "type/subtype", lower case; "" where there is none */
    char charset[HTTP_CHARSET_SIZE]; /* lower case; "" where none is given */
};

/** @return false, text and charset "", where the value is no media type or too long */
bool http_media_type_parse(struct hr_span value, struct http_media_type *ret_type);
bool http_media_type_is_html(const struct http_media_type *type); /* XHTML, too */
/** The first Content-Type field of m. @return false where there is none that can be read */
bool http_media_type_of(const struct http_message *m, struct http_media_type *ret_type);

/**
 * Cuts the next "; name=value" off the front. A value in quotes comes without them, escapes not
 * resolved. @return false: none left
 */
bool http_parameter_next(struct hr_span *rest, struct http_field *ret_parameter);

enum http_content_result {
    HTTP_CONTENT_WHOLE,       /* all of what the message says is there */
    HTTP_CONTENT_CUT,         /* the beginning is there: kept bytes, size or ratio ended it */
    HTTP_CONTENT_UNDECODABLE, /* a coding that is not known, or broken from its first byte */
};

struct http_content_limits {
    size_t content_bytes; /* most decoded bytes */
    size_t ratio;         /* most decoded bytes for one coded byte, beyond the first 64 KiB */
};

/**
 * Removes gzip, x-gzip, deflate (with and without zlib header), and br and zstd where their libraries
 * were there at the build; several codings one after another included.
 * @param scratch      holds what was decoded; must outlive the use of *ret_content
 * @param ret_content  m->content itself where there is no coding; empty where undecodable
 */
enum http_content_result http_content_decode(const struct http_message *m,
                                             const struct http_content_limits *limits,
                                             struct hr_buf *scratch, struct hr_span *ret_content);

#endif
