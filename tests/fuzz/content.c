/*
 * Content codings: the first record is a Content-Encoding, the second the content. The limits are
 * kept, and less room gives the beginning of what more room gives.
 */
#include "http/content.h"

#include "fuzz.h"

static enum http_content_result decode(const struct http_message *m, size_t most,
                                       struct hr_buf *scratch, struct hr_span *ret_content)
{
    const struct http_content_limits limits = {.content_bytes = most, .ratio = 20};
    enum http_content_result r = http_content_decode(m, &limits, scratch, ret_content);
    uint64_t sum = 0;
    fuzz_mix_span(&sum, *ret_content);
    LAW(r == HTTP_CONTENT_WHOLE || r == HTTP_CONTENT_CUT || r == HTTP_CONTENT_UNDECODABLE);
    LAW(r != HTTP_CONTENT_UNDECODABLE || ret_content->len == 0);
    bool is_plain = ret_content->ptr == m->content.ptr;
    LAW(is_plain || ret_content->len <= most);
    LAW(is_plain || ret_content->len <= 64 * 1024 + m->content.len * 20);
    return r;
}

static void check(struct hr_span coding, struct hr_span content, bool is_cut)
{
    const struct http_field field = {HR_SPAN("Content-Encoding"), coding};
    const struct http_message m = {.fields = &field,
                                   .field_count = 1,
                                   .content = content,
                                   .content_cut = is_cut,
                                   .complete = !is_cut};
    struct hr_buf scratch[2];
    struct hr_span got[2];
    hr_buf_init(&scratch[0], SIZE_MAX);
    hr_buf_init(&scratch[1], SIZE_MAX);
    enum http_content_result large = decode(&m, 100000, &scratch[0], &got[0]);
    enum http_content_result small = decode(&m, 100, &scratch[1], &got[1]);
    LAW(small != HTTP_CONTENT_WHOLE || large == HTTP_CONTENT_WHOLE);
    LAW(!is_cut || large != HTTP_CONTENT_WHOLE);
    if (large != HTTP_CONTENT_UNDECODABLE && small != HTTP_CONTENT_UNDECODABLE) {
        LAW(hr_span_has_prefix(got[0], got[1]));
    }
    hr_buf_finish(&scratch[0]);
    hr_buf_finish(&scratch[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hr_span rest = hr_span_of(data, size);
    struct fuzz_record coding;
    struct fuzz_record content;
    while (fuzz_next(&rest, &coding)) {
        if (fuzz_next(&rest, &content)) {
            check(coding.bytes, content.bytes, false);
            check(coding.bytes, content.bytes, true);
            free(content.block);
        }
        free(coding.block);
    }
    return 0;
}
