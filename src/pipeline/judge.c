/*
 * Two passes over the operations of a site, session by session, none of which holds more than one
 * session in memory: which operation contradicts which, and what that says of endpoints; then, with
 * the protected endpoints known, the order check of those sessions where an answer that needs a
 * live session comes after one that denies it.
 */
#include "pipeline/judge.h"

#include "base/alloc.h"
#include "history/check.h"
#include "pipeline/chains.h"
#include "pipeline/endpoints.h"
#include "pipeline/twins.h"
#include "store/read.h"

#include <stdlib.h>
#include <string.h>

/* Of one site at a time. Past them nothing is claimed of what found no room, which is counted. */
enum {
    OPERATIONS = 1 << 19, /* of one session */
    MARKS = 1 << 19,
    CHECKS = 1 << 19,
    SHARED = 1 << 19,
    ENDPOINTS = 1 << 17,
    GLANCED = 1 << 16,
    GLANCED_OPERATIONS = 1 << 12, /* of one session: it is read again with each round */
};

struct session_check {
    int64_t session_id;
    enum session_order order;
    int64_t witness_id;
};

struct judge {
    struct store *store;
    int64_t site_id;
    hr_nsec epsilon;
    const struct profile *profile;
    struct chains *chains;
    struct twins *twins;
    struct endpoints *endpoints;
    bool is_second_look;         /* chains and twins are resolved */
    const struct glance *glance; /* NULL: all of the site */
    bool must_wait;              /* a glance is not enough */
    struct judge_counters counters;
    /* The session at hand. */
    struct operation_row *ops;
    bool *is_marked; /* by index of ops: contradicts another operation */
    size_t op_count;
    size_t op_capacity;
    bool is_cut; /* it has more operations than are kept */
    /* What the session pass found; written when the reading is over. */
    struct operation_mark *marks;
    size_t mark_count;
    struct session_check *checks; /* of the sessions that may be contradicted */
    size_t check_count;
    int64_t *shared; /* sessions that several programs used */
    size_t shared_count;
    uint64_t shared_dropped;
    int64_t *glanced; /* sessions that were judged */
    size_t glanced_count;
};

static void add_evidence(uint64_t *count, int64_t *example, int64_t exchange_id)
{
    (*count)++;
    if (example != NULL && (*example == 0 || exchange_id < *example)) {
        *example = exchange_id;
    }
}

static int anonymous_row(const struct anonymous_row *row, void *user)
{
    struct judge *a = user;
    struct endpoint_evidence *e = endpoints_get(a->endpoints, row->endpoint_id);
    if (row->outcome == OUTCOME_GRANTED) {
        add_evidence(&e->granted_without, &e->granted_without_exchange, row->exchange_id);
    } else if (row->outcome == OUTCOME_DENIED) {
        add_evidence(&e->denied_without, &e->denied_without_exchange, row->exchange_id);
    }
    return 0;
}

/* --- one session ------------------------------------------------------------------------------ */

struct session_ops { /* the session as history/ wants it, and which row each came from */
    struct history_operation *ops;
    struct history_mark *marks;
    size_t *rows; /* index in analysis.ops */
    size_t count;
};

static bool to_history(const struct operation_row *o, struct history_operation *ret_op)
{
    static const struct {
        bool is_part;
        enum history_kind kind;
    } kinds[] = {
        [OPERATION_LOGIN] = {true,  HISTORY_LOGIN      },
        [OPERATION_MAYBE_LOGIN] = {true,  HISTORY_MAYBE_LOGIN},
        [OPERATION_GRANT] = {true,  HISTORY_GRANT      },
        [OPERATION_DENIAL] = {true,  HISTORY_NOT_LIVE   },
        [OPERATION_LOGOUT] = {true,  HISTORY_NOT_LIVE   },
        [OPERATION_REPLACED] = {false, 0                  },
        [OPERATION_OPENED] = {true,  HISTORY_LOGIN      }, /* or never: expiry is silent */
        [OPERATION_ROTATED] = {true,  HISTORY_LOGIN      },
    };
    if (!kinds[o->kind].is_part) {
        return false;
    }
    *ret_op = (struct history_operation){
        .kind = kinds[o->kind].kind,
        .start = o->start,
        .end = o->end,
        .is_logout = o->kind == OPERATION_LOGOUT,
        .group = (uint64_t)o->endpoint_id,
    };
    return true;
}

enum {
    WITH_NOT_UNDERSTOOD = 1u << 0, /* keep the logins that are only not understood */
    PROTECTED_ONLY = 1u << 1,      /* keep grants on protected endpoints only */
};

static void session_ops_init(struct session_ops *h, const struct judge *a, unsigned flags)
{
    *h = (struct session_ops){
        .ops = hr_xcalloc(a->op_count, sizeof(*h->ops)),
        .marks = hr_xcalloc(a->op_count, sizeof(*h->marks)),
        .rows = hr_xcalloc(a->op_count, sizeof(*h->rows)),
    };
    for (size_t i = 0; i < a->op_count; i++) {
        const struct operation_row *o = &a->ops[i];
        bool left_out = (!(flags & WITH_NOT_UNDERSTOOD) && o->kind == OPERATION_MAYBE_LOGIN &&
                         !o->understood) ||
                        ((flags & PROTECTED_ONLY) && o->kind == OPERATION_GRANT &&
                         !endpoints_is_protected(a->endpoints, o->endpoint_id));
        if (!left_out && to_history(o, &h->ops[h->count])) {
            h->rows[h->count++] = i;
        }
    }
}

static void session_ops_finish(struct session_ops *h)
{
    free(h->ops);
    free(h->marks);
    free(h->rows);
}

static enum history_first first_state(const struct judge *a)
{
    for (size_t i = 0; i < a->op_count; i++) {
        if (a->ops[i].issues) {
            return HISTORY_FIRST_ABSENT;
        }
    }
    return HISTORY_FIRST_UNKNOWN;
}

static const struct operation_row *find_not_understood(const struct judge *a)
{
    for (size_t i = 0; i < a->op_count; i++) {
        if (a->ops[i].kind == OPERATION_MAYBE_LOGIN && !a->ops[i].understood) {
            return &a->ops[i];
        }
    }
    return NULL;
}

static int64_t row_id(const struct judge *a, const struct session_ops *h, size_t index)
{
    return index == HISTORY_NONE ? 0 : a->ops[h->rows[index]].id;
}

/* Keeps what is new in h's marks; an operation that has its marks already keeps the surer ones. */
static void keep_marks(struct judge *a, const struct session_ops *h, unsigned doubts,
                       int64_t doubt_operation_id)
{
    for (size_t i = 0; i < h->count; i++) {
        const struct history_mark *m = &h->marks[i];
        bool *is_marked = &a->is_marked[h->rows[i]];
        if ((m->ended_by == HISTORY_NONE && m->granted_before == HISTORY_NONE) || *is_marked) {
            continue;
        }
        *is_marked = true;
        if (a->mark_count == MARKS) {
            a->counters.contradictions_dropped++;
            continue;
        }
        a->marks = hr_xgrow(a->marks, a->mark_count, sizeof(*a->marks));
        a->marks[a->mark_count++] = (struct operation_mark){
            .operation_id = row_id(a, h, i),
            .ended_by_id = row_id(a, h, m->ended_by),
            .granted_before_id = row_id(a, h, m->granted_before),
            .granted_after_id = row_id(a, h, m->granted_after),
            .doubts = doubts,
            .doubt_operation_id = doubt_operation_id,
        };
    }
}

/* The surest reading first; then what holds only on a perfect clock, or only if an exchange that
 * was not understood was no login. */
static void mark_session(struct judge *a)
{
    const struct operation_row *odd = find_not_understood(a);
    for (unsigned doubts = 0; doubts < 4; doubts++) {
        bool exact = doubts & DOUBT_CLOCK;
        bool without = doubts & DOUBT_NOT_UNDERSTOOD;
        struct session_ops h;
        if ((exact && a->epsilon == 0) || (without && odd == NULL)) {
            continue;
        }
        session_ops_init(&h, a, without ? 0 : WITH_NOT_UNDERSTOOD);
        history_mark(h.ops, h.count, exact ? 0 : a->epsilon, h.marks);
        keep_marks(a, &h, doubts, without ? odd->id : 0);
        session_ops_finish(&h);
    }
}

/* Logins seen so far in order of their starts: could the session have been live at all? */
struct life {
    hr_nsec first_login_start; /* of any kind; HR_NSEC_INFINITE: none */
    bool is_absent_first;
    bool is_visitor; /* issued by an exchange that is no login, and never logged in */
};

static struct life life_of(const struct judge *a)
{
    struct life l = {.first_login_start = HR_NSEC_INFINITE};
    bool issued_by_visit = a->is_second_look && chains_is_visitor(a->chains, a->ops[0].session_id);
    for (size_t i = 0; i < a->op_count; i++) {
        const struct operation_row *o = &a->ops[i];
        bool is_login = o->kind == OPERATION_LOGIN || o->kind == OPERATION_MAYBE_LOGIN ||
                        o->kind == OPERATION_OPENED ||
                        (o->kind == OPERATION_ROTATED && !issued_by_visit);
        if (is_login && o->start < l.first_login_start) {
            l.first_login_start = o->start;
        }
        l.is_absent_first = l.is_absent_first || o->issues;
        issued_by_visit =
            issued_by_visit || (o->kind == OPERATION_ISSUE && o->issues && o->role != ROLE_LOGIN);
    }
    l.is_visitor = issued_by_visit && l.first_login_start == HR_NSEC_INFINITE;
    return l;
}

/*
 * Was the session ended, for certain, when a denial began? That is the question history_mark()
 * answers for grants (a logout before it, no login that fits between), so it is asked with the
 * denials in the place of grants.
 */
static void find_ended_denials(const struct judge *a, bool *ret_is_ended)
{
    struct session_ops h;
    session_ops_init(&h, a, WITH_NOT_UNDERSTOOD);
    for (size_t i = 0; i < h.count; i++) {
        if (h.ops[i].kind == HISTORY_NOT_LIVE && !h.ops[i].is_logout) {
            h.ops[i].kind = HISTORY_GRANT;
        }
    }
    history_mark(h.ops, h.count, a->epsilon, h.marks);
    for (size_t i = 0; i < h.count; i++) {
        ret_is_ended[h.rows[i]] = h.marks[i].ended_by != HISTORY_NONE;
    }
    session_ops_finish(&h);
}

static void add_session_evidence(struct judge *a)
{
    struct life life = life_of(a);
    bool *is_ended = hr_xcalloc(a->op_count, sizeof(*is_ended));
    find_ended_denials(a, is_ended);
    for (size_t i = 0; i < a->op_count; i++) {
        const struct operation_row *o = &a->ops[i];
        if (o->kind != OPERATION_GRANT && o->kind != OPERATION_DENIAL) {
            continue;
        }
        struct endpoint_evidence *e =
            endpoints_access(a->endpoints, o->endpoint_id, o->session_id, o->start);
        bool had_login = life.first_login_start <= o->end;
        if (o->kind == OPERATION_GRANT) {
            if (life.is_visitor) {
                add_evidence(&e->granted_without, &e->granted_without_exchange, o->exchange_id);
            } else if ((had_login || !life.is_absent_first) && !a->is_marked[i]) {
                add_evidence(&e->granted_live, &e->granted_live_exchange, o->exchange_id);
            }
        } else if (((life.is_absent_first || o->is_user_name) && !had_login) || is_ended[i]) {
            /* a name that nobody signed in with is no session, though nothing issued it */
            add_evidence(&e->denied_without, &e->denied_without_exchange, o->exchange_id);
        } else {
            add_evidence(&e->denied_other, NULL, o->exchange_id);
        }
    }
    free(is_ended);
}

/* Only where a grant began after something that says "not live" ended can anything be wrong; a
 * token that never was logged in and was granted is wrong as well. */
static bool needs_check(const struct judge *a)
{
    hr_nsec first_not_live_end = HR_NSEC_INFINITE;
    hr_nsec last_grant_start = INT64_MIN;
    bool is_absent_first = first_state(a) == HISTORY_FIRST_ABSENT;
    for (size_t i = 0; i < a->op_count; i++) {
        const struct operation_row *o = &a->ops[i];
        if ((o->kind == OPERATION_DENIAL || o->kind == OPERATION_LOGOUT) &&
            o->end < first_not_live_end) {
            first_not_live_end = o->end;
        } else if (o->kind == OPERATION_GRANT && o->start > last_grant_start) {
            last_grant_start = o->start;
        }
    }
    return last_grant_start != INT64_MIN &&
           (last_grant_start > first_not_live_end || is_absent_first);
}

static enum session_order order_of(const struct history_result *r)
{
    switch (r->answer) {
    case HISTORY_EXPLAINED:
        return ORDER_EXPLAINED;
    case HISTORY_CONTRADICTED:
        return r->weak ? ORDER_WEAK : ORDER_CONTRADICTED;
    case HISTORY_UNKNOWN:
        break;
    }
    return ORDER_UNKNOWN;
}

static struct session_check check_session(const struct judge *a, unsigned flags)
{
    struct session_ops h;
    session_ops_init(&h, a, WITH_NOT_UNDERSTOOD | flags);
    struct history_result r = history_check(h.ops, h.count, first_state(a), a->epsilon);
    struct session_check check = {
        .session_id = a->ops[0].session_id,
        .order = order_of(&r),
        .witness_id = r.answer == HISTORY_CONTRADICTED ? row_id(a, &h, r.witness) : 0,
    };
    session_ops_finish(&h);
    return check;
}

/* A program that comes through a proxy may be any. */
static bool has_programs(const struct judge *a)
{
    uint32_t first = 0;
    for (size_t i = 0; i < a->op_count; i++) {
        const uint32_t agent = a->ops[i].agent;
        if (a->ops[i].kind != OPERATION_GRANT || (agent & 1) != 0 || agent == 0) {
            continue;
        }
        if (first != 0 && agent != first) {
            return true;
        }
        first = agent;
    }
    return false;
}

static void note_programs(struct judge *a)
{
    if (has_programs(a) && a->shared_count == SHARED) {
        a->shared_dropped++;
    } else if (has_programs(a)) {
        a->shared = hr_xgrow(a->shared, a->shared_count, sizeof(*a->shared));
        a->shared[a->shared_count++] = a->ops[0].session_id;
    }
}

/* Nothing is claimed of a session of which not everything was looked at. @param marks  before it */
static void leave_open(struct judge *a, size_t marks)
{
    a->mark_count = marks;
    a->counters.sessions_unjudged++;
}

static void add_check(struct judge *a, struct session_check check)
{
    a->checks = hr_xgrow(a->checks, a->check_count, sizeof(*a->checks));
    a->checks[a->check_count++] = check;
}

/* What is explained with every grant is explained with those alone that need a live session; what
 * is not is checked again when it is known which those are. */
static void judge_session(struct judge *a)
{
    const int64_t session_id = a->ops[0].session_id;
    const size_t marks = a->mark_count;
    if (a->is_cut) {
        leave_open(a, marks);
        return;
    }
    memset(a->is_marked, 0, a->op_count * sizeof(*a->is_marked));
    mark_session(a);
    add_session_evidence(a);
    if (!a->is_second_look && (a->mark_count > marks || life_of(a).is_visitor)) {
        twins_note(a->twins, session_id);
    }
    if (a->is_second_look && a->mark_count > marks && twins_is_dropped(a->twins, session_id)) {
        leave_open(a, marks);
    } else if (needs_check(a) && a->check_count == CHECKS) {
        leave_open(a, marks);
    } else if (needs_check(a)) {
        add_check(a, check_session(a, 0));
    }
}

/* --- the passes ------------------------------------------------------------------------------- */

static int keep_operation(const struct operation_row *o, void *user)
{
    struct judge *a = user;
    if (a->op_count == OPERATIONS) {
        a->is_cut = true;
        return 0;
    }
    if (a->op_count == a->op_capacity) {
        a->op_capacity = a->op_capacity > 0 ? 2 * a->op_capacity : 64;
        a->ops = hr_xrealloc(a->ops, a->op_capacity * sizeof(*a->ops));
        a->is_marked = hr_xrealloc(a->is_marked, a->op_capacity * sizeof(*a->is_marked));
    }
    a->ops[a->op_count++] = *o;
    return 0;
}

static void forget_session(struct judge *a)
{
    a->op_count = 0;
    a->is_cut = false;
}

/* What happened to other values of the chain, and at other sites. */
static void add_from_others(struct judge *a)
{
    if (a->is_second_look && a->op_count > 0) {
        chains_give_logouts(a->chains, a->ops, a->op_count, keep_operation, a);
        twins_give_logins(a->twins, a->ops[0].session_id, keep_operation, a);
    }
}

static bool is_beyond_glance(const struct judge *a)
{
    bool is_beyond = a->op_count > GLANCED_OPERATIONS || a->glanced_count == GLANCED;
    for (size_t i = 0; i < a->op_count && !is_beyond; i++) {
        is_beyond = a->ops[i].endpoint_id > a->glance->endpoint_limit;
    }
    return is_beyond;
}

static void note_glanced(struct judge *a)
{
    a->glanced = hr_xgrow(a->glanced, a->glanced_count, sizeof(*a->glanced));
    a->glanced[a->glanced_count++] = a->ops[0].session_id;
}

static void end_session(struct judge *a)
{
    if (a->op_count > 0 && a->glance != NULL && !is_beyond_glance(a)) {
        note_glanced(a);
    } else if (a->glance != NULL) {
        a->op_count = 0;
    }
    if (a->op_count > 0) {
        if (a->is_second_look) {
            add_from_others(a);
        } else {
            chains_note(a->chains, a->ops, a->op_count);
            note_programs(a);
        }
        judge_session(a);
    }
    forget_session(a);
}

static int operation_row(const struct operation_row *o, void *user)
{
    struct judge *a = user;
    if (a->op_count > 0 && a->ops[0].session_id != o->session_id) {
        end_session(a);
    }
    return keep_operation(o, a);
}

static int judge_sessions(struct judge *a)
{
    const int64_t since = a->glance != NULL ? a->glance->since : 0;
    const int64_t limit = a->glance != NULL ? GLANCED_OPERATIONS + 1 : -1;
    int r = read_site_anonymous(a->store, a->site_id, since, anonymous_row, a);
    r = r == 0 ? read_site_operations(a->store, a->site_id, since, limit, operation_row, a) : r;
    end_session(a);
    return r;
}

/* What was found without knowing the others. */
static void forget_first_look(struct judge *a)
{
    endpoints_clear(a->endpoints);
    a->mark_count = 0;
    a->check_count = 0;
    a->counters.contradictions_dropped = 0;
    a->counters.sessions_unjudged = 0;
}

static int judge_twice(struct judge *a)
{
    bool has_twins = false;
    int r = judge_sessions(a);
    r = r == 0 ? twins_resolve(a->twins, &has_twins) : r;
    if (r == 0 && (has_twins || chains_any(a->chains))) {
        r = chains_resolve(a->chains);
        forget_first_look(a);
        a->is_second_look = true;
        r = r == 0 ? judge_sessions(a) : r;
    }
    return r;
}

static int endpoint_row(int64_t endpoint_id, const char *method, const char *path_template,
                        void *user)
{
    struct judge *a = user;
    struct endpoint_evidence *e = endpoints_get(a->endpoints, endpoint_id);
    e->declared =
        profile_declared_protection(a->profile, hr_span_str(method), hr_span_str(path_template));
    a->counters.endpoints_dropped += endpoints_is_dropped(a->endpoints, endpoint_id);
    return 0;
}

static int set_endpoint(int64_t endpoint_id, const struct endpoint_evidence *evidence,
                        enum endpoint_protection protection, void *user)
{
    struct judge *a = user;
    return analysis_set_endpoint(a->store, endpoint_id, evidence, protection);
}

static int add_often(int64_t endpoint_id, int64_t quarter, uint64_t sessions, void *user)
{
    struct judge *a = user;
    return analysis_add_often(a->store, endpoint_id, quarter, sessions);
}

static int judge_endpoints(struct judge *a)
{
    int r = read_site_endpoints(a->store, a->site_id, endpoint_row, a);
    r = r == 0 ? endpoints_judge(a->endpoints, set_endpoint, a) : r;
    return r == 0 ? endpoints_emit_often(a->endpoints, add_often, a) : r;
}

static int check_sessions(struct judge *a)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < a->check_count; i++) {
        struct session_check *c = &a->checks[i];
        if (c->order != ORDER_EXPLAINED) {
            forget_session(a);
            r = read_session_operations(a->store, c->session_id, keep_operation, a);
            add_from_others(a);
            *c = check_session(a, PROTECTED_ONLY);
        }
        a->counters.orders_unknown += c->order == ORDER_UNKNOWN;
        r = r == 0 ? analysis_set_session(a->store, c->session_id, c->order, c->witness_id) : r;
    }
    return r;
}

static void judge_finish(struct judge *a)
{
    endpoints_destroy(a->endpoints);
    chains_destroy(a->chains);
    twins_destroy(a->twins);
    free(a->ops);
    free(a->is_marked);
    free(a->marks);
    free(a->checks);
    free(a->shared);
    free(a->glanced);
}

void judge_emit_counters(const struct judge_counters *counters, hr_counter_fn emit, void *user)
{
    static const struct hr_counter_info info[] = {JUDGE_COUNTERS(HR_COUNTER_INFO)};
    hr_counters_emit(info, HR_ARRAY_LEN(info), counters, emit, user);
}

static void count(const struct judge *a, struct judge_counters *counters)
{
    counters->orders_unknown += a->counters.orders_unknown;
    counters->sessions_unjudged += a->counters.sessions_unjudged + a->shared_dropped;
    counters->contradictions_dropped += a->counters.contradictions_dropped;
    counters->endpoints_dropped += a->counters.endpoints_dropped;
    counters->values_unchained += chains_dropped(a->chains);
    counters->twins_cut += twins_is_cut(a->twins);
}

static int judge_create(struct judge *a)
{
    a->chains = chains_create(a->store);
    a->endpoints = endpoints_create(ENDPOINTS);
    const int r = a->epsilon < 0 ? read_site_clock_doubt(a->store, a->site_id, &a->epsilon) : 0;
    return r == 0 ? twins_create(a->store, a->site_id, &a->twins) : r;
}

static int write_sessions(const struct judge *a)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < a->mark_count; i++) {
        r = analysis_set_mark(a->store, &a->marks[i]);
    }
    for (size_t i = 0; r == 0 && i < a->shared_count; i++) {
        r = analysis_set_programs(a->store, a->shared[i]);
    }
    return r;
}

int judge_site(struct store *s, int64_t site_id, const struct profile *profile, hr_nsec clock_error,
               struct judge_counters *counters)
{
    struct judge a = {.store = s, .site_id = site_id, .profile = profile, .epsilon = clock_error};
    int r = judge_create(&a);
    r = r == 0 ? judge_twice(&a) : r;
    r = r == 0 ? write_sessions(&a) : r;
    r = r == 0 ? judge_endpoints(&a) : r;
    r = r == 0 ? check_sessions(&a) : r;
    if (r == 0) {
        count(&a, counters);
    }
    judge_finish(&a);
    return r;
}

/* Which endpoints are protected is known from before. What may turn one public is not judged by
 * halves: findings there would not hold. */
static int take_protection(int64_t endpoint_id, const struct endpoint_evidence *evidence,
                           enum endpoint_protection of_a_part, void *user)
{
    struct judge *a = user;
    enum endpoint_protection protection = PROTECTION_UNKNOWN;
    (void)of_a_part;
    const int r = read_endpoint_protection(a->store, endpoint_id, &protection);
    a->must_wait =
        a->must_wait || (evidence->granted_without > 0 && protection != PROTECTION_PUBLIC &&
                         endpoint_id <= a->glance->endpoint_limit);
    endpoints_set_protection(a->endpoints, endpoint_id, protection);
    return r;
}

/* A login at a kindred site may explain it, and that one may wait as well. */
static bool needs_kin(const struct judge *a)
{
    bool is_open = a->mark_count > 0;
    for (size_t i = 0; i < a->check_count && !is_open; i++) {
        is_open = a->checks[i].order != ORDER_EXPLAINED;
    }
    return is_open && twins_has_kin(a->twins);
}

static int write_glance(struct judge *a, struct rule_glance *to)
{
    int r = 0;
    to->sites = hr_xgrow(to->sites, to->site_count, sizeof(*to->sites));
    to->sites[to->site_count++] = a->site_id;
    for (size_t i = 0; r == 0 && i < a->glanced_count; i++) {
        to->sessions = hr_xgrow(to->sessions, to->session_count, sizeof(*to->sessions));
        to->sessions[to->session_count++] = a->glanced[i];
        r = analysis_begin_session(a->store, a->glanced[i]);
    }
    r = r == 0 ? write_sessions(a) : r;
    return r == 0 ? check_sessions(a) : r;
}

int judge_glance(struct store *s, int64_t site_id, const struct glance *g, hr_nsec clock_error,
                 struct rule_glance *to)
{
    struct judge a = {.store = s, .site_id = site_id, .glance = g, .epsilon = clock_error};
    int r = judge_create(&a);
    r = r == 0 ? judge_sessions(&a) : r;
    r = r == 0 ? endpoints_judge(a.endpoints, take_protection, &a) : r;
    a.must_wait = a.must_wait || chains_any(a.chains) || needs_kin(&a);
    r = r == 0 && !a.must_wait ? write_glance(&a, to) : r;
    judge_finish(&a);
    return r;
}
