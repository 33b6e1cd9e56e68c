/*
 * Findings with their evidence, sessions, and the story of one session.
 */
#include "base/alloc.h"
#include "base/buf.h"
#include "store/read_list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- findings --------------------------------------------------------------------------------- */

int read_finding_evidence(struct store *s, struct hr_arena *a, struct finding_view *f)
{
    struct evidence_view *rows = NULL;
    size_t count = 0;
    size_t capacity = 0;
    sqlite3_stmt *q = store_stmt(s, STMT_EVIDENCE);
    bind_number(q, 1, f->id);
    int r;
    while ((r = store_step(s, q)) > 0) {
        if (count == capacity) {
            struct evidence_view *old = rows;
            capacity = capacity > 0 ? 2 * capacity : 8;
            rows = hr_arena_alloc(a, capacity * sizeof(*rows));
            if (count > 0) {
                memcpy(rows, old, count * sizeof(*rows));
            }
        }
        rows[count++] = (struct evidence_view){
            .role = hr_arena_text(a, column_text(q, 0)),
            .exchange_id = sqlite3_column_int64(q, 1),
            .capture = hr_arena_text(a, column_text(q, 2)),
            .stream = sqlite3_column_int64(q, 3),
            .frame = sqlite3_column_int64(q, 4),
            .at = column_time(q, 5),
            .text = hr_arena_text(a, column_text(q, 6)),
        };
    }
    f->evidence = rows;
    f->evidence_count = count;
    return r;
}

/* Rules, severities and verdicts stand in text as they are: what none of ours can be is none. */
static const char *column_word(sqlite3_stmt *q, int column)
{
    const char *text = column_text(q, column);
    bool is_word = text != NULL && text[0] != '\0';
    for (size_t i = 0; is_word && text[i] != '\0'; i++) {
        is_word = text[i] > ' ' && text[i] < 0x7f;
    }
    return is_word ? text : "unknown";
}

static void read_finding_columns(sqlite3_stmt *q, struct finding_view *f)
{
    *f = (struct finding_view){
        .id = sqlite3_column_int64(q, 0),
        .rule = column_word(q, 1),
        .severity = column_word(q, 2),
        .verdict = column_word(q, 3),
        .at = sqlite3_column_int64(q, 4),
        .site = column_text(q, 5),
        .user = column_text(q, 6),
        .session = column_text(q, 7),
        .client = column_text(q, 8),
        .client_port = sqlite3_column_int(q, 9),
        .method = column_text(q, 10),
        .target = column_text(q, 11),
        .status = sqlite3_column_int(q, 12),
        .exchange = sqlite3_column_int64(q, 13),
        .capture = column_text(q, 14),
        .stream = column_count(q, 15),
        .frame = sqlite3_column_int64(q, 16),
        .summary = column_text(q, 17),
        .explanation = column_text(q, 18),
        .caveats = column_text(q, 19),
        .count = 1,
        .fingerprint = column_text(q, 20) != NULL ? column_word(q, 20) : NULL,
        .group = column_text(q, 21) != NULL ? column_word(q, 21) : NULL,
        .baseline = column_text(q, 22),
        .suppressed = sqlite3_column_int(q, 23) != 0,
        .suppression_reason = column_text(q, 24),
        .suppression_owner = column_text(q, 25),
        .suppression_expires_at = column_time(q, 26),
        .endpoint = column_text(q, 27),
        .known_since = HR_NSEC_INFINITE,
    };
}

static int give_findings(struct store *s, sqlite3_stmt *q,
                         int (*row)(const struct finding_view *x, void *user), void *user)
{
    struct hr_arena a;
    hr_arena_init(&a);
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct finding_view f;
        hr_arena_reset(&a);
        read_finding_columns(q, &f);
        r = read_finding_evidence(s, &a, &f);
        r = r == 0 ? row(&f, user) : r;
        if (r != 0) {
            store_end_rows(q, 0);
            break;
        }
    }
    hr_arena_finish(&a);
    return r;
}

static sqlite3_stmt *bind_findings(struct store *s, const struct read_filter *f)
{
    sqlite3_stmt *q = store_stmt(s, STMT_FINDINGS);
    bind_filter(q, f);
    bind_text(q, 8, f->rule);
    bind_text(q, 9, f->verdict);
    bind_text(q, 10, f->min_severity);
    return q;
}

int read_findings(struct store *s, const struct read_filter *f,
                  int (*row)(const struct finding_view *x, void *user), void *user)
{
    return give_findings(s, bind_findings(s, f), row, user);
}

int read_finding_heads(struct store *s, const struct read_filter *f,
                       int (*row)(const struct finding_view *x, void *user), void *user)
{
    sqlite3_stmt *q = bind_findings(s, f);
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct finding_view x;
        read_finding_columns(q, &x);
        r = row(&x, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_finding(struct store *s, int64_t id, int (*row)(const struct finding_view *x, void *user),
                 void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_FINDING);
    bind_number(q, 1, id);
    return give_findings(s, q, row, user);
}

int read_newest_findings(struct store *s, int limit,
                         int (*row)(const struct finding_view *x, void *user), void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_FINDINGS_NEWEST);
    bind_number(q, 1, limit);
    return give_findings(s, q, row, user);
}

int read_suppressions(struct store *s, int (*row)(const struct suppression_view *x, void *user),
                      void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_SUPPRESSIONS);
    int r;
    while ((r = store_step(s, q)) > 0) {
        const struct suppression_view x = {
            .place = column_text(q, 0),
            .reason = column_text(q, 1),
            .owner = column_text(q, 2),
            .expires_at = column_time(q, 3),
            .findings = sqlite3_column_int64(q, 4),
            .is_expired = sqlite3_column_int(q, 5) != 0,
        };
        r = row(&x, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

/* --- sessions --------------------------------------------------------------------------------- */

static const char *const order_words[] = {
    [ORDER_NOT_CHECKED] = "not-checked",   [ORDER_EXPLAINED] = "explained",
    [ORDER_CONTRADICTED] = "contradicted", [ORDER_WEAK] = "weak",
    [ORDER_UNKNOWN] = "unknown",
};

static const char *const carrier_words[] = {
    [TOKEN_COOKIE] = "cookie", [TOKEN_BEARER] = "bearer",
    [TOKEN_HEADER] = "header", [TOKEN_QUERY] = "query",
    [TOKEN_FORM] = "form",     [TOKEN_JSON] = "json",
    [TOKEN_PATH] = "path",     [TOKEN_USER_QUERY] = "user query",
};

static const char *const operation_words[] = {
    [OPERATION_NONE] = "none",
    [OPERATION_LOGIN] = "login",
    [OPERATION_MAYBE_LOGIN] = "possible-login",
    [OPERATION_ISSUE] = "issued",
    [OPERATION_REFRESH] = "refresh",
    [OPERATION_GRANT] = "granted",
    [OPERATION_DENIAL] = "denied",
    [OPERATION_LOGOUT] = "logout",
    [OPERATION_MAYBE_LOGOUT] = "possible-logout",
    [OPERATION_REPLACED] = "replaced",
    [OPERATION_OPENED] = "opened",
    [OPERATION_ROTATED] = "rotated",
};

static const char *word_of(const char *const *words, size_t count, int number)
{
    return number >= 0 && (size_t)number < count ? words[number] : NULL;
}

const char *operation_word(int kind)
{
    return word_of(operation_words, HR_ARRAY_LEN(operation_words), kind);
}

/* "cookie session_id"; a bearer token has no name of its own. */
static void format_carrier(sqlite3_stmt *q, struct hr_buf *ret_text)
{
    const char *kind =
        word_of(carrier_words, HR_ARRAY_LEN(carrier_words), sqlite3_column_int(q, 3));
    const char *name = column_text(q, 4);
    hr_buf_clear(ret_text);
    hr_buf_append_str(ret_text, kind != NULL ? kind : "");
    if (name != NULL && (kind == NULL || strcmp(kind, name) != 0)) {
        hr_buf_appendf(ret_text, " %s", name);
    }
}

static void read_session_columns(sqlite3_stmt *q, struct hr_buf *carrier, struct session_view *x)
{
    format_carrier(q, carrier);
    *x = (struct session_view){
        .id = sqlite3_column_int64(q, 0),
        .name = column_text(q, 1),
        .site = column_text(q, 2),
        .carrier = hr_buf_str(carrier),
        .user = column_text(q, 5),
        .first_at = column_time(q, 6),
        .last_at = column_time(q, 7),
        .login_at = column_time(q, 8),
        .logout_at = column_time(q, 9),
        .exchanges = sqlite3_column_int64(q, 10),
        .granted = sqlite3_column_int64(q, 11),
        .denied = sqlite3_column_int64(q, 12),
        .order = word_of(order_words, HR_ARRAY_LEN(order_words), sqlite3_column_int(q, 13)),
        .is_jwt = sqlite3_column_int(q, 14) != 0,
    };
}

int read_sessions(struct store *s, const struct read_filter *f,
                  int (*row)(const struct session_view *x, void *user), void *user)
{
    struct hr_buf carrier;
    hr_buf_init(&carrier, SIZE_MAX);
    sqlite3_stmt *q = store_stmt(s, STMT_SESSIONS);
    bind_filter(q, f);
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct session_view x;
        read_session_columns(q, &carrier, &x);
        r = row(&x, user);
        if (r != 0) {
            store_end_rows(q, 0);
            break;
        }
    }
    hr_buf_finish(&carrier);
    return r;
}

int read_recent_sessions(struct store *s, hr_nsec since, int64_t *ret_count)
{
    sqlite3_stmt *q = store_stmt(s, STMT_SESSIONS_RECENT);
    sqlite3_bind_int64(q, 1, since);
    return store_number(s, q, 0, ret_count);
}

/* The caller keeps the view after the statement is done, so its texts go to the store's arena. */
static int load_session(struct store *s, int64_t id, struct session_view *ret_session)
{
    struct hr_buf carrier;
    struct session_view x;
    sqlite3_stmt *q = store_stmt(s, STMT_SESSION);
    bind_number(q, 1, id);
    int r = store_step(s, q);
    if (r <= 0) {
        return r < 0 ? r : -ENOENT;
    }
    hr_buf_init(&carrier, SIZE_MAX);
    read_session_columns(q, &carrier, &x);
    hr_arena_reset(&s->kept);
    x.name = hr_arena_text(&s->kept, x.name);
    x.site = hr_arena_text(&s->kept, x.site);
    x.carrier = hr_arena_text(&s->kept, x.carrier);
    x.user = hr_arena_text(&s->kept, x.user);
    hr_buf_finish(&carrier);
    *ret_session = x;
    return store_end_rows(q, 0);
}

static int give_story_row(struct store *s, sqlite3_stmt *story,
                          int (*row)(const struct story_row *x, void *user), void *user)
{
    struct story_row x = {
        .kind = sqlite3_column_type(story, 0) == SQLITE_NULL
                    ? operation_word(OPERATION_NONE)
                    : operation_word(sqlite3_column_int(story, 0)),
        .start = column_time(story, 1),
        .end = column_time(story, 2),
    };
    sqlite3_stmt *q = store_stmt(s, STMT_STORY_EXCHANGE);
    bind_number(q, 1, sqlite3_column_int64(story, 3));
    int r = store_step(s, q);
    if (r <= 0) {
        return r;
    }
    read_exchange_columns(q, &x.exchange);
    return store_end_rows(q, row(&x, user));
}

int read_session_story(struct store *s, const char *name, struct session_view *ret_session,
                       int (*row)(const struct story_row *x, void *user), void *user)
{
    int64_t id = 0;
    sqlite3_stmt *q = store_stmt(s, STMT_SESSION_BY_NAME);
    bind_text(q, 1, name);
    int r = store_number(s, q, 0, &id);
    if (r == 0 && id == 0) {
        return store_fail_text(s, -ENOENT, "has no session %s; `headrace list sessions` names them",
                               name);
    }
    r = r == 0 ? load_session(s, id, ret_session) : r;
    if (r < 0) {
        return r;
    }
    q = store_stmt(s, STMT_STORY);
    bind_number(q, 1, id);
    while ((r = store_step(s, q)) > 0) {
        r = give_story_row(s, q, row, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}
