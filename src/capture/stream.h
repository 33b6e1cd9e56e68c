/*
 * capture/stream.h - inside of capture/: the bytes of a capture file as they were before they were packed, one behind
 * the other. A file, a pipe or standard input in, unpacked bytes out, without seeking. Errors are sticky and come as
 * text for people.
 */
#ifndef HR_CAPTURE_STREAM_H
#define HR_CAPTURE_STREAM_H

#include "capture/unpack.h"

struct stream;

struct stream_state {
    uint64_t size_bytes; /* of the file as it lies there; 0 where unknown (a pipe) */
    uint64_t read_bytes; /* of it, so far */
    enum packing packing;
    int error; /* 0, or the negative errno that ended it */
    char error_text[200];
};

/**
 * @param path         "-" is standard input
 * @param first_bytes  that may be read to tell how it is packed
 * @return never NULL; where opening failed, its state has the error and there are no bytes
 */
struct stream *stream_open(const char *path, size_t first_bytes);
void stream_close(struct stream *s);
const struct stream_state *stream_state(const struct stream *s);
/** Up to size bytes. @return their number; 0 at the end or after an error */
size_t stream_read(struct stream *s, void *to, size_t size);

#endif
