/*
 * http/field.h - field lines and their values: lists and tokens of RFC 9110 5.6, and a reader of
 * field sections that forgives what llhttp does not.
 */
#ifndef HR_HTTP_FIELD_H
#define HR_HTTP_FIELD_H

#include "http/exchange.h"

/** RFC 9110 5.6.2. */
bool http_is_token_char(char c);
bool http_is_token(struct hr_span s);
/** Cuts the next member off a comma-separated list, empty ones passed over. @return false: none
 * left */
bool http_list_next(struct hr_span *rest, struct hr_span *ret_member);
/** Whether the list has that token (ASCII case ignored; parameters behind ';' not looked at). */
bool http_list_has(struct hr_span list, struct hr_span token);

/** Cuts the next line off, without its CR LF or LF. @return false where no line end is left */
bool http_line_next(struct hr_span *rest, struct hr_span *ret_line);
/**
 * Reads one field line as lenient servers do: white space around the name is dropped, and the name
 * need not be a token.
 * @return false where it is none: no colon or no name
 */
bool http_field_line_parse(struct hr_span line, struct http_field *ret_field);

#endif
