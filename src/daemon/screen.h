/*
 * daemon/screen.h - the live screen of a watch, in a thread of its own: a terminal that takes its
 * time keeps nobody else waiting. While it is there, what would go to a terminal's standard error
 * goes to the screen's message line; the last of it is written there when the screen is gone.
 */
#ifndef HR_DAEMON_SCREEN_H
#define HR_DAEMON_SCREEN_H

#include "daemon/stats.h"

struct screen;

/**
 * Before any thread or process is made.
 * @param source  what is watched, for people; copied
 * @return NULL: there is no terminal to show a screen on
 */
struct screen *screen_create(const char *source);
/** Takes the terminal over, while its description can still be read. @return 0 or a negative errno */
int screen_open(struct screen *s);
/** Starts its thread. @param db  path of the database. @return 0 or a negative errno */
int screen_start(struct screen *s, struct stats *stats, const char *db);
/** The person at the terminal wants the watch to end, or is gone. @param s  may be NULL */
bool screen_wants_end(const struct screen *s);
/** The watch is ending: says so. @param s  may be NULL */
void screen_tell_end(struct screen *s);
/**
 * Gives the terminal back, in half a second at most, in whatever state it is.
 * @return false: the thread goes on, and what it was lent has to stay until the process ends
 */
bool screen_close(struct screen *s);

#endif
