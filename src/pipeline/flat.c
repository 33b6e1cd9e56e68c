/*
 * First the struct as far as it is used, then the texts, in the order of the tables below. A span
 * keeps its length; its pointer only says whether there is a text.
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

static size_t head_size(size_t token_count)
{
    return offsetof(struct exchange_facts, tokens) + token_count * sizeof(struct token_use);
}

/* What stands behind the tokens in the struct. */
struct flat_head {
    size_t token_count;
};

size_t facts_flat_size(const struct exchange_facts *f)
{
    size_t size = sizeof(struct flat_head) + head_size(f->token_count);
    for (size_t i = 0; i < HR_ARRAY_LEN(texts); i++) {
        size += text_of(f, i)->len;
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
    struct flat_head head = {.token_count = f->token_count};
    char *at = put(to, &head, sizeof(head));
    at = put(at, f, head_size(f->token_count));
    for (size_t i = 0; i < HR_ARRAY_LEN(texts); i++) {
        at = put(at, text_of(f, i)->ptr, text_of(f, i)->len);
    }
    for (size_t i = 0; i < f->token_count; i++) {
        at = put(at, f->tokens[i].name.ptr, f->tokens[i].name.len);
    }
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
    struct flat_head head;
    const char *at = from;
    memcpy(&head, at, sizeof(head));
    at += sizeof(head);
    memcpy(ret_facts, at, head_size(head.token_count));
    at += head_size(head.token_count);
    ret_facts->token_count = head.token_count;
    for (size_t i = 0; i < HR_ARRAY_LEN(texts); i++) {
        at = point((struct hr_span *)(void *)((char *)ret_facts + texts[i]), at);
    }
    for (size_t i = 0; i < head.token_count; i++) {
        at = point(&ret_facts->tokens[i].name, at);
    }
}
