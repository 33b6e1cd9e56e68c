/*
 * pipeline/flat.h - exchanges and facts, each as one piece of memory, to be carried from one thread
 * to the other.
 */
#ifndef HR_PIPELINE_FLAT_H
#define HR_PIPELINE_FLAT_H

#include "http/exchange.h"
#include "session/facts.h"

/** @return bytes that exchange_flatten() needs */
size_t exchange_flat_size(const struct http_exchange *x);
/** Copies the messages with their fields and contents. @param to  aligned for any type */
void exchange_flatten(const struct http_exchange *x, void *to);
/** The exchange again, once: its fields are made from those in `from`, into which all spans point. */
void exchange_unflatten(void *from, struct http_exchange *ret_exchange);

/** @return bytes that facts_flatten() needs */
size_t facts_flat_size(const struct exchange_facts *f);
/** Copies the facts, their marks, tokens and text. @param to  aligned for any type */
void facts_flatten(const struct exchange_facts *f, void *to);
/** @return the tokens of such facts, where they lie */
const struct token_use *facts_flat_tokens(const void *from, size_t *ret_count);
/** The facts again; their spans point into `from`. */
void facts_unflatten(const void *from, struct exchange_facts *ret_facts);

#endif
