/*
 * pipeline/extraction.h - the thread between the reading and the writing one: exchanges become
 * facts. What else the reader records is passed on, all in the order in which it came. At the end
 * of a round and at the end of all comes the loss of contents that could not be decoded.
 */
#ifndef HR_PIPELINE_EXTRACTION_H
#define HR_PIPELINE_EXTRACTION_H

#include "pipeline/queue.h"
#include "session/extract.h"

struct extraction;

/**
 * Starts it.
 * @param to  gets what comes out; not ended; nobody else may fill it until extraction_finish()
 * @return 0 or the errno of the thread that could not be made
 */
int extraction_create(const struct extract_config *config, size_t capture_count, struct queue *to,
                      struct extraction **ret_extraction);
/** Tokens remembered to hide them in targets; from any thread. */
size_t extraction_token_count(const struct extraction *e);
/** As of the end of the last round; from any thread. */
void extraction_counters_of_rounds(const struct extraction *e, hr_counter_fn emit, void *user);
/** What the reader fills. Closed once `to` is. */
struct queue *extraction_queue(struct extraction *e);
/** Waits until all has passed. */
void extraction_finish(struct extraction *e);
/** After extraction_finish(). */
void extraction_counters(const struct extraction *e, hr_counter_fn emit, void *user);
/** Finishes where that was not done. */
void extraction_destroy(struct extraction *e);

#endif
