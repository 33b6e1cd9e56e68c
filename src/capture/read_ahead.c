#include "capture/read_ahead.h"

#include "base/alloc.h"
#include "base/worker.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    BLOCK_BYTES = 1024 * 1024,
    BLOCKS = 2,
};

struct block {
    uint8_t *mem; /* READ_AHEAD_ROOM, then BLOCK_BYTES */
    size_t len;
    struct stream_state state;
};

/* The blocks go round: filled in order, taken in order, given back in order. */
struct read_ahead {
    struct stream *stream;
    struct worker worker;
    struct block blocks[BLOCKS];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t filled;
    uint64_t taken;
    uint64_t given_back;
    bool is_stopped;
    bool is_over; /* the last block was taken */
};

static void fill(struct read_ahead *a, struct block *b)
{
    size_t n = 1;
    b->len = 0;
    while (b->len < BLOCK_BYTES && n > 0) {
        n = stream_read(a->stream, b->mem + READ_AHEAD_ROOM + b->len, BLOCK_BYTES - b->len);
        b->len += n;
    }
    b->state = *stream_state(a->stream);
}

static void *run(void *user)
{
    struct read_ahead *a = user;
    bool is_over = false;
    pthread_mutex_lock(&a->lock);
    while (!is_over) {
        while (!a->is_stopped && a->filled - a->given_back == BLOCKS) {
            pthread_cond_wait(&a->changed, &a->lock);
        }
        if (a->is_stopped) {
            break;
        }
        struct block *b = &a->blocks[a->filled % BLOCKS];
        pthread_mutex_unlock(&a->lock);
        fill(a, b);
        is_over = b->len < BLOCK_BYTES;
        pthread_mutex_lock(&a->lock);
        a->filled++;
        pthread_cond_signal(&a->changed);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

static void destroy(struct read_ahead *a)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        free(a->blocks[i].mem);
    }
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->changed);
    free(a);
}

struct read_ahead *read_ahead_start(struct stream *s)
{
    struct read_ahead *a = hr_xcalloc(1, sizeof(*a));
    a->stream = s;
    for (size_t i = 0; i < BLOCKS; i++) {
        a->blocks[i].mem = hr_xmalloc(READ_AHEAD_ROOM + BLOCK_BYTES);
    }
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->changed, NULL);
    if (worker_start(&a->worker, "read", run, a) < 0) {
        destroy(a);
        return NULL;
    }
    return a;
}

void read_ahead_stop(struct read_ahead *a)
{
    if (a == NULL) {
        return;
    }
    pthread_mutex_lock(&a->lock);
    a->is_stopped = true;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
    worker_join(&a->worker);
    destroy(a);
}

bool read_ahead_take(struct read_ahead *a, struct read_ahead_block *ret_block,
                     struct stream_state *ret_state)
{
    assert(a->taken - a->given_back < BLOCKS);
    if (a->is_over) {
        return false;
    }
    pthread_mutex_lock(&a->lock);
    while (a->filled == a->taken) {
        pthread_cond_wait(&a->changed, &a->lock);
    }
    pthread_mutex_unlock(&a->lock);
    const struct block *b = &a->blocks[a->taken++ % BLOCKS];
    *ret_block = (struct read_ahead_block){b->mem + READ_AHEAD_ROOM, b->len};
    *ret_state = b->state;
    a->is_over = b->len < BLOCK_BYTES;
    return b->len > 0;
}

void read_ahead_give_back(struct read_ahead *a)
{
    assert(a->given_back < a->taken);
    pthread_mutex_lock(&a->lock);
    a->given_back++;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
}
