#include "report/trend.h"

#include "base/alloc.h"
#include "base/counter.h"
#include "base/local.h"
#include "report/wording.h"

#include <inttypes.h>

const char *const trend_severities[TREND_SEVERITIES] = {NULL, "low", "medium", "high", "critical"};

int64_t trend_findings(const struct overview_day *d)
{
    int64_t sum = 0;
    for (size_t k = 0; k < HR_ARRAY_LEN(d->findings); k++) {
        hr_count_add(&sum, d->findings[k]);
    }
    return sum;
}

void trend_count_days(const struct overview *o, size_t *ret_busy, size_t *ret_clean)
{
    size_t busy = 0;
    size_t clean = 0;
    for (size_t i = 0; i < OVERVIEW_TREND_DAYS; i++) {
        const bool is_busy = o->days[i].exchanges > 0;
        busy += is_busy;
        clean += is_busy && trend_findings(&o->days[i]) == 0;
    }
    *ret_busy = busy;
    *ret_clean = clean;
}

static void append_date(struct hr_buf *line, const struct overview_day *d)
{
    char text[HR_TIME_TEXT_SIZE];
    hr_buf_append_str(line, hr_local_format(d->from, HR_LOCAL_DATE, text));
}

static bool is_silent(const struct overview_day *d)
{
    return d->exchanges == 0 && trend_findings(d) == 0;
}

static void append_day(struct hr_buf *line, const struct overview_day *d)
{
    const char *comma = ": ";
    append_date(line, d);
    for (size_t k = HR_ARRAY_LEN(trend_severities); k-- > 0;) {
        if (d->findings[k] > 0 && trend_severities[k] != NULL) {
            hr_buf_appendf(line, "%s%" PRId64 " %s", comma, d->findings[k], trend_severities[k]);
            comma = ", ";
        }
    }
    if (trend_findings(d) == 0) {
        hr_buf_append_str(line, ": no findings in ");
        wording_count(line, (uint64_t)d->exchanges, "exchange", "exchanges");
    }
}

bool trend_next_line(const struct overview *o, size_t *position, struct hr_buf *ret_line)
{
    size_t busy = 0;
    size_t clean = 0;
    const size_t first = *position;
    trend_count_days(o, &busy, &clean);
    if (first >= OVERVIEW_TREND_DAYS || busy < 2) {
        return false;
    }
    hr_buf_clear(ret_line);
    *position = first + 1;
    if (!is_silent(&o->days[first])) {
        append_day(ret_line, &o->days[first]);
        return true;
    }
    while (*position < OVERVIEW_TREND_DAYS && is_silent(&o->days[*position])) {
        (*position)++;
    }
    append_date(ret_line, &o->days[first]);
    if (*position > first + 1) {
        hr_buf_append_str(ret_line, " to ");
        append_date(ret_line, &o->days[*position - 1]);
    }
    hr_buf_append_str(ret_line, ": no traffic");
    return true;
}
