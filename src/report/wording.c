#include "report/wording.h"

#include "base/alloc.h"
#include "base/local.h"
#include "report/display.h"
#include "report/rank.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void wording_count(struct hr_buf *out, uint64_t n, const char *one, const char *many)
{
    hr_buf_appendf(out, "%" PRIu64 " %s", n, n == 1 ? one : many);
}

void wording_answer(struct hr_buf *out, const struct report *r)
{
    const size_t open = r->finding_count - r->suppressed_count;
    if (open > 0) {
        wording_count(out, open, "finding", "findings");
    } else if (r->exchanges == 0) {
        hr_buf_append_str(out, "No HTTP exchange was found");
    } else if (r->failed_rules > 0) {
        hr_buf_append_str(out, "No findings of the rules that ran");
    } else {
        hr_buf_append_str(out, "No findings");
    }
    if (r->suppressed_count > 0) {
        hr_buf_appendf(out, "%s%zu suppressed", open > 0 ? ", and " : "; ", r->suppressed_count);
    }
}

void wording_baseline(struct hr_buf *out, const struct report *r)
{
    if (r->job.baseline == NULL) {
        return;
    }
    wording_count(out, r->new_count, "finding is", "findings are");
    hr_buf_append_str(out, " new, ");
    wording_count(out, r->gone_count, "problem is", "problems are");
    hr_buf_appendf(out, " gone since %s", r->job.baseline->name);
}

static bool has_begin(const struct report *r)
{
    return r->job.filter.since != INT64_MIN;
}

bool wording_is_known(const struct report *r, hr_nsec known_since)
{
    return known_since < (has_begin(r) ? r->job.filter.since : r->first_at);
}

void wording_first_found(struct hr_buf *out, const struct report *r)
{
    size_t first = 0;
    const size_t open = r->finding_count - r->suppressed_count;
    if (!has_begin(r) || open == 0) {
        return;
    }
    for (size_t i = 0; i < open; i++) {
        first += wording_is_known(r, r->findings[i].known_since) ? 0 : 1;
    }
    wording_count(out, first, "of them is of a problem that was",
                  "of them are of problems that were");
    hr_buf_append_str(out, " not found before");
}

void wording_known(struct hr_buf *out, const struct report *r, hr_nsec known_since)
{
    char day[HR_TIME_TEXT_SIZE];
    if (known_since == HR_NSEC_INFINITE) {
        return;
    }
    if (wording_is_known(r, known_since)) {
        hr_buf_appendf(out, "known since %s", hr_local_format(known_since, HR_LOCAL_DATE, day));
    } else if (has_begin(r)) {
        hr_buf_append_str(out, "not found before");
    }
}

void wording_times(struct hr_buf *out, const struct report *r)
{
    char from[HR_TIME_TEXT_SIZE];
    char to[HR_TIME_TEXT_SIZE];
    char from_mark[HR_TIME_TEXT_SIZE];
    char to_mark[HR_TIME_TEXT_SIZE];
    char span[HR_TIME_TEXT_SIZE];
    hr_local_format(r->first_at, HR_LOCAL_SECOND, from);
    hr_local_format(r->last_at, HR_LOCAL_SECOND, to);
    hr_local_format(r->first_at, HR_LOCAL_MARK, from_mark);
    hr_local_format(r->last_at, HR_LOCAL_MARK, to_mark);
    const bool is_one_zone = strcmp(from_mark, to_mark) == 0; /* clocks were put forward or back */
    hr_buf_appendf(out, "%s%s%s to %s %s (%s)", from, is_one_zone ? "" : " ",
                   is_one_zone ? "" : from_mark, strncmp(from, to, 10) == 0 ? to + 11 : to, to_mark,
                   hr_duration_format(hr_nsec_sub(r->last_at, r->first_at), span));
}

void wording_traffic(struct hr_buf *out, const struct report *r)
{
    wording_count(out, r->exchanges, "exchange", "exchanges");
    hr_buf_append_str(out, ", ");
    wording_count(out, r->sessions, "session", "sessions");
    hr_buf_append_str(out, ", ");
    wording_count(out, r->sites, "site", "sites");
    if (r->first_at != HR_NSEC_INFINITE) {
        hr_buf_append_str(out, "; ");
        wording_times(out, r);
    }
}

void wording_scope(struct hr_buf *out, const struct report *r)
{
    const struct read_filter *f = &r->job.filter;
    char text[HR_TIME_TEXT_SIZE];
    if (r->job.day != NULL) {
        hr_buf_append_str(out, r->job.day);
    } else if (f->since != INT64_MIN || f->until != HR_NSEC_INFINITE) {
        if (f->since != INT64_MIN) {
            hr_buf_appendf(out, "From %s", hr_local_format(f->since, HR_LOCAL_SECOND, text));
        }
        if (f->until != HR_NSEC_INFINITE) {
            hr_buf_appendf(out, "%s %s", f->since != INT64_MIN ? " until" : "Until",
                           hr_local_format(f->until, HR_LOCAL_SECOND, text));
        }
    } else {
        hr_buf_append_str(out, r->job.run != NULL ? "Everything captured" : "Everything stored");
    }
    if (f->site != NULL) {
        hr_buf_appendf(out, ", site %s", f->site);
    }
    if (f->min_severity != NULL) {
        hr_buf_appendf(out, ", findings of %s severity or worse", f->min_severity);
    }
}

void wording_verdicts(struct hr_buf *out, const struct report_problem *p)
{
    static const char *const words[PROBLEM_VERDICTS] = {"", "suspect", "contradiction", "proven"};
    bool is_first = true;
    for (size_t i = PROBLEM_VERDICTS - 1; i > 0; i--) {
        if (p->verdicts[i] > 0) {
            hr_buf_appendf(out, "%s%zu %s", is_first ? "" : ", ", p->verdicts[i], words[i]);
            is_first = false;
        }
    }
}

/* In single quotes where a shell would read more into it than a word. */
static void append_shell_word(struct hr_buf *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./:,+@%=";
    if (word[0] != '\0' && word[0] != '-' && strspn(word, plain) == strlen(word)) {
        hr_buf_append_str(out, word);
        return;
    }
    hr_buf_append_str(out, "'");
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            hr_buf_append_str(out, "'\\''");
        } else {
            hr_buf_append_char(out, *word);
        }
    }
    hr_buf_append_str(out, "'");
}

static void append_command(struct hr_buf *out, const char *db_path, const char *command)
{
    if (db_path != NULL) {
        hr_buf_appendf(out, "%s --db ", command);
        append_shell_word(out, db_path);
    }
}

void wording_command(struct hr_buf *out, const struct report *r, const char *command)
{
    append_command(out, r->job.db_path, command);
}

void wording_evidence_command(struct hr_buf *out, const char *db_path, int64_t finding)
{
    char command[64];
    snprintf(command, sizeof(command), "headrace evidence %" PRId64, finding);
    append_command(out, db_path, command);
    if (db_path != NULL) {
        hr_buf_appendf(out, " -o finding-%" PRId64 ".pcapng", finding);
    }
}

const char *wording_capture(const struct finding_view *f, size_t index)
{
    size_t seen = 0;
    for (size_t i = 0; i <= f->evidence_count; i++) {
        const char *capture = i == 0 ? f->capture : f->evidence[i - 1].capture;
        bool is_first = capture != NULL;
        for (size_t k = 0; k < i && is_first; k++) {
            const char *before = k == 0 ? f->capture : f->evidence[k - 1].capture;
            is_first = before == NULL || strcmp(before, capture) != 0;
        }
        if (is_first && seen++ == index) {
            return capture;
        }
    }
    return NULL;
}

void wording_filter(struct hr_buf *out, const struct finding_view *f, const char *capture)
{
    int64_t *streams = hr_xcalloc(f->evidence_count + 1, sizeof(*streams));
    size_t count = 0;
    if (f->exchange != 0 && f->stream >= 0 && f->capture != NULL &&
        strcmp(f->capture, capture) == 0) {
        streams[count++] = f->stream;
    }
    for (size_t i = 0; i < f->evidence_count; i++) {
        const struct evidence_view *e = &f->evidence[i];
        if (e->capture != NULL && strcmp(e->capture, capture) == 0 && e->stream >= 0) {
            streams[count++] = e->stream;
        }
    }
    display_append_filter(out, streams, count);
    free(streams);
}

hr_nsec wording_story_begin(const struct finding_view *f)
{
    hr_nsec first_at = f->at;
    for (size_t i = 0; i < f->evidence_count; i++) {
        first_at = f->evidence[i].at < first_at ? f->evidence[i].at : first_at;
    }
    return first_at;
}

/* A story is told in order of time; what has none stands last. Few lines: insertion will do. */
struct evidence_view *wording_sorted_evidence(const struct finding_view *f)
{
    struct evidence_view *sorted = hr_xcalloc(f->evidence_count + 1, sizeof(*sorted));
    for (size_t i = 0; i < f->evidence_count; i++) {
        size_t k = i;
        for (; k > 0 && sorted[k - 1].at > f->evidence[i].at; k--) {
            sorted[k] = sorted[k - 1];
        }
        sorted[k] = f->evidence[i];
    }
    return sorted;
}

const char *wording_rule_state(const struct report_rule *rule)
{
    return rule->failure != NULL  ? "failed"
           : rule->findings > 0   ? "findings"
           : rule->exercised > 0  ? "clean"
           : rule->exercised == 0 ? "not exercised"
                                  : "not known";
}
