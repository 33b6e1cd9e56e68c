/*
 * What the exchanges of a site mean, written anew with every analysis of it. The heat map and the
 * counts of logins are added up in memory on the way and written at the end of the site, or earlier
 * where a site has more cells than fit.
 */
#include "base/alloc.h"
#include "base/map.h"
#include "store/db.h"
#include "store/write.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CELLS_IN_MEMORY 32768

/* One cell of endpoint_status (endpoint, quarter, status) or login_counts (site, quarter, outcome
 * and whether a token came). */
struct cell_key {
    int64_t owner_id;
    int64_t quarter;
    int32_t what;
    int32_t is_login;
};

struct cell {
    struct cell_key key;
    int64_t count;
    UT_hash_handle hh;
};

struct analysis {
    struct cell *cells;
    bool has_rebound; /* temp.rebound holds sessions whose users are to be found anew */
};

static struct analysis *analysis_of(struct store *s)
{
    if (s->analysis == NULL) {
        s->analysis = hr_xcalloc(1, sizeof(*s->analysis));
    }
    return s->analysis;
}

static void forget_cells(struct analysis *a)
{
    struct cell *c = a->cells;
    HASH_CLEAR(hh, a->cells); /* the table; the entries stay linked */
    while (c != NULL) {
        struct cell *next = c->hh.next;
        free(c);
        c = next;
    }
}

void analysis_destroy(struct analysis *a)
{
    if (a != NULL) {
        forget_cells(a);
        free(a);
    }
}

int analysis_changed_sites(struct store *s, int64_t **ret_site_ids, size_t *ret_count)
{
    int64_t *ids = NULL;
    size_t count = 0;
    size_t capacity = 0;
    int64_t operations = 0;
    int r = store_number(s, store_stmt(s, STMT_OPERATION_ANY), 0, &operations);
    if (r == 0 && operations == 0 && !s->is_trial) {
        r = store_run(s, store_stmt(s, STMT_OPERATION_INDEX_DROP));
    }
    sqlite3_stmt *q = r == 0 ? store_stmt(s, STMT_SITES_CHANGED) : NULL;
    while (r >= 0 && (r = store_step(s, q)) > 0) {
        if (count == capacity) {
            capacity = capacity > 0 ? 2 * capacity : 64;
            ids = hr_xrealloc(ids, capacity * sizeof(*ids));
        }
        ids[count++] = sqlite3_column_int64(q, 0);
    }
    if (r == 0 && count == 0) {
        r = store_index_operations(s);
    }
    if (r < 0) {
        free(ids);
        return r;
    }
    *ret_site_ids = ids;
    *ret_count = count;
    return 0;
}

int learning_put(struct store *s, int64_t site_id, const struct site_learning *l)
{
    sqlite3_stmt *q = store_stmt(s, STMT_LEARNING_PUT);
    bind_number(q, 1, site_id);
    bind_text(q, 2, l->learned_by);
    bind_number(q, 3, l->last_exchange);
    bind_count(q, 4, l->exchanges);
    sqlite3_bind_blob64(q, 5, l->learned.ptr, l->learned.len, SQLITE_STATIC);
    sqlite3_bind_blob64(q, 6, l->examples.ptr, l->examples.len, SQLITE_STATIC);
    return store_run(s, q);
}

int learning_forget(struct store *s, int64_t site_id)
{
    return store_run_for(s, STMT_LEARNING_DELETE, site_id);
}

static int delete_operations(struct store *s, int64_t first_exchange, int64_t last_exchange)
{
    sqlite3_stmt *q = store_stmt(s, STMT_OPERATIONS_DELETE);
    bind_number(q, 1, first_exchange * OPERATION_PLACES);
    bind_number(q, 2, last_exchange * OPERATION_PLACES + OPERATION_PLACES - 1);
    return store_run(s, q);
}

/* Run by run of consecutive exchanges: of a database with one site that is a single range. */
static int forget_operations(struct store *s, int64_t site_id)
{
    int64_t first = 0;
    int64_t last = 0;
    sqlite3_stmt *q = store_stmt(s, STMT_SITE_EXCHANGE_IDS);
    bind_number(q, 1, site_id);
    int r;
    while ((r = store_step(s, q)) > 0) {
        int64_t id = sqlite3_column_int64(q, 0);
        int e = first != 0 && id != last + 1 ? delete_operations(s, first, last) : 0;
        if (e < 0) {
            return store_end_rows(q, e);
        }
        first = first == 0 || id != last + 1 ? id : first;
        last = id;
    }
    return r == 0 && first != 0 ? delete_operations(s, first, last) : r;
}

int analysis_begin_site(struct store *s, int64_t site_id, bool anew)
{
    static const enum stmt_id judged[] = {
        STMT_SITE_RESET_ORDERS,   STMT_SITE_RESET_ENDED,     STMT_SITE_RESET_FLAPPED,
        STMT_SITE_RESET_CARRIERS, STMT_SITE_RESET_ENDPOINTS, STMT_SITE_RESET_DECISIONS,
        STMT_SITE_RESET_OFTEN,
    };
    static const enum stmt_id classified[] = {
        STMT_SITE_RESET_SESSIONS,
        STMT_SITE_RESET_STATUS,
        STMT_SITE_RESET_LOGINS,
    };
    int64_t is_analysed = 0;
    sqlite3_stmt *q = store_stmt(s, STMT_SITE_IS_ANALYSED);
    bind_number(q, 1, site_id);
    int r = store_number(s, q, 0, &is_analysed);
    if (r < 0 || is_analysed == 0) {
        return r;
    }
    r = anew ? forget_operations(s, site_id) : 0;
    for (size_t i = 0; r == 0 && anew && i < HR_ARRAY_LEN(classified); i++) {
        r = store_run_for(s, classified[i], site_id);
    }
    for (size_t i = 0; r == 0 && i < HR_ARRAY_LEN(judged); i++) {
        r = store_run_for(s, judged[i], site_id);
    }
    return r;
}

/* --- counting --------------------------------------------------------------------------------- */

static int write_cells(struct store *s)
{
    int r = 0;
    for (struct cell *c = analysis_of(s)->cells; r == 0 && c != NULL; c = c->hh.next) {
        bool is_login = c->key.is_login != 0;
        sqlite3_stmt *q = store_stmt(s, is_login ? STMT_LOGIN_COUNT_ADD : STMT_STATUS_ADD);
        bind_number(q, 1, c->key.owner_id);
        bind_number(q, 2, c->key.quarter);
        bind_number(q, 3, is_login ? c->key.what >> 1 : c->key.what);
        bind_number(q, 4, c->count);
        if (is_login) {
            bind_number(q, 5, c->key.what & 1);
        }
        r = store_run(s, q);
    }
    forget_cells(s->analysis);
    return r;
}

static int count_cell(struct store *s, struct cell_key key, int64_t count)
{
    struct analysis *a = analysis_of(s);
    struct cell *c;
    HASH_FIND(hh, a->cells, &key, sizeof(key), c);
    if (c != NULL) {
        c->count += count;
        return 0;
    }
    int r = HASH_COUNT(a->cells) >= CELLS_IN_MEMORY ? write_cells(s) : 0;
    c = hr_xcalloc(1, sizeof(*c));
    c->key = key;
    c->count = count;
    HASH_ADD(hh, a->cells, key, sizeof(c->key), c);
    return r;
}

static bool gives_token(const struct exchange_facts *f)
{
    for (size_t i = 0; i < f->token_count; i++) {
        if ((f->tokens[i].flags & TOKEN_SET) && !(f->tokens[i].flags & TOKEN_DELETED)) {
            return true;
        }
    }
    return false;
}

static int count_exchange(struct store *s, const struct exchange_facts *f,
                          const struct classified *c, int64_t count)
{
    hr_nsec at = f->request_at != HR_NSEC_INFINITE ? f->request_at : f->response_at;
    int64_t quarter = at == HR_NSEC_INFINITE ? 0 : hr_quarter(at);
    int r = 0;
    if (f->endpoint_id != 0) {
        r = count_cell(s,
                       (struct cell_key){.owner_id = f->endpoint_id,
                                         .quarter = quarter,
                                         .what = (int32_t)f->status},
                       count);
    }
    if (r == 0 && c->role == ROLE_LOGIN) {
        int has_token = c->missing_token || !gives_token(f) ? 0 : 1;
        r = count_cell(s,
                       (struct cell_key){.owner_id = f->site_id,
                                         .quarter = quarter,
                                         .what = ((int32_t)c->outcome << 1) | has_token,
                                         .is_login = 1},
                       count);
    }
    return r;
}

/* --- operations ------------------------------------------------------------------------------- */

static int find_user(struct store *s, int64_t site_id, struct hr_span name, int64_t *ret_id)
{
    sqlite3_stmt *q = store_stmt(s, STMT_USER_FIND);
    bind_number(q, 1, site_id);
    bind_span(q, 2, name);
    int r = store_number(s, q, 0, ret_id);
    if (r < 0 || *ret_id != 0) {
        return r;
    }
    char hidden[HR_DIGEST_TEXT_SIZE]; /* the import kept no name: it never got in */
    q = store_stmt(s, STMT_USER_FIND);
    bind_number(q, 1, site_id);
    bind_span(q, 2, store_hidden_user(s, name, hidden));
    r = store_number(s, q, 0, ret_id);
    if (r < 0 || *ret_id != 0) {
        return r;
    }
    q = store_stmt(s, STMT_USER_ADD);
    bind_number(q, 1, site_id);
    bind_span(q, 2, name);
    r = store_run(s, q);
    if (r == 0) {
        *ret_id = sqlite3_last_insert_rowid(s->db);
    }
    return r;
}

static void put_operation(struct batch_cell *row, const struct session_operation *o)
{
    cell_id(row, 9, o->session_id);
    cell_number(row, 10, o->kind);
    cell_time(row, 11, o->start);
    cell_time(row, 12, o->end);
    cell_number(row, 13, o->issues);
    cell_number(row, 14, o->understood);
}

/* Place 0: role and outcome, with what it does to the session that the exchange is about. */
static int add_role(struct store *s, const struct exchange_facts *f, const struct classified *c,
                    int64_t user_id, const struct session_operation *about)
{
    struct batch_cell *row;
    int r = batch_add_row(s, BATCH_OPERATIONS, &row);
    if (r < 0) {
        return r;
    }
    cell_number(row, 1, f->id * OPERATION_PLACES);
    cell_id(row, 2, f->endpoint_id);
    cell_number(row, 3, c->role);
    cell_number(row, 4, c->outcome);
    cell_id(row, 5, user_id);
    cell_number(row, 6, c->had_token);
    cell_number(row, 7, c->may_be_denial);
    cell_number(row, 8, c->missing_token);
    cell_number(row, 15, f->agent);
    if (about != NULL) {
        put_operation(row, about);
    } else {
        cell_id(row, 9, c->session_id);
    }
    return 0;
}

static int add_further(struct store *s, const struct exchange_facts *f, int place,
                       const struct session_operation *o)
{
    struct batch_cell *row;
    int r = batch_add_row(s, BATCH_OPERATIONS, &row);
    if (r < 0) {
        return r;
    }
    cell_number(row, 1, f->id * OPERATION_PLACES + place);
    cell_id(row, 2, f->endpoint_id);
    put_operation(row, o);
    cell_number(row, 15, f->agent);
    return 0;
}

/* The name that the earliest login of a session gave is its user. */
static int bind_users(struct store *s, const struct classified *c, int64_t user_id)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < c->operation_count; i++) {
        const struct session_operation *o = &c->operations[i];
        if (o->kind != OPERATION_LOGIN || o->session_id == 0) {
            continue;
        }
        sqlite3_stmt *q = store_stmt(s, STMT_SESSION_BIND_USER);
        bind_number(q, 1, o->session_id);
        bind_number(q, 2, user_id);
        bind_number(q, 3, o->start);
        r = store_run(s, q);
    }
    return r;
}

int analysis_add_classified(struct store *s, const struct exchange_facts *f,
                            const struct classified *c)
{
    const struct session_operation *about = NULL;
    int64_t user_id = 0;
    int place = 1;
    assert(f->id != 0 && c->operation_count <= SESSION_OPERATION_LIMIT);
    for (size_t i = 0; about == NULL && i < c->operation_count; i++) {
        if (c->session_id != 0 && c->operations[i].session_id == c->session_id) {
            about = &c->operations[i];
        }
    }
    int r = c->user.ptr != NULL ? find_user(s, f->site_id, c->user, &user_id) : 0;
    r = r == 0 ? add_role(s, f, c, user_id, about) : r;
    for (size_t i = 0; r == 0 && i < c->operation_count && place < OPERATION_PLACES; i++) {
        if (&c->operations[i] != about) {
            r = add_further(s, f, place++, &c->operations[i]);
        }
    }
    if (r == 0 && user_id != 0) {
        r = bind_users(s, c, user_id);
    }
    return r == 0 ? count_exchange(s, f, c, 1) : r;
}

/* The users of sessions go by the earliest login: with one taken away they are found anew at the
 * end. */
static int rebind_sessions(struct store *s, int64_t exchange_id)
{
    struct analysis *a = analysis_of(s);
    int r = 0;
    if (!a->has_rebound) {
        r = store_exec(s, "CREATE TEMP TABLE IF NOT EXISTS rebound (id INTEGER PRIMARY KEY)");
        r = r == 0 ? store_exec(s, "DELETE FROM temp.rebound") : r;
        a->has_rebound = true;
    }
    if (r == 0) {
        sqlite3_stmt *q = store_stmt(s, STMT_REBIND_ADD);
        bind_number(q, 1, exchange_id * OPERATION_PLACES);
        bind_number(q, 2, exchange_id * OPERATION_PLACES + OPERATION_PLACES - 1);
        r = store_run(s, q);
    }
    return r;
}

int analysis_remove_classified(struct store *s, const struct exchange_facts *f)
{
    sqlite3_stmt *q = store_stmt(s, STMT_OPERATION_ROLE);
    bind_number(q, 1, f->id * OPERATION_PLACES);
    int r = store_step(s, q);
    if (r <= 0) {
        return r;
    }
    struct classified c = {
        .role = (enum session_role)sqlite3_column_int(q, 0),
        .outcome = (enum session_outcome)sqlite3_column_int(q, 1),
        .missing_token = sqlite3_column_int(q, 2) != 0,
    };
    bool had_user = sqlite3_column_type(q, 3) != SQLITE_NULL;
    r = store_end_rows(q, 0);
    r = r == 0 && had_user ? rebind_sessions(s, f->id) : r;
    r = r == 0 ? count_exchange(s, f, &c, -1) : r;
    return r == 0 ? delete_operations(s, f->id, f->id) : r;
}

static int rebind_users(struct store *s)
{
    int r = store_index_operations(s);
    if (r == 0 && analysis_of(s)->has_rebound) {
        r = store_run(s, store_stmt(s, STMT_REBIND_USERS));
        r = r == 0 ? store_exec(s, "DELETE FROM temp.rebound") : r;
    }
    return r;
}

int analysis_add_decision(struct store *s, int64_t site_id, const struct model_decision *d)
{
    sqlite3_stmt *q = store_stmt(s, STMT_DECISION_ADD);
    bind_number(q, 1, site_id);
    bind_text(q, 2, d->what);
    bind_text(q, 3, d->value);
    bind_text(q, 4, d->reason != NULL ? d->reason : "");
    bind_number(q, 5, d->from_profile);
    return store_run(s, q);
}

int analysis_set_carrier(struct store *s, int64_t carrier_id, bool is_session, bool opens)
{
    sqlite3_stmt *q = store_stmt(s, STMT_CARRIER_SET);
    bind_number(q, 1, carrier_id);
    bind_number(q, 2, is_session);
    bind_number(q, 3, opens);
    return store_run(s, q);
}

int analysis_set_endpoint(struct store *s, int64_t endpoint_id, const struct endpoint_evidence *e,
                          enum endpoint_protection protection)
{
    sqlite3_stmt *q = store_stmt(s, STMT_ENDPOINT_SET);
    bind_number(q, 1, endpoint_id);
    bind_number(q, 2, protection);
    bind_number(q, 3, e->declared);
    bind_count(q, 4, e->granted_live);
    bind_count(q, 5, e->granted_without);
    bind_count(q, 6, e->denied_without);
    bind_count(q, 7, e->denied_other);
    bind_id(q, 8, e->granted_live_exchange);
    bind_id(q, 9, e->granted_without_exchange);
    bind_id(q, 10, e->denied_without_exchange);
    bind_count(q, 11, e->sessions_often);
    return store_run(s, q);
}

int analysis_add_often(struct store *s, int64_t endpoint_id, int64_t quarter, uint64_t sessions)
{
    sqlite3_stmt *q = store_stmt(s, STMT_OFTEN_ADD);
    bind_number(q, 1, endpoint_id);
    bind_number(q, 2, quarter);
    bind_count(q, 3, sessions);
    return store_run(s, q);
}

int analysis_set_session(struct store *s, int64_t session_id, enum session_order order,
                         int64_t witness_operation_id)
{
    sqlite3_stmt *q = store_stmt(s, STMT_SESSION_SET_ORDER);
    bind_number(q, 1, session_id);
    bind_number(q, 2, order);
    bind_id(q, 3, witness_operation_id);
    return store_run(s, q);
}

int analysis_set_programs(struct store *s, int64_t session_id)
{
    return store_run_for(s, STMT_SESSION_HAS_PROGRAMS, session_id);
}

int analysis_set_mark(struct store *s, const struct operation_mark *m)
{
    sqlite3_stmt *q = store_stmt(s, STMT_OPERATION_MARK);
    bind_number(q, 1, m->operation_id);
    bind_id(q, 2, m->ended_by_id);
    bind_id(q, 3, m->granted_before_id);
    bind_id(q, 4, m->granted_after_id);
    bind_number(q, 5, m->doubts);
    bind_id(q, 6, m->doubt_operation_id);
    return store_run(s, q);
}

int analysis_begin_session(struct store *s, int64_t session_id)
{
    const int r = store_run_for(s, STMT_SESSION_RESET_MARKS, session_id);
    return r == 0 ? store_run_for(s, STMT_SESSION_RESET_ORDER, session_id) : r;
}

int analysis_leave_site(struct store *s)
{
    const int r = rebind_users(s);
    return r == 0 ? write_cells(s) : r;
}

int analysis_end_site(struct store *s, int64_t site_id)
{
    int r = analysis_leave_site(s);
    r = r == 0 ? store_run(s, store_stmt(s, STMT_LOGIN_COUNT_EMPTY)) : r;
    return r == 0 ? store_run_for(s, STMT_SITE_ANALYSED, site_id) : r;
}
