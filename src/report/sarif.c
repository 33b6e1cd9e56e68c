#include "report/sarif.h"

#include "base/alloc.h"
#include "report/caveats.h"
#include "report/parts.h"
#include "report/quality.h"
#include "report/rank.h"
#include "report/wording.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A path as a reference (RFC 3986): what has a meaning there, and what is not ASCII, in percents.
 */
static void put_uri(struct hr_json *j, const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_.~/";
    struct hr_buf uri;
    hr_buf_init(&uri, SIZE_MAX);
    if (strcmp(path, "-") == 0) {
        path = "stdin";
    }
    hr_buf_append_str(&uri, path[0] == '/' ? "file://" : "");
    for (const char *c = path; *c != '\0'; c++) {
        if (strchr(plain, *c) != NULL) {
            hr_buf_append_char(&uri, *c);
        } else {
            hr_buf_appendf(&uri, "%%%02X", (unsigned char)*c);
        }
    }
    parts_put_text(j, "uri", hr_buf_str(&uri));
    hr_buf_finish(&uri);
}

/* A capture has no lines; viewers that insist on one are led to its beginning. */
static void put_physical_location(struct hr_json *j, const char *capture)
{
    hr_json_key(j, "physicalLocation");
    hr_json_object_begin(j);
    hr_json_key(j, "artifactLocation");
    hr_json_object_begin(j);
    put_uri(j, capture);
    hr_json_object_end(j);
    hr_json_key(j, "region");
    hr_json_object_begin(j);
    parts_put_int(j, "startLine", 1);
    hr_json_object_end(j);
    hr_json_object_end(j);
}

static void put_logical_location(struct hr_json *j, const char *site, const char *endpoint)
{
    struct hr_buf name;
    hr_buf_init(&name, SIZE_MAX);
    hr_buf_appendf(&name, "%s%s%s", site != NULL ? site : "(no site)", endpoint != NULL ? " " : "",
                   endpoint != NULL ? endpoint : "");
    hr_json_key(j, "logicalLocations");
    hr_json_array_begin(j);
    hr_json_object_begin(j);
    parts_put_text(j, "fullyQualifiedName", hr_buf_str(&name));
    parts_put_text(j, "kind", "resource");
    hr_json_object_end(j);
    hr_json_array_end(j);
    hr_buf_finish(&name);
}

/* The first capture that its evidence stands in, where its own exchange has none. */
static void put_locations(struct hr_json *j, const struct finding_view *f)
{
    const char *capture = wording_capture(f, 0);
    hr_json_key(j, "locations");
    hr_json_array_begin(j);
    hr_json_object_begin(j);
    if (capture != NULL) {
        put_physical_location(j, capture);
    }
    put_logical_location(j, f->site, f->endpoint);
    hr_json_object_end(j);
    hr_json_array_end(j);
}

static void put_step(struct hr_json *j, const struct evidence_view *e)
{
    struct hr_buf text;
    hr_buf_init(&text, SIZE_MAX);
    hr_buf_appendf(&text, "%s: %s", e->role != NULL ? e->role : "", e->text != NULL ? e->text : "");
    if (e->frame > 0) {
        hr_buf_appendf(&text, " (frame %" PRId64 ", stream %" PRId64 ")", e->frame, e->stream);
    }
    hr_json_object_begin(j);
    hr_json_key(j, "location");
    hr_json_object_begin(j);
    if (e->capture != NULL) {
        put_physical_location(j, e->capture);
    }
    sarif_put_message(j, "message", hr_buf_str(&text));
    hr_json_object_end(j);
    if (e->at != HR_NSEC_INFINITE) {
        parts_put_time(j, "executionTimeUtc", e->at);
    }
    hr_json_object_end(j);
    hr_buf_finish(&text);
}

static void put_flow(struct hr_json *j, const struct finding_view *f)
{
    if (f->evidence_count == 0) {
        return;
    }
    struct evidence_view *evidence = wording_sorted_evidence(f);
    hr_json_key(j, "codeFlows");
    hr_json_array_begin(j);
    hr_json_object_begin(j);
    hr_json_key(j, "threadFlows");
    hr_json_array_begin(j);
    hr_json_object_begin(j);
    hr_json_key(j, "locations");
    hr_json_array_begin(j);
    for (size_t i = 0; i < f->evidence_count; i++) {
        put_step(j, &evidence[i]);
    }
    hr_json_array_end(j);
    hr_json_object_end(j);
    hr_json_array_end(j);
    hr_json_object_end(j);
    hr_json_array_end(j);
    free(evidence);
}

/* The group is what viewers follow from run to run, the fingerprint this one occurrence. */
static void put_fingerprints(struct hr_json *j, const char *group, const char *fingerprint)
{
    char line[80];
    hr_json_key(j, "partialFingerprints");
    hr_json_object_begin(j);
    parts_put_text(j, "headraceGroup/v1", group);
    snprintf(line, sizeof(line), "%s:1", group);
    parts_put_text(j, "primaryLocationLineHash", line); /* the one that GitHub compares */
    hr_json_object_end(j);
    if (fingerprint != NULL) {
        hr_json_key(j, "fingerprints");
        hr_json_object_begin(j);
        parts_put_text(j, "headraceOccurrence/v1", fingerprint);
        hr_json_object_end(j);
    }
}

/* Detected is what was on the wire then, whenever it was imported. */
static void put_provenance(struct hr_json *j, const struct finding_view *f)
{
    if (f->known_since != HR_NSEC_INFINITE) {
        hr_json_key(j, "provenance");
        hr_json_object_begin(j);
        parts_put_time(j, "firstDetectionTimeUtc", f->known_since);
        hr_json_object_end(j);
    }
}

static void put_suppression(struct hr_json *j, const struct finding_view *f)
{
    hr_json_key(j, "suppressions");
    hr_json_array_begin(j);
    if (f->suppressed) {
        hr_json_object_begin(j);
        parts_put_text(j, "kind", "external");
        parts_put_text(j, "status", "accepted");
        parts_put_text(j, "justification", f->suppression_reason);
        hr_json_key(j, "properties");
        hr_json_object_begin(j);
        parts_put_text(j, "owner", f->suppression_owner);
        parts_put_time(j, "expiresAt", f->suppression_expires_at);
        hr_json_object_end(j);
        hr_json_object_end(j);
    }
    hr_json_array_end(j);
}

static void put_request(struct hr_json *j, const struct finding_view *f)
{
    if (f->method == NULL) {
        return;
    }
    hr_json_key(j, "webRequest");
    hr_json_object_begin(j);
    parts_put_text(j, "protocol", "http");
    parts_put_text(j, "method", f->method);
    parts_put_text(j, "target", f->target != NULL ? f->target : "");
    hr_json_object_end(j);
    hr_json_key(j, "webResponse");
    hr_json_object_begin(j);
    if (f->status != 0) {
        parts_put_int(j, "statusCode", f->status);
    } else {
        parts_put_bool(j, "noResponseReceived", true);
    }
    hr_json_object_end(j);
}

static void put_own(struct hr_json *j, const struct report *r, const struct finding_view *f)
{
    struct hr_buf text;
    const char *capture = wording_capture(f, 0);
    hr_buf_init(&text, SIZE_MAX);
    hr_json_key(j, "properties");
    hr_json_object_begin(j);
    parts_put_int(j, "finding", f->id);
    parts_put_text(j, "severity", f->severity);
    parts_put_text(j, "verdict", f->verdict);
    parts_put_time(j, "at", f->at);
    parts_put_text(j, "site", f->site);
    parts_put_text(j, "user", f->user);
    parts_put_text(j, "session", f->session);
    parts_put_text(j, "client", f->client);
    parts_put_text(j, "capture", f->capture);
    if (f->exchange != 0 && f->stream >= 0) {
        parts_put_int(j, "stream", f->stream);
    }
    if (f->frame != 0) {
        parts_put_int(j, "frame", f->frame);
    }
    if (capture != NULL) {
        wording_filter(&text, f, capture);
        parts_put_text(j, "displayFilter", hr_buf_str(&text));
        hr_buf_clear(&text);
    }
    wording_evidence_command(&text, r->job.db_path, f->id);
    if (text.len > 0) {
        parts_put_text(j, "evidenceCommand", hr_buf_str(&text));
    }
    hr_json_object_end(j);
    hr_buf_finish(&text);
}

static void put_rule_index(struct hr_json *j, const struct report *r, const char *rule)
{
    parts_put_text(j, "ruleId", rule);
    for (size_t i = 0; i < r->rule_count; i++) {
        if (strcmp(r->rules[i].id, rule) == 0) {
            parts_put_int(j, "ruleIndex", (int64_t)i);
        }
    }
}

static void put_finding_message(struct hr_json *j, const struct finding_view *f)
{
    const char *rest = f->caveats;
    struct hr_buf text;
    struct hr_buf caveat;
    hr_buf_init(&text, SIZE_MAX);
    hr_buf_init(&caveat, SIZE_MAX);
    hr_buf_appendf(&text, "%s (%s).", f->summary, f->verdict);
    while (caveats_next(&rest, &caveat)) {
        hr_buf_appendf(&text, " But: %s", hr_buf_str(&caveat));
    }
    sarif_put_message(j, "message", hr_buf_str(&text));
    hr_buf_finish(&caveat);
    hr_buf_finish(&text);
}

static void put_result(struct hr_json *j, const struct report *r, const struct finding_view *f)
{
    /* Sureness orders what is equally severe. */
    const int rank =
        report_severity_rank(f->severity) * 25 - 25 + report_verdict_rank(f->verdict) * 8;
    hr_json_object_begin(j);
    put_rule_index(j, r, f->rule);
    parts_put_text(j, "kind", "fail");
    parts_put_text(j, "level", sarif_level(f->severity));
    put_finding_message(j, f);
    put_locations(j, f);
    put_flow(j, f);
    put_fingerprints(j, f->group, f->fingerprint);
    parts_put_int(j, "rank", rank);
    if (f->baseline != NULL) {
        parts_put_text(j, "baselineState", f->baseline);
    }
    put_suppression(j, f);
    put_provenance(j, f);
    put_request(j, f);
    put_own(j, r, f);
    hr_json_object_end(j);
}

static void put_gone(struct hr_json *j, const struct report *r, const struct baseline_entry *e)
{
    hr_json_object_begin(j);
    put_rule_index(j, r, e->rule);
    parts_put_text(j, "kind", "fail");
    parts_put_text(j, "level", sarif_level(e->severity));
    sarif_put_message(j, "message", e->summary != NULL ? e->summary : e->rule);
    hr_json_key(j, "locations");
    hr_json_array_begin(j);
    hr_json_object_begin(j);
    put_logical_location(j, e->site, e->endpoint);
    hr_json_object_end(j);
    hr_json_array_end(j);
    put_fingerprints(j, e->group, NULL);
    parts_put_text(j, "baselineState", "absent");
    hr_json_key(j, "suppressions");
    hr_json_array_begin(j);
    hr_json_array_end(j);
    hr_json_object_end(j);
}

static void put_notice(struct hr_json *j, const char *level, const char *rule, const char *text)
{
    hr_json_object_begin(j);
    parts_put_text(j, "level", level);
    if (rule != NULL) {
        hr_json_key(j, "associatedRule");
        hr_json_object_begin(j);
        parts_put_text(j, "id", rule);
        hr_json_object_end(j);
    }
    sarif_put_message(j, "message", text);
    hr_json_object_end(j);
}

/* What went wrong on our side: broken rules, captures that could not be read to their end. */
static void put_invocation(struct hr_json *j, const struct report *r)
{
    bool is_whole = !r->is_partial && r->failed_rules == 0;
    for (size_t i = 0; i < r->capture_count; i++) {
        is_whole = is_whole && r->captures[i].error == NULL;
    }
    hr_json_key(j, "invocations");
    hr_json_array_begin(j);
    hr_json_object_begin(j);
    parts_put_bool(j, "executionSuccessful", is_whole);
    if (r->job.made_at != HR_NSEC_INFINITE) {
        parts_put_time(j, "endTimeUtc", r->job.made_at);
    }
    hr_json_key(j, "toolExecutionNotifications");
    hr_json_array_begin(j);
    for (size_t i = 0; i < r->rule_count; i++) {
        if (r->rules[i].failure != NULL) {
            put_notice(j, "error", r->rules[i].id, r->rules[i].failure);
        }
    }
    for (size_t i = 0; i < r->capture_count; i++) {
        if (r->captures[i].error != NULL) {
            put_notice(j, "error", NULL, r->captures[i].error);
        }
    }
    if (quality_behind_note(r) != NULL) {
        put_notice(j, "warning", NULL, quality_behind_note(r));
    }
    if (r->is_partial) {
        put_notice(j, "warning", NULL, "Interrupted: only what had been read by then is here.");
    }
    hr_json_array_end(j);
    hr_json_object_end(j);
    hr_json_array_end(j);
}

void report_sarif_render(const struct report *r, struct hr_buf *out)
{
    struct hr_json j;
    hr_json_init(&j, out);
    hr_json_object_begin(&j);
    parts_put_text(&j, "$schema",
                   "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/"
                   "sarif-schema-2.1.0.json");
    parts_put_text(&j, "version", "2.1.0");
    hr_json_key(&j, "runs");
    hr_json_array_begin(&j);
    hr_json_object_begin(&j);
    sarif_put_rules(&j, r);
    put_invocation(&j, r);
    hr_json_key(&j, "results");
    hr_json_array_begin(&j);
    for (size_t i = 0; i < r->finding_count; i++) {
        put_result(&j, r, report_whole(r, &r->findings[i]));
        report_spill(r, out);
    }
    for (size_t i = 0; i < r->gone_count; i++) {
        put_gone(&j, r, r->gone[i]);
    }
    hr_json_array_end(&j);
    parts_put_text(&j, "columnKind", "unicodeCodePoints");
    hr_json_object_end(&j);
    hr_json_array_end(&j);
    hr_json_object_end(&j);
    hr_buf_append_char(out, '\n');
}
