#include "base/arena.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hr_arena_block {
    struct hr_arena_block *next;
    size_t capacity;
    size_t used;
    _Alignas(max_align_t) char bytes[];
};

enum { BLOCK_BYTES = 16 * 1024 };

void hr_arena_init(struct hr_arena *a)
{
    a->blocks = NULL;
}

void hr_arena_finish(struct hr_arena *a)
{
    while (a->blocks != NULL) {
        struct hr_arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
}

void hr_arena_reset(struct hr_arena *a)
{
    struct hr_arena_block *keep = NULL;
    while (a->blocks != NULL) {
        struct hr_arena_block *next = a->blocks->next;
        if (keep == NULL && a->blocks->capacity == BLOCK_BYTES) {
            keep = a->blocks;
        } else {
            free(a->blocks);
        }
        a->blocks = next;
    }
    if (keep != NULL) {
        keep->used = 0;
        keep->next = NULL;
    }
    a->blocks = keep;
}

void *hr_arena_alloc(struct hr_arena *a, size_t size_bytes)
{
    const size_t align = _Alignof(max_align_t);
    assert(size_bytes < SIZE_MAX / 2);
    size_t need = (size_bytes + align - 1) / align * align;
    if (a->blocks == NULL || a->blocks->capacity - a->blocks->used < need) {
        size_t capacity = need > BLOCK_BYTES ? need : BLOCK_BYTES;
        struct hr_arena_block *b = hr_xmalloc(sizeof(*b) + capacity);
        *b = (struct hr_arena_block){.next = a->blocks, .capacity = capacity};
        a->blocks = b;
    }
    void *p = a->blocks->bytes + a->blocks->used;
    a->blocks->used += need;
    return memset(p, 0, need);
}

char *hr_arena_strdup(struct hr_arena *a, struct hr_span bytes)
{
    char *p = hr_arena_alloc(a, bytes.len + 1);
    if (bytes.len > 0) {
        memcpy(p, bytes.ptr, bytes.len);
    }
    return p;
}

struct hr_span hr_arena_copy(struct hr_arena *a, struct hr_span bytes)
{
    return hr_span_of(hr_arena_strdup(a, bytes), bytes.len);
}

char *hr_arena_text(struct hr_arena *a, const char *text)
{
    return text != NULL ? hr_arena_strdup(a, hr_span_str(text)) : NULL;
}

char *hr_arena_printf(struct hr_arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(n >= 0);
    char *p = hr_arena_alloc(a, (size_t)n + 1);
    va_start(args, format);
    vsnprintf(p, (size_t)n + 1, format, args);
    va_end(args);
    return p;
}
