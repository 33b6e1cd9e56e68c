/*
 * daemon/terminal.h - the terminal while a screen is shown on it; the only file that includes
 * ncurses. Used by one thread at a time. The terminal becomes what it was at the end, in a crash too.
 */
#ifndef HR_DAEMON_TERMINAL_H
#define HR_DAEMON_TERMINAL_H

#include "base/span.h"

struct terminal;

enum terminal_key {
    TERMINAL_KEY_NONE, /* nothing was pressed */
    TERMINAL_KEY_OTHER,
    TERMINAL_KEY_UP,
    TERMINAL_KEY_DOWN,
    TERMINAL_KEY_PAGE_UP,
    TERMINAL_KEY_PAGE_DOWN,
    TERMINAL_KEY_FIRST,
    TERMINAL_KEY_LAST,
    TERMINAL_KEY_ENTER,
    TERMINAL_KEY_BACK, /* q or Esc */
    TERMINAL_KEY_HELP,
    TERMINAL_KEY_MESSAGES,
    TERMINAL_KEY_YES,
};

#define TERMINAL_NO_ROW SIZE_MAX

/** Can a screen be shown: are standard input and output a terminal that has what it takes? */
bool terminal_is_usable(void);
/**
 * Takes the terminal over.
 * @param held_fd  where what was written to standard error waits; a signal that ends the process
 *                 moves it to error_fd; -1: nothing waits
 * @return 0; -ENOTTY: it cannot; -ENOSYS: built without ncurses
 */
int terminal_open(int held_fd, int error_fd, struct terminal **ret_terminal);
/** Gives it back. */
void terminal_close(struct terminal *t);
/**
 * Gives it back while another thread may hang in it, because nobody takes what it writes. After
 * that the object must not be used any more, nor freed.
 */
void terminal_abandon(struct terminal *t);
/** Throws away what nobody takes, so that a thread that hangs in writing goes on. */
void terminal_unblock(const struct terminal *t);
bool terminal_has_color(const struct terminal *t);
bool terminal_has_unicode(const struct terminal *t);
/** Its size may have changed, or somebody else has written on it: all is drawn anew. */
void terminal_renew(struct terminal *t);
size_t terminal_rows(const struct terminal *t);
size_t terminal_columns(const struct terminal *t);
/** Lines with the colours of report/paint.h; one in reverse. Other control characters show as "?". */
void terminal_draw(struct terminal *t, struct hr_span text, size_t reverse_row);
/** Does not wait. */
enum terminal_key terminal_read_key(struct terminal *t);

#endif
