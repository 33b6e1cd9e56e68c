/*
 * Feeding: see learner.h for what is kept, and why in this form.
 */
#include "session/learner.h"

#include "base/alloc.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Flags that say nothing about what an exchange means; without them kinds stay few. */
#define KIND_FLAGS                                                                                 \
    (~(uint32_t)(FACT_LOSS | FACT_EARLY_RESPONSE | FACT_RESYNCHRONISED | FACT_REQUEST_WHOLE |      \
                 FACT_CONDITIONAL | FACT_AFFINITY | FACT_RESP_SETS_COOKIE))

/* --- tables ----------------------------------------------------------------------------------- */

static void release_plain(struct learn_entry *e)
{
    free(e);
}

void learn_table_init(struct learn_table *t, size_t limit, void (*release)(struct learn_entry *e))
{
    *t = (struct learn_table){.limit = limit,
                              .threshold = UINT64_MAX,
                              .release = release != NULL ? release : release_plain};
    t->slot_count = 64;
    t->slots = hr_xcalloc(t->slot_count, sizeof(struct learn_entry *));
}

void learn_table_finish(struct learn_table *t)
{
    for (size_t i = 0; i < t->slot_count; i++) {
        if (t->slots[i] != NULL) {
            t->release(t->slots[i]);
        }
    }
    free(t->slots);
    *t = (struct learn_table){0};
}

static size_t slot_of(const struct learn_table *t, uint64_t hash)
{
    size_t at = (hash ^ hash >> 29) & (t->slot_count - 1);
    while (t->slots[at] != NULL && t->slots[at]->hash != hash) {
        at = (at + 1) & (t->slot_count - 1);
    }
    return at;
}

struct learn_entry *learn_table_find(const struct learn_table *t, uint64_t hash)
{
    return t->slots[slot_of(t, hash)];
}

static int compare_entries(const void *a, const void *b)
{
    const struct learn_entry *x = *(struct learn_entry *const *)a;
    const struct learn_entry *y = *(struct learn_entry *const *)b;
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

struct learn_entry **learn_table_sorted(const struct learn_table *t)
{
    struct learn_entry **sorted = hr_xcalloc(t->count + 1, sizeof(struct learn_entry *));
    size_t count = 0;
    for (size_t i = 0; i < t->slot_count; i++) {
        if (t->slots[i] != NULL) {
            sorted[count++] = t->slots[i];
        }
    }
    qsort(sorted, count, sizeof(struct learn_entry *), compare_entries);
    return sorted;
}

static void rebuild(struct learn_table *t, size_t slot_count, size_t keep)
{
    struct learn_entry **sorted = learn_table_sorted(t);
    size_t count = t->count;
    free(t->slots);
    t->slot_count = slot_count;
    t->slots = hr_xcalloc(slot_count, sizeof(struct learn_entry *));
    t->count = count < keep ? count : keep;
    for (size_t i = 0; i < count; i++) {
        if (i < keep) {
            t->slots[slot_of(t, sorted[i]->hash)] = sorted[i];
        } else {
            t->release(sorted[i]);
        }
    }
    if (count > keep) {
        t->threshold = keep > 0 ? sorted[keep - 1]->hash : 0;
    }
    free(sorted);
}

void learn_table_trim(struct learn_table *t)
{
    if (t->count > t->limit) {
        rebuild(t, t->slot_count, t->limit);
    }
}

struct learn_entry *learn_table_add(struct learn_table *t, uint64_t hash, size_t size_bytes,
                                    bool *ret_is_new)
{
    *ret_is_new = false;
    if (hash > t->threshold) {
        return NULL;
    }
    size_t at = slot_of(t, hash);
    if (t->slots[at] != NULL) {
        return t->slots[at];
    }
    if (2 * (t->count + 1) > t->slot_count) {
        if (t->count >= 2 * t->limit) {
            rebuild(t, t->slot_count, t->limit);
        } else {
            rebuild(t, 2 * t->slot_count, SIZE_MAX);
        }
        if (hash > t->threshold) {
            return NULL;
        }
        at = slot_of(t, hash);
    }
    t->slots[at] = hr_xcalloc(1, size_bytes);
    t->slots[at]->hash = hash;
    t->count++;
    *ret_is_new = true;
    return t->slots[at];
}

/* --- hashes and views ------------------------------------------------------------------------- */

/* FNV leaves its high bits poor, and entries are sampled by them. */
static uint64_t mix(uint64_t h)
{
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

uint64_t learn_carrier_hash(enum token_carrier carrier, struct hr_span name)
{
    return mix(hr_hash64(name, (uint64_t)carrier));
}

uint64_t learn_path_hash(struct hr_span path)
{
    while (path.len > 1 && path.ptr[path.len - 1] == '/') {
        path.len--;
    }
    return hr_hash64(path, 23);
}

bool learn_is_form_page(const struct view *v)
{
    return (v->flags & FACT_LOGIN_FORM) && hr_span_equal(v->method, HR_SPAN("GET")) &&
           v->status >= 200 && v->status < 300;
}

bool learn_is_told_failure(const struct view *v)
{
    return (v->flags & FACT_SAYS_FAILURE) && (v->flags & FACT_RESP_JSON) && v->status >= 200 &&
           v->status < 300;
}

/* Which endpoints matter least where a site has more than are kept: files, then pages. What takes
 * logins is among the few others. It goes by the name alone, so that no order of feeding matters.
 */
static uint64_t endpoint_class(struct hr_span method, struct hr_span path)
{
    if (!hr_span_equal(method, HR_SPAN("GET")) && !hr_span_equal(method, HR_SPAN("HEAD"))) {
        return 0;
    }
    for (size_t i = path.len; i > 0 && path.ptr[i - 1] != '/'; i--) {
        if (path.ptr[i - 1] == '.') {
            return 3;
        }
    }
    return 1;
}

uint64_t learn_endpoint_hash(struct hr_span method, struct hr_span path)
{
    return endpoint_class(method, path) << 62 | mix(hr_hash64(path, hr_hash64(method, 7))) >> 2;
}

/* Where a redirect leads, its parameters by name only: values differ from time to time. */
static uint64_t location_hash(struct hr_span location, struct hr_span location_path)
{
    struct hr_span query = location;
    struct hr_span path = hr_span_cut(&query, '?');
    uint64_t hash = hr_hash64(location_path.ptr != NULL ? location_path : path, 11);
    while (query.ptr != NULL) {
        struct hr_span param = hr_span_cut(&query, '&');
        hash += hr_hash64(hr_span_cut(&param, '='), 13);
    }
    return hash;
}

static unsigned use_bits(const struct token_use *t)
{
    bool same =
        (t->flags & TOKEN_SET) && (t->flags & TOKEN_SENT) && hr_digest_equal(&t->sent, &t->set);
    return ((t->flags & TOKEN_SENT) ? USE_SENT : 0u) |
           ((t->flags & TOKEN_SET) ? (same ? USE_SET_SAME : USE_SET_NEW) : 0u) |
           ((t->flags & TOKEN_DELETED) ? USE_DELETED : 0u) |
           ((t->flags & TOKEN_RANDOM_LOOKING) ? USE_RANDOM : 0u) |
           ((t->flags & TOKEN_IN_BODY) ? USE_IN_BODY : 0u) |
           ((t->flags & TOKEN_JWT) ? USE_JWT : 0u);
}

/* Without clearing the room of all uses: views are made of every exchange, again and again. */
static void clear_view(struct view *v)
{
    memset(v, 0, offsetof(struct view, uses));
}

void learn_view_of_facts(const struct exchange_facts *f, struct view *v)
{
    clear_view(v);
    v->endpoint = learn_endpoint_hash(f->method, f->path_template);
    v->method = f->method;
    v->path = f->path_template;
    v->status = f->status;
    v->flags = f->flags;
    v->location = f->location;
    v->location_path = f->location_path;
    v->answer = f->location.ptr != NULL ? location_hash(f->location, f->location_path) : f->shape;
    v->use_count = f->token_count;
    for (size_t i = 0; i < f->token_count; i++) {
        v->uses[i] = (struct learn_use){learn_carrier_hash(f->tokens[i].carrier, f->tokens[i].name),
                                        use_bits(&f->tokens[i])};
    }
}

static struct hr_span span_or_none(const char *text)
{
    return text == NULL ? (struct hr_span){NULL, 0} : hr_span_str(text);
}

void learn_view_of_kind(const struct site_learner *l, const struct learn_kind *k, struct view *v)
{
    const struct learn_endpoint *e =
        (const struct learn_endpoint *)learn_table_find(&l->endpoints, k->endpoint);
    clear_view(v);
    v->endpoint = k->endpoint;
    v->method = span_or_none(e != NULL ? e->method : NULL);
    v->path = span_or_none(e != NULL ? e->path : NULL);
    v->status = k->status;
    v->flags = k->flags;
    v->location = span_or_none(k->location);
    v->location_path = span_or_none(k->location_path);
    v->answer = k->answer;
    v->use_count = k->use_count;
    for (size_t i = 0; i < k->use_count; i++) {
        v->uses[i] = k->uses[i];
    }
}

/* --- feeding ---------------------------------------------------------------------------------- */

static void release_carrier(struct learn_entry *e)
{
    free(((struct learn_carrier *)e)->name);
    free(e);
}

static void release_endpoint(struct learn_entry *e)
{
    free(((struct learn_endpoint *)e)->method);
    free(((struct learn_endpoint *)e)->path);
    free(e);
}

static void release_kind(struct learn_entry *e)
{
    free(((struct learn_kind *)e)->location);
    free(((struct learn_kind *)e)->location_path);
    free(((struct learn_kind *)e)->uses);
    free(e);
}

static void release_token(struct learn_entry *e)
{
    free(((struct learn_token *)e)->events);
    free(e);
}

struct site_learner *site_learner_create(struct hr_span site, const struct profile *profile)
{
    struct site_learner *l = hr_xcalloc(1, sizeof(*l));
    l->site = hr_xstrndup(site.ptr, site.len);
    l->profile = profile;
    l->lists = lists_create();
    learn_table_init(&l->carriers, LEARN_CARRIERS, release_carrier);
    learn_table_init(&l->endpoints, LEARN_ENDPOINTS, release_endpoint);
    learn_table_init(&l->kinds, LEARN_KINDS, release_kind);
    learn_table_init(&l->tokens, LEARN_TOKENS, release_token);
    return l;
}

void site_learner_destroy(struct site_learner *l)
{
    if (l == NULL) {
        return;
    }
    free(l->site);
    lists_destroy(l->lists);
    learn_table_finish(&l->carriers);
    learn_table_finish(&l->endpoints);
    learn_table_finish(&l->kinds);
    learn_table_finish(&l->tokens);
    free(l);
}

static void add_endpoint(struct site_learner *l, const struct view *v)
{
    bool is_new;
    struct learn_endpoint *e =
        (struct learn_endpoint *)learn_table_add(&l->endpoints, v->endpoint, sizeof(*e), &is_new);
    if (e != NULL && is_new) {
        e->method = hr_xstrndup(v->method.ptr, v->method.len);
        e->path = hr_xstrndup(v->path.ptr, v->path.len);
    }
}

static void add_carrier(struct site_learner *l, const struct token_use *t, uint64_t hash)
{
    bool is_new;
    struct learn_carrier *c =
        (struct learn_carrier *)learn_table_add(&l->carriers, hash, sizeof(*c), &is_new);
    if (c != NULL && is_new) {
        c->carrier = t->carrier;
        c->name = hr_xstrndup(t->name.ptr, t->name.len);
    }
    if (c != NULL && t->carrier_id != 0) {
        c->id = t->carrier_id;
    }
}

static bool is_login_like(const struct view *v)
{
    return (v->flags & (FACT_PASSWORD | FACT_LOGIN_PATH | FACT_AUTH_CALLBACK)) ||
           ((v->flags & FACT_FIELDS) && (v->flags & (FACT_USER_NAMED | FACT_AUTH_WORD)));
}

static uint64_t kind_hash(const struct view *v)
{
    uint64_t parts[5] = {v->endpoint, v->status, v->flags & KIND_FLAGS, v->answer, 0};
    for (size_t i = 0; i < v->use_count; i++) { /* a sum: the order of cookies does not count */
        parts[4] += mix(v->uses[i].carrier + v->uses[i].bits);
    }
    uint64_t hash = mix(hr_hash64(hr_span_of(parts, sizeof(parts)), 17));
    return (v->endpoint >> 62) << 62 | hash >> 2; /* as the endpoint matters */
}

static int compare_uses(const void *a, const void *b)
{
    const struct learn_use *x = a;
    const struct learn_use *y = b;
    return x->carrier < y->carrier ? -1 : x->carrier > y->carrier;
}

void learn_example_keep(struct learn_example *kept, const struct learn_example *other)
{
    bool is_earlier = other->at != kept->at ? other->at < kept->at : other->frame < kept->frame;
    if (other->frame != 0 && (kept->frame == 0 || is_earlier)) {
        *kept = *other;
    }
}

static uint64_t add_kind(struct site_learner *l, struct view *v, const struct learn_example *x)
{
    bool is_new;
    uint64_t hash = kind_hash(v);
    struct learn_kind *k =
        (struct learn_kind *)learn_table_add(&l->kinds, hash, sizeof(*k), &is_new);
    if (k == NULL) {
        return hash;
    }
    if (is_new) {
        qsort(v->uses, v->use_count, sizeof(v->uses[0]), compare_uses);
        k->endpoint = v->endpoint;
        k->status = v->status;
        k->flags = v->flags & KIND_FLAGS;
        k->location =
            v->location.ptr == NULL ? NULL : hr_xstrndup(v->location.ptr, v->location.len);
        k->location_path = v->location_path.ptr == NULL
                               ? NULL
                               : hr_xstrndup(v->location_path.ptr, v->location_path.len);
        k->answer = v->answer;
        k->uses = v->use_count == 0 ? NULL : hr_xcalloc(v->use_count, sizeof(*k->uses));
        for (; k->use_count < v->use_count; k->use_count++) {
            k->uses[k->use_count] = v->uses[k->use_count];
        }
    } else if (k->location != NULL && v->location.ptr != NULL &&
               hr_span_compare(v->location, hr_span_str(k->location)) < 0) {
        free(k->location); /* an example of several: the lowest, whatever comes first */
        k->location = hr_xstrndup(v->location.ptr, v->location.len);
    }
    k->count++;
    learn_example_keep(&k->example, x);
    return hash;
}

static int compare_events(const struct learn_event *a, const struct learn_event *b)
{
    if (a->start != b->start) {
        return a->start < b->start ? -1 : 1;
    }
    if (a->end != b->end) {
        return a->end < b->end ? -1 : 1;
    }
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    if (a->bits != b->bits) {
        return a->bits < b->bits ? -1 : 1;
    }
    return a->place < b->place ? -1 : a->place > b->place;
}

/* Most tokens have few: there is room for a power of two of them. */
static void make_room_for_event(struct learn_token *t)
{
    const size_t count = t->event_count;
    if (count < LEARN_EVENTS && (count & (count - 1)) == 0) {
        const size_t room = count == 0 ? 1 : 2 * count;
        t->events = hr_xrealloc(t->events,
                                (room < LEARN_EVENTS ? room : LEARN_EVENTS) * sizeof(*t->events));
    }
}

static void add_event(struct site_learner *l, uint64_t carrier, const struct hr_digest *d,
                      struct learn_event event)
{
    bool is_new;
    uint64_t hash = mix(hr_hash64(hr_span_of(d->bytes, HR_DIGEST_BYTES), carrier));
    struct learn_token *t =
        (struct learn_token *)learn_table_add(&l->tokens, hash, sizeof(*t), &is_new);
    if (t == NULL) {
        return;
    }
    t->carrier = carrier;
    t->set_count += (event.bits & USE_SET_NEW) != 0;
    size_t at = t->event_count;
    while (at > 0 && compare_events(&event, &t->events[at - 1]) < 0) {
        at--;
    }
    if (at == LEARN_EVENTS) {
        return;
    }
    make_room_for_event(t);
    size_t last = t->event_count < LEARN_EVENTS ? t->event_count++ : LEARN_EVENTS - 1;
    memmove(&t->events[at + 1], &t->events[at], (last - at) * sizeof(event));
    t->events[at] = event;
}

/* The path of "/sessions/17" or "https://host/sessions/17". */
static uint64_t place_of(struct hr_span target)
{
    const size_t slashes = hr_span_find_nocase(target, HR_SPAN("://"));
    struct hr_span path = hr_span_cut(&target, '?');
    if (slashes != SIZE_MAX && slashes < path.len) {
        path = hr_span_slice(path, slashes + 3, path.len);
        const size_t start = hr_span_find(path, '/');
        path = start == SIZE_MAX ? HR_SPAN("/") : hr_span_slice(path, start, path.len);
    }
    return learn_path_hash(path);
}

void site_learner_feed(struct site_learner *l, const struct exchange_facts *f)
{
    struct view v;
    if (f->method.ptr == NULL) {
        return;
    }
    learn_view_of_facts(f, &v);
    if (!is_login_like(&v) && !learn_is_form_page(&v) && !learn_is_told_failure(&v) &&
        l->profile == NULL && v.location.ptr == NULL) {
        v.answer = 0; /* only answers to logins and failures are compared, and where forms lead */
    }
    add_endpoint(l, &v);
    uint64_t carriers[FACTS_TOKEN_LIMIT]; /* add_kind() may sort the uses */
    for (size_t i = 0; i < v.use_count; i++) {
        carriers[i] = v.uses[i].carrier;
    }
    struct learn_example example = {f->request_at, f->request_frame, f->request_capture};
    uint64_t kind = add_kind(l, &v, &example);
    l->capture =
        !l->has_capture || l->capture == f->request_capture ? f->request_capture : SIZE_MAX;
    l->has_capture = true;
    for (size_t i = 0; i < f->token_count; i++) {
        const struct token_use *t = &f->tokens[i];
        const uint64_t carrier = carriers[i];
        unsigned bits = use_bits(t);
        struct learn_event event = {.start = f->request_at, .end = f->response_at, .kind = kind};
        add_carrier(l, t, carrier);
        if (bits & USE_SENT) {
            event.bits = bits & ~(unsigned)USE_SET_NEW;
            event.place = (f->flags & FACT_LOGOUT_PATH) ? place_of(f->target) : 0;
            add_event(l, carrier, &t->sent, event);
        }
        if (bits & USE_SET_NEW) {
            event.bits = bits & ~(unsigned)(USE_SENT | USE_DELETED);
            event.place = f->status == 201 && f->location.ptr != NULL ? place_of(f->location) : 0;
            add_event(l, carrier, &t->set, event);
        }
    }
}
