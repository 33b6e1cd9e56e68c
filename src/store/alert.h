/*
 * store/alert.h - what was said of findings, and what is still to be said: the alerts of a run that
 * goes on, kept with the findings so that a kill loses none. Inside store_begin()/store_commit(),
 * but for reading.
 */
#ifndef HR_STORE_ALERT_H
#define HR_STORE_ALERT_H

#include "store/store.h"

/* A finding that a round changed, or one of which less was said than it says. */
struct alert_candidate {
    int64_t finding_id;
    const char *verdict; /* now */
    const char *said;    /* the last time; NULL: nothing was */
    bool is_held;        /* less was said than the finding says */
    bool is_changed;     /* by this round */
    int64_t count;       /* times since it was said last, and that one */
    hr_nsec said_at;     /* by the machine's clock; HR_NSEC_INFINITE: never */
    const char *server;  /* of its exchange; NULL: it has none */
    int server_port;
    hr_nsec end_at;      /* of its exchange; else the finding's time */
};
/** @param number  of the round's import */
int alert_candidates(struct store *s, int64_t number,
                     int (*row)(const struct alert_candidate *c, void *user), void *user);

struct alert_state {
    int64_t finding_id;
    const char *verdict; /* NULL: nothing was said */
    bool is_held;
    int64_t count;
    hr_nsec said_at;
};
int alert_put(struct store *s, const struct alert_state *a);

/* The queue: one row for each alert and sink. */
int alert_queue_last(struct store *s, int64_t *ret_id);
int alert_queue_add(struct store *s, int64_t id, const char *sink, struct hr_span body, hr_nsec now);
/** The first ones behind that id. */
int alert_queue_read(struct store *s, const char *sink, int64_t after_id, int limit,
                     int (*row)(int64_t id, struct hr_span body, void *user), void *user);
int alert_queue_count(struct store *s, int64_t *ret_count);
int alert_queue_done(struct store *s, int64_t id);
/** Drops the oldest beyond that many. @param ret_dropped  how many */
int alert_queue_bound(struct store *s, const char *sink, int64_t limit, int64_t *ret_dropped);

#endif
