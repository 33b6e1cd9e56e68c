#include "world.h"

#include "store/db.h"
#include "support/test.h"

#include <ftw.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLIENTS 256

hr_nsec world_time(int ms)
{
    return ms < 0 ? HR_NSEC_INFINITE
                  : INT64_C(1700000000) * HR_NSEC_PER_SEC + ms * HR_NSEC_PER_MSEC;
}

static struct net_endpoint endpoint(unsigned host, unsigned port)
{
    struct net_endpoint e = {.port = (uint16_t)port};
    e.address.bytes[10] = e.address.bytes[11] = 0xff;
    e.address.bytes[12] = 10;
    e.address.bytes[15] = (uint8_t)host;
    return e;
}

static struct tcp_conn conn_of(unsigned client, size_t capture)
{
    return (struct tcp_conn){
        .orig = endpoint(client, 40000 + client),
        .resp = endpoint(200, 80),
        .capture = capture,
        .stream = client,
        .first_frame = client + 1,
        .first_at = HR_NSEC_INFINITE,
        .last_at = INT64_MIN,
        .syn_seen = true,
        .fin_at = {HR_NSEC_INFINITE, HR_NSEC_INFINITE},
        .rst_at = {HR_NSEC_INFINITE, HR_NSEC_INFINITE},
    };
}

static void add_token(struct store *s, const struct world_exchange *x, struct exchange_facts *f)
{
    if (x->sent == NULL && x->set == NULL) {
        return;
    }
    struct token_use *t = &f->tokens[f->token_count++];
    *t = (struct token_use){.carrier = TOKEN_COOKIE, .name = HR_SPAN("sid"), .lifetime_s = -1};
    if (x->sent != NULL) {
        t->flags |= TOKEN_SENT;
        t->sent = hr_digest_keyed(store_key(s), hr_span_str(x->sent));
    }
    if (x->set != NULL) {
        t->flags |= TOKEN_SET | TOKEN_HTTP_ONLY;
        t->set = hr_digest_keyed(store_key(s), hr_span_str(x->set));
        t->lifetime_s = 3600;
    }
}

static struct exchange_facts facts_of(struct store *s, const struct world_exchange *x,
                                      size_t capture, unsigned ordinal)
{
    bool has_request = x->request_ms >= 0;
    bool has_response = x->response_ms >= 0;
    bool is_login = strcmp(x->target, "/login") == 0;
    struct exchange_facts f = {
        .site = hr_span_str(x->site != NULL ? x->site : "shop.example"),
        .host = has_request ? HR_SPAN("shop.example") : (struct hr_span){0},
        .method = !has_request ? (struct hr_span){0}
                  : is_login   ? HR_SPAN("POST")
                               : HR_SPAN("GET"),
        .target = has_request ? hr_span_str(x->target) : (struct hr_span){0},
        .path_template = has_request ? hr_span_str(x->target) : (struct hr_span){0},
        .user = hr_span_str(x->user),
        .status = has_response ? 200 : 0,
        .version = 11,
        .flags = FACT_RESP_HTML | (x->state == HTTP_GAP ? FACT_LOSS : 0),
        .shape = UINT64_MAX - 5,
        .agent = has_request ? 2 * ((uint32_t)x->request_ms % 3) + 1 : 0,
        .request_hash = is_login ? UINT64_MAX - 7 : 0,
        .request_at = world_time(x->request_ms),
        .request_end_at = world_time(x->request_ms),
        .response_at = world_time(x->response_ms),
        .response_end_at = world_time(x->response_ms),
        .request_frame = has_request ? (uint64_t)x->request_ms + 1 : 0,
        .response_frame = has_response ? (uint64_t)x->response_ms + 1 : 0,
        .request_capture = capture,
        .response_capture = capture,
        .response_bytes = x->bytes,
        .state = x->state,
        .ordinal = ordinal,
    };
    add_token(s, x, &f);
    if (x->user != NULL) { /* what logs in has a number and a text */
        f.marks[f.mark_count++] = (struct fact_mark){MARK_REQUEST_ID_SENT, x->request_ms + 1, {0}};
        f.marks[f.mark_count++] = (struct fact_mark){MARK_REQUEST_ID_ANSWERED, 0, f.user};
    }
    return f;
}

static void stretch(struct tcp_conn *c, int ms)
{
    if (ms >= 0) {
        c->first_at = world_time(ms) < c->first_at ? world_time(ms) : c->first_at;
        c->last_at = world_time(ms) > c->last_at ? world_time(ms) : c->last_at;
    }
}

static int feed_exchanges(struct store *s, struct import *i, const struct world_capture *capture,
                          size_t index, struct tcp_conn *conns, int64_t *streams)
{
    unsigned ordinals[CLIENTS] = {0};
    int r = 0;
    for (size_t k = 0; r == 0 && k < capture->count; k++) {
        const struct world_exchange *x = &capture->exchanges[k];
        if (streams[x->client] == 0) {
            streams[x->client] = import_new_stream(i, &conns[x->client]);
            r = import_put_stream(i, streams[x->client], &conns[x->client], TCP_END_NONE, true);
        }
        struct exchange_facts f = facts_of(s, x, index, ordinals[x->client]++);
        f.stream_id = streams[x->client];
        if (!conns[x->client].syn_seen && f.ordinal == 0) {
            f.flags |= FACT_RESYNCHRONISED; /* whose answer it is had to be guessed */
        }
        r = r == 0 ? import_add_exchange(i, &f) : r;
    }
    return r;
}

static int feed_losses(struct import *i, const struct world_capture *capture, size_t index,
                       struct tcp_conn *conns, int64_t *streams)
{
    int r = 0;
    for (size_t k = 0; r == 0 && k < capture->loss_count; k++) {
        const struct world_loss *l = &capture->losses[k];
        if (streams[l->client] == 0) {
            streams[l->client] = import_new_stream(i, &conns[l->client]);
            r = import_put_stream(i, streams[l->client], &conns[l->client], TCP_END_NONE, true);
        }
        struct loss_row row = {
            .kind = l->kind,
            .capture_id = (int64_t)index,
            .stream_id = streams[l->client],
            .from_at = world_time(l->from_ms),
            .to_at = world_time(l->to_ms),
            .server = endpoint(200, 80),
            .bytes = 100,
            .count = 1,
            .hides_exchanges = true,
        };
        r = r == 0 ? import_add_loss(i, &row) : r;
    }
    if (r == 0 && capture->dropped > 0) {
        struct loss_row row = {.kind = LOSS_DROPPED,
                               .capture_id = (int64_t)index,
                               .from_at = world_time(0),
                               .to_at = world_time(1000),
                               .count = (uint64_t)capture->dropped,
                               .hides_exchanges = true};
        r = import_add_loss(i, &row);
    }
    return r;
}

static struct capture_info info_of(const struct world_capture *capture,
                                   const struct tcp_conn *conns)
{
    struct capture_info info = {
        .path = capture->path,
        .size_bytes = capture->count * 100,
        .frames = capture->frames != 0 ? capture->frames : capture->count * 2,
        .frame_bytes = capture->count * 90,
        .first_at = HR_NSEC_INFINITE,
        .last_at = INT64_MIN,
        .largest_step_back = capture->clock_doubt,
        .link_type = 1,
        .link_name = "EN10MB",
        .error = capture->error,
        .error_text = "cut in the middle of a record",
    };
    for (size_t c = 0; c < CLIENTS; c++) {
        info.first_at = conns[c].first_at < info.first_at ? conns[c].first_at : info.first_at;
        info.last_at = conns[c].last_at > info.last_at ? conns[c].last_at : info.last_at;
    }
    if (info.first_at == HR_NSEC_INFINITE) {
        info.first_at = info.last_at = world_time(0);
    }
    return info;
}

static int feed_capture(struct store *s, struct import *i, const struct world_capture *capture,
                        size_t index)
{
    struct tcp_conn *conns = hr_xcalloc(CLIENTS, sizeof(*conns));
    int64_t streams[CLIENTS] = {0};
    for (unsigned c = 0; c < CLIENTS; c++) {
        conns[c] = conn_of(c, index);
        for (int d = 0; d < 2; d++) {
            conns[c].has_numbers[d] = capture->begin_seq != 0;
            conns[c].first_seq[d] = capture->begin_seq;
            conns[c].next_seq[d] = capture->end_seq;
        }
    }
    for (size_t k = 0; k < capture->count; k++) {
        stretch(&conns[capture->exchanges[k].client], capture->exchanges[k].request_ms);
        stretch(&conns[capture->exchanges[k].client], capture->exchanges[k].response_ms);
    }
    for (size_t k = 0; k < capture->loss_count; k++) {
        struct tcp_conn *c = &conns[capture->losses[k].client];
        c->syn_seen = c->syn_seen && capture->losses[k].kind != LOSS_MIDSTREAM;
        c->gap_bytes[0] += capture->losses[k].kind == LOSS_GAP ? 100 : 0;
        stretch(c, capture->losses[k].from_ms);
        stretch(c, capture->losses[k].to_ms);
    }
    int r = feed_exchanges(s, i, capture, index, conns, streams);
    r = r == 0 ? feed_losses(i, capture, index, conns, streams) : r;
    for (unsigned c = 0; r == 0 && c < CLIENTS; c++) {
        const enum tcp_end end = capture->end_seq != 0 ? TCP_END_NONE : TCP_END_FIN;
        r = streams[c] != 0 ? import_end_stream(i, streams[c], &conns[c], end, true) : 0;
    }
    struct capture_info info = info_of(capture, conns);
    free(conns);
    return r == 0 ? import_end_capture(i, index, &info, info.largest_step_back) : r;
}

int world_feed(struct store *s, struct import *i, const struct world_capture *captures,
               size_t count)
{
    int r = 0;
    for (size_t k = 0; r == 0 && k < count; k++) {
        r = import_add_capture(i, k, captures[k].path);
    }
    for (size_t k = 0; r == 0 && k < count; k++) {
        r = feed_capture(s, i, &captures[k], k);
    }
    return r;
}

int world_import(struct store *s, const struct world_capture *captures, size_t count)
{
    struct import *i = NULL;
    bool own = sqlite3_get_autocommit(s->db) != 0;
    int r = own ? store_begin(s) : 0;
    r = r == 0 ? import_begin(s, &i) : r;
    r = r == 0 ? world_feed(s, i, captures, count) : r;
    r = r == 0 ? import_finish(i) : r;
    import_destroy(i);
    return r == 0 && own ? store_commit(s) : r;
}

/* --- analysis --------------------------------------------------------------------------------- */

static int classify(const struct exchange_facts *f, void *user)
{
    const struct token_use *t = f->token_count > 0 ? &f->tokens[0] : NULL;
    bool is_login = hr_span_equal(f->path_template, HR_SPAN("/login"));
    bool is_logout = hr_span_equal(f->path_template, HR_SPAN("/logout"));
    struct classified c = {
        .role = is_login    ? ROLE_LOGIN
                : is_logout ? ROLE_LOGOUT
                            : ROLE_ACCESS,
        .outcome = f->status == 0 ? OUTCOME_NONE
                   : is_login     ? OUTCOME_SUCCESS
                                  : OUTCOME_GRANTED,
        .had_token = t != NULL && (t->flags & TOKEN_SENT),
    };
    if (t != NULL) {
        c.session_id = t->flags & TOKEN_SET ? t->set_id : t->sent_id;
        c.operations[c.operation_count++] = (struct session_operation){
            .kind = is_login    ? OPERATION_LOGIN
                    : is_logout ? OPERATION_LOGOUT
                                : OPERATION_GRANT,
            .session_id = c.session_id,
            .start = f->request_at,
            .end = f->response_at,
            .issues = t->flags & TOKEN_SET,
            .understood = true,
        };
        if ((t->flags & TOKEN_SENT) && (t->flags & TOKEN_SET) && t->sent_id != t->set_id) {
            c.operations[c.operation_count++] = (struct session_operation){
                .kind = OPERATION_REPLACED,
                .session_id = t->sent_id,
                .start = f->request_at,
                .end = f->response_at,
                .understood = true,
            };
        }
    }
    if (is_login) {
        c.user = f->user;
    }
    return analysis_add_classified(user, f, &c);
}

static int set_endpoint(int64_t endpoint_id, const char *method, const char *path_template,
                        void *user)
{
    (void)method;
    (void)path_template;
    return analysis_set_endpoint(user, endpoint_id, &(struct endpoint_evidence){.granted_live = 3},
                                 PROTECTION_PROTECTED);
}

int world_analyse(struct store *s)
{
    int64_t *sites = NULL;
    size_t count = 0;
    int r = store_begin(s);
    r = r == 0 ? analysis_changed_sites(s, &sites, &count) : r;
    for (size_t k = 0; r == 0 && k < count; k++) {
        r = analysis_begin_site(s, sites[k], true);
        r = r == 0 ? analysis_add_decision(s, sites[k],
                                           &(struct model_decision){.what = "session",
                                                                    .value = "cookie sid",
                                                                    .reason = "set by logins"})
                   : r;
        r = r == 0 ? read_site_exchanges(s, sites[k], classify, s) : r;
        r = r == 0 ? read_site_endpoints(s, sites[k], set_endpoint, s) : r;
        r = r == 0 ? analysis_end_site(s, sites[k]) : r;
    }
    free(sites);
    return r == 0 ? store_commit(s) : r;
}

/* --- content as text -------------------------------------------------------------------------- */

static const struct {
    const char *table;
    const char *sql;
} dumps[] = {
    {"captures",        "SELECT path, is_pcapng, packing, size_bytes, frames, first_at, last_at, error, "
                 "error_text, clock_doubt FROM captures ORDER BY path, frames"             },
    {"sites",           "SELECT name, is_changed, is_analysed FROM sites ORDER BY name"                    },
    {"endpoints",
     "SELECT s.name, method, path, protection, granted_live FROM endpoints e JOIN sites "
     "s ON s.id = e.site_id ORDER BY 1, 2, 3"                                                              },
    {"exchanges",
     "SELECT s.name, e.path, t.client, t.client_port, t.server, x.method, x.target, x.host, "
     "x.host_is_site, x.version, x.status, x.request_at, x.request_end_at, x.response_at, "
     "x.response_end_at, x.request_bytes, x.response_bytes, x.state, x.flags, x.shape, u.name, "
     "x.agent, x.request_hash, t.client_network "
     "FROM exchanges x JOIN sites s ON s.id = x.site_id LEFT JOIN endpoints e ON e.id = "
     "x.endpoint_id JOIN streams t ON t.id = x.stream_id LEFT JOIN users u ON u.id = x.user_id "
     "ORDER BY t.client, coalesce(x.request_at, x.response_at), x.response_at, x.target, x.id"             },
    {"tokens",
     "SELECT c.name, c.kind, c.is_session, hex(a.hash), hex(b.hash), k.flags, k.lifetime_s, "
     "x.request_at, t.client FROM token_uses k JOIN carriers c ON c.id = k.carrier_id "
     "LEFT JOIN sessions a ON a.id = k.sent_id LEFT JOIN sessions b ON b.id = k.set_id "
     "JOIN exchanges x ON x.id = k.exchange_id JOIN streams t ON t.id = x.stream_id "
     "ORDER BY t.client, x.request_at, x.target, c.name"                                                   },
    {"marks",
     "SELECT t.client, x.request_at, m.kind, m.value, m.text FROM marks m JOIN exchanges x ON "
     "x.id = m.exchange_id JOIN streams t ON t.id = x.stream_id ORDER BY 1, 2, m.id"                       },
    {"sessions",
     "SELECT c.name, hex(s.hash), s.name, s.is_jwt, u.name, s.user_since, s.order_state "
     "FROM sessions s JOIN carriers c ON c.id = s.carrier_id LEFT JOIN users u ON u.id "
     "= s.user_id ORDER BY 1, 2"                                                                           },
    {"users",           "SELECT s.name, u.name FROM users u JOIN sites s ON s.id = u.site_id ORDER BY 1, 2"},
    {"operations",
     "SELECT x.request_at, x.response_at, t.client, o.id & 7, o.role, o.outcome, s.name, u.name, "
     "o.had_token, o.kind, o.start_at, o.end_at, o.issues FROM operations o JOIN exchanges x ON "
     "x.id = o.exchange_id JOIN streams t ON t.id = x.stream_id LEFT JOIN sessions s ON s.id = "
     "o.session_id LEFT JOIN users u ON u.id = o.user_id "
     "ORDER BY t.client, 1, 2, x.target, 4"                                                                },
    {"decisions",       "SELECT s.name, what, value, reason FROM decisions d JOIN sites s ON s.id = "
                  "d.site_id ORDER BY 1, 2, 3"                                            },
    {"endpoint_status", "SELECT e.path, n.quarter, n.status, n.exchanges FROM endpoint_status n "
                        "JOIN endpoints e ON e.id = n.endpoint_id ORDER BY 1, 2, 3" },
    {"endpoint_often",  "SELECT e.path, n.quarter, n.sessions FROM endpoint_often n "
                       "JOIN endpoints e ON e.id = n.endpoint_id ORDER BY 1, 2, 3"   },
    {"login_counts",
     "SELECT quarter, outcome, has_token, logins FROM login_counts ORDER BY 1, 2, 3"                       },
    {"loss",
     "SELECT l.kind, t.client, l.from_at, l.to_at, l.server, l.server_port, l.bytes, l.count, "
     "l.hides_exchanges FROM loss l LEFT JOIN streams t ON t.id = l.stream_id "
     "ORDER BY 1, 2, 3, 4"                                                                                 },
    {"findings",        "SELECT rule, severity, verdict, at, summary, fingerprint, first_import, "
                 "withdrawn_at FROM findings ORDER BY fingerprint"                         },
};

char *world_dump(struct store *s)
{
    struct hr_buf out;
    hr_buf_init(&out, SIZE_MAX);
    for (size_t k = 0; k < HR_ARRAY_LEN(dumps); k++) {
        sqlite3_stmt *q = NULL;
        hr_buf_appendf(&out, "== %s\n", dumps[k].table);
        int code = sqlite3_prepare_v2(s->db, dumps[k].sql, -1, &q, NULL);
        if (code != SQLITE_OK) {
            fail_msg("%s: %s", dumps[k].table, sqlite3_errmsg(s->db));
        }
        while (sqlite3_step(q) == SQLITE_ROW) {
            for (int c = 0; c < sqlite3_column_count(q); c++) {
                const char *text = column_text(q, c);
                hr_buf_appendf(&out, "%s|", text != NULL ? text : "-");
            }
            hr_buf_append_char(&out, '\n');
        }
        sqlite3_finalize(q);
    }
    return out.ptr;
}

char *world_path(const char *name)
{
    const char *base = getenv("TMPDIR");
    struct hr_buf path;
    hr_buf_init(&path, SIZE_MAX);
    hr_buf_appendf(&path, "%s/headrace-store-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(path.ptr));
    hr_buf_appendf(&path, "/%s", name);
    return path.ptr;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

void world_remove(char *take_path)
{
    nftw(dirname(take_path), remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(take_path);
}

struct store *world_open(const char *path)
{
    struct store *s = NULL;
    int r = store_open(&(struct store_config){.path = path, .mode = STORE_WRITE}, &s);
    if (r < 0) {
        fail_msg("%d: %s", r, store_error(s));
    }
    return s;
}
