/*
 * base/alloc.h - allocation that does not fail: exhausted memory ends the process with one line.
 * Budgets elsewhere make that rare. Release with free().
 */
#ifndef HR_BASE_ALLOC_H
#define HR_BASE_ALLOC_H

#include <stddef.h>

#define HR_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

void *hr_xmalloc(size_t size_bytes);
void *hr_xcalloc(size_t count, size_t size_bytes);
void *hr_xrealloc(void *take_old, size_t size_bytes);
/** Room for one more item behind `count` ones, in a block that only this made: it doubles at powers of two. */
void *hr_xgrow(void *take_items, size_t count, size_t item_bytes);
char *hr_xstrdup(const char *text);
/** @return a NUL-terminated copy of len bytes; an embedded NUL is kept, so len still counts. */
char *hr_xstrndup(const char *bytes, size_t len);
/** Says which limit was hit and ends the process. */
_Noreturn void hr_out_of_memory(void);

#endif
