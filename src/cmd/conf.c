#include "cmd/conf.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/yaml.h"
#include "cmd/suggest.h"
#include "cmd/value.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 100 };

struct conf {
    struct hr_yaml_doc *doc;
    const struct cmd_usage *usage;
    const struct cmd_option_info *const *infos;
    const bool *given;
    size_t count;
};

/* What makes no sense in a file. */
static bool is_settable(const struct cmd_option_info *o)
{
    return o->kind != SET_NOTHING && o->id != OPT_CONFIG;
}

static int unknown_key(const struct conf *c, const struct hr_yaml *node)
{
    const char *names[NAMES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < c->count && n < NAMES_MAX; i++) {
        if (is_settable(c->infos[i])) {
            names[n++] = c->infos[i]->name;
        }
    }
    const char *meant = cmd_suggest(node->key.ptr, names, n);
    if (meant != NULL) {
        return hr_yaml_fail(c->doc, node, "unknown key '%s' (did you mean %s?)", node->key.ptr,
                            meant);
    }
    return hr_yaml_fail(c->doc, node,
                        "unknown key '%s'; expected an option of headrace %s, without the dashes",
                        node->key.ptr, c->usage->name);
}

static int set_scalar(const struct conf *c, const struct cmd_option_info *o,
                      const struct hr_yaml *node, const char *key, struct cmd_args *args)
{
    if (node->kind != HR_YAML_SCALAR) {
        return hr_yaml_fail(c->doc, node, "'%s': expected %s%s", key,
                            o->kind == SET_LIST ? "a list, each item " : "one value, ",
                            o->argument);
    }
    const char *expected = cmd_value_set(o, node->text.ptr, args);
    return expected == NULL ? 0
                            : hr_yaml_fail(c->doc, node, "'%s': expected %s, not '%s'", key,
                                           expected, node->text.ptr);
}

static int set_flag(const struct conf *c, const struct cmd_option_info *o,
                    const struct hr_yaml *node, struct cmd_args *args)
{
    bool value = false;
    if (node->kind != HR_YAML_SCALAR || hr_yaml_get_bool(c->doc, node, &value) < 0) {
        hr_buf_clear(&c->doc->error);
        return hr_yaml_fail(c->doc, node, "'%s': expected true or false", o->name);
    }
    if (value) {
        cmd_value_set(o, NULL, args);
    }
    return 0;
}

static int set_list(const struct conf *c, const struct cmd_option_info *o,
                    const struct hr_yaml *node, struct cmd_args *args)
{
    int r = 0;
    for (const struct hr_yaml *i = node->child; i != NULL && r == 0; i = i->next) {
        r = set_scalar(c, o, i, o->name, args);
    }
    return r;
}

/* -r on the command line takes the place of the interfaces of a file, and the other way round. */
static bool is_given(const struct conf *c, const struct cmd_option_info *o)
{
    for (size_t i = 0; i < c->count; i++) {
        enum cmd_option other = c->infos[i]->id;
        bool excludes = (other == OPT_READ && o->id == OPT_INTERFACE) ||
                        (other == OPT_INTERFACE && (o->id == OPT_READ || o->id == OPT_REALTIME));
        if (c->given[i] && (c->infos[i] == o || excludes)) {
            return true;
        }
    }
    return false;
}

static int take_member(const struct conf *c, const struct hr_yaml *node, struct cmd_args *args)
{
    struct cmd_args ignored = {.stream = 0}; /* what the command line overrules must be good too */
    const struct cmd_option_info *o = NULL;
    for (size_t i = 0; i < c->count; i++) {
        if (is_settable(c->infos[i]) && strcmp(c->infos[i]->name, node->key.ptr) == 0) {
            o = c->infos[i];
        }
    }
    if (o == NULL) {
        return unknown_key(c, node);
    }
    struct cmd_args *to = is_given(c, o) ? &ignored : args;
    int r = o->kind == SET_FLAG ? set_flag(c, o, node, to)
            : o->kind == SET_LIST && node->kind == HR_YAML_SEQUENCE
                ? set_list(c, o, node, to)
                : set_scalar(c, o, node, o->name, to);
    cmd_args_finish(&ignored);
    return r;
}

int cmd_conf_load(const struct cmd_usage *usage, const struct cmd_option_info *const *infos,
                  const bool *given, size_t count, struct cmd_args *args)
{
    struct hr_yaml_doc *doc = hr_xcalloc(1, sizeof(*doc));
    struct conf c = {doc, usage, infos, given, count};
    args->conf = doc; /* released with them */
    int r = hr_yaml_load(doc, args->conf_path);
    if (r == 0 && doc->root != NULL) {
        r = hr_yaml_expect(doc, doc->root, HR_YAML_MAPPING);
        for (const struct hr_yaml *n = doc->root->child; r == 0 && n != NULL; n = n->next) {
            r = take_member(&c, n, args);
        }
    }
    if (r < 0) {
        hr_error("%s", hr_buf_str(&doc->error));
    }
    return r < 0 ? CMD_USAGE : -1;
}
