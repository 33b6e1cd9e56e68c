/*
 * Lock screens. A session that was idle (or is about to do something delicate) is asked for its
 * password once more and goes on with the same token. What takes that password is known by its
 * path, or because denials lead there: to it, or to a page whose form posts to it.
 */
#include "session/site_model.h"

#include <stdlib.h>

struct unlocks {
    struct site_model *m;
    const struct site_learner *l;
    struct learn_kind **kinds;
    size_t kind_count;
    struct learn_table asking; /* hashes of paths to which sessions are sent that are denied */
    struct learn_table
        taking; /* ... to which the forms of those, or in the place of a page, post */
};

static void add_path(struct learn_table *paths, uint64_t hash)
{
    bool is_new;
    learn_table_add(paths, hash, sizeof(struct learn_entry), &is_new);
}

static void find_asking(struct unlocks *u)
{
    for (size_t i = 0; i < u->kind_count; i++) {
        struct view v;
        unsigned sent;
        learn_view_of_kind(u->l, u->kinds[i], &v);
        model_session_bits(u->m, &v, &sent);
        if (sent == 0 || model_is_login(u->m, &v) || model_is_logout(u->m, &v) ||
            model_access_outcome(u->m, &v, true) != OUTCOME_DENIED) {
            continue;
        }
        if (v.location_path.ptr != NULL) {
            add_path(&u->asking, model_path_hash(v.location_path));
        } else if (learn_is_form_page(&v)) {
            add_path(&u->taking, v.answer);
        }
    }
}

static void find_taking(struct unlocks *u)
{
    for (size_t i = 0; i < u->kind_count; i++) {
        struct view v;
        learn_view_of_kind(u->l, u->kinds[i], &v);
        if (learn_is_form_page(&v) &&
            learn_table_find(&u->asking, model_path_hash(v.path)) != NULL) {
            add_path(&u->taking, v.answer);
        }
    }
}

static void weigh(const struct unlocks *u, const struct view *v, struct model_endpoint *e)
{
    const uint64_t path = model_path_hash(v->path);
    if (!e->is_login && !e->is_logout && view_gives_credential(v)) {
        e->unlocks_by_path = lists_find_path(u->l->lists, LIST_unlock_paths, v->path, 0);
        e->unlocks = e->unlocks_by_path || learn_table_find(&u->asking, path) != NULL ||
                     learn_table_find(&u->taking, path) != NULL;
    }
}

void decide_unlocks(struct site_model *m, const struct site_learner *l)
{
    struct unlocks u = {.m = m, .l = l};
    u.kinds = (struct learn_kind **)learn_table_sorted(&l->kinds);
    u.kind_count = l->kinds.count;
    learn_table_init(&u.asking, LEARN_ENDPOINTS, NULL);
    learn_table_init(&u.taking, LEARN_ENDPOINTS, NULL);
    find_asking(&u);
    find_taking(&u);
    for (size_t i = 0; i < u.kind_count; i++) {
        struct view v;
        learn_view_of_kind(l, u.kinds[i], &v);
        struct model_endpoint *e = model_endpoint_of(m, v.endpoint);
        if (e != NULL) {
            weigh(&u, &v, e);
        }
    }
    learn_table_finish(&u.asking);
    learn_table_finish(&u.taking);
    free(u.kinds);
}
