/*
 * report/story.h - the exchanges behind one finding in order of time, with the login and the logout of
 * its session: what a timeline draws.
 */
#ifndef HR_REPORT_STORY_H
#define HR_REPORT_STORY_H

#include "base/arena.h"
#include "store/read_report.h"

enum { STORY_ITEMS_MAX = 16 };

struct story_item {
    struct exchange_view x; /* texts copied */
    const char *role;       /* as the evidence says, or "login", "logout" of the session */
    bool is_finding;        /* the exchange that the finding is about */
};

struct report_story {
    struct hr_arena arena;
    struct story_item items[STORY_ITEMS_MAX]; /* in order of time */
    size_t count;
    size_t left_out; /* beyond the limit */
    struct session_span span;
};

/** @return 0 or a negative errno of the store; finish it in every case */
int story_load(struct report_story *st, struct store *s, const struct finding_view *f);
void story_finish(struct report_story *st);

/** Time of the first byte seen of an exchange. */
hr_nsec story_begin_of(const struct exchange_view *x);
/** Time of the last byte seen of it. */
hr_nsec story_end_of(const struct exchange_view *x);

#endif
