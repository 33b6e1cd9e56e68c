#include "base/alloc.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "cmd/run.h"
#include "cmd/table.h"
#include "report/record.h"

#include <string.h>

static const enum cmd_option options[] = {
    OPT_DB_READ,
    OPT_RULES,
    OPT_PROFILE,
    OPT_FILTER,
    OPT_FORMAT,
    OPT_OUTPUT,
    OPT_SITE,
    OPT_SESSION,
    OPT_USER,
    OPT_WHERE_RULE,
    OPT_VERDICT,
    OPT_SINCE,
    OPT_UNTIL,
    OPT_TZ,
    OPT_STREAM,
    OPT_LIMIT,
    OPT_SET,
    OPT_CLOCK_ERROR,
    OPT_VERIFY_CHECKSUMS,
    OPT_REDACT_USERS,
    OPT_BOUNDS,
    OPT_COLOR,
    OPT_END,
};
static const char *const formats[] = {"table", "ndjson", "csv", NULL};
static const struct cmd_usage usage = {
    .name = "list",
    .synopsis =
        "findings|sessions|exchanges|streams|endpoints|captures|loss [OPTIONS] [CAPTURE...]",
    .summary = "Lists what the database holds; given captures, it reads them into a temporary "
               "database first.",
    .options = options,
    .formats = formats,
    .see = "headrace-list",
};

enum list_format { LIST_TABLE, LIST_NDJSON, LIST_CSV };

struct lister {
    const struct record_type *type;
    enum list_format format;
    struct cmd_output output;
    struct cmd_table *table;       /* LIST_TABLE */
    const struct cmd_words *rules; /* findings of these alone, where there are any */
    int64_t limit;                 /* -1 none */
    int64_t listed;
    struct hr_buf buffer;
};

/* @return 0, or 1: enough */
static int list_row(struct lister *l, const void *row)
{
    enum { FLUSH_BYTES = 64 * 1024 };
    if (l->limit >= 0 && l->listed >= l->limit) {
        return 1;
    }
    l->listed++;
    switch (l->format) {
    case LIST_TABLE:
        cmd_table_add(l->table, row);
        break;
    case LIST_NDJSON:
        record_append_json(&l->buffer, l->type, row);
        break;
    case LIST_CSV:
        record_append_csv(&l->buffer, l->type, row);
        break;
    }
    if (l->buffer.len >= FLUSH_BYTES) {
        cmd_output_flush(&l->output, &l->buffer);
    }
    return l->output.is_broken ? 1 : 0;
}

/* In a table, where no column is left for it. */
static int list_suppressed(struct lister *l, const struct finding_view *x)
{
    struct finding_view marked = *x;
    struct hr_buf summary;
    hr_buf_init(&summary, SIZE_MAX);
    hr_buf_appendf(&summary, "(suppressed) %s", x->summary);
    marked.summary = hr_buf_str(&summary);
    int r = list_row(l, &marked);
    hr_buf_finish(&summary);
    return r;
}

static int list_finding(const struct finding_view *x, void *user)
{
    struct lister *l = user;
    bool wanted = l->rules->count == 0;
    for (size_t i = 0; i < l->rules->count; i++) {
        wanted = wanted || strcmp(l->rules->items[i], x->rule) == 0;
    }
    if (wanted && x->suppressed && l->format == LIST_TABLE) {
        return list_suppressed(l, x);
    }
    return wanted ? list_row(l, x) : 0;
}

static int list_exchange(const struct exchange_view *x, void *user)
{
    return list_row(user, x);
}

static int list_session(const struct session_view *x, void *user)
{
    return list_row(user, x);
}

static int list_stream(const struct stream_view *x, void *user)
{
    return list_row(user, x);
}

static int list_endpoint(const struct endpoint_view *x, void *user)
{
    return list_row(user, x);
}

static int list_capture(const struct capture_view *x, void *user)
{
    return list_row(user, x);
}

static int list_loss(const struct loss_view *x, void *user)
{
    return list_row(user, x);
}

static int read_all_findings(struct store *s, const struct read_filter *f, struct lister *l)
{
    return read_findings(s, f, list_finding, l);
}

static int read_all_exchanges(struct store *s, const struct read_filter *f, struct lister *l)
{
    return read_exchanges(s, f, list_exchange, l);
}

static int read_all_sessions(struct store *s, const struct read_filter *f, struct lister *l)
{
    return read_sessions(s, f, list_session, l);
}

static int read_all_streams(struct store *s, const struct read_filter *f, struct lister *l)
{
    return read_streams(s, f, list_stream, l);
}

static int read_all_endpoints(struct store *s, const struct read_filter *f, struct lister *l)
{
    return read_endpoints(s, f, list_endpoint, l);
}

static int read_all_captures(struct store *s, const struct read_filter *f, struct lister *l)
{
    return read_captures(s, f, list_capture, l);
}

static int read_all_losses(struct store *s, const struct read_filter *f, struct lister *l)
{
    return read_losses(s, f, list_loss, l);
}

static const struct thing {
    const char *name;
    const struct record_type *type;
    int (*read)(struct store *s, const struct read_filter *f, struct lister *l);
} things[] = {
    {"findings",  &record_finding,  read_all_findings },
    {"sessions",  &record_session,  read_all_sessions },
    {"exchanges", &record_exchange, read_all_exchanges},
    {"streams",   &record_stream,   read_all_streams  },
    {"endpoints", &record_endpoint, read_all_endpoints},
    {"captures",  &record_capture,  read_all_captures },
    {"loss",      &record_loss,     read_all_losses   },
};

static int find_thing(const struct cmd_args *args, const struct thing **ret_thing)
{
    const char *names[HR_ARRAY_LEN(things)];
    if (args->operand_count == 0) {
        return cmd_usage_error("list", "list what? findings, sessions, exchanges, streams, "
                                       "endpoints, captures or loss");
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(things); i++) {
        names[i] = things[i].name;
        if (strcmp(things[i].name, args->operands[0]) == 0) {
            *ret_thing = &things[i];
            return -1;
        }
    }
    return cmd_unknown_word("list", "thing to list called", args->operands[0], names,
                            HR_ARRAY_LEN(names));
}

/* Reads captures where there are any, else opens what is there. */
static int open_source(struct cmd_run *run, const struct thing *thing)
{
    const struct cmd_args *a = run->args;
    if (a->operand_count == 1) {
        return cmd_run_open_existing(run, STORE_READ);
    }
    if (a->db != NULL) {
        return cmd_usage_error("list",
                               "either --db or captures: headrace audit --db %s CAPTURE... "
                               "adds captures to a database",
                               a->db);
    }
    bool needs_rules = thing->type == &record_finding;
    int r = needs_rules ? cmd_run_load_rules(run, false) : -1;
    r = r < 0 ? cmd_run_load_profiles(run) : r;
    r = r < 0 ? cmd_run_expand_captures(run, a->operands + 1, a->operand_count - 1) : r;
    r = r < 0 ? cmd_run_open_new(run, NULL) : r;
    return r < 0 ? cmd_run_captures(run, needs_rules) : r;
}

/* @return the exit status */
static int list(struct cmd_run *run, const struct thing *thing, struct lister *l)
{
    struct read_filter filter;
    int status = open_source(run, thing);
    status = status < 0 ? cmd_run_filter(run, &filter) : status;
    status = status < 0 ? cmd_output_open(&l->output, run->args) : status;
    if (status >= 0) {
        return status;
    }
    if (l->rules->count > 1) {
        filter.limit = -1; /* counted here, behind the choice of rules */
    }
    if (l->format == LIST_CSV) {
        record_append_csv_header(&l->buffer, l->type);
    } else if (l->format == LIST_TABLE) {
        l->table = cmd_table_create(l->type, &l->output);
    }
    status = cmd_run_status(run);
    int r = thing->read(run->store, &filter, l);
    if (l->table != NULL) {
        cmd_table_finish(l->table);
    }
    cmd_output_flush(&l->output, &l->buffer);
    if (r < 0) {
        cmd_output_abandon(&l->output);
        return cmd_store_failed(run->store);
    }
    int written = cmd_output_close(&l->output);
    return written > status ? written : status;
}

int cmd_list(int argc, char **argv)
{
    struct cmd_args args;
    struct cmd_run run;
    const struct thing *thing = NULL;
    int status = cmd_args_parse(&usage, argc, argv, &args);
    if (status >= 0) {
        return status;
    }
    cmd_ignore_sigpipe();
    cmd_run_init(&run, "list", &args);
    status = find_thing(&args, &thing);
    if (status < 0) {
        struct lister l = {
            .type = thing->type,
            .format = strcmp(args.format, "ndjson") == 0 ? LIST_NDJSON
                      : strcmp(args.format, "csv") == 0  ? LIST_CSV
                                                         : LIST_TABLE,
            .rules = &args.only_rules,
            .limit = args.limit,
        };
        hr_buf_init(&l.buffer, SIZE_MAX);
        status = list(&run, thing, &l);
        hr_buf_finish(&l.buffer);
    }
    cmd_run_finish(&run);
    cmd_args_finish(&args);
    return status;
}
