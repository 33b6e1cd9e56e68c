/*
 * Carriers that are called alike at kindred sites: which are found, and that finding them costs
 * what their number does, not its square.
 */
#include "store/db.h"
#include "store/read.h"
#include "support/test.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

/* Up to the first dot: shop.test and shop.example are kindred. */
static struct hr_span first_label(struct hr_span site)
{
    size_t end = 0;
    while (end < site.len && site.ptr[end] != '.') {
        end++;
    }
    return hr_span_slice(site, 0, end);
}

/* Sites and carriers by their ids. */
static struct store *open_with(const char *sql, char **ret_path)
{
    *ret_path = world_path("kin.db");
    struct store *s = world_open(*ret_path);
    assert_int_equal(store_begin(s), 0);
    assert_int_equal(store_exec(s, sql), 0);
    return s;
}

static void close_all(struct store *s, char *take_path)
{
    store_rollback(s);
    store_close(s);
    world_remove(take_path);
}

static void kindred_sites_with_the_same_name(void **state)
{
    (void)state;
    char *path = NULL;
    struct store *s =
        open_with("INSERT INTO sites (id, name) VALUES (1, 'shop.test'), (2, 'shop.example'), "
                  "(3, 'bank.test'), (4, 'shop.alt');"
                  "INSERT INTO carriers (id, site_id, kind, name) VALUES (11, 1, 1, 'sid'), "
                  "(12, 1, 1, 'lang'), (21, 2, 1, 'sid'), (22, 2, 3, 'lang'), (31, 3, 1, 'sid'), "
                  "(41, 4, 1, 'lang'), (42, 4, 1, 'sid');",
                  &path);
    /* By the site's name, then by the carrier's id. */
    static const struct twin_carrier want[] = {
        {11, 42, 4},
        {12, 41, 4},
        {11, 21, 2},
    };
    struct twin_carrier got[TWIN_CARRIERS_MAX];
    size_t count = 0;
    bool is_cut = true;
    for (int again = 0; again < 2; again++) {
        assert_int_equal(read_kin(s, first_label), 0);
    }
    assert_int_equal(read_twin_carriers(s, 1, got, &count, &is_cut), 0);
    assert_int_equal(count, 3);
    assert_false(is_cut);
    assert_memory_equal(got, want, sizeof(want));
    assert_int_equal(read_twin_carriers(s, 3, got, &count, &is_cut), 0);
    assert_int_equal(count, 0); /* nobody is kindred to the bank */
    close_all(s, path);
}

/* So many sites of one kin with one carrier each: does each of them know of all the others? */
static void what_is_not_looked_at_is_told(void **state)
{
    (void)state;
    for (unsigned sites = TWIN_CARRIERS_MAX; sites < TWIN_CARRIERS_MAX + 4; sites++) {
        char sql[256];
        char *path = NULL;
        snprintf(sql, sizeof(sql),
                 "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u) "
                 "INSERT INTO sites (id, name) SELECT i, 'shop.' || (1000 + i) FROM n;"
                 "INSERT INTO carriers (site_id, kind, name) SELECT id, 1, 'sid' FROM sites;",
                 sites);
        struct store *s = open_with(sql, &path);
        assert_int_equal(read_kin(s, first_label), 0);
        for (unsigned site = 1; site <= sites; site++) {
            struct twin_carrier got[TWIN_CARRIERS_MAX];
            size_t count = 0;
            bool is_cut = false;
            assert_int_equal(read_twin_carriers(s, site, got, &count, &is_cut), 0);
            assert_int_equal(count, sites <= TWIN_CARRIERS_MAX ? sites - 1 : TWIN_CARRIERS_MAX);
            assert_int_equal(is_cut, sites - 1 > TWIN_CARRIERS_MAX);
        }
        close_all(s, path);
    }
}

static uint64_t steps_of(struct store *s)
{
    uint64_t steps = 0;
    for (size_t i = 0; i < STMT_COUNT; i++) {
        if (s->stmts[i] != NULL) {
            steps += (uint64_t)sqlite3_stmt_status(s->stmts[i], SQLITE_STMTSTATUS_VM_STEP, 0);
        }
    }
    return steps;
}

/* How many instructions of SQLite's machine it takes to ask once for every site. */
static uint64_t cost_of(unsigned site_count, unsigned carrier_count)
{
    char sql[512];
    char *path = NULL;
    snprintf(sql, sizeof(sql),
             "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u) "
             "INSERT INTO sites (id, name) SELECT i, 'shop.' || i FROM n;"
             "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u) "
             "INSERT INTO carriers (site_id, kind, name) SELECT s.id, 1, 'c' || i FROM sites s, n;",
             site_count, carrier_count);
    struct store *s = open_with(sql, &path);
    struct twin_carrier got[TWIN_CARRIERS_MAX];
    size_t count = 0;
    bool is_cut = false;
    assert_int_equal(read_kin(s, first_label), 0);
    for (unsigned site = 1; site <= site_count; site++) {
        assert_int_equal(read_twin_carriers(s, site, got, &count, &is_cut), 0);
        assert_int_equal(count, TWIN_CARRIERS_MAX);
    }
    const uint64_t steps = steps_of(s);
    close_all(s, path);
    return steps;
}

static void cost_grows_with_the_number(void **state)
{
    (void)state;
    assert_true(cost_of(400, 1) < 5 * cost_of(200, 1) / 2);   /* many sites */
    assert_true(cost_of(2, 4000) < 5 * cost_of(2, 2000) / 2); /* many carriers of few sites */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kindred_sites_with_the_same_name),
        cmocka_unit_test(what_is_not_looked_at_is_told),
        cmocka_unit_test(cost_grows_with_the_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
