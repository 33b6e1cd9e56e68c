/*
 * The ids of requests and traces that fields carry, both ways. An answer that repeats what its own
 * request sent is the ordinary case and leaves nothing; any other id is kept as a hash, to be
 * looked for among those that other requests sent.
 */
#include "session/work.h"

#define ID_BYTES_MIN 8
#define ID_BYTES_MAX 200
#define ID_LIMIT 4 /* kept each way */
#define NAME_BYTES 64

bool work_is_request_id(const struct work *w, struct hr_span name, uint32_t bits)
{
    if (bits & WORD_REQUEST_ID) {
        return true;
    }
    for (size_t i = 0; w->profile != NULL && i < w->profile->request_id_count; i++) {
        if (hr_span_equal_nocase(name, hr_span_str(w->profile->request_id[i].path))) {
            return true;
        }
    }
    return false;
}

/* Short ones, numbers and words are made alike in many places. */
static bool is_telling(struct hr_span id)
{
    uint64_t seen[4] = {0};
    size_t distinct = 0;
    size_t digits = 0;
    if (id.len < ID_BYTES_MIN || id.len > ID_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < id.len; i++) {
        unsigned char c = (unsigned char)id.ptr[i];
        digits += c >= '0' && c <= '9';
        distinct += (seen[c / 64] >> (c % 64) & 1) == 0;
        seen[c / 64] |= UINT64_C(1) << (c % 64);
    }
    return distinct >= 5 && (digits < id.len || id.len >= 16) && (digits >= 2 || id.len >= 20);
}

static bool is_named(struct hr_span name, const char *what)
{
    return hr_span_equal_nocase(name, hr_span_str(what));
}

/* The part of a trace field that stays the same for the whole trace. */
static struct hr_span trace_of(struct hr_span name, struct hr_span value)
{
    if (is_named(name, "traceparent") || is_named(name, "traceresponse")) {
        hr_span_cut(&value, '-'); /* version-trace-parent-flags */
        return hr_span_cut(&value, '-');
    }
    if (is_named(name, "b3") || is_named(name, "sentry-trace")) {
        return hr_span_cut(&value, '-');
    }
    if (is_named(name, "uber-trace-id")) {
        return hr_span_cut(&value, ':');
    }
    if (is_named(name, "x-cloud-trace-context")) {
        return hr_span_cut(&value, '/');
    }
    if (is_named(name, "x-amzn-trace-id")) { /* Self=...;Root=1-...-...;Sampled=1 */
        while (value.ptr != NULL) {
            struct hr_span part = hr_span_trim(hr_span_cut(&value, ';'));
            if (hr_span_has_prefix_nocase(part, HR_SPAN("root="))) {
                return hr_span_slice(part, 5, part.len);
            }
        }
        return (struct hr_span){NULL, 0};
    }
    return value;
}

static struct hr_span unquoted(struct hr_span id)
{
    id = hr_span_trim(id);
    if (id.len >= 2 && id.ptr[0] == '"' && id.ptr[id.len - 1] == '"') {
        id = hr_span_slice(id, 1, id.len - 1);
    }
    return id;
}

/** The next id of a value, of which proxies may have joined several. @return false: none left */
static bool next_id(struct hr_span name, struct hr_span *rest, struct hr_span *ret_id)
{
    while (rest->ptr != NULL && rest->len > 0) {
        *ret_id = unquoted(trace_of(name, hr_span_trim(hr_span_cut(rest, ','))));
        if (is_telling(*ret_id)) {
            return true;
        }
    }
    return false;
}

static bool has_mark(const struct work *w, enum mark_kind kind, int64_t value)
{
    for (size_t i = 0; i < w->f->mark_count; i++) {
        if (w->f->marks[i].kind == kind && w->f->marks[i].value == value) {
            return true;
        }
    }
    return false;
}

void work_request_id_sent(struct work *w, struct hr_span name, struct hr_span value)
{
    struct hr_span id;
    while (w->id_sent_count <= ID_LIMIT && next_id(name, &value, &id)) {
        int64_t number = work_mark_value(w, id);
        if (!has_mark(w, MARK_REQUEST_ID_SENT, number) && w->id_sent_count++ < ID_LIMIT) {
            work_mark(w, MARK_REQUEST_ID_SENT, number, (struct hr_span){NULL, 0});
        }
    }
}

static bool contains(struct hr_span text, struct hr_span part)
{
    return text.len >= part.len && memmem(text.ptr, text.len, part.ptr, part.len) != NULL;
}

/* In the target, another field or the content: a job's id, say. What was not seen may have it. */
static bool request_may_hold(const struct work *w, struct hr_span id)
{
    const struct http_message *m = &w->x->request;
    if (!w->x->has_request || !m->complete || (m->anomalies & HTTP_ANOMALY_FIELDS_CUT) ||
        m->content_cut || m->content_gap || w->id_sent_count > ID_LIMIT ||
        contains(m->target, id) || contains(m->content, id)) {
        return true;
    }
    for (size_t i = 0; i < m->field_count; i++) {
        if (contains(m->fields[i].value, id)) {
            return true;
        }
    }
    return false;
}

void work_request_id_answered(struct work *w, struct hr_span name, struct hr_span value)
{
    struct hr_span id;
    while (w->id_answered_count < ID_LIMIT && next_id(name, &value, &id)) {
        if (request_may_hold(w, id)) {
            continue;
        }
        int64_t number = work_mark_value(w, id);
        if (!has_mark(w, MARK_REQUEST_ID_ANSWERED, number)) {
            w->id_answered_count++;
            work_mark(w, MARK_REQUEST_ID_ANSWERED, number, work_escape(w, name, NAME_BYTES));
        }
    }
}
