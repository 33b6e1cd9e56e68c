/*
 * First the struct without its arrays, then what is used of these, then the texts, in the order of
 * the table below, of the marks and of the tokens. A span keeps its length; its pointer only says
 * whether there is a text.
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
