#include "scenario/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define START_DEFAULT "2024-05-01T08:00:00Z"

struct connection *scenario_add_connection(struct scenario *s, size_t client, size_t site)
{
    struct connection *c;
    if (s->connection_count == s->connection_capacity) {
        s->connection_capacity = s->connection_capacity == 0 ? 16 : s->connection_capacity * 2;
        s->connections =
            hr_xrealloc(s->connections, s->connection_capacity * sizeof(s->connections[0]));
    }
    c = &s->connections[s->connection_count++];
    *c = (struct connection){
        .client = client,
        .site = site,
        .opens = HR_NSEC_INFINITE,
        .end_at = HR_NSEC_INFINITE,
        .handshake = true,
        .closed_at = HR_NSEC_INFINITE,
        .successor = SCENARIO_NONE,
        .wrap = s->wrap,
        .mss = s->mss,
    };
    return c;
}

static int load_int(struct loader *l, const struct hr_yaml *node, int64_t min, int64_t max,
                    int64_t *value)
{
    return node == NULL ? 0 : hr_yaml_get_int(l->doc, node, min, max, value);
}

/* "192.0.2.1:80" or "[2001:db8::1]:80" */
static int load_server(struct loader *l, const struct hr_yaml *node,
                       struct net_endpoint *ret_server)
{
    const char *text;
    char address[NET_ADDRESS_TEXT_SIZE];
    const char *colon;
    uint64_t port;
    size_t len;
    int r = hr_yaml_get_text(l->doc, node, &text);
    if (r < 0) {
        return r;
    }
    colon = strrchr(text, ':');
    len = colon != NULL ? (size_t)(colon - text) : 0;
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    if (len > 0 && len < sizeof(address) && hr_span_to_u64(hr_span_str(colon + 1), &port) &&
        port > 0 && port < 65536) {
        memcpy(address, text, len);
        address[len] = '\0';
        if (frame_address_parse(address, &ret_server->address)) {
            ret_server->port = (uint16_t)port;
            return 0;
        }
    }
    return hr_yaml_fail(
        l->doc, node, "expected an address and a port, such as 192.0.2.10:80 or [2001:db8::10]:80");
}

static int load_site(struct loader *l, const struct hr_yaml *node, const char *name)
{
    static const char *const keys[] = {"host", "server", "cookie", "think", "headers", NULL};
    struct scenario *s = l->s;
    struct site *site = &s->sites[s->site_count];
    const struct hr_yaml *member;
    char address[NET_ADDRESS_TEXT_SIZE];
    int r = node == NULL ? 0 : hr_yaml_check_keys(l->doc, node, keys);
    site->name = name;
    site->host = strcmp(name, "site") == 0 ? "site.example" : name;
    site->cookie = "sid";
    site->think = 2 * HR_NSEC_PER_MSEC;
    site->server.port = 80;
    snprintf(address, sizeof(address), "192.0.2.%zu", 10 + s->site_count % 200);
    frame_address_parse(address, &site->server.address);
    if (r == 0 && (member = hr_yaml_find(node, "host")) != NULL) {
        r = load_text(l, member, &site->host);
    }
    if (r == 0 && (member = hr_yaml_find(node, "server")) != NULL) {
        r = load_server(l, member, &site->server);
    }
    if (r == 0 && (member = hr_yaml_find(node, "cookie")) != NULL) {
        r = load_text(l, member, &site->cookie);
    }
    if (r == 0 && (member = hr_yaml_find(node, "think")) != NULL) {
        r = hr_yaml_get_duration(l->doc, member, &site->think);
    }
    if (r == 0 && (member = hr_yaml_find(node, "headers")) != NULL) {
        r = load_headers(l, member, &site->headers);
    }
    s->site_count++;
    return r;
}

static int load_sites(struct loader *l)
{
    const struct hr_yaml *own_one = hr_yaml_find(l->node, "site");
    const struct hr_yaml *own_many = hr_yaml_find(l->node, "sites");
    /* Either takes the place of both of the base. */
    const struct hr_yaml *one = own_many != NULL ? own_one : load_member(l, "site");
    const struct hr_yaml *many = own_one != NULL ? own_many : load_member(l, "sites");
    struct scenario *s = l->s;
    int r = 0;
    s->sites = hr_arena_alloc(&s->arena, (load_count(many) + 1) * sizeof(s->sites[0]));
    if (one != NULL && many != NULL) {
        return hr_yaml_fail(l->doc, one, "site and sites exclude each other");
    }
    if (many == NULL) {
        return load_site(l, one, "site");
    }
    r = hr_yaml_expect(l->doc, many, HR_YAML_MAPPING);
    for (const struct hr_yaml *i = r == 0 ? many->child : NULL; i != NULL && r == 0; i = i->next) {
        r = load_site(l, i, hr_arena_strdup(&s->arena, i->key));
    }
    return r == 0 && s->site_count == 0 ? hr_yaml_fail(l->doc, many, "expected at least one site")
                                        : r;
}

static int load_client(struct loader *l, const struct hr_yaml *node, const char *name)
{
    static const char *const keys[] = {"address", "agent", "headers", NULL};
    struct scenario *s = l->s;
    const size_t index = s->client_count;
    struct client *c = &s->clients[index];
    const struct hr_yaml *member;
    char address[NET_ADDRESS_TEXT_SIZE];
    const char *text;
    int r = node == NULL ? 0 : hr_yaml_check_keys(l->doc, node, keys);
    c->name = name;
    c->agent = "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0";
    if (frame_address_is_ip4(&s->sites[0].server.address)) {
        snprintf(address, sizeof(address), "198.51.100.%zu", 1 + index % 250);
    } else {
        snprintf(address, sizeof(address), "2001:db8:ffff::%zx", 1 + index);
    }
    frame_address_parse(address, &c->address);
    if (r == 0 && (member = hr_yaml_find(node, "address")) != NULL) {
        r = hr_yaml_get_text(l->doc, member, &text);
        if (r == 0 && !frame_address_parse(text, &c->address)) {
            r = hr_yaml_fail(l->doc, member, "'%s': expected an IPv4 or IPv6 address", text);
        }
    }
    if (r == 0 && (member = hr_yaml_find(node, "agent")) != NULL) {
        r = load_text(l, member, &c->agent);
        if (r == 0 && !member->quoted && strcmp(c->agent, "none") == 0) {
            c->agent = NULL;
        }
    }
    if (r == 0 && (member = hr_yaml_find(node, "headers")) != NULL) {
        r = load_headers(l, member, &c->headers);
    }
    s->client_count++;
    return r;
}

static int load_clients(struct loader *l)
{
    const struct hr_yaml *list = load_member(l, "clients");
    struct scenario *s = l->s;
    int r = 0;
    s->clients = hr_arena_alloc(&s->arena, (load_count(list) + 1) * sizeof(s->clients[0]));
    if (list == NULL) {
        return load_client(l, NULL, "client");
    }
    r = hr_yaml_expect(l->doc, list, HR_YAML_MAPPING);
    for (const struct hr_yaml *i = r == 0 ? list->child : NULL; i != NULL && r == 0; i = i->next) {
        r = hr_yaml_expect(l->doc, i, HR_YAML_MAPPING);
        r = r < 0 ? r : load_client(l, i, hr_arena_strdup(&s->arena, i->key));
    }
    return r == 0 && s->client_count == 0
               ? hr_yaml_fail(l->doc, list, "expected at least one client")
               : r;
}

static int load_connection(struct loader *l, const struct hr_yaml *node)
{
    static const char *const keys[] = {"client", "site",   "port", "opens", "handshake",
                                       "end",    "end-at", "wrap", "mss",   NULL};
    struct connection *c = scenario_add_connection(l->s, 0, 0);
    const struct hr_yaml *m;
    int64_t port = 0;
    int64_t mss = c->mss;
    int r = hr_yaml_expect(l->doc, node, HR_YAML_MAPPING);
    c->name = hr_arena_strdup(&l->s->arena, node->key);
    r = r < 0 ? r : hr_yaml_check_keys(l->doc, node, keys);
    r = r < 0 ? r : load_who(l, node, &c->client, &c->site);
    r = r < 0 ? r : load_family(l, node, c->client, c->site);
    r = r < 0 ? r : load_int(l, hr_yaml_find(node, "port"), 1, 65535, &port);
    r = r < 0 ? r : load_int(l, hr_yaml_find(node, "mss"), 1, FRAME_PAYLOAD_MAX, &mss);
    r = r < 0 ? r : load_closing(l, hr_yaml_find(node, "end"), true, &c->end);
    if (r == 0 && (m = hr_yaml_find(node, "handshake")) != NULL) {
        r = hr_yaml_get_bool(l->doc, m, &c->handshake);
    }
    if (r == 0 && (m = hr_yaml_find(node, "wrap")) != NULL) {
        r = hr_yaml_get_bool(l->doc, m, &c->wrap);
    }
    if (r == 0 && c->end == CLOSE_REFUSED && hr_yaml_find(node, "opens") == NULL) {
        r = hr_yaml_fail(l->doc, node, "a refused connection needs a time: opens");
    }
    c->port = (uint16_t)port;
    c->mss = (uint16_t)mss;
    return r;
}

static int load_connections(struct loader *l)
{
    const struct hr_yaml *list = load_member(l, "connections");
    int r = list == NULL ? 0 : hr_yaml_expect(l->doc, list, HR_YAML_MAPPING);
    for (const struct hr_yaml *i = r == 0 && list != NULL ? list->child : NULL; i != NULL && r == 0;
         i = i->next) {
        r = load_connection(l, i);
    }
    return r;
}

/* Once time zero is known. */
static int load_connection_times(struct loader *l)
{
    const struct hr_yaml *list = load_member(l, "connections");
    struct connection *c = l->s->connections; /* the list's come first, in its order */
    const struct hr_yaml *m;
    int r = 0;
    for (const struct hr_yaml *i = list != NULL ? list->child : NULL; i != NULL && r == 0;
         i = i->next, c++) {
        if ((m = hr_yaml_find(i, "opens")) != NULL) {
            r = load_time(l, m, l->zero, &c->opens);
        }
        if (r == 0 && (m = hr_yaml_find(i, "end-at")) != NULL) {
            r = load_time(l, m, l->zero, &c->end_at);
        }
    }
    return r;
}

static int load_network(struct loader *l)
{
    static const char *const keys[] = {"mss",       "delay", "loss", "reorder",
                                       "duplicate", "wrap",  NULL};
    const struct hr_yaml *node = load_member(l, "network");
    struct scenario *s = l->s;
    const struct hr_yaml *m;
    int64_t mss = s->mss;
    int r = node == NULL ? 0 : hr_yaml_check_keys(l->doc, node, keys);
    r = r < 0 ? r : load_int(l, hr_yaml_find(node, "mss"), 1, FRAME_PAYLOAD_MAX, &mss);
    s->mss = (uint16_t)mss;
    if (r == 0 && (m = hr_yaml_find(node, "delay")) != NULL) {
        r = hr_yaml_get_duration(l->doc, m, &s->delay);
        if (r == 0 && (s->delay < 0 || s->delay > 10 * HR_NSEC_PER_SEC)) {
            r = hr_yaml_fail(l->doc, m, "expected 0 to 10 s");
        }
    }
    if (r == 0 && (m = hr_yaml_find(node, "wrap")) != NULL) {
        r = hr_yaml_get_bool(l->doc, m, &s->wrap);
    }
    r = r < 0 ? r : load_rate(l, hr_yaml_find(node, "loss"), &s->point.loss);
    r = r < 0 ? r : load_rate(l, hr_yaml_find(node, "reorder"), &s->point.reorder);
    return r < 0 ? r : load_rate(l, hr_yaml_find(node, "duplicate"), &s->point.duplicate);
}

static int load_vlans(struct loader *l, const struct hr_yaml *node, struct frame_format *f)
{
    int64_t id;
    int r = 0;
    if (node == NULL) {
        return 0;
    }
    if (f->link != FRAME_ETHERNET) {
        return hr_yaml_fail(l->doc, node, "only Ethernet has VLANs");
    }
    for (const struct hr_yaml *i = node->kind == HR_YAML_SCALAR ? node : node->child;
         i != NULL && r == 0; i = i == node ? NULL : i->next) {
        if (f->vlan_count == FRAME_VLAN_MAX) {
            return hr_yaml_fail(l->doc, i, "at most %d VLANs", FRAME_VLAN_MAX);
        }
        r = hr_yaml_get_int(l->doc, i, 0, 4095, &id);
        f->vlans[f->vlan_count++] = (uint16_t)id;
    }
    return r;
}

static int load_word(struct loader *l, const struct hr_yaml *node, const char *const words[],
                     size_t *index)
{
    return node == NULL ? 0 : hr_yaml_get_word(l->doc, node, words, index);
}

static int load_capture(struct loader *l)
{
    static const char *const keys[] = {"format",  "endian", "link",  "vlan",
                                       "snaplen", "from",   "until", NULL};
    static const char *const formats[] = {"pcap-ns", "pcap", "pcapng", NULL};
    static const char *const endians[] = {"little", "big", NULL};
    static const char *const links[] = {"ethernet", "sll", "sll2", "raw", "null", "loop", NULL};
    static const enum frame_link numbers[] = {FRAME_ETHERNET, FRAME_SLL,  FRAME_SLL2,
                                              FRAME_RAW,      FRAME_NULL, FRAME_LOOP};
    const struct hr_yaml *node = load_member(l, "capture");
    struct point_config *p = &l->s->point;
    const struct hr_yaml *m;
    size_t format = 0;
    size_t endian = 0;
    size_t link = 0;
    int64_t snaplen = 0;
    int r = node == NULL ? 0 : hr_yaml_check_keys(l->doc, node, keys);
    r = r < 0 ? r : load_word(l, hr_yaml_find(node, "format"), formats, &format);
    r = r < 0 ? r : load_word(l, hr_yaml_find(node, "endian"), endians, &endian);
    r = r < 0 ? r : load_word(l, hr_yaml_find(node, "link"), links, &link);
    r = r < 0 ? r : load_int(l, hr_yaml_find(node, "snaplen"), 1, 1000000, &snaplen);
    if (r == 0 && (m = hr_yaml_find(node, "from")) != NULL) {
        r = load_time(l, m, l->zero, &p->from);
    }
    if (r == 0 && (m = hr_yaml_find(node, "until")) != NULL) {
        r = load_time(l, m, l->zero, &p->until);
    }
    p->file.format = (enum capfile_format)format;
    p->file.big_endian = endian == 1;
    p->file.snaplen = (uint32_t)snaplen;
    p->frame.link = numbers[link];
    return r < 0 ? r : load_vlans(l, hr_yaml_find(node, "vlan"), &p->frame);
}

static int load_basics(struct loader *l, const uint64_t *seed)
{
    const struct hr_yaml *start = load_member(l, "start");
    struct scenario *s = l->s;
    int64_t number = 1;
    int r = load_int(l, load_member(l, "seed"), 0, INT64_MAX, &number);
    hr_time_parse(HR_SPAN(START_DEFAULT), &s->start);
    s->seed = seed != NULL ? *seed : (uint64_t)number;
    s->mss = 1460;
    s->delay = 100 * HR_NSEC_PER_USEC;
    s->point.seed = s->seed;
    s->point.from = INT64_MIN;
    s->point.until = HR_NSEC_INFINITE;
    if (r == 0 && start != NULL) {
        r = hr_yaml_expect(l->doc, start, HR_YAML_SCALAR);
        if (r == 0 && (!hr_time_parse(start->text, &s->start) || s->start < HR_NSEC_PER_SEC ||
                       s->start / HR_NSEC_PER_SEC > UINT32_MAX)) {
            r = hr_yaml_fail(l->doc, start, "expected a time such as %s, not before 1970",
                             START_DEFAULT);
        }
    }
    return r;
}

/* The end of `before` decides time zero of the rest, so its exchanges are read first. */
static int load_all_exchanges(struct loader *l)
{
    const struct hr_yaml *before = load_member(l, "before");
    const struct hr_yaml *list = load_member(l, "exchanges");
    struct scenario *s = l->s;
    hr_nsec end;
    int r = 0;
    s->exchanges = hr_arena_alloc(&s->arena, (load_count(before) + load_count(list) + 1) *
                                                 sizeof(s->exchanges[0]));
    if (before != NULL) {
        r = load_exchanges(l, before, &l->zero);
        l->zero = hr_nsec_add(l->zero, HR_NSEC_PER_SEC);
    }
    if (r == 0 && list == NULL) {
        return hr_yaml_fail(l->doc, l->node, "a scenario needs exchanges");
    }
    end = l->zero;
    return r < 0 ? r : load_exchanges(l, list, &end);
}

static int load_scenario(struct loader *l, const uint64_t *seed)
{
    static const char *const keys[] = {"start",     "seed",    "site",        "sites",
                                       "clients",   "values",  "connections", "before",
                                       "exchanges", "network", "capture",     NULL};
    int r = hr_yaml_check_keys(l->doc, l->node, keys);
    r = r < 0 || l->base == NULL ? r : hr_yaml_check_keys(l->doc, l->base, keys);
    r = r < 0 ? r : load_basics(l, seed);
    l->zero = l->s->start;
    r = r < 0 ? r : load_values(l);
    r = r < 0 ? r : load_network(l);
    r = r < 0 ? r : load_sites(l);
    r = r < 0 ? r : load_clients(l);
    r = r < 0 ? r : load_connections(l);
    r = r < 0 ? r : load_all_exchanges(l);
    r = r < 0 ? r : load_connection_times(l);
    return r < 0 ? r : load_capture(l);
}

int scenario_parse(struct hr_yaml_doc *doc, const struct hr_yaml *node, const struct hr_yaml *base,
                   const uint64_t *seed, struct scenario **ret_scenario)
{
    struct scenario *s = hr_xcalloc(1, sizeof(*s));
    struct loader l = {.doc = doc, .node = node, .base = base, .s = s};
    int r;
    hr_arena_init(&s->arena);
    r = node == NULL ? hr_yaml_fail(doc, NULL, "a scenario needs exchanges")
                     : hr_yaml_expect(doc, node, HR_YAML_MAPPING);
    r = r < 0 || base == NULL ? r : hr_yaml_expect(doc, base, HR_YAML_MAPPING);
    r = r < 0 ? r : load_scenario(&l, seed);
    if (r < 0) {
        scenario_destroy(s);
        return r;
    }
    scenario_schedule(s);
    *ret_scenario = s;
    return 0;
}

int scenario_load(const char *path, const uint64_t *seed, struct scenario **ret_scenario,
                  struct hr_buf *ret_error)
{
    struct hr_yaml_doc doc;
    int r = hr_yaml_load(&doc, path);
    if (r == 0) {
        r = scenario_parse(&doc, doc.root, NULL, seed, ret_scenario);
    }
    if (r < 0) {
        hr_buf_append(ret_error, hr_buf_span(&doc.error));
    }
    hr_yaml_finish(&doc);
    return r;
}

void scenario_destroy(struct scenario *s)
{
    if (s != NULL) {
        free(s->connections);
        hr_arena_finish(&s->arena);
        free(s);
    }
}
