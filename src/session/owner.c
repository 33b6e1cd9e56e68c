/*
 * Most answers are data for everybody: their signs tell whether a name or an identifier can be
 * there at all, and only then is the text walked through.
 */
#include "session/owner.h"

#define TEXT_BYTES ((size_t)32 * 1024)
#define CHANGE_PARAMETERS 16

void owner_request(struct work *w)
{
    const struct exchange_facts *f = w->f;
    const struct lists *l = work_lists(w);
    bool is_safe = hr_span_equal(w->method, HR_SPAN("GET")) ||
                   hr_span_equal(w->method, HR_SPAN("HEAD")) ||
                   hr_span_equal(w->method, HR_SPAN("OPTIONS")) || w->only_asks;
    if (w->user_rank != 0 && w->may_sign_in && !is_safe) {
        told_mark(w, MARK_LOGIN_NAME, MARK_LOGIN_LOCAL_PART, w->user, (struct hr_span){NULL, 0});
    }
    if (!is_safe && !w->may_sign_in && f->token_count > 0 && w->x->request.content.len > 0) {
        belongs_given(w);
    }
    /* A GET that changes something leads on; one of Symfony's names the user in the query. */
    bool leads_on = w->x->has_response && w->x->response.status / 100 == 3;
    if ((is_safe && !leads_on) || (f->flags & (FACT_LOGIN_PATH | FACT_LOGOUT_PATH))) {
        return;
    }
    bool changes = lists_find_path_word(l, LIST_identity_changes, w->path) ||
                   lists_find_path_word(l, LIST_identity_changes, w->action_path);
    struct hr_span rest = w->target.query;
    for (size_t i = 0; !changes && rest.ptr != NULL && i < CHANGE_PARAMETERS; i++) {
        struct hr_span pair = hr_span_cut(&rest, '&');
        changes = lists_find_path_word(l, LIST_identity_changes, hr_span_cut(&pair, '='));
    }
    if (changes) {
        work_mark(w, MARK_MAY_CHANGE_USER, 0, (struct hr_span){NULL, 0});
    }
}

bool owner_wants_text(const struct work *w)
{
    return !(w->f->flags & FACT_STATIC_PATH) && (w->f->token_count > 0 || w->may_sign_in);
}

void owner_response(struct work *w, enum owner_text kind, struct hr_span text, bool is_whole)
{
    if (!owner_wants_text(w) || !w->x->has_request) {
        return;
    }
    is_whole = is_whole && text.len <= TEXT_BYTES;
    text = hr_span_slice(text, 0, TEXT_BYTES);
    if ((w->signs & (SIGN_BIT(SIGN_NAME) | SIGN_BIT(SIGN_ID))) && kind != OWNER_PLAIN) {
        told_read(w, kind, text);
    }
    if (w->signs & SIGN_BIT(SIGN_IDENTIFIER)) {
        belongs_read(w, kind, text, is_whole);
    }
}
