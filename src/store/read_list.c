/*
 * Lists for people: exchanges, streams, endpoints, captures, losses, decisions, rule runs.
 */
#include "store/read_list.h"

#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

/* The words people read, by the numbers stored. */
static const char *const role_words[] = {
    [ROLE_OTHER] = "other",   [ROLE_LOGIN] = "login",   [ROLE_LOGOUT] = "logout",
    [ROLE_ACCESS] = "access", [ROLE_STATIC] = "static",
};
static const char *const outcome_words[] = {
    [OUTCOME_NONE] = "none",       [OUTCOME_SUCCESS] = "success", [OUTCOME_FAILURE] = "failure",
    [OUTCOME_GRANTED] = "granted", [OUTCOME_DENIED] = "denied",   [OUTCOME_ERROR] = "error",
};
static const char *const state_words[] = {
    [HTTP_COMPLETE] = "complete",
    [HTTP_NO_RESPONSE] = "no-response",
    [HTTP_REQUEST_TRUNCATED] = "request-truncated",
    [HTTP_RESPONSE_TRUNCATED] = "response-truncated",
    [HTTP_GAP] = "gap",
    [HTTP_ABORTED_BY_CLIENT] = "aborted-by-client",
    [HTTP_ABORTED_BY_SERVER] = "aborted-by-server",
};
static const char *const end_words[] = {
    [TCP_END_NONE] = "open",       [TCP_END_FIN] = "fin",         [TCP_END_RST] = "rst",
    [TCP_END_TIMEOUT] = "timeout", [TCP_END_EVICTED] = "evicted", [TCP_END_REUSED] = "reused",
};
static const char *const protection_words[] = {
    [PROTECTION_UNKNOWN] = "unknown",
    [PROTECTION_PROTECTED] = "protected",
    [PROTECTION_PUBLIC] = "public",
};
static const char *const loss_words[] = {
    [LOSS_GAP] = "gap",
    [LOSS_MIDSTREAM] = "midstream",
    [LOSS_ONE_SIDED] = "one-sided",
    [LOSS_SNAPLEN] = "snaplen",
    [LOSS_DROPPED] = "dropped",
    [LOSS_CLOCK_SET] = "clock-set",
    [LOSS_BOUND] = "bound",
    [LOSS_UNDECODED] = "undecoded",
    [LOSS_TLS] = "tls",
    [LOSS_HTTP2] = "http2",
    [LOSS_NOT_HTTP] = "not-http",
    [LOSS_CAPTURE_CUT] = "capture-cut",
    [LOSS_AMBIGUOUS] = "ambiguous",
    [LOSS_SHED] = "shed",
};
static const char *const version_words[] = {
    [9] = "HTTP/0.9", [10] = "HTTP/1.0", [11] = "HTTP/1.1", [20] = "HTTP/2", [30] = "HTTP/3",
};

#define WORD(words, number) word_of((words), HR_ARRAY_LEN(words), (number))

static const char *word_of(const char *const *words, size_t count, int64_t number)
{
    return number >= 0 && (size_t)number < count ? words[number] : NULL;
}

void bind_filter(sqlite3_stmt *q, const struct read_filter *f)
{
    bind_text(q, 1, f->site);
    bind_text(q, 2, f->session);
    bind_text(q, 3, f->user);
    bind_number(q, 4, f->since);
    bind_number(q, 5, f->until);
    bind_number(q, 6, f->stream);
    bind_number(q, 7, f->limit);
}

void read_exchange_columns(sqlite3_stmt *q, struct exchange_view *ret_view)
{
    int64_t flags = sqlite3_column_int64(q, 29);
    int64_t anomalies = sqlite3_column_int64(q, 30);
    *ret_view = (struct exchange_view){
        .id = sqlite3_column_int64(q, 0),
        .capture = column_text(q, 1),
        .capture_id = sqlite3_column_int64(q, 2),
        .stream = sqlite3_column_int64(q, 3),
        .client = column_text(q, 4),
        .client_port = sqlite3_column_int(q, 5),
        .server = column_text(q, 6),
        .server_port = sqlite3_column_int(q, 7),
        .site = column_text(q, 8),
        .host = column_text(q, 9),
        .method = column_text(q, 10),
        .target = column_text(q, 11),
        .endpoint = column_text(q, 12),
        .status = sqlite3_column_int(q, 13),
        .version = WORD(version_words, sqlite3_column_int64(q, 14)),
        .request_frame = sqlite3_column_int64(q, 15),
        .response_frame = sqlite3_column_int64(q, 16),
        .response_capture = column_text(q, 17),
        .request_at = column_time(q, 18),
        .request_end_at = column_time(q, 19),
        .response_at = column_time(q, 20),
        .response_end_at = column_time(q, 21),
        .request_bytes = column_count(q, 22),
        .response_bytes = column_count(q, 23),
        .role = WORD(role_words, sqlite3_column_int64(q, 24)),
        .outcome = WORD(outcome_words, sqlite3_column_int64(q, 25)),
        .session = column_text(q, 26),
        .user = column_text(q, 27),
        .state = WORD(state_words, sqlite3_column_int64(q, 28)),
        .pairing = flags & FACT_RESYNCHRONISED ? "resynchronised" : "certain",
        .loss = flags & FACT_LOSS,
        .request_anomalies = (unsigned)(anomalies % MARK_ANOMALIES_RESPONSE),
        .response_anomalies = (unsigned)(anomalies / MARK_ANOMALIES_RESPONSE),
    };
}

static int give_exchanges(struct store *s, sqlite3_stmt *q,
                          int (*row)(const struct exchange_view *x, void *user), void *user)
{
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct exchange_view x;
        read_exchange_columns(q, &x);
        r = row(&x, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_exchanges(struct store *s, const struct read_filter *f,
                   int (*row)(const struct exchange_view *x, void *user), void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_EXCHANGES);
    bind_filter(q, f);
    return give_exchanges(s, q, row, user);
}

int read_exchange(struct store *s, int64_t id,
                  int (*row)(const struct exchange_view *x, void *user), void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_EXCHANGE);
    bind_number(q, 1, id);
    return give_exchanges(s, q, row, user);
}

int read_streams(struct store *s, const struct read_filter *f,
                 int (*row)(const struct stream_view *x, void *user), void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_STREAMS);
    bind_filter(q, f);
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct stream_view x = {
            .id = sqlite3_column_int64(q, 0),
            .capture = column_text(q, 1),
            .stream = sqlite3_column_int64(q, 2),
            .client = column_text(q, 3),
            .client_port = sqlite3_column_int(q, 4),
            .server = column_text(q, 5),
            .server_port = sqlite3_column_int(q, 6),
            .first_at = sqlite3_column_int64(q, 7),
            .last_at = sqlite3_column_int64(q, 8),
            .first_frame = sqlite3_column_int64(q, 9),
            .exchanges = sqlite3_column_int64(q, 10),
            .client_bytes = sqlite3_column_int64(q, 11),
            .server_bytes = sqlite3_column_int64(q, 12),
            .client_gap_bytes = sqlite3_column_int64(q, 13),
            .server_gap_bytes = sqlite3_column_int64(q, 14),
            .midstream = sqlite3_column_int(q, 15) != 0,
            .end = WORD(end_words, sqlite3_column_int64(q, 16)),
        };
        r = row(&x, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

static void add_seen(struct hr_buf *why, const char *what, int64_t count, const char *place)
{
    if (count > 0) {
        hr_buf_appendf(why, "%s%s ", why->len > 0 ? ", " : "", what);
        if (count == 1) {
            hr_buf_append_str(why, "once");
        } else {
            hr_buf_appendf(why, "%lld times", (long long)count);
        }
        if (place != NULL) {
            hr_buf_appendf(why, " (%s)", place);
        }
    }
}

/* @param q  stands on a row of STMT_ENDPOINTS, whose last columns are places and the role */
static void tell_why(struct hr_buf *why, const struct endpoint_view *x, sqlite3_stmt *q)
{
    const char *role = column_text(q, 21);
    hr_buf_clear(why);
    if (x->declared) {
        hr_buf_append_str(why, "the profile says so");
    }
    if (role != NULL) {
        hr_buf_appendf(why, "%sit is a %s", why->len > 0 ? ", " : "", role);
    }
    add_seen(why, "granted to a live session", x->granted_live, column_text(q, 18));
    add_seen(why, "granted without a session", x->granted_without, column_text(q, 19));
    add_seen(why, "denied without a session", x->denied_without, column_text(q, 20));
    add_seen(why, "denied to a session", x->denied_other, NULL);
    if (why->len == 0) {
        hr_buf_append_str(why, "no access to it was granted or denied");
    } else if (x->granted_live > 0 && x->granted_without == 0 && x->denied_without == 0) {
        hr_buf_append_str(why, ", never asked for without one");
    }
}

int read_endpoints(struct store *s, const struct read_filter *f,
                   int (*row)(const struct endpoint_view *x, void *user), void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_ENDPOINTS);
    bind_text(q, 1, f->site);
    bind_number(q, 7, f->limit);
    struct hr_buf why;
    hr_buf_init(&why, 65536);
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct endpoint_view x = {
            .id = sqlite3_column_int64(q, 0),
            .site = column_text(q, 1),
            .method = column_text(q, 2),
            .path = column_text(q, 3),
            .protection = WORD(protection_words, sqlite3_column_int64(q, 4)),
            .exchanges = sqlite3_column_int64(q, 5),
            .granted_live = sqlite3_column_int64(q, 6),
            .granted_without = sqlite3_column_int64(q, 7),
            .denied_without = sqlite3_column_int64(q, 8),
            .denied_other = sqlite3_column_int64(q, 9),
            .example_granted = sqlite3_column_int64(q, 10),
            .example_denied = sqlite3_column_int64(q, 11),
            .statuses = column_text(q, 12),
            .declared = sqlite3_column_int(q, 13) != 0,
            .example_without = sqlite3_column_int64(q, 14),
            .granted_frame = sqlite3_column_int64(q, 15),
            .without_frame = sqlite3_column_int64(q, 16),
            .denied_frame = sqlite3_column_int64(q, 17),
        };
        tell_why(&why, &x, q);
        x.why = hr_buf_str(&why);
        r = row(&x, user);
        if (r != 0) {
            r = store_end_rows(q, r);
            break;
        }
    }
    hr_buf_finish(&why);
    return r;
}

int read_captures(struct store *s, const struct read_filter *f,
                  int (*row)(const struct capture_view *x, void *user), void *user)
{
    static const char *const packings[] = {"", " gzip", " zstd", " lz4"}; /* capture/unpack.h */
    sqlite3_stmt *q = store_stmt(s, STMT_CAPTURES);
    bind_number(q, 4, f->since);
    bind_number(q, 5, f->until);
    bind_number(q, 7, f->limit);
    int r;
    while ((r = store_step(s, q)) > 0) {
        char format[32];
        int packing = sqlite3_column_int(q, 3);
        bool is_known = packing >= 0 && packing < (int)HR_ARRAY_LEN(packings);
        snprintf(format, sizeof(format), "%s%s", sqlite3_column_int(q, 2) ? "pcapng" : "pcap",
                 is_known ? packings[packing] : "");
        struct capture_view x = {
            .id = sqlite3_column_int64(q, 0),
            .path = column_text(q, 1),
            .format = format,
            .link_type = column_text(q, 4),
            .size_bytes = sqlite3_column_int64(q, 5),
            .frames = sqlite3_column_int64(q, 6),
            .first_at = column_time(q, 7),
            .last_at = column_time(q, 8),
            .exchanges = sqlite3_column_int64(q, 9),
            .cut_frames = sqlite3_column_int64(q, 10),
            .dropped_frames = sqlite3_column_int64(q, 11),
            .clock_doubt = sqlite3_column_int64(q, 12),
            .time_source = sqlite3_column_int(q, 14) == TIME_SOURCE_HOST ? "host" : NULL,
            .error = column_text(q, 13),
            .comments = column_text(q, 15),
        };
        r = row(&x, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_losses(struct store *s, const struct read_filter *f,
                int (*row)(const struct loss_view *x, void *user), void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_LOSSES);
    bind_text(q, 1, f->site);
    bind_number(q, 4, f->since);
    bind_number(q, 5, f->until);
    bind_number(q, 6, f->stream);
    bind_number(q, 7, f->limit);
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct loss_view x = {
            .id = sqlite3_column_int64(q, 0),
            .kind = WORD(loss_words, sqlite3_column_int64(q, 1)),
            .capture = column_text(q, 2),
            .stream = sqlite3_column_int64(q, 3),
            .server = column_text(q, 4),
            .server_port = sqlite3_column_int(q, 5),
            .from_at =
                sqlite3_column_type(q, 6) == SQLITE_NULL ? INT64_MIN : sqlite3_column_int64(q, 6),
            .to_at = column_time(q, 7),
            .bytes = sqlite3_column_int64(q, 8),
            .count = sqlite3_column_int64(q, 9),
            .hides_exchanges = sqlite3_column_int(q, 10) != 0,
        };
        r = row(&x, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_decisions(struct store *s, const struct read_filter *f,
                   int (*row)(const struct decision_view *x, void *user), void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_DECISIONS);
    bind_text(q, 1, f->site);
    bind_number(q, 7, f->limit);
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct decision_view x = {
            .site = column_text(q, 0),
            .what = column_text(q, 1),
            .value = column_text(q, 2),
            .reason = column_text(q, 3),
            .from_profile = sqlite3_column_int(q, 4) != 0,
        };
        r = row(&x, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}

int read_session_count(struct store *s, int64_t *ret_count)
{
    return store_number(s, store_stmt(s, STMT_SESSION_COUNT), 0, ret_count);
}

int read_rule_runs(struct store *s, int (*row)(const struct rule_run_view *x, void *user),
                   void *user)
{
    sqlite3_stmt *q = store_stmt(s, STMT_RULE_RUNS);
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct rule_run_view x = {
            .rule = column_text(q, 0),
            .exercised = sqlite3_column_int64(q, 1),
            .findings = sqlite3_column_int64(q, 2),
        };
        r = row(&x, user);
        if (r != 0) {
            return store_end_rows(q, r);
        }
    }
    return r;
}
