#include "base/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/text.h"

struct load {
    struct hr_yaml_doc *doc;
    yaml_document_t *yaml;
    struct hr_arena *arena;
};

static struct hr_yaml *convert(struct load *l, int index, unsigned depth);

int hr_yaml_fail(struct hr_yaml_doc *doc, const struct hr_yaml *node, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (doc->error.len == 0) {
        hr_buf_append_str(&doc->error, doc->path);
        if (node != NULL) {
            hr_buf_appendf(&doc->error, ":%u", node->line);
        }
        hr_buf_append_str(&doc->error, ": ");
        hr_text_append_terminal(&doc->error, hr_span_str(text)); /* it may quote the file */
    }
    return -EINVAL;
}

static struct hr_yaml *convert_scalar(struct load *l, const yaml_node_t *from, struct hr_yaml *to)
{
    to->kind = HR_YAML_SCALAR;
    to->text = hr_arena_copy(l->arena, hr_span_of(from->data.scalar.value, from->data.scalar.length));
    to->quoted = from->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (strlen(to->text.ptr) != to->text.len) {
        hr_yaml_fail(l->doc, to, "text must not hold a NUL");
        return NULL;
    }
    return to;
}

static struct hr_yaml *convert_sequence(struct load *l, const yaml_node_t *from, struct hr_yaml *to,
                                        unsigned depth)
{
    struct hr_yaml **link = &to->child;
    to->kind = HR_YAML_SEQUENCE;
    for (yaml_node_item_t *i = from->data.sequence.items.start; i < from->data.sequence.items.top; i++) {
        *link = convert(l, *i, depth + 1);
        if (*link == NULL) {
            return NULL;
        }
        link = &(*link)->next;
    }
    return to;
}

static struct hr_yaml *convert_mapping(struct load *l, const yaml_node_t *from, struct hr_yaml *to,
                                       unsigned depth)
{
    struct hr_yaml **link = &to->child;
    to->kind = HR_YAML_MAPPING;
    if (from->data.mapping.pairs.top - from->data.mapping.pairs.start > HR_YAML_KEYS) {
        hr_yaml_fail(l->doc, to, "more than %d keys in one mapping", HR_YAML_KEYS);
        return NULL;
    }
    for (yaml_node_pair_t *p = from->data.mapping.pairs.start; p < from->data.mapping.pairs.top; p++) {
        const struct hr_yaml *key = convert(l, p->key, depth + 1);
        if (key == NULL) {
            return NULL;
        }
        if (key->kind != HR_YAML_SCALAR) {
            hr_yaml_fail(l->doc, key, "a key must be plain text");
            return NULL;
        }
        if (hr_yaml_find(to, key->text.ptr) != NULL) {
            hr_yaml_fail(l->doc, key, "the key '%s' stands twice", key->text.ptr);
            return NULL;
        }
        *link = convert(l, p->value, depth + 1);
        if (*link == NULL) {
            return NULL;
        }
        (*link)->key = key->text;
        (*link)->line = (*link)->kind == HR_YAML_SCALAR ? (*link)->line : key->line;
        link = &(*link)->next;
    }
    return to;
}

/* Aliases share a node in the library's document; a shared node would be converted again and
 * again, so the document is checked for them first and depth is bounded. */
static struct hr_yaml *convert(struct load *l, int index, unsigned depth)
{
    const yaml_node_t *from = yaml_document_get_node(l->yaml, index);
    struct hr_yaml *to = hr_arena_alloc(l->arena, sizeof(*to));
    to->line = (unsigned)from->start_mark.line + 1;
    if (depth > HR_YAML_DEPTH) {
        hr_yaml_fail(l->doc, to, "nested more than %d levels deep", HR_YAML_DEPTH);
        return NULL;
    }
    if (from->type == YAML_SCALAR_NODE) {
        return convert_scalar(l, from, to);
    }
    if (from->type == YAML_SEQUENCE_NODE) {
        return convert_sequence(l, from, to, depth);
    }
    return convert_mapping(l, from, to, depth);
}

/* A document without aliases is a tree: each node has one parent. */
static int refuse_aliases(struct hr_yaml_doc *doc, yaml_document_t *yaml)
{
    size_t count = (size_t)(yaml->nodes.top - yaml->nodes.start);
    size_t links = 0;
    for (yaml_node_t *n = yaml->nodes.start; n < yaml->nodes.top; n++) {
        if (n->type == YAML_SEQUENCE_NODE) {
            links += (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
        } else if (n->type == YAML_MAPPING_NODE) {
            links += 2 * (size_t)(n->data.mapping.pairs.top - n->data.mapping.pairs.start);
        }
    }
    return links < count || count == 0 ? 0
                                       : hr_yaml_fail(doc, NULL, "anchors and aliases are not allowed");
}

static int parse(struct hr_yaml_doc *doc, struct hr_span text)
{
    yaml_parser_t parser;
    yaml_document_t yaml;
    int r = 0;
    if (!yaml_parser_initialize(&parser)) {
        hr_out_of_memory();
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
    if (!yaml_parser_load(&parser, &yaml)) {
        struct hr_yaml at = {.line = (unsigned)parser.problem_mark.line + 1};
        r = hr_yaml_fail(doc, &at, "not YAML: %s", parser.problem != NULL ? parser.problem : "?");
        yaml_parser_delete(&parser);
        return r;
    }
    r = refuse_aliases(doc, &yaml);
    if (r == 0 && yaml_document_get_root_node(&yaml) != NULL) {
        struct load l = {.doc = doc, .yaml = &yaml, .arena = doc->memory};
        doc->root = convert(&l, 1, 0);
        r = doc->root != NULL ? 0 : -EINVAL;
    }
    yaml_document_delete(&yaml);
    yaml_parser_delete(&parser);
    return r;
}

static void doc_init(struct hr_yaml_doc *doc, const char *path)
{
    struct hr_arena *arena = hr_xcalloc(1, sizeof(*arena));
    hr_arena_init(arena);
    *doc = (struct hr_yaml_doc){.path = path, .memory = arena};
    hr_buf_init(&doc->error, 4096);
}

int hr_yaml_parse(struct hr_yaml_doc *doc, const char *path, struct hr_span text)
{
    doc_init(doc, path);
    return parse(doc, text);
}

int hr_yaml_load(struct hr_yaml_doc *doc, const char *path)
{
    char chunk[8192];
    struct hr_buf text;
    size_t n;
    int r = 0;
    doc_init(doc, path);
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        r = -errno;
        hr_yaml_fail(doc, NULL, "%s", strerror(-r));
        return r;
    }
    hr_buf_init(&text, HR_YAML_LIMIT_BYTES);
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0) {
        hr_buf_append(&text, hr_span_of(chunk, n));
    }
    if (ferror(f)) {
        r = -EIO;
        hr_yaml_fail(doc, NULL, "cannot be read");
    } else if (text.cut) {
        r = hr_yaml_fail(doc, NULL, "larger than %u bytes", HR_YAML_LIMIT_BYTES);
    } else {
        r = parse(doc, hr_span_of(hr_buf_str(&text), text.len));
    }
    fclose(f);
    hr_buf_finish(&text);
    return r;
}

void hr_yaml_finish(struct hr_yaml_doc *doc)
{
    if (doc != NULL && doc->memory != NULL) {
        hr_arena_finish(doc->memory);
        free(doc->memory);
        hr_buf_finish(&doc->error);
        doc->memory = NULL;
        doc->root = NULL;
    }
}

const struct hr_yaml *hr_yaml_find(const struct hr_yaml *node, const char *key)
{
    if (node == NULL || node->kind != HR_YAML_MAPPING) {
        return NULL;
    }
    for (const struct hr_yaml *c = node->child; c != NULL; c = c->next) {
        if (strcmp(c->key.ptr, key) == 0) {
            return c;
        }
    }
    return NULL;
}

static void append_words(struct hr_buf *out, const char *const words[])
{
    for (size_t i = 0; words[i] != NULL; i++) {
        hr_buf_appendf(out, "%s%s", i == 0 ? "" : ", ", words[i]);
    }
}

int hr_yaml_expect(struct hr_yaml_doc *doc, const struct hr_yaml *node, enum hr_yaml_kind kind)
{
    static const char *const names[] = {"one value", "a list", "a mapping of keys to values"};
    if (node->kind == kind) {
        return 0;
    }
    if (node->key.len > 0) {
        return hr_yaml_fail(doc, node, "'%s': expected %s", node->key.ptr, names[kind]);
    }
    return hr_yaml_fail(doc, node, "expected %s", names[kind]);
}

int hr_yaml_check_keys(struct hr_yaml_doc *doc, const struct hr_yaml *node, const char *const keys[])
{
    int r = hr_yaml_expect(doc, node, HR_YAML_MAPPING);
    for (const struct hr_yaml *c = r == 0 ? node->child : NULL; c != NULL; c = c->next) {
        size_t i = 0;
        while (keys[i] != NULL && strcmp(keys[i], c->key.ptr) != 0) {
            i++;
        }
        if (keys[i] == NULL) {
            struct hr_buf known;
            hr_buf_init(&known, 400);
            append_words(&known, keys);
            r = hr_yaml_fail(doc, c, "unknown key '%s'; expected one of: %s", c->key.ptr,
                             hr_buf_str(&known));
            hr_buf_finish(&known);
            return r;
        }
    }
    return r;
}

int hr_yaml_get_text(struct hr_yaml_doc *doc, const struct hr_yaml *node, const char **ret_text)
{
    int r = hr_yaml_expect(doc, node, HR_YAML_SCALAR);
    if (r == 0) {
        *ret_text = node->text.ptr;
    }
    return r;
}

int hr_yaml_get_bool(struct hr_yaml_doc *doc, const struct hr_yaml *node, bool *ret_value)
{
    static const char *const words[] = {"false", "true", "no", "yes", NULL};
    size_t i;
    int r = hr_yaml_get_word(doc, node, words, &i);
    if (r == 0) {
        *ret_value = i % 2 == 1;
    }
    return r;
}

int hr_yaml_get_int(struct hr_yaml_doc *doc, const struct hr_yaml *node, int64_t min, int64_t max,
                    int64_t *ret_value)
{
    int r = hr_yaml_expect(doc, node, HR_YAML_SCALAR);
    if (r < 0) {
        return r;
    }
    char *end;
    errno = 0;
    long long v = strtoll(node->text.ptr, &end, 10);
    if (errno != 0 || end == node->text.ptr || *end != '\0' || v < min || v > max) {
        return hr_yaml_fail(doc, node, "'%s': expected a whole number from %lld to %lld",
                            node->text.ptr, (long long)min, (long long)max);
    }
    *ret_value = v;
    return 0;
}

int hr_yaml_get_duration(struct hr_yaml_doc *doc, const struct hr_yaml *node, hr_nsec *ret_span)
{
    static const struct {
        const char *name;
        double nsec;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"min", 6e10}, {"h", 3.6e12}, {"d", 8.64e13}};
    int r = hr_yaml_expect(doc, node, HR_YAML_SCALAR);
    if (r < 0) {
        return r;
    }
    char *end;
    double v = strtod(node->text.ptr, &end);
    while (*end == ' ') {
        end++;
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(units); i++) {
        if (end != node->text.ptr && strcmp(end, units[i].name) == 0 && v * units[i].nsec > -9e18 &&
            v * units[i].nsec < 9e18) {
            double nsec = v * units[i].nsec;
            *ret_span = (hr_nsec)(nsec < 0 ? nsec - 0.5 : nsec + 0.5);
            return 0;
        }
    }
    return hr_yaml_fail(doc, node, "'%s': expected a number with ns, us, ms, s, min, h or d",
                        node->text.ptr);
}

int hr_yaml_get_word(struct hr_yaml_doc *doc, const struct hr_yaml *node, const char *const words[],
                     size_t *ret_index)
{
    int r = hr_yaml_expect(doc, node, HR_YAML_SCALAR);
    for (size_t i = 0; r == 0 && words[i] != NULL; i++) {
        if (strcmp(words[i], node->text.ptr) == 0) {
            *ret_index = i;
            return 0;
        }
    }
    if (r == 0) {
        struct hr_buf known;
        hr_buf_init(&known, 400);
        append_words(&known, words);
        r = hr_yaml_fail(doc, node, "'%s': expected one of: %s", node->text.ptr, hr_buf_str(&known));
        hr_buf_finish(&known);
    }
    return r;
}
