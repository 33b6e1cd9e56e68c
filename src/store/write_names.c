/*
 * Names to row ids during an import. Memory first; on a miss the table, but where memory holds the
 * whole table (a fresh database, and nothing dropped from memory yet) a miss means a new row.
 */
#include "store/import.h"

#include <string.h>

static struct id_key key_of(struct hr_span bytes)
{
    return (struct id_key){bytes.ptr, bytes.len, hr_hash_table(bytes.ptr, bytes.len)};
}

static struct id_key make_key(struct import *i, int64_t number, struct hr_span a, struct hr_span b)
{
    hr_buf_clear(&i->key);
    hr_buf_append(&i->key, hr_span_of(&number, sizeof(number)));
    hr_buf_append(&i->key, a);
    hr_buf_append_char(&i->key, '\0');
    hr_buf_append(&i->key, b);
    return key_of(hr_buf_span(&i->key));
}

/* One look-up by a bound SELECT, then the INSERT with the same parameters. */
struct name_row {
    struct id_cache *cache;
    struct id_key key;
    enum stmt_id find;
    enum stmt_id add;
    void (*bind)(sqlite3_stmt *q, const void *row);
    const void *row;
};

static int find_name(struct import *i, const struct name_row *n, int64_t *ret_id)
{
    int64_t id = id_cache_find(n->cache, &n->key);
    int r = 0;
    if (id == 0 && !n->cache->is_whole) {
        sqlite3_stmt *q = store_stmt(i->s, n->find);
        n->bind(q, n->row);
        r = store_number(i->s, q, 0, &id);
        if (r == 0 && id != 0) {
            id_cache_add(n->cache, &n->key, id);
        }
    }
    *ret_id = id;
    return r;
}

static int find_or_add(struct import *i, const struct name_row *n, int64_t *ret_id)
{
    int64_t id = 0;
    int r = find_name(i, n, &id);
    if (id == 0 && r == 0) {
        sqlite3_stmt *q = store_stmt(i->s, n->add);
        n->bind(q, n->row);
        r = store_run(i->s, q);
        if (r == 0) {
            id = sqlite3_last_insert_rowid(i->s->db);
            id_cache_add(n->cache, &n->key, id);
        }
    }
    *ret_id = id;
    return r;
}

struct text_row {
    int64_t number;
    int64_t kind;
    struct hr_span a;
    struct hr_span b;
};

static void bind_site(sqlite3_stmt *q, const void *row)
{
    const struct text_row *t = row;
    bind_span(q, 1, t->a);
}

int import_site_id(struct import *i, struct hr_span name, int64_t *ret_id)
{
    struct text_row row = {.a = name.ptr != NULL ? name : HR_SPAN("")};
    struct name_row n = {&i->sites, key_of(row.a), STMT_SITE_FIND, STMT_SITE_ADD, bind_site, &row};
    return find_or_add(i, &n, ret_id);
}

static void bind_endpoint(sqlite3_stmt *q, const void *row)
{
    const struct text_row *t = row;
    bind_number(q, 1, t->number);
    bind_span(q, 2, t->a);
    bind_span(q, 3, t->b);
}

int import_endpoint_id(struct import *i, int64_t site_id, const struct exchange_facts *f,
                       int64_t *ret_id)
{
    struct text_row row = {site_id, 0, f->method,
                           f->path_template.ptr != NULL ? f->path_template : HR_SPAN("")};
    struct name_row n = {&i->endpoints,      make_key(i, site_id, row.a, row.b),
                         STMT_ENDPOINT_FIND, STMT_ENDPOINT_ADD,
                         bind_endpoint,      &row};
    if (f->method.ptr == NULL) {
        *ret_id = 0;
        return 0;
    }
    return find_or_add(i, &n, ret_id);
}

static void bind_user(sqlite3_stmt *q, const void *row)
{
    const struct text_row *t = row;
    bind_number(q, 1, t->number);
    bind_span(q, 2, t->a);
}

struct hr_span store_hidden_user(const struct store *s, struct hr_span name,
                                 char buffer[HR_DIGEST_TEXT_SIZE])
{
    struct hr_digest d = hr_digest_keyed(store_key(s), name);
    bool is_hidden = name.len == HR_DIGEST_TEXT_SIZE - 1 && name.ptr[0] == '~';
    return is_hidden ? name : hr_span_str(hr_digest_format(&d, buffer)); /* --redact-users did it */
}

static struct name_row user_row(struct import *i, struct text_row *row)
{
    return (struct name_row){&i->users,      make_key(i, row->number, row->a, HR_SPAN("")),
                             STMT_USER_FIND, STMT_USER_ADD,
                             bind_user,      row};
}

/* A password typed into the wrong field is a name that never got in: until one does, only its hash
 * is kept, and the row gets the name then. */
int import_user_id(struct import *i, int64_t site_id, struct hr_span name, bool got_in,
                   int64_t *ret_id)
{
    char hidden[HR_DIGEST_TEXT_SIZE];
    struct text_row row = {.number = site_id, .a = name};
    *ret_id = 0;
    if (name.ptr == NULL) {
        return 0;
    }
    struct name_row n = user_row(i, &row);
    int r = find_name(i, &n, ret_id);
    if (r < 0 || *ret_id != 0) {
        return r;
    }
    struct text_row hidden_row = {.number = site_id, .a = store_hidden_user(i->s, name, hidden)};
    n = user_row(i, &hidden_row);
    if (!got_in) {
        return find_or_add(i, &n, ret_id);
    }
    r = find_name(i, &n, ret_id);
    n = user_row(i, &row);
    if (r == 0 && *ret_id != 0) {
        sqlite3_stmt *q = store_stmt(i->s, STMT_USER_NAME);
        bind_number(q, 1, *ret_id);
        bind_span(q, 2, name);
        r = store_run(i->s, q);
        id_cache_add(n.cache, &n.key, *ret_id);
        return r;
    }
    return r == 0 ? find_or_add(i, &n, ret_id) : r;
}

static void bind_carrier(sqlite3_stmt *q, const void *row)
{
    const struct text_row *t = row;
    bind_number(q, 1, t->number);
    bind_number(q, 2, t->kind);
    bind_span(q, 3, t->a);
}

static int carrier_id(struct import *i, int64_t site_id, struct token_use *t)
{
    char kind = (char)t->carrier;
    struct text_row row = {.number = site_id,
                           .kind = (int64_t)t->carrier,
                           .a = t->name.ptr != NULL ? t->name : HR_SPAN("")};
    struct name_row n = {&i->carriers,      make_key(i, site_id, hr_span_of(&kind, 1), row.a),
                         STMT_CARRIER_FIND, STMT_CARRIER_ADD,
                         bind_carrier,      &row};
    return find_or_add(i, &n, &t->carrier_id);
}

struct session_key {
    int64_t carrier_id;
    struct hr_digest hash;
};

struct session_new {
    struct session_key key;
    bool is_jwt;
};

static void bind_session(sqlite3_stmt *q, const void *row)
{
    const struct session_new *n = row;
    bind_number(q, 1, n->key.carrier_id);
    sqlite3_bind_blob(q, 2, n->key.hash.bytes, sizeof(n->key.hash.bytes), SQLITE_STATIC);
    bind_number(q, 3, n->is_jwt ? 1 : 0);
}

/* A token's hash is a keyed one already. */
static uint64_t session_hash(const struct hr_digest *hash)
{
    uint64_t first;
    memcpy(&first, hash->bytes, sizeof(first));
    return first;
}

static int session_id(struct import *i, const struct token_use *t, const struct hr_digest *hash,
                      int64_t *ret_id)
{
    struct session_new row = {
        .key = {t->carrier_id, *hash},
          .is_jwt = t->flags & TOKEN_JWT
    };
    struct name_row n = {
        &i->sessions,      {&row.key, sizeof(row.key), session_hash(hash)},
        STMT_SESSION_FIND, STMT_SESSION_ADD,
        bind_session,      &row
    };
    if (!i->sessions.is_whole && !i->has_session_index) {
        int r = import_build_session_index(i);
        if (r < 0) {
            return r;
        }
    }
    return find_or_add(i, &n, ret_id);
}

int import_token_ids(struct import *i, int64_t site_id, struct token_use *t)
{
    t->sent_id = 0;
    t->set_id = 0;
    int r = carrier_id(i, site_id, t);
    if (r == 0 && (t->flags & TOKEN_SENT)) {
        r = session_id(i, t, &t->sent, &t->sent_id);
    }
    if (r == 0 && (t->flags & TOKEN_SET)) {
        r = session_id(i, t, &t->set, &t->set_id);
    }
    return r;
}

void import_fetch(const struct import *i, const struct token_use *t, enum import_fetch step)
{
    void (*const fetch)(const struct id_cache *c, uint64_t hash) =
        step == IMPORT_FETCH_FIRST ? id_cache_fetch_slot : id_cache_fetch;
    if (t->flags & TOKEN_SENT) {
        fetch(&i->sessions, session_hash(&t->sent));
    }
    if (t->flags & TOKEN_SET) {
        fetch(&i->sessions, session_hash(&t->set));
    }
}

int import_build_session_index(struct import *i)
{
    if (i->has_session_index) {
        return 0;
    }
    i->has_session_index = true;
    return store_run(i->s, store_stmt(i->s, STMT_SESSION_INDEX_MAKE));
}

/* How many hexadecimal digits two different hashes have in common. */
static int common_digits(const unsigned char *a, const unsigned char *b)
{
    int n = 0;
    while (n < 2 * HR_DIGEST_BYTES) {
        unsigned shift = n % 2 == 0 ? 4 : 0;
        if (((a[n / 2] >> shift) & 15) != ((b[n / 2] >> shift) & 15)) {
            break;
        }
        n++;
    }
    return n;
}

static int set_digits(struct store *s, int64_t id, int digits)
{
    sqlite3_stmt *q = store_stmt(s, STMT_SESSION_SET_DIGITS);
    bind_number(q, 1, id);
    bind_number(q, 2, digits);
    return store_run(s, q);
}

/* What is not a hash has no say. */
static const unsigned char *column_hash(sqlite3_stmt *q, int column)
{
    const unsigned char *hash = sqlite3_column_blob(q, column);
    return sqlite3_column_bytes(q, column) == HR_DIGEST_BYTES ? hash : NULL;
}

/* Two names that differ from each other. Equal hashes are the same token at two sites or in two
 * carriers, and keep the same name. */
static int tell_apart(struct store *s, int64_t id, const unsigned char *hash, int64_t other_id,
                      const unsigned char *other)
{
    const int common = common_digits(hash, other);
    int r = 0;
    if (common >= 8 && common < 2 * HR_DIGEST_BYTES) {
        r = set_digits(s, id, common + 1);
        r = r == 0 ? set_digits(s, other_id, common + 1) : r;
    }
    return r;
}

/* Neighbours in the order of hashes tell how many digits set them apart. */
static int name_all(struct import *i)
{
    unsigned char last[HR_DIGEST_BYTES] = {0};
    int64_t last_id = 0;
    sqlite3_stmt *q = store_stmt(i->s, STMT_SESSION_HASHES);
    int r;
    while ((r = store_step(i->s, q)) > 0) {
        const int64_t id = sqlite3_column_int64(q, 0);
        const unsigned char *hash = column_hash(q, 1);
        const int e = hash == NULL || last_id == 0 ? 0 : tell_apart(i->s, last_id, last, id, hash);
        if (e < 0) {
            return store_end_rows(q, e);
        }
        if (hash != NULL) {
            memcpy(last, hash, sizeof(last));
            last_id = id;
        }
    }
    return r;
}

static int name_new(struct import *i)
{
    sqlite3_stmt *q = store_stmt(i->s, STMT_SESSION_NEIGHBOURS);
    int r;
    bind_number(q, 1, i->base.session);
    while ((r = store_step(i->s, q)) > 0) {
        const unsigned char *hash = column_hash(q, 1);
        const unsigned char *other = column_hash(q, 3);
        const int e = hash == NULL || other == NULL
                          ? 0
                          : tell_apart(i->s, sqlite3_column_int64(q, 0), hash,
                                       sqlite3_column_int64(q, 2), other);
        if (e < 0) {
            return store_end_rows(q, e);
        }
    }
    return r;
}

/* A step in the order of all costs a part of what looking for a neighbour does. */
#define STEPS_OF_SEARCH 8

int import_name_sessions(struct import *i)
{
    sqlite3_stmt *q = store_stmt(i->s, STMT_SESSION_COUNTS);
    int r = store_step(i->s, q);
    if (r <= 0) {
        return r;
    }
    const int64_t last = sqlite3_column_int64(q, 0);
    const int64_t carriers = sqlite3_column_int64(q, 1);
    r = store_end_rows(q, 0);
    const int64_t added = last - i->base.session;
    if (r < 0 || added <= 0) {
        return r;
    }
    return added < last / STEPS_OF_SEARCH / (carriers + 1) ? name_new(i) : name_all(i);
}
