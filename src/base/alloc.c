#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void hr_out_of_memory(void)
{
    fputs("headrace: out of memory\n", stderr);
    abort();
}

void *hr_xmalloc(size_t size_bytes)
{
    void *p = malloc(size_bytes ? size_bytes : 1);
    if (p == NULL) {
        hr_out_of_memory();
    }
    return p;
}

void *hr_xcalloc(size_t count, size_t size_bytes)
{
    void *p = calloc(count ? count : 1, size_bytes ? size_bytes : 1);
    if (p == NULL) {
        hr_out_of_memory();
    }
    return p;
}

void *hr_xrealloc(void *take_old, size_t size_bytes)
{
    void *p = realloc(take_old, size_bytes ? size_bytes : 1);
    if (p == NULL) {
        hr_out_of_memory();
    }
    return p;
}

void *hr_xgrow(void *take_items, size_t count, size_t item_bytes)
{
    if ((count & (count - 1)) != 0) {
        return take_items;
    }
    if (count > SIZE_MAX / 2 / item_bytes) {
        hr_out_of_memory();
    }
    return hr_xrealloc(take_items, (count > 0 ? 2 * count : 1) * item_bytes);
}

char *hr_xstrdup(const char *text)
{
    return hr_xstrndup(text, strlen(text));
}

char *hr_xstrndup(const char *bytes, size_t len)
{
    if (len == SIZE_MAX) {
        hr_out_of_memory();
    }
    char *p = hr_xmalloc(len + 1);
    if (len > 0) {
        memcpy(p, bytes, len);
    }
    p[len] = '\0';
    return p;
}
