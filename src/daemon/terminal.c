/*
 * Three ways lead back to the terminal as it was: terminal_close(); terminal_abandon(), which may
 * not call ncurses because another thread hangs in it; and signals that end the process, whose
 * handler may only call what signal-safety(7) lists. So what the last two write is made beforehand.
 */
#include "daemon/terminal.h"

#include "base/alloc.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

struct terminal {
    SCREEN *screen;
    bool has_color;
    bool has_unicode;
};

/* For a handler of signals: it is given nothing else. */
static struct {
    struct termios modes; /* as they were */
    char bytes[256];      /* leave the screen, show the cursor, plain colours */
    size_t len;
    int held_fd;
    int error_fd;
} before;

static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT};

static void give_back(void)
{
    ssize_t n = write(STDOUT_FILENO, before.bytes, before.len);
    (void)n;
    tcsetattr(STDOUT_FILENO, TCSANOW, &before.modes);
}

static void on_deadly(int number)
{
    char bytes[1024];
    ssize_t n;
    give_back();
    while (before.held_fd >= 0 && (n = read(before.held_fd, bytes, sizeof(bytes))) > 0) {
        n = write(before.error_fd, bytes, (size_t)n);
    }
    raise(number); /* its handler is gone: the process ends as it would have */
}

static void guard(bool is_on)
{
    for (size_t i = 0; i < HR_ARRAY_LEN(deadly); i++) {
        struct sigaction old;
        struct sigaction action = {.sa_handler = is_on ? on_deadly : SIG_DFL,
                                   .sa_flags = (int)SA_RESETHAND};
        bool is_free = sigaction(deadly[i], NULL, &old) == 0 &&
                       (is_on ? old.sa_handler == SIG_DFL : old.sa_handler == on_deadly);
        if (is_free) { /* a sanitizer's handler stays */
            sigaction(deadly[i], &action, NULL);
        }
    }
}

bool terminal_is_usable(void)
{
    int error;
    /* In the background it would be stopped as soon as it touched the terminal. */
    if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1 ||
        tcgetpgrp(STDOUT_FILENO) != getpgrp() || getenv("TERM") == NULL) {
        return false;
    }
    if (setupterm(NULL, STDOUT_FILENO, &error) != OK) {
        return false;
    }
    bool is_usable = cursor_address != NULL && clear_screen != NULL;
    del_curterm(cur_term);
    return is_usable;
}

static void prepare_handler(void)
{
    const char *const parts[] = {exit_attribute_mode, cursor_normal, keypad_local,
                                 exit_ca_mode != NULL ? exit_ca_mode : "\r\n"};
    before.len = 0;
    for (size_t i = 0; i < HR_ARRAY_LEN(parts); i++) {
        size_t n = parts[i] != NULL ? strlen(parts[i]) : 0;
        if (before.len + n <= sizeof(before.bytes) && n > 0) {
            memcpy(before.bytes + before.len, parts[i], n);
            before.len += n;
        }
    }
}

/* No ^Z, which would stop the capture; no ^S, which would freeze the screen; ^C stays. */
static void set_modes(void)
{
    struct termios modes;
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(50);
    curs_set(0);
    if (tcgetattr(STDOUT_FILENO, &modes) == 0) {
        modes.c_cc[VSUSP] = _POSIX_VDISABLE;
        modes.c_iflag &= ~(tcflag_t)IXON;
        tcsetattr(STDOUT_FILENO, TCSANOW, &modes);
    }
    def_prog_mode();
}

static bool start_colors(void)
{
    static const short colors[] = {COLOR_RED, COLOR_YELLOW, COLOR_GREEN, COLOR_CYAN};
    const char *no_color = getenv("NO_COLOR");
    if ((no_color != NULL && no_color[0] != '\0') || !has_colors() || start_color() != OK) {
        return false;
    }
    short background = use_default_colors() == OK ? -1 : COLOR_BLACK;
    for (size_t i = 0; i < HR_ARRAY_LEN(colors); i++) {
        init_pair(colors[i], colors[i], background);
    }
    return true;
}

static void take_size(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
        resizeterm(size.ws_row, size.ws_col);
    }
}

int terminal_open(int held_fd, int error_fd, struct terminal **ret_terminal)
{
    setlocale(LC_CTYPE, "");
    btowc('x'); /* what the locale needs is loaded while that is allowed */
    if (tcgetattr(STDOUT_FILENO, &before.modes) < 0) {
        return -ENOTTY;
    }
    before.held_fd = held_fd;
    before.error_fd = error_fd;
    use_env(FALSE); /* LINES and COLUMNS are as old as the shell's prompt */
    signal(SIGTSTP, SIG_IGN);
    SCREEN *screen = newterm(NULL, stdout, stdin);
    if (screen == NULL) {
        return -ENOTTY;
    }
    struct terminal *t = hr_xcalloc(1, sizeof(*t));
    t->screen = screen;
    t->has_unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    prepare_handler();
    guard(true);
    take_size();
    set_modes();
    t->has_color = start_colors();
    *ret_terminal = t;
    return 0;
}

void terminal_close(struct terminal *t)
{
    if (t != NULL) {
        endwin();
        guard(false);
        tcsetattr(STDOUT_FILENO, TCSANOW, &before.modes);
        delscreen(t->screen);
        free(t);
    }
}

void terminal_unblock(const struct terminal *t)
{
    (void)t;
    tcflow(STDOUT_FILENO, TCOON);
    tcflush(STDOUT_FILENO, TCOFLUSH);
}

void terminal_abandon(struct terminal *t)
{
    (void)t;
    guard(false);
    tcsetattr(STDOUT_FILENO, TCSANOW, &before.modes);
}

bool terminal_has_color(const struct terminal *t)
{
    return t->has_color;
}

bool terminal_has_unicode(const struct terminal *t)
{
    return t->has_unicode;
}

void terminal_renew(struct terminal *t)
{
    (void)t;
    take_size();
    reset_prog_mode();
    clearok(stdscr, TRUE);
}

size_t terminal_rows(const struct terminal *t)
{
    (void)t;
    return (size_t)LINES;
}

size_t terminal_columns(const struct terminal *t)
{
    (void)t;
    return (size_t)COLS;
}

/* --- drawing ---------------------------------------------------------------------------------- */

/* "\033[1;31m" and the like, as report/paint.c writes them. @return how long, 0: it is none */
static size_t parse_color(struct hr_span s, attr_t *attributes, short *pair)
{
    size_t end = hr_span_find(hr_span_slice(s, 0, 12), 'm');
    int number = 0;
    if (s.len < 3 || s.ptr[0] != '\033' || s.ptr[1] != '[' || end == SIZE_MAX) {
        return 0;
    }
    for (size_t i = 2; i <= end; i++) {
        if (s.ptr[i] >= '0' && s.ptr[i] <= '9') {
            number = 10 * number + (s.ptr[i] - '0');
            continue;
        }
        *attributes = number == 0   ? A_NORMAL
                      : number == 1 ? *attributes | A_BOLD
                      : number == 2 ? *attributes | A_DIM
                                    : *attributes;
        *pair = number == 0 ? 0 : number >= 30 && number <= 37 ? (short)(number - 30) : *pair;
        number = 0;
    }
    return end + 1;
}

/* Whatever comes here, no control character leaves. */
static size_t take_character(struct hr_span s, mbstate_t *state, wchar_t *ret_character)
{
    size_t n = mbrtowc(ret_character, s.ptr, s.len, state);
    if (n == 0 || n > s.len) {
        *state = (mbstate_t){0};
        *ret_character = L'?';
        return 1;
    }
    if (iswcntrl((wint_t)*ret_character) || wcwidth(*ret_character) < 0) {
        *ret_character = L'?';
    }
    return n;
}

static void draw_row(int row, struct hr_span line, bool is_reverse)
{
    attr_t attributes = A_NORMAL;
    short pair = 0;
    mbstate_t state = {0};
    int column = 0;
    move(row, 0);
    while (line.len > 0) {
        wchar_t c;
        size_t n = parse_color(line, &attributes, &pair);
        if (n == 0) {
            n = take_character(line, &state, &c);
            column += wcwidth(c);
            if (column > COLS) {
                break;
            }
            attr_set(attributes | (is_reverse ? A_REVERSE : 0), pair, NULL);
            addnwstr(&c, 1);
        }
        line = hr_span_slice(line, n, line.len);
    }
    attr_set(is_reverse ? A_REVERSE : A_NORMAL, 0, NULL);
    while (is_reverse && column++ < COLS) {
        addch(' ');
    }
    attr_set(A_NORMAL, 0, NULL);
}

void terminal_draw(struct terminal *t, struct hr_span text, size_t reverse_row)
{
    (void)t;
    erase();
    for (int row = 0; row < LINES && text.len > 0; row++) {
        draw_row(row, hr_span_cut(&text, '\n'), (size_t)row == reverse_row);
    }
    refresh();
}

/* --- keys ------------------------------------------------------------------------------------- */

static const struct {
    int code;
    enum terminal_key key;
} keys[] = {
    {KEY_UP,    TERMINAL_KEY_UP       },
    {'k',       TERMINAL_KEY_UP       },
    {KEY_DOWN,  TERMINAL_KEY_DOWN     },
    {'j',       TERMINAL_KEY_DOWN     },
    {KEY_PPAGE, TERMINAL_KEY_PAGE_UP  },
    {KEY_NPAGE, TERMINAL_KEY_PAGE_DOWN},
    {' ',       TERMINAL_KEY_PAGE_DOWN},
    {KEY_HOME,  TERMINAL_KEY_FIRST    },
    {'g',       TERMINAL_KEY_FIRST    },
    {KEY_END,   TERMINAL_KEY_LAST     },
    {'G',       TERMINAL_KEY_LAST     },
    {KEY_ENTER, TERMINAL_KEY_ENTER    },
    {'\r',      TERMINAL_KEY_ENTER    },
    {'\n',      TERMINAL_KEY_ENTER    },
    {'q',       TERMINAL_KEY_BACK     },
    {'Q',       TERMINAL_KEY_BACK     },
    {27,        TERMINAL_KEY_BACK     },
    {'?',       TERMINAL_KEY_HELP     },
    {'h',       TERMINAL_KEY_HELP     },
    {'m',       TERMINAL_KEY_MESSAGES },
    {'y',       TERMINAL_KEY_YES      },
};

enum terminal_key terminal_read_key(struct terminal *t)
{
    (void)t;
    int code = getch();
    if (code == ERR) {
        return TERMINAL_KEY_NONE;
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(keys); i++) {
        if (keys[i].code == code) {
            return keys[i].key;
        }
    }
    return TERMINAL_KEY_OTHER;
}
