/*
 * pipeline/flat.h - facts as one piece of memory, to be carried from one thread to the other.
 */
#ifndef HR_PIPELINE_FLAT_H
#define HR_PIPELINE_FLAT_H

#include "session/facts.h"

/** @return bytes that facts_flatten() needs */
size_t facts_flat_size(const struct exchange_facts *f);
/** Copies the facts, their marks, tokens and text. @param to  aligned for any type */
void facts_flatten(const struct exchange_facts *f, void *to);
/** The facts again; their spans point into `from`. */
void facts_unflatten(const void *from, struct exchange_facts *ret_facts);

#endif
