#include "daemon/feed.h"

#include "base/alloc.h"
#include "base/log.h"
#include "daemon/clock.h"
#include "decode/decode.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define FRAMES_A_TURN 4096

struct feed {
    struct live_source *live; /* or */
    struct packet_source *files;
    bool is_paced;
    bool has_packet; /* read, and its time has not come */
    struct packet packet;
    hr_nsec lead; /* the machine's time less the captures' */
    bool has_lead;
    struct capture_info *infos; /* of files */
    bool *told;                 /* by capture: its error */
    size_t count;
};

int feed_open_live(const struct live_config *config, struct feed **ret_feed,
                   struct hr_buf *ret_error)
{
    struct feed *f = hr_xcalloc(1, sizeof(*f));
    f->count = config->interface_count;
    f->told = hr_xcalloc(f->count, sizeof(*f->told));
    int r = live_source_open(config, &f->live, ret_error);
    if (r < 0) {
        feed_close(f);
        return r;
    }
    *ret_feed = f;
    return 0;
}

int feed_open_files(const struct packet_source_config *config, bool is_paced,
                    struct feed **ret_feed, struct hr_buf *ret_error)
{
    struct feed *f = hr_xcalloc(1, sizeof(*f));
    f->is_paced = is_paced;
    f->count = config->path_count;
    f->told = hr_xcalloc(f->count, sizeof(*f->told));
    f->infos = hr_xcalloc(f->count, sizeof(*f->infos));
    int r = packet_source_open(config, &f->files, ret_error);
    if (r < 0) {
        feed_close(f);
        return r;
    }
    *ret_feed = f;
    return 0;
}

void feed_close(struct feed *f)
{
    if (f != NULL) {
        live_source_close(f->live);
        if (f->files != NULL) {
            packet_source_close(f->files);
        }
        free(f->infos);
        free(f->told);
        free(f);
    }
}

bool feed_is_live(const struct feed *f)
{
    return f->live != NULL;
}

size_t feed_count(const struct feed *f)
{
    return f->count;
}

/* --- captures --------------------------------------------------------------------------------- */

/* @return how long until the frame at hand is due; 0: it is */
static hr_nsec due_in(struct feed *f)
{
    hr_nsec now = clock_steady();
    if (!f->is_paced) {
        return 0;
    }
    if (!f->has_lead) {
        f->has_lead = true;
        f->lead = hr_nsec_sub(now, f->packet.at);
    }
    hr_nsec due = hr_nsec_add(f->packet.at, f->lead);
    return due > now ? due - now : 0;
}

static bool next_packet(struct feed *f)
{
    if (!f->has_packet) {
        f->has_packet = packet_source_next(f->files, &f->packet) > 0;
    }
    return f->has_packet;
}

static int read_files(struct feed *f, void (*emit)(const struct packet *p, void *user), void *user)
{
    int n = 0;
    while (n < FRAMES_A_TURN && next_packet(f)) {
        const struct packet *p = &f->packet;
        if (due_in(f) > 0) {
            return n;
        }
        f->has_packet = false;
        if (!decode_knows_link(p->link_type) &&
            p->link_type == packet_source_info(f->files, p->capture)->link_type) {
            char text[64];
            snprintf(text, sizeof(text), "link type %u is not known", p->link_type);
            packet_source_reject(f->files, p->capture, -EPROTONOSUPPORT, text);
            continue;
        }
        emit(p, user);
        n++;
    }
    return n > 0 ? n : -ENODEV;
}

/* --- both ------------------------------------------------------------------------------------- */

int feed_fd(const struct feed *f, size_t capture)
{
    return f->live != NULL ? live_source_fd(f->live, capture) : -1;
}

void feed_wait(struct feed *f, int other_fd, int timeout_ms)
{
    struct pollfd fds[17] = {
        {.fd = other_fd, .events = POLLIN}
    };
    nfds_t count = 1;
    if (f->files != NULL) {
        hr_nsec due = f->has_packet ? due_in(f) : 0;
        int due_ms = (int)((due + HR_NSEC_PER_MSEC - 1) / HR_NSEC_PER_MSEC);
        timeout_ms = due_ms < timeout_ms ? due_ms : timeout_ms;
    }
    for (size_t i = 0; f->live != NULL && i < f->count && count < HR_ARRAY_LEN(fds); i++) {
        fds[count++] = (struct pollfd){.fd = live_source_fd(f->live, i), .events = POLLIN};
    }
    poll(fds, count, timeout_ms);
}

static void tell_errors(struct feed *f)
{
    const struct capture_info *infos = feed_infos(f);
    for (size_t i = 0; i < f->count; i++) {
        if (infos[i].error != 0 && !f->told[i]) {
            hr_error("%s: %s", infos[i].path, infos[i].error_text);
            f->told[i] = true;
        }
    }
}

int feed_read(struct feed *f, void (*emit)(const struct packet *p, void *user), void *user)
{
    int n = f->live != NULL ? live_source_read(f->live, clock_wall(), emit, user)
                            : read_files(f, emit, user);
    if (n <= 0) {
        tell_errors(f);
    }
    return n;
}

void feed_flush(struct feed *f, void (*emit)(const struct packet *p, void *user), void *user)
{
    if (f->live != NULL) {
        live_source_flush(f->live, emit, user);
    }
}

uint64_t feed_drops(struct feed *f, size_t capture)
{
    return f->live != NULL ? live_source_drops(f->live, capture) : 0;
}

void feed_settle_clock(struct feed *f, const struct live_clock_step *step)
{
    if (f->live != NULL) {
        live_source_settle_clock(f->live, step);
    }
}

const struct capture_info *feed_infos(struct feed *f)
{
    if (f->live != NULL) {
        return live_source_infos(f->live);
    }
    for (size_t i = 0; i < f->count; i++) {
        f->infos[i] = *packet_source_info(f->files, i);
    }
    return f->infos;
}
