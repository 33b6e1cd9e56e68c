#include "base/digest.h"
#include "scenario/model.h"
#include "scenario/rng.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_DIGITS 32

const struct hr_yaml *load_member(const struct loader *l, const char *key)
{
    const struct hr_yaml *found = hr_yaml_find(l->node, key);
    return found != NULL || l->base == NULL ? found : hr_yaml_find(l->base, key);
}

size_t load_count(const struct hr_yaml *node)
{
    size_t count = 0;
    for (const struct hr_yaml *i = node != NULL ? node->child : NULL; i != NULL; i = i->next) {
        count++;
    }
    return count;
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static struct rng rng_of(const struct scenario *s, struct hr_span name)
{
    return (struct rng){hr_hash64(name, s->seed * UINT64_C(0x9e3779b97f4a7c15) + 1)};
}

static void append_random(struct hr_buf *out, struct rng rng, size_t count, const char *alphabet)
{
    const size_t letters = strlen(alphabet);
    for (size_t i = 0; i < count; i++) {
        hr_buf_append_char(out, alphabet[rng_below(&rng, letters)]);
    }
}

static void append_value(const struct scenario *s, struct hr_buf *out, struct hr_span name)
{
    for (size_t i = 0; i < s->value_count; i++) {
        if (hr_span_equal(hr_span_str(s->values[i].name), name)) {
            hr_buf_append_str(out, s->values[i].text);
            return;
        }
    }
    append_random(out, rng_of(s, name), TOKEN_DIGITS, "0123456789abcdef");
}

/* What stands behind a dollar sign. @return the length of it, 0 where it is nothing known */
static size_t expand_one(const struct scenario *s, struct hr_span rest, struct hr_buf *out)
{
    const bool braces = rest.len > 0 && rest.ptr[0] == '{';
    const size_t from = braces ? 1 : 0;
    size_t to = from;
    if (rest.len > 0 && rest.ptr[0] == '$') {
        hr_buf_append_char(out, '$');
        return 1;
    }
    while (to < rest.len && is_name_char(rest.ptr[to])) {
        to++;
    }
    if (to == from || (braces && (to == rest.len || rest.ptr[to] != '}'))) {
        return 0;
    }
    append_value(s, out, hr_span_slice(rest, from, to));
    return to + from;
}

int load_expand(struct loader *l, const struct hr_yaml *node, struct hr_span text,
                const char **ret_text)
{
    struct hr_buf out;
    int r = 0;
    hr_buf_init(&out, SIZE_MAX);
    for (size_t i = 0; i < text.len; i++) {
        size_t taken;
        if (text.ptr[i] != '$') {
            hr_buf_append_char(&out, text.ptr[i]);
            continue;
        }
        taken = expand_one(l->s, hr_span_slice(text, i + 1, text.len), &out);
        if (taken == 0) {
            r = hr_yaml_fail(l->doc, node, "\"$\" must be followed by a name, {name} or another $");
            break;
        }
        i += taken;
    }
    if (r == 0) {
        *ret_text = hr_arena_strdup(&l->s->arena, hr_span_str(hr_buf_str(&out)));
    }
    hr_buf_finish(&out);
    return r;
}

int load_text(struct loader *l, const struct hr_yaml *node, const char **ret_text)
{
    const char *text;
    const int r = hr_yaml_get_text(l->doc, node, &text);
    return r < 0 ? r : load_expand(l, node, hr_span_str(text), ret_text);
}

static bool is_json_number(struct hr_span s)
{
    char *end;
    if (s.len == 0 || s.len > 40 || !(isdigit((unsigned char)s.ptr[0]) || s.ptr[0] == '-')) {
        return false;
    }
    if (strspn(s.ptr, "0123456789+-.eE") != s.len || !isdigit((unsigned char)s.ptr[s.len - 1])) {
        return false;
    }
    (void)strtod(s.ptr, &end);
    return end == s.ptr + s.len &&
           !(s.len > 1 && s.ptr[0] == '0' && isdigit((unsigned char)s.ptr[1]));
}

static int json_scalar(struct loader *l, const struct hr_yaml *node, struct hr_json *j)
{
    static const char *const words[] = {"true", "false", "null"};
    const char *text;
    bool raw = is_json_number(node->text);
    int r;
    for (size_t i = 0; i < HR_ARRAY_LEN(words); i++) {
        raw = raw || hr_span_equal(node->text, hr_span_str(words[i]));
    }
    if (raw && !node->quoted) {
        hr_json_raw(j, node->text);
        return 0;
    }
    r = load_expand(l, node, node->text, &text);
    if (r == 0) {
        hr_json_str(j, text);
    }
    return r;
}

int load_json(struct loader *l, const struct hr_yaml *node, struct hr_json *j)
{
    int r = 0;
    if (node->kind == HR_YAML_SCALAR) {
        return json_scalar(l, node, j);
    }
    if (node->kind == HR_YAML_SEQUENCE) {
        hr_json_array_begin(j);
    } else {
        hr_json_object_begin(j);
    }
    for (const struct hr_yaml *i = node->child; i != NULL && r == 0; i = i->next) {
        if (node->kind == HR_YAML_MAPPING) {
            hr_json_key(j, i->key.ptr);
        }
        r = load_json(l, i, j);
    }
    if (r != 0) {
        return r; /* perhaps behind a key without its value: nobody reads on */
    }
    if (node->kind == HR_YAML_SEQUENCE) {
        hr_json_array_end(j);
    } else {
        hr_json_object_end(j);
    }
    return r;
}

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void append_base64url(struct hr_buf *out, struct hr_span bytes)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        const size_t left = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t word = 0;
        for (size_t k = 0; k < 3; k++) {
            word = word << 8 | (k < left ? (uint8_t)bytes.ptr[i + k] : 0);
        }
        for (size_t k = 0; k <= left; k++) {
            hr_buf_append_char(out, base64url[word >> (18 - 6 * k) & 63]);
        }
    }
}

/* Header and claims are real; the signature is random, for nobody here can check it. */
static int make_jwt(struct loader *l, const struct hr_yaml *claims, struct hr_span name,
                    struct hr_buf *out)
{
    struct hr_buf json;
    struct hr_json j;
    int r;
    hr_buf_init(&json, SIZE_MAX);
    hr_json_init(&j, &json);
    r = load_json(l, claims, &j);
    if (r == 0) {
        append_base64url(out, HR_SPAN("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"));
        hr_buf_append_char(out, '.');
        append_base64url(out, hr_buf_span(&json));
        hr_buf_append_char(out, '.');
        append_random(out, rng_of(l->s, name), 43, base64url);
    }
    hr_buf_finish(&json);
    return r;
}

static int make_value(struct loader *l, const struct hr_yaml *node, struct hr_buf *out)
{
    static const char *const keys[] = {"hex", "jwt", NULL};
    const struct hr_yaml *hex = hr_yaml_find(node, "hex");
    const struct hr_yaml *jwt = hr_yaml_find(node, "jwt");
    int64_t digits;
    int r;
    if (node->kind == HR_YAML_SCALAR) {
        const char *text;
        r = load_text(l, node, &text);
        if (r == 0) {
            hr_buf_append_str(out, text);
        }
        return r;
    }
    r = hr_yaml_check_keys(l->doc, node, keys);
    if (r < 0) {
        return r;
    }
    if ((hex == NULL) == (jwt == NULL)) {
        return hr_yaml_fail(l->doc, node, "expected one of hex and jwt");
    }
    if (jwt != NULL) {
        return make_jwt(l, jwt, node->key, out);
    }
    r = hr_yaml_get_int(l->doc, hex, 1, 4096, &digits);
    if (r == 0) {
        append_random(out, rng_of(l->s, node->key), (size_t)digits, "0123456789abcdef");
    }
    return r;
}

int load_values(struct loader *l)
{
    const struct hr_yaml *list = load_member(l, "values");
    struct scenario *s = l->s;
    int r = list == NULL ? 0 : hr_yaml_expect(l->doc, list, HR_YAML_MAPPING);
    if (r < 0 || list == NULL) {
        return r;
    }
    s->values = hr_arena_alloc(&s->arena, load_count(list) * sizeof(s->values[0]));
    for (const struct hr_yaml *i = list->child; i != NULL && r == 0; i = i->next) {
        struct hr_buf text;
        hr_buf_init(&text, SIZE_MAX);
        r = make_value(l, i, &text);
        if (r == 0) { /* a later value may use it */
            s->values[s->value_count++] = (struct value){
                .name = hr_arena_strdup(&s->arena, i->key),
                .text = hr_arena_strdup(&s->arena, hr_span_str(hr_buf_str(&text))),
            };
        }
        hr_buf_finish(&text);
    }
    return r;
}

static int add_header(struct loader *l, const struct hr_yaml *name, const struct hr_yaml *value,
                      struct headers *h)
{
    const char *text;
    int r;
    if (!value->quoted && hr_span_equal(value->text, HR_SPAN("none"))) {
        h->lines[h->count++] = hr_arena_copy(&l->s->arena, name->key);
        return 0;
    }
    r = load_text(l, value, &text);
    if (r == 0) {
        h->lines[h->count++] =
            hr_span_str(hr_arena_printf(&l->s->arena, "%s: %s", name->key.ptr, text));
    }
    return r;
}

static int add_headers_of(struct loader *l, const struct hr_yaml *member, struct headers *h)
{
    int r = 0;
    if (member->kind != HR_YAML_SEQUENCE) {
        return add_header(l, member, member, h);
    }
    for (const struct hr_yaml *i = member->child; i != NULL && r == 0; i = i->next) {
        r = add_header(l, member, i, h);
    }
    return r;
}

static int add_line(struct loader *l, const struct hr_yaml *node, struct headers *h)
{
    const char *text;
    const int r = load_text(l, node, &text);
    if (r < 0) {
        return r;
    }
    if (strchr(text, ':') == NULL) {
        return hr_yaml_fail(l->doc, node, "expected a header line such as \"X-Name: value\"");
    }
    h->lines[h->count++] = hr_span_str(text);
    return 0;
}

int load_headers(struct loader *l, const struct hr_yaml *node, struct headers *ret_headers)
{
    size_t count = 0;
    int r = 0;
    if (node->kind == HR_YAML_SCALAR) {
        return hr_yaml_fail(l->doc, node,
                            "expected a mapping of names to values or a list of lines");
    }
    for (const struct hr_yaml *i = node->child; i != NULL; i = i->next) {
        count += i->kind == HR_YAML_SEQUENCE ? load_count(i) : 1;
    }
    ret_headers->lines = hr_arena_alloc(&l->s->arena, (count + 1) * sizeof(struct hr_span));
    for (const struct hr_yaml *i = node->child; i != NULL && r == 0; i = i->next) {
        r = node->kind == HR_YAML_SEQUENCE ? add_line(l, i, ret_headers)
                                           : add_headers_of(l, i, ret_headers);
    }
    return r;
}

int load_time(struct loader *l, const struct hr_yaml *node, hr_nsec base, hr_nsec *ret_at)
{
    hr_nsec span;
    int r;
    if (node->kind == HR_YAML_SCALAR && hr_time_parse(node->text, ret_at)) {
        return 0;
    }
    r = hr_yaml_get_duration(l->doc, node, &span);
    if (r == 0) {
        *ret_at = hr_nsec_add(base, span);
    }
    return r;
}

int load_rate(struct loader *l, const struct hr_yaml *node, double *ret_rate)
{
    const char *text;
    char *end;
    double rate;
    int r;
    if (node == NULL) {
        return 0;
    }
    r = hr_yaml_get_text(l->doc, node, &text);
    if (r < 0) {
        return r;
    }
    rate = strtod(text, &end);
    if (end != text && strcmp(end, "%") == 0) {
        rate /= 100;
        end++;
    }
    if (end == text || *end != '\0' || !(rate >= 0 && rate <= 1)) {
        return hr_yaml_fail(l->doc, node,
                            "expected a rate from 0 to 1, or a percentage such as 0.1%%");
    }
    *ret_rate = rate;
    return 0;
}

int load_closing(struct loader *l, const struct hr_yaml *node, bool of_connection,
                 enum closing *ret_closing)
{
    static const char *const words[] = {"client-fin", "client-rst", "server-fin", "server-rst",
                                        "open",       "refused",    NULL};
    static const char *const closes[] = {"client-fin", "client-rst", "server-fin", "server-rst",
                                         NULL};
    static const enum closing kinds[] = {CLOSE_CLIENT_FIN, CLOSE_CLIENT_RST, CLOSE_SERVER_FIN,
                                         CLOSE_SERVER_RST, CLOSE_OPEN,       CLOSE_REFUSED};
    size_t index;
    int r;
    if (node == NULL) {
        return 0;
    }
    r = hr_yaml_get_word(l->doc, node, of_connection ? words : closes, &index);
    if (r == 0) {
        *ret_closing = kinds[index];
    }
    return r;
}
