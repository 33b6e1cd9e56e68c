#include "base/alloc.h"
#include "history/check.h"
#include "history/interval.h"

#include <stdlib.h>
#include <string.h>

/*
 * The sweep goes through the starts and ends in order of time (starts first at equal times) and
 * keeps every state that the session can be in. Between two events lies a step; steps are numbered
 * from 0, and in each one open logins may be applied and the session may end silently.
 *
 * A configuration is worth no more than another of the same value whose other value held no
 * earlier and which has at least as many logins left to apply, each ending no earlier (one left
 * over can always be applied and its effect be undone by a silent end). Only the best are kept;
 * there are few, whatever the history: see is_covered().
 */

enum {
    OPEN_LOGINS = 60,     /* acknowledged logins open at a time; bits of configuration.pending */
    CONFIGURATIONS = 512, /* kept at a time */
};
#define WORK_FLOOR UINT64_C(20000000) /* comparisons of configurations; more for long histories */
#define WORK_PER_OPERATION 100

#define NO_STEP 0 /* no access can have begun in step 0 */

struct configuration {
    uint64_t
        pending;  /* open acknowledged logins not yet applied: bit 0 ends last, the highest first */
    size_t used;  /* unanswered logins that were applied; they are interchangeable */
    size_t other; /* latest step in which the other value held; NO_STEP: too long ago to matter */
    bool live;
};

struct front {
    struct configuration items[CONFIGURATIONS];
    size_t count;
};

struct event {
    hr_nsec at;
    bool is_end;
    size_t op;
};

struct sweep {
    const struct history_operation *ops;
    hr_nsec epsilon;
    struct event *events;
    size_t event_count;
    size_t *start_step; /* by operation: the first step in which it is open */
    bool *is_over;      /* by operation */
    size_t *accesses;   /* grants and not-lives in order of start */
    size_t access_count;
    size_t oldest;            /* index in accesses: the first that is still open */
    size_t open[OPEN_LOGINS]; /* acknowledged logins, in order of pending's bits */
    size_t open_count;
    size_t unanswered; /* logins without an end that have begun */
    size_t step;
    uint64_t work;
    uint64_t work_limit;
    bool gave_up;
    struct front front;
    struct front before; /* scratch */
};

static int compare_events(const void *a, const void *b)
{
    const struct event *x = a;
    const struct event *y = b;
    if (x->at != y->at) {
        return x->at < y->at ? -1 : 1;
    }
    if (x->is_end != y->is_end) {
        return x->is_end ? 1 : -1;
    }
    return x->op < y->op ? -1 : x->op > y->op;
}

/** Can each login left over in b be matched with one in a that ends no earlier? */
static bool has_pending_of(uint64_t a, uint64_t b, size_t open_count)
{
    if ((b & ~a) == 0) {
        return true;
    }
    int balance = 0;
    for (size_t i = 0; i < open_count; i++) {
        balance += (int)(a >> i & 1) - (int)(b >> i & 1);
        if (balance < 0) {
            return false;
        }
    }
    return true;
}

static bool is_covered(const struct sweep *s, const struct configuration *by,
                       const struct configuration *c)
{
    return by->live == c->live && by->other >= c->other && by->used <= c->used &&
           has_pending_of(by->pending, c->pending, s->open_count);
}

static void front_add(struct sweep *s, struct configuration c)
{
    struct front *f = &s->front;
    s->work += f->count * (2 + s->open_count / 4);
    for (size_t i = 0; i < f->count; i++) {
        if (is_covered(s, &f->items[i], &c)) {
            return;
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (!is_covered(s, &c, &f->items[i])) {
            f->items[kept++] = f->items[i];
        }
    }
    f->count = kept;
    if (f->count == CONFIGURATIONS) {
        s->gave_up = true;
        return;
    }
    f->items[f->count++] = c;
}

/** Applies the open login that ends first: any other choice gains nothing. @return false: none is
 * left */
static bool apply_login(const struct sweep *s, struct configuration *c)
{
    if (c->pending != 0) {
        c->pending &= ~(UINT64_C(1) << (63 - __builtin_clzll(c->pending)));
    } else if (c->used < s->unanswered) {
        c->used++;
    } else {
        return false;
    }
    return true;
}

static void begin_again(struct sweep *s)
{
    memcpy(s->before.items, s->front.items, s->front.count * sizeof(s->front.items[0]));
    s->before.count = s->front.count;
    s->front.count = 0;
}

/*
 * Adds what may happen within the step. Two moves in a row are enough: whatever more of them lead
 * to is covered by what the first two reached.
 */
static void close_step(struct sweep *s)
{
    while (s->oldest < s->access_count && s->is_over[s->accesses[s->oldest]]) {
        s->oldest++;
    }
    const size_t matters =
        s->oldest < s->access_count ? s->start_step[s->accesses[s->oldest]] : SIZE_MAX;
    begin_again(s);
    for (size_t i = 0; i < s->before.count && !s->gave_up; i++) {
        struct configuration c = s->before.items[i];
        c.other = c.other < matters ? NO_STEP : c.other;
        front_add(s, c);
        c.other = s->step;
        if (c.live) {
            c.live = false;
            front_add(s, c);
        }
        if (apply_login(s, &c)) {
            c.live = true;
            front_add(s, c);
            c.live = false;
            front_add(s, c);
        }
    }
}

static void start_login(struct sweep *s, size_t op)
{
    if (history_is_open_ended(&s->ops[op])) {
        s->unanswered++;
        return;
    }
    if (s->open_count == OPEN_LOGINS) {
        s->gave_up = true;
        return;
    }
    /* Among equal ends the lower index ends first, as compare_events() has it. */
    const hr_nsec end = history_end(&s->ops[op], s->epsilon);
    size_t rank = 0;
    while (rank < s->open_count) {
        const hr_nsec other = history_end(&s->ops[s->open[rank]], s->epsilon);
        if (other < end || (other == end && s->open[rank] < op)) {
            break;
        }
        rank++;
    }
    memmove(&s->open[rank + 1], &s->open[rank], (s->open_count - rank) * sizeof(s->open[0]));
    s->open[rank] = op;
    s->open_count++;
    const uint64_t below = (UINT64_C(1) << rank) - 1;
    for (size_t i = 0; i < s->front.count; i++) {
        uint64_t *pending = &s->front.items[i].pending;
        *pending = (*pending & below) | (*pending & ~below) << 1 | UINT64_C(1) << rank;
    }
}

/** By now it has been applied. It is the one that ends first, so it has the highest bit. */
static void end_login(struct sweep *s)
{
    s->open_count--;
    const uint64_t bit = UINT64_C(1) << s->open_count;
    begin_again(s);
    for (size_t i = 0; i < s->before.count && !s->gave_up; i++) {
        struct configuration c = s->before.items[i];
        if ((c.pending & bit) == 0) {
            front_add(s, c);
            continue;
        }
        c.pending &= ~bit;
        if (c.live) {
            front_add(s, c); /* and its silent end: close_step() added that to this step already */
        } else {
            c.other = s->step;
            front_add(s, c);
            c.live = true;
            front_add(s, c);
        }
    }
}

/** Keeps what explains the answer: the value now, or one that held since the operation began. */
static void end_access(struct sweep *s, size_t op)
{
    const bool live = s->ops[op].kind == HISTORY_GRANT;
    size_t kept = 0;
    for (size_t i = 0; i < s->front.count; i++) {
        const struct configuration c = s->front.items[i];
        if (c.live == live || c.other >= s->start_step[op]) {
            s->front.items[kept++] = c;
        }
    }
    s->front.count = kept;
    s->is_over[op] = true;
}

static void take_event(struct sweep *s, const struct event *e)
{
    const bool is_login = history_is_login(&s->ops[e->op]);
    if (e->is_end) {
        if (is_login) {
            end_login(s);
        } else {
            end_access(s, e->op);
        }
    } else if (is_login) {
        start_login(s, e->op);
    } else {
        s->accesses[s->access_count++] = e->op;
    }
    s->step++;
    if (!e->is_end) {
        s->start_step[e->op] = s->step;
    }
}

static void list_events(struct sweep *s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (history_is_mute(&s->ops[i])) {
            continue;
        }
        s->events[s->event_count++] = (struct event){s->ops[i].start, false, i};
        const hr_nsec end = history_end(&s->ops[i], s->epsilon);
        if (!history_is_open_ended(&s->ops[i])) {
            s->events[s->event_count++] = (struct event){end, true, i};
        }
    }
    qsort(s->events, s->event_count, sizeof(s->events[0]), compare_events);
}

struct history_result history_sweep(const struct history_operation *ops, size_t count,
                                    enum history_first first, hr_nsec epsilon)
{
    struct history_result result = {
        HISTORY_EXPLAINED, HISTORY_NONE, false, {HISTORY_NONE, HISTORY_NONE}
    };
    if (count == 0) {
        return result;
    }
    struct sweep *s = hr_xcalloc(1, sizeof(*s));
    s->ops = ops;
    s->epsilon = epsilon;
    s->events = hr_xcalloc(count, 2 * sizeof(s->events[0]));
    s->start_step = hr_xcalloc(count, sizeof(s->start_step[0]));
    s->is_over = hr_xcalloc(count, sizeof(s->is_over[0]));
    s->accesses = hr_xcalloc(count, sizeof(s->accesses[0]));
    s->work_limit = WORK_FLOOR + (uint64_t)count * WORK_PER_OPERATION;
    list_events(s, count);
    front_add(s, (struct configuration){.live = false});
    if (first == HISTORY_FIRST_UNKNOWN) {
        front_add(s, (struct configuration){.live = true});
    }
    for (size_t i = 0; i < s->event_count && result.answer == HISTORY_EXPLAINED; i++) {
        close_step(s);
        if (!s->gave_up) {
            take_event(s, &s->events[i]);
        }
        if (s->gave_up || s->work > s->work_limit) {
            result.answer = HISTORY_UNKNOWN;
        } else if (s->front.count == 0) {
            result = history_contradicted(ops, count, first, epsilon, s->events[i].op);
        }
    }
    free(s->events);
    free(s->start_step);
    free(s->is_over);
    free(s->accesses);
    free(s);
    return result;
}
