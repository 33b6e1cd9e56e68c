#include "history/check.h"

#include "history/interval.h"

/*
 * Why a witness is always a grant: a session may end silently, so a denial or a logout can always
 * be put somewhere; it only forbids what follows. What finds no place is a grant.
 */

static bool has_login(const struct history_operation *ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (history_is_login(&ops[i])) {
            return true;
        }
    }
    return false;
}

/** Is there a NOT_LIVE that begins after some grant ended, and ends before another one begins? */
static bool has_flap(const struct history_operation *ops, size_t count, hr_nsec epsilon)
{
    hr_nsec first_grant_end = HR_NSEC_INFINITE;
    hr_nsec last_grant_start = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        if (ops[i].kind != HISTORY_GRANT || history_is_mute(&ops[i])) {
            continue;
        }
        const hr_nsec end = history_end(&ops[i], epsilon);
        first_grant_end = end < first_grant_end ? end : first_grant_end;
        last_grant_start = ops[i].start > last_grant_start ? ops[i].start : last_grant_start;
    }
    for (size_t i = 0; i < count; i++) {
        if (ops[i].kind == HISTORY_NOT_LIVE && !history_is_mute(&ops[i]) &&
            ops[i].start > first_grant_end && history_end(&ops[i], epsilon) < last_grant_start) {
            return true;
        }
    }
    return false;
}

/** @return what ended last before `before` and is a NOT_LIVE (or: a login or grant) */
static size_t last_before(const struct history_operation *ops, size_t count, hr_nsec epsilon,
                          hr_nsec before, bool not_live)
{
    size_t best = HISTORY_NONE;
    hr_nsec best_end = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        const hr_nsec end = history_end(&ops[i], epsilon);
        if ((ops[i].kind == HISTORY_NOT_LIVE) == not_live && end != HR_NSEC_INFINITE &&
            end < before && (best == HISTORY_NONE || end > best_end)) {
            best = i;
            best_end = end;
        }
    }
    return best;
}

struct history_result history_contradicted(const struct history_operation *ops, size_t count,
                                           enum history_first first, hr_nsec epsilon,
                                           size_t witness)
{
    struct history_result result = {
        .answer = HISTORY_CONTRADICTED,
        .witness = witness,
        .weak = first == HISTORY_FIRST_UNKNOWN && !has_login(ops, count) &&
                !has_flap(ops, count, epsilon),
        .against = {HISTORY_NONE, HISTORY_NONE},
    };
    result.against[0] = last_before(ops, count, epsilon, ops[witness].start, true);
    if (result.against[0] != HISTORY_NONE) {
        result.against[1] = last_before(ops, count, epsilon, ops[result.against[0]].start, false);
    }
    return result;
}

bool history_one_life_applies(const struct history_operation *ops, size_t count,
                              enum history_first first)
{
    size_t logins = 0;
    for (size_t i = 0; i < count; i++) {
        logins += history_is_login(&ops[i]);
    }
    return logins == 0 || (logins == 1 && first == HISTORY_FIRST_ABSENT);
}

/* Of one life: what every operation is compared with. */
struct life {
    bool has_login;
    hr_nsec login_start;
    hr_nsec live_since; /* C: it was live at this time, or had been */
    hr_nsec
        ended_before; /* earliest end of a NOT_LIVE that began after C: no grant may begin later */
};

static struct life measure_life(const struct history_operation *ops, size_t count,
                                enum history_first first, hr_nsec epsilon)
{
    struct life life = {.live_since = HR_NSEC_INFINITE, .ended_before = HR_NSEC_INFINITE};
    for (size_t i = 0; i < count; i++) {
        if (ops[i].kind == HISTORY_NOT_LIVE || history_is_mute(&ops[i])) {
            continue;
        }
        const hr_nsec end = history_end(&ops[i], epsilon);
        life.live_since = end < life.live_since ? end : life.live_since;
        if (history_is_login(&ops[i])) {
            life.has_login = true;
            life.login_start = ops[i].start;
        }
    }
    const bool any = first == HISTORY_FIRST_UNKNOWN; /* no login: what has ended never comes back */
    for (size_t i = 0; i < count; i++) {
        if (ops[i].kind == HISTORY_NOT_LIVE && !history_is_mute(&ops[i]) &&
            (any || ops[i].start > life.live_since)) {
            const hr_nsec end = history_end(&ops[i], epsilon);
            life.ended_before = end < life.ended_before ? end : life.ended_before;
        }
    }
    return life;
}

struct history_result history_one_life(const struct history_operation *ops, size_t count,
                                       enum history_first first, hr_nsec epsilon)
{
    const struct life life = measure_life(ops, count, first, epsilon);
    size_t witness = HISTORY_NONE;
    hr_nsec witness_end = HR_NSEC_INFINITE;
    for (size_t i = 0; i < count; i++) {
        if (ops[i].kind != HISTORY_GRANT || history_is_mute(&ops[i])) {
            continue;
        }
        const hr_nsec end = history_end(&ops[i], epsilon);
        const bool never_live = first == HISTORY_FIRST_ABSENT && !life.has_login;
        const bool before_login = life.has_login && end < life.login_start;
        if ((never_live || before_login || ops[i].start > life.ended_before) &&
            (witness == HISTORY_NONE || end < witness_end)) {
            witness = i;
            witness_end = end;
        }
    }
    if (witness == HISTORY_NONE) {
        return (struct history_result){
            HISTORY_EXPLAINED, HISTORY_NONE, false, {HISTORY_NONE, HISTORY_NONE}
        };
    }
    return history_contradicted(ops, count, first, epsilon, witness);
}

struct history_result history_check(const struct history_operation *ops, size_t count,
                                    enum history_first first, hr_nsec epsilon)
{
    return history_one_life_applies(ops, count, first)
               ? history_one_life(ops, count, first, epsilon)
               : history_sweep(ops, count, first, epsilon);
}
