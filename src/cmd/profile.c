#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "cmd/run.h"
#include "session/model.h"

#include <errno.h>
#include <string.h>

static const enum cmd_option options[] = {
    OPT_DB_READ,     OPT_PROFILE,          OPT_FILTER,       OPT_OUTPUT, OPT_SITE,
    OPT_CLOCK_ERROR, OPT_VERIFY_CHECKSUMS, OPT_REDACT_USERS, OPT_BOUNDS, OPT_END,
};
static const struct cmd_usage usage = {
    .name = "profile",
    .synopsis = "suggest [OPTIONS] [CAPTURE...]",
    .summary =
        "Prints the profile that Headrace would assume for each site, and from what: a file to "
        "read,\n"
        "correct, and pass back with --profile. Without captures it looks into the database.",
    .options = options,
    .see = "headrace-profile",
};

enum { LISTED_LIMIT = 40 };

struct listing {
    struct hr_buf *out;
    const char *protection;
    const char *title;
    size_t count;
};

/* As comments: the rules weigh it anew with every import. */
static int list_endpoint(const struct endpoint_view *x, void *user)
{
    struct listing *l = user;
    bool says_nothing = x->granted_live + x->denied_without + x->denied_other == 0;
    if (strcmp(x->protection, l->protection) != 0 ||
        (says_nothing && strcmp(x->protection, "unknown") == 0)) {
        return 0;
    }
    if (l->count++ == 0) {
        hr_buf_appendf(l->out, "    # %s\n", l->title);
    }
    if (l->count <= LISTED_LIMIT) {
        hr_buf_appendf(l->out, "    #   %s %s:\n    #     %s\n", x->method, x->path, x->why);
    }
    return 0;
}

static int suggest_endpoints(struct cmd_run *run, const char *site, struct hr_buf *out)
{
    struct listing lists[] = {
        {out, "protected", "protected, by what was seen:",           0},
        {out, "public",    "public, by what was seen:",              0},
        {out, "unknown",   "not known whether they need a session:", 0},
    };
    const struct read_filter filter = {
        .site = site, .since = INT64_MIN, .until = HR_NSEC_INFINITE, .stream = -1, .limit = -1};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof(lists) / sizeof(lists[0]); i++) {
        r = read_endpoints(run->store, &filter, list_endpoint, &lists[i]);
        if (lists[i].count > LISTED_LIMIT) {
            hr_buf_appendf(out, "    #   and %zu more: see headrace list endpoints\n",
                           lists[i].count - LISTED_LIMIT);
        }
    }
    return r;
}

/* @return 0, or a negative errno of the store */
static int suggest_site(struct cmd_run *run, int64_t site_id, const char *site, struct hr_buf *out)
{
    struct site_model *model = NULL;
    int r = pipeline_learn_site(run->store, site_id, run->profiles, &model);
    if (r == 0) {
        site_model_suggest(model, out);
        site_model_destroy(model);
        r = suggest_endpoints(run, site, out);
    }
    return r;
}

/* Rows of sites are numbered from 1, with holes where some were pruned. */
static int suggest_all(struct cmd_run *run, struct hr_buf *out)
{
    const char *wanted = run->args->site;
    struct store_info info;
    struct hr_buf name;
    int64_t seen = 0;
    int r = store_get_info(run->store, &info);
    hr_buf_init(&name, SIZE_MAX);
    for (int64_t id = 1; r == 0 && seen < info.sites; id++) {
        hr_buf_clear(&name);
        r = read_site(run->store, id, &name);
        if (r == -ENOENT) {
            r = 0;
            continue;
        }
        seen++;
        if (r == 0 && (wanted == NULL || strcmp(wanted, hr_buf_str(&name)) == 0)) {
            r = suggest_site(run, id, hr_buf_str(&name), out);
        }
    }
    hr_buf_finish(&name);
    return r;
}

static int suggest(struct cmd_run *run)
{
    const struct cmd_args *a = run->args;
    struct cmd_output output;
    struct hr_buf out;
    if (a->operand_count > 1 && a->db != NULL) {
        return cmd_usage_error("profile", "either --db or captures, not both");
    }
    int status = cmd_run_load_profiles(run);
    if (status < 0 && a->operand_count == 1) {
        status = cmd_run_open_existing(run, STORE_READ);
    } else if (status < 0) {
        status = cmd_run_expand_captures(run, a->operands + 1, a->operand_count - 1);
        status = status < 0 ? cmd_run_open_new(run, NULL) : status;
        status = status < 0 ? cmd_run_captures(run, false) : status;
    }
    status = status < 0 ? cmd_output_open(&output, a) : status;
    if (status >= 0) {
        return status;
    }
    hr_buf_init(&out, SIZE_MAX);
    status = cmd_run_status(run);
    if (suggest_all(run, &out) < 0) {
        cmd_output_abandon(&output);
        status = cmd_store_failed(run->store);
    } else {
        cmd_output_flush(&output, &out);
        int written = cmd_output_close(&output);
        status = written > status ? written : status;
    }
    hr_buf_finish(&out);
    return status;
}

int cmd_profile(int argc, char **argv)
{
    static const char *const verbs[] = {"suggest"};
    struct cmd_args args;
    struct cmd_run run;
    int status = cmd_args_parse(&usage, argc, argv, &args);
    if (status >= 0) {
        return status;
    }
    cmd_ignore_sigpipe();
    cmd_run_init(&run, "profile", &args);
    if (args.operand_count == 0) {
        status = cmd_usage_error("profile", "say what to do: suggest");
    } else if (strcmp(args.operands[0], "suggest") != 0) {
        status = cmd_unknown_word("profile", "action", args.operands[0], verbs, 1);
    } else {
        status = suggest(&run);
    }
    cmd_run_finish(&run);
    cmd_args_finish(&args);
    return status;
}
