/*
 * pipeline/writer.h - the thread that alone touches the store while captures are read: takes records
 * from a bounded queue and stores them in that order. All goes into one import, or into one after
 * another, round by round.
 */
#ifndef HR_PIPELINE_WRITER_H
#define HR_PIPELINE_WRITER_H

#include "pipeline/queue.h"
#include "pipeline/rounds.h"
#include "store/write.h"

struct writer;
struct classifier;

/* Where rows go. All borrowed. */
struct writer_target {
    struct import *import;         /* its captures are added already; NULL: in rounds */
    struct classifier *classifier; /* is fed every exchange that was stored; NULL: none */
    struct rounds *rounds;         /* NULL: one import */
    size_t queue_bytes;            /* 0: what threads need that are about as fast */
};

/**
 * Starts it. Until writer_finish() nobody else may use the store.
 * @return 0 or the errno of the thread that could not be made
 */
int writer_create(const struct writer_target *target, struct writer **ret_writer);
/** What is to be filled, with pipeline/records.h; closed after an error of the store. */
struct queue *writer_queue(struct writer *w);
/** @return true after an error of the store: nothing is stored any more */
bool writer_has_failed(const struct writer *w);
/** Nobody fills the queue any more; waits until all is stored. @return 0, or the first negative errno
 * of the store */
int writer_finish(struct writer *w);
/** Finishes where that was not done. */
void writer_destroy(struct writer *w);

#endif
