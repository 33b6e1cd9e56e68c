/*
 * Facts: first the struct without its arrays, then what is used of these, then the texts, in the
 * order of the table below, of the marks and of the tokens. A span keeps its length; its pointer
 * only says whether there is a text.
 *
 * An exchange: first the struct, then the fields of both messages, then head and content of each.
 * All spans of a message but its content move as far as its head did.
 */
#include "pipeline/flat.h"

#include "base/alloc.h"

#include <string.h>

static const size_t texts[] = {
    offsetof(struct exchange_facts, site),          offsetof(struct exchange_facts, host),
    offsetof(struct exchange_facts, method),        offsetof(struct exchange_facts, target),
    offsetof(struct exchange_facts, path_template), offsetof(struct exchange_facts, location),
    offsetof(struct exchange_facts, location_path), offsetof(struct exchange_facts, user),
    offsetof(struct exchange_facts, replica),
};

static const struct hr_span *text_of(const struct exchange_facts *f, size_t i)
{
    return (const struct hr_span *)(const void *)((const char *)f + texts[i]);
}

#define HEAD_BYTES offsetof(struct exchange_facts, marks)

size_t facts_flat_size(const struct exchange_facts *f)
{
    size_t size =
        HEAD_BYTES + f->mark_count * sizeof(f->marks[0]) + f->token_count * sizeof(f->tokens[0]);
    for (size_t i = 0; i < HR_ARRAY_LEN(texts); i++) {
        size += text_of(f, i)->len;
    }
    for (size_t i = 0; i < f->mark_count; i++) {
        size += f->marks[i].text.len;
    }
    for (size_t i = 0; i < f->token_count; i++) {
        size += f->tokens[i].name.len;
    }
    return size;
}

static char *put(char *at, const void *bytes, size_t len)
{
    if (len > 0) {
        memcpy(at, bytes, len);
    }
    return at + len;
}

void facts_flatten(const struct exchange_facts *f, void *to)
{
    char *at = put(to, f, HEAD_BYTES);
    at = put(at, f->marks, f->mark_count * sizeof(f->marks[0]));
    at = put(at, f->tokens, f->token_count * sizeof(f->tokens[0]));
    for (size_t i = 0; i < HR_ARRAY_LEN(texts); i++) {
        at = put(at, text_of(f, i)->ptr, text_of(f, i)->len);
    }
    for (size_t i = 0; i < f->mark_count; i++) {
        at = put(at, f->marks[i].text.ptr, f->marks[i].text.len);
    }
    for (size_t i = 0; i < f->token_count; i++) {
        at = put(at, f->tokens[i].name.ptr, f->tokens[i].name.len);
    }
}

static const char *take(const char *at, void *bytes, size_t len)
{
    memcpy(bytes, at, len);
    return at + len;
}

static const char *point(struct hr_span *text, const char *at)
{
    if (text->ptr != NULL) {
        text->ptr = at;
    }
    return at + text->len;
}

const struct token_use *facts_flat_tokens(const void *from, size_t *ret_count)
{
    const struct exchange_facts *f = from; /* its head alone is there */
    *ret_count = f->token_count;
    return (const void *)((const char *)from + HEAD_BYTES + f->mark_count * sizeof(f->marks[0]));
}

void facts_unflatten(const void *from, struct exchange_facts *ret_facts)
{
    struct exchange_facts *f = ret_facts;
    const char *at = take(from, f, HEAD_BYTES);
    at = take(at, f->marks, f->mark_count * sizeof(f->marks[0]));
    at = take(at, f->tokens, f->token_count * sizeof(f->tokens[0]));
    for (size_t i = 0; i < HR_ARRAY_LEN(texts); i++) {
        at = point((struct hr_span *)(void *)((char *)f + texts[i]), at);
    }
    for (size_t i = 0; i < f->mark_count; i++) {
        at = point(&f->marks[i].text, at);
    }
    for (size_t i = 0; i < f->token_count; i++) {
        at = point(&f->tokens[i].name, at);
    }
}

/* --- exchanges -------------------------------------------------------------------------------- */

static size_t message_text_size(const struct http_message *m)
{
    return m->head.len + m->content.len;
}

size_t exchange_flat_size(const struct http_exchange *x)
{
    return sizeof(*x) +
           (x->request.field_count + x->response.field_count) * sizeof(struct http_field) +
           message_text_size(&x->request) + message_text_size(&x->response);
}

/* @param from  what s points into. @return the same bytes in the copy of it */
static struct hr_span moved(struct hr_span s, struct hr_span from, const char *to)
{
    return s.ptr != NULL ? hr_span_of(to + (s.ptr - from.ptr), s.len) : s;
}

/* Points a message and its fields, copied behind each other, at the copy of its head. */
static void move_message(struct http_message *m, struct http_field *fields, const char *head,
                         const char *content)
{
    const struct hr_span from = m->head;
    for (size_t i = 0; i < m->field_count; i++) {
        fields[i].name = moved(fields[i].name, from, head);
        fields[i].value = moved(fields[i].value, from, head);
    }
    m->fields = fields;
    m->method = moved(m->method, from, head);
    m->target = moved(m->target, from, head);
    m->head = moved(from, from, head);
    m->content = moved(m->content, m->content, content);
}

void exchange_flatten(const struct http_exchange *x, void *to)
{
    const struct http_message *request = &x->request;
    const struct http_message *response = &x->response;
    char *at = put(to, x, sizeof(*x));
    at = put(at, request->fields, request->field_count * sizeof(struct http_field));
    at = put(at, response->fields, response->field_count * sizeof(struct http_field));
    at = put(at, request->head.ptr, request->head.len);
    at = put(at, request->content.ptr, request->content.len);
    at = put(at, response->head.ptr, response->head.len);
    put(at, response->content.ptr, response->content.len);
}

void exchange_unflatten(void *from, struct http_exchange *ret_exchange)
{
    struct http_exchange *x = ret_exchange;
    memcpy(x, from, sizeof(*x));
    struct http_field *fields = (void *)((char *)from + sizeof(*x));
    struct http_field *response_fields = fields + x->request.field_count;
    const char *at = (const char *)(response_fields + x->response.field_count);
    move_message(&x->request, fields, at, at + x->request.head.len);
    at += message_text_size(&x->request);
    move_message(&x->response, response_fields, at, at + x->response.head.len);
}
