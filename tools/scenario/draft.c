/*
 * A message is a start line, fields and a body. Fields that are there by default give way to a
 * field of the same name that the scenario names itself.
 */
#include "scenario/draft.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define BODY_LIMIT (256 * 1024 * 1024)
#define CHUNK_BYTES 1000

void draft_init(struct draft *d, struct loader *l, const struct headers *common,
                const struct headers *own)
{
    memset(d, 0, sizeof(*d));
    d->l = l;
    d->sets[0] = common;
    d->sets[1] = own;
    hr_buf_init(&d->head, SIZE_MAX);
    hr_buf_init(&d->body, SIZE_MAX);
}

void draft_finish(struct draft *d)
{
    hr_buf_finish(&d->head);
    hr_buf_finish(&d->body);
}

static struct hr_span name_of(struct hr_span line)
{
    return hr_span_cut(&line, ':');
}

static bool names(const struct headers *h, struct hr_span name)
{
    for (size_t i = 0; i < h->count; i++) {
        if (hr_span_equal_nocase(hr_span_trim(name_of(h->lines[i])), name)) {
            return true;
        }
    }
    return false;
}

void draft_put_default(struct draft *d, const char *name, const char *value)
{
    const struct hr_span key = hr_span_str(name);
    if (value != NULL && !names(d->sets[0], key) && !names(d->sets[1], key)) {
        hr_buf_appendf(&d->head, "%s: %s\r\n", name, value);
    }
}

void draft_put_number(struct draft *d, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    draft_put_default(d, name, text);
}

static void put_lines(struct draft *d, const struct headers *h, const struct headers *instead)
{
    for (size_t i = 0; i < h->count; i++) {
        const struct hr_span line = h->lines[i];
        const bool removes = name_of(line).len == line.len;
        if (!removes && !names(instead, hr_span_trim(name_of(line)))) {
            hr_buf_append(&d->head, line);
            hr_buf_append_str(&d->head, "\r\n");
        }
    }
}

void draft_put_headers(struct draft *d)
{
    static const struct headers none = {0};
    put_lines(d, d->sets[0], d->sets[1]);
    put_lines(d, d->sets[1], &none);
}

static void append_form_text(struct hr_buf *out, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p == ' ') {
            hr_buf_append_char(out, '+');
        } else if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*-._",
                          *p)) {
            hr_buf_append_char(out, (char)*p);
        } else {
            hr_buf_appendf(out, "%%%02X", *p);
        }
    }
}

static int put_form(struct draft *d, const struct hr_yaml *node)
{
    int r = hr_yaml_expect(d->l->doc, node, HR_YAML_MAPPING);
    for (const struct hr_yaml *i = r == 0 ? node->child : NULL; i != NULL && r == 0; i = i->next) {
        const char *value;
        r = load_text(d->l, i, &value);
        if (r == 0) {
            hr_buf_append_str(&d->body, d->body.len > 0 ? "&" : "");
            append_form_text(&d->body, i->key.ptr);
            hr_buf_append_char(&d->body, '=');
            append_form_text(&d->body, value);
        }
    }
    return r;
}

static int put_json(struct draft *d, const struct hr_yaml *node)
{
    struct hr_json j;
    hr_json_init(&j, &d->body);
    return load_json(d->l, node, &j);
}

static int put_plain(struct draft *d, const struct hr_yaml *node)
{
    const char *text;
    const int r = load_text(d->l, node, &text);
    if (r == 0) {
        hr_buf_append_str(&d->body, text);
    }
    return r;
}

static int put_filler(struct draft *d, const struct hr_yaml *node)
{
    static const char line[] = "The quick brown fox jumps over the lazy dog, again and again.\n";
    int64_t size;
    const int r = hr_yaml_get_int(d->l->doc, node, 0, BODY_LIMIT, &size);
    while (r == 0 && d->body.len < (size_t)size) {
        const size_t left = (size_t)size - d->body.len;
        hr_buf_append(&d->body,
                      hr_span_of(line, left < sizeof(line) - 1 ? left : sizeof(line) - 1));
    }
    return r;
}

static const struct {
    const char *key;
    const char *type;
    int (*put)(struct draft *d, const struct hr_yaml *node);
} kinds[] = {
    {"form", "application/x-www-form-urlencoded", put_form  },
    {"json", "application/json",                  put_json  },
    {"text", "text/plain; charset=utf-8",         put_plain },
    {"html", "text/html; charset=utf-8",          put_plain },
    {"size", "application/octet-stream",          put_filler},
};

int draft_load_body(struct draft *d, const struct hr_yaml *node)
{
    const struct hr_yaml *type = hr_yaml_find(node, "type");
    const struct hr_yaml *chunked = hr_yaml_find(node, "chunked");
    int r = 0;
    for (size_t i = 0; i < HR_ARRAY_LEN(kinds) && r == 0; i++) {
        const struct hr_yaml *member = hr_yaml_find(node, kinds[i].key);
        if (member == NULL) {
            continue;
        }
        if (d->has_body) {
            return hr_yaml_fail(d->l->doc, member, "a message has one body");
        }
        d->has_body = true;
        d->type = kinds[i].type;
        r = kinds[i].put(d, member);
    }
    if (r == 0 && type != NULL) {
        r = load_text(d->l, type, &d->type);
    }
    if (r == 0 && chunked != NULL) {
        r = hr_yaml_get_bool(d->l->doc, chunked, &d->chunked);
    }
    return r;
}

void draft_deflate_body(struct draft *d)
{
    z_stream z = {0};
    struct hr_buf out;
    unsigned char block[4096];
    int r;
    hr_buf_init(&out, SIZE_MAX);
    if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        hr_out_of_memory();
    }
    z.next_in = (Bytef *)d->body.ptr;
    z.avail_in = (uInt)d->body.len;
    do {
        z.next_out = block;
        z.avail_out = sizeof(block);
        r = deflate(&z, Z_FINISH);
        hr_buf_append(&out, hr_span_of(block, sizeof(block) - z.avail_out));
    } while (r == Z_OK);
    deflateEnd(&z);
    hr_buf_finish(&d->body);
    d->body = out;
}

void draft_chunk_body(struct draft *d)
{
    struct hr_buf out;
    hr_buf_init(&out, SIZE_MAX);
    for (size_t i = 0; i < d->body.len; i += CHUNK_BYTES) {
        const struct hr_span part = hr_span_slice(hr_buf_span(&d->body), i, i + CHUNK_BYTES);
        hr_buf_appendf(&out, "%zx\r\n", part.len);
        hr_buf_append(&out, part);
        hr_buf_append_str(&out, "\r\n");
    }
    hr_buf_append_str(&out, "0\r\n\r\n");
    hr_buf_finish(&d->body);
    d->body = out;
}

/* Ends the field section and puts head and body together. */
struct message draft_assemble(struct draft *d, bool with_body)
{
    struct message m = {0};
    hr_buf_append_str(&d->head, "\r\n");
    m.head_bytes = d->head.len;
    if (with_body) {
        m.body_bytes = d->body.len;
        hr_buf_append(&d->head, hr_buf_span(&d->body));
    }
    m.bytes = hr_arena_copy(&d->l->s->arena, hr_buf_span(&d->head));
    return m;
}
