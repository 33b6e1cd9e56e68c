/*
 * Care of the store: checking it, and letting go of old days.
 */
#include "base/buf.h"
#include "store/import.h"

/* Each counts rows that break a rule of the schema which SQLite cannot hold by itself. */
static const struct {
    const char *sql;
    const char *meaning; /* follows the count */
} checks[] = {
    {"SELECT count(*) FROM token_uses u WHERE NOT EXISTS (SELECT 1 FROM exchanges x WHERE x.id = "
     "u.exchange_id)",                                                                 "token uses belong to no exchange"                    },
    {"SELECT count(*) FROM marks m WHERE NOT EXISTS (SELECT 1 FROM exchanges x WHERE x.id = "
     "m.exchange_id)",                                                                 "marks belong to no exchange"                         },
    {"SELECT count(*) FROM operations o WHERE NOT EXISTS (SELECT 1 FROM exchanges x WHERE x.id = "
     "o.exchange_id)",                                                                 "operations belong to no exchange"                    },
    {"SELECT count(*) FROM exchanges x JOIN sites s ON s.id = x.site_id WHERE s.is_analysed AND "
     "NOT "
     "s.is_changed AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.id = x.id * 8)", "exchanges of analysed sites have no role"            },
    {"SELECT count(*) FROM operations o WHERE o.kind IS NOT NULL AND (o.session_id IS NULL OR "
     "o.start_at IS NULL)",                                                            "operations have no session or no start"              },
    {"SELECT count(*) FROM operations o WHERE o.ended_by_id IS NOT NULL AND NOT EXISTS "
     "(SELECT 1 FROM operations p WHERE p.id = o.ended_by_id AND p.kind = 7)",         "operations were ended by one that is not there"      },
    {"SELECT count(*) FROM operations o JOIN exchanges x ON x.id = o.exchange_id WHERE "
     "o.endpoint_id IS NOT x.endpoint_id",                                             "operations name another endpoint than their exchange"},
    {"SELECT count(*) FROM sessions WHERE length(hash) <> 16",                              "sessions have a broken hash"                         },
    {"SELECT count(*) FROM exchanges WHERE request_at IS NULL AND response_at IS NULL",
     "exchanges have no time"                                                                                                                     },
    {"SELECT count(*) FROM captures c LEFT JOIN (SELECT coalesce(request_capture_id, "
     "response_capture_id) AS id, count(*) AS exchanges FROM exchanges GROUP BY 1) n "
     "ON n.id = c.id WHERE c.exchanges <> coalesce(n.exchanges, 0)",                   "captures count other exchanges than there are"       },
    {"SELECT (SELECT count(*) FROM exchanges x JOIN sites s ON s.id = x.site_id WHERE "
     "x.endpoint_id IS NOT NULL AND s.is_analysed AND NOT s.is_changed) <> "
     "(SELECT coalesce(sum(n.exchanges), 0) FROM endpoint_status n JOIN endpoints e ON e.id = "
     "n.endpoint_id JOIN sites s ON s.id = e.site_id WHERE s.is_analysed AND NOT s.is_changed) "
     "AND NOT EXISTS (SELECT 1 FROM meta WHERE name = 'pruned_before')",               "sums of the heat map differ from the exchanges"      },
    {"SELECT count(*) FROM loss l WHERE l.hides_exchanges AND coalesce((SELECT s.to_at FROM "
     "loss_spans s WHERE s.server IS l.server AND s.server_port IS l.server_port AND s.from_at <= "
     "coalesce(min(l.from_at, l.to_at), l.from_at, -9223372036854775807) ORDER BY s.from_at DESC "
     "LIMIT 1) < coalesce(max(l.from_at, l.to_at), l.to_at, 9223372036854775807), 1)",                  "losses lie outside the spans of loss"                },
    {"SELECT count(*) FROM (SELECT from_at, lag(to_at) OVER (PARTITION BY server, server_port "
     "ORDER BY from_at) AS before_at FROM loss_spans) WHERE from_at <= before_at",     "spans of loss touch each other"                      },
};

struct checker {
    struct store *s;
    void (*emit)(const char *line, void *user);
    void *user;
    struct hr_buf line;
    const char *meaning;
    int problems;
};

static void complain(struct checker *c)
{
    c->problems++;
    c->emit(hr_buf_str(&c->line), c->user);
}

static int run_check(struct checker *c, const char *sql,
                     void (*judge)(struct checker *c, sqlite3_stmt *q))
{
    sqlite3_stmt *q = NULL;
    int code = sqlite3_prepare_v2(c->s->db, sql, -1, &q, NULL);
    int r = code == SQLITE_OK ? 0 : store_fail(c->s, code);
    while (r == 0 && (r = store_step(c->s, q)) > 0) {
        hr_buf_clear(&c->line);
        judge(c, q);
        r = 0;
        if (c->problems > 100) { /* the rest tells nothing new */
            break;
        }
    }
    sqlite3_finalize(q);
    return r;
}

static void judge_integrity(struct checker *c, sqlite3_stmt *q)
{
    const char *text = column_text(q, 0);
    if (text == NULL || sqlite3_stricmp(text, "ok") != 0) {
        hr_buf_append_str(&c->line, text != NULL ? text : "unknown");
        complain(c);
    }
}

static void judge_foreign_key(struct checker *c, sqlite3_stmt *q)
{
    hr_buf_appendf(&c->line, "row %lld of %s refers to a row of %s that is not there",
                   (long long)sqlite3_column_int64(q, 1), column_text(q, 0), column_text(q, 2));
    complain(c);
}

static void judge_count(struct checker *c, sqlite3_stmt *q)
{
    int64_t count = sqlite3_column_int64(q, 0);
    if (count > 0) {
        hr_buf_appendf(&c->line, "%lld %s", (long long)count, c->meaning);
        complain(c);
    }
}

int store_check(struct store *s, void (*emit)(const char *line, void *user), void *user)
{
    struct checker c = {.s = s, .emit = emit, .user = user};
    hr_buf_init(&c.line, SIZE_MAX);
    int r = run_check(&c, "PRAGMA integrity_check", judge_integrity);
    r = r == 0 ? run_check(&c, "PRAGMA foreign_key_check", judge_foreign_key) : r;
    for (size_t i = 0; r == 0 && i < sizeof(checks) / sizeof(checks[0]); i++) {
        c.meaning = checks[i].meaning;
        r = run_check(&c, checks[i].sql, judge_count);
    }
    hr_buf_finish(&c.line);
    return r < 0 ? r : c.problems > 0;
}

static int prune(struct store *s, hr_nsec before, int64_t *ret_exchanges)
{
    static const enum stmt_id kept[] = {
        STMT_PRUNE_KEEP_PAST,  STMT_PRUNE_PAST,       STMT_PRUNE_KEEP_TRAFFIC,
        STMT_PRUNE_KEEP_AGAIN, STMT_PRUNE_CUT_STATUS, STMT_PRUNE_TRAFFIC,
    };
    static const enum stmt_id steps[] = {
        STMT_PRUNE_EVIDENCE,  STMT_PRUNE_ALERTS,        STMT_PRUNE_FINDINGS, STMT_PRUNE_LOSS,
        STMT_PRUNE_STATUS,    STMT_PRUNE_LOGINS,        STMT_PRUNE_REFUSALS, STMT_PRUNE_OFTEN,
        STMT_PRUNE_RULE_RUNS, STMT_PRUNE_RULE_QUARTERS,
    };
    int r = forget_begin(s);
    r = r == 0 ? store_run_for(s, STMT_PRUNE_COLLECT, before) : r;
    if (r == 0) {
        *ret_exchanges = sqlite3_changes64(s->db);
    }
    for (size_t i = 0; r == 0 && i < sizeof(kept) / sizeof(kept[0]); i++) {
        r = store_run_for(s, kept[i], before);
    }
    r = r == 0 ? forget_exchanges(s, 0) : r; /* what is left keeps its meaning */
    for (size_t i = 0; r == 0 && i < sizeof(steps) / sizeof(steps[0]); i++) {
        r = store_run_for(s, steps[i], before);
    }
    r = r == 0 ? store_join_losses(s) : r;
    r = r == 0 ? forget_orphans(s, before) : r;
    r = r == 0 && *ret_exchanges > 0 ? store_change_epoch(s) : r;
    r = r == 0 ? store_run_for(s, STMT_PRUNE_CAPTURES, before) : r;
    return r == 0 ? store_run_for(s, STMT_PRUNE_REMEMBER, before) : r;
}

int store_prune(struct store *s, hr_nsec before, int64_t *ret_exchanges)
{
    bool own = sqlite3_get_autocommit(s->db) != 0;
    int r = own ? store_begin(s) : 0;
    r = r == 0 ? prune(s, before, ret_exchanges) : r;
    r = r == 0 && own ? store_commit(s) : r;
    if (r < 0 && own) {
        store_rollback(s);
    }
    return r;
}
