#include "base/alloc.h"
#include "rule/parse.h"
#include "rule/rule.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RULE_LIMIT_BYTES (1024u * 1024)

struct loading {
    void (*emit_error)(const char *line, void *user);
    void *user;
    struct rule_set *set;
    bool is_broken;
};

static void complain(struct loading *l, const char *path, const char *text)
{
    struct hr_buf line;
    hr_buf_init(&line, SIZE_MAX);
    hr_buf_appendf(&line, "%s: %s", path, text);
    l->emit_error(hr_buf_str(&line), l->user);
    hr_buf_finish(&line);
    l->is_broken = true;
}

static int read_file(const char *path, struct hr_buf *out)
{
    char bytes[8192];
    ssize_t got;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    while ((got = TEMP_FAILURE_RETRY(read(fd, bytes, sizeof(bytes)))) > 0 && !out->cut) {
        hr_buf_append(out, hr_span_of(bytes, (size_t)got));
    }
    const int r = got < 0 ? -errno : out->cut ? -EFBIG : 0;
    close(fd);
    return r;
}

/** One of a later folder replaces one of the same id. */
static void put_rule(struct rule_set *set, struct rule *take_rule)
{
    size_t at = 0;
    while (at < set->count && strcmp(set->rules[at].id, take_rule->id) < 0) {
        at++;
    }
    if (at < set->count && strcmp(set->rules[at].id, take_rule->id) == 0) {
        rule_finish(&set->rules[at]);
        set->rules[at] = *take_rule;
        return;
    }
    set->rules = hr_xrealloc(set->rules, (set->count + 1) * sizeof(*set->rules));
    memmove(&set->rules[at + 1], &set->rules[at], (set->count - at) * sizeof(*set->rules));
    set->rules[at] = *take_rule;
    set->count++;
}

static void load_file(struct loading *l, const char *path)
{
    struct hr_buf text;
    struct hr_buf error;
    struct rule rule;
    hr_buf_init(&text, RULE_LIMIT_BYTES);
    hr_buf_init(&error, SIZE_MAX);
    const int r = read_file(path, &text);
    if (r < 0) {
        complain(l, path, r == -EFBIG ? "larger than a rule may be (1 MiB)" : strerror(-r));
    } else if (rule_parse(path, hr_buf_span(&text), &rule, &error) < 0) {
        l->emit_error(hr_buf_str(&error), l->user);
        l->is_broken = true;
    } else {
        put_rule(l->set, &rule);
    }
    hr_buf_finish(&text);
    hr_buf_finish(&error);
}

static int is_rule_file(const struct dirent *entry)
{
    const size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 4 && strcmp(entry->d_name + len - 4, ".sql") == 0;
}

static int load_folder(struct loading *l, const char *folder)
{
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, is_rule_file, alphasort);
    if (count < 0) {
        return -errno;
    }
    for (int i = 0; i < count; i++) {
        struct hr_buf path;
        hr_buf_init(&path, SIZE_MAX);
        hr_buf_appendf(&path, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/",
                       entries[i]->d_name);
        load_file(l, hr_buf_str(&path));
        hr_buf_finish(&path);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

int rule_set_load(const char *const *folders, size_t folder_count,
                  void (*emit_error)(const char *line, void *user), void *user,
                  struct rule_set *ret_set)
{
    struct rule_set set = {NULL, 0};
    struct loading l = {emit_error, user, &set, false};
    const char *folder = rule_builtin_folder();
    int r = load_folder(&l, folder);
    for (size_t i = 0; i < set.count; i++) {
        set.rules[i].is_builtin = true;
    }
    for (size_t i = 0; r == 0 && i < folder_count; i++) {
        folder = folders[i][0] == '\0' ? "." : folders[i];
        r = load_folder(&l, folder);
    }
    if (r < 0) {
        struct hr_buf text;
        hr_buf_init(&text, SIZE_MAX);
        hr_buf_appendf(&text, "the folder of rules cannot be read: %s", strerror(-r));
        complain(&l, folder, hr_buf_str(&text));
        hr_buf_finish(&text);
        rule_set_finish(&set);
        return r;
    }
    *ret_set = set;
    return l.is_broken ? 1 : 0;
}

void rule_set_finish(struct rule_set *set)
{
    if (set == NULL) {
        return;
    }
    for (size_t i = 0; i < set->count; i++) {
        rule_finish(&set->rules[i]);
    }
    free(set->rules);
    *set = (struct rule_set){NULL, 0};
}

static struct rule *find(const struct rule_set *set, const char *id)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->rules[i].id, id) == 0) {
            return &set->rules[i];
        }
    }
    return NULL;
}

const struct rule *rule_set_find(const struct rule_set *set, const char *id)
{
    return find(set, id);
}

int rule_set_enable(struct rule_set *set, const char *id, bool enabled)
{
    struct rule *r = find(set, id);
    if (r == NULL) {
        return -ENOENT;
    }
    r->enabled = enabled;
    return 0;
}

static struct rule_parameter *find_parameter(const struct rule *r, const char *name)
{
    for (size_t i = 0; r != NULL && i < r->parameter_count; i++) {
        if (strcmp(r->parameters[i].name, name) == 0) {
            return &r->parameters[i];
        }
    }
    return NULL;
}

int rule_set_assign(struct rule_set *set, const char *assignment, struct hr_buf *ret_error)
{
    struct hr_span rest = hr_span_str(assignment);
    const size_t equals = hr_span_find(rest, '=');
    const size_t dot = hr_span_find(hr_span_slice(rest, 0, equals), '.');
    if (equals == SIZE_MAX || dot == SIZE_MAX) {
        hr_buf_appendf(ret_error, "expected SLUG.PARAMETER=VALUE, not \"%s\"", assignment);
        return -EINVAL;
    }
    char *slug = hr_xstrndup(assignment, dot);
    char *name = hr_xstrndup(assignment + dot + 1, equals - dot - 1);
    struct rule *r = find(set, slug);
    struct rule_parameter *p = find_parameter(r, name);
    if (r == NULL) {
        hr_buf_appendf(ret_error, "there is no rule \"%s\"; `rules list` shows them", slug);
    } else if (p == NULL) {
        hr_buf_appendf(ret_error, "the rule %s has no parameter \"%s\"; it has", slug, name);
        for (size_t i = 0; i < r->parameter_count; i++) {
            hr_buf_appendf(ret_error, "%s %s", i > 0 ? "," : "", r->parameters[i].name);
        }
        hr_buf_append_str(ret_error, r->parameter_count == 0 ? " none" : "");
    } else {
        free(p->value);
        p->value = hr_xstrdup(assignment + equals + 1);
    }
    free(slug);
    free(name);
    return p == NULL ? -EINVAL : 0;
}

/* The installed program keeps to the rules installed with it, though the sources may still be
 * there. */
static bool is_installed(void)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path));
    return len > 0 && hr_span_has_prefix(hr_span_of(path, (size_t)len), HR_SPAN(HR_BINARIES "/"));
}

const char *rule_builtin_folder(void)
{
    const char *given = getenv("HEADRACE_RULES");
    if (given != NULL && given[0] != '\0') {
        return given;
    }
    struct stat st;
    bool has_source = stat(HR_RULES_SOURCE, &st) == 0 && S_ISDIR(st.st_mode);
    return has_source && !is_installed() ? HR_RULES_SOURCE : HR_RULES_INSTALLED;
}
