#include "base/alloc.h"
#include "report/record.h"
#include "support/test.h"

#include <string.h>

static const struct evidence_view evidence[] = {
    {.role = "logout",
     .exchange_id = 5,
     .capture = "a.pcap",
     .stream = 0,
     .frame = 9,
     .at = 1,
     .text = "said \"bye\"\033[31m"},
    {.role = "cut",          .stream = -1, .at = HR_NSEC_INFINITE, .text = "x"},
};
static const struct finding_view finding = {
    .id = 1,
    .rule = "post-logout-access",
    .severity = "high",
    .verdict = "proven",
    .at = 1500,
    .site = "shop",
    .session = "s-1",
    .client = "192.0.2.1",
    .client_port = 4000,
    .method = "GET",
    .target = "=cmd|' /C calc'!A0",
    .status = 200,
    .exchange = 7,
    .capture = "a.pcap",
    .stream = 0,
    .frame = 12,
    .summary = "s",
    .explanation = "e",
    .caveats = "[\"c, \\\"d\\\"\"]",
    .evidence = evidence,
    .evidence_count = 2,
    .count = 1,
    .fingerprint = "f",
    .group = "g",
    .baseline = "new",
    .known_since = 1000,
};

/* Absent is null, never an invented value; the order of keys is the contract's. */
static void findings_are_written_as_agreed(void **state)
{
    struct hr_buf got;
    (void)state;
    hr_buf_init(&got, SIZE_MAX);
    record_append_json(&got, &record_finding, &finding);
    assert_string_equal(
        hr_buf_str(&got),
        "{\"schema\":1,\"id\":1,\"rule\":\"post-logout-access\",\"severity\":\"high\","
        "\"verdict\":\"proven\",\"at\":\"1970-01-01T00:00:00.000001500Z\",\"site\":\"shop\","
        "\"user\":null,\"session\":\"s-1\",\"client\":\"192.0.2.1\",\"client_port\":4000,"
        "\"method\":\"GET\",\"target\":\"=cmd|' /C calc'!A0\",\"status\":200,\"exchange\":7,"
        "\"capture\":\"a.pcap\",\"stream\":0,\"frame\":12,\"summary\":\"s\",\"explanation\":\"e\","
        "\"caveats\":[\"c, \\\"d\\\"\"],\"evidence\":[{\"role\":\"logout\",\"exchange\":5,"
        "\"capture\":\"a.pcap\",\"stream\":0,\"frame\":9,\"at\":\"1970-01-01T00:00:00.000000001Z\","
        "\"text\":\"said \\\"bye\\\"\\u001b[31m\"},{\"role\":\"cut\",\"exchange\":null,"
        "\"capture\":null,\"stream\":null,\"frame\":null,\"at\":null,\"text\":\"x\"}],\"count\":1,"
        "\"fingerprint\":\"f\",\"group\":\"g\",\"baseline\":\"new\",\"suppressed\":false,"
        "\"endpoint\":null,\"suppression\":null,"
        "\"known_since\":\"1970-01-01T00:00:00.000001000Z\"}\n");
    hr_buf_finish(&got);
}

static void a_finding_of_a_site_has_no_connection(void **state)
{
    struct finding_view f = finding;
    struct hr_buf got;
    (void)state;
    f.exchange = 0;
    f.capture = NULL;
    f.caveats = "no JSON at all";
    hr_buf_init(&got, SIZE_MAX);
    record_append_json(&got, &record_finding, &f);
    assert_non_null(strstr(hr_buf_str(&got), "\"exchange\":null,\"capture\":null,\"stream\":null"));
    assert_non_null(strstr(hr_buf_str(&got), "\"caveats\":[]"));
    hr_buf_finish(&got);
}

/* A spreadsheet must not run what a client sent; a number stays a number. */
static void csv_is_defused(void **state)
{
    const struct loss_view loss = {.id = 1,
                                   .kind = "gap",
                                   .capture = "=a,b.pcap",
                                   .stream = -1,
                                   .from_at = HR_NSEC_INFINITE,
                                   .to_at = HR_NSEC_INFINITE,
                                   .bytes = -5,
                                   .count = 1};
    struct hr_buf got;
    (void)state;
    hr_buf_init(&got, SIZE_MAX);
    record_append_csv_header(&got, &record_loss);
    record_append_csv(&got, &record_loss, &loss);
    assert_string_equal(hr_buf_str(&got),
                        "\"id\",\"kind\",\"capture\",\"stream\",\"server\",\"server_port\",\"from_at\","
                        "\"to_at\",\"bytes\",\"count\",\"hides_exchanges\"\r\n1,gap,\"'=a,b.pcap\",,,,,,-5,1,false\r\n");
    hr_buf_finish(&got);
}

/* Every type in the contract has its type first, but findings, which have a rule. */
static void records_say_what_they_are(void **state)
{
    const struct capture_view capture = {
        .id = 2, .path = "a", .first_at = HR_NSEC_INFINITE, .last_at = HR_NSEC_INFINITE};
    struct hr_buf got;
    (void)state;
    hr_buf_init(&got, SIZE_MAX);
    record_append_json(&got, &record_capture, &capture);
    assert_memory_equal(hr_buf_str(&got), "{\"schema\":1,\"type\":\"capture\",\"id\":2,", 36);
    hr_buf_finish(&got);
}

static void text_is_safe_for_a_terminal(void **state)
{
    struct exchange_view x = {.target = "/\033]0;owned\a", .request_at = 0};
    struct hr_buf got;
    (void)state;
    hr_buf_init(&got, SIZE_MAX);
    for (size_t i = 0; i < record_exchange.field_count; i++) {
        if (strcmp(record_exchange.fields[i].key, "target") == 0) {
            record_append_text(&got, &record_exchange.fields[i], &x);
        }
    }
    assert_string_equal(hr_buf_str(&got), "/\\x1b]0;owned\\x07");
    hr_buf_finish(&got);
}

static void percentages_have_four_decimals(void **state)
{
    const struct loss_alert_view loss = {.at = 60000000000,
                                         .state = "exceeded",
                                         .frames = 200000,
                                         .dropped_frames = 3,
                                         .lost_ppm = 15,
                                         .limit_ppm = 1000};
    struct hr_buf got;
    (void)state;
    hr_buf_init(&got, SIZE_MAX);
    record_append_json(&got, &record_loss_alert, &loss);
    assert_string_equal(
        hr_buf_str(&got),
        "{\"schema\":1,\"type\":\"loss_alert\",\"at\":\"1970-01-01T00:01:00.000000000Z\","
        "\"state\":\"exceeded\",\"from_at\":\"1970-01-01T00:00:00.000000000Z\","
        "\"frames\":200000,\"dropped_frames\":3,\"shed_frames\":0,\"lost_percent\":0.0015,"
        "\"limit_percent\":0.1000}\n");
    hr_buf_finish(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_are_written_as_agreed),
        cmocka_unit_test(a_finding_of_a_site_has_no_connection),
        cmocka_unit_test(csv_is_defused),
        cmocka_unit_test(records_say_what_they_are),
        cmocka_unit_test(percentages_have_four_decimals),
        cmocka_unit_test(text_is_safe_for_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
