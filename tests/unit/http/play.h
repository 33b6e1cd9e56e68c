/*
 * unit/http/play.h - conversations written as text, played to a connection, and what comes out as
 * text. A turn begins with "C:" (client) or "S:" (server); its bytes are one segment that
 * acknowledges all that the other side has sent before. Places are numbered from 1 by turn.
 */
#ifndef HR_TESTS_UNIT_HTTP_PLAY_H
#define HR_TESTS_UNIT_HTTP_PLAY_H

#include "base/alloc.h"
#include "base/buf.h"
#include "http/exchange.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAY_TURNS 64

struct turn {
    unsigned side;
    struct hr_span bytes;
    uint64_t offset;
    uint64_t acked;
};

struct play {
    struct turn turns[PLAY_TURNS];
    size_t count;
    uint64_t sent[2];
};

/* How it is played. */
struct play_options {
    size_t split; /* > 0: at most that many bytes in one feed */
    bool midstream;
    unsigned hole_side; /* bytes [hole_from, hole_to) of that side are lost */
    uint64_t hole_from;
    uint64_t hole_to;
    bool late_first_request; /* the first turn comes after the second */
    bool responder_asks;     /* the client is the transport's responder */
    int ends;             /* 0: capture ends; 'C', 'S': FIN of that side first; 'R': server's RST */
    size_t waiting_limit; /* 0: 100 */
    bool no_acks;
};

struct played {
    struct hr_buf text;
    struct hr_buf losses;
    size_t count;
    size_t lone_responses;
    size_t no_responses;
};

/* Turns of text: "C:...", "S:..." each up to the next such mark at its own array entry. */
static inline void play_add(struct play *p, const char *turn)
{
    unsigned side = turn[0] == 'C' ? 0 : 1;
    assert_true(p->count < PLAY_TURNS);
    struct hr_span bytes = hr_span_str(turn + 2);
    p->turns[p->count++] = (struct turn){
        .side = side, .bytes = bytes, .offset = p->sent[side], .acked = p->sent[1 - side]};
    p->sent[side] += bytes.len;
}

static inline void play_append_content(struct hr_buf *out, const struct http_message *m)
{
    if (m->content.len > 0) {
        hr_buf_append_str(out, " \"");
        hr_buf_append(out, m->content);
        hr_buf_append_str(out, m->content_cut || m->content_gap ? "...\"" : "\"");
    }
}

static inline void play_on_exchange(const struct http_exchange *x, void *user)
{
    static const char *const states[] = {
        "",     " no-response", " request-truncated", " response-truncated",
        " gap", " by-client",   " by-server",
    };
    struct played *out = user;
    struct hr_buf *b = &out->text;
    out->count++;
    if (x->has_request) {
        hr_buf_append(b, x->request.method);
        hr_buf_append_char(b, ' ');
        hr_buf_append(b, x->request.target);
        play_append_content(b, &x->request);
    }
    hr_buf_append_str(b, x->has_request ? " -> " : "? -> ");
    if (x->has_response) {
        hr_buf_appendf(b, "%u", x->response.status);
        play_append_content(b, &x->response);
    } else {
        hr_buf_append_char(b, '-');
        out->no_responses++;
    }
    out->lone_responses += !x->has_request;
    hr_buf_append_str(b, states[x->state]);
    hr_buf_append_str(b, x->pairing == HTTP_PAIRING_RESYNCHRONISED ? " resync" : "");
    hr_buf_append_str(b, x->request_loss ? " loss-c" : "");
    hr_buf_append_str(b, x->response_loss ? " loss-s" : "");
    hr_buf_append_str(b, x->early_response ? " early" : "");
    hr_buf_append_char(b, '\n');
}

static inline void play_on_loss(const struct http_loss *loss, void *user)
{
    struct played *out = user;
    hr_buf_appendf(&out->losses, "%c %llu%s\n", loss->side == HTTP_REQUEST ? 'C' : 'S',
                   (unsigned long long)loss->bytes, loss->hides_messages ? " hides" : "");
}

static inline void play_feed(struct http_conn *c, struct http_input in, size_t split,
                             const struct play_options *o)
{
    in.side ^= o->responder_asks;
    struct hr_span rest = in.bytes;
    size_t step = split > 0 ? split : rest.len;
    for (size_t i = 0; i < rest.len; i += step) {
        /* exactly sized, so that a read beyond is seen */
        struct hr_span piece = hr_span_slice(rest, i, i + step);
        char *copy = hr_xmalloc(piece.len);
        memcpy(copy, piece.ptr, piece.len);
        in.bytes = hr_span_of(copy, piece.len);
        http_conn_feed(c, &in);
        in.offset += piece.len;
        free(copy);
    }
    if (rest.len == 0) {
        http_conn_feed(c, &in);
    }
}

/* One turn, without the bytes of the hole. */
static inline void play_turn(struct http_conn *c, const struct turn *t, size_t index,
                             const struct play_options *o, bool *gap_told)
{
    struct http_input in = {
        .side = t->side,
        .offset = t->offset,
        .bytes = t->bytes,
        .place = {.at = (hr_nsec)(index + 1) * 10, .frame = index + 1},
        .before_at = (hr_nsec)(index + 1) * 10 - 1,
        .acked = o->no_acks ? UINT64_MAX : t->acked,
    };
    uint64_t end = t->offset + t->bytes.len;
    bool touched = o->hole_to > o->hole_from && t->side == o->hole_side && end > o->hole_from;
    if (!touched) {
        play_feed(c, in, o->split, o);
        return;
    }
    if (t->offset < o->hole_from) {
        in.bytes = hr_span_slice(t->bytes, 0, o->hole_from - t->offset);
        play_feed(c, in, o->split, o);
    }
    if (end <= o->hole_to) {
        return; /* its rest is lost, and the next one tells */
    }
    if (!*gap_told) {
        struct http_input gap = in;
        gap.bytes = (struct hr_span){NULL, 0};
        gap.offset = o->hole_from;
        gap.gap_bytes = o->hole_to - o->hole_from;
        play_feed(c, gap, 0, o);
        *gap_told = true;
    }
    in.offset = t->offset > o->hole_to ? t->offset : o->hole_to;
    in.bytes = hr_span_slice(t->bytes, in.offset - t->offset, t->bytes.len);
    if (in.bytes.len > 0) {
        play_feed(c, in, o->split, o);
    }
}

static inline void play_ends(struct http_conn *c, const struct play *p,
                             const struct play_options *o)
{
    for (unsigned i = 0; o->ends != 0 && i < 2; i++) {
        unsigned side = (o->ends == 'C') == (i == 0) ? 0 : 1;
        struct http_input in = {
            .side = side,
            .offset = p->sent[side],
            .end = true,
            .end_is_close = o->ends != 'R' || side == 1,
            .end_is_reset = o->ends == 'R',
            .place = {.at = (hr_nsec)(p->count + i + 1) * 10, .frame = p->count + i + 1},
            .acked = UINT64_MAX,
        };
        play_feed(c, in, 0, o);
    }
}

static inline void play_with(struct http_context *h, const struct play *p,
                             const struct play_options *o, struct played *out)
{
    struct http_conn *c = http_conn_create(h, o->midstream, out);
    bool gap_told = false;
    for (size_t i = 0; i < p->count; i++) {
        size_t index = o->late_first_request && i < 2 && p->count > 1 ? 1 - i : i;
        play_turn(c, &p->turns[index], index, o, &gap_told);
    }
    play_ends(c, p, o);
    http_conn_finish(c);
    http_conn_destroy(c);
}

static inline void played_init(struct played *out)
{
    *out = (struct played){0};
    hr_buf_init(&out->text, SIZE_MAX);
    hr_buf_init(&out->losses, SIZE_MAX);
}

static inline void played_finish(struct played *out)
{
    hr_buf_finish(&out->text);
    hr_buf_finish(&out->losses);
}

static inline struct http_context *play_context(size_t waiting_limit)
{
    static const struct http_callbacks callbacks = {play_on_exchange, play_on_loss};
    const struct http_config config = {
        .header_bytes = 1024,
        .field_limit = 16,
        .content_bytes = 32 * HTTP_PAGE_SHARE,
        .waiting_limit = waiting_limit > 0 ? waiting_limit : 100,
    };
    return http_context_create(&config, &callbacks);
}

/* @return what came out; release with played_finish() */
static inline struct played play(const struct play *p, const struct play_options *o)
{
    struct played out;
    played_init(&out);
    struct http_context *h = play_context(o->waiting_limit);
    play_with(h, p, o, &out);
    http_context_destroy(h);
    return out;
}

static inline struct play play_of(const char *const turns[])
{
    struct play p = {.count = 0};
    for (size_t i = 0; turns[i] != NULL; i++) {
        play_add(&p, turns[i]);
    }
    return p;
}

static inline void assert_played(const struct played *got, const char *want, const char *name)
{
    if (strcmp(hr_buf_str(&got->text), want) != 0) {
        fail_msg("%s:\nwant\n%sgot\n%s", name, want, hr_buf_str(&got->text));
    }
}

#endif
