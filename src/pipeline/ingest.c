/*
 * The stages are created back to front, each given the next one's function. All this is the reading
 * thread; what it finds goes as records to the extracting thread and from there to the writing one.
 * They know connections by small numbers that are used again.
 */
#include "pipeline/ingest.h"

#include "base/alloc.h"
#include "pipeline/lane.h"
#include "pipeline/records.h"

#include <stdlib.h>

/* So many servers with requests under way are told apart. */
#define PENDING_LIMIT 1024

static void on_refusals(const struct refusal_row *row, void *user)
{
    struct ingest *g = user;
    records_put_refusal(g->out, row);
}

static void on_shed(const struct tcp_segment *s, const struct net_endpoint *server, void *user)
{
    struct ingest *g = user;
    sheds_add(g->sheds, s->capture, server, s->at);
}

static void on_shed_loss(const struct loss_row *row, void *user)
{
    struct ingest *g = user;
    records_put_loss(g->out, 0, row);
}

static void on_segment(const struct tcp_segment *s, void *user)
{
    struct ingest *g = user;
    tcp_table_feed(g->tcp, s);
}

int ingest_create(const struct pipeline_config *config, const struct hr_key *key,
                  const struct profile_set *profiles, const struct writer_target *target,
                  size_t capture_count, struct ingest **ret_ingest)
{
    static const struct http_callbacks http_callbacks = {.exchange = lane_exchange,
                                                         .loss = lane_loss};
    static const struct tcp_callbacks tcp_callbacks = {.open = lane_open,
                                                       .chunk = lane_chunk,
                                                       .close = lane_close,
                                                       .shed = on_shed,
                                                       .fetch = lane_fetch};
    struct ingest *g = hr_xcalloc(1, sizeof(*g));
    struct extract_config extract = config->extract;
    LIST_INIT(&g->lanes);
    g->key = *key;
    extract.key = &g->key;
    extract.profiles = profiles;
    int r = writer_create(target, &g->writer);
    r = r == 0 ? extraction_create(&extract, capture_count, writer_queue(g->writer), &g->extraction)
               : r;
    if (r < 0) {
        ingest_destroy(g);
        return r;
    }
    g->out = extraction_queue(g->extraction);
    g->blindness = hr_xcalloc(capture_count, sizeof(*g->blindness));
    g->capture_count = capture_count;
    g->last_at = INT64_MIN;
    g->latest = HR_NSEC_INFINITE;
    g->config = *config;
    g->queue_bytes = target->queue_bytes;
    g->http = http_context_create(&config->http, &http_callbacks);
    g->tcp = tcp_table_create(&config->tcp, &tcp_callbacks, g, capture_count);
    g->decoder = decoder_create(&config->decode, on_segment, g);
    g->refusals = refusals_create(on_refusals, g);
    g->sheds = sheds_create(on_shed_loss, g);
    *ret_ingest = g;
    return 0;
}

static void foresee(struct ingest *g, const struct packet *p)
{
    _Static_assert(CAPTURE_AHEAD_FRAMES == TCP_AHEAD_FRAMES, "one shows, the other looks");
    struct net_endpoint ends[2];
    if (p->ahead.ptr == NULL) {
        return;
    }
    tcp_table_foresee(g->tcp, decode_look_ahead(p->ahead, p->link_type, ends) ? ends : NULL);
}

void ingest_feed(struct ingest *g, const struct packet *p)
{
    hr_nsec at = p->at < g->latest ? p->at : g->latest;
    g->last_at = at > g->last_at ? at : g->last_at;
    foresee(g, p);
    decoder_feed(g->decoder, p);
    while (http_context_kept_bytes(g->http) > g->config.http.kept_bytes &&
           tcp_table_evict(g->tcp)) {
    }
}

/* Enters into the ledger what could not be read. */
static void flush_blindness(struct ingest *g)
{
    static const enum loss_kind kinds[BLIND_KINDS] = {
        [BLIND_TLS] = LOSS_TLS,
        [BLIND_HTTP2] = LOSS_HTTP2,
        [BLIND_NOT_HTTP] = LOSS_NOT_HTTP,
    };
    for (size_t i = 0; i < g->capture_count * BLIND_KINDS; i++) {
        struct blindness *b = &g->blindness[i / BLIND_KINDS][i % BLIND_KINDS];
        struct loss_row row = {
            .kind = kinds[i % BLIND_KINDS],
            .capture_id = (int64_t)(i / BLIND_KINDS),
            .from_at = b->from_at,
            .to_at = b->to_at,
            .bytes = b->bytes,
            .count = b->count,
        };
        if (b->count > 0) {
            records_put_loss(g->out, 0, &row);
        }
        *b = (struct blindness){.count = 0};
    }
}

void ingest_advance(struct ingest *g, hr_nsec at)
{
    tcp_table_advance(g->tcp, at);
}

void ingest_shift_clock(struct ingest *g, hr_nsec by)
{
    g->last_at = g->last_at != INT64_MIN ? hr_nsec_add(g->last_at, by) : INT64_MIN;
    tcp_table_shift_clock(g->tcp, by);
}

void ingest_limit_clock(struct ingest *g, hr_nsec latest)
{
    g->latest = latest;
    tcp_table_limit_clock(g->tcp, latest);
}

static void add_capture_loss(struct ingest *g, enum loss_kind kind, size_t capture, hr_nsec from_at,
                             hr_nsec to_at, uint64_t count)
{
    struct loss_row row = {
        .kind = kind,
        .capture_id = (int64_t)capture,
        .from_at = from_at,
        .to_at = to_at,
        .count = count,
        .hides_exchanges = true,
    };
    records_put_loss(g->out, 0, &row);
}

void ingest_add_drops(struct ingest *g, size_t capture, hr_nsec from_at, hr_nsec to_at,
                      uint64_t count)
{
    add_capture_loss(g, LOSS_DROPPED, capture, from_at, to_at, count);
}

void ingest_add_clock_step(struct ingest *g, size_t capture, hr_nsec from_at, hr_nsec to_at)
{
    add_capture_loss(g, LOSS_CLOCK_SET, capture, from_at, to_at, 1);
}

/* Requests under way, by server. @return how many servers; past the limit all are one */
static size_t collect_pending(const struct ingest *g, struct round_pending *to, hr_nsec *rest_since)
{
    const struct lane *l;
    size_t count = 0;
    LIST_FOREACH(l, &g->lanes, link)
    {
        hr_nsec since = l->http != NULL ? http_conn_pending_since(l->http) : HR_NSEC_INFINITE;
        size_t k = 0;
        if (since == HR_NSEC_INFINITE) {
            continue;
        }
        while (k < count && net_endpoint_compare(&to[k].server, lane_server(l)) != 0) {
            k++;
        }
        if (k == PENDING_LIMIT) {
            *rest_since = since < *rest_since ? since : *rest_since;
            continue;
        }
        if (k == count) {
            to[count++] = (struct round_pending){.server = *lane_server(l), .since = since};
        }
        to[k].since = since < to[k].since ? since : to[k].since;
    }
    return count;
}

void ingest_end_round(struct ingest *g, const struct capture_info *infos, bool is_last,
                      bool is_hurried)
{
    struct round_pending *pending = hr_xcalloc(PENDING_LIMIT, sizeof(*pending));
    hr_nsec *doubts = hr_xcalloc(g->capture_count, sizeof(*doubts));
    struct round_end e = {
        .infos = infos,
        .clock_doubts = doubts,
        .capture_count = g->capture_count,
        .last_at = g->last_at,
        .pending = pending,
        .waits_since = tcp_table_waits_since(g->tcp),
        .is_last = is_last,
        .is_hurried = is_hurried,
    };
    if (is_last) {
        tcp_table_finish(g->tcp);
        refusals_finish(g->refusals);
    } else {
        refusals_flush(g->refusals, g->last_at);
        e.pending_count = collect_pending(g, pending, &e.waits_since);
    }
    flush_blindness(g);
    sheds_flush(g->sheds);
    for (size_t i = 0; i < g->capture_count; i++) {
        doubts[i] = tcp_table_clock_doubt(g->tcp, i);
        doubts[i] = doubts[i] > infos[i].largest_step_back ? doubts[i] : infos[i].largest_step_back;
    }
    records_put_round(g->out, &e);
    free(doubts);
    free(pending);
}

void ingest_shed(struct ingest *g, unsigned sixteenths)
{
    tcp_table_shed(g->tcp, sixteenths);
}

double ingest_fill(const struct ingest *g)
{
    double before = queue_fill(g->out);
    double behind = queue_fill(writer_queue(g->writer));
    return before > behind ? before : behind;
}

void ingest_change(struct ingest *g, const struct profile_set *profiles, struct rule_set *rules)
{
    records_put_change(g->out, profiles, rules);
}

size_t ingest_connection_count(const struct ingest *g)
{
    return g->lane_count;
}

int ingest_finish(struct ingest *g)
{
    tcp_table_finish(g->tcp);
    refusals_finish(g->refusals);
    flush_blindness(g);
    extraction_finish(g->extraction);
    return writer_finish(g->writer);
}

bool ingest_has_failed(const struct ingest *g)
{
    return writer_has_failed(g->writer);
}

void ingest_destroy(struct ingest *g)
{
    if (g != NULL) {
        extraction_destroy(g->extraction);
        writer_destroy(g->writer);
        refusals_destroy(g->refusals);
        sheds_destroy(g->sheds);
        free(g->free_numbers);
        free(g->blindness);
        decoder_destroy(g->decoder);
        tcp_table_destroy(g->tcp);
        http_context_destroy(g->http);
        hr_wipe(&g->key, sizeof(g->key));
        free(g);
    }
}
