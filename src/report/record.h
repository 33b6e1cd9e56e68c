/*
 * report/record.h - the output contracts: each kind of row is a table of named fields, from which
 * NDJSON, CSV and tables for people are made. Keys are never renamed, only added.
 */
#ifndef HR_REPORT_RECORD_H
#define HR_REPORT_RECORD_H

#include "base/json.h"
#include "store/read.h"

/* Stands first in every JSON object. */
#define RECORD_SCHEMA_VERSION 1

enum record_kind {
    RECORD_INT,           /* int64_t */
    RECORD_INT_OR_NULL,   /* int64_t; 0 is null */
    RECORD_INT_SIGNED,    /* int64_t; below 0 is null */
    RECORD_SMALL_OR_NULL, /* int; 0 is null */
    RECORD_TEXT,          /* const char *; NULL is null */
    RECORD_TIME,          /* hr_nsec; infinite is null */
    RECORD_SPAN,          /* hr_nsec: nanoseconds in JSON, words for people */
    RECORD_BOOL,          /* bool */
    RECORD_CUSTOM,        /* emit() */
};

struct record_field {
    const char *key;
    enum record_kind kind;
    size_t offset;
    const char *heading; /* in tables for people; NULL: not shown there */
    void (*emit)(struct hr_json *j, const void *row);
};

struct record_type {
    const char *type; /* value of the key `type`; NULL: a finding, which has `rule` instead */
    const struct record_field *fields;
    size_t field_count;
};

/* What watch says of a finding: the finding and what is of the alert alone. */
struct alert_view {
    struct finding_view finding; /* first: the fields of a finding are read from it */
    bool is_update;              /* of what was said before, with less certainty */
    const char *evidence_file;   /* where its frames are, or will be in a moment; NULL: nowhere */
};

/* What watch says of frames that it lost. */
struct loss_alert_view {
    hr_nsec at;
    const char *state; /* "exceeded", "recovered" */
    hr_nsec from_at;   /* the minute that it is about */
    int64_t frames;    /* that came then, those lost among them */
    int64_t dropped_frames;
    int64_t shed_frames;
    int64_t lost_ppm;  /* parts per million of all frames */
    int64_t limit_ppm;
};

extern const struct record_type record_finding;
extern const struct record_type record_alert;
extern const struct record_type record_exchange;
extern const struct record_type record_session;
extern const struct record_type record_stream;
extern const struct record_type record_endpoint;
extern const struct record_type record_capture;
extern const struct record_type record_loss;
extern const struct record_type record_loss_alert;

/** One object. */
void record_put_json(struct hr_json *j, const struct record_type *t, const void *row);
/** The same and a line feed. */
void record_append_json(struct hr_buf *out, const struct record_type *t, const void *row);
void record_append_csv_header(struct hr_buf *out, const struct record_type *t);
void record_append_csv(struct hr_buf *out, const struct record_type *t, const void *row);
/** The value as people read it: safe for a terminal, "" for null. */
void record_append_text(struct hr_buf *out, const struct record_field *f, const void *row);

#endif
