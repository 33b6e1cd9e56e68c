/* What one thread puts in, the other takes out: all of it, in order, whatever waits for whom. */
#include "pipeline/queue.h"
#include "support/test.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

static const struct {
    const char *name;
    size_t block_bytes;
    size_t block_count;
    size_t largest_bytes; /* of a record */
} cases[] = {
    {"one block",                  4096, 1, 100 },
    {"many small blocks",          64,   8, 40  },
    {"records larger than blocks", 64,   2, 4000},
    {"one record a block",         32,   3, 16  },
};

enum {
    RECORDS = 20000,
};

static size_t size_of(size_t i, size_t largest)
{
    return i * 2654435761u % (largest + 1);
}

struct filler {
    struct queue *queue;
    size_t largest_bytes;
    size_t filled;
};

static void *fill(void *user)
{
    struct filler *f = user;
    for (size_t i = 0; i < RECORDS; i++) {
        size_t size = size_of(i, f->largest_bytes);
        unsigned char *to = queue_reserve(f->queue, (uint32_t)i, size);
        if (to == NULL) {
            break;
        }
        memset(to, (int)(i & 0xff), size);
        f->filled++;
    }
    queue_end(f->queue);
    return NULL;
}

/* What is seen ahead is what comes. @return how many of the next records were seen */
static unsigned check_ahead(const struct queue *q, size_t i, size_t largest)
{
    struct queue_record r;
    unsigned ahead = 1;
    while (ahead < 4 && queue_look_ahead(q, ahead, &r)) {
        assert_int_equal(r.kind, i + ahead);
        assert_int_equal(r.size_bytes, size_of(i + ahead, largest));
        ahead++;
    }
    return ahead - 1;
}

static void everything_comes_in_order(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        struct filler f = {queue_create(cases[c].block_bytes, cases[c].block_count),
                           cases[c].largest_bytes, 0};
        struct queue_record r;
        pthread_t thread;
        size_t i = 0;
        size_t seen = check_ahead(f.queue, 0, 0);
        assert_int_equal(pthread_create(&thread, NULL, fill, &f), 0);
        while (queue_next(f.queue, &r)) {
            if (r.kind != i || r.size_bytes != size_of(i, f.largest_bytes)) {
                fail_msg("%s: record %zu is not what was put in", cases[c].name, i);
            }
            for (size_t k = 0; k < r.size_bytes; k++) {
                if (((unsigned char *)r.data)[k] != (i & 0xff)) {
                    fail_msg("%s: record %zu, byte %zu", cases[c].name, i, k);
                }
            }
            seen += check_ahead(f.queue, i, f.largest_bytes);
            i++;
        }
        pthread_join(thread, NULL);
        assert_int_equal(i, RECORDS);
        assert_true(seen > 0 || cases[c].block_bytes < 4096); /* some hold one record a block */
        queue_destroy(f.queue);
    }
}

static void a_closed_queue_stops_the_filler(void **state)
{
    (void)state;
    struct filler f = {queue_create(256, 2), 40, 0};
    struct queue_record r;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fill, &f), 0);
    assert_true(queue_next(f.queue, &r));
    queue_close(f.queue);
    while (queue_next(f.queue, &r)) {
    }
    pthread_join(thread, NULL);
    assert_true(f.filled < RECORDS);
    queue_destroy(f.queue);
}

static void an_end_without_records_is_an_end(void **state)
{
    (void)state;
    struct queue *q = queue_create(64, 1);
    struct queue_record r;
    queue_end(q);
    assert_false(queue_next(q, &r));
    queue_destroy(q);
    queue_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_in_order),
        cmocka_unit_test(a_closed_queue_stops_the_filler),
        cmocka_unit_test(an_end_without_records_is_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
