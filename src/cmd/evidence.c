#include "evidence/evidence.h"

#include "base/alloc.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "cmd/run.h"
#include "cmd/watch_keep.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const enum cmd_option options[] = {OPT_DB_READ,   OPT_OUTPUT,    OPT_FROM,
                                          OPT_RING_READ, OPT_ANONYMIZE, OPT_MAX_EVIDENCE,
                                          OPT_BOUNDS,    OPT_END};
static const struct cmd_usage usage = {
    .name = "evidence",
    .synopsis = "ID... -o FILE.pcapng [OPTIONS]",
    .summary = "Cuts the frames behind findings out of the captures: the exchanges concerned, the "
               "login, the\n"
               "logout, and the handshakes of their connections, with comments on the frames that "
               "matter.\n"
               "IDs are those that headrace list findings prints.",
    .options = options,
    .see = "headrace-evidence",
};

static int parse_ids(const struct cmd_args *args, int64_t *ids)
{
    if (args->operand_count == 0) {
        return cmd_usage_error("evidence", "evidence of what? give the numbers of findings");
    }
    for (size_t i = 0; i < args->operand_count; i++) {
        const char *id = args->operands[i];
        uint64_t number;
        if (id[0] == '#') {
            id++;
        }
        if (!hr_span_to_u64(hr_span_str(id), &number) || number > INT64_MAX) {
            return cmd_usage_error(
                "evidence", "a finding has a number, not %s; headrace list findings tells", id);
        }
        ids[i] = (int64_t)number;
    }
    return -1;
}

static int check_output(const struct cmd_args *args)
{
    if (args->output == NULL) {
        return cmd_usage_error("evidence", "where to? give -o FILE.pcapng, or -o - for a pipe");
    }
    if (strcmp(args->output, "-") == 0 && isatty(STDOUT_FILENO) == 1) {
        return cmd_usage_error("evidence",
                               "a capture is nothing for a terminal; give a file to -o");
    }
    return -1;
}

static int status_of(int r)
{
    switch (r) {
    case -ENOENT:
    case -ENODATA:
    case -EFBIG:
        return CMD_USAGE;
    case -ESTALE:
        return CMD_CAPTURE;
    case -EINTR:
        return CMD_INTERRUPTED;
    default:
        return CMD_DATABASE;
    }
}

static int complain(int r, const struct hr_buf *error)
{
    struct hr_span lines = hr_buf_span(error);
    while (lines.ptr != NULL && lines.len > 0) {
        struct hr_span line = hr_span_cut(&lines, '\n');
        hr_error("%.*s", (int)line.len, line.ptr);
    }
    return status_of(r);
}

static void emit(struct hr_span bytes, void *user)
{
    cmd_output_write(user, bytes);
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void tell(const struct cmd_args *args, const struct evidence *e,
                 const struct evidence_result *done)
{
    const char *to = strcmp(args->output, "-") == 0 ? "standard output" : args->output;
    hr_info("%s: %zu frame%s of %zu exchange%s on %zu connection%s", to, e->frame_count,
            plural(e->frame_count), done->exchanges, plural(done->exchanges), done->connections,
            plural(done->connections));
    if (!args->anonymize) {
        hr_warning("%s holds raw traffic, with passwords and tokens: only you can read it; "
                   "--anonymize makes one to give away",
                   to);
        return;
    }
    if (done->blanked_bodies > 0) {
        hr_info("%zu contents were blanked: compressed, or of a kind that cannot be rewritten",
                done->blanked_bodies);
    }
    if (done->blanked_frames > 0) {
        hr_warning("%zu frames were blanked in part: what they are packed in is not known",
                   done->blanked_frames);
    }
}

static int write_file(const struct cmd_run *run, const struct evidence *e,
                      const struct evidence_result *done)
{
    const struct cmd_args *args = run->args;
    struct cmd_output output;
    int status = -1;
    for (size_t i = 0; i < e->source_count && status < 0; i++) {
        const char *path = e->sources[i].real_path;
        status = path != NULL ? cmd_run_check_output(run, path, "capture") : -1;
    }
    status = status < 0 ? cmd_output_open(&output, args) : status;
    if (status >= 0) {
        return status;
    }
    evidence_write(e, emit, &output);
    status = cmd_output_close(&output);
    if (status == CMD_OK) {
        tell(args, e, done);
    }
    return status;
}

static int cut(struct cmd_run *run, const int64_t *ids)
{
    const struct cmd_args *args = run->args;
    struct evidence e;
    struct evidence_result done;
    struct hr_buf error;
    char *ring = watch_keep_folder(args->ring, store_path(run->store));
    hr_buf_init(&error, SIZE_MAX);
    int r = evidence_cut(&(struct evidence_job){.store = run->store,
                                                .findings = ids,
                                                .finding_count = args->operand_count,
                                                .folder = args->from,
                                                .ring = ring,
                                                .anonymize = args->anonymize,
                                                .decode = &args->config.decode,
                                                .tcp = &args->config.tcp,
                                                .http = &args->config.http,
                                                .bytes_limit = args->max_evidence,
                                                .stop = cmd_catch_interrupt()},
                         &e, &done, &error);
    int status = r < 0 ? complain(r, &error) : write_file(run, &e, &done);
    if (r == 0 && error.len > 0) { /* what is not in the ring any more */
        int partial = complain(-ESTALE, &error);
        status = partial > status ? partial : status;
    }
    free(ring);
    evidence_finish(&e);
    hr_buf_finish(&error);
    return status;
}

int cmd_evidence(int argc, char **argv)
{
    struct cmd_args args;
    struct cmd_run run;
    int status = cmd_args_parse(&usage, argc, argv, &args);
    if (status >= 0) {
        return status;
    }
    args.is_private = true;
    cmd_ignore_sigpipe();
    cmd_run_init(&run, "evidence", &args);
    int64_t *ids = hr_xcalloc(args.operand_count + 1, sizeof(*ids));
    status = parse_ids(&args, ids);
    status = status < 0 ? check_output(&args) : status;
    status = status < 0 ? cmd_run_open_existing(&run, STORE_READ) : status;
    status = status < 0 ? cut(&run, ids) : status;
    free(ids);
    cmd_run_finish(&run);
    cmd_args_finish(&args);
    return status;
}
