/*
 * capture/ring.h - the files of a ring: what a watch captured lately, as pcapng segments of a folder,
 * named by number. A segment says in the comment of its section which frames it holds: of each capture
 * of its run the number that the first one has there, so that a frame is found by the number that the
 * store knows. A hole begins a new segment, so the others follow by counting.
 */
#ifndef HR_CAPTURE_RING_H
#define HR_CAPTURE_RING_H

#include "capture/source.h"

#define RING_CAPTURE_LIMIT 64u
#define RING_INTERFACE_LIMIT 256u
#define RING_NAME_BYTES 512u

struct ring_capture {
    char name[RING_NAME_BYTES];
    hr_nsec first_at; /* of its first frame in the run; HR_NSEC_INFINITE: none came yet */
    uint64_t frame;   /* the number of the next one, when the segment began */
};

/** As far as a name fits; without ends of lines. */
void ring_set_name(struct ring_capture *c, const char *name);

/* As of pcapng; numbers are places in the segment. */
struct ring_interface {
    size_t capture;
    uint32_t link_type;
    uint32_t snap_bytes;
    uint8_t decimals;
};

struct ring_segment {
    uint64_t number;
    uint64_t run;  /* number of the first segment of the run that wrote it */
    hr_nsec from;  /* of its first frame */
    hr_nsec until; /* no frame is later */
    uint64_t size_bytes; /* of the file */
    struct ring_capture *captures; /* owned */
    size_t capture_count;
    struct ring_interface *interfaces; /* owned; only capture is known of one that was read */
    size_t interface_count;
};

void ring_segment_finish(struct ring_segment *s);
/** What a segment's file begins with, up to its first packet. */
void ring_format_head(const struct ring_segment *s, struct hr_buf *out);
/** Appends the path of a segment's file. */
void ring_append_path(const char *folder, uint64_t number, struct hr_buf *out);

struct ring_list {
    struct ring_segment *items; /* in order of numbers */
    size_t count;
};

/** Files that are no segments are passed over. @return 0, or a negative errno of the folder */
int ring_list_read(const char *folder, struct ring_list *ret_list);
void ring_list_finish(struct ring_list *l);

struct ring_reader;

/**
 * The frames of segments of one run, in the order in which they came. packet.capture is the place among
 * the segment's captures, packet.frame the number in that.
 * @param segments  borrowed, in order
 */
struct ring_reader *ring_reader_create(const char *folder, const struct ring_segment *segments,
                                       size_t count);
/** What cannot be read (pruned meanwhile, cut off by a kill) is passed over. @return 1, or 0 at the end */
int ring_reader_next(struct ring_reader *r, struct packet *ret_packet);
void ring_reader_destroy(struct ring_reader *r);

#endif
