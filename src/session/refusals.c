/*
 * Servers that answer 200 to all and tell by a code of their own how it went: {"success": false,
 * "error": {"code": 119}}. What is said most often to those who have no session, wherever they ask
 * for what sessions are granted, and nowhere else, says that there is none.
 */
#include "session/site_model.h"

#define BARE_MIN 2

static struct model_refusal *refusal_of(struct site_model *m, const struct view *v)
{
    bool is_new;
    return (struct model_refusal *)learn_table_add(&m->told_refusals, v->answer,
                                                   sizeof(struct model_refusal), &is_new);
}

static void weigh(struct site_model *m, const struct view *v, uint64_t count)
{
    const struct model_endpoint *e = model_endpoint_of(m, v->endpoint);
    unsigned sent;
    model_session_bits(m, v, &sent);
    const bool is_bare = sent == 0 && !model_has_credential(m, v);
    const bool is_action = model_is_login(m, v) || model_is_logout(m, v);
    struct model_refusal *r = e == NULL || !(is_bare || is_action) ? NULL : refusal_of(m, v);
    if (r == NULL) {
        return;
    }
    if (is_action || e->granted_without > 0) {
        r->says_other = true;
    } else if (e->granted > 0) {
        r->several = r->several || (r->bare > 0 && r->endpoint != v->endpoint);
        r->endpoint = v->endpoint;
        r->bare += count;
        m->told_bare += count;
    }
}

void decide_refusals(struct site_model *m, const struct site_learner *l)
{
    for (size_t i = 0; i < l->kinds.slot_count; i++) {
        const struct learn_kind *k = (const struct learn_kind *)l->kinds.slots[i];
        struct view v;
        if (k != NULL) {
            learn_view_of_kind(l, k, &v);
            if (learn_is_told_failure(&v)) {
                weigh(m, &v, k->count);
            }
        }
    }
}

bool model_tells_refusal(const struct site_model *m, const struct view *v)
{
    const struct model_refusal *r =
        learn_is_told_failure(v)
            ? (const struct model_refusal *)learn_table_find(&m->told_refusals, v->answer)
            : NULL;
    return r != NULL && r->several && r->bare >= BARE_MIN && !r->says_other &&
           r->bare > m->told_bare / 2;
}
