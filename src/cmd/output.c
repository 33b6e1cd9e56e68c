#include "cmd/output.h"

#include "base/alloc.h"
#include "base/log.h"
#include "cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WIDTH_WITHOUT_TERMINAL = 100, WIDTH_MIN = 60, WIDTH_MAX = 160 };

static size_t terminal_width(int fd)
{
    struct winsize size;
    size_t width = 80;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        width = size.ws_col;
    }
    width = width < WIDTH_MIN ? WIDTH_MIN : width;
    return width > WIDTH_MAX ? WIDTH_MAX : width;
}

static bool wants_color(const struct cmd_args *args, bool is_terminal)
{
    if (args->color != NULL && strcmp(args->color, "auto") != 0) {
        return strcmp(args->color, "always") == 0;
    }
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return is_terminal && (no_color == NULL || no_color[0] == '\0') &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

/* A file is UTF-8 whatever the locale, so that it is the same everywhere; a terminal may not be. */
static bool shows_unicode(bool is_terminal)
{
    if (!is_terminal) {
        return true;
    }
    setlocale(LC_CTYPE, "");
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static int open_temporary(struct cmd_output *o)
{
    struct stat st;
    int fd;
    /* A device, a pipe and the like are written to as they are. */
    if (stat(o->path, &st) == 0 && !S_ISREG(st.st_mode)) {
        o->file = fopen(o->path, "we");
        return o->file != NULL ? 0 : -errno;
    }
    size_t size = strlen(o->path) + sizeof(".XXXXXX");
    o->temporary = hr_xmalloc(size);
    snprintf(o->temporary, size, "%s.XXXXXX", o->path);
    fd = mkostemp(o->temporary, O_CLOEXEC);
    if (fd < 0) {
        int r = -errno;
        free(o->temporary);
        o->temporary = NULL;
        return r;
    }
    if (!o->is_private) {
        mode_t mask = umask(0);
        umask(mask);
        (void)fchmod(fd, 0666 & ~mask); /* as any new file; mkostemp makes it private */
    }
    o->file = fdopen(fd, "w");
    return o->file != NULL ? 0 : -errno;
}

int cmd_output_open(struct cmd_output *o, const struct cmd_args *args)
{
    return cmd_output_open_path(o, args, args->output);
}

int cmd_output_open_path(struct cmd_output *o, const struct cmd_args *args, const char *path)
{
    *o = (struct cmd_output){
        .path = path, .file = stdout, .is_private = args->is_private};
    if (o->path != NULL && strcmp(o->path, "-") == 0) {
        o->path = NULL;
    }
    if (o->path != NULL) {
        int r = open_temporary(o);
        if (r < 0) {
            hr_error("cannot write %s: %s; give -o a path that can be written", o->path,
                     strerror(-r));
            return CMD_DATABASE;
        }
    }
    o->is_terminal = isatty(fileno(o->file)) == 1;
    o->has_color = wants_color(args, o->is_terminal);
    o->has_unicode = shows_unicode(o->is_terminal);
    o->width = o->is_terminal ? terminal_width(fileno(o->file)) : WIDTH_WITHOUT_TERMINAL;
    return -1;
}

static void note_failure(struct cmd_output *o)
{
    o->is_broken = true;
    o->error = errno == EPIPE ? 0 : -errno;
}

void cmd_output_write(struct cmd_output *o, struct hr_span bytes)
{
    if (!o->is_broken && bytes.len > 0 && fwrite(bytes.ptr, 1, bytes.len, o->file) != bytes.len) {
        note_failure(o);
    }
}

void cmd_output_flush(struct cmd_output *o, struct hr_buf *b)
{
    cmd_output_write(o, hr_buf_span(b));
    hr_buf_clear(b);
}

int cmd_output_close(struct cmd_output *o)
{
    if (!o->is_broken && fflush(o->file) != 0) {
        note_failure(o);
    }
    if (o->path != NULL) {
        if (fclose(o->file) != 0 && !o->is_broken) {
            note_failure(o);
        }
        if (o->temporary != NULL && !o->is_broken && rename(o->temporary, o->path) != 0) {
            note_failure(o);
        }
        if (o->temporary != NULL && o->is_broken) {
            unlink(o->temporary);
        }
        free(o->temporary);
        o->temporary = NULL;
    }
    if (o->error != 0) {
        hr_error("cannot write %s: %s", o->path != NULL ? o->path : "to standard output",
                 strerror(-o->error));
        return CMD_DATABASE;
    }
    return CMD_OK;
}

void cmd_output_abandon(struct cmd_output *o)
{
    if (o->path != NULL && o->file != NULL) {
        fclose(o->file);
        if (o->temporary != NULL) {
            unlink(o->temporary);
        }
        free(o->temporary);
        o->temporary = NULL;
    }
}

void cmd_ignore_sigpipe(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
}

/* A signal handler has no other place to leave word. */
static volatile int interrupted;
static int nothing_fd = -1;

/* A run that waits for a pipe would never look at the flag: standard input ends for it. */
static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
    if (nothing_fd >= 0) {
        int saved = errno;
        dup2(nothing_fd, STDIN_FILENO);
        errno = saved;
    }
}

const volatile int *cmd_catch_interrupt(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    interrupted = 0;
    nothing_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return &interrupted;
}
