#include "http/field.h"

#include <string.h>

bool http_is_token_char(char c)
{
    /* one bit for each of: letters, digits, !#$%&'*+-.^_`|~ */
    static const uint64_t bits[4] = {UINT64_C(0x03ff6cfa00000000), UINT64_C(0x57ffffffc7fffffe)};
    unsigned char u = (unsigned char)c;
    return (bits[u / 64] >> (u % 64) & 1) != 0;
}

bool http_is_token(struct hr_span s)
{
    size_t n = 0;
    while (n < s.len && http_is_token_char(s.ptr[n])) {
        n++;
    }
    return n > 0 && n == s.len;
}

bool http_list_next(struct hr_span *rest, struct hr_span *ret_member)
{
    while (rest->ptr != NULL) {
        struct hr_span member = hr_span_trim(hr_span_cut(rest, ','));
        if (member.len > 0) {
            *ret_member = member;
            return true;
        }
    }
    return false;
}

bool http_list_has(struct hr_span list, struct hr_span token)
{
    struct hr_span member;
    while (http_list_next(&list, &member)) {
        struct hr_span rest = member;
        if (hr_span_equal_nocase(hr_span_trim(hr_span_cut(&rest, ';')), token)) {
            return true;
        }
    }
    return false;
}

bool http_line_next(struct hr_span *rest, struct hr_span *ret_line)
{
    size_t at = hr_span_find(*rest, '\n');
    if (at == SIZE_MAX) {
        return false;
    }
    size_t end = at > 0 && rest->ptr[at - 1] == '\r' ? at - 1 : at;
    *ret_line = hr_span_slice(*rest, 0, end);
    *rest = hr_span_slice(*rest, at + 1, rest->len);
    return true;
}

bool http_field_line_parse(struct hr_span line, struct http_field *ret_field)
{
    struct hr_span value = line;
    struct hr_span name = hr_span_trim(hr_span_cut(&value, ':'));
    if (value.ptr == NULL || name.len == 0) {
        return false;
    }
    *ret_field = (struct http_field){name, hr_span_trim(value)};
    return true;
}

const struct http_field *http_field_find(const struct http_message *m, const char *name)
{
    struct hr_span wanted = hr_span_str(name);
    for (size_t i = 0; i < m->field_count; i++) {
        if (hr_span_equal_nocase(m->fields[i].name, wanted)) {
            return &m->fields[i];
        }
    }
    return NULL;
}
