#include "scenario/draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int split_line(struct loader *l, const struct hr_yaml *node, struct exchange *x,
                      const char **ret_version)
{
    const char *text;
    struct hr_span rest;
    struct hr_span part[4];
    size_t count = 0;
    int r = load_text(l, node, &text);
    if (r < 0) {
        return r;
    }
    rest = hr_span_str(text);
    while (rest.ptr != NULL && count < HR_ARRAY_LEN(part)) {
        part[count++] = hr_span_cut(&rest, ' ');
    }
    if (count < 2 || count > 3 || part[0].len == 0 || part[1].len == 0) {
        return hr_yaml_fail(l->doc, node, "expected a method and a target, such as GET /account");
    }
    x->method = hr_arena_strdup(&l->s->arena, part[0]);
    x->target = hr_arena_strdup(&l->s->arena, part[1]);
    *ret_version = count == 3 ? hr_arena_strdup(&l->s->arena, part[2]) : "HTTP/1.1";
    return 0;
}

static int put_cookie(struct draft *d, const struct hr_yaml *node, const struct site *site)
{
    const char *text;
    int r;
    if (node == NULL) {
        return 0;
    }
    r = load_text(d->l, node, &text);
    if (r == 0) {
        const bool named = strchr(text, '=') != NULL;
        hr_buf_appendf(&d->head, "Cookie: %s%s%s\r\n", named ? "" : site->cookie, named ? "" : "=",
                       text);
    }
    return r;
}

static int put_bearer(struct draft *d, const struct hr_yaml *node)
{
    const char *text;
    int r = node == NULL ? 0 : load_text(d->l, node, &text);
    if (r == 0 && node != NULL) {
        hr_buf_appendf(&d->head, "Authorization: Bearer %s\r\n", text);
    }
    return r;
}

static int load_flag(struct loader *l, const struct hr_yaml *node, bool *ret_flag)
{
    return node == NULL ? 0 : hr_yaml_get_bool(l->doc, node, ret_flag);
}

static int load_takes(struct loader *l, const struct hr_yaml *node, struct message *m)
{
    return node == NULL ? 0 : hr_yaml_get_duration(l->doc, node, &m->takes);
}

static int draft_request(struct draft *d, const struct hr_yaml *node, struct exchange *x)
{
    struct loader *l = d->l;
    const struct site *site = &l->s->sites[x->site];
    const struct hr_yaml *line = node->kind == HR_YAML_MAPPING ? hr_yaml_find(node, "line") : node;
    const char *version = NULL;
    int r;
    if (line == NULL) {
        return hr_yaml_fail(l->doc, node, "a request needs a line, such as GET /account");
    }
    r = split_line(l, line, x, &version);
    if (r < 0) {
        return r;
    }
    hr_buf_appendf(&d->head, "%s %s %s\r\n", x->method, x->target, version);
    draft_put_default(d, "Host", site->host);
    draft_put_default(d, "User-Agent", l->s->clients[x->client].agent);
    draft_put_default(d, "Accept", "*/*");
    r = put_cookie(d, hr_yaml_find(node, "cookie"), site);
    r = r < 0 ? r : put_bearer(d, hr_yaml_find(node, "bearer"));
    r = r < 0 ? r : draft_load_body(d, node);
    r = r < 0 ? r : load_flag(l, hr_yaml_find(node, "continue"), &x->expects_continue);
    if (r < 0) {
        return r;
    }
    draft_put_headers(d);
    if (x->expects_continue) {
        draft_put_default(d, "Expect", "100-continue");
    }
    if (d->has_body) {
        draft_put_default(d, "Content-Type", d->type);
    }
    if (d->chunked) {
        draft_chunk_body(d);
        draft_put_default(d, "Transfer-Encoding", "chunked");
    } else if (d->has_body || strcmp(x->method, "POST") == 0 || strcmp(x->method, "PUT") == 0) {
        draft_put_number(d, "Content-Length", d->body.len);
    }
    return 0;
}

int load_request(struct loader *l, const struct hr_yaml *node, struct exchange *x)
{
    static const char *const keys[] = {"line",    "headers", "cookie",   "bearer", "form",
                                       "json",    "text",    "html",     "size",   "type",
                                       "chunked", "takes",   "continue", NULL};
    const struct hr_yaml *own_node = hr_yaml_find(node, "headers");
    struct headers own = {0};
    struct draft d;
    int r = 0;
    if (node->kind == HR_YAML_MAPPING) {
        r = hr_yaml_check_keys(l->doc, node, keys);
    }
    if (r == 0 && own_node != NULL) {
        r = load_headers(l, own_node, &own);
    }
    draft_init(&d, l, &l->s->clients[x->client].headers, &own);
    r = r < 0 ? r : draft_request(&d, node, x);
    if (r == 0) {
        x->request = draft_assemble(&d, true);
        r = load_takes(l, hr_yaml_find(node, "takes"), &x->request);
    }
    draft_finish(&d);
    return r;
}

static const char *reason_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } table[] = {
        {100, "Continue"             },
        {101, "Switching Protocols"  },
        {103, "Early Hints"          },
        {200, "OK"                   },
        {201, "Created"              },
        {202, "Accepted"             },
        {204, "No Content"           },
        {206, "Partial Content"      },
        {301, "Moved Permanently"    },
        {302, "Found"                },
        {303, "See Other"            },
        {304, "Not Modified"         },
        {307, "Temporary Redirect"   },
        {308, "Permanent Redirect"   },
        {400, "Bad Request"          },
        {401, "Unauthorized"         },
        {403, "Forbidden"            },
        {404, "Not Found"            },
        {405, "Method Not Allowed"   },
        {408, "Request Timeout"      },
        {409, "Conflict"             },
        {422, "Unprocessable Entity" },
        {429, "Too Many Requests"    },
        {500, "Internal Server Error"},
        {502, "Bad Gateway"          },
        {503, "Service Unavailable"  },
        {504, "Gateway Timeout"      },
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(table); i++) {
        if (table[i].status == status) {
            return table[i].reason;
        }
    }
    return "Unnamed";
}

static int put_set_cookie(struct draft *d, const struct hr_yaml *node, const struct site *site)
{
    const char *text;
    int r = load_text(d->l, node, &text);
    if (r < 0) {
        return r;
    }
    if (strchr(text, '=') == NULL) {
        hr_buf_appendf(&d->head, "Set-Cookie: %s=%s; Path=/; HttpOnly\r\n", site->cookie, text);
    } else {
        hr_buf_appendf(&d->head, "Set-Cookie: %s\r\n", text);
    }
    return 0;
}

static int put_delete_cookie(struct draft *d, const struct hr_yaml *node, const struct site *site)
{
    const char *name;
    const int r = load_text(d->l, node, &name);
    (void)site;
    if (r == 0) {
        hr_buf_appendf(&d->head, "Set-Cookie: %s=; Path=/; Max-Age=0; HttpOnly\r\n", name);
    }
    return r;
}

/* For a member that is one value or a list of them. */
static int put_each(struct draft *d, const struct hr_yaml *node, const struct site *site,
                    int (*put)(struct draft *, const struct hr_yaml *, const struct site *))
{
    int r = 0;
    if (node == NULL || node->kind != HR_YAML_SEQUENCE) {
        return node == NULL ? 0 : put(d, node, site);
    }
    for (const struct hr_yaml *i = node->child; i != NULL && r == 0; i = i->next) {
        r = put(d, i, site);
    }
    return r;
}

static bool has_no_body(const struct exchange *x)
{
    return x->status < 200 || x->status == 204 || x->status == 304;
}

static void put_usual_body(struct draft *d, const struct exchange *x)
{
    if (d->has_body || has_no_body(x) || (x->status >= 300 && x->status < 400)) {
        return;
    }
    d->has_body = true;
    d->type = "text/html; charset=utf-8";
    hr_buf_appendf(&d->body, "<!doctype html><title>%u</title><p>%s of %s\n", x->status,
                   reason_of(x->status), x->target);
}

static int put_framing(struct draft *d, const struct hr_yaml *node, struct exchange *x)
{
    const struct hr_yaml *length = hr_yaml_find(node, "length");
    int64_t declared = (int64_t)d->body.len;
    int r = load_flag(d->l, hr_yaml_find(node, "gzip"), &d->gzip);
    r = r < 0 ? r : load_flag(d->l, hr_yaml_find(node, "close-delimited"), &x->close_delimited);
    if (r < 0) {
        return r;
    }
    if (d->gzip) {
        draft_deflate_body(d);
        draft_put_default(d, "Content-Encoding", "gzip");
        declared = (int64_t)d->body.len;
    }
    if (length != NULL) {
        r = hr_yaml_get_int(d->l->doc, length, 0, INT64_MAX, &declared);
    }
    if (d->chunked) {
        draft_chunk_body(d);
        draft_put_default(d, "Transfer-Encoding", "chunked");
    } else if (x->close_delimited) {
        draft_put_default(d, "Connection", "close");
    } else if (length != NULL || d->has_body || !has_no_body(x)) {
        draft_put_number(d, "Content-Length", (uint64_t)declared);
    }
    return r;
}

static int draft_response(struct draft *d, const struct hr_yaml *node, struct exchange *x)
{
    struct loader *l = d->l;
    const struct site *site = &l->s->sites[x->site];
    const struct hr_yaml *status =
        node->kind == HR_YAML_MAPPING ? hr_yaml_find(node, "status") : node;
    const struct hr_yaml *reason = hr_yaml_find(node, "reason");
    const struct hr_yaml *location = hr_yaml_find(node, "location");
    const char *text = NULL;
    int64_t number = 200;
    int r = status == NULL ? 0 : hr_yaml_get_int(l->doc, status, 100, 999, &number);
    x->status = (unsigned)number;
    r = r < 0 || reason == NULL ? r : load_text(l, reason, &text);
    if (r < 0) {
        return r;
    }
    hr_buf_appendf(&d->head, "HTTP/1.1 %u %s\r\n", x->status,
                   text != NULL ? text : reason_of(x->status));
    if (location != NULL) {
        r = load_text(l, location, &text);
        draft_put_default(d, "Location", r == 0 ? text : NULL);
    }
    r = r < 0 ? r : put_each(d, hr_yaml_find(node, "set-cookie"), site, put_set_cookie);
    r = r < 0 ? r : put_each(d, hr_yaml_find(node, "delete-cookie"), site, put_delete_cookie);
    r = r < 0 ? r : draft_load_body(d, node);
    if (r < 0) {
        return r;
    }
    draft_put_headers(d);
    put_usual_body(d, x);
    if (d->has_body) {
        draft_put_default(d, "Content-Type", d->type);
    }
    return put_framing(d, node, x);
}

static int load_interim(struct loader *l, const struct hr_yaml *node, struct exchange *x)
{
    int r = node == NULL ? 0 : hr_yaml_expect(l->doc, node, HR_YAML_SEQUENCE);
    if (x->expects_continue) {
        x->interim[x->interim_count++] = HR_SPAN("HTTP/1.1 100 Continue\r\n\r\n");
    }
    if (r < 0 || node == NULL) {
        return r;
    }
    for (const struct hr_yaml *i = node->child; i != NULL && r == 0; i = i->next) {
        int64_t status;
        if (x->interim_count == SCENARIO_INTERIM_MAX) {
            return hr_yaml_fail(l->doc, i, "at most %d interim responses", SCENARIO_INTERIM_MAX);
        }
        r = hr_yaml_get_int(l->doc, i, 100, 199, &status);
        if (r == 0) {
            x->interim[x->interim_count++] = hr_span_str(hr_arena_printf(
                &l->s->arena, "HTTP/1.1 %d %s\r\n%s\r\n", (int)status, reason_of((unsigned)status),
                status == 103 ? "Link: </style.css>; rel=preload; as=style\r\n" : ""));
        }
    }
    return r;
}

static int cut_response(struct loader *l, const struct hr_yaml *node, struct exchange *x)
{
    int64_t bytes;
    int r;
    if (node == NULL) {
        return 0;
    }
    r = hr_yaml_get_int(l->doc, node, 1, (int64_t)x->response.bytes.len, &bytes);
    if (r == 0) {
        struct message *m = &x->response;
        m->bytes.len = (size_t)bytes;
        m->head_bytes = m->head_bytes < m->bytes.len ? m->head_bytes : m->bytes.len;
        m->body_bytes = m->bytes.len - m->head_bytes;
    }
    return r;
}

int load_response(struct loader *l, const struct hr_yaml *node, struct exchange *x)
{
    static const char *const keys[] = {"status",     "reason",        "headers", "location",
                                       "set-cookie", "delete-cookie", "json",    "text",
                                       "html",       "size",          "type",    "chunked",
                                       "gzip",       "length",        "at",      "takes",
                                       "interim",    "cut",           "form",    "close-delimited",
                                       NULL};
    const struct hr_yaml *own_node = hr_yaml_find(node, "headers");
    struct headers own = {0};
    struct draft d;
    int r = 0;
    if (node->kind == HR_YAML_SCALAR && hr_span_equal(node->text, HR_SPAN("none"))) {
        return load_interim(l, NULL, x);
    }
    if (node->kind == HR_YAML_MAPPING) {
        r = hr_yaml_check_keys(l->doc, node, keys);
    }
    if (r == 0 && own_node != NULL) {
        r = load_headers(l, own_node, &own);
    }
    draft_init(&d, l, &l->s->sites[x->site].headers, &own);
    r = r < 0 ? r : draft_response(&d, node, x);
    if (r == 0) {
        x->has_response = true;
        x->response = draft_assemble(&d, strcmp(x->method, "HEAD") != 0 && !has_no_body(x));
        r = load_takes(l, hr_yaml_find(node, "takes"), &x->response);
    }
    r = r < 0 ? r : load_interim(l, hr_yaml_find(node, "interim"), x);
    r = r < 0 ? r : cut_response(l, hr_yaml_find(node, "cut"), x);
    draft_finish(&d);
    return r;
}
