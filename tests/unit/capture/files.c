#include "files.h"

#include "support/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#ifdef HR_HAS_LZ4
#include <lz4frame.h>
#endif
#ifdef HR_HAS_ZSTD
#include <zstd.h>
#endif

void made_init(struct made *m, bool is_big)
{
    hr_buf_init(&m->b, SIZE_MAX);
    m->is_big = is_big;
}

static void put(struct made *m, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        unsigned shift = 8 * (m->is_big ? bytes - 1 - i : i);
        hr_buf_append_char(&m->b, (char)(v >> shift));
    }
}

void made_u16(struct made *m, uint16_t v)
{
    put(m, v, 2);
}

void made_u32(struct made *m, uint32_t v)
{
    put(m, v, 4);
}

void made_u64(struct made *m, uint64_t v)
{
    put(m, v, 8);
}

void made_text(struct made *m, const char *text, size_t len)
{
    hr_buf_append(&m->b, hr_span_of(text, len));
}

void made_pcap_header(struct made *m, uint32_t magic, uint32_t snap, uint32_t link_type)
{
    made_u32(m, magic);
    made_u16(m, 2);
    made_u16(m, 4);
    made_u64(m, 0);
    made_u32(m, snap);
    made_u32(m, link_type);
}

void made_pcap_frame(struct made *m, uint32_t sec, uint32_t fraction, const char *text)
{
    uint32_t len = (uint32_t)strlen(text);
    made_u32(m, sec);
    made_u32(m, fraction);
    made_u32(m, len);
    made_u32(m, len);
    made_text(m, text, len);
}

size_t made_block(struct made *m, uint32_t type)
{
    size_t position = m->b.len;
    made_u32(m, type);
    made_u32(m, 0);
    return position;
}

static void pad(struct made *m, size_t len)
{
    while (len++ % 4 != 0) {
        hr_buf_append_char(&m->b, '\0');
    }
}

void made_block_end(struct made *m, size_t position)
{
    pad(m, m->b.len - position);
    size_t end = m->b.len;
    uint32_t len = (uint32_t)(end - position + 4);
    made_u32(m, len);
    memcpy(m->b.ptr + position + 4, m->b.ptr + end, 4);
}

void made_section(struct made *m)
{
    size_t at = made_block(m, 0x0a0d0d0a);
    made_u32(m, 0x1a2b3c4d);
    made_u16(m, 1);
    made_u16(m, 0);
    made_u64(m, UINT64_MAX);
    made_block_end(m, at);
}

void made_interface(struct made *m, uint16_t link_type, uint32_t snap)
{
    size_t at = made_block(m, 1);
    made_u16(m, link_type);
    made_u16(m, 0);
    made_u32(m, snap);
    made_block_end(m, at);
}

void made_option(struct made *m, uint16_t code, const char *bytes, size_t len)
{
    made_u16(m, code);
    made_u16(m, (uint16_t)len);
    made_text(m, bytes, len);
    pad(m, len);
}

void made_packet(struct made *m, uint32_t interface, uint64_t units, const char *text)
{
    uint32_t len = (uint32_t)strlen(text);
    size_t at = made_block(m, 6);
    made_u32(m, interface);
    made_u32(m, (uint32_t)(units >> 32));
    made_u32(m, (uint32_t)units);
    made_u32(m, len);
    made_u32(m, len);
    made_text(m, text, len);
    made_block_end(m, at);
}

static size_t gzip(const char *plain, size_t len, char *packed, size_t room)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (z_const Bytef *)plain;
    z.avail_in = (uInt)len;
    z.next_out = (Bytef *)packed;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return room - z.avail_out;
}

static size_t zstd(const char *plain, size_t len, char *packed, size_t room)
{
#ifdef HR_HAS_ZSTD
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    size_t n = ZSTD_compress2(c, packed, room, plain, len);
    assert_false(ZSTD_isError(n));
    ZSTD_freeCCtx(c);
    return n;
#else
    (void)plain, (void)len, (void)packed, (void)room;
    return 0;
#endif
}

static size_t lz4(const char *plain, size_t len, char *packed, size_t room)
{
#ifdef HR_HAS_LZ4
    const LZ4F_preferences_t how = {
        .frameInfo = {.contentChecksumFlag = LZ4F_contentChecksumEnabled}};
    size_t n = LZ4F_compressFrame(packed, room, plain, len, &how);
    assert_false(LZ4F_isError(n));
    return n;
#else
    (void)plain, (void)len, (void)packed, (void)room;
    return 0;
#endif
}

void made_pack(struct made *m, enum packing packing)
{
    static size_t (*const packers[])(const char *plain, size_t len, char *packed, size_t room) = {
        [PACKING_GZIP] = gzip, [PACKING_ZSTD] = zstd, [PACKING_LZ4] = lz4};
    size_t room = 2 * m->b.len + 1024;
    char *packed = malloc(room);
    assert_non_null(packed);
    size_t n = packers[packing](hr_buf_str(&m->b), m->b.len, packed, room);
    hr_buf_clear(&m->b);
    hr_buf_append(&m->b, hr_span_of(packed, n));
    free(packed);
}

char *made_save(const struct made *m)
{
    char *path = strdup("/tmp/headrace-test-XXXXXX");
    assert_non_null(path);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, hr_buf_str(&m->b), m->b.len), (ssize_t)m->b.len);
    close(fd);
    return path;
}

void read_as_text(const char *const *paths, size_t count, const char *filter, struct hr_buf *out)
{
    const struct packet_source_config config = {
        .paths = paths, .path_count = count, .filter = filter};
    struct packet_source *s = NULL;
    assert_int_equal(packet_source_open(&config, &s, out), 0);
    struct packet p;
    while (packet_source_next(s, &p)) {
        if (count > 1) {
            hr_buf_appendf(out, "%zu:", p.capture);
        }
        hr_buf_appendf(out, "%" PRIu64 "@%" PRId64 ".%09" PRId64 " %u/%u L%u I%u ", p.frame,
                       p.at / HR_NSEC_PER_SEC, p.at % HR_NSEC_PER_SEC, p.captured_bytes,
                       p.wire_bytes, p.link_type, p.interface);
        hr_buf_append(out, hr_span_of(p.data, p.captured_bytes));
        hr_buf_append_str(out, p.selected ? "\n" : " (not selected)\n");
    }
    for (size_t i = 0; i < packet_source_count(s); i++) {
        const struct capture_info *info = packet_source_info(s, i);
        assert_int_equal(info->error != 0, info->error_text[0] != '\0');
        if (info->error != 0) {
            hr_buf_appendf(out, "!%s\n", info->error_text);
        }
    }
    packet_source_close(s);
}

void made_read(const struct made *m, struct hr_buf *out)
{
    char *path = made_save(m);
    const char *const paths[] = {path};
    hr_buf_clear(out);
    read_as_text(paths, 1, NULL, out);
    unlink(path);
    free(path);
}
