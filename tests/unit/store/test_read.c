/*
 * Rows out for people, findings, and care of the store.
 */
#include "store/db.h"
#include "store/scope.h"
#include "support/test.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct world_exchange day[] = {
    {1, 0,   5,   "/login",   NULL,    "tok-a", "alice", 20,  HTTP_COMPLETE,          NULL           },
    {1, 10,  12,  "/account", "tok-a", NULL,    NULL,    500, HTTP_COMPLETE,          NULL           },
    {2, 11,  14,  "/login",   "tok-v", "tok-b", "bob",   20,  HTTP_COMPLETE,          NULL           },
    {2, 20,  -1,  "/slow",    "tok-b", NULL,    NULL,    0,   HTTP_NO_RESPONSE,       NULL           },
    {3, 21,  22,  "/",        NULL,    NULL,    NULL,    100, HTTP_GAP,               "img.example"  },
    {1, 100, 115, "/logout",  "tok-a", NULL,    NULL,    10,  HTTP_COMPLETE,          NULL           },
    {2, -1,  130, "",         NULL,    NULL,    NULL,    500, HTTP_REQUEST_TRUNCATED, "10.0.0.200:80"},
};
static const struct world_loss losses[] = {
    {3, 21, 22, LOSS_GAP},
    {7, 30, 40, LOSS_TLS}
};

static struct store *open_day(void)
{
    struct world_capture capture = {.path = "day.pcap",
                                    .exchanges = day,
                                    .count = HR_ARRAY_LEN(day),
                                    .losses = losses,
                                    .loss_count = 2,
                                    .clock_doubt = 1500};
    struct store *s = world_open(NULL);
    if (world_import(s, &capture, 1) != 0 || world_analyse(s) != 0) {
        fail_msg("%s", store_error(s));
    }
    return s;
}

static const char *or_dash(const char *text)
{
    return text != NULL ? text : "-";
}

static int write_exchange(const struct exchange_view *x, void *user)
{
    hr_buf_appendf(user, "%s:%d %s %s %s %d %s/%s %s %s %s %d\n", x->client, x->client_port,
                   x->site, or_dash(x->endpoint), or_dash(x->target), x->status, x->role,
                   x->outcome, or_dash(x->user), x->state, x->pairing, x->loss);
    return 0;
}

/* The list of exchanges in order of time, in the words of the contract. */
static void exchanges_read_as_the_contract_says(void **state)
{
    (void)state;
    struct store *s = open_day();
    struct hr_buf out;
    struct read_filter all = READ_FILTER_ALL;
    hr_buf_init(&out, SIZE_MAX);
    assert_int_equal(read_exchanges(s, &all, write_exchange, &out), 0);
    assert_string_equal(
        hr_buf_str(&out),
        "10.0.0.1:40001 shop.example POST /login /login 200 login/success alice complete certain "
        "0\n"
        "10.0.0.1:40001 shop.example GET /account /account 200 access/granted alice complete "
        "certain 0\n"
        "10.0.0.2:40002 shop.example POST /login /login 200 login/success bob complete certain 0\n"
        "10.0.0.2:40002 shop.example GET /slow /slow 0 access/none bob no-response certain 0\n"
        "10.0.0.3:40003 img.example GET / / 200 access/granted - gap certain 1\n"
        "10.0.0.1:40001 shop.example GET /logout /logout 200 logout/granted alice complete certain "
        "0\n"
        "10.0.0.2:40002 10.0.0.200:80 - - 200 access/granted - request-truncated certain 0\n");
    hr_buf_finish(&out);
    store_close(s);
}

static int count_exchange(const struct exchange_view *x, void *user)
{
    (void)x;
    ++*(int *)user;
    return 0;
}

static int stop_at_two(const struct exchange_view *x, void *user)
{
    (void)x;
    return ++*(int *)user == 2 ? 77 : 0;
}

/* A filter keeps what it names; a callback ends the reading with its own result. */
static void filters_and_callbacks(void **state)
{
    (void)state;
    static const struct {
        struct read_filter filter;
        int want;
    } cases[] = {
        {READ_FILTER_ALL,                                                           7},
        {{.site = "img.example",
          .since = INT64_MIN,
          .until = HR_NSEC_INFINITE,
          .stream = -1,
          .limit = -1},
         1                                                                           },
        {{.user = "alice",
          .since = INT64_MIN,
          .until = HR_NSEC_INFINITE,
          .stream = -1,
          .limit = -1},
         3                                                                           },
        {{.user = "nobody",
          .since = INT64_MIN,
          .until = HR_NSEC_INFINITE,
          .stream = -1,
          .limit = -1},
         0                                                                           },
        {{.since = INT64_MIN, .until = HR_NSEC_INFINITE, .stream = 2, .limit = -1}, 3},
        {{.since = INT64_MIN, .until = HR_NSEC_INFINITE, .stream = -1, .limit = 4}, 4},
        {{.since = 1700000000010 * HR_NSEC_PER_MSEC,
          .until = 1700000000021 * HR_NSEC_PER_MSEC,
          .stream = -1,
          .limit = -1},
         3                                                                           },
    };
    struct store *s = open_day();
    int n = 0;
    for (size_t k = 0; k < HR_ARRAY_LEN(cases); k++) {
        n = 0;
        assert_int_equal(read_exchanges(s, &cases[k].filter, count_exchange, &n), 0);
        if (n != cases[k].want) {
            fail_msg("filter %zu: %d rows instead of %d", k, n, cases[k].want);
        }
    }
    n = 0;
    assert_int_equal(read_exchanges(s, &cases[0].filter, stop_at_two, &n), 77);
    assert_int_equal(read_exchanges(s, &cases[0].filter, stop_at_two, &n), 0); /* and begins anew */
    store_close(s);
}

struct session_seen {
    char names[8][40];
    size_t count;
    struct hr_buf text;
};

static int write_session(const struct session_view *x, void *user)
{
    struct session_seen *seen = user;
    assert_int_equal(strlen(x->name), 10);
    snprintf(seen->names[seen->count++], sizeof(seen->names[0]), "%s", x->name);
    hr_buf_appendf(&seen->text, "%s %s %s %d %d %d %s %s\n", x->site, x->carrier, or_dash(x->user),
                   (int)x->exchanges, (int)x->granted, (int)x->denied, x->order,
                   x->logout_at == HR_NSEC_INFINITE ? "-" : "out");
    return 0;
}

static int write_story(const struct story_row *x, void *user)
{
    hr_buf_appendf(user, "%s %s;", x->kind, x->exchange.target);
    return 0;
}

/* Sessions with what happened in them, and the story of one by its short name. */
static void sessions_and_their_stories(void **state)
{
    (void)state;
    struct store *s = open_day();
    struct read_filter all = READ_FILTER_ALL;
    struct session_seen seen = {.count = 0};
    struct session_view view;
    struct hr_buf story;
    hr_buf_init(&seen.text, SIZE_MAX);
    hr_buf_init(&story, SIZE_MAX);
    assert_int_equal(read_sessions(s, &all, write_session, &seen), 0);
    assert_int_equal(seen.count, 3);
    assert_non_null(
        strstr(hr_buf_str(&seen.text), "shop.example cookie sid alice 3 1 0 not-checked out\n"));
    assert_non_null(
        strstr(hr_buf_str(&seen.text), "shop.example cookie sid bob 2 1 0 not-checked -\n"));
    assert_non_null(
        strstr(hr_buf_str(&seen.text), "shop.example cookie sid - 1 0 0 not-checked -\n"));
    assert_int_equal(read_session_story(s, seen.names[0], &view, write_story, &story), 0);
    assert_string_equal(hr_buf_str(&story), "login /login;granted /account;logout /logout;");
    assert_string_equal(view.user, "alice");
    assert_string_equal(view.name, seen.names[0]);
    assert_int_equal(read_session_story(s, "s-00000000", &view, write_story, &story), -ENOENT);
    assert_non_null(strstr(store_error(s), "s-00000000"));
    hr_buf_finish(&story);
    hr_buf_finish(&seen.text);
    store_close(s);
}

/* Short names that would be the same grow until they differ. */
static void clashing_names_grow(void **state)
{
    (void)state;
    static const uint8_t hashes[][HR_DIGEST_BYTES] = {
        {0xab,  0xcd, 0xef, 0x01,     0x10},
        {0xab,     0xcd,      0xef,  0x01, 0x20},
        {0xab, 0xcd,     0xef,      0x02         }
    };
    static const char *const want[] = {"s-abcdef011", "s-abcdef012", "s-abcdef02"};
    struct store *s = world_open(NULL);
    struct import *i = NULL;
    int64_t stream = 0;
    struct tcp_conn conn = {
        .fin_at = {1, 1},
          .rst_at = {1, 1}
    };
    assert_int_equal(store_begin(s), 0);
    assert_int_equal(import_begin(s, &i), 0);
    assert_int_equal(import_add_capture(i, 0, "a.pcap"), 0);
    stream = import_new_stream(i, &conn);
    assert_int_equal(import_put_stream(i, stream, &conn, TCP_END_FIN, true), 0);
    for (size_t k = 0; k < HR_ARRAY_LEN(hashes); k++) {
        struct exchange_facts f = {
            .site = HR_SPAN("a"),
            .stream_id = stream,
            .request_at = 5 + (hr_nsec)k,
            .request_end_at = HR_NSEC_INFINITE,
            .response_at = HR_NSEC_INFINITE,
            .response_end_at = HR_NSEC_INFINITE,
            .token_count = 1,
            .tokens = {{.carrier = TOKEN_BEARER, .name = HR_SPAN("bearer"), .flags = TOKEN_SENT}}};
        memcpy(f.tokens[0].sent.bytes, hashes[k], HR_DIGEST_BYTES);
        assert_int_equal(import_add_exchange(i, &f), 0);
    }
    assert_int_equal(import_finish(i), 0);
    import_destroy(i);
    assert_int_equal(store_commit(s), 0);
    sqlite3_stmt *q = NULL;
    assert_int_equal(
        sqlite3_prepare_v2(s->db, "SELECT name FROM sessions ORDER BY id", -1, &q, NULL),
        SQLITE_OK);
    for (size_t k = 0; k < HR_ARRAY_LEN(want); k++) {
        assert_int_equal(sqlite3_step(q), SQLITE_ROW);
        assert_string_equal(column_text(q, 0), want[k]);
    }
    sqlite3_finalize(q);
    store_close(s);
}

static int write_stream(const struct stream_view *x, void *user)
{
    hr_buf_appendf(user, "%s %d %s %d;", x->client, (int)x->exchanges, x->end,
                   (int)x->client_gap_bytes);
    return 0;
}

static int write_endpoint(const struct endpoint_view *x, void *user)
{
    hr_buf_appendf(user, "%s %s %s %d %s;", x->method, x->path, x->protection, (int)x->exchanges,
                   x->statuses);
    return 0;
}

static int write_capture(const struct capture_view *x, void *user)
{
    hr_buf_appendf(user, "%s %s %s %d %d %s;", x->path, x->format, x->link_type, (int)x->exchanges,
                   (int)x->clock_doubt, or_dash(x->error));
    return 0;
}

static int write_loss(const struct loss_view *x, void *user)
{
    hr_buf_appendf(user, "%s %d %s %d;", x->kind, (int)x->stream, x->server, x->hides_exchanges);
    return 0;
}

static int write_decision(const struct decision_view *x, void *user)
{
    hr_buf_appendf(user, "%s %s %s;", x->site, x->what, x->value);
    return 0;
}

/* The other lists. */
static void other_lists(void **state)
{
    (void)state;
    struct store *s = open_day();
    struct read_filter all = READ_FILTER_ALL;
    struct read_filter shop = READ_FILTER_ALL;
    struct hr_buf out;
    hr_nsec doubt = 0;
    shop.site = "shop.example";
    hr_buf_init(&out, SIZE_MAX);
    assert_int_equal(read_streams(s, &all, write_stream, &out), 0);
    assert_string_equal(hr_buf_str(&out), "10.0.0.1 3 fin 0;10.0.0.2 3 fin 0;10.0.0.3 1 fin 100;"
                                          "10.0.0.7 0 fin 0;");
    hr_buf_clear(&out);
    assert_int_equal(read_endpoints(s, &shop, write_endpoint, &out), 0);
    assert_string_equal(hr_buf_str(&out),
                        "GET /account protected 1 200:1;POST /login protected 2 200:2;"
                        "GET /logout protected 1 200:1;GET /slow protected 1 none:1;");
    hr_buf_clear(&out);
    assert_int_equal(read_captures(s, &all, write_capture, &out), 0);
    assert_string_equal(hr_buf_str(&out), "day.pcap pcap EN10MB 7 1500 -;");
    hr_buf_clear(&out);
    assert_int_equal(read_losses(s, &all, write_loss, &out), 0);
    assert_string_equal(hr_buf_str(&out), "gap 3 10.0.0.200 1;tls 7 10.0.0.200 1;");
    hr_buf_clear(&out);
    assert_int_equal(read_decisions(s, &shop, write_decision, &out), 0);
    assert_string_equal(hr_buf_str(&out), "shop.example session cookie sid;");
    hr_buf_finish(&out);
    assert_int_equal(read_site_clock_doubt(s, 1, &doubt), 0);
    assert_int_equal(doubt, 1500);
    store_close(s);
}

/* --- operations ------------------------------------------------------------------------------- */

static int write_operation(const struct operation_row *o, void *user)
{
    struct hr_buf *out = user;
    hr_buf_appendf(out, "%d@%d ", (int)o->kind,
                   (int)((o->start - world_time(0)) / HR_NSEC_PER_MSEC));
    assert_int_equal(o->id >> 3, o->exchange_id);
    assert_true(o->kind != OPERATION_REPLACED || o->role == ROLE_LOGIN); /* the exchange's role */
    return 0;
}

static int count_anonymous(const struct anonymous_row *a, void *user)
{
    assert_true(a->endpoint_id != 0);
    ++*(int *)user;
    return 0;
}

/* Operations come session by session in order of their starts; accesses without a token apart. */
static void operations_come_back(void **state)
{
    (void)state;
    struct store *s = open_day();
    struct hr_buf out;
    int anonymous = 0;
    hr_buf_init(&out, SIZE_MAX);
    assert_int_equal(read_site_operations(s, 1, 0, -1, write_operation, &out), 0);
    assert_non_null(strstr(hr_buf_str(&out), "1@0 5@10 7@100 "));
    assert_non_null(strstr(hr_buf_str(&out), "1@11 5@20 "));
    assert_non_null(strstr(hr_buf_str(&out), "9@11 "));
    assert_int_equal(read_site_anonymous(s, 1, 0, count_anonymous, &anonymous), 0);
    assert_int_equal(anonymous, 0);
    assert_int_equal(read_site_anonymous(s, 2, 0, count_anonymous, &anonymous), 0);
    assert_int_equal(anonymous, 1);
    hr_buf_finish(&out);
    store_close(s);
}

/* --- findings --------------------------------------------------------------------------------- */

static struct finding_row finding(const char *fingerprint, const char *severity,
                                  const char *verdict, int64_t exchange_id,
                                  const struct evidence_row *evidence)
{
    return (struct finding_row){
        .rule = "post-logout-access",
        .severity = severity,
        .verdict = verdict,
        .at = world_time(10),
        .site_id = 1,
        .session_id = 1,
        .exchange_id = exchange_id,
        .summary = "served after the logout",
        .explanation = "the session lives on",
        .caveats = "[]",
        .evidence = evidence,
        .evidence_count = 2,
        .fingerprint = fingerprint,
        .group = "0123",
    };
}

static int write_finding(const struct finding_view *x, void *user)
{
    hr_buf_appendf(user, "%s %s %s %s %s %d [", x->fingerprint, x->severity, x->verdict,
                   or_dash(x->user), or_dash(x->target), x->suppressed);
    for (size_t k = 0; k < x->evidence_count; k++) {
        hr_buf_appendf(user, "%s@%d ", x->evidence[k].role, (int)x->evidence[k].frame);
    }
    hr_buf_append_str(user, "];");
    return 0;
}

static void list_findings(struct store *s, const char *want)
{
    struct read_filter all = READ_FILTER_ALL;
    struct hr_buf out;
    hr_buf_init(&out, SIZE_MAX);
    assert_int_equal(read_findings(s, &all, write_finding, &out), 0);
    assert_string_equal(hr_buf_str(&out), want);
    hr_buf_finish(&out);
}

/* A finding is put once, replaced by its like, withdrawn when its rule is silent, and comes back.
 */
static void findings_follow_the_facts(void **state)
{
    (void)state;
    static const struct evidence_row evidence[] = {
        {"logout", 6, "acknowledged"},
        {"access", 2, NULL          }
    };
    struct store *s = open_day();
    const char *rule = "post-logout-access";
    bool is_new = false;
    size_t withdrawn = 0;
    struct finding_row a = finding("aa", "high", "suspect", 2, evidence);
    struct finding_row b = finding("bb", "critical", "proven", 2, evidence);
    assert_int_equal(store_begin(s), 0);
    assert_int_equal(scope_open(s, true), 0);
    assert_int_equal(scope_set_rule(s, rule, true), 0);
    assert_int_equal(findings_begin(s, rule), 0);
    assert_int_equal(finding_put(s, &a, &is_new), 0);
    assert_true(is_new);
    assert_int_equal(finding_put(s, &b, &is_new), 0);
    assert_int_equal(findings_withdraw_rest(s, rule, 9, &withdrawn), 0);
    assert_int_equal(withdrawn, 0);
    list_findings(s, "bb critical proven alice /account 0 [logout@101 access@11 ];"
                     "aa high suspect alice /account 0 [logout@101 access@11 ];");
    a.verdict = "proven"; /* surer now, and b is explained */
    a.evidence_count = 1;
    assert_int_equal(findings_begin(s, rule), 0);
    assert_int_equal(finding_put(s, &a, &is_new), 0);
    assert_false(is_new);
    assert_int_equal(findings_withdraw_rest(s, rule, 9, &withdrawn), 0);
    assert_int_equal(withdrawn, 1);
    list_findings(s, "aa high proven alice /account 0 [logout@101 ];");
    assert_int_equal(scope_begin_counts(s, rule, true), 0);
    assert_int_equal(scope_close(s, true), 0);
    assert_int_equal(scope_open(s, false), 0);
    assert_int_equal(scope_set_rule(s, rule, true), 0); /* nothing is due: silence says nothing */
    assert_int_equal(findings_begin(s, rule), 0);
    assert_int_equal(findings_withdraw_rest(s, rule, 9, &withdrawn), 0);
    assert_int_equal(withdrawn, 0);
    assert_int_equal(scope_open(s, true), 0);
    assert_int_equal(scope_set_rule(s, rule, true), 0);
    assert_int_equal(finding_put(s, &b, &is_new), 0);
    assert_false(is_new); /* it was there before */
    assert_int_equal(findings_withdraw_rest(s, rule, 9, &withdrawn), 0);
    assert_int_equal(withdrawn, 1);
    assert_int_equal(
        store_exec(s,
                   "INSERT INTO suppressions (fingerprint, reason, owner) VALUES ('bb', 'r', 'o')"),
        0);
    list_findings(s, "bb critical proven alice /account 1 [logout@101 access@11 ];");
    assert_int_equal(store_commit(s), 0);
    store_close(s);
}

/* --- care ------------------------------------------------------------------------------------- */

static void keep_line(const char *line, void *user)
{
    hr_buf_appendf(user, "%s;", line);
}

/* Old days go with everything that only they needed; what stays is whole. */
static void pruning_keeps_the_rest_whole(void **state)
{
    (void)state;
    static const struct evidence_row evidence[] = {
        {"logout", 6, "acknowledged"},
        {"access", 2, NULL          }
    };
    struct store *s = open_day();
    struct finding_row a = finding("aa", "high", "proven", 2, evidence);
    struct finding_row b = finding("bb", "high", "proven", 6, evidence);
    struct store_info info;
    struct hr_buf problems;
    bool is_new;
    int64_t pruned = 0;
    b.at = world_time(100);
    hr_buf_init(&problems, SIZE_MAX);
    assert_int_equal(finding_put(s, &a, &is_new), 0);
    assert_int_equal(finding_put(s, &b, &is_new), 0);
    assert_int_equal(store_prune(s, world_time(50), &pruned), 0);
    assert_int_equal(pruned, 5);
    assert_int_equal(store_get_info(s, &info), 0);
    assert_int_equal(info.exchanges, 2);
    assert_int_equal(info.sessions, 1);
    assert_int_equal(info.sites, 2);
    assert_int_equal(info.findings, 1);
    list_findings(s, "bb high proven alice /logout 0 [logout@101 ];");
    assert_int_equal(store_check(s, keep_line, &problems), 0);
    assert_string_equal(hr_buf_str(&problems), "");
    assert_int_equal(store_prune(s, world_time(1000), &pruned), 0);
    assert_int_equal(pruned, 2);
    assert_int_equal(store_get_info(s, &info), 0);
    assert_int_equal(info.sites + info.sessions + info.captures, 0);
    assert_int_equal(store_check(s, keep_line, &problems), 0);
    assert_int_equal(store_vacuum(s), 0);
    hr_buf_finish(&problems);
    store_close(s);
}

/* Each breach of the schema's rules is found and named. */
static void check_finds_breaches(void **state)
{
    (void)state;
    static const struct {
        const char *breach;
        const char *says;
    } cases[] = {
        {"DELETE FROM streams WHERE client = '10.0.0.1'",                           "exchanges refers to a row of streams"},
        {"DELETE FROM exchanges WHERE id = 1",                                      "operations belong to no exchange"    },
        {"DELETE FROM operations WHERE id = 8",                                     "have no role"                        },
        {"UPDATE sessions SET hash = x'00' WHERE id = 1",                           "broken hash"                         },
        {"UPDATE operations SET ended_by_id = 99 WHERE id = 16",                    "ended by one that is not there"      },
        {"UPDATE endpoint_status SET exchanges = exchanges + 1",                    "heat map"                            },
        {"UPDATE exchanges SET request_at = NULL, response_at = NULL WHERE id = 1", "have no time"                        },
    };
    for (size_t k = 0; k < HR_ARRAY_LEN(cases); k++) {
        struct store *s = open_day();
        struct hr_buf problems;
        hr_buf_init(&problems, SIZE_MAX);
        assert_int_equal(store_check(s, keep_line, &problems), 0);
        assert_int_equal(store_exec(s, cases[k].breach), 0);
        assert_int_equal(store_check(s, keep_line, &problems), 1);
        if (strstr(hr_buf_str(&problems), cases[k].says) == NULL) {
            fail_msg("%s: %s", cases[k].breach, hr_buf_str(&problems));
        }
        hr_buf_finish(&problems);
        store_close(s);
    }
}

static struct hr_span itself(struct hr_span site)
{
    return site;
}

/* Every statement of the table compiles against the schema. */
static void statements_compile(void **state)
{
    (void)state;
    struct store *s = world_open(NULL);
    assert_int_equal(store_exec(s, "CREATE TEMP TABLE forgotten (id INTEGER PRIMARY KEY);"
                                   "CREATE TEMP TABLE joined (id INTEGER PRIMARY KEY);"
                                   "CREATE TEMP TABLE rebound (id INTEGER PRIMARY KEY);"
                                   "CREATE TEMP TABLE site_servers (server, server_port, site_id)"),
                     0);
    assert_int_equal(scope_open(s, true), 0);
    assert_int_equal(read_kin(s, itself), 0);
    assert_int_equal(drafts_begin(s), 0);
    for (int k = 0; k < STMT_COUNT; k++) {
        if (store_stmt(s, (enum stmt_id)k) == NULL) {
            fail_msg("%s: %s", stmt_sql((enum stmt_id)k), store_error(s));
        }
    }
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exchanges_read_as_the_contract_says),
        cmocka_unit_test(filters_and_callbacks),
        cmocka_unit_test(sessions_and_their_stories),
        cmocka_unit_test(clashing_names_grow),
        cmocka_unit_test(other_lists),
        cmocka_unit_test(operations_come_back),
        cmocka_unit_test(findings_follow_the_facts),
        cmocka_unit_test(pruning_keeps_the_rest_whole),
        cmocka_unit_test(check_finds_breaches),
        cmocka_unit_test(statements_compile),
    };
    return cmocka_run_group_tests_name("store/read", tests, NULL, NULL);
}
