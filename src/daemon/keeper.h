/*
 * daemon/keeper.h - keeps the packets of the last while in a ring of files (capture/ring.h), of so many
 * bytes, or so long by the packets' own time. A thread of its own writes behind a bounded queue:
 * whatever the disk does, who feeds it never waits. What cannot be written is left out and counted,
 * a line says so, and the ring goes on when it can.
 */
#ifndef HR_DAEMON_KEEPER_H
#define HR_DAEMON_KEEPER_H

#include "capture/source.h"

#include <sys/types.h>

struct keeper;

struct keeper_config {
    const char *folder;          /* borrowed */
    uint64_t keep_bytes;         /* of all files; 0: no bound */
    hr_nsec keep_span;           /* 0: no bound; of the two the narrower holds */
    const char *const *captures; /* names, borrowed; at most RING_CAPTURE_LIMIT */
    size_t capture_count;
};

/**
 * Makes the folder where there is none, and takes it for this process alone. What was made belongs to
 * the user who goes on.
 * @param ret_error  one line for people
 * @return 0 or a negative errno
 */
int keeper_open(const struct keeper_config *config, uid_t uid, gid_t gid,
                struct keeper **ret_keeper, struct hr_buf *ret_error);
/** With the rights that it goes on with: finds what older runs left, and begins its thread. */
int keeper_start(struct keeper *k, struct hr_buf *ret_error);
/** Copies. One thread, as the next one. */
void keeper_add(struct keeper *k, const struct packet *p);
/** Hands over to the disk what was added. */
void keeper_flush(struct keeper *k);
struct keeper_state {
    uint64_t bytes;    /* of the files */
    hr_nsec oldest_at; /* packet time of the first frame kept; HR_NSEC_INFINITE: none is */
    uint64_t missed;   /* frames left out since the start */
    bool is_stopped;   /* it cannot be written now */
};
/** Any thread. */
void keeper_get_state(struct keeper *k, struct keeper_state *ret_state);
/** Writes what was added, and ends the thread. */
void keeper_close(struct keeper *k);

#endif
