/*
 * A block is owned by whoever holds it: by the filler, by the taker, or by one of the two lists,
 * which are all that the lock guards.
 */
#include "pipeline/queue.h"

#include "base/alloc.h"

#include <assert.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>

struct block {
    struct block *next;
    unsigned char *bytes;
    size_t used;
    size_t capacity;
};

struct header { /* before each record */
    alignas(max_align_t) size_t size_bytes;
    uint32_t kind;
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* of either list, ended, closed */
    struct block *empty;
    struct block *full; /* the oldest first */
    struct block **full_end;
    bool ended;
    bool closed;
    size_t block_bytes;
    size_t block_count;
    struct block *filling; /* the filler's own */
    struct block *taking;  /* the taker's own */
    size_t taken;          /* bytes of it */
};

static size_t round_up(size_t size)
{
    return (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
}

static void push_empty(struct queue *q, struct block *b)
{
    b->used = 0;
    b->next = q->empty;
    q->empty = b;
}

struct queue *queue_create(size_t block_bytes, size_t block_count)
{
    struct queue *q = hr_xcalloc(1, sizeof(*q));
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->changed, NULL);
    q->full_end = &q->full;
    q->block_bytes = round_up(block_bytes);
    q->block_count = block_count;
    for (size_t i = 0; i < block_count; i++) {
        struct block *b = hr_xcalloc(1, sizeof(*b));
        b->bytes = hr_xcalloc(1, q->block_bytes);
        b->capacity = q->block_bytes;
        push_empty(q, b);
    }
    return q;
}

static void free_blocks(struct block *b)
{
    while (b != NULL) {
        struct block *next = b->next;
        free(b->bytes);
        free(b);
        b = next;
    }
}

void queue_destroy(struct queue *q)
{
    if (q != NULL) {
        free_blocks(q->empty);
        free_blocks(q->full);
        free_blocks(q->filling);
        free_blocks(q->taking);
        pthread_cond_destroy(&q->changed);
        pthread_mutex_destroy(&q->lock);
        free(q);
    }
}

/* With the lock held. */
static void push_full(struct queue *q, struct block *b)
{
    b->next = NULL;
    *q->full_end = b;
    q->full_end = &b->next;
    pthread_cond_signal(&q->changed);
}

/* With the lock held. */
static void hand_over(struct queue *q)
{
    if (q->filling != NULL) {
        push_full(q, q->filling);
        q->filling = NULL;
    }
}

/* Hands over the block at hand and waits for an empty one. @return NULL where it is closed */
static struct block *change_blocks(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    hand_over(q);
    while (q->empty == NULL && !q->closed) {
        pthread_cond_wait(&q->changed, &q->lock);
    }
    if (!q->closed) {
        q->filling = q->empty;
        q->empty = q->empty->next;
        q->filling->next = NULL;
    }
    pthread_mutex_unlock(&q->lock);
    return q->filling;
}

void *queue_reserve(struct queue *q, uint32_t kind, size_t size_bytes)
{
    size_t need = sizeof(struct header) + round_up(size_bytes);
    struct block *b = q->filling;
    assert(!q->ended);
    if (b == NULL || b->capacity - b->used < need) {
        b = change_blocks(q);
    }
    if (b == NULL) {
        return NULL;
    }
    if (b->capacity < need) { /* and it is empty */
        free(b->bytes);
        b->bytes = hr_xcalloc(1, need);
        b->capacity = need;
    }
    struct header *h = (void *)(b->bytes + b->used);
    *h = (struct header){.size_bytes = size_bytes, .kind = kind};
    b->used += need;
    return h + 1;
}

void queue_flush(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    hand_over(q);
    pthread_mutex_unlock(&q->lock);
}

double queue_fill(struct queue *q)
{
    size_t waiting = 0;
    pthread_mutex_lock(&q->lock);
    for (const struct block *b = q->full; b != NULL; b = b->next) {
        waiting++;
    }
    pthread_mutex_unlock(&q->lock);
    return (double)waiting / (double)q->block_count;
}

void queue_end(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    hand_over(q);
    q->ended = true;
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

/* Gives back the block at hand and waits for a full one. @return NULL at the end */
static struct block *next_block(struct queue *q)
{
    struct block *old = q->taking;
    if (old != NULL && old->capacity > q->block_bytes) { /* it had grown for one record */
        free(old->bytes);
        old->bytes = hr_xcalloc(1, q->block_bytes);
        old->capacity = q->block_bytes;
    }
    pthread_mutex_lock(&q->lock);
    if (old != NULL) {
        push_empty(q, old);
        pthread_cond_signal(&q->changed);
        q->taking = NULL;
    }
    while (q->full == NULL && !q->ended) {
        pthread_cond_wait(&q->changed, &q->lock);
    }
    if (q->full != NULL) {
        q->taking = q->full;
        q->full = q->full->next;
        q->full_end = q->full == NULL ? &q->full : q->full_end;
        q->taking->next = NULL;
    }
    pthread_mutex_unlock(&q->lock);
    q->taken = 0;
    return q->taking;
}

/* @return behind the record at that place of the block */
static size_t read_record(const struct block *b, size_t at, struct queue_record *ret_record)
{
    struct header *h = (void *)(b->bytes + at);
    *ret_record =
        (struct queue_record){.kind = h->kind, .data = h + 1, .size_bytes = h->size_bytes};
    return at + sizeof(*h) + round_up(h->size_bytes);
}

bool queue_next(struct queue *q, struct queue_record *ret_record)
{
    struct block *b = q->taking;
    while (b == NULL || q->taken == b->used) {
        b = next_block(q);
        if (b == NULL) {
            return false;
        }
    }
    q->taken = read_record(b, q->taken, ret_record);
    return true;
}

bool queue_look_ahead(const struct queue *q, unsigned ahead, struct queue_record *ret_record)
{
    const struct block *b = q->taking;
    size_t at = q->taken;
    for (unsigned i = 0; i < ahead && b != NULL && at < b->used; i++) {
        at = read_record(b, at, ret_record);
        if (i + 1 == ahead) {
            return true;
        }
    }
    return false;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->lock);
}
