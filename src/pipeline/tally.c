/* The numbers of an ingest: what is held, what was cut off, what was counted. */
#include "pipeline/lane.h"

#include <string.h>

hr_nsec ingest_clock_doubt(const struct ingest *g, size_t capture)
{
    return tcp_table_clock_doubt(g->tcp, capture);
}

uint64_t ingest_exchange_count(const struct ingest *g)
{
    return g->exchanges;
}

void ingest_uses(const struct ingest *g, struct ingest_use ret_uses[INGEST_USES])
{
    const struct pipeline_config *c = &g->config;
    ret_uses[0] =
        (struct ingest_use){"connections", tcp_table_count(g->tcp), c->tcp.connection_limit};
    ret_uses[1] = (struct ingest_use){"out_of_order_bytes", tcp_table_held_bytes(g->tcp),
                                      c->tcp.held_total_bytes};
    ret_uses[2] =
        (struct ingest_use){"message_bytes", http_context_kept_bytes(g->http), c->http.kept_bytes};
    ret_uses[3] = (struct ingest_use){"fragment_bytes", decoder_fragment_bytes(g->decoder),
                                      c->decode.fragment_budget_bytes};
    ret_uses[4] = (struct ingest_use){"datagrams", decoder_fragment_count(g->decoder),
                                      c->decode.fragment_limit};
    ret_uses[5] = (struct ingest_use){"tokens", extraction_token_count(g->extraction),
                                      c->extract.known_token_limit};
    double queued = queue_fill(writer_queue(g->writer)) * (double)g->queue_bytes;
    ret_uses[6] = (struct ingest_use){"store_queue_bytes", (uint64_t)queued, g->queue_bytes};
}

struct counter_sink {
    struct pipeline_result *result;
    const char *stage;
};

struct wanted_counter {
    const char *name;
    uint64_t value;
};

static void find_counter(const struct hr_counter_info *info, uint64_t value, void *user)
{
    struct wanted_counter *c = user;
    c->value = strcmp(info->name, c->name) == 0 ? value : c->value;
}

static uint64_t tcp_counter(const struct ingest *g, const char *name)
{
    struct wanted_counter c = {.name = name};
    tcp_table_counters(g->tcp, find_counter, &c);
    return c.value;
}

static void fill_cut(const struct hr_counter_info *info, uint64_t value, void *user)
{
    struct ingest_cut *cuts = user;
    for (size_t i = 0; i < INGEST_CUTS; i++) {
        cuts[i].count = strcmp(info->name, cuts[i].name) == 0 ? value : cuts[i].count;
    }
}

void ingest_cuts(const struct ingest *g, struct ingest_cut ret_cuts[INGEST_CUTS])
{
    static const char *const names[INGEST_CUTS] = {
        "connections_evicted", "budget_gaps",  "fields_cut",       "waiting_dropped",
        "fragments_dropped",   "contents_cut", "tokens_dropped",   "marks_dropped",
        "tokens_forgotten",    "parts_unread", "refusals_dropped",
    };
    for (size_t i = 0; i < INGEST_CUTS; i++) {
        ret_cuts[i] = (struct ingest_cut){.name = names[i]};
    }
    decoder_counters(g->decoder, fill_cut, ret_cuts);
    tcp_table_counters(g->tcp, fill_cut, ret_cuts);
    http_context_counters(g->http, fill_cut, ret_cuts);
    extraction_counters_of_rounds(g->extraction, fill_cut, ret_cuts);
    ret_cuts[INGEST_CUTS - 1].count = refusals_dropped(g->refusals);
}

uint64_t ingest_gap_count(const struct ingest *g)
{
    return tcp_counter(g, "gaps");
}

uint64_t ingest_shed_count(const struct ingest *g, uint64_t *ret_frames)
{
    *ret_frames = sheds_frames(g->sheds);
    return tcp_counter(g, "connections_shed");
}

static void keep_counter(const struct hr_counter_info *info, uint64_t value, void *user)
{
    struct counter_sink *sink = user;
    pipeline_keep_counter(sink->result, sink->stage, info, value);
}

void ingest_counters(const struct ingest *g, struct pipeline_result *result)
{
    struct counter_sink sink = {.result = result, .stage = "decode"};
    decoder_counters(g->decoder, keep_counter, &sink);
    sink.stage = "tcp";
    tcp_table_counters(g->tcp, keep_counter, &sink);
    sink.stage = "http";
    http_context_counters(g->http, keep_counter, &sink);
    sink.stage = "session";
    extraction_counters(g->extraction, keep_counter, &sink);
    sink.stage = "pipeline";
    keep_counter(&(struct hr_counter_info){"refusals_dropped", "attempts",
                                           "Refused connections past the bound, not stored"},
                 refusals_dropped(g->refusals), &sink);
}
