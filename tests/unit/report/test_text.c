#include "base/alloc.h"
#include "base/local.h"
#include "report/text.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

/* report/model.c and report/whole.c read the store; a report in a test is a literal. */
const struct finding_view *report_whole(const struct report *r, const struct finding_view *f)
{
    (void)r;
    return f;
}

void report_spill(const struct report *r, struct hr_buf *out)
{
    (void)r;
    (void)out;
}

bool report_is_mostly_blind(const struct report *r)
{
    return r->blind_bytes > 0;
}

bool report_is_part(const struct report *r)
{
    return r->job.day != NULL;
}

static const struct evidence_view evidence[] = {
    {"logout", 5, "a.pcap", 4, 120, 1000000000, "POST /logout answered 302"},
    {"access", 7, "a.pcap", 7, 131, 1004200000, "GET /\033[2J answered 200"},
};

static struct finding_view finding(int64_t id)
{
    return (struct finding_view){.id = id,
                                 .rule = "post-logout-access",
                                 .severity = "high",
                                 .verdict = "proven",
                                 .at = 1004200000,
                                 .site = "shop",
                                 .session = "s-1",
                                 .client = "192.0.2.1",
                                 .client_port = 4000,
                                 .method = "GET",
                                 .target = "/",
                                 .status = 200,
                                 .exchange = 7,
                                 .capture = "a.pcap",
                                 .stream = 7,
                                 .frame = 131,
                                 .summary = "served after the logout",
                                 .explanation = "what it means",
                                 .caveats = "[\"a hole\"]",
                                 .evidence = evidence,
                                 .evidence_count = 2,
                                 .count = 1,
                                 .fingerprint = "f",
                                 .group = "g",
                                 .baseline = "new",
                                 .known_since = 1004200000};
}

enum { FINDINGS = 10 };

struct sample {
    struct finding_view findings[FINDINGS];
    struct report_group group;
    struct report_rule rules[3];
    struct capture_view capture;
    struct report report;
};

static void make_sample(struct sample *s)
{
    *s = (struct sample){
        .group = {.rule = "post-logout-access",
                  .title = "Served after logout",
                  .severity = "high",
                  .verdict = "proven",
                  .site = "shop",
                  .session = "s-1",
                  .count = FINDINGS    },
        .rules = {{"lost-login", "", 9, 0},
                  {"post-logout-access", "", 14, FINDINGS},
                  {"status-flap", "", 0, 0}},
        .capture = {.path = "a.pcap",
                  .format = "pcap",
                  .link_type = "EN10MB",
                  .frames = 200,
                  .first_at = 0,
                  .last_at = HR_NSEC_PER_SEC,
                  .exchanges = 30},
    };
    for (int64_t i = 0; i < FINDINGS; i++) {
        s->findings[i] = finding(i + 1);
    }
    s->report = (struct report){.findings = s->findings,
                                .finding_count = FINDINGS,
                                .groups = &s->group,
                                .group_count = 1,
                                .rules = s->rules,
                                .rule_count = 3,
                                .captures = &s->capture,
                                .capture_count = 1,
                                .exchanges = 30,
                                .sites = 1,
                                .sessions = 2,
                                .first_at = 0,
                                .last_at = HR_NSEC_PER_SEC,
                                .job = {.filter = READ_FILTER_ALL}};
}

static char *render(const struct report *r, const struct report_text_options *o)
{
    struct hr_buf out;
    hr_buf_init(&out, SIZE_MAX);
    report_text_render(r, o, &out);
    char *text = hr_xstrdup(hr_buf_str(&out));
    hr_buf_finish(&out);
    return text;
}

static void assert_has(const char *text, const char *wanted)
{
    if (strstr(text, wanted) == NULL) {
        print_message("missing: %s\nin:\n%s", wanted, text);
        fail();
    }
}

/* The answer first; for each finding what shows it; then the quality and every rule. */
static void the_answer_comes_first(void **state)
{
    struct sample s;
    const struct report_text_options o = {.paint = {.width = 100}};
    (void)state;
    hr_local_use("UTC");
    make_sample(&s);
    s.report.job.db_path = "the x.db";
    char *text = render(&s.report, &o);
    assert_memory_equal(text, "10 findings: 10 high; 10 proven\n", 32);
    assert_has(text, "\nHIGH  Served after logout  (post-logout-access)\n  what it means\n");
    assert_has(text, "    #1 proven, new  served after the logout\n");
    assert_has(text, "+4.200 ms  frame 131, stream 7");
    assert_has(text, "tcp.stream in {4, 7}\n");
    assert_has(text, "but: a hole\n");
    assert_has(text, "... and 7 more (--all)\n");
    assert_has(text, "Nothing was lost");
    assert_has(text, "lost-login                  clean, its situation occurred 9 times\n");
    assert_has(text, "status-flap                 not exercised");
    assert_has(text, "headrace show finding 1 --db 'the x.db'\n");
    assert_null(strstr(text, "\033"));
    assert_null(strstr(text, "#4 "));
    free(text);
}

static void all_folds_nothing(void **state)
{
    struct sample s;
    const struct report_text_options o = {.paint = {.width = 100}, .all = true};
    (void)state;
    make_sample(&s);
    char *text = render(&s.report, &o);
    assert_has(text, "#10 proven");
    assert_null(strstr(text, "more (--all)"));
    assert_null(strstr(text, "headrace show"));
    free(text);
}

/* Where nothing can be read, that is the answer. */
static void blindness_comes_before_all(void **state)
{
    struct sample s;
    struct report_loss tls = {.kind = "tls", .bytes = 5000000, .count = 12};
    const struct report_text_options o = {.paint = {.width = 100}};
    (void)state;
    make_sample(&s);
    s.report.finding_count = 0;
    s.report.group_count = 0;
    s.report.exchanges = 0;
    s.report.losses = &tls;
    s.report.loss_count = 1;
    s.report.blind_bytes = 5000000;
    s.report.blind_connections = 12;
    char *text = render(&s.report, &o);
    assert_memory_equal(text, "Most of this traffic is encrypted (TLS)", 39);
    assert_has(text, "Capture where it is plain");
    assert_has(text, "No HTTP exchange was found\n");
    free(text);
}

static void nothing_is_wider_than_the_terminal(void **state)
{
    struct sample s;
    const struct report_text_options o = {.paint = {.width = 80}};
    (void)state;
    make_sample(&s);
    s.findings[0].summary = "a long line of plain words that goes on and on until it has to be "
                            "broken at the width of the terminal on which it is read, twice even, "
                            "for it is very long";
    char *text = render(&s.report, &o);
    for (const char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        assert_true(len <= 80);
        line += len + 1;
    }
    free(text);
}

/* Also where each line names its file. */
static void a_finding_fits_from_sixty_columns(void **state)
{
    static const struct evidence_view named[] = {
        {"logout", 5, "login-races.pcapng", 4,  12000, 1000000000, "POST /logout answered 302"},
        {"access", 7, "login-races.pcapng", 14, 13100, 1004200000, "GET / answered 200"       },
    };
    (void)state;
    struct finding_view f = finding(1);
    f.evidence = named;
    for (size_t width = 60; width <= 160; width++) {
        const struct report_paint paint = {.width = width};
        struct hr_buf out;
        hr_buf_init(&out, SIZE_MAX);
        report_text_finding(&f, "", &paint, true, &out);
        for (const char *line = hr_buf_str(&out); *line != '\0';) {
            size_t len = strcspn(line, "\n");
            assert_true(len <= width);
            assert_true(len == 0 || line[len - 1] != ' ');
            line += len + 1;
        }
        hr_buf_finish(&out);
    }
}

static void colour_is_asked_for(void **state)
{
    struct sample s;
    const struct report_text_options o = {
        .paint = {.width = 100, .has_color = true}
    };
    (void)state;
    make_sample(&s);
    char *text = render(&s.report, &o);
    assert_has(text, "\033[1;31mHIGH\033[0m");
    assert_null(strstr(text, "\033[2J")); /* of the wire, never */
    free(text);
}

/* A time is one of the zone, and says so; a report with a beginning tells what is older. */
static void times_and_what_was_known(void **state)
{
    struct sample s;
    const struct report_text_options o = {.paint = {.width = 100}, .all = true};
    (void)state;
    make_sample(&s);
    hr_local_use("Asia/Kolkata");
    s.report.job.filter.since = 1000000000;
    s.findings[0].known_since = -86400 * HR_NSEC_PER_SEC;
    s.findings[1].suppressed = true;
    s.findings[1].suppression_owner = "ann";
    s.findings[1].suppression_reason = "known";
    s.findings[1].suppression_expires_at = 60 * HR_NSEC_PER_SEC;
    char *text = render(&s.report, &o);
    assert_has(text, "\n9 of them are of problems that were not found before\n");
    assert_has(text, "; 1970-01-01 05:30:00 to 05:30:01 +05:30 (1 s)\n");
    assert_has(text, "    #1 proven, new, known since 1969-12-31  served");
    assert_has(text, "    #2 proven, new  served");
    assert_has(text, "from 1970-01-01 05:30:01.000000 +05:30, client");
    assert_has(text, "suppressed by ann until 1970-01-01 05:31 +05:30: known");
    free(text);
    hr_local_use("UTC");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_comes_first),
        cmocka_unit_test(all_folds_nothing),
        cmocka_unit_test(blindness_comes_before_all),
        cmocka_unit_test(nothing_is_wider_than_the_terminal),
        cmocka_unit_test(a_finding_fits_from_sixty_columns),
        cmocka_unit_test(colour_is_asked_for),
        cmocka_unit_test(times_and_what_was_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
