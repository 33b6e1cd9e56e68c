/*
 * rule/parse.h - the text of one rule file to a struct rule.
 */
#ifndef HR_RULE_PARSE_H
#define HR_RULE_PARSE_H

#include "rule/rule.h"

/**
 * @param path     for messages; its name without .sql must be the rule's id
 * @param ret_rule owned by the caller: rule_finish()
 * @return 0, or -EINVAL with "file:line: text" in ret_error
 */
int rule_parse(const char *path, struct hr_span text, struct rule *ret_rule,
               struct hr_buf *ret_error);
void rule_finish(struct rule *r);

/* One statement of a text of SQL. */
struct rule_statement {
    struct hr_span text; /* without blanks and comments before it, without its semicolon */
    unsigned line;       /* of the whole text, from 1 */
};
/**
 * Cuts at semicolons that stand in no string, name or comment. @return false where there is none
 * left; *rest and *line move on
 */
bool rule_next_statement(struct hr_span *rest, unsigned *line,
                         struct rule_statement *ret_statement);

#endif
