/*
 * store/scope_parts.h - the inside of scope.h, for its own files only.
 */
#ifndef HR_STORE_SCOPE_PARTS_H
#define HR_STORE_SCOPE_PARTS_H

#include "store/store.h"

/** Runs one statement without rows, ?1 and ?2 bound to the texts; NULL: there is none. */
int scope_run(struct store *s, const char *sql, const char *first, const char *second);
/** The same with a number for ?1. */
int scope_put_id(struct store *s, const char *sql, int64_t id);
/** @param id  for ?1, where it has one. @return 1 or 0 as the statement yields it, or a negative errno */
int scope_ask(struct store *s, const char *sql, int64_t id);

/* The logins in temp.rule_logins: scope_logins.c. */
int scope_forget_logins(struct store *s);
/** Those of sites that are due. @param whole  all of them */
int scope_forget_due_logins(struct store *s, bool whole);
/** Those of the sites in temp.rule_scope that no rule before looked at. */
int scope_add_logins(struct store *s);
/** At a glance: of every site, as they are now. @param since  the first exchange that came in */
int scope_keep_logins(struct store *s, int64_t since);
/** At the end of a run: for glances. */
int scope_remember_logins(struct store *s);

#endif
