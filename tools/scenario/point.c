/*
 * A frame that is to be reordered is held until one to three later frames of its connection are
 * recorded, or HOLD has passed. HOLD is constant, so the held frames stand in the order of their
 * deadlines.
 */
#include "scenario/point.h"

#include "base/alloc.h"
#include "base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define HOLD (3 * HR_NSEC_PER_MSEC)

struct held {
    TAILQ_ENTRY(held) link;
    struct talk_frame frame; /* payload: in bytes */
    hr_nsec deadline;
    unsigned countdown;
    bool overtaken;
    bool twice;
    char bytes[];
};

struct point {
    struct point_config config;
    struct capfile *file;
    FILE *truth;
    struct rng rng;
    TAILQ_HEAD(held_list, held) held;
    hr_nsec last_at; /* of the latest recorded frame */
    struct point_counts counts;
    struct hr_buf line;
    uint8_t frame[FRAME_BYTES_MAX];
};

int point_open(const char *path, const struct point_config *config, FILE *truth,
               struct point **ret_point)
{
    struct point *p = hr_xcalloc(1, sizeof(*p));
    int r;
    p->config = *config;
    p->config.file.link_type = config->frame.link;
    p->config.frame.big_endian = config->file.big_endian;
    p->truth = truth;
    p->rng.state = config->seed ^ UINT64_C(0x706f696e74);
    TAILQ_INIT(&p->held);
    hr_buf_init(&p->line, SIZE_MAX);
    r = capfile_open(path, &p->config.file, &p->file);
    if (r < 0) {
        free(p);
        return r;
    }
    *ret_point = p;
    return 0;
}

static hr_nsec recorded_time(const struct point *p, hr_nsec at)
{
    return p->config.file.format == CAPFILE_PCAP_USEC ? at - at % HR_NSEC_PER_USEC : at;
}

static void note_frame(struct truth_seen *s, uint64_t frame)
{
    if (s->frame_count == s->frame_capacity) {
        s->frame_capacity = s->frame_capacity == 0 ? 4 : s->frame_capacity * 2;
        s->frames = hr_xrealloc(s->frames, s->frame_capacity * sizeof(s->frames[0]));
    }
    s->frames[s->frame_count++] = frame;
}

static void note(struct point *p, const struct talk_frame *f, hr_nsec at, size_t kept, bool copy)
{
    struct truth_seen *s = &f->note.truth->seen[f->note.part];
    note_frame(s, p->counts.frames);
    if (copy || kept == 0) {
        return;
    }
    s->recorded_bytes += kept;
    if (f->note.offset == 0) {
        s->first_at = recorded_time(p, at);
    }
    if (f->note.offset + kept == s->sent_bytes) {
        s->last_at = recorded_time(p, at);
    }
}

static void record(struct point *p, const struct talk_frame *f, hr_nsec at, bool copy)
{
    const struct talk *t = f->talk;
    const struct frame_segment s = {
        .source = t->half[f->side].end,
        .destination = t->half[!f->side].end,
        .seq = f->seq,
        .ack = f->ack,
        .window = 64240,
        .mss = f->mss,
        .ip_id = f->ip_id,
        .flags = f->flags,
        .payload = f->payload,
    };
    const size_t len = frame_build(&p->config.frame, &s, p->frame);
    const uint32_t snaplen = p->config.file.snaplen;
    const size_t cut = snaplen != 0 && len > snaplen ? len - snaplen : 0;
    capfile_write(p->file, at, p->frame, len);
    p->last_at = at;
    p->counts.frames++;
    p->counts.bytes += len - cut;
    if (f->note.truth != NULL) {
        note(p, f, at, cut < f->payload.len ? f->payload.len - cut : 0, copy);
    }
}

static void record_held(struct point *p, struct held *h, hr_nsec at)
{
    h->frame.talk->held = NULL;
    record(p, &h->frame, at, false);
    if (h->twice) {
        record(p, &h->frame, at, true);
    }
    p->counts.reordered += h->overtaken;
    TAILQ_REMOVE(&p->held, h, link);
    if (h->frame.note.truth != NULL) {
        point_truth_end(p, h->frame.note.truth);
    }
    free(h);
}

static void hold(struct point *p, const struct talk_frame *f, bool twice)
{
    struct held *h = hr_xcalloc(1, sizeof(*h) + f->payload.len);
    h->frame = *f;
    h->deadline = f->at + HOLD;
    h->countdown = 1 + (unsigned)rng_below(&p->rng, 3);
    h->twice = twice;
    if (f->payload.len > 0) {
        memcpy(h->bytes, f->payload.ptr, f->payload.len);
    }
    h->frame.payload.ptr = h->bytes;
    if (f->note.truth != NULL) {
        f->note.truth->refs++;
    }
    f->talk->held = h;
    TAILQ_INSERT_TAIL(&p->held, h, link);
}

static bool is_marked(const struct talk_frame *f, unsigned marks)
{
    const unsigned bit = f->note.offset == 0 ? TRUTH_HEAD(f->note.part) : TRUTH_TAIL(f->note.part);
    return (marks & bit) != 0;
}

void point_frame(struct point *p, const struct talk_frame *f)
{
    struct held *h = f->talk->held;
    const struct truth *x = f->note.truth;
    bool lost = rng_chance(&p->rng, p->config.loss);
    bool twice = rng_chance(&p->rng, p->config.duplicate);
    const bool late = rng_chance(&p->rng, p->config.reorder);
    while (!TAILQ_EMPTY(&p->held) && TAILQ_FIRST(&p->held)->deadline <= f->at) {
        record_held(p, TAILQ_FIRST(&p->held), TAILQ_FIRST(&p->held)->deadline);
        h = f->talk->held;
    }
    lost = lost || (x != NULL && is_marked(f, x->drop));
    twice = twice || (x != NULL && is_marked(f, x->duplicate));
    if (f->at < p->config.from || f->at >= p->config.until) {
        return;
    }
    if (lost) {
        p->counts.lost++;
        return;
    }
    p->counts.doubled += twice;
    if (late && h == NULL) {
        hold(p, f, twice);
        return;
    }
    record(p, f, f->at, false);
    if (twice) {
        record(p, f, f->at, true);
    }
    if (h != NULL) {
        h->overtaken = true;
        if (--h->countdown == 0) {
            record_held(p, h, f->at);
        }
    }
}

void point_forget(struct point *p, struct talk *t)
{
    if (t->held != NULL) {
        record_held(p, t->held, p->last_at); /* nothing can overtake it any more */
    }
}

struct truth *truth_begin(void)
{
    struct truth *x = hr_xcalloc(1, sizeof(*x));
    x->refs = 1;
    for (size_t i = 0; i < TRUTH_PARTS; i++) {
        x->seen[i].first_at = HR_NSEC_INFINITE;
        x->seen[i].last_at = HR_NSEC_INFINITE;
    }
    return x;
}

static void put_end(struct hr_json *j, const char *side, const struct net_endpoint *e)
{
    char text[NET_ADDRESS_TEXT_SIZE];
    char key[16];
    hr_json_key(j, side);
    hr_json_str(j, frame_address_format(&e->address, text));
    snprintf(key, sizeof(key), "%s_port", side);
    hr_json_key(j, key);
    hr_json_int(j, e->port);
}

static void put_part(struct hr_json *j, const char *part, const struct truth_seen *s)
{
    char key[32];
    snprintf(key, sizeof(key), "%s_whole", part);
    hr_json_key(j, key);
    hr_json_bool(j, s->recorded_bytes == s->sent_bytes);
    snprintf(key, sizeof(key), "%s_at", part);
    hr_json_key(j, key);
    hr_json_time(j, s->first_at);
    snprintf(key, sizeof(key), "%s_end_at", part);
    hr_json_key(j, key);
    hr_json_time(j, s->last_at);
    snprintf(key, sizeof(key), "%s_frames", part);
    hr_json_key(j, key);
    hr_json_array_begin(j);
    for (size_t i = 0; i < s->frame_count; i++) {
        hr_json_int(j, (int64_t)s->frames[i]);
    }
    hr_json_array_end(j);
}

static bool is_whole(const struct truth *x)
{
    const struct truth_seen *q = &x->seen[TRUTH_REQUEST];
    const struct truth_seen *a = &x->seen[TRUTH_RESPONSE];
    return q->recorded_bytes == q->sent_bytes && a->recorded_bytes == a->sent_bytes;
}

static void write_truth(struct point *p, const struct truth *x)
{
    struct hr_json j;
    hr_buf_clear(&p->line);
    hr_json_init(&j, &p->line);
    hr_json_object_begin(&j);
    hr_json_key(&j, "label");
    hr_json_str(&j, x->label);
    put_end(&j, "client", &x->client);
    put_end(&j, "server", &x->server);
    hr_json_key(&j, "method");
    hr_json_str(&j, x->method);
    hr_json_key(&j, "target");
    hr_json_str(&j, x->target);
    hr_json_key(&j, "status");
    if (x->status != 0) {
        hr_json_int(&j, x->status);
    } else {
        hr_json_null(&j);
    }
    hr_json_key(&j, "response_bytes");
    hr_json_int(&j, (int64_t)x->response_bytes);
    hr_json_key(&j, "whole");
    hr_json_bool(&j, is_whole(x));
    put_part(&j, "request", &x->seen[TRUTH_REQUEST]);
    put_part(&j, "response", &x->seen[TRUTH_RESPONSE]);
    hr_json_object_end(&j);
    hr_buf_append_char(&p->line, '\n');
    fwrite(p->line.ptr, 1, p->line.len, p->truth);
}

void point_truth_end(struct point *p, struct truth *take_truth)
{
    if (--take_truth->refs > 0) {
        return;
    }
    p->counts.exchanges++;
    p->counts.whole += is_whole(take_truth);
    if (p->truth != NULL) {
        write_truth(p, take_truth);
    }
    for (size_t i = 0; i < TRUTH_PARTS; i++) {
        free(take_truth->seen[i].frames);
    }
    free(take_truth);
}

void point_flush(struct point *p)
{
    while (!TAILQ_EMPTY(&p->held)) {
        record_held(p, TAILQ_FIRST(&p->held), TAILQ_FIRST(&p->held)->deadline);
    }
}

int point_close(struct point *p, struct point_counts *ret_counts)
{
    int r;
    if (p == NULL) {
        return 0;
    }
    point_flush(p);
    r = capfile_close(p->file);
    if (p->truth != NULL && (fflush(p->truth) != 0 || ferror(p->truth)) && r == 0) {
        r = -EIO;
    }
    if (ret_counts != NULL) {
        *ret_counts = p->counts;
    }
    hr_buf_finish(&p->line);
    free(p);
    return r;
}
