#include "base/alloc.h"
#include "http/content.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#ifdef HR_HAS_BROTLI_ENCODER
#include <brotli/encode.h>
#endif
#ifdef HR_HAS_ZSTD
#include <zstd.h>
#endif

static void media_types_are_lower_case(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"Text/HTML; Charset=\"UTF-8\"",               "text/html",        "utf-8"     },
        {"application/json",                           "application/json", ""          },
        {" text/plain ;charset=ISO-8859-1; charset=x", "text/plain",       "iso-8859-1"},
        {"text/html; x=\"a;charset=y\"; charset=z",    "text/html",        "z"         },
        {"html",                                       "",                 ""          },
        {"/x",                                         "",                 ""          },
        {"text/",                                      "",                 ""          },
        {"te xt/html",                                 "",                 ""          },
        {"te\x01xt/html",                              "",                 ""          },
        {"",                                           "",                 ""          },
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct http_media_type t;
        bool ok = http_media_type_parse(hr_span_str(cases[i][0]), &t);
        assert_int_equal(ok, cases[i][1][0] != '\0');
        assert_string_equal(t.text, cases[i][1]);
        assert_string_equal(t.charset, cases[i][2]);
    }
}

/* window: 31 gzip, 15 zlib, -15 raw deflate */
static struct hr_span packed(struct hr_span text, int window, char *out, size_t size)
{
    z_stream z = {.next_in = (z_const Bytef *)text.ptr, .avail_in = (uInt)text.len};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)size;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return hr_span_of(out, size - z.avail_out);
}

static enum http_content_result decode(const char *coding, struct hr_span content, size_t limit,
                                       struct hr_buf *scratch, struct hr_span *ret)
{
    const struct http_field field = {HR_SPAN("Content-Encoding"), hr_span_str(coding)};
    const struct http_message m = {
        .fields = &field, .field_count = 1, .content = content, .complete = true};
    const struct http_content_limits limits = {.content_bytes = limit, .ratio = 100};
    return http_content_decode(&m, &limits, scratch, ret);
}

static void codings_are_removed(void **state)
{
    (void)state;
    struct hr_span text = HR_SPAN("{\"user\": \"alice\", \"role\": \"none\"}");
    char one[512];
    char two[512];
    struct hr_span gzip = packed(text, 31, one, sizeof(one));
    struct hr_span twice = packed(gzip, 15, two, sizeof(two));
    char raw[512];
    struct hr_span bare = packed(text, -15, raw, sizeof(raw));
    const struct {
        const char *coding;
        struct hr_span content;
        enum http_content_result want;
        struct hr_span text;
    } cases[] = {
        {"gzip",                         gzip,      HTTP_CONTENT_WHOLE,       text     },
        {"X-GZIP, identity",             gzip,      HTTP_CONTENT_WHOLE,       text     },
        {"gzip, deflate",                twice,     HTTP_CONTENT_WHOLE,       text     },
        {"deflate",                      bare,      HTTP_CONTENT_WHOLE,       text     },
        {"identity",                     text,      HTTP_CONTENT_WHOLE,       text     },
        {"",                             text,      HTTP_CONTENT_WHOLE,       text     },
        {"lzma",                         text,      HTTP_CONTENT_UNDECODABLE, {NULL, 0}},
        {"br",                           text,      HTTP_CONTENT_UNDECODABLE, {NULL, 0}},
        {"zstd",                         text,      HTTP_CONTENT_UNDECODABLE, {NULL, 0}},
        {"gzip",                         text,      HTTP_CONTENT_UNDECODABLE, {NULL, 0}},
        {"gzip, gzip, gzip, gzip, gzip", gzip,      HTTP_CONTENT_UNDECODABLE, {NULL, 0}},
        {"gzip",                         {NULL, 0}, HTTP_CONTENT_WHOLE,       {NULL, 0}},
    };
    struct hr_buf scratch;
    hr_buf_init(&scratch, SIZE_MAX);
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        struct hr_span got;
        if (decode(cases[i].coding, cases[i].content, 4096, &scratch, &got) != cases[i].want ||
            !hr_span_equal(got, cases[i].text)) {
            fail_msg("%zu: %s: '%.*s'", i, cases[i].coding, (int)got.len, got.ptr);
        }
    }
    struct hr_span got;
    assert_int_equal(decode("gzip", gzip, text.len, &scratch, &got), HTTP_CONTENT_WHOLE);
    assert_int_equal(decode("gzip", gzip, 10, &scratch, &got), HTTP_CONTENT_CUT);
    assert_int_equal(got.len, 10);
    for (size_t len = 1; len < gzip.len; len++) { /* every cut gives a beginning, or nothing */
        enum http_content_result r =
            decode("gzip", hr_span_slice(gzip, 0, len), 4096, &scratch, &got);
        assert_int_not_equal(r, HTTP_CONTENT_WHOLE);
        assert_true(hr_span_has_prefix(text, got));
    }
    hr_buf_finish(&scratch);
}

static void bombs_are_cut(void **state)
{
    (void)state;
    size_t size = 8 * 1024 * 1024;
    char *zeros = hr_xcalloc(1, size);
    char *bomb = hr_xmalloc(64 * 1024);
    struct hr_span packed_zeros = packed(hr_span_of(zeros, size), 31, bomb, 64 * 1024);
    struct hr_buf scratch;
    struct hr_span got;
    hr_buf_init(&scratch, SIZE_MAX);
    assert_int_equal(decode("gzip", packed_zeros, SIZE_MAX, &scratch, &got), HTTP_CONTENT_CUT);
    assert_int_equal(got.len, packed_zeros.len * 100 + 64 * 1024);
    hr_buf_finish(&scratch);
    free(zeros);
    free(bomb);
}

static void members_of_gzip_follow_one_another(void **state)
{
    (void)state;
    char both[256];
    struct hr_span first = packed(HR_SPAN("one "), 31, both, sizeof(both));
    struct hr_span second = packed(HR_SPAN("two"), 31, both + first.len, sizeof(both) - first.len);
    both[first.len + second.len] = 'x'; /* what stands behind is passed over */
    struct hr_buf scratch;
    struct hr_span got;
    hr_buf_init(&scratch, SIZE_MAX);
    struct hr_span all = hr_span_of(both, first.len + second.len + 1);
    assert_int_equal(decode("gzip", all, 100, &scratch, &got), HTTP_CONTENT_WHOLE);
    assert_true(hr_span_equal(got, HR_SPAN("one two")));
    hr_buf_finish(&scratch);
}

#if defined(HR_HAS_BROTLI_ENCODER) && defined(HR_HAS_BROTLI)
static struct hr_span packed_br(struct hr_span text, char *out, size_t size)
{
    size_t len = size;
    assert_true(BrotliEncoderCompress(5, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, text.len,
                                      (const uint8_t *)text.ptr, &len, (uint8_t *)out));
    return hr_span_of(out, len);
}
#endif
#ifdef HR_HAS_ZSTD
static struct hr_span packed_zstd(struct hr_span text, char *out, size_t size)
{
    size_t len = ZSTD_compress(out, size, text.ptr, text.len, 3);
    assert_false(ZSTD_isError(len));
    return hr_span_of(out, len);
}
#endif

static struct hr_span packed_gzip(struct hr_span text, char *out, size_t size)
{
    return packed(text, 31, out, size);
}

static struct hr_span packed_zlib(struct hr_span text, char *out, size_t size)
{
    return packed(text, 15, out, size);
}

static struct hr_span packed_bare(struct hr_span text, char *out, size_t size)
{
    return packed(text, -15, out, size);
}

/* The laws of a coding: whole, at its limit, cut anywhere, with bytes gone wrong, and a bomb. */
static void check_coding(const char *coding, struct hr_span (*pack)(struct hr_span, char *, size_t))
{
    size_t size = 4 * 1024 * 1024;
    char *zeros = hr_xcalloc(1, size);
    char *out = hr_xmalloc(64 * 1024);
    struct hr_span got;
    struct hr_buf scratch;
    hr_buf_init(&scratch, SIZE_MAX);
    struct hr_span text = HR_SPAN("{\"user\": \"alice\", \"role\": \"none\"}");
    struct hr_span coded = pack(text, out, 64 * 1024);
    assert_int_equal(decode(coding, coded, 4096, &scratch, &got), HTTP_CONTENT_WHOLE);
    assert_true(hr_span_equal(got, text));
    assert_int_equal(decode(coding, coded, text.len, &scratch, &got), HTTP_CONTENT_WHOLE);
    assert_int_equal(decode(coding, coded, text.len - 1, &scratch, &got), HTTP_CONTENT_CUT);
    assert_int_equal(got.len, text.len - 1);
    for (size_t len = 1; len < coded.len; len++) {
        enum http_content_result r =
            decode(coding, hr_span_slice(coded, 0, len), 4096, &scratch, &got);
        assert_int_not_equal(r, HTTP_CONTENT_WHOLE);
        assert_true(hr_span_has_prefix(text, got));
    }
    for (size_t at = 0; at < coded.len; at++) { /* no law but that it ends */
        out[at] = (char)(out[at] ^ 0x55);
        decode(coding, coded, 4096, &scratch, &got);
        assert_true(got.len <= 4096);
        out[at] = (char)(out[at] ^ 0x55);
    }
    coded = pack(hr_span_of(zeros, size), out, 64 * 1024);
    assert_int_equal(decode(coding, coded, SIZE_MAX, &scratch, &got), HTTP_CONTENT_CUT);
    assert_int_equal(got.len, coded.len * 100 + 64 * 1024);
    hr_buf_finish(&scratch);
    free(zeros);
    free(out);
}

static void gzip_and_deflate_are_removed(void **state)
{
    (void)state;
    check_coding("gzip", packed_gzip);
    check_coding("deflate", packed_zlib);
    check_coding("deflate", packed_bare);
}

static void brotli_is_removed(void **state)
{
    (void)state;
#if defined(HR_HAS_BROTLI_ENCODER) && defined(HR_HAS_BROTLI)
    check_coding("br", packed_br);
#else
    skip();
#endif
}

static void zstd_is_removed(void **state)
{
    (void)state;
#ifdef HR_HAS_ZSTD
    check_coding("zstd", packed_zstd);
    char both[256]; /* frames follow one another */
    struct hr_buf scratch;
    struct hr_span got;
    hr_buf_init(&scratch, SIZE_MAX);
    struct hr_span first = packed_zstd(HR_SPAN("one "), both, sizeof(both));
    struct hr_span second = packed_zstd(HR_SPAN("two"), both + first.len, sizeof(both) - first.len);
    assert_int_equal(decode("zstd", hr_span_of(both, first.len + second.len), 100, &scratch, &got),
                     HTTP_CONTENT_WHOLE);
    assert_true(hr_span_equal(got, HR_SPAN("one two")));
    hr_buf_finish(&scratch);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_types_are_lower_case),
        cmocka_unit_test(codings_are_removed),
        cmocka_unit_test(bombs_are_cut),
        cmocka_unit_test(members_of_gzip_follow_one_another),
        cmocka_unit_test(gzip_and_deflate_are_removed),
        cmocka_unit_test(brotli_is_removed),
        cmocka_unit_test(zstd_is_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
