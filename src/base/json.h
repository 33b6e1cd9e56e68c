/*
 * base/json.h - writes JSON into a buffer: key order is the order of calls, strings are always
 * valid UTF-8 (other bytes become U+FFFD), commas and nesting are kept by the writer.
 */
#ifndef HR_BASE_JSON_H
#define HR_BASE_JSON_H

#include "base/buf.h"
#include "base/time.h"

#define HR_JSON_DEPTH 32

struct hr_json {
    struct hr_buf *out; /* borrowed */
    unsigned depth;
    bool has_items[HR_JSON_DEPTH];
    bool after_key;
};

void hr_json_init(struct hr_json *j, struct hr_buf *out);
void hr_json_object_begin(struct hr_json *j);
void hr_json_object_end(struct hr_json *j);
void hr_json_array_begin(struct hr_json *j);
void hr_json_array_end(struct hr_json *j);
void hr_json_key(struct hr_json *j, const char *key);
void hr_json_null(struct hr_json *j);
void hr_json_bool(struct hr_json *j, bool value);
void hr_json_int(struct hr_json *j, int64_t value);
void hr_json_double(struct hr_json *j, double value);
/** A span whose ptr is NULL is written as null. */
void hr_json_string(struct hr_json *j, struct hr_span text);
/** NULL is written as null. */
void hr_json_str(struct hr_json *j, const char *text);
/** RFC 3339 in quotes; HR_NSEC_INFINITE is null. */
void hr_json_time(struct hr_json *j, hr_nsec at);
/** Puts in text that is already one valid JSON value. */
void hr_json_raw(struct hr_json *j, struct hr_span value);

#endif
