/*
 * Pictures of the whole: endpoint and status, contradictory answers close together, logins by the
 * hour, the last days.
 */
#include "base/alloc.h"
#include "base/local.h"
#include "report/html_emit.h"
#include "report/html_page.h"
#include "report/svg_chart.h"
#include "report/trend.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { HEAT_ROWS = 40, WINDOW_ROWS = 25 };

/* ---- endpoint and status ---- */

static void append_heat_head(const struct overview *o, struct hr_buf *out)
{
    html_raw(out, "<div class=\"scroll\"><table class=\"heat\"><caption>How often each endpoint "
                  "answered what; the darker, "
                  "the more often (each step ten times)</caption><thead><tr><th "
                  "scope=\"col\">endpoint</th><th scope=\"col\">findings</th>");
    for (size_t i = 0; i < o->status_count; i++) {
        if (o->statuses[i] != 0) {
            hr_buf_appendf(out, "<th scope=\"col\">%d</th>", o->statuses[i]);
        } else {
            html_raw(out, "<th scope=\"col\">no answer</th>");
        }
    }
    html_raw(out, "</tr></thead><tbody>\n");
}

static void append_heat_row(const struct overview *o, const struct overview_row *row,
                            bool with_site, struct hr_buf *out)
{
    html_raw(out, "<tr><th scope=\"row\"><code>");
    html_textf(out, "%s %s", row->method, row->path);
    html_raw(out, "</code>");
    if (with_site) {
        html_raw(out, " <span class=\"dim\">");
        html_text(out, row->site);
        html_raw(out, "</span>");
    }
    if (strcmp(row->protection, "protected") == 0) {
        html_raw(out, " <span class=\"tag\">needs a session</span>");
    }
    html_raw(out, "</th>");
    if (row->findings > 0) {
        hr_buf_appendf(out, "<td class=\"found\">%" PRId64 "</td>", row->findings);
    } else {
        html_raw(out, "<td></td>");
    }
    for (size_t i = 0; i < o->status_count; i++) {
        html_heat_cell(out, row->counts[i], o->statuses[i] == 0 || o->statuses[i] >= 500);
    }
    html_raw(out, "</tr>\n");
}

static void append_heat(const struct html_page *p, struct hr_buf *out)
{
    const struct overview *o = &p->overview;
    const size_t shown = p->all || o->row_count < HEAT_ROWS ? o->row_count : HEAT_ROWS;
    html_raw(out, "<h3 id=\"heat\">Endpoint and status</h3>\n");
    append_heat_head(o, out);
    for (size_t i = 0; i < shown; i++) {
        append_heat_row(o, &o->rows[i], p->report->sites > 1, out);
    }
    html_raw(out, "</tbody></table></div>\n");
    if (shown < o->row_count) {
        hr_buf_appendf(
            out,
            "<p class=\"dim\">%zu less busy endpoints without findings are left out; headrace list "
            "endpoints has them all.</p>\n",
            o->row_count - shown);
    }
    if (o->statuses_left_out > 0) {
        hr_buf_appendf(out,
                       "<p class=\"dim\">The last column stands for %zu more statuses, too.</p>\n",
                       o->statuses_left_out);
    }
}

/* ---- contradictory answers close together ---- */

static void append_window_row(const struct window_view *w, struct hr_buf *out)
{
    char text[HR_TIME_TEXT_SIZE];
    html_raw(out, "<tr><td>");
    html_text(out, hr_local_format(w->at, HR_LOCAL_MICRO, text));
    html_raw(out, "</td><td>");
    html_text(out, hr_duration_format(hr_nsec_sub(w->at, w->first_at), text));
    html_raw(out, "</td><td>");
    html_text(out, w->session);
    html_raw(out, "</td><td><code>");
    html_text(out, w->first_endpoint);
    hr_buf_appendf(out, "</code> %d</td><td><code>", w->first_status);
    html_text(out, w->endpoint);
    hr_buf_appendf(out, "</code> %d</td><td>%" PRId64 ", %" PRId64 "</td></tr>\n", w->status,
                   w->first_frame, w->frame);
}

static void append_windows(const struct overview *o, struct hr_buf *out)
{
    html_raw(out, "<h3 id=\"windows\">Two answers to one session, close together</h3>\n"
                  "<p>Each mark is a session that was granted and denied within a second: the "
                  "lower, the closer. Logins "
                  "and logouts between explain some; what nothing explains is a finding.</p>\n");
    if (o->window_count == 0 || o->bucket_count == 0) {
        html_raw(out, "<p>None.</p>\n");
        return;
    }
    svg_strip(out, o, o->buckets[0].from, o->buckets[o->bucket_count - 1].to);
    const size_t shown = o->window_count < WINDOW_ROWS ? o->window_count : WINDOW_ROWS;
    hr_buf_appendf(
        out,
        "<details><summary>The closest %zu as a table</summary><div "
        "class=\"scroll\"><table><thead><tr><th "
        "scope=\"col\">at</th><th scope=\"col\">apart</th><th scope=\"col\">session</th><th "
        "scope=\"col\">first</th><th scope=\"col\">then</th><th "
        "scope=\"col\">frames</th></tr></thead><tbody>\n",
        shown);
    for (size_t i = 0; i < shown; i++) {
        append_window_row(&o->windows[i], out);
    }
    html_raw(out, "</tbody></table></div></details>\n");
}

/* ---- logins ---- */

static int64_t logins_at(const void *data, size_t column, size_t series)
{
    const struct overview *o = data;
    return o->buckets[column].logins[series];
}

static void bucket_label(const void *data, size_t column, struct hr_buf *out)
{
    const struct overview *o = data;
    char text[HR_TIME_TEXT_SIZE];
    hr_local_format(o->buckets[column].from, o->is_by_day ? HR_LOCAL_DATE : HR_LOCAL_HOUR, text);
    hr_buf_append_str(out, o->is_by_day ? text + 5 : text);
}

static double cookie_rate(const void *data, size_t column)
{
    const struct overview *o = data;
    const double with = (double)o->buckets[column].logins[LOGIN_WITH_TOKEN];
    const double all = with + (double)o->buckets[column].logins[LOGIN_WITHOUT_TOKEN];
    return all > 0 ? with / all : -1;
}

static void append_login_table(const struct overview *o, struct hr_buf *out)
{
    html_raw(out,
             "<details><summary>As a table</summary><div class=\"scroll\"><table "
             "class=\"numbers\"><thead><tr><th "
             "scope=\"col\">from</th><th scope=\"col\">successful, with token</th><th "
             "scope=\"col\">successful, without</th><th scope=\"col\">failed</th><th "
             "scope=\"col\">unclear</th><th scope=\"col\">with token</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < o->bucket_count; i++) {
        const struct overview_bucket *b = &o->buckets[i];
        const double rate = cookie_rate(o, i);
        char text[HR_TIME_TEXT_SIZE];
        if ((b->logins[0] | b->logins[1] | b->logins[2] | b->logins[3]) == 0) {
            continue;
        }
        hr_buf_appendf(out, "<tr><th scope=\"row\">%s</th>",
                       hr_local_format(b->from, HR_LOCAL_MINUTE, text));
        for (size_t k = 0; k < LOGIN_KINDS; k++) {
            hr_buf_appendf(out, "<td>%" PRId64 "</td>", b->logins[k]);
        }
        if (rate >= 0) {
            hr_buf_appendf(out, "<td>%.1f %%</td></tr>\n", rate * 100);
        } else {
            html_raw(out, "<td></td></tr>\n");
        }
    }
    html_raw(out, "</tbody></table></div></details>\n");
}

static void append_logins(const struct overview *o, struct hr_buf *out)
{
    static const char *const classes[] = {"s-good", "s-bad", "s-fail", "s-other"};
    const struct svg_columns columns = {
        .id = "logins-picture",
        .title = o->is_by_day ? "Logins by day and outcome" : "Logins by hour and outcome",
        .classes = classes,
        .series_count = HR_ARRAY_LEN(classes),
        .column_count = o->bucket_count,
        .value = logins_at,
        .label = bucket_label,
        .rate = cookie_rate,
        .data = o,
    };
    html_raw(out, "<h3 id=\"logins\">");
    html_text(out, columns.title);
    html_raw(out, "</h3>\n<p class=\"legend\"><span class=\"key s-good\"></span> successful, "
                  "answer gives a token "
                  "<span class=\"key s-bad\"></span> successful, gives none <span class=\"key "
                  "s-fail\"></span> failed "
                  "<span class=\"key s-other\"></span> error or no answer <span class=\"key "
                  "s-rate\"></span> share of "
                  "successful ones whose answer gives a token (Set-Cookie rate)</p>\n");
    if (o->is_cut) {
        html_raw(out, "<p class=\"dim\">Only the last days are drawn.</p>\n");
    }
    svg_columns(out, &columns);
    append_login_table(o, out);
}

void html_traffic(const struct html_page *p, struct hr_buf *out)
{
    html_section_begin(out, "traffic", "Traffic");
    if (p->overview.bucket_count == 0) {
        html_raw(out, "<p>There is none.</p>\n");
    } else {
        append_heat(p, out);
        append_windows(&p->overview, out);
        append_logins(&p->overview, out);
    }
    html_section_end(out);
}

/* ---- the last days ---- */

static int64_t findings_at(const void *data, size_t column, size_t series)
{
    const struct overview *o = data;
    return o->days[column].findings[series + 1];
}

static void day_label(const void *data, size_t column, struct hr_buf *out)
{
    const struct overview *o = data;
    char text[HR_TIME_TEXT_SIZE];
    hr_buf_append_str(out, hr_local_format(o->days[column].from, HR_LOCAL_DATE, text) + 5);
}

static void append_trend_table(const struct overview *o, struct hr_buf *out)
{
    html_raw(out,
             "<details><summary>As a table</summary><div class=\"scroll\"><table "
             "class=\"numbers\"><thead><tr><th "
             "scope=\"col\">day</th><th scope=\"col\">critical</th><th scope=\"col\">high</th><th "
             "scope=\"col\">medium</th><th scope=\"col\">low</th><th "
             "scope=\"col\">exchanges</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < OVERVIEW_TREND_DAYS; i++) {
        const struct overview_day *d = &o->days[i];
        char text[HR_TIME_TEXT_SIZE];
        hr_buf_appendf(out, "<tr><th scope=\"row\">%s</th>",
                       hr_local_format(d->from, HR_LOCAL_DATE, text));
        for (size_t k = 4; k > 0; k--) {
            hr_buf_appendf(out, "<td>%" PRId64 "</td>", d->findings[k]);
        }
        if (d->exchanges > 0) {
            hr_buf_appendf(out, "<td>%" PRId64 "</td></tr>\n", d->exchanges);
        } else {
            html_raw(out, "<td>no traffic</td></tr>\n");
        }
    }
    html_raw(out, "</tbody></table></div></details>\n");
}

static bool has_traffic(const void *data, size_t column)
{
    const struct overview *o = data;
    return o->days[column].exchanges > 0;
}

static void append_trend(const struct overview *o, struct hr_buf *out)
{
    static const char *const classes[] = {"low", "medium", "high", "critical"};
    char title[160];
    size_t busy = 0;
    size_t clean = 0;
    trend_count_days(o, &busy, &clean);
    snprintf(title, sizeof(title),
             "Findings of the last 30 days by severity; days with traffic and no findings: %zu, "
             "without traffic: %zu",
             clean, OVERVIEW_TREND_DAYS - busy);
    const struct svg_columns columns = {
        .id = "trend-picture",
        .title = title,
        .classes = classes,
        .series_count = HR_ARRAY_LEN(classes),
        .column_count = OVERVIEW_TREND_DAYS,
        .value = findings_at,
        .label = day_label,
        .is_last_labelled = true,
        .is_known = has_traffic,
        .data = o,
    };
    hr_buf_appendf(out,
                   "<p>Days with traffic: %zu of 30, %zu of them without findings. Suppressed "
                   "findings are left out.</p>\n",
                   busy, clean);
    html_raw(out, "<p class=\"legend\"><span class=\"key critical\"></span> critical <span "
                  "class=\"key high\"></span> high <span class=\"key medium\"></span> medium <span "
                  "class=\"key low\"></span> low <span class=\"key none\"></span> traffic, no "
                  "findings; nothing: no traffic</p>\n");
    svg_columns(out, &columns);
    append_trend_table(o, out);
}

void html_trend(const struct html_page *p, struct hr_buf *out)
{
    const struct overview *o = &p->overview;
    html_section_begin(out, "trend", "The last 30 days");
    if (o->days[0].to == 0) {
        html_raw(out, "<p>Nothing is stored.</p>\n");
    } else {
        append_trend(o, out);
    }
    html_section_end(out);
}
