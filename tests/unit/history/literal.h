/*
 * Histories as text: "L[0,6] G[1,1]b O[1,3] D[3,4] M[2". L login, M a login that may be applied
 * from then on or never, G grant, D denial, O acknowledged logout; "[1" without an end was never
 * answered; a letter behind it names the endpoint.
 */
#ifndef HR_TESTS_HISTORY_LITERAL_H
#define HR_TESTS_HISTORY_LITERAL_H

#include "history/check.h"

#include <stdbool.h>
#include <stdint.h>

#define LITERAL_LIMIT 64

struct literal {
    struct history_operation ops[LITERAL_LIMIT];
    size_t count;
};

/** Ends the process where the text is not a history. */
struct literal literal_parse(const char *text);
/** @return text, of at least LITERAL_LIMIT * 24 bytes */
char *literal_format(const struct history_operation *ops, size_t count, char *text);

/** All serial orders, silent ends included: does one explain the history? At most 16 operations. */
bool brute_force_explains(const struct history_operation *ops, size_t count,
                          enum history_first first, hr_nsec epsilon);

#endif
