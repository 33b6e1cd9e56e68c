/*
 * Every connection is played on its own, from a list of things to do in order of time; then all
 * frames are put in one order and go past the capture point.
 */
#include "scenario/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REPLY (20 * HR_NSEC_PER_USEC) /* of the server's TCP */
#define IDLE (50 * HR_NSEC_PER_MSEC)

enum act_kind {
    ACT_SYN,
    ACT_SYN_ACK,
    ACT_ACK,
    ACT_DATA,
    ACT_FIN,
    ACT_RST,
};

struct act {
    hr_nsec at;
    size_t order;
    enum act_kind kind;
    enum talk_side side;
    struct hr_span bytes;
    struct talk_note note;
};

struct play {
    struct scenario *s;
    struct talk *talks;    /* one a connection */
    struct truth **truths; /* one an exchange */
    struct act *acts;
    size_t act_count;
    size_t act_capacity;
    struct talk_frame *frames;
    size_t frame_count;
    size_t frame_capacity;
};

static struct act *add(struct play *p, enum act_kind kind, enum talk_side side, hr_nsec at)
{
    struct act *a;
    if (p->act_count == p->act_capacity) {
        p->act_capacity = p->act_capacity == 0 ? 64 : p->act_capacity * 2;
        p->acts = hr_xrealloc(p->acts, p->act_capacity * sizeof(p->acts[0]));
    }
    a = &p->acts[p->act_count];
    *a = (struct act){.at = at, .order = p->act_count, .kind = kind, .side = side};
    p->act_count++;
    return a;
}

static void add_message(struct play *p, const struct message *m, size_t mss, enum talk_side side,
                        hr_nsec at, struct talk_note note)
{
    const size_t count = message_piece_count(m, mss);
    for (size_t i = 0; i < count; i++) {
        const struct piece piece = message_piece(m, mss, i);
        struct act *a = add(p, ACT_DATA, side, hr_nsec_add(at, piece.delay));
        a->bytes = hr_span_slice(m->bytes, piece.offset, piece.offset + piece.len);
        a->note = note;
        a->note.offset += piece.offset;
    }
}

static void add_request(struct play *p, const struct exchange *x, size_t mss, struct truth *t)
{
    struct talk_note note = {.truth = t, .part = TRUTH_REQUEST};
    struct message head = x->request;
    struct message body = x->request;
    if (!x->expects_continue) {
        add_message(p, &x->request, mss, TALK_CLIENT, x->request_at, note);
        return;
    }
    head.bytes.len = head.head_bytes;
    head.takes = 0;
    body.bytes = hr_span_slice(body.bytes, body.head_bytes, body.bytes.len);
    body.takes = 0;
    add_message(p, &head, mss, TALK_CLIENT, x->request_at, note);
    note.offset = head.bytes.len;
    add_message(p, &body, mss, TALK_CLIENT,
                x->body_at > x->request_at + x->request.takes ? x->body_at
                                                              : x->request_at + x->request.takes,
                note);
}

/* 100 Continue between head and body, the others on the way to the final response. */
static void add_interim(struct play *p, const struct exchange *x, size_t mss, struct truth *t)
{
    for (size_t i = 0; i < x->interim_count; i++) {
        const struct message m = {.bytes = x->interim[i], .head_bytes = x->interim[i].len};
        const hr_nsec until = x->has_response ? x->response_at : x->request_end_at + x->think;
        hr_nsec at = x->request_end_at + (until - x->request_end_at) /
                                             (hr_nsec)(x->interim_count + 1) * (hr_nsec)(i + 1);
        if (i == 0 && x->expects_continue) {
            at = x->request_at + x->think / 2;
        }
        add_message(p, &m, mss, TALK_SERVER, at,
                    (struct talk_note){.truth = t, .part = TRUTH_INTERIM});
    }
}

static void add_exchange(struct play *p, const struct exchange *x, size_t mss, struct truth *t)
{
    add_request(p, x, mss, t);
    add_interim(p, x, mss, t);
    if (x->has_response) {
        add_message(p, &x->response, mss, TALK_SERVER, x->response_at,
                    (struct talk_note){.truth = t, .part = TRUTH_RESPONSE});
    }
}

static void add_handshake(struct play *p, const struct connection *c)
{
    const hr_nsec delay = p->s->delay;
    const hr_nsec at =
        c->opens != HR_NSEC_INFINITE ? c->opens : c->first_at - HR_NSEC_PER_MSEC - 2 * delay;
    if (c->handshake) {
        add(p, ACT_SYN, TALK_CLIENT, at);
        if (c->end == CLOSE_REFUSED) {
            add(p, ACT_RST, TALK_SERVER, at + REPLY);
            return;
        }
        add(p, ACT_SYN_ACK, TALK_SERVER, at + REPLY);
        add(p, ACT_ACK, TALK_CLIENT, at + REPLY + delay);
    }
}

static void add_close(struct play *p, const struct connection *c)
{
    const bool by_client = c->end != CLOSE_SERVER_FIN && c->end != CLOSE_SERVER_RST;
    const enum talk_side side = by_client ? TALK_CLIENT : TALK_SERVER;
    const hr_nsec at = c->end_at != HR_NSEC_INFINITE ? c->end_at : hr_nsec_add(c->last_at, IDLE);
    hr_nsec answer = at + (by_client ? REPLY : p->s->delay);
    switch (c->end) {
    case CLOSE_OPEN:
    case CLOSE_REFUSED:
        return;
    case CLOSE_CLIENT_RST:
    case CLOSE_SERVER_RST:
        add(p, ACT_RST, side, at);
        return;
    case CLOSE_DEFAULT:
    case CLOSE_CLIENT_FIN:
    case CLOSE_SERVER_FIN:
        if (answer <= c->last_at) { /* half closed: the other side has something to say yet */
            answer = c->last_at + REPLY;
        }
        add(p, ACT_FIN, side, at);
        add(p, ACT_FIN, !side, answer);
        return;
    }
}

static int by_time(const void *a, const void *b)
{
    const struct act *x = a;
    const struct act *y = b;
    if (x->at != y->at) {
        return x->at < y->at ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

static void collect(const struct talk_frame *f, void *user)
{
    struct play *p = user;
    if (p->frame_count == p->frame_capacity) {
        p->frame_capacity = p->frame_capacity == 0 ? 256 : p->frame_capacity * 2;
        p->frames = hr_xrealloc(p->frames, p->frame_capacity * sizeof(p->frames[0]));
    }
    p->frames[p->frame_count++] = *f;
}

static void flush_acks(struct talk *t, hr_nsec until)
{
    enum talk_side side;
    for (hr_nsec due = talk_ack_due(t, &side); due != HR_NSEC_INFINITE && due <= until;
         due = talk_ack_due(t, &side)) {
        talk_ack(t, side, due);
    }
}

static void perform(struct talk *t, const struct act *a)
{
    switch (a->kind) {
    case ACT_SYN:
        talk_syn(t, a->at);
        break;
    case ACT_SYN_ACK:
        talk_syn_ack(t, a->at);
        break;
    case ACT_ACK:
        talk_ack(t, a->side, a->at);
        break;
    case ACT_DATA:
        a->note.truth->seen[a->note.part].sent_bytes += a->bytes.len;
        talk_data(t, a->side, a->at, a->bytes, a->note);
        break;
    case ACT_FIN:
        talk_fin(t, a->side, a->at);
        break;
    case ACT_RST:
        talk_rst(t, a->side, a->at);
        break;
    }
}

/* Nothing follows a reset, and a side says nothing behind its FIN. */
static void perform_all(struct play *p, struct talk *t)
{
    bool closed[2] = {false, false};
    qsort(p->acts, p->act_count, sizeof(p->acts[0]), by_time);
    for (size_t i = 0; i < p->act_count; i++) {
        const struct act *a = &p->acts[i];
        flush_acks(t, a->at);
        if (!closed[a->side]) {
            perform(t, a);
        }
        closed[a->side] = closed[a->side] || a->kind == ACT_FIN;
        if (a->kind == ACT_RST) {
            return;
        }
    }
    flush_acks(t, HR_NSEC_INFINITE - 1);
}

static void play_connection(struct play *p, size_t index)
{
    const struct scenario *s = p->s;
    const struct connection *c = &s->connections[index];
    const struct talk_config config = {
        .client = {s->clients[c->client].address, c->port},
        .server = s->sites[c->site].server,
        .mss = c->mss,
        .delay = s->delay,
        .wrap = c->wrap,
        .emit = collect,
        .user = p,
    };
    if (!c->used && c->opens == HR_NSEC_INFINITE) {
        return;
    }
    talk_init(&p->talks[index], &config, s->seed * 7919 + index);
    p->act_count = 0;
    add_handshake(p, c);
    for (size_t i = 0; i < s->exchange_count; i++) {
        if (s->exchanges[i].connection == index) {
            add_exchange(p, &s->exchanges[i], c->mss, p->truths[i]);
        }
    }
    add_close(p, c);
    perform_all(p, &p->talks[index]);
}

static struct truth *make_truth(const struct scenario *s, const struct exchange *x)
{
    const struct connection *c = &s->connections[x->connection];
    struct truth *t = truth_begin();
    t->label = x->label;
    t->client = (struct net_endpoint){s->clients[x->client].address, c->port};
    t->server = s->sites[x->site].server;
    snprintf(t->method, sizeof(t->method), "%s", x->method);
    snprintf(t->target, sizeof(t->target), "%s", x->target);
    t->status = x->has_response ? x->status : 0;
    t->response_bytes = x->has_response ? x->response.body_bytes : 0;
    t->drop = x->drop;
    t->duplicate = x->duplicate;
    return t;
}

/* The first two frames of a part change places: their times do. */
static void swap_frames(struct play *p, const struct truth *t, unsigned part)
{
    struct talk_frame *first = NULL;
    for (size_t i = 0; i < p->frame_count; i++) {
        struct talk_frame *f = &p->frames[i];
        if (f->note.truth != t || f->note.part != part) {
            continue;
        }
        if (first != NULL) {
            const hr_nsec at = first->at;
            first->at = f->at;
            f->at = at;
            return;
        }
        first = f;
    }
}

static void swap_all(struct play *p)
{
    for (size_t i = 0; i < p->s->exchange_count; i++) {
        for (unsigned part = TRUTH_REQUEST; part <= TRUTH_RESPONSE; part++) {
            if (p->s->exchanges[i].swap & (TRUTH_HEAD(part) | TRUTH_TAIL(part))) {
                swap_frames(p, p->truths[i], part);
            }
        }
    }
}

struct ordered {
    const struct talk_frame *frame;
    size_t index;
};

static int by_frame_time(const void *a, const void *b)
{
    const struct ordered *x = a;
    const struct ordered *y = b;
    if (x->frame->at != y->frame->at) {
        return x->frame->at < y->frame->at ? -1 : 1;
    }
    return x->index < y->index ? -1 : x->index > y->index;
}

static void feed_all(struct play *p, struct point *point)
{
    struct ordered *order = hr_xcalloc(p->frame_count + 1, sizeof(order[0]));
    for (size_t i = 0; i < p->frame_count; i++) {
        order[i] = (struct ordered){&p->frames[i], i};
    }
    qsort(order, p->frame_count, sizeof(order[0]), by_frame_time);
    for (size_t i = 0; i < p->frame_count; i++) {
        point_frame(point, order[i].frame);
    }
    point_flush(point);
    free(order);
}

static void end_truths(struct play *p, struct point *point)
{
    for (size_t i = 0; i < p->s->exchange_count; i++) {
        const hr_nsec at = p->truths[i]->seen[TRUTH_REQUEST].first_at;
        if (at != HR_NSEC_INFINITE) {
            p->s->exchanges[i].recorded_at = at;
        }
        point_truth_end(point, p->truths[i]);
    }
}

int scenario_write(struct scenario *s, const char *path, FILE *truth,
                   struct point_counts *ret_counts)
{
    struct play p = {.s = s};
    struct point *point;
    int r = point_open(path, &s->point, truth, &point);
    if (r < 0) {
        return r;
    }
    p.talks = hr_xcalloc(s->connection_count + 1, sizeof(p.talks[0]));
    p.truths = hr_xcalloc(s->exchange_count + 1, sizeof(p.truths[0]));
    for (size_t i = 0; i < s->exchange_count; i++) {
        p.truths[i] = make_truth(s, &s->exchanges[i]);
    }
    for (size_t i = 0; i < s->connection_count; i++) {
        play_connection(&p, i);
    }
    swap_all(&p);
    feed_all(&p, point);
    end_truths(&p, point);
    r = point_close(point, ret_counts);
    free(p.talks);
    free(p.truths);
    free(p.acts);
    free(p.frames);
    return r;
}

bool scenario_find(const struct scenario *s, const char *label, struct scenario_place *ret_place)
{
    for (size_t i = 0; i < s->exchange_count; i++) {
        const struct exchange *x = &s->exchanges[i];
        if (x->label != NULL && strcmp(x->label, label) == 0) {
            *ret_place = (struct scenario_place){
                .request_at = x->recorded_at,
                .client = {s->clients[x->client].address, s->connections[x->connection].port},
                .server = s->sites[x->site].server,
                .method = x->method,
                .target = x->target,
            };
            return true;
        }
    }
    return false;
}

const char *scenario_label_at(const struct scenario *s, hr_nsec at, const char *client,
                              int client_port)
{
    char address[NET_ADDRESS_TEXT_SIZE];
    for (size_t i = 0; i < s->exchange_count; i++) {
        const struct exchange *x = &s->exchanges[i];
        if (x->label != NULL && x->recorded_at == at && client != NULL &&
            s->connections[x->connection].port == client_port &&
            strcmp(frame_address_format(&s->clients[x->client].address, address), client) == 0) {
            return x->label;
        }
    }
    return NULL;
}
