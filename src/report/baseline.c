#include "report/baseline.h"

#include "base/alloc.h"
#include "store/query.h"
#include "store/read_report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MIB_MAX = 512 };

static int compare_entries(const void *x, const void *y)
{
    const struct baseline_entry *a = x;
    const struct baseline_entry *b = y;
    int r = strcmp(a->group, b->group);
    return r != 0 ? r : (a->last_at > b->last_at) - (a->last_at < b->last_at);
}

static void add_entry(struct report_baseline *b, const struct baseline_entry *from)
{
    b->entries = hr_xgrow(b->entries, b->count, sizeof(*b->entries));
    struct baseline_entry *e = &b->entries[b->count++];
    *e = *from;
    e->group = hr_arena_text(&b->arena, from->group);
    e->rule = hr_arena_text(&b->arena, from->rule);
    e->severity = hr_arena_text(&b->arena, from->severity);
    e->verdict = hr_arena_text(&b->arena, from->verdict);
    e->site = hr_arena_text(&b->arena, from->site);
    e->endpoint = hr_arena_text(&b->arena, from->endpoint);
    e->summary = hr_arena_text(&b->arena, from->summary);
}

/* Findings become problems. */
static void join_groups(struct report_baseline *b)
{
    size_t kept = 0;
    if (b->count == 0) {
        return;
    }
    qsort(b->entries, b->count, sizeof(*b->entries), compare_entries);
    for (size_t i = 0; i < b->count; i++) {
        struct baseline_entry *last = kept > 0 ? &b->entries[kept - 1] : NULL;
        if (last == NULL || strcmp(last->group, b->entries[i].group) != 0) {
            b->entries[kept++] = b->entries[i];
            continue;
        }
        last->last_at = b->entries[i].last_at;
        last->suppressed = last->suppressed && b->entries[i].suppressed;
        last->count += b->entries[i].count;
    }
    b->count = kept;
}

static int add_mark(const struct finding_mark *x, void *user)
{
    struct baseline_entry e = {
        x->group,    x->rule,    x->severity,   x->verdict, x->site,
        x->endpoint, x->summary, x->suppressed, x->at,      x->count > 0 ? (size_t)x->count : 0};
    add_entry(user, &e);
    return 0;
}

int baseline_load_span(struct report_baseline *b, struct store *s, const struct read_filter *filter)
{
    *b = (struct report_baseline){.count = 0};
    hr_arena_init(&b->arena);
    int r = read_finding_marks(s, filter, add_mark, b);
    join_groups(b);
    return r;
}

static int read_file(const char *path, struct hr_buf *out)
{
    char bytes[65536];
    size_t n;
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        return -errno;
    }
    errno = 0;
    while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0 && !out->cut) {
        hr_buf_append(out, hr_span_of(bytes, n));
    }
    int r = ferror(f) ? -(errno != 0 ? errno : EIO) : out->cut ? -EFBIG : 0;
    fclose(f);
    return r;
}

static const char *text_at(const struct query_row *row, size_t column, struct hr_arena *a)
{
    const struct query_value *v = &row->values[column];
    return v->type == QUERY_TEXT ? hr_arena_strdup(a, v->text) : NULL;
}

static int add_row(const struct query_row *row, void *user)
{
    struct report_baseline *b = user;
    struct hr_arena a;
    hr_arena_init(&a);
    struct baseline_entry e = {
        .group = text_at(row, 0, &a),
        .rule = text_at(row, 1, &a),
        .severity = text_at(row, 2, &a),
        .verdict = text_at(row, 3, &a),
        .site = text_at(row, 4, &a),
        .endpoint = text_at(row, 5, &a),
        .summary = text_at(row, 6, &a),
        .suppressed = row->values[7].integer != 0,
        .count = 1,
    };
    const struct query_value *at = &row->values[8];
    if (at->type != QUERY_TEXT || !hr_time_parse(at->text, &e.last_at)) {
        e.last_at = HR_NSEC_INFINITE;
    }
    bool is_finding = e.group != NULL && e.rule != NULL && e.severity != NULL && e.verdict != NULL;
    if (is_finding) {
        add_entry(b, &e);
    }
    hr_arena_finish(&a);
    return is_finding ? 0 : -EINVAL;
}

static int see_row(const struct query_row *row, void *user)
{
    (void)row;
    *(bool *)user = true;
    return 0;
}

/* SQLite reads the JSON: its parser is there, and is made for hostile input. */
static int read_json(struct report_baseline *b, struct store *s, struct hr_span json)
{
    static const char check[] =
        "SELECT 1 WHERE json_valid(?1) AND json_extract(?1, '$.type') = 'report' "
        "AND json_extract(?1, '$.schema') = 1 AND json_type(?1, '$.findings') = 'array'";
    static const char findings[] =
        "SELECT value ->> '$.group', value ->> '$.rule', value ->> '$.severity', "
        "value ->> '$.verdict', value ->> '$.site', value ->> '$.endpoint', "
        "value ->> '$.summary', coalesce(value ->> '$.suppressed', 0), value ->> '$.at' "
        "FROM json_each(?1, '$.findings')";
    struct query_error error;
    struct query_value bind = query_text(json);
    struct query q = {.sql = hr_span_str(check), .binds = &bind, .bind_count = 1};
    bool is_report = false;
    int r = query_run(s, &q, see_row, &is_report, &error);
    if (r < 0 || !is_report) {
        return r < 0 ? r : -EINVAL;
    }
    q.sql = hr_span_str(findings);
    return query_run(s, &q, add_row, b, &error);
}

int baseline_load_file(struct report_baseline *b, struct store *s, const char *path,
                       struct hr_buf *ret_error)
{
    struct hr_buf json;
    *b = (struct report_baseline){.name = path};
    hr_arena_init(&b->arena);
    hr_buf_init(&json, (size_t)FILE_MIB_MAX << 20);
    int r = read_file(path, &json);
    if (r == 0) {
        r = read_json(b, s, hr_buf_span(&json));
    }
    hr_buf_finish(&json);
    if (r == -EINVAL) {
        hr_buf_append_str(ret_error, "it is not a report that --format json wrote");
    } else if (r < 0) {
        hr_buf_append_str(ret_error, strerror(-r));
    }
    join_groups(b);
    return r;
}

void baseline_finish(struct report_baseline *b)
{
    free(b->entries);
    hr_arena_finish(&b->arena);
}

static int compare_group(const void *group, const void *entry)
{
    return strcmp(group, ((const struct baseline_entry *)entry)->group);
}

const struct baseline_entry *baseline_find(const struct report_baseline *b, const char *group)
{
    return b->count == 0 ? NULL
                         : bsearch(group, b->entries, b->count, sizeof(*b->entries), compare_group);
}
