/*
 * http/target.h - request targets (RFC 9112 3.2) and Location values taken apart, and resolved
 * against each other (RFC 3986 5.2). Parts stay as sent unless a function says that it decodes.
 */
#ifndef HR_HTTP_TARGET_H
#define HR_HTTP_TARGET_H

#include "base/arena.h"

enum http_target_form {
    HTTP_TARGET_ORIGIN,    /* /path?query */
    HTTP_TARGET_ABSOLUTE,  /* http://host/path?query */
    HTTP_TARGET_AUTHORITY, /* host:port, of CONNECT */
    HTTP_TARGET_ASTERISK,  /* *, of OPTIONS */
    HTTP_TARGET_OTHER,     /* none of these: all of it is the path */
};

struct http_authority {
    struct hr_span userinfo; /* ptr NULL: none */
    struct hr_span host;     /* an IPv6 address without its brackets */
    struct hr_span port;     /* ptr NULL: none */
};

struct http_target {
    enum http_target_form form;
    struct hr_span scheme;    /* absolute form; ptr NULL: none */
    struct hr_span authority; /* as sent; ptr NULL: none */
    struct http_authority parts;
    struct hr_span path;     /* path parameters included; "" where an absolute form has none */
    struct hr_span query;    /* behind the first '?', without a fragment; ptr NULL: none */
    struct hr_span fragment; /* behind '#'; ptr NULL: none */
};

/** Never fails: what fits no form is HTTP_TARGET_OTHER. @param is_connect  the method is CONNECT */
void http_target_parse(struct hr_span target, bool is_connect, struct http_target *ret_target);
/** Also for the value of a Host field. */
void http_authority_parse(struct hr_span authority, struct http_authority *ret_authority);

struct http_param {
    struct hr_span name;  /* raw */
    struct hr_span value; /* raw; ptr NULL: there was no '=' */
};

/** Cuts the next parameter off a query (or a urlencoded content). @return false: none left */
bool http_query_next(struct hr_span *rest, struct http_param *ret_param);
/** Cuts the next ";name=value" of any segment off a path (";jsessionid=..."). @return false: none
 * left */
bool http_path_param_next(struct hr_span *rest, struct http_param *ret_param);
/**
 * Percent-decoded, and + as a space where plus_is_space; broken escapes stay.
 * @return the raw span itself where there is nothing to decode, else a copy in the arena
 */
struct hr_span http_decode(struct hr_arena *a, struct hr_span raw, bool plus_is_space);

/* What a redirect leads to. */
struct http_url {
    struct hr_span scheme;    /* lower case; ptr NULL: not known */
    struct hr_span authority; /* host and port, lower case, without userinfo and default port;
                                 ptr NULL: not known */
    struct hr_span path;      /* dot segments removed */
    struct hr_span query;     /* ptr NULL: none */
};

/** The URL that a request asked for. @param host  of the Host field, may be empty */
void http_url_of_request(struct hr_arena *a, struct hr_span target, struct hr_span host,
                         struct http_url *ret_url);
/**
 * Resolves a reference, such as the value of Location, against the request's URL.
 * @return false where the reference is no HTTP URL (mailto:, javascript:, data:, http: without an
 * authority where the request's scheme is another)
 */
bool http_url_resolve(struct hr_arena *a, const struct http_url *base, struct hr_span reference,
                      struct http_url *ret_url);

#endif
