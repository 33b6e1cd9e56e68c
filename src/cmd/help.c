#include "cmd/help.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/log.h"
#include "cmd/suggest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OPTIONS_AT_MOST = 80, HELP_COLUMN = 30, WIDTH = 100 };

static int print(struct hr_buf *b)
{
    int status = CMD_OK;
    bool written = fwrite(hr_buf_str(b), 1, b->len, stdout) == b->len && fflush(stdout) == 0;
    if (!written && errno != EPIPE) {
        hr_error("cannot write to standard output: %s", strerror(errno));
        status = CMD_DATABASE;
    }
    hr_buf_finish(b);
    return status;
}

static void append_default(struct hr_buf *b, const struct cmd_option_info *o)
{
    struct cmd_args args = {0};
    pipeline_config_init(&args.config);
    const char *at = (const char *)&args + o->offset;
    if (o->kind == SET_SPAN) {
        char text[HR_TIME_TEXT_SIZE];
        hr_buf_appendf(b, " (default %s)", hr_duration_format(*(const hr_nsec *)at, text));
    } else {
        size_t size = *(const size_t *)at;
        if (size % (1024 * 1024) == 0) {
            hr_buf_appendf(b, " (default %zuM)", size / (1024 * 1024));
        } else if (size % 1024 == 0) {
            hr_buf_appendf(b, " (default %zuK)", size / 1024);
        } else {
            hr_buf_appendf(b, " (default %zu)", size);
        }
    }
}

/* Words of text behind column HELP_COLUMN, broken before WIDTH. */
static void append_wrapped(struct hr_buf *b, const char *text)
{
    struct hr_span rest = hr_span_str(text);
    size_t column = HELP_COLUMN;
    while (rest.ptr != NULL && rest.len > 0) {
        struct hr_span word = hr_span_cut(&rest, ' ');
        if (column > HELP_COLUMN && column + 1 + word.len > WIDTH) {
            hr_buf_appendf(b, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        } else if (column > HELP_COLUMN) {
            hr_buf_append_char(b, ' ');
            column++;
        }
        hr_buf_append(b, word);
        column += word.len;
    }
    hr_buf_append_char(b, '\n');
}

static void append_option(struct hr_buf *b, const struct cmd_usage *usage,
                          const struct cmd_option_info *o)
{
    char left[64];
    struct hr_buf help;
    hr_buf_init(&help, SIZE_MAX);
    snprintf(left, sizeof(left), "  %c%c%s --%s%s%s", o->letter != 0 ? '-' : ' ',
             o->letter != 0 ? o->letter : ' ', o->letter != 0 ? "," : " ", o->name,
             o->argument != NULL ? " " : "", o->argument != NULL ? o->argument : "");
    if (o->id == OPT_FORMAT || o->id == OPT_FORMATS) {
        for (size_t i = 0; usage->formats[i] != NULL; i++) {
            hr_buf_appendf(&help, "%s%s", i > 0 ? ", " : "", usage->formats[i]);
        }
        hr_buf_appendf(&help, " (default %s%s", usage->formats[0],
                       o->id == OPT_FORMATS ? ", or what -o ends in); several with commas" : ")");
    } else {
        hr_buf_append_str(&help, o->help);
    }
    if (o->id == OPT_BOUNDS) {
        append_default(&help, o);
    }
    hr_buf_appendf(b, "%-*s", HELP_COLUMN, left);
    if (strlen(left) >= HELP_COLUMN) {
        hr_buf_appendf(b, "\n%*s", HELP_COLUMN, "");
    }
    append_wrapped(b, hr_buf_str(&help));
    hr_buf_finish(&help);
}

int cmd_help_print(const struct cmd_usage *usage)
{
    const struct cmd_option_info *options[OPTIONS_AT_MOST];
    struct hr_buf b;
    bool has_bounds = false;
    hr_buf_init(&b, SIZE_MAX);
    struct hr_span forms = hr_span_str(usage->synopsis);
    for (const char *lead = "Usage:"; forms.ptr != NULL; lead = "      ") {
        struct hr_span form = hr_span_cut(&forms, '\n');
        hr_buf_appendf(&b, "%s headrace %s %.*s\n", lead, usage->name, (int)form.len, form.ptr);
    }
    hr_buf_appendf(&b, "\n%s\n\nOptions:\n", usage->summary);
    size_t n = cmd_option_list(usage, options, OPTIONS_AT_MOST);
    for (size_t i = 0; i < n; i++) {
        has_bounds = has_bounds || options[i]->id == OPT_BOUNDS;
        if (options[i]->id != OPT_BOUNDS) {
            append_option(&b, usage, options[i]);
        }
    }
    if (has_bounds) {
        hr_buf_append_str(&b, "\nBounds, each counted where it is reached:\n");
    }
    for (size_t i = 0; i < n; i++) {
        if (options[i]->id == OPT_BOUNDS) {
            append_option(&b, usage, options[i]);
        }
    }
    hr_buf_appendf(&b, "\nMore: man %s\n", usage->see);
    return print(&b);
}

int cmd_version_print(void)
{
    struct hr_buf b;
    hr_buf_init(&b, SIZE_MAX);
    hr_buf_append_str(&b, "headrace " HEADRACE_VERSION "\n");
    return print(&b);
}

static void main_help(const struct cmd *table, size_t count, struct hr_buf *b)
{
    hr_buf_append_str(b, "Usage: headrace COMMAND [OPTIONS] [ARGUMENTS]\n\n"
                         "Finds the marks that races in login and session code leave in captured "
                         "HTTP traffic.\n\nCommands:\n");
    for (size_t i = 0; i < count; i++) {
        hr_buf_appendf(b, "  %-10s%s\n", table[i].name, table[i].summary);
    }
    hr_buf_append_str(b, "\nheadrace COMMAND --help tells more, and so does man headrace.\n");
}

int cmd_main(const struct cmd *table, size_t count, int argc, char **argv)
{
    const char *names[32];
    struct hr_buf b;
    const char *word = argc > 1 ? argv[1] : NULL;
    if (word != NULL && (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)) {
        return cmd_version_print();
    }
    if (word != NULL && strcmp(word, "help") == 0 && argc > 2) {
        /* `help COMMAND` is `COMMAND --help`. */
        char help[] = "--help";
        char *rewritten[] = {argv[0], argv[2], help, NULL};
        return cmd_main(table, count, 3, rewritten);
    }
    bool wants_help = word != NULL && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
                                       strcmp(word, "help") == 0);
    if (word == NULL || wants_help) {
        hr_buf_init(&b, SIZE_MAX);
        main_help(table, count, &b);
        if (wants_help) {
            return print(&b);
        }
        fputs(hr_buf_str(&b), stderr);
        hr_buf_finish(&b);
        return CMD_USAGE;
    }
    for (size_t i = 0; i < count && i < HR_ARRAY_LEN(names); i++) {
        if (strcmp(word, table[i].name) == 0) {
            return table[i].run(argc - 1, argv + 1);
        }
        names[i] = table[i].name;
    }
    const char *meant = cmd_suggest(word, names, count);
    hr_error("there is no command %s%s%s%s; see headrace --help", word,
             meant != NULL ? " (did you mean " : "", meant != NULL ? meant : "",
             meant != NULL ? "?)" : "");
    return CMD_USAGE;
}
