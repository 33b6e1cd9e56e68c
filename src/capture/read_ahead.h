/*
 * capture/read_ahead.h - inside of capture/: a thread that reads a stream, block by block, so that the copy out of the
 * kernel and the unpacking do not wait for what is done with the bytes, nor that for them. Two blocks are in use at a
 * time.
 */
#ifndef HR_CAPTURE_READ_AHEAD_H
#define HR_CAPTURE_READ_AHEAD_H

#include "capture/stream.h"

struct read_ahead;

struct read_ahead_block {
    uint8_t *bytes; /* READ_AHEAD_ROOM may be written before them */
    size_t len;
};

#define READ_AHEAD_ROOM ((size_t)128 * 1024)

/**
 * @param s  borrowed, and the thread's alone until read_ahead_stop()
 * @return NULL where there cannot be a thread more
 */
struct read_ahead *read_ahead_start(struct stream *s);
/** Waits for what it does at the moment: a read must not block for long. */
void read_ahead_stop(struct read_ahead *a);
/**
 * The next block; a second one may be taken before the first is given back.
 * @param ret_state  of the stream when it was read
 * @return false at the end or after an error
 */
bool read_ahead_take(struct read_ahead *a, struct read_ahead_block *ret_block,
                     struct stream_state *ret_state);
/** The block that was taken first is filled anew. */
void read_ahead_give_back(struct read_ahead *a);

#endif
