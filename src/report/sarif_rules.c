/*
 * The rules of a run as SARIF describes them, and the CWE entries that they refer to.
 */
#include "base/alloc.h"
#include "base/text.h"
#include "report/cwe.h"
#include "report/parts.h"
#include "report/rank.h"
#include "report/sarif.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAXA_MAX = 256 };

struct taxon {
    unsigned number;
    struct hr_span name;
};

struct taxa {
    struct taxon items[TAXA_MAX];
    size_t count;
};

void sarif_put_message(struct hr_json *j, const char *key, const char *text)
{
    struct hr_buf safe;
    struct hr_buf message;
    hr_buf_init(&safe, SIZE_MAX);
    hr_buf_init(&message, SIZE_MAX);
    hr_text_append_terminal(&safe, hr_span_str(text != NULL ? text : ""));
    for (const char *c = hr_buf_str(&safe); *c != '\0'; c++) {
        if (*c == '[' || *c == ']' || *c == '\\') {
            hr_buf_append_char(&message, '\\'); /* else a link */
        } else if (*c == '{' || *c == '}') {
            hr_buf_append_char(&message, *c); /* else a placeholder */
        }
        hr_buf_append_char(&message, *c);
    }
    hr_json_key(j, key);
    hr_json_object_begin(j);
    parts_put_text(j, "text", hr_buf_str(&message));
    hr_json_object_end(j);
    hr_buf_finish(&message);
    hr_buf_finish(&safe);
}

const char *sarif_level(const char *severity)
{
    static const char *const levels[] = {"none", "note", "warning", "error", "error"};
    return levels[report_severity_rank(severity)];
}

static int compare_taxa(const void *x, const void *y)
{
    const struct taxon *a = x;
    const struct taxon *b = y;
    int r = (a->number > b->number) - (a->number < b->number);
    return r != 0 ? r : (a->name.len < b->name.len) - (a->name.len > b->name.len);
}

/* Each entry once, with the longest name that a rule gives it. */
static void collect_taxa(const struct report *r, struct taxa *t)
{
    struct taxon found;
    size_t kept = 0;
    t->count = 0;
    for (size_t i = 0; i < r->rule_count; i++) {
        const char *rest = r->rules[i].rule != NULL ? r->rules[i].rule->references : NULL;
        while (t->count < TAXA_MAX && cwe_next(&rest, &found.number, &found.name)) {
            t->items[t->count++] = found;
        }
    }
    if (t->count > 0) {
        qsort(t->items, t->count, sizeof(*t->items), compare_taxa);
    }
    for (size_t i = 0; i < t->count; i++) {
        if (kept == 0 || t->items[kept - 1].number != t->items[i].number) {
            t->items[kept++] = t->items[i];
        }
    }
    t->count = kept;
}

static void put_number(struct hr_json *j, const char *key, unsigned number)
{
    char text[16];
    snprintf(text, sizeof(text), "%u", number);
    parts_put_text(j, key, text);
}

static void put_relationships(struct hr_json *j, const struct rule *rule)
{
    const char *rest = rule->references;
    unsigned number;
    struct hr_span name;
    hr_json_key(j, "relationships");
    hr_json_array_begin(j);
    while (cwe_next(&rest, &number, &name)) {
        hr_json_object_begin(j);
        hr_json_key(j, "target");
        hr_json_object_begin(j);
        put_number(j, "id", number);
        hr_json_key(j, "toolComponent");
        hr_json_object_begin(j);
        parts_put_text(j, "name", "CWE");
        parts_put_int(j, "index", 0);
        hr_json_object_end(j);
        hr_json_object_end(j);
        hr_json_key(j, "kinds");
        hr_json_array_begin(j);
        hr_json_str(j, "relevant");
        hr_json_array_end(j);
        hr_json_object_end(j);
    }
    hr_json_array_end(j);
}

static void append_help(struct hr_buf *out, const char *lead, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        hr_buf_appendf(out, "%s%s: %s", out->len > 0 ? " " : "", lead, text);
    }
}

static void put_help(struct hr_json *j, const struct rule *rule)
{
    struct hr_buf help;
    hr_buf_init(&help, SIZE_MAX);
    append_help(&help, "Typical cause", rule->cause);
    append_help(&help, "How to confirm", rule->confirm);
    append_help(&help, "How to repair", rule->repair);
    append_help(&help, "What looks like it", rule->lookalikes);
    if (help.len > 0) {
        sarif_put_message(j, "help", hr_buf_str(&help));
    }
    hr_buf_finish(&help);
}

/* What code-scanning pages read beside the standard: a score from 0 to 10, and tags. */
static void put_properties(struct hr_json *j, const struct rule *rule)
{
    static const char *const scores[] = {"0.0", "3.0", "5.5", "8.0", "9.5"};
    const char *rest = rule->references;
    unsigned number;
    struct hr_span name;
    hr_json_key(j, "properties");
    hr_json_object_begin(j);
    hr_json_key(j, "tags");
    hr_json_array_begin(j);
    hr_json_str(j, "security");
    while (cwe_next(&rest, &number, &name)) {
        char tag[40];
        snprintf(tag, sizeof(tag), "external/cwe/cwe-%03u", number);
        hr_json_str(j, tag);
    }
    hr_json_array_end(j);
    parts_put_text(j, "security-severity", scores[report_severity_rank(rule->severity)]);
    parts_put_text(j, "severity", rule->severity);
    hr_json_object_end(j);
}

static void put_rule(struct hr_json *j, const struct report_rule *r)
{
    const struct rule *rule = r->rule;
    hr_json_object_begin(j);
    parts_put_text(j, "id", r->id);
    if (rule != NULL) {
        sarif_put_message(j, "shortDescription", rule->title);
        if (rule->meaning != NULL) {
            sarif_put_message(j, "fullDescription", rule->meaning);
        }
        put_help(j, rule);
        hr_json_key(j, "defaultConfiguration");
        hr_json_object_begin(j);
        parts_put_text(j, "level", sarif_level(rule->severity));
        hr_json_object_end(j);
        put_relationships(j, rule);
        put_properties(j, rule);
    }
    hr_json_object_end(j);
}

static void put_taxonomy(struct hr_json *j, const struct taxa *t)
{
    hr_json_object_begin(j);
    parts_put_text(j, "name", "CWE");
    parts_put_text(j, "organization", "MITRE");
    sarif_put_message(j, "shortDescription", "Common Weakness Enumeration");
    parts_put_text(j, "informationUri", "https://cwe.mitre.org/");
    hr_json_key(j, "isComprehensive");
    hr_json_bool(j, false);
    hr_json_key(j, "taxa");
    hr_json_array_begin(j);
    for (size_t i = 0; i < t->count; i++) {
        const struct taxon *x = &t->items[i];
        char uri[80];
        hr_json_object_begin(j);
        put_number(j, "id", x->number);
        if (x->name.len > 0) {
            hr_json_key(j, "name");
            hr_json_string(j, x->name);
        }
        snprintf(uri, sizeof(uri), "https://cwe.mitre.org/data/definitions/%u.html", x->number);
        parts_put_text(j, "helpUri", uri);
        hr_json_object_end(j);
    }
    hr_json_array_end(j);
    hr_json_object_end(j);
}

void sarif_put_rules(struct hr_json *j, const struct report *r)
{
    struct taxa taxa;
    collect_taxa(r, &taxa);
    hr_json_key(j, "tool");
    hr_json_object_begin(j);
    hr_json_key(j, "driver");
    hr_json_object_begin(j);
    parts_put_text(j, "name", "Headrace");
    parts_put_text(j, "version", r->job.version);
    hr_json_key(j, "supportedTaxonomies");
    hr_json_array_begin(j);
    hr_json_object_begin(j);
    parts_put_text(j, "name", "CWE");
    parts_put_int(j, "index", 0);
    hr_json_object_end(j);
    hr_json_array_end(j);
    hr_json_key(j, "rules");
    hr_json_array_begin(j);
    for (size_t i = 0; i < r->rule_count; i++) {
        put_rule(j, &r->rules[i]);
    }
    hr_json_array_end(j);
    hr_json_object_end(j);
    hr_json_object_end(j);
    hr_json_key(j, "taxonomies");
    hr_json_array_begin(j);
    put_taxonomy(j, &taxa);
    hr_json_array_end(j);
}
