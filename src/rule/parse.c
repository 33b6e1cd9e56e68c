#include "rule/parse.h"

#include "base/alloc.h"
#include "base/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * A rule file is a comment that holds YAML, then two SELECTs, or three. The YAML parser gets the
 * file up to the comment's end with everything before it blanked out, so its lines are the file's
 * lines.
 */

static const char *const severities[] = {"low", "medium", "high", "critical", NULL};

static int fail(struct hr_buf *error, const char *path, unsigned line, const char *text)
{
    hr_buf_clear(error);
    hr_buf_appendf(error, "%s:%u: %s", path, line, text);
    return -EINVAL;
}

/* --- SQL -------------------------------------------------------------------------------------- */

/** @return length of the string, quoted name or comment that begins at text[0]; 0 where none does
 */
static size_t skip_quoted(struct hr_span text)
{
    const char *end;
    switch (text.ptr[0]) {
    case '\'':
    case '"':
    case '`': /* a doubled quote ends one and begins another: the same */
        end = memchr(text.ptr + 1, text.ptr[0], text.len - 1);
        return end == NULL ? text.len : (size_t)(end - text.ptr) + 1;
    case '[':
        end = memchr(text.ptr, ']', text.len);
        return end == NULL ? text.len : (size_t)(end - text.ptr) + 1;
    default:
        break;
    }
    if (text.len >= 2 && text.ptr[0] == '-' && text.ptr[1] == '-') {
        end = memchr(text.ptr, '\n', text.len);
        return end == NULL ? text.len : (size_t)(end - text.ptr) + 1;
    }
    if (text.len >= 2 && text.ptr[0] == '/' && text.ptr[1] == '*') {
        end = text.len > 3 ? memmem(text.ptr + 2, text.len - 2, "*/", 2) : NULL;
        return end == NULL ? text.len : (size_t)(end - text.ptr) + 2;
    }
    return 0;
}

static bool is_comment(struct hr_span text)
{
    return text.len >= 2 && ((text.ptr[0] == '-' && text.ptr[1] == '-') ||
                             (text.ptr[0] == '/' && text.ptr[1] == '*'));
}

static void advance(struct hr_span *rest, unsigned *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        *line += rest->ptr[i] == '\n';
    }
    *rest = hr_span_slice(*rest, len, rest->len);
}

bool rule_next_statement(struct hr_span *rest, unsigned *line, struct rule_statement *ret_statement)
{
    while (rest->len > 0) { /* what stands before a statement */
        if (is_comment(*rest)) {
            advance(rest, line, skip_quoted(*rest));
        } else if (strchr(" \t\r\n\f;", rest->ptr[0]) != NULL && rest->ptr[0] != '\0') {
            advance(rest, line, 1);
        } else {
            break;
        }
    }
    if (rest->len == 0) {
        return false;
    }
    size_t len = 0;
    while (len < rest->len && rest->ptr[len] != ';') {
        const size_t skip = skip_quoted(hr_span_slice(*rest, len, rest->len));
        len += skip > 0 ? skip : 1;
    }
    *ret_statement = (struct rule_statement){hr_span_trim(hr_span_slice(*rest, 0, len)), *line};
    advance(rest, line, len);
    return true;
}

static bool is_select(struct hr_span sql)
{
    return hr_span_has_prefix_nocase(sql, HR_SPAN("select")) ||
           hr_span_has_prefix_nocase(sql, HR_SPAN("with"));
}

static int parse_sql(const char *path, struct hr_span rest, unsigned line, struct rule *r,
                     struct hr_buf *error)
{
    struct rule_statement found[4];
    size_t count = 0;
    while (count < 4 && rule_next_statement(&rest, &line, &found[count])) {
        if (!is_select(found[count].text)) {
            return fail(error, path, found[count].line, "expected a SELECT (or WITH ... SELECT)");
        }
        count++;
    }
    if (count < 2 || count > 3) {
        return fail(error, path, count > 3 ? found[3].line : line,
                    "expected two SELECTs: one that yields findings, one that counts how often "
                    "the situation occurred; a third one may tell what to compare at a glance");
    }
    r->findings_sql = hr_xstrndup(found[0].text.ptr, found[0].text.len);
    r->findings_line = found[0].line;
    r->exercised_sql = hr_xstrndup(found[1].text.ptr, found[1].text.len);
    r->exercised_line = found[1].line;
    if (count == 3) {
        r->glance_sql = hr_xstrndup(found[2].text.ptr, found[2].text.len);
        r->glance_line = found[2].line;
    }
    return 0;
}

/* --- front matter ----------------------------------------------------------------------------- */

static int parse_text(struct hr_yaml_doc *doc, const char *key, bool required, char **ret_text)
{
    const struct hr_yaml *node = hr_yaml_find(doc->root, key);
    const char *text = "";
    if (node == NULL && required) {
        return hr_yaml_fail(doc, doc->root, "expected the key \"%s\"", key);
    }
    if (node != NULL && hr_yaml_get_text(doc, node, &text) < 0) {
        return -EINVAL;
    }
    const struct hr_span trimmed = hr_span_trim(hr_span_str(text));
    if (required && trimmed.len == 0) {
        return hr_yaml_fail(doc, node, "\"%s\" is empty", key);
    }
    *ret_text = hr_xstrndup(trimmed.ptr != NULL ? trimmed.ptr : "", trimmed.len);
    return 0;
}

static bool is_slug(const char *text, const char *letters)
{
    return text[0] != '\0' && strspn(text, letters) == strlen(text);
}

#define SLUG_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789-"
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789_"

static int parse_parameter(struct hr_yaml_doc *doc, const struct hr_yaml *node, struct rule *r)
{
    static const char *const keys[] = {"default", "help", NULL};
    const struct hr_yaml *value = hr_yaml_find(node, "default");
    const struct hr_yaml *help = hr_yaml_find(node, "help");
    const char *value_text = "";
    const char *help_text = "";
    if (!is_slug(node->key.ptr, NAME_LETTERS)) {
        return hr_yaml_fail(doc, node, "a parameter's name has a-z, 0-9 and _ only");
    }
    if (hr_yaml_expect(doc, node, HR_YAML_MAPPING) < 0 || hr_yaml_check_keys(doc, node, keys) < 0) {
        return -EINVAL;
    }
    if (value == NULL) {
        return hr_yaml_fail(doc, node, "expected a \"default\"");
    }
    if (hr_yaml_get_text(doc, value, &value_text) < 0 ||
        (help != NULL && hr_yaml_get_text(doc, help, &help_text) < 0)) {
        return -EINVAL;
    }
    r->parameters = hr_xrealloc(r->parameters, (r->parameter_count + 1) * sizeof(*r->parameters));
    r->parameters[r->parameter_count++] = (struct rule_parameter){
        .name = hr_xstrdup(node->key.ptr),
        .value = hr_xstrdup(value_text),
        .help = hr_xstrdup(help_text),
    };
    return 0;
}

static int parse_parameters(struct hr_yaml_doc *doc, struct rule *r)
{
    const struct hr_yaml *node = hr_yaml_find(doc->root, "parameters");
    if (node == NULL) {
        return 0;
    }
    int result = hr_yaml_expect(doc, node, HR_YAML_MAPPING);
    for (const struct hr_yaml *p = node->child; result == 0 && p != NULL; p = p->next) {
        result = parse_parameter(doc, p, r);
    }
    return result;
}

static int check_id(struct hr_yaml_doc *doc, const char *path, const struct rule *r)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    const size_t len = strlen(r->id);
    const struct hr_yaml *node = hr_yaml_find(doc->root, "id");
    if (!is_slug(r->id, SLUG_LETTERS)) {
        return hr_yaml_fail(doc, node, "an id has a-z, 0-9 and - only");
    }
    if (strncmp(name, r->id, len) != 0 || strcmp(name + len, ".sql") != 0) {
        return hr_yaml_fail(doc, node, "the id is \"%s\", so the file must be %s.sql", r->id,
                            r->id);
    }
    return 0;
}

static int read_front_matter(struct hr_yaml_doc *doc, const char *path, struct rule *r)
{
    static const char *const keys[] = {"id",      "title",      "severity",   "meaning",
                                       "cause",   "confirm",    "repair",     "lookalikes",
                                       "silence", "references", "parameters", NULL};
    size_t severity = 0;
    if (doc->root == NULL) {
        return hr_yaml_fail(doc, NULL, "the comment at the beginning is empty");
    }
    if (hr_yaml_expect(doc, doc->root, HR_YAML_MAPPING) < 0 ||
        hr_yaml_check_keys(doc, doc->root, keys) < 0 || parse_text(doc, "id", true, &r->id) < 0 ||
        check_id(doc, path, r) < 0 || parse_text(doc, "title", true, &r->title) < 0 ||
        parse_text(doc, "severity", true, &r->severity) < 0 ||
        parse_text(doc, "meaning", true, &r->meaning) < 0 ||
        parse_text(doc, "cause", false, &r->cause) < 0 ||
        parse_text(doc, "confirm", false, &r->confirm) < 0 ||
        parse_text(doc, "repair", false, &r->repair) < 0 ||
        parse_text(doc, "lookalikes", false, &r->lookalikes) < 0 ||
        parse_text(doc, "silence", false, &r->silence) < 0 ||
        parse_text(doc, "references", false, &r->references) < 0) {
        return -EINVAL;
    }
    const int result =
        hr_yaml_get_word(doc, hr_yaml_find(doc->root, "severity"), severities, &severity);
    return result < 0 ? result : parse_parameters(doc, r);
}

int rule_parse(const char *path, struct hr_span text, struct rule *ret_rule,
               struct hr_buf *ret_error)
{
    struct rule r = {.path = hr_xstrdup(path), .enabled = true};
    struct hr_yaml_doc doc;
    size_t begin = 0;
    while (begin < text.len && strchr(" \t\r\n", text.ptr[begin]) != NULL) {
        begin++;
    }
    const struct hr_span rest = hr_span_slice(text, begin, text.len);
    unsigned line = 1;
    if (memchr(text.ptr != NULL ? text.ptr : "", '\0', text.len) != NULL) {
        rule_finish(&r);
        return fail(ret_error, path, 1, "not a text file");
    }
    if (!hr_span_has_prefix(rest, HR_SPAN("/*"))) {
        rule_finish(&r);
        return fail(ret_error, path, 1, "expected a comment /* ... */ with the rule's description");
    }
    const size_t end = begin + skip_quoted(rest);
    if (memcmp(text.ptr + end - 2, "*/", 2) != 0 || end - begin < 4) {
        rule_finish(&r);
        return fail(ret_error, path, 1, "the comment at the beginning does not end");
    }
    char *yaml = hr_xstrndup(text.ptr, end - 2);
    memset(yaml + begin, ' ', 2);
    int result = hr_yaml_parse(&doc, path, hr_span_of(yaml, end - 2));
    result = result < 0 ? result : read_front_matter(&doc, path, &r);
    if (result < 0) {
        hr_buf_clear(ret_error);
        hr_buf_append(ret_error, hr_buf_span(&doc.error));
    } else {
        struct hr_span sql = text;
        advance(&sql, &line, end);
        result = parse_sql(path, sql, line, &r, ret_error);
    }
    hr_yaml_finish(&doc);
    free(yaml);
    if (result < 0) {
        rule_finish(&r);
        return -EINVAL;
    }
    *ret_rule = r;
    return 0;
}

void rule_finish(struct rule *r)
{
    for (size_t i = 0; i < r->parameter_count; i++) {
        free(r->parameters[i].name);
        free(r->parameters[i].value);
        free(r->parameters[i].help);
    }
    free(r->parameters);
    free(r->id);
    free(r->path);
    free(r->title);
    free(r->severity);
    free(r->meaning);
    free(r->cause);
    free(r->confirm);
    free(r->repair);
    free(r->lookalikes);
    free(r->silence);
    free(r->references);
    free(r->findings_sql);
    free(r->exercised_sql);
    free(r->glance_sql);
    *r = (struct rule){0};
}
