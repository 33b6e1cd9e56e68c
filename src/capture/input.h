/*
 * capture/input.h - inside of capture/: the bytes of a stream, as many at a time as its reader asks for.
 */
#ifndef HR_CAPTURE_INPUT_H
#define HR_CAPTURE_INPUT_H

#include "capture/stream.h"

struct input;

struct input_config {
    size_t buffer_bytes; /* grows where input_peek() wants more */
    bool read_ahead;     /* a thread reads a file of which much was read; two blocks of 1 MiB more */
};

/**
 * @param path  "-" is standard input
 * @return never NULL; where opening failed, its state has the error and there are no bytes
 */
struct input *input_open(const char *path, const struct input_config *config);
void input_close(struct input *in);
/** As of the bytes that came from it. */
const struct stream_state *input_state(const struct input *in);
/**
 * The next bytes, contiguous and borrowed until the next call; may be changed in place.
 * @param want  how many are needed; at most INPUT_PEEK_LIMIT
 * @param ret_have  at least want, less at the end or after an error
 */
uint8_t *input_peek(struct input *in, size_t want, size_t *ret_have);
/** Drops bytes that were peeked. */
void input_consume(struct input *in, size_t count);
/** Reads over bytes of any number. @return how many there were */
uint64_t input_skip(struct input *in, uint64_t count);
/** @return position of the next byte in the unpacked data */
uint64_t input_offset(const struct input *in);

#define INPUT_PEEK_LIMIT ((size_t)16 * 1024 * 1024)

#endif
