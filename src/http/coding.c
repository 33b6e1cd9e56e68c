#include "http/coding.h"

#include <zlib.h>
#ifdef HR_HAS_BROTLI
#include <brotli/decode.h>
#endif
#ifdef HR_HAS_ZSTD
#include <zstd.h>
#endif

#define BLOCK_BYTES 8192
/* RFC 8878 3.1.1.1.2: decoders should take windows of 8 MiB; browsers take no larger ones. */
#define ZSTD_WINDOW_LOG 23

enum http_coding http_coding_find(struct hr_span name)
{
    static const struct {
        const char *name;
        enum http_coding coding;
    } names[] = {
        {"gzip",    HTTP_CODING_GZIP   },
        {"x-gzip",  HTTP_CODING_GZIP   },
        {"deflate", HTTP_CODING_DEFLATE},
#ifdef HR_HAS_BROTLI
        {"br",      HTTP_CODING_BROTLI },
#endif
#ifdef HR_HAS_ZSTD
        {"zstd",    HTTP_CODING_ZSTD   },
#endif
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (hr_span_equal_nocase(name, hr_span_str(names[i].name))) {
            return names[i].coding;
        }
    }
    return HTTP_CODING_UNKNOWN;
}

/* RFC 1950 header: method 8, a multiple of 31. Some servers send "deflate" without it. */
static bool has_zlib_header(struct hr_span in)
{
    return in.len >= 2 && ((unsigned char)in.ptr[0] & 0x0f) == 8 &&
           ((unsigned)(unsigned char)in.ptr[0] * 256 + (unsigned char)in.ptr[1]) % 31 == 0;
}

/* RFC 1952 2.2: members stand one after another; other bytes behind one are passed over. */
static bool has_gzip_member(const z_stream *z, enum http_coding coding)
{
    return coding == HTTP_CODING_GZIP && z->avail_in >= 2 && z->next_in[0] == 0x1f &&
           z->next_in[1] == 0x8b;
}

/* Appends what in decodes to. @return as http_coding_remove() */
static enum http_content_result inflate_span(struct hr_span in, enum http_coding coding,
                                             size_t most, struct hr_buf *out)
{
    z_stream z = {.next_in = (z_const Bytef *)in.ptr, .avail_in = (uInt)in.len};
    int window = coding == HTTP_CODING_GZIP ? 15 + 16 : has_zlib_header(in) ? 15 : -15;
    if (in.len > UINT32_MAX || inflateInit2(&z, window) != Z_OK) {
        return HTTP_CONTENT_UNDECODABLE;
    }
    enum http_content_result result = HTTP_CONTENT_CUT;
    int r = Z_OK;
    while (out->len < most) {
        char block[BLOCK_BYTES];
        size_t room = most - out->len < sizeof(block) ? most - out->len : sizeof(block);
        z.next_out = (Bytef *)block;
        z.avail_out = (uInt)room;
        r = inflate(&z, Z_NO_FLUSH);
        hr_buf_append(out, hr_span_of(block, room - z.avail_out));
        if (r == Z_STREAM_END && has_gzip_member(&z, coding)) {
            r = inflateReset(&z);
            continue;
        }
        result = r == Z_STREAM_END ? HTTP_CONTENT_WHOLE : HTTP_CONTENT_CUT;
        if (r != Z_OK) {
            break;
        }
    }
    if (out->len == most && r == Z_OK && z.avail_in == 0) {
        char one;
        z.next_out = (Bytef *)&one;
        z.avail_out = 1;
        result = inflate(&z, Z_NO_FLUSH) == Z_STREAM_END && z.avail_out == 1 ? HTTP_CONTENT_WHOLE
                                                                             : HTTP_CONTENT_CUT;
    }
    inflateEnd(&z);
    return out->len == 0 && result == HTTP_CONTENT_CUT ? HTTP_CONTENT_UNDECODABLE : result;
}

#if defined(HR_HAS_BROTLI) || defined(HR_HAS_ZSTD)
/* What out, which may hold one byte too many, is of the content. */
static enum http_content_result end_of(struct hr_buf *out, size_t most, bool is_ended)
{
    if (out->len > most) {
        out->len = most;
        out->ptr[most] = '\0';
        return HTTP_CONTENT_CUT;
    }
    if (is_ended) {
        return HTTP_CONTENT_WHOLE;
    }
    return out->len == 0 ? HTTP_CONTENT_UNDECODABLE : HTTP_CONTENT_CUT;
}
#endif

#ifdef HR_HAS_BROTLI
static enum http_content_result unbrotli_span(struct hr_span in, size_t most, struct hr_buf *out)
{
    BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    const uint8_t *next_in = (const uint8_t *)in.ptr;
    size_t left = in.len;
    BrotliDecoderResult r = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
    if (state == NULL) {
        return HTTP_CONTENT_UNDECODABLE;
    }
    /* One byte past the limit tells a content that ends there from one that goes on. */
    while (r == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT && out->len <= most) {
        uint8_t block[BLOCK_BYTES];
        uint8_t *next_out = block;
        size_t room = most - out->len < sizeof(block) ? most - out->len + 1 : sizeof(block);
        const size_t whole = room;
        r = BrotliDecoderDecompressStream(state, &left, &next_in, &room, &next_out, NULL);
        hr_buf_append(out, hr_span_of(block, whole - room));
    }
    BrotliDecoderDestroyInstance(state);
    return end_of(out, most, r == BROTLI_DECODER_RESULT_SUCCESS);
}
#endif

#ifdef HR_HAS_ZSTD
static enum http_content_result unzstd_span(struct hr_span in, size_t most, struct hr_buf *out)
{
    ZSTD_DStream *state = ZSTD_createDStream();
    ZSTD_inBuffer input = {.src = in.ptr, .size = in.len};
    size_t left = 1;
    size_t before = 0;
    if (state == NULL) {
        return HTTP_CONTENT_UNDECODABLE;
    }
    ZSTD_DCtx_setParameter(state, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
    do { /* several frames may follow one another */
        char block[BLOCK_BYTES];
        ZSTD_outBuffer output = {.dst = block, .size = sizeof(block)};
        output.size = most - out->len < sizeof(block) ? most - out->len + 1 : sizeof(block);
        before = input.pos;
        left = ZSTD_decompressStream(state, &output, &input);
        hr_buf_append(out, hr_span_of(block, output.pos));
        if (ZSTD_isError(left) || (output.pos == 0 && input.pos == before)) {
            break;
        }
    } while ((left > 0 || input.pos < input.size) && out->len <= most);
    ZSTD_freeDStream(state);
    return end_of(out, most, left == 0);
}
#endif

enum http_content_result http_coding_remove(enum http_coding coding, struct hr_span in, size_t most,
                                            struct hr_buf *out)
{
    if (coding == HTTP_CODING_GZIP || coding == HTTP_CODING_DEFLATE) {
        return inflate_span(in, coding, most, out);
    }
#ifdef HR_HAS_BROTLI
    if (coding == HTTP_CODING_BROTLI) {
        return unbrotli_span(in, most, out);
    }
#endif
#ifdef HR_HAS_ZSTD
    if (coding == HTTP_CODING_ZSTD) {
        return unzstd_span(in, most, out);
    }
#endif
    return HTTP_CONTENT_UNDECODABLE;
}
