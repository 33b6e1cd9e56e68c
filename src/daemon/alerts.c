#include "daemon/alerts.h"

#include "base/alloc.h"
#include "base/log.h"
#include "daemon/clock.h"
#include "daemon/stats.h"
#include "report/rank.h"
#include "report/record.h"
#include "store/alert.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Of each sink, in the store; the oldest are dropped beyond that. */
#define QUEUE_LIMIT 10000
/* Alerts that are not of findings, between two rounds; there are few. */
#define OTHERS_BYTES 65536
#define CAVEAT_UNDER_WAY                                                                           \
    "a request was still under way at this server, or bytes were missing that may still come: "    \
    "what follows may explain this"

struct sink_progress {
    struct sink *sink;
    int64_t given_id;
};

struct alerts {
    struct alerts_config config;
    struct sink_progress *sinks;
    int64_t last_id; /* of the queue */
    size_t held;     /* told with less certainty than they have, as the last round left it */
    /* Of the round at hand. */
    const struct round *round;
    hr_nsec now; /* the machine's clock */
    struct hr_buf body;
    struct hr_buf caveats;
    struct hr_buf file;
    /* For other threads. */
    pthread_mutex_t lock;
    struct hr_buf others; /* lines: alerts that are not of findings, for the queue; under lock */
    atomic_uint_fast64_t told;
    atomic_uint_fast64_t latency[STATS_LATENCY_BUCKETS];
    atomic_int_fast64_t latency_sum; /* ns */
};

int alerts_create(const struct alerts_config *config, struct alerts **ret_alerts)
{
    struct alerts *a = hr_xcalloc(1, sizeof(*a));
    a->config = *config;
    a->sinks = hr_xcalloc(config->sink_count, sizeof(*a->sinks));
    for (size_t i = 0; i < config->sink_count; i++) {
        a->sinks[i].sink = config->sinks[i];
    }
    hr_buf_init(&a->body, SIZE_MAX);
    hr_buf_init(&a->caveats, SIZE_MAX);
    hr_buf_init(&a->file, SIZE_MAX);
    hr_buf_init(&a->others, OTHERS_BYTES);
    pthread_mutex_init(&a->lock, NULL);
    int r = alert_queue_last(config->store, &a->last_id);
    if (r < 0) {
        alerts_destroy(a);
        return r;
    }
    *ret_alerts = a;
    return 0;
}

void alerts_destroy(struct alerts *a)
{
    if (a != NULL) {
        hr_buf_finish(&a->body);
        hr_buf_finish(&a->caveats);
        hr_buf_finish(&a->file);
        hr_buf_finish(&a->others);
        pthread_mutex_destroy(&a->lock);
        free(a->sinks);
        free(a);
    }
}

/* --- what is said ----------------------------------------------------------------------------- */

static bool is_server(const struct net_endpoint *e, const char *address, int port)
{
    struct net_address a = {{0}};
    unsigned char v4[4];
    if (e->port != port) {
        return false;
    }
    if (inet_pton(AF_INET, address, v4) == 1) {
        memset(a.bytes + 10, 0xff, 2);
        memcpy(a.bytes + 12, v4, sizeof(v4));
    } else if (inet_pton(AF_INET6, address, a.bytes) != 1) {
        return false;
    }
    return memcmp(a.bytes, e->address.bytes, sizeof(a.bytes)) == 0;
}

/* Could what is under way still explain it? */
static bool may_be_undone(const struct round_end *e, const struct alert_candidate *c)
{
    if (e->waits_since <= c->end_at) {
        return true;
    }
    for (size_t i = 0; i < e->pending_count; i++) {
        bool concerned =
            c->server == NULL || is_server(&e->pending[i].server, c->server, c->server_port);
        if (concerned && e->pending[i].since <= c->end_at) {
            return true;
        }
    }
    return false;
}

static const char *with_caveat(struct hr_buf *to, const char *caveats)
{
    size_t len = strlen(caveats);
    hr_buf_clear(to);
    hr_buf_append(to, (struct hr_span){caveats, len > 0 ? len - 1 : 0}); /* all but the bracket */
    hr_buf_appendf(to, "%s\"%s\"]", len > 2 ? "," : len == 0 ? "[" : "", CAVEAT_UNDER_WAY);
    return hr_buf_str(to);
}

struct telling {
    struct alerts *alerts;
    const char *verdict;
    bool says_less;
    bool is_update;
    int64_t count;
    bool is_told;
};

/* One row in the queue for each sink. */
static int enqueue(struct alerts *a, struct hr_span body, bool is_of_finding)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < a->config.sink_count; i++) {
        const struct sink *sink = a->sinks[i].sink;
        if (is_of_finding || sink != a->config.evidence) {
            r = alert_queue_add(a->config.store, ++a->last_id, sink_name(sink), body, a->now);
        }
    }
    return r;
}

static int tell(const struct finding_view *f, void *user)
{
    struct telling *t = user;
    struct alerts *a = t->alerts;
    struct alert_view v = {.finding = *f, .is_update = t->is_update};
    bool is_severe =
        a->config.min_severity == NULL ||
        report_severity_rank(f->severity) >= report_severity_rank(a->config.min_severity);
    if (f->suppressed || !is_severe) {
        return 0;
    }
    v.finding.verdict = t->verdict;
    v.finding.count = t->count;
    if (t->says_less) {
        v.finding.caveats = with_caveat(&a->caveats, f->caveats);
    }
    if (a->config.evidence_folder != NULL) {
        hr_buf_clear(&a->file);
        hr_buf_appendf(&a->file, "%s/%s.pcapng", a->config.evidence_folder, f->fingerprint);
        v.evidence_file = hr_buf_str(&a->file);
    }
    hr_buf_clear(&a->body);
    record_append_json(&a->body, &record_alert, &v);
    t->is_told = true;
    return enqueue(a, hr_span_trim(hr_buf_span(&a->body)), true);
}

/* @return whether anything is to be said */
static bool is_due(const struct alerts *a, const struct alert_candidate *c, const char *verdict)
{
    if (c->said == NULL || report_verdict_rank(verdict) > report_verdict_rank(c->said)) {
        return true;
    }
    hr_nsec silent = hr_nsec_sub(a->now, c->said_at); /* below 0: the clock was set back */
    return c->is_changed && (silent < 0 || silent >= a->config.repeat);
}

static void count_told(struct alerts *a, hr_nsec completed_at)
{
    hr_nsec late = hr_nsec_sub(a->now, completed_at);
    size_t i = 0;
    while (i < STATS_LATENCY_BUCKETS - 1 && late > stats_latency_bounds[i]) {
        i++;
    }
    atomic_fetch_add(&a->latency[i], 1);
    atomic_fetch_add(&a->latency_sum, late > 0 ? late : 0);
    atomic_fetch_add(&a->told, 1);
}

static int consider(const struct alert_candidate *c, void *user)
{
    struct alerts *a = user;
    bool says_less = strcmp(c->verdict, "proven") == 0 && may_be_undone(a->round->end, c);
    struct telling t = {
        .alerts = a,
        .verdict = says_less ? "contradiction" : c->verdict,
        .says_less = says_less,
        .is_update = c->said != NULL,
        .count = c->count + c->is_changed,
    };
    struct alert_state state = {
        .finding_id = c->finding_id,
        .verdict = c->said,
        .is_held = says_less,
        .count = t.count,
        .said_at = c->said_at,
    };
    int r = 0;
    a->held += says_less;
    if (is_due(a, c, t.verdict)) {
        t.count = t.count > 0 ? t.count : 1;
        r = read_finding(a->config.store, c->finding_id, tell, &t);
    }
    if (t.is_told) {
        count_told(a, c->end_at);
        state.verdict = t.verdict;
        state.said_at = a->now;
        state.count = 0;
    }
    return r == 0 ? alert_put(a->config.store, &state) : r;
}

/* --- sending ---------------------------------------------------------------------------------- */

static int forget_sent(struct alerts *a)
{
    int64_t ids[SINK_LIMIT];
    int r = 0;
    for (size_t i = 0; i < a->config.sink_count; i++) {
        size_t n = sink_take_done(a->sinks[i].sink, ids, SINK_LIMIT);
        for (size_t k = 0; r == 0 && k < n; k++) {
            r = alert_queue_done(a->config.store, ids[k]);
        }
    }
    return r;
}

int alerts_wait(struct alerts *a, bool *ret_waits)
{
    int64_t count = 0;
    int r = alert_queue_count(a->config.store, &count);
    *ret_waits = count > 0;
    return r;
}

static int end_transaction(struct alerts *a, int r)
{
    r = r == 0 ? store_commit(a->config.store) : r;
    if (r < 0) {
        store_rollback(a->config.store);
    }
    return r;
}

int alerts_forget_sent(struct alerts *a)
{
    int r = store_begin(a->config.store);
    return end_transaction(a, r == 0 ? forget_sent(a) : r);
}

uint64_t alerts_told(const struct alerts *a)
{
    return atomic_load(&a->told);
}

uint64_t alerts_latency(const struct alerts *a, size_t bucket)
{
    return atomic_load(&a->latency[bucket]);
}

hr_nsec alerts_latency_sum(const struct alerts *a)
{
    return atomic_load(&a->latency_sum);
}

static int bound_queue(struct alerts *a)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < a->config.sink_count; i++) {
        const char *name = sink_name(a->sinks[i].sink);
        int64_t dropped = 0;
        r = alert_queue_bound(a->config.store, name, QUEUE_LIMIT, &dropped);
        if (dropped > 0) {
            hr_warning("alerts to %s: %lld are given up, for %d others wait", name,
                       (long long)dropped, QUEUE_LIMIT);
        }
    }
    return r;
}

void alerts_say(struct alerts *a, struct hr_span body)
{
    pthread_mutex_lock(&a->lock);
    hr_buf_append(&a->others, body);
    hr_buf_append_char(&a->others, '\n');
    pthread_mutex_unlock(&a->lock);
}

static bool has_others(struct alerts *a)
{
    pthread_mutex_lock(&a->lock);
    bool is_any = a->others.len > 0;
    pthread_mutex_unlock(&a->lock);
    return is_any;
}

static int enqueue_others(struct alerts *a)
{
    int r = 0;
    pthread_mutex_lock(&a->lock);
    struct hr_span rest = hr_buf_span(&a->others);
    while (r == 0 && rest.len > 0) {
        r = enqueue(a, hr_span_cut(&rest, '\n'), false);
    }
    hr_buf_clear(&a->others);
    pthread_mutex_unlock(&a->lock);
    return r;
}

int alerts_found(struct alerts *a, const struct round *r)
{
    a->round = r;
    a->now = clock_wall();
    a->held = 0;
    int code = forget_sent(a);
    code = code == 0 ? enqueue_others(a) : code;
    code = code == 0 ? alert_candidates(a->config.store, r->number, consider, a) : code;
    return code == 0 ? bound_queue(a) : code;
}

int alerts_look_again(struct alerts *a, const struct round *r)
{
    if (a->held == 0 && !has_others(a)) {
        return 0;
    }
    int code = store_begin(a->config.store);
    return end_transaction(a, code == 0 ? alerts_found(a, r) : code);
}

static int give(int64_t id, struct hr_span body, void *user)
{
    struct sink_progress *p = user;
    if (!sink_give(p->sink, id, body)) {
        return 1;
    }
    p->given_id = id;
    return 0;
}

void alerts_send(struct alerts *a)
{
    for (size_t i = 0; i < a->config.sink_count; i++) {
        struct sink_progress *p = &a->sinks[i];
        alert_queue_read(a->config.store, sink_name(p->sink), p->given_id, SINK_LIMIT, give, p);
    }
}
