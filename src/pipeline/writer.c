/*
 * Records in the queue, and what the writing thread does with each.
 */
#include "pipeline/writer.h"

#include "base/alloc.h"
#include "pipeline/classify.h"
#include "pipeline/flat.h"
#include "pipeline/queue.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_BYTES = 256 * 1024,
    BLOCKS = 8,
};

enum record_kind {
    RECORD_CONN,
    RECORD_CONN_END,
    RECORD_EXCHANGE,
    RECORD_LOSS,
    RECORD_REFUSAL,
};

struct conn_record {
    size_t conn_number;
    bool orig_is_client;
    enum tcp_end end;
    struct tcp_conn conn; /* its user pointer is the reader's */
};

struct loss_record {
    size_t conn_number;
    struct loss_row row;
};

struct writer {
    struct queue *queue;
    pthread_t thread;
    bool is_running;
    atomic_bool has_failed;
    /* The writing thread's own, until it has ended. */
    struct import *import;
    struct classifier *classifier; /* NULL: none */
    int error;                     /* first of the store's */
    int64_t *stream_ids;
    size_t stream_limit; /* length of that array */
    struct exchange_facts facts;
};

static int64_t *stream_of(struct writer *w, size_t conn_number)
{
    if (conn_number >= w->stream_limit) {
        size_t limit = conn_number >= 128 ? 2 * conn_number : 256;
        w->stream_ids = hr_xrealloc(w->stream_ids, limit * sizeof(*w->stream_ids));
        memset(w->stream_ids + w->stream_limit, 0,
               (limit - w->stream_limit) * sizeof(*w->stream_ids));
        w->stream_limit = limit;
    }
    return &w->stream_ids[conn_number];
}

static int store_exchange(struct writer *w, const struct queue_record *record)
{
    size_t conn_number = 0;
    memcpy(&conn_number, record->data, sizeof(conn_number));
    facts_unflatten((const char *)record->data + sizeof(conn_number), &w->facts);
    w->facts.stream_id = *stream_of(w, conn_number);
    int r = import_add_exchange(w->import, &w->facts);
    return r == 0 && w->classifier != NULL ? classifier_feed(w->classifier, &w->facts) : r;
}

static int store_loss(struct writer *w, struct loss_record *l)
{
    l->row.stream_id = *stream_of(w, l->conn_number);
    return import_add_loss(w->import, &l->row);
}

static int store_record(struct writer *w, const struct queue_record *record)
{
    struct conn_record *c = record->data;
    switch ((enum record_kind)record->kind) {
    case RECORD_CONN:
        return import_add_stream(w->import, &c->conn, c->orig_is_client,
                                 stream_of(w, c->conn_number));
    case RECORD_CONN_END:
        return import_end_stream(w->import, *stream_of(w, c->conn_number), &c->conn, c->end);
    case RECORD_EXCHANGE:
        return store_exchange(w, record);
    case RECORD_LOSS:
        return store_loss(w, record->data);
    case RECORD_REFUSAL:
        return import_add_refusal(w->import, record->data);
    }
    return -EINVAL;
}

static void *write_records(void *user)
{
    struct writer *w = user;
    struct queue_record record;
    while (queue_next(w->queue, &record)) {
        int r = w->error == 0 ? store_record(w, &record) : 0;
        if (r < 0) {
            w->error = r;
            atomic_store(&w->has_failed, true);
            queue_close(w->queue);
        }
    }
    return NULL;
}

/* Signals are for the thread that was there before. */
static int start_thread(struct writer *w)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&w->thread, NULL, write_records, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    w->is_running = r == 0;
    return -r;
}

int writer_create(struct import *import, struct classifier *classifier, struct writer **ret_writer)
{
    struct writer *w = hr_xcalloc(1, sizeof(*w));
    w->import = import;
    w->classifier = classifier;
    w->queue = queue_create(BLOCK_BYTES, BLOCKS);
    int r = start_thread(w);
    if (r < 0) {
        writer_destroy(w);
        return r;
    }
    *ret_writer = w;
    return 0;
}

static void put_conn(struct writer *w, enum record_kind kind, const struct conn_record *from)
{
    struct conn_record *to = queue_reserve(w->queue, kind, sizeof(*to));
    if (to != NULL) {
        *to = *from;
    }
}

void writer_add_conn(struct writer *w, size_t conn_number, const struct tcp_conn *c,
                     bool orig_is_client)
{
    struct conn_record record = {
        .conn_number = conn_number, .orig_is_client = orig_is_client, .conn = *c};
    put_conn(w, RECORD_CONN, &record);
}

void writer_end_conn(struct writer *w, size_t conn_number, const struct tcp_conn *c,
                     enum tcp_end end)
{
    struct conn_record record = {.conn_number = conn_number, .end = end, .conn = *c};
    put_conn(w, RECORD_CONN_END, &record);
}

void writer_add_exchange(struct writer *w, size_t conn_number, const struct exchange_facts *f)
{
    size_t size = sizeof(conn_number) + facts_flat_size(f);
    char *to = queue_reserve(w->queue, RECORD_EXCHANGE, size);
    if (to != NULL) {
        memcpy(to, &conn_number, sizeof(conn_number));
        facts_flatten(f, to + sizeof(conn_number));
    }
}

void writer_add_loss(struct writer *w, size_t conn_number, const struct loss_row *row)
{
    struct loss_record *to = queue_reserve(w->queue, RECORD_LOSS, sizeof(*to));
    if (to != NULL) {
        *to = (struct loss_record){.conn_number = conn_number, .row = *row};
    }
}

void writer_add_refusal(struct writer *w, const struct refusal_row *row)
{
    struct refusal_row *to = queue_reserve(w->queue, RECORD_REFUSAL, sizeof(*to));
    if (to != NULL) {
        *to = *row;
    }
}

bool writer_has_failed(const struct writer *w)
{
    return atomic_load(&w->has_failed);
}

int writer_finish(struct writer *w)
{
    if (w->is_running) {
        queue_end(w->queue);
        pthread_join(w->thread, NULL);
        w->is_running = false;
    }
    return w->error;
}

void writer_destroy(struct writer *w)
{
    if (w != NULL) {
        writer_finish(w);
        queue_destroy(w->queue);
        free(w->stream_ids);
        free(w);
    }
}
