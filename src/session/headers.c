/*
 * What the field sections say: cookies, Authorization, token fields; replicas, caches, conditions.
 */
#include "base/alloc.h"
#include "base/text.h"
#include "session/work.h"

#include <string.h>

#define COOKIE_LIMIT 100
#define REPLICA_BYTES ((size_t)64)
#define BASIC_BYTES 256

static unsigned cookie_weight(struct work *w, uint32_t classes, struct hr_span value)
{
    return ((classes & WORD_SESSION) ? 4u : 0u) + ((classes & WORD_REMEMBER) ? 3u : 0u) +
           (work_value(w, value)->is_random ? 2u : 0u) + 1;
}

static void note_replica(struct work *w, struct hr_span value)
{
    char text[HR_DIGEST_TEXT_SIZE];
    if (value.len == 0) {
        return;
    }
    w->f->flags |= FACT_AFFINITY;
    if (w->f->replica.ptr != NULL) {
        return; /* the first one is enough to tell two apart */
    }
    if (value.len > REPLICA_BYTES || work_value(w, value)->is_random) {
        struct hr_digest d = work_digest(w, value);
        w->f->replica = hr_arena_copy(w->arena, hr_span_str(hr_digest_format(&d, text)));
    } else {
        w->f->replica = work_escape(w, value, REPLICA_BYTES * 4);
    }
}

/* A cookie that a script sets is the token that an answer held, unless a profile calls it by name.
 */
static bool is_script_cookie(const struct work *w, struct hr_span name, uint32_t classes)
{
    return (classes & WORD_SCRIPT) && !profile_has_place(w->profile, PROFILE_COOKIE, name, false);
}

static void read_cookies(struct work *w, struct hr_span rest)
{
    struct http_cookie c;
    for (size_t i = 0; http_cookie_next(&rest, &c); i++) {
        if (i == COOKIE_LIMIT) {
            work_count_unread(w);
            w->f->flags |= FACT_OTHER_CREDENTIAL; /* perhaps */
            break;
        }
        if (c.name.len == 0 || c.value.len == 0) {
            continue;
        }
        uint32_t classes = work_cookie_word(w, c.name).bits;
        if (is_script_cookie(w, c.name, classes)) {
            work_token_sent(w, TOKEN_BEARER, HR_SPAN("bearer"),
                            http_decode(w->arena, c.value, false));
        } else if (!(classes & WORD_NOT_A_SESSION)) {
            struct token_use *t =
                work_token(w, TOKEN_COOKIE, c.name, cookie_weight(w, classes, c.value));
            if (t != NULL && !(t->flags & TOKEN_SENT)) { /* the first of a name is the server's */
                work_token_sent(w, TOKEN_COOKIE, c.name, c.value);
            }
        }
        if (classes & WORD_AFFINITY) {
            note_replica(w, c.value);
        }
    }
}

static void read_basic(struct work *w, struct hr_span coded)
{
    unsigned char plain[BASIC_BYTES];
    struct hr_span rest = hr_span_of(plain, text_base64(coded, plain, sizeof(plain)));
    size_t colon = hr_span_find(rest, ':');
    if (colon != SIZE_MAX && colon > 0 && w->user_rank == 0) {
        w->user = hr_arena_copy(w->arena, hr_span_slice(rest, 0, colon));
        w->user_rank = SIZE_MAX;
    }
    hr_wipe(plain, sizeof(plain));
}

/* @return the token of "Bearer abc", "Token abc", "JWT abc"; ptr NULL where there is none */
static struct hr_span bearer_of(struct hr_span value)
{
    struct hr_span token = value;
    struct hr_span scheme = hr_span_cut(&token, ' ');
    if (token.ptr == NULL || !(hr_span_equal_nocase(scheme, HR_SPAN("bearer")) ||
                               hr_span_equal_nocase(scheme, HR_SPAN("dpop")) ||
                               hr_span_equal_nocase(scheme, HR_SPAN("token")) ||
                               hr_span_equal_nocase(scheme, HR_SPAN("jwt")))) {
        return (struct hr_span){NULL, 0};
    }
    return hr_span_trim(token);
}

static void read_authorization(struct work *w, struct hr_span value)
{
    struct hr_span token = bearer_of(value);
    if (token.len > 0 && profile_has_place(w->profile, PROFILE_BEARER, (struct hr_span){NULL, 0},
                                           profile_has_place(w->profile, PROFILE_HEADER,
                                                             HR_SPAN("Authorization"), true))) {
        work_token_sent(w, TOKEN_BEARER, HR_SPAN("bearer"), token);
        return;
    }
    w->f->flags |= hr_span_trim(value).len > 0 ? FACT_OTHER_CREDENTIAL : 0u;
    if (hr_span_has_prefix_nocase(value, HR_SPAN("basic "))) {
        read_basic(w, hr_span_trim(hr_span_slice(value, 6, value.len)));
    }
}

static bool is_token_header(const struct work *w, struct hr_span name, uint32_t bits)
{
    return profile_has_place(w->profile, PROFILE_HEADER, name, (bits & WORD_TOKEN_HEADER) != 0);
}

static bool is_api_key(struct hr_span name)
{
    return hr_span_equal_nocase(name, HR_SPAN("x-api-key")) ||
           hr_span_equal_nocase(name, HR_SPAN("api-key")) ||
           hr_span_equal_nocase(name, HR_SPAN("apikey"));
}

static struct hr_span header_token(struct hr_span value)
{
    struct hr_span token = bearer_of(value);
    return token.ptr != NULL ? token : value;
}

static void read_user_header(struct work *w, const struct http_field *f)
{
    for (size_t i = 0; w->profile != NULL && i < w->profile->user_count; i++) {
        const struct profile_place *p = &w->profile->user[i];
        if (p->where == PROFILE_HEADER && hr_span_equal_nocase(f->name, hr_span_str(p->name))) {
            w->user = f->value;
            w->user_rank = 1 + i;
            w->f->flags |= FACT_USER_NAMED;
        }
    }
}

/* Which program asked, cheaply: two that fall together by chance look like one. */
static void note_agent(struct work *w, struct hr_span value)
{
    uint64_t hash = hr_hash64(value, 0);
    w->f->agent |= (uint32_t)(hash ^ hash >> 32) << 1 | (value.len > 0 ? 2u : 0u);
}

/* A field that is known by the lists or the profile only. */
static void read_other_field(struct work *w, const struct http_field *f)
{
    uint32_t bits = work_word(w, f->name).bits;
    if (is_token_header(w, f->name, bits) && f->value.len >= 4) {
        work_token_sent(w, TOKEN_BEARER, HR_SPAN("bearer"), header_token(f->value));
    }
    if (bits & WORD_FORWARDED) {
        w->f->agent |= 1;
    }
    if (work_is_request_id(w, f->name, bits)) {
        work_request_id_sent(w, f->name, f->value);
    }
}

void work_request_fields(struct work *w)
{
    const struct http_message *m = &w->x->request;
    for (size_t i = 0; i < m->field_count; i++) {
        const struct http_field *f = &m->fields[i];
        if (f->name.len == 0) {
            continue;
        }
        if (hr_span_equal_nocase(f->name, HR_SPAN("cookie"))) {
            read_cookies(w, f->value);
        } else if (hr_span_equal_nocase(f->name, HR_SPAN("authorization"))) {
            read_authorization(w, f->value);
        } else if (hr_span_equal_nocase(f->name, HR_SPAN("if-none-match")) ||
                   hr_span_equal_nocase(f->name, HR_SPAN("if-modified-since"))) {
            w->f->flags |= FACT_CONDITIONAL;
        } else if (hr_span_has_suffix_nocase(f->name, HR_SPAN("purpose")) ||
                   hr_span_equal_nocase(f->name, HR_SPAN("x-moz"))) {
            bool ahead = hr_span_find_nocase(f->value, HR_SPAN("prefetch")) != SIZE_MAX ||
                         hr_span_find_nocase(f->value, HR_SPAN("prerender")) != SIZE_MAX ||
                         hr_span_find_nocase(f->value, HR_SPAN("preview")) != SIZE_MAX;
            w->f->flags |= ahead && (w->f->flags & FACT_LOGOUT_PATH) ? FACT_LOGOUT_FORM : 0u;
        } else if (hr_span_equal_nocase(f->name, HR_SPAN("x-http-method-override"))) {
            w->method = f->value;
        } else if (is_api_key(f->name)) {
            w->f->flags |= hr_span_trim(f->value).len > 0 ? FACT_OTHER_CREDENTIAL : 0u;
        } else if (hr_span_equal_nocase(f->name, HR_SPAN("user-agent"))) {
            note_agent(w, f->value);
        } else {
            read_other_field(w, f);
        }
        read_user_header(w, f);
    }
}

/* Where a browser sends the cookie back to: RFC 6265 5.1.4 says what an answer without Path means.
 */
static unsigned scope_of(const struct work *w, const struct http_set_cookie *c)
{
    struct hr_span path = c->path;
    uint64_t hash = 31;
    if (!c->has_path) {
        size_t end = w->path.len;
        while (end > 1 && w->path.ptr[end - 1] != '/') {
            end--;
        }
        path = end > 1 ? hr_span_slice(w->path, 0, end - 1) : HR_SPAN("/");
    }
    for (size_t i = 0; c->has_domain && i < c->domain.len; i++) {
        char letter = hr_ascii_lower(c->domain.ptr[i]);
        hash = hr_hash64(hr_span_of(&letter, 1), hash);
    }
    return (unsigned)(1 + hr_hash64(path, hash) % 255) << TOKEN_SCOPE_SHIFT;
}

static void read_set_cookie(struct work *w, struct hr_span value)
{
    struct http_set_cookie c;
    hr_nsec now = w->x->response.first.at;
    w->f->flags |= FACT_RESP_SETS_COOKIE;
    if (!http_set_cookie_parse(value, &c) || c.name.len == 0) {
        return;
    }
    uint32_t classes = work_cookie_word(w, c.name).bits;
    if (classes & WORD_AFFINITY) {
        note_replica(w, c.value);
    }
    if (classes & WORD_NOT_A_SESSION) {
        return;
    }
    const bool is_script = is_script_cookie(w, c.name, classes);
    const enum token_carrier carrier = is_script ? TOKEN_BEARER : TOKEN_COOKIE;
    const struct hr_span name = is_script ? HR_SPAN("bearer") : c.name;
    struct token_use *t = work_token(w, carrier, name, cookie_weight(w, classes, c.value));
    if (t == NULL) {
        return;
    }
    if (c.value.len == 0 || http_set_cookie_is_deletion(&c, now) ||
        hr_span_equal_nocase(c.value, HR_SPAN("deleted"))) {
        if (!(t->flags & TOKEN_SET)) {
            t->flags |= TOKEN_DELETED;
        }
        return;
    }
    int64_t lifetime_s = -1;
    if (c.has_max_age) {
        lifetime_s = c.max_age_seconds;
    } else if (c.has_expires && now != HR_NSEC_INFINITE) {
        lifetime_s = hr_nsec_sub(c.expires, now) / HR_NSEC_PER_SEC;
    }
    t->flags &= ~(unsigned)TOKEN_SCOPE_MASK;
    t->flags |=
        (c.http_only ? TOKEN_HTTP_ONLY : 0u) | (c.secure ? TOKEN_SECURE : 0u) | scope_of(w, &c);
    work_token_set(w, carrier, name, is_script ? http_decode(w->arena, c.value, false) : c.value,
                   lifetime_s);
}

static bool is_hit(const struct http_field *f)
{
    uint64_t number;
    if (hr_span_to_u64(f->value, &number)) { /* Age, X-Cache-Hits */
        return number > 0;
    }
    return hr_span_find_nocase(f->value, HR_SPAN("hit")) != SIZE_MAX;
}

/* Each new connection is asked who it is, whatever session its requests have; or a proof needs the
 * server's next nonce (RFC 9449), or the user a stronger sign-in (RFC 9470). */
static bool asks_for_more(struct hr_span challenge)
{
    return hr_span_has_prefix_nocase(challenge, HR_SPAN("NTLM")) ||
           hr_span_has_prefix_nocase(challenge, HR_SPAN("Negotiate")) ||
           hr_span_find_nocase(challenge, HR_SPAN("use_dpop_nonce")) != SIZE_MAX ||
           hr_span_find_nocase(challenge, HR_SPAN("insufficient_user_authentication")) != SIZE_MAX;
}

static void read_response_field(struct work *w, const struct http_field *f)
{
    char first = hr_ascii_lower(f->name.ptr[0]);
    if (first == 's' && hr_span_equal_nocase(f->name, HR_SPAN("set-cookie"))) {
        read_set_cookie(w, f->value);
        return;
    }
    if (first == 'l' && hr_span_equal_nocase(f->name, HR_SPAN("location"))) {
        if (w->f->location.ptr == NULL) {
            w->f->location = f->value; /* until the tokens are known */
            work_leads_to(w, f->value);
            if (w->f->status == 201) { /* names what was made: /sessions/17 */
                w->f->flags &= ~(uint32_t)(FACT_LOCATION_LOGIN | FACT_LOCATION_AUTHORIZE);
            }
        }
        return;
    }
    if (first == 'r' && hr_span_equal_nocase(f->name, HR_SPAN("refresh"))) {
        work_refresh(w, f->value);
        return;
    }
    if (first == 'w' && hr_span_equal_nocase(f->name, HR_SPAN("www-authenticate"))) {
        w->f->flags |= asks_for_more(f->value) ? FACT_OTHER_CREDENTIAL : 0u;
        return;
    }
    if (first == 'a' && hr_span_equal_nocase(f->name, HR_SPAN("authorization"))) {
        work_token_set(w, TOKEN_BEARER, HR_SPAN("bearer"), bearer_of(f->value), -1);
        return;
    }
    uint32_t bits = work_word(w, f->name).bits;
    if ((bits & WORD_CACHE) && is_hit(f)) {
        w->f->flags |= FACT_CACHED;
    } else if ((bits & WORD_AFFINITY) || hr_span_equal_nocase(f->name, HR_SPAN("via"))) {
        note_replica(w, f->value);
    } else if (is_token_header(w, f->name, bits) && f->value.len >= 4) {
        work_token_set(w, TOKEN_BEARER, HR_SPAN("bearer"), header_token(f->value), -1);
    }
    if (work_is_request_id(w, f->name, bits)) {
        work_request_id_answered(w, f->name, f->value);
    }
}

void work_response_fields(struct work *w)
{
    const struct http_message *m = &w->x->response;
    for (size_t i = 0; i < m->field_count; i++) {
        if (m->fields[i].name.len > 0) {
            read_response_field(w, &m->fields[i]);
        }
    }
}
