/*
 * pipeline/writer.h - the thread that alone touches the store while captures are read: takes records
 * from a bounded queue and stores them in that order.
 */
#ifndef HR_PIPELINE_WRITER_H
#define HR_PIPELINE_WRITER_H

#include "pipeline/queue.h"
#include "store/write.h"

struct writer;
struct classifier;

/**
 * Starts it. Until writer_finish() nobody else may use the store.
 * @param import  borrowed; its captures are added already
 * @param classifier  borrowed; is fed every exchange that was stored; NULL: none
 * @return 0 or the errno of the thread that could not be made
 */
int writer_create(struct import *import, struct classifier *classifier, struct writer **ret_writer);
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
