/*
 * daemon/sink.h - a place that alerts go to. Each sink has a thread of its own, so that a slow one
 * keeps nobody waiting: what it was given it sends in order, again and again where it may help.
 */
#ifndef HR_DAEMON_SINK_H
#define HR_DAEMON_SINK_H

#include "base/buf.h"

/* So many alerts a sink takes before it has sent some. The others wait in the store. */
#define SINK_LIMIT 256

struct sink;
struct sink_kind;
struct runner;

/** Is it the name of a place? What it names need not be there. */
bool sink_is_kind(const char *spec);
/**
 * Opens what --alert names: "stdout", "syslog", "file:PATH", "exec:PROGRAM", "http://..." or
 * "https://...".
 * @param runner  starts the program of exec:; NULL where there is none
 * @param ret_error  one line for people
 * @return 0; -EINVAL: there is no such kind; or why it cannot be used
 */
int sink_open(const char *spec, struct runner *runner, struct sink **ret_sink,
              struct hr_buf *ret_error);
/** One of a kind that --alert does not name. @param rest  behind the prefix; @param state  given to the kind */
struct sink *sink_open_as(const struct sink_kind *kind, const char *rest, void *state);
/** Starts its thread. @return 0 or a negative errno */
int sink_start(struct sink *s);
/** Its thread is to end: within that time what waits is still sent. Does not wait. */
void sink_tell_end(struct sink *s, int patience_ms);
/**
 * Waits for that, a second longer at most: a thread that hangs even so is left to itself, as long as the
 * process lasts.
 */
void sink_end(struct sink *s);
void sink_close(struct sink *s);
const char *sink_name(const struct sink *s);
/** @return false where it is full */
bool sink_give(struct sink *s, int64_t id, struct hr_span body);
/** @return ids of alerts that came there, or never will; how many of at most limit */
size_t sink_take_done(struct sink *s, int64_t *ids, size_t limit);
/** A file is opened anew: it may have been moved away. */
void sink_reopen(struct sink *s);
/** Alerts that were sent, and that were given up. */
uint64_t sink_sent(struct sink *s);
uint64_t sink_failed(struct sink *s);

/* --- kinds (sink_*.c) ------------------------------------------------------------------------- */

/* What a kind of sink does. All but open are called by the sink's thread. */
struct sink_kind {
    const char *prefix;
    const char *what; /* it sends, for people */
    /** @param rest  of the specification behind the prefix; lives as long as the sink */
    int (*open)(void **ret_state, const char *rest, struct runner *runner, struct hr_buf *error);
    /**
     * @param reason  empty; why, for people, where an errno says too little
     * @return 0; a positive errno: why it must be tried again later; a negative one: why it is given up
     */
    int (*send)(void *state, struct hr_span body, struct hr_buf *reason);
    void (*reopen)(void *state); /* may be NULL */
    /** By another thread: what is being sent is to be left, to be tried again another day. May be NULL. */
    void (*hurry)(void *state);
    void (*close)(void *state);
};

/**
 * The state of sink_kind_syslog. @param path  of the log's socket
 * @return 0, or a negative errno: the log is not there, and looked for again with each alert
 */
int sink_syslog_create(const char *path, void **ret_state);

extern const struct sink_kind sink_kind_stdout;
extern const struct sink_kind sink_kind_file;
extern const struct sink_kind sink_kind_syslog;
extern const struct sink_kind sink_kind_exec;
extern const struct sink_kind sink_kind_http;
extern const struct sink_kind sink_kind_https;

#endif
