/*
 * session/walk.h - the values of JSON, and the visible text of HTML, without a tree and without
 * asking whether it is well-formed: an answer that others wrote into no longer is. For session/
 * alone. Every span borrows the text.
 */
#ifndef HR_SESSION_WALK_H
#define HR_SESSION_WALK_H

#include "base/span.h"

#define JSON_WALK_DEPTH 6 /* keys are known down to there */

enum json_value {
    JSON_TEXT,   /* between the quotes, escapes as they stand */
    JSON_NUMBER,
    JSON_STRAY,  /* no JSON: a run of bytes that stands where a value, a key or nothing should */
};

struct json_walk {
    struct hr_span text;
    size_t at;
    unsigned depth;
    bool is_array[JSON_WALK_DEPTH];
    struct hr_span keys[JSON_WALK_DEPTH]; /* under which each level stands; ptr NULL: none */
    struct hr_span key;                   /* of the value at hand */
};

struct json_item {
    enum json_value kind;
    struct hr_span key;   /* ptr NULL: an item of an array, or alone */
    struct hr_span value;
};

/** Start with {.text = ...}. @return false at the end */
bool json_walk_next(struct json_walk *w, struct json_item *ret_item);
/** Is the value inside a list, at any level? */
bool json_walk_in_array(const struct json_walk *w);

struct html_walk {
    struct hr_span rest;
    bool ended; /* behind </html> */
};

/**
 * The next run of text between tags; scripts, styles and comments are passed over.
 * Start with {.rest = ...}. @return false at the end
 */
bool html_walk_next(struct html_walk *w, struct hr_span *ret_text);

#endif
