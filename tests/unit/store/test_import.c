/*
 * What goes in comes out; what goes in twice is there once.
 */
#include "store/db.h"
#include "support/test.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPTURE(name, rows)                                                                        \
    (struct world_capture)                                                                         \
    {                                                                                              \
        .path = (name), .exchanges = (rows), .count = HR_ARRAY_LEN(rows)                           \
    }

static const struct world_exchange morning[] = {
    {1, 0,  5,  "/login",   NULL,    "tok-a", "alice", 20,  HTTP_COMPLETE,    NULL         },
    {1, 10, 12, "/account", "tok-a", NULL,    NULL,    500, HTTP_COMPLETE,    NULL         },
    {2, 11, 14, "/login",   "tok-v", "tok-b", "bob",   20,  HTTP_COMPLETE,    NULL         },
    {2, 20, -1, "/slow",    "tok-b", NULL,    NULL,    0,   HTTP_NO_RESPONSE, NULL         },
    {3, 21, 22, "/",        NULL,    NULL,    NULL,    100, HTTP_COMPLETE,    "img.example"},
};
static const struct world_exchange evening[] = {
    {1, 100, 103, "/account", "tok-a", NULL,    NULL,    500, HTTP_COMPLETE, NULL},
    {1, 110, 115, "/logout",  "tok-a", NULL,    NULL,    10,  HTTP_COMPLETE, NULL},
    {2, 120, 121, "/account", "tok-a", NULL,    NULL,    500, HTTP_COMPLETE, NULL},
    {4, 130, 131, "/login",   NULL,    "tok-c", "carol", 20,  HTTP_COMPLETE, NULL},
};
static const struct world_exchange whole_day[] = {
    {1, 0,   5,   "/login",   NULL,    "tok-a", "alice", 20,  HTTP_COMPLETE,    NULL         },
    {1, 10,  12,  "/account", "tok-a", NULL,    NULL,    500, HTTP_COMPLETE,    NULL         },
    {2, 11,  14,  "/login",   "tok-v", "tok-b", "bob",   20,  HTTP_COMPLETE,    NULL         },
    {2, 20,  -1,  "/slow",    "tok-b", NULL,    NULL,    0,   HTTP_NO_RESPONSE, NULL         },
    {3, 21,  22,  "/",        NULL,    NULL,    NULL,    100, HTTP_COMPLETE,    "img.example"},
    {1, 100, 103, "/account", "tok-a", NULL,    NULL,    500, HTTP_COMPLETE,    NULL         },
    {1, 110, 115, "/logout",  "tok-a", NULL,    NULL,    10,  HTTP_COMPLETE,    NULL         },
    {2, 120, 121, "/account", "tok-a", NULL,    NULL,    500, HTTP_COMPLETE,    NULL         },
    {4, 130, 131, "/login",   NULL,    "tok-c", "carol", 20,  HTTP_COMPLETE,    NULL         },
};

static const struct hr_key one_key = {
    {1, 2, 3}
};

/* One key, so that contents of several databases can be compared. */
static struct store *open_empty(void)
{
    struct store *s = NULL;
    assert_int_equal(store_open(&(struct store_config){.key = &one_key}, &s), 0);
    return s;
}

static void import_all(struct store *s, const struct world_capture *captures, size_t count)
{
    if (world_import(s, captures, count) != 0 || world_analyse(s) != 0) {
        fail_msg("%s", store_error(s));
    }
}

static void complain_line(const char *line, void *user)
{
    (void)user;
    print_error("check: %s\n", line);
}

/* Contents without the captures' own rows, of which parts and whole differ. */
static char *dump_without_captures(struct store *s)
{
    assert_int_equal(store_check(s, complain_line, NULL), 0);
    char *all = world_dump(s);
    char *rest = hr_xstrdup(strstr(all, "== sites"));
    free(all);
    return rest;
}

struct facts_seen {
    size_t count;
    size_t tokens;
    const struct world_exchange *rows;
    struct store *s;
};

static int compare_facts(const struct exchange_facts *f, void *user)
{
    struct facts_seen *seen = user;
    const struct world_exchange *x = &seen->rows[seen->count++];
    assert_true(hr_span_equal(f->site, HR_SPAN("shop.example")));
    assert_true(hr_span_equal(f->host, HR_SPAN("shop.example")));
    assert_true(hr_span_equal(f->target, hr_span_str(x->target)));
    assert_true(hr_span_equal(f->path_template, hr_span_str(x->target)));
    assert_true(hr_span_equal(f->user, hr_span_str(x->user)));
    assert_int_equal(f->request_at, world_time(x->request_ms));
    assert_int_equal(f->response_at, world_time(x->response_ms));
    assert_int_equal(f->response_bytes, x->bytes);
    assert_int_equal(f->state, x->state);
    assert_int_equal(f->status, x->response_ms < 0 ? 0 : 200);
    assert_true(f->shape == UINT64_MAX - 5);
    assert_null(f->location.ptr);
    assert_int_equal(f->token_count, x->sent != NULL || x->set != NULL);
    if (x->sent != NULL) {
        struct hr_digest want = hr_digest_keyed(store_key(seen->s), hr_span_str(x->sent));
        assert_true(f->tokens[0].flags & TOKEN_SENT);
        assert_true(hr_digest_equal(&f->tokens[0].sent, &want));
        assert_true(f->tokens[0].sent_id != 0);
    }
    if (x->set != NULL) {
        struct hr_digest want = hr_digest_keyed(store_key(seen->s), hr_span_str(x->set));
        assert_true(hr_digest_equal(&f->tokens[0].set, &want));
        assert_int_equal(f->tokens[0].lifetime_s, 3600);
        assert_true(hr_span_equal(f->tokens[0].name, HR_SPAN("sid")));
    }
    seen->tokens += f->token_count;
    return 0;
}

/* A site reads back exactly the facts that were written, whichever way it is read. */
static void facts_come_back(void **state)
{
    (void)state;
    struct world_exchange crowd[64];
    for (size_t k = 0; k < HR_ARRAY_LEN(crowd); k++) { /* makes the shop a small site */
        crowd[k] = (struct world_exchange){9,    300 + (int)k, 400, "/x",          "other",
                                           NULL, NULL,         1,   HTTP_COMPLETE, "crowd.example"};
    }
    for (int is_small = 0; is_small < 2; is_small++) {
        struct store *s = open_empty();
        struct facts_seen seen = {.rows = evening, .s = s};
        const struct world_capture captures[] = {CAPTURE("e.pcap", evening),
                                                 CAPTURE("c.pcap", crowd)};
        import_all(s, captures, is_small ? 2 : 1);
        assert_int_equal(read_site_exchanges(s, 1, compare_facts, &seen), 0);
        assert_int_equal(seen.count, HR_ARRAY_LEN(evening));
        assert_int_equal(seen.tokens, 4);
        store_close(s);
    }
}

/* Importing a capture again, under any name, changes nothing at all. */
static void second_import_changes_nothing(void **state)
{
    (void)state;
    const struct world_loss losses[] = {
        {1, 3, 4, LOSS_GAP},
        {7, 5, 6, LOSS_TLS}
    };
    struct world_capture capture = CAPTURE("day.pcap", whole_day);
    capture.losses = losses;
    capture.loss_count = 2;
    capture.dropped = 3;
    struct store *s = open_empty();
    import_all(s, &capture, 1);
    char *once = world_dump(s);
    const char *names[] = {"day.pcap", "copy-of-day.pcap", "day.pcap"};
    for (size_t k = 0; k < HR_ARRAY_LEN(names); k++) {
        int64_t *sites = NULL;
        size_t changed = 0;
        capture.path = names[k];
        assert_int_equal(world_import(s, &capture, 1), 0);
        assert_int_equal(analysis_changed_sites(s, &sites, &changed), 0);
        free(sites);
        assert_int_equal(changed, 0);
        char *again = world_dump(s);
        assert_string_equal(again, once);
        free(again);
        assert_int_equal(world_analyse(s), 0);
    }
    free(once);
    store_close(s);
}

static int64_t count(struct store *s, const char *sql)
{
    sqlite3_stmt *q = NULL;
    int64_t n = -1;
    assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(store_number(s, q, 0, &n), 0);
    sqlite3_finalize(q);
    return n;
}

/* A capture without an exchange, and one that failed at once, are not stored twice either. */
static void empty_captures_are_kept_once(void **state)
{
    (void)state;
    const struct world_loss tls[] = {
        {7, 5, 6, LOSS_TLS}
    };
    const struct world_capture captures[] = {
        {.path = "udp.pcap",  .frames = 7, .losses = NULL, .loss_count = 0, .error = 0      },
        {.path = "gone.pcap", .frames = 0, .losses = NULL, .loss_count = 0, .error = -ENOENT},
        {.path = "tls.pcap",  .frames = 3, .losses = tls,  .loss_count = 1, .error = 0      },
    };
    struct store *s = open_empty();
    assert_int_equal(world_import(s, captures, 3), 0);
    char *once = world_dump(s);
    assert_int_equal(world_import(s, captures, 3), 0);
    char *twice = world_dump(s);
    assert_string_equal(twice, once);
    assert_int_equal(
        count(s, "SELECT count(*) FROM captures WHERE frames = 0 AND head IS NOT NULL"), 0);
    free(once);
    free(twice);
    store_close(s);
}

/* Two parts in either order, or one run over both, or the whole over the parts, come out alike. */
static void parts_equal_the_whole(void **state)
{
    (void)state;
    const struct world_capture parts[] = {CAPTURE("1.pcap", morning), CAPTURE("2.pcap", evening)};
    const struct world_capture reversed[] = {parts[1], parts[0]};
    const struct world_capture whole = CAPTURE("day.pcap", whole_day);
    struct store *s = open_empty();
    import_all(s, &whole, 1);
    char *want = dump_without_captures(s);
    store_close(s);
    for (int way = 0; way < 6; way++) {
        s = open_empty();
        switch (way) {
        case 0:
            import_all(s, parts, 2);
            break;
        case 1:
            import_all(s, &parts[0], 1);
            import_all(s, &parts[1], 1);
            break;
        case 2:
            import_all(s, &reversed[0], 1);
            import_all(s, &reversed[1], 1);
            break;
        case 3:
            import_all(s, &parts[1], 1);
            import_all(s, &whole, 1);
            break;
        case 4:
            import_all(s, &whole, 1);
            import_all(s, &parts[0], 1);
            break;
        default:
            import_all(s, &parts[0], 1);
            import_all(s, &whole, 1);
            import_all(s, &parts[1], 1);
            import_all(s, &whole, 1);
            break;
        }
        char *got = dump_without_captures(s);
        assert_string_equal(got, want);
        free(got);
        store_close(s);
    }
    free(want);
}

/* Of two copies of an exchange the one that tells more stays, in either order. */
static void the_more_complete_copy_stays(void **state)
{
    (void)state;
    static const struct world_exchange cut[] = {
        {1, 0,  5,  "/login",   NULL,    "tok-a", "alice", 20,  HTTP_COMPLETE,           NULL           },
        {1, 10, -1, "/account", "tok-a", NULL,    NULL,    0,   HTTP_NO_RESPONSE,        NULL           },
        {1, 20, 25, "/page",    "tok-a", NULL,    NULL,    300, HTTP_RESPONSE_TRUNCATED, NULL           },
        {1, -1, 33, "",         NULL,    NULL,    NULL,    70,  HTTP_REQUEST_TRUNCATED,  "10.0.0.200:80"},
        {1, 40, 45, "/long",    "tok-a", NULL,    NULL,    100, HTTP_RESPONSE_TRUNCATED, NULL           },
    };
    static const struct world_exchange whole[] = {
        {1, 0,  5,  "/login",   NULL,    "tok-a", "alice", 20,  HTTP_COMPLETE,           NULL},
        {1, 10, 12, "/account", "tok-a", NULL,    NULL,    500, HTTP_COMPLETE,           NULL},
        {1, 20, 25, "/page",    "tok-a", NULL,    NULL,    900, HTTP_COMPLETE,           NULL},
        {1, 30, 33, "/last",    "tok-a", NULL,    NULL,    70,  HTTP_COMPLETE,           NULL},
        {1, 40, 45, "/long",    "tok-a", NULL,    NULL,    200, HTTP_RESPONSE_TRUNCATED, NULL},
    };
    const struct world_loss gap[] = {
        {1, 20, 25, LOSS_GAP}
    };
    struct world_capture captures[] = {CAPTURE("cut.pcap", cut), CAPTURE("whole.pcap", whole)};
    captures[0].losses = gap;
    captures[0].loss_count = 1;
    char *got[2];
    for (int first = 0; first < 2; first++) {
        struct store *s = open_empty();
        import_all(s, &captures[first], 1);
        import_all(s, &captures[1 - first], 1);
        got[first] = dump_without_captures(s);
        import_all(s, &captures[first], 1);
        char *again = dump_without_captures(s);
        assert_string_equal(again, got[first]);
        free(again);
        store_close(s);
    }
    assert_string_equal(got[0], got[1]);
    assert_null(strstr(got[0], "10.0.0.200:80|0")); /* the half's own site is gone with it */
    assert_non_null(strstr(got[0], "/last"));
    free(got[0]);
    free(got[1]);
}

/* Exchanges that only look alike stay apart: same moment and connection, told apart by their order.
 */
static void equal_times_are_no_doubles(void **state)
{
    (void)state;
    static const struct world_exchange burst[] = {
        {1, 5, 9, "/a", NULL, NULL, NULL, 1, HTTP_COMPLETE, NULL},
        {1, 5, 9, "/b", NULL, NULL, NULL, 2, HTTP_COMPLETE, NULL},
        {1, 5, 9, "/b", NULL, NULL, NULL, 2, HTTP_COMPLETE, NULL},
        {2, 5, 9, "/b", NULL, NULL, NULL, 2, HTTP_COMPLETE, NULL},
    };
    const struct world_capture capture = CAPTURE("burst.pcap", burst);
    struct store *s = open_empty();
    struct store_info info;
    import_all(s, &capture, 1);
    import_all(s, &capture, 1);
    assert_int_equal(store_get_info(s, &info), 0);
    assert_int_equal(info.exchanges, 4);
    store_close(s);
}

/* A response that answers nothing is no double of the exchange whose moment it shares. */
static void extra_responses_stay(void **state)
{
    (void)state;
    static const struct world_exchange rows[] = {
        {1, 5,  9, "/a", NULL, NULL, NULL, 10, HTTP_COMPLETE, NULL           },
        {1, -1, 9, "",   NULL, NULL, NULL, 7,  HTTP_COMPLETE, "10.0.0.200:80"},
    };
    const struct world_capture capture = CAPTURE("extra.pcap", rows);
    struct store *s = open_empty();
    import_all(s, &capture, 1);
    char *once = world_dump(s);
    assert_non_null(strstr(once, "10.0.0.200:80"));
    import_all(s, &capture, 1);
    char *twice = world_dump(s);
    assert_string_equal(twice, once);
    free(once);
    free(twice);
    store_close(s);
}

/* A connection cut between two captures is one where the later part begins with the very next byte:
 * nothing is hidden and nothing was guessed. Otherwise it was joined midway. */
static void cut_connections_are_joined(void **state)
{
    (void)state;
    static const struct world_loss midway[] = {
        {1, 100, 100, LOSS_MIDSTREAM},
        {2, 120, 120, LOSS_MIDSTREAM}
    };
    for (int way = 0; way < 4; way++) {
        bool fits = way < 2;
        struct world_capture parts[] = {CAPTURE("1.pcap", morning), CAPTURE("2.pcap", evening)};
        parts[0].begin_seq = 1;
        parts[0].end_seq = 500;
        parts[1].begin_seq = fits ? 500 : 501;
        parts[1].losses = midway;
        parts[1].loss_count = 2;
        struct store *s = open_empty();
        import_all(s, &parts[way % 2], 1);
        assert_int_equal(count(s, "SELECT count(*) FROM loss WHERE hides_exchanges"),
                         way % 2 == 0 ? 0 : 2);
        assert_int_equal(world_import(s, &parts[1 - way % 2], 1), 0);
        assert_int_equal(count(s, "SELECT is_changed FROM sites WHERE name = 'shop.example'"), 1);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(count(s, "SELECT count(*) FROM loss WHERE hides_exchanges"),
                             fits ? 0 : 2);
            assert_int_equal(count(s, "SELECT count(*) FROM streams WHERE is_midstream"),
                             fits ? 0 : 2);
            assert_int_equal(count(s, "SELECT count(*) FROM exchanges WHERE flags & (1 << 26)"),
                             fits ? 0 : 2);
            import_all(s, &parts[1], 1);
        }
        store_close(s);
    }
}

/* A connection that was open at the end without having said anything is kept, once, for what may
 * follow in another capture. */
static void open_connections_wait(void **state)
{
    (void)state;
    struct world_capture capture = CAPTURE("1.pcap", morning);
    struct store *s = open_empty();
    struct tcp_conn conn = {
        .first_at = world_time(1),
        .last_at = world_time(2),
        .has_numbers = {true, true},
        .next_seq = {7,    8   }
    };
    for (int round = 0; round < 2; round++) {
        struct import *i = NULL;
        int64_t stream = 0;
        assert_int_equal(store_begin(s), 0);
        assert_int_equal(import_begin(s, &i), 0);
        assert_int_equal(world_feed(s, i, &capture, 1), 0);
        stream = import_new_stream(i, &conn);
        assert_int_equal(import_put_stream(i, stream, &conn, TCP_END_NONE, true), 0);
        assert_int_equal(import_finish(i), 0);
        import_destroy(i);
        assert_int_equal(store_commit(s), 0);
        assert_int_equal(count(s, "SELECT count(*) FROM streams WHERE end = 0"), 1);
        assert_int_equal(count(s, "SELECT count(*) FROM streams"), 4);
    }
    store_close(s);
}

static int pass_operation(const struct operation_row *o, void *user)
{
    (void)o;
    (void)user;
    return 0;
}

static int pass_anonymous(const struct anonymous_row *a, void *user)
{
    (void)a;
    (void)user;
    return 0;
}

/* What is asked for each exchange, token or operation is found by a key, never by looking through a
 * table. */
static void hot_statements_never_scan(void **state)
{
    (void)state;
    static const enum stmt_id hot[] = {
        STMT_SITE_FIND,         STMT_ENDPOINT_FIND, STMT_USER_FIND,          STMT_CARRIER_FIND,
        STMT_SESSION_FIND,      STMT_STREAM_END,    STMT_OPERATIONS_DELETE,  STMT_SESSION_BIND_USER,
        STMT_TOKENS_OF,         STMT_SESSION_HASH,  STMT_SESSION_OPERATIONS, STMT_FACTS_SMALL_SITE,
        STMT_SITE_EXCHANGE_IDS, STMT_SITE_SESSIONS, STMT_TOUCHED_SESSIONS,   STMT_ANONYMOUS_SINCE,
    };
    struct world_exchange crowd[64];
    for (size_t k = 0; k < HR_ARRAY_LEN(crowd); k++) {
        crowd[k] = (struct world_exchange){9,    300 + (int)k, 400, "/x",          "other",
                                           NULL, NULL,         1,   HTTP_COMPLETE, "crowd.example"};
    }
    const struct world_capture captures[] = {CAPTURE("1.pcap", morning), CAPTURE("2.pcap", evening),
                                             CAPTURE("3.pcap", crowd)};
    struct store *s = open_empty();
    for (size_t k = 0; k < HR_ARRAY_LEN(captures); k++) {
        import_all(s, &captures[HR_ARRAY_LEN(captures) - 1 - k], 1);
    }
    assert_int_equal(read_site_operations(s, 2, 0, -1, pass_operation, NULL), 0);
    assert_int_equal(read_site_operations(s, 2, 1, -1, pass_operation, NULL), 0);
    assert_int_equal(read_site_anonymous(s, 2, 1, pass_anonymous, NULL), 0);
    for (size_t k = 0; k < HR_ARRAY_LEN(hot); k++) {
        if (s->stmts[hot[k]] == NULL) {
            fail_msg("not used here: %s", stmt_sql(hot[k]));
        }
        if (sqlite3_stmt_status(s->stmts[hot[k]], SQLITE_STMTSTATUS_FULLSCAN_STEP, 0) > 0) {
            fail_msg("scans: %s", stmt_sql(hot[k]));
        }
    }
    store_close(s);
}

/* As an import does with the sessions that it brings; the hashes are made up, and near one another.
 */
static void add_sessions(struct store *s, unsigned count, unsigned seed)
{
    for (unsigned i = 0; i < count; i++) {
        char sql[160];
        const unsigned n = seed * 100000 + i;
        snprintf(sql, sizeof(sql),
                 "INSERT INTO sessions (carrier_id, hash) VALUES ((SELECT %s(id) FROM carriers), "
                 "x'%08x%08x%08x%08x')",
                 n % 2 == 0 ? "min" : "max", i / 3, n * 2654435761u, i, n);
        assert_int_equal(store_exec(s, sql), 0);
    }
}

static int64_t ask_number(struct store *s, const char *sql)
{
    sqlite3_stmt *q = NULL;
    assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    const int64_t n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return n;
}

/* Whether all are looked at or only the new ones and their neighbours, no two names are equal. */
static void names_tell_sessions_apart(void **state)
{
    (void)state;
    static const unsigned before[] = {0, 300}; /* so many: only the new ones are looked at */
    for (size_t k = 0; k < HR_ARRAY_LEN(before); k++) {
        struct store *s = open_empty();
        import_all(s, &CAPTURE("a.pcap", morning), 1);
        assert_int_equal(
            store_exec(s, "INSERT INTO carriers (site_id, kind, name) VALUES (1, 1, 'second')"), 0);
        for (unsigned round = 0; round < 3; round++) {
            struct import *i = NULL;
            assert_int_equal(store_begin(s), 0);
            assert_int_equal(import_begin(s, &i), 0);
            add_sessions(s, round == 0 ? before[k] : 6, round);
            assert_int_equal(import_finish(i), 0);
            import_destroy(i);
            assert_int_equal(store_commit(s), 0);
        }
        assert_int_equal(
            ask_number(s, "SELECT count(DISTINCT hash) - count(DISTINCT name) FROM sessions"), 0);
        assert_true(ask_number(s, "SELECT max(name_digits) FROM sessions") > 8);
        store_close(s);
    }
}

/* One trial knows nothing of the one before it, and the schema stays what it is. */
static void a_trial_leaves_no_trace(void **state)
{
    (void)state;
    static const char indexes[] = "SELECT count(*) FROM sqlite_schema WHERE type = 'index'";
    struct store *s = open_empty();
    const int64_t index_count = ask_number(s, indexes);
    const int64_t version = ask_number(s, "PRAGMA schema_version");
    char *empty = world_dump(s);
    char *first = NULL;
    for (unsigned k = 0; k < 3; k++) {
        assert_int_equal(store_begin_trial(s), 0);
        assert_int_equal(
            world_import(s, k == 1 ? &CAPTURE("b.pcap", evening) : &CAPTURE("a.pcap", morning), 1),
            0);
        assert_int_equal(ask_number(s, indexes), index_count);
        char *now = world_dump(s);
        if (k == 2) {
            assert_string_equal(now, first);
        }
        store_rollback(s);
        char *after = world_dump(s);
        assert_string_equal(after, empty);
        free(after);
        if (k == 0) {
            first = now;
        } else {
            free(now);
        }
    }
    assert_int_equal(ask_number(s, "PRAGMA schema_version"), version);
    free(first);
    free(empty);
    store_close(s);
}

/* Analysing a site again replaces what the last analysis said. */
static void analysis_replaces(void **state)
{
    (void)state;
    const struct world_capture capture = CAPTURE("day.pcap", whole_day);
    struct store *s = open_empty();
    import_all(s, &capture, 1);
    char *once = world_dump(s);
    assert_int_equal(store_exec(s, "UPDATE sites SET is_changed = 1"), 0);
    assert_int_equal(world_analyse(s), 0);
    char *twice = world_dump(s);
    assert_string_equal(twice, once);
    free(once);
    free(twice);
    store_close(s);
}

/* Far more tokens than memory holds: the tables are asked instead, and nothing is made twice. */
static void memory_is_only_a_cache(void **state)
{
    (void)state;
    enum { MANY = 300000 };
    struct store *s = open_empty();
    struct import *i = NULL;
    int64_t stream = 0;
    assert_int_equal(store_begin(s), 0);
    assert_int_equal(import_begin(s, &i), 0);
    assert_int_equal(import_add_capture(i, 0, "many.pcap"), 0);
    struct tcp_conn conn = {
        .fin_at = {HR_NSEC_INFINITE, HR_NSEC_INFINITE},
        .rst_at = {HR_NSEC_INFINITE, HR_NSEC_INFINITE}
    };
    stream = import_new_stream(i, &conn);
    assert_int_equal(import_put_stream(i, stream, &conn, TCP_END_NONE, true), 0);
    for (int round = 0; round < 2; round++) {
        for (int k = 0; k < MANY; k += round == 0 ? 1 : 1000) {
            struct exchange_facts f = {
                .site = HR_SPAN("shop.example"),
                .method = HR_SPAN("GET"),
                .target = HR_SPAN("/"),
                .path_template = HR_SPAN("/"),
                .stream_id = stream,
                .request_at = world_time(k),
                .request_end_at = HR_NSEC_INFINITE,
                .response_at = HR_NSEC_INFINITE,
                .response_end_at = HR_NSEC_INFINITE,
                .token_count = 1,
                .tokens = {{.carrier = TOKEN_COOKIE, .name = HR_SPAN("sid"), .flags = TOKEN_SENT}},
            };
            const uint64_t sign =
                (uint64_t)k * UINT64_C(0x9e3779b97f4a7c15); /* spread, as real ones are */
            memcpy(f.tokens[0].sent.bytes, &sign, sizeof(sign));
            assert_int_equal(import_add_exchange(i, &f), 0);
            assert_int_equal(f.tokens[0].sent_id, k + 1);
        }
    }
    assert_int_equal(import_finish(i), 0);
    import_destroy(i);
    assert_int_equal(store_commit(s), 0);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_come_back),
        cmocka_unit_test(second_import_changes_nothing),
        cmocka_unit_test(empty_captures_are_kept_once),
        cmocka_unit_test(parts_equal_the_whole),
        cmocka_unit_test(the_more_complete_copy_stays),
        cmocka_unit_test(equal_times_are_no_doubles),
        cmocka_unit_test(extra_responses_stay),
        cmocka_unit_test(cut_connections_are_joined),
        cmocka_unit_test(open_connections_wait),
        cmocka_unit_test(hot_statements_never_scan),
        cmocka_unit_test(names_tell_sessions_apart),
        cmocka_unit_test(a_trial_leaves_no_trace),
        cmocka_unit_test(analysis_replaces),
        cmocka_unit_test(memory_is_only_a_cache),
    };
    return cmocka_run_group_tests_name("store/import", tests, NULL, NULL);
}
