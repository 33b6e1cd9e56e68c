/* When something may be hidden: in whatever order and however parted the losses are stored, the
 * spans cover what the losses cover, and no two of a server touch. */
#include "store/db.h"
#include "support/test.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

struct lost {
    int from_ms;
    int to_ms;
    unsigned port; /* 0: all servers */
    bool hides;
    uint64_t count; /* two that are equal in all are one */
};

enum { HORIZON_MS = 80, LOSSES = 24, WORLDS = 60 };

static uint32_t draw(uint64_t *state, uint32_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % below;
}

static void import_losses(struct store *s, const struct lost *losses, size_t count)
{
    struct import *i = NULL;
    const struct capture_info info = {
        .frames = 1, .first_at = world_time(0), .last_at = world_time(99)};
    assert_int_equal(store_begin(s), 0);
    assert_int_equal(import_begin(s, &i), 0);
    assert_int_equal(import_add_capture(i, 0, "x.pcap"), 0);
    for (size_t k = 0; k < count; k++) {
        struct loss_row row = {
            .kind = LOSS_DROPPED,
            .from_at = world_time(losses[k].from_ms),
            .to_at = world_time(losses[k].to_ms),
            .server = {.port = (uint16_t)losses[k].port},
            .count = losses[k].count,
            .hides_exchanges = losses[k].hides,
        };
        assert_int_equal(import_add_loss(i, &row), 0);
    }
    assert_int_equal(import_end_capture(i, 0, &info, 0), 0);
    assert_int_equal(import_finish(i), 0);
    import_destroy(i);
    assert_int_equal(store_commit(s), 0);
}

static int64_t number(struct store *s, const char *sql)
{
    sqlite3_stmt *q = NULL;
    int64_t value = -1;
    assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    value = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return value;
}

/* As the rules ask. */
static bool is_hidden(struct store *s, unsigned port, int from_ms, int to_ms)
{
    char sql[512];
    snprintf(sql, sizeof(sql),
             "SELECT coalesce((SELECT l.to_at FROM loss_span_facts l WHERE %s AND l.from_at <= "
             "%lld ORDER BY l.from_at DESC LIMIT 1) >= %lld, 0)",
             port == 0    ? "l.server IS NULL"
             : port == 80 ? "l.server_port = 80"
                          : "l.server_port = 81",
             (long long)world_time(to_ms), (long long)world_time(from_ms));
    return number(s, sql) != 0;
}

static bool is_lost(const struct lost *losses, size_t count, unsigned port, int from_ms, int to_ms)
{
    for (size_t k = 0; k < count; k++) {
        const struct lost *l = &losses[k];
        if (l->hides && l->port == port && l->from_ms <= to_ms && l->to_ms >= from_ms) {
            return true;
        }
    }
    return false;
}

static void assert_sound(const char *line, void *user)
{
    (void)user;
    fail_msg("%s", line);
}

static void spans_cover_what_losses_cover(void **state)
{
    static const unsigned ports[] = {0, 80, 81};
    (void)state;
    for (uint64_t world = 1; world <= WORLDS; world++) {
        struct store *s = world_open(NULL);
        struct lost losses[LOSSES];
        uint64_t random = world;
        for (size_t k = 0; k < LOSSES; k++) {
            int from = (int)draw(&random, HORIZON_MS);
            losses[k] = (struct lost){from, from + (int)draw(&random, world % 2 == 0 ? 3 : 12),
                                      ports[draw(&random, 3)], draw(&random, 5) > 0, k + 1};
        }
        for (size_t k = 0; k < LOSSES;) {
            size_t count = 1 + draw(&random, LOSSES - (uint32_t)k);
            import_losses(s, losses + k, count);
            k += count;
        }
        for (size_t p = 0; p < HR_ARRAY_LEN(ports); p++) {
            for (int from = 0; from < HORIZON_MS; from += 3) {
                int to = from + (int)draw(&random, 4);
                if (is_hidden(s, ports[p], from, to) !=
                    is_lost(losses, LOSSES, ports[p], from, to)) {
                    fail_msg("world %d: port %u, %d to %d ms", (int)world, ports[p], from, to);
                }
            }
        }
        assert_int_equal(store_check(s, assert_sound, NULL), 0);
        store_close(s);
    }
}

static void pruning_leaves_spans_of_what_is_left(void **state)
{
    static const struct lost losses[] = {
        {10, 20, 80, true, 1},
        {15, 30, 80, true, 2},
        {28, 60, 80, true, 3},
        {5,  6,  0,  true, 4},
    };
    int64_t exchanges = 0;
    (void)state;
    struct store *s = world_open(NULL);
    import_losses(s, losses, HR_ARRAY_LEN(losses));
    assert_int_equal(number(s, "SELECT count(*) FROM loss_spans"), 2);
    assert_true(is_hidden(s, 80, 12, 12));
    assert_int_equal(store_prune(s, world_time(25), &exchanges), 0);
    assert_int_equal(number(s, "SELECT count(*) FROM loss_spans"), 1);
    assert_false(is_hidden(s, 80, 12, 12));
    assert_true(is_hidden(s, 80, 14, 16));
    assert_int_equal(store_check(s, assert_sound, NULL), 0);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_cover_what_losses_cover),
        cmocka_unit_test(pruning_leaves_spans_of_what_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
