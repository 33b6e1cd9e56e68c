/*
 * rule/suppress.h - findings that a person has accepted (YAML, --suppressions): which, why, who
 * answers for it, until when. Format: src/cmd/headrace-suppressions.5, an example: rules/suppressions/.
 */
#ifndef HR_RULE_SUPPRESS_H
#define HR_RULE_SUPPRESS_H

#include "base/buf.h"
#include "rule/rule.h"
#include "store/write.h"

struct suppression_set;

/**
 * @param ret_error  "file:line: what is wrong; what was expected" where the result is negative
 * @return 0, -errno where the file cannot be read, -EINVAL where it is wrong
 */
int suppression_set_load(const char *path, struct suppression_set **ret_set,
                         struct hr_buf *ret_error);
void suppression_set_destroy(struct suppression_set *set);
size_t suppression_set_count(const struct suppression_set *set);
/** In order of the file; lives as long as the set. */
const struct suppression_row *suppression_set_get(const struct suppression_set *set, size_t index);
/** Whether a rule of the set of rules is meant; true for one that names no rule. */
bool suppression_knows_rule(const struct suppression_row *row, const struct rule_set *rules);
/** Replaces what the database has, in a transaction of its own where none is open. */
int suppression_set_store(const struct suppression_set *set, struct store *s);

#endif
