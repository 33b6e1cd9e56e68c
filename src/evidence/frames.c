#include "evidence/frames.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

void evidence_init(struct evidence *e)
{
    *e = (struct evidence){0};
    hr_arena_init(&e->arena);
}

void evidence_finish(struct evidence *e)
{
    for (size_t i = 0; i < e->conn_count; i++) {
        free(e->conns[i].messages);
    }
    free(e->conns);
    free(e->sources);
    free(e->frames);
    free(e->segments);
    hr_arena_finish(&e->arena);
    *e = (struct evidence){0};
}

void frame_picks_add(struct frame_picks *p, size_t source, uint64_t frame, const char *comment)
{
    p->items = hr_xgrow(p->items, p->count, sizeof(*p->items));
    p->items[p->count] = (struct frame_pick){source, frame, comment, p->count};
    p->count++;
}

static int compare_picks(const void *a, const void *b)
{
    const struct frame_pick *x = a;
    const struct frame_pick *y = b;
    int r = (x->source > y->source) - (x->source < y->source);
    r = r != 0 ? r : (x->frame > y->frame) - (x->frame < y->frame);
    return r != 0 ? r : (x->order > y->order) - (x->order < y->order);
}

static const char *join(struct hr_arena *arena, const char *a, const char *b)
{
    if (a == NULL || b == NULL || strcmp(a, b) == 0) {
        return a != NULL ? a : b;
    }
    return hr_arena_printf(arena, "%s\n%s", a, b);
}

void frame_picks_settle(struct frame_picks *p, struct hr_arena *arena)
{
    size_t kept = 0;
    if (p->count > 0) {
        qsort(p->items, p->count, sizeof(*p->items), compare_picks);
    }
    for (size_t i = 0; i < p->count; i++) {
        struct frame_pick *last = kept > 0 ? &p->items[kept - 1] : NULL;
        const struct frame_pick *next = &p->items[i];
        if (last != NULL && last->source == next->source && last->frame == next->frame) {
            last->comment = join(arena, last->comment, next->comment);
        } else {
            p->items[kept++] = *next;
        }
    }
    p->count = kept;
}

void frame_picks_finish(struct frame_picks *p)
{
    free(p->items);
    *p = (struct frame_picks){0};
}
