/*
 * Cookie, Set-Cookie and dates, and the values of other fields that are taken apart: each record
 * one, its first letter says what it is. All that comes out is a part of what came in.
 */
#include "http/cookie.h"

#include "fuzz.h"
#include "http/content.h"
#include "http/field.h"

static void check_cookies(struct hr_span value)
{
    struct hr_span rest = value;
    struct http_cookie cookie;
    size_t last = rest.len + 1;
    while (http_cookie_next(&rest, &cookie)) {
        LAW(fuzz_is_within(cookie.name, value));
        LAW(fuzz_is_within(cookie.value, value));
        LAW(hr_span_find(cookie.name, ';') == SIZE_MAX &&
            hr_span_find(cookie.name, '=') == SIZE_MAX);
        LAW(hr_span_find(cookie.value, ';') == SIZE_MAX);
        LAW(hr_span_trim(cookie.name).len == cookie.name.len);
        LAW(rest.len < last);
        last = rest.len;
    }
}

static void check_set_cookie(struct hr_span value)
{
    struct http_set_cookie c;
    if (!http_set_cookie_parse(value, &c)) {
        return;
    }
    LAW(fuzz_is_within(c.name, value));
    LAW(fuzz_is_within(c.value, value));
    LAW(!c.has_domain || (c.domain.len > 0 && fuzz_is_within(c.domain, value)));
    LAW(!c.has_path || (c.path.len > 0 && c.path.ptr[0] == '/' && fuzz_is_within(c.path, value)));
    LAW(c.same_site <= HTTP_SAME_SITE_OTHER);
    /* What is deleted at some time stays deleted later. */
    bool before = http_set_cookie_is_deletion(&c, 0);
    bool after = http_set_cookie_is_deletion(&c, HR_NSEC_INFINITE - 1);
    LAW(!before || after || c.has_max_age);
}

/* A date that is read and written again is the same date. */
static void check_date(struct hr_span value)
{
    hr_nsec at = 0;
    if (!http_date_parse(value, &at) || at == HR_NSEC_INFINITE) {
        return;
    }
    char text[HR_TIME_TEXT_SIZE];
    hr_nsec again = 0;
    LAW(hr_time_parse(hr_span_str(hr_time_format(at, text)), &again));
    LAW(again == at);
}

static void check_media_type(struct hr_span value)
{
    struct http_media_type type;
    struct http_media_type again;
    struct http_field parameter;
    struct hr_span rest = value;
    if (http_media_type_parse(value, &type)) {
        LAW(strchr(type.text, '/') != NULL);
        LAW(http_media_type_parse(hr_span_str(type.text), &again));
        LAW(strcmp(type.text, again.text) == 0);
    } else {
        LAW(type.text[0] == '\0' && type.charset[0] == '\0');
    }
    size_t last = rest.len + 1;
    while (http_parameter_next(&rest, &parameter)) {
        LAW(fuzz_is_within(parameter.name, value));
        LAW(fuzz_is_within(parameter.value, value));
        LAW(rest.len < last);
        last = rest.len;
    }
}

static void check_list(struct hr_span value)
{
    struct hr_span rest = value;
    struct hr_span member;
    while (http_list_next(&rest, &member)) {
        LAW(member.len > 0);
        LAW(fuzz_is_within(member, value));
        LAW(!http_is_token(member) || http_list_has(value, member));
    }
}

static void check_field_line(struct hr_span value)
{
    struct http_field field;
    if (http_field_line_parse(value, &field)) {
        LAW(field.name.len > 0 && fuzz_is_within(field.name, value));
        LAW(fuzz_is_within(field.value, value));
        LAW(hr_span_find(field.name, ':') == SIZE_MAX);
        LAW(hr_span_trim(field.value).len == field.value.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(struct hr_span) = {check_cookies, check_set_cookie,
                                                     check_date,    check_media_type,
                                                     check_list,    check_field_line};
    struct hr_span rest = hr_span_of(data, size);
    struct fuzz_record record;
    while (fuzz_next(&rest, &record)) {
        struct hr_span value = record.bytes;
        checks[fuzz_u8(&value) % HR_ARRAY_LEN(checks)](value);
        free(record.block);
    }
    return 0;
}
