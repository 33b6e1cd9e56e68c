/*
 * Frames are packed into batches, which go to the disk whole or not at all. A batch that was left
 * out shows as a hole in the numbers of the next, and begins a new segment.
 */
#include "daemon/keeper.h"

#include "base/alloc.h"
#include "base/log.h"
#include "capture/pcapng_write.h"
#include "capture/ring.h"
#include "daemon/clock.h"
#include "daemon/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENT_BYTES ((uint64_t)64 * 1024 * 1024)
#define SEGMENT_BYTES_LEAST ((uint64_t)16 * 1024)
#define SEGMENT_SPAN (60 * HR_NSEC_PER_SEC)
/* The ring forgets by whole segments: at least so many make it up. */
#define SEGMENTS_LEAST 16
/* Of packets in one batch. */
#define BATCH_BYTES ((size_t)256 * 1024)
#define BATCH_SPAN HR_NSEC_PER_SEC
/* What waits for the disk. */
#define QUEUE_BYTES ((size_t)32 * 1024 * 1024)
/* Frames out of order that do not make a new segment. */
#define DISORDER HR_NSEC_PER_SEC
#define RETRY_INTERVAL HR_NSEC_PER_SEC

struct batch {
    STAILQ_ENTRY(batch) link;
    struct hr_buf bytes;
    hr_nsec first_at; /* the earliest, */
    hr_nsec last_at;  /* the latest, and */
    hr_nsec at;       /* the one it began with */
    uint64_t frames;
    size_t interface_count;             /* known when it was made */
    uint64_t first[RING_CAPTURE_LIMIT]; /* of each capture: its first frame; 0: none, */
    uint64_t next[RING_CAPTURE_LIMIT];  /* and the one behind its last */
};
STAILQ_HEAD(batch_list, batch);

struct keeper {
    struct keeper_config config;
    uint64_t segment_bytes;
    hr_nsec segment_span;
    hr_nsec batch_span;
    int lock_fd;
    pthread_t thread;
    bool is_running;
    struct batch *open; /* of who feeds */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Below the lock. */
    struct batch_list waiting;
    size_t waiting_bytes;
    bool is_ending;
    struct keeper_state state;
    struct ring_capture captures[RING_CAPTURE_LIMIT]; /* frame: of the thread */
    struct ring_interface interfaces[RING_INTERFACE_LIMIT];
    size_t interface_count;
    /* Of the thread. */
    struct ring_list ring; /* the last one is being written, if fd is not -1 */
    int fd;
    uint64_t ring_bytes;
    uint64_t run;         /* 0: nothing was written yet */
    uint64_t last_number; /* of a segment */
    hr_nsec retry_at;     /* steady; 0: nothing is wrong */
    uint64_t missed;      /* frames, since something is wrong */
    /* Of who feeds. */
    bool is_late; /* the queue was full, and that was told of */
};

/* --- opening ---------------------------------------------------------------------------------- */

static int fail(const struct keeper *k, int code, struct hr_buf *error)
{
    hr_buf_appendf(error, "packets cannot be kept in %s: %s", k->config.folder, strerror(-code));
    return code;
}

static int take_folder(struct keeper *k, uid_t uid, gid_t gid)
{
    struct hr_buf path;
    hr_buf_init(&path, SIZE_MAX);
    hr_buf_appendf(&path, "%s/lock", k->config.folder);
    k->lock_fd = open(hr_buf_str(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    hr_buf_finish(&path);
    if (k->lock_fd < 0 || (geteuid() == 0 && fchown(k->lock_fd, uid, gid) < 0)) {
        return -errno;
    }
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(k->lock_fd, F_SETLK, &all) < 0) {
        return errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
    }
    return 0;
}

int keeper_open(const struct keeper_config *config, uid_t uid, gid_t gid,
                struct keeper **ret_keeper, struct hr_buf *ret_error)
{
    struct keeper *k = hr_xcalloc(1, sizeof(*k));
    k->config = *config;
    k->lock_fd = k->fd = -1;
    k->segment_bytes = SEGMENT_BYTES;
    k->segment_span = SEGMENT_SPAN;
    if (config->keep_bytes > 0 && config->keep_bytes / SEGMENTS_LEAST < SEGMENT_BYTES) {
        k->segment_bytes = config->keep_bytes / SEGMENTS_LEAST;
    }
    if (k->segment_bytes < SEGMENT_BYTES_LEAST) {
        k->segment_bytes = SEGMENT_BYTES_LEAST;
    }
    if (config->keep_span > 0 && config->keep_span / SEGMENTS_LEAST < SEGMENT_SPAN) {
        k->segment_span = config->keep_span / SEGMENTS_LEAST + 1;
    }
    for (size_t i = 0; i < config->capture_count; i++) {
        ring_set_name(&k->captures[i], config->captures[i]);
        k->captures[i].first_at = HR_NSEC_INFINITE;
        k->captures[i].frame = 1;
    }
    k->batch_span = k->segment_span < BATCH_SPAN ? k->segment_span : BATCH_SPAN;
    STAILQ_INIT(&k->waiting);
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->changed, NULL);
    int r = trust_make_folder(config->folder, uid, gid);
    r = r == 0 ? take_folder(k, uid, gid) : r;
    if (r == -EBUSY) {
        hr_buf_appendf(ret_error, "another watch keeps its packets in %s; name another with --ring",
                       config->folder);
    } else if (r < 0) {
        fail(k, r, ret_error);
    }
    if (r < 0) {
        keeper_close(k);
        return r;
    }
    *ret_keeper = k;
    return 0;
}

/* --- segments, on the thread ------------------------------------------------------------------ */

static void end_segment(struct keeper *k)
{
    if (k->fd >= 0) {
        close(k->fd);
        k->fd = -1;
    }
}

static void remove_segment(struct keeper *k, size_t at)
{
    struct hr_buf path;
    hr_buf_init(&path, SIZE_MAX);
    ring_append_path(k->config.folder, k->ring.items[at].number, &path);
    if (at + 1 == k->ring.count) {
        end_segment(k);
    }
    unlink(hr_buf_str(&path));
    hr_buf_finish(&path);
    k->ring_bytes -= k->ring.items[at].size_bytes;
    ring_segment_finish(&k->ring.items[at]);
    k->ring.count--;
    memmove(&k->ring.items[at], &k->ring.items[at + 1],
            (k->ring.count - at) * sizeof(*k->ring.items));
}

/* Either way: when the clock was set back, what seems to be of the future cannot be told to be
 * younger. */
static bool is_too_old(const struct keeper *k, const struct ring_segment *s, hr_nsec now)
{
    hr_nsec span = k->config.keep_span;
    return span > 0 && (hr_nsec_sub(now, s->until) > span || hr_nsec_sub(s->from, now) > span);
}

/* So that so many bytes more have room. */
static void prune(struct keeper *k, hr_nsec now, size_t more)
{
    const struct keeper_config *c = &k->config;
    while (k->ring.count > 0 && c->keep_bytes > 0 && k->ring_bytes + more > c->keep_bytes) {
        remove_segment(k, 0);
    }
    for (size_t i = k->ring.count; i-- > 0;) {
        if (is_too_old(k, &k->ring.items[i], now)) {
            remove_segment(k, i);
        }
    }
}

static struct ring_segment *current(struct keeper *k)
{
    return &k->ring.items[k->ring.count - 1];
}

static bool fits(struct keeper *k, const struct batch *b)
{
    if (k->fd < 0) {
        return false;
    }
    const struct ring_segment *s = current(k);
    for (size_t i = 0; i < k->config.capture_count; i++) {
        if (b->first[i] != 0 && b->first[i] != k->captures[i].frame) {
            return false;
        }
    }
    return s->interface_count == b->interface_count &&
           b->first_at >= hr_nsec_sub(s->from, DISORDER) && b->last_at <= s->until &&
           s->size_bytes + b->bytes.len <= k->segment_bytes;
}

static void describe(struct keeper *k, const struct batch *b, struct ring_segment *s)
{
    s->number = k->last_number + 1;
    s->run = k->run != 0 ? k->run : s->number;
    s->from = b->first_at;
    s->until = hr_nsec_add(b->first_at, k->segment_span);
    s->until = b->last_at > s->until ? b->last_at : s->until;
    s->capture_count = k->config.capture_count;
    s->captures = hr_xcalloc(s->capture_count, sizeof(*s->captures));
    s->interface_count = b->interface_count;
    s->interfaces = hr_xcalloc(s->interface_count + 1, sizeof(*s->interfaces));
    pthread_mutex_lock(&k->lock);
    memcpy(s->captures, k->captures, s->capture_count * sizeof(*s->captures));
    memcpy(s->interfaces, k->interfaces, s->interface_count * sizeof(*s->interfaces));
    pthread_mutex_unlock(&k->lock);
    for (size_t i = 0; i < s->capture_count; i++) {
        s->captures[i].frame = b->first[i] != 0 ? b->first[i] : s->captures[i].frame;
    }
}

static int write_all(int fd, struct hr_span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        n = n > 0 ? n : 0;
        bytes = hr_span_of(bytes.ptr + n, bytes.len - (size_t)n);
    }
    return 0;
}

/* A segment's first batch goes with its head, so that none is without frames. */
static int begin_segment(struct keeper *k, const struct batch *b)
{
    struct ring_segment s = {0};
    struct hr_buf path;
    struct hr_buf bytes;
    hr_buf_init(&path, SIZE_MAX);
    hr_buf_init(&bytes, SIZE_MAX);
    end_segment(k);
    describe(k, b, &s);
    ring_append_path(k->config.folder, s.number, &path);
    ring_format_head(&s, &bytes);
    hr_buf_append(&bytes, hr_buf_span(&b->bytes));
    prune(k, b->last_at, bytes.len);
    int fd = open(hr_buf_str(&path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int r = fd < 0 ? -errno : write_all(fd, hr_buf_span(&bytes));
    if (r == 0) {
        s.size_bytes = bytes.len;
        k->fd = fd;
        k->run = s.run;
        k->last_number = s.number;
        k->ring_bytes += s.size_bytes;
        k->ring.items = hr_xrealloc(k->ring.items, (k->ring.count + 1) * sizeof(s));
        k->ring.items[k->ring.count++] = s;
    } else {
        ring_segment_finish(&s);
        if (fd >= 0) {
            close(fd);
            unlink(hr_buf_str(&path));
        }
    }
    hr_buf_finish(&bytes);
    hr_buf_finish(&path);
    return r;
}

/* What was written of a batch that did not fit is cut off. */
static int append(struct keeper *k, const struct batch *b)
{
    struct ring_segment *s = current(k);
    int r = write_all(k->fd, hr_buf_span(&b->bytes));
    if (r == 0) {
        s->size_bytes += b->bytes.len;
        k->ring_bytes += b->bytes.len;
    } else {
        if (ftruncate(k->fd, (off_t)s->size_bytes) < 0) {
            hr_warning("the ring: a segment cannot be cut: %s", strerror(errno));
        }
        end_segment(k);
    }
    return r;
}

static void take_note(struct keeper *k, const struct batch *b)
{
    for (size_t i = 0; i < k->config.capture_count; i++) {
        k->captures[i].frame = b->next[i] != 0 ? b->next[i] : k->captures[i].frame;
    }
}

static void miss(struct keeper *k, const struct batch *b, int code)
{
    if (k->retry_at == 0) {
        hr_warning("%s: %s; packets are not kept until there is room again, the watch goes on",
                   k->config.folder, strerror(-code));
    }
    k->missed += b->frames;
    k->retry_at = clock_steady() + RETRY_INTERVAL;
}

static void write_batch(struct keeper *k, const struct batch *b)
{
    int r = 0;
    prune(k, b->last_at, fits(k, b) ? b->bytes.len : 0);
    if (k->retry_at != 0 && clock_steady() < k->retry_at) {
        k->missed += b->frames;
    } else {
        r = fits(k, b) ? append(k, b) : begin_segment(k, b);
        if (r < 0) {
            miss(k, b, r);
        } else if (k->retry_at != 0) {
            hr_info("%s: packets are kept again; %" PRIu64 " frames are missing", k->config.folder,
                    k->missed);
            k->retry_at = 0;
            k->missed = 0;
        }
        if (r == 0) {
            take_note(k, b);
        }
    }
}

static void batch_destroy(struct batch *b)
{
    if (b != NULL) {
        hr_buf_finish(&b->bytes);
        free(b);
    }
}

/* With the lock held, or before the thread is made. */
static void note_state(struct keeper *k)
{
    k->state.bytes = k->ring_bytes;
    k->state.oldest_at = k->ring.count > 0 ? k->ring.items[0].from : HR_NSEC_INFINITE;
    k->state.is_stopped = k->retry_at != 0;
}

static void *run(void *user)
{
    struct keeper *k = user;
    pthread_mutex_lock(&k->lock);
    for (;;) {
        struct batch *b = STAILQ_FIRST(&k->waiting);
        if (b == NULL && k->is_ending) {
            break;
        }
        if (b == NULL) {
            pthread_cond_wait(&k->changed, &k->lock);
            continue;
        }
        pthread_mutex_unlock(&k->lock);
        write_batch(k, b);
        pthread_mutex_lock(&k->lock);
        note_state(k);
        k->state.missed += k->retry_at != 0 ? b->frames : 0;
        STAILQ_REMOVE_HEAD(&k->waiting, link);
        k->waiting_bytes -= b->bytes.len;
        batch_destroy(b);
    }
    pthread_mutex_unlock(&k->lock);
    return NULL;
}

int keeper_start(struct keeper *k, struct hr_buf *ret_error)
{
    int r = access(k->config.folder, R_OK | W_OK | X_OK) < 0 ? -errno : 0;
    r = r == 0 ? ring_list_read(k->config.folder, &k->ring) : r;
    for (size_t i = 0; i < k->ring.count; i++) {
        k->ring_bytes += k->ring.items[i].size_bytes;
        k->last_number = k->ring.items[i].number;
    }
    note_state(k);
    r = r == 0 ? -pthread_create(&k->thread, NULL, run, k) : r;
    k->is_running = r == 0;
    return r < 0 ? fail(k, r, ret_error) : 0;
}

void keeper_get_state(struct keeper *k, struct keeper_state *ret_state)
{
    pthread_mutex_lock(&k->lock);
    *ret_state = k->state;
    pthread_mutex_unlock(&k->lock);
}

/* --- feeding ---------------------------------------------------------------------------------- */

void keeper_flush(struct keeper *k)
{
    struct batch *b = k->open;
    if (b == NULL) {
        return;
    }
    k->open = NULL;
    pthread_mutex_lock(&k->lock);
    bool has_room = k->waiting_bytes == 0 || k->waiting_bytes + b->bytes.len <= QUEUE_BYTES;
    bool is_empty = k->waiting_bytes == 0;
    k->state.missed += has_room ? 0 : b->frames;
    if (has_room) {
        STAILQ_INSERT_TAIL(&k->waiting, b, link);
        k->waiting_bytes += b->bytes.len;
        pthread_cond_signal(&k->changed);
    }
    pthread_mutex_unlock(&k->lock);
    if (!has_room) {
        if (!k->is_late) {
            hr_warning(
                "%s: the disk is slower than the packets; not all are kept, the watch goes on",
                k->config.folder);
        }
        batch_destroy(b);
    }
    k->is_late = !has_room || (k->is_late && !is_empty);
}

/* @return its number, RING_INTERFACE_LIMIT: there are too many */
static size_t interface_of(struct keeper *k, const struct packet *p)
{
    struct ring_interface n = {.capture = p->capture,
                               .link_type = p->link_type,
                               .snap_bytes = p->snap_bytes,
                               .decimals = pcapng_decimals(p->resolution)};
    size_t i = 0;
    while (i < k->interface_count) {
        const struct ring_interface *o = &k->interfaces[i];
        if (o->capture == n.capture && o->link_type == n.link_type &&
            o->snap_bytes == n.snap_bytes && o->decimals == n.decimals) {
            return i;
        }
        i++;
    }
    if (i < RING_INTERFACE_LIMIT) {
        keeper_flush(k);
        pthread_mutex_lock(&k->lock);
        k->interfaces[k->interface_count++] = n;
        pthread_mutex_unlock(&k->lock);
    }
    return i;
}

static struct batch *batch_for(struct keeper *k, const struct packet *p)
{
    const struct batch *b = k->open;
    bool has_hole = b != NULL && b->next[p->capture] != 0 && b->next[p->capture] != p->frame;
    if (b != NULL &&
        (has_hole || b->bytes.len + p->captured_bytes > BATCH_BYTES ||
         b->bytes.len + p->captured_bytes > k->segment_bytes ||
         p->at > hr_nsec_add(b->at, k->batch_span) || p->at < hr_nsec_sub(b->at, k->batch_span))) {
        keeper_flush(k);
    }
    if (k->open == NULL) {
        k->open = hr_xcalloc(1, sizeof(*k->open));
        *k->open = (struct batch){.first_at = p->at, .last_at = p->at, .at = p->at};
        k->open->interface_count = k->interface_count;
        hr_buf_init(&k->open->bytes, SIZE_MAX);
    }
    return k->open;
}

void keeper_add(struct keeper *k, const struct packet *p)
{
    size_t interface = interface_of(k, p);
    if (k->captures[p->capture].first_at == HR_NSEC_INFINITE) {
        pthread_mutex_lock(&k->lock);
        k->captures[p->capture].first_at = p->at;
        pthread_mutex_unlock(&k->lock);
    }
    if (interface == RING_INTERFACE_LIMIT) {
        keeper_flush(k);
        pthread_mutex_lock(&k->lock);
        k->state.missed++;
        pthread_mutex_unlock(&k->lock);
        return;
    }
    struct batch *b = batch_for(k, p);
    b->first[p->capture] = b->first[p->capture] != 0 ? b->first[p->capture] : p->frame;
    b->next[p->capture] = p->frame + 1;
    b->first_at = p->at < b->first_at ? p->at : b->first_at;
    b->last_at = p->at > b->last_at ? p->at : b->last_at;
    b->frames++;
    pcapng_write_packet(&b->bytes, p, (uint32_t)interface, k->interfaces[interface].decimals, NULL);
}

void keeper_close(struct keeper *k)
{
    if (k == NULL) {
        return;
    }
    if (k->is_running) {
        keeper_flush(k);
        pthread_mutex_lock(&k->lock);
        k->is_ending = true;
        pthread_cond_signal(&k->changed);
        pthread_mutex_unlock(&k->lock);
        pthread_join(k->thread, NULL);
    }
    end_segment(k);
    batch_destroy(k->open);
    ring_list_finish(&k->ring);
    if (k->lock_fd >= 0) {
        close(k->lock_fd);
    }
    pthread_mutex_destroy(&k->lock);
    pthread_cond_destroy(&k->changed);
    free(k);
}
