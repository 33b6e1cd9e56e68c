/*
 * An import: rows in, in the order in which the captures give them. What can only be known at the
 * end (final numbers, doubles, indexes) is done by import_finish().
 */
#include "base/alloc.h"
#include "store/import.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Most rows of each table kept in memory; beyond that the table itself is asked. */
enum {
    SITES_IN_MEMORY = 16384,
    ENDPOINTS_IN_MEMORY = 65536,
    CARRIERS_IN_MEMORY = 16384,
    SESSIONS_IN_MEMORY = 262144,
    USERS_IN_MEMORY = 65536,
};

static bool is_mapped(const struct net_address *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(a->bytes, mapped, sizeof(mapped)) == 0;
}

#define NETWORK_TEXT_SIZE (NET_ADDRESS_TEXT_SIZE + 3)

const char *address_format(const struct net_address *a, char text[NET_ADDRESS_TEXT_SIZE])
{
    bool is_v4 = is_mapped(a);
    inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? a->bytes + 12 : a->bytes, text,
              NET_ADDRESS_TEXT_SIZE);
    return text;
}

/* What addresses of one household or office have in common. */
static const char *network_format(const struct net_address *a, char text[NETWORK_TEXT_SIZE])
{
    struct net_address network = *a;
    size_t kept = is_mapped(a) ? 15 : 8;
    memset(network.bytes + kept, 0, sizeof(network.bytes) - kept);
    address_format(&network, text);
    strncat(text, is_mapped(a) ? "/24" : "/64", NETWORK_TEXT_SIZE - strlen(text) - 1);
    return text;
}

static int read_base(struct import *i)
{
    sqlite3_stmt *q = store_stmt(i->s, STMT_IMPORT_BASE);
    int r = store_step(i->s, q);
    if (r <= 0) {
        return r < 0 ? r : -EIO;
    }
    i->base.stream = sqlite3_column_int64(q, 0);
    i->last_stream = i->base.stream;
    i->base.exchange = sqlite3_column_int64(q, 1);
    i->last_exchange = i->base.exchange;
    i->base.loss = sqlite3_column_int64(q, 2);
    i->number = sqlite3_column_int64(q, 3) + 1;
    i->is_fresh = sqlite3_column_int64(q, 4) == 0;
    i->base.session = sqlite3_column_int64(q, 5);
    return store_end_rows(q, 0);
}

/* Every row with a key in random order makes an index on it dearer than everything else. */
static int drop_indexes(struct import *i)
{
    if (i->s->is_trial) {
        return 0;
    }
    int r = store_run(i->s, store_stmt(i->s, STMT_SESSION_INDEX_DROP));
    r = r == 0 ? store_run(i->s, store_stmt(i->s, STMT_OPERATION_INDEX_DROP)) : r;
    i->s->lacks_index = r == 0;
    r = r == 0 ? store_run(i->s, store_stmt(i->s, STMT_MARK_INDEX_DROP)) : r;
    return r == 0 ? store_run(i->s, store_stmt(i->s, STMT_EXCHANGE_INDEX_DROP)) : r;
}

int import_begin(struct store *s, struct import **ret_import)
{
    struct import *i = hr_xcalloc(1, sizeof(*i));
    i->s = s;
    i->first_at = HR_NSEC_INFINITE;
    i->last_at = INT64_MIN;
    hr_buf_init(&i->key, SIZE_MAX);
    int r = read_base(i);
    id_cache_init(&i->sites, SITES_IN_MEMORY, i->is_fresh);
    id_cache_init(&i->endpoints, ENDPOINTS_IN_MEMORY, i->is_fresh);
    id_cache_init(&i->carriers, CARRIERS_IN_MEMORY, i->is_fresh);
    id_cache_init(&i->sessions, SESSIONS_IN_MEMORY, i->is_fresh);
    id_cache_init(&i->users, USERS_IN_MEMORY, i->is_fresh);
    i->has_session_index = !i->is_fresh;
    if (r == 0) {
        r = i->is_fresh ? drop_indexes(i) : store_run(s, store_stmt(s, STMT_EXCHANGE_INDEX_MAKE));
    }
    if (r < 0) {
        import_destroy(i);
        return r;
    }
    *ret_import = i;
    return 0;
}

int64_t import_first_exchange(const struct import *i)
{
    return i->base.exchange + 1;
}

bool import_is_first(const struct import *i)
{
    return i->is_fresh;
}

void import_destroy(struct import *i)
{
    if (i == NULL) {
        return;
    }
    id_cache_finish(&i->sites);
    id_cache_finish(&i->endpoints);
    id_cache_finish(&i->carriers);
    id_cache_finish(&i->sessions);
    id_cache_finish(&i->users);
    hr_buf_finish(&i->key);
    free(i->captures);
    free(i);
}

static struct import_capture *capture_place(struct import *i, size_t index)
{
    if (index >= i->capture_count) {
        i->captures = hr_xrealloc(i->captures, (index + 1) * sizeof(*i->captures));
        memset(i->captures + i->capture_count, 0,
               (index + 1 - i->capture_count) * sizeof(*i->captures));
        i->capture_count = index + 1;
    }
    return &i->captures[index];
}

int import_add_capture(struct import *i, size_t index, const char *path)
{
    struct import_capture *c = capture_place(i, index);
    sqlite3_stmt *q = store_stmt(i->s, STMT_CAPTURE_ADD);
    bind_number(q, 1, i->number);
    bind_text(q, 2, path);
    int r = store_run(i->s, q);
    if (r == 0) {
        c->id = sqlite3_last_insert_rowid(i->s->db);
    }
    return r;
}

int import_resume_capture(struct import *i, size_t index, int64_t id)
{
    struct import_capture *c = capture_place(i, index);
    sqlite3_stmt *q = store_stmt(i->s, STMT_CAPTURE_RESUME);
    bind_number(q, 1, id);
    bind_number(q, 2, i->number);
    int r = store_step(i->s, q);
    if (r <= 0) {
        return r < 0 ? r : -ENOENT;
    }
    c->id = id;
    c->is_resumed = true;
    c->exchanges = sqlite3_column_int64(q, 0);
    return store_end_rows(q, 0);
}

int64_t import_capture(const struct import *i, size_t index)
{
    return i->captures[index].id;
}

int64_t import_number(const struct import *i)
{
    return i->number;
}

static int64_t capture_id(struct import *i, size_t index)
{
    assert(index < i->capture_count && i->captures[index].id != 0);
    i->captures[index].has_rows = true;
    return i->captures[index].id;
}

static void stretch(struct import *i, hr_nsec at)
{
    if (at == HR_NSEC_INFINITE || at == INT64_MIN) {
        return;
    }
    i->first_at = at < i->first_at ? at : i->first_at;
    i->last_at = at > i->last_at ? at : i->last_at;
}

/* The columns that change while a connection lives. */
enum { LIFE_COLUMNS = 17 };

struct life_column {
    int64_t number;
    bool is_null;
};

static struct life_column life_time(hr_nsec at)
{
    return (struct life_column){.number = at, .is_null = at == HR_NSEC_INFINITE};
}

static struct life_column life_count(uint64_t count)
{
    return (struct life_column){.number = count > INT64_MAX ? INT64_MAX : (int64_t)count};
}

/* Both directions' sequence numbers as one; NULL where one is not known. */
static struct life_column life_numbers(const struct tcp_conn *c, const tcp_seq seq[2],
                                       unsigned client)
{
    const uint64_t both = (uint64_t)seq[client] << 32 | seq[1 - client];
    return (struct life_column){.number = (int64_t)both,
                                .is_null = !c->has_numbers[0] || !c->has_numbers[1]};
}

static void life_of(const struct tcp_conn *c, enum tcp_end end, bool orig_is_client,
                    struct life_column ret_life[LIFE_COLUMNS])
{
    const unsigned client = orig_is_client ? TCP_ORIG : TCP_RESP;
    const unsigned server = orig_is_client ? TCP_RESP : TCP_ORIG;
    const bool rst_first = c->rst_at[server] < c->fin_at[server];
    const uint64_t end_frame = rst_first ? c->rst_frame[server] : c->fin_frame[server];
    struct life_column *l = ret_life;
    *l++ = life_time(c->last_at);
    *l++ = life_count(end);
    *l++ = life_count(c->one_sided[client]);
    *l++ = life_count(c->one_sided[server]);
    *l++ = life_count(c->frames[client]);
    *l++ = life_count(c->frames[server]);
    *l++ = life_count(c->bytes[client]);
    *l++ = life_count(c->bytes[server]);
    *l++ = life_count(c->gap_bytes[client]);
    *l++ = life_count(c->gap_bytes[server]);
    *l++ = life_time(c->fin_at[client]);
    *l++ = life_time(c->fin_at[server]);
    *l++ = life_time(c->rst_at[client]);
    *l++ = life_time(c->rst_at[server]);
    *l++ = (struct life_column){.number = (int64_t)end_frame, .is_null = end_frame == 0};
    *l++ = life_numbers(c, c->first_seq, client);
    *l++ = life_numbers(c, c->next_seq, client);
    assert(l == ret_life + LIFE_COLUMNS);
}

int64_t import_new_stream(struct import *i, const struct tcp_conn *c)
{
    capture_id(i, c->capture);
    if (c->bytes[0] == 0 && c->bytes[1] == 0) { /* no exchange will tell of it */
        stretch(i, c->first_at);
    }
    return ++i->last_stream;
}

int import_put_stream(struct import *i, int64_t stream_id, const struct tcp_conn *c,
                      enum tcp_end end, bool orig_is_client)
{
    char client[NET_ADDRESS_TEXT_SIZE];
    char server[NET_ADDRESS_TEXT_SIZE];
    char network[NETWORK_TEXT_SIZE];
    const struct net_endpoint *from = orig_is_client ? &c->orig : &c->resp;
    const struct net_endpoint *to = orig_is_client ? &c->resp : &c->orig;
    struct life_column life[LIFE_COLUMNS];
    struct batch_cell *row;
    int r = batch_add_row(i->s, BATCH_STREAMS, &row);
    if (r < 0) {
        return r;
    }
    cell_number(row, 1, stream_id);
    cell_number(row, 2, capture_id(i, c->capture));
    cell_count(row, 3, c->stream);
    cell_span(i->s, row, 4, hr_span_str(address_format(&from->address, client)));
    cell_number(row, 5, from->port);
    cell_span(i->s, row, 6, hr_span_str(address_format(&to->address, server)));
    cell_number(row, 7, to->port);
    cell_count(row, 8, c->first_frame);
    cell_number(row, 9, c->first_at);
    cell_number(row, 10, orig_is_client);
    cell_number(row, 11, !c->syn_seen);
    cell_span(i->s, row, 12, hr_span_str(network_format(&from->address, network)));
    life_of(c, end, orig_is_client, life);
    for (int k = 0; k < LIFE_COLUMNS; k++) {
        if (!life[k].is_null) {
            cell_number(row, 13 + k, life[k].number);
        }
    }
    return 0;
}

int import_end_stream(struct import *i, int64_t stream_id, const struct tcp_conn *c,
                      enum tcp_end end, bool orig_is_client)
{
    struct life_column life[LIFE_COLUMNS];
    sqlite3_stmt *q = store_stmt(i->s, STMT_STREAM_END);
    bind_number(q, 1, stream_id);
    life_of(c, end, orig_is_client, life);
    for (int k = 0; k < LIFE_COLUMNS; k++) {
        if (life[k].is_null) {
            sqlite3_bind_null(q, 2 + k);
        } else {
            bind_number(q, 2 + k, life[k].number);
        }
    }
    return store_run(i->s, q);
}

static void put_request(struct import *i, struct batch_cell *row, const struct exchange_facts *f)
{
    bool has_host = f->host.ptr != NULL;
    bool host_is_site = has_host && hr_span_equal(f->host, f->site);
    bool has_request = f->method.ptr != NULL;
    cell_id(row, 5, f->request_at == HR_NSEC_INFINITE ? 0 : capture_id(i, f->request_capture));
    cell_id(row, 6, (int64_t)f->request_frame);
    cell_time(row, 7, f->request_at);
    cell_time(row, 8, f->request_end_at);
    cell_span(i->s, row, 9, f->method);
    cell_span(i->s, row, 10, f->target);
    cell_span(i->s, row, 11, host_is_site ? (struct hr_span){0} : f->host);
    cell_number(row, 12, host_is_site);
    cell_id(row, 13, has_request ? f->version : 0);
    if (has_request) {
        cell_count(row, 14, f->request_bytes);
    }
}

static void put_response(struct import *i, struct batch_cell *row, const struct exchange_facts *f)
{
    cell_id(row, 15, f->response_at == HR_NSEC_INFINITE ? 0 : capture_id(i, f->response_capture));
    cell_id(row, 16, (int64_t)f->response_frame);
    cell_time(row, 17, f->response_at);
    cell_time(row, 18, f->response_end_at);
    cell_id(row, 19, f->status);
    if (f->status != 0) {
        cell_count(row, 20, f->response_bytes);
    }
}

static int add_token(struct import *i, const struct exchange_facts *f, size_t place)
{
    const struct token_use *t = &f->tokens[place];
    struct batch_cell *row;
    int r = batch_add_row(i->s, BATCH_TOKENS, &row);
    if (r < 0) {
        return r;
    }
    cell_number(row, 1, f->id * FACTS_TOKEN_LIMIT + (int64_t)place);
    cell_number(row, 2, t->carrier_id);
    cell_id(row, 3, t->sent_id);
    cell_id(row, 4, t->set_id);
    cell_number(row, 5, t->flags);
    if (t->lifetime_s >= 0) {
        cell_number(row, 6, t->lifetime_s);
    }
    return 0;
}

static int add_mark(struct import *i, const struct exchange_facts *f, size_t place)
{
    const struct fact_mark *m = &f->marks[place];
    sqlite3_stmt *q = store_stmt(i->s, STMT_MARK_ADD);
    bind_number(q, 1, f->id * FACTS_MARK_LIMIT + (int64_t)place);
    bind_number(q, 2, m->kind);
    bind_id(q, 3, m->value);
    bind_span(q, 4, m->text);
    return store_run(i->s, q);
}

/* Does the answer look as if whom the request names were let in? Where the name is all that a site
 * asks for, it is no secret. */
static bool got_in(const struct exchange_facts *f)
{
    bool answered = f->status >= 200 && f->status < 400 && f->status != 304;
    bool refused = f->flags & (FACT_SAYS_FAILURE | FACT_LOGIN_FORM | FACT_LOCATION_LOGIN);
    bool back = f->location_path.ptr != NULL && hr_span_equal(f->location_path, f->path_template);
    bool is_name = (f->flags & FACT_USER_QUERY) && !(f->flags & FACT_PASSWORD);
    return is_name || (answered && !refused && !back);
}

static int add_exchange_row(struct import *i, struct exchange_facts *f, int64_t user_id)
{
    struct batch_cell *row;
    int r = batch_add_row(i->s, BATCH_EXCHANGES, &row);
    if (r < 0) {
        return r;
    }
    f->id = ++i->last_exchange;
    cell_number(row, 1, f->site_id);
    cell_id(row, 2, f->endpoint_id);
    cell_number(row, 3, f->stream_id);
    cell_number(row, 4, f->ordinal);
    put_request(i, row, f);
    put_response(i, row, f);
    cell_number(row, 21, f->state);
    cell_number(row, 22, f->flags);
    cell_number(row, 23, (int64_t)f->shape);
    cell_span(i->s, row, 24, f->location);
    cell_span(i->s, row, 25, f->location_path);
    cell_id(row, 26, user_id);
    cell_span(i->s, row, 27, f->replica);
    if (f->method.ptr != NULL) {
        cell_number(row, 28, f->agent);
    }
    cell_id(row, 29, (int64_t)f->request_hash);
    cell_number(row, 30, f->id);
    return 0;
}

int import_add_exchange(struct import *i, struct exchange_facts *f)
{
    int64_t user_id = 0;
    int r = import_site_id(i, f->site, &f->site_id);
    r = r == 0 ? import_endpoint_id(i, f->site_id, f, &f->endpoint_id) : r;
    r = r == 0 ? import_user_id(i, f->site_id, f->user, got_in(f), &user_id) : r;
    for (size_t k = 0; r == 0 && k < f->token_count; k++) {
        r = import_token_ids(i, f->site_id, &f->tokens[k]);
    }
    r = r == 0 ? add_exchange_row(i, f, user_id) : r;
    for (size_t k = 0; r == 0 && k < f->token_count; k++) {
        r = add_token(i, f, k);
    }
    for (size_t k = 0; r == 0 && k < f->mark_count; k++) {
        r = add_mark(i, f, k);
    }
    if (f->request_at != HR_NSEC_INFINITE) {
        i->captures[f->request_capture].exchanges++;
    } else if (f->response_at != HR_NSEC_INFINITE) {
        i->captures[f->response_capture].exchanges++;
    }
    if (f->site_id > 0 && f->site_id <= SITES_ALL_BIG) {
        i->exchanges_of[f->site_id - 1]++;
    }
    stretch(i, f->request_at);
    stretch(i, f->response_at);
    return r;
}

int import_add_loss(struct import *i, struct loss_row *row)
{
    char server[NET_ADDRESS_TEXT_SIZE];
    sqlite3_stmt *q = store_stmt(i->s, STMT_LOSS_ADD);
    bind_number(q, 1, row->kind);
    bind_number(q, 2, capture_id(i, (size_t)row->capture_id));
    bind_id(q, 3, row->stream_id);
    if (row->from_at == INT64_MIN) {
        sqlite3_bind_null(q, 4);
    } else {
        bind_time(q, 4, row->from_at);
    }
    bind_time(q, 5, row->to_at);
    bind_text(q, 6, row->server.port != 0 ? address_format(&row->server.address, server) : NULL);
    bind_id(q, 7, row->server.port);
    bind_count(q, 8, row->bytes);
    bind_count(q, 9, row->count);
    bind_number(q, 10, row->hides_exchanges);
    stretch(i, row->from_at);
    stretch(i, row->to_at);
    int r = store_run(i->s, q);
    if (r == 0) {
        row->id = sqlite3_last_insert_rowid(i->s->db);
    }
    return r;
}

int import_end_capture(struct import *i, size_t index, const struct capture_info *info,
                       hr_nsec clock_doubt)
{
    assert(index < i->capture_count);
    sqlite3_stmt *q = store_stmt(i->s, STMT_CAPTURE_END);
    bind_number(q, 1, i->captures[index].id);
    bind_number(q, 2, info->is_pcapng);
    bind_number(q, 3, info->packing);
    bind_number(q, 4, info->has_nanoseconds);
    bind_number(q, 5, info->link_type);
    bind_text(q, 6, info->link_name);
    bind_count(q, 7, info->size_bytes);
    bind_count(q, 8, info->frames);
    bind_count(q, 9, info->frame_bytes);
    bind_count(q, 10, info->cut_frames);
    bind_count(q, 11, info->dropped_frames);
    bind_time(q, 12, info->frames > 0 ? info->first_at : HR_NSEC_INFINITE);
    bind_time(q, 13, info->frames > 0 ? info->last_at : HR_NSEC_INFINITE);
    bind_number(q, 14, clock_doubt);
    bind_number(q, 15, info->error);
    bind_text(q, 16, info->error != 0 ? info->error_text : NULL);
    sqlite3_bind_blob(q, 17, info->frames > 0 ? info->head.bytes : NULL, HR_DIGEST_BYTES,
                      SQLITE_STATIC); /* NULL as well: the last one's would stay */
    bind_number(q, 18, info->time_source);
    struct hr_buf comments;
    hr_buf_init(&comments, SIZE_MAX);
    hr_buf_append_str(&comments, info->comments);
    if (info->comments_left_out > 0) {
        hr_buf_appendf(&comments, "; and %" PRIu64 " more", info->comments_left_out);
    }
    bind_text(q, 19, comments.len > 0 ? hr_buf_str(&comments) : NULL);
    int r = store_run(i->s, q);
    hr_buf_finish(&comments);
    return r;
}

/* A capture all of which was stored before is no news, under whatever name it came; neither is one
 * that gave nothing at all, a second time. */
static int drop_repeated_captures(struct import *i)
{
    int r = 0;
    for (size_t k = 0; r == 0 && k < i->capture_count; k++) {
        if (i->captures[k].id == 0 || i->captures[k].is_resumed ||
            (i->is_fresh && i->captures[k].has_rows)) {
            continue;
        }
        sqlite3_stmt *q = store_stmt(i->s, STMT_CAPTURE_DROP_REPEATED);
        bind_number(q, 1, i->captures[k].id);
        bind_number(q, 2, i->captures[k].has_rows);
        bind_number(q, 3, i->base.exchange);
        bind_number(q, 4, i->base.stream);
        bind_number(q, 5, i->base.loss);
        r = store_run(i->s, q);
    }
    return r == 0 ? store_run(i->s, store_stmt(i->s, STMT_CAPTURE_DROP_FAILED)) : r;
}

/* Going through all exchanges each time takes too long in a run of many rounds. */
int import_know_servers(struct import *i)
{
    struct store *s = i->s;
    int r = store_exec(s, "CREATE TEMP TABLE IF NOT EXISTS site_servers (server TEXT NOT NULL, "
                          "server_port INTEGER NOT NULL, site_id INTEGER NOT NULL, "
                          "PRIMARY KEY (server, server_port, site_id)) WITHOUT ROWID");
    sqlite3_stmt *q = r == 0 ? store_stmt(s, STMT_SERVERS_ADD) : NULL;
    if (r == 0) {
        bind_number(q, 1, s->servers_known_to);
        r = store_run(s, q);
        s->servers_known_to = i->base.exchange;
    }
    return r;
}

static int ask(struct import *i, enum stmt_id id, int64_t base, int64_t *ret_answer)
{
    sqlite3_stmt *q = store_stmt(i->s, id);
    bind_number(q, 1, base);
    return store_number(i->s, q, 0, ret_answer);
}

/* What weighs on findings at the servers of sites of which nothing came in. */
static int mark_quiet_sites(struct import *i)
{
    const struct {
        enum stmt_id ask;
        enum stmt_id mark;
        int64_t base;
    } reasons[] = {
        {STMT_BARE_SINCE,       STMT_BARE_MARK_SITES, i->base.stream},
        {STMT_LOSS_COUNT_SINCE, STMT_SITE_MARK_LOSS,  i->base.loss  },
    };
    int r = 0;
    for (size_t k = 0; r == 0 && k < HR_ARRAY_LEN(reasons); k++) {
        int64_t any = 0;
        r = ask(i, reasons[k].ask, reasons[k].base, &any);
        r = r == 0 && any != 0 ? import_know_servers(i) : r;
        if (r == 0 && any != 0) {
            sqlite3_stmt *q = store_stmt(i->s, reasons[k].mark);
            bind_number(q, 1, reasons[k].base);
            r = store_run(i->s, q);
        }
    }
    return r;
}

/* New rows ask for an analysis of their site; a new loss weighs on what was found at its server. */
static int mark_sites(struct import *i)
{
    int64_t any = 0;
    if (i->is_fresh) {
        return 0; /* all are new, and new sites are marked */
    }
    sqlite3_stmt *q = store_stmt(i->s, STMT_SITE_MARK_CHANGED);
    bind_number(q, 1, i->base.exchange);
    int r = store_run(i->s, q);
    r = r == 0 ? store_number(i->s, store_stmt(i->s, STMT_SITE_QUIET), 0, &any) : r;
    return r == 0 && any != 0 ? mark_quiet_sites(i) : r;
}

static int keep_number(struct import *i)
{
    sqlite3_stmt *q = store_stmt(i->s, STMT_IMPORT_NUMBER_KEEP);
    bind_number(q, 1, i->number);
    return store_run(i->s, q);
}

/* A scan of all exchanges is quicker than the index where it finds a quarter of them. The next
 * import makes the index. */
static bool has_small_site(const struct import *i)
{
    bool small = i->sites.count > SITES_ALL_BIG;
    for (size_t k = 0; !small && k < i->sites.count; k++) {
        small = i->exchanges_of[k] * SITES_ALL_BIG < i->last_exchange;
    }
    return small;
}

static int store_counts(struct import *i)
{
    int r = 0;
    for (size_t k = 0; r == 0 && k < i->capture_count; k++) {
        sqlite3_stmt *q = store_stmt(i->s, STMT_CAPTURE_COUNT);
        bind_number(q, 1, i->captures[k].id);
        bind_number(q, 2, i->captures[k].exchanges);
        r = store_run(i->s, q);
    }
    return r;
}

int import_finish(struct import *i)
{
    int r = store_counts(i);
    r = r == 0 ? import_build_session_index(i) : r;
    if (r == 0 && i->is_fresh) {
        r = has_small_site(i) ? store_run(i->s, store_stmt(i->s, STMT_EXCHANGE_INDEX_MAKE)) : 0;
        r = r == 0 ? store_run(i->s, store_stmt(i->s, STMT_MARK_INDEX_MAKE)) : r;
    } else if (r == 0) {
        r = import_drop_doubles(i);
    }
    r = r == 0 ? import_join_streams(i) : r;
    r = r == 0 ? import_join_losses(i) : r;
    r = r == 0 ? import_join_refusals(i) : r;
    r = r == 0 ? drop_repeated_captures(i) : r;
    r = r == 0 ? import_name_sessions(i) : r;
    r = r == 0 ? mark_sites(i) : r;
    return r == 0 ? keep_number(i) : r;
}
