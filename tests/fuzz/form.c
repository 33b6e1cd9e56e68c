/*
 * Forms of request contents, and targets: the first record is a Content-Type, the second the
 * content, the others are targets and references, each resolved against the one before.
 */
#include "http/form.h"

#include "fuzz.h"
#include "http/target.h"

static void check_form(struct hr_span type, struct hr_span content, bool is_cut)
{
    struct hr_arena arena;
    struct http_form form;
    struct http_form_member m;
    size_t count = 0;
    uint64_t sum = 0;
    hr_arena_init(&arena);
    http_form_init(&form, type, content, is_cut, &arena);
    LAW(form.kind != HTTP_FORM_MULTIPART || form.boundary.len > 0);
    while (http_form_next(&form, &m)) {
        LAW(form.kind != HTTP_FORM_NONE);
        LAW(++count <= content.len + 1);
        LAW(fuzz_is_within(m.raw, content));
        LAW(m.value.len <= m.raw.len);
        LAW(form.kind == HTTP_FORM_MULTIPART || m.file_name.ptr == NULL);
        fuzz_mix_span(&sum, m.name);
        fuzz_mix_span(&sum, m.value);
        fuzz_mix_span(&sum, m.file_name);
    }
    hr_arena_finish(&arena);
}

static void check_target(struct hr_span target, bool is_connect)
{
    struct http_target t;
    struct http_param param;
    struct hr_span rest;
    http_target_parse(target, is_connect, &t);
    const struct hr_span parts[] = {t.scheme,     t.authority, t.parts.userinfo, t.parts.host,
                                    t.parts.port, t.path,      t.query,          t.fragment};
    for (size_t i = 0; i < HR_ARRAY_LEN(parts); i++) {
        LAW(fuzz_is_within(parts[i], target));
    }
    LAW(t.form != HTTP_TARGET_ORIGIN || t.path.ptr[0] == '/');
    LAW(hr_span_find(t.path, '?') == SIZE_MAX || t.form == HTTP_TARGET_OTHER);
    rest = t.query;
    while (http_query_next(&rest, &param)) {
        LAW(fuzz_is_within(param.name, target) && fuzz_is_within(param.value, target));
    }
    rest = t.path;
    while (http_path_param_next(&rest, &param)) {
        LAW(fuzz_is_within(param.name, target) && fuzz_is_within(param.value, target));
    }
}

static void append(struct hr_buf *out, const struct http_url *url)
{
    hr_buf_append(out, url->scheme);
    hr_buf_append_str(out, url->scheme.ptr != NULL ? ":" : "");
    hr_buf_append_str(out, url->authority.ptr != NULL ? "//" : "");
    hr_buf_append(out, url->authority);
    hr_buf_append(out, url->path);
    hr_buf_append_str(out, url->query.ptr != NULL ? "?" : "");
    hr_buf_append(out, url->query);
}

/* What a reference leads to leads to itself; blanks at its end, as before a fragment, are trimmed.
 */
static void check_reference(struct hr_arena *arena, struct http_url *base, struct hr_span reference)
{
    struct http_url url;
    struct http_url again;
    struct hr_buf first;
    struct hr_buf second;
    hr_buf_init(&first, SIZE_MAX);
    hr_buf_init(&second, SIZE_MAX);
    if (http_url_resolve(arena, base, reference, &url)) {
        LAW(url.path.len == 0 || url.path.ptr[0] == '/');
        append(&first, &url);
        if (url.scheme.ptr != NULL && url.authority.ptr != NULL) {
            LAW(http_url_resolve(arena, base, hr_buf_span(&first), &again));
            append(&second, &again);
            LAW(hr_span_equal(hr_span_trim(hr_buf_span(&first)), hr_buf_span(&second)));
        }
        *base = url;
    }
    hr_buf_finish(&first);
    hr_buf_finish(&second);
}

static void check_decoded(struct hr_arena *arena, struct hr_span raw)
{
    struct hr_span decoded = http_decode(arena, raw, true);
    LAW(decoded.len <= raw.len);
    LAW(raw.len - decoded.len <= decoded.len * 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hr_span rest = hr_span_of(data, size);
    struct fuzz_record type = {.block = NULL};
    struct fuzz_record record = {.block = NULL};
    struct hr_arena arena;
    struct http_url base;
    hr_arena_init(&arena);
    bool has_type = fuzz_next(&rest, &type);
    if (has_type && fuzz_next(&rest, &record)) {
        check_form(type.bytes, record.bytes, false);
        check_form(type.bytes, record.bytes, true);
        free(record.block);
    }
    http_url_of_request(&arena, HR_SPAN("/a/b?c"), HR_SPAN("Host.example:80"), &base);
    while (fuzz_next(&rest, &record)) {
        struct hr_span bytes = hr_arena_copy(&arena, record.bytes); /* base outlives the record */
        check_target(record.bytes, false);
        check_target(record.bytes, true);
        check_decoded(&arena, record.bytes);
        check_reference(&arena, &base, bytes);
        free(record.block);
    }
    free(type.block);
    hr_arena_finish(&arena);
    return 0;
}
