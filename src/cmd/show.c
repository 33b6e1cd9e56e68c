#include "report/show.h"

#include "base/alloc.h"
#include "base/local.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "cmd/run.h"
#include "report/lanes.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const enum cmd_option options[] = {OPT_DB_READ, OPT_OUTPUT, OPT_TZ, OPT_COLOR, OPT_END};
static const struct cmd_usage usage = {
    .name = "show",
    .synopsis = "finding ID [OPTIONS]\nsession NAME|ID [OPTIONS]",
    .summary =
        "Tells one story: what happened in order, drawn as lanes, with frames and a Wireshark\n"
        "display filter. IDs and names are those that headrace list prints.",
    .options = options,
    .see = "headrace-show",
};

static int add_story_row(const struct story_row *row, void *user)
{
    struct lanes *lanes = user;
    const bool is_login = strcmp(row->kind, "login") == 0;
    if (is_login || strcmp(row->kind, "logout") == 0) {
        lanes_session(lanes, row->start, LANES_MAYBE);
        lanes_session(lanes, row->end, is_login ? LANES_LIVE : LANES_ENDED);
    }
    lanes_add(lanes, &row->exchange, NULL);
    return 0;
}

static struct report_paint paint_of(const struct cmd_output *output)
{
    return (struct report_paint){output->has_color, output->has_unicode, output->width};
}

static int show_finding(struct cmd_run *run, const char *id, const struct report_paint *paint,
                        struct hr_buf *out)
{
    uint64_t number;
    if (id[0] == '#') {
        id++;
    }
    if (!hr_span_to_u64(hr_span_str(id), &number) || number > INT64_MAX) {
        return cmd_usage_error("show",
                               "a finding has a number, not %s; headrace list findings tells", id);
    }
    int r = report_show_finding(run->store, (int64_t)number, paint, out);
    if (r == -ENOENT) {
        return cmd_usage_error("show", "there is no finding %s in %s; headrace list findings tells",
                               id, store_path(run->store));
    }
    return r < 0 ? cmd_store_failed(run->store) : CMD_OK;
}

static void append_moment(struct hr_buf *out, const char *what, hr_nsec at)
{
    char text[HR_TIME_TEXT_SIZE];
    if (at == HR_NSEC_INFINITE) {
        hr_buf_appendf(out, "%s not seen", what);
        return;
    }
    hr_buf_appendf(out, "%s %s", what, hr_local_format(at, HR_LOCAL_MICRO, text));
    hr_buf_appendf(out, " %s", hr_local_format(at, HR_LOCAL_MARK, text));
}

static void append_session_head(const struct session_view *v, const struct report_paint *paint,
                                struct hr_buf *out)
{
    struct hr_buf line;
    hr_buf_init(&line, SIZE_MAX);
    hr_buf_appendf(&line, "session %s at %s, carried by %s", v->name, v->site, v->carrier);
    if (v->user != NULL) {
        hr_buf_appendf(&line, ", of %s", v->user);
    }
    paint_wrapped(paint, out, hr_buf_str(&line), 0, 2);
    hr_buf_clear(&line);
    hr_buf_appendf(&line, "%" PRId64 " exchanges: %" PRId64 " granted, %" PRId64 " denied",
                   v->exchanges, v->granted, v->denied);
    append_moment(&line, "; login", v->login_at);
    append_moment(&line, ", logout", v->logout_at);
    paint_wrapped(paint, out, hr_buf_str(&line), 0, 2);
    hr_buf_appendf(out, "order of its operations: %s\n\n", v->order != NULL ? v->order : "-");
    hr_buf_finish(&line);
}

static int show_session(struct cmd_run *run, const char *name, const struct report_paint *paint,
                        struct hr_buf *out)
{
    struct session_view view;
    struct lanes lanes;
    int status = CMD_OK;
    lanes_init(&lanes);
    int r = read_session_story(run->store, name, &view, add_story_row, &lanes);
    if (r == -ENOENT) {
        status =
            cmd_usage_error("show", "there is no session %s in %s; headrace list sessions tells",
                            name, store_path(run->store));
    } else if (r < 0) {
        status = cmd_store_failed(run->store);
    } else {
        append_session_head(&view, paint, out);
        lanes_render(&lanes, paint, report_has_several_captures(run->store), out);
    }
    lanes_finish(&lanes);
    return status;
}

static const struct verb {
    const char *name;
    int (*run)(struct cmd_run *run, const char *id, const struct report_paint *paint,
               struct hr_buf *out);
} verbs[] = {
    {"finding", show_finding},
    {"session", show_session}
};

static int find_verb(const struct cmd_args *args, const struct verb **ret_verb)
{
    const char *names[HR_ARRAY_LEN(verbs)];
    if (args->operand_count == 0) {
        return cmd_usage_error("show", "show what? finding ID, or session NAME");
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(verbs); i++) {
        names[i] = verbs[i].name;
        if (strcmp(verbs[i].name, args->operands[0]) == 0) {
            *ret_verb = &verbs[i];
        }
    }
    if (*ret_verb == NULL) {
        return cmd_unknown_word("show", "thing to show called", args->operands[0], names,
                                HR_ARRAY_LEN(names));
    }
    if (args->operand_count != 2) {
        return cmd_usage_error("show", "show %s takes exactly one %s", (*ret_verb)->name,
                               (*ret_verb)->run == show_finding ? "number" : "name");
    }
    return -1;
}

static int show(struct cmd_run *run, const struct verb *verb)
{
    struct cmd_output output;
    struct hr_buf out;
    int status = cmd_run_open_existing(run, STORE_READ);
    status = status < 0 ? cmd_output_open(&output, run->args) : status;
    if (status >= 0) {
        return status;
    }
    struct report_paint paint = paint_of(&output);
    hr_buf_init(&out, SIZE_MAX);
    hr_local_use(run->args->tz);
    status = verb->run(run, run->args->operands[1], &paint, &out);
    if (status == CMD_OK) {
        cmd_output_flush(&output, &out);
        status = cmd_output_close(&output);
    } else {
        cmd_output_abandon(&output);
    }
    hr_buf_finish(&out);
    return status;
}

int cmd_show(int argc, char **argv)
{
    struct cmd_args args;
    struct cmd_run run;
    const struct verb *verb = NULL;
    int status = cmd_args_parse(&usage, argc, argv, &args);
    if (status >= 0) {
        return status;
    }
    cmd_ignore_sigpipe();
    cmd_run_init(&run, "show", &args);
    status = find_verb(&args, &verb);
    status = status < 0 ? show(&run, verb) : status;
    cmd_run_finish(&run);
    cmd_args_finish(&args);
    return status;
}
