#include "pipeline/extraction.h"

#include "base/alloc.h"
#include "pipeline/flat.h"
#include "pipeline/records.h"
#include "pipeline/worker.h"

#include <stdlib.h>

enum {
    BLOCK_BYTES = 256 * 1024,
    BLOCKS = 8,
};

struct extraction {
    struct queue *from;
    struct worker worker;
    /* The extracting thread's own, until it has ended. */
    struct queue *to;
    struct extractor *extractor;
    struct undecoded *undecoded; /* by capture */
    struct http_exchange exchange;
    struct exchange_facts facts;
};

static void note_undecoded(struct undecoded *u, const struct exchange_facts *f)
{
    const hr_nsec at = f->request_at != HR_NSEC_INFINITE ? f->request_at : f->response_at;
    u->from_at = u->count == 0 || at < u->from_at ? at : u->from_at;
    u->to_at = u->count == 0 || at > u->to_at ? at : u->to_at;
    u->count++;
    u->bytes += f->response_bytes;
}

static bool extract(struct extraction *e, struct messages_record *m)
{
    const uint64_t undecoded = extractor_undecoded_count(e->extractor);
    exchange_unflatten(m + 1, &e->exchange);
    extractor_feed(e->extractor, &e->exchange, &m->server, &e->facts);
    if (extractor_undecoded_count(e->extractor) != undecoded) {
        note_undecoded(&e->undecoded[m->capture], &e->facts);
    }
    return records_put_facts(e->to, m->conn_number, &e->facts);
}

static void *extract_records(void *user)
{
    struct extraction *e = user;
    struct queue_record record;
    bool goes_on = true;
    while (queue_next(e->from, &record)) {
        if (!goes_on) {
            continue; /* what the reader had filled before it knew */
        }
        goes_on =
            record.kind == RECORD_MESSAGES ? extract(e, record.data) : records_pass(e->to, &record);
        if (!goes_on) {
            queue_close(e->from);
        }
    }
    return NULL;
}

int extraction_create(const struct extract_config *config, size_t capture_count, struct queue *to,
                      struct extraction **ret_extraction)
{
    struct extraction *e = hr_xcalloc(1, sizeof(*e));
    e->to = to;
    e->extractor = extractor_create(config);
    e->undecoded = hr_xcalloc(capture_count, sizeof(*e->undecoded));
    e->from = queue_create(BLOCK_BYTES, BLOCKS);
    const int r = worker_start(&e->worker, extract_records, e);
    if (r < 0) {
        extraction_destroy(e);
        return r;
    }
    *ret_extraction = e;
    return 0;
}

struct queue *extraction_queue(struct extraction *e)
{
    return e->from;
}

void extraction_finish(struct extraction *e)
{
    if (e->worker.is_running) {
        queue_end(e->from);
        worker_join(&e->worker);
    }
}

struct undecoded extraction_undecoded(const struct extraction *e, size_t capture)
{
    return e->undecoded[capture];
}

void extraction_counters(const struct extraction *e, hr_counter_fn emit, void *user)
{
    extractor_counters(e->extractor, emit, user);
}

void extraction_destroy(struct extraction *e)
{
    if (e != NULL) {
        extraction_finish(e);
        queue_destroy(e->from);
        extractor_destroy(e->extractor);
        free(e->undecoded);
        free(e);
    }
}
