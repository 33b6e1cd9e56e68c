#include "report/overview.h"

#include "base/alloc.h"
#include "base/counter.h"
#include "base/local.h"
#include "report/rank.h"

#include <stdlib.h>
#include <string.h>

enum { HOURS_MAX = 72, WINDOWS_MAX = 400 };

/* ---- hours or days ---- */

static void make_buckets(struct overview *o, hr_nsec from, hr_nsec to)
{
    const hr_nsec hour = 3600 * HR_NSEC_PER_SEC;
    o->is_by_day = hr_nsec_sub(to, from) > HOURS_MAX * hour;
    hr_nsec at = o->is_by_day ? hr_local_midnight(from, 0) : from;
    if (o->is_by_day) {
        const hr_nsec earliest = hr_local_midnight(to - 1, 1 - OVERVIEW_BUCKETS_MAX);
        o->is_cut = at < earliest;
        at = o->is_cut ? earliest : at;
    } else {
        at = hr_local_hour_end(from) - hour;
    }
    while (at < to && o->bucket_count < OVERVIEW_BUCKETS_MAX) {
        struct overview_bucket *b = &o->buckets[o->bucket_count++];
        b->from = at;
        b->to = o->is_by_day ? hr_local_day_end(at) : hr_local_hour_end(at);
        at = b->to;
    }
}

static struct overview_bucket *bucket_at(struct overview *o, hr_nsec at)
{
    for (size_t i = 0; i < o->bucket_count; i++) {
        if (at >= o->buckets[i].from && at < o->buckets[i].to) {
            return &o->buckets[i];
        }
    }
    return NULL;
}

static int add_traffic(hr_nsec at, int64_t exchanges, void *user)
{
    struct overview_bucket *b = bucket_at(user, at);
    if (b != NULL) {
        hr_count_add(&b->exchanges, exchanges);
    }
    return 0;
}

static int add_logins(const struct login_view *x, void *user)
{
    struct overview_bucket *b = bucket_at(user, x->at);
    enum overview_login kind = LOGIN_UNCLEAR;
    if (strcmp(x->outcome, "success") == 0) {
        kind = x->has_token ? LOGIN_WITH_TOKEN : LOGIN_WITHOUT_TOKEN;
    } else if (strcmp(x->outcome, "failure") == 0) {
        kind = LOGIN_FAILED;
    }
    if (b != NULL) {
        hr_count_add(&b->logins[kind], x->logins);
    }
    return 0;
}

static int add_loss(const struct loss_view *x, void *user)
{
    struct overview *o = user;
    size_t k = 0;
    while (k < o->loss_kind_count && strcmp(o->loss_kinds[k], x->kind) != 0) {
        k++;
    }
    if (k == OVERVIEW_LOSSES_MAX) {
        return 0;
    }
    if (k == o->loss_kind_count) {
        o->loss_kinds[o->loss_kind_count++] = hr_arena_text(&o->arena, x->kind);
    }
    const struct overview_bucket *end = bucket_at(o, x->to_at);
    struct overview_bucket *b = x->from_at != INT64_MIN ? bucket_at(o, x->from_at) : NULL;
    if (b != NULL && (x->stream >= 0 || b == end)) {
        hr_count_add(&b->losses[k], x->count);
    } else {
        hr_count_add(&o->whole_losses[k], x->count);
    }
    return 0;
}

static int load_buckets(struct overview *o, struct store *s, const struct report *r)
{
    const struct read_filter *f = &r->job.filter;
    const hr_nsec from = f->since != INT64_MIN ? f->since : r->first_at;
    const hr_nsec to = f->until != HR_NSEC_INFINITE ? f->until : hr_nsec_add(r->last_at, 1);
    if (from == HR_NSEC_INFINITE || to <= from) {
        return 0;
    }
    make_buckets(o, from, to);
    int err = read_traffic(s, f, add_traffic, o);
    err = err == 0 ? read_login_counts(s, f, add_logins, o) : err;
    return err == 0 ? read_losses(s, f, add_loss, o) : err;
}

/* ---- the last days ---- */

static struct overview_day *day_at(struct overview *o, hr_nsec at)
{
    for (size_t i = 0; i < OVERVIEW_TREND_DAYS; i++) {
        if (at >= o->days[i].from && at < o->days[i].to) {
            return &o->days[i];
        }
    }
    return NULL;
}

static int add_day_traffic(hr_nsec at, int64_t exchanges, void *user)
{
    struct overview_day *d = day_at(user, at);
    if (d != NULL) {
        hr_count_add(&d->exchanges, exchanges);
    }
    return 0;
}

static int add_mark(const struct finding_mark *x, void *user)
{
    struct overview_day *d = day_at(user, x->at);
    if (d != NULL && !x->suppressed) {
        hr_count_add(&d->findings[report_severity_rank(x->severity)], x->count);
    }
    return 0;
}

static int load_trend(struct overview *o, struct store *s, const struct report *r)
{
    struct read_filter f = r->job.filter;
    hr_nsec last = f.until != HR_NSEC_INFINITE ? f.until - 1 : r->last_at;
    if (last == HR_NSEC_INFINITE) {
        return 0;
    }
    for (size_t i = 0; i < OVERVIEW_TREND_DAYS; i++) {
        o->days[i].from = hr_local_midnight(last, (int)i + 1 - OVERVIEW_TREND_DAYS);
        o->days[i].to = hr_local_day_end(o->days[i].from);
    }
    f.since = o->days[0].from;
    f.until = o->days[OVERVIEW_TREND_DAYS - 1].to;
    int err = read_trend_traffic(s, &f, add_day_traffic, o);
    return err == 0 ? read_finding_marks(s, &f, add_mark, o) : err;
}

int overview_load_trend(struct overview *o, struct store *s, const struct report *r)
{
    memset(o, 0, sizeof(*o));
    hr_arena_init(&o->arena);
    return load_trend(o, s, r);
}

/* ---- endpoint and status ---- */

struct cell {
    size_t row;
    int status;
    int64_t exchanges;
};

struct heat_reader {
    struct overview *overview;
    struct cell *cells;
    size_t count;
};

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static int add_cell(const struct status_view *x, void *user)
{
    struct heat_reader *h = user;
    struct overview *o = h->overview;
    struct overview_row *last = o->row_count > 0 ? &o->rows[o->row_count - 1] : NULL;
    if (last == NULL || !same(last->path, x->path) || !same(last->method, x->method) ||
        !same(last->site, x->site)) {
        o->rows = hr_xgrow(o->rows, o->row_count, sizeof(*o->rows));
        last = &o->rows[o->row_count++];
        *last = (struct overview_row){.site = hr_arena_text(&o->arena, x->site),
                                      .method = hr_arena_text(&o->arena, x->method),
                                      .path = hr_arena_text(&o->arena, x->path),
                                      .protection = x->protection};
    }
    hr_count_add(&last->sum, x->exchanges);
    h->cells = hr_xgrow(h->cells, h->count, sizeof(*h->cells));
    h->cells[h->count++] = (struct cell){o->row_count - 1, x->status, x->exchanges};
    return 0;
}

static int compare_status(const void *x, const void *y)
{
    const struct cell *a = x;
    const struct cell *b = y;
    /* "none" stands last */
    int p = a->status == 0 ? INT32_MAX : a->status;
    int q = b->status == 0 ? INT32_MAX : b->status;
    return (p > q) - (p < q);
}

/* The columns are the statuses that occur; very many are no more a picture. */
static void make_columns(struct heat_reader *h)
{
    struct overview *o = h->overview;
    if (h->count > 0) {
        qsort(h->cells, h->count, sizeof(*h->cells), compare_status);
    }
    for (size_t i = 0; i < h->count; i++) {
        const struct cell *c = &h->cells[i];
        bool is_new = o->status_count == 0 || o->statuses[o->status_count - 1] != c->status;
        if (is_new && o->status_count == OVERVIEW_STATUSES_MAX) {
            o->statuses_left_out += i == 0 || h->cells[i - 1].status != c->status ? 1 : 0;
            continue;
        }
        if (is_new) {
            o->statuses[o->status_count++] = c->status;
        }
        hr_count_add(&o->rows[c->row].counts[o->status_count - 1], c->exchanges);
    }
}

static int compare_rows(const void *x, const void *y)
{
    const struct overview_row *a = x;
    const struct overview_row *b = y;
    int r = (b->findings > a->findings) - (b->findings < a->findings);
    r = r != 0 ? r : (b->sum > a->sum) - (b->sum < a->sum);
    r = r != 0 ? r : strcmp(a->site, b->site);
    r = r != 0 ? r : strcmp(a->path, b->path);
    return r != 0 ? r : strcmp(a->method, b->method);
}

/* A row against a finding's site and endpoint, in the order in which rows are read. */
static int compare_place(const void *finding, const void *row)
{
    const struct finding_view *f = finding;
    const struct overview_row *x = row;
    const char *path = strchr(f->endpoint, ' ');
    const size_t length = (size_t)(path - f->endpoint);
    int r = strcmp(f->site, x->site);
    r = r != 0 ? r : strcmp(path + 1, x->path);
    r = r != 0 ? r : strncmp(f->endpoint, x->method, length);
    return r != 0 ? r : -(x->method[length] != '\0');
}

static void count_findings(struct overview *o, const struct report *r)
{
    for (size_t i = 0; i < r->finding_count && o->row_count > 0; i++) {
        const struct finding_view *f = &r->findings[i];
        if (f->suppressed || f->site == NULL || f->endpoint == NULL ||
            strchr(f->endpoint, ' ') == NULL) {
            continue;
        }
        struct overview_row *row =
            bsearch(f, o->rows, o->row_count, sizeof(*o->rows), compare_place);
        if (row != NULL) {
            row->findings++;
        }
    }
}

static int read_heat(struct overview *o, struct store *s, const struct read_filter *f)
{
    struct heat_reader h = {.overview = o};
    int err = read_statuses(s, f, add_cell, &h);
    make_columns(&h);
    free(h.cells);
    return err;
}

static void sort_rows(struct overview *o)
{
    if (o->row_count > 0) {
        qsort(o->rows, o->row_count, sizeof(*o->rows), compare_rows);
    }
}

static int load_heat(struct overview *o, struct store *s, const struct report *r)
{
    int err = read_heat(o, s, &r->job.filter);
    count_findings(o, r);
    sort_rows(o);
    return err;
}

int overview_load_heat(struct overview *o, struct store *s, const struct read_filter *f)
{
    memset(o, 0, sizeof(*o));
    hr_arena_init(&o->arena);
    int err = read_heat(o, s, f);
    sort_rows(o);
    return err;
}

/* ---- contradictory answers close together ---- */

static int add_window(const struct window_view *x, void *user)
{
    struct overview *o = user;
    o->windows = hr_xgrow(o->windows, o->window_count, sizeof(*o->windows));
    struct window_view *w = &o->windows[o->window_count++];
    *w = *x;
    w->session = hr_arena_text(&o->arena, x->session);
    w->site = hr_arena_text(&o->arena, x->site);
    w->first_endpoint = hr_arena_text(&o->arena, x->first_endpoint);
    w->endpoint = hr_arena_text(&o->arena, x->endpoint);
    w->capture = hr_arena_text(&o->arena, x->capture);
    return 0;
}

int overview_load(struct overview *o, struct store *s, const struct report *r)
{
    struct read_filter closest = r->job.filter;
    memset(o, 0, sizeof(*o));
    hr_arena_init(&o->arena);
    closest.limit = WINDOWS_MAX;
    int err = load_buckets(o, s, r);
    err = err == 0 ? load_trend(o, s, r) : err;
    err = err == 0 ? load_heat(o, s, r) : err;
    return err == 0 ? read_windows(s, &closest, add_window, o) : err;
}

void overview_finish(struct overview *o)
{
    free(o->rows);
    free(o->windows);
    hr_arena_finish(&o->arena);
}
