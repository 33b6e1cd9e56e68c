#include "decode/decode.h"

#include "base/alloc.h"
#include "decode/fragment.h"
#include "decode/layer.h"

#include <stdlib.h>

struct decoder *decoder_create(const struct decode_config *config, decode_segment_fn emit,
                               void *user)
{
    struct decoder *d = hr_xcalloc(1, sizeof(*d));
    d->emit = emit;
    d->user = user;
    d->verify_checksums = config->verify_checksums;
    d->fragments = fragment_table_create(config, &d->counters);
    return d;
}

void decoder_destroy(struct decoder *d)
{
    if (d != NULL) {
        fragment_table_destroy(d->fragments);
        ipcomp_destroy(d->ipcomp);
        free(d);
    }
}

void decoder_watch(struct decoder *d, const struct decode_watch *watch)
{
    d->watch = *watch;
}

void decoder_feed(struct decoder *d, const struct packet *p)
{
    struct layers l = {.decoder = d, .packet = p, .selected = p->selected};
    size_t missing = p->wire_bytes > p->captured_bytes ? p->wire_bytes - p->captured_bytes : 0;
    d->counters.frames++;
    if (!link_decode(&l, p->link_type, cursor_of(p->data, p->captured_bytes, missing))) {
        d->counters.other_link++;
    }
}

size_t decoder_fragment_count(const struct decoder *d)
{
    return fragment_table_count(d->fragments);
}

size_t decoder_fragment_bytes(const struct decoder *d)
{
    return fragment_table_bytes(d->fragments);
}

void decoder_counters(const struct decoder *d, hr_counter_fn emit, void *user)
{
    static const struct hr_counter_info info[] = {DECODE_COUNTERS(HR_COUNTER_INFO)};
    hr_counters_emit(info, HR_ARRAY_LEN(info), &d->counters, emit, user);
}
