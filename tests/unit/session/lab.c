#include "lab.h"

#include "base/alloc.h"
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELD_LIMIT 24
#define NAME_LIMIT 64

struct lab {
    struct hr_arena arena;
    struct hr_key key;
    struct profile_set *profiles;
    struct extractor *extractor;
    struct exchange_facts facts[LAB_LIMIT];
    const char *want[LAB_LIMIT];
    const char *line[LAB_LIMIT];
    size_t count;
    char names[NAME_LIMIT][16]; /* of values: "$a" */
    struct hr_digest digests[NAME_LIMIT];
    size_t name_count;
    /* As the store numbers them. */
    struct hr_digest sessions[NAME_LIMIT * 4];
    int64_t session_carriers[NAME_LIMIT * 4];
    size_t session_count;
    char carriers[NAME_LIMIT][160];
    size_t carrier_count;
    char text[1024];
};

void lab_value(const char *name, char value[33])
{
    uint64_t a = hr_hash64(hr_span_str(name), 1);
    uint64_t b = hr_hash64(hr_span_str(name), 2);
    snprintf(value, 33, "%016llx%016llx", (unsigned long long)a, (unsigned long long)b);
}

static struct profile_set *load_profile(const char *yaml)
{
    char path[] = "/tmp/hr-lab-XXXXXX";
    struct profile_set *set = NULL;
    struct hr_buf error;
    const char *paths[] = {path};
    int fd = mkstemp(path);
    hr_buf_init(&error, 1000);
    if (fd < 0 || write(fd, yaml, strlen(yaml)) < 0 ||
        profile_set_load(paths, 1, &set, &error) < 0) {
        fprintf(stderr, "profile: %s\n", hr_buf_str(&error));
        abort();
    }
    close(fd);
    unlink(path);
    hr_buf_finish(&error);
    return set;
}

struct lab *lab_create(const char *profile_yaml)
{
    struct lab *lab = hr_xcalloc(1, sizeof(*lab));
    hr_arena_init(&lab->arena);
    if (hr_digest_setup() < 0) {
        abort();
    }
    memset(lab->key.bytes, 7, sizeof(lab->key.bytes));
    lab->profiles = profile_yaml == NULL ? NULL : load_profile(profile_yaml);
    struct extract_config config = {.key = &lab->key,
                                    .profiles = lab->profiles,
                                    .known_token_limit = 1000,
                                    .content_bytes = 65536,
                                    .expansion_limit = 100};
    lab->extractor = extractor_create(&config);
    return lab;
}

void lab_destroy(struct lab *lab)
{
    extractor_destroy(lab->extractor);
    profile_set_destroy(lab->profiles);
    hr_arena_finish(&lab->arena);
    free(lab);
}

/* "$name" becomes its value; what it hashes to is remembered under the name. */
static struct hr_span expand(struct lab *lab, struct hr_span text, bool blanks)
{
    struct hr_buf out;
    hr_buf_init(&out, 65536);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '$') {
            hr_buf_append_char(&out, blanks && text.ptr[i] == '_' ? ' ' : text.ptr[i]);
            continue;
        }
        char name[16] = "$";
        char value[33];
        size_t len = 1;
        while (i + 1 < text.len && len < sizeof(name) - 1 && text.ptr[i + 1] >= 'a' &&
               text.ptr[i + 1] <= 'z') {
            name[len++] = text.ptr[++i];
        }
        lab_value(name, value);
        hr_buf_append_str(&out, value);
        struct hr_digest d = hr_digest_keyed(&lab->key, hr_span_str(value));
        bool known = false;
        for (size_t k = 0; k < lab->name_count; k++) {
            known = known || strcmp(lab->names[k], name) == 0;
        }
        if (!known && lab->name_count < NAME_LIMIT) {
            memcpy(lab->names[lab->name_count], name, sizeof(name));
            lab->digests[lab->name_count++] = d;
        }
    }
    struct hr_span kept = hr_arena_copy(&lab->arena, hr_buf_span(&out));
    hr_buf_finish(&out);
    return kept;
}

struct message {
    struct http_message m;
    struct http_field fields[FIELD_LIMIT];
};

static void add_field(struct message *to, struct hr_span name, struct hr_span value)
{
    to->fields[to->m.field_count++] = (struct http_field){name, value};
    to->m.fields = to->fields;
}

static void add_content(struct message *to, const char *type, struct hr_span content)
{
    add_field(to, HR_SPAN("Content-Type"), hr_span_str(type));
    to->m.content = content;
    to->m.content_bytes = content.len;
}

static void add_part(struct lab *lab, struct message *to, struct hr_span part)
{
    struct hr_span value = part;
    struct hr_span key = hr_span_cut(&value, ':');
    bool blanks = hr_span_equal(key, HR_SPAN("html")) || hr_span_equal(key, HR_SPAN("text")) ||
                  hr_span_has_prefix(value, HR_SPAN("Authorization="));
    struct hr_span full = expand(lab, value, blanks);
    if (hr_span_equal(key, HR_SPAN("cookie"))) {
        add_field(to, HR_SPAN("Cookie"), full);
    } else if (hr_span_equal(key, HR_SPAN("host"))) {
        to->fields[0].value = full;
    } else if (hr_span_equal(key, HR_SPAN("set"))) {
        add_field(to, HR_SPAN("Set-Cookie"), full);
    } else if (hr_span_equal(key, HR_SPAN("location"))) {
        add_field(to, HR_SPAN("Location"), full);
    } else if (hr_span_equal(key, HR_SPAN("bearer"))) {
        char *text = hr_arena_printf(&lab->arena, "Bearer %s", full.ptr);
        add_field(to, HR_SPAN("Authorization"), hr_span_str(text));
    } else if (hr_span_equal(key, HR_SPAN("header"))) {
        struct hr_span name = hr_span_cut(&full, '=');
        add_field(to, name, full);
    } else if (hr_span_equal(key, HR_SPAN("form"))) {
        add_content(to, "application/x-www-form-urlencoded", full);
    } else if (hr_span_equal(key, HR_SPAN("json"))) {
        add_content(to, "application/json", full);
    } else if (hr_span_equal(key, HR_SPAN("html"))) {
        add_content(to, "text/html; charset=utf-8", full);
    } else if (hr_span_equal(key, HR_SPAN("text"))) {
        add_content(to, "text/plain", full);
    } else if (hr_span_equal(part, HR_SPAN("gap"))) {
        to->m.complete = false;
    } else if (hr_span_equal(part, HR_SPAN("cut"))) {
        to->m.anomalies |= HTTP_ANOMALY_FIELDS_CUT;
    } else {
        fprintf(stderr, "lab: what is \"%.*s\"?\n", (int)part.len, part.ptr);
        abort();
    }
}

static int64_t number_carrier(struct lab *lab, const struct token_use *t)
{
    char key[160];
    snprintf(key, sizeof(key), "%d %.*s", (int)t->carrier, (int)t->name.len, t->name.ptr);
    for (size_t i = 0; i < lab->carrier_count; i++) {
        if (strcmp(lab->carriers[i], key) == 0) {
            return (int64_t)i + 1;
        }
    }
    memcpy(lab->carriers[lab->carrier_count++], key, sizeof(key));
    return (int64_t)lab->carrier_count;
}

static int64_t number_session(struct lab *lab, int64_t carrier, const struct hr_digest *d)
{
    for (size_t i = 0; i < lab->session_count; i++) {
        if (lab->session_carriers[i] == carrier && hr_digest_equal(&lab->sessions[i], d)) {
            return (int64_t)i + 1;
        }
    }
    lab->session_carriers[lab->session_count] = carrier;
    lab->sessions[lab->session_count++] = *d;
    return (int64_t)lab->session_count;
}

static struct hr_span keep(struct lab *lab, struct hr_span s)
{
    return s.ptr == NULL ? s : hr_arena_copy(&lab->arena, s);
}

static void store(struct lab *lab, struct exchange_facts *f)
{
    f->id = (int64_t)lab->count + 1;
    f->site = keep(lab, f->site);
    f->host = keep(lab, f->host);
    f->method = keep(lab, f->method);
    f->target = keep(lab, f->target);
    f->path_template = keep(lab, f->path_template);
    f->location = keep(lab, f->location);
    f->location_path = keep(lab, f->location_path);
    f->user = keep(lab, f->user);
    f->replica = keep(lab, f->replica);
    for (size_t i = 0; i < f->token_count; i++) {
        struct token_use *t = &f->tokens[i];
        t->name = keep(lab, t->name);
        t->carrier_id = number_carrier(lab, t);
        t->sent_id = (t->flags & TOKEN_SENT) ? number_session(lab, t->carrier_id, &t->sent) : 0;
        t->set_id = (t->flags & TOKEN_SET) ? number_session(lab, t->carrier_id, &t->set) : 0;
    }
}

static void add_line(struct lab *lab, const char *line)
{
    struct message request = {
        .m = {.version = 11, .complete = true, .head_complete = true}
    };
    struct message response = {
        .m = {.version = 11, .complete = true, .head_complete = true}
    };
    struct http_exchange x = {.has_request = true, .has_response = true};
    struct net_endpoint server = {.port = 8080};
    struct hr_span rest = hr_span_str(line);
    hr_nsec at = (hr_nsec)(lab->count + 1) * 10 * HR_NSEC_PER_SEC;
    const char *want = strstr(line, " == ");
    struct message *to = &request;
    if (lab->count == LAB_LIMIT) {
        abort();
    }
    lab->line[lab->count] = line;
    lab->want[lab->count] = want == NULL ? NULL : want + 4;
    rest.len = want == NULL ? rest.len : (size_t)(want - line);
    server.address.bytes[15] = 1;
    add_field(&request, HR_SPAN("Host"), HR_SPAN("shop.example"));
    request.m.method = hr_span_cut(&rest, ' ');
    request.m.target = expand(lab, hr_span_cut(&rest, ' '), false);
    while (rest.ptr != NULL) {
        struct hr_span part = hr_span_cut(&rest, ' ');
        if (hr_span_equal(part, HR_SPAN("=>"))) {
            uint64_t status = 0;
            x.has_response = hr_span_to_u64(hr_span_cut(&rest, ' '), &status);
            response.m.status = (unsigned)status;
            to = &response;
        } else if (part.len > 0) {
            add_part(lab, to, part);
        }
    }
    request.m.first = (struct http_place){at, 1, 0};
    request.m.last = (struct http_place){at, 1, 0};
    response.m.first = (struct http_place){at + HR_NSEC_PER_SEC, 2, 0};
    response.m.last = (struct http_place){at + 2 * HR_NSEC_PER_SEC, 2, 0};
    x.request = request.m;
    x.response = response.m;
    x.state = x.has_response ? HTTP_COMPLETE : HTTP_NO_RESPONSE;
    extractor_feed(lab->extractor, &x, &server, &server, &lab->facts[lab->count]);
    store(lab, &lab->facts[lab->count]);
    lab->count++;
}

void lab_add(struct lab *lab, const char *const *lines)
{
    for (; *lines != NULL; lines++) {
        add_line(lab, *lines);
    }
}

size_t lab_count(const struct lab *lab)
{
    return lab->count;
}

const struct exchange_facts *lab_facts(const struct lab *lab, size_t index)
{
    return &lab->facts[index];
}

struct site_learner *lab_keep(struct site_learner *l, struct hr_span site)
{
    struct hr_buf saved;
    hr_buf_init(&saved, SIZE_MAX);
    site_learner_save(l, &saved);
    struct site_learner *loaded = site_learner_load(site, hr_buf_span(&saved));
    hr_buf_finish(&saved);
    site_learner_destroy(l);
    return loaded;
}

struct site_model *lab_learn(const struct lab *lab, const size_t *order)
{
    struct hr_span site = lab->facts[0].site;
    struct site_learner *l = site_learner_create(site, profile_set_find(lab->profiles, site));
    for (size_t i = 0; i < lab->count; i++) {
        if (i == lab->count / 2 && order != NULL && !site_learner_has_profile(l)) {
            l = lab_keep(l, site);
        }
        site_learner_feed(l, &lab->facts[order == NULL ? i : order[i]]);
    }
    struct site_model *m = site_learner_decide(l);
    site_learner_destroy(l);
    return m;
}

static const char *name_of(const struct lab *lab, int64_t session_id)
{
    const struct hr_digest *d = &lab->sessions[session_id - 1];
    for (size_t i = 0; i < lab->name_count; i++) {
        if (hr_digest_equal(&lab->digests[i], d)) {
            return lab->names[i];
        }
    }
    return "other";
}

const char *lab_judge(struct lab *lab, const struct site_model *m, size_t index)
{
    static const char *const roles[] = {"other", "login", "logout", "access", "static"};
    static const char *const outcomes[] = {"",         " success", " failure",
                                           " granted", " denied",  " error"};
    static const char *const kinds[] = {"none",         "login",    "maybe-login", "issue",
                                        "refresh",      "grant",    "denial",      "logout",
                                        "maybe-logout", "replaced", "opened",      "rotated"};
    struct classified c;
    struct hr_buf out;
    hr_buf_init(&out, sizeof(lab->text) - 1);
    site_model_classify(m, &lab->facts[index], &c);
    hr_buf_appendf(&out, "%s%s", roles[c.role], outcomes[c.outcome]);
    if (c.user.ptr != NULL) {
        hr_buf_appendf(&out, " %.*s", (int)c.user.len, c.user.ptr);
    }
    hr_buf_append_str(&out, c.missing_token ? " missing" : "");
    hr_buf_append_str(&out, c.role == ROLE_ACCESS && !c.had_token ? " anonymous" : "");
    for (size_t i = 0; i < c.operation_count; i++) {
        const struct session_operation *o = &c.operations[i];
        hr_buf_appendf(&out, " %s=%s%s%s", name_of(lab, o->session_id), kinds[o->kind],
                       o->issues ? "+" : "", o->understood ? "" : "?");
    }
    snprintf(lab->text, sizeof(lab->text), "%s", hr_buf_str(&out));
    hr_buf_finish(&out);
    return lab->text;
}

int lab_check(struct lab *lab, const char *name)
{
    struct site_model *m = lab_learn(lab, NULL);
    int wrong = 0;
    for (size_t i = 0; i < lab->count; i++) {
        const char *got = lab_judge(lab, m, i);
        if (lab->want[i] != NULL && strcmp(got, lab->want[i]) != 0) {
            fprintf(stderr, "%s: %s\n    but got: %s\n", name, lab->line[i], got);
            wrong++;
        }
    }
    for (size_t i = 0; wrong > 0 && i < site_model_decision_count(m); i++) {
        struct model_decision d = site_model_decision(m, i);
        fprintf(stderr, "    decided: %s %s: %s\n", d.what, d.value, d.reason);
    }
    site_model_destroy(m);
    return wrong;
}
