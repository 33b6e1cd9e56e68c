/*
 * The rows of an import: connections, exchanges with their tokens and marks, losses.
 */
#include "base/alloc.h"
#include "store/import.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

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
