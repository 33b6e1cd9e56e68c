/*
 * What the request's members say, whether they stand in the query, a form or JSON: who, a password,
 * a one-time code, a token, a grant.
 */
#include "session/work.h"

#include <string.h>

#define MEMBER_LIMIT 200
#define JSON_DEPTH_LIMIT 6
#define USER_BYTES 128

/* "user[password]" and "data.user.password" are named by their last part. */
static struct hr_span leaf(struct hr_span name)
{
    size_t start = 0;
    if (name.len > 2 && name.ptr[name.len - 1] == ']') {
        for (size_t i = name.len - 1; i > 0; i--) {
            if (name.ptr[i - 1] == '[') {
                struct hr_span inner = hr_span_slice(name, i, name.len - 1);
                return inner.len > 0 ? inner : name;
            }
        }
    }
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '.' || name.ptr[i] == '$') { /* ASP.NET: ctl00$main$password */
            start = i + 1;
        }
    }
    return start < name.len ? hr_span_slice(name, start, name.len) : name;
}

static void note_password(struct work *w, struct hr_span name, uint32_t bits)
{
    if (bits & WORD_NEW_PASSWORD_WEAK) {
        w->weak_new_password_count++;
    } else if (bits & WORD_NEW_PASSWORD) {
        w->new_password_count++;
        w->f->flags |= FACT_PASSWORD;
    } else if (bits & WORD_PASSWORD) {
        if (w->password_name.len > 0 && !hr_span_equal_nocase(w->password_name, name)) {
            w->f->flags |= FACT_TWO_PASSWORDS;
        }
        w->password_name = name;
        w->f->flags |= FACT_PASSWORD;
    }
}

static void note_user(struct work *w, enum member_place place, struct hr_span name,
                      struct hr_span value, const struct word *word)
{
    static const enum profile_where wheres[] = {
        [MEMBER_QUERY] = PROFILE_QUERY,
        [MEMBER_FORM] = PROFILE_FORM,
        [MEMBER_JSON] = PROFILE_JSON,
    };
    size_t rank = 0;
    if (value.len > USER_BYTES) {
        return;
    }
    if (w->profile != NULL && w->profile->user_count > 0) {
        for (size_t i = 0; i < w->profile->user_count; i++) {
            const struct profile_place *p = &w->profile->user[i];
            if (p->where == wheres[place] && hr_span_equal(hr_span_str(p->name), name)) {
                rank = 1 + i;
            }
        }
    } else {
        rank = place == MEMBER_QUERY ? word->user_parameter : word->user_field;
    }
    if (rank != 0 && (w->user_rank == 0 || rank < w->user_rank)) {
        w->user_rank = rank;
        w->user = value;
        w->f->flags |= FACT_USER_NAMED;
        w->form_user_name = place != MEMBER_QUERY && word->user_parameter != 0
                                ? leaf(name)
                                : (struct hr_span){NULL, 0};
    }
}

/* A query parameter (or one of a form) that carries the session's token. */
static void note_token(struct work *w, enum member_place place, struct hr_span name,
                       struct hr_span value, uint32_t bits)
{
    static const enum profile_where wheres[] = {
        [MEMBER_QUERY] = PROFILE_QUERY,
        [MEMBER_FORM] = PROFILE_FORM,
        [MEMBER_JSON] = PROFILE_JSON,
    };
    bool is_token = (bits & WORD_TOKEN_PARAMETER) && value.len >= 4;
    /* Forms are full of tokens that are not the session's (CSRF); one-time links have theirs in
     * the query. At a sign-out (RFC 7009) "token" is what is revoked. */
    if ((bits & WORD_TOKEN_GENERIC) && !(w->f->flags & FACT_LOGOUT_PATH) &&
        (place != MEMBER_QUERY || !text_is_random(value) ||
         (w->f->flags & (FACT_AUTH_WORD | FACT_PASSWORD_PATH | FACT_REGISTER_PATH)))) {
        is_token = false;
    }
    if (profile_has_place(w->profile, wheres[place], name, is_token)) {
        if ((bits & WORD_TOKEN_GENERIC) && place != MEMBER_QUERY) {
            work_token_forget(w, TOKEN_BEARER,
                              HR_SPAN("bearer")); /* not the one that asks for it */
        }
        work_token_sent(w, TOKEN_BEARER, HR_SPAN("bearer"), value);
    }
}

static void note_grant(struct work *w, struct hr_span name, struct hr_span value)
{
    if (hr_span_equal_nocase(name, HR_SPAN("grant_type"))) {
        if (hr_span_equal_nocase(value, HR_SPAN("refresh_token"))) {
            w->f->flags |= FACT_REFRESH_GRANT;
        } else if (hr_span_equal_nocase(value, HR_SPAN("authorization_code"))) {
            w->f->flags |= FACT_AUTH_CALLBACK;
        }
    } else if (hr_span_equal_nocase(name, HR_SPAN("refresh_token")) ||
               hr_span_equal_nocase(name, HR_SPAN("refreshToken")) ||
               hr_span_equal_nocase(name, HR_SPAN("refresh"))) {
        w->has_refresh_token = value.len >= 8;
    } else if (hr_span_equal_nocase(name, HR_SPAN("authenticatorData"))) {
        w->f->flags |=
            FACT_AUTH_CALLBACK; /* WebAuthn's assertion; a registration has no such member */
    } else if (hr_span_equal_nocase(name, HR_SPAN("code"))) {
        w->has_code = true;
    } else if (hr_span_equal_nocase(name, HR_SPAN("state"))) {
        w->has_state = true;
    } else if (hr_span_equal_nocase(name, HR_SPAN("SAMLResponse")) ||
               hr_span_equal_nocase(name, HR_SPAN("id_token")) ||
               (hr_span_equal_nocase(name, HR_SPAN("ticket")) &&
                hr_span_has_prefix(value, HR_SPAN("ST-")))) { /* CAS */
        w->f->flags |= FACT_AUTH_CALLBACK;
    } else if (hr_span_equal_nocase(name, HR_SPAN("_method"))) {
        w->method = value;
    }
}

void work_member(struct work *w, enum member_place place, struct hr_span name, struct hr_span value)
{
    if (value.len == 0 || name.len == 0) {
        return;
    }
    struct hr_span last = leaf(name);
    struct word word = work_word(w, last);
    note_grant(w, last, value);
    note_password(w, last, word.bits);
    note_user(w, place, name, value, &word);
    const struct word whole = work_word(w, name);
    note_token(w, place, name, value, whole.bits);
    work_action_member(w, place, name, value, whole.action);
    if (place != MEMBER_QUERY && (word.bits & WORD_CODE)) {
        w->f->flags |= FACT_CODE_FIELD;
    }
    w->has_link_value = w->has_link_value || (place == MEMBER_QUERY && text_is_random(value) &&
                                              (word.bits & (WORD_CODE | WORD_TOKEN_PARAMETER)));
}

static bool is_user_query(struct work *w, struct hr_span name)
{
    return profile_has_place(w->profile, PROFILE_USER_QUERY, name,
                             work_word(w, name).user_parameter != 0);
}

void work_query(struct work *w)
{
    struct hr_span rest = w->target.query;
    struct http_param param;
    for (size_t i = 0; http_query_next(&rest, &param); i++) {
        if (i == MEMBER_LIMIT) {
            work_count_unread(w);
            break;
        }
        struct hr_span name = http_decode(w->arena, param.name, true);
        struct hr_span value = http_decode(w->arena, param.value, true);
        if (value.len > 0 && value.len <= USER_BYTES && is_user_query(w, name)) {
            w->f->flags |= FACT_USER_QUERY;
            work_token_sent(w, TOKEN_USER_QUERY, name, value);
        }
        work_member(w, MEMBER_QUERY, name, value);
        work_action_page(w, &w->action, name, value);
        work_action_path(&w->action, name, i == 0 && param.value.ptr == NULL);
        work_action_switch(&w->action, name, value, work_word(w, name).bits);
    }
}

// NOLINTNEXTLINE(misc-no-recursion): JSON_DEPTH_LIMIT levels
static void walk_json(struct work *w, json_t *value, struct hr_span name, unsigned depth,
                      size_t *count)
{
    const char *key;
    json_t *member;
    if (json_is_object(value) && depth < JSON_DEPTH_LIMIT) {
        json_object_foreach(value, key, member)
        {
            if ((*count)++ < MEMBER_LIMIT) {
                char *full = name.len == 0 ? hr_arena_strdup(w->arena, hr_span_str(key))
                                           : hr_arena_printf(w->arena, "%s.%s", name.ptr, key);
                walk_json(w, member, hr_span_str(full), depth + 1, count);
            } else {
                work_count_unread(w);
                break;
            }
        }
    } else if (json_is_string(value)) {
        struct hr_span text = hr_arena_copy(
            w->arena, hr_span_of(json_string_value(value), json_string_length(value)));
        w->f->flags |= FACT_FIELDS;
        work_member(w, MEMBER_JSON, name, text);
    } else if (json_is_number(value) || json_is_boolean(value)) {
        w->f->flags |= FACT_FIELDS;
    }
}

void work_request_content(struct work *w)
{
    const struct http_message *m = &w->x->request;
    const struct http_field *type = http_field_find(m, "content-type");
    struct http_form form;
    struct http_form_member member;
    size_t count = 0;
    struct hr_span type_value = type == NULL ? (struct hr_span){"", 0} : type->value;
    bool plain = type == NULL || hr_span_has_prefix_nocase(type_value, HR_SPAN("text/plain"));
    if (m->content.len == 0) {
        return;
    }
    if (hr_span_find_nocase(type_value, HR_SPAN("json")) != SIZE_MAX ||
        (plain && m->content.ptr[0] == '{')) { /* scripts that set no type */
        json_t *root = m->content_cut || m->content_gap ? NULL : body_parse_json(m->content);
        walk_json(w, root, (struct hr_span){"", 0}, 0, &count);
        json_decref(root);
        return;
    }
    http_form_init(&form, type_value, m->content, m->content_cut || m->content_gap, w->arena);
    while (http_form_next(&form, &member)) {
        if (count++ == MEMBER_LIMIT) {
            work_count_unread(w);
            break;
        }
        w->f->flags |= FACT_FIELDS;
        if (member.file_name.ptr == NULL && !member.cut) {
            work_member(w, MEMBER_FORM, member.name, member.value);
        }
    }
}
