/*
 * The forms of a page: whether it asks for a name and a password, and where that goes; whether it
 * asks before it signs out.
 */
#include "session/learner.h"
#include "session/work.h"

#include <string.h>

#define TAG_LIMIT 4000

struct hr_span body_attribute(struct hr_span tag, const char *name)
{
    size_t name_len = strlen(name);
    for (size_t i = 1; i + name_len < tag.len; i++) {
        char before = tag.ptr[i - 1];
        if ((before == ' ' || before == '\n' || before == '\t' || before == '\r' || before == '"' ||
             before == '\'') &&
            hr_span_has_prefix_nocase(hr_span_slice(tag, i, tag.len), hr_span_of(name, name_len)) &&
            tag.ptr[i + name_len] == '=') {
            struct hr_span value = hr_span_slice(tag, i + name_len + 1, tag.len);
            if (value.len > 0 && (value.ptr[0] == '"' || value.ptr[0] == '\'')) {
                char quote = value.ptr[0];
                value = hr_span_slice(value, 1, value.len);
                return hr_span_cut(&value, quote);
            }
            size_t end = 0;
            while (end < value.len && value.ptr[end] != ' ' && value.ptr[end] != '\n') {
                end++;
            }
            return hr_span_slice(value, 0, end);
        }
    }
    return (struct hr_span){NULL, 0};
}

struct form_scan {
    unsigned passwords; /* inputs of the form at hand */
    unsigned new_passwords;
    bool other_action;          /* it leads to a registration or a change */
    struct hr_span action;      /* of the form at hand */
    struct work_action purpose; /* that a hidden input of it names */
    struct hr_span login_action;
    struct work_action login_purpose;
    bool found_login;
    bool found_logout;
};

static void end_form(struct form_scan *s)
{
    if (s->passwords == 1 && s->new_passwords == 0 && !s->other_action) {
        s->login_action = s->found_login ? s->login_action : s->action;
        s->login_purpose = s->found_login ? s->login_purpose : s->purpose;
        s->found_login = true;
    }
    s->passwords = 0;
    s->new_passwords = 0;
    s->other_action = false;
    s->purpose = (struct work_action){.rank = 0};
}

static void read_tag(struct work *w, struct form_scan *s, struct hr_span tag)
{
    const struct lists *l = work_lists(w);
    if (hr_span_has_prefix_nocase(tag, HR_SPAN("form"))) {
        struct hr_span action = body_attribute(tag, "action");
        struct hr_span rest = action;
        struct hr_span path = hr_span_cut(&rest, '?');
        end_form(s);
        s->action = action;
        s->other_action = lists_find_path(l, LIST_password_paths, path, 1) ||
                          lists_find_path(l, LIST_registration_paths, path, 0);
        s->found_logout = s->found_logout ||
                          (lists_find_path(l, LIST_logout_paths, path, 0) &&
                           hr_span_equal_nocase(body_attribute(tag, "method"), HR_SPAN("post")));
        if (path.len == 0 && (w->f->flags & FACT_LOGOUT_PATH) &&
            hr_span_equal_nocase(body_attribute(tag, "method"), HR_SPAN("post"))) {
            s->found_logout = true; /* posts to its own page */
        }
    } else if (hr_span_has_prefix_nocase(tag, HR_SPAN("/form"))) {
        end_form(s);
    } else if (hr_span_has_prefix_nocase(tag, HR_SPAN("input")) &&
               hr_span_equal_nocase(body_attribute(tag, "type"), HR_SPAN("password"))) {
        struct hr_span name = body_attribute(tag, "name");
        bool is_new =
            lists_find(l, LIST_new_password_fields, name) != 0 ||
            hr_span_equal_nocase(body_attribute(tag, "autocomplete"), HR_SPAN("new-password"));
        s->passwords++;
        s->new_passwords += is_new;
    } else if (hr_span_has_prefix_nocase(tag, HR_SPAN("input")) &&
               hr_span_equal_nocase(body_attribute(tag, "type"), HR_SPAN("hidden"))) {
        struct hr_span name = body_attribute(tag, "name");
        work_action_note(&s->purpose, name, body_attribute(tag, "value"),
                         work_word(w, name).action);
    }
}

/* Where the login form of a page posts to, if that is on the same site. */
static uint64_t form_target(struct work *w, struct hr_span action,
                            const struct work_action *purpose)
{
    struct http_url to;
    uint32_t flags;
    struct hr_span asked;
    bool is_get = hr_span_equal(w->x->request.method, HR_SPAN("GET"));
    if (!is_get || w->f->status < 200 || w->f->status >= 300 || w->url.authority.ptr == NULL) {
        return 0;
    }
    if (action.len == 0) {
        asked =
            w->action_text.len > 0 ? w->action_text : work_action_of(w, purpose, w->path, &flags);
        return learn_path_hash(work_endpoint(w, work_template(w, w->path), asked));
    }
    if (!http_url_resolve(w->arena, &w->url, work_html_text(w, action), &to) ||
        (to.authority.ptr != NULL && !hr_span_equal(to.authority, w->url.authority))) {
        return 0;
    }
    asked = work_action_of_query(w, to.path, to.query, &flags);
    asked = asked.len > 0 ? asked : work_action_of(w, purpose, to.path, &flags);
    return learn_path_hash(work_endpoint(w, work_template(w, to.path), asked));
}

void work_forms(struct work *w, struct hr_span html)
{
    struct form_scan s = {0};
    size_t tags = 0;
    while (html.ptr != NULL) {
        hr_span_cut(&html, '<');
        if (html.len == 0) {
            break;
        }
        char c = hr_ascii_lower(html.ptr[0]);
        if (c == 'f' || c == 'i' || c == '/') {
            if (tags == TAG_LIMIT) {
                work_count_unread(w);
                break;
            }
            struct hr_span rest = html;
            struct hr_span tag = hr_span_cut(&rest, '>');
            read_tag(w, &s, hr_span_slice(tag, 0, 2048));
            tags++;
        }
    }
    end_form(&s);
    w->f->flags |=
        (s.found_login ? FACT_LOGIN_FORM : 0u) | (s.found_logout ? FACT_LOGOUT_FORM : 0u);
    w->form_target = s.found_login ? form_target(w, s.login_action, &s.login_purpose) : 0;
}
