/*
 * A profile file is a mapping with one key, sites: a list of sites. Every list of places or paths
 * may also be written as its one item. Errors name the file, the line and what was expected.
 */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/yaml.h"
#include "session/profile_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SITE_LIMIT 1000
#define LIST_LIMIT 1000
#define COOKIE_SET_LIMIT 8

struct profile_set {
    struct hr_arena arena; /* everything below */
    struct profile **profiles;
    size_t count;
};

const struct profile *profile_set_find(const struct profile_set *set, struct hr_span site)
{
    for (size_t i = 0; set != NULL && i < set->count; i++) {
        const struct profile *p = set->profiles[i];
        if (p->hosts_count == 0) {
            return p;
        }
        for (size_t k = 0; k < p->hosts_count; k++) {
            if (profile_host_fits(p->hosts[k].path, site)) {
                return p;
            }
        }
    }
    return NULL;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct reader {
    struct hr_yaml_doc *doc;
    struct hr_arena *arena;
};

static const char *keep(struct reader *r, struct hr_span text)
{
    return hr_arena_strdup(r->arena, text);
}

/* A sequence's items, or the node itself where it is a single item. */
static int count_items(struct reader *r, const struct hr_yaml *node, size_t *ret_count,
                       const struct hr_yaml **ret_first)
{
    size_t count = 0;
    if (node->kind != HR_YAML_SEQUENCE) {
        *ret_count = 1;
        *ret_first = node;
        return 0;
    }
    for (const struct hr_yaml *i = node->child; i != NULL; i = i->next) {
        count++;
    }
    if (count > LIST_LIMIT) {
        return hr_yaml_fail(r->doc, node, "%zu items; at most %d are allowed", count, LIST_LIMIT);
    }
    if (count == 0) {
        return hr_yaml_fail(r->doc, node, "an empty list; leave the key out, then it is learned");
    }
    *ret_count = count;
    *ret_first = node->child;
    return 0;
}

/* The item after one that count_items() began with. */
static const struct hr_yaml *next_item(const struct hr_yaml *list, const struct hr_yaml *item)
{
    return list->kind == HR_YAML_SEQUENCE ? item->next : NULL;
}

static int read_texts(struct reader *r, const struct hr_yaml *node, struct profile_endpoint **ret,
                      size_t *ret_count)
{
    const struct hr_yaml *item = NULL;
    int rc = count_items(r, node, ret_count, &item);
    if (rc < 0) {
        return rc;
    }
    *ret = hr_arena_alloc(r->arena, *ret_count * sizeof(**ret));
    for (size_t i = 0; rc == 0 && item != NULL; i++, item = next_item(node, item)) {
        const char *text;
        rc = hr_yaml_get_text(r->doc, item, &text);
        if (rc == 0 && *text == '\0') {
            rc = hr_yaml_fail(r->doc, item, "an empty text; expected a name or pattern");
        }
        (*ret)[i].path = rc == 0 ? keep(r, hr_span_str(text)) : NULL;
    }
    return rc;
}

static int check_path(struct reader *r, const struct hr_yaml *node, const char *path)
{
    if (path == NULL || (path[0] != '/' && path[0] != '*')) {
        return hr_yaml_fail(r->doc, node, "\"%s\" is no path; expected one that begins with / or *",
                            path == NULL ? "" : path);
    }
    return 0;
}

static int check_method(struct reader *r, const struct hr_yaml *node, struct hr_span method)
{
    for (size_t i = 0; i < method.len; i++) {
        if (method.ptr[i] < 'A' || method.ptr[i] > 'Z') {
            return hr_yaml_fail(r->doc, node,
                                "\"%.*s\" is no method; expected one in capitals, such as POST",
                                (int)method.len, method.ptr);
        }
    }
    return 0;
}

/* "GET /home" or "/home" */
static int read_endpoints(struct reader *r, const struct hr_yaml *node,
                          struct profile_endpoint **ret, size_t *ret_count)
{
    int rc = read_texts(r, node, ret, ret_count);
    const struct hr_yaml *item = node->kind == HR_YAML_SEQUENCE ? node->child : node;
    for (size_t i = 0; rc == 0 && i < *ret_count; i++, item = next_item(node, item)) {
        struct hr_span path = hr_span_str((*ret)[i].path);
        if (path.len > 0 && hr_span_find(path, ' ') != SIZE_MAX) {
            struct hr_span method = hr_span_cut(&path, ' ');
            rc = check_method(r, item, method);
            (*ret)[i].method = keep(r, method);
            (*ret)[i].path = keep(r, hr_span_trim(path));
        }
        if (rc == 0) {
            rc = check_path(r, item, (*ret)[i].path);
        }
    }
    return rc;
}

/* cookies: [a, b] becomes "a+b", the name under which the pair counts as one */
static int read_cookie_set(struct reader *r, const struct hr_yaml *node, const char **ret_name)
{
    struct hr_buf name;
    size_t count = 0;
    int rc = hr_yaml_expect(r->doc, node, HR_YAML_SEQUENCE);
    hr_buf_init(&name, 128);
    for (const struct hr_yaml *i = node->child; rc == 0 && i != NULL; i = i->next) {
        const char *text;
        rc = hr_yaml_get_text(r->doc, i, &text);
        if (rc == 0 && (*text == '\0' || strchr(text, '+') != NULL)) {
            rc = hr_yaml_fail(r->doc, i,
                              "\"%s\" cannot be in a set; expected a cookie's name "
                              "without +",
                              text);
        }
        if (rc == 0) {
            hr_buf_appendf(&name, "%s%s", count++ > 0 ? "+" : "", text);
        }
    }
    if (rc == 0 && (count < 2 || count > COOKIE_SET_LIMIT || name.cut)) {
        rc = hr_yaml_fail(r->doc, node, "expected 2 to %d cookie names, 128 characters together",
                          COOKIE_SET_LIMIT);
    }
    if (rc == 0) {
        *ret_name = keep(r, hr_buf_span(&name));
    }
    hr_buf_finish(&name);
    return rc;
}

static const char *const session_keys[] = {"cookie", "cookies", "bearer",     "header", "query",
                                           "form",   "json",    "user_query", NULL};
static const char *const user_keys[] = {"form", "json", "query", "header", NULL};

static int read_place(struct reader *r, const struct hr_yaml *node, const char *const *keys,
                      struct profile_place *ret_place)
{
    static const struct {
        const char *key;
        enum profile_where where;
    } wheres[] = {
        {"cookie",     PROFILE_COOKIE    },
        {"cookies",    PROFILE_COOKIES   },
        {"bearer",     PROFILE_BEARER    },
        {"header",     PROFILE_HEADER    },
        {"query",      PROFILE_QUERY     },
        {"form",       PROFILE_FORM      },
        {"json",       PROFILE_JSON      },
        {"user_query", PROFILE_USER_QUERY},
    };
    int rc = hr_yaml_expect(r->doc, node, HR_YAML_MAPPING);
    if (rc == 0) {
        rc = hr_yaml_check_keys(r->doc, node, keys);
    }
    if (rc < 0) {
        return rc;
    }
    const struct hr_yaml *member = node->child;
    if (member == NULL || member->next != NULL) {
        return hr_yaml_fail(r->doc, node, "expected exactly one place, such as \"%s: NAME\"",
                            keys[0]);
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(wheres); i++) {
        if (hr_span_equal(member->key, hr_span_str(wheres[i].key))) {
            ret_place->where = wheres[i].where;
        }
    }
    if (ret_place->where == PROFILE_BEARER) {
        bool is_true = false;
        rc = hr_yaml_get_bool(r->doc, member, &is_true);
        if (rc == 0 && !is_true) {
            rc = hr_yaml_fail(r->doc, member,
                              "expected true; leave bearer out where it is not used");
        }
        return rc;
    }
    if (ret_place->where == PROFILE_COOKIES) {
        return read_cookie_set(r, member, &ret_place->name);
    }
    const char *name;
    rc = hr_yaml_get_text(r->doc, member, &name);
    if (rc == 0 && *name == '\0') {
        rc = hr_yaml_fail(r->doc, member, "an empty name; expected the name of the %.*s",
                          (int)member->key.len, member->key.ptr);
    }
    ret_place->name = rc == 0 ? keep(r, hr_span_str(name)) : NULL;
    return rc;
}

static int read_places(struct reader *r, const struct hr_yaml *node, const char *const *keys,
                       struct profile_place **ret, size_t *ret_count)
{
    const struct hr_yaml *item = NULL;
    int rc = count_items(r, node, ret_count, &item);
    if (rc < 0) {
        return rc;
    }
    *ret = hr_arena_alloc(r->arena, *ret_count * sizeof(**ret));
    for (size_t i = 0; rc == 0 && item != NULL; i++, item = next_item(node, item)) {
        rc = read_place(r, item, keys, &(*ret)[i]);
    }
    return rc;
}

static int read_status(struct reader *r, const struct hr_yaml *node, struct profile_success *s)
{
    const struct hr_yaml *item = NULL;
    size_t count = 0;
    int rc = count_items(r, node, &count, &item);
    if (rc == 0 && count > PROFILE_STATUS_LIMIT) {
        return hr_yaml_fail(r->doc, node, "at most %d status codes are allowed",
                            PROFILE_STATUS_LIMIT);
    }
    for (; rc == 0 && item != NULL; item = next_item(node, item)) {
        int64_t status;
        rc = hr_yaml_get_int(r->doc, item, 100, 999, &status);
        if (rc == 0) {
            s->status[s->status_count++] = (unsigned)status;
        }
    }
    return rc;
}

static int read_text_member(struct reader *r, const struct hr_yaml *node, const char *key,
                            const char **ret_text)
{
    const struct hr_yaml *member = hr_yaml_find(node, key);
    const char *text;
    if (member == NULL) {
        return 0;
    }
    int rc = hr_yaml_get_text(r->doc, member, &text);
    if (rc == 0 && *text == '\0') {
        rc = hr_yaml_fail(r->doc, member, "%s is empty", key);
    }
    *ret_text = rc == 0 ? keep(r, hr_span_str(text)) : NULL;
    return rc;
}

static int read_json_condition(struct reader *r, const struct hr_yaml *node,
                               struct profile_success *s)
{
    int rc = hr_yaml_expect(r->doc, node, HR_YAML_MAPPING);
    const struct hr_yaml *member = rc == 0 ? node->child : NULL;
    if (rc == 0 && (member == NULL || member->next != NULL)) {
        return hr_yaml_fail(r->doc, node,
                            "expected one member and its value, such as \"ok: true\"");
    }
    if (rc == 0) {
        const char *value;
        rc = hr_yaml_get_text(r->doc, member, &value);
        if (rc == 0) {
            s->json = keep(r, member->key);
            s->json_value = strcmp(value, "*") == 0 ? NULL : keep(r, hr_span_str(value));
        }
    }
    return rc;
}

static int read_success(struct reader *r, const struct hr_yaml *node, struct profile_success *s)
{
    static const char *const keys[] = {"status", "location", "cookie", "json", NULL};
    int rc = hr_yaml_expect(r->doc, node, HR_YAML_MAPPING);
    if (rc == 0) {
        rc = hr_yaml_check_keys(r->doc, node, keys);
    }
    if (rc == 0 && hr_yaml_find(node, "status") != NULL) {
        rc = read_status(r, hr_yaml_find(node, "status"), s);
    }
    if (rc == 0) {
        rc = read_text_member(r, node, "location", &s->location);
    }
    if (rc == 0) {
        rc = read_text_member(r, node, "cookie", &s->cookie);
    }
    if (rc == 0 && hr_yaml_find(node, "json") != NULL) {
        rc = read_json_condition(r, hr_yaml_find(node, "json"), s);
    }
    return rc;
}

static int read_action(struct reader *r, const struct hr_yaml *node, struct profile_action *a)
{
    static const char *const keys[] = {"method", "path", "success", NULL};
    int rc = hr_yaml_expect(r->doc, node, HR_YAML_MAPPING);
    if (rc == 0) {
        rc = hr_yaml_check_keys(r->doc, node, keys);
    }
    if (rc == 0) {
        rc = read_text_member(r, node, "method", &a->endpoint.method);
    }
    if (rc == 0) {
        rc = read_text_member(r, node, "path", &a->endpoint.path);
    }
    if (rc == 0 && a->endpoint.path == NULL) {
        rc = hr_yaml_fail(r->doc, node, "path is missing; expected one that begins with /");
    }
    if (rc == 0) {
        rc = check_path(r, hr_yaml_find(node, "path"), a->endpoint.path);
    }
    if (rc == 0 && a->endpoint.method != NULL) {
        rc = check_method(r, hr_yaml_find(node, "method"), hr_span_str(a->endpoint.method));
    }
    if (rc == 0 && hr_yaml_find(node, "success") != NULL) {
        a->has_success = true;
        rc = read_success(r, hr_yaml_find(node, "success"), &a->success);
    }
    return rc;
}

static int read_actions(struct reader *r, const struct hr_yaml *node, struct profile_action **ret,
                        size_t *ret_count)
{
    const struct hr_yaml *item = NULL;
    int rc = count_items(r, node, ret_count, &item);
    if (rc < 0) {
        return rc;
    }
    *ret = hr_arena_alloc(r->arena, *ret_count * sizeof(**ret));
    for (size_t i = 0; rc == 0 && item != NULL; i++, item = next_item(node, item)) {
        rc = read_action(r, item, &(*ret)[i]);
    }
    return rc;
}

/* "10.0.0.1", "10.0.0.0/8", "2001:db8::/32" */
static bool parse_network(const char *text, struct profile_network *ret_network)
{
    struct hr_span rest = hr_span_str(text);
    struct hr_span address = hr_span_cut(&rest, '/');
    char *name = hr_xstrndup(address.ptr, address.len);
    struct profile_network n = {.bits = 128};
    uint64_t bits = 0;
    const unsigned before = strchr(name, ':') == NULL ? 96 : 0; /* IPv4 stands behind a prefix */
    bool ok = net_address_parse(name, &n.address);
    if (ok && rest.ptr != NULL) {
        ok = hr_span_to_u64(rest, &bits) && bits <= 128 - before;
        n.bits = before + (unsigned)bits;
    }
    free(name);
    if (ok) {
        *ret_network = n;
    }
    return ok;
}

static int read_proxies(struct reader *r, const struct hr_yaml *node, struct profile *p)
{
    const struct hr_yaml *item = NULL;
    int rc = count_items(r, node, &p->trusted_proxies_count, &item);
    if (rc < 0) {
        return rc;
    }
    p->trusted_proxies =
        hr_arena_alloc(r->arena, p->trusted_proxies_count * sizeof(*p->trusted_proxies));
    for (size_t i = 0; rc == 0 && item != NULL; i++, item = next_item(node, item)) {
        const char *text;
        rc = hr_yaml_get_text(r->doc, item, &text);
        if (rc == 0 && !parse_network(text, &p->trusted_proxies[i])) {
            rc = hr_yaml_fail(r->doc, item,
                              "\"%s\" is no address; expected one such as 10.0.0.1, or a network "
                              "such as 10.0.0.0/8",
                              text);
        }
    }
    return rc;
}

static int read_policies(struct reader *r, const struct hr_yaml *node, struct profile *p)
{
    static const char *const keys[] = {"one_session_per_user", "self_contained_tokens",
                                       "trusted_proxies", NULL};
    const struct hr_yaml *one = hr_yaml_find(node, "one_session_per_user");
    const struct hr_yaml *self = hr_yaml_find(node, "self_contained_tokens");
    const struct hr_yaml *proxies = hr_yaml_find(node, "trusted_proxies");
    int rc = hr_yaml_expect(r->doc, node, HR_YAML_MAPPING);
    if (rc == 0) {
        rc = hr_yaml_check_keys(r->doc, node, keys);
    }
    if (rc == 0 && one != NULL) {
        bool is_one = false;
        rc = hr_yaml_get_bool(r->doc, one, &is_one);
        p->one_session_per_user = is_one ? 1 : -1;
    }
    if (rc == 0 && self != NULL) {
        rc = hr_yaml_get_bool(r->doc, self, &p->self_contained_tokens);
    }
    if (rc == 0 && proxies != NULL) {
        rc = read_proxies(r, proxies, p);
    }
    return rc;
}

static int read_member(struct reader *r, const struct hr_yaml *m, struct profile *p)
{
    if (hr_span_equal(m->key, HR_SPAN("hosts"))) {
        return read_texts(r, m, &p->hosts, &p->hosts_count);
    }
    if (hr_span_equal(m->key, HR_SPAN("session"))) {
        return read_places(r, m, session_keys, &p->session, &p->session_count);
    }
    if (hr_span_equal(m->key, HR_SPAN("login"))) {
        return read_actions(r, m, &p->login, &p->login_count);
    }
    if (hr_span_equal(m->key, HR_SPAN("logout"))) {
        return read_actions(r, m, &p->logout, &p->logout_count);
    }
    if (hr_span_equal(m->key, HR_SPAN("user"))) {
        return read_places(r, m, user_keys, &p->user, &p->user_count);
    }
    if (hr_span_equal(m->key, HR_SPAN("protected"))) {
        return read_endpoints(r, m, &p->is_protected, &p->is_protected_count);
    }
    if (hr_span_equal(m->key, HR_SPAN("public"))) {
        return read_endpoints(r, m, &p->is_public, &p->is_public_count);
    }
    if (hr_span_equal(m->key, HR_SPAN("identity"))) {
        return read_endpoints(r, m, &p->identity, &p->identity_count);
    }
    if (hr_span_equal(m->key, HR_SPAN("request_id"))) {
        return read_texts(r, m, &p->request_id, &p->request_id_count);
    }
    return read_policies(r, m, p);
}

static int read_site(struct reader *r, const struct hr_yaml *node, struct profile *p)
{
    static const char *const keys[] = {"hosts",      "session",   "login",  "logout",
                                       "user",       "protected", "public", "identity",
                                       "request_id", "policies",  NULL};
    int rc = hr_yaml_expect(r->doc, node, HR_YAML_MAPPING);
    if (rc == 0) {
        rc = hr_yaml_check_keys(r->doc, node, keys);
    }
    if (rc == 0 && hr_yaml_find(node, "hosts") == NULL) {
        rc = hr_yaml_fail(r->doc, node,
                          "hosts is missing; expected the names this site has, or \"*\"");
    }
    for (const struct hr_yaml *m = rc == 0 ? node->child : NULL; rc == 0 && m != NULL;
         m = m->next) {
        rc = read_member(r, m, p);
    }
    return rc;
}

static int read_file(struct profile_set *set, struct hr_yaml_doc *doc)
{
    static const char *const keys[] = {"sites", NULL};
    struct reader r = {doc, &set->arena};
    if (doc->root == NULL) {
        return hr_yaml_fail(doc, NULL, "the file is empty; expected \"sites:\" and a list");
    }
    int rc = hr_yaml_expect(doc, doc->root, HR_YAML_MAPPING);
    if (rc == 0) {
        rc = hr_yaml_check_keys(doc, doc->root, keys);
    }
    const struct hr_yaml *sites = rc == 0 ? hr_yaml_find(doc->root, "sites") : NULL;
    if (rc == 0 && sites == NULL) {
        rc = hr_yaml_fail(doc, doc->root, "sites is missing; expected a list of sites");
    }
    if (rc == 0) {
        rc = hr_yaml_expect(doc, sites, HR_YAML_SEQUENCE);
    }
    for (const struct hr_yaml *s = rc == 0 && sites != NULL ? sites->child : NULL;
         rc == 0 && s != NULL; s = s->next) {
        if (set->count == SITE_LIMIT) {
            return hr_yaml_fail(doc, s, "more than %d sites", SITE_LIMIT);
        }
        struct profile *p = hr_arena_alloc(&set->arena, sizeof(*p));
        rc = read_site(&r, s, p);
        set->profiles[set->count++] = p;
    }
    return rc;
}

int profile_set_load(const char *const *paths, size_t path_count, struct profile_set **ret_set,
                     struct hr_buf *ret_error)
{
    struct profile_set *set = hr_xcalloc(1, sizeof(*set));
    int rc = 0;
    hr_arena_init(&set->arena);
    set->profiles = hr_xcalloc(SITE_LIMIT, sizeof(struct profile *));
    for (size_t i = 0; rc == 0 && i < path_count; i++) {
        struct hr_yaml_doc doc;
        rc = hr_yaml_load(&doc, paths[i]);
        if (rc == 0) {
            rc = read_file(set, &doc);
        }
        if (rc < 0) {
            hr_buf_append(ret_error, hr_buf_span(&doc.error));
        }
        hr_yaml_finish(&doc);
    }
    if (rc < 0) {
        profile_set_destroy(set);
        return rc;
    }
    *ret_set = set;
    return 0;
}

void profile_set_destroy(struct profile_set *set)
{
    if (set == NULL) {
        return;
    }
    hr_arena_finish(&set->arena);
    free(set->profiles);
    free(set);
}
