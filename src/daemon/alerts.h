/*
 * daemon/alerts.h - which findings of a round are told, how much of them, and to whom. What is told
 * stands in the store before it is sent (store/alert.h), so that a kill loses no alert; after one,
 * an alert may come twice.
 *
 * A finding is told at once. While a request is under way at its server that began before the
 * finding's exchange was over, or bytes are missing that may still come, a later frame could explain
 * it: then a proven finding is told as a contradiction, and again, as an update, when nothing can
 * undo it any more. Used by the writing thread alone, but for what is marked.
 */
#ifndef HR_DAEMON_ALERTS_H
#define HR_DAEMON_ALERTS_H

#include "daemon/sink.h"
#include "pipeline/rounds.h"

struct alerts;

struct alerts_config {
    struct store *store;
    struct sink **sinks; /* borrowed */
    size_t sink_count;
    const struct sink *evidence; /* one of them, for findings alone; NULL: there is none */
    const char *min_severity; /* less severe ones are not told; NULL: all are */
    const char *evidence_folder; /* a sink writes the frames of each there; NULL: none does */
    hr_nsec repeat;           /* one that was told and is found anew is told again after that */
};

/** @return 0 or the store's negative errno */
int alerts_create(const struct alerts_config *config, struct alerts **ret_alerts);
void alerts_destroy(struct alerts *a);
/** Inside the round's transaction. @return 0 or the store's negative errno */
int alerts_found(struct alerts *a, const struct round *r);
/** Another alert, not of a finding, with the next round. Any thread. @param body  one line of JSON */
void alerts_say(struct alerts *a, struct hr_span body);
/** Nothing came in, but what is under way may have ended: in a transaction of its own, if need be. */
int alerts_look_again(struct alerts *a, const struct round *r);
/** In a transaction of its own: what was sent since needs no place in the queue any more. */
int alerts_forget_sent(struct alerts *a);
/** Whether the queue holds any that were not sent, as far as alerts_forget_sent() knows. */
int alerts_wait(struct alerts *a, bool *ret_waits);
/** Alerts so far. Any thread. */
uint64_t alerts_told(const struct alerts *a);
/** Of them, by how late they were told: within stats_latency_bounds of the frame. Any thread. */
uint64_t alerts_latency(const struct alerts *a, size_t bucket);
/** The sum of those times. Any thread. */
hr_nsec alerts_latency_sum(const struct alerts *a);
/** After it: gives the sinks what the queue holds for them, as far as they take it. */
void alerts_send(struct alerts *a);

#endif
