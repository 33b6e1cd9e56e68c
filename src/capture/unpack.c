#include "capture/unpack.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#ifdef HR_HAS_LZ4
#include <lz4frame.h>
#endif
#ifdef HR_HAS_ZSTD
#include <zstd.h>
#include <zstd_errors.h>
#endif

/* Of a frame's header: the rest of it is asked for. */
#define FIRST_BYTES 5

struct unpacker {
    enum packing packing;
    z_stream gzip;
    size_t wanted_bytes; /* zstd, lz4: of the next block */
#ifdef HR_HAS_ZSTD
    ZSTD_DStream *zstd;
#endif
#ifdef HR_HAS_LZ4
    LZ4F_dctx *lz4;
#endif
};

static uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* RFC 8878 3.1.2; lz4 has the same. */
static size_t skip_frames(const uint8_t *head, size_t len)
{
    size_t at = 0;
    while (len - at >= 8 && (get_u32(head + at) & 0xfffffff0) == 0x184d2a50) {
        size_t bytes = 8 + (size_t)get_u32(head + at + 4);
        if (bytes > len - at) {
            break;
        }
        at += bytes;
    }
    return at;
}

enum packing packing_of(const uint8_t *head, size_t len)
{
    /* ID1, ID2 and the only compression method there is (RFC 1952 2.3.1) */
    if (len >= 3 && memcmp(head, "\x1f\x8b\x08", 3) == 0) {
        return PACKING_GZIP;
    }
    size_t at = skip_frames(head, len);
    uint32_t magic = len - at >= 4 ? get_u32(head + at) : 0;
    if (magic == 0x184d2204) {
        return PACKING_LZ4;
    }
    bool is_skipped = (magic & 0xfffffff0) == 0x184d2a50;
    return magic == 0xfd2fb528 || is_skipped ? PACKING_ZSTD : PACKING_NONE;
}

const char *packing_name(enum packing packing)
{
    static const char *const names[] = {"plain", "gzip", "zstd", "lz4"};
    return names[packing];
}

bool packing_is_known(enum packing packing)
{
    switch (packing) {
    case PACKING_NONE:
    case PACKING_GZIP:
        break;
    case PACKING_ZSTD:
#ifdef HR_HAS_ZSTD
        break;
#else
        return false;
#endif
    case PACKING_LZ4:
#ifdef HR_HAS_LZ4
        break;
#else
        return false;
#endif
    }
    return true;
}

struct unpacker *unpacker_create(enum packing packing)
{
    assert(packing != PACKING_NONE && packing_is_known(packing));
    struct unpacker *u = hr_xcalloc(1, sizeof(*u));
    u->packing = packing;
    u->wanted_bytes = FIRST_BYTES;
    bool ok = true;
    if (packing == PACKING_GZIP) {
        ok = inflateInit2(&u->gzip, 15 + 16) == Z_OK; /* 16: a gzip wrapper */
    }
#ifdef HR_HAS_ZSTD
    if (packing == PACKING_ZSTD) {
        u->zstd = ZSTD_createDStream();
        ok = u->zstd != NULL;
    }
#endif
#ifdef HR_HAS_LZ4
    if (packing == PACKING_LZ4) {
        ok = !LZ4F_isError(LZ4F_createDecompressionContext(&u->lz4, LZ4F_VERSION));
    }
#endif
    if (!ok) {
        hr_out_of_memory();
    }
    return u;
}

void unpacker_destroy(struct unpacker *u)
{
    if (u == NULL) {
        return;
    }
    if (u->packing == PACKING_GZIP) {
        inflateEnd(&u->gzip);
    }
#ifdef HR_HAS_ZSTD
    ZSTD_freeDStream(u->zstd);
#endif
#ifdef HR_HAS_LZ4
    LZ4F_freeDecompressionContext(u->lz4);
#endif
    free(u);
}

static uInt at_most_u32(size_t n)
{
    return (uInt)(n > UINT32_MAX / 2 ? UINT32_MAX / 2 : n);
}

static void advance(struct unpack_io *io, size_t eaten, size_t made)
{
    io->in += eaten;
    io->in_bytes -= eaten;
    io->out += made;
    io->out_bytes -= made;
}

static enum unpack_result step_gzip(z_stream *z, struct unpack_io *io)
{
    const uInt in_bytes = at_most_u32(io->in_bytes);
    const uInt out_bytes = at_most_u32(io->out_bytes);
    z->next_in = (z_const Bytef *)io->in;
    z->avail_in = in_bytes;
    z->next_out = io->out;
    z->avail_out = out_bytes;
    int r = inflate(z, Z_NO_FLUSH);
    advance(io, in_bytes - z->avail_in, out_bytes - z->avail_out);
    if (r == Z_STREAM_END) {
        inflateReset(z);
        return UNPACK_END;
    }
    return r == Z_OK || r == Z_BUF_ERROR ? UNPACK_MORE : UNPACK_BROKEN;
}

/*
 * Where a block is broken these libraries take back what they made in the same call. So they get
 * one block at a time, which is what they ask for: all blocks before the broken one count.
 */
static size_t next_block_bytes(const struct unpacker *u, const struct unpack_io *io)
{
    return u->wanted_bytes < io->in_bytes ? u->wanted_bytes : io->in_bytes;
}

static enum unpack_result note_wanted(struct unpacker *u, size_t wanted_bytes)
{
    u->wanted_bytes = wanted_bytes == 0 ? FIRST_BYTES : wanted_bytes;
    return wanted_bytes == 0 ? UNPACK_END : UNPACK_MORE;
}

#ifdef HR_HAS_ZSTD
/* The library's own limit stands: a window of 128 MiB. */
static enum unpack_result step_zstd(struct unpacker *u, struct unpack_io *io)
{
    ZSTD_inBuffer in = {io->in, next_block_bytes(u, io), 0};
    ZSTD_outBuffer out = {io->out, io->out_bytes, 0};
    size_t wanted = ZSTD_decompressStream(u->zstd, &out, &in);
    advance(io, in.pos, out.pos);
    if (ZSTD_isError(wanted)) {
        bool is_big = ZSTD_getErrorCode(wanted) == ZSTD_error_frameParameter_windowTooLarge;
        return is_big ? UNPACK_TOO_BIG : UNPACK_BROKEN;
    }
    return note_wanted(u, wanted);
}
#endif

#ifdef HR_HAS_LZ4
static enum unpack_result step_lz4(struct unpacker *u, struct unpack_io *io)
{
    size_t eaten = next_block_bytes(u, io);
    size_t made = io->out_bytes;
    size_t wanted = LZ4F_decompress(u->lz4, io->out, &made, io->in, &eaten, NULL);
    if (LZ4F_isError(wanted)) {
        return UNPACK_BROKEN;
    }
    advance(io, eaten, made);
    return note_wanted(u, wanted);
}
#endif

enum unpack_result unpacker_step(struct unpacker *u, struct unpack_io *io)
{
    switch (u->packing) {
    case PACKING_GZIP:
        return step_gzip(&u->gzip, io);
    case PACKING_ZSTD:
#ifdef HR_HAS_ZSTD
        return step_zstd(u, io);
#endif
    case PACKING_LZ4:
#ifdef HR_HAS_LZ4
        return step_lz4(u, io);
#endif
    case PACKING_NONE:
        break;
    }
    return UNPACK_BROKEN;
}

bool unpacker_goes_on(const struct unpacker *u, uint8_t next)
{
    /* gzip(1) ignores whatever is behind its last member; the others know zeroes as padding only.
     */
    return u->packing == PACKING_GZIP ? next == 0x1f : next != 0;
}
