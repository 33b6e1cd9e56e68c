/*
 * daemon/messages.h - the last lines that were written to standard error while a screen was shown.
 */
#ifndef HR_DAEMON_MESSAGES_H
#define HR_DAEMON_MESSAGES_H

#include "base/time.h"
#include "report/paint.h"

enum { MESSAGES_MAX = 200 };

struct messages { /* a ring */
    char *texts[MESSAGES_MAX];
    hr_nsec at[MESSAGES_MAX];
    size_t count;       /* ever */
    struct hr_buf part; /* of a line whose end has not come */
};

void messages_init(struct messages *m);
void messages_finish(struct messages *m);
/** Takes what has come. @param fd  of a pipe that does not block; -1: none. @return whether it was any */
bool messages_read(struct messages *m, int fd);
/** @return the newest, "" where there is none; until the next comes */
const char *messages_last(const struct messages *m);
/** All of them with their times, the newest first. */
void messages_append(const struct messages *m, const struct report_paint *paint,
                     struct hr_buf *out);
/** Writes the last ones to standard error: what stood on the screen alone is gone with it. */
void messages_say_again(const struct messages *m);

#endif
