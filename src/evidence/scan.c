/*
 * Every segment goes through the table of connections, so that these get the numbers that the
 * store knows; only the connections that are wanted are followed further. Which one a segment
 * belongs to is asked by its 4-tuple, for late ones come when the table is done with it.
 */
#include "evidence/scan.h"

#include "base/map.h"
#include "evidence/comment.h"
#include "evidence/ends.h"
#include "evidence/pick.h"
#include "evidence/pieces.h"
#include "tcp/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* How long behind the last frame of a connection its late ones may come. */
#define LATE (120 * HR_NSEC_PER_SEC)
enum { FRAMES_PER_LOOK = 4096 };

struct wanted_key {
    uint64_t source;
    uint64_t stream;
};

/* A connection of the store, with all its lives. */
struct wanted {
    struct wanted_key key;
    struct plan_exchange **exchanges; /* of the plan, that are wanted of it */
    size_t exchange_count;
    struct scan_conn *first;
    struct scan_conn *last;
    UT_hash_handle hh;
};

/* Which connection the segments of a 4-tuple belong to now. */
struct current {
    struct tcp_key key;
    struct scan_conn *conn;
    UT_hash_handle hh;
};

struct scan {
    struct plan *plan;
    struct plan_import *import;
    const struct scan_config *config;
    struct decoder *decoder;
    struct tcp_table *tcp;
    struct http_context *http;
    struct piece_table *fragments;
    struct wanted *wanted;
    struct ends_index by_ends; /* the same, where they come from a ring */
    struct current *current;
    size_t *sources; /* by place among the captures that are read: place in the import */
    size_t source_count;
    const struct packet *packet;
    unsigned nth;              /* segments of that packet so far */
    struct scan_frame *pieces; /* of the datagram that the present segments came in */
    size_t piece_count;
    bool has_opened;          /* the segment being fed opened a connection, */
    struct scan_conn *opened; /* this one; NULL: one that is not wanted */
    size_t segment_count;
};

/* --- the stages' callbacks -------------------------------------------------------------------- */

/* A ring does not begin with the capture, so connections are numbered otherwise; and its beginning
 * may be gone. */
static struct wanted *find(struct scan *s, const struct tcp_conn *c)
{
    if (s->import->ring != NULL) {
        return ends_index_find(&s->by_ends, &c->orig, &c->resp, c->first_at);
    }
    struct wanted_key key = {s->sources[c->capture], c->stream};
    struct wanted *w;
    HASH_FIND(hh, s->wanted, &key, sizeof(key), w);
    return w;
}

static void on_open(struct tcp_conn *c, void *user)
{
    struct scan *s = user;
    struct wanted *w = find(s, c);
    s->has_opened = true;
    s->opened = NULL;
    if (w != NULL) {
        struct scan_conn *conn = scan_conn_create(c);
        conn->scan = s;
        if (w->last != NULL) {
            w->last->next = conn;
        } else {
            w->first = conn;
        }
        w->last = conn;
        c->user = s->opened = conn;
    }
}

static void on_chunk(struct tcp_conn *c, const struct tcp_chunk *chunk, void *user)
{
    struct scan *s = user;
    struct scan_conn *conn = c->user;
    if (conn == NULL) {
        return;
    }
    if (conn->http == NULL && chunk->kind != TCP_CHUNK_END) {
        conn->http = http_conn_create(s->http, !c->syn_seen, conn);
    }
    if (conn->http != NULL) {
        http_conn_feed(conn->http,
                       &(struct http_input){
                           .side = chunk->direction == TCP_ORIG ? 0 : 1,
                           .offset = chunk->offset,
                           .bytes = chunk->bytes,
                           .gap_bytes = chunk->kind == TCP_CHUNK_GAP ? chunk->len : 0,
                           .end = chunk->kind == TCP_CHUNK_END,
                           .end_is_close = c->fin_at[chunk->direction] != HR_NSEC_INFINITE ||
                                           c->rst_at[chunk->direction] != HR_NSEC_INFINITE,
                           .end_is_reset = chunk->end == TCP_END_RST,
                           .place = {chunk->at, chunk->frame, chunk->capture},
                           .before_at = chunk->before_at,
                           .acked = chunk->acked,
        });
    }
}

static void on_close(struct tcp_conn *c, enum tcp_end end, void *user)
{
    struct scan_conn *conn = c->user;
    (void)user;
    (void)end;
    if (conn == NULL) {
        return;
    }
    if (conn->http != NULL) {
        http_conn_finish(conn->http);
        conn->client = http_conn_client_side(conn->http);
        http_conn_destroy(conn->http);
        conn->http = NULL;
    }
    scan_conn_close(conn, c);
    c->user = NULL;
}

static void on_exchange(const struct http_exchange *x, void *user)
{
    struct scan_conn *conn = user;
    const struct scan *s = conn->scan;
    struct scan_exchange *e = scan_conn_add_exchange(conn, x);
    e->request.source = s->sources[e->request.first.capture];
    e->response.source = s->sources[e->response.first.capture];
}

static void on_loss(const struct http_loss *loss, void *user)
{
    (void)loss;
    (void)user;
}

static void set_current(struct scan *s, const struct tcp_key *key, struct scan_conn *conn)
{
    struct current *c;
    HASH_FIND(hh, s->current, key, sizeof(*key), c);
    if (c != NULL && conn == NULL) {
        HASH_DEL(s->current, c);
        free(c);
    } else if (c != NULL) {
        c->conn = conn;
    } else if (conn != NULL) {
        c = hr_xcalloc(1, sizeof(*c));
        c->key = *key;
        c->conn = conn;
        HASH_ADD(hh, s->current, key, sizeof(c->key), c);
    }
}

static void on_segment(const struct tcp_segment *segment, void *user)
{
    struct scan *s = user;
    struct tcp_key key;
    struct current *c = NULL;
    unsigned nth = s->nth++;
    s->has_opened = false;
    tcp_table_feed(s->tcp, segment);
    if (s->current == NULL && s->opened == NULL) {
        return;
    }
    tcp_key_of(segment, &key);
    if (s->has_opened) {
        set_current(s, &key, s->opened);
        s->opened = NULL;
    }
    HASH_FIND(hh, s->current, &key, sizeof(key), c);
    if (c != NULL) {
        struct scan_frame at = {s->sources[segment->capture], segment->frame};
        scan_conn_add_segment(c->conn, segment, &at, nth, s->pieces, s->piece_count);
        s->segment_count++;
    }
}

static void add_piece(struct scan *s, size_t source, uint64_t frame)
{
    s->pieces = hr_xrealloc(s->pieces, (s->piece_count + 1) * sizeof(*s->pieces));
    s->pieces[s->piece_count++] = (struct scan_frame){source, frame};
}

/* A fragment inside of a datagram that was put together came in all frames of that one. */
static void on_fragment(const struct fragment *f, void *user)
{
    struct scan *s = user;
    struct piece here = {.capture = s->sources[s->packet->capture], .frame = s->packet->frame};
    for (size_t i = 0; i < s->piece_count; i++) {
        piece_table_add(
            s->fragments, f,
            &(struct piece){.capture = s->pieces[i].source, .frame = s->pieces[i].frame});
    }
    piece_table_add(s->fragments, f, &here);
}

static void on_datagram(const struct fragment *f, struct hr_span whole, void *user)
{
    struct scan *s = user;
    const struct piece *pieces;
    size_t count = piece_table_take(s->fragments, f, &pieces);
    (void)whole;
    for (size_t i = 0; i < count; i++) {
        add_piece(s, pieces[i].capture, pieces[i].frame);
    }
}

/* --- a run ------------------------------------------------------------------------------------ */

static size_t source_of(const struct plan_import *import, int64_t capture_id)
{
    for (size_t i = 0; i < import->source_count; i++) {
        if (import->sources[i].capture.id == capture_id) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void index_ends(struct scan *s, struct wanted *w, const struct cut_exchange *x)
{
    struct net_endpoint ends[2] = {{.port = (uint16_t)x->client_port},
                                   {.port = (uint16_t)x->server_port}};
    net_address_parse(x->client, &ends[0].address);
    net_address_parse(x->server, &ends[1].address);
    ends_index_add(&s->by_ends, ends, x->stream_first_at, x->stream_last_at, w);
}

static struct wanted *want(struct scan *s, const struct cut_exchange *x)
{
    const struct wanted_key key = {source_of(s->import, x->capture_id), (uint64_t)x->stream};
    struct wanted *w;
    HASH_FIND(hh, s->wanted, &key, sizeof(key), w);
    if (w == NULL) {
        w = hr_xcalloc(1, sizeof(*w));
        w->key = key;
        HASH_ADD(hh, s->wanted, key, sizeof(w->key), w);
        if (s->import->ring != NULL) {
            index_ends(s, w, x);
        }
    }
    return w;
}

/* Of those that go on in another import the handshake is all that is wanted here. */
static hr_nsec list_openings(struct scan *s)
{
    hr_nsec last_at = INT64_MIN;
    for (size_t i = 0; i < s->plan->opening_count; i++) {
        const struct cut_exchange *x = &s->plan->openings[i];
        if (x->import == s->import->number && source_of(s->import, x->capture_id) != SIZE_MAX) {
            want(s, x);
            last_at = x->stream_first_at > last_at ? x->stream_first_at : last_at;
        }
    }
    return last_at;
}

/* @return when the last of the connections wanted was over */
static hr_nsec list_wanted(struct scan *s)
{
    hr_nsec last_at = list_openings(s);
    for (size_t i = 0; i < s->plan->exchange_count; i++) {
        struct plan_exchange *exchange = &s->plan->exchanges[i];
        const struct cut_exchange *x = &exchange->x;
        if (x->import != s->import->number) {
            continue;
        }
        struct wanted *w = want(s, x);
        last_at = x->stream_last_at > last_at ? x->stream_last_at : last_at;
        w->exchanges = hr_xgrow(w->exchanges, w->exchange_count, sizeof(struct plan_exchange *));
        w->exchanges[w->exchange_count++] = exchange;
    }
    return last_at;
}

static struct intake_capture *list_captures(struct scan *s)
{
    struct intake_capture *captures = hr_xcalloc(s->import->source_count + 1, sizeof(*captures));
    s->sources = hr_xcalloc(s->import->source_count + 1, sizeof(*s->sources));
    for (size_t i = 0; i < s->import->source_count; i++) {
        const struct plan_source *from = &s->import->sources[i];
        if (from->is_needed) {
            captures[s->source_count] =
                (struct intake_capture){.path = from->path, .place = from->place};
            s->sources[s->source_count++] = i;
        }
    }
    return captures;
}

static void create_stages(struct scan *s)
{
    static const struct http_callbacks http_callbacks = {.exchange = on_exchange, .loss = on_loss};
    static const struct tcp_callbacks tcp_callbacks = {
        .open = on_open, .chunk = on_chunk, .close = on_close};
    s->http = http_context_create(s->config->http, &http_callbacks);
    s->tcp = tcp_table_create(s->config->tcp, &tcp_callbacks, s, s->source_count);
    s->decoder = decoder_create(s->config->decode, on_segment, s);
    s->fragments = piece_table_create(s->config->decode->fragment_timeout);
    decoder_watch(s->decoder, &(struct decode_watch){
                                  .fragment = on_fragment, .datagram = on_datagram, .user = s});
}

static int read_frames(struct scan *s, struct intake *source, hr_nsec last_at)
{
    struct packet p;
    uint64_t count = 0;
    hr_nsec until = hr_nsec_add(last_at, LATE);
    for (size_t i = 0; i < s->source_count; i++) {
        hr_nsec doubt = s->import->sources[s->sources[i]].capture.clock_doubt;
        until = hr_nsec_add(until, doubt);
    }
    while (intake_next(source, &p) > 0 && p.at <= until) {
        s->packet = &p;
        s->nth = 0;
        s->piece_count = 0;
        decoder_feed(s->decoder, &p);
        if (++count % FRAMES_PER_LOOK == 0 && s->config->stop != NULL && *s->config->stop != 0) {
            return -EINTR;
        }
        if (s->segment_count > s->config->segment_limit) {
            return -EFBIG;
        }
    }
    tcp_table_finish(s->tcp);
    return 0;
}

/* --- what was found --------------------------------------------------------------------------- */

static const struct scan_exchange *find_match(const struct scan *s, const struct scan_conn *c,
                                              const struct scan_exchange *const *sorted,
                                              const struct cut_exchange *x)
{
    const struct scan_exchange key = {
        .request = {.first.frame = (uint64_t)x->request_frame,
                    .source = source_of(s->import, x->request_capture_id) },
        .response = {.first.frame = (uint64_t)x->response_frame,
                    .source = source_of(s->import, x->response_capture_id)},
        .ordinal = x->ordinal,
    };
    return scan_conn_find(sorted, c->exchange_count, &key);
}

static void add_comments(const struct scan *s, const struct plan_exchange *x,
                         const struct scan_exchange *e, size_t first_source, struct pick_sink *sink)
{
    struct hr_arena *arena = &sink->evidence->arena;
    if (e->request.first.frame != 0) {
        frame_picks_add(sink->picks, first_source + e->request.source, e->request.first.frame,
                        comment_request(arena, x, s->config->is_private));
    }
    if (e->response.first.frame != 0) {
        frame_picks_add(sink->picks, first_source + e->response.source, e->response.first.frame,
                        comment_response(arena, x, s->config->is_private));
    }
}

/* Picked with the numbers of the evidence, not of the import. */
static void shift_sources(struct scan_conn *c, size_t first_source)
{
    for (size_t i = 0; i < c->segment_count; i++) {
        c->segments[i].frame.source += first_source;
    }
    for (size_t i = 0; i < c->piece_count; i++) {
        c->pieces[i].source += first_source;
    }
}

static void pick_life(struct scan *s, const struct wanted *w, struct scan_conn *c,
                      size_t first_source, struct pick_sink *sink)
{
    const struct scan_exchange **wanted =
        hr_xcalloc(w->exchange_count + 1, sizeof(const struct scan_exchange *));
    const struct scan_exchange **sorted = scan_conn_sort(c);
    size_t count = 0;
    for (size_t i = 0; i < w->exchange_count; i++) {
        struct plan_exchange *x = w->exchanges[i];
        const struct scan_exchange *e = x->found ? NULL : find_match(s, c, sorted, &x->x);
        if (e != NULL) {
            x->found = true;
            wanted[count++] = e;
            add_comments(s, x, e, first_source, sink);
        }
    }
    free(sorted);
    shift_sources(c, first_source);
    conn_pick(c, wanted, count, sink);
    free(wanted);
}

/* @return the first frame of that capture that the ring holds, and its segment */
static uint64_t first_kept(const struct intake_ring *ring, size_t place, hr_nsec *ret_at)
{
    const struct ring_segment *s = ring->segments;
    *ret_at = s->from;
    return place < s->capture_count ? s->captures[place].frame : 0;
}

static void complain_of_ring(const struct scan *s, const struct plan_exchange *x,
                             struct hr_buf *out)
{
    bool has_request = x->x.request_frame != 0;
    int64_t frame = has_request ? x->x.request_frame : x->x.response_frame;
    size_t at =
        source_of(s->import, has_request ? x->x.request_capture_id : x->x.response_capture_id);
    const struct plan_source *from = &s->import->sources[at];
    char since[HR_TIME_TEXT_SIZE];
    hr_nsec kept_at;
    uint64_t kept = first_kept(s->import->ring, from->place, &kept_at);
    hr_buf_appendf(out, "%s%s: frame %" PRId64 ", where %s begins, ", out->len > 0 ? "\n" : "",
                   from->capture.path, frame, has_request ? "a request" : "an answer");
    if ((uint64_t)frame < kept) {
        hr_time_format(kept_at, since);
        hr_buf_appendf(out, "is not in %s any more, which goes back to frame %" PRIu64 ", %s",
                       s->import->ring->folder, kept, since);
    } else {
        hr_buf_appendf(out, "is missing from %s: not all of it was kept", s->import->ring->folder);
    }
}

static int complain(const struct scan *s, const struct intake *source, struct hr_buf *out)
{
    int r = 0;
    for (size_t i = 0; i < s->plan->exchange_count; i++) {
        const struct plan_exchange *x = &s->plan->exchanges[i];
        if (x->x.import != s->import->number || x->found) {
            continue;
        }
        bool has_request = x->x.request_frame != 0;
        size_t at =
            source_of(s->import, has_request ? x->x.request_capture_id : x->x.response_capture_id);
        if (at == SIZE_MAX) {
            hr_buf_appendf(out, "%sexchange %" PRId64 " is of a capture that the database lacks",
                           out->len > 0 ? "\n" : "", x->x.id);
            r = -ESTALE;
            continue;
        }
        if (s->import->ring != NULL) {
            complain_of_ring(s, x, out);
            continue;
        }
        const char *why = "the file changed since it was read; if the right one lies elsewhere, "
                          "name its folder with --from DIR";
        for (size_t k = 0; k < s->source_count; k++) {
            const char *error = intake_error(source, k);
            if (s->sources[k] == at && error != NULL) {
                why = error;
            }
        }
        hr_buf_appendf(out, "%s%s: frame %" PRId64 " does not hold the %s that it held: %s",
                       out->len > 0 ? "\n" : "", s->import->sources[at].capture.path,
                       has_request ? x->x.request_frame : x->x.response_frame,
                       has_request ? "request" : "response", why);
        r = -ESTALE;
    }
    return r;
}

static void destroy(struct scan *s)
{
    struct wanted *w;
    struct wanted *next_wanted;
    struct current *c;
    struct current *next_current;
    decoder_destroy(s->decoder);
    tcp_table_destroy(s->tcp);
    HASH_ITER(hh, s->wanted, w, next_wanted)
    {
        while (w->first != NULL) {
            struct scan_conn *conn = w->first;
            w->first = conn->next;
            http_conn_destroy(conn->http);
            scan_conn_destroy(conn);
        }
        HASH_DEL(s->wanted, w);
        free(w->exchanges);
        free(w);
    }
    HASH_ITER(hh, s->current, c, next_current)
    {
        HASH_DEL(s->current, c);
        free(c);
    }
    ends_index_finish(&s->by_ends);
    http_context_destroy(s->http);
    piece_table_destroy(s->fragments);
    free(s->pieces);
    free(s->sources);
}

int scan_import(struct plan *p, struct plan_import *import, size_t first_source,
                const struct scan_config *config, struct evidence *e, struct frame_picks *picks,
                struct hr_buf *ret_error)
{
    struct scan s = {.plan = p, .import = import, .config = config};
    struct pick_sink sink = {.evidence = e, .picks = picks};
    struct intake *source = NULL;
    struct intake_capture *captures = list_captures(&s);
    hr_nsec last_at = list_wanted(&s);
    create_stages(&s);
    int r = intake_open(&(struct intake_config){.captures = captures,
                                                .capture_count = s.source_count,
                                                .ring = import->ring,
                                                .from = import->from},
                        &source, ret_error);
    r = r == 0 ? read_frames(&s, source, last_at) : r;
    for (struct wanted *w = s.wanted; r == 0 && w != NULL; w = w->hh.next) {
        for (struct scan_conn *c = w->first; c != NULL; c = c->next) {
            pick_life(&s, w, c, first_source, &sink);
        }
    }
    r = r == 0 ? complain(&s, source, ret_error) : r;
    intake_close(source);
    destroy(&s);
    free(captures);
    return r;
}
