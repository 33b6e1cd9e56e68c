/*
 * pipeline/kinds.h - the kinds of exchanges of one site and what each was said to mean, model by
 * model. With the last model known it tells what the earlier ones got wrong: an exchange of a kind
 * that means the same need not be looked at again.
 */
#ifndef HR_PIPELINE_KINDS_H
#define HR_PIPELINE_KINDS_H

#include "session/model.h"

/* Models of one site in one import, the last one not counted; and the number of that one. */
#define KINDS_MODELS 16
#define KINDS_LAST KINDS_MODELS

struct kinds;

/** @param limit  most kinds kept, with an example of each */
struct kinds *kinds_create(size_t limit);
void kinds_destroy(struct kinds *k);
/**
 * Remembers what that model says of an exchange.
 * @param model  number of the model, at most KINDS_LAST
 * @return false where there are too many kinds: what the model says of others is not known
 */
bool kinds_add(struct kinds *k, uint64_t kind, unsigned model, const struct exchange_facts *f,
               const struct classified *c);
/** Compares all with what the last model says. */
void kinds_compare(struct kinds *k, const struct site_model *last);
/** @return whether that model got any kind wrong, or may have, as far as kinds_compare() knows */
bool kinds_model_differs(const struct kinds *k, unsigned model);
/** @return whether exchanges of that kind must be classified anew */
bool kinds_differs(const struct kinds *k, uint64_t kind, unsigned model);
/** @return whether there was room for every kind */
bool kinds_is_whole(const struct kinds *k);
/** Ids of the examples, as their facts have them: one of each kind, ascending. @return free() them */
int64_t *kinds_examples(const struct kinds *k, size_t *ret_count);
/** Everything was classified as the last model says: it is model 0 from now on, and the only one. */
void kinds_settle(struct kinds *k);

#endif
