/*
 * A whole capture through the program into a temporary database, twice, with three rules: the
 * database is sound after each, and the second time adds nothing.
 */
#include "pipeline/pipeline.h"

#include "fuzz.h"

/* Rules that go by sessions, by streams and by single exchanges. */
static const char *const slugs[] = {"status-flap", "extra-response", "double-redirect"};

static void on_error(const char *line, void *user)
{
    (void)user;
    fprintf(stderr, "%s\n", line);
    LAW(false);
}

static void load_rules(struct rule_set *ret_rules)
{
    LAW(rule_set_load(NULL, 0, on_error, NULL, ret_rules) == 0);
    for (size_t i = 0; i < ret_rules->count; i++) {
        ret_rules->rules[i].enabled = false;
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(slugs); i++) {
        LAW(rule_set_enable(ret_rules, slugs[i], true) == 0);
    }
}

/* Bounds that an input of some kilobytes can reach. */
static void init_config(struct pipeline_config *c)
{
    pipeline_config_init(c);
    c->tcp.connection_limit = 20;
    c->tcp.held_conn_bytes = 4000;
    c->tcp.held_total_bytes = 8000;
    c->http.header_bytes = 2048;
    c->http.field_limit = 16;
    c->http.content_bytes = 1024;
    c->http.waiting_limit = 8;
    c->extract.known_token_limit = 20;
    c->extract.content_bytes = 4096;
    c->decode.fragment_limit = 8;
}

static void import(struct store *s, struct rule_set *rules, const char *path,
                   struct store_info *ret_info)
{
    const char *const captures[] = {path};
    struct pipeline_config config;
    struct pipeline_result result;
    struct hr_buf error;
    init_config(&config);
    const struct pipeline_run run = {
        .config = &config, .captures = captures, .capture_count = 1, .rules = rules};
    hr_buf_init(&error, SIZE_MAX);
    int r = pipeline_run(s, &run, &result, &error);
    if (r != 0 || result.rules.broken > 0) {
        fprintf(stderr, "%d: %s\n", r, hr_buf_str(&error));
    }
    LAW(r == 0);
    LAW(result.rules.broken == 0);
    pipeline_result_finish(&result);
    hr_buf_finish(&error);
    LAW(store_check(s, on_error, NULL) == 0);
    LAW(store_get_info(s, ret_info) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rule_set rules;
    static const struct store_config config = {.path = NULL, .mode = STORE_WRITE};
    struct store *s = NULL;
    struct fuzz_file file;
    struct store_info first;
    struct store_info second;
    LAW(hr_digest_setup() == 0);
    if (rules.count == 0) {
        load_rules(&rules);
    }
    fuzz_file_open(&file, hr_span_of(data, size));
    LAW(store_open(&config, &s) == 0);
    import(s, &rules, file.path, &first);
    import(s, &rules, file.path, &second);
    LAW(first.exchanges == second.exchanges);
    LAW(first.sessions == second.sessions);
    LAW(first.sites == second.sites);
    LAW(first.findings == second.findings);
    LAW(first.findings_withdrawn == second.findings_withdrawn);
    store_close(s);
    fuzz_file_close(&file);
    return 0;
}
