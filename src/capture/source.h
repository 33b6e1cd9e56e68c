/*
 * capture/source.h - frames from a capture file, from several merged by time, or from standard
 * input: pcap (µs, ns, both byte orders) and pcapng,
 * both plain or packed with gzip, zstd or lz4. Sources:
 * https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html and draft-ietf-opsawg-pcapng.
 */
#ifndef HR_CAPTURE_SOURCE_H
#define HR_CAPTURE_SOURCE_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/span.h"
#include "base/time.h"
#include "capture/unpack.h"

/* One captured record. Borrowed: valid until the next call on its source. */
struct packet {
    hr_nsec at; /* capture clock */
    const uint8_t *data;
    uint32_t captured_bytes; /* at data */
    uint32_t wire_bytes;     /* as it was on the wire, >= captured_bytes */
    uint32_t link_type;      /* LINKTYPE_ number, as in the file */
    uint32_t interface;      /* of a pcapng section; 0 in pcap */
    uint32_t snap_bytes;     /* of that interface, as the file says; 0: none */
    uint8_t resolution;      /* of its clock, as if_tsresol: 10^-n s, 2^-n with the top bit */
    uint64_t frame;          /* from 1 in its file */
    size_t capture;          /* index of the file it came from, in the order given */
    bool selected;           /* passed the BPF filter; true without one */
    struct hr_span ahead;    /* the frame that comes CAPTURE_AHEAD_FRAMES later in its file, as far as it is
                                at hand and packet_source_look_ahead() wants it: what it will need can be fetched;
                                ptr NULL: it is not */
};

#define CAPTURE_AHEAD_FRAMES 12u

/* So many frames go into capture_info.head. */
#define CAPTURE_HEAD_FRAMES 32u

/* Frames that kernel or interface dropped, and when. */
struct capture_drop {
    hr_nsec from_at; /* of the frame before; HR_NSEC_INFINITE: none was read before */
    hr_nsec to_at;   /* of the frame behind, or the last one read */
    uint64_t count;
};
#define CAPTURE_DROP_LIMIT 32u /* past that many the last one stretches */

#define CAPTURE_COMMENT_BYTES 1024u

/* Whose clock stamped the frames. Stored: never renumber. */
enum time_source {
    TIME_SOURCE_UNKNOWN = 0, /* a file does not tell */
    TIME_SOURCE_HOST = 1,    /* the kernel of the machine that captured */
};

/* What is known about one file; grows while it is read. */
struct capture_info {
    const char *path;    /* as given; "-" is standard input */
    uint64_t size_bytes; /* of the file as it lies there; 0 where unknown (a pipe) */
    uint64_t read_bytes; /* of it, so far: for progress */
    uint64_t frames;
    uint64_t frame_bytes;      /* captured bytes of all frames */
    uint64_t cut_frames;       /* shorter than on the wire (snap length) */
    uint64_t dropped_frames;   /* as pcapng says, in statistics or with a frame: kernel and interface */
    struct capture_drop drops[CAPTURE_DROP_LIMIT]; /* the same by time, in file order */
    size_t drop_count;
    hr_nsec first_at;          /* HR_NSEC_INFINITE until the first frame */
    hr_nsec last_at;           /* the latest, not the last in the file */
    struct hr_digest head;    /* of the first frames, whatever they are packed in: knows a file that
                                 was moved, renamed or compressed again */
    hr_nsec largest_step_back; /* ns; how far a time stood behind the latest before it: ε of this
                                  file */
    bool is_pcapng;
    enum packing packing;
    bool has_nanoseconds;
    enum time_source time_source;
    uint32_t link_type;   /* of the first interface */
    char link_name[32];   /* "EN10MB", "LINUX_SLL2", ... */
    char comments[CAPTURE_COMMENT_BYTES]; /* of a pcapng file's sections, interfaces and frames, safe to
                                             show: "section: ...; frame 7: ..."; "" none */
    uint64_t comments_left_out;           /* for want of room there */
    int error;            /* 0, or the negative errno that ended it */
    char error_text[256]; /* says what and at which byte, for people; "" without error */
};

struct packet_source;

struct packet_source_config {
    const char *const
        *paths; /* borrowed; "-" is standard input, at most once; a folder is refused */
    size_t path_count;
    const char *filter; /* BPF expression or NULL; frames that fail it come with selected = false */
    bool read_ahead;    /* large files, unless they are many, are read and unpacked by threads beside the caller's */
};

/**
 * Opens every file; one that cannot be opened is kept with its error in its capture_info and gives
 * no frames. Nothing is read beyond what tells the format.
 * @param ret_error  text for people where the result is not 0 (a filter that does not compile)
 * @return 0, or -EINVAL for the filter (checked even where no file could be opened)
 */
int packet_source_open(const struct packet_source_config *config, struct packet_source **ret_source,
                       struct hr_buf *ret_error);
/**
 * The earliest frame that no file has given yet; equal times in the order of the files. A file that
 * is cut or corrupt ends with error and error_text in its capture_info; the others go on.
 * An empty file (no bytes), a missing, unreadable or foreign one, an unknown link type
 * are such errors; an unknown link type is set by packet_source_reject().
 * @return 1 and *ret_packet, or 0 at the end of all
 */
int packet_source_next(struct packet_source *s, struct packet *ret_packet);
/** Whether packets come with the frame ahead of them; it is not looked for at first. */
void packet_source_look_ahead(struct packet_source *s, bool looks);
/** Ends a file early with an error of the caller's: a link type nobody can decode. */
void packet_source_reject(struct packet_source *s, size_t capture, int error, const char *text);
/** @return of the file with that index, borrowed from the source */
const struct capture_info *packet_source_info(const struct packet_source *s, size_t capture);
size_t packet_source_count(const struct packet_source *s);
void packet_source_close(struct packet_source *s);

/**
 * Expands what a person gives as captures: a folder means the capture files in it (by content, not
 * by name; not recursively, sorted by name). Strings are allocated; release with
 * packet_paths_free().
 * @return 0; a path that does not exist stays in the list as it is, so that opening it says why
 */
int packet_paths_expand(const char *const *paths, size_t path_count, char ***ret_paths,
                        size_t *ret_count);
void packet_paths_free(char **paths, size_t count);

#endif
