/*
 * history/check.h - can the operations on one session be put into one serial order that keeps every
 * fact of precedence and gives every answer that was seen? Linearizability of a register whose
 * value may silently fall from live to not live (Herlihy and Wing 1990; Gibbons and Korach 1997).
 * Pure: no I/O, no clock, no store, no allocation that outlives a call.
 *
 * a came before b if b.start - a.end > epsilon; otherwise they overlap and either order is possible.
 */
#ifndef HR_HISTORY_CHECK_H
#define HR_HISTORY_CHECK_H

#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum history_kind {
    HISTORY_LOGIN,       /* acknowledged: applied at some moment of [start, end] */
    HISTORY_MAYBE_LOGIN, /* applied at some moment >= start, or never; end is ignored */
    HISTORY_GRANT,       /* live at some moment of [start, end] */
    HISTORY_NOT_LIVE,    /* a denial or an acknowledged logout: not live at some moment of [start, end] */
};

struct history_operation {
    enum history_kind kind;
    hr_nsec start;
    hr_nsec end;     /* >= start; HR_NSEC_INFINITE: unanswered, then only a MAYBE_LOGIN says anything */
    bool is_logout;  /* of NOT_LIVE: an acknowledged logout, for history_mark() */
    uint64_t group;  /* endpoint, for history_mark() */
};

enum history_first {
    HISTORY_FIRST_UNKNOWN, /* live or not before the first operation */
    HISTORY_FIRST_ABSENT,  /* the capture holds the exchange that issued the token */
};

enum history_answer {
    HISTORY_EXPLAINED,
    HISTORY_CONTRADICTED,
    HISTORY_UNKNOWN, /* more overlapping acknowledged logins than the bound (60), or a history built to
                        cost: nothing is claimed */
};

#define HISTORY_NONE SIZE_MAX

struct history_result {
    enum history_answer answer;
    size_t witness;    /* CONTRADICTED: the operation at which no order was left; else HISTORY_NONE */
    bool weak;         /* CONTRADICTED, but a login that was not seen could explain it: no login, first
                          state unknown, and no NOT_LIVE between a grant that ended before it and one
                          that began after it */
    size_t against[2]; /* the last operations that it contradicts: the NOT_LIVE before it, and the login
                          or grant before that; HISTORY_NONE where there is none */
};

/**
 * Operations in any order; sorted inside. Unanswered grants, denials and logouts are left out.
 * Decides by the rule for one life where it applies (at most one login, acknowledged or not, and
 * first absent, or none at all), in O(n) after sorting, else by the general sweep.
 */
struct history_result history_check(const struct history_operation *ops, size_t count,
                                    enum history_first first, hr_nsec epsilon);

/* The two rules by themselves, for tests. one_life must only be called where it applies. */
bool history_one_life_applies(const struct history_operation *ops, size_t count, enum history_first first);
struct history_result history_one_life(const struct history_operation *ops, size_t count,
                                       enum history_first first, hr_nsec epsilon);
struct history_result history_sweep(const struct history_operation *ops, size_t count,
                                    enum history_first first, hr_nsec epsilon);

/* Which operation contradicts which, pair by pair: sound (each mark is by itself enough for
 * CONTRADICTED, all logins of the history considered), so rules can name each exchange. */
struct history_mark {
    size_t ended_by;      /* of a GRANT: the acknowledged logout that came before it, with no login of
                             either kind that could fit between; the one that ended last, or if a login
                             fits behind that one, the one that began last. */
    size_t granted_before;/* of a NOT_LIVE that is no logout: a grant of the same group before it, */
    size_t granted_after; /* and one after it, with no login that could fit between the two latter and
                             no acknowledged logout since granted_before began that had ended when
                             granted_after began (one that overlaps that grant contradicts nothing); all three
                             disjoint. Both or neither are set: the nearest ones. */
};

/**
 * Fills marks[i] for each operation. O(n log n).
 * To ask what holds without the logins that are only not understood, leave them out of ops.
 */
void history_mark(const struct history_operation *ops, size_t count, hr_nsec epsilon,
                  struct history_mark *ret_marks);

#endif
