/* Refused connections and silent ones that the server closed: parts of a capture give what the
 * whole gives, in any order, and what is told twice counts once. */
#include "store/db.h"
#include "support/test.h"
#include "world.h"

#include <stdlib.h>

struct part {
    int first_ms;
    int last_ms;
    uint64_t attempts;
    unsigned port;
};

static struct store *open_empty(void)
{
    return world_open(NULL);
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

static void import_parts(struct store *s, const struct part *parts, size_t count)
{
    struct import *i = NULL;
    const struct capture_info info = {
        .frames = 1, .first_at = world_time(parts[0].first_ms), .last_at = world_time(99)};
    assert_int_equal(store_begin(s), 0);
    assert_int_equal(import_begin(s, &i), 0);
    assert_int_equal(import_add_capture(i, 0, "x.pcap"), 0);
    for (size_t k = 0; k < count; k++) {
        struct refusal_row row = {
            .server = {.port = (uint16_t)parts[k].port},
            .slot = world_time(0) / (HR_NSEC_PER_SEC / 10),
            .first_at = world_time(parts[k].first_ms),
            .last_at = world_time(parts[k].last_ms),
            .attempts = parts[k].attempts,
        };
        assert_int_equal(import_add_refusal(i, &row), 0);
    }
    assert_int_equal(import_end_capture(i, 0, &info, 0), 0);
    assert_int_equal(import_finish(i), 0);
    import_destroy(i);
    assert_int_equal(store_commit(s), 0);
}

static const struct part early = {10, 20, 3, 80};
static const struct part late = {30, 40, 4, 80};
static const struct part whole = {10, 40, 7, 80};

static const struct {
    const char *name;
    struct part imports[3];
    size_t count;
    int64_t attempts;
} cases[] = {
    {"once",                  {whole},              1, 7},
    {"twice",                 {whole, whole},       2, 7},
    {"two parts",             {early, late},        2, 7},
    {"the later part first",  {late, early},        2, 7},
    {"a part, then all",      {late, whole},        2, 7},
    {"all, then a part",      {whole, early},       2, 7},
    {"a part, all, the rest", {late, whole, early}, 3, 7},
    {"a part twice",          {early, late, late},  3, 7},
};

static void parts_add_up(void **state)
{
    (void)state;
    for (size_t k = 0; k < HR_ARRAY_LEN(cases); k++) {
        struct store *s = open_empty();
        for (size_t n = 0; n < cases[k].count; n++) {
            import_parts(s, &cases[k].imports[n], 1);
        }
        if (number(s, "SELECT sum(attempts) FROM refusals") != cases[k].attempts ||
            number(s, "SELECT count(*) FROM refusals") != 1) {
            fail_msg("%s: %lld attempts", cases[k].name,
                     (long long)number(s, "SELECT sum(attempts) FROM refusals"));
        }
        assert_int_equal(number(s, "SELECT first_at FROM refusals"), world_time(10));
        assert_int_equal(number(s, "SELECT last_at FROM refusals"), world_time(40));
        store_close(s);
    }
}

static void sums_of_one_import_add_up(void **state)
{
    (void)state;
    struct store *s = open_empty();
    const struct part parts[] = {
        early, {12, 18, 2, 80},
         {12, 18, 2, 81}
    };
    import_parts(s, parts, HR_ARRAY_LEN(parts));
    assert_int_equal(number(s, "SELECT attempts FROM refusals WHERE server_port = 80"), 5);
    assert_int_equal(number(s, "SELECT attempts FROM refusals WHERE server_port = 81"), 2);
    store_close(s);
}

/* A silent connection that the server closed is kept, once. */
static void silent_cuts_are_kept_once(void **state)
{
    (void)state;
    struct store *s = open_empty();
    const struct tcp_conn conn = {
        .first_at = world_time(1),
        .last_at = world_time(30),
        .syn_seen = true,
        .fin_at = {HR_NSEC_INFINITE, world_time(30)  },
        .rst_at = {HR_NSEC_INFINITE, HR_NSEC_INFINITE},
    };
    for (int round = 0; round < 2; round++) {
        const struct capture_info info = {
            .frames = 1, .first_at = world_time(1), .last_at = world_time(30)};
        struct import *i = NULL;
        int64_t stream = 0;
        assert_int_equal(store_begin(s), 0);
        assert_int_equal(import_begin(s, &i), 0);
        assert_int_equal(import_add_capture(i, 0, "x.pcap"), 0);
        stream = import_new_stream(i, &conn);
        assert_int_equal(import_put_stream(i, stream, &conn, TCP_END_NONE, true), 0);
        assert_int_equal(import_end_stream(i, stream, &conn, TCP_END_FIN, true), 0);
        assert_int_equal(import_end_capture(i, 0, &info, 0), 0);
        assert_int_equal(import_finish(i), 0);
        import_destroy(i);
        assert_int_equal(store_commit(s), 0);
        assert_int_equal(number(s, "SELECT count(*) FROM streams"), 1);
    }
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_add_up),
        cmocka_unit_test(sums_of_one_import_add_up),
        cmocka_unit_test(silent_cuts_are_kept_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
