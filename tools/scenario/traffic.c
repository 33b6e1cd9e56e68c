/*
 * A heap of connections, each with the time of the next thing it does: one step is one frame. What
 * a person does (log in, look around, log out) goes on when a connection closes and the next one
 * opens.
 */
#include "scenario/traffic.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MSS 1460
#define DELAY (200 * HR_NSEC_PER_USEC)
#define START_S INT64_C(1714550400)
#define FILLER_BYTES (1u << 16)
#define SITE_COUNT 3

enum step {
    STEP_SYN,
    STEP_SYN_ACK,
    STEP_ACK,
    STEP_REQUEST,
    STEP_RESPONSE,
    STEP_FIN,
    STEP_FIN_ANSWER,
    STEP_DONE,
};

/* What the next exchange is for. */
enum purpose {
    DO_LOGIN,
    DO_WRONG_LOGIN,
    DO_ACCESS,
    DO_STATIC,
    DO_ANONYMOUS, /* a protected page without a session */
    DO_LOGOUT,
};

struct visitor {
    struct talk talk;
    struct net_address address;
    uint16_t port;
    unsigned site;
    uint64_t number;
    uint64_t token[2]; /* of the session; valid while logged_in */
    bool logged_in;
    unsigned accesses_left;  /* until the logout */
    unsigned exchanges_left; /* on this connection */
    bool stays;              /* never closes it, and says nothing more */
    enum step step;
    hr_nsec next_at;
    enum purpose purpose;
    struct truth *truth;
    uint64_t id;
    /* the message on its way */
    struct hr_buf message;
    size_t sent;
};

struct traffic {
    const struct traffic_config *config;
    struct point *point;
    struct rng rng;
    struct visitor *visitors;
    struct visitor **heap; /* by the time of the next event */
    size_t heap_count;
    uint64_t begun;
    char *filler;
};

static const struct {
    const char *host;
    const char *address;
    const char *login;
    const char *logout;
    const char *cookie;
    const char *accesses[3]; /* with the exchange's number at the end */
    bool is_api;             /* answers 200 and 401 with JSON instead of redirects */
} sites[SITE_COUNT] = {
    {"shop.example",
     "192.0.2.10", "/login",
     "/logout",             "session_id",
     {"/items/%llu", "/orders?page=%llu", "/account?n=%llu"},
     false},
    {"api.example",
     "192.0.2.20", "/api/v1/auth/login",
     "/api/v1/auth/logout", "SID",
     {"/api/v1/orders/%llu", "/api/v1/me?n=%llu", "/api/v1/cart?n=%llu"},
     true },
    {"desk.example",
     "192.0.2.30", "/users/sign_in",
     "/users/sign_out",     "_desk",
     {"/tickets/%llu", "/inbox?after=%llu", "/board?n=%llu"},
     false},
};

void traffic_config_init(struct traffic_config *c)
{
    memset(c, 0, sizeof(*c));
    c->exchanges = 1000;
    c->connections = 20;
    c->size_min_bytes = 500;
    c->size_max_bytes = 1500;
    c->conn_exchanges_min = 20;
    c->conn_exchanges_max = 79;
    c->start = START_S * HR_NSEC_PER_SEC;
    c->seed = 1;
    c->point.frame.link = FRAME_ETHERNET;
    c->point.from = INT64_MIN;
    c->point.until = HR_NSEC_INFINITE;
}

static hr_nsec between(struct rng *r, hr_nsec low, hr_nsec high)
{
    return low + (hr_nsec)rng_below(r, (uint64_t)(high - low));
}

static uint32_t up_to(struct rng *r, uint32_t least, uint32_t most)
{
    return least + (uint32_t)rng_below(r, (uint64_t)most - least + 1);
}

static hr_nsec event_at(const struct visitor *v)
{
    enum talk_side side;
    const hr_nsec due = talk_ack_due(&v->talk, &side);
    return v->step != STEP_DONE && v->next_at < due ? v->next_at : due;
}

/* ---- the heap: smallest time on top; ties in the order of visitors, so that runs are equal ----
 */

static bool before(const struct visitor *a, const struct visitor *b)
{
    const hr_nsec x = event_at(a);
    const hr_nsec y = event_at(b);
    return x != y ? x < y : a->number < b->number;
}

static void sift_down(struct traffic *t, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < t->heap_count; child++) {
            least = before(t->heap[child], t->heap[least]) ? child : least;
        }
        if (least == i) {
            return;
        }
        struct visitor *v = t->heap[i];
        t->heap[i] = t->heap[least];
        t->heap[least] = v;
        i = least;
    }
}

/* ---- what is said ---- */

static void put_request_head(struct visitor *v, const char *method, const char *target)
{
    hr_buf_clear(&v->message);
    hr_buf_appendf(&v->message,
                   "%s %s HTTP/1.1\r\nHost: %s\r\n"
                   "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:%u.0) Gecko/20100101 "
                   "Firefox/%u.0\r\n"
                   "Accept: text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8\r\n"
                   "Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\n"
                   "X-Request-Id: %llu\r\n",
                   method, target, sites[v->site].host, 100 + (unsigned)(v->number % 20),
                   100 + (unsigned)(v->number % 20), (unsigned long long)v->id);
    snprintf(v->truth->method, sizeof(v->truth->method), "%s", method);
    snprintf(v->truth->target, sizeof(v->truth->target), "%s", target);
}

static void put_session(struct visitor *v)
{
    hr_buf_appendf(&v->message, "Cookie: %s=%016llx%016llx; theme=dark\r\n", sites[v->site].cookie,
                   (unsigned long long)v->token[0], (unsigned long long)v->token[1]);
}

static void put_credentials(struct visitor *v)
{
    char body[160];
    const bool wrong = v->purpose == DO_WRONG_LOGIN;
    int len;
    if (sites[v->site].is_api) {
        len = snprintf(body, sizeof(body), "{\"username\":\"user%llu\",\"password\":\"%s%llu\"}",
                       (unsigned long long)v->number, wrong ? "typo" : "pw",
                       (unsigned long long)v->number);
    } else {
        len = snprintf(body, sizeof(body), "username=user%llu&password=%s%llu",
                       (unsigned long long)v->number, wrong ? "typo" : "pw",
                       (unsigned long long)v->number);
    }
    hr_buf_appendf(&v->message, "Content-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
                   sites[v->site].is_api ? "application/json" : "application/x-www-form-urlencoded",
                   len, body);
}

static void make_request(struct traffic *t, struct visitor *v)
{
    const unsigned s = v->site;
    char target[128];
    switch (v->purpose) {
    case DO_LOGIN:
    case DO_WRONG_LOGIN:
        put_request_head(v, "POST", sites[s].login);
        put_credentials(v);
        return;
    case DO_LOGOUT:
        put_request_head(v, "POST", sites[s].logout);
        put_session(v);
        hr_buf_append_str(&v->message, "Content-Length: 0\r\n\r\n");
        return;
    case DO_STATIC:
        snprintf(target, sizeof(target), "/static/app.%llu.js", (unsigned long long)v->id);
        break;
    case DO_ACCESS:
    case DO_ANONYMOUS: {
        char number[24];
        const char *pattern = sites[s].accesses[rng_below(&t->rng, 3)];
        snprintf(number, sizeof(number), "%llu", (unsigned long long)v->id);
        snprintf(target, sizeof(target), "%.*s%s", (int)strcspn(pattern, "%"), pattern, number);
        break;
    }
    }
    put_request_head(v, "GET", target);
    if (v->logged_in) {
        put_session(v);
    }
    hr_buf_append_str(&v->message, "\r\n");
}

static unsigned status_of(const struct visitor *v)
{
    const bool api = sites[v->site].is_api;
    switch (v->purpose) {
    case DO_LOGIN:
    case DO_LOGOUT:
        return api ? 200 : 303;
    case DO_WRONG_LOGIN:
        return 401;
    case DO_ANONYMOUS:
        return api ? 401 : 303;
    case DO_ACCESS:
    case DO_STATIC:
        return 200;
    }
    return 500;
}

static const char *location_of(const struct visitor *v)
{
    if (v->purpose == DO_LOGIN) {
        return "/account";
    }
    return v->purpose == DO_ANONYMOUS ? sites[v->site].login : "/";
}

static const char *type_of(const struct visitor *v)
{
    if (v->purpose == DO_STATIC) {
        return "text/javascript";
    }
    return sites[v->site].is_api ? "application/json" : "text/html; charset=utf-8";
}

/* A body of text that looks like its type from the outside; the rest is filler. */
static void put_body(struct traffic *t, struct visitor *v, size_t size)
{
    static const char json_tail[] = "\"}\n";
    const bool json = sites[v->site].is_api && v->purpose != DO_STATIC;
    char head[96];
    if (json) {
        snprintf(head, sizeof(head), "{\"ok\":%s,\"id\":\"%llu\",\"text\":\"",
                 status_of(v) < 400 ? "true" : "false", (unsigned long long)v->id);
    } else {
        snprintf(head, sizeof(head), "%s %llu -->", v->purpose == DO_STATIC ? "/* <!--" : "<!--",
                 (unsigned long long)v->id);
    }
    const size_t fixed = strlen(head) + (json ? sizeof(json_tail) - 1 : 0);
    size_t fill = size > fixed ? size - fixed : 0;
    hr_buf_appendf(&v->message, "Content-Length: %zu\r\n\r\n%s", fixed + fill, head);
    v->truth->response_bytes = fixed + fill;
    while (fill > 0) {
        const size_t part = fill < FILLER_BYTES / 2 ? fill : FILLER_BYTES / 2;
        hr_buf_append(&v->message,
                      hr_span_of(t->filler + rng_below(&t->rng, FILLER_BYTES / 2), part));
        fill -= part;
    }
    if (json) {
        hr_buf_append_str(&v->message, json_tail);
    }
}

static void put_cookies(struct traffic *t, struct visitor *v)
{
    if (v->purpose == DO_LOGIN) {
        v->token[0] = rng_next(&t->rng);
        v->token[1] = rng_next(&t->rng);
        v->logged_in = true;
        v->accesses_left = 3 + (unsigned)rng_below(&t->rng, 30);
        hr_buf_appendf(&v->message,
                       "Set-Cookie: %s=%016llx%016llx; Path=/; HttpOnly; SameSite=Lax\r\n",
                       sites[v->site].cookie, (unsigned long long)v->token[0],
                       (unsigned long long)v->token[1]);
    } else if (v->purpose == DO_LOGOUT) {
        v->logged_in = false;
        hr_buf_appendf(&v->message, "Set-Cookie: %s=; Path=/; Max-Age=0\r\n",
                       sites[v->site].cookie);
    }
}

static void make_response(struct traffic *t, struct visitor *v)
{
    const unsigned status = status_of(v);
    const struct traffic_config *c = t->config;
    hr_buf_clear(&v->message);
    hr_buf_appendf(
        &v->message,
        "HTTP/1.1 %u %s\r\nServer: example/1.0\r\nX-Echo: %llu\r\nCache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\n",
        status,
        status == 200   ? "OK"
        : status == 303 ? "See Other"
                        : "Unauthorized",
        (unsigned long long)v->id);
    put_cookies(t, v);
    v->truth->status = status;
    if (status == 303) {
        hr_buf_appendf(&v->message, "Location: %s\r\nContent-Length: 0\r\n\r\n", location_of(v));
        return;
    }
    hr_buf_appendf(&v->message, "Content-Type: %s\r\n", type_of(v));
    put_body(t, v, up_to(&t->rng, c->size_min_bytes, c->size_max_bytes));
}

/* ---- what is done ---- */

static enum purpose choose(struct traffic *t, const struct visitor *v)
{
    const uint64_t dice = rng_below(&t->rng, 100);
    if (dice < 5) {
        return DO_STATIC;
    }
    if (!v->logged_in) {
        return dice < 15 ? DO_WRONG_LOGIN : dice < 35 ? DO_ANONYMOUS : DO_LOGIN;
    }
    return v->accesses_left == 0 ? DO_LOGOUT : DO_ACCESS;
}

static void emit(const struct talk_frame *f, void *user)
{
    point_frame(user, f);
}

static void open_connection(struct traffic *t, struct visitor *v)
{
    struct talk_config config = {
        .client = {v->address, v->port},
        .mss = MSS,
        .delay = DELAY,
        .wrap = v->number % 16 == 3, /* some wrap */
        .emit = emit,
        .user = t->point,
    };
    frame_address_parse(sites[v->site].address, &config.server.address);
    config.server.port = 80;
    point_forget(t->point, &v->talk);
    talk_init(&v->talk, &config, rng_next(&t->rng));
    v->exchanges_left =
        up_to(&t->rng, t->config->conn_exchanges_min, t->config->conn_exchanges_max);
    v->step = STEP_SYN;
}

static void begin_exchange(struct traffic *t, struct visitor *v)
{
    v->id = ++t->begun;
    v->purpose = choose(t, v);
    v->accesses_left -= v->purpose == DO_ACCESS;
    v->truth = truth_begin();
    v->truth->client = v->talk.half[TALK_CLIENT].end;
    v->truth->server = v->talk.half[TALK_SERVER].end;
    make_request(t, v);
    v->truth->seen[TRUTH_REQUEST].sent_bytes = v->message.len;
    v->sent = 0;
}

/* One segment of the message on its way. @return true once all is sent */
static bool send_piece(struct visitor *v, enum talk_side side, hr_nsec at)
{
    const struct hr_span piece = hr_span_slice(hr_buf_span(&v->message), v->sent, v->sent + MSS);
    const struct talk_note note = {
        .truth = v->truth,
        .part = side == TALK_CLIENT ? TRUTH_REQUEST : TRUTH_RESPONSE,
        .offset = v->sent,
    };
    talk_data(&v->talk, side, at, piece, note);
    v->sent += piece.len;
    return v->sent == v->message.len;
}

static void step_closed(struct traffic *t, struct visitor *v, hr_nsec at)
{
    v->step = STEP_DONE;
    if (t->begun < t->config->exchanges) {
        v->port = v->port == 65000 ? 20000 : (uint16_t)(v->port + 1);
        v->next_at = at + between(&t->rng, 50 * HR_NSEC_PER_MSEC, HR_NSEC_PER_SEC);
        open_connection(t, v);
    }
}

static void step_request(struct traffic *t, struct visitor *v, hr_nsec at)
{
    if (v->truth == NULL) {
        if (v->exchanges_left == 0 || t->begun == t->config->exchanges) {
            v->step = v->stays ? STEP_DONE : STEP_FIN;
            return;
        }
        begin_exchange(t, v);
    }
    v->next_at = at + 4 * HR_NSEC_PER_USEC;
    if (send_piece(v, TALK_CLIENT, at)) {
        v->next_at = at + between(&t->rng, 300 * HR_NSEC_PER_USEC, 12 * HR_NSEC_PER_MSEC);
        v->step = STEP_RESPONSE;
        make_response(t, v);
        v->truth->seen[TRUTH_RESPONSE].sent_bytes = v->message.len;
        v->sent = 0;
    }
}

static void step_response(struct traffic *t, struct visitor *v, hr_nsec at)
{
    v->next_at = at + 4 * HR_NSEC_PER_USEC;
    if (send_piece(v, TALK_SERVER, at)) {
        v->next_at = at + between(&t->rng, 20 * HR_NSEC_PER_MSEC, 2 * HR_NSEC_PER_SEC);
        v->step = STEP_REQUEST;
        v->exchanges_left--;
        point_truth_end(t->point, v->truth);
        v->truth = NULL;
    }
}

static void step(struct traffic *t, struct visitor *v)
{
    const hr_nsec at = v->next_at;
    switch (v->step) {
    case STEP_SYN:
        talk_syn(&v->talk, at);
        v->step = STEP_SYN_ACK;
        v->next_at = at + 15 * HR_NSEC_PER_USEC;
        break;
    case STEP_SYN_ACK:
        talk_syn_ack(&v->talk, at);
        v->step = STEP_ACK;
        v->next_at = at + DELAY;
        break;
    case STEP_ACK:
        talk_ack(&v->talk, TALK_CLIENT, at);
        v->step = STEP_REQUEST;
        v->next_at = at + 40 * HR_NSEC_PER_USEC;
        break;
    case STEP_REQUEST:
        step_request(t, v, at);
        break;
    case STEP_RESPONSE:
        step_response(t, v, at);
        break;
    case STEP_FIN:
        talk_fin(&v->talk, TALK_CLIENT, at);
        v->step = STEP_FIN_ANSWER;
        v->next_at = at + 30 * HR_NSEC_PER_USEC;
        break;
    case STEP_FIN_ANSWER:
        talk_fin(&v->talk, TALK_SERVER, at);
        v->step = STEP_DONE;
        v->next_at = at + 5 * HR_NSEC_PER_MSEC;
        break;
    case STEP_DONE:
        break;
    }
}

/* A connection is done with its last acknowledgement; then the visitor opens another or leaves. */
static void next_event(struct traffic *t, struct visitor *v)
{
    enum talk_side side;
    const hr_nsec due = talk_ack_due(&v->talk, &side);
    if (v->step != STEP_DONE && v->next_at < due) {
        step(t, v);
    } else if (due != HR_NSEC_INFINITE) {
        talk_ack(&v->talk, side, due);
        if (v->step == STEP_DONE && talk_ack_due(&v->talk, &side) == HR_NSEC_INFINITE) {
            step_closed(t, v, due > v->next_at ? due : v->next_at);
        }
    }
}

static void make_filler(struct traffic *t)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz     etaoin";
    t->filler = hr_xmalloc(FILLER_BYTES);
    for (size_t i = 0; i < FILLER_BYTES; i++) {
        t->filler[i] = letters[rng_below(&t->rng, sizeof(letters) - 1)];
    }
}

static void make_visitors(struct traffic *t)
{
    const struct traffic_config *c = t->config;
    const uint32_t count = c->connections;
    t->visitors = hr_xcalloc(count, sizeof(t->visitors[0]));
    t->heap = hr_xcalloc(count, sizeof(t->heap[0]));
    for (uint32_t i = 0; i < count; i++) {
        struct visitor *v = &t->visitors[i];
        char address[NET_ADDRESS_TEXT_SIZE];
        snprintf(address, sizeof(address), "10.%u.%u.%u", 1 + i / 62500, i / 250 % 250,
                 1 + i % 250);
        frame_address_parse(address, &v->address);
        v->number = i;
        v->site = i % SITE_COUNT;
        v->stays = c->unclosed > 0 && rng_chance(&t->rng, c->unclosed);
        v->port = (uint16_t)(20000 + rng_below(&t->rng, 40000));
        v->next_at = t->config->start + between(&t->rng, 0, 2 * HR_NSEC_PER_SEC);
        hr_buf_init(&v->message, SIZE_MAX);
        open_connection(t, v);
        t->heap[i] = v;
    }
    t->heap_count = count;
    for (size_t i = count; i-- > 0;) {
        sift_down(t, i);
    }
}

int traffic_write(const struct traffic_config *c, const char *path, FILE *truth,
                  struct point_counts *ret_counts)
{
    struct traffic t = {.config = c, .rng = {c->seed}};
    struct point_config point = c->point;
    int r;
    point.seed = c->seed;
    r = point_open(path, &point, truth, &t.point);
    if (r < 0) {
        return r;
    }
    make_filler(&t);
    make_visitors(&t);
    while (t.heap_count > 0) {
        struct visitor *v = t.heap[0];
        if (event_at(v) == HR_NSEC_INFINITE) {
            t.heap[0] = t.heap[--t.heap_count];
        } else {
            next_event(&t, v);
        }
        sift_down(&t, 0);
    }
    r = point_close(t.point, ret_counts);
    for (uint32_t i = 0; i < c->connections; i++) {
        hr_buf_finish(&t.visitors[i].message);
    }
    free(t.visitors);
    free(t.heap);
    free(t.filler);
    return r;
}
