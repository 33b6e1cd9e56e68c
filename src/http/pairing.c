#include "http/pairing.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void http_pairs_init(struct http_pairs *p, const struct http_pairing_shared *shared, void *user)
{
    *p = (struct http_pairs){.shared = shared, .user = user, .last_acked = HTTP_ACK_UNKNOWN};
}

void http_pairs_finish(struct http_pairs *p)
{
    while (p->first != NULL) {
        struct http_kept *next = p->first->next;
        http_kept_destroy(p->first);
        p->first = next;
    }
    http_kept_destroy(p->early);
    p->early = NULL;
    p->last = NULL;
}

/* --- emission -------------------------------------------------------------------------------- */

/* Which side's FIN or RST came first. @return HTTP_COMPLETE where neither closed */
static enum http_state closer(const struct http_pairs *p)
{
    const struct http_close *c = p->closes[HTTP_REQUEST];
    const struct http_close *s = p->closes[HTTP_RESPONSE];
    if (c == NULL || s == NULL || (!c->is_close && !s->is_close)) {
        return HTTP_COMPLETE;
    }
    if (!c->is_close || !s->is_close) {
        return c->is_close ? HTTP_ABORTED_BY_CLIENT : HTTP_ABORTED_BY_SERVER;
    }
    bool client_first =
        c->place.at != s->place.at ? c->place.at < s->place.at : c->place.frame < s->place.frame;
    return client_first ? HTTP_ABORTED_BY_CLIENT : HTTP_ABORTED_BY_SERVER;
}

static enum http_state or_closer(const struct http_pairs *p, enum http_state otherwise)
{
    enum http_state s = closer(p);
    return s != HTTP_COMPLETE ? s : otherwise;
}

static enum http_state state_of(const struct http_pairs *p, const struct http_exchange *x,
                                bool request_lost, bool response_lost)
{
    if (x->has_request && !x->request.complete) {
        return request_lost                              ? HTTP_GAP
               : x->has_response && x->response.complete ? HTTP_REQUEST_TRUNCATED
                                                         : or_closer(p, HTTP_REQUEST_TRUNCATED);
    }
    if (!x->has_response) {
        return response_lost ? HTTP_GAP : or_closer(p, HTTP_NO_RESPONSE);
    }
    if (!x->response.complete) {
        return response_lost ? HTTP_GAP : or_closer(p, HTTP_RESPONSE_TRUNCATED);
    }
    return HTTP_COMPLETE;
}

/* A response that began while its request was under way: by time, and not because of the capture.
 */
static bool is_early(const struct http_message *request, const struct http_message *response)
{
    return response->first.at < request->last.at &&
           (response->acked == HTTP_ACK_UNKNOWN || response->acked < request->end_offset);
}

static void emit(struct http_pairs *p, const struct http_kept *request,
                 const struct http_message *response, bool response_lost)
{
    struct http_exchange x = {.has_request = request != NULL, .has_response = response != NULL};
    struct http_counters *counters = p->shared->counters;
    bool request_lost = request != NULL && request->lost;
    if (request != NULL) {
        x.request = request->m;
        x.pairing = request->pairing;
    }
    if (response != NULL) {
        x.response = *response;
    } else {
        counters->requests_alone++;
        x.response_loss = p->doubt;
        response_lost = p->response_gap && p->doubt;
    }
    counters->responses_alone += request == NULL;
    x.request_loss = request_lost || x.request.content_gap;
    x.response_loss |= response_lost || x.response.content_gap;
    x.early_response = request != NULL && response != NULL && is_early(&x.request, &x.response);
    x.state = state_of(p, &x, request_lost, response_lost);
    x.ordinal = p->ordinal++;
    counters->ambiguous += http_exchange_is_ambiguous(&x);
    p->shared->callbacks->exchange(&x, p->user);
}

static void emit_kept(struct http_pairs *p, const struct http_kept *request)
{
    const struct http_kept *response = request->response;
    emit(p, request, response != NULL ? &response->m : NULL, response != NULL && response->lost);
}

static void count_bytes(struct http_pairs *p, struct http_kept *k)
{
    p->kept_bytes -= k->counted_bytes;
    k->counted_bytes = http_kept_bytes(k);
    p->kept_bytes += k->counted_bytes;
}

/* Takes k out of the queue. It is the first but where a bound was reached. */
static void unlink_request(struct http_pairs *p, struct http_kept *k)
{
    struct http_kept *before = NULL;
    if (p->first != k) {
        before = p->first;
        while (before->next != k) {
            before = before->next;
        }
        before->next = k->next;
    } else {
        p->first = k->next;
    }
    if (p->last == k) {
        p->last = before;
    }
    p->count--;
    p->kept_bytes -= k->counted_bytes;
}

static void emit_and_drop(struct http_pairs *p, struct http_kept *k)
{
    unlink_request(p, k);
    emit_kept(p, k);
    http_kept_destroy(k);
}

/* --- requests -------------------------------------------------------------------------------- */

/* k was sent when the bytes before its acked had come; request was answered until end. */
static void compare_with_answer(struct http_pairs *p, const struct http_kept *k,
                                uint64_t answered_number, uint64_t end, bool in_burst)
{
    if (answered_number + 1 == k->number) {
        p->overlaps |= k->burst_start && k->m.acked < end;
        p->waits_for_bursts |= in_burst && k->burst_start && k->m.acked == end;
    } else if (answered_number < k->number) {
        p->overlaps |= k->burst_start && k->m.acked == end; /* sent although others still waited */
    }
}

static void note_sending_habits(struct http_pairs *p, struct http_kept *k)
{
    uint64_t acked = k->m.acked;
    bool follows = p->has_request && !p->request_hole && p->last_acked != HTTP_ACK_UNKNOWN;
    if (acked == HTTP_ACK_UNKNOWN) {
        k->burst_start = false;
    } else if (!follows) {
        k->burst_start = true; /* to be looked at again when it is matched */
    } else {
        k->burst_start = acked > p->last_acked;
        p->pipelines |= acked == p->last_acked;
        p->pipelines_surely |= acked == p->last_acked && !k->unsure;
    }
    k->number = ++p->number;
    k->after_hole = p->request_hole;
    k->after_whole = p->last_whole;
    if (follows && !p->adrift && p->answered_number > 0 && acked != HTTP_ACK_UNKNOWN) {
        compare_with_answer(p, k, p->answered_number, p->answered_end, p->answered_in_burst);
    }
    p->request_hole = false;
    p->has_request = true;
    p->last_whole = false;
    p->last_acked = acked;
}

static void enforce_limit(struct http_pairs *p)
{
    if (p->count <= p->shared->waiting_limit || p->count < 2) {
        return;
    }
    struct http_kept *victim = p->first == p->answering ? p->first->next : p->first;
    if (victim == p->open_request) {
        return;
    }
    p->shared->counters->waiting_dropped++;
    http_pairs_drift(p, false);
    emit_and_drop(p, victim);
}

static void emit_early_alone(struct http_pairs *p)
{
    emit(p, NULL, &p->early->m, p->early->lost);
    http_kept_destroy(p->early);
    p->early = NULL;
}

/* The request that an early response waited for, or another: what was begun may have been none. */
static void settle_early(struct http_pairs *p, struct http_kept *k)
{
    if (p->early == NULL) {
        return;
    }
    uint64_t acked = p->early->m.acked;
    if (p->first == k && !k->after_hole && (acked == HTTP_ACK_UNKNOWN || acked > k->m.offset)) {
        k->answered = true;
        k->response = p->early;
        p->early = NULL;
    } else {
        emit_early_alone(p);
    }
}

void http_pairs_add(struct http_pairs *p, struct http_kept *take_request)
{
    struct http_kept *k = take_request;
    note_sending_habits(p, k);
    if (p->last != NULL) {
        p->last->next = k;
    } else {
        p->first = k;
    }
    p->last = k;
    p->count++;
    count_bytes(p, k);
    p->open_request = k;
    p->shared->counters->requests++;
    settle_early(p, k);
    enforce_limit(p);
}

void http_pairs_unlearn(struct http_pairs *p)
{
    p->pipelines = p->pipelines_surely;
}

void http_pairs_request_done(struct http_pairs *p, struct http_kept *request)
{
    p->open_request = NULL;
    count_bytes(p, request);
    p->last_whole = request->m.complete;
    if (request->response != NULL && request->response->m.complete) {
        emit_and_drop(p, request);
    }
}

/* --- matching -------------------------------------------------------------------------------- */

/* What holds in every case: sent after the request was seen, and not before the client saw its
 * begin. */
static bool may_answer(const struct http_kept *k, const struct http_position *at)
{
    bool seen = at->acked == HTTP_ACK_UNKNOWN || at->acked > k->m.offset;
    bool after = k->m.acked == HTTP_ACK_UNKNOWN || at->offset >= k->m.acked;
    return !k->answered && seen && after;
}

/*
 * Whether k is the first request that was sent after the client had all bytes before at. Behind a
 * hole of the request side the server's acknowledgement tells: when it sent the byte before at, it
 * had all bytes before k, and none of k. Where that byte is missing as well, a client that has not
 * been seen to pipeline is taken not to have done so. If what it sent there answered the last
 * request before the hole, and that one was whole, then the hole hides a request that is still to
 * be answered. And who answers a client that asks one by one has seen nothing behind the request;
 * else it is part of another one's content.
 */
static bool starts_burst(const struct http_pairs *p, const struct http_kept *k,
                         const struct http_position *at)
{
    if (!k->burst_start) {
        return false;
    }
    if (!k->after_hole) {
        return true;
    }
    bool hides_more =
        k->after_whole && p->answered_number + 1 == k->number && p->answered_end == at->offset;
    bool more_came = !p->pipelines && k->m.complete && at->acked != HTTP_ACK_UNKNOWN &&
                     at->acked > k->m.end_offset + strlen("\r\n"); /* some send one too many */
    bool before_is_missing = at->before == HTTP_ACK_UNKNOWN && !p->pipelines;
    return (at->before == k->m.offset || before_is_missing) && !hides_more && !more_came;
}

static struct http_kept *match_by_position(const struct http_pairs *p,
                                           const struct http_position *at)
{
    if (p->overlaps || (p->pipelines && !p->waits_for_bursts)) {
        return NULL;
    }
    for (struct http_kept *k = p->first; k != NULL; k = k->next) {
        if (k->m.acked == HTTP_ACK_UNKNOWN) {
            /* joined midway: the first request, then the first bytes of the other side */
            if (k->number == 1 && at->offset == 0 && may_answer(k, at)) {
                return k;
            }
            continue;
        }
        if (k->m.acked > at->offset) {
            break;
        }
        if (k->m.acked == at->offset && !k->answered) {
            return starts_burst(p, k, at) && may_answer(k, at) ? k : NULL;
        }
    }
    return NULL;
}

uint64_t http_pairs_next_answer(const struct http_pairs *p, uint64_t offset)
{
    const struct http_kept *k =
        p->overlaps || (p->pipelines && !p->waits_for_bursts) ? NULL : p->first;
    while (k != NULL && (k->answered || !k->burst_start || k->m.acked == HTTP_ACK_UNKNOWN ||
                         k->m.acked < offset)) {
        k = k->next;
    }
    return k != NULL ? k->m.acked : UINT64_MAX;
}

/* Joined midway, and both sides begin with a message right there: nothing is missing in between. */
static bool is_clean_join(const struct http_pairs *p, const struct http_kept *k,
                          const struct http_position *at)
{
    return p->joined && k == p->first && k->m.offset == 0 && at->offset == 0 &&
           k->m.acked != HTTP_ACK_UNKNOWN && at->acked != HTTP_ACK_UNKNOWN;
}

struct http_kept *http_pairs_match(struct http_pairs *p, const struct http_position *at)
{
    struct http_kept *k = p->first;
    bool by_position = p->adrift || (k != NULL && k->after_hole);
    if (by_position) {
        k = match_by_position(p, at);
    } else if (k != NULL && !may_answer(k, at)) {
        k = NULL;
    }
    p->answering = k;
    if (k == NULL) {
        p->doubt |= p->adrift;
        return NULL;
    }
    if (by_position && is_clean_join(p, k, at)) {
        k->after_hole = false;
        p->adrift = false;
        p->joined = false;
    } else if (by_position) {
        p->doubt = true;
        while (p->first != k) {
            emit_and_drop(p, p->first);
        }
        k->pairing = HTTP_PAIRING_RESYNCHRONISED;
        k->after_hole = false;
        p->adrift = false;
        p->doubt = false;
        p->response_gap = false;
    }
    k->answered = true;
    return k;
}

/* --- responses ------------------------------------------------------------------------------- */

static void note_answer_end(struct http_pairs *p, const struct http_kept *request, uint64_t end)
{
    const struct http_kept *next = request->next;
    bool in_burst = !request->burst_start;
    p->answered_number = request->number;
    p->answered_end = end;
    p->answered_in_burst = in_burst;
    for (; next != NULL && !next->after_hole && next->m.acked != HTTP_ACK_UNKNOWN;
         next = next->next) {
        if (next->burst_start) {
            compare_with_answer(p, next, request->number, end, in_burst);
            break;
        }
    }
}

static struct http_kept *keep(const struct http_message *m, struct http_kept *take_kept)
{
    return take_kept != NULL ? take_kept : http_kept_create(m, m->content.len);
}

void http_pairs_response_done(struct http_pairs *p, const struct http_message *m,
                              struct http_kept *take_kept, enum http_cut cut, bool may_be_early)
{
    struct http_kept *request = p->answering;
    bool lost = cut == HTTP_CUT_GAP;
    p->answering = NULL;
    if (take_kept != NULL) {
        take_kept->lost = lost;
    }
    if (request == NULL) {
        if (may_be_early && p->early == NULL && !p->adrift && p->first == NULL) {
            p->early = keep(m, take_kept);
            p->early->lost = lost;
            return;
        }
        emit(p, NULL, m, lost);
    } else {
        if (m->complete) {
            note_answer_end(p, request, m->end_offset);
        }
        if (request == p->open_request || cut == HTTP_CUT_END) {
            request->response = keep(m, take_kept);
            request->response->lost = lost;
            return;
        }
        unlink_request(p, request);
        emit(p, request, m, lost);
        http_kept_destroy(request);
    }
    http_kept_destroy(take_kept);
}

void http_pairs_drift(struct http_pairs *p, bool by_gap)
{
    p->adrift = true;
    p->joined = false;
    p->doubt = true;
    p->response_gap |= by_gap;
}

void http_pairs_flush(struct http_pairs *p)
{
    while (p->first != NULL) {
        emit_and_drop(p, p->first);
    }
    p->open_request = NULL;
    p->answering = NULL;
    if (p->early != NULL) {
        emit_early_alone(p);
    }
}
