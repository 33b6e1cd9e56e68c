#include "pipeline/capture_end.h"

#include <errno.h>

static int add_capture_loss(struct import *import, size_t index, enum loss_kind kind,
                            hr_nsec from_at, hr_nsec to_at, uint64_t count)
{
    struct loss_row row = {
        .kind = kind,
        .capture_id = (int64_t)index,
        .from_at = from_at,
        .to_at = to_at,
        .count = count,
        .hides_exchanges = true,
    };
    return count > 0 ? import_add_loss(import, &row) : 0;
}

int capture_end_losses(struct import *import, size_t index, const struct capture_info *info)
{
    int r = 0;
    for (size_t k = 0; r == 0 && info->frames > 0 && k < info->drop_count; k++) {
        const struct capture_drop *d = &info->drops[k];
        bool has_from = d->from_at != HR_NSEC_INFINITE;
        bool has_to = d->to_at != HR_NSEC_INFINITE;
        r = add_capture_loss(import, index, LOSS_DROPPED, has_from ? d->from_at : info->first_at,
                             has_to ? d->to_at : info->first_at, d->count);
    }
    bool is_cut = info->error != 0 && info->error != -EPROTONOSUPPORT && info->frames > 0;
    if (r == 0 && is_cut) {
        r = add_capture_loss(import, index, LOSS_CAPTURE_CUT, info->last_at, info->last_at, 1);
    }
    return r;
}
