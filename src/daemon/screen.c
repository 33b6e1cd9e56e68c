#include "daemon/screen.h"

#include "base/alloc.h"
#include "daemon/board.h"
#include "daemon/clock.h"
#include "daemon/messages.h"
#include "daemon/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define TURN_MS 250
#define PATIENCE_MS 250 /* for a terminal that takes nothing; twice */

static const struct look_view nothing; /* as long as the database cannot be read */

enum page { PAGE_BOARD, PAGE_FINDING, PAGE_MESSAGES, PAGE_HELP };

struct screen {
    char *source;
    char *db;
    struct stats *stats;
    struct terminal *terminal; /* NULL: not taken over */
    int wake;                  /* eventfd: end */
    int signals;               /* the size changed, or the process went on */
    int stderr_copy;           /* the real one; -1: it is no terminal, and stays what it is */
    int stderr_read;           /* what is written to the false one */
    pthread_t thread;
    bool has_thread;
    atomic_bool wants_end; /* of the watch */
    atomic_bool is_ending;
    atomic_bool is_over; /* the thread is to end */
    /* Of the thread. */
    struct look *look;
    struct board board;
    struct messages messages;
    int64_t selected_id; /* 0: the newest, whichever it is */
    enum page page;
    int64_t page_id; /* the finding that is shown */
    struct board_page text;
    struct hr_buf text_lines;
    struct hr_buf lines; /* of the whole screen */
    hr_nsec began;       /* steady */
};

/* --- pages ------------------------------------------------------------------------------------ */

static struct report_paint paint_of(const struct screen *s)
{
    return (struct report_paint){
        .has_color = terminal_has_color(s->terminal),
        .has_unicode = terminal_has_unicode(s->terminal),
        .width = terminal_columns(s->terminal),
    };
}

static void append_finding(struct screen *s, const struct report_paint *paint, struct hr_buf *out)
{
    int r = look_show(s->look, s->page_id, paint, out);
    if (r == -ENOENT) {
        hr_buf_append_str(out, "This finding is gone: what came later explained it.\n");
    } else if (r < 0) {
        hr_buf_append_str(out, "The database cannot be read just now.\n");
    }
}

/* Anew: the width or what is stored may have changed. */
static void make_page(struct screen *s)
{
    struct report_paint paint = paint_of(s);
    hr_buf_clear(&s->text_lines);
    switch (s->page) {
    case PAGE_BOARD:
        break;
    case PAGE_FINDING:
        s->text.title = "A finding";
        append_finding(s, &paint, &s->text_lines);
        break;
    case PAGE_MESSAGES:
        s->text.title = "Messages, the newest first";
        messages_append(&s->messages, &paint, &s->text_lines);
        break;
    case PAGE_HELP:
        s->text.title = "Help";
        hr_buf_append_str(&s->text_lines, board_help());
        break;
    }
    s->text.lines = hr_buf_span(&s->text_lines);
}

static void turn_to(struct screen *s, enum page page)
{
    s->page = page;
    s->text.first = 0;
    make_page(s);
}

static void draw(struct screen *s)
{
    struct report_paint paint = paint_of(s);
    size_t rows = terminal_rows(s->terminal);
    size_t reverse = TERMINAL_NO_ROW;
    hr_buf_clear(&s->lines);
    s->board.message = messages_last(&s->messages);
    s->board.is_ending = atomic_load(&s->is_ending);
    if (s->page == PAGE_BOARD) {
        reverse = board_render(&s->board, &paint, rows, &s->lines);
    } else {
        board_render_page(&s->text, &paint, rows, &s->lines);
    }
    terminal_draw(s->terminal, hr_buf_span(&s->lines), reverse);
}

/* --- keys ------------------------------------------------------------------------------------- */

static void select_finding(struct screen *s, size_t index)
{
    const struct look_view *v = s->board.look;
    if (v->finding_count > 0) {
        s->board.selected = index < v->finding_count ? index : v->finding_count - 1;
        s->selected_id = s->board.selected > 0 ? v->findings[s->board.selected].id : 0;
    }
}

static size_t moved(size_t at, enum terminal_key key, size_t page)
{
    switch (key) {
    case TERMINAL_KEY_UP:
        return at > 0 ? at - 1 : 0;
    case TERMINAL_KEY_DOWN:
        return at + 1;
    case TERMINAL_KEY_PAGE_UP:
        return at > page ? at - page : 0;
    case TERMINAL_KEY_PAGE_DOWN:
        return at + page;
    case TERMINAL_KEY_FIRST:
        return 0;
    case TERMINAL_KEY_LAST:
        return SIZE_MAX / 2;
    case TERMINAL_KEY_NONE:
    case TERMINAL_KEY_OTHER:
    case TERMINAL_KEY_ENTER:
    case TERMINAL_KEY_BACK:
    case TERMINAL_KEY_HELP:
    case TERMINAL_KEY_MESSAGES:
    case TERMINAL_KEY_YES:
        break;
    }
    return at;
}

static void press_on_page(struct screen *s, enum terminal_key key)
{
    size_t page = board_page_rows(terminal_rows(s->terminal));
    if (key == TERMINAL_KEY_BACK) {
        turn_to(s, PAGE_BOARD);
    } else {
        s->text.first = moved(s->text.first, key, page);
    }
}

static void press_on_board(struct screen *s, enum terminal_key key)
{
    bool asked = s->board.asks;
    s->board.asks = false;
    if (asked) {
        atomic_store(&s->wants_end, key == TERMINAL_KEY_BACK || key == TERMINAL_KEY_YES);
    } else if (key == TERMINAL_KEY_BACK) {
        s->board.asks = true;
    } else if (key == TERMINAL_KEY_ENTER && s->board.look->finding_count > 0) {
        s->page_id = s->board.look->findings[s->board.selected].id;
        turn_to(s, PAGE_FINDING);
    } else {
        select_finding(s, moved(s->board.selected, key, terminal_rows(s->terminal) / 2));
    }
}

static bool take_keys(struct screen *s)
{
    enum terminal_key key;
    bool is_pressed = false;
    while ((key = terminal_read_key(s->terminal)) != TERMINAL_KEY_NONE) {
        is_pressed = true;
        if (key == TERMINAL_KEY_HELP) {
            turn_to(s, PAGE_HELP);
        } else if (key == TERMINAL_KEY_MESSAGES) {
            turn_to(s, PAGE_MESSAGES);
        } else if (s->page == PAGE_BOARD) {
            press_on_board(s, key);
        } else {
            press_on_page(s, key);
        }
    }
    return is_pressed;
}

/* --- its thread ------------------------------------------------------------------------------- */

static bool take_stats(struct screen *s)
{
    struct watch_stats now;
    struct watch_stats *before = &s->board.now;
    stats_get(s->stats, &now);
    if (now.at == before->at) {
        return false;
    }
    double seconds = (double)(now.at - (before->at > 0 ? before->at : s->began)) / 1e9;
    if (seconds > 0) {
        s->board.frame_rate = (double)(now.frames - before->frames) / seconds;
        s->board.byte_rate = (double)(now.bytes - before->bytes) / seconds;
        s->board.exchange_rate = (double)(now.exchanges - before->exchanges) / seconds;
    }
    *before = now;
    s->board.up = now.at - s->began;
    return true;
}

/* The selection stays with its finding while others come in front of it. */
static void find_selected(struct screen *s)
{
    const struct look_view *v = s->board.look;
    size_t index = 0;
    for (size_t i = 0; i < v->finding_count && s->selected_id != 0; i++) {
        index = v->findings[i].id == s->selected_id ? i : index;
    }
    s->board.selected = index;
}

static bool take_news(struct screen *s)
{
    bool is_new = take_stats(s);
    is_new = messages_read(&s->messages, s->stderr_read) || is_new;
    if (s->look == NULL && look_open(s->db, &s->look) == 0) {
        s->board.look = look_get(s->look);
    }
    if (s->look != NULL && look_refresh(s->look, clock_steady(), s->board.now.packet_at)) {
        find_selected(s);
        is_new = true;
    }
    if (is_new && (s->page == PAGE_FINDING || s->page == PAGE_MESSAGES)) {
        make_page(s);
    }
    return is_new;
}

static bool take_signals(struct screen *s)
{
    struct signalfd_siginfo info;
    bool is_any = false;
    while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        is_any = true;
    }
    if (is_any) {
        terminal_renew(s->terminal);
        make_page(s);
    }
    return is_any;
}

static void turn(struct screen *s)
{
    struct pollfd fds[] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = s->wake,      .events = POLLIN},
        {.fd = s->signals,   .events = POLLIN},
    };
    poll(fds, HR_ARRAY_LEN(fds), TURN_MS);
    if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) {
        atomic_store(&s->wants_end, true); /* nobody looks any more */
        atomic_store(&s->is_over, true);
        return;
    }
    bool is_new = take_signals(s);
    is_new = take_keys(s) || is_new;
    is_new = take_news(s) || is_new;
    if (is_new || atomic_load(&s->is_ending) != s->board.is_ending) {
        draw(s);
    }
}

static void *show(void *user)
{
    struct screen *s = user;
    take_news(s);
    draw(s);
    while (!atomic_load(&s->is_over)) {
        turn(s);
    }
    look_close(s->look);
    return NULL;
}

/* --- from other threads ----------------------------------------------------------------------- */

/* Whoever writes there never waits: what does not fit is lost. */
static int redirect_stderr(struct screen *s)
{
    int ends[2];
    if (isatty(STDERR_FILENO) != 1) {
        return 0;
    }
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        return -errno;
    }
    s->stderr_copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (s->stderr_copy < 0 || dup2(ends[1], STDERR_FILENO) < 0) {
        int r = -errno;
        close(ends[0]);
        close(ends[1]);
        return r;
    }
    close(ends[1]);
    s->stderr_read = ends[0];
    return 0;
}

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigaddset(&set, SIGCONT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

struct screen *screen_create(const char *source)
{
    if (!terminal_is_usable()) {
        return NULL;
    }
    struct screen *s = hr_xcalloc(1, sizeof(*s));
    s->source = hr_xstrdup(source);
    s->board = (struct board){
        .source = s->source, .look = &nothing, .message = "", .now.packet_at = INT64_MIN};
    s->stderr_copy = s->stderr_read = -1;
    s->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    s->signals = open_signals();
    messages_init(&s->messages);
    hr_buf_init(&s->text_lines, SIZE_MAX);
    hr_buf_init(&s->lines, SIZE_MAX);
    if (s->wake < 0 || s->signals < 0 || redirect_stderr(s) < 0) {
        screen_close(s);
        return NULL;
    }
    return s;
}

int screen_open(struct screen *s)
{
    return terminal_open(s->stderr_read, s->stderr_copy, &s->terminal);
}

int screen_start(struct screen *s, struct stats *stats, const char *db)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}; /* terminal.c's handler */
    sigset_t all;
    sigset_t before;
    s->stats = stats;
    s->db = hr_xstrdup(db);
    s->began = clock_steady();
    sigfillset(&all);
    for (size_t i = 0; i < HR_ARRAY_LEN(own); i++) {
        sigdelset(&all, own[i]);
    }
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&s->thread, NULL, show, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    s->has_thread = r == 0;
    return -r;
}

bool screen_wants_end(const struct screen *s)
{
    return s != NULL && atomic_load(&s->wants_end);
}

void screen_tell_end(struct screen *s)
{
    if (s != NULL) {
        atomic_store(&s->is_ending, true);
    }
}

static bool join_within(pthread_t thread, int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0;
}

/* @return false: it hangs in writing to a terminal that takes nothing */
static bool end_thread(struct screen *s)
{
    uint64_t one = 1;
    atomic_store(&s->is_over, true);
    ssize_t n = write(s->wake, &one, sizeof(one));
    (void)n;
    if (join_within(s->thread, PATIENCE_MS)) {
        return true;
    }
    terminal_unblock(s->terminal);
    return join_within(s->thread, PATIENCE_MS);
}

static void restore_stderr(struct screen *s)
{
    if (s->stderr_copy >= 0) {
        fflush(stderr);
        dup2(s->stderr_copy, STDERR_FILENO);
        close(s->stderr_copy);
        s->stderr_copy = -1;
    }
}

bool screen_close(struct screen *s)
{
    if (s == NULL) {
        return true;
    }
    if (s->has_thread && !end_thread(s)) {
        terminal_abandon(s->terminal);
        restore_stderr(s);
        return false; /* all else belongs to the thread, which ends with the process */
    }
    terminal_close(s->terminal);
    messages_read(&s->messages, s->stderr_read);
    if (s->stderr_copy >= 0) {
        restore_stderr(s);
        messages_say_again(&s->messages);
        close(s->stderr_read);
    }
    messages_finish(&s->messages);
    hr_buf_finish(&s->text_lines);
    hr_buf_finish(&s->lines);
    close(s->wake);
    close(s->signals);
    free(s->source);
    free(s->db);
    free(s);
    return true;
}
