#include "pipeline/extraction.h"

#include "base/alloc.h"
#include "base/worker.h"
#include "pipeline/flat.h"
#include "pipeline/records.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    BLOCK_BYTES = 128 * 1024,
    BLOCKS = 8,
    COUNTERS = sizeof(struct extract_counters) / sizeof(uint64_t),
};

/* Contents that could not be decoded, of one capture. */
struct undecoded {
    uint64_t count;
    uint64_t bytes;
    hr_nsec from_at;
    hr_nsec to_at;
};

struct extraction {
    struct queue *from;
    atomic_size_t token_count; /* for other threads */
    atomic_uint_fast64_t counts[COUNTERS];
    struct worker worker;
    /* The extracting thread's own, until it has ended. */
    struct queue *to;
    struct extractor *extractor;
    struct undecoded *undecoded; /* by capture; not told yet */
    size_t capture_count;
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
    extractor_feed(e->extractor, &e->exchange, &m->client, &m->server, &e->facts);
    atomic_store_explicit(&e->token_count, extractor_token_count(e->extractor),
                          memory_order_relaxed);
    if (extractor_undecoded_count(e->extractor) != undecoded) {
        note_undecoded(&e->undecoded[m->capture], &e->facts);
    }
    return records_put_facts(e->to, m->conn_number, &e->facts);
}

static void tell_undecoded(struct extraction *e)
{
    for (size_t i = 0; i < e->capture_count; i++) {
        struct undecoded *u = &e->undecoded[i];
        struct loss_row row = {
            .kind = LOSS_UNDECODED,
            .capture_id = (int64_t)i,
            .from_at = u->from_at,
            .to_at = u->to_at,
            .bytes = u->bytes,
            .count = u->count,
        };
        if (u->count > 0) {
            records_put_loss(e->to, 0, &row);
        }
        *u = (struct undecoded){.count = 0};
    }
}

struct tally {
    struct extraction *e;
    size_t at;
};

static void publish(const struct hr_counter_info *info, uint64_t value, void *user)
{
    struct tally *t = user;
    (void)info;
    atomic_store_explicit(&t->e->counts[t->at++], value, memory_order_relaxed);
}

static bool pass(struct extraction *e, const struct queue_record *record)
{
    const struct change_record *change = record->data;
    if (record->kind != RECORD_ROUND && record->kind != RECORD_CHANGE) {
        return records_pass(e->to, record);
    }
    if (record->kind == RECORD_CHANGE) {
        extractor_use(e->extractor, change->profiles);
    } else {
        tell_undecoded(e);
        extractor_counters(e->extractor, publish, &(struct tally){.e = e});
    }
    bool goes_on = records_pass(e->to, record);
    queue_flush(e->to);
    return goes_on;
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
        goes_on = record.kind == RECORD_MESSAGES ? extract(e, record.data) : pass(e, &record);
        if (!goes_on) {
            queue_close(e->from);
        }
    }
    tell_undecoded(e);
    return NULL;
}

int extraction_create(const struct extract_config *config, size_t capture_count, struct queue *to,
                      struct extraction **ret_extraction)
{
    struct extraction *e = hr_xcalloc(1, sizeof(*e));
    e->to = to;
    e->extractor = extractor_create(config);
    e->capture_count = capture_count;
    e->undecoded = hr_xcalloc(capture_count, sizeof(*e->undecoded));
    e->from = queue_create(BLOCK_BYTES, BLOCKS);
    const int r = worker_start(&e->worker, "extract", extract_records, e);
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

size_t extraction_token_count(const struct extraction *e)
{
    return atomic_load_explicit(&e->token_count, memory_order_relaxed);
}

void extraction_counters_of_rounds(const struct extraction *e, hr_counter_fn emit, void *user)
{
    static const struct hr_counter_info info[COUNTERS] = {EXTRACT_COUNTERS(HR_COUNTER_INFO)};
    for (size_t i = 0; i < COUNTERS; i++) {
        emit(&info[i], atomic_load_explicit(&e->counts[i], memory_order_relaxed), user);
    }
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
