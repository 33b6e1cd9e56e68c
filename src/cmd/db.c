#include "base/alloc.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/key.h"
#include "cmd/output.h"
#include "cmd/run.h"

#include <inttypes.h>
#include <string.h>

static const enum cmd_option options[] = {OPT_DB_READ, OPT_KEY_FILE, OPT_KEEP, OPT_OUTPUT, OPT_END};
static const struct cmd_usage usage = {
    .name = "db",
    .synopsis = "info|check|vacuum [OPTIONS]\nprune --keep SPAN [OPTIONS]\nkey -o FILE",
    .summary = "Looks after the database: what is in it, whether it is sound, dropping what is old "
               "(by the\n"
               "time of the packets, counted from the last one), and giving back unused room. key "
               "makes a key\n"
               "file for --key-file.",
    .options = options,
    .see = "headrace-db",
};

static void append_time(struct hr_buf *b, const char *label, hr_nsec at)
{
    char text[HR_TIME_TEXT_SIZE];
    hr_buf_appendf(b, "%-20s%s\n", label, at != HR_NSEC_INFINITE ? hr_time_format(at, text) : "-");
}

static int info(struct cmd_run *run)
{
    struct store_info i;
    int64_t operations = 0;
    bool is_behind = false;
    struct cmd_output output;
    struct hr_buf b;
    if (store_get_info(run->store, &i) < 0 || store_count_operations(run->store, &operations) < 0 ||
        read_is_behind(run->store, &is_behind) < 0) {
        return cmd_store_failed(run->store);
    }
    int status = cmd_output_open(&output, run->args);
    if (status >= 0) {
        return status;
    }
    const struct {
        const char *label;
        int64_t value;
    } rows[] = {
        {"schema version",     i.schema_version    },
        {"size (bytes)",       i.size_bytes        },
        {"captures",           i.captures          },
        {"sites",              i.sites             },
        {"exchanges",          i.exchanges         },
        {"sessions",           i.sessions          },
        {"operations",         operations          },
        {"findings",           i.findings          },
        {"findings withdrawn", i.findings_withdrawn},
    };
    hr_buf_init(&b, SIZE_MAX);
    hr_buf_appendf(&b, "%-20s%s\n", "database", store_path(run->store));
    for (size_t k = 0; k < HR_ARRAY_LEN(rows); k++) {
        hr_buf_appendf(&b, "%-20s%" PRId64 "\n", rows[k].label, rows[k].value);
    }
    append_time(&b, "first packet", i.first_at);
    append_time(&b, "last packet", i.last_at);
    hr_buf_appendf(&b, "%-20s%s\n", "judged as a whole",
                   is_behind ? "no: a running watch does it, else the next watch or audit" : "yes");
    cmd_output_flush(&output, &b);
    hr_buf_finish(&b);
    return cmd_output_close(&output);
}

static void log_problem(const char *line, void *user)
{
    (void)user;
    hr_error("%s", line);
}

static int check(struct cmd_run *run)
{
    int r = store_check(run->store, log_problem, NULL);
    if (r < 0) {
        return cmd_store_failed(run->store);
    }
    if (r > 0) {
        hr_error("%s is damaged; read the captures again into a new database",
                 store_path(run->store));
        return CMD_DATABASE;
    }
    hr_info("%s is sound", store_path(run->store));
    return CMD_OK;
}

static int prune(struct cmd_run *run)
{
    struct store_info i;
    int64_t dropped = 0;
    if (store_get_info(run->store, &i) < 0) {
        return cmd_store_failed(run->store);
    }
    if (i.last_at != HR_NSEC_INFINITE) {
        hr_nsec before = hr_nsec_sub(i.last_at, run->args->keep);
        if (store_prune(run->store, before, &dropped) < 0) {
            return cmd_store_failed(run->store);
        }
    }
    hr_info("%" PRId64 " exchanges dropped", dropped);
    return CMD_OK;
}

static int vacuum(struct cmd_run *run)
{
    return store_vacuum(run->store) < 0 ? cmd_store_failed(run->store) : CMD_OK;
}

static int key(struct cmd_run *run)
{
    return run->args->output != NULL ? cmd_key_make(run->args->output)
                                     : cmd_usage_error("db", "key needs -o FILE, the file to make");
}

static const struct verb {
    const char *name;
    bool needs_store;
    enum store_mode mode; /* where it needs one */
    int (*run)(struct cmd_run *run);
} verbs[] = {
    {"info",   true,  STORE_READ,  info  },
    {"check",  true,  STORE_READ,  check },
    {"prune",  true,  STORE_WRITE, prune },
    {"vacuum", true,  STORE_WRITE, vacuum},
    {"key",    false, STORE_READ,  key   },
};

static int find_verb(const struct cmd_args *args, const struct verb **ret_verb)
{
    const char *names[HR_ARRAY_LEN(verbs)];
    if (args->operand_count == 0) {
        return cmd_usage_error("db", "say what to do: info, check, prune, vacuum or key");
    }
    if (args->operand_count > 1) {
        return cmd_usage_error("db", "%s is one too many; name the database with --db",
                               args->operands[1]);
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(verbs); i++) {
        names[i] = verbs[i].name;
        if (strcmp(verbs[i].name, args->operands[0]) == 0) {
            *ret_verb = &verbs[i];
            if (verbs[i].run == prune && args->keep < 0) {
                return cmd_usage_error("db", "prune needs --keep SPAN, as --keep 30d");
            }
            return -1;
        }
    }
    return cmd_unknown_word("db", "action", args->operands[0], names, HR_ARRAY_LEN(names));
}

int cmd_db(int argc, char **argv)
{
    struct cmd_args args;
    struct cmd_run run;
    const struct verb *verb = NULL;
    int status = cmd_args_parse(&usage, argc, argv, &args);
    if (status >= 0) {
        return status;
    }
    cmd_ignore_sigpipe();
    cmd_run_init(&run, "db", &args);
    status = find_verb(&args, &verb);
    if (status < 0 && verb->needs_store) {
        status = cmd_run_open_existing(&run, verb->mode);
    }
    status = status < 0 ? verb->run(&run) : status;
    cmd_run_finish(&run);
    cmd_args_finish(&args);
    return status;
}
