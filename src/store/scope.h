/*
 * store/scope.h - what a run of the rules looks at and leaves behind: the sites whose facts changed, the
 * parameters, and how often each rule's situation occurred. All inside store_begin()/store_commit().
 */
#ifndef HR_STORE_SCOPE_H
#define HR_STORE_SCOPE_H

#include "store/store.h"

/**
 * Puts temporary views in front of those of views.sql, restricted to the sites of the scope, which is
 * empty at first. @param whole  every site is due, not only those analysed since the last run
 */
int scope_open(struct store *s, bool whole);
/** The scope becomes what is due for that rule: changed sites, and those it never ran over. */
int scope_set_rule(struct store *s, const char *rule);
/** The scope becomes every site: for counting. */
int scope_set_all(struct store *s);
/** Remembers that the rule ran over what was due for it. @param exercised  over every site */
int scope_put_run(struct store *s, const char *rule, int64_t exercised);
/** The rule was left out or failed: what is due now stays due for it. */
int scope_put_missed(struct store *s, const char *rule);
/** Removes the temporary views. @param done  nothing is due any more */
int scope_close(struct store *s, bool done);

/** What the view rule_parameters shows. */
int scope_clear_parameters(struct store *s, const char *rule);
int scope_put_parameter(struct store *s, const char *rule, const char *name, const char *value);

#endif
