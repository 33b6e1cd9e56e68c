#include "base/alloc.h"
#include "history/check.h"
#include "history/interval.h"

#include <stdlib.h>

/*
 * Each question is "which operation of a kind lies before (behind) a time and is the best by
 * another time?", so each is a binary search in a sorted list that carries the best of its prefix
 * or suffix. "No login fits in between" becomes one number: of all logins that could come before
 * the grant, the latest end; what begins after it has them all behind it.
 */

struct entry {
    hr_nsec key;   /* sorted by this */
    hr_nsec other; /* the other end of the interval */
    uint64_t group;
    size_t op;
    size_t best; /* index of the best entry up to here (of a suffix: from here on) */
};

struct list {
    struct entry *entries;
    size_t count;
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    if (x->group != y->group) {
        return x->group < y->group ? -1 : 1;
    }
    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return x->op < y->op ? -1 : x->op > y->op;
}

enum role {
    ROLE_LOGINS,
    ROLE_LOGOUTS,
    ROLE_GRANTS,
};

static bool has_role(const struct history_operation *op, enum role role)
{
    switch (role) {
    case ROLE_LOGINS:
        return history_is_login(op);
    case ROLE_LOGOUTS:
        return op->kind == HISTORY_NOT_LIVE && op->is_logout && !history_is_mute(op);
    case ROLE_GRANTS:
        return op->kind == HISTORY_GRANT && !history_is_mute(op);
    }
    return false;
}

/** Sorted by group (if wanted), then by start or end. */
static struct list list_of(const struct history_operation *ops, size_t count, hr_nsec epsilon,
                           enum role role, bool by_end, bool grouped)
{
    struct list l = {hr_xcalloc(count + 1, sizeof(l.entries[0])), 0};
    for (size_t i = 0; i < count; i++) {
        if (has_role(&ops[i], role)) {
            const hr_nsec end = history_end(&ops[i], epsilon);
            l.entries[l.count++] = (struct entry){
                .key = by_end ? end : ops[i].start,
                .other = by_end ? ops[i].start : end,
                .group = grouped ? ops[i].group : 0,
                .op = i,
            };
        }
    }
    qsort(l.entries, l.count, sizeof(l.entries[0]), compare_entries);
    return l;
}

/** best: the entry of the same group with the greatest `other` up to this one. */
static void rank_prefixes(struct list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        struct entry *e = &l->entries[i];
        e->best = i;
        if (i > 0 && l->entries[i - 1].group == e->group &&
            l->entries[l->entries[i - 1].best].other > e->other) {
            e->best = l->entries[i - 1].best;
        }
    }
}

/** best: the entry of the same group with the least `other` from this one on. */
static void rank_suffixes(struct list *l)
{
    for (size_t i = l->count; i-- > 0;) {
        struct entry *e = &l->entries[i];
        e->best = i;
        if (i + 1 < l->count && l->entries[i + 1].group == e->group &&
            l->entries[l->entries[i + 1].best].other < e->other) {
            e->best = l->entries[i + 1].best;
        }
    }
}

/** @return number of entries that sort before (group, key); with `inclusive`, those equal to it too
 */
static size_t count_before(const struct list *l, uint64_t group, hr_nsec key, bool inclusive)
{
    size_t low = 0;
    size_t high = l->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct entry *e = &l->entries[middle];
        const bool before =
            e->group != group ? e->group < group : e->key < key || (inclusive && e->key == key);
        if (before) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/** @return the latest end of those that could have come before `end`; INT64_MIN where there are
 * none */
static hr_nsec latest_end(const struct list *by_start, hr_nsec end)
{
    const size_t n = count_before(by_start, 0, end, true);
    return n == 0 ? INT64_MIN : by_start->entries[by_start->entries[n - 1].best].other;
}

struct marker {
    struct list logins_by_start;
    struct list logouts_by_end;
    struct list grants_by_end;   /* of one group together */
    struct list grants_by_start; /* the same */
    hr_nsec epsilon;
};

static size_t find_ended_by(const struct marker *m, const struct history_operation *grant)
{
    const hr_nsec logins_end = latest_end(&m->logins_by_start, history_end(grant, m->epsilon));
    const size_t n = count_before(&m->logouts_by_end, 0, grant->start, false);
    if (n == 0) {
        return HISTORY_NONE;
    }
    const struct entry *last = &m->logouts_by_end.entries[n - 1];
    const struct entry *latest = &m->logouts_by_end.entries[last->best];
    if (last->other > logins_end) {
        return last->op;
    }
    return latest->other > logins_end ? latest->op : HISTORY_NONE;
}

/* What is granted after a logout is marked there; one that overlaps a grant contradicts nothing. */
static bool is_logout_between(const struct marker *m, const struct entry *first,
                              const struct entry *second)
{
    const size_t n = count_before(&m->logouts_by_end, 0, second->key, false);
    return n > 0 && m->logouts_by_end.entries[n - 1].key >= first->other;
}

static void mark_denial(const struct marker *m, const struct history_operation *denial,
                        struct history_mark *mark)
{
    const hr_nsec end = history_end(denial, m->epsilon);
    const size_t before = count_before(&m->grants_by_end, denial->group, denial->start, false);
    const size_t after = count_before(&m->grants_by_start, denial->group, end, true);
    if (before == 0 || m->grants_by_end.entries[before - 1].group != denial->group ||
        after == m->grants_by_start.count ||
        m->grants_by_start.entries[after].group != denial->group) {
        return;
    }
    /* Of the grants before, the one that began last; of those behind, the one that ended first:
     * these leave the least room in between, so if they do not hold, no others do. */
    const struct entry *first =
        &m->grants_by_end.entries[m->grants_by_end.entries[before - 1].best];
    const struct entry *second =
        &m->grants_by_start.entries[m->grants_by_start.entries[after].best];
    if (latest_end(&m->logins_by_start, second->other) < denial->start &&
        !is_logout_between(m, first, second)) {
        mark->granted_before = first->op;
        mark->granted_after = second->op;
    }
}

void history_mark(const struct history_operation *ops, size_t count, hr_nsec epsilon,
                  struct history_mark *ret_marks)
{
    struct marker m = {
        .logins_by_start = list_of(ops, count, epsilon, ROLE_LOGINS, false, false),
        .logouts_by_end = list_of(ops, count, epsilon, ROLE_LOGOUTS, true, false),
        .grants_by_end = list_of(ops, count, epsilon, ROLE_GRANTS, true, true),
        .grants_by_start = list_of(ops, count, epsilon, ROLE_GRANTS, false, true),
        .epsilon = epsilon,
    };
    rank_prefixes(&m.logins_by_start);
    rank_prefixes(&m.logouts_by_end);
    rank_prefixes(&m.grants_by_end);
    rank_suffixes(&m.grants_by_start);
    for (size_t i = 0; i < count; i++) {
        ret_marks[i] = (struct history_mark){HISTORY_NONE, HISTORY_NONE, HISTORY_NONE};
        if (history_is_mute(&ops[i])) {
            continue;
        }
        if (ops[i].kind == HISTORY_GRANT) {
            ret_marks[i].ended_by = find_ended_by(&m, &ops[i]);
        } else if (ops[i].kind == HISTORY_NOT_LIVE && !ops[i].is_logout) {
            mark_denial(&m, &ops[i], &ret_marks[i]);
        }
    }
    free(m.logins_by_start.entries);
    free(m.logouts_by_end.entries);
    free(m.grants_by_end.entries);
    free(m.grants_by_start.entries);
}
