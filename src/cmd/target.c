#include "cmd/target.h"

#include "base/alloc.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "report/csv.h"
#include "report/html.h"
#include "report/json.h"
#include "report/md.h"
#include "report/ndjson.h"
#include "report/sarif.h"
#include "report/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* What a format is made from beside the report. */
struct source {
    struct store *store;
    const struct cmd_args *args;
    const struct cmd_output *output;
    const struct overview *trend; /* loaded for the formats that tell it */
};

static int render_text(const struct report *r, const struct source *from, struct hr_buf *out)
{
    const struct cmd_output *o = from->output;
    struct report_text_options how = {
        .paint = {o->has_color, o->has_unicode, o->width},
        .all = from->args->all,
        .trend = from->trend,
    };
    report_text_render(r, &how, out);
    return 0;
}

static int render_html(const struct report *r, const struct source *from, struct hr_buf *out)
{
    return report_html_render(r, from->store, from->args->all, out);
}

static int render_ndjson(const struct report *r, const struct source *from, struct hr_buf *out)
{
    (void)from;
    report_ndjson_render(r, out);
    return 0;
}

static int render_json(const struct report *r, const struct source *from, struct hr_buf *out)
{
    report_json_render(r, from->trend, out);
    return 0;
}

static int render_md(const struct report *r, const struct source *from, struct hr_buf *out)
{
    report_md_render(r, from->trend, from->args->all, out);
    return 0;
}

static int render_sarif(const struct report *r, const struct source *from, struct hr_buf *out)
{
    (void)from;
    report_sarif_render(r, out);
    return 0;
}

static int render_csv(const struct report *r, const struct source *from, struct hr_buf *out)
{
    (void)from;
    report_csv_render(r, out);
    return 0;
}

const char *const cmd_report_formats[] = {"text",   "html",  "md",  "json",
                                          "ndjson", "sarif", "csv", NULL};

static const struct cmd_format {
    const char *name;
    const char *endings[3]; /* of a file's name; the first is that in a folder */
    /** @return 0 or a negative errno of the store */
    int (*render)(const struct report *r, const struct source *from, struct hr_buf *out);
    bool has_trend;
} formats[] = {
    {"text",   {".txt"},                  render_text,   true },
    {"ndjson", {".ndjson", ".jsonl"},     render_ndjson, false},
    {"json",   {".json"},                 render_json,   true },
    {"html",   {".html", ".htm"},         render_html,   false}, /* its own, with the overview */
    {"md",     {".md", ".markdown"},      render_md,     true },
    {"sarif",  {".sarif", ".sarif.json"}, render_sarif,  false},
    {"csv",    {".csv"},                  render_csv,    false},
};

static const struct cmd_format *format_named(struct hr_span name)
{
    for (size_t i = 0; i < HR_ARRAY_LEN(formats); i++) {
        if (hr_span_equal(name, hr_span_str(formats[i].name))) {
            return &formats[i];
        }
    }
    return NULL;
}

/* ".xyz" of "a.b/report.xyz"; NULL where a name has no ending, and where it is no file's. */
static const char *ending_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    struct stat st;
    if (dot == NULL || dot == name || (stat(path, &st) == 0 && !S_ISREG(st.st_mode))) {
        return NULL;
    }
    return dot;
}

/* What a file's name says that it is to hold; text where it has no ending, NULL for a strange one.
 */
static const struct cmd_format *format_of_path(const char *path)
{
    const size_t length = strlen(path);
    const struct cmd_format *best = ending_of(path) != NULL ? NULL : &formats[0];
    size_t best_length = 0;
    for (size_t i = 0; i < HR_ARRAY_LEN(formats); i++) {
        for (size_t k = 0; k < HR_ARRAY_LEN(formats[i].endings); k++) {
            const char *ending = formats[i].endings[k];
            const size_t n = ending != NULL ? strlen(ending) : 0;
            if (n > best_length && n < length && strcasecmp(path + length - n, ending) == 0) {
                best = &formats[i];
                best_length = n;
            }
        }
    }
    return best;
}

/* "a file ending in .xyz": in which format? */
static int refuse_ending(const char *command, const char *path)
{
    struct hr_buf known;
    hr_buf_init(&known, SIZE_MAX);
    for (size_t i = 0; i < HR_ARRAY_LEN(formats); i++) {
        hr_buf_appendf(&known, "%s%s",
                       i == 0                          ? ""
                       : i + 1 < HR_ARRAY_LEN(formats) ? ", "
                                                       : " or ",
                       formats[i].endings[0]);
    }
    int r = cmd_usage_error(command, "no format ends in %s: let %s end in %s, or give --format",
                            ending_of(path), path, hr_buf_str(&known));
    hr_buf_finish(&known);
    return r;
}

static int add_format(struct cmd_targets *t, const char *command, struct hr_span name)
{
    const struct cmd_format *format = format_named(name);
    size_t known = 0;
    if (format == NULL) {
        char word[64];
        snprintf(word, sizeof(word), "%.*s", (int)(name.len < 60 ? name.len : 60), name.ptr);
        while (cmd_report_formats[known] != NULL) {
            known++;
        }
        return cmd_unknown_word(command, "format", word, cmd_report_formats, known);
    }
    if (t->count == CMD_TARGETS_MAX) {
        return cmd_usage_error(command, "at most %d formats at once", CMD_TARGETS_MAX);
    }
    t->items[t->count++] = (struct cmd_target){.format = format};
    return -1;
}

static int add_formats(struct cmd_targets *t, const char *command, const struct cmd_words *words)
{
    int r = -1;
    for (size_t i = 0; i < words->count && r < 0; i++) {
        struct hr_span rest = hr_span_str(words->items[i]);
        while (rest.ptr != NULL && r < 0) {
            r = add_format(t, command, hr_span_cut(&rest, ','));
        }
    }
    return r;
}

static bool is_folder(const char *path)
{
    struct stat st;
    const size_t length = strlen(path);
    return (length > 0 && path[length - 1] == '/') || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

/* FOLDER/report.ENDING */
static char *path_in(const char *folder, const struct cmd_format *format)
{
    const size_t size = strlen(folder) + strlen("/report") + strlen(format->endings[0]) + 1;
    char *path = hr_xmalloc(size);
    const bool has_slash = folder[strlen(folder) - 1] == '/';
    snprintf(path, size, "%s%sreport%s", folder, has_slash ? "" : "/", format->endings[0]);
    return path;
}

/* Which file each format goes to. */
static int assign_paths(struct cmd_targets *t, const char *command, const struct cmd_words *paths)
{
    if (paths->count == 1 && is_folder(paths->items[0])) {
        (void)mkdir(paths->items[0], 0777); /* where that fails, opening the file says why */
        for (size_t i = 0; i < t->count; i++) {
            t->items[i].path = path_in(paths->items[0], t->items[i].format);
        }
        return -1;
    }
    if (paths->count == 0 && t->count == 1) {
        return -1;
    }
    if (paths->count != t->count) {
        return cmd_usage_error(command,
                               "%zu formats and %zu times -o: give one -o for each format, "
                               "or one folder",
                               t->count, paths->count);
    }
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(paths->items[i], "-") != 0) {
            t->items[i].path = hr_xstrdup(paths->items[i]);
        }
    }
    return -1;
}

/* Two targets of one file would overwrite each other; two on standard output would run together. */
static int check_paths(const struct cmd_targets *t, const char *command)
{
    for (size_t i = 0; i < t->count; i++) {
        for (size_t k = 0; k < i; k++) {
            const char *a = t->items[i].path;
            const char *b = t->items[k].path;
            if (a == NULL ? b == NULL : b != NULL && strcmp(a, b) == 0) {
                return cmd_usage_error(command, "two formats cannot both go to %s",
                                       a != NULL ? a : "standard output");
            }
        }
    }
    return -1;
}

/* Without --format: what the names of the files say. */
static int take_endings(struct cmd_targets *t, const char *command, const struct cmd_words *paths)
{
    const bool is_one_folder = paths->count == 1 && is_folder(paths->items[0]);
    for (size_t i = 0; i < paths->count && t->count < CMD_TARGETS_MAX && !is_one_folder; i++) {
        const struct cmd_format *format = format_of_path(paths->items[i]);
        if (format == NULL) {
            return refuse_ending(command, paths->items[i]);
        }
        t->items[t->count++] = (struct cmd_target){.format = format};
    }
    if (t->count == 0) {
        t->items[t->count++] = (struct cmd_target){.format = &formats[0]};
    }
    return -1;
}

int cmd_targets_open(struct cmd_targets *t, const char *command, const struct cmd_args *args)
{
    *t = (struct cmd_targets){.count = 0};
    int r = add_formats(t, command, &args->formats);
    if (r < 0 && t->count == 0) {
        r = take_endings(t, command, &args->outputs);
    }
    r = r < 0 ? assign_paths(t, command, &args->outputs) : r;
    r = r < 0 ? check_paths(t, command) : r;
    for (size_t i = 0; i < t->count && r < 0; i++) {
        r = cmd_output_open_path(&t->items[i].output, args, t->items[i].path);
        t->items[i].is_open = r < 0;
    }
    return r;
}

static void spill(struct hr_buf *text, void *user)
{
    cmd_output_flush(user, text);
}

/* @return 0 or the store's error */
static int write_one(struct cmd_target *target, struct store *s, const struct cmd_args *args,
                     struct report *report)
{
    struct overview trend = {.row_count = 0};
    const struct source from = {s, args, &target->output, &trend};
    struct hr_buf text;
    hr_buf_init(&text, SIZE_MAX);
    report->spill = spill;
    report->spill_user = &target->output;
    int loaded = target->format->has_trend ? overview_load_trend(&trend, s, report) : 0;
    int r = target->format->render(report, &from, &text);
    cmd_output_flush(&target->output, &text);
    hr_buf_finish(&text);
    if (target->format->has_trend) {
        overview_finish(&trend);
    }
    r = loaded < 0 ? loaded : r;
    return r == 0 ? report_error(report) : r;
}

static int write_all(struct cmd_targets *t, struct store *s, const struct cmd_args *args,
                     struct report *report)
{
    int status = CMD_OK;
    for (size_t i = 0; i < t->count; i++) {
        struct cmd_target *target = &t->items[i];
        if (write_one(target, s, args, report) < 0) {
            return cmd_store_failed(s);
        }
        int written = cmd_output_close(&target->output);
        target->is_open = false;
        status = written > status ? written : status;
    }
    return status;
}

int cmd_targets_write(struct cmd_targets *t, struct store *s, const struct cmd_args *args,
                      const struct report_job *job, struct report *ret_report)
{
    int begun = store_begin_read(s);
    int r = report_load(ret_report, s, job);
    r = begun < 0 ? begun : r;
    int status = r < 0 ? cmd_store_failed(s) : write_all(t, s, args, ret_report);
    (void)store_commit(s); /* of the reading: nothing was written */
    return status;
}

void cmd_targets_finish(struct cmd_targets *t)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->items[i].is_open) {
            cmd_output_abandon(&t->items[i].output);
        }
        free(t->items[i].path);
    }
    t->count = 0;
}
