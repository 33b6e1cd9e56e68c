/*
 * Counts for reports: of a span of time, by endpoint, quarter hour and session.
 */
#include "store/read_report.h"

#include "base/alloc.h"
#include "store/read_list.h"

static const char *const outcomes[] = {
    [OUTCOME_NONE] = "none",       [OUTCOME_SUCCESS] = "success", [OUTCOME_FAILURE] = "failure",
    [OUTCOME_GRANTED] = "success", [OUTCOME_DENIED] = "failure",  [OUTCOME_ERROR] = "error",
};
static const char *const protections[] = {
    [PROTECTION_UNKNOWN] = "unknown",
    [PROTECTION_PROTECTED] = "protected",
    [PROTECTION_PUBLIC] = "public",
};

static const char *word_of(const char *const *words, size_t count, int64_t number)
{
    return number >= 0 && (size_t)number < count ? words[number] : "none";
}

/* A database can hold any number. */
static hr_nsec quarter_at(int64_t quarter)
{
    const int64_t most = INT64_MAX / HR_NSEC_PER_QUARTER;
    return (quarter > most ? most : quarter < -most ? -most : quarter) * HR_NSEC_PER_QUARTER;
}

/* The first quarter hour that begins at or after that time. */
static int64_t quarter_from(hr_nsec at)
{
    int64_t quarter = at / HR_NSEC_PER_QUARTER;
    return quarter + (at > 0 && at % HR_NSEC_PER_QUARTER != 0 ? 1 : 0);
}

static sqlite3_stmt *quarters(struct store *s, enum stmt_id id, const struct read_filter *f)
{
    sqlite3_stmt *q = store_stmt(s, id);
    bind_text(q, 1, f->site);
    bind_number(q, 4, f->since == INT64_MIN ? INT64_MIN : f->since / HR_NSEC_PER_QUARTER);
    bind_number(q, 5, quarter_from(f->until));
    return q;
}

static sqlite3_stmt *times(struct store *s, enum stmt_id id, const struct read_filter *f)
{
    sqlite3_stmt *q = store_stmt(s, id);
    bind_text(q, 1, f->site);
    bind_number(q, 4, f->since);
    bind_number(q, 5, f->until);
    return q;
}

int read_site_names(struct store *s, int (*row)(const char *name, void *user), void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_SITE_NAMES);
    int r;
    while ((r = store_step(s, q)) > 0) {
        r = row(column_text(q, 0), user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_scope_counts(struct store *s, const struct read_filter *f, struct scope_counts *ret_counts)
{
    struct scope_counts counts = {0};
    sqlite3_stmt *q = quarters(s, STMT_SCOPE_COUNTS, f);
    int r = store_step(s, q);
    if (r <= 0) {
        return r;
    }
    counts.exchanges = sqlite3_column_int64(q, 0);
    counts.sites = sqlite3_column_int64(q, 1);
    store_end_rows(q, 0);
    r = store_number(s, times(s, STMT_SCOPE_SESSIONS, f), 0, &counts.sessions);
    if (r == 0) {
        *ret_counts = counts;
    }
    return r;
}

int read_scope_is_behind(struct store *s, const struct read_filter *f, bool *ret_is_behind)
{
    int64_t is_behind = 0;
    sqlite3_stmt *q = times(s, STMT_SCOPE_BEHIND, f);
    bind_number(q, 7, f->since == INT64_MIN && f->until == HR_NSEC_INFINITE);
    const int r = store_number(s, q, 0, &is_behind);
    *ret_is_behind = is_behind != 0;
    return r;
}

int read_scope_rule_runs(struct store *s, const struct read_filter *f,
                         int (*row)(const struct rule_run_view *x, void *user), void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_SCOPE_RULE_RUNS);
    bind_text(q, 1, f->site);
    sqlite3_bind_null(q, 4);
    sqlite3_bind_null(q, 5);
    if (f->since != INT64_MIN) {
        bind_number(q, 4, hr_quarter(f->since));
    }
    if (f->until != HR_NSEC_INFINITE) {
        bind_number(q, 5, quarter_from(f->until));
    }
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct rule_run_view x = {.rule = column_text(q, 0), .exercised = column_count(q, 1)};
        r = row(&x, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_statuses(struct store *s, const struct read_filter *f,
                  int (*row)(const struct status_view *x, void *user), void *user)
{
    sqlite3_stmt *q = quarters(s, STMT_SCOPE_STATUSES, f);
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct status_view x = {
            .site = column_text(q, 0),
            .method = column_text(q, 1),
            .path = column_text(q, 2),
            .protection =
                word_of(protections, HR_ARRAY_LEN(protections), sqlite3_column_int64(q, 3)),
            .status = sqlite3_column_int(q, 4),
            .exchanges = sqlite3_column_int64(q, 5),
        };
        r = row(&x, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

static int give_traffic(struct store *s, sqlite3_stmt *q,
                        int (*row)(hr_nsec at, int64_t exchanges, void *user), void *user)
{
    int r;
    while ((r = store_step(s, q)) > 0) {
        r = row(quarter_at(sqlite3_column_int64(q, 0)), sqlite3_column_int64(q, 1), user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_traffic(struct store *s, const struct read_filter *f,
                 int (*row)(hr_nsec at, int64_t exchanges, void *user), void *user)
{
    return give_traffic(s, quarters(s, STMT_SCOPE_TRAFFIC, f), row, user);
}

int read_trend_traffic(struct store *s, const struct read_filter *f,
                       int (*row)(hr_nsec at, int64_t exchanges, void *user), void *user)
{
    return give_traffic(s, quarters(s, STMT_TREND_TRAFFIC, f), row, user);
}

int read_login_counts(struct store *s, const struct read_filter *f,
                      int (*row)(const struct login_view *x, void *user), void *user)
{
    sqlite3_stmt *q = quarters(s, STMT_SCOPE_LOGINS, f);
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct login_view x = {
            .at = quarter_at(sqlite3_column_int64(q, 0)),
            .outcome = word_of(outcomes, HR_ARRAY_LEN(outcomes), sqlite3_column_int64(q, 1)),
            .has_token = sqlite3_column_int(q, 2) != 0,
            .logins = sqlite3_column_int64(q, 3),
        };
        r = row(&x, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_finding_marks(struct store *s, const struct read_filter *f,
                       int (*row)(const struct finding_mark *x, void *user), void *user)
{
    sqlite3_stmt *q = times(s, STMT_SCOPE_FINDINGS, f);
    bind_text(q, 10, f->min_severity);
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct finding_mark x = {
            .at = sqlite3_column_int64(q, 0),
            .rule = column_text(q, 1),
            .severity = column_text(q, 2),
            .verdict = column_text(q, 3),
            .site = column_text(q, 4),
            .endpoint = column_text(q, 5),
            .group = column_text(q, 6),
            .summary = column_text(q, 7),
            .suppressed = sqlite3_column_int(q, 8) != 0,
            .count = sqlite3_column_int64(q, 9),
        };
        r = row(&x, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_problems_known(struct store *s,
                        int (*row)(const char *group, hr_nsec first_at, void *user), void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_PROBLEMS_KNOWN);
    int r;
    while ((r = store_step(s, q)) > 0) {
        r = row(column_text(q, 0), sqlite3_column_int64(q, 1), user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_windows(struct store *s, const struct read_filter *f,
                 int (*row)(const struct window_view *x, void *user), void *user)
{
    sqlite3_stmt *q = times(s, STMT_SCOPE_WINDOWS, f);
    bind_number(q, 7, f->limit);
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct window_view x = {
            .session = column_text(q, 0),
            .site = column_text(q, 1),
            .first_endpoint = column_text(q, 2),
            .first_status = sqlite3_column_int(q, 3),
            .first_frame = sqlite3_column_int64(q, 4),
            .first_at = sqlite3_column_int64(q, 5),
            .endpoint = column_text(q, 6),
            .status = sqlite3_column_int(q, 7),
            .frame = sqlite3_column_int64(q, 8),
            .at = sqlite3_column_int64(q, 9),
            .capture = column_text(q, 10),
            .stream = column_count(q, 11),
        };
        r = row(&x, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_finding_span(struct store *s, int64_t finding_id, struct session_span *ret_span)
{
    struct session_span span = {.login_start = HR_NSEC_INFINITE,
                                .login_end = HR_NSEC_INFINITE,
                                .logout_start = HR_NSEC_INFINITE,
                                .logout_end = HR_NSEC_INFINITE};
    sqlite3_stmt *q = store_stmt(s, STMT_FINDING_SPAN);
    bind_number(q, 1, finding_id);
    int r = store_step(s, q);
    if (r > 0) {
        span =
            (struct session_span){sqlite3_column_int64(q, 0), column_time(q, 1), column_time(q, 2),
                                  sqlite3_column_int64(q, 3), column_time(q, 4), column_time(q, 5)};
        r = store_end_rows(q, 0);
    }
    if (r == 0) {
        *ret_span = span;
    }
    return r;
}
