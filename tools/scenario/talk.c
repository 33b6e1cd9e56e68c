#include "scenario/talk.h"

#include <string.h>

#define WINDOW_EDGE 60u /* bytes before the sequence numbers wrap */

static void init_half(struct talk *t, enum talk_side side, const struct net_endpoint *end,
                      bool wrap)
{
    struct talk_half *h = &t->half[side];
    h->end = *end;
    h->isn = wrap ? UINT32_MAX - WINDOW_EDGE : (uint32_t)rng_next(&t->rng);
    h->ip_id = (uint16_t)rng_next(&t->rng);
    h->ack_due = HR_NSEC_INFINITE;
}

void talk_init(struct talk *t, const struct talk_config *config, uint64_t seed)
{
    memset(t, 0, sizeof(*t));
    t->rng.state = seed;
    t->mss = config->mss;
    t->delay = config->delay;
    t->emit = config->emit;
    t->user = config->user;
    init_half(t, TALK_CLIENT, &config->client, config->wrap);
    init_half(t, TALK_SERVER, &config->server, config->wrap);
}

static hr_nsec lag(const struct talk *t, enum talk_side side)
{
    return side == TALK_CLIENT ? t->delay : 0;
}

/* How much of the other side's stream has reached this side by then. */
static uint64_t received(const struct talk *t, enum talk_side side, hr_nsec at)
{
    const struct talk_half *other = &t->half[!side];
    uint64_t end = other->settled;
    for (unsigned i = 0; i < other->recent_count; i++) {
        if (other->recent[i].at + lag(t, side) <= at) {
            end = other->recent[i].end;
        }
    }
    return end;
}

static void remember(struct talk_half *h, hr_nsec at)
{
    if (h->recent_count == TALK_RECENT) {
        h->settled = h->recent[0].end;
        memmove(h->recent, h->recent + 1, sizeof(h->recent) - sizeof(h->recent[0]));
        h->recent_count--;
    }
    h->recent[h->recent_count].at = at;
    h->recent[h->recent_count].end = h->sent;
    h->recent_count++;
}

/* The receiver acknowledges every second segment at once, a lone one sometimes later. */
static void expect_ack(struct talk *t, enum talk_side receiver, hr_nsec at, bool at_once)
{
    struct talk_half *h = &t->half[receiver];
    const hr_nsec jitter = (hr_nsec)rng_below(&t->rng, (uint64_t)(t->delay / 4 + 1));
    hr_nsec due = at + t->delay + jitter;
    h->unacked++;
    if (!at_once && h->unacked < 2 && (rng_next(&t->rng) & 1)) {
        due += HR_NSEC_PER_MSEC + (hr_nsec)rng_below(&t->rng, 39 * HR_NSEC_PER_MSEC);
    }
    if (due < h->ack_due) {
        h->ack_due = due;
    }
}

static void emit(struct talk *t, struct talk_frame *f)
{
    struct talk_half *h = &t->half[f->side];
    const struct talk_half *other = &t->half[!f->side];
    f->talk = t;
    f->ip_id = h->ip_id++;
    if (f->flags & TCP_ACK) {
        const uint64_t got = received(t, f->side, f->at);
        f->ack = other->isn + 1 + (uint32_t)got;
        if (got == other->sent) {
            h->ack_due = HR_NSEC_INFINITE;
            h->unacked = 0;
        } else if (h->ack_due <= f->at) {
            h->ack_due = f->at + t->delay;
        }
    }
    t->emit(f, t->user);
}

void talk_syn(struct talk *t, hr_nsec at)
{
    struct talk_frame f = {.at = at, .side = TALK_CLIENT, .flags = TCP_SYN, .mss = t->mss};
    f.seq = t->half[TALK_CLIENT].isn;
    emit(t, &f);
}

void talk_syn_ack(struct talk *t, hr_nsec at)
{
    struct talk_frame f = {
        .at = at, .side = TALK_SERVER, .flags = TCP_SYN | TCP_ACK, .mss = t->mss};
    f.seq = t->half[TALK_SERVER].isn;
    emit(t, &f);
}

static uint32_t next_seq(const struct talk_half *h)
{
    return h->isn + 1 + (uint32_t)h->sent;
}

void talk_data(struct talk *t, enum talk_side side, hr_nsec at, struct hr_span payload,
               struct talk_note note)
{
    struct talk_half *h = &t->half[side];
    struct talk_frame f = {
        .at = at, .side = side, .flags = TCP_PSH | TCP_ACK, .payload = payload, .note = note};
    f.seq = next_seq(h);
    emit(t, &f);
    h->sent += payload.len;
    remember(h, at);
    expect_ack(t, !side, at, false);
}

void talk_ack(struct talk *t, enum talk_side side, hr_nsec at)
{
    struct talk_frame f = {.at = at, .side = side, .flags = TCP_ACK};
    f.seq = next_seq(&t->half[side]);
    emit(t, &f);
}

void talk_fin(struct talk *t, enum talk_side side, hr_nsec at)
{
    struct talk_half *h = &t->half[side];
    struct talk_frame f = {.at = at, .side = side, .flags = TCP_FIN | TCP_ACK};
    f.seq = next_seq(h);
    emit(t, &f);
    h->sent++;
    remember(h, at);
    expect_ack(t, !side, at, true);
}

void talk_rst(struct talk *t, enum talk_side side, hr_nsec at)
{
    struct talk_frame f = {.at = at, .side = side, .flags = TCP_RST | TCP_ACK};
    f.seq = next_seq(&t->half[side]);
    emit(t, &f);
    t->half[TALK_CLIENT].ack_due = HR_NSEC_INFINITE;
    t->half[TALK_SERVER].ack_due = HR_NSEC_INFINITE;
}

hr_nsec talk_ack_due(const struct talk *t, enum talk_side *ret_side)
{
    const hr_nsec client = t->half[TALK_CLIENT].ack_due;
    const hr_nsec server = t->half[TALK_SERVER].ack_due;
    *ret_side = client <= server ? TALK_CLIENT : TALK_SERVER;
    return client <= server ? client : server;
}
