/*
 * daemon/feed.h - where a watch's frames come from: interfaces as they happen, or captures at their
 * own pace or as fast as they can be read.
 */
#ifndef HR_DAEMON_FEED_H
#define HR_DAEMON_FEED_H

#include "capture/live.h"

struct feed;

/** As live_source_open(). */
int feed_open_live(const struct live_config *config, struct feed **ret_feed,
                   struct hr_buf *ret_error);
/** As packet_source_open(). @param is_paced  each frame when its time has come, from now on */
int feed_open_files(const struct packet_source_config *config, bool is_paced,
                    struct feed **ret_feed, struct hr_buf *ret_error);
void feed_close(struct feed *f);
/** @return the descriptor that packets of that interface come from, -1: it is none, or gone */
int feed_fd(const struct feed *f, size_t capture);
bool feed_is_live(const struct feed *f);
size_t feed_count(const struct feed *f);
/** Waits until frames may have come, that descriptor can be read, or that time has passed. */
void feed_wait(struct feed *f, int other_fd, int timeout_ms);
/**
 * Emits what is there, some thousand frames at most.
 * @return how many frames; -ENODEV: nothing will come any more
 */
int feed_read(struct feed *f, void (*emit)(const struct packet *p, void *user), void *user);
/** Emits what is held for the sake of order. */
void feed_flush(struct feed *f, void (*emit)(const struct packet *p, void *user), void *user);
/** Frames that the kernel dropped since the last call. */
uint64_t feed_drops(struct feed *f, size_t capture);
/** As live_source_settle_clock(); nothing of files. */
void feed_settle_clock(struct feed *f, const struct live_clock_step *step);
/** Of all captures, one behind the other; until the next call. */
const struct capture_info *feed_infos(struct feed *f);

#endif
