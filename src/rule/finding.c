#include "rule/finding.h"

#include "base/digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define EVIDENCE_LIMIT 64 /* of a finding; a story longer than that is no longer read */

const char *const finding_columns[] = {"exchange_id", "session_id", "site_id",  "at", "verdict",
                                       "summary",     "caveats",    "evidence", NULL};

static const char *const verdicts[] = {"proven", "contradiction", "suspect", NULL};

/* --- telling findings apart ------------------------------------------------------------------- */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/** A redacted value is a hash under the database's key: only that something stood there counts. */
static void append_without_hashes(struct hr_buf *out, struct hr_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        size_t digits = 0;
        hr_buf_append_char(out, text.ptr[i]);
        if (text.ptr[i] != '~') {
            continue;
        }
        while (digits < 16 && i + 1 + digits < text.len && is_hex(text.ptr[i + 1 + digits])) {
            digits++;
        }
        i += digits == 16 ? 16 : 0;
    }
}

/* Each part ends with a byte that none holds: texts are escaped before they are stored. */
static void append_part(struct hr_buf *out, struct hr_span text)
{
    append_without_hashes(out, text);
    hr_buf_append_char(out, '\n');
}

static void finish_hash(struct hr_buf *key, char ret_text[FINDING_HASH_SIZE])
{
    const struct hr_digest d = hr_digest_plain(hr_buf_span(key));
    for (size_t i = 0; i < HR_DIGEST_BYTES; i++) {
        snprintf(ret_text + 2 * i, 3, "%02x", d.bytes[i]);
    }
    hr_buf_finish(key);
}

bool exercised_columns(const struct query_row *row, enum exercised_by *ret_by)
{
    const bool has_site = row->count > 1 && strcmp(row->names[0], "site_id") == 0;
    if (row->count == 1) {
        *ret_by = EXERCISED_IN_ALL;
    } else if (row->count == 2 && has_site) {
        *ret_by = EXERCISED_BY_SITE;
    } else if (row->count == 3 && has_site && strcmp(row->names[1], "quarter") == 0) {
        *ret_by = EXERCISED_BY_QUARTER;
    } else {
        return false;
    }
    return true;
}

bool glance_columns(const struct query_row *row)
{
    return row->count == 3 && strcmp(row->names[0], "exchange_id") == 0 &&
           strcmp(row->names[1], "kind") == 0 && strcmp(row->names[2], "value") == 0;
}

void finding_fingerprint(const char *rule, const struct finding_place *place, hr_nsec at,
                         char ret_text[FINDING_HASH_SIZE])
{
    struct hr_buf key;
    hr_buf_init(&key, SIZE_MAX);
    append_part(&key, hr_span_str(rule));
    append_part(&key, place->site);
    append_part(&key, place->client);
    hr_buf_appendf(&key, "%lld\n", (long long)place->client_port);
    append_part(&key, place->server);
    hr_buf_appendf(&key, "%lld\n", (long long)place->server_port);
    append_part(&key, place->method);
    append_part(&key, place->endpoint);
    hr_buf_appendf(&key, "%lld\n", (long long)at);
    finish_hash(&key, ret_text);
}

void finding_group(const char *rule, const struct finding_place *place,
                   char ret_text[FINDING_HASH_SIZE])
{
    struct hr_buf key;
    hr_buf_init(&key, SIZE_MAX);
    append_part(&key, hr_span_str(rule));
    append_part(&key, place->site);
    append_part(&key, place->method);
    append_part(&key, place->endpoint);
    finish_hash(&key, ret_text);
}

/* --- a row of the rule ------------------------------------------------------------------------ */

static int complain(struct hr_buf *error, const char *text)
{
    hr_buf_clear(error);
    hr_buf_append_str(error, text);
    return -EINVAL;
}

/** @return the id, 0 for NULL, or -1 where it is no id */
static int64_t id_of(const struct query_row *row, const char *column)
{
    const struct query_value *v = query_find(row, column);
    if (v == NULL || v->type == QUERY_NULL) {
        return 0;
    }
    return v->type == QUERY_INTEGER && v->integer > 0 ? v->integer : -1;
}

/** @return a copy, or NULL for NULL and everything that is no text */
static const char *text_of(const struct query_row *row, const char *column, struct hr_arena *arena)
{
    const struct query_value *v = query_find(row, column);
    return v != NULL && v->type == QUERY_TEXT ? hr_arena_strdup(arena, v->text) : NULL;
}

static const char *verdict_of(const struct query_row *row)
{
    const struct query_value *v = query_find(row, "verdict");
    for (size_t i = 0; v != NULL && v->type == QUERY_TEXT && verdicts[i] != NULL; i++) {
        if (hr_span_equal(v->text, hr_span_str(verdicts[i]))) {
            return verdicts[i];
        }
    }
    return NULL;
}

int finding_read(const struct rule *rule, const struct query_row *row, struct hr_arena *arena,
                 struct finding_draft *ret_draft, struct hr_buf *ret_error)
{
    const struct query_value *at = query_find(row, "at");
    struct finding_draft d = {
        .row = {.rule = rule->id,
                .severity = rule->severity,
                .verdict = verdict_of(row),
                .site_id = id_of(row, "site_id"),
                .session_id = id_of(row, "session_id"),
                .exchange_id = id_of(row, "exchange_id"),
                .summary = text_of(row, "summary", arena),
                .explanation = rule->meaning,
                .caveats = text_of(row, "caveats", arena)},
        .evidence = text_of(row, "evidence", arena),
    };
    if (at == NULL || at->type != QUERY_INTEGER) {
        return complain(ret_error, "\"at\" must be a time in nanoseconds, for every finding");
    }
    if (d.row.verdict == NULL) {
        return complain(ret_error, "\"verdict\" must be proven, contradiction or suspect");
    }
    if (d.row.site_id < 0 || d.row.session_id < 0 || d.row.exchange_id < 0) {
        return complain(ret_error, "site_id, session_id and exchange_id must be ids or NULL");
    }
    d.row.at = at->integer;
    d.row.summary = d.row.summary == NULL ? rule->title : d.row.summary;
    d.row.caveats = d.row.caveats == NULL ? "[]" : d.row.caveats;
    *ret_draft = d;
    return 0;
}

/* --- what the store adds ---------------------------------------------------------------------- */

struct completion {
    struct hr_arena *arena;
    struct finding_row *row;
    struct finding_place place;
    struct evidence_row *evidence;
    const char *wrong;
};

static struct hr_span keep_text(struct completion *c, const struct query_row *row,
                                const char *column)
{
    const struct query_value *v = query_find(row, column);
    return v != NULL && v->type == QUERY_TEXT ? hr_arena_copy(c->arena, v->text)
                                              : (struct hr_span){NULL, 0};
}

static int64_t number(const struct query_row *row, const char *column)
{
    const struct query_value *v = query_find(row, column);
    return v != NULL && v->type == QUERY_INTEGER ? v->integer : 0;
}

static int place_row(const struct query_row *row, void *user)
{
    struct completion *c = user;
    c->place = (struct finding_place){
        .site = keep_text(c, row, "site"),
        .client = keep_text(c, row, "client"),
        .client_port = number(row, "client_port"),
        .server = keep_text(c, row, "server"),
        .server_port = number(row, "server_port"),
        .method = keep_text(c, row, "method"),
        .endpoint = keep_text(c, row, "path"),
    };
    if (c->row->site_id == 0) {
        c->row->site_id = number(row, "site_id");
    }
    return 0;
}

static int evidence_row(const struct query_row *row, void *user)
{
    struct completion *c = user;
    if (c->row->evidence_count == EVIDENCE_LIMIT) {
        return 0;
    }
    const struct hr_span role = keep_text(c, row, "role");
    const struct hr_span text = keep_text(c, row, "text");
    if (role.ptr == NULL) {
        c->wrong = "each item of \"evidence\" must be {role, exchange_id, text}";
        return 0;
    }
    if (c->evidence == NULL) {
        c->evidence = hr_arena_alloc(c->arena, EVIDENCE_LIMIT * sizeof(*c->evidence));
    }
    c->evidence[c->row->evidence_count++] = (struct evidence_row){
        .role = role.ptr,
        .exchange_id = number(row, "exchange_id"),
        .text = text.ptr,
    };
    return 0;
}

static int caveat_row(const struct query_row *row, void *user)
{
    struct completion *c = user;
    if (keep_text(c, row, "text").ptr == NULL) {
        c->wrong = "\"caveats\" must be a JSON array of texts";
    }
    return 0;
}

#define PLACE_OF_EXCHANGE                                                                          \
    "SELECT site_id, site, client, client_port, server, server_port, method, path "                \
    "FROM main.exchange_facts WHERE exchange_id = ?1"
#define PLACE_OF_SITE "SELECT id AS site_id, name AS site FROM main.sites WHERE id = ?1"
#define EVIDENCE                                                                                   \
    "SELECT json_extract(value, '$.role') AS role, json_extract(value, '$.exchange_id') "          \
    "AS exchange_id, json_extract(value, '$.text') AS text FROM json_each(?1)"
#define CAVEATS "SELECT CASE type WHEN 'text' THEN value END AS text FROM json_each(?1)"

static int ask(struct store *s, const char *sql, struct query_value bind, query_row_fn row,
               struct completion *c, struct hr_buf *error)
{
    struct query_error e = {0};
    const struct query q = {.sql = hr_span_str(sql), .binds = &bind, .bind_count = 1};
    const int r = query_run(s, &q, row, c, &e);
    return r == -EINVAL ? complain(error, e.text) : r;
}

int finding_complete(struct store *s, struct hr_arena *arena, struct finding_draft *d,
                     struct hr_buf *ret_error)
{
    struct completion c = {.arena = arena, .row = &d->row};
    char *hashes = hr_arena_alloc(arena, (size_t)2 * FINDING_HASH_SIZE);
    int r = 0;
    if (d->row.exchange_id != 0) {
        r = ask(s, PLACE_OF_EXCHANGE, query_integer(d->row.exchange_id), place_row, &c, ret_error);
    } else if (d->row.site_id != 0) {
        r = ask(s, PLACE_OF_SITE, query_integer(d->row.site_id), place_row, &c, ret_error);
    }
    if (r == 0 && d->evidence != NULL) {
        r = ask(s, EVIDENCE, query_text(hr_span_str(d->evidence)), evidence_row, &c, ret_error);
    }
    if (r == 0) {
        r = ask(s, CAVEATS, query_text(hr_span_str(d->row.caveats)), caveat_row, &c, ret_error);
    }
    if (r < 0) {
        return r;
    }
    if (c.wrong != NULL) {
        return complain(ret_error, c.wrong);
    }
    finding_fingerprint(d->row.rule, &c.place, d->row.at, hashes);
    finding_group(d->row.rule, &c.place, hashes + FINDING_HASH_SIZE);
    d->row.fingerprint = hashes;
    d->row.group = hashes + FINDING_HASH_SIZE;
    d->row.evidence = c.evidence;
    return 0;
}
