#include "evidence/frames.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#define COMMENT_BYTES 65535u /* of one frame: a file holds no more */

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

/* All that is said of one frame, a line each. */
static const char *join(const struct frame_pick *picks, size_t count, struct hr_arena *arena)
{
    const char *first = NULL;
    const char *all = NULL;
    struct hr_buf b;
    hr_buf_init(&b, SIZE_MAX);
    for (size_t i = 0; i < count && b.len <= COMMENT_BYTES; i++) {
        const char *comment = picks[i].comment;
        if (comment == NULL || (first != NULL && b.len == 0 && strcmp(comment, first) == 0)) {
            continue;
        }
        if (first == NULL) {
            first = comment;
            continue;
        }
        hr_buf_appendf(&b, "%s\n%s", b.len == 0 ? first : "", comment);
    }
    all = b.len > 0 ? hr_arena_strdup(arena, hr_buf_span(&b)) : first;
    hr_buf_finish(&b);
    return all;
}

void frame_picks_settle(struct frame_picks *p, struct hr_arena *arena)
{
    size_t kept = 0;
    if (p->count > 0) {
        qsort(p->items, p->count, sizeof(*p->items), compare_picks);
    }
    for (size_t from = 0, to; from < p->count; from = to) {
        struct frame_pick pick = p->items[from];
        for (to = from + 1; to < p->count && p->items[to].source == pick.source &&
                            p->items[to].frame == pick.frame;
             to++) {
        }
        pick.comment = join(&p->items[from], to - from, arena);
        p->items[kept++] = pick;
    }
    p->count = kept;
}

void frame_picks_finish(struct frame_picks *p)
{
    free(p->items);
    *p = (struct frame_picks){0};
}
