/*
 * evidence/frames.h - the frames that are cut out, with what is to be said of each, and where the
 * bytes of their segments belong.
 */
#ifndef HR_EVIDENCE_FRAMES_H
#define HR_EVIDENCE_FRAMES_H

#include "base/arena.h"
#include "capture/source.h"
#include "decode/segment.h"

/* A message of a connection, in bytes of its direction. */
struct evidence_message {
    unsigned direction; /* 0 originator's, 1 responder's */
    bool is_response;
    bool has_head; /* it begins with a start line */
    uint64_t from;
    uint64_t to;
};

/* A connection of which frames are cut out. */
struct evidence_conn {
    struct evidence_message *messages; /* in order of direction and place; owned */
    size_t message_count;
};

struct intake_ring;

/* One TCP segment in a frame that is cut out. */
struct evidence_segment {
    size_t source;
    uint64_t frame;
    unsigned nth; /* from 0 among the segments that come out of that frame */
    size_t conn;
    unsigned direction;
    uint64_t offset; /* of its payload's first byte */
};

struct evidence_frame {
    size_t source; /* number of the capture it is cut from */
    struct packet packet; /* data is the arena's; capture means nothing here */
    const char *comment;  /* NULL: none */
};

struct evidence_source {
    const char *path;    /* as given then */
    const char *real_path; /* where it was read now; NULL: in the ring */
    const struct intake_ring *ring; /* the plan's; NULL: none */
    size_t place;                  /* in it */
    hr_nsec from;                  /* nothing before it is wanted */
};

struct evidence {
    struct hr_arena arena;
    const char *comment; /* of the file */
    bool is_private;     /* anonymized: paths are not told */
    struct evidence_source *sources;
    size_t source_count;
    struct evidence_frame *frames; /* in order of time */
    size_t frame_count;
    uint64_t frame_bytes;
    struct evidence_conn *conns;
    size_t conn_count;
    struct evidence_segment *segments; /* in order of source, frame, nth */
    size_t segment_count;
};

void evidence_init(struct evidence *e);
void evidence_finish(struct evidence *e);

/* A frame that is wanted, before it is read. */
struct frame_pick {
    size_t source;
    uint64_t frame;
    const char *comment; /* NULL: none */
    size_t order;        /* of being picked: of several comments the first stands first */
};

struct frame_picks {
    struct frame_pick *items;
    size_t count;
};

/** @param comment  borrowed */
void frame_picks_add(struct frame_picks *p, size_t source, uint64_t frame, const char *comment);
/** Sorts by source and frame; each frame once, its comments one a line. */
void frame_picks_settle(struct frame_picks *p, struct hr_arena *arena);
void frame_picks_finish(struct frame_picks *p);

#endif
