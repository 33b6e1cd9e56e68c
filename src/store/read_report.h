/*
 * store/read_report.h - what a report says beside findings: counts in a span of time, by endpoint, by
 * quarter hour, by session. Rows as in store/read.h; of a filter site, since, until, min_severity and
 * limit count.
 */
#ifndef HR_STORE_READ_REPORT_H
#define HR_STORE_READ_REPORT_H

#include "store/read.h"

int read_site_names(struct store *s, int (*row)(const char *name, void *user), void *user);

struct scope_counts {
    int64_t exchanges; /* with a request; of every quarter hour that the span touches */
    int64_t sites;
    int64_t sessions;
};
int read_scope_counts(struct store *s, const struct read_filter *f, struct scope_counts *ret_counts);

/** @param ret_is_behind  whether traffic of the part came in, or other traffic of its sites was deleted, since
 * the last whole look at a site: of that traffic findings may still come, change and go */
int read_scope_is_behind(struct store *s, const struct read_filter *f, bool *ret_is_behind);

/** How often the situations of the rules occurred in the part. */
int read_scope_rule_runs(struct store *s, const struct read_filter *f,
                         int (*row)(const struct rule_run_view *x, void *user), void *user);

struct status_view { /* one cell of the heat map */
    const char *site;
    const char *method;
    const char *path;       /* template */
    const char *protection; /* "protected", "public", "unknown" */
    int status;             /* 0: no response */
    int64_t exchanges;
};
/** Endpoint by endpoint, statuses ascending. */
int read_statuses(struct store *s, const struct read_filter *f,
                  int (*row)(const struct status_view *x, void *user), void *user);

/** Exchanges by quarter hours in which there are any. */
int read_traffic(struct store *s, const struct read_filter *f,
                 int (*row)(hr_nsec at, int64_t exchanges, void *user), void *user);

/** The same, also of quarter hours that were let go since, as long as a trend goes back. */
int read_trend_traffic(struct store *s, const struct read_filter *f,
                       int (*row)(hr_nsec at, int64_t exchanges, void *user), void *user);

struct login_view {
    hr_nsec at;          /* beginning of the quarter hour */
    const char *outcome; /* "success", "failure", "error", "none" */
    bool has_token;      /* the response gave a token */
    int64_t logins;
};
int read_login_counts(struct store *s, const struct read_filter *f,
                      int (*row)(const struct login_view *x, void *user), void *user);

struct finding_mark { /* a finding without its evidence, for comparing and counting */
    hr_nsec at;
    const char *rule;
    const char *severity;
    const char *verdict;
    const char *site;     /* NULL: none */
    const char *endpoint; /* NULL: none */
    const char *group;
    const char *summary;
    bool suppressed;
    int64_t count; /* more than 1: of a problem in a quarter hour, that were let go since */
};
/** In order of time; also those that were let go. */
int read_finding_marks(struct store *s, const struct read_filter *f,
                       int (*row)(const struct finding_mark *x, void *user), void *user);

/** When each problem was found first, also where those findings were let go. In order of groups. */
int read_problems_known(struct store *s,
                        int (*row)(const char *group, hr_nsec first_at, void *user), void *user);

struct window_view { /* two answers to one session, neighbours in time, one granted and one denied */
    const char *session;
    const char *site;
    const char *first_endpoint; /* NULL: none */
    int first_status;
    int64_t first_frame;
    hr_nsec first_at;
    const char *endpoint; /* NULL: none */
    int status;
    int64_t frame;
    hr_nsec at;
    const char *capture;
    int64_t stream;
};
/** The closest first; those less than a second apart. */
int read_windows(struct store *s, const struct read_filter *f,
                 int (*row)(const struct window_view *x, void *user), void *user);

struct session_span { /* of a finding's session; exchange 0: not seen */
    int64_t login_exchange;
    hr_nsec login_start;
    hr_nsec login_end;
    int64_t logout_exchange;
    hr_nsec logout_start;
    hr_nsec logout_end;
};
/** The login before the finding, and the first logout behind that. */
int read_finding_span(struct store *s, int64_t finding_id, struct session_span *ret_span);

#endif
