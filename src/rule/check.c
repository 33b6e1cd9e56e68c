#include "rule/finding.h"
#include "rule/rule.h"
#include "store/query.h"

#include <errno.h>
#include <string.h>

struct check {
    void (*emit_error)(const char *line, void *user);
    void *user;
    struct rule *rule;
    struct hr_buf error;
    bool is_broken;
};

static void complain(struct check *c, unsigned line, const char *text)
{
    struct hr_buf message;
    hr_buf_init(&message, SIZE_MAX);
    hr_buf_appendf(&message, "%s:%u: %s", c->rule->path, line, text);
    c->emit_error(hr_buf_str(&message), c->user);
    hr_buf_finish(&message);
    c->is_broken = true;
    c->rule->enabled = false;
}

static int finding_names(const struct query_row *row, void *user)
{
    struct check *c = user;
    for (size_t i = 0; finding_columns[i] != NULL; i++) {
        if (query_find(row, finding_columns[i]) == NULL) {
            hr_buf_appendf(&c->error, "%s \"%s\"",
                           c->error.len == 0 ? "the first SELECT lacks the column" : ",",
                           finding_columns[i]);
        }
    }
    return c->error.len > 0 ? 1 : 0;
}

static int exercised_names(const struct query_row *row, void *user)
{
    struct check *c = user;
    enum exercised_by by;
    if (!exercised_columns(row, &by)) {
        hr_buf_append_str(&c->error, EXERCISED_COLUMNS);
    }
    return c->error.len > 0 ? 1 : 0;
}

static int glance_names(const struct query_row *row, void *user)
{
    struct check *c = user;
    if (!glance_columns(row)) {
        hr_buf_append_str(&c->error, GLANCE_COLUMNS);
    }
    return c->error.len > 0 ? 1 : 0;
}

static int check_select(struct check *c, struct store *s, const char *sql, unsigned line,
                        query_row_fn names)
{
    struct query_error e = {0};
    const struct query q = {.sql = hr_span_str(sql), .guarded = true};
    hr_buf_clear(&c->error);
    const int r = query_describe(s, &q, names, c, &e);
    if (r == -EINVAL) {
        complain(c, line + (e.line > 0 ? e.line - 1 : 0), e.text);
    } else if (r > 0) {
        complain(c, line, hr_buf_str(&c->error));
    }
    return r < 0 && r != -EINVAL ? r : 0;
}

int rule_set_check(struct rule_set *set, void (*emit_error)(const char *line, void *user),
                   void *user)
{
    struct check c = {.emit_error = emit_error, .user = user};
    struct store *s = NULL;
    const struct store_config config = {.path = NULL, .mode = STORE_WRITE};
    hr_buf_init(&c.error, SIZE_MAX);
    int r = store_open(&config, &s);
    for (size_t i = 0; r == 0 && i < set->count; i++) {
        c.rule = &set->rules[i];
        r = check_select(&c, s, c.rule->findings_sql, c.rule->findings_line, finding_names);
        if (r == 0) {
            r = check_select(&c, s, c.rule->exercised_sql, c.rule->exercised_line, exercised_names);
        }
        if (r == 0 && c.rule->glance_sql != NULL) {
            r = check_select(&c, s, c.rule->glance_sql, c.rule->glance_line, glance_names);
        }
    }
    store_close(s);
    hr_buf_finish(&c.error);
    return r < 0 ? r : c.is_broken ? 1 : 0;
}
