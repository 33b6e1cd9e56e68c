/*
 * scenario/point.h - the capture point: takes frames in order of time, loses, delays and doubles
 * some, writes the rest to the file, and keeps the truth: which bytes of which exchange were
 * recorded, when, in which frame.
 */
#ifndef HR_SCENARIO_POINT_H
#define HR_SCENARIO_POINT_H

#include "scenario/capfile.h"
#include "scenario/frame.h"
#include "scenario/talk.h"

#include <stdio.h>

enum truth_part {
    TRUTH_REQUEST,
    TRUTH_RESPONSE,
    TRUTH_INTERIM, /* 1xx: not counted as the exchange's own bytes */
    TRUTH_PARTS,
};

/* First frame and other frames of a part; bits of truth.drop and truth.duplicate. */
#define TRUTH_HEAD(part) (1u << (2 * (part)))
#define TRUTH_TAIL(part) (2u << (2 * (part)))

struct truth_seen {
    uint64_t sent_bytes;     /* of the whole part */
    uint64_t recorded_bytes; /* first copies */
    hr_nsec first_at;        /* HR_NSEC_INFINITE: that byte was not recorded */
    hr_nsec last_at;
    uint64_t *frames; /* that hold any of its bytes, copies too */
    size_t frame_count;
    size_t frame_capacity;
};

/* One exchange. Who makes it fills in the first part, sends its frames, then calls truth_end(). */
struct truth {
    const char *label; /* or NULL; borrowed */
    struct net_endpoint client;
    struct net_endpoint server;
    char method[16];
    char target[128];
    unsigned status;         /* 0: no response */
    uint64_t response_bytes; /* of the body on the wire */
    unsigned drop;
    unsigned duplicate;
    struct truth_seen seen[TRUTH_PARTS];
    unsigned refs; /* frames held back, and the maker */
};

struct point_config {
    struct capfile_config file;
    struct frame_format frame;
    double loss;
    double reorder;
    double duplicate;
    uint64_t seed;
    hr_nsec from; /* frames of [from, until) are recorded */
    hr_nsec until;
};

struct point_counts {
    uint64_t frames; /* recorded, copies too */
    uint64_t bytes;  /* of those, captured */
    uint64_t lost;
    uint64_t reordered; /* recorded behind a later frame of their connection */
    uint64_t doubled;
    uint64_t exchanges;
    uint64_t whole; /* of them with all their bytes recorded */
};

struct point;

/** @param truth  gets one line an exchange; may be NULL; not owned. @return 0 or -errno */
int point_open(const char *path, const struct point_config *config, FILE *truth,
               struct point **ret_point);
/** Frames in order of time. */
void point_frame(struct point *p, const struct talk_frame *f);
/** @return owned by the caller until truth_end() */
struct truth *truth_begin(void);
void point_truth_end(struct point *p, struct truth *take_truth);
/** The connection is about to be freed: records the frame of it that is held back, if any. */
void point_forget(struct point *p, struct talk *t);
/** Records what is held back. */
void point_flush(struct point *p);
/** Flushes and closes. @return 0, or -errno of the first write that failed */
int point_close(struct point *p, struct point_counts *ret_counts);

#endif
