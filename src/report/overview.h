/*
 * report/overview.h - what a page shows around the findings: traffic, logins and losses by the hour, the
 * heat map of endpoint and status, contradictory answers close together, the trend of the last days.
 */
#ifndef HR_REPORT_OVERVIEW_H
#define HR_REPORT_OVERVIEW_H

#include "report/model.h"
#include "store/read_report.h"

enum overview_login { LOGIN_WITH_TOKEN, LOGIN_WITHOUT_TOKEN, LOGIN_FAILED, LOGIN_UNCLEAR, LOGIN_KINDS };

enum { OVERVIEW_BUCKETS_MAX = 96, OVERVIEW_TREND_DAYS = 30, OVERVIEW_STATUSES_MAX = 16, OVERVIEW_LOSSES_MAX = 12 };

struct overview_bucket { /* an hour or a day of the zone */
    hr_nsec from;
    hr_nsec to;
    int64_t exchanges;
    int64_t logins[LOGIN_KINDS];
    int64_t losses[OVERVIEW_LOSSES_MAX];
};

struct overview_day {
    hr_nsec from;
    hr_nsec to;
    int64_t exchanges;
    int64_t findings[5]; /* by report_severity_rank(); without suppressed ones */
};

struct overview_row { /* an endpoint of the heat map */
    const char *site;
    const char *method;
    const char *path;
    const char *protection;
    int64_t counts[OVERVIEW_STATUSES_MAX];
    int64_t sum;
    int64_t findings;
};

struct overview {
    struct hr_arena arena;
    struct overview_bucket buckets[OVERVIEW_BUCKETS_MAX];
    size_t bucket_count;
    bool is_by_day;
    bool is_cut; /* the span is longer; these are its last buckets */
    const char *loss_kinds[OVERVIEW_LOSSES_MAX];
    int64_t whole_losses[OVERVIEW_LOSSES_MAX]; /* of a whole capture, or of unknown time */
    size_t loss_kind_count;
    struct overview_day days[OVERVIEW_TREND_DAYS]; /* ending with the last one of the report */
    int statuses[OVERVIEW_STATUSES_MAX];           /* columns, ascending; 0: no response, last */
    size_t status_count;
    size_t statuses_left_out;
    struct overview_row *rows; /* those with findings first, then the busiest */
    size_t row_count;
    struct window_view *windows; /* the closest first */
    size_t window_count;
};

/** @return 0 or a negative errno of the store; finish it in every case */
int overview_load(struct overview *o, struct store *s, const struct report *r);
/** The last days alone. As above. */
int overview_load_trend(struct overview *o, struct store *s, const struct report *r);
/** The heat map alone, without findings. As above. */
int overview_load_heat(struct overview *o, struct store *s, const struct read_filter *f);
void overview_finish(struct overview *o);

#endif
