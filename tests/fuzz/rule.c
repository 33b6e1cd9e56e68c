/*
 * A rule file, and the statements of any text of SQL. What is taken is whole, what is refused says
 * in which line.
 */
#include "fuzz.h"
#include "rule/parse.h"

static void check_text(const char *text, bool may_be_missing)
{
    LAW(may_be_missing || text != NULL);
    LAW(text == NULL || strlen(text) < SIZE_MAX);
}

static void check_rule(struct hr_span text)
{
    static const char path[] = "folder/fuzz.sql";
    struct rule r;
    struct hr_buf error;
    hr_buf_init(&error, SIZE_MAX);
    if (rule_parse(path, text, &r, &error) == 0) {
        LAW(strcmp(r.id, "fuzz") == 0);
        LAW(strcmp(r.path, path) == 0);
        check_text(r.title, false);
        check_text(r.severity, false);
        check_text(r.meaning, true);
        check_text(r.cause, true);
        check_text(r.confirm, true);
        check_text(r.repair, true);
        check_text(r.lookalikes, true);
        check_text(r.silence, true);
        check_text(r.references, true);
        for (size_t i = 0; i < r.parameter_count; i++) {
            check_text(r.parameters[i].name, false);
            check_text(r.parameters[i].value, false);
            check_text(r.parameters[i].help, true);
        }
        LAW(r.findings_sql != NULL && r.findings_sql[0] != '\0');
        LAW(r.exercised_sql != NULL && r.exercised_sql[0] != '\0');
        LAW(r.findings_line > 0 && r.exercised_line >= r.findings_line);
        LAW(error.len == 0);
        rule_finish(&r);
    } else {
        LAW(hr_span_has_prefix(hr_buf_span(&error), HR_SPAN("folder/fuzz.sql:")));
    }
    hr_buf_finish(&error);
}

static void check_statements(struct hr_span text)
{
    struct hr_span rest = text;
    struct rule_statement s;
    unsigned line = 1;
    unsigned last = 1;
    while (rule_next_statement(&rest, &line, &s)) {
        LAW(s.text.len > 0 && fuzz_is_within(s.text, text));
        LAW(s.line >= last && line >= s.line);
        LAW(rest.len == 0 || rest.ptr >= s.text.ptr + s.text.len);
        last = s.line;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hr_span rest = hr_span_of(data, size);
    struct fuzz_record record;
    while (fuzz_next(&rest, &record)) {
        check_rule(record.bytes);
        check_statements(record.bytes);
        free(record.block);
    }
    return 0;
}
