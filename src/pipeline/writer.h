/*
 * pipeline/writer.h - the thread that alone touches the store while captures are read. The reading
 * thread puts connections, exchanges and losses into a bounded queue; they are stored in that
 * order. Connections are named by a number of the reader's, which may be used again after the end
 * of the connection.
 */
#ifndef HR_PIPELINE_WRITER_H
#define HR_PIPELINE_WRITER_H

#include "session/facts.h"
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
/** @param conn_number  from 1 on, and small: they are kept in an array */
void writer_add_conn(struct writer *w, size_t conn_number, const struct tcp_conn *c,
                     bool orig_is_client);
void writer_end_conn(struct writer *w, size_t conn_number, const struct tcp_conn *c,
                     enum tcp_end end);
/** Copies all that the facts' spans point to. */
void writer_add_exchange(struct writer *w, size_t conn_number, const struct exchange_facts *f);
void writer_add_loss(struct writer *w, size_t conn_number, const struct loss_row *row);
void writer_add_refusal(struct writer *w, const struct refusal_row *row);
/** @return true after an error of the store: nothing is stored any more */
bool writer_has_failed(const struct writer *w);
/** Waits until all is stored. @return 0, or the first negative errno of the store */
int writer_finish(struct writer *w);
/** Finishes where that was not done. */
void writer_destroy(struct writer *w);

#endif
