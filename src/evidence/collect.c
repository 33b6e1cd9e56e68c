#include "evidence/collect.h"

#include "base/alloc.h"
#include "evidence/intake.h"

#include <errno.h>
#include <stdlib.h>

enum { FRAMES_PER_LOOK = 4096 };

static void add_frame(struct evidence *e, const struct packet *p, const struct frame_pick *pick)
{
    struct hr_span data = hr_arena_copy(&e->arena, hr_span_of(p->data, p->captured_bytes));
    struct evidence_frame *f = &e->frames[e->frame_count++];
    *f = (struct evidence_frame){.source = pick->source, .packet = *p, .comment = pick->comment};
    f->packet.data = (const uint8_t *)data.ptr;
    f->packet.selected = true;
    e->frame_bytes += p->captured_bytes;
}

/* @param picks  of one source */
static int read_source(struct evidence *e, const struct frame_pick *picks, size_t count,
                       size_t bytes_limit, const volatile int *stop, struct hr_buf *ret_error)
{
    const struct evidence_source *from = &e->sources[picks->source];
    struct intake_capture capture = {.path = from->real_path, .place = from->place};
    struct intake *source = NULL;
    struct packet p;
    size_t done = 0;
    uint64_t looked = 0;
    int r = intake_open(
        &(struct intake_config){
            .captures = &capture, .capture_count = 1, .ring = from->ring, .from = from->from},
        &source, ret_error);
    while (r == 0 && done < count && intake_next(source, &p) > 0) {
        if (p.frame == picks[done].frame) {
            add_frame(e, &p, &picks[done++]);
        }
        if (e->frame_bytes > bytes_limit) {
            r = -EFBIG;
        } else if (++looked % FRAMES_PER_LOOK == 0 && stop != NULL && *stop != 0) {
            r = -EINTR;
        }
    }
    if (r == 0 && done < count) {
        hr_buf_appendf(ret_error, "%s: changed while it was read", from->path);
        r = -ESTALE;
    }
    intake_close(source);
    return r;
}

static int compare_frames(const void *a, const void *b)
{
    const struct evidence_frame *x = a;
    const struct evidence_frame *y = b;
    int r = (x->packet.at > y->packet.at) - (x->packet.at < y->packet.at);
    r = r != 0 ? r : (x->source > y->source) - (x->source < y->source);
    return r != 0 ? r : (x->packet.frame > y->packet.frame) - (x->packet.frame < y->packet.frame);
}

int collect_frames(struct evidence *e, const struct frame_picks *picks, size_t bytes_limit,
                   const volatile int *stop, struct hr_buf *ret_error)
{
    int r = 0;
    e->frames = hr_xcalloc(picks->count + 1, sizeof(*e->frames));
    for (size_t i = 0; r == 0 && i < picks->count;) {
        size_t end = i;
        while (end < picks->count && picks->items[end].source == picks->items[i].source) {
            end++;
        }
        r = read_source(e, picks->items + i, end - i, bytes_limit, stop, ret_error);
        i = end;
    }
    if (e->frame_count > 0) {
        qsort(e->frames, e->frame_count, sizeof(*e->frames), compare_frames);
    }
    return r;
}
