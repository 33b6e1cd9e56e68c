/*
 * http/form.h - the members of a request's content: application/x-www-form-urlencoded and
 * multipart/form-data (RFC 7578). A content that was cut gives the members that are whole, and the
 * last one marked as cut.
 */
#ifndef HR_HTTP_FORM_H
#define HR_HTTP_FORM_H

#include "base/arena.h"

enum http_form_kind {
    HTTP_FORM_NONE, /* no form */
    HTTP_FORM_URLENCODED,
    HTTP_FORM_MULTIPART,
};

struct http_form {
    enum http_form_kind kind;
    struct hr_span rest;
    struct hr_span boundary; /* MULTIPART; without the leading dashes */
    bool content_cut;
    struct hr_arena *arena;
};

struct http_form_member {
    struct hr_span name;      /* decoded */
    struct hr_span value;     /* decoded; multipart: as sent */
    struct hr_span raw;       /* the value as sent */
    struct hr_span file_name; /* ptr NULL: not a file */
    bool cut;                 /* the content ends inside the value */
};

/**
 * @param content_type  value of the Content-Type field; one that is missing or wrong gives
 *                      HTTP_FORM_NONE, whose first _next() is false
 * @param content       content codings removed; borrowed
 * @param content_cut   the message has more content
 * @param arena         for decoded names and values; borrowed
 */
void http_form_init(struct http_form *f, struct hr_span content_type, struct hr_span content,
                    bool content_cut, struct hr_arena *arena);
bool http_form_next(struct http_form *f, struct http_form_member *ret_member);

#endif
