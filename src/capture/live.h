/*
 * capture/live.h - frames from network interfaces, through libpcap. Several interfaces are merged by
 * time: a frame is held until no interface can still bring an earlier one. Nothing here blocks.
 */
#ifndef HR_CAPTURE_LIVE_H
#define HR_CAPTURE_LIVE_H

#include "capture/source.h"

struct live_source;

/* How long the kernel gathers frames before it hands them over: a part of every alert's delay. */
#define LIVE_GATHER_MS 50

/* Times that may be of before or of after the moment in which the clock was set. */
struct live_clock_step {
    hr_nsec from_at;
    hr_nsec to_at;
};

struct live_config {
    const char *const *interfaces; /* borrowed; "any": all of them */
    size_t interface_count;
    const char *filter; /* BPF or NULL; the kernel applies it */
    int snap_bytes;
    int buffer_bytes; /* of each interface, in the kernel */
    bool promiscuous;
};

/**
 * Opens every interface, which needs the right to capture; that right may be given up afterwards.
 * @param ret_error  one line for people
 * @return 0; -EINVAL: the filter does not compile; -EPERM, -ENODEV, or another negative errno
 */
int live_source_open(const struct live_config *config, struct live_source **ret_source,
                     struct hr_buf *ret_error);
void live_source_close(struct live_source *s);
/** To wait for with poll(); -1 where the interface is gone. */
int live_source_fd(const struct live_source *s, size_t interface);
/**
 * Emits what has come in, some thousand frames at most.
 * @param now  by the clock that stamps the frames
 * @return how many frames were read; -ENODEV: no interface is left
 */
int live_source_read(struct live_source *s, hr_nsec now,
                     void (*emit)(const struct packet *p, void *user), void *user);
/** Emits what is held for the sake of order. */
void live_source_flush(struct live_source *s, void (*emit)(const struct packet *p, void *user),
                       void *user);
/** Asks the kernel for its drops. @return frames dropped since the last call, of that interface */
uint64_t live_source_drops(struct live_source *s, size_t interface);
/**
 * To be told after each live_source_read(), for frames whose times go back put all times of their
 * interface in doubt, unless the clock was set back over them.
 * @param step  the clock was set since the last call; NULL: it was not
 */
void live_source_settle_clock(struct live_source *s, const struct live_clock_step *step);
/** Of all interfaces, one behind the other; error and error_text of one that is gone. */
const struct capture_info *live_source_infos(const struct live_source *s);

#endif
