/*
 * A file is a mapping with one key, suppressions: a list. Each item says which findings it means in
 * one of three ways (fingerprint, group, or patterns of rule, site and endpoint), and why.
 */
#include "rule/suppress.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/yaml.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ITEM_LIMIT 10000
#define TEXT_LIMIT 1000 /* characters */
#define DAY (24 * 3600 * HR_NSEC_PER_SEC)

struct suppression_set {
    struct hr_arena arena; /* every text */
    struct suppression_row *rows;
    size_t count;
};

struct reader {
    struct hr_yaml_doc doc;
    struct suppression_set *set;
};

size_t suppression_set_count(const struct suppression_set *set)
{
    return set->count;
}

const struct suppression_row *suppression_set_get(const struct suppression_set *set, size_t index)
{
    return &set->rows[index];
}

void suppression_set_destroy(struct suppression_set *set)
{
    if (set != NULL) {
        hr_arena_finish(&set->arena);
        free(set->rows);
        free(set);
    }
}

/* --- members ---------------------------------------------------------------------------------- */

static int read_text(struct reader *r, const struct hr_yaml *item, const char *key,
                     const char **ret_text)
{
    const struct hr_yaml *node = hr_yaml_find(item, key);
    const char *text = NULL;
    if (node == NULL) {
        return 0;
    }
    int e = hr_yaml_get_text(&r->doc, node, &text);
    if (e < 0) {
        return e;
    }
    struct hr_span trimmed = hr_span_trim(hr_span_str(text));
    if (trimmed.len == 0 || trimmed.len > TEXT_LIMIT) {
        return hr_yaml_fail(&r->doc, node, "%s is %s; expected 1 to %d characters", key,
                            trimmed.len == 0 ? "empty" : "too long", TEXT_LIMIT);
    }
    *ret_text = hr_arena_strdup(&r->set->arena, trimmed);
    return 0;
}

static int require_text(struct reader *r, const struct hr_yaml *item, const char *key,
                        const char **ret_text)
{
    if (hr_yaml_find(item, key) == NULL) {
        return hr_yaml_fail(
            &r->doc, item,
            "%s is missing; expected fingerprint, group or rule, and reason and owner", key);
    }
    return read_text(r, item, key, ret_text);
}

static const char *lower(struct reader *r, const char *text)
{
    char *copy = hr_arena_alloc(&r->set->arena, strlen(text) + 1);
    for (size_t i = 0; i <= strlen(text); i++) {
        copy[i] = (char)tolower((unsigned char)text[i]);
    }
    return copy;
}

static int read_hash(struct reader *r, const struct hr_yaml *item, const char *key,
                     const char **ret_hash)
{
    const char *text = NULL;
    int e = read_text(r, item, key, &text);
    if (e < 0 || text == NULL) {
        return e;
    }
    text = lower(r, text);
    if (strlen(text) != 32 || strspn(text, "0123456789abcdef") != 32) {
        return hr_yaml_fail(&r->doc, hr_yaml_find(item, key),
                            "\"%s\" is no %s; expected the 32 hexadecimal digits that "
                            "`headrace show finding` prints",
                            text, key);
    }
    *ret_hash = text;
    return 0;
}

/* What SQLite's GLOB takes: only * is special in a file. */
static const char *glob(struct reader *r, const char *pattern)
{
    struct hr_buf out;
    hr_buf_init(&out, SIZE_MAX);
    for (const char *c = pattern; *c != '\0'; c++) {
        if (*c == '[' || *c == '?') {
            hr_buf_appendf(&out, "[%c]", *c);
        } else {
            hr_buf_append_char(&out, *c);
        }
    }
    const char *kept = hr_arena_strdup(&r->set->arena, hr_buf_span(&out));
    hr_buf_finish(&out);
    return kept;
}

/* "GET /home/..." or "/home/..."; also "* /home". */
static int read_endpoint(struct reader *r, const struct hr_yaml *item, struct suppression_row *row)
{
    const char *text = NULL;
    int e = read_text(r, item, "endpoint", &text);
    if (e < 0 || text == NULL) {
        return e;
    }
    struct hr_span path = hr_span_str(text);
    struct hr_span method = HR_SPAN("*");
    if (hr_span_find(path, ' ') != SIZE_MAX) {
        method = hr_span_cut(&path, ' ');
        path = hr_span_trim(path);
    }
    for (size_t i = 0; i < method.len; i++) {
        if (method.ptr[i] != '*' && method.ptr[i] != '-' &&
            !isupper((unsigned char)method.ptr[i])) {
            path.len = 0;
        }
    }
    if (path.len == 0 || (path.ptr[0] != '/' && path.ptr[0] != '*')) {
        return hr_yaml_fail(&r->doc, hr_yaml_find(item, "endpoint"),
                            "\"%s\" is no endpoint; expected a path that begins with / or *, "
                            "perhaps behind a method in capitals, as GET /users/{id}",
                            text);
    }
    row->method = glob(r, hr_arena_strdup(&r->set->arena, method));
    row->path = glob(r, hr_arena_strdup(&r->set->arena, path));
    return 0;
}

/* Patterns of rule, site and endpoint; what is left out fits everything. */
static int read_patterns(struct reader *r, const struct hr_yaml *item, struct suppression_row *row)
{
    const char *rule = NULL;
    const char *site = "*";
    int e = read_text(r, item, "rule", &rule);
    e = e < 0 ? e : read_text(r, item, "site", &site);
    row->method = row->path = "*";
    e = e < 0 ? e : read_endpoint(r, item, row);
    if (e == 0) {
        row->rule = glob(r, rule);
        row->site = glob(r, lower(r, site));
    }
    return e;
}

static int read_which(struct reader *r, const struct hr_yaml *item, struct suppression_row *row)
{
    const struct hr_yaml *rule = hr_yaml_find(item, "rule");
    const struct hr_yaml *site = hr_yaml_find(item, "site");
    const struct hr_yaml *endpoint = hr_yaml_find(item, "endpoint");
    int ways = (hr_yaml_find(item, "fingerprint") != NULL) + (hr_yaml_find(item, "group") != NULL) +
               (rule != NULL);
    if (ways == 0) {
        return hr_yaml_fail(&r->doc, item,
                            "it names no finding; expected fingerprint, group, or rule (perhaps "
                            "with site and endpoint)");
    }
    if (ways > 1) {
        return hr_yaml_fail(&r->doc, item,
                            "it names findings in two ways; expected one of fingerprint, group and "
                            "rule");
    }
    if (rule == NULL && (site != NULL || endpoint != NULL)) {
        return hr_yaml_fail(&r->doc, site != NULL ? site : endpoint,
                            "site and endpoint go with rule; a fingerprint or group needs neither");
    }
    if (rule != NULL) {
        return read_patterns(r, item, row);
    }
    int e = read_hash(r, item, "fingerprint", &row->fingerprint);
    return e < 0 ? e : read_hash(r, item, "group", &row->group);
}

/* The first ten characters as the beginning of that day; 2026-02-31 is none. */
static bool parse_day(const char *text, hr_nsec *ret_at)
{
    char day[32];
    char back[HR_TIME_TEXT_SIZE];
    if (strlen(text) < 10) {
        return false;
    }
    memcpy(day, text, 10);
    memcpy(day + 10, "T00:00:00Z", sizeof("T00:00:00Z"));
    return hr_time_parse(hr_span_str(day), ret_at) &&
           strncmp(hr_time_format(*ret_at, back), text, 10) == 0;
}

/* A day counts to its end. */
static int read_expiry(struct reader *r, const struct hr_yaml *item, hr_nsec *ret_at)
{
    const char *text = NULL;
    int e = read_text(r, item, "expires", &text);
    if (e < 0 || text == NULL) {
        return e;
    }
    if (parse_day(text, ret_at)) {
        *ret_at = hr_nsec_add(*ret_at, DAY);
        if (strlen(text) == 10 || hr_time_parse(hr_span_str(text), ret_at)) {
            return 0;
        }
    }
    return hr_yaml_fail(&r->doc, hr_yaml_find(item, "expires"),
                        "\"%s\" is no date; expected one as 2026-12-31 (to the end of that day, "
                        "UTC) or 2026-12-31T12:00:00Z",
                        text);
}

/* --- the file --------------------------------------------------------------------------------- */

static int read_item(struct reader *r, const struct hr_yaml *item)
{
    static const char *const keys[] = {"fingerprint", "group", "rule",    "site", "endpoint",
                                       "reason",      "owner", "expires", NULL};
    struct suppression_set *set = r->set;
    struct suppression_row row = {.expires_at = HR_NSEC_INFINITE};
    struct hr_buf place;
    int e = hr_yaml_expect(&r->doc, item, HR_YAML_MAPPING);
    e = e < 0 ? e : hr_yaml_check_keys(&r->doc, item, keys);
    e = e < 0 ? e : read_which(r, item, &row);
    e = e < 0 ? e : require_text(r, item, "reason", &row.reason);
    e = e < 0 ? e : require_text(r, item, "owner", &row.owner);
    e = e < 0 ? e : read_expiry(r, item, &row.expires_at);
    if (e < 0) {
        return e;
    }
    hr_buf_init(&place, SIZE_MAX);
    hr_buf_appendf(&place, "%s:%u", r->doc.path, item->line);
    row.place = hr_arena_strdup(&set->arena, hr_buf_span(&place));
    hr_buf_finish(&place);
    set->rows[set->count++] = row;
    return 0;
}

static int read_file(struct reader *r)
{
    static const char *const keys[] = {"suppressions", NULL};
    const struct hr_yaml *root = r->doc.root;
    const struct hr_yaml *list = hr_yaml_find(root, "suppressions");
    size_t count = 0;
    if (root == NULL) {
        return hr_yaml_fail(&r->doc, NULL,
                            "an empty file; expected suppressions: and a list, which may be []");
    }
    int e = hr_yaml_expect(&r->doc, root, HR_YAML_MAPPING);
    e = e < 0 ? e : hr_yaml_check_keys(&r->doc, root, keys);
    if (e == 0 && list == NULL) {
        return hr_yaml_fail(&r->doc, root, "expected suppressions: and a list, which may be []");
    }
    e = e < 0 ? e : hr_yaml_expect(&r->doc, list, HR_YAML_SEQUENCE);
    for (const struct hr_yaml *i = e == 0 ? list->child : NULL; i != NULL; i = i->next) {
        count++;
    }
    if (count > ITEM_LIMIT) {
        return hr_yaml_fail(&r->doc, list, "%zu items; at most %d are allowed", count, ITEM_LIMIT);
    }
    r->set->rows = hr_xcalloc(count + 1, sizeof(*r->set->rows));
    for (const struct hr_yaml *i = e == 0 ? list->child : NULL; i != NULL && e == 0; i = i->next) {
        e = read_item(r, i);
    }
    return e;
}

int suppression_set_load(const char *path, struct suppression_set **ret_set,
                         struct hr_buf *ret_error)
{
    struct reader r = {.set = hr_xcalloc(1, sizeof(*r.set))};
    hr_arena_init(&r.set->arena);
    int e = hr_yaml_load(&r.doc, path);
    e = e < 0 ? e : read_file(&r);
    if (e < 0) {
        hr_buf_append(ret_error, hr_buf_span(&r.doc.error));
        suppression_set_destroy(r.set);
    } else {
        *ret_set = r.set;
    }
    hr_yaml_finish(&r.doc);
    return e;
}

/* --- using it --------------------------------------------------------------------------------- */

/* As SQLite's GLOB, for the patterns that glob() makes of slugs: * and characters. */
static bool fits(const char *pattern, const char *text)
{
    const char *star = NULL;
    const char *retry = NULL;
    while (*text != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star;
            text = ++retry;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

bool suppression_knows_rule(const struct suppression_row *row, const struct rule_set *rules)
{
    bool known = row->rule == NULL;
    for (size_t i = 0; i < rules->count && !known; i++) {
        known = fits(row->rule, rules->rules[i].id);
    }
    return known;
}

int suppression_set_store(const struct suppression_set *set, struct store *s)
{
    return suppressions_replace(s, set->rows, set->count);
}
