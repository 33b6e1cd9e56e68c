/*
 * history/interval.h - when an operation can have taken effect. Adding the clock's doubt to every
 * end turns "b.start - a.end > epsilon" into "b.start > end of a", so the rest of the folder knows
 * no epsilon: intervals that share a point overlap.
 */
#ifndef HR_HISTORY_INTERVAL_H
#define HR_HISTORY_INTERVAL_H

#include "history/check.h"

static inline bool history_is_login(const struct history_operation *op)
{
    return op->kind == HISTORY_LOGIN || op->kind == HISTORY_MAYBE_LOGIN;
}

/** A login that was never answered may be applied at any time after its start, or never. */
static inline bool history_is_open_ended(const struct history_operation *op)
{
    return op->kind == HISTORY_MAYBE_LOGIN ||
           (op->kind == HISTORY_LOGIN && op->end == HR_NSEC_INFINITE);
}

/** An access or logout without an answer says nothing. */
static inline bool history_is_mute(const struct history_operation *op)
{
    return !history_is_login(op) && op->end == HR_NSEC_INFINITE;
}

/** The last moment at which it can have taken effect, the clock's doubt included. */
static inline hr_nsec history_end(const struct history_operation *op, hr_nsec epsilon)
{
    if (history_is_open_ended(op)) {
        return HR_NSEC_INFINITE;
    }
    const hr_nsec end = op->end < op->start ? op->start : op->end;
    return epsilon > 0 ? hr_nsec_add(end, epsilon) : end;
}

/** What a contradiction at the grant `witness` says; fills weak and against (check.c). */
struct history_result history_contradicted(const struct history_operation *ops, size_t count,
                                           enum history_first first, hr_nsec epsilon,
                                           size_t witness);

#endif
