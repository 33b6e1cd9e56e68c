/*
 * capture/unpack.h - packed bytes in, plain bytes out: gzip, zstd and lz4, as a stream, so that no
 * more memory is needed for a bomb than for anything else. Members (frames) may follow each other.
 */
#ifndef HR_CAPTURE_UNPACK_H
#define HR_CAPTURE_UNPACK_H

#include "base/span.h"

/* Stored: never renumber. */
enum packing {
    PACKING_NONE = 0,
    PACKING_GZIP = 1, /* RFC 1952 */
    PACKING_ZSTD = 2, /* RFC 8878 */
    PACKING_LZ4 = 3,  /* the frame format */
};

enum unpack_result {
    UNPACK_MORE,   /* go on: with more input, or with more room */
    UNPACK_END,    /* of a member */
    UNPACK_BROKEN, /* no member, or not what its check sum says */
    UNPACK_TOO_BIG, /* a zstd window beyond 128 MiB */
};

struct unpack_io {
    const uint8_t *in; /* moves on over what was eaten */
    size_t in_bytes;
    uint8_t *out; /* moves on over what was made */
    size_t out_bytes;
};

struct unpacker;

/** By the first bytes; frames to be skipped may stand before the first that counts. */
enum packing packing_of(const uint8_t *head, size_t len);
/** @return "gzip", "zstd" or "lz4" */
const char *packing_name(enum packing packing);
/** Whether this program was built with what reads it. */
bool packing_is_known(enum packing packing);

/** @return never NULL; packing must be known and not PACKING_NONE */
struct unpacker *unpacker_create(enum packing packing);
void unpacker_destroy(struct unpacker *u);
enum unpack_result unpacker_step(struct unpacker *u, struct unpack_io *io);
/** Whether what stands behind a member is a further one; else it is padding. */
bool unpacker_goes_on(const struct unpacker *u, uint8_t next);

#endif
