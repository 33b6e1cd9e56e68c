/*
 * Facts and operations out again, for the analysis of one site. A site that has most of the
 * exchanges is read by one scan of exchanges with a second cursor on token_uses beside it; a small
 * one by the index, exchange by exchange.
 */
#include "base/alloc.h"
#include "base/map.h"
#include "store/db.h"
#include "store/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct carrier_name {
    int64_t id;
    enum token_carrier kind;
    char *name;
    UT_hash_handle hh;
};

#define HASHES_IN_MEMORY 65536 /* powers of two */
#define HASHES_OF_FEW 64       /* of single exchanges */
#define SHORT_RANGE 4096       /* ids that are gone through whoever's they are */

struct known_hash {
    int64_t session_id; /* 0: the slot is empty */
    struct hr_digest hash;
};

struct facts_reader {
    struct store *s;
    struct hr_buf site;   /* its name */
    sqlite3_stmt *tokens; /* stands on the first token not yet given; big site */
    bool is_big;
    bool has_token; /* tokens stands on a row */
    struct carrier_name *carriers;
    struct known_hash *hashes; /* by the lowest bits of the id */
    int64_t hash_mask;
};

int read_site(struct store *s, int64_t site_id, struct hr_buf *ret_name)
{
    sqlite3_stmt *q = store_stmt(s, STMT_SITE_NAME);
    bind_number(q, 1, site_id);
    int r = store_step(s, q);
    if (r <= 0) {
        return r < 0 ? r : store_fail_text(s, -ENOENT, "has no site %lld", (long long)site_id);
    }
    hr_buf_append(ret_name, column_span(q, 0));
    return store_end_rows(q, 0);
}

static int load_carriers(struct facts_reader *f, int64_t site_id)
{
    sqlite3_stmt *q = store_stmt(f->s, STMT_SITE_CARRIERS);
    bind_number(q, 1, site_id);
    int r;
    while ((r = store_step(f->s, q)) > 0) {
        struct carrier_name *c = hr_xcalloc(1, sizeof(*c));
        struct hr_span name = column_span(q, 2);
        c->id = sqlite3_column_int64(q, 0);
        c->kind = (enum token_carrier)sqlite3_column_int(q, 1);
        c->name = hr_xstrndup(name.ptr, name.len);
        HASH_ADD(hh, f->carriers, id, sizeof(c->id), c);
    }
    return r;
}

static void free_carriers(struct facts_reader *f)
{
    struct carrier_name *c = f->carriers;
    HASH_CLEAR(hh, f->carriers); /* the table; the entries stay linked */
    while (c != NULL) {
        struct carrier_name *next = c->hh.next;
        free(c->name);
        free(c);
        c = next;
    }
}

int read_site_carriers(struct store *s, int64_t site_id, int (*row)(int64_t carrier_id, void *user),
                       void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_SITE_CARRIERS);
    bind_number(q, 1, site_id);
    int r;
    while ((r = store_step(s, q)) > 0) {
        r = row(sqlite3_column_int64(q, 0), user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_last_classified(struct store *s, int64_t *ret_exchange_id)
{
    return store_number(s, store_stmt(s, STMT_OPERATION_LAST), 0, ret_exchange_id);
}

int read_learning(struct store *s, int64_t site_id, const char *made_by,
                  int (*row)(const struct site_learning *l, void *user), void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_LEARNING_GET);
    bind_number(q, 1, site_id);
    bind_text(q, 2, made_by);
    int r = store_step(s, q);
    if (r <= 0) {
        return r;
    }
    const struct site_learning l = {
        .learned_by = made_by,
        .last_exchange = sqlite3_column_int64(q, 0),
        .exchanges = (uint64_t)sqlite3_column_int64(q, 1),
        .learned = hr_span_of(sqlite3_column_blob(q, 2), (size_t)sqlite3_column_bytes(q, 2)),
        .examples = hr_span_of(sqlite3_column_blob(q, 3), (size_t)sqlite3_column_bytes(q, 3)),
    };
    return store_end_rows(q, row(&l, user));
}

static int hash_of(struct facts_reader *f, int64_t session_id, struct hr_digest *ret_hash)
{
    struct known_hash *k = &f->hashes[session_id & f->hash_mask];
    if (session_id == 0) {
        return 0;
    }
    if (k->session_id != session_id) {
        sqlite3_stmt *q = store_stmt(f->s, STMT_SESSION_HASH);
        bind_number(q, 1, session_id);
        int r = store_step(f->s, q);
        if (r <= 0) {
            return r;
        }
        if (sqlite3_column_bytes(q, 0) == HR_DIGEST_BYTES) {
            memcpy(k->hash.bytes, sqlite3_column_blob(q, 0), HR_DIGEST_BYTES);
            k->session_id = session_id;
        }
        store_end_rows(q, 0);
    }
    *ret_hash = k->hash;
    return 0;
}

static int read_token(struct facts_reader *f, sqlite3_stmt *q, struct exchange_facts *facts)
{
    struct carrier_name *c;
    int64_t carrier_id = sqlite3_column_int64(q, 1);
    if (facts->token_count == FACTS_TOKEN_LIMIT) {
        return 0; /* cannot be: the place is part of the id */
    }
    struct token_use *t = &facts->tokens[facts->token_count++];
    HASH_FIND(hh, f->carriers, &carrier_id, sizeof(carrier_id), c);
    *t = (struct token_use){
        .carrier = c != NULL ? c->kind : TOKEN_COOKIE,
        .name = hr_span_str(c != NULL ? c->name : NULL),
        .flags = (unsigned)sqlite3_column_int64(q, 4),
        .lifetime_s = column_count(q, 5),
        .carrier_id = carrier_id,
        .sent_id = sqlite3_column_int64(q, 2),
        .set_id = sqlite3_column_int64(q, 3),
    };
    int r = hash_of(f, t->sent_id, &t->sent);
    return r == 0 ? hash_of(f, t->set_id, &t->set) : r;
}

static int open_tokens(struct facts_reader *f, int64_t exchange_id)
{
    f->tokens = store_stmt(f->s, STMT_TOKENS_FROM);
    bind_number(f->tokens, 1, exchange_id * FACTS_TOKEN_LIMIT);
    int r = store_step(f->s, f->tokens);
    f->has_token = r > 0;
    return r < 0 ? r : 0;
}

/* The cursor moves on past exchanges of other sites. */
static int merge_tokens(struct facts_reader *f, struct exchange_facts *facts)
{
    int r = f->tokens == NULL ? open_tokens(f, facts->id) : 0;
    while (r == 0 && f->has_token) {
        int64_t owner = sqlite3_column_int64(f->tokens, 0) / FACTS_TOKEN_LIMIT;
        if (owner > facts->id) {
            break;
        }
        r = owner == facts->id ? read_token(f, f->tokens, facts) : 0;
        if (r == 0) {
            int step = store_step(f->s, f->tokens);
            f->has_token = step > 0;
            r = step < 0 ? step : 0;
        }
    }
    return r;
}

static int look_up_tokens(struct facts_reader *f, struct exchange_facts *facts)
{
    sqlite3_stmt *q = store_stmt(f->s, STMT_TOKENS_OF);
    bind_number(q, 1, facts->id * FACTS_TOKEN_LIMIT);
    int r;
    while ((r = store_step(f->s, q)) > 0) {
        r = read_token(f, q, facts);
        if (r < 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

static void read_facts(sqlite3_stmt *q, int64_t site_id, struct exchange_facts *f)
{
    f->id = sqlite3_column_int64(q, 0);
    f->site_id = site_id;
    f->endpoint_id = sqlite3_column_int64(q, 1);
    f->stream_id = sqlite3_column_int64(q, 2);
    f->host = sqlite3_column_int(q, 27) != 0 ? f->site : column_span(q, 3);
    f->method = column_span(q, 4);
    f->target = column_span(q, 5);
    f->path_template = column_span(q, 6);
    f->location = column_span(q, 7);
    f->location_path = column_span(q, 8);
    f->user = column_span(q, 9);
    f->replica = column_span(q, 10);
    f->status = (unsigned)sqlite3_column_int(q, 11);
    f->version = (unsigned)sqlite3_column_int(q, 12);
    f->flags = (uint32_t)sqlite3_column_int64(q, 13);
    f->shape = (uint64_t)sqlite3_column_int64(q, 14);
    f->request_at = column_time(q, 15);
    f->request_end_at = column_time(q, 16);
    f->response_at = column_time(q, 17);
    f->response_end_at = column_time(q, 18);
    f->request_frame = (uint64_t)sqlite3_column_int64(q, 19);
    f->response_frame = (uint64_t)sqlite3_column_int64(q, 20);
    f->request_capture = (size_t)sqlite3_column_int64(q, 21);
    f->response_capture = (size_t)sqlite3_column_int64(q, 22);
    f->request_bytes = (uint64_t)sqlite3_column_int64(q, 23);
    f->response_bytes = (uint64_t)sqlite3_column_int64(q, 24);
    f->state = (unsigned)sqlite3_column_int(q, 25);
    f->ordinal = (unsigned)sqlite3_column_int64(q, 26);
    f->agent = (uint32_t)sqlite3_column_int64(q, 28);
    f->token_count = 0;
}

static int site_is_big(struct store *s, int64_t site_id, bool *ret_is_big)
{
    int64_t is_big = 0;
    sqlite3_stmt *q = store_stmt(s, STMT_SITE_IS_BIG);
    bind_number(q, 1, site_id);
    int r = store_number(s, q, 0, &is_big);
    *ret_is_big = is_big != 0;
    return r;
}

static int give_facts(struct facts_reader *f, int64_t site_id, int64_t first, int64_t last,
                      int (*row)(const struct exchange_facts *f, void *user), void *user)
{
    struct exchange_facts facts;
    memset(&facts, 0, sizeof(facts));
    facts.site = hr_buf_span(&f->site);
    sqlite3_stmt *q = store_stmt(f->s, f->is_big ? STMT_FACTS_BIG_SITE : STMT_FACTS_SMALL_SITE);
    bind_number(q, 1, site_id);
    bind_number(q, 2, first);
    bind_number(q, 3, last);
    int r;
    while ((r = store_step(f->s, q)) > 0) {
        read_facts(q, site_id, &facts);
        r = f->is_big ? merge_tokens(f, &facts) : look_up_tokens(f, &facts);
        r = r == 0 ? row(&facts, user) : r;
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_site_exchanges(struct store *s, int64_t site_id,
                        int (*row)(const struct exchange_facts *f, void *user), void *user)
{
    return read_site_exchanges_between(s, site_id, 0, INT64_MAX, row, user);
}

/* @param hashes  a power of two */
static int open_reader(struct facts_reader *f, int64_t site_id, size_t hashes)
{
    f->hashes = hr_xcalloc(hashes, sizeof(*f->hashes));
    f->hash_mask = (int64_t)hashes - 1;
    hr_buf_init(&f->site, SIZE_MAX);
    const int r = read_site(f->s, site_id, &f->site);
    return r == 0 ? load_carriers(f, site_id) : r;
}

static void close_reader(struct facts_reader *f)
{
    if (f->tokens != NULL) {
        store_end_rows(f->tokens, 0);
    }
    free_carriers(f);
    hr_buf_finish(&f->site);
    free(f->hashes);
}

int read_site_exchanges_between(struct store *s, int64_t site_id, int64_t first, int64_t last,
                                int (*row)(const struct exchange_facts *f, void *user), void *user)
{
    struct facts_reader f = {.s = s, .is_big = true};
    int r = open_reader(&f, site_id, HASHES_IN_MEMORY);
    if (r == 0 && first > 0 && last == INT64_MAX) { /* what came in since */
        r = read_last_exchange(s, &last);
    }
    if (r == 0 && last - first >= SHORT_RANGE) {
        r = site_is_big(s, site_id, &f.is_big);
    }
    r = r == 0 ? give_facts(&f, site_id, first, last, row, user) : r;
    close_reader(&f);
    return r;
}

int read_site_examples(struct store *s, int64_t site_id, const int64_t *ids, size_t count,
                       int (*row)(const struct exchange_facts *f, void *user), void *user)
{
    struct facts_reader f = {.s = s}; /* not big: each with its own tokens */
    int r = open_reader(&f, site_id, HASHES_OF_FEW);
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = give_facts(&f, site_id, ids[i], ids[i], row, user);
    }
    close_reader(&f);
    return r;
}

static int give_session_operations(struct store *s, int64_t session_id, int64_t limit,
                                   bool is_user_name,
                                   int (*row)(const struct operation_row *o, void *user),
                                   void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_SESSION_OPERATIONS);
    bind_number(q, 1, session_id);
    bind_number(q, 2, limit);
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct operation_row o = {
            .id = sqlite3_column_int64(q, 0),
            .session_id = sqlite3_column_int64(q, 1),
            .exchange_id = sqlite3_column_int64(q, 2),
            .endpoint_id = sqlite3_column_int64(q, 3),
            .role = (enum session_role)sqlite3_column_int(q, 4),
            .kind = (enum operation_kind)sqlite3_column_int(q, 5),
            .start = column_time(q, 6),
            .end = column_time(q, 7),
            .issues = sqlite3_column_int(q, 8) != 0,
            .understood = sqlite3_column_int(q, 9) != 0,
            .agent = (uint32_t)sqlite3_column_int64(q, 10),
            .is_user_name = is_user_name,
        };
        r = row(&o, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_session_operations(struct store *s, int64_t session_id,
                            int (*row)(const struct operation_row *o, void *user), void *user)
{
    int r = store_index_operations(s);
    return r == 0 ? give_session_operations(s, session_id, -1, false, row, user) : r;
}

int read_site_operations(struct store *s, int64_t site_id, int64_t since, int64_t limit,
                         int (*row)(const struct operation_row *o, void *user), void *user)
{
    int r = store_index_operations(s);
    if (r < 0) {
        return r;
    }
    sqlite3_stmt *q = store_stmt(s, since == 0 ? STMT_SITE_SESSIONS : STMT_TOUCHED_SESSIONS);
    bind_number(q, 1, site_id);
    if (since != 0) {
        bind_number(q, 2, since * OPERATION_PLACES);
    }
    while ((r = store_step(s, q)) > 0) {
        bool is_user_name = sqlite3_column_int(q, 1) == TOKEN_USER_QUERY;
        r = give_session_operations(s, sqlite3_column_int64(q, 0), limit, is_user_name, row, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_replaced_session(struct store *s, int64_t exchange_id, int64_t session_id,
                          int64_t *ret_parent_id)
{
    sqlite3_stmt *q = store_stmt(s, STMT_REPLACED_SESSION);
    bind_number(q, 1, exchange_id);
    bind_number(q, 2, session_id);
    return store_number(s, q, 0, ret_parent_id);
}

int read_twin_session(struct store *s, int64_t session_id, int64_t carrier_id, int64_t other_id,
                      int64_t *ret_session_id)
{
    sqlite3_stmt *q = store_stmt(s, STMT_TWIN_SESSION);
    bind_number(q, 1, session_id);
    bind_number(q, 2, carrier_id);
    bind_number(q, 3, other_id);
    return store_number(s, q, 0, ret_session_id);
}

int read_carriers_share_token(struct store *s, int64_t carrier_id, int64_t other_id,
                              int64_t *ret_shares)
{
    sqlite3_stmt *q = store_stmt(s, STMT_CARRIERS_SHARE_TOKEN);
    bind_number(q, 1, carrier_id);
    bind_number(q, 2, other_id);
    return store_number(s, q, 0, ret_shares);
}

static int open_anonymous(struct store *s, int64_t site_id, int64_t since, sqlite3_stmt **ret_q)
{
    bool is_big = false;
    int r = since == 0 ? site_is_big(s, site_id, &is_big) : 0;
    sqlite3_stmt *q = store_stmt(s, since != 0 ? STMT_ANONYMOUS_SINCE
                                    : is_big   ? STMT_ANONYMOUS_BIG_SITE
                                               : STMT_ANONYMOUS_SMALL_SITE);
    bind_number(q, 1, site_id);
    if (since != 0) {
        bind_number(q, 2, since * OPERATION_PLACES);
    }
    *ret_q = q;
    return r;
}

int read_site_anonymous(struct store *s, int64_t site_id, int64_t since,
                        int (*row)(const struct anonymous_row *a, void *user), void *user)
{
    sqlite3_stmt *q = NULL;
    int r = open_anonymous(s, site_id, since, &q);
    while (r >= 0 && (r = store_step(s, q)) > 0) {
        struct anonymous_row a = {
            .exchange_id = sqlite3_column_int64(q, 0),
            .endpoint_id = sqlite3_column_int64(q, 1),
            .outcome = (enum session_outcome)sqlite3_column_int(q, 2),
        };
        r = row(&a, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_site_endpoints(struct store *s, int64_t site_id,
                        int (*row)(int64_t endpoint_id, const char *method,
                                   const char *path_template, void *user),
                        void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_SITE_ENDPOINTS);
    bind_number(q, 1, site_id);
    int r;
    while ((r = store_step(s, q)) > 0) {
        r = row(sqlite3_column_int64(q, 0), column_text(q, 1), column_text(q, 2), user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_endpoint_protection(struct store *s, int64_t endpoint_id,
                             enum endpoint_protection *ret_protection)
{
    int64_t protection = 0;
    sqlite3_stmt *q = store_stmt(s, STMT_ENDPOINT_PROTECTION);
    bind_number(q, 1, endpoint_id);
    const int r = store_number(s, q, 0, &protection);
    *ret_protection = (enum endpoint_protection)protection;
    return r;
}

int read_is_behind(struct store *s, bool *ret_is_behind)
{
    int64_t is_behind = 0;
    const int r = store_number(s, store_stmt(s, STMT_SITE_BEHIND), 0, &is_behind);
    *ret_is_behind = is_behind != 0;
    return r;
}

int read_last_exchange(struct store *s, int64_t *ret_id)
{
    return store_number(s, store_stmt(s, STMT_EXCHANGE_LAST), 0, ret_id);
}

int read_last_endpoint(struct store *s, int64_t *ret_id)
{
    return store_number(s, store_stmt(s, STMT_ENDPOINT_LAST), 0, ret_id);
}

int read_site_clock_doubt(struct store *s, int64_t site_id, hr_nsec *ret_epsilon)
{
    sqlite3_stmt *q = store_stmt(s, STMT_CLOCK_DOUBT);
    bind_number(q, 1, site_id);
    return store_number(s, q, 0, ret_epsilon);
}
