/*
 * pipeline/chains.h - rolling tokens: values that one login session had one after the other, each
 * given by a granted access in the place of the one before.
 *
 * Each value is judged by itself, for servers differ in how long a replaced one lives on. But a
 * logout ends the whole chain: it counts for every older value, too. And what began with a
 * visitor's cookie is a visitor's.
 *
 * Use: note every session of a site; where there are chains, resolve; then judge the sessions again.
 */
#ifndef HR_PIPELINE_CHAINS_H
#define HR_PIPELINE_CHAINS_H

#include "store/read.h"

struct chains;

struct chains *chains_create(struct store *s);
void chains_destroy(struct chains *c);
/** @param ops  all operations of one session */
void chains_note(struct chains *c, const struct operation_row *ops, size_t count);
/** @return how many found no room; these are judged as if they stood alone */
uint64_t chains_dropped(const struct chains *c);
bool chains_any(const struct chains *c);
/** @return 0, or a negative errno of the store */
int chains_resolve(struct chains *c);
/**
 * After chains_resolve(): the logouts of later values that ended this one, too; as its own. None where
 * the value was given once more after it was replaced: then the server goes on with it.
 * @param ops  all operations of one session, at least one; may move while row is called
 */
void chains_give_logouts(const struct chains *c, const struct operation_row *ops, size_t count,
                         int (*row)(const struct operation_row *o, void *user), void *user);
/** After chains_resolve(): does the session go back to a visitor's cookie, and never signed in? */
bool chains_is_visitor(const struct chains *c, int64_t session_id);

#endif
