/*
 * pipeline/queue.h - a bounded queue of records between two threads: one fills, one takes. Records
 * lie one behind the other in blocks, and only whole blocks change hands, so a lock is taken once
 * for thousands of records. A few blocks circulate: who is faster waits.
 */
#ifndef HR_PIPELINE_QUEUE_H
#define HR_PIPELINE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

struct queue_record {
    uint32_t kind; /* what it is, as filler and taker agree */
    void *data;    /* aligned for any type; the taker may write to it */
    size_t size_bytes;
};

/** A record larger than a block is passed all the same, in a block that grows for it. */
struct queue *queue_create(size_t block_bytes, size_t block_count);
/** Neither thread may use it any more. */
void queue_destroy(struct queue *q);

/* The filling side. */
/**
 * Room for a record, which must be filled before the next call; waits for a block.
 * @return NULL after queue_close()
 */
void *queue_reserve(struct queue *q, uint32_t kind, size_t size_bytes);
/** Hands over what was reserved, without waiting for more. */
void queue_flush(struct queue *q);
/** @return how much of the queue waits to be taken: 0 nothing, 1 all; a glance, for it changes */
double queue_fill(struct queue *q);
/** Nothing follows; what was reserved is handed over. Must be called once, also after a close. */
void queue_end(struct queue *q);

/* The taking side. */
/** Waits. @return false at the end; the record is valid until the next call */
bool queue_next(struct queue *q, struct queue_record *ret_record);
/** @return whether the record that many behind the last one taken is at hand, too; it is not taken */
bool queue_look_ahead(const struct queue *q, unsigned ahead, struct queue_record *ret_record);
/** Takes no more: from the next full block on the filler's reserve gives NULL. */
void queue_close(struct queue *q);

#endif
