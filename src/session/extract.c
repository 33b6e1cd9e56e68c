/*
 * One exchange to facts. All that is secret stays in here: values go out as keyed hashes, targets
 * with their credentials replaced. Two small tables make it fast: what a cookie's name says, and
 * the hashes of values seen lately, for a browser sends the same cookies again and again.
 */
#include "session/extract.h"

#include "base/alloc.h"
#include "base/text.h"
#include "session/owner.h"
#include "session/work.h"

#include <stdlib.h>
#include <string.h>

#define SITE_BYTES 255
#define USER_TEXT_BYTES 512
#define METHOD_BYTES 64
#define HOST_BYTES 512

struct extractor {
    struct extract_config config;
    struct words *words;
    struct signs *signs;
    struct values *values;
    struct hr_arena arena;
    struct hr_buf scratch; /* decoded contents */
    struct hr_buf text;
    struct extract_counters counters;
};

struct extractor *extractor_create(const struct extract_config *config)
{
    struct extractor *e = hr_xcalloc(1, sizeof(*e));
    e->config = *config;
    e->words = words_create();
    e->signs = signs_create();
    hr_arena_init(&e->arena);
    hr_buf_init(&e->scratch, config->content_bytes);
    hr_buf_init(&e->text, SIZE_MAX);
    e->values = values_create(config->key, config->known_token_limit);
    return e;
}

void extractor_destroy(struct extractor *e)
{
    if (e == NULL) {
        return;
    }
    words_destroy(e->words);
    signs_destroy(e->signs);
    hr_arena_finish(&e->arena);
    hr_buf_finish(&e->scratch);
    hr_buf_finish(&e->text);
    values_destroy(e->values);
    free(e);
}

void extractor_counters(const struct extractor *e, hr_counter_fn emit, void *user)
{
    static const struct hr_counter_info info[] = {EXTRACT_COUNTERS(HR_COUNTER_INFO)};
    hr_counters_emit(info, HR_ARRAY_LEN(info), &e->counters, emit, user);
}

uint32_t work_signs(const struct work *w, enum signs_text kind, struct hr_span text)
{
    return signs_find(w->e->signs, kind, text);
}

const struct lists *work_lists(const struct work *w)
{
    return words_lists(w->e->words);
}

struct word work_word(const struct work *w, struct hr_span name)
{
    return words_find(w->e->words, name);
}

struct hr_digest work_digest(struct work *w, struct hr_span value)
{
    return values_find(w->e->values, value)->digest;
}

const struct value *work_value(struct work *w, struct hr_span value)
{
    return values_find(w->e->values, value);
}

bool work_is_known_token(const struct work *w, struct hr_span value)
{
    return values_is_remembered(w->e->values, value);
}

size_t work_longest_token(const struct work *w)
{
    return values_longest(w->e->values);
}

void work_remember_token(struct work *w, const struct value *value)
{
    w->e->counters.tokens_forgotten += values_remember(w->e->values, value);
    w->plain_host = (struct hr_span){NULL, 0};
}

void work_count_dropped_token(struct work *w)
{
    w->e->counters.tokens_dropped++;
}

void work_count_unread(struct work *w)
{
    w->e->counters.parts_unread += !w->is_skimmed;
    w->is_skimmed = true;
}

void work_mark(struct work *w, enum mark_kind kind, int64_t value, struct hr_span text)
{
    struct exchange_facts *f = w->f;
    if (f->mark_count == FACTS_MARK_LIMIT) {
        w->e->counters.marks_dropped++;
        return;
    }
    f->marks[f->mark_count++] = (struct fact_mark){.kind = kind, .value = value, .text = text};
}

const struct hr_key *work_key(const struct work *w)
{
    return w->e->config.key;
}

int64_t work_mark_value(struct work *w, struct hr_span value)
{
    int64_t number = 0;
    struct hr_digest d = hr_digest_keyed(w->e->config.key, value);
    memcpy(&number, d.bytes, sizeof(number));
    return number;
}

struct hr_buf *work_text(struct work *w, size_t limit_bytes)
{
    hr_buf_clear(&w->e->text);
    w->e->text.limit = limit_bytes;
    return &w->e->text;
}

struct word work_cookie_word(struct work *w, struct hr_span name)
{
    if (w->profile != NULL && w->profile->session_count > 0 &&
        profile_has_place(w->profile, PROFILE_COOKIE, name, false)) {
        return (struct word){.bits = WORD_SESSION};
    }
    return words_find(w->e->words, name);
}

/* --- the exchange ----------------------------------------------------------------------------- */

static void set_site(struct work *w, const struct net_endpoint *server)
{
    struct exchange_facts *f = w->f;
    char address[NET_ADDRESS_TEXT_SIZE];
    if (w->url.authority.len > 0) {
        f->site = work_escape(w, hr_span_slice(w->url.authority, 0, SITE_BYTES), SITE_BYTES);
        return;
    }
    net_address_format(&server->address, address);
    bool is_v6 = strchr(address, ':') != NULL;
    f->site =
        hr_span_str(server->port == 80 ? hr_arena_printf(w->arena, is_v6 ? "[%s]" : "%s", address)
                                       : hr_arena_printf(w->arena, is_v6 ? "[%s]:%u" : "%s:%u",
                                                         address, (unsigned)server->port));
}

uint32_t work_path_flags(struct work *w, struct hr_span path)
{
    bool is_get = hr_span_equal(w->x->request.method, HR_SPAN("GET")) ||
                  hr_span_equal(w->x->request.method, HR_SPAN("HEAD"));
    return words_find_path(w->e->words, path, is_get);
}

void work_path_tokens(struct work *w, struct hr_span path, bool is_set)
{
    struct http_param param;
    if (hr_span_find(path, ';') == SIZE_MAX) {
        return;
    }
    for (size_t i = 0; i < 8 && http_path_param_next(&path, &param); i++) {
        bool is_token = (work_word(w, param.name).bits & WORD_TOKEN_PARAMETER) ||
                        (w->profile != NULL &&
                         profile_has_place(w->profile, PROFILE_QUERY, param.name, false));
        if (param.value.len >= 4 && is_token) {
            char *name = hr_arena_strdup(w->arena, param.name);
            for (char *c = name; *c != '\0'; c++) {
                *c = hr_ascii_lower(*c);
            }
            struct hr_span value = http_decode(w->arena, param.value, false);
            if (is_set) {
                work_token_set(w, TOKEN_PATH, hr_span_str(name), value, -1);
            } else {
                work_token_sent(w, TOKEN_PATH, hr_span_str(name), value);
            }
        }
    }
}

/* A profile that says where the session is leaves no place for names, unless it says so. */
static bool takes_user_query(const struct work *w)
{
    return profile_has_place(w->profile, PROFILE_USER_QUERY, w->form_user_name, true);
}

/* /magic/8f0c...: who has it is let in. */
static bool is_login_link(const struct work *w)
{
    const struct lists *l = work_lists(w);
    struct hr_span path = w->path;
    size_t start = path.len;
    while (start > 0 && path.ptr[start - 1] != '/') {
        start--;
    }
    const bool ends_random = text_is_random(hr_span_slice(path, start, path.len));
    if (!hr_span_equal(w->x->request.method, HR_SPAN("GET")) ||
        !(ends_random || w->has_link_value)) {
        return false;
    }
    path = ends_random ? hr_span_slice(path, 0, start) : path;
    return lists_find_path(l, LIST_login_links, path, 0) ||
           lists_find_path(l, LIST_login_pages, path, 0);
}

static void conclude_members(struct work *w)
{
    struct exchange_facts *f = w->f;
    const struct lists *l = work_lists(w);
    if (w->weak_new_password_count > 0 &&
        ((f->flags & (FACT_PASSWORD | FACT_PASSWORD_PATH)) || w->weak_new_password_count > 1)) {
        w->new_password_count += w->weak_new_password_count;
        f->flags |= FACT_PASSWORD;
    }
    if (w->new_password_count > 1 || (w->new_password_count > 0 && w->password_name.len > 0)) {
        f->flags |= FACT_TWO_PASSWORDS;
    }
    if (w->has_code && (w->has_state || lists_find_path_word(l, LIST_auth_words, w->path))) {
        f->flags |= FACT_AUTH_CALLBACK;
    }
    if (w->is_rpc && text_is_random(w->rpc_auth) &&
        profile_has_place(w->profile, PROFILE_JSON, HR_SPAN("auth"), true)) {
        work_token_sent(w, TOKEN_BEARER, HR_SPAN("bearer"), w->rpc_auth);
    }
    if (is_login_link(w)) {
        f->flags |= FACT_AUTH_CALLBACK;
    }
    if (w->has_refresh_token && !(f->flags & FACT_PASSWORD)) {
        f->flags |= FACT_REFRESH_GRANT;
    }
    bool deletes = hr_span_equal_nocase(w->method, HR_SPAN("DELETE"));
    if (deletes && lists_find_path(l, LIST_session_paths, w->path, 1)) {
        f->flags |= FACT_LOGOUT_PATH;
        f->flags &= ~(uint32_t)FACT_LOGIN_PATH;
    }
    if (w->user_rank != 0) {
        f->user = work_shown_user(w, w->user);
    }
    if (w->user_rank == SIZE_MAX && (f->flags & FACT_LOGIN_PATH)) { /* Basic */
        f->flags |= FACT_USER_NAMED | FACT_PASSWORD;
    }
    if (w->form_user_name.len > 0 && (f->flags & (FACT_LOGIN_PATH | FACT_LOGOUT_PATH)) &&
        !(f->flags & FACT_USER_QUERY) && takes_user_query(w)) {
        /* Signed in by a form, known by the same name in queries afterwards. */
        work_token_sent(w, TOKEN_USER_QUERY, w->form_user_name, w->user);
    }
    bool is_static = (f->flags & FACT_STATIC_PATH) != 0;
    w->may_sign_in =
        !is_static &&
        ((f->flags & (FACT_PASSWORD | FACT_LOGIN_PATH | FACT_AUTH_CALLBACK)) ||
         ((f->flags & FACT_FIELDS) && (f->flags & (FACT_USER_NAMED | FACT_AUTH_WORD))) ||
         (w->profile != NULL && profile_action_find(w->profile->login, w->profile->login_count,
                                                    f->method, f->path_template) != NULL));
    w->is_login_like =
        w->may_sign_in || (!is_static && w->profile != NULL && w->profile->login_count > 0);
}

struct hr_span work_shown_user(struct work *w, struct hr_span user)
{
    char text[HR_DIGEST_TEXT_SIZE];
    if (w->e->config.redact_users) {
        struct hr_digest d = work_digest(w, user);
        return hr_arena_copy(w->arena, hr_span_str(hr_digest_format(&d, text)));
    }
    return work_escape(w, user, USER_TEXT_BYTES);
}

/* Fields that were not kept may be those that count: what is not there may be among them. */
static bool has_all_fields(const struct http_message *m)
{
    return (m->anomalies & HTTP_ANOMALY_FIELDS_CUT) == 0;
}

static void read_request(struct work *w)
{
    const struct http_message *m = &w->x->request;
    struct exchange_facts *f = w->f;
    bool is_connect = hr_span_equal(m->method, HR_SPAN("CONNECT"));
    f->method = work_escape(w, m->method, METHOD_BYTES);
    f->version = m->version;
    f->flags |= m->complete ? FACT_REQUEST_WHOLE : 0u;
    f->flags |= has_all_fields(m) ? 0u : FACT_OTHER_CREDENTIAL;
    w->method = m->method;
    http_target_parse(m->target, is_connect, &w->target);
    struct hr_span rest = w->target.path.len > 0 ? w->target.path : HR_SPAN("/");
    f->path_template = rest; /* until the tokens are known */
    w->path = hr_span_cut(&rest, ';');
    f->flags |= work_path_flags(w, w->path);
    if (w->target.query.ptr != NULL) {
        work_query(w);
    }
    work_request_fields(w);
    work_path_tokens(w, w->target.path, false);
    if (m->content.len > 0) {
        work_request_content(w);
    }
    work_action_conclude(w);
    const struct hr_span path = f->path_template;
    f->path_template = work_endpoint(w, path, w->action_text);
    conclude_members(w);
    work_request_hash(w);
    f->path_template = work_endpoint(w, work_template(w, path), w->action_text);
    owner_request(w);
}

static void read_response(struct work *w)
{
    const struct http_message *m = &w->x->response;
    struct http_content_limits limits = {w->e->config.content_bytes, w->e->config.expansion_limit};
    struct hr_span replica = w->f->replica;
    unsigned result = HTTP_CONTENT_WHOLE;
    w->f->status = m->status;
    w->f->flags |= m->complete && has_all_fields(m) ? FACT_RESPONSE_WHOLE : 0u;
    w->f->replica = (struct hr_span){NULL, 0}; /* what the answer says goes before what was asked */
    work_response_fields(w);
    work_duplicate_fields(w);
    if (w->f->replica.ptr == NULL) {
        w->f->replica = replica;
    }
    work_response_content(w, m, &limits, &w->e->scratch, &result);
    w->e->counters.contents_undecoded += result == HTTP_CONTENT_UNDECODABLE;
    w->e->counters.contents_cut += result == HTTP_CONTENT_CUT;
}

/* The profile's word on what a login's success looks like that only the body tells. */
static void apply_condition(struct work *w)
{
    const struct profile_action *a = profile_action_find(w->profile->login, w->profile->login_count,
                                                         w->f->method, w->f->path_template);
    if (a != NULL && a->success.json != NULL) {
        w->f->flags &= ~(uint32_t)FACT_SAYS_FAILURE;
        w->f->flags |= w->json_condition_met ? 0u : FACT_SAYS_FAILURE;
    }
}

static void copy_places(const struct http_exchange *x, struct exchange_facts *f)
{
    f->request_at = x->has_request ? x->request.first.at : HR_NSEC_INFINITE;
    f->request_end_at = x->has_request ? x->request.last.at : HR_NSEC_INFINITE;
    f->response_at = x->has_response ? x->response.first.at : HR_NSEC_INFINITE;
    f->response_end_at = x->has_response ? x->response.last.at : HR_NSEC_INFINITE;
    f->request_frame = x->has_request ? x->request.first.frame : 0;
    f->response_frame = x->has_response ? x->response.first.frame : 0;
    f->request_capture = x->has_request ? x->request.first.capture : x->response.first.capture;
    f->response_capture = x->has_response ? x->response.first.capture : f->request_capture;
    f->request_bytes = x->has_request ? x->request.content_bytes : 0;
    f->response_bytes = x->has_response ? x->response.content_bytes : 0;
    f->state = x->state;
    f->ordinal = x->ordinal;
    f->flags |= (x->request_loss || x->response_loss ? FACT_LOSS : 0u) |
                (x->early_response ? FACT_EARLY_RESPONSE : 0u) |
                (x->pairing == HTTP_PAIRING_RESYNCHRONISED ? FACT_RESYNCHRONISED : 0u);
}

/* Before all other marks, so that it is at hand and never one too many. */
static void mark_anomalies(struct work *w)
{
    unsigned request = w->x->has_request ? w->x->request.anomalies : 0;
    unsigned response = w->x->has_response ? w->x->response.anomalies : 0;
    if (request != 0 || response != 0) {
        work_mark(w, MARK_ANOMALIES, request + (int64_t)response * MARK_ANOMALIES_RESPONSE,
                  (struct hr_span){NULL, 0});
    }
}

uint64_t extractor_undecoded_count(const struct extractor *e)
{
    return e->counters.contents_undecoded;
}

size_t extractor_token_count(const struct extractor *e)
{
    return values_remembered_count(e->values);
}

static bool sets_token(const struct exchange_facts *f)
{
    for (size_t i = 0; i < f->token_count; i++) {
        if (f->tokens[i].flags & TOKEN_SET) {
            return true;
        }
    }
    return false;
}

/* What is shown, when all tokens of the exchange are known. */
static void write_texts(struct work *w, struct hr_span host)
{
    struct exchange_facts *f = w->f;
    const struct http_message *m = &w->x->request;
    if (w->x->has_request) {
        f->target = work_redact(w, m->target, hr_span_equal(m->method, HR_SPAN("CONNECT")));
        if (sets_token(f)) {
            struct hr_span path = w->target.path.len > 0 ? w->target.path : HR_SPAN("/");
            f->path_template = work_endpoint(w, work_template(w, path), w->action_text);
        }
        if (work_is_known_token(w, m->method)) {
            f->method = work_redact(w, m->method, false);
        }
    }
    if (f->location.ptr != NULL) {
        f->location = work_redact(w, f->location, false);
    }
    if (f->location_path.ptr != NULL) {
        f->location_path = work_endpoint(w, work_template(w, f->location_path), w->location_action);
    }
    if (host.ptr != NULL) {
        f->host = work_redact_host(w, host, HOST_BYTES);
    }
    struct hr_span authority = w->target.authority.ptr != NULL ? w->target.authority : host;
    if (work_host_holds_token(w, w->url.authority)) {
        f->site = work_redact_host(w, w->url.authority, SITE_BYTES);
    } else if (w->url.authority.len > 0 && work_host_holds_token(w, authority)) {
        f->site = work_redact_host(w, authority, SITE_BYTES);
    }
}

void extractor_use(struct extractor *e, const struct profile_set *profiles)
{
    e->config.profiles = profiles;
}

void extractor_feed(struct extractor *e, const struct http_exchange *x,
                    const struct net_endpoint *client, const struct net_endpoint *server,
                    struct exchange_facts *ret_facts)
{
    struct work w = {.e = e, .x = x, .f = ret_facts, .arena = &e->arena};
    const struct http_field *host = x->has_request ? http_field_find(&x->request, "host") : NULL;
    memset(ret_facts, 0, offsetof(struct exchange_facts, marks));
    hr_arena_reset(&e->arena);
    hr_buf_clear(&e->scratch);
    if (x->has_request) {
        http_url_of_request(w.arena, x->request.target,
                            host != NULL ? host->value : (struct hr_span){NULL, 0}, &w.url);
    }
    set_site(&w, server);
    w.profile = profile_set_find(e->config.profiles, ret_facts->site);
    mark_anomalies(&w);
    if (x->has_request) {
        read_request(&w);
    }
    if (w.profile != NULL &&
        w.profile->trusted_proxies_count > 0) { /* what fields say is anybody's */
        bool is_proxy = profile_is_proxy(w.profile, &client->address);
        ret_facts->agent = (ret_facts->agent & ~1u) | (is_proxy ? 1u : 0u);
    }
    if (x->has_response) {
        read_response(&w);
    }
    for (size_t i = 0; w.profile != NULL && i < w.profile->session_count; i++) {
        if (w.profile->session[i].where == PROFILE_COOKIES) {
            work_token_join(&w, w.profile->session[i].name);
        }
    }
    work_token_sets(&w);
    write_texts(&w, host != NULL ? host->value : (struct hr_span){NULL, 0});
    if (w.profile != NULL && x->has_response) {
        apply_condition(&w);
    }
    copy_places(x, ret_facts);
}
