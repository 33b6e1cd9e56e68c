/*
 * The fields of every record, in the order in which they are written. Each has a JSON Schema beside
 * this file (TYPE.schema.json), and tests hold the two together.
 */
#include "base/alloc.h"
#include "report/caveats.h"
#include "report/record.h"

#include <inttypes.h>
#include <stdio.h>

#define FINDING(member) offsetof(struct finding_view, member)
#define ALERT(member) offsetof(struct alert_view, member)
#define EXCHANGE(member) offsetof(struct exchange_view, member)
#define SESSION(member) offsetof(struct session_view, member)
#define STREAM(member) offsetof(struct stream_view, member)
#define ENDPOINT(member) offsetof(struct endpoint_view, member)
#define CAPTURE(member) offsetof(struct capture_view, member)
#define LOSS(member) offsetof(struct loss_view, member)
#define LOSS_ALERT(member) offsetof(struct loss_alert_view, member)
#define PPM_OF_PERCENT 10000

static void emit_caveats(struct hr_json *j, const void *row)
{
    const struct finding_view *f = row;
    const char *rest = f->caveats;
    struct hr_buf text;
    hr_buf_init(&text, SIZE_MAX);
    hr_json_array_begin(j);
    while (caveats_next(&rest, &text)) {
        hr_json_str(j, hr_buf_str(&text));
    }
    hr_json_array_end(j);
    hr_buf_finish(&text);
}

/* "request-bare-lf", "response-two-lengths" */
static void put_anomalies(struct hr_json *j, const char *side, unsigned anomalies)
{
    static const char *const words[HTTP_ANOMALY_COUNT] = {
        "bare-lf",    "obs-fold",   "two-lengths", "length-and-coding",
        "bad-field",  "fields-cut", "no-version",  "lengths-differ",
        "bad-length", "odd-coding", "broken",
    };
    struct hr_buf text;
    hr_buf_init(&text, SIZE_MAX);
    for (size_t i = 0; i < HR_ARRAY_LEN(words); i++) {
        if (anomalies & (1u << i)) {
            hr_buf_clear(&text);
            hr_buf_appendf(&text, "%s-%s", side, words[i]);
            hr_json_str(j, hr_buf_str(&text));
        }
    }
    hr_buf_finish(&text);
}

static void emit_anomalies(struct hr_json *j, const void *row)
{
    const struct exchange_view *x = row;
    hr_json_array_begin(j);
    put_anomalies(j, "request", x->request_anomalies);
    put_anomalies(j, "response", x->response_anomalies);
    hr_json_array_end(j);
}

/* A finding without an exchange (of a whole site) has no connection. */
static void emit_finding_stream(struct hr_json *j, const void *row)
{
    const struct finding_view *f = row;
    if (f->exchange == 0 || f->stream < 0) {
        hr_json_null(j);
    } else {
        hr_json_int(j, f->stream);
    }
}

static void int_or_null(struct hr_json *j, const char *key, int64_t value, bool is_null)
{
    hr_json_key(j, key);
    if (is_null) {
        hr_json_null(j);
    } else {
        hr_json_int(j, value);
    }
}

static void emit_evidence(struct hr_json *j, const void *row)
{
    const struct finding_view *f = row;
    hr_json_array_begin(j);
    for (size_t i = 0; i < f->evidence_count; i++) {
        const struct evidence_view *e = &f->evidence[i];
        hr_json_object_begin(j);
        hr_json_key(j, "role");
        hr_json_str(j, e->role);
        int_or_null(j, "exchange", e->exchange_id, e->exchange_id == 0);
        hr_json_key(j, "capture");
        hr_json_str(j, e->capture);
        int_or_null(j, "stream", e->stream, e->capture == NULL || e->stream < 0);
        int_or_null(j, "frame", e->frame, e->frame == 0);
        hr_json_key(j, "at");
        hr_json_time(j, e->at);
        hr_json_key(j, "text");
        hr_json_str(j, e->text);
        hr_json_object_end(j);
    }
    hr_json_array_end(j);
}

static void emit_suppression(struct hr_json *j, const void *row)
{
    const struct finding_view *f = row;
    if (!f->suppressed) {
        hr_json_null(j);
        return;
    }
    hr_json_object_begin(j);
    hr_json_key(j, "reason");
    hr_json_str(j, f->suppression_reason);
    hr_json_key(j, "owner");
    hr_json_str(j, f->suppression_owner);
    hr_json_key(j, "expires_at");
    hr_json_time(j, f->suppression_expires_at);
    hr_json_object_end(j);
}

static const struct record_field finding_fields[] = {
    {"id",            RECORD_INT,           FINDING(id),          "id",       NULL               },
    {"rule",          RECORD_TEXT,          FINDING(rule),        "rule",     NULL               },
    {"severity",      RECORD_TEXT,          FINDING(severity),    "severity", NULL               },
    {"verdict",       RECORD_TEXT,          FINDING(verdict),     "verdict",  NULL               },
    {"at",            RECORD_TIME,          FINDING(at),          "at (UTC)", NULL               },
    {"site",          RECORD_TEXT,          FINDING(site),        "site",     NULL               },
    {"user",          RECORD_TEXT,          FINDING(user),        "user",     NULL               },
    {"session",       RECORD_TEXT,          FINDING(session),     "session",  NULL               },
    {"client",        RECORD_TEXT,          FINDING(client),      NULL,       NULL               },
    {"client_port",   RECORD_SMALL_OR_NULL, FINDING(client_port), NULL,       NULL               },
    {"method",        RECORD_TEXT,          FINDING(method),      NULL,       NULL               },
    {"target",        RECORD_TEXT,          FINDING(target),      NULL,       NULL               },
    {"status",        RECORD_SMALL_OR_NULL, FINDING(status),      NULL,       NULL               },
    {"exchange",      RECORD_INT_OR_NULL,   FINDING(exchange),    NULL,       NULL               },
    {"capture",       RECORD_TEXT,          FINDING(capture),     NULL,       NULL               },
    {"stream",        RECORD_CUSTOM,        FINDING(stream),      "stream",   emit_finding_stream},
    {"frame",         RECORD_INT_OR_NULL,   FINDING(frame),       "frame",    NULL               },
    {"summary",       RECORD_TEXT,          FINDING(summary),     "summary",  NULL               },
    {"explanation",   RECORD_TEXT,          FINDING(explanation), NULL,       NULL               },
    {"caveats",       RECORD_CUSTOM,        FINDING(caveats),     NULL,       emit_caveats       },
    {"evidence",      RECORD_CUSTOM,        FINDING(evidence),    NULL,       emit_evidence      },
    {"count",         RECORD_INT,           FINDING(count),       NULL,       NULL               },
    {"fingerprint",   RECORD_TEXT,          FINDING(fingerprint), NULL,       NULL               },
    {"group",         RECORD_TEXT,          FINDING(group),       NULL,       NULL               },
    {"baseline",      RECORD_TEXT,          FINDING(baseline),    NULL,       NULL               },
    {"suppressed",    RECORD_BOOL,          FINDING(suppressed),  NULL,       NULL               },
    {"endpoint",      RECORD_TEXT,          FINDING(endpoint),    NULL,       NULL               },
    {"suppression",   RECORD_CUSTOM,        FINDING(suppressed),  NULL,       emit_suppression   },
    {"known_since",   RECORD_TIME,          FINDING(known_since), NULL,       NULL               },
 /* Of an alert. */
    {"update",        RECORD_BOOL,          ALERT(is_update),     NULL,       NULL               },
    {"evidence_file", RECORD_TEXT,          ALERT(evidence_file), NULL,       NULL               },
};
const struct record_type record_finding = {NULL, finding_fields, HR_ARRAY_LEN(finding_fields) - 2};
const struct record_type record_alert = {NULL, finding_fields, HR_ARRAY_LEN(finding_fields)};

static const struct record_field exchange_fields[] = {
    {"id",               RECORD_INT,           EXCHANGE(id),                "id",       NULL          },
    {"capture",          RECORD_TEXT,          EXCHANGE(capture),           NULL,       NULL          },
    {"capture_id",       RECORD_INT,           EXCHANGE(capture_id),        NULL,       NULL          },
    {"stream",           RECORD_INT_SIGNED,    EXCHANGE(stream),            "stream",   NULL          },
    {"client",           RECORD_TEXT,          EXCHANGE(client),            "client",   NULL          },
    {"client_port",      RECORD_SMALL_OR_NULL, EXCHANGE(client_port),       "port",     NULL          },
    {"server",           RECORD_TEXT,          EXCHANGE(server),            NULL,       NULL          },
    {"server_port",      RECORD_SMALL_OR_NULL, EXCHANGE(server_port),       NULL,       NULL          },
    {"site",             RECORD_TEXT,          EXCHANGE(site),              "site",     NULL          },
    {"host",             RECORD_TEXT,          EXCHANGE(host),              NULL,       NULL          },
    {"method",           RECORD_TEXT,          EXCHANGE(method),            "method",   NULL          },
    {"target",           RECORD_TEXT,          EXCHANGE(target),            "target",   NULL          },
    {"endpoint",         RECORD_TEXT,          EXCHANGE(endpoint),          NULL,       NULL          },
    {"status",           RECORD_SMALL_OR_NULL, EXCHANGE(status),            "status",   NULL          },
    {"version",          RECORD_TEXT,          EXCHANGE(version),           NULL,       NULL          },
    {"request_frame",    RECORD_INT_OR_NULL,   EXCHANGE(request_frame),     "frame",    NULL          },
    {"response_frame",   RECORD_INT_OR_NULL,   EXCHANGE(response_frame),    "answer",   NULL          },
    {"response_capture", RECORD_TEXT,          EXCHANGE(response_capture),  NULL,       NULL          },
    {"request_at",       RECORD_TIME,          EXCHANGE(request_at),        "at (UTC)", NULL          },
    {"request_end_at",   RECORD_TIME,          EXCHANGE(request_end_at),    NULL,       NULL          },
    {"response_at",      RECORD_TIME,          EXCHANGE(response_at),       NULL,       NULL          },
    {"response_end_at",  RECORD_TIME,          EXCHANGE(response_end_at),   NULL,       NULL          },
    {"request_bytes",    RECORD_INT_SIGNED,    EXCHANGE(request_bytes),     NULL,       NULL          },
    {"response_bytes",   RECORD_INT_SIGNED,    EXCHANGE(response_bytes),    NULL,       NULL          },
    {"role",             RECORD_TEXT,          EXCHANGE(role),              "role",     NULL          },
    {"outcome",          RECORD_TEXT,          EXCHANGE(outcome),           "outcome",  NULL          },
    {"session",          RECORD_TEXT,          EXCHANGE(session),           "session",  NULL          },
    {"user",             RECORD_TEXT,          EXCHANGE(user),              "user",     NULL          },
    {"state",            RECORD_TEXT,          EXCHANGE(state),             "state",    NULL          },
    {"pairing",          RECORD_TEXT,          EXCHANGE(pairing),           NULL,       NULL          },
    {"loss",             RECORD_BOOL,          EXCHANGE(loss),              "loss",     NULL          },
    {"anomalies",        RECORD_CUSTOM,        EXCHANGE(request_anomalies), NULL,       emit_anomalies},
};
const struct record_type record_exchange = {"exchange", exchange_fields,
                                            HR_ARRAY_LEN(exchange_fields)};

static const struct record_field session_fields[] = {
    {"id",        RECORD_INT,  SESSION(id),        NULL,             NULL},
    {"session",   RECORD_TEXT, SESSION(name),      "session",        NULL},
    {"site",      RECORD_TEXT, SESSION(site),      "site",           NULL},
    {"carrier",   RECORD_TEXT, SESSION(carrier),   "carrier",        NULL},
    {"user",      RECORD_TEXT, SESSION(user),      "user",           NULL},
    {"first_at",  RECORD_TIME, SESSION(first_at),  "first at (UTC)", NULL},
    {"last_at",   RECORD_TIME, SESSION(last_at),   NULL,             NULL},
    {"login_at",  RECORD_TIME, SESSION(login_at),  "login at",       NULL},
    {"logout_at", RECORD_TIME, SESSION(logout_at), "logout at",      NULL},
    {"exchanges", RECORD_INT,  SESSION(exchanges), "exchanges",      NULL},
    {"granted",   RECORD_INT,  SESSION(granted),   "granted",        NULL},
    {"denied",    RECORD_INT,  SESSION(denied),    "denied",         NULL},
    {"order",     RECORD_TEXT, SESSION(order),     "order",          NULL},
    {"is_jwt",    RECORD_BOOL, SESSION(is_jwt),    NULL,             NULL},
};
const struct record_type record_session = {"session", session_fields, HR_ARRAY_LEN(session_fields)};

static const struct record_field stream_fields[] = {
    {"id",               RECORD_INT,           STREAM(id),               NULL,             NULL},
    {"capture",          RECORD_TEXT,          STREAM(capture),          "capture",        NULL},
    {"stream",           RECORD_INT,           STREAM(stream),           "stream",         NULL},
    {"client",           RECORD_TEXT,          STREAM(client),           "client",         NULL},
    {"client_port",      RECORD_SMALL_OR_NULL, STREAM(client_port),      "port",           NULL},
    {"server",           RECORD_TEXT,          STREAM(server),           "server",         NULL},
    {"server_port",      RECORD_SMALL_OR_NULL, STREAM(server_port),      "port",           NULL},
    {"first_at",         RECORD_TIME,          STREAM(first_at),         "first at (UTC)", NULL},
    {"last_at",          RECORD_TIME,          STREAM(last_at),          NULL,             NULL},
    {"first_frame",      RECORD_INT_OR_NULL,   STREAM(first_frame),      "frame",          NULL},
    {"exchanges",        RECORD_INT,           STREAM(exchanges),        "exchanges",      NULL},
    {"client_bytes",     RECORD_INT,           STREAM(client_bytes),     "sent",           NULL},
    {"server_bytes",     RECORD_INT,           STREAM(server_bytes),     "received",       NULL},
    {"client_gap_bytes", RECORD_INT,           STREAM(client_gap_bytes), NULL,             NULL},
    {"server_gap_bytes", RECORD_INT,           STREAM(server_gap_bytes), NULL,             NULL},
    {"midstream",        RECORD_BOOL,          STREAM(midstream),        "midway",         NULL},
    {"end",              RECORD_TEXT,          STREAM(end),              "end",            NULL},
};
const struct record_type record_stream = {"stream", stream_fields, HR_ARRAY_LEN(stream_fields)};

static const struct record_field endpoint_fields[] = {
    {"id",              RECORD_INT,         ENDPOINT(id),              NULL,         NULL},
    {"site",            RECORD_TEXT,        ENDPOINT(site),            "site",       NULL},
    {"method",          RECORD_TEXT,        ENDPOINT(method),          "method",     NULL},
    {"path",            RECORD_TEXT,        ENDPOINT(path),            "path",       NULL},
    {"protection",      RECORD_TEXT,        ENDPOINT(protection),      "protection", NULL},
    {"exchanges",       RECORD_INT,         ENDPOINT(exchanges),       "exchanges",  NULL},
    {"granted_live",    RECORD_INT,         ENDPOINT(granted_live),    NULL,         NULL},
    {"granted_without", RECORD_INT,         ENDPOINT(granted_without), NULL,         NULL},
    {"denied_without",  RECORD_INT,         ENDPOINT(denied_without),  NULL,         NULL},
    {"denied_other",    RECORD_INT,         ENDPOINT(denied_other),    NULL,         NULL},
    {"example_granted", RECORD_INT_OR_NULL, ENDPOINT(example_granted), NULL,         NULL},
    {"example_denied",  RECORD_INT_OR_NULL, ENDPOINT(example_denied),  NULL,         NULL},
    {"statuses",        RECORD_TEXT,        ENDPOINT(statuses),        "statuses",   NULL},
    {"declared",        RECORD_BOOL,        ENDPOINT(declared),        NULL,         NULL},
    {"example_without", RECORD_INT_OR_NULL, ENDPOINT(example_without), NULL,         NULL},
    {"granted_frame",   RECORD_INT_OR_NULL, ENDPOINT(granted_frame),   NULL,         NULL},
    {"without_frame",   RECORD_INT_OR_NULL, ENDPOINT(without_frame),   NULL,         NULL},
    {"denied_frame",    RECORD_INT_OR_NULL, ENDPOINT(denied_frame),    NULL,         NULL},
    {"why",             RECORD_TEXT,        ENDPOINT(why),             "why",        NULL},
};
const struct record_type record_endpoint = {"endpoint", endpoint_fields,
                                            HR_ARRAY_LEN(endpoint_fields)};

static const struct record_field capture_fields[] = {
    {"id",             RECORD_INT,  CAPTURE(id),             "id",             NULL},
    {"capture",        RECORD_TEXT, CAPTURE(path),           "capture",        NULL},
    {"format",         RECORD_TEXT, CAPTURE(format),         "format",         NULL},
    {"link_type",      RECORD_TEXT, CAPTURE(link_type),      "link type",      NULL},
    {"size_bytes",     RECORD_INT,  CAPTURE(size_bytes),     "bytes",          NULL},
    {"frames",         RECORD_INT,  CAPTURE(frames),         "frames",         NULL},
    {"first_at",       RECORD_TIME, CAPTURE(first_at),       "first at (UTC)", NULL},
    {"last_at",        RECORD_TIME, CAPTURE(last_at),        "last at (UTC)",  NULL},
    {"exchanges",      RECORD_INT,  CAPTURE(exchanges),      "exchanges",      NULL},
    {"cut_frames",     RECORD_INT,  CAPTURE(cut_frames),     "cut",            NULL},
    {"dropped_frames", RECORD_INT,  CAPTURE(dropped_frames), "dropped",        NULL},
    {"clock_doubt_ns", RECORD_SPAN, CAPTURE(clock_doubt),    "clock doubt",    NULL},
    {"time_source",    RECORD_TEXT, CAPTURE(time_source),    "time source",    NULL},
    {"error",          RECORD_TEXT, CAPTURE(error),          "error",          NULL},
    {"comments",       RECORD_TEXT, CAPTURE(comments),       "comments",       NULL},
};
const struct record_type record_capture = {"capture", capture_fields, HR_ARRAY_LEN(capture_fields)};

static const struct record_field loss_fields[] = {
    {"id",              RECORD_INT,           LOSS(id),              NULL,         NULL},
    {"kind",            RECORD_TEXT,          LOSS(kind),            "kind",       NULL},
    {"capture",         RECORD_TEXT,          LOSS(capture),         "capture",    NULL},
    {"stream",          RECORD_INT_SIGNED,    LOSS(stream),          "stream",     NULL},
    {"server",          RECORD_TEXT,          LOSS(server),          "server",     NULL},
    {"server_port",     RECORD_SMALL_OR_NULL, LOSS(server_port),     "port",       NULL},
    {"from_at",         RECORD_TIME,          LOSS(from_at),         "from (UTC)", NULL},
    {"to_at",           RECORD_TIME,          LOSS(to_at),           "to (UTC)",   NULL},
    {"bytes",           RECORD_INT,           LOSS(bytes),           "bytes",      NULL},
    {"count",           RECORD_INT,           LOSS(count),           "count",      NULL},
    {"hides_exchanges", RECORD_BOOL,          LOSS(hides_exchanges), "may hide",   NULL},
};
const struct record_type record_loss = {"loss", loss_fields, HR_ARRAY_LEN(loss_fields)};

static void emit_percent(struct hr_json *j, int64_t ppm)
{
    char text[32];
    int n = snprintf(text, sizeof(text), "%" PRId64 ".%04" PRId64, ppm / PPM_OF_PERCENT,
                     ppm % PPM_OF_PERCENT);
    hr_json_raw(j, hr_span_of(text, (size_t)n));
}

static void emit_lost(struct hr_json *j, const void *row)
{
    emit_percent(j, ((const struct loss_alert_view *)row)->lost_ppm);
}

static void emit_limit(struct hr_json *j, const void *row)
{
    emit_percent(j, ((const struct loss_alert_view *)row)->limit_ppm);
}

static const struct record_field loss_alert_fields[] = {
    {"at",             RECORD_TIME,   LOSS_ALERT(at),             NULL, NULL      },
    {"state",          RECORD_TEXT,   LOSS_ALERT(state),          NULL, NULL      },
    {"from_at",        RECORD_TIME,   LOSS_ALERT(from_at),        NULL, NULL      },
    {"frames",         RECORD_INT,    LOSS_ALERT(frames),         NULL, NULL      },
    {"dropped_frames", RECORD_INT,    LOSS_ALERT(dropped_frames), NULL, NULL      },
    {"shed_frames",    RECORD_INT,    LOSS_ALERT(shed_frames),    NULL, NULL      },
    {"lost_percent",   RECORD_CUSTOM, LOSS_ALERT(lost_ppm),       NULL, emit_lost },
    {"limit_percent",  RECORD_CUSTOM, LOSS_ALERT(limit_ppm),      NULL, emit_limit},
};
const struct record_type record_loss_alert = {"loss_alert", loss_alert_fields,
                                              HR_ARRAY_LEN(loss_alert_fields)};
