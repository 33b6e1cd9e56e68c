#include "http/held.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static struct http_held_input *copy_of(struct http_held *held, const struct http_input *in,
                                       size_t from)
{
    size_t len = in->bytes.len - from;
    struct http_held_input *h = hr_xmalloc(sizeof(*h) + len);
    *h = (struct http_held_input){.in = *in};
    if (len > 0) {
        memcpy(h + 1, in->bytes.ptr + from, len);
    }
    h->in.bytes = hr_span_of(h + 1, len);
    h->in.offset += from;
    held->bytes += sizeof(*h) + len;
    *held->total_bytes += sizeof(*h) + len;
    return h;
}

void http_held_push(struct http_held *h, const struct http_input *in, size_t from)
{
    struct http_held_input *copy = copy_of(h, in, from);
    if (h->last[in->side] != NULL) {
        h->last[in->side]->next = copy;
    } else {
        h->first[in->side] = copy;
    }
    h->last[in->side] = copy;
}

void http_held_push_back(struct http_held *h, const struct http_input *in, size_t from)
{
    struct http_held_input *copy = copy_of(h, in, from);
    copy->next = h->first[in->side];
    h->first[in->side] = copy;
    if (h->last[in->side] == NULL) {
        h->last[in->side] = copy;
    }
}

struct http_held_input *http_held_take(struct http_held *h, unsigned side)
{
    struct http_held_input *first = h->first[side];
    if (first == NULL) {
        return NULL;
    }
    h->first[side] = first->next;
    if (first->next == NULL) {
        h->last[side] = NULL;
    }
    h->bytes -= sizeof(*first) + first->in.bytes.len;
    *h->total_bytes -= sizeof(*first) + first->in.bytes.len;
    return first;
}

void http_held_finish(struct http_held *h)
{
    for (unsigned side = 0; side < 2; side++) {
        while (h->first[side] != NULL) {
            free(http_held_take(h, side));
        }
    }
}
