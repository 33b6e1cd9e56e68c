#include "pipeline/writer.h"

#include "base/alloc.h"
#include "pipeline/classify.h"
#include "pipeline/flat.h"
#include "pipeline/records.h"
#include "base/worker.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_BYTES = 128 * 1024,
    BLOCKS = 8,
};

struct stream {
    int64_t id;
    bool orig_is_client;
};

struct writer {
    struct queue *queue;
    struct worker worker;
    atomic_bool has_failed;
    /* The writing thread's own, until it has ended. */
    struct writer_target target;
    int error;              /* first of the store's */
    struct stream *streams; /* by number of the connection */
    size_t stream_limit;    /* length of that array */
    struct exchange_facts facts;
};

static struct stream *stream_of(struct writer *w, size_t conn_number)
{
    if (conn_number >= w->stream_limit) {
        size_t limit = conn_number >= 128 ? 2 * conn_number : 256;
        w->streams = hr_xrealloc(w->streams, limit * sizeof(*w->streams));
        memset(w->streams + w->stream_limit, 0, (limit - w->stream_limit) * sizeof(*w->streams));
        w->stream_limit = limit;
    }
    return &w->streams[conn_number];
}

/* In rounds its row is there before its end; in one import it is put in at its end, once. */
static int begin_stream(struct writer *w, const struct conn_record *c)
{
    struct stream *s = stream_of(w, c->conn_number);
    *s = (struct stream){import_new_stream(w->target.import, &c->conn), c->orig_is_client};
    return w->target.rounds == NULL ? 0
                                    : import_put_stream(w->target.import, s->id, &c->conn,
                                                        TCP_END_NONE, s->orig_is_client);
}

static int end_stream(struct writer *w, const struct conn_record *c)
{
    const struct stream *s = stream_of(w, c->conn_number);
    return (w->target.rounds == NULL ? import_put_stream : import_end_stream)(
        w->target.import, s->id, &c->conn, c->end, s->orig_is_client);
}

static int store_facts(struct writer *w, const struct facts_record *record)
{
    facts_unflatten(record + 1, &w->facts);
    w->facts.stream_id = stream_of(w, record->conn_number)->id;
    int r = import_add_exchange(w->target.import, &w->facts);
    if (r < 0 || w->target.classifier == NULL) {
        return r;
    }
    w->facts.request_capture = (size_t)import_capture(w->target.import, w->facts.request_capture);
    w->facts.response_capture = (size_t)import_capture(w->target.import, w->facts.response_capture);
    return classifier_feed(w->target.classifier, &w->facts);
}

static int store_loss(struct writer *w, struct loss_record *l)
{
    l->row.stream_id = stream_of(w, l->conn_number)->id;
    return import_add_loss(w->target.import, &l->row);
}

static int end_round(struct writer *w, const struct round_record *record)
{
    struct round_end e;
    records_read_round(record, &e);
    w->target.import = NULL;
    return rounds_end(w->target.rounds, &e);
}

/* The import that rows go into begins with its first row. */
static int need_import(struct writer *w, enum record_kind kind)
{
    return w->target.import != NULL || kind == RECORD_ROUND || kind == RECORD_CHANGE
               ? 0
               : rounds_open(w->target.rounds, &w->target.import);
}

static int store_record(struct writer *w, const struct queue_record *record)
{
    const struct conn_record *c = record->data;
    const struct change_record *change = record->data;
    int r = need_import(w, record->kind);
    if (r < 0) {
        return r;
    }
    switch ((enum record_kind)record->kind) {
    case RECORD_CONN:
        return begin_stream(w, c);
    case RECORD_CONN_END:
        return end_stream(w, c);
    case RECORD_FACTS:
        return store_facts(w, record->data);
    case RECORD_LOSS:
        return store_loss(w, record->data);
    case RECORD_REFUSAL:
        return import_add_refusal(w->target.import, record->data);
    case RECORD_ROUND:
        return end_round(w, record->data);
    case RECORD_CHANGE:
        return rounds_change(w->target.rounds, change->profiles, change->rules);
    case RECORD_MESSAGES:
        break; /* facts by now */
    }
    return -EINVAL;
}

/* Asks memory for what the record that many behind the present one will need. */
static void fetch_ahead(const struct writer *w, unsigned ahead, enum import_fetch step)
{
    struct queue_record record;
    if (w->target.import == NULL || !queue_look_ahead(w->queue, ahead, &record) ||
        record.kind != RECORD_FACTS) {
        return;
    }
    size_t count;
    const struct facts_record *facts = record.data;
    const struct token_use *tokens = facts_flat_tokens(facts + 1, &count);
    for (size_t i = 0; i < count; i++) {
        import_fetch(w->target.import, &tokens[i], step);
    }
}

static void *write_records(void *user)
{
    struct writer *w = user;
    struct queue_record record;
    while (queue_next(w->queue, &record)) {
        fetch_ahead(w, 2, IMPORT_FETCH_FIRST);
        fetch_ahead(w, 1, IMPORT_FETCH_SECOND);
        int r = w->error == 0 ? store_record(w, &record) : 0;
        if (r < 0) {
            w->error = r;
            atomic_store(&w->has_failed, true);
            queue_close(w->queue);
        }
    }
    return NULL;
}

int writer_create(const struct writer_target *target, struct writer **ret_writer)
{
    struct writer *w = hr_xcalloc(1, sizeof(*w));
    size_t blocks = target->queue_bytes / BLOCK_BYTES;
    w->target = *target;
    w->queue = queue_create(BLOCK_BYTES, blocks > BLOCKS ? blocks : BLOCKS);
    int r = worker_start(&w->worker, "store", write_records, w);
    if (r < 0) {
        writer_destroy(w);
        return r;
    }
    *ret_writer = w;
    return 0;
}

struct queue *writer_queue(struct writer *w)
{
    return w->queue;
}

bool writer_has_failed(const struct writer *w)
{
    return atomic_load(&w->has_failed);
}

int writer_finish(struct writer *w)
{
    if (w->worker.is_running) {
        queue_end(w->queue);
        worker_join(&w->worker);
    }
    return w->error;
}

void writer_destroy(struct writer *w)
{
    if (w != NULL) {
        writer_finish(w);
        queue_destroy(w->queue);
        free(w->streams);
        free(w);
    }
}
