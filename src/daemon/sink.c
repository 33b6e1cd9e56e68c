#include "daemon/sink.h"

#include "base/alloc.h"
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

/* For what is under way at the end to come back. */
#define HURRY_MS 1000
/* Between two tries: twice as long each time. */
#define FIRST_PAUSE_MS 500
#define LAST_PAUSE_MS 60000
#define REASON_BYTES 512

struct alert {
    TAILQ_ENTRY(alert) link;
    int64_t id;
    size_t len;
    char body[];
};
TAILQ_HEAD(alerts_list, alert);

struct sink {
    char *spec;
    const struct sink_kind *kind;
    void *state;
    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* waiting, is_ending, wants_reopen */
    struct alerts_list waiting;
    size_t count; /* of those, and of those done but not taken */
    int64_t done[SINK_LIMIT];
    size_t done_count;
    bool is_ending;
    bool wants_reopen;
    bool is_abandoned;        /* its thread hangs, and has all of this */
    struct timespec patience; /* when is_ending: no try begins after it */
    uint64_t sent;
    uint64_t failed;
    bool is_troubled;       /* the trouble was told of */
    struct hr_buf given_up; /* why the last one was, and that was told of */
};

static const struct sink_kind *const kinds[] = {
    &sink_kind_stdout, &sink_kind_file, &sink_kind_syslog,
    &sink_kind_exec,   &sink_kind_http, &sink_kind_https,
};

static const struct sink_kind *kind_of(const char *spec)
{
    for (size_t i = 0; i < HR_ARRAY_LEN(kinds); i++) {
        size_t n = strlen(kinds[i]->prefix);
        bool has_rest = n > 0 && strchr(":/", kinds[i]->prefix[n - 1]) != NULL;
        if (strncmp(spec, kinds[i]->prefix, n) == 0 &&
            (has_rest ? spec[n] != '\0' : spec[n] == '\0')) {
            return kinds[i];
        }
    }
    return NULL;
}

bool sink_is_kind(const char *spec)
{
    return kind_of(spec) != NULL;
}

static struct sink *create(const struct sink_kind *kind, const char *spec)
{
    pthread_condattr_t clock;
    struct sink *s = hr_xcalloc(1, sizeof(*s));
    s->spec = hr_xstrdup(spec);
    s->kind = kind;
    TAILQ_INIT(&s->waiting);
    hr_buf_init(&s->given_up, REASON_BYTES);
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&s->changed, &clock);
    pthread_condattr_destroy(&clock);
    return s;
}

struct sink *sink_open_as(const struct sink_kind *kind, const char *rest, void *state)
{
    struct hr_buf spec;
    hr_buf_init(&spec, SIZE_MAX);
    hr_buf_appendf(&spec, "%s%s", kind->prefix, rest);
    struct sink *s = create(kind, hr_buf_str(&spec));
    s->state = state;
    hr_buf_finish(&spec);
    return s;
}

int sink_open(const char *spec, struct runner *runner, struct sink **ret_sink,
              struct hr_buf *ret_error)
{
    const struct sink_kind *kind = kind_of(spec);
    if (kind == NULL) {
        hr_buf_appendf(ret_error, "there is no way to send alerts to %s", spec);
        return -EINVAL;
    }
    struct sink *s = create(kind, spec);
    int r = kind->open(&s->state, s->spec + strlen(kind->prefix), runner, ret_error);
    if (r < 0) {
        sink_close(s);
        return r;
    }
    *ret_sink = s;
    return 0;
}

/* --- its thread ------------------------------------------------------------------------------- */

static struct timespec later(int ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

static bool is_past(const struct timespec *t)
{
    struct timespec now = later(0);
    return now.tv_sec > t->tv_sec || (now.tv_sec == t->tv_sec && now.tv_nsec >= t->tv_nsec);
}

/* With the lock held. @return the first that waits, NULL: it is time to end */
static struct alert *next_alert(struct sink *s)
{
    for (;;) {
        if (s->wants_reopen) {
            s->wants_reopen = false;
            if (s->kind->reopen != NULL) {
                s->kind->reopen(s->state);
            }
        }
        if (s->is_ending && (TAILQ_EMPTY(&s->waiting) || is_past(&s->patience))) {
            return NULL;
        }
        if (!TAILQ_EMPTY(&s->waiting)) {
            return TAILQ_FIRST(&s->waiting);
        }
        pthread_cond_wait(&s->changed, &s->lock);
    }
}

static void tell_trouble(struct sink *s, const char *reason)
{
    if (!s->is_troubled && !s->is_ending) {
        hr_warning("%s to %s: %s; what waits is kept and sent later", s->kind->what, s->spec,
                   reason);
        s->is_troubled = true;
    }
}

static void tell_given_up(struct sink *s, const char *reason)
{
    if (strcmp(hr_buf_str(&s->given_up), reason) != 0) {
        hr_warning("%s to %s: given up: %s; the next that fail so are only counted", s->kind->what,
                   s->spec, reason);
        hr_buf_clear(&s->given_up);
        hr_buf_append_str(&s->given_up, reason);
    }
}

/* With the lock held. */
static void finish(struct sink *s, struct alert *a, int error, const char *reason)
{
    s->sent += error == 0;
    s->failed += error != 0;
    s->done[s->done_count++] = a->id;
    TAILQ_REMOVE(&s->waiting, a, link);
    free(a);
    if (error == 0 && s->is_troubled) {
        hr_info("%s to %s: sent again", s->kind->what, s->spec);
        s->is_troubled = false;
    }
    if (error != 0) {
        tell_given_up(s, reason);
    }
}

static void *send_all(void *user)
{
    struct sink *s = user;
    struct alert *a;
    int pause_ms = FIRST_PAUSE_MS;
    struct hr_buf reason;
    hr_buf_init(&reason, REASON_BYTES);
    pthread_mutex_lock(&s->lock);
    while ((a = next_alert(s)) != NULL) {
        pthread_mutex_unlock(&s->lock);
        hr_buf_clear(&reason);
        int r = s->kind->send(s->state, (struct hr_span){a->body, a->len}, &reason);
        if (reason.len == 0) {
            hr_buf_append_str(&reason, strerror(r < 0 ? -r : r));
        }
        pthread_mutex_lock(&s->lock);
        if (r <= 0) {
            finish(s, a, r, hr_buf_str(&reason));
            pause_ms = FIRST_PAUSE_MS;
            continue;
        }
        tell_trouble(s, hr_buf_str(&reason));
        struct timespec until = later(pause_ms);
        pause_ms = 2 * pause_ms < LAST_PAUSE_MS ? 2 * pause_ms : LAST_PAUSE_MS;
        while (!s->is_ending && !is_past(&until)) {
            pthread_cond_timedwait(&s->changed, &s->lock, &until);
        }
        if (s->is_ending) {
            break; /* the store keeps the rest */
        }
    }
    pthread_mutex_unlock(&s->lock);
    hr_buf_finish(&reason);
    return NULL;
}

int sink_start(struct sink *s)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&s->thread, NULL, send_all, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    s->is_running = r == 0;
    return -r;
}

void sink_tell_end(struct sink *s, int patience_ms)
{
    pthread_mutex_lock(&s->lock);
    s->is_ending = true;
    s->patience = later(patience_ms);
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static bool join_until(struct sink *s, const struct timespec *until)
{
    return pthread_clockjoin_np(s->thread, NULL, CLOCK_MONOTONIC, until) == 0;
}

void sink_end(struct sink *s)
{
    if (!s->is_running) {
        return;
    }
    s->is_running = false;
    if (join_until(s, &s->patience)) {
        return;
    }
    if (s->kind->hurry != NULL) {
        s->kind->hurry(s->state);
    }
    struct timespec until = later(HURRY_MS);
    s->is_abandoned = !join_until(s, &until);
}

void sink_close(struct sink *s)
{
    struct alert *a;
    if (s == NULL) {
        return;
    }
    if (s->is_running) {
        sink_tell_end(s, 0);
        sink_end(s);
    }
    if (s->is_abandoned) {
        return;
    }
    while ((a = TAILQ_FIRST(&s->waiting)) != NULL) {
        TAILQ_REMOVE(&s->waiting, a, link);
        free(a);
    }
    if (s->state != NULL) {
        s->kind->close(s->state);
    }
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    hr_buf_finish(&s->given_up);
    free(s->spec);
    free(s);
}

/* --- from other threads ----------------------------------------------------------------------- */

const char *sink_name(const struct sink *s)
{
    return s->spec;
}

bool sink_give(struct sink *s, int64_t id, struct hr_span body)
{
    struct alert *a = hr_xmalloc(sizeof(*a) + body.len);
    a->id = id;
    a->len = body.len;
    memcpy(a->body, body.ptr, body.len);
    pthread_mutex_lock(&s->lock);
    bool has_room = s->count < SINK_LIMIT;
    if (has_room) {
        TAILQ_INSERT_TAIL(&s->waiting, a, link);
        s->count++;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    if (!has_room) {
        free(a);
    }
    return has_room;
}

size_t sink_take_done(struct sink *s, int64_t *ids, size_t limit)
{
    pthread_mutex_lock(&s->lock);
    size_t n = s->done_count < limit ? s->done_count : limit;
    memcpy(ids, s->done, n * sizeof(*ids));
    memmove(s->done, s->done + n, (s->done_count - n) * sizeof(*ids));
    s->done_count -= n;
    s->count -= n;
    pthread_mutex_unlock(&s->lock);
    return n;
}

void sink_reopen(struct sink *s)
{
    pthread_mutex_lock(&s->lock);
    s->wants_reopen = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static uint64_t read_count(struct sink *s, const uint64_t *count)
{
    pthread_mutex_lock(&s->lock);
    uint64_t n = *count;
    pthread_mutex_unlock(&s->lock);
    return n;
}

uint64_t sink_sent(struct sink *s)
{
    return read_count(s, &s->sent);
}

uint64_t sink_failed(struct sink *s)
{
    return read_count(s, &s->failed);
}
