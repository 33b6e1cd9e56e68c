/*
 * evidence/intake.h - the frames of an import's captures, from the files that they were read from, or from
 * the ring that a watch kept (capture/ring.h).
 */
#ifndef HR_EVIDENCE_INTAKE_H
#define HR_EVIDENCE_INTAKE_H

#include "capture/ring.h"
#include "capture/source.h"

/* The part of a ring that one run of a watch wrote. */
struct intake_ring {
    const char *folder;
    struct ring_list list;
    const struct ring_segment *segments; /* of the list */
    size_t segment_count;
};

struct intake_capture {
    const char *path; /* of its file; unless there is a ring */
    size_t place;     /* among the captures of the ring's segments */
};

struct intake_config {
    const struct intake_capture *captures; /* packet.capture is a place here; borrowed */
    size_t capture_count;
    const struct intake_ring *ring; /* NULL: files; borrowed */
    hr_nsec from;                  /* of a ring: segments that end before it are passed over */
};

struct intake;

/** As packet_source_open(). */
int intake_open(const struct intake_config *config, struct intake **ret_input,
               struct hr_buf *ret_error);
/** @return 1, or 0 at the end */
int intake_next(struct intake *in, struct packet *ret_packet);
/** @return why a capture's file could not be read to its end; NULL: it could */
const char *intake_error(const struct intake *in, size_t capture);
void intake_close(struct intake *in);

#endif
