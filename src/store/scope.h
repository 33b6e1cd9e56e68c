/*
 * store/scope.h - what a run of the rules looks at and leaves behind: the sites whose facts
 * changed, the parameters, and how often each rule's situation occurred. All inside
 * store_begin()/store_commit().
 */
#ifndef HR_STORE_SCOPE_H
#define HR_STORE_SCOPE_H

#include "store/store.h"

/**
 * Makes room for what follows. The scope is empty at first.
 * @param whole  every site is due, not only those analysed since the last run
 */
int scope_open(struct store *s, bool whole);
/**
 * The scope becomes what is due for that rule: changed sites, and those it never ran over.
 * Temporary views lie in front of those of views.sql, restricted to it; where that is every site,
 * only in front of what is worth computing once for all rules.
 * @param with_views  else they stay what they are: nothing is read
 */
int scope_set_rule(struct store *s, const char *rule, bool with_views);
/**
 * The scope becomes what is to be counted anew. @param by_site  the rule counts for each site:
 * those that are due. Else, and where it did not do so before, every site.
 */
int scope_set_counting(struct store *s, const char *rule, bool by_site);
/**
 * After scope_set_rule(): its old counts are forgotten, rule_run_put() brings the new ones of that
 * scope.
 * @param by_site  as above; else one of site 0, all sites together
 */
int scope_begin_counts(struct store *s, const char *rule, bool by_site);
/**
 * Removes the temporary views. @param done  nothing is due any more, but for rules without
 * scope_begin_counts(): left out, failed or not there this time. For them what is due stays so.
 */
int scope_close(struct store *s, bool done);

/* What a glance is about, in place of a run. */
struct scope_glance {
    int64_t since;           /* the first exchange that came in */
    const int64_t *sessions; /* ids: late_grants and flapped_denials hold these only */
    size_t session_count;
    uint64_t steps; /* of SQLite, that may be spent on finding the cuts */
};
struct scope_shared {
    bool has_cuts; /* else cut_facts is not to be read */
};
/**
 * In place of all that: the views show every site, and the scope is empty. Nothing that is due is done
 * by it. The logins are those of the last run, with what came in since and in the sessions given.
 */
int scope_open_glance(struct store *s, const struct scope_glance *g, struct scope_shared *ret_shared);
/** After it: what came in since then is asked about by what follows, too. */
int scope_set_since(struct store *s, int64_t since);
/** @return 1 where that session is asked about at this glance, 0, or a negative errno */
int scope_asks_session(struct store *s, int64_t session_id);
/**
 * For the rule at hand asked_marks shows only what scope_add_mark() brings, also while a query runs; not
 * narrow: every mark again.
 */
int scope_narrow_marks(struct store *s, bool narrow);
int scope_add_mark(struct store *s, int64_t exchange_id, int64_t kind, int64_t value);

/** What the view rule_parameters shows. */
int scope_clear_parameters(struct store *s, const char *rule);
int scope_put_parameter(struct store *s, const char *rule, const char *name, const char *value);

#endif
