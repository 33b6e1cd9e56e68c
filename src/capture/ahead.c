#include "capture/ahead.h"

#include "capture/source.h"

struct hr_span ahead_find(struct ahead *a, struct ahead hand, struct hr_span bytes,
                          ahead_measure_fn measure, const void *reader)
{
    struct hr_span frame;
    if (a->offset < hand.offset) {
        *a = hand;
    }
    while (a->offset - hand.offset < bytes.len) {
        const size_t from = (size_t)(a->offset - hand.offset);
        const size_t size = measure(reader, hr_span_slice(bytes, from, bytes.len), &frame);
        if (size == 0) {
            break;
        }
        if (frame.ptr != NULL && a->frames == hand.frames + CAPTURE_AHEAD_FRAMES) {
            return frame;
        }
        a->offset += size;
        a->frames += frame.ptr != NULL;
    }
    return (struct hr_span){NULL, 0};
}
