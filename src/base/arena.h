/*
 * base/arena.h - bump allocation for things that die together (one exchange, one document).
 */
#ifndef HR_BASE_ARENA_H
#define HR_BASE_ARENA_H

#include "base/span.h"

struct hr_arena_block;

struct hr_arena {
    struct hr_arena_block *blocks; /* newest first */
};

void hr_arena_init(struct hr_arena *a);
/** Frees every block. */
void hr_arena_finish(struct hr_arena *a);
/** Forgets everything but keeps one block for the next round. */
void hr_arena_reset(struct hr_arena *a);
/** @return zeroed memory, aligned for any type, valid until reset or finish; never NULL */
void *hr_arena_alloc(struct hr_arena *a, size_t size_bytes);
/** @return a copy that lives as long as the arena, NUL-terminated behind its length */
struct hr_span hr_arena_copy(struct hr_arena *a, struct hr_span bytes);
/** @return NUL-terminated copy */
char *hr_arena_strdup(struct hr_arena *a, struct hr_span bytes);
/** @return copy; NULL for NULL */
char *hr_arena_text(struct hr_arena *a, const char *text);
char *hr_arena_printf(struct hr_arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
