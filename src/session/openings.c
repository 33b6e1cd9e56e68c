/*
 * Logins that are answered as if they had failed, by a redirect to the login's page or to where
 * they were asked: some sites answer all so, and some those whom they let in. What became of the
 * tokens tells.
 */
#include "session/site_model.h"

uint64_t model_opening_hash(const struct view *v, bool gives)
{
    const uint64_t parts[2] = {model_group_hash(v), gives};
    return hr_hash64(hr_span_of(parts, sizeof(parts)), 37);
}

static const struct model_opening *opening_of(const struct site_model *m, const struct view *v,
                                              bool gives)
{
    return (const struct model_opening *)learn_table_find(&m->openings,
                                                          model_opening_hash(v, gives));
}

static bool opens(const struct model_opening *o)
{
    return o != NULL && o->opened >= MODEL_OPENED_MIN;
}

static bool opens_always(const struct model_opening *o)
{
    return opens(o) && o->opened > 3 * o->closed;
}

/* What looks like a failure may be how this site answers to all, or to those whom it lets in. An
 * answer that is like those but for the token lacks it only if failures have another look. */
enum answer_look model_look_of_redirect_back(const struct site_model *m, const struct view *v)
{
    const struct model_endpoint *e = model_endpoint_of(m, v->endpoint);
    const bool gives = model_session_bits(m, v, &(unsigned){0}) & USE_SET_NEW;
    const struct model_opening *o = opening_of(m, v, gives);
    bool lacks =
        !gives && o == NULL && opens_always(opening_of(m, v, true)) && e != NULL && e->refusals > 0;
    return opens_always(o) || lacks ? LOOK_PLAUSIBLE : opens(o) ? LOOK_UNCLEAR : LOOK_FAILURE;
}

bool view_is_redirect_back(const struct site_model *m, const struct view *v)
{
    return v->status >= 300 && v->status < 400 && v->status != 304 && v->location.ptr != NULL &&
           !(v->flags & FACT_SAYS_FAILURE) &&
           ((v->flags & FACT_LOCATION_LOGIN) || model_is_login_page(m, v->location_path) ||
            (v->location_path.ptr != NULL && hr_span_equal(v->location_path, v->path)));
}

/* Redirects back that never open anything are refusals, too. */
void openings_count_refusals(struct site_model *m)
{
    for (size_t i = 0; i < m->openings.slot_count; i++) {
        const struct model_opening *o = (const struct model_opening *)m->openings.slots[i];
        struct model_endpoint *e = o == NULL ? NULL : model_endpoint_of(m, o->endpoint);
        if (e != NULL && o->opened == 0) {
            e->refusals += o->closed;
        }
    }
}
