#include "scenario/model.h"

#include <errno.h>
#include <string.h>

#define AFTER_DEFAULT (10 * HR_NSEC_PER_MSEC)
#define CLOSE_AFTER HR_NSEC_PER_MSEC

static int load_index(struct loader *l, const struct hr_yaml *node, const char *what,
                      const char *(*name_at)(const struct scenario *s, size_t i), size_t count,
                      size_t *ret_index)
{
    const char *text;
    int r;
    if (node == NULL) {
        return 0;
    }
    r = hr_yaml_get_text(l->doc, node, &text);
    for (size_t i = 0; i < count && r == 0; i++) {
        const char *name = name_at(l->s, i);
        if (name != NULL && strcmp(name, text) == 0) {
            *ret_index = i;
            return 0;
        }
    }
    return r < 0 ? r : hr_yaml_fail(l->doc, node, "there is no %s named '%s'", what, text);
}

static const char *client_name(const struct scenario *s, size_t i)
{
    return s->clients[i].name;
}

static const char *site_name(const struct scenario *s, size_t i)
{
    return s->sites[i].name;
}

int load_who(struct loader *l, const struct hr_yaml *node, size_t *client, size_t *site)
{
    struct scenario *s = l->s;
    int r =
        load_index(l, hr_yaml_find(node, "client"), "client", client_name, s->client_count, client);
    return r < 0
               ? r
               : load_index(l, hr_yaml_find(node, "site"), "site", site_name, s->site_count, site);
}

int load_family(struct loader *l, const struct hr_yaml *node, size_t client, size_t site)
{
    const struct client *c = &l->s->clients[client];
    const struct site *s = &l->s->sites[site];
    if (frame_address_is_ip4(&c->address) != frame_address_is_ip4(&s->server.address)) {
        return hr_yaml_fail(l->doc, node,
                            "client '%s' and site '%s' are not both IPv4 or both IPv6", c->name,
                            s->name);
    }
    return 0;
}

static int find_connection(struct loader *l, const struct hr_yaml *node, const char *name,
                           struct exchange *x)
{
    struct scenario *s = l->s;
    struct connection *c;
    for (size_t i = 0; i < s->connection_count; i++) {
        c = &s->connections[i];
        if (strcmp(c->name, name) != 0) {
            continue;
        }
        x->connection = i;
        if (hr_yaml_find(node, "client") == NULL) {
            x->client = c->client;
        }
        if (hr_yaml_find(node, "site") == NULL) {
            x->site = c->site;
        }
        if (x->client != c->client || x->site != c->site) {
            return hr_yaml_fail(l->doc, node, "connection '%s' is of client '%s' and site '%s'",
                                name, s->clients[c->client].name, s->sites[c->site].name);
        }
        return 0;
    }
    c = scenario_add_connection(s, x->client, x->site);
    c->name = hr_arena_strdup(&s->arena, hr_span_str(name));
    x->connection = s->connection_count - 1;
    return 0;
}

static int load_place(struct loader *l, const struct hr_yaml *node, struct exchange *x)
{
    const struct hr_yaml *connection = hr_yaml_find(node, "connection");
    const char *name;
    int r = load_who(l, node, &x->client, &x->site);
    if (r == 0 && connection != NULL) {
        r = hr_yaml_get_text(l->doc, connection, &name);
        r = r < 0 ? r : find_connection(l, node, name, x);
    }
    return r < 0 ? r : load_family(l, node, x->client, x->site);
}

static int load_label(struct loader *l, const struct hr_yaml *node, struct exchange *x)
{
    const char *label;
    int r;
    if (node == NULL) {
        return 0;
    }
    r = hr_yaml_get_text(l->doc, node, &label);
    for (size_t i = 0; i < l->s->exchange_count && r == 0; i++) {
        const char *other = l->s->exchanges[i].label;
        if (other != NULL && strcmp(other, label) == 0) {
            r = hr_yaml_fail(l->doc, node, "the label '%s' stands twice", label);
        }
    }
    if (r == 0) {
        x->label = hr_arena_strdup(&l->s->arena, hr_span_str(label));
    }
    return r;
}

static int load_marks(struct loader *l, const struct hr_yaml *node, unsigned *ret_marks)
{
    static const char *const words[] = {
        "request",      "response",      "both",          "request-head",
        "request-tail", "response-head", "response-tail", NULL};
    static const unsigned marks[] = {
        TRUTH_HEAD(TRUTH_REQUEST) | TRUTH_TAIL(TRUTH_REQUEST),
        TRUTH_HEAD(TRUTH_RESPONSE) | TRUTH_TAIL(TRUTH_RESPONSE),
        TRUTH_HEAD(TRUTH_REQUEST) | TRUTH_TAIL(TRUTH_REQUEST) | TRUTH_HEAD(TRUTH_RESPONSE) |
            TRUTH_TAIL(TRUTH_RESPONSE),
        TRUTH_HEAD(TRUTH_REQUEST),
        TRUTH_TAIL(TRUTH_REQUEST),
        TRUTH_HEAD(TRUTH_RESPONSE),
        TRUTH_TAIL(TRUTH_RESPONSE),
    };
    size_t index;
    int r = 0;
    if (node == NULL) {
        return 0;
    }
    if (node->kind == HR_YAML_SCALAR) {
        r = hr_yaml_get_word(l->doc, node, words, &index);
        *ret_marks |= r == 0 ? marks[index] : 0;
        return r;
    }
    for (const struct hr_yaml *i = node->child; i != NULL && r == 0; i = i->next) {
        r = hr_yaml_get_word(l->doc, i, words, &index);
        *ret_marks |= r == 0 ? marks[index] : 0;
    }
    return r;
}

static int load_faults(struct loader *l, const struct hr_yaml *node, struct exchange *x)
{
    int r = load_marks(l, hr_yaml_find(node, "drop"), &x->drop);
    r = r < 0 ? r : load_marks(l, hr_yaml_find(node, "duplicate"), &x->duplicate);
    return r < 0 ? r : load_marks(l, hr_yaml_find(node, "swap"), &x->swap);
}

static int load_times(struct loader *l, const struct hr_yaml *node, hr_nsec zero, hr_nsec previous,
                      struct exchange *x)
{
    const struct hr_yaml *at = hr_yaml_find(node, "at");
    const struct hr_yaml *after = hr_yaml_find(node, "after");
    const struct hr_yaml *think = hr_yaml_find(node, "think");
    const struct hr_yaml *answer = hr_yaml_find(hr_yaml_find(node, "response"), "at");
    int r = 0;
    if (at != NULL && after != NULL) {
        return hr_yaml_fail(l->doc, after, "at and after exclude each other");
    }
    x->request_at = hr_nsec_add(previous, AFTER_DEFAULT);
    x->think = l->s->sites[x->site].think;
    if (at != NULL) {
        r = load_time(l, at, zero, &x->request_at);
    } else if (after != NULL) {
        r = load_time(l, after, previous, &x->request_at);
    }
    if (r == 0 && think != NULL) {
        r = hr_yaml_get_duration(l->doc, think, &x->think);
    }
    x->response_at = HR_NSEC_INFINITE;
    if (r == 0 && answer != NULL) {
        r = load_time(l, answer, zero, &x->response_at);
    }
    if (r == 0 && (x->request_at < 0 || x->response_at < 0 || x->think < 0)) {
        r = hr_yaml_fail(l->doc, node, "a time must not be negative");
    }
    return r;
}

/* As far as it is known before connections are shared out; pipelining may move a response. */
static void estimate_end(struct exchange *x)
{
    hr_nsec answer = x->response_at;
    const hr_nsec asked = hr_nsec_add(x->request_at, x->request.takes);
    if (answer == HR_NSEC_INFINITE) {
        answer = hr_nsec_add(asked, x->think);
    }
    x->end_at = asked;
    if (x->has_response) {
        const hr_nsec end = hr_nsec_add(answer, x->response.takes);
        x->end_at = end > asked ? end : asked;
    }
}

static int load_close(struct loader *l, const struct hr_yaml *node, hr_nsec zero,
                      struct exchange *x)
{
    const struct hr_yaml *at = hr_yaml_find(node, "close-at");
    int r = load_closing(l, hr_yaml_find(node, "close"), false, &x->close);
    x->close_at = HR_NSEC_INFINITE;
    if (r == 0 && at != NULL) {
        r = load_time(l, at, zero, &x->close_at);
        if (r == 0 && x->close == CLOSE_DEFAULT) {
            r = hr_yaml_fail(l->doc, at, "close-at needs close");
        }
    }
    if (x->close_delimited && x->close == CLOSE_DEFAULT) {
        x->close = CLOSE_SERVER_FIN;
    }
    return r;
}

static int load_exchange(struct loader *l, const struct hr_yaml *node, hr_nsec zero,
                         hr_nsec *previous)
{
    static const char *const keys[] = {"label",      "at",      "after",     "client", "site",
                                       "connection", "request", "response",  "think",  "close",
                                       "close-at",   "drop",    "duplicate", "swap",   NULL};
    struct exchange *x = &l->s->exchanges[l->s->exchange_count];
    const struct hr_yaml *request = hr_yaml_find(node, "request");
    const struct hr_yaml *response = hr_yaml_find(node, "response");
    int r = hr_yaml_expect(l->doc, node, HR_YAML_MAPPING);
    x->connection = SCENARIO_NONE;
    r = r < 0 ? r : hr_yaml_check_keys(l->doc, node, keys);
    if (r == 0 && (request == NULL || response == NULL)) {
        r = hr_yaml_fail(l->doc, node,
                         "an exchange needs request and response (which may be none)");
    }
    r = r < 0 ? r : load_label(l, hr_yaml_find(node, "label"), x);
    r = r < 0 ? r : load_place(l, node, x);
    r = r < 0 ? r : load_times(l, node, zero, *previous, x);
    r = r < 0 ? r : load_request(l, request, x);
    r = r < 0 ? r : load_response(l, response, x);
    r = r < 0 ? r : load_close(l, node, zero, x);
    r = r < 0 ? r : load_faults(l, node, x);
    if (r == 0) {
        estimate_end(x);
        *previous = x->end_at;
        l->s->exchange_count++;
    }
    return r;
}

int load_exchanges(struct loader *l, const struct hr_yaml *list, hr_nsec *zero)
{
    hr_nsec previous = hr_nsec_sub(*zero, AFTER_DEFAULT);
    hr_nsec latest = *zero;
    int r = hr_yaml_expect(l->doc, list, HR_YAML_SEQUENCE);
    for (const struct hr_yaml *i = r == 0 ? list->child : NULL; i != NULL && r == 0; i = i->next) {
        r = load_exchange(l, i, *zero, &previous);
        latest = r == 0 && previous > latest ? previous : latest;
    }
    *zero = latest;
    return r;
}
