#include "pipeline/records.h"

#include "pipeline/flat.h"

#include <string.h>

static bool put(struct queue *q, enum record_kind kind, const void *record, size_t size)
{
    void *to = queue_reserve(q, kind, size);
    if (to != NULL) {
        memcpy(to, record, size);
    }
    return to != NULL;
}

void records_put_conn(struct queue *q, size_t conn_number, const struct tcp_conn *c,
                      bool orig_is_client)
{
    const struct conn_record record = {
        .conn_number = conn_number, .orig_is_client = orig_is_client, .conn = *c};
    put(q, RECORD_CONN, &record, sizeof(record));
}

void records_put_conn_end(struct queue *q, size_t conn_number, const struct tcp_conn *c,
                          enum tcp_end end)
{
    const struct conn_record record = {.conn_number = conn_number, .end = end, .conn = *c};
    put(q, RECORD_CONN_END, &record, sizeof(record));
}

void records_put_messages(struct queue *q, const struct messages_record *m,
                          const struct http_exchange *x)
{
    struct messages_record *to =
        queue_reserve(q, RECORD_MESSAGES, sizeof(*to) + exchange_flat_size(x));
    if (to != NULL) {
        *to = *m;
        exchange_flatten(x, to + 1);
    }
}

bool records_put_facts(struct queue *q, size_t conn_number, const struct exchange_facts *f)
{
    struct facts_record *to = queue_reserve(q, RECORD_FACTS, sizeof(*to) + facts_flat_size(f));
    if (to != NULL) {
        to->conn_number = conn_number;
        facts_flatten(f, to + 1);
    }
    return to != NULL;
}

void records_put_loss(struct queue *q, size_t conn_number, const struct loss_row *row)
{
    const struct loss_record record = {.conn_number = conn_number, .row = *row};
    put(q, RECORD_LOSS, &record, sizeof(record));
}

void records_put_refusal(struct queue *q, const struct refusal_row *row)
{
    put(q, RECORD_REFUSAL, row, sizeof(*row));
}

void records_put_round(struct queue *q, const struct round_end *e)
{
    size_t infos = e->capture_count * sizeof(*e->infos);
    size_t pending = e->pending_count * sizeof(*e->pending);
    size_t doubts = e->capture_count * sizeof(*e->clock_doubts);
    struct round_record *to =
        queue_reserve(q, RECORD_ROUND, sizeof(*to) + infos + pending + doubts);
    if (to != NULL) {
        *to = (struct round_record){.capture_count = e->capture_count,
                                    .pending_count = e->pending_count,
                                    .last_at = e->last_at,
                                    .waits_since = e->waits_since,
                                    .is_last = e->is_last,
                                    .is_hurried = e->is_hurried};
        char *arrays = (char *)(to + 1);
        memcpy(arrays, e->infos, infos);
        memcpy(arrays + infos, e->pending, pending);
        memcpy(arrays + infos + pending, e->clock_doubts, doubts);
        queue_flush(q);
    }
}

void records_read_round(const struct round_record *record, struct round_end *ret_end)
{
    const struct capture_info *infos = (const void *)(record + 1);
    const struct round_pending *pending = (const void *)(infos + record->capture_count);
    *ret_end = (struct round_end){
        .infos = infos,
        .clock_doubts = (const void *)(pending + record->pending_count),
        .capture_count = record->capture_count,
        .pending = pending,
        .pending_count = record->pending_count,
        .last_at = record->last_at,
        .waits_since = record->waits_since,
        .is_last = record->is_last,
        .is_hurried = record->is_hurried,
    };
}

void records_put_change(struct queue *q, const struct profile_set *profiles, struct rule_set *rules)
{
    const struct change_record record = {.profiles = profiles, .rules = rules};
    if (put(q, RECORD_CHANGE, &record, sizeof(record))) {
        queue_flush(q);
    }
}

bool records_pass(struct queue *q, const struct queue_record *record)
{
    return put(q, (enum record_kind)record->kind, record->data, record->size_bytes);
}
