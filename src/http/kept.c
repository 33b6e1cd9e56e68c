#include "base/alloc.h"
#include "http/message.h"

#include <stdlib.h>
#include <string.h>

static struct hr_span moved(struct hr_span s, struct hr_span from, char *to)
{
    return s.ptr != NULL ? hr_span_of(to + (s.ptr - from.ptr), s.len) : s;
}

struct http_kept *http_kept_create(const struct http_message *m, size_t content_limit)
{
    const struct hr_span head = m->head;
    size_t fields_size = m->field_count * sizeof(struct http_field);
    struct http_kept *k = hr_xmalloc(sizeof(*k) + fields_size + head.len);
    *k = (struct http_kept){.m = *m, .block_bytes = sizeof(*k) + fields_size + head.len};
    struct http_field *fields = (struct http_field *)(void *)(k + 1);
    char *bytes = (char *)(fields + m->field_count);
    if (head.len > 0) {
        memcpy(bytes, head.ptr, head.len);
    }
    for (size_t i = 0; i < m->field_count; i++) {
        fields[i] = (struct http_field){moved(m->fields[i].name, head, bytes),
                                        moved(m->fields[i].value, head, bytes)};
    }
    k->m.head = hr_span_of(bytes, head.len);
    k->m.fields = fields;
    k->m.method = moved(m->method, head, bytes);
    k->m.target = moved(m->target, head, bytes);
    hr_buf_init(&k->content, content_limit);
    hr_buf_append(&k->content, m->content);
    k->m.content = hr_buf_span(&k->content);
    return k;
}

size_t http_kept_bytes(const struct http_kept *k)
{
    return k->block_bytes + k->content.capacity;
}

static void destroy_one(struct http_kept *k)
{
    if (k != NULL) {
        hr_buf_finish(&k->content);
        free(k);
    }
}

void http_kept_destroy(struct http_kept *k)
{
    if (k != NULL) {
        destroy_one(k->response); /* which has none itself */
        destroy_one(k);
    }
}
