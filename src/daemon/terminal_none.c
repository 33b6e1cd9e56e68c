/* Built without ncurses: there is no terminal to show a screen on. */
#include "daemon/terminal.h"

#include <errno.h>

bool terminal_is_usable(void)
{
    return false;
}

int terminal_open(int held_fd, int error_fd, struct terminal **ret_terminal)
{
    (void)held_fd;
    (void)error_fd;
    (void)ret_terminal;
    return -ENOSYS;
}

void terminal_close(struct terminal *t)
{
    (void)t;
}

void terminal_unblock(const struct terminal *t)
{
    (void)t;
}

void terminal_abandon(struct terminal *t)
{
    (void)t;
}

bool terminal_has_color(const struct terminal *t)
{
    (void)t;
    return false;
}

bool terminal_has_unicode(const struct terminal *t)
{
    (void)t;
    return false;
}

void terminal_renew(struct terminal *t)
{
    (void)t;
}

size_t terminal_rows(const struct terminal *t)
{
    (void)t;
    return 0;
}

size_t terminal_columns(const struct terminal *t)
{
    (void)t;
    return 0;
}

void terminal_draw(struct terminal *t, struct hr_span text, size_t reverse_row)
{
    (void)t;
    (void)text;
    (void)reverse_row;
}

enum terminal_key terminal_read_key(struct terminal *t)
{
    (void)t;
    return TERMINAL_KEY_NONE;
}
