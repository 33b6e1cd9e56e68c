/*
 * The stages are created back to front, each given the next one's function. A connection's part
 * (struct lane) hangs on tcp_conn.user; its row in the store is made with its first exchange or
 * loss, so connections that are not HTTP leave none; one on which nobody said anything leaves one
 * where its server closed it. Refused ones are only counted, by server and time. All this is the
 * reading thread; what it finds goes as records to the extracting thread and from there to the
 * writing one. They know connections by small numbers that are used again.
 */
#include "pipeline/ingest.h"

#include "base/alloc.h"
#include "pipeline/extraction.h"
#include "pipeline/records.h"
#include "pipeline/refusals.h"
#include "pipeline/sheds.h"
#include "pipeline/writer.h"

#include <stdlib.h>
#include <sys/queue.h>

/* So many servers with requests under way are told apart. */
#define PENDING_LIMIT 1024

/* What could not be read, added up by capture. */
enum blindness_kind {
    BLIND_TLS,
    BLIND_HTTP2,
    BLIND_NOT_HTTP,
    BLIND_KINDS,
};

struct blindness {
    uint64_t count;
    uint64_t bytes;
    hr_nsec from_at;
    hr_nsec to_at;
};

struct lane {
    LIST_ENTRY(lane) link;
    struct ingest *ingest;
    struct tcp_conn *conn;
    struct http_conn *http;
    size_t number; /* in records; 0: not told yet */
};

struct ingest {
    LIST_HEAD(lanes, lane) lanes; /* open connections */
    size_t lane_count;
    hr_nsec last_at;                            /* of the frames, as far as the clock goes: */
    hr_nsec latest;                             /* none can be of later */
    struct blindness (*blindness)[BLIND_KINDS]; /* by capture */
    size_t capture_count;
    struct decoder *decoder;
    struct tcp_table *tcp;
    struct http_context *http;
    struct pipeline_config config;
    size_t queue_bytes; /* of the way to the store */
    struct queue *out;  /* to the extraction */
    struct extraction *extraction;
    struct writer *writer;
    struct refusals *refusals;
    struct sheds *sheds;
    struct hr_key key;
    uint64_t exchanges;
    size_t *free_numbers; /* of connections that ended */
    size_t free_count;
    size_t number_count; /* given out, free ones included */
};

static size_t take_number(struct ingest *g)
{
    if (g->free_count > 0) {
        return g->free_numbers[--g->free_count];
    }
    g->free_numbers = hr_xgrow(g->free_numbers, g->number_count, sizeof(*g->free_numbers));
    return ++g->number_count;
}

static void give_number(struct ingest *g, size_t number)
{
    g->free_numbers[g->free_count++] = number;
}

static bool orig_is_client(const struct lane *l)
{
    return l->http == NULL || http_conn_client_side(l->http) != 1;
}

static const struct net_endpoint *server_of(const struct lane *l)
{
    return orig_is_client(l) ? &l->conn->resp : &l->conn->orig;
}

static const struct net_endpoint *client_of(const struct lane *l)
{
    return orig_is_client(l) ? &l->conn->orig : &l->conn->resp;
}

static void tell_conn(struct lane *l)
{
    if (l->number == 0) {
        l->number = take_number(l->ingest);
        records_put_conn(l->ingest->out, l->number, l->conn, orig_is_client(l));
    }
}

static void add_blindness(struct ingest *g, size_t capture, enum blindness_kind kind,
                          const struct blindness *more)
{
    struct blindness *b = &g->blindness[capture][kind];
    b->from_at = b->count == 0 || more->from_at < b->from_at ? more->from_at : b->from_at;
    b->to_at = b->count == 0 || more->to_at > b->to_at ? more->to_at : b->to_at;
    b->count += more->count;
    b->bytes += more->bytes;
}

/* A connection that is no HTTP/1, or not to its end. */
static void note_other(struct ingest *g, const struct lane *l)
{
    static const enum blindness_kind kinds[] = {
        [HTTP_CONN_UNDECIDED] = BLIND_KINDS, [HTTP_CONN_HTTP] = BLIND_KINDS,
        [HTTP_CONN_OTHER] = BLIND_NOT_HTTP,  [HTTP_CONN_TLS] = BLIND_TLS,
        [HTTP_CONN_HTTP2] = BLIND_HTTP2,
    };
    const struct tcp_conn *c = l->conn;
    if (l->http == NULL) {
        return;
    }
    enum http_conn_kind rest;
    uint64_t bytes = http_conn_rest(l->http, &rest);
    enum blindness_kind kind = kinds[bytes > 0 ? rest : http_conn_kind(l->http)];
    if (kind != BLIND_KINDS) {
        add_blindness(g, c->capture, kind,
                      &(struct blindness){.count = 1,
                                          .bytes = bytes > 0 ? bytes : c->bytes[0] + c->bytes[1],
                                          .from_at = c->first_at,
                                          .to_at = c->last_at});
    }
}

static void add_loss(struct lane *l, struct loss_row row)
{
    tell_conn(l);
    row.capture_id = (int64_t)l->conn->capture;
    row.server = *server_of(l);
    records_put_loss(l->ingest->out, l->number, &row);
}

/* Servers may have seen other messages there than were read here. */
static void add_ambiguity(struct lane *l, const struct http_exchange *x)
{
    const struct http_message *first = x->has_request ? &x->request : &x->response;
    const struct http_message *last = x->has_response ? &x->response : &x->request;
    hr_nsec to_at = last->last.at > first->last.at ? last->last.at : first->last.at;
    add_loss(l, (struct loss_row){.kind = LOSS_AMBIGUOUS,
                                  .from_at = first->first.at,
                                  .to_at = to_at,
                                  .count = 1,
                                  .hides_exchanges = true});
}

static void on_exchange(const struct http_exchange *x, void *user)
{
    struct lane *l = user;
    struct ingest *g = l->ingest;
    tell_conn(l);
    if (http_exchange_is_ambiguous(x)) {
        add_ambiguity(l, x);
    }
    records_put_messages(g->out,
                         &(struct messages_record){.conn_number = l->number,
                                                   .capture = l->conn->capture,
                                                   .client = *client_of(l),
                                                   .server = *server_of(l)},
                         x);
    g->exchanges++;
}

static void on_loss(const struct http_loss *loss, void *user)
{
    add_loss(user, (struct loss_row){
                       .kind = LOSS_GAP,
                       .from_at = loss->from_at,
                       .to_at = loss->to_at,
                       .bytes = loss->bytes,
                       .count = 1,
                       .hides_exchanges = loss->hides_messages,
                   });
}

static void on_open(struct tcp_conn *c, void *user)
{
    struct ingest *g = user;
    struct lane *l = hr_xcalloc(1, sizeof(*l));
    *l = (struct lane){.ingest = g, .conn = c};
    c->user = l;
    LIST_INSERT_HEAD(&g->lanes, l, link);
    g->lane_count++;
}

static void on_chunk(struct tcp_conn *c, const struct tcp_chunk *chunk, void *user)
{
    struct lane *l = c->user;
    struct http_input in = {
        .side = chunk->direction == TCP_ORIG ? 0 : 1,
        .offset = chunk->offset,
        .bytes = chunk->bytes,
        .gap_bytes = chunk->kind == TCP_CHUNK_GAP ? chunk->len : 0,
        .end = chunk->kind == TCP_CHUNK_END,
        .end_is_close = c->fin_at[chunk->direction] != HR_NSEC_INFINITE ||
                        c->rst_at[chunk->direction] != HR_NSEC_INFINITE,
        .end_is_reset = chunk->end == TCP_END_RST,
        .place = {.at = chunk->at, .frame = chunk->frame, .capture = chunk->capture},
        .before_at = chunk->before_at,
        .acked = chunk->acked,
    };
    struct ingest *g = user;
    if (l->http == NULL && chunk->kind != TCP_CHUNK_END) {
        l->http = http_conn_create(g->http, !c->syn_seen, l); /* known by now */
    }
    if (l->http != NULL) {
        http_conn_feed(l->http, &in);
    }
}

/* What a connection as a whole could not show. */
static void add_conn_losses(struct lane *l)
{
    const struct tcp_conn *c = l->conn;
    if (!c->syn_seen) {
        add_loss(l, (struct loss_row){.kind = LOSS_MIDSTREAM,
                                      .from_at = c->first_at,
                                      .to_at = c->first_at,
                                      .count = 1,
                                      .hides_exchanges = true});
    }
    if (c->one_sided[0] || c->one_sided[1]) {
        add_loss(l, (struct loss_row){.kind = LOSS_ONE_SIDED,
                                      .from_at = c->first_at,
                                      .to_at = c->last_at,
                                      .count = 1,
                                      .hides_exchanges = true});
    }
}

static hr_nsec closed_at(const struct tcp_conn *c, enum tcp_direction d)
{
    return c->fin_at[d] < c->rst_at[d] ? c->fin_at[d] : c->rst_at[d];
}

/* Nobody said anything, and the server closed it: many of these at one time are a mark. A RST alone
 * may be the answer to a SYN that the capture lacks. */
static bool is_silent_cut(const struct tcp_conn *c)
{
    return !c->syn_refused && c->bytes[0] == 0 && c->bytes[1] == 0 && c->gap_bytes[0] == 0 &&
           c->gap_bytes[1] == 0 && closed_at(c, TCP_RESP) != HR_NSEC_INFINITE &&
           closed_at(c, TCP_RESP) < closed_at(c, TCP_ORIG) &&
           (c->frames[TCP_ORIG] > 0 || c->fin_at[TCP_RESP] != HR_NSEC_INFINITE);
}

static void on_close(struct tcp_conn *c, enum tcp_end end, void *user)
{
    struct ingest *g = user;
    struct lane *l = c->user;
    if (c->syn_refused) {
        refusals_add(g->refusals, &c->resp, c->rst_at[TCP_RESP]);
    }
    if (l->http != NULL) {
        http_conn_finish(l->http);
    }
    note_other(g, l);
    bool may_go_on = end == TCP_END_NONE && c->has_numbers[0] && c->has_numbers[1];
    if (l->number == 0 && (may_go_on || is_silent_cut(c))) {
        tell_conn(l); /* said nothing yet: another capture may go on with it */
        records_put_conn_end(g->out, l->number, c, end);
        give_number(g, l->number);
    } else if (l->number != 0) {
        add_conn_losses(l);
        if (end == TCP_END_EVICTED) {
            add_loss(l, (struct loss_row){.kind = LOSS_BOUND,
                                          .from_at = c->last_at,
                                          .to_at = c->last_at,
                                          .count = 1,
                                          .hides_exchanges = true});
        }
        records_put_conn_end(g->out, l->number, c, end);
        give_number(g, l->number);
    }
    http_conn_destroy(l->http);
    LIST_REMOVE(l, link);
    g->lane_count--;
    free(l);
    c->user = NULL;
}

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

static void on_fetch(const struct tcp_conn *c, unsigned step)
{
    const struct lane *l = c->user;
    if (step == 0) {
        __builtin_prefetch(l);
    } else if (l->http != NULL) {
        http_conn_fetch(l->http);
    }
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
    static const struct http_callbacks http_callbacks = {.exchange = on_exchange, .loss = on_loss};
    static const struct tcp_callbacks tcp_callbacks = {
        .open = on_open, .chunk = on_chunk, .close = on_close, .shed = on_shed, .fetch = on_fetch};
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
        while (k < count && net_endpoint_compare(&to[k].server, server_of(l)) != 0) {
            k++;
        }
        if (k == PENDING_LIMIT) {
            *rest_since = since < *rest_since ? since : *rest_since;
            continue;
        }
        if (k == count) {
            to[count++] = (struct round_pending){.server = *server_of(l), .since = since};
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

hr_nsec ingest_clock_doubt(const struct ingest *g, size_t capture)
{
    return tcp_table_clock_doubt(g->tcp, capture);
}

uint64_t ingest_exchange_count(const struct ingest *g)
{
    return g->exchanges;
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
        "connections_evicted", "budget_gaps",      "fields_cut",     "waiting_dropped",
        "fragments_dropped",   "contents_cut",     "tokens_dropped", "marks_dropped",
        "tokens_forgotten",    "parts_unread",     "refusals_dropped",
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
