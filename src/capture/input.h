/*
 * capture/input.h - the bytes of a capture file as they were before they were packed: a file, a pipe or standard
 * input in, unpacked bytes out, without seeking. Errors are sticky and come as text for people.
 */
#ifndef HR_CAPTURE_INPUT_H
#define HR_CAPTURE_INPUT_H

#include "base/span.h"
#include "capture/unpack.h"

struct input;

struct input_state {
    uint64_t size_bytes; /* of the file as it lies there; 0 where unknown (a pipe) */
    uint64_t read_bytes; /* of it, so far */
    enum packing packing;
    int error; /* 0, or the negative errno that ended it */
    char error_text[200];
};

/**
 * @param path         "-" is standard input
 * @param buffer_bytes of the read-ahead; grows where input_peek() wants more
 * @return never NULL; where opening failed, its state has the error and there are no bytes
 */
struct input *input_open(const char *path, size_t buffer_bytes);
void input_close(struct input *in);
const struct input_state *input_state(const struct input *in);
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
/** Copies out up to size bytes. @return their number; 0 at the end or after an error */
size_t input_read(struct input *in, void *to, size_t size);
/** @return position of the next byte in the unpacked data */
uint64_t input_offset(const struct input *in);

#define INPUT_PEEK_LIMIT ((size_t)16 * 1024 * 1024)

#endif
