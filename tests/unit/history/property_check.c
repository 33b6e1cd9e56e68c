/*
 * Laws of the order check on random small histories, against every serial order. Without an
 * argument it runs twice: with a fixed seed and with one from the clock. property_check SEED
 * repeats a run.
 */
#include "history/check.h"
#include "literal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    HISTORIES = 120000,
    OPERATIONS = 8,
};

struct counts {
    uint64_t contradicted;
    uint64_t one_life;
    uint64_t marks;
};

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static size_t below(uint64_t *state, size_t limit)
{
    return (size_t)(next_random(state) % limit);
}

/* Each history draws how much of each kind it has, so that no login, one and many are all common.
 */
static size_t draw(uint64_t *state, struct history_operation *ops)
{
    const size_t count = 1 + below(state, OPERATIONS);
    const hr_nsec span = (hr_nsec)(2 + below(state, 12));
    const size_t logins = below(state, 4);
    const size_t maybe = below(state, 3);
    for (size_t i = 0; i < count; i++) {
        struct history_operation *op = &ops[i];
        const size_t pick = below(state, 6 + logins + maybe);
        *op = (struct history_operation){.kind = pick < 3            ? HISTORY_GRANT
                                                 : pick < 6          ? HISTORY_NOT_LIVE
                                                 : pick < 6 + logins ? HISTORY_LOGIN
                                                                     : HISTORY_MAYBE_LOGIN};
        op->start = (hr_nsec)below(state, (size_t)span);
        op->end = op->start + (hr_nsec)below(state, 1 + below(state, 8));
        if (below(state, 16) == 0) {
            op->end = HR_NSEC_INFINITE;
        }
        op->is_logout = op->kind == HISTORY_NOT_LIVE && below(state, 2) == 0;
        op->group = 'a' + below(state, 2);
    }
    return count;
}

static bool fail(const char *law, const struct history_operation *ops, size_t count,
                 enum history_first first, hr_nsec epsilon)
{
    char text[LITERAL_LIMIT * 24];
    fprintf(stderr, "%s: %s (first %s, epsilon %lld)\n", law, literal_format(ops, count, text),
            first == HISTORY_FIRST_ABSENT ? "absent" : "unknown", (long long)epsilon);
    return false;
}

static bool same(struct history_result a, struct history_result b)
{
    return a.answer == b.answer && a.witness == b.witness && a.weak == b.weak &&
           a.against[0] == b.against[0] && a.against[1] == b.against[1];
}

/** Does it stay explained as long as the witness's event is not reached? The ones ended by then
 * decide. */
static bool witness_is_first(const struct history_operation *ops, size_t count,
                             enum history_first first, hr_nsec epsilon, size_t witness)
{
    struct history_operation part[OPERATIONS];
    const hr_nsec until = ops[witness].end;
    for (int with = 0; with < 2; with++) {
        size_t n = 0;
        for (size_t i = 0; i < count; i++) {
            const bool ends = ops[i].kind != HISTORY_MAYBE_LOGIN &&
                              ops[i].end != HR_NSEC_INFINITE &&
                              (ops[i].end < until || (ops[i].end == until && i <= witness));
            if (i == witness ? with : ends) {
                part[n++] = ops[i];
            } else if ((ops[i].kind == HISTORY_LOGIN || ops[i].kind == HISTORY_MAYBE_LOGIN) &&
                       ops[i].start - epsilon <= until) {
                part[n] = ops[i]; /* begun, and may be applied by then */
                part[n++].kind = HISTORY_MAYBE_LOGIN;
            }
        }
        if (brute_force_explains(part, n, first, epsilon) == (with == 1)) {
            return false;
        }
    }
    return true;
}

static bool check_marks(const struct history_operation *ops, size_t count, hr_nsec epsilon,
                        bool contradicted, struct counts *counts)
{
    struct history_mark marks[OPERATIONS];
    history_mark(ops, count, epsilon, marks);
    size_t logouts = 0;
    size_t logout = 0;
    bool login_behind = false;
    for (size_t i = 0; i < count; i++) {
        if (ops[i].is_logout && ops[i].end != HR_NSEC_INFINITE) {
            logouts++;
            logout = i;
        }
    }
    for (size_t i = 0; i < count; i++) {
        const bool is_login = ops[i].kind == HISTORY_LOGIN || ops[i].kind == HISTORY_MAYBE_LOGIN;
        const bool open = ops[i].kind == HISTORY_MAYBE_LOGIN || ops[i].end == HR_NSEC_INFINITE;
        login_behind =
            login_behind || (is_login && (open || ops[logout].start - ops[i].end <= epsilon));
    }
    for (size_t i = 0; i < count; i++) {
        const bool marked =
            marks[i].ended_by != HISTORY_NONE || marks[i].granted_before != HISTORY_NONE;
        counts->marks += marked;
        const bool both =
            (marks[i].granted_before != HISTORY_NONE) == (marks[i].granted_after != HISTORY_NONE);
        const bool must = logouts == 1 && !login_behind && ops[i].kind == HISTORY_GRANT &&
                          ops[i].end != HR_NSEC_INFINITE &&
                          ops[i].start - ops[logout].end > epsilon;
        if ((marked && !contradicted) || !both || (must && marks[i].ended_by != logout)) {
            return false;
        }
    }
    return true;
}

static bool check_one(const struct history_operation *ops, size_t count, enum history_first first,
                      hr_nsec epsilon, struct counts *counts)
{
    const bool explained = brute_force_explains(ops, count, first, epsilon);
    const struct history_result swept = history_sweep(ops, count, first, epsilon);
    counts->contradicted += !explained;
    if (swept.answer != (explained ? HISTORY_EXPLAINED : HISTORY_CONTRADICTED)) {
        return fail("the sweep differs from every order", ops, count, first, epsilon);
    }
    if (history_one_life_applies(ops, count, first)) {
        counts->one_life++;
        if (!same(history_one_life(ops, count, first, epsilon), swept)) {
            return fail("one life differs from the sweep", ops, count, first, epsilon);
        }
    }
    if (!same(history_check(ops, count, first, epsilon), swept)) {
        return fail("the check differs from the sweep", ops, count, first, epsilon);
    }
    if (!explained && !witness_is_first(ops, count, first, epsilon, swept.witness)) {
        return fail("the witness is not where it fails", ops, count, first, epsilon);
    }
    if (first == HISTORY_FIRST_UNKNOWN && !check_marks(ops, count, epsilon, !explained, counts)) {
        return fail("a mark is wrong or missing", ops, count, first, epsilon);
    }
    return true;
}

static bool run(uint64_t seed)
{
    struct counts counts = {0};
    uint64_t state = seed;
    for (size_t i = 0; i < HISTORIES; i++) {
        struct history_operation ops[OPERATIONS];
        const size_t count = draw(&state, ops);
        const hr_nsec epsilon = below(&state, 2) ? 0 : (hr_nsec)below(&state, 3);
        if (!check_one(ops, count, HISTORY_FIRST_ABSENT, epsilon, &counts) ||
            !check_one(ops, count, HISTORY_FIRST_UNKNOWN, epsilon, &counts)) {
            fprintf(stderr, "repeat with: property_check %" PRIu64 "\n", seed);
            return false;
        }
    }
    printf("seed %" PRIu64 ": %d histories twice, %" PRIu64 " contradicted, %" PRIu64
           " of one life, %" PRIu64 " marks\n",
           seed, HISTORIES, counts.contradicted, counts.one_life, counts.marks);
    /* A generator that no longer reaches a law proves nothing. */
    return counts.contradicted > HISTORIES / 10 && counts.one_life > HISTORIES / 10 &&
           counts.marks > HISTORIES / 100;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        return run(strtoull(argv[1], NULL, 10)) ? 0 : 1;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const uint64_t clock_seed = (uint64_t)now.tv_sec * 1000003u + (uint64_t)now.tv_nsec;
    return run(20240607) && run(clock_seed) ? 0 : 1;
}
